"""Records as an engine would send them, for tests of what a monitor makes of them."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.model.enums import EventKind, State, Trigger
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.query import Query
from gwtui.model.records import (
    Heartbeat,
    Ping,
    Record,
    Request,
    RequestStarted,
    SessionStarted,
    StreamEvent,
    StreamRead,
)
from gwtui.model.verdicts import Verdict
from gwtui.model.view import EndpointRow, View
from gwtui.monitor import Monitor

MS = 1_000_000
SECOND = 1_000_000_000
START_NS = 500 * SECOND
START_AT = 1_767_189_802.0
"""14:03:22 UTC."""


def endpoint(name: str = "gateway", api: str = "anthropic-messages", **fields: Any) -> Endpoint:
    return Endpoint(name=name, api=api, url="http://127.0.0.1:1", **fields)


class MonitorStage:
    """A monitor and the records that it gets; seconds are counted from the start of the session."""

    def __init__(self, *endpoints: Endpoint, **session: Any) -> None:
        self.monitor = Monitor()
        self.profile = Profile(name="test", endpoints=endpoints)
        self._numbers: dict[str, int] = {}
        self.apply(SessionStarted(started_at=START_AT, now_ns=START_NS, profile=self.profile, **session))

    def apply(self, *records: Record) -> None:
        for record in records:
            self.monitor.apply(record)

    def number(self, name: str) -> int:
        self._numbers[name] = self._numbers.get(name, 0) + 1
        return self._numbers[name]

    def request(self, name: str, at_s: float = 1, ttft_ms: float | None = 400, **fields: Any) -> Request:
        """A request that ended, good unless `fields` say otherwise."""
        record = Request(
            endpoint=name,
            number=fields.pop("number", None) or self.number(name),
            started_at=START_AT + at_s,
            now_ns=START_NS + round(at_s * SECOND),
            api="anthropic-messages",
            verdict=Verdict.COMPLETE,
            rule="anthropic.message_stop",
            ttft_ns=None if ttft_ms is None else round(ttft_ms * MS),
            duration_ns=None if ttft_ms is None else round(ttft_ms * 3 * MS),
        )
        record = msgspec.structs.replace(record, **fields)
        self.apply(record)
        return record

    def failure(self, name: str, at_s: float = 1, verdict: Verdict = Verdict.TRUNCATED, **fields: Any) -> Request:
        return self.request(name, at_s, verdict=verdict, **fields)

    def ping(self, name: str, at_s: float = 1, rtt_ms: float | None = 10, **fields: Any) -> None:
        """A ping that ended: answered, or lost where `rtt_ms` is None."""
        record = Ping(
            endpoint=name,
            number=self.number(name),
            started_at=START_AT + at_s,
            now_ns=START_NS + round(at_s * SECOND),
            verdict=Verdict.NO_PONG if rtt_ms is None else Verdict.PONG,
            rule="websocket.pong",
            rtt_ns=None if rtt_ms is None else round(rtt_ms * MS),
            connection=1,
        )
        self.apply(msgspec.structs.replace(record, **fields))

    def started(self, name: str, number: int, at_s: float = 1, trigger: Trigger = Trigger.SCHEDULE) -> None:
        self.apply(
            RequestStarted(endpoint=name, number=number, started_at=START_AT + at_s, now_ns=ns(at_s), trigger=trigger)
        )

    def read(self, name: str, number: int, sent_s: float, after_ms: float, first: int, *texts: str) -> None:
        """A read of `texts`, `after_ms` after the request was sent."""
        self.apply(read(name, number, sent_s, after_ms, first, *texts))

    def beat(self, at_s: float, **fields: Any) -> None:
        self.apply(Heartbeat(at=START_AT + at_s, now_ns=ns(at_s), **fields))

    def view(self, columns: int = 60, **query: Any) -> View:
        return self.monitor.view(Query(**query), columns)

    def row(self, name: str, **query: Any) -> EndpointRow:
        return next(row for row in self.view(**query).endpoints if row.name == name)


def ns(at_s: float) -> int:
    return START_NS + round(at_s * SECOND)


def read(name: str, number: int, sent_s: float, after_ms: float, first: int, *texts: str) -> StreamRead:
    return StreamRead(
        endpoint=name,
        number=number,
        now_ns=ns(sent_s) + round(after_ms * MS),
        since_sent_ns=round(after_ms * MS),
        first_event=first,
        events=tuple(StreamEvent(name="delta", kind=EventKind.TEXT, text=text) for text in texts),
    )


def state_incident(
    name: str, state: State, was: State = State.UP, at_s: float = 1, text: str = "the reason"
) -> LogEntry:
    return LogEntry(at=START_AT + at_s, now_ns=ns(at_s), kind="state", endpoint=name, state=state, was=was, text=text)
