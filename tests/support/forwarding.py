"""Forward proxies for tests: one for CONNECT, with TLS or without, and one for SOCKS 5 that takes nothing amiss.

Each connects every client to one gateway, and remembers which destination was asked for.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support.listening import connected_to, listening
from support.scripted import ScriptedServer


class Relay:
    """A proxy for CONNECT, which may die after `dies_after` bytes of the answer."""

    def __init__(
        self, gateway: ScriptedServer, dies_after: int | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.head = b""
        self.port = 0
        self._gateway = gateway
        self._left = dies_after
        self._tls = tls

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with listening(self._serve, self._tls) as self.port:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self._agree(reader, writer):
            return
        async with connected_to(self._gateway.port) as (answers, asks), asyncio.TaskGroup() as pumps:
            asking = pumps.create_task(self._pump(reader, asks))
            answering = pumps.create_task(self._pump(answers, writer, self._left))
            for pump in (asking, answering):
                pump.add_done_callback(lambda _: (asking.cancel(), answering.cancel()))
        writer.transport.abort()

    async def _agree(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Hear where to, and say whether."""
        self.head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\nVia: relay\r\n\r\n")
        return True

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None = None) -> None:
        while (left is None or left > 0) and (data := await reader.read(1 << 16 if left is None else left)):
            writer.write(data)
            left = None if left is None else left - len(data)


class Socks(Relay):
    """A SOCKS 5 proxy (RFC 1928, RFC 1929). With a login it refuses clients without; `reply` is its reply code."""

    def __init__(self, gateway: ScriptedServer, login: tuple[str, str] | None = None, reply: int = 0) -> None:
        super().__init__(gateway)
        self.destination: tuple[str, int] = ("", 0)
        self._login = login
        self._reply = reply

    async def _agree(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        assert version == 5
        method = 0 if self._login is None else 2
        if method not in methods:
            writer.write(b"\x05\xff")
            return False
        writer.write(bytes((5, method)))
        if self._login is not None and not await self._knows(reader, writer):
            return False
        version, command, reserved, kind = await reader.readexactly(4)
        assert (version, command, reserved) == (5, 1, 0)
        self.destination = await self._destination(reader, kind)
        # A name as the bound address is allowed, and takes more care to read than others.
        writer.write(bytes((5, self._reply, 0)) + (b"\x03\x05bound\x00\x07" if not self._reply else b""))
        return not self._reply

    async def _knows(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        version, length = await reader.readexactly(2)
        user = await reader.readexactly(length)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        is_known = version == 1 and (user.decode(), password.decode()) == self._login
        writer.write(bytes((1, 0 if is_known else 1)))
        return is_known

    @staticmethod
    async def _destination(reader: asyncio.StreamReader, kind: int) -> tuple[str, int]:
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode("ascii")
        else:
            host = ".".join(map(str, await reader.readexactly({1: 4, 4: 16}[kind])))
        return host, int.from_bytes(await reader.readexactly(2), "big")
