"""A classic receiver with 1 MiB buffers. Usage: python3 large_buffer_server.py PORT DIR"""
import os
import socketserver
import sys

BUFFER = 1 << 20


class Receiver(socketserver.BaseRequestHandler):
    def handle(self):
        header = self.request.recv(BUFFER)
        if len(header) < 9:
            return
        left = int.from_bytes(header[:8], 'big')
        path = os.path.join(sys.argv[2], os.path.basename(header[8:].decode()))
        self.request.sendall(b'go ahead')
        try:
            with open(path, 'wb', buffering=BUFFER) as file:
                while left:
                    data = self.request.recv(min(left, BUFFER))
                    if not data:
                        raise ConnectionError('the sender closed too early')
                    file.write(data)
                    left -= len(data)
        except OSError:
            os.remove(path)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


Server(('127.0.0.1', int(sys.argv[1])), Receiver).serve_forever()
