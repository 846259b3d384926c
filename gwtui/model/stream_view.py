"""A stream as it is shown: its events as lines, its text, its models. The monitor makes it, a panel draws it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gwtui.model.concurrency import ModelTimeline
from gwtui.model.records import Request, StreamEvent


@dataclass(frozen=True, slots=True)
class StreamLine:
    """One line of the stream panel."""

    number: int
    """The event's number within its stream, from 1."""
    since_sent_ns: int
    gap_ns: int | None
    """Since the read before; None within a read, whose events share one stamp."""
    event: StreamEvent
    stands_out: bool = False
    """The gap is far longer than this stream's usual one."""
    decided: bool = False
    """The verdict was decided here."""


class ModelState(StrEnum):
    """How far one model of a stream of several is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "error"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model of a stream of several."""

    timeline: ModelTimeline
    """Its times count from the send."""
    state: ModelState
    text: str
    """The content of its kept events."""


@dataclass(frozen=True, slots=True)
class StreamView:
    endpoint: str
    number: int
    started_at: float
    in_flight: bool
    since_sent_ns: int | None
    """How long it has been running, or took."""
    lines: tuple[StreamLine, ...]
    lines_dropped: int
    """Older events that are no longer kept."""
    text: str
    """The content of all kept events in order."""
    request: Request | None
    """Its result, once it ended."""
    newest: bool
    """It is the endpoint's newest that was answered, not one that was chosen."""
    comments: int | None = None
    """How many comments came while its first event is awaited; None where not even its headers came."""
    waiting: tuple[int, int] | None = None
    """A newer request that waits for its first event: its number, and how long in ns; or None."""
    models: tuple[ModelCard, ...] = ()
    """Its models, where several were asked at once."""
