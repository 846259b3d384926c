"""How many independent values a series is worth whose values lean on each other. Pure, and plain Python.

The mean of n values that follow one another has the variance of a mean of n / tau independent ones; tau is the
integrated autocorrelation time, 1 + 2 * (the sum of the autocorrelations) (Sokal, Monte Carlo Methods in Statistical
Mechanics, 1997). In a short run tau itself is hardly known, so each estimate of it says what it is worth: its degrees
of freedom, with which a test uses Student's t instead of the normal distribution.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from operator import mul
from statistics import NormalDist

MOST_POINTS = 4096
"""Longer series are averaged in steps to at most this number of points, which keeps tau and costs little time."""
_WINDOW = 5.0
"""Autocorrelations are added up to the lag that is at least this many times tau (Sokal)."""
_MOST_LAGS = 64
"""Beyond this lag neighbours are averaged and the lags begin anew."""
_LEAST_N = 6
"""Of fewer values nothing is known."""
_SURE = 1.96
"""A lag-1 correlation counts from this number of standard errors."""
_LIKELY = 1.64
"""And tau by Sokal's window from this number of its standard errors above 1."""
_MOST_CORRELATION = 0.99
_FAR = 2.0
_BLOCKS = ((5, 3.32), (12, 2.25))
"""Numbers of blocks, and how many times the variance of their means must be what independent values have: what one of
100 independent series reaches (chi-squared by its degrees of freedom)."""


@dataclass(frozen=True, slots=True)
class EffectiveSize:
    """What a series is worth."""

    n: int
    """Values."""
    tau: float = 1.0
    """Integrated autocorrelation time, in values; at least 1."""
    freedom: float = math.inf
    """How well tau is known: degrees of freedom."""

    @property
    def independent(self) -> float:
        """The number of independent values that would say as much."""
        return self.n / self.tau

    @property
    def for_intervals(self) -> float:
        """The same, lowered by what is not known of tau: the n with which a normal interval is as wide as Student's."""
        return self.independent * (t_critical(math.inf) / t_critical(self.freedom)) ** 2


def effective_size(values: Sequence[float], correlation: float | None = None) -> EffectiveSize:
    """Of values in the order they came, or with a known lag-1 correlation, of values in any order.

    The largest of three estimates counts: by Sokal's window; as if each value followed the one before (AR(1), with
    Kendall's correction for short series), which needs the fewest values; and by the means of blocks, which see what
    lasts for a large part of the run.
    """
    n = len(values)
    if correlation is not None:
        r = min(max(correlation, 0.0), _MOST_CORRELATION)
        return EffectiveSize(n, (1 + r) / (1 - r))
    if n < _LEAST_N:
        return EffectiveSize(n)
    step = math.ceil(n / MOST_POINTS)
    mean = math.fsum(values) / n
    points = [value - mean for value in values]
    variance = sum(map(mul, points, points)) / n
    if not variance:
        return EffectiveSize(n)
    if step > 1:
        points = [sum(points[at : at + step]) / step for at in range(0, n - step + 1, step)]
    squares = sum(map(mul, points, points))
    if not squares:
        return EffectiveSize(n)
    scale = step * squares / len(points) / variance
    found = [_windowed(points), _following(points), *(_blocked(points, *each) for each in _BLOCKS)]
    tau, freedom = max((tau * scale, freedom) for tau, freedom in found)
    return EffectiveSize(n, tau, freedom) if tau > 1 else EffectiveSize(n)


def of_ranks(values: Sequence[int], correlation: float | None = None) -> EffectiveSize:
    """What values are worth to a test that compares ranks."""
    ordered = sorted(values)
    if correlation is not None:
        return effective_size(ordered, correlation)
    at = {value: bisect_left(ordered, value) + bisect_right(ordered, value) for value in set(ordered)}
    return effective_size([at[value] for value in values])


def far_apart(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether the gap between two sets of values is more than `_FAR` times as wide as either set."""
    spans = [(min(values), max(values)) for values in (first, second)]
    gap = max(low for low, _ in spans) - min(high for _, high in spans)
    return gap > _FAR * max(high - low for low, high in spans)


def of_percentile(values: Sequence[int], value: int, correlation: float | None = None) -> EffectiveSize:
    """What values are worth to the percentile that is this value."""
    return effective_size([each <= value for each in values], correlation)


def _windowed(points: Sequence[float]) -> tuple[float, float]:
    """tau by Sokal's window, each autocorrelation raised by what the estimated mean takes away; 1 where it is above
    that by no more than chance."""
    scale = 1.0
    while True:
        n, squares = len(points), sum(map(mul, points, points))
        tau, lag, averages = 1.0, 0, False
        for lag in range(1, max(2, n // 2)):
            tau += 2 * (sum(map(mul, points, islice(points, lag, None))) / squares + 1 / n)
            averages = lag >= _MOST_LAGS and n >= 8 * _MOST_LAGS
            if averages or lag >= _WINDOW * max(tau, 1.0):
                break
        freedom = max(1.0, n / (2 * lag + 1))
        if not averages:
            return (tau * scale, freedom) if tau * scale > 1 + _LIKELY * math.sqrt(2 / freedom) else (1.0, math.inf)
        points = [(one + other) / 2 for one, other in zip(points[::2], points[1::2], strict=False)]
        averaged = sum(map(mul, points, points))
        if not averaged:
            return 1.0, math.inf
        scale *= 2 * (averaged / len(points)) / (squares / n)


def _following(points: Sequence[float]) -> tuple[float, float]:
    """tau of a series in which each value follows the one before; 1 where that may be chance."""
    n = len(points)
    r = sum(map(mul, points, islice(points, 1, None))) / sum(map(mul, points, points))
    r = min(r + (1 + 3 * r) / n, _MOST_CORRELATION)
    if r < _SURE / math.sqrt(n):
        return 1.0, math.inf
    return (1 + r) / (1 - r), max(1.0, n * (1 - r * r) / 2)


def _blocked(points: Sequence[float], blocks: int, least: float) -> tuple[float, float]:
    """tau by the variance of the means of blocks; 1 where that may be chance."""
    length = len(points) // blocks
    if length < 2:
        return 1.0, math.inf
    skip = len(points) - blocks * length
    means = [sum(points[at : at + length]) / length for at in range(skip, len(points), length)]
    middle = sum(means) / blocks
    of_means = sum((mean - middle) ** 2 for mean in means) / (blocks - 1)
    found = length * of_means / (sum(map(mul, points, points)) / (len(points) - 1))
    return (found, blocks - 1) if found >= least else (1.0, math.inf)


# Student's t, by Wallace's transformation to the normal distribution (Annals of Mathematical Statistics 30, 1959):
# within 0.5 % of the exact quantile from 3 degrees of freedom on.

_NORMAL = NormalDist()


def two_sided(t: float, freedom: float) -> float:
    """The two-sided p of Student's t; of the normal distribution with infinite degrees of freedom."""
    if math.isfinite(freedom):
        t = (8 * freedom + 1) / (8 * freedom + 3) * math.sqrt(freedom * math.log1p(t * t / freedom))
    return math.erfc(abs(t) / math.sqrt(2))


def t_critical(freedom: float, p: float = 0.05) -> float:
    """The t from which on the two-sided p is below that."""
    z = _NORMAL.inv_cdf(1 - p / 2)
    if not math.isfinite(freedom):
        return z
    scaled = z * (8 * freedom + 3) / (8 * freedom + 1)
    return math.sqrt(freedom * math.expm1(min(scaled * scaled / freedom, 700.0)))


def joined(first: EffectiveSize, second: EffectiveSize) -> tuple[float, float]:
    """What the variance of a difference of means is multiplied by, and its degrees of freedom (Satterthwaite)."""
    one, other = first.tau / first.n, second.tau / second.n
    parts = one * one / first.freedom + other * other / second.freedom
    freedom = (one + other) ** 2 / parts if parts else math.inf
    return (one + other) / (1 / first.n + 1 / second.n), freedom
