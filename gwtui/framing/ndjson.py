"""NDJSON: one JSON value on each line, which LF ends. White space around it, such as the CR of CRLF, does not count.

Every line that is not blank is an event, JSON or not: what it holds is for the API's reader to judge. Lines that
cannot be a JSON object are kept as stray too, because an error may lie across several of them.
"""

from __future__ import annotations

import re

from gwtui.framing.base import BOM, MAX_EVENT, MAX_STRAY, FramedEvent, Framing, FramingLimitError, Mangled

_WHITE = b" \t\r"
"""RFC 8259 2, without the LF that ends the line."""


class NDJSONParser:
    """Parses one stream. An event is out with the LF that ends its line."""

    def __init__(self, *, max_line: int = MAX_EVENT) -> None:
        self.comments = 0
        """Blank lines seen."""
        self._max_line = max_line
        self._begun = False
        self._line = bytearray()
        self._stray = bytearray()
        self.mangled = Mangled()
        self._events = 0
        """So far."""
        self._failure: FramingLimitError | None = None

    @property
    def stray(self) -> bytes:
        """Lines that cannot be JSON objects, joined by LF and cut to 16 KiB; the last one without its LF too."""
        last = self._line.strip(_WHITE)
        return bytes(self._stray if _may_be_object(last) else self._stray + last)[:MAX_STRAY]

    @property
    def unfinished(self) -> int:
        """Bytes of a line that was begun and not ended."""
        return len(self._line.strip(_WHITE))

    @property
    def unended(self) -> FramedEvent | None:
        """The last line, if only its LF is missing; None where nothing of it came."""
        line = self._without_bom(bytes(self._line)).strip(_WHITE)
        return _event(line) if line else None

    def feed(self, chunk: bytes) -> list[FramedEvent]:
        """Take the next bytes and return the events they completed. Raises `FramingLimitError`, and then always."""
        if self._failure is not None:
            raise FramingLimitError(str(self._failure))
        events: list[FramedEvent] = []
        *lines, rest = chunk.split(b"\n")
        try:
            for line in lines:
                self._keep(line)
                self._end_line(events)
            self._keep(rest)
        except FramingLimitError as error:
            error.events = events
            self._failure = error
            raise
        return events

    def _keep(self, piece: bytes) -> None:
        self._line += piece
        if len(self._line) > self._max_line:
            raise FramingLimitError(f"a line of the NDJSON stream is longer than {self._max_line:,} bytes")

    def _end_line(self, events: list[FramedEvent]) -> None:
        line = self._without_bom(bytes(self._line)).strip(_WHITE)
        self._line.clear()
        self._begun = True
        if not line:
            self.comments += 1
            return
        if not _may_be_object(line) and len(self._stray) < MAX_STRAY:
            self._stray += line[:MAX_STRAY] + b"\n"
        self._events += 1
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            text = self.mangled.decode(line, error, self._events)
        events.append(FramedEvent("message", text))

    def _without_bom(self, line: bytes) -> bytes:
        return line if self._begun else line.removeprefix(BOM)


def _may_be_object(line: bytes | bytearray) -> bool:
    return line.startswith(b"{") and line.endswith(b"}")


def _event(line: bytes) -> FramedEvent:
    return FramedEvent("message", line.decode("utf-8", "replace"))


NDJSON = Framing(
    name="ndjson",
    title="an NDJSON stream",
    media_types=("application/x-ndjson", "application/ndjson", "application/jsonl"),
    parser=NDJSONParser,
    line=re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?<=\n))[ \t\r]*\{"),
    # Two objects on two lines: one alone is also what an answer without a stream looks like.
    beginning=re.compile(rb"\s*(?:\xef\xbb\xbf)?\{[^\n]*\}[ \t\r]*\n\s*\{"),
    reads_unended=True,
    event_end="line end",
    keep_alives="blank lines",
)
