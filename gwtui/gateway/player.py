"""How the steps of a script are done on a bare socket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import struct
import zlib
from collections.abc import Mapping, Sequence

from gwtui.gateway.socket_script import (
    Agree,
    Bomb,
    Dribble,
    Events,
    HalfClose,
    Head,
    HoldOpen,
    NextRequest,
    Reset,
    SendBytes,
    Step,
    TakeFrame,
    Wait,
    chunk,
)

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What turns a WebSocket's key into its acceptance (RFC 6455 1.3)."""
_BLOCK = 1 << 20


class Player:
    """One connection, whose first request was read. Steps raise `OSError` when the client has left."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        headers: Mapping[str, str],
        media_type: str,
        events: Sequence[bytes],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._headers = headers
        self._media_type = media_type
        self._events = events

    async def play(self, step: Step) -> None:
        match step:
            case SendBytes(data, times, every_s):
                await self._send(data, times, every_s)
            case Dribble(data, every_s):
                for byte in data:
                    await self._send(bytes((byte,)))
                    await asyncio.sleep(every_s)
            case Head() | Events() | Bomb():
                await self._answer(step)
            case Agree(lines):
                await self._send(_agreement(self._headers.get("sec-websocket-key", ""), lines))
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case HalfClose():
                self._writer.write_eof()
            case Reset():
                linger = struct.pack("ii", 1, 0)
                self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self._writer.transport.abort()
            case NextRequest() | TakeFrame() | HoldOpen():
                await self._listen(step)

    async def _send(self, data: bytes, times: int = 1, every_s: float = 0.0) -> None:
        for _ in range(times):
            self._writer.write(data)
            await self._writer.drain()
            if every_s:
                await asyncio.sleep(every_s)

    async def _answer(self, step: Head | Events | Bomb) -> None:
        match step:
            case Head(lines, reason, chunked):
                own = ["transfer-encoding: chunked"] if chunked else []
                head = [f"HTTP/1.1 200 {reason}", f"content-type: {self._media_type}", *lines, *own, "", ""]
                await self._send("\r\n".join(head).encode("latin-1"))
            case Events(first, last, chunked, chunk_bytes):
                for data in self._events[first:last]:
                    size = chunk_bytes or len(data)
                    pieces = [data[at : at + size] for at in range(0, len(data), size)]
                    await self._send(b"".join(chunk(piece) for piece in pieces) if chunked else data)
            case Bomb(zeros):
                deflate = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
                for _ in range(zeros // _BLOCK):
                    await self._send(deflate.compress(bytes(_BLOCK)))
                await self._send(deflate.flush())

    async def _listen(self, step: NextRequest | TakeFrame | HoldOpen) -> None:
        match step:
            case NextRequest():
                await self._reader.readuntil(b"\r\n\r\n")
            case TakeFrame():
                head = await self._reader.readexactly(6)  # two bytes and the mask of a short frame
                await self._reader.readexactly(head[1] & 0x7F)
            case HoldOpen():
                while await self._reader.read(65_536):
                    pass


def _agreement(key: str, lines: Sequence[str]) -> bytes:
    """The answer that makes a handshake a WebSocket (RFC 6455 4.2.2)."""
    accept = base64.b64encode(hashlib.sha1(key.encode("latin-1") + _MAGIC, usedforsecurity=False).digest()).decode()
    head = [
        "HTTP/1.1 101 Switching Protocols",
        "upgrade: websocket",
        "connection: upgrade",
        f"sec-websocket-accept: {accept}",
        *lines,
        "",
        "",
    ]
    return "\r\n".join(head).encode("latin-1")
