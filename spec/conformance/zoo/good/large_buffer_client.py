"""A classic sender with 1 MiB buffers. Usage: python3 large_buffer_client.py FILE HOST PORT"""
import os
import socket
import sys

path, host, port = sys.argv[1:]
try:
    with open(path, 'rb') as file, socket.create_connection((host, int(port))) as sock:
        size = os.fstat(file.fileno()).st_size
        sock.sendall(size.to_bytes(8, 'big') + os.path.basename(path).encode())
        reply = sock.recv(1 << 20)
        if reply != b'go ahead':
            raise ValueError(f'the reply was {reply!r}')
        while data := file.read(1 << 20):
            sock.sendall(data)
except Exception as error:
    sys.exit(f'error: {error!r}')
