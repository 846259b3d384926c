"""Bars out of block elements. Pure: values in, lines out.

A failure is drawn in the chart, at its time, as `╳`; a time without data is left empty, never bridged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from gwtui.model.view import Cell
from gwtui.ui.text_layout import Line, Span, joined

BLOCKS = " ▁▂▃▄▅▆▇█"
FAILURE = "╳"

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
    return joined(pieces)
