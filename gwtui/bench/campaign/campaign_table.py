"""The table of a campaign: its axes as rows and columns, and figure by figure what was measured at each point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gwtui.bench.campaign.campaign import CampaignPoint
from gwtui.bench.results.measured import Measured
from gwtui.model.metrics import HEADLINES, Metric
from gwtui.text import units
from gwtui.text.tables import TextCell, TextColumn, TextStyle, cells, fitted, line

ENDPOINT, PROMPT, MAX_TOKENS, LOAD = "Endpoint", "Prompt", "Max tokens", "Load"
ROWS = (PROMPT, MAX_TOKENS, ENDPOINT, LOAD)
"""In the order of the rows: endpoints that are asked the same are next to each other."""
COLUMNS = (LOAD, MAX_TOKENS, PROMPT, ENDPOINT)
"""The first of these with several values makes the columns."""
FAILED = "red"
LEGEND = "Latencies in ms unless they say s; failures are no part of them. -(n): n results are too few."


def values_of(point: CampaignPoint) -> dict[str, str]:
    """Where a point is, by axis."""
    load = point.load
    return {
        ENDPOINT: point.endpoint.name,
        PROMPT: point.prompt or "",
        MAX_TOKENS: "" if point.max_tokens is None else units.count(point.max_tokens),
        LOAD: f"{units.count(load.concurrency)} at a time" if load.rate is None else f"{load.rate:g}/s",
    }


def axes_lines(points: Sequence[CampaignPoint], measured: Mapping[str, Measured], style: TextStyle) -> list[str]:
    """The table, in several parts below each other where it is wider than the terminal. Where it ended early, without
    the rows of which nothing was measured."""
    values = {point.name: values_of(point) for point in points}
    several = {axis for axis in ROWS if len({each[axis] for each in values.values()}) > 1}
    column = next((axis for axis in COLUMNS if axis in several), ENDPOINT)
    axes = [axis for axis in ROWS if axis in several and axis != column]
    headings = list(dict.fromkeys(each[column] for each in values.values()))
    grid = _Grid(axes, headings)
    for keys in sorted(
        {tuple(each[axis] for axis in axes) for each in values.values()}, key=lambda keys: _first(keys, axes, values)
    ):
        row = {
            values[point.name][column]: measured[point.name]
            for point in points
            if tuple(values[point.name][axis] for axis in axes) == keys
        }
        if any(each.offered for each in row.values()) or not any(each.offered for each in measured.values()):
            grid.add(keys, row, style)
    return [*grid.lines(style), LEGEND]


def _first(keys: Sequence[str], axes: Sequence[str], values: Mapping[str, Mapping[str, str]]) -> tuple[int, ...]:
    """For sorting: values of an axis are in the order of the plan."""
    orders = [list(dict.fromkeys(each[axis] for each in values.values())) for axis in axes]
    return tuple(order.index(key) for order, key in zip(orders, keys, strict=True))


@dataclass(frozen=True, slots=True)
class TableFigure:
    """One line of figures of every group."""

    label: str
    text: Callable[[Measured], str]
    applies: Callable[[Measured], bool] = lambda _: True
    colour: Callable[[Measured], str | None] = lambda _: None


def _latency(metric: Metric) -> TableFigure:
    return TableFigure(
        f"{metric.label} p50 / p95",
        lambda measured: _two_quantiles(measured, metric),
        lambda measured: metric in measured.metrics,
    )


def _two_quantiles(measured: Measured, metric: Metric) -> str:
    found = [measured.percentile(metric, q) for q in (0.5, 0.95)]
    if not found[0].n:
        return units.MISSING
    return " / ".join(units.quantile(each.value_ns if each.supported else None, each.n) for each in found)


def _good_per_s(measured: Measured) -> str:
    rates = measured.rates
    value = None if rates is None else rates.per_s(rates.good)
    return units.MISSING if value is None else f"{value:.2f}" if value < 10 else units.rate(value)


def _tokens_per_s(measured: Measured) -> str:
    rates = measured.rates
    return units.MISSING if rates is None else units.rate(rates.per_s(rates.output_tokens))


def _failed(measured: Measured) -> str:
    if not measured.failed:
        return "0" if measured.total else units.MISSING
    return f"{units.count(measured.failed)} ({units.share(measured.fail_share)} %)"


def _goodput(measured: Measured) -> str:
    """Those that keep all objectives, as a share of those due, and as a rate."""
    rates, share = measured.rates, measured.goodput_share
    per_s = None if rates is None else rates.per_s(measured.goodput)
    return units.MISSING if share is None else f"{units.share(share)} %, {units.rate(per_s)}/s"


FIGURES = (
    *map(_latency, HEADLINES),
    TableFigure("good/s", _good_per_s),
    TableFigure(
        "output tokens/s", _tokens_per_s, lambda measured: measured.rates is None or bool(measured.rates.output_tokens)
    ),
    TableFigure("failed", _failed, colour=lambda measured: FAILED if measured.failed else None),
    TableFigure("goodput", _goodput, lambda measured: measured.attainment is not None),
    TableFigure("cost", lambda measured: units.dollars(measured.cost_usd), lambda each: each.cost_usd is not None),
)
"""From the top of a group to its bottom."""


class _Grid:
    """Rows of cells, and how they are laid out."""

    def __init__(self, axes: Sequence[str], headings: Sequence[str]) -> None:
        self._axes = axes
        self._headings = headings
        self._rows: list[tuple[list[str], list[TextCell]]] = []
        self._last: Sequence[str] = ()

    def add(self, keys: Sequence[str], row: Mapping[str, Measured], style: TextStyle) -> None:
        """The figures of one group of points; what no point of it has is left out."""
        shown = ["" if keys[: at + 1] == self._last[: at + 1] else key for at, key in enumerate(keys)]
        self._last = keys
        for figure in FIGURES:
            if any(figure.applies(each) for each in row.values()):
                found = [self._cell(figure, row.get(heading), style) for heading in self._headings]
                self._rows.append(([*shown, figure.label], found))
                shown = [""] * len(keys)

    @staticmethod
    def _cell(figure: TableFigure, measured: Measured | None, style: TextStyle) -> TextCell:
        if measured is None or not figure.applies(measured):
            return TextCell(units.MISSING)
        colour = figure.colour(measured)
        return TextCell(figure.text(measured), lambda text: style.coloured(text, colour))

    def lines(self, style: TextStyle) -> list[str]:
        """As many columns beside each other as the terminal has room for."""
        found: list[str] = []
        for first, last in self._parts(style.width):
            heading = [*self._axes, "", *self._headings[first:last]]
            rows: list[list[str | TextCell]] = [[*labels, *row[first:last]] for labels, row in self._rows]
            columns = self._columns(heading, rows)
            rule = "-+-".join("-" * column.width for column in columns)
            found += [*([""] if found else []), line(heading, columns), rule, *(line(row, columns) for row in rows)]
        return [each.rstrip() for each in found]

    def _columns(self, heading: Sequence[str], rows: Sequence[Sequence[str | TextCell]]) -> list[TextColumn]:
        labels = len(self._axes) + 1
        return fitted([heading, *rows], [TextColumn(right=at >= labels, gap=" | ") for at in range(len(heading))])

    def _parts(self, width: int) -> Iterator[tuple[int, int]]:
        """From which column to which each part goes."""
        widths = [
            max([cells(heading), *(cells(row[at].text) for _, row in self._rows)]) + 3
            for at, heading in enumerate(self._headings)
        ]
        labels = zip([*self._axes, ""], *(row for row, _ in self._rows), strict=True)
        label_widths = [max(map(cells, column)) for column in labels]
        room = width - sum(label_widths) - 3 * (len(label_widths) - 1)
        first, used = 0, 0
        for at, each in enumerate(widths):
            if at > first and used + each > room:
                yield first, at
                first, used = at, 0
            used += each
        yield first, len(widths)
