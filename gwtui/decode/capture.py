"""What `curl` and the like saved of an HTTP response, taken apart: status, headers, and the body as a client saw it.

Understands a bare body, `curl -i` with several header blocks (100 Continue, a proxy's CONNECT, redirects), and the
chunked coding that `--raw` leaves in. Lines may have lost their CR in an editor.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from gwtui.clean import clean
from gwtui.judging.headers import Headers, header
from gwtui.judging.judge import End

MAX_BODY = 64 << 20
GZIP = b"\x1f\x8b"

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})\b[^\r\n]*(?:\r?\n|\Z)")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_FIELD = re.compile(rb"^(?:(?:data|event|id|retry)(?::|\r?$)|:)", re.MULTILINE)
_BOM = b"\xef\xbb\xbf"


class DecodeError(ValueError):
    """The capture is not one of an event stream. One line, clean."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One response."""

    status: int | None
    """None where only the body was saved."""
    headers: Headers
    body: bytes
    end: End = End.CLEAN
    """How the transport ended, as far as the capture shows it."""
    detail: str = ""


def read_capture(data: bytes) -> Capture:
    """Take a capture apart. Raises `DecodeError`."""
    if not data.strip():
        raise DecodeError("the capture is empty")
    status, headers, body = _head(data)
    chunked = status is None or "chunked" in header(headers, "transfer-encoding").lower()
    end, detail = End.CLEAN, ""
    if chunked and _CHUNK_SIZE.match(body):
        body, end, detail = _unchunked(body)
    elif len(body) < (length := _promised_length(headers)):
        end, detail = End.INCOMPLETE, f"the body has {len(body):,} bytes where Content-Length says {length:,}"
    if body.startswith(GZIP):
        body = _inflated(body)
    if status is None and not _FIELD.search(body[: 1 << 20].removeprefix(_BOM).replace(b"\r", b"\n")):
        raise DecodeError(f"the capture is no event stream: it begins with {_beginning(body)}")
    return Capture(status, headers, body, end, detail)


def _promised_length(headers: Headers) -> int:
    """0 where none is promised, or where it is that of an encoded body, which says nothing of the decoded one."""
    length = header(headers, "content-length").strip()
    known = re.fullmatch(r"[0-9]{1,15}", length) and not header(headers, "content-encoding")
    return int(length) if known else 0


def _head(data: bytes) -> tuple[int | None, Headers, bytes]:
    """The last header block, and what follows it."""
    status: int | None = None
    headers: Headers = ()
    at = 0
    while (line := _STATUS.match(data, at)) is not None:
        blank = _BLANK_LINE.search(data, line.end() - 1)
        end, at = (len(data), len(data)) if blank is None else (blank.start(), blank.end())
        fields = (field.decode("latin-1").partition(":") for field in data[line.end() : end].splitlines())
        status = int(line.group(1))
        headers = [(name.strip(), value.strip()) for name, colon, value in fields if colon]
    return status, headers, data[at:]


def _unchunked(body: bytes) -> tuple[bytes, End, str]:
    """The body without its chunked coding (RFC 9112 7.1), and how it ended."""
    pieces: list[bytes] = []
    at = 0
    while (size := _CHUNK_SIZE.match(body, at)) is not None:
        length = int(size.group(1), 16)
        at = size.end()
        if not length:
            return b"".join(pieces), End.CLEAN, ""
        pieces.append(body[at : at + length])
        at += length
        if at > len(body):
            return b"".join(pieces), End.INCOMPLETE, "the capture ends inside a chunk"
        at += 2 if body.startswith(b"\r\n", at) else body.startswith(b"\n", at)
    if at >= len(body):
        return b"".join(pieces), End.INCOMPLETE, "the last chunk is missing"
    return b"".join(pieces), End.NOT_HTTP, f"no chunk size where one is due: {_beginning(body[at:])}"


def _inflated(body: bytes) -> bytes:
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = inflate.decompress(body, MAX_BODY)
    except zlib.error as error:
        raise DecodeError(f"the body begins like gzip and is none: {error}") from error
    if inflate.unconsumed_tail:
        raise DecodeError(f"the body unpacks to more than {MAX_BODY >> 20} MiB")
    return plain


def _beginning(body: bytes) -> str:
    return repr(clean(body[:40].decode("utf-8", "replace")))
