"""Charts out of characters: bars in block elements, lines in braille dots. Pure: values in, lines out.

A failure is drawn in the chart, at its time, as `╳`; a time without data is left empty, never bridged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from gwtui.model.view import Cell
from gwtui.text import units
from gwtui.ui.text_layout import Line, Span, fit

BLOCKS = " ▁▂▃▄▅▆▇█"
FAILURE = "╳"
BRAILLE = 0x2800
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Unicode's bits of a braille cell: per column, from the top."""

FULL_RATIO = 4.0
"""A bar is full at no less than this many times the low values, so that ordinary noise stays low."""
HIGH = 0.75
"""Above this share of the full height a bar is drawn as slow."""


def merged(sources: Sequence[Cell], width: int) -> list[Cell]:
    """The same window in `width` cells. Where several fall together the slowest stays, and every failure.

    A cell that is drawn more than once shows its failures only the first time.
    """
    count = len(sources)
    if not count:
        return [Cell()] * width
    if count <= width:
        places = [index * count // width for index in range(width)]
        return [
            Cell(sources[place].value_ns) if index and places[index - 1] == place else sources[place]
            for index, place in enumerate(places)
        ]
    groups = [sources[index * count // width : (index + 1) * count // width] for index in range(width)]
    return [
        Cell(
            value_ns=max((cell.value_ns for cell in group if cell.value_ns is not None), default=None),
            failed=sum(cell.failed for cell in group),
        )
        for group in groups
    ]


def bars(sources: Sequence[Cell], width: int, height: int = 1) -> list[Line]:
    """A bar per share of the window, on a logarithmic scale over the low ones, with the failures in it."""
    if width <= 0:
        return [()] * height
    drawn = merged(sources, width)
    levels = [_level(cell, share, height) for cell, share in zip(drawn, _shares(drawn), strict=True)]
    return [_bar_row(drawn, levels, height, above) for above in range(height - 1, -1, -1)]


def sparkline(sources: Sequence[Cell], width: int) -> Line:
    """`bars` of one line."""
    return bars(sources, width)[0]


def _shares(drawn: Sequence[Cell]) -> list[float | None]:
    """Each value's height between 0 (the lowest eighth of them) and 1; None without a value."""
    values = [cell.value_ns for cell in drawn if cell.value_ns is not None]
    if not values:
        return [None] * len(drawn)
    low = max(1, sorted(values)[len(values) // 8])
    span = math.log(max(max(values) / low, FULL_RATIO))
    return [None if cell.value_ns is None else math.log(max(cell.value_ns, low) / low) / span for cell in drawn]


def _level(cell: Cell, share: float | None, height: int) -> int:
    """How many eighths of a line the bar is high; low values still show."""
    if share is None or cell.failed:
        return 0
    floor = max(2, height)
    return floor + round(share * (8 * height - floor))


def _bar_row(drawn: Sequence[Cell], levels: Sequence[int], height: int, above: int) -> Line:
    pieces: list[Span] = []
    for cell, level in zip(drawn, levels, strict=True):
        if cell.failed:
            pieces.append(Span(FAILURE if above == 0 else " ", "bad"))
        else:
            style = "slow" if level > HIGH * 8 * height else "p50"
            pieces.append(Span(BLOCKS[min(8, max(0, level - 8 * above))], style))
    return _joined(pieces)


def _joined(pieces: Sequence[Span]) -> Line:
    """Neighbours of one style as one span."""
    return tuple(
        Span("".join(span.text for span in group), style) for style, group in groupby(pieces, lambda span: span.style)
    )


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One line of a chart: its name, its style, and a value or None per share of the time."""

    name: str
    style: str
    values: tuple[int | None, ...]


@dataclass(slots=True)
class _Canvas:
    """Braille dots, two by four to a character; a character has the style of what was drawn in it last."""

    width: int
    height: int
    dots: list[list[int]] = field(init=False)
    styles: list[list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.dots = [[0] * self.width for _ in range(self.height)]
        self.styles = [["axis"] * self.width for _ in range(self.height)]

    def dot(self, x: int, y: int, style: str) -> None:
        self.dots[y // 4][x // 2] |= DOTS[x % 2][y % 4]
        self.styles[y // 4][x // 2] = style

    def stroke(self, start: tuple[int, int], end: tuple[int, int], style: str) -> None:
        """A line without holes: each column of dots is filled down or up to the next one's height."""
        (x0, y0), (x1, y1) = start, end
        last = y0
        for x in range(x0, x1 + 1):
            y = y0 + round((y1 - y0) * (x - x0) / (x1 - x0)) if x1 > x0 else y1
            for filled in range(min(last, y), max(last, y) + 1):
                if filled != last or x == x0 or y == last:
                    self.dot(x, filled, style)
            last = y

    def row(self, y: int, empty: str) -> Line:
        return _joined(
            [
                Span(chr(BRAILLE + bits), style) if bits else Span(empty, "axis")
                for bits, style in zip(self.dots[y], self.styles[y], strict=True)
            ]
        )


LABEL = 8
"""Cells for a value on the axis."""
NAME = 4
"""Cells for the name at the end of a line."""


def line_chart(
    series: Sequence[ChartSeries], failed: Sequence[int], times: tuple[str, str], size: tuple[int, int]
) -> list[Line]:
    """Lines over time with a value axis at the left, names at the right and failures on the time axis.

    `series` are drawn in order, so the last one is on top. `times` are the texts at the axis's two ends.
    """
    width, height = size[0] - LABEL - 1 - NAME, size[1] - 1
    if width < 8 or height < 2:
        return []
    values = [value for one in series for value in one.values if value is not None]
    ticks = _ticks(max(values), max(2, height // 4)) if values else []
    high = ticks[-1] if ticks else 1
    canvas = _Canvas(width, height)

    def dot_row(value: int) -> int:
        return round((high - value) / high * (height * 4 - 1))

    for one in series:
        _draw(canvas, one, dot_row)
    labels = {dot_row(tick) // 4: units.duration(tick) if tick else "0" for tick in ticks}
    names = _names(series, dot_row, height)
    lines = [
        (
            Span(fit(labels.get(y, ""), LABEL, right=True), "muted"),
            Span("┤" if y in labels else "│", "axis"),
            *canvas.row(y, "┈" if y in labels else " "),
            names.get(y, Span(" " * NAME)),
        )
        for y in range(height)
    ]
    return [*lines, _time_axis(failed, times, width)]


def _draw(canvas: _Canvas, series: ChartSeries, dot_row: Callable[[int], int]) -> None:
    count = len(series.values)
    before: tuple[int, int] | None = None
    for index, value in enumerate(series.values):
        if value is None:
            before = None
            continue
        here = (int((index + 0.5) * canvas.width * 2 / count), dot_row(value))
        canvas.stroke(before or here, here, series.style)
        before = here


def _names(series: Sequence[ChartSeries], dot_row: Callable[[int], int], height: int) -> dict[int, Span]:
    """Each line's name in the row where it ends, pushed aside where two end in the same."""
    named: dict[int, Span] = {}
    for one in series:
        last = next((value for value in reversed(one.values) if value is not None), None)
        if last is None:
            continue
        wanted = dot_row(last) // 4
        free = sorted((y for y in range(height) if y not in named), key=lambda y: (abs(y - wanted), y))
        if free:
            named[free[0]] = Span(fit(f" {one.name}", NAME), one.style)
    return named


def _time_axis(failed: Sequence[int], times: tuple[str, str], width: int) -> Line:
    marks = [Cell(failed=count) for count in failed]
    pieces = [Span(FAILURE, "bad") if cell.failed else Span("─", "axis") for cell in merged(marks, width)]
    start, end = times
    return (
        Span(fit(start, LABEL, right=True), "muted"),
        Span("└", "axis"),
        *_joined(pieces),
        Span(fit(f" {end}", NAME), "muted"),
    )


def _ticks(high: int, intervals: int) -> list[int]:
    """Round values from 0 to at least `high`."""
    step = _round_step(max(1.0, high / intervals))
    return [round(step * index) for index in range(max(1, math.ceil(high / step)) + 1)]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 or 10 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10, 20) if factor * power >= least)
