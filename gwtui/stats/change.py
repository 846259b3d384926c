"""When a sequence of results says that something has changed: sequential tests for slowness and for failures.

A test looks at each result once, when it comes, and keeps a sum that evidence raises and ordinary results lower, never
below 0 (CUSUM; Page, Continuous inspection schemes, 1954). At a limit it reports a change, and the last time at which
the sum was 0 is the best guess when that began. No test is much faster at the same number of false alarms (Lorden,
Procedures for reacting to a change in distribution, 1971). Pure: no clock, only the order of results counts.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from gwtui.stats.histogram import rank

LEAST_RATIO = 1.3
"""Smaller slowdowns are not worth a report."""
KNOWN_FROM = 100
"""A usual from fewer results is hardly known: it takes a slowdown by `UNKNOWN_RATIO`."""
UNKNOWN_RATIO = 3.0

# The figures of the tests are chosen with `python -m tests.bench states`, which prints delays and false alarms.
_HIGHEST_SCORE = 5.0
_BEYOND = 1.5
"""A score is at most this many times the highest that the usual can have: no single result decides alone, however slow,
and the fewer are known, the less it says that none of them was that slow."""
_TAIL = 0.5
"""How much a logarithmic distance beyond the largest usual value adds, in units of the usual's own upper spread."""
_LEAST_SPREAD = 0.05
"""A usual whose values are all the same has no spread of its own: 5 %."""
_RECENT = 64
"""The median since a change began is of the last results, at most this number."""
_UNSURE = 3.0
"""A usual from n results is off by about 1/sqrt(n) standard deviations: this many of those are allowed for."""
_STEADY = 32
"""The size of the shift is the mean of about this number of results."""
_SHIFT_RANGE = (0.8, 2.0)
"""Sizes of shifts that the way out is measured by: what became better, but not well, stays slow."""
_WELL = 6.0
"""The way out: ln of how much more likely results are if all is well than if nothing changed."""
_MOST_CALM = 1.25
"""On the way out a result counts as at most this far below the middle between usual and slow: one very fast result says
little more than an ordinary one."""

_FAR_RATIO = 4.0
"""From this ratio on a result within a third of the way from the usual to what was slow, in logarithms, is ordinary:
its rank among few values, or among values that hardly differ, says nothing about how far away slow is."""

_ASSUMED = (2, 400)
"""Counted to what is known: failures among results, 0.5 %. A usual without failures is no promise of none."""
_LEAST_SHARE = 0.0005
_MOST_SHARE = 0.5
_BAD_SHARES = (0.5, 0.2, 0.05)
"""Shares of failures that are tested against the usual one."""
_OVER_SHARES = (0.05, 0.2)
"""The way out is from a share in this range: it takes about 120 good results, or 27."""
_LEAST_ODDS = 4.0
"""Where much fails as usual: a share is bad from this many times the usual odds."""
_LEAST_FAILURES = 3
_FAILURES_LIMIT = 11.5
"""ln of about the number of results between two false alarms."""
_FAILURES_OVER = 6.0
"""The way out: the same as `_WELL`."""
_STEADY_SHARE = 64
"""The share of failures on the way out is of about this number of results."""


class RankScores:
    """Scores of values by their rank within the usual: standard normal while all is as usual, whatever its shape."""

    def __init__(self, pairs: Iterable[tuple[int, int]], correlation: float = 0.0) -> None:
        """`pairs` are (value, count) in order, as of `stats.histogram`; `correlation` is lag-1, -1 to 1.

        Where one result follows the one before, sums of scores stray further: by sqrt((1+r)/(1-r)), which is taken out.
        """
        known = [(value, count) for value, count in pairs if count > 0]
        self._values = [value for value, _ in known]
        self.n = sum(count for _, count in known)
        """How many results the usual is from."""
        r = min(max(correlation, 0.0), 0.95)
        self._scale = math.sqrt((1 - r) / (1 + r))
        normal, below, scores = NormalDist(), 0, []
        for _, count in known:
            scores.append(normal.inv_cdf((below + count / 2) / self.n))
            below += count
        self._scores = [score * self._scale for score in scores]
        self._top = scores[-1] if scores else 0.0
        self._highest = min(_BEYOND * normal.inv_cdf(1 - 0.5 / self.n), _HIGHEST_SCORE) if known else 0.0
        self.p50 = self._median(known)
        """The median of the usual; 0 without values."""
        self._log_largest = math.log(max(self._values[-1], 1)) if known else 0.0
        upper = self._log_largest - math.log(max(self.p50, 1))
        self._spread = max(upper / self._top if self._top > 0 else 0.0, _LEAST_SPREAD)

    def of(self, value: int) -> float:
        """The score of a value; 0 where nothing is known."""
        at = bisect_left(self._values, value)
        if at < len(self._scores):
            return self._scores[at]
        if not self.n:
            return 0.0
        beyond = (math.log(max(value, 1)) - self._log_largest) / self._spread
        return min(self._top + _TAIL * beyond, self._highest) * self._scale

    def _median(self, known: list[tuple[int, int]]) -> int:
        left = rank(0.5, self.n) if self.n else 0
        for value, count in known:
            left -= count
            if left <= 0:
                return value
        return 0


class Cusum:
    """A sum that scores above the allowance raise and others lower, between 0 and its limit."""

    __slots__ = ("allowance", "level", "limit", "run")

    def __init__(self, allowance: float, limit: float) -> None:
        self.allowance = allowance
        self.limit = limit
        self.level = 0.0
        self.run = 0
        """The number of results since it was 0."""

    def add(self, score: float) -> bool:
        """Take a score; whether the limit is reached."""
        level = self.level + score - self.allowance
        if level <= 0:
            self.level, self.run = 0.0, 0
            return False
        self.run += 1
        self.level = min(level, self.limit)
        return level >= self.limit

    def clear(self) -> None:
        self.level, self.run = 0.0, 0


@dataclass(frozen=True, slots=True)
class _Shift:
    """A size of shifts, and what it takes to report one. Allowance and limit are in standard deviations."""

    allowance: float
    """What each score must exceed to count."""
    limit: float
    """Of the sum."""
    window: int
    """The last results, at most this number, decide whether the shift matters."""
    quantile: float
    """Which one of them, counted from the lowest, must be at least `ratio` times the usual median."""
    ratio: float = 1.0


_SHIFTS = (
    _Shift(0.5, 11.5, window=_RECENT, quantile=0.5),  # sees 1.5x
    _Shift(0.9, 8.25, window=5, quantile=0.3, ratio=1.7),  # sees 10x in three results, and nothing in two
)


class LatencyWatch:
    """Whether a latency is slow against its usual, result by result. Deterministic; durations in ns.

    Slow means that the change is beyond chance *and* large enough to matter: the median since it began is at least
    `least_ratio` times the usual and `floor_ns` above it. The less is known of the usual, the more it takes.
    """

    def __init__(
        self,
        values: Iterable[tuple[int, int]],
        correlation: float = 0.0,
        floor_ns: int = 0,
        least_ratio: float = LEAST_RATIO,
    ) -> None:
        """`values`: the usual, as (value in ns, count) in order; `correlation`: lag-1, of their logarithms."""
        self._usual = RankScores(values, correlation)
        n = self._usual.n
        self._least_ratio = least_ratio if n >= KNOWN_FROM else max(least_ratio, UNKNOWN_RATIO)
        self._floor_ns = floor_ns
        unsure = _UNSURE / math.sqrt(n) if n else 0.0
        self._tests = [(shift, Cusum(shift.allowance + unsure, shift.limit)) for shift in _SHIFTS]
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self.slow = False
        self.run = 0
        """The number of results since the shift began, this one included; 0 while not slow."""
        self._shift = 0.0
        self._well = 0.0
        self._well_run = 0

    @property
    def usual_p50_ns(self) -> int:
        return self._usual.p50

    @property
    def p50_ns(self) -> int | None:
        """The median since the shift began, of the last results, without those that already speak for its end.

        None while not slow.
        """
        return self._since(self.run, 0.5) if self.slow else None

    @property
    def ratio(self) -> float | None:
        """`p50_ns` against the usual median. None while not slow."""
        p50_ns = self.p50_ns
        return None if p50_ns is None else p50_ns / max(self._usual.p50, 1)

    def add(self, value_ns: int) -> None:
        """Take the latency of a good result."""
        score = self._usual.of(value_ns)
        self._recent.append(value_ns)
        if self.slow:
            self._stay(score, value_ns)
            return
        reached = [(shift, test) for shift, test in self._tests if test.add(score)]
        for shift, test in reached:
            value_ns = self._since(min(test.run, shift.window), shift.quantile)
            if self._matters(value_ns, max(self._least_ratio, shift.ratio), self._floor_ns):
                self._begin(test)
                return
            if test.run > shift.window:
                test.clear()  # a change too small to matter must not hide the next one

    def clear(self) -> None:
        """Forget all that was seen; the usual stays."""
        self.slow = False
        self.run = self._well_run = 0
        for _, test in self._tests:
            test.clear()

    def _begin(self, test: Cusum) -> None:
        self.slow = True
        self.run = test.run
        self._shift = test.level / test.run + test.allowance
        self._well, self._well_run = 0.0, 0

    def _stay(self, score: float, value_ns: int) -> None:
        self.run += 1
        slow_ns, usual_ns = self._since(self.run - 1, 0.5), self._usual.p50
        if slow_ns >= _FAR_RATIO * usual_ns and value_ns**3 < usual_ns**2 * slow_ns:
            score = min(score, 0.0)
        self._shift += (score - self._shift) / min(self.run, _STEADY)
        shift = min(max(self._shift, _SHIFT_RANGE[0]), _SHIFT_RANGE[1])
        self._well = max(self._well + shift * min(shift / 2 - score, _MOST_CALM), 0.0)
        self._well_run = self._well_run + 1 if self._well else 0
        p50_ns = self._since(self.run, 0.5)
        if self._well >= _WELL or not self._matters(p50_ns, math.sqrt(self._least_ratio), self._floor_ns // 2):
            self.clear()

    def _matters(self, value_ns: int, least_ratio: float, floor_ns: int) -> bool:
        """Whether a value is far enough above the usual."""
        usual_ns = self._usual.p50
        return value_ns >= usual_ns * least_ratio and value_ns - usual_ns >= floor_ns

    def _since(self, run: int, q: float) -> int:
        """A percentile of the last results, at most that number, without those that already speak for the end."""
        known = list(self._recent)[-run:]
        since = sorted(known[: len(known) - self._well_run] or known)
        return since[rank(q, len(since)) - 1]


class FailureWatch:
    """Whether more results fail than usual, result by result. Deterministic.

    It takes at least three failures. The way out takes good results, the fewer the more of them failed.
    """

    def __init__(self, failed: int = 0, good: int = 0) -> None:
        """`failed` and `good`: the usual, in results. Little knowledge counts little: see `usual_share`."""
        share = (failed + _ASSUMED[0]) / (failed + good + _ASSUMED[1])
        self.usual_share = min(max(share, _LEAST_SHARE), _MOST_SHARE)
        """The share of failures that is taken as usual."""
        self._tests = [_Bernoulli(self.usual_share, share) for share in _BAD_SHARES]
        self.degraded = False
        self.run = 0
        """The number of results since the change began, this one included; 0 while not degraded."""
        self.failures = 0
        """How many of them failed."""
        self._share = 0.0
        self._well = 0.0

    def add(self, *, failed: bool) -> None:
        """Take a result."""
        if self.degraded:
            self._stay(failed)
            return
        reached = [test for test in self._tests if test.add(failed)]
        if reached:
            self.degraded = True
            self.run, self.failures = reached[0].sum.run, reached[0].failures
            self._share = self.failures / self.run
            self._well = 0.0

    def clear(self) -> None:
        """Forget all that was seen; the usual stays."""
        self.degraded = False
        self.run = self.failures = 0
        for test in self._tests:
            test.clear()

    def _stay(self, failed: bool) -> None:
        self.run += 1
        self.failures += failed
        self._share += (failed - self._share) / min(self.run, _STEADY_SHARE)
        usual = self.usual_share
        least, most = (_higher(usual, share) for share in _OVER_SHARES)
        bad = min(max(self._share, least), most)
        self._well += math.log(usual / bad) if failed else math.log((1 - usual) / (1 - bad))
        self._well = max(self._well, 0.0)
        if self._well >= _FAILURES_OVER:
            self.clear()


class _Bernoulli:
    """A CUSUM of log-likelihood ratios: a larger share of failures against the usual one."""

    def __init__(self, usual: float, bad: float) -> None:
        bad = _higher(usual, bad)
        self._failed = math.log(bad / usual)
        self._good = math.log((1 - bad) / (1 - usual))
        self.sum = Cusum(0.0, _FAILURES_LIMIT)
        self.failures = 0

    def add(self, failed: bool) -> bool:
        reached = self.sum.add(self._failed if failed else self._good)
        self.failures = self.failures + failed if self.sum.run else 0
        return reached and self.failures >= _LEAST_FAILURES

    def clear(self) -> None:
        self.sum.clear()
        self.failures = 0


def _higher(usual: float, bad: float) -> float:
    """The share to test for: at least `_LEAST_ODDS` times the odds of the usual one."""
    odds = _LEAST_ODDS * usual / (1 - usual)
    return max(bad, odds / (1 + odds))
