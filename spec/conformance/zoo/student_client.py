"""Clients as they are handed in. Usage: python3 student_client.py FILE HOST PORT [DEFECT]"""
import os
import socket
import struct
import sys


def connect(host, port):
    s = socket.socket()
    s.connect((host, int(port)))
    return s


def header(path):
    return struct.pack('!Q', os.path.getsize(path)) + os.path.basename(path).encode()


def right(path, host, port):
    head = header(path)
    s = connect(host, port)
    s.sendall(head)
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    with open(path, 'rb') as f:
        data = f.read(1024)
        while data:
            s.sendall(data)
            data = f.read(1024)
    s.close()


def two_sends(path, host, port):
    head = header(path)
    s = connect(host, port)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.sendall(head[:8])
    s.sendall(head[8:])
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    s.sendall(open(path, 'rb').read())
    s.close()


def does_not_wait(path, host, port):
    s = connect(host, port)
    s.sendall(header(path) + open(path, 'rb').read())
    s.recv(1024)
    s.close()


def ignores_the_reply(path, host, port):
    s = connect(host, port)
    s.sendall(header(path))
    s.recv(1024)
    s.sendall(open(path, 'rb').read())
    s.close()


def prints_the_error(path, host, port):
    s = connect(host, port)
    s.sendall(header(path))
    if s.recv(1024) != b'go ahead':
        print('the server said no')
        return
    s.sendall(open(path, 'rb').read())
    s.close()


def one_block(path, host, port):
    s = connect(host, port)
    s.sendall(header(path))
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    s.sendall(open(path, 'rb').read(1024))
    s.close()


def whole_blocks(path, host, port):
    s = connect(host, port)
    s.sendall(header(path))
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    with open(path, 'rb') as f:
        for _ in range(os.path.getsize(path) // 1024):
            s.sendall(f.read(1024))
    s.close()


def little_endian(path, host, port):
    s = connect(host, port)
    s.sendall(struct.pack('Q', os.path.getsize(path)) + os.path.basename(path).encode())
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    s.sendall(open(path, 'rb').read())
    s.close()


def size_as_text(path, host, port):
    s = connect(host, port)
    s.sendall(str(os.path.getsize(path)).encode() + os.path.basename(path).encode())
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    s.sendall(open(path, 'rb').read())
    s.close()


def newline_after_the_name(path, host, port):
    s = connect(host, port)
    s.sendall(header(path) + b'\n')
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    s.sendall(open(path, 'rb').read())
    s.close()


def text_mode(path, host, port):
    s = connect(host, port)
    s.sendall(header(path))
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    s.sendall(open(path, encoding='utf-8', errors='ignore').read().encode())
    s.close()


def sends_and_says_done(path, host, port):
    s = connect(host, port)
    s.sendall(header(path))
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    s.sendall(open(path, 'rb').read() + b'done')
    s.close()


def in_answer_is_enough(path, host, port):
    s = connect(host, port)
    s.sendall(header(path))
    if 'go' not in s.recv(1024).decode(errors='ignore'):
        sys.exit('the server said no')
    s.sendall(open(path, 'rb').read())
    s.close()


def never_closes(path, host, port):
    s = connect(host, port)
    s.sendall(header(path))
    if s.recv(1024) != b'go ahead':
        sys.exit('the server said no')
    s.sendall(open(path, 'rb').read())
    input() if sys.stdin.isatty() else socket.create_server(('127.0.0.1', 0)).accept()


DEFECTS = {
    'does-not-wait': does_not_wait,
    'ignores-the-reply': ignores_the_reply,
    'prints-the-error': prints_the_error,
    'one-block': one_block,
    'whole-blocks': whole_blocks,
    'little-endian': little_endian,
    'two-sends': two_sends,
    'size-as-text': size_as_text,
    'newline-after-the-name': newline_after_the_name,
    'text-mode': text_mode,
    'sends-and-says-done': sends_and_says_done,
    'in-answer-is-enough': in_answer_is_enough,
    'never-closes': never_closes,
}

send = DEFECTS[sys.argv[4]] if len(sys.argv) > 4 else right
send(*sys.argv[1:4])
