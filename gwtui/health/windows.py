"""The results of the last seconds, never too few and never too many of them. Pure: the time comes with every call."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, deque

from gwtui.model.verdicts import Verdict
from gwtui.stats.histogram import rank

LEAST = 5
"""Shares and percentiles of fewer results are not judged: where the window holds fewer, the newest before it count."""
MOST = 2000
"""No more results are kept of a window: a burst must not grow it."""


class Outcomes:
    """The failures, by verdict, among the results of the last `span_ns`."""

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._results: deque[tuple[int, Verdict | None]] = deque()
        self.failures: Counter[Verdict] = Counter()

    def __len__(self) -> int:
        return len(self._results)

    @property
    def failed(self) -> int:
        """The number of failures."""
        return self.failures.total()

    def add(self, now_ns: int, failure: Verdict | None) -> None:
        """Take a result, None for a good one, and let go of what is too old or too much."""
        self._results.append((now_ns, failure))
        if failure is not None:
            self.failures[failure] += 1
        while len(self) > MOST or (len(self) > LEAST and self._results[0][0] < now_ns - self._span_ns):
            self._discard(self._results.popleft()[1])

    def forget(self, newest: int) -> None:
        """Drop this number of the newest results."""
        for _ in range(min(newest, len(self))):
            self._discard(self._results.pop()[1])

    def _discard(self, failure: Verdict | None) -> None:
        if failure is not None:
            self.failures[failure] -= 1
            if not self.failures[failure]:
                del self.failures[failure]


class WindowPercentile:
    """A percentile of the values of the last `span_ns`; nearest rank."""

    def __init__(self, span_ns: int, percent: float) -> None:
        self._span_ns = span_ns
        self._share = percent / 100
        # One that is always the largest value would let a single slow answer decide.
        self._least = min(max(LEAST, int(100 / (100 - percent)) + 1), MOST)
        self._values: deque[tuple[int, int]] = deque()
        self._ordered: list[int] = []

    def __len__(self) -> int:
        return len(self._values)

    def add(self, now_ns: int, value: int) -> None:
        """Take a value, and let go of what is too old or too much."""
        self._values.append((now_ns, value))
        insort(self._ordered, value)
        while len(self) > MOST or (len(self) > self._least and self._values[0][0] < now_ns - self._span_ns):
            del self._ordered[bisect_left(self._ordered, self._values.popleft()[1])]

    def clear(self) -> None:
        self._values.clear()
        self._ordered.clear()

    @property
    def value(self) -> int | None:
        """None while there are too few values for it."""
        if len(self) < self._least:
            return None
        return self._ordered[rank(self._share, len(self)) - 1]
