"""Usage: python3 classic_client.py FILE HOST PORT [--as NAME] [--pause MS]"""
import argparse
import os
import socket
import struct
import sys
import time

BUFFER = 1024


def send_file(path, name, host, port, pause):
    size = os.path.getsize(path)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.connect((host, port))
        sock.send(struct.pack('!Q', size) + name.encode())
        answer = sock.recv(BUFFER)
        if answer != b'go ahead':
            raise ValueError('the server answered %r' % answer)
        with open(path, 'rb') as file:
            while True:
                data = file.read(BUFFER)
                if not data:
                    break
                sock.sendall(data)
                if pause:
                    time.sleep(pause / 1000)
    finally:
        sock.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('file')
    parser.add_argument('host')
    parser.add_argument('port', type=int)
    parser.add_argument('--as', dest='name')
    parser.add_argument('--pause', type=float, default=0)
    args = parser.parse_args()
    try:
        name = args.name or os.path.basename(args.file)
        send_file(args.file, name, args.host, args.port, args.pause)
    except Exception as error:
        print('error:', error, file=sys.stderr)
        sys.exit(1)


if __name__ == '__main__':
    main()
