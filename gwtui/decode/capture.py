"""What `curl` and the like saved of an HTTP response, taken apart as its bytes come: status, headers, and the body as a
client saw it.

Understands a bare body, `curl -i` with several header blocks (100 Continue, a proxy's CONNECT, redirects), and the
chunked coding that `--raw` leaves in. Lines may have lost their CR in an editor. Memory does not grow with the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gwtui.clean import clean
from gwtui.judging.headers import Headers, header
from gwtui.judging.judge import End
from gwtui.probes import decoding
from gwtui.probes.decoding import GZIP, Inflate

HEAD_BYTES = 100 << 10
"""Length limit of one header block."""
PEEK_BYTES = 1 << 20
"""How far the first field of an event stream may be from the beginning of a bare body."""
CHUNK_LINE_BYTES = 1024
SLICE_BYTES = 4096
"""Compressed bytes that are unpacked at once. Deflate makes at most 1,032 times as many of them (zlib's own figure)."""

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})\b[^\r\n]*(?:\r?\n|\Z)")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_ANYTHING = re.compile(rb"\S")
_LINE_END = re.compile(rb"\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_FIELD = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\r\n]))(?:(?:data|event|id|retry)[:\r\n]|:)")


class DecodeError(ValueError):
    """The capture is not one of an event stream. One line, clean."""


class Capture:
    """One response. Raises `DecodeError` where it is none, here or while the body is read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.end = End.CLEAN
        """How the transport ended, as far as the capture shows it. Known when the body has ended, as the detail is."""
        self.detail = ""
        self.status: int | None = None
        """None where only the body was saved."""
        self.headers: Headers = ()
        self._raw = _Bytes(chunks)
        self._read_head()

    def body(self) -> Iterator[bytes]:
        """The pieces of the body, without framing and compression. To be read once."""
        plain = _Bytes(self._framed())
        if plain.begins_with(GZIP):
            plain = _Bytes(self._inflated(plain))
        if self.status is None and plain.find(_FIELD, PEEK_BYTES) is None:
            raise DecodeError(f"the capture is no event stream: it begins with {_beginning(plain.held)}")
        yield from plain.rest()

    def _read_head(self) -> None:
        """Status and fields of the last header block."""
        raw = self._raw
        while raw.begins_with(b"HTTP/"):
            blank = raw.find(_BLANK_LINE, HEAD_BYTES)
            line = _STATUS.match(raw.held)
            if line is None:
                break
            if blank is None and not raw.ended:
                raise DecodeError(f"the capture's headers are longer than {HEAD_BYTES >> 10} KiB")
            self.status = int(line.group(1))
            block = raw.take(blank.end() if blank is not None else len(raw.held))
            fields = (field.decode("latin-1").partition(":") for field in block[line.end() :].splitlines())
            self.headers = [(name.strip(), value.strip()) for name, colon, value in fields if colon]
        if self.status is None and raw.find(_ANYTHING, PEEK_BYTES) is None and raw.ended:
            raise DecodeError("the capture is empty")

    def _framed(self) -> Iterator[bytes]:
        chunked = self.status is None or "chunked" in header(self.headers, "transfer-encoding").lower()
        if chunked and self._raw.match(_CHUNK_SIZE, CHUNK_LINE_BYTES) is not None:
            yield from self._unchunked()
            return
        length = 0
        for piece in self._raw.rest():
            length += len(piece)
            yield piece
        if length < (promised := _promised_length(self.headers)):
            self._broke_off(End.INCOMPLETE, f"the body has {length:,} bytes where Content-Length says {promised:,}")

    def _unchunked(self) -> Iterator[bytes]:
        """The body without its chunked coding (RFC 9112 7.1)."""
        raw = self._raw
        while (size := raw.match(_CHUNK_SIZE, CHUNK_LINE_BYTES)) is not None:
            left = int(size.group(1), 16)
            raw.take(size.end())
            if not left:
                return
            while left:
                if not (raw.held or raw.more()):
                    self._broke_off(End.INCOMPLETE, "the capture ends inside a chunk")
                    return
                piece = raw.take(left)
                left -= len(piece)
                yield piece
            raw.take(2 if raw.begins_with(b"\r\n") else 1 if raw.begins_with(b"\n") else 0)
        if raw.held:
            self._broke_off(End.NOT_HTTP, f"no chunk size where one is due: {_beginning(raw.held)}")
        else:
            self._broke_off(End.INCOMPLETE, "the last chunk is missing")

    def _inflated(self, packed: _Bytes) -> Iterator[bytes]:
        inflate, begun = Inflate("gzip"), False
        try:
            for piece in packed.rest():
                for at in range(0, len(piece), SLICE_BYTES):
                    for plain in inflate.feed(piece[at : at + SLICE_BYTES]):
                        begun = begun or bool(plain)
                        yield plain
            inflate.end()
        except decoding.DecodeError as error:
            if not begun:
                raise DecodeError(f"the body begins like gzip and is none: {clean(str(error))}") from error
            self._broke_off(End.DECODE_ERROR, str(error))

    def _broke_off(self, end: End, detail: str) -> None:
        """What went wrong first is why."""
        if self.end is End.CLEAN:
            self.end, self.detail = end, detail


class _Bytes:
    """Bytes as they come, of which some can be looked at before they are taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.held = bytearray()
        """What came and was not taken yet."""
        self.ended = False
        self._chunks = iter(chunks)

    def more(self) -> bool:
        """Hold the next chunk too. False at the end."""
        chunk = next(self._chunks, None)
        if chunk is None:
            self.ended = True
            return False
        self.held += chunk
        return True

    def find(self, pattern: re.Pattern[bytes], limit: int) -> re.Match[bytes] | None:
        """Where the pattern is in the next `limit` bytes, or a few more."""
        while (found := pattern.search(self.held)) is None and len(self.held) < limit and self.more():
            pass
        return found

    def match(self, pattern: re.Pattern[bytes], limit: int) -> re.Match[bytes] | None:
        """Whether the next line begins with the pattern."""
        self.find(_LINE_END, limit)
        return pattern.match(self.held)

    def begins_with(self, prefix: bytes) -> bool:
        while len(self.held) < len(prefix) and self.more():
            pass
        return self.held.startswith(prefix)

    def take(self, length: int) -> bytes:
        """At most `length` bytes of what is held."""
        taken = bytes(self.held[:length])
        del self.held[:length]
        return taken

    def rest(self) -> Iterator[bytes]:
        """All that is held, and all that comes."""
        if self.held:
            yield self.take(len(self.held))
        yield from self._chunks


def _promised_length(headers: Headers) -> int:
    """0 where none is promised, or where it is that of an encoded body, which says nothing of the decoded one."""
    length = header(headers, "content-length").strip()
    known = re.fullmatch(r"[0-9]{1,15}", length) and not header(headers, "content-encoding")
    return int(length) if known else 0


def _beginning(body: bytes | bytearray) -> str:
    return repr(clean(body[:40].decode("utf-8", "replace")))
