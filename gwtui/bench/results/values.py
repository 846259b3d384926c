"""Latencies of one kind at one endpoint: those that are exact enough to count, and their percentiles."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from gwtui.stats.accuracy import in_doubt, is_exact
from gwtui.stats.histogram import interval, rank, supported
from gwtui.stats.significance import Sample, worth


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile that happened, with its 95 % confidence interval where n supports one."""

    q: float
    n: int
    value_ns: int | None
    low_ns: int | None = None
    high_ns: int | None = None

    @property
    def supported(self) -> bool:
        return supported(self.q, self.n)


EXACT_SHARE = 0.5
"""If fewer of the values are exact, too few are left to represent all."""


class _Kept:
    """Latencies in the order they came, each with when it was measured and its request number."""

    __slots__ = ("at_ms", "ns", "turns")

    def __init__(self) -> None:
        self.ns, self.at_ms, self.turns = array("q"), array("q"), array("q")

    def add(self, value_ns: int, at_ms: int | None, turn: int | None) -> None:
        self.ns.append(value_ns)
        if at_ms is not None:
            self.at_ms.append(at_ms)
        if turn is not None:
            self.turns.append(turn)

    def sample(self) -> Sample:
        """Times and request numbers count only where every value has one."""
        n = len(self.ns)
        at_ms, turns = (known if len(known) == n else None for known in (self.at_ms, self.turns))
        return Sample(self.ns, at_ms, turns)


class Values:
    """Latencies of one kind, in the order they came.

    Those that are exact within 1 ms are what counts. Where less than half of all are, this machine was too slow: then
    all count that are not in doubt, and `too_slow` says so.
    """

    __slots__ = ("_exact", "_sorted", "_sure", "in_doubt")

    def __init__(self) -> None:
        self._exact, self._sure = _Kept(), _Kept()
        """The exact ones are among the sure ones."""
        self.in_doubt = 0
        self._sorted: list[int] | None = None

    def add(self, value_ns: int, at_ms: int | None, error_ns: int = 0, turn: int | None = None) -> None:
        """`at_ms`: when it was measured, in ms since the epoch; None: not known. `error_ns`: how far the value may be
        from the truth. `turn`: its request number, where that is known."""
        self._sorted = None
        if in_doubt(value_ns, error_ns):
            self.in_doubt += 1
            return
        self._sure.add(value_ns, at_ms, turn)
        if is_exact(error_ns):
            self._exact.add(value_ns, at_ms, turn)

    def leave_out(self) -> None:
        """Count a value that could not be taken, because what it is made of was in doubt."""
        self._sorted = None
        self.in_doubt += 1

    @property
    def measured(self) -> int:
        """The number of all, those in doubt too."""
        return len(self._sure.ns) + self.in_doubt

    @property
    def exact(self) -> int:
        """The number of those that are exact within 1 ms."""
        return len(self._exact.ns)

    @property
    def too_slow(self) -> bool:
        """Whether too few are exact to represent all."""
        return self.exact < EXACT_SHARE * self.measured

    @property
    def _counted(self) -> _Kept:
        return self._sure if self.too_slow else self._exact

    @property
    def ns(self) -> array[int]:
        """Those that count."""
        return self._counted.ns

    @property
    def n(self) -> int:
        return len(self.ns)

    @property
    def total_ns(self) -> int:
        return sum(self.ns)

    @property
    def mean_ns(self) -> int | None:
        return round(self.total_ns / self.n) if self.n else None

    @property
    def sorted(self) -> list[int]:
        if self._sorted is None:
            self._sorted = sorted(self.ns)
        return self._sorted

    def percentile(self, q: float) -> Percentile:
        """By nearest rank, with the interval from order statistics, wider where values lean on each other."""
        if not self.n:
            return Percentile(q, 0, None)
        value = self.sorted[rank(q, self.n) - 1]
        ranks = interval(q, self.n, worth(Sample(self.ns), value))
        if ranks is None:
            return Percentile(q, self.n, value)
        return Percentile(q, self.n, value, self.sorted[ranks[0] - 1], self.sorted[ranks[1] - 1])

    def sample(self) -> Sample:
        """Those that count, to be compared."""
        return self._counted.sample()
