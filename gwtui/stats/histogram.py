"""Percentiles that really happened, in little memory, and how many values it takes to believe one.

A `Histogram` counts values in buckets that are at most 1/128 of their value wide, so a percentile is never more than
0.8 % too high, whatever the values are; where less will do, in wider ones. Each bucket also keeps the largest value
it saw: what is reported is always a value that happened, and the exact one as long as its bucket holds no other. Values
are int nanoseconds here, but nothing depends on the unit.
"""

from __future__ import annotations

import itertools
import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

CONFIDENCE = 0.95
"""What an interval around a percentile must cover for the percentile to be shown."""

DIGITS = 8
"""The number of binary digits of a value that give its bucket: 0.8 %."""
COARSE = 6
"""The same for a quarter of the memory: 3.2 %."""

_LARGEST_VALUE = (1 << 63) - 1


class Histogram:
    """Counts of values >= 0. Smaller values are taken as 0, values over 2**63 - 1 as that."""

    __slots__ = ("_counts", "_digits", "_largest", "_smallest", "n", "total")

    def __init__(self, digits: int = DIGITS) -> None:
        # Two parallel arrays with an entry per bucket in use, in order: 10 bytes each, 16 once a count needs more than
        # two of them, and nothing to sort when asked.
        self._largest = array("Q")
        self._counts = array("H")
        self._digits = digits
        self._smallest: int | None = None
        self.n = 0
        """How many values were recorded."""
        self.total = 0
        """Their sum, exact."""

    def record(self, value: int, count: int = 1) -> None:
        """Count a value, `count` times; fewer than once counts nothing."""
        if count < 1:
            return
        value = min(max(value, 0), _LARGEST_VALUE)
        self._put(value, count)
        self.n += count
        self.total += value * count
        if self._smallest is None or value < self._smallest:
            self._smallest = value

    def record_each(self, values: Iterable[int]) -> None:
        """Count many values: the same as one after the other, and a good deal faster."""
        ordered = sorted(values)
        if not ordered:
            return
        if ordered[0] < 0 or ordered[-1] > _LARGEST_VALUE:
            ordered = [min(max(value, 0), _LARGEST_VALUE) for value in ordered]
        at, n = 0, len(ordered)
        grouped: list[tuple[int, int]] = []
        while at < n:  # all values of the same number of binary digits
            digits = ordered[at].bit_length()
            end = bisect_left(ordered, 1 << digits, at)
            same, shift = ordered[at:end], max(digits - self._digits, 0)
            buckets = [value >> shift for value in same]
            largest = dict(zip(buckets, same, strict=True))
            grouped += zip(largest.values(), Counter(buckets).values(), strict=True)
            at = end
        self._put_all(grouped)
        self.n += n
        self.total += sum(ordered)
        if self._smallest is None or ordered[0] < self._smallest:
            self._smallest = ordered[0]

    def record_all(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Count (value, count) pairs, as `compress` makes them: the same as one after the other, and a good deal
        faster."""
        ordered = sorted((min(max(value, 0), _LARGEST_VALUE), count) for value, count in pairs if count >= 1)
        if not ordered:
            return
        self._put_all(self._grouped(ordered))
        self.n += sum(count for _, count in ordered)
        self.total += sum(value * count for value, count in ordered)
        if self._smallest is None or ordered[0][0] < self._smallest:
            self._smallest = ordered[0][0]

    def merge(self, other: Histogram) -> None:
        """Count everything the other one counted: the same as if all had been recorded here."""
        if not self.n and self._digits == other._digits:
            self._largest, self._counts = other._largest[:], other._counts[:]
        else:
            for largest, count in zip(other._largest, other._counts, strict=True):
                self._put(largest, count)
        self.n += other.n
        self.total += other.total
        if other._smallest is not None and (self._smallest is None or other._smallest < self._smallest):
            self._smallest = other._smallest

    def remove(self, other: Histogram, rest: Sequence[Histogram]) -> None:
        """Take out one that was merged in. `rest` are all that stay: they say what the largest values are now."""
        for largest, count in zip(other._largest, other._counts, strict=True):
            at = self._find(largest)
            self._counts[at] -= count
            if not self._counts[at]:
                del self._largest[at], self._counts[at]
            elif self._largest[at] == largest:
                self._largest[at] = max(each.largest_beside(largest) for each in rest)
        self.n -= other.n
        self.total -= other.total
        if other._smallest == self._smallest:
            self._smallest = min((each.min for each in rest if each.min is not None), default=None)

    def quantile(self, q: float) -> int | None:
        """The nearest-rank percentile, x[ceil(q * n)] of the sorted values; None without values."""
        return self.quantiles((q,))[0]

    def quantiles(self, shares: Sequence[float]) -> list[int | None]:
        """Several at once, for little more than the cost of one."""
        if not self.n:
            return [None for _ in shares]
        upto = list(accumulate(self._counts))
        return [self._largest[bisect_left(upto, rank(q, self.n))] for q in shares]

    @property
    def min(self) -> int | None:
        return self._smallest

    @property
    def max(self) -> int | None:
        return self._largest[-1] if self.n else None

    @property
    def mean(self) -> float | None:
        return self.total / self.n if self.n else None

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """What it holds, as (largest value of a bucket, count), in order."""
        return tuple(zip(self._largest, self._counts, strict=True))

    def largest_beside(self, value: int) -> int:
        """The largest value in the bucket that the value belongs to; 0 when it is empty."""
        at = self._find(value)
        return self._largest[at] if at >= 0 else 0

    def _grouped(self, ordered: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """The largest value of each bucket and its count, of pairs in order."""
        grouped: list[tuple[int, int]] = []
        beyond = here = 0
        for value, count in ordered:
            if value < beyond:
                here += count
                grouped[-1] = (value, here)
            else:
                beyond, here = self._beyond(value), count
                grouped.append((value, here))
        return grouped

    def _put_all(self, grouped: Sequence[tuple[int, int]]) -> None:
        """Count the largest values of buckets, in order: where they are few, one by one."""
        if len(grouped) * 8 < len(self._largest):
            for value, count in grouped:
                self._put(value, count)
            return
        if self._largest:
            grouped = self._grouped(sorted([*zip(self._largest, self._counts, strict=True), *grouped]))
        self._largest = array("Q", [value for value, _ in grouped])
        counts = [count for _, count in grouped]
        self._counts = array("H" if max(counts) < 1 << 16 else "Q", counts)

    def _put(self, value: int, count: int) -> None:
        at = self._find(value)
        if at < 0:
            at = ~at
            self._largest.insert(at, value)
            self._counts.insert(at, 0)
        elif value > self._largest[at]:
            self._largest[at] = value
        try:
            self._counts[at] += count
        except OverflowError:
            self._counts = array("Q", self._counts)
            self._counts[at] += count

    def _find(self, value: int) -> int:
        """Where the value's bucket is, or ~(where it belongs) when it is empty.

        A bucket is all values whose first binary digits are the same, so its largest value tells which it is.
        """
        largest = self._largest
        bucket, shift = self._bucket(value)
        at = bisect_left(largest, bucket << shift)
        return at if at < len(largest) and largest[at] >> shift == bucket else ~at

    def _beyond(self, value: int) -> int:
        """The least value that is larger than all of the value's bucket."""
        bucket, shift = self._bucket(value)
        return bucket + 1 << shift

    def _bucket(self, value: int) -> tuple[int, int]:
        """The first binary digits, which all values of a bucket share, and how many follow."""
        shift = max(value.bit_length() - self._digits, 0)
        return value >> shift, shift


def compress(values: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Many values as few (value, count) pairs that record to the same percentiles: one pair per bucket in use."""
    histogram = Histogram()
    histogram.record_each(values)
    return histogram.pairs()


def rank(q: float, n: int) -> int:
    """The nearest rank of a percentile among n >= 1 sorted values, counted from 1: ceil(q * n)."""
    # 0.07 * 100 is 7.000000000000001 in binary; no rank may depend on that.
    return min(max(math.ceil(q * n - 1e-9), 1), n)


def supported(q: float, n: int) -> bool:
    """Whether n values can bound that percentile from both sides with 95 % confidence.

    The widest interval that order statistics give is from the least to the greatest value, and it covers the
    percentile with probability 1 - q**n - (1 - q)**n (Hahn & Meeker, Statistical Intervals, 5.2). That takes 6 values
    for p50, 29 for p90, 59 for p95, 299 for p99 and 2995 for p99.9.
    """
    return 1 - q**n - (1 - q) ** n >= CONFIDENCE


def least_n(q: float) -> int:
    """The fewest values that support that percentile, 0 < q < 1."""
    rarer = max(q, 1 - q)
    n = max(1, math.floor(math.log(1 - CONFIDENCE) / math.log(rarer)) - 1)
    return next(each for each in itertools.count(n) if supported(q, each))


def interval(q: float, n: int, worth: int | None = None) -> tuple[int, int] | None:
    """The ranks (l, u) whose values hold the percentile between them with at least 95 % confidence.

    Counted from 1. Distribution-free, from the binomial (Hahn & Meeker, 5.2): at most 2.5 % is left out at each end, or
    where n is too small for that at one end, what it cannot leave out there is added at the other. None where
    n does not support the percentile at all. `worth`: the number of independent values that n values which lean on
    each other are worth; the interval is the one of that number, laid over n.
    """
    known = n if worth is None else min(worth, n)
    if not supported(q, known):
        return None
    lower, upper = _ranks(q, known)
    if known == n:
        return lower, upper
    scale = (n + 1) / (known + 1)
    return max(1, math.floor(lower * scale)), min(n, math.ceil(upper * scale))


def _ranks(q: float, n: int) -> tuple[int, int]:
    left_out = 1 - CONFIDENCE
    lower = _rank_above(q, n, left_out / 2)
    upper = n + 1 - _rank_above(1 - q, n, left_out / 2)
    if upper > n:
        return max(_rank_above(q, n, left_out - q**n), 1), n
    if lower < 1:
        return 1, min(n + 1 - _rank_above(1 - q, n, left_out - (1 - q) ** n), n)
    return lower, upper


def _rank_above(q: float, n: int, tail: float) -> int:
    """The greatest rank r with P(B < r) <= tail, for B binomial(n, q); 0 when even P(B = 0) is more."""
    spread = math.sqrt(n * q * (1 - q))
    r = max(0, math.floor(n * q - 12 * spread) - 30)  # below this nothing that counts is left
    below = 0.0
    while r <= n:
        below += _binomial(r, n, q)
        if below > tail:
            break
        r += 1
    return r


def _binomial(k: int, n: int, q: float) -> float:
    """P(B = k) for B binomial(n, q), 0 < q < 1."""
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(q) + (n - k) * math.log1p(-q))
