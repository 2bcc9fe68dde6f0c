"""The classic receiver as it is taught: recv and write, a thread for each client. usage: DIR [BUFFER]"""
import os
import socket
import sys
import threading

directory = sys.argv[1]
buffer = int(sys.argv[2]) if len(sys.argv) > 2 else 1024


def serve(client):
    with client:
        header = client.recv(1024)
        size = int.from_bytes(header[:8], 'big')
        path = os.path.join(directory, os.path.basename(header[8:].decode()) + '.temp')
        client.sendall(b'go ahead')
        try:
            with open(path, 'wb') as file:
                while size > 0:
                    data = client.recv(buffer)
                    if not data:
                        raise ConnectionError('the sender closed early')
                    file.write(data)
                    size -= len(data)
        except Exception:
            os.remove(path)


listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen()
print('{"event":"listening","port":%d}' % listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
