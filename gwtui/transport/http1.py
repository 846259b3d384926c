"""HTTP/1.1 responses as their bytes come: the head, then the data of the body, to where that ends (RFC 9112). Pure.

Of a body, `feed` takes bytes cut anywhere, and never raises: what is wrong is the `fault`, after the data before it.
"""

from __future__ import annotations

import re
from typing import Protocol

from gwtui.transport.http1_head import (
    HEAD_BYTES,
    HEAD_LINES,
    SWITCHING_PROTOCOLS,
    HeadLimitError,
    HeadReader,
    NotHTTPError,
    ResponseHead,
    is_chunked,
    parse_fields,
    promised_length,
)

BODILESS = (204, 304)
"""Statuses of responses that have no body, whatever their headers say (RFC 9112 6.3)."""
SIZE_LINE_BYTES = 4096
"""Length limit of the line with the size of a chunk, which is looked through again at every read."""

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_LOOSE_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_DIGIT = re.compile(rb"[0-9A-Fa-f]")


class CutError(ValueError):
    """The answer was cut off: the connection, or the capture, ended before it did."""


class Body(Protocol):
    """A body as its bytes come."""

    is_over: bool
    """All of it came."""
    rest: bytes
    """Once it is over: bytes that came behind it."""
    fault: Exception | None
    """Why nothing more can be read: `NotHTTPError` or `HeadLimitError`."""

    def feed(self, data: bytes) -> bytes:
        """The data in the next bytes."""

    def end(self) -> None:
        """No more bytes come. Raises `CutError` where some are owed, `NotHTTPError` for those that make no sense."""


def body_of(head: ResponseHead, method: str) -> Body:
    """The body that the head announces, of the answer to a request with that method.

    Raises `NotHTTPError` for contradictions, and `DecodeError` for a transfer coding that gwtui does not read.
    """
    if head.status == SWITCHING_PROTOCOLS:
        return UntilClose()
    promised, chunked = promised_length(head.headers), is_chunked(head.headers)
    if method == "HEAD" or head.status in BODILESS:
        return Sized(0)
    if chunked:
        return Chunked()
    return Sized(promised) if promised is not None else UntilClose()


class ResponseParser:
    """Takes bytes in, cut anywhere, and gives the data of the body out."""

    def __init__(self, method: str, *, switches: bool = False) -> None:
        """`method`: that of the request. `switches`: it asks for another protocol, whose bytes are the body."""
        self.head: ResponseHead | None = None
        """Once all of it came; that of the final response."""
        self._method = method
        self._reader = HeadReader(switches=switches)
        self._body: Body | None = None

    def feed(self, data: bytes) -> bytes:
        """The data of the body in the next bytes. Raises what is wrong with the head, and nothing once it is there."""
        if self._body is not None:
            return self._body.feed(data)
        head = self._reader.feed(data)
        if head is None:
            return b""
        self._body = body_of(head, self._method)
        self.head = head
        rest = self._reader.rest()
        return self._body.feed(rest) if rest else b""

    @property
    def fault(self) -> Exception | None:
        """What is wrong with the body, behind the data that came out of it; nothing more does."""
        return self._body.fault if self._body is not None else None

    @property
    def is_over(self) -> bool:
        """All of the answer came."""
        return self._body is not None and self._body.is_over

    @property
    def rest(self) -> bytes:
        """What came behind the answer."""
        return self._body.rest if self._body is not None and self._body.is_over else b""

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can be used for another request."""
        head = self.head
        return self.is_over and head is not None and head.keeps_alive and head.status != SWITCHING_PROTOCOLS

    def end(self) -> None:
        """The peer closed the connection. Raises where that is not the end of the answer, as `Body.end` does."""
        if self._body is None:
            raise CutError("the answer ends in the middle of its headers")
        self._body.end()


class UntilClose:
    """A body that ends where the connection does."""

    def __init__(self) -> None:
        self.is_over = False
        self.rest = b""
        self.fault: Exception | None = None

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.is_over = True


class Sized:
    """A body of a number of bytes."""

    def __init__(self, promised: int) -> None:
        self.is_over = not promised
        self.rest = b""
        self.fault: Exception | None = None
        self._promised = self._left = promised

    def feed(self, data: bytes) -> bytes:
        taken = data[: self._left]
        self.rest += data[self._left :]
        self._left -= len(taken)
        self.is_over = not self._left
        return taken

    def end(self) -> None:
        if self._left:
            came = self._promised - self._left
            raise CutError(f"the body has {came:,} bytes where Content-Length says {self._promised:,}")


class Chunked:
    """A body of chunks, with the last chunk and the trailers behind it.

    `loose`: lines may end in LF alone, as in a file that lost its CRs.
    """

    def __init__(self, *, loose: bool = False) -> None:
        self.is_over = False
        self.fault: Exception | None = None
        self.rest = b""
        """What was not taken yet; once it is over, what came behind."""
        self._left = 0
        """How much of the data of the present chunk is to come."""
        self._in_chunk = False
        self._in_trailers = False
        self._trailers = self._trailer_bytes = 0
        self._size = _LOOSE_SIZE if loose else _SIZE
        self._loose = loose

    def feed(self, data: bytes) -> bytes:
        if self.is_over or self.fault is not None:
            self.rest += data
            return b""
        data = self.rest + data if self.rest else data
        pieces: list[bytes] = []
        at = self._take_whole(data, pieces)
        while at < len(data) and not self.is_over:
            if self._in_chunk:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                step = 0 if self._left else self._end_chunk(data[at : at + 2])
            else:
                step = self._take_trailer(data, at) if self._in_trailers else self._begin_chunk(data, at)
            if not step:
                break
            at += step
        self.rest = data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def end(self) -> None:
        if self.is_over or self.fault is not None:
            return
        if self._in_trailers:
            raise CutError("the answer ends before the blank line behind its last chunk")
        if self._in_chunk or _DIGIT.match(self.rest):
            raise CutError("the answer ends inside a chunk")
        if self.rest:
            raise NotHTTPError(_no_size(self.rest))
        raise CutError("the answer ends before its last chunk")

    def _take_whole(self, data: bytes, pieces: list[bytes]) -> int:
        """Take the chunks that came whole, as most do, and say how long they are."""
        at, match = 0, self._size.match
        if self._in_chunk or self._in_trailers:
            return at
        while (size := match(data, at, at + SIZE_LINE_BYTES)) is not None:
            start = size.end()
            end = start + int(size[1], 16)
            if end == start or data[end : end + 2] != b"\r\n":
                break
            pieces.append(data[start:end])
            at = end + 2
        return at

    def _begin_chunk(self, data: bytes, at: int) -> int:
        """How long the size line of the next chunk is; 0 when more must come first, or something else came."""
        size = self._size.match(data, at, at + SIZE_LINE_BYTES)
        if size is None:
            if data.find(b"\n", at, at + SIZE_LINE_BYTES) >= 0:
                self.fault = NotHTTPError(_no_size(data[at : at + SIZE_LINE_BYTES]))
            elif len(data) - at > SIZE_LINE_BYTES:
                self.fault = NotHTTPError(
                    f"the line with the size of a chunk is longer than {SIZE_LINE_BYTES >> 10} KiB"
                )
            return 0
        self._left = int(size[1], 16)
        self._in_chunk, self._in_trailers = self._left > 0, self._left == 0
        return size.end() - at

    def _end_chunk(self, end: bytes) -> int:
        """How long the end of the present chunk is; 0 when more must come first, or something else came."""
        length = 2 if end == b"\r\n" else 1 if self._loose and end.startswith(b"\n") else 0
        if length:
            self._in_chunk = False
        elif not b"\r\n".startswith(end):
            seen = end if end.startswith(b"\r") else end[:1]
            self.fault = NotHTTPError(f"a chunk of the body is followed by {seen!r} instead of CR LF")
        return length

    def _take_trailer(self, data: bytes, at: int) -> int:
        """How long the next line behind the last chunk is; 0 when more must come first, or something else came."""
        end = data.find(b"\n", at)
        length = end + 1 - at if end >= 0 else 0
        waiting = length or len(data) - at
        if self._trailer_bytes + waiting > HEAD_BYTES or self._trailers > HEAD_LINES:
            most = f"{HEAD_BYTES >> 10} KiB, or {HEAD_LINES} lines"
            self.fault = HeadLimitError(f"the trailers behind the body are longer than {most}")
            return 0
        self._trailer_bytes += length
        self._trailers += length > 0
        line = data[at : at + length]
        self.is_over = line in (b"\r\n", b"\n")
        goes_on = self._trailers > 1 and line[:1] in b" \t"
        if length and not self.is_over and not goes_on:
            try:
                parse_fields(line.decode("latin-1"))
            except NotHTTPError as error:
                self.fault = error
                return 0
        return length


def _no_size(data: bytes) -> str:
    """What is wrong with the line that this begins with."""
    if _LOOSE_SIZE.match(data):
        return "a chunk size line ends in LF alone instead of CR LF"
    line = data.partition(b"\n")[0].rstrip(b"\r")[:40]
    return f"no chunk size where one is due: {line!r}"
