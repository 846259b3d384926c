"""The lines of a CSV file that anybody may have written: every fault is named with file, line and column."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import TypeAlias

from gwtui.text.sanitize import clean

MAX_LINE = 1 << 20
"""Bytes; a longer line is not CSV."""

Progress: TypeAlias = Callable[[int], None]


class CSVError(ValueError):
    """A file that cannot be read. The text names file, line and column, on one line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file, which knows where it is."""

    path: Path
    line: int
    columns: Mapping[str, int]
    cells: Sequence[str]

    def text(self, column: str) -> str:
        """A cell; "" where the file has no such column."""
        at = self.columns.get(column)
        if at is None:
            return ""
        if at >= len(self.cells):
            raise self.fault(column, "is missing")
        return self.cells[at].strip()

    def fault(self, column: str, problem: str) -> CSVError:
        return CSVError(f"{self.path}, line {self.line}, column {column}: {problem}")

    def wrong(self, column: str, wanted: str) -> CSVError:
        return self.fault(column, f"{clean(self.text(column), 40)!r} is not a {wanted}")

    def duration_ns(self, column: str) -> int | None:
        """Milliseconds as ns; None for an empty cell."""
        text = self.text(column)
        if not text:
            return None
        try:
            ms = float(text.removesuffix("ms"))
        except ValueError:
            raise self.wrong(column, "number of milliseconds") from None
        if not (math.isfinite(ms) and 0 <= ms < 1e12):
            raise self.wrong(column, "duration in milliseconds")
        return round(ms * 1_000_000)

    def count(self, column: str) -> int:
        text = self.text(column)
        if not is_count(text):
            raise self.wrong(column, "count of requests")
        return int(text)

    def started_at(self) -> float | None:
        """Wall time; None where it is not known."""
        text = self.text("started_at")
        if not text:
            return None
        try:
            return datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError):
            raise self.wrong("started_at", "time like 2026-01-31T14:03:22.123Z") from None


def csv_lines(file: BufferedReader, path: Path, progress: Progress) -> Iterator[str]:
    """The file's lines as `csv` wants them, without a last one that a kill or a power cut tore off."""
    commas = 0
    for number, data in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
        progress(len(data))
        if len(data) > MAX_LINE:
            raise CSVError(f"{path}, line {number}: not CSV: the line is longer than {MAX_LINE >> 20} MiB")
        try:
            text = data.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise CSVError(f"{path}, line {number}: not UTF-8 text") from None
        if number == 1:
            commas = text.count(",")
        elif not text.endswith("\n") and text.count(",") < commas:
            return
        yield from io.StringIO(text, newline="")


def columns_of(path: Path, heading: Sequence[str] | None) -> dict[str, int]:
    """Column names, whatever their case and the spaces around them, and where each is."""
    if not heading:
        raise CSVError(f"{path}, line 1: the file is empty")
    return {name.strip().casefold(): at for at, name in reversed(list(enumerate(heading)))}


def is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16
