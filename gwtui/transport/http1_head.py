"""The head of an HTTP/1.1 response: status line and headers, and where they say that the body ends. Pure.

Strict where clients differ in what they make of the bytes, and lenient where all of them agree (RFC 9112): lines may
end in LF alone, and a folded line is one with the line before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gwtui.apis.headers import Headers, joined_header
from gwtui.transport.decoding import DecodeError

HEAD_BYTES = 100 * 1024
HEAD_LINES = 512
"""Length limits of what comes before a body, interim responses (1xx) included, and of the trailers behind one."""
BEGINNING = b"HTTP/"
SWITCHING_PROTOCOLS = 101
BLANK_LINE = re.compile(rb"\n\r?\n")
"""What a head ends with."""

_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
"""An alert, and a handshake message (RFC 8446 5.1)."""
_HTTP2_SETTINGS = b"\x04\x00\x00\x00\x00\x00"
"""What an HTTP/2 server begins with, after the length of it (RFC 9113 3.4 and 6.5)."""
_STATUS = r"([1-9][0-9]{2})(?: [^\x00\r\n\v\f]*)?"
_STATUS_LINE = re.compile(rf"HTTP/([0-9]\.[0-9]) {_STATUS}", re.ASCII)
_LOOSE_STATUS_LINE = re.compile(rf"HTTP/([0-9]\.[0-9]|[23]) {_STATUS}", re.ASCII)
_NAME, _VALUE = r"[-!#$%&'*+.^_`|~0-9A-Za-z]++", r"(?:[^\x00\s]++(?:[ \t]++[^\x00\s]++)*+)?+"
"""RFC 9112 5. Values may hold any byte but NUL and line breaks: what is shown of them is cleaned elsewhere."""
_FIELD = re.compile(rf"({_NAME}):[ \t]*+({_VALUE})[ \t]*+(?:\r?\n)?", re.ASCII)
_FIELDS = re.compile(rf"(?:{_NAME}:[ \t]*+{_VALUE}[ \t]*+\r?\n)*+\r?\n", re.ASCII)
"""Headers of which none is folded or wrong, as most are, with the blank line."""
_LENGTH = re.compile(r"[0-9]{1,15}")


class NotHTTPError(ValueError):
    """What came is not HTTP/1.1. The text says why, quotes the bytes, and is not cleaned."""


class HeadLimitError(ValueError):
    """The headers of a response, or the trailers behind it, are over their limit."""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Status and headers of one response."""

    version: str
    """`1.1`, as the status line says it."""
    status: int
    headers: Headers

    @property
    def is_interim(self) -> bool:
        """Another response follows to the same request (RFC 9110 15.2)."""
        return 100 <= self.status < 200

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can be used for another request (RFC 9112 9.3). HTTP/1.0 is not asked for that."""
        options = joined_header(self.headers, "connection").lower().split(",")
        return self.version >= "1.1" and "close" not in map(str.strip, options)


class HeadReader:
    """Takes a head off the beginning of the bytes that come.

    `loose`: it may be the head that curl writes for HTTP/2 and HTTP/3, which have no status lines. `switches`: another
    protocol was asked for, so that 101 is a final response.
    """

    def __init__(self, *, loose: bool = False, switches: bool = False) -> None:
        self._switches = switches
        self._status_line = _LOOSE_STATUS_LINE if loose else _STATUS_LINE
        self._held = bytearray()
        self._searched = 0
        self._bytes = self._lines = 0
        """Of all that came before the body."""

    def feed(self, data: bytes) -> ResponseHead | None:
        """The head of the final response, once all of it came. Raises `NotHTTPError` or `HeadLimitError`, at the same
        byte however the head is cut."""
        self._held += data
        while True:
            check_beginning(self._held)
            blank_line = BLANK_LINE.search(self._held, max(0, self._searched - 2))
            end = len(self._held) if blank_line is None else blank_line.end()
            self._count(end)
            if blank_line is None:
                return None
            head = parse_head(bytes(self._held[:end]), self._status_line, switches=self._switches)
            del self._held[:end]
            self._searched = 0
            if not head.is_interim or head.status == SWITCHING_PROTOCOLS:
                return head

    def rest(self) -> bytes:
        """What came behind the head."""
        return bytes(self._held)

    def _count(self, end: int) -> None:
        self._bytes += end - self._searched
        self._lines += self._held.count(b"\n", self._searched, end)
        self._searched = end
        check_head_size(self._bytes, self._lines)


def check_beginning(data: bytes | bytearray) -> None:
    """Raises `NotHTTPError` for what no answer begins with."""
    if data[: len(BEGINNING)] != BEGINNING[: len(data)]:
        raise NotHTTPError(_greeting(bytes(data)))


def check_head_size(length: int, lines: int) -> None:
    """Raises `HeadLimitError` for a head of more bytes or lines than are read."""
    if lines > HEAD_LINES:
        raise HeadLimitError(f"the response has more than {HEAD_LINES} lines of headers")
    if length > HEAD_BYTES:
        raise HeadLimitError(f"the response headers are longer than {HEAD_BYTES >> 10} KiB")


def parse_head(block: bytes, pattern: re.Pattern[str] = _STATUS_LINE, *, switches: bool = False) -> ResponseHead:
    """A head with its blank line. Raises `NotHTTPError`, also for one that ends HTTP, unless it `switches` as asked."""
    first, _, rest = block.decode("latin-1").partition("\n")
    first = first.removesuffix("\r")
    status_line = pattern.fullmatch(first)
    if status_line is None:
        raise NotHTTPError(f"illegal status line: {_quoted(first)}")
    head = ResponseHead(status_line[1], int(status_line[2]), parse_fields(rest))
    if head.status == SWITCHING_PROTOCOLS and not switches:
        raise NotHTTPError("the answer switches to a protocol that was not asked for")
    return head


def parse_fields(text: str) -> Headers:
    """Headers or trailers, up to a blank line. Raises `NotHTTPError`."""
    if _FIELDS.fullmatch(text):
        return _FIELD.findall(text)
    fields: list[tuple[str, str]] = []
    for line in _unfolded(text.split("\n")):
        field = _FIELD.fullmatch(line)
        if field is None:
            raise NotHTTPError(f"illegal header line: {_quoted(line)}")
        fields.append((field[1], field[2]))
    return fields


def promised_length(headers: Headers) -> int | None:
    """How many bytes the body has by its `Content-Length`; None without one. Raises `NotHTTPError`."""
    lengths = {part.strip() for name, value in headers if name.lower() == "content-length" for part in value.split(",")}
    if not lengths:
        return None
    if not all(map(_LENGTH.fullmatch, lengths)):
        raise NotHTTPError("bad Content-Length")
    if len(lengths) > 1:
        raise NotHTTPError("conflicting Content-Length headers")
    return int(lengths.pop())


def is_chunked(headers: Headers) -> bool:
    """Whether the body comes in chunks. Raises `DecodeError` for a transfer coding that gwtui does not read."""
    coding = joined_header(headers, "transfer-encoding").strip().lower()
    if coding and coding != "chunked":
        raise DecodeError("the Transfer-Encoding of the answer is not `chunked` alone, which is all that gwtui reads")
    return bool(coding)


def _unfolded(lines: list[str]) -> list[str]:
    """The lines before the blank one, without their ends; those that go on in the next one joined (RFC 9112 5.2)."""
    found: list[str] = []
    for raw in lines:
        line = raw.removesuffix("\r")
        if not line:
            break
        if found and line[0] in " \t":
            found[-1] = f"{found[-1].rstrip()} {line.strip()}"
        else:
            found.append(line)
    return found


def _greeting(data: bytes) -> str:
    """What no HTTP answer begins with."""
    if any(record.startswith(data[:2]) for record in _TLS_RECORDS):
        return "a TLS record came back: the port speaks TLS, `https` may be right"
    if data[3:9] == _HTTP2_SETTINGS:
        return "an HTTP/2 frame came back: the port speaks HTTP/2 only, and gwtui speaks HTTP/1.1"
    # Cut to length after keys were masked in it: half a key could not be recognised.
    return f"the answer begins with {data!r}"


def _quoted(line: str) -> str:
    return repr(line.encode("latin-1"))
