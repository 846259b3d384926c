"""Lines as data: pieces of text with the names of their styles, laid out to an exact number of terminal cells.

Nothing here knows a widget. A panel's `draw` returns such lines; a test reads them as text. Text is never parsed
as markup, and what cannot be printed is made visible here, so that one line stays one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len, chop_cells, set_cell_size

from gwtui.text.sanitize import clean

ELLIPSIS = "…"


class Span(NamedTuple):
    """A piece of a line in one style; the style may be several names, the later laid over the earlier."""

    text: str
    style: str = "text"


Line: TypeAlias = tuple[Span, ...]


def cells(text: str) -> int:
    """How many columns of the terminal a text takes: two for CJK and emoji."""
    return len(text) if text.isascii() else cell_len(text)


def line_cells(line: Iterable[Span]) -> int:
    return sum(cells(span.text) for span in line)


def plain(line: Iterable[Span]) -> str:
    """A line as text."""
    return "".join(span.text for span in line)


def printable(text: str) -> str:
    """One line of text without anything that would move the cursor or the text around it."""
    return text if text.isprintable() else clean(text, 10 * len(text))


def joined(pieces: Sequence[Span]) -> Line:
    """Neighbours of one style as one span."""
    return tuple(
        Span("".join(span.text for span in group), style) for style, group in groupby(pieces, lambda span: span.style)
    )


def fit(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` cells: padded, or cut with an ellipsis."""
    text = printable(text)
    size = cells(text)
    if size < width:
        return " " * (width - size) + text if right else text + " " * (width - size)
    if size == width:
        return text
    return set_cell_size(text, width - 1) + ELLIPSIS if width > 0 else ""


def cut_middle(text: str, width: int) -> str:
    """The text in at most `width` cells: where it is longer, its beginning and its end with an ellipsis between."""
    text = printable(text)
    if cells(text) <= width:
        return text
    room = max(0, width - 1)
    tail, taken = len(text), 0
    while tail and taken + cells(text[tail - 1]) <= room // 3:
        tail -= 1
        taken += cells(text[tail])
    return set_cell_size(text, room - taken) + ELLIPSIS + text[tail:] if width > 0 else ""


def exact(line: Iterable[Span], width: int) -> Line:
    """The line in exactly `width` cells."""
    done: list[Span] = []
    room = width
    for span in line:
        size = cells(span.text)
        if size > room:
            if room:
                done.append(Span(fit(span.text, room), span.style))
            return tuple(done)
        done.append(span)
        room -= size
    if room:
        done.append(Span(" " * room))
    return tuple(done)


def justified(left: Line, right: Line, width: int, gap: int = 1) -> Line:
    """`left` and `right` at the two ends; where both do not fit, `left` gives way, then `right` goes."""
    room = width - line_cells(right) - gap
    if room < 1 or not right:
        return exact(left, width)
    return (*exact(left, room), Span(" " * gap), *right)


def sheet(lines: Sequence[Line], width: int, height: int) -> list[Line]:
    """Exactly `height` lines of exactly `width` cells."""
    blank: Line = (Span(" " * width),) if width > 0 else ()
    drawn = [exact(line, width) for line in lines[:height]]
    return drawn + [blank] * (height - len(drawn))


def over(line: Line, style: str) -> Line:
    """The line with one more style laid over all of it."""
    return tuple(Span(span.text, f"{span.style} {style}") for span in line)


def faded(line: Line) -> Line:
    """The line in the faintest colour; what is selected stays so."""
    return tuple(Span(text, "faint selection" if "selection" in style else "faint") for text, style in line)


def flow(items: Sequence[Line], width: int, gap: int = 2) -> list[Line]:
    """As many items on a line as fit, none cut in two."""
    lines: list[Line] = []
    current: Line = ()
    for item in items:
        if current and line_cells(current) + gap + line_cells(item) > width:
            lines.append(current)
            current = ()
        current = (*current, Span(" " * gap), *item) if current else item
    return [*lines, current] if current else lines


def labelled(pairs: Iterable[tuple[str, str]], label: int, width: int) -> list[Line]:
    """Names in a column of `label` cells and their values beside it; a name that comes again is not repeated."""
    lines: list[Line] = []
    before = ""
    for name, value in pairs:
        if not value:
            continue
        first, *rest = wrap(value, max(8, width - label))
        lines.append((Span(fit("" if name == before else name, label), "muted"), Span(first)))
        lines += [(Span(" " * label), Span(text)) for text in rest]
        before = name
    return lines


def centred(lines: Sequence[Line], width: int, height: int) -> list[Line]:
    """A few lines in the middle of an otherwise empty panel."""
    above = max(0, (height - len(lines)) // 2)
    shifted = [(Span(" " * max(0, (width - line_cells(line)) // 2)), *line) for line in lines]
    return sheet([*[()] * above, *shifted], width, height)


def wrap(text: str, width: int) -> list[str]:
    """Text of several paragraphs as lines of at most `width` cells, broken between words where possible."""
    return [line for paragraph in text.split("\n") for line in _wrapped(paragraph, width)]


@lru_cache(maxsize=2048)
def _wrapped(paragraph: str, width: int) -> tuple[str, ...]:
    paragraph = printable(paragraph.expandtabs(4))
    if cells(paragraph) <= width:
        return (paragraph,)
    lines: list[str] = []
    current = ""
    for word in _words(paragraph):
        if cells(current) + cells(word.rstrip(" ")) <= width:
            current += word
            continue
        if current:
            lines.append(current.rstrip(" "))
        *whole, current = chop_cells(word, width) if cells(word) > width else [word]
        lines.extend(whole)
    lines.append(current.rstrip(" "))
    return tuple(lines)


def _words(text: str) -> list[str]:
    """The words of a text, each with the spaces after it; spaces at the start are a word."""
    words: list[str] = []
    start = 0
    for index in range(1, len(text)):
        if text[index] != " " and text[index - 1] == " ":
            words.append(text[start:index])
            start = index
    return [*words, text[start:]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    """What it is called in a query, and by those who ask which column is where."""
    heading: str
    width: int
    right: bool = False
    """Its text stands at its right edge."""
    rank: int = 0
    """Where there is no room, the highest rank goes first; 0 stays."""
    grow: int = 0
    """How many more cells it takes where there is room, the lowest rank first."""
    gap: int = 2
    """Empty cells before it."""


class Placed(NamedTuple):
    """A column with its place in a line."""

    column: Column
    x: int
    """Where its text begins."""
    width: int


def place(columns: Sequence[Column], width: int) -> tuple[Placed, ...]:
    """Which columns fit into `width` cells, and where."""
    kept = list(columns)
    while sum(column.gap + column.width for column in kept) > width:
        last = max(kept, key=lambda column: column.rank)
        if last.rank == 0:
            break
        kept.remove(last)
    spare = max(0, width - sum(column.gap + column.width for column in kept))
    widths = {column.name: column.width for column in kept}
    for column in sorted(kept, key=lambda column: column.rank):
        more = min(spare, column.grow)
        widths[column.name] += more
        spare -= more
    placed: list[Placed] = []
    x = 0
    for column in kept:
        placed.append(Placed(column, x + column.gap, widths[column.name]))
        x += column.gap + widths[column.name]
    return tuple(placed)


def row(placed: Sequence[Placed], texts: dict[str, Span | Line]) -> Line:
    """One line of a table: each column's text or ready-made spans, at its place."""
    spans: list[Span] = []
    for column, _, width in placed:
        if column.gap:
            spans.append(Span(" " * column.gap))
        content = texts.get(column.name, Span(""))
        if isinstance(content, Span):
            spans.append(Span(fit(content.text, width, right=column.right), content.style))
        else:
            spans.extend(exact(content, width))
    return tuple(spans)
