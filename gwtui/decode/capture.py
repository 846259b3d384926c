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
from gwtui.decode.exchanges import CaptureError, Exchange
from gwtui.decode.recognition import Beginning
from gwtui.framing import framing_of
from gwtui.framing.base import Framing
from gwtui.model.enums import End
from gwtui.text.sanitize import clean
from gwtui.transport.decoding import GZIP, DecodeError, Decoder, Inflate, decoder_for
from gwtui.transport.errors import end_of
from gwtui.transport.http1 import SIZE_LINE_BYTES, Body, Chunked, CutError, Sized, UntilClose, body_of
from gwtui.transport.http1_head import (
    BEGINNING,
    HEAD_BYTES,
    HeadLimitError,
    HeadReader,
    NotHTTPError,
    check_beginning,
)
from gwtui.transport.trace import ConnectionTrace

PEEK_BYTES = 1 << 20
"""How far the first line of a stream may be from the beginning of a bare body."""
BEHIND_BYTES = 4096
"""The maximum number of bytes that are kept of what follows the answer."""
TEXT_BYTES = 64
"""Bytes of a body that are examined to see if it is text."""

_NEARLY_A_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:HTTP/?|ICY )\d", re.IGNORECASE)
"""What looks like a status line, whether or not it is one."""
_ANYTHING = re.compile(rb"\S")
_LINE_END = re.compile(rb"\n")
_CR = ord("\r")
_LINE = re.compile(rb"\A\s*\S[^\n]*\n")
"""The first that is not blank, and those before it."""
_NEARLY_A_CHUNK_SIZE = re.compile(rb"\s*[-+]?(?:0x)?[0-9a-f_]+[ \t]*(?:;|\r?\n)", re.IGNORECASE)
"""What looks like the size of a chunk, whether or not it is one."""
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""Bytes that are in no text."""


class Capture:
    """One response. Raises `CaptureError` if it is not a response, here or while the body is read."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.end = End.CLEAN
        """How the transport ended, as far as the capture shows it. Known when the body has ended, as the detail is."""
        self.detail = ""
        self.status: int | None = None
        """None where only the body was saved."""
        self.headers: Headers = ()
        self.refused = False
        """The headers break the rules of HTTP: clients see no answer."""
        self.behind = b""
        """The beginning of what comes behind the end of the answer. Known when the body has ended."""
        self._body: Body = UntilClose()
        self._lost_cr = False
        """The lines of the headers end in LF alone."""
        self._raw = _Bytes(exchange.chunks)
        self._read_head()
        self._plain = self._unpacked() if self.end is End.CLEAN else None

    def peek(self) -> tuple[bytes, bool]:
        """The beginning of the body, without framing and compression, and whether that is all of it."""
        plain = self._plain
        if plain is None:
            return b"", True
        while len(plain.held) < PEEK_BYTES and plain.more():
            pass
        return bytes(plain.held), plain.ended

    def beginning(self) -> Beginning:
        """What there is to recognise the API by."""
        body, is_all = self.peek()
        return Beginning(body, is_all, self.headers, self.status is not None)

    def body(self, framing: Framing | None = None) -> Iterator[bytes]:
        """The pieces of the body, without framing and compression; read them once. For a stream, `framing` is that of
        its events: a capture without headers has to look like it."""
        plain = self._plain
        if plain is not None:
            if framing is not None and self.status is None:
                _check_framing(plain, framing)
            yield from plain.rest()
        if self.end is End.CLEAN and self._exchange.fault is not None:
            self._broke_off(*self._exchange.fault)

    def _unpacked(self) -> _Bytes:
        """The body without framing and compression."""
        plain = _Bytes(self._framed())
        if self.status is None and plain.begins_with(GZIP):
            return _Bytes(self._decoded(plain, Inflate("gzip")))
        return _Bytes(self._decoded(plain, None)) if self._is_packed(plain) else plain

    def _read_head(self) -> None:
        """Status and headers of the last header block. Its faults are reported as a live probe reports them."""
        raw = self._raw
        try:
            if raw.match(_NEARLY_A_HEAD, SIZE_LINE_BYTES):
                check_beginning(raw.held)
            while raw.begins_with(BEGINNING) or self._is_cut_at_once():
                self._read_block()
        except (CutError, DecodeError, HeadLimitError, NotHTTPError) as error:
            self.refused, self.status, self.headers = True, None, ()
            self._broke_off(*end_of(error, ConnectionTrace()))
        if self.status is None and not self.refused and raw.find(_ANYTHING, PEEK_BYTES) is None and raw.ended:
            if self._exchange.fault is None:
                raise CaptureError(self._exchange.problem or "the capture is empty")
            self.refused = True
            self._broke_off(*self._exchange.fault)

    def _is_cut_at_once(self) -> bool:
        """The capture ends within the word that an answer begins with."""
        return self.status is None and bool(self._raw.held) and BEGINNING.startswith(self._raw.held)

    def _read_block(self) -> None:
        raw, reader, head = self._raw, HeadReader(loose=True), None
        line_end = raw.find(_LINE_END, HEAD_BYTES)
        self._lost_cr = line_end is not None and raw.held[line_end.start() - 1] != _CR
        while head is None:
            if not raw.held and not raw.more():
                raise CutError("the answer ends in the middle of its headers")
            head = reader.feed(raw.take(len(raw.held)))
        raw.held[:0] = reader.rest()
        self._body = body_of(head, "POST")
        self.status, self.headers = head.status, head.headers

    def _framed(self) -> Iterator[bytes]:
        """The body without its framing."""
        raw, body = self._raw, self._body_as_saved()
        while not body.is_over and body.fault is None:
            if not raw.held and not raw.more():
                try:
                    body.end()
                except (CutError, NotHTTPError) as error:
                    self._broke_off(*end_of(error, ConnectionTrace()))
                return
            if piece := body.feed(raw.take(len(raw.held))):
                yield piece
        if body.fault is not None:
            self._broke_off(*end_of(body.fault, ConnectionTrace()))
            return
        raw.held[:0] = body.rest
        while len(raw.held) < BEHIND_BYTES and raw.more():
            pass
        self.behind = raw.take(BEHIND_BYTES)

    def _body_as_saved(self) -> Body:
        """Where the body ends. curl takes chunks out and unpacks, and leaves the headers that say otherwise."""
        raw, body = self._raw, self._body
        if self.status is None or isinstance(body, Chunked):
            if raw.match(_NEARLY_A_CHUNK_SIZE, SIZE_LINE_BYTES) is None:
                return UntilClose()
            bare_loose = self.status is None and b"\r\n" not in raw.held[:SIZE_LINE_BYTES]
            return Chunked(loose=self._lost_cr or bare_loose)
        unpacked = isinstance(body, Sized) and not body.is_over and self._is_encoded and not self._is_packed(raw)
        return UntilClose() if unpacked else body

    @property
    def _is_encoded(self) -> bool:
        return joined_header(self.headers, "content-encoding").strip().lower() not in ("", "identity")

    def _is_packed(self, body: _Bytes) -> bool:
        """Whether a body that was sent encoded is so still: curl may have unpacked it, and then it is text."""
        if not self._is_encoded:
            return False
        body.begins_with(b" " * TEXT_BYTES)  # then that number of bytes is held
        return not _is_text(bytes(body.held[:TEXT_BYTES]))

    def _decoded(self, packed: _Bytes, decoder: Decoder | None) -> Iterator[bytes]:
        """The body without its content coding: with this decoder, or with the one that the headers ask for."""
        begun = False
        try:
            decoder = decoder or decoder_for(joined_header(self.headers, "content-encoding"))
            for piece in packed.rest():
                for plain in decoder.feed(piece):
                    begun = begun or bool(plain)
                    yield plain
            decoder.end()
        except DecodeError as error:
            if not begun and self.status is None:
                raise CaptureError(f"the body begins like gzip but is not gzip: {clean(str(error))}") from error
            self._broke_off(End.DECODE_ERROR, str(error))

    def _broke_off(self, end: End, detail: str) -> None:
        """Keep the first fault: it is the reason."""
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
        """Whether the next line that is not blank begins with the pattern."""
        self.find(_LINE, limit)
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


def _check_framing(plain: _Bytes, framing: Framing) -> None:
    """Raises `CaptureError` for a stream in another framing. Binary frames hold anything, lines of others too."""
    found, like = plain.find(framing.line, PEEK_BYTES), framing_of(bytes(plain.held))
    if found is not None and (like is None or like is framing or not like.is_binary):
        return
    looks = f" and looks like {like.title}" if like is not None else ""
    raise CaptureError(f"the capture is not {framing.title}: it begins with {beginning_of(plain.held)}{looks}")


def _is_text(beginning: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(beginning) is None


def beginning_of(body: bytes | bytearray) -> str:
    """The first bytes, quoted."""
    return repr(clean(body[:40].decode("utf-8", "replace")))
