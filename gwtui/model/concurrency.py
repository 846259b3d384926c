"""Several models that were asked together: what each did, and whether they answered concurrently or one by one.

Times are ns of one clock; on a record they count from the last byte of the request.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

MAX_MODELS = 64
"""Models of one request beyond this are left out."""


class Together(StrEnum):
    """The verdict."""

    CONCURRENT = "CONCURRENT"
    SEQUENTIAL = "SEQUENTIAL"


class Alone(msgspec.Struct, frozen=True, kw_only=True):
    """How long a model takes when nothing else is asked."""

    start_ns: int
    """From the send to the first event."""
    duration_ns: int
    """From the send to the end."""


class ModelTimeline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model's answer among the others."""

    model: str
    sent_ns: int = 0
    """When it was asked."""
    start_ns: int | None = None
    """When its first event came."""
    first_ns: int | None = None
    """When its first content came."""
    end_ns: int | None = None
    """When its last event came."""
    chunks: int = 0
    """Its events with content."""
    error: str = ""
    """Why it failed; "" when it did not."""
    alone: Alone | None = None
    """Known where it was measured by itself before. Without it a slow model that is asked at the same time looks like
    one that was asked later."""

    @property
    def delay_ns(self) -> int | None:
        """From the send to its start, as far as the others are the reason."""
        if self.start_ns is None:
            return None
        return self.start_ns - self.sent_ns - (self.alone.start_ns if self.alone is not None else 0)

    @property
    def duration_ns(self) -> int | None:
        """What it takes by itself: measured, or estimated from its first content to its end."""
        if self.alone is not None:
            return self.alone.duration_ns
        return None if self.begin_ns is None or self.end_ns is None else self.end_ns - self.begin_ns

    @property
    def begin_ns(self) -> int | None:
        """When it began to answer: a first event without content may come long before it is its turn."""
        return self.first_ns if self.first_ns is not None else self.start_ns

    @property
    def first_own_ns(self) -> int | None:
        """From its own start to its first content."""
        return None if self.first_ns is None or self.start_ns is None else self.first_ns - self.start_ns

    @property
    def took_ns(self) -> int | None:
        """From its own start to its end."""
        return None if self.start_ns is None or self.end_ns is None else self.end_ns - self.start_ns


class Concurrency(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The analysis of models that were asked together, over those that answered (`gwtui.stats.concurrency`)."""

    models: tuple[ModelTimeline, ...] = ()
    """All of them, also those that failed; none: several models were not asked together."""
    verdict: Together | None = None
    undecided: str = ""
    """Why there is no verdict."""
    start_spread_ns: int = 0
    """Between the earliest start and the latest one."""
    spread_limit_ns: int = 0
    """Up to where starts count as together."""
    models_in_first_chunks: int = 0
    """Different models within the first events with content."""
    turns: int = 0
    """How often one of them spoke again after another had."""
    first_chunks: int = 0
    """How many events those were."""
    wall_ns: int = 0
    """From the beginning to the last end."""
    slowest_ns: int = 0
    sum_ns: int = 0
    speed_up: float = 0.0
    """How many times faster than one after another."""
    starts_together: bool = False
    speaks_together: bool = False
    """Whether models take turns, or overlap later."""
    saves_time: bool = False
    """Whether the whole time is nearer to the slowest model than to the sum of all."""
    queues: bool = False
    """Whether some had to wait for others, although not all did. Nothing is said of very short answers."""

    @property
    def known_spread_ns(self) -> int | None:
        """The spread of the starts; None where there are not two to compare."""
        return self.start_spread_ns if len(self.answered) > 1 else None

    @property
    def known_speed_up(self) -> float | None:
        """The speed-up; None without a verdict."""
        return self.speed_up if self.verdict is not None else None

    @property
    def failed(self) -> tuple[ModelTimeline, ...]:
        return tuple(timeline for timeline in self.models if timeline.error)

    @property
    def answered(self) -> tuple[ModelTimeline, ...]:
        return tuple(timeline for timeline in self.models if not timeline.error)
