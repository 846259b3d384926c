"""The two CSV files of a benchmark: a row per endpoint, and a row per request, failures included.

The first columns keep their names and places: new ones come to the right. A percentile is written
whenever there is a value, its interval only where n supports one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from gwtui.bench.results.measured import FIGURES, Measured, wait_before_ns
from gwtui.bench.results.rates import Rates
from gwtui.bench.results.values import Percentile
from gwtui.codec.cells import Cell
from gwtui.codec.csv_schema import REQUEST_COLUMNS, Row, ping_row, request_row
from gwtui.model.enums import Unsent
from gwtui.model.metrics import FIRST_FIGURES, LATENCIES, WHOLE, Metric
from gwtui.model.records import Ping, Request
from gwtui.recorder.csvfile import csv_line
from gwtui.text.units import milliseconds

COUNTED_FROM, PLANNED_SEND, ACTUAL_SEND = "counted_from", "planned send", "actual send"

Read = Callable[[Measured], Cell]


def _whole(q: float) -> Read:
    return lambda m: milliseconds(m.whole.percentile(q).value_ns)


def _end(q: float, which: Callable[[Percentile], int | None]) -> Read:
    return lambda m: milliseconds(which(m.whole.percentile(q)))


def _metric(metric: Metric, q: float) -> Read:
    return lambda m: milliseconds(m.percentile(metric, q).value_ns)


def _figures(metrics: Iterable[Metric]) -> dict[str, Read]:
    return {
        f"{metric}_{name}_ms": _metric(metric, q)
        for metric in metrics
        for name, q in (("median", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


def _rate(read: Callable[[Rates], float | None]) -> Read:
    def rounded(measured: Measured) -> Cell:
        found = measured.rates
        value = read(found) if found is not None else None
        return None if value is None else round(value, 3)

    return rounded


def _unsent(why: Unsent) -> Read:
    return lambda m: m.unsent[why]


def _exact(metric: Metric) -> Read:
    """Nothing where the metric was not measured."""
    return lambda m: m.values[metric].exact if m.values[metric].measured else None


def _per_s(name: str, found: Rates) -> float | None:
    return found.per_s(getattr(found, name))


def _goodput_share(measured: Measured) -> Cell:
    share = measured.goodput_share
    return None if share is None else round(share, 6)


def _goodput_per_s(measured: Measured) -> Cell:
    return _rate(lambda r: r.per_s(measured.goodput))(measured)


_AGGREGATE: dict[str, Read] = {
    "endpoint": lambda m: m.endpoint,
    "avg_ms": lambda m: milliseconds(m.whole.mean_ns),
    **{f"{name}_ms": _whole(q) for name, q in FIGURES.items()},
    "total_ms": lambda m: milliseconds(m.whole.total_ns) if m.whole.n else None,
    "successful": lambda m: m.ok,
    "total_requests": lambda m: m.total,
    "failed": lambda m: m.failed,
    "cancelled": lambda m: m.cancelled,
    "own_faults": lambda m: m.local,
    "failures": lambda m: ";".join(f"{verdict}={each}" for verdict, each in sorted(m.failure_counts.items())),
    "latency": lambda m: m.main.value,
    COUNTED_FROM: lambda m: PLANNED_SEND if m.from_planned else ACTUAL_SEND,
    "min_ms": _whole(0.0),
    "p90_ms": _whole(0.9),
    "p99_ms": _whole(0.99),
    "max_ms": _whole(1.0),
    "median_low_ms": _end(0.5, lambda p: p.low_ns),
    "median_high_ms": _end(0.5, lambda p: p.high_ns),
    "p95_low_ms": _end(0.95, lambda p: p.low_ns),
    "p95_high_ms": _end(0.95, lambda p: p.high_ns),
    **_figures(FIRST_FIGURES),
    "median_tokens_per_s": lambda m: None if m.median_tokens_per_s is None else round(m.median_tokens_per_s, 3),
    "max_lateness_ms": lambda m: milliseconds(m.max_lateness_ns),
    "never_sent": lambda m: m.missed,
    "tainted": lambda m: m.tainted,
    **_figures(metric for metric in LATENCIES if metric not in FIRST_FIGURES and metric not in WHOLE),
    "total_cost_usd": lambda m: m.cost_usd,
    "span_s": _rate(lambda r: r.span_ns / 1e9),
    "offered": lambda m: m.offered,
    **{f"{name}_per_s": _rate(partial(_per_s, name)) for name in ("offered", "started", "completed", "good")},
    "mean_in_flight": _rate(lambda r: r.mean_in_flight),
    "max_in_flight": _rate(lambda r: r.max_in_flight),
    "input_tokens_per_s": _rate(partial(_per_s, "input_tokens")),
    "output_tokens_per_s": _rate(partial(_per_s, "output_tokens")),
    "output_tokens_per_s_per_user": _rate(lambda r: r.output_tokens_per_user),
    "cached_tokens": lambda m: m.flights.cached_tokens,
    "cached_share": _rate(lambda r: r.cached_share),
    "no_room": lambda m: m.no_room,
    "own_late": lambda m: m.own_late,
    "max_own_lateness_ms": lambda m: milliseconds(m.max_own_lateness_ns),
    **{f"never_sent_{why.replace(' ', '_')}": _unsent(why) for why in Unsent},
    **{f"{metric}_exact": _exact(metric) for metric in LATENCIES},
    "slo": lambda m: ",".join(each.text for each in m.attainment.objectives) if m.attainment else None,
    "goodput": lambda m: m.goodput,
    "goodput_share": _goodput_share,
    "goodput_per_s": _goodput_per_s,
}
AGGREGATE_COLUMNS = tuple(_AGGREGATE)
BENCH_REQUEST_COLUMNS = (*REQUEST_COLUMNS, "from_planned_ms", "room_wait_ms", COUNTED_FROM)

_PING_NAMES = {"ping_number": "request_number", Metric.RTT.about.column: Metric.E2E.about.column}


def aggregate_lines(measured: Sequence[Measured]) -> list[bytes]:
    """The whole file: heading, then a row per endpoint in their order."""
    return [csv_line(AGGREGATE_COLUMNS), *map(csv_line, map(aggregate_cells, measured))]


def aggregate_cells(measured: Measured) -> list[Cell]:
    """One row of it."""
    return [read(measured) for read in _AGGREGATE.values()]


def request_lines(lines: Iterable[bytes], *, have_points: bool = False) -> list[bytes]:
    """The whole file: heading, then the lines that `request_line` made, all of them with a point or none."""
    return [csv_line((*BENCH_REQUEST_COLUMNS, *(["point"] if have_points else []))), *lines]


def request_line(result: Request | Ping, *, from_planned: bool = False, point: str | None = None) -> bytes:
    """One request as a line, a ping among the columns that it shares with one. `from_planned`: in an open loop
    latencies count from the planned send; they are in the line as measured, and it says so. `point`: that it is of."""
    row = bench_row(result, from_planned=from_planned)
    return csv_line([*(row.get(column) for column in BENCH_REQUEST_COLUMNS), *([] if point is None else [point])])


def bench_row(result: Request | Ping, *, from_planned: bool = False) -> Row:
    """A request's columns by name, how long it took from the planned send to its end, and how much of its lateness it
    waited for room."""
    if isinstance(result, Request):
        row, took_ns = request_row(result), result.duration_ns
    else:
        row = {_PING_NAMES.get(column, column): cell for column, cell in ping_row(result).items()}
        row["api"] = "websocket"
        took_ns = result.rtt_ns
    row[COUNTED_FROM] = PLANNED_SEND if from_planned else ACTUAL_SEND
    row["room_wait_ms"] = milliseconds(result.room_wait_ns)
    row["from_planned_ms"] = None if took_ns is None else milliseconds(took_ns + wait_before_ns(result))
    return row
