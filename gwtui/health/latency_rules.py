"""The rules about latencies: an endpoint is `slow` against what is usual for it, or over the limit that the user set.
Pure."""

from __future__ import annotations

from collections import deque

from gwtui.health.evidence import Onset
from gwtui.health.windows import LEAST, MOST, WindowPercentile
from gwtui.model.enums import Trigger
from gwtui.model.incidents import Cause, CauseKind
from gwtui.model.judged import Usual
from gwtui.model.metrics import Metric, watched_metrics
from gwtui.model.profile import Thresholds
from gwtui.model.records import Ping, Request
from gwtui.model.usual import UsualLatency
from gwtui.stats.accuracy import at_least, form_of_result, latency
from gwtui.stats.change import LatencyWatch
from gwtui.stats.significance import quantile
from gwtui.text.units import duration, times

REMEMBERED = 256
"""Values that another usual is tried on."""
LATEST = 3
"""Values that say what a latency is now that it is no longer slow: most of them are from after that."""
CALM = 0.8
"""The share of the limit that ends `slow` by it."""


def watched(result: Request | Ping, thresholds: Thresholds) -> tuple[Metric, ...]:
    """The latencies that can make this kind of endpoint slow, the most telling first."""
    return watched_metrics(form_of_result(result), thresholds.slow_metric)


class _AgainstUsual:
    """One latency against what is usual for it."""

    def __init__(self, metric: Metric, usual: UsualLatency) -> None:
        self.metric = metric
        self._values: deque[tuple[int, Onset]] = deque(maxlen=REMEMBERED)
        self._latest: deque[int] = deque(maxlen=LATEST)
        self.onset: Onset | None = None
        self.judge_by(usual, anew=True)

    def judge_by(self, usual: UsualLatency, *, anew: bool) -> None:
        """Judge by that usual; `anew`: what was before does not count any more."""
        self._usual = usual
        self._watch = LatencyWatch(usual.values, usual.correlation, self.metric.about.slow_floor_ns)
        before, self._values = self._values, deque(maxlen=REMEMBERED)
        self.onset = None
        if not anew:
            for value_ns, seen in before:
                self.add(value_ns, seen)

    @property
    def slow(self) -> bool:
        return self._watch.slow

    @property
    def ratio(self) -> float:
        return self._watch.ratio or 1.0

    def add(self, value_ns: int, seen: Onset) -> None:
        was = self.slow
        self._values.append((value_ns, seen))
        self._latest.append(value_ns)
        self._watch.add(value_ns)
        if not self.slow:
            self.onset = None
        elif not was:
            self.onset = self._values[-min(self._watch.run, len(self._values))][1]

    def facts(self) -> str:
        """`8x its usual 330 ms`."""
        return f"{times(self.ratio)} its usual {duration(self._usual.p50_ns)}"

    def text(self) -> str:
        """`p50 TTFT 2.70 s, 8x its usual 330 ms (this hour over 7 days)`; where it is well `TTFT now 340 ms, usual
        330 ms`."""
        p50_ns = self._watch.p50_ns
        if p50_ns is None:
            now_ns = quantile(self._latest, 0.5)
            return f"{self.metric.label} now {duration(now_ns)}, usual {duration(self._usual.p50_ns)}"
        return f"p50 {self.metric.label} {duration(p50_ns)}, {self.facts()} ({self._usual.source})"


class _OverLimit:
    """A percentile against the limit that the user set, for as long as the user said."""

    def __init__(self, thresholds: Thresholds, limit_ms: float) -> None:
        self._thresholds = thresholds
        self._limit_ns = int(limit_ms * 1e6)
        self._latencies = WindowPercentile(int(thresholds.window_s * 1e9), thresholds.slow_percentile)
        self._metric = Metric.E2E
        self._now_ns = 0
        self.slow = False
        self.onset: Onset | None = None
        """When it was over the limit first."""

    def add(self, metric: Metric, value_ns: int, seen: Onset) -> None:
        self._metric, self._now_ns = metric, seen.now_ns
        self._latencies.add(seen.now_ns, value_ns)
        percentile_ns = self._latencies.value
        if percentile_ns is None or percentile_ns <= self._limit_ns * (CALM if self.slow else 1):
            self.slow, self.onset = False, None
            return
        if self.onset is None:
            self.onset = seen
        if seen.now_ns - self.onset.now_ns >= self._thresholds.slow_for_s * 1e9:
            self.slow = True

    def clear(self) -> None:
        self._latencies.clear()

    def cause(self) -> Cause:
        return Cause(CauseKind.SLOW, self._metric.value, f"over {duration(self._limit_ns)}")

    def text(self) -> str:
        """`p50 TTFT 6.20 s over 5.00 s for 12.0 s (n 14)`."""
        value_ns, n = self._latencies.value, len(self._latencies)
        text = f"p{self._thresholds.slow_percentile:g} {self._metric.label} {duration(value_ns)}"
        if value_ns is None or self.onset is None or value_ns <= self._limit_ns:
            return f"{text} (n {n})"
        for_ns = self._now_ns - self.onset.now_ns
        return f"{text} over {duration(self._limit_ns)} for {duration(for_ns)} (n {n})"


class Slowness:
    """Whether an endpoint is `slow`, by any of its latencies."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._span_ns = int(thresholds.window_s * 1e9)
        limit_ms = thresholds.slow_over_ms
        self._limit = None if limit_ms is None else _OverLimit(thresholds, limit_ms)
        self._usual: dict[Metric, UsualLatency] = {}
        self._against: dict[Metric, _AgainstUsual] = {}
        self._late: deque[tuple[int, bool]] = deque()
        """Of the good results of the window whether all that is watched of them was in doubt."""
        self._late_n = 0
        self._last: _AgainstUsual | _OverLimit | None = None
        """What is slow, or was until now."""

    def learn(self, usual: Usual, *, anew: bool) -> None:
        """Judge by what is usual from now on; `anew`: what was before it does not count any more.

        What is slow stays so until it is well by what was usual before.
        """
        self._usual = usual.latencies
        for metric, each in list(self._against.items()):
            if each.slow and not anew:
                continue
            if metric in self._usual:
                each.judge_by(self._usual[metric], anew=anew)
            else:
                del self._against[metric]

    def add(self, result: Request | Ping, seen: Onset) -> None:
        """Take a good result."""
        metrics = watched(result, self._thresholds)
        values = {metric: value for metric in metrics if (value := at_least(result, metric)) is not None}
        measured = any(latency(result, metric) is not None for metric in metrics)
        self._note(seen.now_ns, is_late=measured and not values)
        if result.trigger is not Trigger.BURST:  # a usual is of requests one by one
            for metric, value_ns in values.items():
                self._add_value(metric, value_ns, seen)
        if self._limit is not None and (own_ns := values.get(metrics[0])) is not None:
            self._limit.add(metrics[0], own_ns, seen)
        self._last = self._slow() or self._last

    def _note(self, now_ns: int, *, is_late: bool) -> None:
        self._late.append((now_ns, is_late))
        self._late_n += is_late
        since_ns = now_ns - self._span_ns
        while len(self._late) > MOST or (len(self._late) > LEAST and self._late[0][0] < since_ns):
            self._late_n -= self._late.popleft()[1]

    def _add_value(self, metric: Metric, value_ns: int, seen: Onset) -> None:
        against, usual = self._against.get(metric), self._usual.get(metric)
        if against is None and usual is not None:
            against = self._against[metric] = _AgainstUsual(metric, usual)
        if against is None:
            return
        was = against.slow
        against.add(value_ns, seen)
        if was and not against.slow and usual is not None:
            against.judge_by(usual, anew=True)

    def begin_outage(self) -> None:
        """What was before an outage says nothing of the time after it."""
        if self._limit is not None:
            self._limit.clear()

    @property
    def judged(self) -> bool:
        """Whether the times of most results of the window can be believed."""
        return len(self._late) < LEAST or 2 * self._late_n <= len(self._late)

    @property
    def slow(self) -> bool:
        return self._slow() is not None

    @property
    def cause(self) -> Cause | None:
        slow = self._slow()
        if isinstance(slow, _AgainstUsual):
            return Cause(CauseKind.SLOW, slow.metric.value, slow.facts())
        return None if slow is None else slow.cause()

    @property
    def onset(self) -> Onset | None:
        slow = self._slow()
        return None if slow is None else slow.onset

    def _slow(self) -> _AgainstUsual | _OverLimit | None:
        """The latency that is slowest against what is usual, or the limit."""
        slow = [each for each in self._against.values() if each.slow]
        if slow:
            return max(slow, key=lambda each: each.ratio)
        return self._limit if self._limit is not None and self._limit.slow else None

    def text(self) -> str:
        """What is slow, or what became of it."""
        said = self._slow() or self._last
        return "" if said is None else said.text()
