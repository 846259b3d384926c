"""A server that is in nobody's way: small HTTP answers, WebSocket pongs and a TCP echo on one port, in one loop.

Whatever begins with `GET /pong` becomes a WebSocket whose every frame is answered with `pong`; other requests get 96
bytes of JSON; what is no HTTP at all is sent back as it came.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import socket
import sys

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BODY = b'{"ok":true,"padding":"%s"}' % (b"x" * 69)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
PONG = b"\x81\x04pong"
CLOSE = b"\x88\x00"


class Answers(asyncio.Protocol):
    """One connection. Requests and frames are small and come whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._is_websocket = False
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        if self._is_websocket:
            self._transport.write(CLOSE if data[0] & 0x0F == 8 else PONG)
        elif data.startswith(b"GET /pong"):
            self._is_websocket = True
            self._transport.write(_agreement(data))
        elif b" HTTP/1.1\r\n" in data:
            self._transport.write(ANSWER)
        else:
            self._transport.write(data)


def _agreement(request: bytes) -> bytes:
    key = request.lower().index(b"sec-websocket-key:") + len(b"sec-websocket-key:")
    given = request[key : request.index(b"\r\n", key)].strip()
    accept = base64.b64encode(hashlib.sha1(given + GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept
    )


async def serve() -> None:
    """Until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answers, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f'{{"port": {server.sockets[0].getsockname()[1]}}}\n')
    sys.stdout.flush()
    ended = loop.create_future()
    loop.add_reader(sys.stdin.fileno(), ended.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await ended


if __name__ == "__main__":
    asyncio.run(serve())
