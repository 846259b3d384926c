"""Did several models answer at once, or one after another? Judged from when each one started, spoke and ended. Pure.

Three pieces of evidence decide by majority: the spread of the starts, whether models take turns within the first
events, and the whole time against the slowest model and against the sum of all. Times are ns of one clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

SPREAD_NS = 500_000_000
"""Models that start within that time start together."""
FIRST_CHUNKS = 20
"""How many of the first events with content are looked at for turns."""


class Together(StrEnum):
    """The verdict."""

    CONCURRENT = "CONCURRENT"
    SEQUENTIAL = "SEQUENTIAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """How long a model takes when nothing else is asked."""

    start_ns: int
    """From the send to the first event."""
    duration_ns: int
    """From the send to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One model's answer among the others."""

    model: str
    sent_ns: int
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
        """What it takes by itself, measured or estimated from its start to its end."""
        if self.alone is not None:
            return self.alone.duration_ns
        return None if self.start_ns is None or self.end_ns is None else self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """The analysis of models that were asked together, over those that answered."""

    courses: tuple[Course, ...]
    """All of them, also those that failed."""
    spread_ns: int
    """Between the earliest start and the latest one."""
    speakers: int
    """Different models within the first events with content."""
    turns: int
    """How often one of them spoke again after another had."""
    looked_at: int
    """How many events those were."""
    wall_ns: int
    """From the beginning to the last end."""
    slowest_ns: int
    sum_ns: int
    starts_together: bool
    takes_turns: bool
    saves_time: bool
    """Whether the whole time is nearer to the slowest model than to the sum of all."""

    @property
    def failed(self) -> tuple[Course, ...]:
        return tuple(course for course in self.courses if course.error)

    @property
    def answered(self) -> tuple[Course, ...]:
        return tuple(course for course in self.courses if not course.error)

    @property
    def speed_up(self) -> float:
        """How many times faster than one after another."""
        return self.sum_ns / self.wall_ns if self.wall_ns > 0 else float(len(self.answered))

    @property
    def verdict(self) -> Together | None:
        """None where fewer than two models answered."""
        if len(self.answered) < 2:
            return None
        signs = self.starts_together + self.takes_turns + self.saves_time
        return Together.CONCURRENT if signs >= 2 else Together.SEQUENTIAL


def analyse(courses: Sequence[Course], speakers: Sequence[str]) -> Concurrency:
    """`speakers`: whose events with content came, one after another, from the first on."""
    good = [course for course in courses if not course.error and course.end_ns is not None]
    delays = [delay for course in good if (delay := course.delay_ns) is not None]
    durations = [duration for course in good if (duration := course.duration_ns) is not None]
    spread = max(delays) - min(delays) if delays else 0
    wall, slowest, total = _wall_ns(good), max(durations, default=0), sum(durations)
    models = {course.model for course in good}
    first = [model for model in speakers if model in models][:FIRST_CHUNKS]
    different = len(set(first))
    changes = sum(one != other for one, other in pairwise(first))
    return Concurrency(
        courses=tuple(courses),
        spread_ns=spread,
        speakers=different,
        turns=max(0, changes - (different - 1)),
        looked_at=len(first),
        wall_ns=wall,
        slowest_ns=slowest,
        sum_ns=total,
        starts_together=spread <= SPREAD_NS,
        # One after another they change too, once for each model; only who comes again took turns.
        takes_turns=different > 1 and changes > different - 1,
        saves_time=wall - slowest <= total - wall,
    )


def _wall_ns(courses: Sequence[Course]) -> int:
    """From the first send where it is known what the models take alone, else from the first start."""
    ends = [course.end_ns for course in courses if course.end_ns is not None]
    sent = [course.sent_ns for course in courses]
    if all(course.alone is not None for course in courses):
        begins = sent
    else:
        begins = [course.start_ns for course in courses if course.start_ns is not None]
    return max(ends) - min(begins) if ends and begins else 0
