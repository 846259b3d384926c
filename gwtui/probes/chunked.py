"""The chunked coding of HTTP/1.1 (RFC 9112 7.1), as much of it as streams are made of: chunks that hold data.

Pure: bytes in, bytes out. Everything else (the last chunk, its trailers, what is no chunk at all) is not judged here
but left to h11, which takes several times as long for each chunk.
"""

from __future__ import annotations

import re

MAX_HEADER_BYTES = 1024
"""A chunk header without an end within that is left to h11. Until then it is looked through at every read."""

_HEADER = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[^\r\n]*)?[ \t]*\r\n")


class Chunked:
    """Takes a body apart, up to the first of its bytes that does not belong to a chunk with data."""

    def __init__(self) -> None:
        self.ended = False
        self.fault = ""
        """What is wrong where a chunk does not end as it has to; nothing is taken from then on."""
        self.rest = b""
        """Bytes that were not taken yet; once it has ended, those that are for somebody else."""
        self._left = 0
        """How much of the data of the chunk at hand is to come."""
        self._in_chunk = False

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
            if self._left or not self._end_chunk(data[at : at + 2]):
                break
            at += 2
        self.rest = data[at:]
        return b"".join(pieces)

    def _begin_chunk(self, data: bytes, at: int) -> int | None:
        """Where the data of the next chunk begin; None when more must come first, or nothing more is to be taken."""
        header = _HEADER.match(data, at)
        if header is None:
            self.ended = b"\n" in data[at:] or len(data) - at > MAX_HEADER_BYTES
            return None
        self._left = int(header[1], 16)
        self.ended = not self._left
        if self.ended:
            return None
        self._in_chunk = True
        return header.end()

    def _end_chunk(self, end: bytes) -> bool:
        """Whether the chunk at hand ends here; False when more must come first, or something else came."""
        if end == b"\r\n":
            self._in_chunk = False
            return True
        if not b"\r\n".startswith(end):
            self.fault = f"a chunk of the body is followed by {end!r} instead of the end of a line"
        return False
