"""The tables that a benchmark and a comparison print: plain text, with colours where a terminal wants them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gwtui.bench.results.measured import FIGURES, Measured
from gwtui.bench.results.rates import Rates
from gwtui.bench.results.values import Percentile, Values
from gwtui.model.metrics import Metric
from gwtui.stats.comparison import Comparison, FailureComparison
from gwtui.stats.sentences import difference_text, p_text, signed_percent
from gwtui.stats.significance import Difference
from gwtui.text import units
from gwtui.text.tables import TextCell, TextColumn, TextStyle, cells, fitted, line

DETAIL_SHARES = (0.5, 0.95, 0.99)
DOUBT = "~"
DOUBT_LEGEND = f"{DOUBT} marks a percentile of too few requests to rely on"
BEST, MIDDLE, WORST = "green", "yellow", "red"


@dataclass(frozen=True, slots=True)
class TableCell:
    text: str
    worth: float | None = None
    """How good it is among its column: the least is the best. None: it does not compete."""


def grid(headings: Sequence[str], rows: Sequence[Sequence[TableCell]], style: TextStyle) -> list[str]:
    """Lines with ` | ` between the columns, the first one flush left. The best of a column is green, the worst red."""
    styles = [_styles(column, style) for column in zip(*rows, strict=True)]
    painted = [
        [TextCell(cell.text, styles[column][at]) for column, cell in enumerate(row)] for at, row in enumerate(rows)
    ]
    columns = fitted([headings, *painted], [TextColumn(right=at > 0, gap=" | ") for at in range(len(headings))])
    rule = "-+-".join("-" * column.width for column in columns)
    return [line(headings, columns), rule, *(line(row, columns) for row in painted)]


def _styles(column: Sequence[TableCell], style: TextStyle) -> list[Callable[[str], str]]:
    """How each cell of a column is coloured; where fewer than two compete, none is."""
    worths = [cell.worth for cell in column if cell.worth is not None]
    if len(worths) < 2:
        return [str for _ in column]
    best, worst = min(worths), max(worths)
    return [partial(style.coloured, colour=_colour(cell.worth, best, worst)) for cell in column]


def _colour(worth: float | None, best: float, worst: float) -> str | None:
    if worth is None:
        return None
    return BEST if worth == best else WORST if worth == worst else MIDDLE


def latencies(measured: Sequence[Measured], style: TextStyle, *, doubtful: bool = False) -> list[str]:
    """The table of whole latencies, a row per endpoint. One without a success shows none, and is never the best.

    A percentile that n does not support is left out, or if `doubtful` is shown with a `~`.
    """
    cost = ("Cost",) if _priced(measured) else ()
    headings = ("Endpoint", "Average", *(name.capitalize() for name in FIGURES), "Total", *cost, "Success")
    for duration in (units.duration, units.short):
        lines = grid(headings, _latency_rows(measured, duration, doubtful=doubtful), style)
        if cells(lines[0]) <= style.width:
            break
    return [*lines, DOUBT_LEGEND] if any(DOUBT in line for line in lines) else lines


def _priced(measured: Sequence[Measured]) -> bool:
    return any(each.cost_usd is not None for each in measured)


def _latency_rows(
    measured: Sequence[Measured], duration: Callable[[int | None], str], *, doubtful: bool
) -> list[list[TableCell]]:
    # Totals of different numbers of requests say nothing about who is faster.
    alike = len({each.ok for each in measured}) == 1
    priced = _priced(measured)
    rows = []
    for each in measured:
        whole = each.whole
        total_ns = whole.total_ns if whole.n else None
        rows.append(
            [
                TableCell(each.endpoint),
                TableCell(duration(whole.mean_ns), whole.mean_ns),
                *(_quantile(whole, q, duration, doubtful=doubtful) for q in FIGURES.values()),
                TableCell(duration(total_ns), total_ns if alike else None),
                *([TableCell(units.dollars(each.cost_usd), each.cost_usd if alike else None)] if priced else []),
                TableCell(f"{each.ok}/{each.total}", -each.ok / each.total if each.total else None),
            ]
        )
    return rows


def _quantile(values: Values, q: float, duration: Callable[[int | None], str], *, doubtful: bool) -> TableCell:
    found = values.percentile(q)
    if found.value_ns is None or not (found.supported or doubtful):
        return TableCell(units.quantile(None, found.n))
    return TableCell(f"{'' if found.supported else DOUBT}{duration(found.value_ns)}", found.value_ns)


_RATE_HEADINGS = ("Offered/s", "Started/s", "Completed/s", "Good/s", "Never sent", "In flight (max)")
_SHORT_HEADINGS = ("Due/s", "Start/s", "Done/s", "Good/s", "Unsent", "At once")


def rates(measured: Sequence[Measured], style: TextStyle) -> list[str]:
    """What each endpoint reached per second, from its first counted send to its last counted end, and its tokens."""
    found = [(each, each.rates) for each in measured]
    rows = [_rate_row(each.endpoint, rates) for each, rates in found if rates is not None]
    if not rows:
        return []
    for headings in (_RATE_HEADINGS, _SHORT_HEADINGS):
        lines = grid(("Endpoint", "Time", *headings), rows, style)
        if cells(lines[0]) <= style.width:
            break
    tokens = [token_line(each.endpoint, rates) for each, rates in found if rates is not None]
    return [*lines, *filter(None, tokens)]


def _rate_row(name: str, found: Rates) -> list[TableCell]:
    counts = (found.offered, found.started, found.completed, found.good)
    return [
        TableCell(name),
        TableCell(units.duration(found.span_ns)),
        *(TableCell(_per_s(found, number)) for number in counts),
        TableCell(units.count(found.never_sent)),
        TableCell(f"{found.mean_in_flight:.1f} ({units.count(found.max_in_flight)})"),
    ]


def _per_s(found: Rates, number: int) -> str:
    value = found.per_s(number) or 0.0
    return f"{value:.2f}" if value < 10 else units.rate(value)


def token_line(name: str, found: Rates) -> str:
    """Tokens per second, in all and per user; "" where no answer counts its output."""
    if found.output_tokens is None:
        return ""
    cached = "" if found.cached_share is None else f" ({units.share(found.cached_share)} % cached)"
    sent = "" if found.input_tokens is None else f"{units.rate(found.per_s(found.input_tokens))} input{cached} and "
    made = f"{units.rate(found.per_s(found.output_tokens))} output tokens/s"
    each = f"{units.rate(found.output_tokens_per_user)} output tokens/s per request in flight"
    lacks = f"; {units.many(found.uncounted, 'good answer')} without a token count" if found.uncounted else ""
    return f"{name}: {sent}{made}, {each}{lacks}"


def details(measured: Sequence[Measured], style: TextStyle) -> list[str]:
    """Every latency of every endpoint: n, and percentiles with their 95 % intervals, in ms unless they say s."""
    shares = DETAIL_SHARES
    lines = _detail_lines(measured, shares, style)
    if lines and cells(lines[0]) > style.width:
        lines = _detail_lines(measured, shares[:-1], style)
    return lines


def _detail_lines(measured: Sequence[Measured], shares: Sequence[float], style: TextStyle) -> list[str]:
    headings = ("Endpoint", "Latency", "n", *(f"P{q * 100:.0f} ms (95 % interval)" for q in shares), "Max")
    rows = [
        [
            TableCell(each.endpoint),
            TableCell(metric.label),
            TableCell(_number(each, metric)),
            *(TableCell(_with_interval(percentile)) for percentile in percentiles),
            TableCell(units.short(each.percentile(metric, 1.0).value_ns)),
        ]
        for each in measured
        for metric in each.metrics
        if (percentiles := [each.percentile(metric, q) for q in shares])[0].n
    ]
    return grid(headings, rows, style) if rows else []


def _number(each: Measured, metric: Metric) -> str:
    """Of values, and how many are exact where that is not all; of ICL the gaps, all of which are."""
    values = each.values[metric]
    if metric is Metric.ICL or values.exact == values.measured:
        return units.count(each.percentile(metric, 0.5).n)
    return f"{units.count(values.exact)} of {units.count(values.measured)}"


def _with_interval(found: Percentile) -> str:
    if not found.supported:
        return units.quantile(None, found.n)
    if found.low_ns is None:
        return units.short(found.value_ns)
    return f"{units.short(found.value_ns)} ({units.short(found.low_ns)}-{units.short(found.high_ns)})"


def comparisons(
    names: tuple[str, str], failures: FailureComparison | None, found: Sequence[Comparison], style: TextStyle
) -> list[str]:
    """Two endpoints: what failed of each, then every latency they share, a row each; of pairs also their ratio."""
    first, second = names
    paired = any(each.paired is not None for each in found)
    headings = ("Metric", f"{first} p50", f"{second} p50", "difference (95 % interval)", "p95 difference")
    by_pairs = ("in pairs (95 % interval)",) if paired else ()
    rows = [_failed(failures, columns=1 + len(by_pairs))] if failures is not None else []
    rows += [
        [
            TableCell(each.label),
            *_pair(each),
            *_differences(each),
            *([TableCell(_in_pairs(each))] if paired else []),
            *_ranks(each),
        ]
        for each in found
    ]
    return grid((*headings, *by_pairs, f"{first} lower", "p"), rows, style)


def _failed(found: FailureComparison, columns: int) -> list[TableCell]:
    """The row of failures: of these there is a share, no percentile, and the p is Fisher's. `columns` have nothing."""
    one, other = found.shares
    points = f"{(other - one) * 100:+.{1 if abs(other - one) >= 0.00095 else 2}f} points" if one != other else "0"
    shares = (TableCell(f"{units.share(share)} %", share) for share in found.shares)
    nothing = [TableCell(units.MISSING)] * (columns + 1)
    return [TableCell("failures"), *shares, TableCell(points), *nothing, TableCell(p_text(found.p))]


def _pair(found: Comparison) -> tuple[TableCell, TableCell]:
    one, other = (TableCell(units.duration(value), value) for value in found.p50_ns)
    return one, other


def _differences(found: Comparison) -> tuple[TableCell, TableCell]:
    return TableCell(_difference(found.median, found)), TableCell(_difference(found.tail, found))


def _difference(found: Difference | None, of: Comparison) -> str:
    return units.quantile(None, of.least_worth) if found is None else difference_text(found)


def _in_pairs(found: Comparison) -> str:
    """How much longer the second takes within the pairs: `+5.1 (+3.9 to +6.3 %)`."""
    if found.paired is None:
        return units.MISSING
    value, low, high = (signed_percent(each - 1) for each in (found.paired.ratio, found.paired.low, found.paired.high))
    return f"{value} ({low} to {high} %)"


def _ranks(found: Comparison) -> tuple[TableCell, TableCell]:
    return TableCell(f"{found.first_lower * 100:.0f} %"), TableCell(p_text(found.p))
