"""Is the difference between two sets of latencies more than chance, and how large is it? Pure, and plain Python.

Nothing here assumes a shape of the latencies, which have long tails: ranks (Mann-Whitney, Hodges-Lehmann) and
resampling (bootstrap) only. Values are int nanoseconds. Differences are always second minus first, so a positive
one says how much slower the second is.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from gwtui.stats.autocorrelation import EffectiveSize, joined, of_percentile, two_sided
from gwtui.stats.histogram import CONFIDENCE, rank

RESAMPLES = 2000
EXACT_UP_TO = 8
"""If the smaller sample has at most this number of values, and there are no ties, p is exact, not approximated."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured at one endpoint."""

    values: Sequence[int]
    """In the order they were measured, unless their `correlation` is known."""
    at_ms: Sequence[int] | None = None
    """When each was measured, in ms of one clock, where that is known."""
    turns: Sequence[int] | None = None
    """The request number of each, where that is known: the same for partners that were measured in turns."""
    correlation: float | None = None
    """Lag-1, of values that are not in the order they were measured."""


class Pairs(Protocol):
    """What two samples have measured together."""

    def spread(self, values: tuple[int, int]) -> float:
        """The standard error of the difference between the shares of values up to `values`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two percentiles and the interval that holds the true one with 95 % confidence."""

    value: int
    low: int
    high: int
    paired: bool
    """Only what differs within pairs was resampled, so what changed both alike hides no difference."""

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


def mann_whitney(
    first: Sequence[int], second: Sequence[int], sizes: tuple[EffectiveSize, EffectiveSize] | None = None
) -> MannWhitney:
    """Whether values of one sample tend to be lower. Neither may be empty.

    p is exact for small samples without ties, else from the normal approximation with the corrections for ties and
    for continuity (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 4.1). `sizes`: what the samples are
    worth; z is divided by the root of their autocorrelation time, and p is then from Student's t.
    """
    n, m = len(first), len(second)
    ranks, ties = _midranks([*first, *second])
    u = math.fsum(ranks[:n]) - n * (n + 1) / 2
    larger = max(u, n * m - u)
    tau, freedom = joined(*sizes) if sizes is not None else (1.0, math.inf)
    exact = not ties and min(n, m) <= EXACT_UP_TO and tau == 1
    z = _z(n, m, larger, ties) / math.sqrt(tau)
    p = 2 * _exact_tail(n, m, round(larger)) if exact else two_sided(z, freedom)
    return MannWhitney(u, min(p, 1.0), 1 - u / (n * m), exact)


def _midranks(values: Sequence[int]) -> tuple[list[float], list[int]]:
    """The rank of each value from 1, equal values sharing their mean, and the sizes of the groups of equal ones."""
    ordered = sorted(values)
    counts = Counter(values)
    at = {value: bisect_left(ordered, value) + (count + 1) / 2 for value, count in counts.items()}
    return [at[value] for value in values], [count for count in counts.values() if count > 1]


def _z(n: int, m: int, u: float, ties: Sequence[int]) -> float:
    """How many standard deviations U is above its mean, at least 0; 0 where every value is the same."""
    of = n + m
    tied = sum(count**3 - count for count in ties) / (of * (of - 1))
    variance = n * m / 12 * (of + 1 - tied)
    return max(0.0, (u - n * m / 2 - 0.5) / math.sqrt(variance)) if variance > 0 else 0.0


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

    def upto(difference: int) -> int:
        return sum(bisect_right(second, value + difference) for value in first)

    guess = second[len(second) // 2] - first[len(first) // 2]
    return smallest(upto, k, second[0] - first[-1], second[-1] - first[0], guess)


def smallest(count: Callable[[int], int], k: int, low: int, high: int, near: int, within: int = 0) -> int:
    """The smallest whole number between `low` and `high` up to which `count`, which rises, is at least k.

    `near` is a guess, and the result is at most `within` too high.
    """
    step = max(1, (high - low) >> 10)
    guess = min(max(near, low), high)
    while high - low > within:
        if count(guess) >= k:
            high, guess = guess, max(low, guess - step)
        else:
            low, guess = guess + 1, min(high, guess + step)
        if not low < guess < high or step > (high - low) >> 1:
            guess = (low + high) >> 1
        else:
            step *= 4
    return high


def holm(ps: Sequence[float]) -> list[float]:
    """Each p corrected for the number of tests (Holm 1979): below 0.05 means evidence."""
    adjusted = [1.0] * len(ps)
    worst = 0.0
    for step, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        worst = max(worst, min(1.0, (len(ps) - step) * ps[index]))
        adjusted[index] = worst
    return adjusted


def difference(
    first: Sample, second: Sample, q: float, pairs: Pairs | None = None, *, seed: int = 0, resamples: int = RESAMPLES
) -> Difference:
    """The difference of two percentiles, with its percentile bootstrap interval. Neither sample may be empty.

    Resamples are as large as what the samples are worth, so values that lean on each other do not pass for evidence.
    Of `pairs` only what differs within them is resampled, so what changed both alike does not hide a difference.
    """
    rng = Random(seed)  # noqa: S311 - resampling, no secret
    value, other = (quantile(sample.values, q) for sample in (first, second))
    if pairs is None:
        draw, draw_other = _resampled(first, q, value, rng), _resampled(second, q, other, rng)
    else:
        spread = pairs.spread((value, other)) / math.sqrt(2)
        draw, draw_other = _shifted(first, q, spread, rng), _shifted(second, q, spread, rng)
    drawn = sorted(draw_other() - draw() for _ in range(resamples))
    tail = (1 - CONFIDENCE) / 2
    low, high = drawn[rank(tail, resamples) - 1], drawn[rank(1 - tail, resamples) - 1]
    return Difference(other - value, low, high, pairs is not None)


def worth(sample: Sample, value: int) -> int:
    """How many independent values a sample is worth for the interval of the percentile that is this value."""
    return max(1, round(of_percentile(sample.values, value, sample.correlation).for_intervals))


def _resampled(sample: Sample, q: float, value: int, rng: Random) -> Callable[[], int]:
    """Draws the percentile of a resample without making one.

    Resampling draws n positions among the sorted values; the r-th smallest of n uniform draws is a Beta(r, n + 1 - r)
    draw, and that is the position whose value is the resample's percentile.
    """
    ordered, n = sorted(sample.values), worth(sample, value)
    r = rank(q, n)
    return lambda: ordered[min(int(len(ordered) * rng.betavariate(r, n + 1 - r)), len(ordered) - 1)]


def _shifted(sample: Sample, q: float, spread: float, rng: Random) -> Callable[[], int]:
    """Draws the value at a position around that of the percentile; `spread` is a share of all values."""
    ordered = sorted(sample.values)
    n = len(ordered)
    middle = (rank(q, n) - 0.5) / n
    return lambda: ordered[min(max(int(n * rng.gauss(middle, spread)), 0), n - 1)]
