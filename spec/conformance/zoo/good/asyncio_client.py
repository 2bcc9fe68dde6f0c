"""A classic sender with asyncio. Usage: python3 asyncio_client.py FILE HOST PORT"""
import asyncio
import os
import sys


async def send(path, host, port):
    with open(path, 'rb') as file:
        size = os.fstat(file.fileno()).st_size
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(size.to_bytes(8, 'big') + os.path.basename(path).encode())
        if await reader.readexactly(8) != b'go ahead':
            raise ValueError('another reply')
        while data := file.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


try:
    asyncio.run(send(*sys.argv[1:]))
except Exception as error:
    sys.exit(f'error: {error!r}')
