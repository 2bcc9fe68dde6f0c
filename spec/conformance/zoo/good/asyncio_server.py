"""A classic receiver with asyncio. Usage: python3 asyncio_server.py PORT DIR"""
import asyncio
import os
import sys


async def receive(reader, writer):
    path = None
    try:
        header = await reader.read(1024)
        if len(header) < 9:
            raise ConnectionError('no header')
        size = int.from_bytes(header[:8], 'big')
        path = os.path.join(sys.argv[2], os.path.basename(header[8:].decode()))
        writer.write(b'go ahead')
        await writer.drain()
        with open(path, 'wb') as file:
            while size:
                data = await reader.read(min(size, 65536))
                if not data:
                    raise ConnectionError('the sender closed too early')
                file.write(data)
                size -= len(data)
    except (OSError, ValueError):
        if path is not None and os.path.exists(path):
            os.remove(path)
    writer.close()


async def main():
    server = await asyncio.start_server(receive, '127.0.0.1', int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


asyncio.run(main())
