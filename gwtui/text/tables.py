"""Text for reports and listings: aligned columns, wrapped and cut lines. The screen has its own, in `gwtui.ui`.

Widths are columns of the terminal: a CJK character takes two, a combining one none.
"""

from __future__ import annotations

import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import click

ELLIPSIS = "…"
LEAST_TEXT = 16
"""Columns that wrapped text gets, however narrow the terminal is."""


@dataclass(frozen=True, slots=True)
class TextStyle:
    """What is printed on."""

    width: int = sys.maxsize
    """Columns of the terminal; by default there is no limit."""
    colour: bool = False

    def coloured(self, text: str, colour: str | None) -> str:
        """The text in one of click's colours, where there are colours."""
        return click.style(text, fg=colour) if self.colour and colour and text else text


class TextCell(NamedTuple):
    """Text of one column, and how it is coloured once it is padded."""

    text: str
    style: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class TextColumn:
    """How the cells of a column are laid out."""

    width: int = 0
    """At least; `fitted` widens it to its longest cell."""
    right: bool = False
    gap: str = "  "
    """Before the column, except for the first."""
    most: int = sys.maxsize
    """Where widening ends; longer cells push the rest of their line to the right."""


Row: TypeAlias = Sequence[str | TextCell]
"""One cell for each column. In a shorter row the last cell spans the columns that remain."""


def table(rows: Sequence[Row], columns: Sequence[TextColumn], indent: str = "") -> list[str]:
    """A line for each row, with columns as wide as their cells."""
    widened = fitted(rows, columns)
    return [(indent + line(row, widened)).rstrip() for row in rows]


def fitted(rows: Sequence[Row], columns: Sequence[TextColumn]) -> list[TextColumn]:
    """The columns, as wide as the rows need."""
    return [
        replace(column, width=max(column.width, min(longest, column.most)))
        for at, column in enumerate(columns)
        for longest in [max((cells(_text(row[at])) for row in rows if _fills(row, at, columns)), default=0)]
    ]


def line(row: Row, columns: Sequence[TextColumn]) -> str:
    """One row, every cell padded to its column, without an end of line."""
    parts = []
    for at, (cell, column) in enumerate(zip(row, columns, strict=False)):
        text = _text(cell)
        padding = " " * (column.width - cells(text)) if _fills(row, at, columns) else ""
        padded = padding + text if column.right else text + padding
        parts += ["" if at == 0 else column.gap, cell.style(padded) if isinstance(cell, TextCell) else padded]
    return "".join(parts)


def _text(cell: str | TextCell) -> str:
    return cell.text if isinstance(cell, TextCell) else cell


def _fills(row: Row, at: int, columns: Sequence[TextColumn]) -> bool:
    """Whether the row has a cell for this column alone."""
    return at < len(row) - 1 or len(row) - 1 == at == len(columns) - 1


def labelled(rows: Iterable[tuple[str, str]], width: int = 0) -> list[str]:
    """`label  value` lines, indented, for the rows that have a value; labels take `width` columns or more."""
    return table([row for row in rows if row[1]], (TextColumn(width), TextColumn()), "  ")


def hanging(begin: str, text: str, style: TextStyle, margin: int, colour: str | None = None) -> list[str]:
    """The text behind `begin`, wrapped to the style's width; all but the first line are indented by `margin`."""
    first, *more = textwrap.wrap(text, max(style.width - margin, LEAST_TEXT), break_on_hyphens=False) or [""]
    begun = f"{begin}{style.coloured(first, colour)}".rstrip()
    return [begun, *(" " * margin + style.coloured(each, colour) for each in more)]


def cells(text: str) -> int:
    """The number of columns that a text takes."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, with an ellipsis where it was cut."""
    if cells(text) <= width:
        return text
    used = 0
    for at, character in enumerate(text):
        used += _cells_of(character)
        if used >= width:
            return text[:at] + ELLIPSIS
    return text
