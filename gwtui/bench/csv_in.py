"""Reading measurements back: the CSV files of gwtui, its session directories, and the files of its predecessor.

The predecessor wrote two files: figures per endpoint (`Endpoint, Average (ms), ...` with `987/1000`), and a row per
successful request (`Endpoint, Duration (ms), Trace ID`). Every fault is named with file, line and column.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import TypeAlias

from gwtui.bench.results import FIGURES, Values
from gwtui.bench.session_rows import MAX_POINT
from gwtui.model.enums import Outcome, Trigger
from gwtui.model.metrics import COMPARED, Metric
from gwtui.recorder.disk import parts_of
from gwtui.stats.accuracy import sure_value
from gwtui.stats.comparison import ComparedSeries
from gwtui.text.sanitize import clean
from gwtui.text.untrusted_files import Directory

MAX_NAME = 64
MAX_LINE = 1 << 20
"""Bytes; a longer line is not CSV."""
MAX_RESULTS = 2_000_000
"""Results of one session or file; each takes 16 bytes for each latency, and what compares them sorts them."""
SESSION_FILES = ("requests.csv", "pings.csv")

Progress: TypeAlias = Callable[[int], None]
Span: TypeAlias = tuple[float, float]
"""Wall times: from the first on, before the second."""


class CSVError(ValueError):
    """A file that cannot be read. The text names file, line and column, on one line."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a kind of file hold what."""

    metrics: Mapping[Metric, str]
    """Latencies of single requests; none in a file of figures."""
    figures: Mapping[str, str] = field(default_factory=dict)
    success: str = ""
    """A column like `987/1000`."""
    ok: str = ""
    total: str = ""
    is_ping: bool = False
    keeps_failures: bool = True

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns by which a file of this kind is recognised."""
        whole = (self.metrics[Metric.E2E],) if not self.figures else ()
        return ("endpoint", *whole, *self.figures.values(), *filter(None, (self.success, self.ok, self.total)))


_FIGURE_NAMES = ("avg", *FIGURES, "total")
LAYOUTS = (
    Layout(metrics={}, figures={name: f"{name}_ms" for name in _FIGURE_NAMES}, ok="successful", total="total_requests"),
    Layout(metrics={metric: metric.about.column for metric in COMPARED}),
    Layout(metrics={Metric.E2E: Metric.RTT.about.column}, is_ping=True),
)
_FIGURES = {name: name for name in _FIGURE_NAMES}
OLD_LAYOUTS = (
    Layout(metrics={}, figures=_FIGURES, ok="successful", total="total_requests"),
    *(Layout(metrics={}, figures=_FIGURES, success=success) for success in ("success rate", "success_rate", "success")),
    Layout(metrics={}, figures=_FIGURES),
    Layout(metrics={Metric.E2E: "duration"}, keeps_failures=False),
)
"""Those of older files, whose headings have many forms: `Average (ms)`, `avg_ms` or `avg`; all are milliseconds."""
_UNIT = re.compile(r"[ _]?\(?ms\)?$")
_AVERAGES = ("average", "mean")


def read(path: Path, progress: Progress = lambda _: None, within: Span | None = None) -> list[ComparedSeries]:
    """The endpoints of a CSV file, which may be a pipe, or of a session directory, in their order. Raises CSVError.

    Of a session all parts of its files are read, as untrusted files. `progress` is called with the number of new bytes.
    With `within`, only results that started in that span of wall time count, and there may be none.
    """
    try:
        found = _read_session(path, progress, within) if path.is_dir() else _read_file(path, progress, within)
    except OSError as error:
        part = path / error.filename if path.is_dir() and isinstance(error.filename, str) else path
        raise CSVError(f"{part}: cannot be read: {error.strerror or error}") from None
    if not found and within is None:
        raise CSVError(f"{path}: it contains no results")
    return found


def _read_session(path: Path, progress: Progress, within: Span | None) -> list[ComparedSeries]:
    found: list[ComparedSeries] = []
    with Directory.held(path) as directory:
        names = directory.names()
        if not any(part in names for name in SESSION_FILES for part in parts_of(name, names)):
            raise CSVError(f"{path}: not a session: it contains neither requests.csv nor pings.csv")
        for name in SESSION_FILES:
            reading = _Reading(progress, within)
            for part in parts_of(name, names):
                if part in names:
                    with os.fdopen(directory.open(part), "rb") as file:
                        reading.take(file, path / part)
            found += reading.series()
    return found


def _read_file(path: Path, progress: Progress, within: Span | None) -> list[ComparedSeries]:
    reading = _Reading(progress, within)
    with path.open("rb") as file:
        reading.take(file, path)
    return reading.series()


@dataclass(frozen=True, slots=True)
class _Row:
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
        if not _is_count(text):
            raise self.wrong(column, "count of requests")
        return int(text)


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


def _columns(path: Path, heading: Sequence[str] | None) -> dict[str, int]:
    """Column names, whatever their case and the spaces around them, and where each is."""
    if not heading:
        raise CSVError(f"{path}, line 1: the file is empty")
    return {name.strip().casefold(): at for at, name in reversed(list(enumerate(heading)))}


def _layout(path: Path, heading: Sequence[str], columns: dict[str, int]) -> Layout:
    """Which kind of file it is; `columns` gets the names that its layout uses. Raises CSVError."""
    for layout in LAYOUTS:
        if all(column in columns for column in layout.needed):
            return layout
    columns |= {_short(name): at for name, at in columns.items()}
    for layout in OLD_LAYOUTS:
        if all(column in columns for column in layout.needed):
            return layout
    raise CSVError(f"{path}, line 1: unknown columns: {clean(','.join(heading), 120)}")


def _short(name: str) -> str:
    short = _UNIT.sub("", name)
    return "avg" if short in _AVERAGES else short


def _name(row: _Row) -> str:
    """The point of a benchmark's session, where its rows name one, else the endpoint."""
    return clean(row.text("point"), MAX_POINT) or clean(row.text("endpoint"), MAX_NAME)


def _figure(layout: Layout, row: _Row) -> ComparedSeries:
    counted = bool(layout.ok or layout.success)
    ok, total = _counts(layout, row) if counted else (0, None)
    figures = {name: row.duration_ns(column) for name, column in layout.figures.items()}
    measured = ok if counted else any(figures.values())
    known = {name: value for name, value in figures.items() if value is not None} if measured else {}
    return ComparedSeries(_name(row), {}, ok, total, figures=known)


def _counts(layout: Layout, row: _Row) -> tuple[int, int]:
    """How many requests succeeded, and how many there were."""
    return (row.count(layout.ok), row.count(layout.total)) if layout.ok else _success(row, layout.success)


def _success(row: _Row, column: str) -> tuple[int, int]:
    """`987/1000`."""
    ok, slash, total = (part.strip() for part in row.text(column).partition("/"))
    if not (slash and _is_count(ok) and _is_count(total)):
        raise row.wrong(column, "success rate like 987/1000")
    return int(ok), int(total)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


@dataclass(slots=True)
class _Gathered:
    """The results of one endpoint while a file is read."""

    values: dict[Metric, Values] = field(default_factory=lambda: defaultdict(Values))
    ok: int = 0
    failed: int = 0


class _Reading:
    """What is read of a file, and of those that were put aside before it."""

    def __init__(self, progress: Progress, within: Span | None) -> None:
        self._progress = progress
        self._within = within
        self._layout: Layout | None = None
        self._figures: list[ComparedSeries] = []
        self._gathered: dict[str, _Gathered] = {}
        self._results = 0

    def take(self, file: BufferedReader, path: Path) -> None:
        lines = csv.reader(csv_lines(file, path, self._progress), strict=True)
        try:
            heading = next(lines, None)
            columns = _columns(path, heading)
            layout = _layout(path, heading or [], columns)
            if self._layout not in (None, layout):
                raise CSVError(f"{path}, line 1: the columns are not those of the other files of this session")
            self._layout = layout
            for cells in lines:
                if any(cells):
                    self._take_row(layout, _Row(path, lines.line_num, columns, cells))
        except csv.Error as error:
            raise CSVError(f"{path}, line {lines.line_num}: not CSV: {error}") from None

    def _take_row(self, layout: Layout, row: _Row) -> None:
        """A row without a name is an endpoint that was not asked; `src gateway benchmark` writes such rows."""
        name = _name(row)
        if not name or row.text("trigger") == Trigger.TRIAL or not _is_within(row, self._within):
            return
        self._results += 1
        if self._results > MAX_RESULTS:
            raise CSVError(f"{row.path}: more than {MAX_RESULTS:,} results; compare shorter sessions")
        if layout.figures:
            self._figures.append(_figure(layout, row))
        else:
            _take_result(self._gathered.setdefault(name, _Gathered()), layout, row)

    def series(self) -> list[ComparedSeries]:
        layout = self._layout
        return self._figures + [
            ComparedSeries(
                name,
                {metric: values.sample() for metric, values in each.values.items()},
                each.ok,
                each.ok + each.failed if layout is not None and layout.keeps_failures else None,
                layout is not None and layout.is_ping,
            )
            for name, each in self._gathered.items()
        ]


def _take_result(into: _Gathered, layout: Layout, row: _Row) -> None:
    outcome = row.text("outcome") or Outcome.OK
    if outcome == Outcome.FAILED:
        into.failed += 1
    elif outcome == Outcome.OK:
        into.ok += 1
        _add(into, layout, row)
    elif outcome not in list(Outcome):
        raise row.wrong("outcome", "known outcome")


def _add(into: _Gathered, layout: Layout, row: _Row) -> None:
    """Gather the latencies that are not in doubt."""
    minute = _minute(row)
    error_ns = row.duration_ns("error_ms") if row.text("tainted") == "true" else 0
    for metric, column in layout.metrics.items():
        value = row.duration_ns(column)
        if value is not None and sure_value(value, metric, error_ns or 0) is not None:
            into.values[metric].add(value, minute)


def _minute(row: _Row) -> int | None:
    started_at = _started_at(row)
    return None if started_at is None else int(started_at // 60)


def _started_at(row: _Row) -> float | None:
    text = row.text("started_at")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise row.wrong("started_at", "time like 2026-01-31T14:03:22.123Z") from None


def _is_within(row: _Row, span: Span | None) -> bool:
    if span is None:
        return True
    started_at = _started_at(row)
    if started_at is None:
        raise row.fault("started_at", "is missing, so this row is neither before nor after a time")
    return span[0] <= started_at < span[1]
