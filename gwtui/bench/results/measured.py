"""The results of a benchmark at one endpoint: latencies of good results, and counts of failures.

Failures have no latency here and every latency is of a success, but failures are not hidden: every percentile is
shown beside the share of failures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from gwtui.apis import kind_of
from gwtui.bench.results.rates import Flights, Rates
from gwtui.bench.results.slo import Attainment, Objective
from gwtui.bench.results.values import Percentile, Values
from gwtui.model import metrics
from gwtui.model.enums import FindingName, Kind, Outcome, Unsent
from gwtui.model.metrics import LATENCIES, SINCE_SENT, Basis, Metric, form_of
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.stats.accuracy import error_of, is_exact, latency, own_lateness, sure
from gwtui.stats.comparison import ComparedSeries
from gwtui.stats.histogram import Histogram, rank

FIGURES = {"median": 0.5, "p5": 0.05, "p75": 0.75, "p80": 0.8, "p95": 0.95}
"""The percentiles of the whole latency in the main table and in files of figures, by name."""


@dataclass(slots=True)
class Failures:
    """All failures of an endpoint with one verdict and one status."""

    verdict: Verdict
    status: int | None
    count: int = 0
    number: int = 0
    """The first of them."""
    trace_id: str = ""
    reason: str = ""


@dataclass(slots=True)
class Measured:
    """One endpoint's results, added up as they come."""

    endpoint: str
    kind: Kind
    metrics: tuple[Metric, ...]
    """What can be measured at it at all."""
    from_planned: bool = False
    """Waits are counted from when a request was due, so a gateway that holds up the next request is not spared."""
    ok: int = 0
    failed: int = 0
    cancelled: int = 0
    local: int = 0
    """Failures of this machine or of gwtui itself, which say nothing of the gateway."""
    tainted: int = 0
    """Results with a latency that gwtui itself may have changed, whatever they are."""
    values: dict[Metric, Values] = field(default_factory=lambda: defaultdict(Values))
    gaps: Histogram = field(default_factory=Histogram)
    """All gaps between reads with content, of all streams."""
    tokens_per_s: list[float] = field(default_factory=list)
    cost_usd: float | None = None
    """What all requests cost together, failures too; None where it is not known of any."""
    max_lateness_ns: int = 0
    no_room: int = 0
    """Started ones that had to wait as the maximum concurrency was used up."""
    own_late: int = 0
    """Started ones that gwtui itself began more than 1 ms after they could have been: of an open loop, no values."""
    max_own_lateness_ns: int = 0
    unsent: Counter[Unsent] = field(default_factory=Counter)
    """Due ones that were never sent, by the reason. They are failed ones, but for those of `Unsent.OWN_LATENESS`."""
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    findings: Counter[FindingName] = field(default_factory=Counter)
    """In how many results each was found."""
    failures: dict[tuple[Verdict, int | None], Failures] = field(default_factory=dict)
    flights: Flights = field(default_factory=Flights)
    """When each request was under way, and the tokens of its answer."""
    attainment: Attainment | None = None
    """How many keep the service level objectives, if there are some about what is measured at it."""

    @property
    def rates(self) -> Rates | None:
        """Per second, from the first counted send to the last counted end; None before anything has ended."""
        return self.flights.rates(offered=self.offered, completed=self.total - self.unsent_failed, good=self.ok)

    @property
    def offered(self) -> int:
        """Requests that were due: started ones and never sent ones."""
        return self.flights.started + self.missed

    @property
    def missed(self) -> int:
        """Due ones that were never sent, for whatever reason."""
        return self.unsent.total()

    @property
    def unsent_failed(self) -> int:
        """Those of them that are the endpoint's failures."""
        return self.missed - self.unsent[Unsent.OWN_LATENESS]

    @property
    def total(self) -> int:
        """Requests that say something of the gateway; those that it kept from being sent are among them."""
        return self.ok + self.failed

    @property
    def fail_share(self) -> float | None:
        return self.failed / self.total if self.total else None

    @property
    def goodput(self) -> int:
        """Requests that keep all objectives; without objectives, good ones."""
        return self.ok if self.attainment is None else self.attainment.kept

    @property
    def goodput_share(self) -> float | None:
        """Of the requests that were due; None where none can be judged."""
        if self.attainment is not None:
            return self.attainment.share(self.total)
        return self.ok / self.total if self.total else None

    @property
    def failure_counts(self) -> dict[str, int]:
        """How often each verdict that is not a good one was given."""
        return {verdict.value: n for verdict, n in self.verdicts.items() if verdict.outcome is not Outcome.OK}

    @property
    def main(self) -> Metric:
        """The latency of the whole: what the table shows."""
        return Metric.RTT if Metric.RTT in self.metrics else Metric.E2E

    @property
    def whole(self) -> Values:
        """The values of that latency."""
        return self.values[self.main]

    @property
    def median_tokens_per_s(self) -> float | None:
        return sorted(self.tokens_per_s)[rank(0.5, len(self.tokens_per_s)) - 1] if self.tokens_per_s else None

    def percentile(self, metric: Metric, q: float) -> Percentile:
        """Of a latency. Gaps of one stream resemble each other, so those of ICL have no interval."""
        if metric is Metric.ICL:
            return Percentile(q, self.gaps.n, self.gaps.quantile(q))
        return self.values[metric].percentile(q)

    def mean_ns(self, metric: Metric) -> int | None:
        if metric is Metric.ICL:
            return round(self.gaps.mean) if self.gaps.mean is not None else None
        return self.values[metric].mean_ns

    def take(self, result: Request | Ping) -> None:
        """Count a result."""
        self.verdicts[result.verdict] += 1
        self.findings.update({finding.name for finding in result.findings})
        self.tainted += result.tainted
        self.flights.take(result)
        if isinstance(result, Request) and result.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + result.cost_usd
        match result.outcome:
            case Outcome.OK:
                self.ok += 1
                self._measure(result)
                if self.attainment is not None:
                    waits = (wait_before_ns(result), own_lateness(result)) if self.from_planned else (0, 0)
                    self.attainment.take(result, *waits)
            case Outcome.FAILED:
                self.failed += 1
                self._fail(result)
            case Outcome.CANCELLED:
                self.cancelled += 1
            case Outcome.LOCAL:
                self.local += 1
                self._fail(result)
        self._start(result)

    def _start(self, result: Request | Ping) -> None:
        own_ns = own_lateness(result)
        self.max_lateness_ns = max(self.max_lateness_ns, result.lateness_ns)
        self.max_own_lateness_ns = max(self.max_own_lateness_ns, own_ns)
        self.no_room += result.room_wait_ns > 0
        self.own_late += not is_exact(own_ns)

    def miss(self, why: Unsent = Unsent.NO_ROOM) -> None:
        """Count a request that was due and never sent."""
        self.unsent[why] += 1
        self.failed += why is not Unsent.OWN_LATENESS

    def _measure(self, result: Request | Ping) -> None:
        at_ms = round(result.started_at * 1000)
        for metric in LATENCIES:
            if (value_ns := latency(result, metric)) is not None:
                from_planned = self.from_planned and metric in SINCE_SENT
                waited_ns, own_ns = (wait_before_ns(result), own_lateness(result)) if from_planned else (0, 0)
                error_ns = error_of(result, metric) + own_ns
                self.values[metric].add(value_ns + waited_ns, at_ms, error_ns, result.number)
            elif metric in self.metrics and _is_left_out(result, metric):
                self.values[metric].leave_out()
        if isinstance(result, Request):
            self.gaps.record_all(result.gaps)
            if result.tokens_per_s is not None and sure(result, Metric.TPOT) is not None:
                self.tokens_per_s.append(result.tokens_per_s)

    def _fail(self, result: Request | Ping) -> None:
        status = result.status
        key = (result.verdict, status)
        if key not in self.failures:
            self.failures[key] = Failures(
                result.verdict, status, 0, result.number, result.trace_id, result.reason or result.rule
            )
        self.failures[key].count += 1


def _is_left_out(result: Request | Ping, metric: Metric) -> bool:
    """Whether a latency between reads was not taken of a stream because its reads were late, although it has several
    tokens. Of answers that do not count them, only the time per token is not expected."""
    if metric.about.basis is Basis.SENT or not result.tainted or not isinstance(result, Request):
        return False
    return metric is not Metric.TPOT if result.output_tokens is None else result.output_tokens > 1


def wait_before_ns(result: Request | Ping) -> int:
    """How long after it was due the last byte of a request was sent; 0 where it was never sent."""
    return 0 if result.sent_ns is None else max(0, result.sent_ns - result.planned_ns)


def metrics_of(endpoint: Endpoint) -> tuple[Metric, ...]:
    """The latencies that can be measured at an endpoint."""
    form = form_of(kind_of(endpoint.api), stream=endpoint.stream)
    return tuple(metric for metric in metrics.metrics_of(form) if metric.is_latency)


def empty(
    endpoints: Sequence[Endpoint], *, from_planned: bool = False, slo: Sequence[Objective] = ()
) -> dict[str, Measured]:
    """Nothing measured yet, in the order of the endpoints."""
    measured = {each.name: Measured(each.name, kind_of(each.api), metrics_of(each), from_planned) for each in endpoints}
    for each in measured.values():
        if mine := tuple(objective for objective in slo if objective.metric in each.metrics):
            each.attainment = Attainment(mine)
    return measured


def series_of(measured: Measured) -> ComparedSeries:
    """What a benchmark has measured, to be compared."""
    samples = {metric: values.sample() for metric, values in measured.values.items() if values.n}
    is_ping = Metric.RTT in measured.metrics
    if is_ping and Metric.RTT in samples:
        samples[Metric.E2E] = samples[Metric.RTT]
    return ComparedSeries(measured.endpoint, samples, measured.ok, measured.total, is_ping)
