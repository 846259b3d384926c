"""The state of one endpoint, and the rules that change it. Pure: the time comes with every call.

Each rule of the thresholds has a way in and a calmer way out, and remembers which side it is on:

- down: a number of failures in a row; ended by a number of good results in a row.
- degraded: the share of failures in the window; out below half of it. Failures that were reported as an outage do not
  make it degraded afterwards, but they are part of the reported counts.
- degraded, too: a finding that says so, such as a certificate in its last day; out after some good results without.
- slow: a percentile of the good results in the window, over its limit for a while; out at 80 % of the limit.

The worst rule that holds is the state. A few samples decide no share and no percentile: where the window holds fewer
than a rule needs, the newest ones before it are taken too.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter, deque

from gwtui.apis.http import HTTP
from gwtui.model.enums import Outcome, State
from gwtui.model.metrics import AnswerForm, Metric, own_metric
from gwtui.model.profile import Thresholds
from gwtui.model.records import Finding, Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.stats.accuracy import sure
from gwtui.text.units import duration, elapsed, share

FAILED = {verdict: place for place, verdict in enumerate(Verdict, 1)}
"""Failures as samples; 0 is a good result."""
LEAST = 5
"""Shares and percentiles of fewer samples are not judged."""
MOST = 2000
"""No more samples are kept of a window: a burst must not grow it."""
SAID = frozenset({Verdict.WRONG_BODY, Verdict.UNAVAILABLE})
"""What a health document that is not the wanted one comes to: its reason names the values."""
BAD = (State.SLOW, State.DEGRADED, State.DOWN)


class Recent:
    """The samples of the last `span_ns`, but at least the newest `least` and at most the newest `MOST`."""

    def __init__(self, span_ns: int, least: int) -> None:
        self._span_ns = span_ns
        self.least = min(least, MOST)
        self._samples: deque[tuple[int, int]] = deque()
        self._ordered: list[int] = []

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, now_ns: int, value: int) -> None:
        self._samples.append((now_ns, value))
        insort(self._ordered, value)

    def move(self, now_ns: int) -> None:
        """Let go of what is too old at `now_ns`, and of what is too much."""
        while len(self) > MOST or (len(self) > self.least and self._samples[0][0] < now_ns - self._span_ns):
            self._discard(self._samples.popleft()[1])

    def forget(self, newest: int) -> None:
        """Drop this number of the newest samples."""
        for _ in range(min(newest, len(self))):
            self._discard(self._samples.pop()[1])

    def clear(self) -> None:
        self.forget(len(self))

    def at_least(self, value: int) -> int:
        """How many samples are that high."""
        return len(self) - bisect_left(self._ordered, value)

    def of(self, value: int) -> int:
        """How many samples are just that."""
        return self.at_least(value) - self.at_least(value + 1)

    def percentile(self, percent: float) -> int | None:
        """The nearest-rank percentile; None while there are too few samples for it."""
        if len(self) < self.least:
            return None
        return self._ordered[math.ceil(round(percent * len(self) / 100, 9)) - 1]

    def _discard(self, value: int) -> None:
        del self._ordered[bisect_left(self._ordered, value)]


class EndpointState:
    """Follows one endpoint's results, good and failed ones only."""

    def __init__(self, thresholds: Thresholds, state: State = State.UNKNOWN) -> None:
        self._bad_since_ns: int | None = None
        self.reset(thresholds, state)

    def reset(self, thresholds: Thresholds, state: State) -> None:
        """Forget all results: another thing is judged from here on, or by other rules, or after a pause."""
        self.state = state
        self._thresholds = thresholds
        span_ns = int(thresholds.window_s * 1e9)
        self._failures = Recent(span_ns, LEAST)
        self._all = Recent(span_ns, LEAST)
        """The same with those of an outage: the reported counts."""
        self._outage: Counter[Verdict] = Counter()
        """All failures of the outage that is on, or that was over last."""
        self._cause: tuple[Verdict | None, int] = (None, 0)
        """The verdict of the latest failures, and how many have it in a row."""
        self._reported_causes: frozenset[Verdict] = frozenset()
        self._said = ""
        """Why the latest failure of a plain HTTP endpoint is one: its verdict does not say what of a health document is
        wrong."""
        # A percentile that is always the highest sample would let one slow answer decide.
        self._latencies = Recent(span_ns, max(LEAST, int(100 / (100 - thresholds.slow_percentile)) + 1))
        self._metric = Metric.E2E
        self._failed_run: Counter[Verdict] = Counter()
        self._good_run = 0
        self._seen_good = False
        self._down = self._degraded = self._slow = False
        self._alarm: Finding | None = None
        """The newest finding that degrades, kept until the end of what it did."""
        self._alarm_left = 0
        """Good results without it until it is over; 0: it is."""
        self._over_since_ns: int | None = None

    def add(self, record: Request | Ping) -> None:
        """Take a good or a failed result."""
        now_ns = record.now_ns
        self._all.add(now_ns, FAILED[record.verdict] if record.outcome is not Outcome.OK else 0)
        if record.outcome is Outcome.OK:
            self._good_run += 1
            self._failed_run.clear()
            self._cause = (None, 0)
            self._seen_good = True
            self._metric = metric_of(record, self._thresholds)
            if (value_ns := sure(record, self._metric)) is not None:
                self._latencies.add(now_ns, value_ns)
            self._take_alarm(record.findings)
        else:
            self._failed_run[record.verdict] += 1
            self._said = _said(record)
            self._cause = (record.verdict, self._cause[1] + 1 if record.verdict is self._cause[0] else 1)
            if self._down:
                self._outage[record.verdict] += 1
            self._good_run = 0
        self._judge_down()
        if not self._down:
            self._failures.add(now_ns, FAILED[record.verdict] if record.outcome is not Outcome.OK else 0)

    def judge(self, now_ns: int) -> State:
        """What the state should be at `now_ns`. Enter it with `enter`."""
        self._failures.move(now_ns)
        self._all.move(now_ns)
        self._latencies.move(now_ns)
        self._judge_degraded()
        self._judge_slow(now_ns)
        if self._down:
            return State.DOWN
        if self._degraded or self._alarm_left:
            return State.DEGRADED
        if self._slow:
            return State.SLOW
        return State.UP if self._seen_good else State.UNKNOWN

    def enter(self, state: State, now_ns: int, where: str = "") -> str:
        """Change the state, with the reason; an empty text where that is not news. `where`: the address of a share of
        failures."""
        was, self.state = self.state, state
        if state in BAD:
            self._reported_causes = frozenset(self._failed_run)
            if self._bad_since_ns is None:
                self._bad_since_ns = now_ns
            return self._why(state, now_ns, where)
        if state is not State.UP or self._bad_since_ns is None:
            return ""
        took, self._bad_since_ns = elapsed(now_ns - self._bad_since_ns), None
        text = f"up again after {took}, {self._why(was, now_ns)}"
        self._alarm = None
        return text

    def changed(self) -> str:
        """What to report of an endpoint that is still down: that it now fails in another way; else nothing."""
        verdict, times = self._cause
        if not self._down or verdict is None or verdict in self._reported_causes or times < self._thresholds.down_after:
            return ""
        self._reported_causes = frozenset({verdict})
        before = self._outage - Counter({verdict: times})
        return f"still down, now {times} {verdict} in a row; before {_counted(before)}"

    def _take_alarm(self, findings: tuple[Finding, ...]) -> None:
        """Note a finding that degrades, or that a good result was without it."""
        alarm = next((finding for finding in findings if finding.degrades), None)
        if alarm is not None:
            self._alarm, self._alarm_left = alarm, LEAST
        elif self._alarm_left:
            self._alarm_left -= 1

    def _judge_down(self) -> None:
        if self._down:
            self._down = self._good_run < self._thresholds.up_after
        elif self._failed_run.total() >= self._thresholds.down_after:
            self._down = True
            self._outage = self._failed_run.copy()
            self._failures.forget(self._failed_run.total() - 1)
            self._latencies.clear()

    def _judge_degraded(self) -> None:
        n, failed, limit = len(self._failures), self._failures.at_least(1), self._thresholds.degraded_fail_share
        if self._degraded:
            self._degraded = failed > 0 and failed >= limit / 2 * n
        else:
            enough = n >= LEAST and failed >= self._thresholds.degraded_min_failures
            self._degraded = enough and failed >= limit * n

    def _judge_slow(self, now_ns: int) -> None:
        value_ns = self._latencies.percentile(self._thresholds.slow_percentile)
        limit_ns = _limit_ns(self._thresholds)
        if value_ns is None or limit_ns is None or value_ns <= limit_ns * (0.8 if self._slow else 1):
            self._slow, self._over_since_ns = False, None
            return
        if self._over_since_ns is None:
            self._over_since_ns = now_ns
        if now_ns - self._over_since_ns >= self._thresholds.slow_for_s * 1e9:
            self._slow = True

    def _why(self, state: State, now_ns: int, where: str = "") -> str:
        """The facts of the rule that makes a state, as they are now."""
        if state is State.DEGRADED and self._alarm is not None and not self._degraded:
            words = self._alarm.evidence if self._alarm_left else "not found any more"
            return f"{self._alarm.name}: {words}"
        if state is State.DEGRADED:
            verdicts = Counter({verdict: self._all.of(place) for verdict, place in FAILED.items()})
            return _share(verdicts, len(self._all)) + where + self._said * bool(verdicts.total())
        if state is State.SLOW:
            return self._latency_facts(now_ns)
        if self._failed_run:
            return _run(self._failed_run) + self._said
        after = f" after {_counted(self._outage)}" if self._outage else ""
        return f"{self._good_run} good in a row{after}"

    def _latency_facts(self, now_ns: int) -> str:
        thresholds, n = self._thresholds, len(self._latencies)
        value_ns = self._latencies.percentile(thresholds.slow_percentile)
        limit_ns = _limit_ns(thresholds)
        text = f"p{thresholds.slow_percentile:g} {self._metric.label} {duration(value_ns)}"
        if value_ns is None or limit_ns is None or self._over_since_ns is None or value_ns <= limit_ns:
            return f"{text} (n {n})"
        return f"{text} over {duration(limit_ns)} for {duration(now_ns - self._over_since_ns)} (n {n})"


def _limit_ns(thresholds: Thresholds) -> int | None:
    return None if thresholds.slow_over_ms is None else int(thresholds.slow_over_ms * 1e6)


def _said(record: Request | Ping) -> str:
    is_plain = isinstance(record, Request) and record.api == HTTP.name
    return f" ({record.reason})" if is_plain and record.verdict in SAID and record.reason else ""


def _share(verdicts: Counter[Verdict], n: int) -> str:
    """`2 of 9 truncated (22.2 %)`, or `3 of 9 failed (33.3 %): 2 reset, 1 truncated`."""
    failed = verdicts.total()
    if not failed:
        return f"0 of {n} failed"
    percent = f"({share(failed / n)} %)"
    parts = [(times, verdict) for verdict, times in verdicts.most_common() if times]
    if len(parts) == 1:
        return f"{failed} of {n} {parts[0][1]} {percent}"
    return f"{failed} of {n} failed {percent}: {', '.join(f'{times} {verdict}' for times, verdict in parts)}"


def _counted(verdicts: Counter[Verdict]) -> str:
    """`7 refused`, or `7 failed: 4 refused, 3 unavailable`."""
    parts = [f"{times} {verdict}" for verdict, times in verdicts.most_common()]
    return parts[0] if len(parts) == 1 else f"{verdicts.total()} failed: {', '.join(parts)}"


def _run(verdicts: Counter[Verdict]) -> str:
    """`3 truncated in a row`, or `3 failed in a row: 2 reset, 1 truncated`."""
    failed, _, parts = _counted(verdicts).partition(":")
    return f"{failed} in a row{':' * bool(parts)}{parts}"


def metric_of(record: Request | Ping, thresholds: Thresholds) -> Metric:
    """The latency that makes this kind of endpoint slow."""
    if thresholds.slow_metric is not None:
        return thresholds.slow_metric
    if isinstance(record, Ping):
        return own_metric(AnswerForm.PONG)
    return own_metric(AnswerForm.STREAM if record.stream else AnswerForm.WHOLE)
