"""A receiver that keeps every clause, for the suite's own specs.

Usage: python3 full_server.py PORT DIR [--suffix S] [--header-deadline S] [--body-deadline S]
"""
import argparse
import os
import re
import select
import shutil
import socket
import struct
import tempfile
import threading
import time

SETTLE, GRACE = 0.05, 0.25
LOCK = threading.Lock()
promised = 0


class Refused(Exception):
    pass


def quiet(conn, seconds):
    # Not select(), which takes no descriptor above 1,023.
    poll = select.poll()
    poll.register(conn, select.POLLIN)
    return not poll.poll(max(0, seconds) * 1000)


def complete(header):
    if len(header) < 9:
        return False
    try:
        header[8:].decode('utf-8')
        return True
    except UnicodeDecodeError as error:
        if error.reason == 'unexpected end of data':
            return False
        raise Refused('not UTF-8')


def read_header(conn, header_deadline):
    deadline = time.monotonic() + header_deadline
    header, pieces = b'', 0
    while not complete(header) or (pieces > 1 and not quiet(conn, SETTLE)):
        if quiet(conn, deadline - time.monotonic()):
            raise Refused('time')
        piece = conn.recv(4096)
        header, pieces = header + piece, pieces + 1
        if not piece or len(header) > 1024:
            raise Refused('incomplete or too long')
    return header


def safe_name(raw, suffix):
    name = re.split(r'[/\\]', raw.decode('utf-8'))[-1]
    if name in ('', '.', '..') or re.search('[\x00-\x1f\x7f-\x9f]', name) or len((name + suffix).encode()) > 255:
        raise Refused('unsafe name')
    return name


def commit(temporary, directory, name, suffix):
    stem, dot, extension = name.rpartition('.')
    stem, extension = (stem, dot + extension) if stem else (name, '')
    if len((stem + extension + suffix).encode()) > 248:
        # Room for a number; not inside a character.
        stem = stem.encode()[:240 - len((extension + suffix).encode())].decode('utf-8', 'ignore')
    with LOCK:
        for number in range(1000):
            path = os.path.join(directory, (f'{stem} ({number}){extension}' if number else name) + suffix)
            try:
                os.link(temporary, path)
                return
            except FileExistsError:
                pass
    raise OSError('no free name')


def promise(directory, size):
    global promised
    with LOCK:
        if size > shutil.disk_usage(directory).free - promised:
            raise Refused('no space')
        promised += size


def take_back(size):
    global promised
    with LOCK:
        promised -= size


def receive(conn, directory, suffix, header_deadline):
    header = read_header(conn, header_deadline)
    size = struct.unpack('!Q', header[:8])[0]
    name = safe_name(header[8:], suffix)
    promise(directory, size)
    try:
        store(conn, directory, suffix, size, name)
    finally:
        take_back(size)


def store(conn, directory, suffix, size, name):
    handle, temporary = tempfile.mkstemp(prefix='.upload-', dir=directory)
    try:
        conn.sendall(b'go ahead')
        with os.fdopen(handle, 'wb') as file:
            left = size
            while left:
                data = conn.recv(min(65536, left))
                if not data:
                    raise ConnectionError('underrun')
                file.write(data)
                left -= len(data)
            if not quiet(conn, GRACE) and conn.recv(1):
                raise ConnectionError('overrun')
            file.flush()
            os.fsync(file.fileno())
        commit(temporary, directory, name, suffix)
    finally:
        os.unlink(temporary)


def serve(conn, args):
    conn.settimeout(args.body_deadline)
    try:
        receive(conn, args.directory, args.suffix, args.header_deadline)
    except Refused:
        pass
    except Exception:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    finally:
        conn.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('port', type=int)
    parser.add_argument('directory')
    parser.add_argument('--suffix', default='')
    parser.add_argument('--header-deadline', type=float, default=5)
    parser.add_argument('--body-deadline', type=float, default=5)
    args = parser.parse_args()
    server = socket.create_server(('127.0.0.1', args.port), backlog=1024)
    while True:
        conn, _ = server.accept()
        try:
            threading.Thread(target=serve, args=(conn, args), daemon=True).start()
        except RuntimeError:
            # No more threads: refused (2.4).
            conn.close()


if __name__ == '__main__':
    main()
