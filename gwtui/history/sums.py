"""Latencies as sums that can be added up in any order and grouping, and always come to the same. Pure.

A histogram says what came how often; the sums of products of logarithms say how strongly one result's latency follows
the one before. Both are integers, so that adding is exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import accumulate, chain

import msgspec

from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.stats.histogram import DIGITS, Histogram

LOG_SCALE = 10_000
"""Logarithms are counted in this part of one: 0.01 % of a latency."""
LEAST_FOLLOWING = 20
"""With fewer pairs of results in a row nothing is said of their correlation."""

_ints = msgspec.msgpack.Decoder(list[int])
_encode = msgspec.msgpack.Encoder().encode


class DamagedRowError(ValueError):
    """Bytes that are no packed sums."""


class LatencySums:
    """Latencies of one metric, in ns."""

    __slots__ = ("_following", "histogram")

    def __init__(self, digits: int = DIGITS) -> None:
        """`digits`: how exact the histogram is, as `stats.histogram` has it."""
        self.histogram = Histogram(digits)
        self._following = [0, 0, 0, 0, 0, 0]
        """Of pairs of results in a row: how many, the sums of x, y, x*x, y*y and x*y, as logarithms."""

    def add(self, value_ns: int, before_ns: int | None) -> None:
        """Count a latency; `before_ns` is that of the result before, where there was one."""
        self.histogram.record(value_ns)
        if before_ns is not None:
            x, y = _log(before_ns), _log(value_ns)
            for at, more in enumerate((1, x, y, x * x, y * y, x * y)):
                self._following[at] += more

    def merge(self, other: LatencySums) -> None:
        """Count all that the other one counted: the same as if it had been added here."""
        self.histogram.merge(other.histogram)
        self._following = [mine + its for mine, its in zip(self._following, other._following, strict=True)]

    @property
    def n(self) -> int:
        return self.histogram.n

    @property
    def correlation(self) -> float:
        """Lag-1, of the logarithms, -1 to 1; 0 where too few results came in a row to say."""
        n, x, y, xx, yy, xy = self._following
        spread = (n * xx - x * x) * (n * yy - y * y)
        if n < LEAST_FOLLOWING or spread <= 0:
            return 0.0
        return max(-1.0, min(1.0, (n * xy - x * y) / math.sqrt(spread)))

    def usual(self, source: UsualSource) -> UsualLatency:
        """As what is usual. Needs at least one value."""
        return UsualLatency(
            source=source,
            n=self.n,
            p50_ns=self.histogram.quantile(0.5) or 0,
            values=self.histogram.pairs(),
            correlation=self.correlation,
        )

    def rounded(self, digits: int) -> LatencySums:
        """The same in fewer bytes, less exact."""
        sums = LatencySums(digits)
        sums.histogram.record_all(self.histogram.pairs())
        sums._following = self._following.copy()
        return sums

    def packed(self) -> bytes:
        """All of it in few bytes."""
        values, before = [], 0
        for value, count in self.histogram.pairs():
            values.append((value - before, count))
            before = value
        return _encode([*self._following, *chain.from_iterable(values)])

    @classmethod
    def unpacked(cls, data: bytes) -> LatencySums:
        """The sums in these bytes. Raises DamagedRowError."""
        following, pairs = _unpacked(data)
        sums = cls()
        sums._following = following
        sums.histogram.record_all(pairs)
        return sums

    @classmethod
    def together(cls, packed: Iterable[bytes]) -> LatencySums:
        """All of these added up; damaged ones are left out. Faster than to unpack one after the other."""
        sums, all_pairs = cls(), list[tuple[int, int]]()
        for data in packed:
            try:
                following, pairs = _unpacked(data)
            except DamagedRowError:
                continue
            all_pairs += pairs
            sums._following = [mine + its for mine, its in zip(sums._following, following, strict=True)]
        sums.histogram.record_all(all_pairs)
        return sums


def _unpacked(data: bytes) -> tuple[list[int], list[tuple[int, int]]]:
    try:
        numbers = _ints.decode(data)
    except msgspec.MsgspecError as error:
        raise DamagedRowError(str(error)) from error
    if len(numbers) % 2 or len(numbers) < 6 or any(number < 0 for number in numbers[6:]):
        raise DamagedRowError("not the sums of latencies")
    return numbers[:6], list(zip(accumulate(numbers[6::2]), numbers[7::2], strict=True))


def _log(value_ns: int) -> int:
    return round(math.log(max(value_ns, 1)) * LOG_SCALE)
