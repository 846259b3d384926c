"""How a row becomes a line of CSV. Pure text; `disk` has the files.

Quoted by RFC 4180, a line feed at the end of a line; one row is one line, always. Text that a spreadsheet would take
for a formula is guarded (OWASP ASVS 5.0, 1.2.10), because gateways write part of these cells.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from contextlib import suppress

from gwtui.codec.cells import Cell
from gwtui.text.sanitize import clean

CELL_LIMIT = 32_000
"""Characters of text in one cell; spreadsheets hold 32,767."""

_FORMULA = re.compile(r"[\t\r\n]|[\s\x00-\x1f\u00ad\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")
"""Text that a spreadsheet may compute: by its first sign, or by the first it does not trim away."""
_NUMBERS = frozenset({int, float, type(None)})
_PLAIN = re.compile(r"(?:[A-Za-z0-9][ -~]{0,1000})?").fullmatch
"""Text that needs neither a guard nor cleaning, as nearly all does."""


def csv_line(cells: Iterable[Cell]) -> bytes:
    """One row as one line, newline included. None is an empty cell."""
    shown = [cell if type(cell) in _NUMBERS else _shown(cell) for cell in cells]
    line: str = _written(shown)
    return line.encode("utf-8", "backslashreplace")


def csv_cells(line: str) -> list[str]:
    """The cells of a line that `csv_line` made, without their guards. Raises csv.Error for a line that is not CSV.

    The result is sanitised, even of an untrusted line.
    """
    cells = [cell for cells in csv.reader((line,), strict=True) for cell in cells]
    return [cell if _PLAIN(cell) else _unguarded(cell) for cell in cells]


def csv_cell(line: str, place: int) -> str:
    """One cell of a line, as it is there; "" where the line has none, or is not CSV. It costs a tenth of all cells."""
    with suppress(csv.Error):
        cells = next(csv.reader((line,)), [])
        return cells[place] if place < len(cells) else ""
    return ""


class _Line:
    """A file that `csv` writes to and that hands back what it was given."""

    @staticmethod
    def write(text: str) -> str:
        return text


_written = csv.writer(_Line, lineterminator="\n").writerow


def _unguarded(cell: str) -> str:
    is_guarded = cell.startswith("'") and _FORMULA.match(cell, 1)
    return clean(cell[1:] if is_guarded else cell, CELL_LIMIT)


def _shown(cell: Cell) -> str | int | float | None:
    if isinstance(cell, str):
        return cell if _PLAIN(cell) else _guarded(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell


def _guarded(text: str) -> str:
    """The text on one line, without NUL, and not a formula."""
    text = text.replace("\0", "")
    return ("'" if _FORMULA.match(text) else "") + clean(text, CELL_LIMIT)
