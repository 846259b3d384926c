"""Was a load steady, or did latency or the number in flight grow over the run? Pure, and plain Python.

A run is cut into blocks, and each block is one number: its median latency, or its mean number in flight. Long tails do
not move a median, and values that resemble their neighbours share a block, so the blocks are close to independent. The
Mann-Kendall test (Mann 1945; Kendall, Rank Correlation Methods, 4.9) says whether they rise or fall more than chance
does, and the Theil-Sen slope (Sen 1968) how fast. A trend that changes little over the run is ignored, whatever its p.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise
from statistics import median

from gwtui.stats.histogram import rank

MOST_BLOCKS = 20
LEAST_BLOCKS = 6
"""With fewer, no order of the blocks is rarer than `P`."""
LEAST_PER_BLOCK = 5
LEAST_N = LEAST_BLOCKS * LEAST_PER_BLOCK
"""The fewest latencies whose trend is tested."""
P = 0.01
"""A trend is clear when chance alone gives such a one less often than this."""
LEAST_CHANGE = 0.2
"""A smaller change over the run, as a share of the median, is ignored."""
IN_FLIGHT_SPREADS = 2.0
"""A change of the number in flight is ignored if it is smaller than this number of its standard deviations, which for
requests that come by chance is the root of the number (the M/G/infinity queue)."""
FIRST = 20
FIRST_Q = 0.75
"""That percentile of the first requests is how long the number in flight takes to settle at the start."""
BLOCK_DURATIONS = 3.0
"""The least length of a block of the number in flight, in the time that a request takes: shorter ones share requests.
"""


@dataclass(frozen=True, slots=True)
class Trend:
    """How blocks of a run go up or down."""

    per_s: float
    """The slope, in the unit of the values per second."""
    change: float
    """The slope times the length of the run."""
    level: float
    """The median of the blocks."""
    p: float
    """Two-sided."""

    def is_clear(self, least: float = 0.0) -> bool:
        """Whether it is more than chance and large enough to matter: `least`, in the unit of the values."""
        return self.p < P and abs(self.change) >= max(least, LEAST_CHANGE * self.level)


def latency_trend(at_ns: Sequence[int], values_ns: Sequence[int]) -> Trend | None:
    """The trend of latencies over the times when their requests were due; None for fewer than `LEAST_N`."""
    n = len(values_ns)
    if n < LEAST_N:
        return None
    ordered = sorted(zip(at_ns, values_ns, strict=True))
    blocks = min(MOST_BLOCKS, n // LEAST_PER_BLOCK)
    cuts = [n * at // blocks for at in range(blocks + 1)]
    parts = [ordered[low:high] for low, high in pairwise(cuts)]
    times = [median(at for at, _ in part) / 1e9 for part in parts]
    return _trend(times, [median(value for _, value in part) for part in parts], (ordered[-1][0] - ordered[0][0]) / 1e9)


@dataclass(frozen=True, slots=True)
class Flow:
    """What came and went while requests were being sent, once the first answers had come."""

    in_flight: Trend | None
    """None where the time was too short to tell."""
    started_per_s: float
    ended_per_s: float

    @property
    def is_steady(self) -> bool:
        found = self.in_flight
        return found is None or not found.is_clear(IN_FLIGHT_SPREADS * math.sqrt(max(1.0, found.level)))


def flow(begins_ns: Sequence[int], ends_ns: Sequence[int]) -> Flow | None:
    """The trend of the number in flight, and the rates on both sides.

    The time before the first answers is left out, as is the time after the last send: the number grows and falls
    then, whatever the load is. `ends_ns` are in the order of `begins_ns`. None where nothing is left.
    """
    if not begins_ns:
        return None
    order = sorted(range(len(begins_ns)), key=begins_ns.__getitem__)
    begins, ends = array("q", sorted(begins_ns)), array("q", sorted(ends_ns))
    settled_ns = _settled_ns([ends_ns[at] - begins_ns[at] for at in order])
    first_ns, last_ns = begins[0] + settled_ns, begins[-1]
    if last_ns <= first_ns:
        return None
    seconds = (last_ns - first_ns) / 1e9
    started = bisect_right(begins, last_ns) - bisect_right(begins, first_ns)
    ended = bisect_right(ends, last_ns) - bisect_right(ends, first_ns)
    blocks = min(MOST_BLOCKS, int((last_ns - first_ns) / (BLOCK_DURATIONS * max(1, settled_ns))))
    trend = _in_flight(begins, ends, first_ns, last_ns, blocks) if blocks >= LEAST_BLOCKS else None
    return Flow(trend, started / seconds, ended / seconds)


def _settled_ns(durations_ns: Sequence[int]) -> int:
    """How long a request takes before a queue can have grown."""
    first = sorted(durations_ns[:FIRST])
    return first[rank(FIRST_Q, len(first)) - 1]


def _in_flight(begins: Sequence[int], ends: Sequence[int], first_ns: int, last_ns: int, blocks: int) -> Trend:
    cuts = [first_ns + (last_ns - first_ns) * at // blocks for at in range(blocks + 1)]
    means = [
        bisect_left(begins, low)
        - bisect_left(ends, low)
        + (_area(begins, low, high) - _area(ends, low, high)) / max(1, high - low)
        for low, high in pairwise(cuts)
    ]
    return _trend([(low + high) / 2e9 for low, high in pairwise(cuts)], means, (last_ns - first_ns) / 1e9)


def _area(stamps: Sequence[int], low: int, high: int) -> int:
    """What the stamps between two times add to the number, from each of them on, times the time in ns."""
    inside = stamps[bisect_left(stamps, low) : bisect_left(stamps, high)]
    return len(inside) * high - sum(inside)


def _trend(times_s: Sequence[float], values: Sequence[float], span_s: float) -> Trend:
    pairs = list(combinations(zip(times_s, values, strict=True), 2))
    slopes = [(later - earlier) / (at - before) for (before, earlier), (at, later) in pairs if at > before]
    slope = median(slopes) if slopes else 0.0
    score = sum((later > earlier) - (later < earlier) for (_, earlier), (_, later) in pairs)
    return Trend(slope, slope * span_s, median(values), _mann_kendall_p(score, values))


def _mann_kendall_p(score: int, values: Sequence[float]) -> float:
    """The two-sided p of Kendall's score by the normal approximation, corrected for ties and for continuity."""
    n = len(values)
    ties = sum(count * (count - 1) * (2 * count + 5) for count in Counter(values).values())
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18
    if variance <= 0:
        return 1.0
    return math.erfc(max(0, abs(score) - 1) / math.sqrt(2 * variance))


@dataclass(frozen=True, slots=True)
class Standstill:
    """A time in which requests were under way and none ended, much longer than usual."""

    begin_ns: int
    end_ns: int
    in_flight: int
    """Requests under way at its end."""

    @property
    def took_ns(self) -> int:
        return self.end_ns - self.begin_ns


SHORTEST_STANDSTILL_NS = 500_000_000
STANDSTILL_GAPS = 8.0
"""How often the usual gap between two ends fits into a standstill. Of ends that come by chance one gap in a million is
that long."""
LEFT_OUT = 3
"""The longest gaps, which do not count as usual."""
LEAST_GAPS = 10


def standstills(begins_ns: Sequence[int], ends_ns: Sequence[int]) -> list[Standstill]:
    """The standstills before the last send, in their order. Both stamps are of the same requests.

    A gap counts from the last end, or from the send after which something was under way again. What is usual is the gap
    in which half of the time passes, as requests that always end together make long gaps among very short ones.
    """
    gaps = _gaps(begins_ns, ends_ns)
    usual = sorted(each.took_ns for each in gaps)[:-LEFT_OUT]
    if len(usual) < LEAST_GAPS:
        return []
    upto = list(accumulate(usual))
    limit_ns = max(SHORTEST_STANDSTILL_NS, STANDSTILL_GAPS * usual[bisect_left(upto, upto[-1] / 2)])
    last_ns = max(begins_ns)
    return [each for each in gaps if each.took_ns >= limit_ns and each.begin_ns <= last_ns]


def _gaps(begins_ns: Sequence[int], ends_ns: Sequence[int]) -> list[Standstill]:
    """The times between two ends with requests under way. Ends sort before sends of the same time."""
    steps = sorted([*((at, -1) for at in ends_ns), *((at, 1) for at in begins_ns)])
    gaps, number, since_ns = [], 0, 0
    for at_ns, step in steps:
        if step < 0 and number > 0:
            gaps.append(Standstill(since_ns, at_ns, number))
        if step < 0 or number <= 0:
            since_ns = at_ns
        number += step
    return gaps
