"""The chunked coding of HTTP/1.1 (RFC 9112 7.1), as much of it as streams are made of: chunks that hold data.

Pure: bytes in, bytes out. The last chunk and its trailers are not judged here but left to h11, which takes several
times as long for each chunk, or to `last_chunk`.
"""

from __future__ import annotations

import re

MAX_HEADER_BYTES = 1024
"""A chunk header without an end within that is left to h11. Until then it is looked through at every read."""

_HEADER = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[^\r\n]*)?[ \t]*\r\n")
_LOOSE_HEADER = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[^\r\n]*)?[ \t]*\r?\n")
_LAST = re.compile(rb"0+(?:;[^\r\n]*)?[ \t]*\r\n(?:[^\r\n]+\r\n)*\r\n")
_LOOSE_LAST = re.compile(rb"0+(?:;[^\r\n]*)?[ \t]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n")


def last_chunk(data: bytes | bytearray, *, loose: bool) -> re.Match[bytes] | None:
    """The last chunk at the beginning of the data, with its trailers and blank line; `loose` as for `Chunked`."""
    return (_LOOSE_LAST if loose else _LAST).match(data)


class Chunked:
    """Takes a body apart, up to the first of its bytes that does not belong to a chunk with data.

    `loose`: lines may end in LF alone, as in a file that lost its CRs.
    """

    def __init__(self, *, loose: bool = False) -> None:
        self.ended = False
        self.fault = ""
        """What is wrong where a chunk does not end as it has to; nothing is taken from then on."""
        self.rest = b""
        """Bytes that were not taken yet; once it has ended, those that are for somebody else."""
        self._left = 0
        """How much of the data of the chunk at hand is to come."""
        self._in_chunk = False
        self._header = _LOOSE_HEADER if loose else _HEADER
        self._loose = loose

    @property
    def inside(self) -> bool:
        """A chunk or its size has begun and not ended."""
        return self._in_chunk or bool(self.rest)

    def feed(self, data: bytes) -> bytes:
        """The data in the next bytes."""
        data = self.rest + data
        at = 0
        pieces: list[bytes] = []
        while at < len(data):
            if not self._in_chunk:
                begin = self._begin_chunk(data, at)
                if begin is None:
                    break
                at = begin
            piece = data[at : at + self._left]
            pieces.append(piece)
            at += len(piece)
            self._left -= len(piece)
            if self._left or not (end := self._end_chunk(data[at : at + 2])):
                break
            at += end
        self.rest = data[at:]
        return b"".join(pieces)

    def _begin_chunk(self, data: bytes, at: int) -> int | None:
        """Where the data of the next chunk begin; None when more must come first, or nothing more is to be taken."""
        header = self._header.match(data, at)
        if header is None:
            if b"\n" in data[at:]:
                self.fault = _no_size(data[at : at + MAX_HEADER_BYTES])
            self.ended = not self.fault and len(data) - at > MAX_HEADER_BYTES
            return None
        self._left = int(header[1], 16)
        self.ended = not self._left
        if self.ended:
            return None
        self._in_chunk = True
        return header.end()

    def _end_chunk(self, end: bytes) -> int:
        """How long the end of the chunk at hand is; 0 when more must come first, or something else came."""
        length = 2 if end == b"\r\n" else 1 if self._loose and end.startswith(b"\n") else 0
        if length:
            self._in_chunk = False
        elif not b"\r\n".startswith(end):
            self.fault = f"a chunk of the body is followed by {end!r} instead of CR LF"
        return length


def _no_size(data: bytes) -> str:
    """What is wrong with the line that this begins with."""
    if _LOOSE_HEADER.match(data):
        return "a chunk size line ends in LF alone instead of CR LF"
    line = data.partition(b"\n")[0].rstrip(b"\r")[:40]
    return f"no chunk size where one is due: {line!r}"
