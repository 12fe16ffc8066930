"""A bad network: ``python faulty_proxy.py PORT`` prints its own port and passes on what comes, as stdin says.

``pass``      as it is (at the start)
``delay 2``   each answer comes 2 s late
``hang``      nothing is passed on, and nobody is told
``deaf``      requests arrive, their answers do not: the connection breaks
``deaf 1``    likewise for one request, then ``pass``
``deaf PUT``  likewise for requests of that kind
``cut``       every connection breaks at once
"""

from __future__ import annotations

import asyncio
import contextlib
import sys


class Proxy:
    def __init__(self, target: int) -> None:
        self.target = target
        self.mode = ["pass"]

    async def serve(self) -> None:
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            self.mode = line.split()
            print("ok", flush=True)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await self.pass_on(reader, writer)
        writer.transport.abort() if self.mode[0] == "cut" else writer.close()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(1 << 16)
        mode, *count = self.mode
        if mode == "cut":
            return
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode == "deaf" and count == ["1"]:
            self.mode = ["pass"]
        elif mode == "deaf" and count and not first.startswith(count[0].encode()):
            mode = "pass"
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.target)
        to_server.write(first)
        sending = asyncio.ensure_future(copy(reader, to_server))
        if mode == "deaf":
            while data := await from_server.read(1 << 16):  # to its end: the request has done its work
                if b" 100 Continue" in data[:30]:
                    writer.write(data)
            writer.transport.abort()
        else:
            await asyncio.sleep(float(count[0]) if mode == "delay" else 0)
            await copy(from_server, writer)
        sending.cancel()
        to_server.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()  # a server that waits for the rest of a request would wait for ever


if __name__ == "__main__":
    asyncio.run(Proxy(int(sys.argv[1])).serve())
