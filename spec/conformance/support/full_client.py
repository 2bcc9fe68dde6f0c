"""A client that keeps every clause of docs/protocol.md. Usage: full_client.py FILE HOST PORT [SECONDS]"""
import os
import select
import signal
import socket
import stat
import struct
import sys
import time

CHUNK = 65536
REPLY = b'go ahead'


class Failed(Exception):
    pass


def interrupted(number, frame):
    raise Failed('ended by signal %d' % number)


def open_file(path):
    """8.7: what is not a regular file is not even opened; a FIFO would wait for a writer."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Failed('not a regular file')
    file = open(path, 'rb', buffering=0)
    before = os.fstat(file.fileno())
    if not stat.S_ISREG(before.st_mode):
        raise Failed('not a regular file')
    return file, before


def header_of(path, size):
    name = os.path.basename(os.fsencode(path))
    name.decode('utf-8')  # 4.14; UnicodeDecodeError is a ValueError
    if not 1 <= len(name) <= 1016:
        raise Failed('a name of %d bytes' % len(name))
    return struct.pack('!Q', size) + name


def wait(sock, seconds, write=False):
    readable, writable, _ = select.select([sock], [sock] if write else [], [], seconds)
    if not readable and not writable:
        raise Failed('nothing happened for %s s' % seconds)
    return bool(readable), bool(writable)


def await_reply(sock, seconds):
    deadline = time.monotonic() + seconds
    reply = b''
    while reply != REPLY:
        wait(sock, max(0, deadline - time.monotonic()))
        data = sock.recv(64)
        if not data:
            raise Failed('closed after %r' % reply)
        reply += data
        if not REPLY.startswith(reply):
            raise Failed('answered %r' % reply)


def unchanged(file, path, before):
    for now in (os.fstat(file.fileno()), os.stat(path)):
        if (now.st_size, now.st_mtime_ns, now.st_ino) != (before.st_size, before.st_mtime_ns, before.st_ino):
            raise Failed('the file changed while it was sent')


def send_body(sock, file, path, before, seconds):
    left = before.st_size
    while left:
        data = file.read(min(CHUNK, left))
        if not data:
            raise Failed('the file is shorter than announced')
        left -= len(data)
        if not left:
            unchanged(file, path, before)
        while data:
            readable, writable = wait(sock, seconds, write=True)
            if readable:
                raise Failed('received %r in mid-body' % sock.recv(64))
            data = data[sock.send(data):] if writable else data
    unchanged(file, path, before)


def await_end(sock, seconds):
    wait(sock, seconds)
    data = sock.recv(64)
    if data:
        raise Failed('received %r after the body' % data)


def send_file(path, host, port, seconds):
    file, before = open_file(path)
    header = header_of(path, before.st_size)
    with file, socket.create_connection((host, port), seconds) as sock:
        sock.setblocking(False)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.send(header)  # a fresh connection has room for 1,024 bytes
            await_reply(sock, seconds)
            send_body(sock, file, path, before, seconds)
            sock.shutdown(socket.SHUT_WR)
            await_end(sock, seconds)
        except BaseException:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))  # 8.5: RST
            raise


def main():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    path, host, port = sys.argv[1:4]
    try:
        send_file(path, host, int(port), float(sys.argv[4]) if len(sys.argv) > 4 else 30)
    except (Failed, OSError, ValueError) as error:
        try:
            print('error:', error, file=sys.stderr, flush=True)
        except OSError:
            pass
        os._exit(1)  # nothing is flushed again into a pipe that is gone


if __name__ == '__main__':
    main()
