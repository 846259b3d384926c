"""A chart over time out of characters: a dot per result, lines, a band and levels over a value axis and a clock. Pure.

Failures stand at the top edge, at their time. What has no value is not drawn: no line is led over it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gwtui.model.view import ChartSpan, Dot
from gwtui.text import units
from gwtui.ui.text_layout import Line, Span, fit, joined
from gwtui.ui.value_axis import Scale, linear, logarithmic

FAILED = "✖"
MARK = "◆"
BRAILLE = 0x2800
BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Unicode's bits of a braille cell: per column, from the top."""

PATTERN = Span("░", "shade")
"""A cell of the band where colours cannot be mixed."""

LABEL = 7
"""Cells for a value on the axis."""
NAME = 6
"""Cells for the name at the end of a line."""
LEAST = (8, 2)
"""Cells and lines without the axes from which on there is a chart."""

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Seconds between two labels of the clock."""

Values = tuple[int | None, ...]
"""One per equal share of the time, in ns."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line: its name, which is also its style, and its values."""

    name: str
    values: Values


@dataclass(frozen=True, slots=True)
class Level:
    """A value that holds for all of the time, as a dashed line."""

    name: str
    style: str
    value_ns: int


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn, between two stamps of the records' clock."""

    start_ns: int
    end_ns: int
    end_at: float
    """The wall time of `end_ns`."""
    curve: Curve
    band: Curve | None = None
    """A second line above the first: what is between the two is shaded."""
    dots: Sequence[Dot] = ()
    levels: Sequence[Level] = ()
    """Each is drawn where it lies within the range of the dots and lines, or close to it."""
    limit_ns: int | None = None
    """Dots above it are drawn as slow."""
    spans: Sequence[ChartSpan] = ()
    end: str = ""
    """What is written at the end of the time axis."""

    def share(self, at_ns: int) -> float:
        """How far through the time a stamp is: 0 at its start, 1 at its end."""
        return (at_ns - self.start_ns) / max(self.end_ns - self.start_ns, 1)

    @property
    def drawn(self) -> list[int]:
        """All values that the axis has to hold."""
        curves = (self.curve, self.band) if self.band is not None else (self.curve,)
        values = [value for curve in curves for value in curve.values if value is not None]
        values += [dot.value_ns for dot in self.dots if dot.value_ns is not None]
        most = max(values, default=0)
        return values + [level.value_ns for level in self.levels if level.value_ns <= 2 * most]


@dataclass(frozen=True, slots=True)
class ChartLook:
    """What the user and the terminal decide."""

    is_log: bool = False
    """The value axis is logarithmic; else it begins at 0."""
    mixes: bool = True
    """Colours can be mixed; else the band is a pattern."""


LINEAR = ChartLook()


@dataclass(slots=True)
class _Canvas:
    """Braille dots, two by four to a character; a character has the style of what was drawn in it last."""

    width: int
    height: int
    bits: list[list[int]] = field(init=False)
    styles: list[list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.bits = [[0] * self.width for _ in range(self.height)]
        self.styles = [[""] * self.width for _ in range(self.height)]

    def dot(self, x: int, y: int, style: str) -> None:
        self.bits[y // 4][x // 2] |= BITS[x % 2][y % 4]
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


def draw_plot(
    plot: Plot, width: int, height: int, clock: Callable[[float], str], look: ChartLook = LINEAR
) -> list[Line]:
    """The chart in exactly that size; nothing where there is no room for one. `clock` writes a wall time."""
    width, height = width - LABEL - 1 - NAME, height - 1
    if width < LEAST[0] or height < LEAST[1]:
        return []
    values = plot.drawn
    has_failed = any(dot.value_ns is None for dot in plot.dots)
    top = 4 if has_failed and height > LEAST[1] + 1 else 0
    scale, ticks = (logarithmic if look.is_log else linear)(values, height, top)
    canvas = _Canvas(width, height)
    _draw(plot, canvas, scale, max(values, default=0))
    labels = {scale.row(tick) // 4: units.duration(tick) if tick else "0" for tick in ticks} if values else {}
    names = _names(plot, scale, height, max(values, default=0))
    under = _under(plot, scale, canvas, mixes=look.mixes)
    failed = _failed_columns(plot, width)
    lines = [
        (
            Span(fit(labels.get(y, ""), LABEL, right=True), "muted"),
            Span("┤" if y in labels else "│", "axis"),
            *_row(canvas, y, under[y], "┈" if y in labels else " ", failed if y == 0 else frozenset()),
            names.get(y, Span(" " * NAME)),
        )
        for y in range(height)
    ]
    return [*lines, _time_axis(plot, width, clock, "log" if look.is_log else "")]


def _draw(plot: Plot, canvas: _Canvas, scale: Scale, most: int) -> None:
    """Levels first, then the dots, and the line over them."""
    columns = canvas.width * 2
    for level in plot.levels:
        if level.value_ns <= most:
            y = scale.row(level.value_ns)
            for x in range(0, columns, 4):
                canvas.dot(x, y, level.style)
                canvas.dot(x + 1, y, level.style)
    limit = plot.limit_ns if plot.limit_ns is not None else math.inf
    for dot in plot.dots:
        if dot.value_ns is not None:
            x = int(plot.share(dot.at_ns) * columns)
            if 0 <= x <= columns:
                canvas.dot(min(x, columns - 1), scale.row(dot.value_ns), "slow" if dot.value_ns > limit else "dot")
    points = list(_points(plot.curve, columns, scale))
    for before, here in pairwise([None, *points]):
        if here is not None:
            canvas.stroke(before or here, here, plot.curve.name)


def _points(curve: Curve, columns: int, scale: Scale) -> Iterator[tuple[int, int] | None]:
    """Where the line goes through, a point in the middle of each share; the last reaches the end."""
    count = len(curve.values)
    for index, value in enumerate(curve.values):
        x = columns - 1 if index == count - 1 else int((index + 0.5) * columns / count)
        yield None if value is None else (x, scale.row(value))


def _under(plot: Plot, scale: Scale, canvas: _Canvas, *, mixes: bool) -> list[dict[int, Span]]:
    """Per line, what shows in cells without dots, and behind dots: the band, and a thread at each mark."""
    width = canvas.width
    under: list[dict[int, Span]] = [{} for _ in range(canvas.height)]
    if plot.band is not None and (count := len(plot.band.values)):
        for x in range(width):
            share = x * count // width
            high, low = plot.band.values[share], plot.curve.values[share]
            if high is not None and low is not None:
                upper, lower = scale.row(high) // 2, scale.row(low) // 2
                for y in range(upper // 2, lower // 2 + 1):
                    under[y][x] = _shade(upper > 2 * y, lower < 2 * y + 1) if mixes else PATTERN
    for span in plot.spans:
        if span.state is None and 0 <= (share_of := plot.share(span.start_ns)) <= 1:
            for line in under:
                line[min(int(share_of * width), width - 1)] = Span("┊", "mark")
    return under


def _shade(is_upper_free: bool, is_lower_free: bool) -> Span:
    """A cell of the band, which begins and ends at half a line."""
    if is_upper_free == is_lower_free:
        return Span(" ", "band")
    return Span("▄" if is_upper_free else "▀", "shade")


def _failed_columns(plot: Plot, width: int) -> frozenset[int]:
    shares = (plot.share(dot.at_ns) for dot in plot.dots if dot.value_ns is None)
    return frozenset(min(int(share * width), width - 1) for share in shares if 0 <= share <= 1)


def _row(canvas: _Canvas, y: int, under: dict[int, Span], empty: str, failed: frozenset[int]) -> Line:
    blank = Span(empty, "axis")
    banded = {x for x, span in under.items() if span.style == "band"}
    pieces = [
        Span(chr(BRAILLE + bits), f"band {style}" if x in banded else style) if bits else under.get(x, blank)
        for x, (bits, style) in enumerate(zip(canvas.bits[y], canvas.styles[y], strict=True))
    ]
    for x in failed:
        pieces[x] = Span(FAILED, "bad")
    return joined(pieces)


def _names(plot: Plot, scale: Scale, height: int, most: int) -> dict[int, Span]:
    """Each line's name in the row where it ends, pushed aside where two end in the same."""
    curves = [curve for curve in (plot.curve, plot.band) if curve is not None and curve.values]
    ends = [(curve.name, curve.name, last) for curve in curves if (last := curve.values[-1]) is not None]
    ends += [(level.name, level.style, level.value_ns) for level in plot.levels if level.value_ns <= most]
    named: dict[int, Span] = {}
    for name, style, value in ends:
        wanted = scale.row(value) // 4
        free = sorted((y for y in range(height) if y not in named), key=lambda y: (abs(y - wanted), y))
        if free and abs(free[0] - wanted) <= 1:
            named[free[0]] = Span(fit(f" {name}", NAME), style)
    return named


def _time_axis(plot: Plot, width: int, clock: Callable[[float], str], corner: str) -> Line:
    """Incidents as heavy stretches, marks, and the clock where it does not hide a mark."""
    pieces = [Span("─", "axis")] * width
    marks: set[int] = set()
    for span in plot.spans:
        first = min(max(int(plot.share(span.start_ns) * width), 0), width - 1)
        last = width - 1 if span.end_ns is None else min(int(plot.share(span.end_ns) * width), width - 1)
        if span.state is None:
            marks.add(first)
        for x in range(first, last + 1):
            pieces[x] = Span(MARK, "mark") if span.state is None else Span("━", span.state.value)
    for x in marks:
        pieces[x] = Span(MARK, "mark")
    for x, text in _clock_labels(plot, width, clock):
        under = range(x, x + len(text))
        if not marks.intersection(under):
            style = "muted" if pieces[x].style == "axis" else pieces[x].style
            pieces[x : x + len(text)] = [Span(letter, style) for letter in text]
    return (
        Span(fit(corner, LABEL, right=True), "muted"),
        Span("└", "axis"),
        *joined(pieces),
        Span(fit(f" {plot.end}", NAME), "muted"),
    )


def _clock_labels(plot: Plot, width: int, clock: Callable[[float], str]) -> Iterator[tuple[int, str]]:
    """Round times of the day, each with a tick before it and room beside it."""
    seconds = (plot.end_ns - plot.start_ns) / 1e9
    if seconds <= 0:
        return
    start_at = plot.end_at - seconds
    step = next((step for step in STEPS_S if step * width >= seconds * (9 if step % 60 == 0 else 12)), STEPS_S[-1])
    hours, minutes, second = map(int, clock(start_at)[:8].split(":"))
    of_day = hours * 3600 + minutes * 60 + second + start_at % 1
    at = start_at - of_day + math.ceil(of_day / step) * step
    free = 0
    while at <= plot.end_at:
        text = "┴" + clock(at)[: 5 if step % 60 == 0 else 8]
        x = int((at - start_at) / seconds * width)
        if x >= free and x + len(text) <= width:
            yield x, text
            free = x + len(text) + 1
        at += step
