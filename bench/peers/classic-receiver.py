"""The classic receiver of spec/interop, with a buffer of one's choice and a free port. usage: DIR [BUFFER]"""
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../spec/interop'))
sys.dont_write_bytecode = True
import classic_server

directory = sys.argv[1]
classic_server.BUFFER = int(sys.argv[2]) if len(sys.argv) > 2 else classic_server.BUFFER

listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(4096)
print('{"event":"listening","port":%d}' % listener.getsockname()[1], flush=True)
while True:
    client, address = listener.accept()
    thread = threading.Thread(target=classic_server.serve_client, args=(client, address, directory, '.temp'), daemon=True)
    thread.start()
