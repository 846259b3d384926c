"""Whether several models answered concurrently or sequentially, from when each one started and ended. Pure.

Three pieces of evidence: the spread of the starts, whether models speak at the same time (take turns within the first
events, or overlap later), and the whole time against the slowest model and against the sum of all. Speaking at the
same time is proof that they are not asked one after another; where none do (short answers, or answers in one piece),
the other two have to agree. Whether some of them queue is another question: see `Concurrency.queues`.
Times are ns of one clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations, pairwise
from statistics import median

SPREAD_NS = 500_000_000
"""Models that start within that time start together, unless it is long beside what they take..."""
SPREAD_SHARE = 0.5
"""... that is, more than this share of the usual answer's own length: of two that wait for each other, the second
starts after the whole length of the first."""
SHORTEST_NS = 50_000_000
"""Below that nothing is said: what connections cost weighs as much as what models do."""
ONE_PIECE_SHARE = 0.2
"""An answer whose content takes less than this share of the time since it was asked for came in one piece."""
NO_SPEED_UP = 1.2
"""Times as fast as one after another, below which asking at once gains nothing."""
FIRST_CHUNKS = 20
"""The number of first events with content that are examined for turns."""
OVERLAP_SHARE = 0.2
"""Two models speak at the same time when they overlap for this share of the shorter one's time."""


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
class ModelTimeline:
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
        """What it takes by itself: measured, or estimated from its first content to its end."""
        if self.alone is not None:
            return self.alone.duration_ns
        return None if self.begin_ns is None or self.end_ns is None else self.end_ns - self.begin_ns

    @property
    def begin_ns(self) -> int | None:
        """When it began to answer: a first event without content may come long before it is its turn."""
        return self.first_ns if self.first_ns is not None else self.start_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """The analysis of models that were asked together, over those that answered."""

    timelines: tuple[ModelTimeline, ...]
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
    speaks_together: bool
    """Whether models take turns, or overlap later."""
    usual_ns: int
    """The median of what the answers take by themselves."""
    took_ns: int
    """From the first request to the last end."""
    saves_time: bool
    """Whether the whole time is nearer to the slowest model than to the sum of all."""

    @property
    def failed(self) -> tuple[ModelTimeline, ...]:
        return tuple(timeline for timeline in self.timelines if timeline.error)

    @property
    def answered(self) -> tuple[ModelTimeline, ...]:
        return tuple(timeline for timeline in self.timelines if not timeline.error)

    @property
    def speed_up(self) -> float:
        """How many times faster than one after another."""
        return self.sum_ns / self.wall_ns if self.wall_ns > 0 else float(len(self.answered))

    @property
    def spread_limit_ns(self) -> int:
        """Up to where starts count as together: `SPREAD_NS`, or less where the answers are short."""
        return _spread_limit_ns(self.usual_ns)

    @property
    def queues(self) -> bool:
        """Whether some had to wait for others, although not all did. Nothing is said of very short answers."""
        if self.usual_ns < SHORTEST_NS:
            return False
        half_as_fast = self.speed_up >= len(self.answered) / 2
        measured = all(timeline.alone is not None for timeline in self.answered)
        late = not self.starts_together and (measured or not half_as_fast)
        return late or not self.saves_time

    @property
    def verdict(self) -> Together | None:
        """None where fewer than two models answered, or all was over at once."""
        if len(self.answered) < 2 or self.took_ns < SHORTEST_NS:
            return None
        if self.speaks_together or (self.starts_together and self.saves_time):
            return Together.CONCURRENT
        return Together.SEQUENTIAL


def analyse(timelines: Sequence[ModelTimeline], speakers: Sequence[str]) -> Concurrency:
    """`speakers`: whose events with content came, one after another, from the first on."""
    good = [timeline for timeline in timelines if not timeline.error and timeline.end_ns is not None]
    if any(timeline.alone is None for timeline in good):  # either all are compared with themselves alone, or none
        good = [replace(timeline, alone=None) for timeline in good]
    if _in_one_piece(good):
        good = _as_the_fastest(good)
    delays = [delay for timeline in good if (delay := timeline.delay_ns) is not None]
    durations = [duration for timeline in good if (duration := timeline.duration_ns) is not None]
    spread = max(delays) - min(delays) if delays else 0
    wall, slowest, total = _wall_ns(good), max(durations, default=0), sum(durations)
    usual = round(median(durations)) if durations else 0
    models = {timeline.model for timeline in good}
    first = [model for model in speakers if model in models][:FIRST_CHUNKS]
    different = len(set(first))
    changes = sum(one != other for one, other in pairwise(first))
    return Concurrency(
        timelines=tuple(timelines),
        spread_ns=spread,
        speakers=different,
        turns=max(0, changes - (different - 1)),
        looked_at=len(first),
        wall_ns=wall,
        slowest_ns=slowest,
        sum_ns=total,
        starts_together=spread <= _spread_limit_ns(usual),
        # One after another they change too, once for each model; only who comes again took turns.
        speaks_together=changes > different - 1 > 0 or _overlap(good),
        usual_ns=usual,
        took_ns=_took_ns(good),
        saves_time=wall - slowest <= total - wall,
    )


def _in_one_piece(timelines: Sequence[ModelTimeline]) -> bool:
    """Whether all answers came in one piece, so that they have no length of their own."""
    return all(
        timeline.alone is None
        and (timeline.duration_ns or 0) < ONE_PIECE_SHARE * ((timeline.end_ns or 0) - timeline.sent_ns)
        for timeline in timelines
    )


def _as_the_fastest(timelines: Sequence[ModelTimeline]) -> list[ModelTimeline]:
    """The same, assuming that each alone takes as long as the one that was answered first, which did not wait."""
    first = min(timelines, key=lambda timeline: (timeline.end_ns or 0) - timeline.sent_ns, default=None)
    if first is None or first.end_ns is None or first.start_ns is None:
        return list(timelines)
    alone = Alone(start_ns=first.start_ns - first.sent_ns, duration_ns=first.end_ns - first.sent_ns)
    return [replace(timeline, alone=alone) for timeline in timelines]


def _overlap(timelines: Sequence[ModelTimeline]) -> bool:
    """Whether any two of them spoke at the same time for long enough."""
    spoken = [
        (each.first_ns, each.end_ns) for each in timelines if each.first_ns is not None and each.end_ns is not None
    ]
    return any(
        min(end, other_end) - max(begin, other_begin) > OVERLAP_SHARE * min(end - begin, other_end - other_begin)
        for (begin, end), (other_begin, other_end) in combinations(spoken, 2)
    )


def _spread_limit_ns(usual_ns: int) -> int:
    return min(SPREAD_NS, max(SHORTEST_NS, round(SPREAD_SHARE * usual_ns)))


def _took_ns(timelines: Sequence[ModelTimeline]) -> int:
    ends = [timeline.end_ns for timeline in timelines if timeline.end_ns is not None]
    return max(ends) - min(timeline.sent_ns for timeline in timelines) if ends else 0


def _wall_ns(timelines: Sequence[ModelTimeline]) -> int:
    """From the first send where it is known what the models take alone, else from the first content."""
    ends = [timeline.end_ns for timeline in timelines if timeline.end_ns is not None]
    sent = [timeline.sent_ns for timeline in timelines]
    if all(timeline.alone is not None for timeline in timelines):
        begins = sent
    else:
        begins = [begin for timeline in timelines if (begin := timeline.begin_ns) is not None]
    return max(ends) - min(begins) if ends and begins else 0
