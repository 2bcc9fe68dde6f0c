"""The classic sender as it is taught, under the contract of driver.mjs. The taught one closes without waiting; this one
waits for the receiver's close, so that the clock stops at the same point for everyone."""
import argparse
import json
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

parser = argparse.ArgumentParser()
parser.add_argument('files', nargs='+')
parser.add_argument('--to', required=True)
parser.add_argument('--concurrency', type=int, default=1)
parser.add_argument('--buffer', type=int, default=1024)
options = parser.parse_args()
host, port = options.to.split(':')


def send(path):
    with socket.create_connection((host, int(port))) as connection, open(path, 'rb') as file:
        size = os.path.getsize(path)
        connection.sendall(size.to_bytes(8, 'big') + os.path.basename(path).encode())
        if connection.recv(1024) != b'go ahead':
            raise ConnectionError('not the reply')
        while data := file.read(options.buffer):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(1):
            raise ConnectionError('a byte after the reply')


print('{"event":"ready"}', flush=True)
sys.stdin.readline()
try:
    if options.concurrency == 1:
        for path in options.files:
            send(path)
    else:
        with ThreadPoolExecutor(options.concurrency) as pool:
            list(pool.map(send, options.files))
    event = {'event': 'done', 'sent': len(options.files), 'failed': 0}
except Exception as error:
    event = {'event': 'done', 'sent': 0, 'failed': len(options.files), 'failure': repr(error)}
print(json.dumps(event), flush=True)
sys.stdin.readline()
