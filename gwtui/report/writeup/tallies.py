"""What a write-up keeps of results while they go by, in bounded memory. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gwtui.model.enums import Clock, Outcome, Trigger
from gwtui.model.judged import ProbedEndpoint
from gwtui.model.metrics import Metric
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.report.writeup.document import Bucket, ChartDot, Counted, EvidenceResult, Measurement, PhaseFigures
from gwtui.stats.accuracy import latency, sure
from gwtui.stats.histogram import COARSE, Histogram, supported
from gwtui.text.sanitize import clean

MOST_DOTS = 1_500
"""Of one endpoint."""
MOST_EVIDENCE = 5
MOST_KINDS = 200
"""Pairs of an endpoint and a verdict of which the first result is kept."""

_Item = TypeVar("_Item")


class Thinned(Generic[_Item]):
    """Keeps every item, or where they are too many every second, fourth and so on."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._stride = 1
        self._seen = 0
        self.items: list[_Item] = []

    @property
    def left_out(self) -> int:
        return self._seen - len(self.items)

    def add(self, item: _Item) -> None:
        if self._seen % self._stride == 0:
            if len(self.items) == self._limit:
                self.items = self.items[::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                self.items.append(item)
        self._seen += 1


@dataclass(slots=True)
class Tally:
    """Results of one endpoint in one phase, or in one share of the time."""

    good: int = 0
    failed: int = 0
    values: Histogram = field(default_factory=Histogram)
    verdicts: Counter[Verdict] = field(default_factory=Counter)

    def add(self, verdict: Verdict, value_ns: int | None) -> None:
        self.good += verdict.outcome is Outcome.OK
        self.failed += verdict.outcome is Outcome.FAILED
        self.verdicts[verdict] += 1
        if value_ns is not None:
            self.values.record(value_ns)

    def figures(self) -> PhaseFigures:
        p50_ns, p90_ns = self.percentiles()
        return PhaseFigures(
            results=self.good + self.failed,
            failed=self.failed,
            measured=self.values.n,
            p50_ns=p50_ns,
            p90_ns=p90_ns,
            verdicts=counted(self.verdicts),
        )

    def bucket(self, at: float) -> Bucket:
        p50_ns, p90_ns = self.percentiles()
        return Bucket(
            at=at,
            results=self.good + self.failed,
            failed=self.failed,
            p50_ns=p50_ns,
            p90_ns=p90_ns,
            max_ns=self.values.max,
        )

    def percentiles(self) -> tuple[int | None, int | None]:
        """The p50 and the p90, where the number of values supports them."""
        p50_ns, p90_ns = self.values.quantiles((0.5, 0.9))
        n = self.values.n
        return p50_ns if supported(0.5, n) else None, p90_ns if supported(0.9, n) else None


def counted(verdicts: Counter[Verdict]) -> Counted:
    """The most frequent first; of equal ones the first in the alphabet."""
    return tuple(sorted(verdicts.items(), key=lambda each: (-each[1], each[0])))


class EndpointTally:
    """One endpoint: its phases, its shares of the time, and its dots."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.before, self.during, self.after = Tally(), Tally(), Tally()
        self.buckets: dict[int, Tally] = {}
        self.dots: Thinned[ChartDot] = Thinned(MOST_DOTS)
        self.failed_at: Thinned[float] = Thinned(MOST_DOTS)

    def add(self, result: Request | Ping, at: float, phase: Tally, bucket: int) -> None:
        """Take a good or a failed result."""
        is_good = result.outcome is Outcome.OK
        value_ns = sure(result, self.metric) if is_good else None
        phase.add(result.verdict, value_ns)
        share = self.buckets.get(bucket)
        if share is None:
            share = self.buckets[bucket] = Tally(values=Histogram(COARSE))
        share.add(result.verdict, value_ns)
        if not is_good:
            self.failed_at.add(at)
        elif value_ns is not None:
            self.dots.add(ChartDot(at, value_ns))


class EvidencePicker:
    """Picks the results that show best what was wrong: the first failure of each kind, the last, and the slowest."""

    def __init__(self) -> None:
        self._firsts: dict[tuple[ProbedEndpoint, Verdict], EvidenceResult] = {}
        self._early: list[EvidenceResult] = []
        self._last: EvidenceResult | None = None
        self._slowest: list[EvidenceResult] = []

    def add(self, result: Request | Ping, metric: Metric) -> None:
        """Take a good or a failed result of the period."""
        if result.outcome is Outcome.FAILED:
            self._last = made = _evidence(result, metric)
            kind = ((result.vantage, result.endpoint), result.verdict)
            if kind not in self._firsts and len(self._firsts) < MOST_KINDS:
                self._firsts[kind] = made
            elif len(self._early) < MOST_EVIDENCE:
                self._early.append(made)
            return
        value_ns = sure(result, metric) or 0
        slowest = self._slowest
        if len(slowest) < MOST_EVIDENCE or value_ns > (slowest[-1].value_ns or 0):
            slowest.append(_evidence(result, metric))
            slowest.sort(key=lambda each: -(each.value_ns or 0))
            del slowest[MOST_EVIDENCE:]

    def chosen(self, *, slow: bool) -> tuple[EvidenceResult, ...]:
        """In the order of time. `slow`: the slowest good ones belong to it."""
        firsts = list(self._firsts.values())[: MOST_EVIDENCE - 1]
        last = [self._last] if self._last is not None else []
        found: dict[tuple[str, str, int], EvidenceResult] = {}
        for each in (*firsts, *last, *self._early, *(self._slowest if slow else ())):
            if len(found) < MOST_EVIDENCE:
                found.setdefault((each.vantage, each.endpoint, each.number), each)
        return tuple(sorted(found.values(), key=lambda each: (each.at, each.endpoint)))


def _evidence(result: Request | Ping, metric: Metric) -> EvidenceResult:
    request = result if isinstance(result, Request) else None
    return EvidenceResult(
        endpoint=clean(result.endpoint),
        vantage=clean(result.vantage),
        number=result.number,
        at=result.started_at,
        verdict=result.verdict,
        rule=clean(result.rule),
        reason=clean(result.reason, 1_000),
        status=result.status,
        metric=metric.label,
        value_ns=latency(result, metric),
        trace_id=clean(result.trace_id),
        request_id=clean(result.request_id),
        sent_request_id=clean(request.sent_request_id) if request is not None else "",
        answer_id=clean(request.answer_id) if request is not None else "",
        address=clean(result.address),
        provider=clean(request.provider) if request is not None else "",
        headers={clean(name): clean(value) for name, value in result.headers.items()},
    )


class Accuracy:
    """What the times of the results are worth."""

    def __init__(self) -> None:
        self._results = self._tainted = self._not_counted = self._lateness_max_ns = 0
        self._clocks: Counter[Clock] = Counter()
        self._errors = Histogram(COARSE)

    def add(self, result: Request | Ping) -> bool:
        """Take a result; whether it counts: it is good or failed, and no trial."""
        if result.trigger is Trigger.TRIAL:
            return False
        if result.outcome not in (Outcome.OK, Outcome.FAILED):
            self._not_counted += 1
            return False
        self._results += 1
        self._tainted += result.tainted
        self._lateness_max_ns = max(self._lateness_max_ns, result.lateness_ns)
        self._clocks[result.clock] += 1
        if result.error_ns is not None:
            self._errors.record(result.error_ns)
        return True

    def measured(self, intervals_s: tuple[float, ...]) -> Measurement:
        return Measurement(
            results=self._results,
            clocks=tuple(self._clocks.most_common()),
            error_p50_ns=self._errors.quantile(0.5),
            error_max_ns=self._errors.max,
            tainted=self._tainted,
            lateness_max_ns=self._lateness_max_ns,
            not_counted=self._not_counted,
            intervals_s=intervals_s,
        )
