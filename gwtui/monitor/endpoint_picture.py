"""The picture of one endpoint at a moment: its row, its panels. Each part is made again only when it changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from gwtui.model.enums import Outcome
from gwtui.model.metrics import Metric
from gwtui.model.query import Window
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.model.view import Cell, EndpointRow, LatencyView, PingView, Quantile, RequestRow
from gwtui.monitor.endpoint_history import COST_UNIT, EndpointStanding, History
from gwtui.monitor.latency_chart import LatencyChart
from gwtui.monitor.series import Counted, LookedAt, longer_than, quantiles, shown_metric
from gwtui.monitor.stream_store import ENDED_PER_ENDPOINT, StreamStore
from gwtui.monitor.table_rows import explained
from gwtui.stats.accuracy import latency
from gwtui.stats.histogram import Histogram, rank, supported
from gwtui.stats.time_buckets import SECOND_NS

SPARKLINE_CELLS = 40
FIGURES = {"p5": 0.05, "p50": 0.5, "p75": 0.75, "p80": 0.8, "p90": 0.9, "p95": 0.95, "p99": 0.99}

_Part = TypeVar("_Part")


class EndpointPicture:
    """Gives the rows and panels of one endpoint."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._chart = LatencyChart(history.kept_results, history.start_ns)
        self._parts: dict[tuple[str, bool], tuple[Any, Any]] = {}
        """By their names and whether they are of now."""

    def row(self, window: Window, metric: Metric, moment: LookedAt) -> EndpointRow:
        """Its row in the table."""
        metric = shown_metric(metric, self.history.form)
        key = self._key(window, metric, moment)
        row = self._cached("row", moment, key, lambda: self._row(window, metric, moment))
        age_ns, next_ns = self.history.age_ns(moment), self.history.due_ns(moment)
        return self._cached(
            "aged row", moment, (key, age_ns, next_ns), lambda: replace(row, age_ns=age_ns, next_ns=next_ns)
        )

    def latency(self, window: Window, metric: Metric, moment: LookedAt, columns: int) -> LatencyView:
        """Its latency panel."""
        metric = shown_metric(metric, self.history.form)
        key = (self._key(window, metric, moment), columns)
        return self._cached("latency", moment, key, lambda: self._latency(window, metric, moment, columns))

    def pings(self, window: Window, moment: LookedAt, columns: int) -> PingView | None:
        """Its ping panel; None if it is not a WebSocket."""
        stats, name = self.history.ping_stats, self.history.endpoint.name
        if stats is None:
            return None
        key = (self._key(window, Metric.RTT, moment), columns)
        view = self._cached(
            "pings",
            moment,
            key,
            lambda: stats.view(name, self.last_ping(moment), self._chart, window, moment.ns, columns),
        )
        oldest = self.streams(moment).longest_running()
        waits_ns = oldest.running_ns(moment.ns) if oldest is not None else 0
        return view if oldest is None or waits_ns < SECOND_NS else replace(view, waiting=(oldest.number, waits_ns))

    def median(self, metric: Metric, window: Window, moment: LookedAt) -> int | None:
        """The median of any of its latencies, in ns; None when it has none or too few values."""
        return quantiles(self.history.figures.histogram(metric, window, moment.ns), (0.5,))[0].value_ns

    def recent(self, metric: Metric, moment: LookedAt) -> tuple[RequestRow, ...]:
        """Its latest probes that had ended, newest first, and those that incidents name."""
        metric = shown_metric(metric, self.history.form)
        return self._cached(
            "recent", moment, self._key(Window.ALL, metric, moment), lambda: self._recent(metric, moment)
        )

    def streams(self, moment: LookedAt) -> StreamStore:
        """Its probes of that moment."""
        store, kept = self.history.stream_store, self.history.kept_results
        if moment.is_now:
            return store
        key = moment.ns, store.recalls
        return self._cached("streams", moment, key, lambda: store.at(moment.ns, kept.number_at(moment.ns)))

    def last_ping(self, moment: LookedAt) -> Ping | None:
        """The ping that had ended last; only what its row in a list says where it is not kept in full."""
        ping = next((each for each in self.streams(moment).results() if isinstance(each, Ping)), None)
        row = next(iter(self.history.kept_results.rows(Metric.RTT, moment.ns, 1)), None)
        if row is None or (ping is not None and ping.number >= row.number):
            return ping
        return Ping(
            endpoint=self.history.endpoint.name,
            number=row.number,
            started_at=row.started_at,
            now_ns=moment.ns,
            verdict=Verdict(row.verdict),
            rule="",
            rtt_ns=row.value_ns,
            trace_id=row.trace_id,
            tainted=row.tainted,
        )

    def _key(self, window: Window, metric: Metric, moment: LookedAt) -> object:
        """Changes with what the parts of that moment are made of. What has passed does not change."""
        if not moment.is_now:
            return window, metric, moment.ns, self.history.endpoint
        return window, metric, self.history.changes, self.history.figures.mark(window, moment.ns)

    def _cached(self, name: str, moment: LookedAt, key: object, make: Callable[[], _Part]) -> _Part:
        kept = self._parts.get((name, moment.is_now))
        if kept is None or kept[0] != key:
            kept = self._parts[name, moment.is_now] = (key, make())
        part: _Part = kept[1]
        return part

    def _row(self, window: Window, metric: Metric, moment: LookedAt) -> EndpointRow:
        endpoint, figures, kept, at_ns = (
            self.history.endpoint,
            self.history.figures,
            self.history.kept_results,
            moment.ns,
        )
        standing = self.history.standing(moment)
        values = figures.histogram(metric, window, at_ns)
        (p50,) = quantiles(values, (0.5,))
        (p95, p95_window), (p99, p99_window) = self._borne(values, metric, (0.95, 0.99), window, at_ns)
        mean, total = values.mean, values.total if values.n else None
        cost = figures.histogram(Metric.COST, window, at_ns)
        good, failed = (figures.count(each, window, at_ns) for each in (Counted.GOOD, Counted.FAILED))
        speed = figures.histogram(Metric.TOKENS_PER_S, window, at_ns).quantile(0.5)
        last = standing.last
        row = EndpointRow(
            name=endpoint.name,
            api=endpoint.api,
            kind=self.history.kind,
            state=standing.state,
            metric=metric,
            last_ns=self._last_ns(standing, metric),
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
            verdict="" if last is None else kept.verdict(last).value,
            verdict_run=0 if last is None else kept.run(last),
            note=standing.note,
            in_flight=standing.in_flight,
            missed=standing.missed,
            insecure=endpoint.tls is not None and endpoint.tls.insecure,
            sparkline=figures.sparkline(metric, window, at_ns, SPARKLINE_CELLS, partial(self._cells, metric)),
            held=standing.held,
            held_ns=standing.held_ns,
            verdicts=figures.verdicts(window, at_ns),
            findings=figures.findings(window, at_ns),
            p95_window=p95_window,
            p99_window=p99_window,
        )
        return explained(row, standing.reason, standing.usual, partial(self.median, window=window, moment=moment))

    def _cells(self, metric: Metric, shares: Sequence[tuple[int, int]]) -> Sequence[Cell]:
        """All at once where their results are few, else one by one."""
        if not shares or self._few(metric, shares[0][0], shares[-1][1]) is not None:
            return self.history.kept_results.cells(metric, shares)
        if len(shares) == 1:
            return self.history.figures.cells(metric, shares)
        return [cell for share in shares for cell in self._cells(metric, (share,))]

    def _borne(
        self, values: Histogram, metric: Metric, shares: tuple[float, ...], window: Window, at_ns: int
    ) -> list[tuple[Quantile, Window | None]]:
        """Each percentile over the shortest window, from this one on, that has enough values for it, and which window
        that is where it is another one. Where none has, the number of values of the longest. `shares`: in order."""
        n = values.n
        borne: list[tuple[Quantile, Window | None]] = [
            (quantile, None) for quantile in quantiles(values, shares) if quantile.value_ns is not None
        ]
        for longer in longer_than(window):
            if len(borne) == len(shares):
                return borne
            few = self._few_values(metric, longer, at_ns)
            n = len(few) if few is not None else self.history.figures.count(metric, longer, at_ns)
            if not supported(shares[len(borne)], n):
                continue
            if few is None:
                found = quantiles(self.history.figures.histogram(metric, longer, at_ns), shares)
            else:
                few.sort()
                found = [Quantile(few[rank(q, n) - 1] if supported(q, n) else None, n) for q in shares]
            borne += [(quantile, longer) for quantile in found[len(borne) :] if quantile.value_ns is not None]
        return borne + [(Quantile(None, n), None)] * (len(shares) - len(borne))

    def _few_values(self, metric: Metric, window: Window, at_ns: int) -> list[int] | None:
        """The values of the window, where each is kept and they are few."""
        span = self._few(metric, self.history.figures.start_ns(window, at_ns), at_ns + 1)
        return None if span is None else self.history.kept_results.sure_values(metric, span)

    def _few(self, metric: Metric, begin_ns: int, end_ns: int) -> range | None:
        """The results from one moment to before another, where each value is kept and they are few."""
        return self.history.kept_results.few(begin_ns, end_ns) if metric is not Metric.ICL else None

    def _last_ns(self, standing: EndpointStanding, metric: Metric) -> int | None:
        kept, last = self.history.kept_results, standing.last
        return kept.latency(last, metric) if last is not None and kept.outcome(last) is Outcome.OK else None

    def _latency(self, window: Window, metric: Metric, moment: LookedAt, columns: int) -> LatencyView:
        figures, endpoint, at_ns = self.history.figures, self.history.endpoint, moment.ns
        values = figures.histogram(metric, window, at_ns)
        percentiles = zip(FIGURES, quantiles(values, tuple(FIGURES.values())), strict=True)
        lines = self._chart.lines(metric, window, at_ns, columns)
        return LatencyView(
            endpoint=endpoint.name,
            metric=metric,
            window=window,
            figures=(*percentiles, *((name, Quantile(value, values.n)) for name, value in _further(values))),
            n=values.n,
            failed=figures.count(Counted.FAILED, window, at_ns),
            tainted=figures.count(Counted.TAINTED, window, at_ns),
            start_ns=lines.start_ns,
            end_ns=lines.end_ns,
            dots=lines.dots,
            p50s=lines.p50s,
            p90s=lines.p90s,
            usual_ns=self.history.usual(moment).get(metric),
        )

    def _recent(self, metric: Metric, moment: LookedAt) -> tuple[RequestRow, ...]:
        rows = self.history.kept_results.rows(metric, moment.ns, ENDED_PER_ENDPOINT)
        listed = {row.number for row in rows}
        named = [each for each in self.streams(moment).results() if each.number not in listed]
        return (*rows, *(_request_row(result, metric) for result in named))


def _request_row(result: Request | Ping, metric: Metric) -> RequestRow:
    return RequestRow(
        number=result.number,
        started_at=result.started_at,
        verdict=result.verdict.value,
        value_ns=latency(result, metric) if result.outcome is Outcome.OK else None,
        trace_id=result.trace_id,
        tainted=result.tainted,
    )


def _further(values: Histogram) -> tuple[tuple[str, int | None], ...]:
    """Figures that are no percentiles."""
    mean = values.mean
    return (
        ("max", values.max),
        ("avg", None if mean is None else round(mean)),
        ("total", values.total if values.n else None),
    )
