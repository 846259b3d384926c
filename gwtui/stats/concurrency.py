"""Whether several models answered concurrently or sequentially, from when each one started and ended. Pure.

Three pieces of evidence: the spread of the starts, whether models speak at the same time (take turns within the first
events, or overlap later), and the whole time against the slowest model and against the sum of all. Speaking at the
same time is proof that they are not asked one after another; where none do (short answers, or answers in one piece),
the other two have to agree. Answers that do not overlap are sequential only where one waiting for the other explains
them better than models that differ in the time to their first words. Whether some of them queue is another
question: see `Concurrency.queues`. Times are ns of one clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from statistics import median

from msgspec.structs import replace

from gwtui.model.concurrency import Alone, Concurrency, ModelTimeline, Together

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
SECONDS_APART_NS = 1_000_000_000
"""Starts that far apart, of answers that do not overlap, are sequential."""
FOLLOWS_NS = 10_000_000
"""A start that close behind the end of the answer before was caused by it..."""
LIKELIER = 2.0
"""... and otherwise the waits for the first content have to be more even, by this factor, if each counts from the end
of the answer before than if all count from the send."""
UNLIKELY = 4.5
"""Of two models that were asked together, the one rarely waits this many times as long for its first content."""
UNEVEN = 3.0
"""Waits that differ by more are no sign of a queue where all started together: one model may think for long."""
BURST_NS = 5_000_000  # as `verdict.buffering.BURST_SPREAD_NS`
"""Where everything came within that time, who came when is not known."""


def analyse(timelines: Sequence[ModelTimeline], speakers: Sequence[str], *, one_stream: bool = False) -> Concurrency:
    """`speakers`: whose events with content came, one after another, from the first on. `one_stream`: all came over
    one connection, where a buffer may hide who came when."""
    answered = [timeline for timeline in timelines if not timeline.error and timeline.end_ns is not None]
    good = answered
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
    found = Concurrency(
        models=tuple(timelines),
        start_spread_ns=spread,
        spread_limit_ns=_spread_limit_ns(usual),
        models_in_first_chunks=different,
        turns=max(0, changes - (different - 1)),
        first_chunks=len(first),
        wall_ns=wall,
        slowest_ns=slowest,
        sum_ns=total,
        speed_up=total / wall if wall > 0 else float(len(good)),
        starts_together=spread <= _spread_limit_ns(usual),
        # One after another they change too, once for each model; only who comes again took turns.
        speaks_together=changes > different - 1 > 0 or _overlap(good),
        saves_time=wall - slowest <= total - wall,
    )
    verdict, undecided = _decided(found, answered, one_stream=one_stream)
    found = replace(found, verdict=verdict, undecided=undecided, queues=_queues(found, answered, usual))
    return _from_starts(found, answered) if one_stream else found


def _from_starts(found: Concurrency, answered: Sequence[ModelTimeline]) -> Concurrency:
    """The same with its figures counted from each model's own start, as the stream tells it; unless all starts were
    announced at once and the models then answered one by one: such a start is no beginning."""
    if found.verdict is Together.SEQUENTIAL and found.starts_together:
        return found
    spans = [(each.start_ns or 0, each.end_ns or 0) for each in answered]
    took = [end - start for start, end in spans]
    wall, total = max((end for _, end in spans), default=0) - min((start for start, _ in spans), default=0), sum(took)
    speed_up = total / wall if wall > 0 else float(len(answered))
    return replace(found, wall_ns=wall, slowest_ns=max(took, default=0), sum_ns=total, speed_up=speed_up)


def _decided(found: Concurrency, answered: Sequence[ModelTimeline], *, one_stream: bool) -> tuple[Together | None, str]:
    """The verdict, or why it is missing. `answered`: those that did, with their own times."""
    if len(answered) < 2:
        few = f"{len(answered)} of {len(found.models)} models answered"
        return None, "only one model was asked" if len(found.models) < 2 else few
    took_ns = _took_ns(answered)
    if took_ns < SHORTEST_NS:
        return None, f"all answers ended within {took_ns / 1e6:.0f} ms: too short to decide"
    arriving_ns = _took_ns([replace(each, sent_ns=each.start_ns or 0) for each in answered])
    if one_stream and not found.turns and arriving_ns < BURST_NS:
        return None, "all answers came in one burst, which hides their order"
    if found.speaks_together or (found.starts_together and found.saves_time):
        return Together.CONCURRENT, ""
    if all(each.alone is not None for each in answered) or _looks_queued(found, answered):
        return Together.SEQUENTIAL, ""
    return None, "the answers do not overlap, but the models may only differ in the time to their first words"


def _looks_queued(found: Concurrency, answered: Sequence[ModelTimeline]) -> bool:
    """Whether answers that do not overlap waited for each other, rather than for models of different speed."""
    if found.start_spread_ns >= SECONDS_APART_NS:
        return True
    ordered = sorted(answered, key=lambda each: each.begin_ns or 0)
    starts = [(each.start_ns or 0) - (before.end_ns or 0) for before, each in pairwise(ordered)]
    if all(abs(after_ns) <= FOLLOWS_NS for after_ns in starts):
        return True
    from_send = [(each.begin_ns or 0) - each.sent_ns for each in ordered]
    from_end = [(each.begin_ns or 0) - (before.end_ns or 0) for before, each in pairwise(ordered)]
    queued = _unevenness([from_send[0], *from_end])
    apart = _unevenness(from_send)
    if (len(ordered) == 2 and apart < UNLIKELY) or (found.starts_together and queued > UNEVEN):
        return False
    return LIKELIER * queued <= apart


def _unevenness(waits_ns: Sequence[int]) -> float:
    """The longest wait against the shortest; what a connection costs is in each."""
    return (max(0, *waits_ns) + SHORTEST_NS) / (max(0, min(waits_ns)) + SHORTEST_NS)


def _queues(found: Concurrency, answered: Sequence[ModelTimeline], usual_ns: int) -> bool:
    if usual_ns < SHORTEST_NS:
        return False
    half_as_fast = found.speed_up >= len(answered) / 2
    measured = all(timeline.alone is not None for timeline in answered)
    late = not found.starts_together and (measured or not half_as_fast)
    return late or not found.saves_time


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
