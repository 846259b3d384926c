"""What `curl` and the like saved of an HTTP response, taken apart as its bytes come: status, headers, and the body as a
client saw it.

Understands a bare body, `curl -i` with several header blocks (100 Continue, a proxy's CONNECT, redirects), and the
chunked coding that `--raw` leaves in. Lines may have lost their CR in an editor. Memory does not grow with the body.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from gwtui.apis.headers import Headers, joined_header
from gwtui.framing.base import Framing
from gwtui.model.enums import End
from gwtui.text.sanitize import clean
from gwtui.transport import decoding
from gwtui.transport.body_length import BodyLength, LengthError, body_length, short_body
from gwtui.transport.chunked import Chunked, last_chunk
from gwtui.transport.decoding import GZIP, Decoder, Inflate, decoder_for

HEAD_BYTES = 100 << 10
"""Length limit of one header block."""
PEEK_BYTES = 1 << 20
"""How far the first line of a stream may be from the beginning of a bare body."""
CHUNK_LINE_BYTES = 1024
TEXT_BYTES = 64
"""How much of a body tells whether it is text."""
SLICE_BYTES = 4096
"""Compressed bytes that are unpacked at once. Deflate makes at most 1,032 times as many of them (zlib's own figure)."""

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})\b[^\r\n]*(?:\r?\n|\Z)")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_ANYTHING = re.compile(rb"\S")
_LINE_END = re.compile(rb"\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""Bytes that are in no text."""


class CaptureError(ValueError):
    """The capture is not one of such a stream. One line, clean."""


class Capture:
    """One response. Raises `CaptureError` where it is none, here or while the body is read."""

    def __init__(self, chunks: Iterable[bytes], framing: Framing) -> None:
        """`framing`: what a body without headers has to be a stream of."""
        self._framing = framing
        self.end = End.CLEAN
        """How the transport ended, as far as the capture shows it. Known when the body has ended, as the detail is."""
        self.detail = ""
        self.status: int | None = None
        """None where only the body was saved."""
        self.headers: Headers = ()
        self.refused = False
        """The headers break the rules of HTTP: clients see no answer."""
        self._length = BodyLength()
        self._lost_cr = False
        """The lines of the headers end in LF alone."""
        self._raw = _Bytes(chunks)
        self._read_head()
        self._read_length()

    def body(self) -> Iterator[bytes]:
        """The pieces of the body, without framing and compression. To be read once."""
        if self.end is not End.CLEAN:
            return
        plain = _Bytes(self._framed())
        if plain.begins_with(GZIP):
            plain = _Bytes(self._decoded(plain, Inflate("gzip")))
        elif self._is_packed(plain):
            plain = _Bytes(self._decoded(plain, None))
        if self.status is None and plain.find(self._framing.line, PEEK_BYTES) is None:
            raise CaptureError(f"the capture is not {self._framing.title}: it begins with {_beginning(plain.held)}")
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
                raise CaptureError(f"the capture's headers are longer than {HEAD_BYTES >> 10} KiB")
            self.status = int(line.group(1))
            block = raw.take(blank.end() if blank is not None else len(raw.held))
            self._lost_cr = b"\r\n" not in block
            fields = (field.decode("latin-1").partition(":") for field in block[line.end() :].splitlines())
            self.headers = [(name.strip(), value.strip()) for name, colon, value in fields if colon]
        if self.status is None and raw.find(_ANYTHING, PEEK_BYTES) is None and raw.ended:
            raise CaptureError("the capture is empty")

    def _read_length(self) -> None:
        """What the headers say of the body's end. What they cannot say is told as a live probe tells it."""
        try:
            self._length = body_length(self.headers)
        except LengthError as error:
            self.refused = True
            self._broke_off(End.NOT_HTTP, str(error))
        except decoding.DecodeError as error:
            self.refused = True
            self._broke_off(End.DECODE_ERROR, str(error))

    def _framed(self) -> Iterator[bytes]:
        raw = self._raw
        if (self.status is None or self._length.chunked) and raw.match(_CHUNK_SIZE, CHUNK_LINE_BYTES) is not None:
            yield from self._unchunked()
            return
        promised = self._length.promised
        if self._is_encoded and not self._is_packed(raw):
            promised = None  # it is the length of what curl has unpacked
        length = 0
        for piece in raw.rest():
            taken = piece if promised is None else piece[: promised - length]
            length += len(taken)
            yield taken
            if promised is not None and length == promised:
                return
        if promised is not None and length < promised:
            self._broke_off(End.INCOMPLETE, short_body(length, promised))

    def _unchunked(self) -> Iterator[bytes]:
        """The body without its chunked coding (RFC 9112 7.1)."""
        raw = self._raw
        loose = self._lost_cr if self.status is not None else b"\r\n" not in raw.held[:CHUNK_LINE_BYTES]
        chunked = Chunked(loose=loose)
        while not (chunked.ended or chunked.fault) and (raw.held or raw.more()):
            if piece := chunked.feed(raw.take(len(raw.held))):
                yield piece
        if chunked.fault:
            self._broke_off(End.NOT_HTTP, chunked.fault)
        elif not chunked.ended:
            inside = "the capture ends inside a chunk" if chunked.inside else "the last chunk is missing"
            self._broke_off(End.INCOMPLETE, inside)
        else:
            raw.held[:0] = chunked.rest
            self._read_last_chunk(loose=loose)

    def _read_last_chunk(self, *, loose: bool) -> None:
        raw = self._raw
        while not (last := last_chunk(raw.held, loose=loose)) and len(raw.held) < HEAD_BYTES and raw.more():
            pass
        if last is None and raw.ended:
            self._broke_off(End.INCOMPLETE, "the blank line after the last chunk is missing")
        elif last is None:
            self._broke_off(End.NOT_HTTP, f"no end of the chunks where one is due: {_beginning(raw.held)}")

    @property
    def _is_encoded(self) -> bool:
        return joined_header(self.headers, "content-encoding").strip().lower() not in ("", "identity")

    def _is_packed(self, body: _Bytes) -> bool:
        """Whether a body that was sent encoded is so still: curl may have unpacked it, and then it is text."""
        if not self._is_encoded:
            return False
        body.begins_with(b" " * TEXT_BYTES)  # so much is held then
        return not _is_text(bytes(body.held[:TEXT_BYTES]))

    def _decoded(self, packed: _Bytes, decoder: Decoder | None) -> Iterator[bytes]:
        """The body without its content coding: with this decoder, or with the one that the headers ask for."""
        begun = False
        try:
            decoder = decoder or decoder_for(joined_header(self.headers, "content-encoding"))
            for piece in packed.rest():
                for at in range(0, len(piece), SLICE_BYTES):
                    for plain in decoder.feed(piece[at : at + SLICE_BYTES]):
                        begun = begun or bool(plain)
                        yield plain
            decoder.end()
        except decoding.DecodeError as error:
            if not begun and self.status is None:
                raise CaptureError(f"the body begins like gzip and is none: {clean(str(error))}") from error
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


def _is_text(beginning: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(beginning) is None


def _beginning(body: bytes | bytearray) -> str:
    return repr(clean(body[:40].decode("utf-8", "replace")))
