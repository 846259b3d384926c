"""What is known of one endpoint: its figures over time, its latest probes, its state; and its part of the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import msgspec

from gwtui.apis import api_named, kind_of
from gwtui.apis.costs import MOST_USD
from gwtui.apis.requests import models_asked
from gwtui.model.conversation import is_between
from gwtui.model.enums import FindingName, Kind, Outcome, State
from gwtui.model.judged import Usual
from gwtui.model.metrics import LATENCIES, AnswerForm, Metric, form_of
from gwtui.model.profile import Endpoint
from gwtui.model.query import Window
from gwtui.model.records import Heartbeat, Ping, Request
from gwtui.model.view import EndpointRow, LatencyPoint, LatencyView, PingView, Quantile, RequestRow
from gwtui.monitor.kept_results import KeptResults
from gwtui.monitor.latency_chart import LatencyChart
from gwtui.monitor.ping_stats import PingStats
from gwtui.monitor.series import SECOND_NS, MetricSeries, Samples, WordCounts, borne, cells, quantiles, shown_metric
from gwtui.monitor.stream_store import StreamStore
from gwtui.monitor.table_rows import explained, note_of
from gwtui.stats import comparison
from gwtui.stats.accuracy import latency, sure
from gwtui.stats.histogram import Histogram
from gwtui.text.sanitize import clean

SPARKLINE_CELLS = 40
FIGURES = {"p5": 0.05, "p50": 0.5, "p75": 0.75, "p80": 0.8, "p90": 0.9, "p95": 0.95, "p99": 0.99}
TAINTED = "tainted"

COST_UNIT = 1e-9
"""US dollars: a token of the cheapest models costs some ten of it."""
IMPOSSIBLE_SPEED = 1e9
"""Tokens per second from where on a division by nearly nothing is what was measured."""

_Part = TypeVar("_Part")


class History:
    """Takes the results of one endpoint in, and gives rows and panels out. Each is made again only when it changed."""

    def __init__(self, endpoint: Endpoint, start_ns: int) -> None:
        self.stream_store = StreamStore()
        self.kept_results = KeptResults()
        self._endpoint = endpoint
        self._kind = _kind(endpoint)
        self._start_ns = start_ns
        self._state = State.UNKNOWN
        self._reason = ""
        """What the judge said of the state."""
        self._usual: dict[Metric, int] = {}
        """Medians, in ns."""
        self._paused = endpoint.paused
        self._missed = self._held = 0
        self._hold: tuple[int, str] | None = None
        self._due_ns: int | None = None
        self._last: Request | Ping | None = None
        self._run = 0
        self._counted = MetricSeries(start_ns)
        self._whole = Metric.RTT if self._kind is Kind.WEBSOCKET else Metric.E2E
        """The latency that every good result has: its series also counts the failures."""
        self._series = {self._whole: self._counted}
        self._speed = MetricSeries(start_ns)
        self._cost = MetricSeries(start_ns)
        """In units of `COST_UNIT`, of good and failed results."""
        self._verdicts: WordCounts[str] = WordCounts()
        self._findings: WordCounts[FindingName] = WordCounts()
        self._doubts: WordCounts[str] = WordCounts()
        self._samples = Samples()
        self._chart = LatencyChart(self.kept_results, start_ns)
        self._ping_stats = PingStats(start_ns) if self._kind is Kind.WEBSOCKET else None
        self._changes = 0
        self._parts: dict[str, tuple[Any, Any]] = {}

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def is_websocket(self) -> bool:
        return self._ping_stats is not None

    @property
    def form(self) -> AnswerForm:
        return form_of(self._kind, stream=self._endpoint.stream)

    @property
    def state(self) -> State:
        return State.PAUSED if self._paused else self._state

    @property
    def model(self) -> str:
        """The model it asks for; "" while that is not known."""
        asked = self._last.model if isinstance(self._last, Request) else ""
        return self._endpoint.model or asked

    @property
    def models_asked(self) -> tuple[str, ...]:
        """The models of each request, where several are asked at once."""
        api = api_named(self._endpoint.api)
        if api is None or not api.several_models:
            return ()
        return tuple(clean(model, 80) for model in models_asked(self._endpoint, api.default_model))

    def continues_as(self, endpoint: Endpoint) -> bool:
        """Take an edited endpoint over. False when it is another kind of thing, whose figures are not these."""
        if _kind(endpoint) is not self._kind:
            return False
        if endpoint != self._endpoint:
            self._endpoint = endpoint
            self.touch()
        return True

    def touch(self) -> None:
        """Something beside the figures changed, such as what is under way."""
        self._changes += 1

    def enter(self, state: State, was: State | None, reason: str) -> None:
        """Be in a state that was reported. `paused` lies over the state that the results give."""
        if State.PAUSED in (state, was):
            self._paused = state is State.PAUSED
        if state is not State.PAUSED:
            self._state, self._reason = state, reason
        self.touch()

    def learn(self, usual: Usual) -> None:
        """Take what is usual from now on."""
        self._usual = {metric: latency.p50_ns for metric, latency in usual.latencies.items()}
        self.touch()

    def beat(self, beat: Heartbeat) -> None:
        """What the engine says of the endpoint once a second."""
        name, hold = self._endpoint.name, beat.holds.get(self._endpoint.name)
        self._due_ns = beat.due.get(name)
        left = (max(0, hold.until_ns - beat.now_ns), hold.why) if hold is not None else None
        said = (name in beat.paused, beat.missed.get(name, 0), beat.held.get(name, 0), left)
        if said != (self._paused, self._missed, self._held, self._hold):
            self._paused, self._missed, self._held, self._hold = said
            self.touch()

    def add(self, result: Request | Ping) -> None:
        """Take a result that is not a trial."""
        self.touch()
        self.stream_store.end(msgspec.structs.replace(result, gaps=()) if isinstance(result, Request) else result)
        self.kept_results.add(result)
        if isinstance(result, Request) and result.cost_usd is not None and 0 <= result.cost_usd < MOST_USD:
            self._cost.add(result.now_ns, round(result.cost_usd / COST_UNIT))
        if result.outcome is Outcome.CANCELLED:
            return
        if not is_between(result):
            self._run = self._run + 1 if self._last is not None and self._last.verdict is result.verdict else 1
            self._last = result
        self._verdicts.add(result.now_ns, (result.verdict.value,))
        if result.tainted:
            self._doubts.add(result.now_ns, (TAINTED,))
        if result.findings:
            self._findings.add(result.now_ns, {finding.name for finding in result.findings})
        if isinstance(result, Ping) and self._ping_stats is not None:
            self._ping_stats.add(result)
        if result.outcome is Outcome.OK:
            self._state = State.UP if self._state is State.UNKNOWN else self._state
            self._count(result)
        elif result.outcome is Outcome.FAILED:
            self._counted.add_failure(result.now_ns)

    def _count(self, result: Request | Ping) -> None:
        self._samples.add(result)
        if latency(result, self._whole) is not None and sure(result, self._whole) is None:
            self._counted.add_unsure(result.now_ns)
        for metric in LATENCIES:
            if metric is not Metric.ICL and (value := sure(result, metric)) is not None:
                self._of(metric).add(result.now_ns, value)
        if isinstance(result, Ping):
            return
        self._of(Metric.ICL).add_all(result.now_ns, result.gaps)
        speed = result.tokens_per_s if sure(result, Metric.TPOT) is not None else None
        if speed is not None and 0 <= speed < IMPOSSIBLE_SPEED:
            self._speed.add(result.now_ns, round(speed * 1000))

    def _of(self, metric: Metric) -> MetricSeries:
        series = self._series.get(metric)
        if series is None:
            series = self._series[metric] = MetricSeries(self._start_ns)
        return series

    def row(self, window: Window, metric: Metric, now_ns: int) -> EndpointRow:
        """Its row in the table."""
        metric = shown_metric(metric, self.form)
        key = (self._changes, window, metric, self._counted.mark(window, now_ns))
        row = self._cached("row", key, lambda: self._row(window, metric, now_ns))
        age_ns = _full_seconds(now_ns - self._last.now_ns) if self._last is not None else None
        due_ns = self._due_ns if not self._paused else None
        next_ns = None if due_ns is None else _full_seconds(max(0, due_ns - now_ns) + SECOND_NS - 1)
        return self._cached("aged row", (key, age_ns, next_ns), lambda: replace(row, age_ns=age_ns, next_ns=next_ns))

    def latency(self, window: Window, metric: Metric, now_ns: int, columns: int) -> LatencyView:
        """Its latency panel."""
        metric = shown_metric(metric, self.form)
        key = (self._changes, window, metric, columns, self._counted.mark(window, now_ns))
        return self._cached("latency", key, lambda: self._latency(window, metric, now_ns, columns))

    def pings(self, window: Window, now_ns: int, columns: int) -> PingView | None:
        """Its ping panel; None if it is not a WebSocket."""
        stats = self._ping_stats
        if stats is None:
            return None
        key = (self._changes, window, columns, self._counted.mark(window, now_ns))
        name, counted, chart = self._endpoint.name, self._counted, self._chart
        view = self._cached("pings", key, lambda: stats.view(name, counted, chart, window, now_ns, columns))
        oldest = self.stream_store.longest_running()
        waits_ns = oldest.running_ns(now_ns) if oldest is not None else 0
        return view if oldest is None or waits_ns < SECOND_NS else replace(view, waiting=(oldest.number, waits_ns))

    def median(self, metric: Metric, window: Window, now_ns: int) -> int | None:
        """The median of any of its latencies, in ns; None when it has none or too few values."""
        series = self._series.get(metric)
        return None if series is None else quantiles(series.histogram(window, now_ns), (0.5,))[0].value_ns

    def samples(self, now_ns: int) -> comparison.ComparedSeries:
        """Its newest values, to be compared with those of others."""
        good, failed = self._counted.counts(Window.ALL, now_ns)
        return self._samples.series(self._endpoint.name, good, good + failed, is_ping=self.is_websocket)

    def recent(self, metric: Metric) -> tuple[RequestRow, ...]:
        """Its latest probes that ended, newest first."""
        metric = shown_metric(metric, self.form)
        return self._cached("recent", (self._changes, metric), lambda: self._recent(metric))

    def _cached(self, name: str, key: object, make: Callable[[], _Part]) -> _Part:
        kept = self._parts.get(name)
        if kept is None or kept[0] != key:
            kept = self._parts[name] = (key, make())
        part: _Part = kept[1]
        return part

    def _row(self, window: Window, metric: Metric, now_ns: int) -> EndpointRow:
        endpoint, last = self._endpoint, self._last
        series = self._of(metric)
        values = series.histogram(window, now_ns)
        (p50,) = quantiles(values, (0.5,))
        p95, p95_window = borne(series, 0.95, window, now_ns)
        p99, p99_window = borne(series, 0.99, window, now_ns)
        mean, total = values.mean, values.total if values.n else None
        cost = self._cost.histogram(window, now_ns)
        good, failed = self._counted.counts(window, now_ns)
        speed = self._speed.histogram(window, now_ns).quantile(0.5)
        row = EndpointRow(
            name=endpoint.name,
            api=endpoint.api,
            kind=self._kind,
            state=self.state,
            metric=metric,
            last_ns=latency(last, metric) if last is not None and last.outcome is Outcome.OK else None,
            p50=p50,
            p95=p95,
            p99=p99,
            tokens_per_s=None if speed is None else speed / 1000,
            mean_ns=None if mean is None else round(mean),
            total_ns=total,
            cost_usd=cost.total * COST_UNIT if cost.n else None,
            fail_share=failed / (failed + good) if failed + good else None,
            n=failed + good,
            failed=failed,
            verdict="" if last is None else last.verdict.value,
            verdict_run=self._run,
            note=note_of(last, self._hold),
            in_flight=self.stream_store.in_flight,
            missed=self._missed,
            insecure=endpoint.tls is not None and endpoint.tls.insecure,
            sparkline=cells(self._points(window, metric, now_ns, SPARKLINE_CELLS)),
            held=self._held,
            held_ns=self._hold[0] if self._hold is not None else None,
            verdicts=self._verdicts.counts(window, now_ns),
            findings=self._findings.counts(window, now_ns),
            p95_window=p95_window,
            p99_window=p99_window,
        )
        return explained(row, self._reason, self._usual, partial(self.median, window=window, now_ns=now_ns))

    def _latency(self, window: Window, metric: Metric, now_ns: int, columns: int) -> LatencyView:
        values = self._of(metric).histogram(window, now_ns)
        figures = zip(FIGURES, quantiles(values, tuple(FIGURES.values())), strict=True)
        lines = self._chart.lines(metric, window, now_ns, columns)
        return LatencyView(
            endpoint=self._endpoint.name,
            metric=metric,
            window=window,
            points=self._points(window, metric, now_ns, columns),
            figures=(*figures, *((name, Quantile(value, values.n)) for name, value in _further(values))),
            n=values.n,
            failed=self._counted.counts(window, now_ns)[1],
            tainted=dict(self._doubts.counts(window, now_ns)).get(TAINTED, 0),
            start_ns=lines.start_ns,
            end_ns=lines.end_ns,
            dots=lines.dots,
            p50s=lines.p50s,
            p90s=lines.p90s,
            usual_ns=self._usual.get(metric),
        )

    def _points(self, window: Window, metric: Metric, now_ns: int, columns: int) -> tuple[LatencyPoint, ...]:
        """The metric's points, with the failures, which only one series counts."""
        points = self._of(metric).points(window, now_ns, columns)
        failures = self._counted.failures(window, now_ns, columns)
        return tuple(
            replace(point, failed=failed) if failed != point.failed else point
            for point, failed in zip(points, failures, strict=True)
        )

    def _recent(self, metric: Metric) -> tuple[RequestRow, ...]:
        return tuple(
            RequestRow(
                number=result.number,
                started_at=result.started_at,
                verdict=result.verdict.value,
                value_ns=latency(result, metric) if result.outcome is Outcome.OK else None,
                trace_id=result.trace_id,
                tainted=result.tainted,
            )
            for result in self.stream_store.results()
        )


def _further(values: Histogram) -> tuple[tuple[str, int | None], ...]:
    """Figures that are no percentiles."""
    mean = values.mean
    return (
        ("max", values.max),
        ("avg", None if mean is None else round(mean)),
        ("total", values.total if values.n else None),
    )


def _kind(endpoint: Endpoint) -> Kind:
    try:
        return kind_of(endpoint.api)
    except KeyError:  # a feed from another version may name an API that is not known here
        return Kind.COMPLETION


def _full_seconds(ns: int) -> int:
    return ns // SECOND_NS * SECOND_NS
