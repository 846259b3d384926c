"""Two series measured in turns: what changed with time changed both, so each turn is compared with itself. Pure.

The test is Wilcoxon's signed-rank test of the logarithms of the ratios, and the typical ratio is the median of all
means of two of them (Hodges and Lehmann; Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3.1 to 3.3).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gwtui.stats.autocorrelation import EffectiveSize, effective_size, far_apart, t_critical, two_sided
from gwtui.stats.significance import Sample, quantile, smallest

LEAST_PAIRS = 6
"""The fewest with which the interval of a median has 95 % confidence."""
MIN_MINUTES = 10
"""From this number of common minutes on, the medians of minutes are pairs."""
_MINUTE_MS = 60_000
_SHARED = 0.8
"""The share of the values of each series that pairs must hold, else the series are not compared by pairs."""
_NEAR = 2.0
"""Partners are measured within this number of turns of each other."""
_EXACT_UP_TO = 50
_UNIT = 1e9
"""Logarithms are whole numbers of this part, so that they are counted and not rounded."""
_EXACT_RATIO_UP_TO = 1000
_WITHIN = 1000
"""Of more pairs the typical ratio is right to a millionth, which takes half the time."""


class PairedBy(StrEnum):
    """What makes two values a pair."""

    TURN = "turn"
    """They have the same request number, and were measured one right after the other."""
    MINUTE = "minute"
    """They are the medians of the same minute."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What two series have measured together, in the order of time."""

    by: PairedBy
    first: Sequence[Sequence[int]]
    """The values of the first series in each pair, one or more."""
    second: Sequence[Sequence[int]]

    def spread(self, values: tuple[int, int]) -> float:
        """The standard error of the difference between the shares of values up to `values`.

        One pair more than there are counts as different: few pairs that all agree are no proof that all do.
        """
        apart = [
            _share(other, values[1]) - _share(one, values[0])
            for one, other in zip(self.first, self.second, strict=True)
        ]
        size = effective_size(apart)
        spread = math.sqrt(size.tau * (math.fsum(each * each for each in apart) + 1)) / len(apart)
        return spread * t_critical(size.freedom) / t_critical(math.inf)


def _share(values: Sequence[int], upto: int) -> float:
    return sum(value <= upto for value in values) / len(values)


@dataclass(frozen=True, slots=True)
class SignedRank:
    """Pairs compared: second against first."""

    by: PairedBy
    n: int
    """Pairs."""
    size: EffectiveSize
    """What their logarithms are worth."""
    p: float
    """Two-sided, of the signed-rank test, with what the pairs lean on each other taken out."""
    exact: bool
    first_lower: float
    """The share of pairs in which the first is the lower one; ties count half."""
    effect: float
    """The matched-pairs rank-biserial correlation: 1 where every second one is higher, -1 where every one is lower."""
    ratio: float
    """The typical ratio of the second to the first: the Hodges-Lehmann estimate."""
    low: float
    high: float
    """Its 95 % interval."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves equality out."""
        return self.low > 1 or self.high < 1


def pairs_of(first: Sample, second: Sample) -> Pairs | None:
    """What was measured turn by turn, or else in the same minutes; None where that is too little of both."""
    return _by_turn(first, second) or _by_minute(first, second)


def _by_turn(first: Sample, second: Sample) -> Pairs | None:
    one, other = _turns(first), _turns(second)
    common = sorted(one.keys() & other.keys())
    if len(common) < max(LEAST_PAIRS, _SHARED * max(len(one), len(other))):
        return None
    starts = [one[turn][1] for turn in common]
    step = (max(starts) - min(starts)) / (len(common) - 1)
    apart = sorted(abs(one[turn][1] - other[turn][1]) for turn in common)
    if not step or apart[len(apart) // 2] > _NEAR * step:
        return None
    return Pairs(PairedBy.TURN, [one[turn][:1] for turn in common], [other[turn][:1] for turn in common])


def _turns(sample: Sample) -> Mapping[int, tuple[int, int]]:
    """By request number the value and when it was measured; nothing where numbers are not known, or not unique."""
    if sample.turns is None or sample.at_ms is None:
        return {}
    found = dict(zip(sample.turns, zip(sample.values, sample.at_ms, strict=True), strict=True))
    return found if len(found) == len(sample.values) else {}


def _by_minute(first: Sample, second: Sample) -> Pairs | None:
    one, other = _minutes(first), _minutes(second)
    common = sorted(one.keys() & other.keys())
    if len(common) < MIN_MINUTES:
        return None
    for sample, minutes in ((first, one), (second, other)):
        if sum(len(minutes[minute]) for minute in common) < _SHARED * len(sample.values):
            return None
    return Pairs(PairedBy.MINUTE, [one[minute] for minute in common], [other[minute] for minute in common])


def _minutes(sample: Sample) -> Mapping[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    if sample.at_ms is not None:
        for value, at_ms in zip(sample.values, sample.at_ms, strict=True):
            found[at_ms // _MINUTE_MS].append(value)
    return found


def signed_rank(pairs: Pairs) -> SignedRank:
    """Whether one series is lower than the other within the pairs, and by which ratio.

    Pairs without a difference are left out of p (Wilcoxon). p is exact for up to 50 pairs without ties and zeros, else
    from the normal approximation with the correction for ties, or from Student's t where pairs lean on each other.
    """
    logs = [
        round(_UNIT * math.log(max(quantile(other, 0.5), 1) / max(quantile(one, 0.5), 1)))
        for one, other in zip(pairs.first, pairs.second, strict=True)
    ]
    ranks, ties = _signed_ranks(logs)
    size = EffectiveSize(len(logs)) if far_apart(logs, (0,)) else effective_size(ranks)
    n, up = sum(1 for log in logs if log), math.fsum(rank for rank in ranks if rank > 0)
    whole = n * (n + 1) / 2
    exact = n == len(logs) <= _EXACT_UP_TO and not ties and size.tau == 1
    p = 2 * _exact_tail(n, round(max(up, whole - up))) if exact else _approximate(n, up, ties, size)
    ratio, low, high = (math.exp(log / _UNIT) for log in typical(logs, size))
    lower = sum((log > 0) + (log == 0) / 2 for log in logs) / len(logs)
    effect = 2 * up / whole - 1 if whole else 0.0
    return SignedRank(pairs.by, len(logs), size, min(p, 1.0), exact, lower, effect, ratio, low, high)


def _signed_ranks(logs: Sequence[int]) -> tuple[list[float], list[int]]:
    """The rank of each difference's size with its sign, 0 for none, and the sizes of the groups of equal ones."""
    ordered = sorted(abs(log) for log in logs if log)
    counts = Counter(ordered)
    at = {size: bisect_left(ordered, size) + (count + 1) / 2 for size, count in counts.items()}
    ranks = [math.copysign(at[abs(log)], log) if log else 0.0 for log in logs]
    return ranks, [count for count in counts.values() if count > 1]


def _approximate(n: int, up: float, ties: Sequence[int], size: EffectiveSize) -> float:
    variance = n * (n + 1) * (2 * n + 1) / 24 - sum(count**3 - count for count in ties) / 48
    if variance <= 0:
        return 1.0
    z = (up - n * (n + 1) / 4) / math.sqrt(variance)
    return two_sided(z / math.sqrt(size.tau), size.freedom)


def _exact_tail(n: int, up: int) -> float:
    """P(the sum of ranks with a plus >= up) where each of n ranks has either sign as likely."""
    ways = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return float(sum(ways[up:]) / (1 << n))


def typical(values: Sequence[int], size: EffectiveSize) -> tuple[float, int, int]:
    """The median of all means of two values (each also with itself), and its 95 % interval by the signed-rank test.

    `size`: what the values are worth. Nothing is listed: means are counted below a value.
    """
    ordered, n = sorted(values), len(values)
    means = n * (n + 1) // 2
    spread = t_critical(size.freedom) * math.sqrt(size.tau * n * (n + 1) * (2 * n + 1) / 24)
    out = max(0, math.floor(means / 2 - spread))

    def upto(twice: int) -> int:
        with_itself = bisect_right(ordered, twice // 2)
        return (sum(bisect_right(ordered, twice - value) for value in ordered) + with_itself) // 2

    def at(k: int, near: int) -> int:
        return smallest(upto, k, 2 * ordered[0], 2 * ordered[-1], near, within)

    within = 0 if n <= _EXACT_RATIO_UP_TO else _WITHIN
    middle = at((means + 1) // 2, 2 * ordered[n // 2])
    other = middle if means % 2 or within else at(means // 2 + 1, middle)
    return (middle + other) / 4, _half(at(out + 1, middle)), _half(at(means - out, middle))


def _half(twice: int) -> int:
    return round(twice / 2)
