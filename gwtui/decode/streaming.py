"""An event stream read from its bytes as fast as that goes: what is shown of an event is put together only if it is.

There may be millions of events; of those the beginning and the end are kept.
"""

from __future__ import annotations

from collections import deque

from gwtui.apis.base import Reading, StreamReader
from gwtui.framing.sse import ServerSentEvent, SSELimitError, SSEParser
from gwtui.model.enums import EventKind
from gwtui.model.records import StreamEvent
from gwtui.probes.capture import HALF_EVENTS
from gwtui.probes.response_reader import RAW_CHARS, TEXT_CHARS, stream_event
from gwtui.text.sanitize import clean_text


class StreamReading:
    """Feed it the body of a stream. `reader` has what the events meant, `parser` what was no event."""

    def __init__(self, reader: StreamReader) -> None:
        self.reader = reader
        self.parser = SSEParser()
        self.events = self.keepalives = self.bytes = 0
        self._first: list[StreamEvent] = []
        self._last: deque[StreamEvent | tuple[Reading, str]] = deque(maxlen=HALF_EVENTS)
        self._text: list[str] = []
        self._text_length = 0

    def feed(self, data: bytes) -> None:
        """Raises `SSELimitError`, after all events before it were read."""
        self.bytes += len(data)
        try:
            events = self.parser.feed(data)
        except SSELimitError as error:
            self._read(error.events)
            raise
        self._read(events)

    def kept(self) -> tuple[StreamEvent, ...]:
        """At most `HALF_EVENTS` of the beginning, and as many of the end."""
        last = (each if isinstance(each, StreamEvent) else stream_event(*each) for each in self._last)
        return (*self._first, *last)

    @property
    def text(self) -> str:
        return clean_text("".join(self._text), TEXT_CHARS)

    def _read(self, events: list[ServerSentEvent]) -> None:
        self.events += len(events)
        read, keep = self.reader.event, self._last.append
        for event in events:
            reading, data = read(event), event.data
            kind = reading.kind
            if kind is EventKind.KEEPALIVE:
                self.keepalives += 1
            elif kind.is_visible and self._text_length < TEXT_CHARS:
                self._text.append(reading.text)
                self._text_length += len(reading.text)
            if len(self._first) < HALF_EVENTS:
                self._first.append(stream_event(reading, data))
            else:
                keep((reading, data) if len(data) <= RAW_CHARS else stream_event(reading, data))
