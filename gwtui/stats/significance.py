"""Is the difference between two sets of latencies more than chance, and how large is it? Pure, and plain Python.

Nothing here assumes a shape of the latencies, which have long tails: ranks (Mann-Whitney, Hodges-Lehmann) and
resampling (bootstrap) only. Values are int nanoseconds. Differences are always second minus first, so a positive
one says how much slower the second is.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from random import Random

from gwtui.stats.histogram import CONFIDENCE, rank

RESAMPLES = 2000
MIN_BLOCKS = 10
"""With fewer minutes than this, resampling whole minutes says less than resampling single values."""
EXACT_UP_TO = 8
"""If the smaller sample has at most this number of values, and there are no ties, p is exact, not approximated."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured at one endpoint."""

    values: Sequence[int]
    minutes: Sequence[int] | None = None
    """The minute each value was measured in, where that is known."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two percentiles and the interval that holds the true one with 95 % confidence."""

    value: int
    low: int
    high: int
    blocks: bool
    """Whole minutes were resampled, so values that go up and down together do not pass for evidence."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class MannWhitney:
    """The two-sided Mann-Whitney test of two samples."""

    u: float
    """Pairs in which the first value is the larger; ties count half."""
    p: float
    first_lower: float
    """The share of pairs in which the first value is the lower one; ties count half. 0.5: no difference."""
    exact: bool

    @property
    def rank_biserial(self) -> float:
        """The effect size: 1 when every value of the first is lower, -1 when every one is higher."""
        return 2 * self.first_lower - 1


def quantile(values: Sequence[int], q: float) -> int:
    """The nearest-rank percentile of at least one value."""
    return sorted(values)[rank(q, len(values)) - 1]


def mann_whitney(first: Sequence[int], second: Sequence[int]) -> MannWhitney:
    """Whether values of one sample tend to be lower. Neither may be empty.

    p is exact for small samples without ties, else from the normal approximation with the corrections for ties and
    for continuity (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 4.1).
    """
    n, m = len(first), len(second)
    ranks, ties = _midranks([*first, *second])
    u = math.fsum(ranks[:n]) - n * (n + 1) / 2
    larger = max(u, n * m - u)
    exact = not ties and min(n, m) <= EXACT_UP_TO
    p = 2 * (_exact_tail(n, m, round(larger)) if exact else _normal_tail(n, m, larger, ties))
    return MannWhitney(u, min(p, 1.0), 1 - u / (n * m), exact)


def _midranks(values: Sequence[int]) -> tuple[list[float], list[int]]:
    """The rank of each value from 1, equal values sharing their mean, and the sizes of the groups of equal ones."""
    ordered = sorted(values)
    counts = Counter(values)
    at = {value: bisect_left(ordered, value) + (count + 1) / 2 for value, count in counts.items()}
    return [at[value] for value in values], [count for count in counts.values() if count > 1]


def _normal_tail(n: int, m: int, u: float, ties: Sequence[int]) -> float:
    """P(U >= u) by the normal approximation; 0.5 and more where every value is the same."""
    of = n + m
    tied = sum(count**3 - count for count in ties) / (of * (of - 1))
    variance = n * m / 12 * (of + 1 - tied)
    if variance <= 0:
        return 0.5
    z = (u - n * m / 2 - 0.5) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2)) / 2


def _exact_tail(n: int, m: int, u: int) -> float:
    """P(U >= u) when every order of n and m different values is as likely.

    The orders with U = k are the coefficients of the Gaussian binomial, the product of (1 - x^(m+i)) / (1 - x^i).
    """
    n, m = min(n, m), max(n, m)
    ways = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for k in range(n * m, m + i - 1, -1):
            ways[k] -= ways[k - m - i]
        for k in range(i, n * m + 1):
            ways[k] += ways[k - i]
    return sum(ways[u:]) / math.comb(n + m, n)


_ALIKE = 1e-7
"""Tables whose probabilities differ by a smaller share are as likely as each other: that is rounding (as R has it)."""
_NEGLIGIBLE = 1e-18


def fisher_exact(first: tuple[int, int], second: tuple[int, int]) -> float:
    """The two-sided p of Fisher's exact test: whether one share differs from the other.

    Each is a count and the number it is out of. p is the sum over all tables with the same margins that are no more
    likely than this one (hypergeometric). Only terms that matter are added, so counts of millions take no time.
    """
    (k, n), (other, m) = first, second
    marked, low, high = k + other, max(0, k + other - m), min(n, k + other)
    base = _log_choose(n + m, marked)

    def log_p(x: int) -> float:
        return _log_choose(n, x) + _log_choose(m, marked - x) - base

    limit = log_p(k) + math.log1p(_ALIKE)
    mode = min(high, max(low, (n + 1) * (marked + 1) // (n + m + 2)))
    left = bisect_right(range(low, mode + 1), limit, key=log_p) + low - 1
    right = high + 1 - bisect_right(range(mode, high + 1), limit, key=lambda x: log_p(high + mode - x))
    if left >= right - 1:
        return 1.0
    return min(1.0, _outward(log_p, left, low, -1) + _outward(log_p, right, high, 1))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _outward(log_p: Callable[[int], float], start: int, end: int, step: int) -> float:
    """The sum of falling probabilities from `start` to `end`."""
    total = 0.0
    for x in range(start, end + step, step):
        term = math.exp(log_p(x))
        total += term
        if term <= total * _NEGLIGIBLE:
            break
    return total


def hodges_lehmann(first: Sequence[int], second: Sequence[int]) -> float:
    """The median of all differences between a value of the second and one of the first. Neither may be empty."""
    low, high = sorted(first), sorted(second)
    pairs = len(low) * len(high)
    middle = _difference_at(low, high, (pairs + 1) // 2)
    return middle if pairs % 2 else (middle + _difference_at(low, high, pairs // 2 + 1)) / 2


def _difference_at(first: Sequence[int], second: Sequence[int], k: int) -> int:
    """The k-th smallest of all differences, found without listing them. Both are sorted."""
    low, high = second[0] - first[-1], second[-1] - first[0]
    while low < high:
        middle = (low + high) // 2
        if sum(bisect_right(second, value + middle) for value in first) >= k:
            high = middle
        else:
            low = middle + 1
    return low


def holm(ps: Sequence[float]) -> list[float]:
    """Each p corrected for the number of tests (Holm 1979): below 0.05 means evidence."""
    adjusted = [1.0] * len(ps)
    worst = 0.0
    for step, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        worst = max(worst, min(1.0, (len(ps) - step) * ps[index]))
        adjusted[index] = worst
    return adjusted


def difference(first: Sample, second: Sample, q: float, *, seed: int = 0, resamples: int = RESAMPLES) -> Difference:
    """The difference of two percentiles, with its percentile bootstrap interval. Neither sample may be empty.

    Where both carry enough minutes, whole minutes are resampled, and the same ones on both sides where the two were
    measured in the same minutes.
    """
    rng = Random(seed)  # noqa: S311 - resampling, no secret
    blocks = all(_has_blocks(sample) for sample in (first, second))
    draws = _block_differences(first, second, q, rng) if blocks else _differences(first, second, q, rng)
    drawn = sorted(islice(draws, resamples))
    tail = (1 - CONFIDENCE) / 2
    low, high = drawn[rank(tail, resamples) - 1], drawn[rank(1 - tail, resamples) - 1]
    return Difference(quantile(second.values, q) - quantile(first.values, q), low, high, blocks)


def _has_blocks(sample: Sample) -> bool:
    return sample.minutes is not None and len(set(sample.minutes)) >= MIN_BLOCKS


def _differences(first: Sample, second: Sample, q: float, rng: Random) -> Iterator[int]:
    draw_first, draw_second = _resampled(first.values, q, rng), _resampled(second.values, q, rng)
    while True:
        yield draw_second() - draw_first()


def _resampled(values: Sequence[int], q: float, rng: Random) -> Callable[[], int]:
    """Draws the percentile of a resample without making one.

    Resampling draws n positions among the n sorted values; the r-th smallest of n uniform draws is a Beta(r, n + 1 - r)
    draw, and that is the position whose value is the resample's percentile.
    """
    ordered, n = sorted(values), len(values)
    r = rank(q, n)
    return lambda: ordered[min(int(n * rng.betavariate(r, n + 1 - r)), n - 1)]


def _block_differences(first: Sample, second: Sample, q: float, rng: Random) -> Iterator[int]:
    minutes, others = sorted(set(first.minutes or ())), sorted(set(second.minutes or ()))
    together = len(set(minutes) & set(others)) >= MIN_BLOCKS
    if together:
        minutes = others = sorted({*minutes, *others})
    draw_first, draw_second = _weighted(first, q, minutes), _weighted(second, q, others)
    while True:
        weights = _drawn(len(minutes), rng)
        one = draw_first(weights)
        other = draw_second(weights if together else _drawn(len(others), rng))
        if one is not None and other is not None:
            yield other - one


def _drawn(blocks: int, rng: Random) -> list[int]:
    """How often each block is in a resample of as many blocks."""
    times = [0] * blocks
    for block in rng.choices(range(blocks), k=blocks):
        times[block] += 1
    return times


def _weighted(sample: Sample, q: float, minutes: Sequence[int]) -> Callable[[Sequence[int]], int | None]:
    """The percentile of a sample with weighted minutes; None when every weight is 0."""
    index = {minute: at for at, minute in enumerate(minutes)}
    ordered = sorted(zip(sample.values, sample.minutes or (), strict=True))
    blocks = [index[minute] for _, minute in ordered]

    def percentile(weights: Sequence[int]) -> int | None:
        upto = list(accumulate(map(weights.__getitem__, blocks)))
        return ordered[bisect_left(upto, rank(q, upto[-1]))][0] if upto[-1] else None

    return percentile
