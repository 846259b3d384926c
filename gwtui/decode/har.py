"""HAR files (HTTP Archive 1.2), as browsers and proxies save them: each exchange with a model in them.

An archive holds the text of a body, unpacked and unframed. An event stream that a browser kept as messages only
(`_eventSourceMessages`) is put together again. Keys of requests are masked, and nothing else of them is shown but
method, host and path.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from gwtui.decode.exchanges import MOST_EXCHANGES, CaptureError, Chunks, Exchange, TransferFailure
from gwtui.model.enums import End
from gwtui.text.sanitize import clean

MAX_HAR = 128 << 20
"""The maximum number of bytes of an archive: all of it is kept in memory."""
_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{.{0,4096}?\"log\"\s*:\s*\{", re.DOTALL)
_KNOWN = re.compile(rb"\"(?:creator|entries|browser|pages|version)\"\s*:")
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "content-type"})
"""Headers that are not true of a body as it is kept, and one that is written anew."""
_BREAKS = re.compile(r"[\x00\r\n]+")
_FAILURES = (
    ("NAME_NOT_RESOLVED", End.DNS),
    ("CONNECTION_REFUSED", End.REFUSED),
    ("TIMED_OUT", End.TOTAL),
    ("CERT_", End.TLS),
    ("SSL_", End.TLS),
    ("INCOMPLETE_CHUNKED", End.INCOMPLETE),
    ("CONTENT_LENGTH_MISMATCH", End.INCOMPLETE),
    ("ABORTED", End.CANCELLED),
    ("PROXY", End.PROXY),
)
"""Words in Chromium's names of failures; any other is a reset."""


class _Pair(msgspec.Struct, frozen=True):
    name: Any = ""
    value: Any = ""


class _Posted(msgspec.Struct, frozen=True):
    text: Any = None


class _Request(msgspec.Struct, frozen=True):
    method: Any = ""
    url: Any = ""
    headers: list[_Pair] | None = None
    cookies: list[_Pair] | None = None
    query: list[_Pair] | None = msgspec.field(name="queryString", default=None)
    posted: _Posted | None = msgspec.field(name="postData", default=None)


class _Content(msgspec.Struct, frozen=True):
    text: Any = None
    encoding: Any = ""
    type: Any = msgspec.field(name="mimeType", default="")


class _Response(msgspec.Struct, frozen=True):
    status: Any = 0
    headers: list[_Pair] | None = None
    content: _Content | None = None
    error: Any = msgspec.field(name="_error", default="")


class _Message(msgspec.Struct, frozen=True):
    event: Any = msgspec.field(name="eventName", default="")
    data: Any = ""


class _Entry(msgspec.Struct, frozen=True):
    request: _Request = _Request()
    response: _Response = _Response()
    messages: list[_Message] | None = msgspec.field(name="_eventSourceMessages", default=None)


class _Log(msgspec.Struct, frozen=True):
    entries: list[msgspec.Raw] | None = None


class _Archive(msgspec.Struct, frozen=True):
    log: _Log


_ARCHIVE = msgspec.json.Decoder(_Archive)
_ENTRY = msgspec.json.Decoder(_Entry)


def is_archive(beginning: bytes) -> bool:
    """Whether a file with this beginning is an archive."""
    return _BEGINNING.match(beginning) is not None and _KNOWN.search(beginning) is not None


def archived(chunks: Chunks, is_asked: Callable[[Exchange], bool]) -> Iterator[Exchange]:
    """Every exchange of the archive with a model, which `is_asked` tells. Raises `CaptureError`."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MAX_HAR:
            raise CaptureError(f"the HAR is longer than {MAX_HAR >> 20} MiB")
    try:
        entries = _ARCHIVE.decode(bytes(data.removeprefix(b"\xef\xbb\xbf"))).log.entries or []
    except (ValueError, RecursionError) as error:
        raise CaptureError(f"the HAR cannot be read: {clean(str(error), 120)}") from error
    if len(entries) > MOST_EXCHANGES:
        raise CaptureError(f"the HAR has {len(entries):,} entries; a maximum of {MOST_EXCHANGES:,} is read")
    for number, raw in enumerate(entries, 1):
        exchange = _exchange(raw)
        if exchange is not None and is_asked(exchange):
            exchange.number = number
            yield exchange


def _exchange(raw: msgspec.Raw) -> Exchange | None:
    """The exchange of an entry; None where it is of no such form, or none of HTTP alone."""
    try:
        entry = _ENTRY.decode(raw)
    except (ValueError, RecursionError):
        return None
    request, response = entry.request, entry.response
    status = int(response.status) if isinstance(response.status, int | float) else 0
    if 0 < status < 200 or not isinstance(request.url, str):
        return None
    exchange = Exchange(())
    exchange.asked.method = _text(request.method).upper()
    exchange.asked.take_url(request.url)
    if request.posted is not None:
        exchange.asked.take_body(_text(request.posted.text))
    for pair in (*(request.headers or ()), *(request.cookies or ()), *(request.query or ())):
        exchange.take_header(_text(pair.name), _text(pair.value))
    for pair in request.cookies or ():
        exchange.take_header("cookie", _text(pair.value))
    if failure := _text(response.error):
        exchange.fault = TransferFailure(_end_of(failure), clean(failure))
    body = _body(entry, exchange)
    if status:
        exchange.chunks = (_head(status, response), body)
    elif exchange.fault is None:
        exchange.fault = TransferFailure(End.RESET, "the HAR holds no answer")
    return exchange


def _end_of(failure: str) -> End:
    return next((end for word, end in _FAILURES if word in failure.upper()), End.RESET)


def _head(status: int, response: _Response) -> bytes:
    """Status and headers as HTTP writes them, but for what is true of the wire alone."""
    content = response.content or _Content()
    pairs = [(_text(pair.name), _text(pair.value)) for pair in response.headers or ()]
    kind = next((value for name, value in pairs if name.lower() == "content-type"), _text(content.type))
    kept = [(name, value) for name, value in pairs if name.lower() not in _OF_THE_WIRE and not name.startswith(":")]
    kept += [("content-type", kind)] if kind and kind != "x-unknown" else []
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {_BREAKS.sub(' ', value)}" for name, value in kept), "", ""]
    return "\r\n".join(lines).encode("utf-8", "replace")


def _body(entry: _Entry, exchange: Exchange) -> bytes:
    content = entry.response.content or _Content()
    if isinstance(content.text, str) and content.text:
        if content.encoding != "base64":
            return content.text.encode("utf-8", "replace")
        try:
            return base64.b64decode(content.text)
        except binascii.Error as error:
            exchange.problem = f"its body is not base64: {clean(str(error))}"
            return b""
    if entry.messages:
        return b"".join(map(_event, entry.messages))
    if content.text is None and exchange.fault is None:
        exchange.problem = "the HAR holds no body of this answer: save it with content"
    return b""


def _event(message: _Message) -> bytes:
    name, data = _BREAKS.sub(" ", _text(message.event)), _text(message.data)
    lines = [f"event: {name}"] if name not in ("", "message") else []
    lines += [f"data: {line}" for line in data.split("\n")]
    return "\n".join((*lines, "", "")).encode("utf-8", "replace")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
