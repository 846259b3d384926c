"""How many times as large is a figure of one sample as that of another, between which bounds? Pure, and plain Python.

A ratio is always second by first, so 1.2 says that the second is 20 % larger. Its interval holds the true ratio with
95 % confidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, variance

from gwtui.stats.autocorrelation import effective_size
from gwtui.stats.histogram import CONFIDENCE
from gwtui.stats.paired import pairs_of
from gwtui.stats.significance import Sample, difference

FEWEST_FOR_MEAN = 30
"""Values from which on the mean of a long-tailed latency is near enough to normal for an interval."""
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_SCALE = 1e9
"""Logarithms as integers, of which one is a billionth: so fine are the ratios."""
_LARGEST_LOG = 40.0
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio with its interval; `inf` where the first is 0 and the second is not."""

    value: float
    low: float
    high: float

    @property
    def inverse(self) -> Ratio:
        """That of the reciprocals: of tokens per second where this is of the time per token."""
        return Ratio(1 / self.value, 1 / self.high, 1 / self.low)


def of_percentiles(first: Sample, second: Sample, q: float) -> Ratio:
    """The ratio of two percentiles. Neither sample may be empty.

    The logarithm of a percentile is the percentile of the logarithms, so this is their difference, by the same
    bootstrap that compares the percentiles themselves.
    """
    one, other = _logarithms(first), _logarithms(second)
    found = difference(one, other, q, pairs_of(one, other))
    return Ratio(*(math.exp(each / _SCALE) for each in (found.value, found.low, found.high)))


def _logarithms(sample: Sample) -> Sample:
    return replace(sample, values=[round(math.log(max(value, 1)) * _SCALE) for value in sample.values])


def of_means(first: Sample, second: Sample) -> Ratio | None:
    """The ratio of two means, by the variance of its logarithm (delta method), with what the values lean on each other;
    None where there are too few values."""
    if min(len(first.values), len(second.values)) < FEWEST_FOR_MEAN:
        return None
    one, other = fmean(first.values), fmean(second.values)
    if not one or not other:
        return None
    spread = math.sqrt(_variance(first, one) / one**2 + _variance(second, other) / other**2)
    value, factor = other / one, math.exp(_Z * spread)
    return Ratio(value, value / factor, value * factor)


def _variance(sample: Sample, mean: float) -> float:
    """Of the mean of the values."""
    return variance(sample.values, mean) / effective_size(sample.values, sample.correlation).for_intervals


def of_shares(first: tuple[int, int], second: tuple[int, int]) -> Ratio:
    """The ratio of two shares, each a count and the number it is out of, which is at least 1.

    The score interval (Koopman 1984; Miettinen and Nurminen 1985): all ratios that the counts do not contradict, given
    what the shares most likely are if the ratio is true. It needs no share above 0.
    """
    (k, n), (other, m) = first, second
    one, two = k / n, other / m
    value = two / one if one else math.inf if two else math.nan
    low = 0.0 if not two else _crossing(first, second, _Z)
    high = math.inf if not one else _crossing(first, second, -_Z)
    return Ratio(value, low, high)


def _crossing(first: tuple[int, int], second: tuple[int, int], z: float) -> float:
    """The ratio at which the score, which falls as the ratio grows, is `z`."""
    low, high = -_LARGEST_LOG, _LARGEST_LOG
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _score(first, second, math.exp(middle)) > z:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2)


def _score(first: tuple[int, int], second: tuple[int, int], ratio: float) -> float:
    """How far the counts are from that ratio, in standard errors; above 0: the second share is too large for it."""
    (k, n), (other, m) = first, second
    a, b, c = ratio * (n + m), n + other + ratio * (m + k), k + other
    p = 2 * c / (b + math.sqrt(max(b * b - 4 * a * c, 0.0)))
    q = min(ratio * p, 1.0)
    error = math.sqrt(max(q * (1 - q) / m + ratio**2 * p * (1 - p) / n, 0.0))
    gap = other / m - ratio * k / n
    return gap / error if error else math.copysign(math.inf, gap) if gap else 0.0
