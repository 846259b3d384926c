"""Server-sent events: bytes in, events out, by WHATWG HTML 9.2.5 and 9.2.6 and nothing else.

The bytes may be cut anywhere. An event is out with the very byte that ends its blank line: a CR ends a line at
once, and an LF that follows it, even in the next chunk, is swallowed. What is left when the stream ends is
discarded, as the standard wants.
"""

from __future__ import annotations

import re

from gwtui.framing.base import BOM, MAX_EVENT, MAX_STRAY, FramedEvent, Framing, FramingLimitError, Mangled

MAX_LINE = MAX_EVENT + 1024
"""The most bytes of one line: an event's data, and the name of the field before it."""
MAX_RETRY_DIGITS = 18
_NO_NAME = re.compile(rb"[^\w.:/ -]")
"""What the name of an event has only if the line of its data was lost in it."""
_FIELDS = (b"data", b"event", b"id", b"retry", b"")
"""Names of fields; that of a comment is empty."""


class ServerSentEvent(FramedEvent, frozen=True, gc=False):
    """One dispatched event."""

    id: str = ""
    """The last event id that was in force when it was dispatched."""
    retry: int | None = None
    """The reconnection time in ms that its own block set; None where it set none."""


class SSEParser:
    """Parses one stream. Time is linear in its bytes however they are cut; memory is bounded by the limits."""

    def __init__(self, *, max_line: int = MAX_LINE, max_event: int = MAX_EVENT) -> None:
        self.comments = 0
        """Comment lines seen: keep-alives, mostly."""
        self.last_event_id = ""
        self.retry: int | None = None
        """The reconnection time in ms that the stream set last."""
        self._max_line = max_line
        self._max_event = max_event
        self._max_plain = min(max_line, max_event)
        self._head: bytes | None = b""
        """The first bytes while they may still be a BOM; None from then on."""
        self._after_cr = False
        self._line = bytearray()
        self._block_open = False
        self._type = b""
        self._data = bytearray()
        self._id = ""
        self._block_retry: int | None = None
        self._stray = bytearray()
        self.mangled = Mangled()
        self._dispatched = 0
        """Events of the chunks before."""
        self._failure: FramingLimitError | None = None

    @property
    def stray(self) -> bytes:
        """Lines that are no field of the standard, joined by LF and cut to 16 KiB: a bare JSON error, a proxy's page.

        An unfinished last line is among them where it cannot become a field.
        """
        unfinished = b"" if _may_be_field(self._line) else self._line
        return bytes(self._stray + unfinished)[:MAX_STRAY]

    @property
    def unfinished(self) -> int:
        """Bytes of a line or event that was begun and not ended: what the end of the stream would discard."""
        return len(self._line) + len(self._data)

    @property
    def unended(self) -> ServerSentEvent | None:
        """The event that was begun, if all that it may lack is its last line ends; None where no data of it came."""
        name, _, value = self._line.partition(b":")
        data = self._data + (value.removeprefix(b" ") + b"\n" if name == b"data" else b"")
        if not data:
            return None
        return ServerSentEvent(self._type.decode("utf-8", "replace") or "message", data[:-1].decode("utf-8", "replace"))

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and return the events they completed. Raises `FramingLimitError`, and then always."""
        if self._failure is not None:
            raise FramingLimitError(str(self._failure))
        events: list[ServerSentEvent] = []
        try:
            self._lines(self._line_feeds_only(chunk), events)
        except FramingLimitError as error:
            error.events = events
            self._failure = error
            raise
        self._dispatched += len(events)
        return events

    def _line_feeds_only(self, chunk: bytes) -> bytes:
        """The chunk without the stream's BOM and with every line end as one LF."""
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < len(BOM) and BOM.startswith(chunk):
                self._head = chunk
                return b""
            self._head = None
            chunk = chunk.removeprefix(BOM)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _lines(self, text: bytes, events: list[ServerSentEvent]) -> None:
        if self._line:
            end = text.find(b"\n")
            if end < 0:
                self._keep(text)
                return
            line = bytes(self._line) + text[:end]
            self._line.clear()
            self._take(line, events)
            text = text[end + 1 :]
        *blocks, rest = text.split(b"\n\n")
        before: bytes | None = None  # the last block, where the same block again is the same event again
        for block in blocks:
            if block == before:
                events.append(events[-1])
            elif not self._block_open and self._plain(block, events):
                before = block
            else:
                before = None
                for line in block.split(b"\n"):
                    self._take(line, events)
                self._dispatch(events)
        *lines, last = rest.split(b"\n")
        for line in lines:
            self._take(line, events)
        self._keep(last)

    def _plain(self, block: bytes, events: list[ServerSentEvent]) -> bool:
        """Dispatch a whole block of a common form, `data:x` or `event: x` + `data: x`; False if it is another."""
        if block.startswith(b"event: "):
            if block.count(b"\n") != 1:
                return False
            name, found, data = block.partition(b"\ndata: ")
            if not found:
                return False
            event = name[7:].decode("utf-8", "replace") or "message"
        elif block.startswith(b"data:") and b"\n" not in block:
            event, data = "message", block[5:].removeprefix(b" ")
        else:
            return False
        if len(block) > self._max_plain:
            return False
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            text = self.mangled.decode(data, error, self._dispatched + len(events) + 1)
        events.append(ServerSentEvent(event, text, self.last_event_id, None))
        return True

    def _keep(self, unfinished: bytes) -> None:
        self._line += unfinished
        self._check_line(len(self._line))

    def _check_line(self, length: int) -> None:
        if length > self._max_line:
            raise FramingLimitError(f"a line of the event stream is longer than {self._max_line:,} bytes")

    def _take(self, line: bytes, events: list[ServerSentEvent]) -> None:
        """Interpret one line, without its line end."""
        if not line:
            self._dispatch(events)
            return
        self._check_line(len(line))
        if line.startswith(b":"):
            self.comments += 1
            return
        name, _, value = line.partition(b":")
        self._field(name, value.removeprefix(b" "), line)

    def _field(self, name: bytes, value: bytes, line: bytes) -> None:
        self._block_open = True
        if name == b"data":
            self._data += value
            self._data += b"\n"
            if len(self._data) > self._max_event:
                raise FramingLimitError(f"an event's data are longer than {self._max_event:,} bytes")
        elif name == b"event":
            self._type = value
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry":
            self._set_retry(value)
        else:
            self._put_aside(line)

    def _put_aside(self, line: bytes) -> None:
        if len(self._stray) < MAX_STRAY:
            self._stray += line[:MAX_STRAY] + b"\n"

    def _set_retry(self, value: bytes) -> None:
        # bytes.isdigit knows ASCII digits only. Python refuses to read thousands of digits; no wait is that long.
        digits = value.lstrip(b"0") or value[:1]
        if value.isdigit() and len(digits) <= MAX_RETRY_DIGITS:
            self.retry = self._block_retry = int(digits)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        """A blank line: the end of a block."""
        self.last_event_id = self._id
        if self._data:
            name = self._type.decode("utf-8", "replace") or "message"
            try:
                data = self._data[:-1].decode()
            except UnicodeDecodeError as error:
                data = self.mangled.decode(self._data[:-1], error, self._dispatched + len(events) + 1)
            events.append(ServerSentEvent(name, data, self.last_event_id, self._block_retry))
            self._data.clear()
        elif self._type and _NO_NAME.search(self._type):
            self._put_aside(b"event: " + self._type)
        self._type = b""
        self._block_retry = None
        self._block_open = False


def _may_be_field(line: bytes | bytearray) -> bool:
    """Whether an unfinished line is one of a known field, or may become one."""
    name, colon, _ = line.partition(b":")
    return name in _FIELDS if colon else any(field.startswith(name) for field in _FIELDS)


SSE = Framing(
    name="sse",
    title="an event stream",
    media_types=("text/event-stream",),
    parser=SSEParser,
    line=re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\r\n]))(?:(?:data|event|id|retry)[:\r\n]|:)"),
    beginning=re.compile(rb"\s*(?:\xef\xbb\xbf)?(?:data|event|id|retry)?:"),
    event_end="blank line",
    keep_alives="comments",
)
