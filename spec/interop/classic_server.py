"""Usage: python3 classic_server.py PORT DIR [--suffix .temp]"""
import argparse
import os
import socket
import struct
import threading

BUFFER = 1024


def receive_file(conn, directory, suffix):
    message = conn.recv(BUFFER)
    size = struct.unpack('!Q', message[:8])[0]
    name = message[8:].decode()
    path = os.path.join(directory, os.path.basename(name) + suffix)
    conn.send(b'go ahead')
    try:
        with open(path, 'wb') as file:
            received = 0
            while received < size:
                data = conn.recv(min(BUFFER, size - received))
                if not data:
                    raise ConnectionError('the client closed too early')
                file.write(data)
                received += len(data)
    except Exception:
        if os.path.exists(path):
            os.remove(path)
        raise


def serve_client(conn, address, directory, suffix):
    try:
        receive_file(conn, directory, suffix)
    except Exception as error:
        print('error with', address, error)
    finally:
        conn.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('port', type=int)
    parser.add_argument('directory')
    parser.add_argument('--suffix', default='.temp')
    args = parser.parse_args()

    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(('', args.port))
    server.listen(128)
    while True:
        conn, address = server.accept()
        thread = threading.Thread(target=serve_client, args=(conn, address, args.directory, args.suffix))
        thread.start()


if __name__ == '__main__':
    main()
