"""Servers as they are handed in. Usage: python3 student_server.py PORT DIR [DEFECT]"""
import os
import socket
import struct
import sys
import threading


def hello(conn):
    message = conn.recv(1024)
    size = struct.unpack('!Q', message[:8])[0]
    name = message[8:].decode()
    return size, name


def store(conn, folder, size, name):
    conn.send(b'go ahead')
    path = os.path.join(folder, name)
    try:
        with open(path, 'wb') as f:
            got = 0
            while got < size:
                data = conn.recv(min(1024, size - got))
                if not data:
                    raise Exception('closed')
                f.write(data)
                got += len(data)
    except Exception:
        os.remove(path)
        raise


def right(conn, folder):
    size, name = hello(conn)
    store(conn, folder, size, name)


def one_recv(conn, folder):
    size, name = hello(conn)
    conn.send(b'go ahead')
    data = conn.recv(1024)
    open(os.path.join(folder, name), 'wb').write(data)


def recv_size(conn, folder):
    size, name = hello(conn)
    conn.send(b'go ahead')
    data = conn.recv(size)
    open(os.path.join(folder, name), 'wb').write(data)


def until_short_read(conn, folder):
    size, name = hello(conn)
    conn.send(b'go ahead')
    with open(os.path.join(folder, name), 'wb') as f:
        data = conn.recv(1024)
        while len(data) == 1024:
            f.write(data)
            data = conn.recv(1024)
        f.write(data)


def until_the_end(conn, folder):
    size, name = hello(conn)
    conn.send(b'go ahead')
    with open(os.path.join(folder, name), 'wb') as f:
        while True:
            data = conn.recv(1024)
            if not data:
                break
            f.write(data)


def keeps_what_came(conn, folder):
    size, name = hello(conn)
    conn.send(b'go ahead')
    with open(os.path.join(folder, name), 'wb') as f:
        while size > 0:
            data = conn.recv(min(1024, size))
            if not data:
                print('client gone')
                return
            f.write(data)
            size -= len(data)


def reopens_for_writing(conn, folder):
    size, name = hello(conn)
    conn.send(b'go ahead')
    got = 0
    open(os.path.join(folder, name), 'wb').close()
    while got < size:
        data = conn.recv(1024)
        if not data:
            os.remove(os.path.join(folder, name))
            return
        got += len(data)
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(data)


def half_of_the_size(conn, folder):
    message = conn.recv(1024)
    size = struct.unpack('!I', message[4:8])[0]
    name = message[8:].decode()
    store(conn, folder, size, name)


def little_endian(conn, folder):
    message = conn.recv(1024)
    size = struct.unpack('Q', message[:8])[0]
    name = message[8:].decode()
    conn.send(b'go ahead')
    with open(os.path.join(folder, name), 'wb') as f:
        got = 0
        while got < size:
            data = conn.recv(1024)
            if not data:
                break
            f.write(data)
            got += len(data)


def text_mode(conn, folder):
    size, name = hello(conn)
    conn.send(b'go ahead')
    with open(os.path.join(folder, name), 'w', encoding='latin-1', newline='\r\n') as f:
        got = 0
        while got < size:
            data = conn.recv(1024)
            if not data:
                break
            f.write(data.decode('latin-1'))
            got += len(data)


def counts_blocks(conn, folder):
    size, name = hello(conn)
    conn.send(b'go ahead')
    with open(os.path.join(folder, name), 'wb') as f:
        for _ in range(size // 1024 + 1):
            f.write(conn.recv(1024))


def never_closes(conn, folder):
    right(conn, folder)
    threading.Event().wait()


def newline_in_the_reply(conn, folder):
    size, name = hello(conn)
    conn.send(b'go ahead\n')
    with open(os.path.join(folder, name), 'wb') as f:
        while size > 0:
            data = conn.recv(min(1024, size))
            if not data:
                break
            f.write(data)
            size -= len(data)


def no_reply_for_zero(conn, folder):
    size, name = hello(conn)
    path = os.path.join(folder, name)
    if size == 0:
        open(path, 'wb').close()
        return
    conn.send(b'go ahead')
    try:
        with open(path, 'wb') as f:
            while size > 0:
                data = conn.recv(min(1024, size))
                if not data:
                    raise Exception('closed')
                f.write(data)
                size -= len(data)
    except Exception:
        os.remove(path)


def without_threads(conn, folder):
    right(conn, folder)


def one_client(conn, folder):
    try:
        right(conn, folder)
    finally:
        conn.close()
        os._exit(0)


def dies_of_errors(conn, folder):
    try:
        right(conn, folder)
    except Exception:
        os._exit(1)


DEFECTS = {
    'one-recv': one_recv,
    'recv-size': recv_size,
    'until-short-read': until_short_read,
    'until-the-end': until_the_end,
    'keeps-what-came': keeps_what_came,
    'reopens-for-writing': reopens_for_writing,
    'little-endian': little_endian,
    'half-of-the-size': half_of_the_size,
    'text-mode': text_mode,
    'counts-blocks': counts_blocks,
    'never-closes': never_closes,
    'newline-in-the-reply': newline_in_the_reply,
    'no-reply-for-zero': no_reply_for_zero,
    'without-threads': without_threads,
    'one-client': one_client,
    'dies-of-errors': dies_of_errors,
}


def serve(conn, folder, receive):
    try:
        receive(conn, folder)
    except Exception as error:
        print(error)
    conn.close()


def main():
    port, folder = int(sys.argv[1]), sys.argv[2]
    defect = sys.argv[3] if len(sys.argv) > 3 else None
    receive = DEFECTS[defect] if defect else right
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('', port))
    s.listen(100)
    while True:
        conn, addr = s.accept()
        if receive is without_threads:
            serve(conn, folder, receive)
        else:
            threading.Thread(target=serve, args=(conn, folder, receive)).start()


main()
