"""The reads of one stream for a display of the whole stream: bounded, because there may be millions of events."""

from __future__ import annotations

from collections import deque

from msgspec.structs import replace

from gwtui.model.records import Record, StreamRead

HALF_EVENTS = 10_000
"""The number of events kept from the beginning, and at least as many from the end."""


class KeptReads:
    """All reads of a stream, or of one that is far too long its beginning and its end."""

    def __init__(self) -> None:
        self._first: list[StreamRead] = []
        self._room = HALF_EVENTS
        """How many more events belong to the beginning."""
        self._last: deque[StreamRead] = deque()
        self._last_events = 0

    @property
    def reads(self) -> tuple[StreamRead, ...]:
        return (*self._first, *self._last)

    def keep(self, record: Record) -> None:
        """Keep it if it is a read."""
        if not isinstance(record, StreamRead):
            return
        beginning, rest = record.events[: self._room], record.events[self._room :]
        if beginning:
            self._first.append(replace(record, events=beginning))
            self._room -= len(beginning)
        if rest:
            self._keep_last(replace(record, first_event=record.first_event + len(beginning), events=rest))

    def _keep_last(self, read: StreamRead) -> None:
        self._last.append(read)
        self._last_events += len(read.events)
        while self._last_events - len(self._last[0].events) >= HALF_EVENTS:
            self._last_events -= len(self._last.popleft().events)
