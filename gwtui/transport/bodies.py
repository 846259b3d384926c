"""The body of a response, read past httpcore and h11 where it is a stream of chunks.

Their layers cost 20 us for each read with an event in it, as much as everything else that is done about it. So httpcore
is given the head of a response by itself, a chunked body is taken from the connection directly, and the end of it is
given back to httpcore, which knows by that whether the connection can be kept.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpcore

from gwtui.transport.chunked import Chunked
from gwtui.transport.lean import httpx
from gwtui.transport.sockets import TCPStream
from gwtui.transport.tls import TLSStream
from gwtui.transport.trace import ConnectionTrace, NotHTTPError

READ_BYTES = 64 * 1024
HEAD_BYTES = 100 * 1024
HEAD_LINES = 512
"""How long what comes before a body may be, interim responses (1xx) included. httpcore's own limit of as many bytes
depends on where reads end, and lines are not counted by anybody."""
BODILESS = (204, 304)
"""Statuses of responses that have no body, whatever their headers say (RFC 9112 6.3)."""

_BLANK_LINE = re.compile(rb"\n\r?\n")


class HeadLimitError(ValueError):
    """The headers of a response are over their limit."""


class Connection(httpcore.AsyncNetworkStream):
    """A stream for httpcore whose reads end where the head of a response does."""

    def __init__(self, stream: TCPStream | TLSStream, trace: ConnectionTrace) -> None:
        self.stream = stream
        self._trace = trace
        self._before = b""
        """The last bytes of a head that goes on."""
        self._held = b""
        """Bytes that were read and not given to httpcore yet."""
        self._after_head = False
        """httpcore was given a head and nothing else."""
        self._head_bytes = self._head_lines = 0
        """How much came of the heads of the response at hand."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        held, self._held = self._held, b""
        data = held or await self.stream.read(max_bytes)
        if self._trace.exchange.in_body:
            return data
        blank_line = _BLANK_LINE.search(self._before + data)
        self._after_head = blank_line is not None
        end = len(data) if blank_line is None else blank_line.end() - len(self._before)
        self._count_head(data, end)
        self._before = (self._before + data)[-2:] if blank_line is None else b""
        self._held = data[end:]
        return data[:end]

    def _count_head(self, data: bytes, end: int) -> None:
        """Raises `HeadLimitError`, at the same byte however the head is cut into reads."""
        self._head_bytes += end
        self._head_lines += data.count(b"\n", 0, end)
        if self._head_lines > HEAD_LINES:
            raise HeadLimitError(f"the response has more than {HEAD_LINES} lines of headers")
        if self._head_bytes > HEAD_BYTES:
            raise HeadLimitError(f"the response headers are longer than {HEAD_BYTES >> 10} KiB")

    def take_body(self) -> bytes | None:
        """Begin to read the body directly: what came of it with the head. None: httpcore has some of it already."""
        self._trace.exchange.in_body = True
        self._head_bytes = self._head_lines = 0
        if not self._after_head:
            return None
        held, self._held = self._held, b""
        return held

    def give_back(self, data: bytes) -> None:
        """Let httpcore read these bytes next."""
        self._held = data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self.stream.write(buffer)

    async def aclose(self) -> None:
        await self.stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


async def body_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body without its framing, in pieces as they come; of a chunked one at most one piece for each read."""
    connection = response.extensions["network_stream"]
    assert isinstance(connection, Connection)  # noqa: S101 - for the type checker
    data = connection.take_body()
    if data is not None and _is_chunked(response):
        chunked, read = Chunked(), connection.stream.read
        while True:
            if piece := chunked.feed(data):
                yield piece
            if chunked.fault:
                raise NotHTTPError(chunked.fault)
            if chunked.ended or not (data := await read(READ_BYTES)):
                break
        data = chunked.rest
    connection.give_back(data or b"")
    async for piece in response.aiter_raw():
        yield piece


def _is_chunked(response: httpx.Response) -> bool:
    if response.request.method == "HEAD" or response.status_code in BODILESS:
        return False
    coding: str = response.headers.get("transfer-encoding", "")
    return coding.strip().lower() == "chunked"
