"""Reading measurements back: the CSV files of gwtui, its session directories, and the files of its predecessor.

The predecessor wrote two files: figures per endpoint (`Endpoint, Average (ms), ...` with `987/1000`), and a row per
successful request (`Endpoint, Duration (ms), Trace ID`). Every fault is named with file, line and column.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations
from pathlib import Path

from gwtui.clean import clean
from gwtui.comparing import Series
from gwtui.significance import Sample
from gwtui.words import Metric, Outcome, Trigger

MAX_NAME = 64


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
        latencies = self.metrics.values() if not self.figures else ()
        first = tuple(latencies)[:1]
        return ("endpoint", *first, *self.figures.values(), *filter(None, (self.success, self.ok, self.total)))


_FIGURES = ("avg", "median", "p5", "p75", "p80", "p95", "total")
LAYOUTS = (
    Layout(metrics={}, figures={name: f"{name}_ms" for name in _FIGURES}, ok="successful", total="total_requests"),
    Layout(
        metrics={
            Metric.E2E: "duration_ms",
            Metric.TTFT: "ttft_ms",
            Metric.ICL: "mean_icl_ms",
            Metric.TPOT: "tpot_ms",
        }
    ),
    Layout(metrics={Metric.E2E: "rtt_ms"}, is_ping=True),
    Layout(
        metrics={},
        figures={
            "avg": "average (ms)",
            "median": "median (ms)",
            "p5": "p5 (ms)",
            "p75": "p75 (ms)",
            "p80": "p80 (ms)",
            "p95": "p95 (ms)",
            "total": "total (ms)",
        },
        success="success rate",
    ),
    Layout(metrics={Metric.E2E: "duration (ms)"}, keeps_failures=False),
)


def read(path: Path) -> list[Series]:
    """The endpoints of a CSV file or of a session directory, in their order. Raises CSVError."""
    if path.is_dir():
        files = [file for name in ("requests.csv", "pings.csv") if (file := path / name).exists()]
        if not files:
            raise CSVError(f"{path}: no session: there is neither a requests.csv nor a pings.csv in it")
        found = [series for file in files for series in _read_file(file)]
    else:
        found = _read_file(path)
    if not found:
        raise CSVError(f"{path}: there is no result in it")
    return found


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
        return self.fault(column, f"{clean(self.text(column), 40)!r} is no {wanted}")

    def duration_ns(self, column: str) -> int | None:
        """Milliseconds as ns; None for an empty cell."""
        text = self.text(column)
        if not text:
            return None
        try:
            ms = float(text)
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


def _read_file(path: Path) -> list[Series]:
    lines = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        heading = next(lines, None)
        columns = _columns(path, heading)
        layout = _layout(path, heading or [], columns)
        rows = (_Row(path, lines.line_num, columns, cells) for cells in lines if any(cells))
        return _figures(layout, rows) if layout.figures else _samples(layout, rows)
    except csv.Error as error:
        raise CSVError(f"{path}, line {lines.line_num}: no CSV: {error}") from None


def _text(path: Path) -> str:
    """The file's text without a last line that was torn off, as a kill or a power cut leaves it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CSVError(f"{path}: cannot be read: {error.strerror or error}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CSVError(f"{path}, line {line}: not UTF-8 text") from None
    whole, _, last = text.rpartition("\n")
    heading = text.partition("\n")[0]
    return f"{whole}\n" if last and last.count(",") < heading.count(",") else text


def _columns(path: Path, heading: Sequence[str] | None) -> dict[str, int]:
    """Column names, whatever their case and the spaces around them, and where each is."""
    if not heading:
        raise CSVError(f"{path}, line 1: the file is empty")
    return {name.strip().casefold(): at for at, name in reversed(list(enumerate(heading)))}


def _layout(path: Path, heading: Sequence[str], columns: Mapping[str, int]) -> Layout:
    for layout in LAYOUTS:
        if all(column in columns for column in layout.needed):
            return layout
    raise CSVError(f"{path}, line 1: these are no columns that gwtui knows: {clean(','.join(heading), 120)}")


def _name(row: _Row) -> str:
    return clean(row.text("endpoint"), MAX_NAME)


def _figures(layout: Layout, rows: Iterator[_Row]) -> list[Series]:
    """A series per row. A row without a name stands for an endpoint that was not asked; the predecessor wrote such."""
    return [_figure(layout, row) for row in rows if _name(row)]


def _figure(layout: Layout, row: _Row) -> Series:
    ok, total = (row.count(layout.ok), row.count(layout.total)) if layout.ok else _success(row, layout.success)
    figures = {name: row.duration_ns(column) for name, column in layout.figures.items()}
    known = {name: value for name, value in figures.items() if value is not None} if ok else {}
    return Series(_name(row), {}, ok, total, figures=known)


def _success(row: _Row, column: str) -> tuple[int, int]:
    """`987/1000`."""
    ok, slash, total = (part.strip() for part in row.text(column).partition("/"))
    if not (slash and _is_count(ok) and _is_count(total)):
        raise row.wrong(column, "success rate like 987/1000")
    return int(ok), int(total)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


class _Gathered:
    """The values of one endpoint while a file is read."""

    def __init__(self) -> None:
        self.values: dict[Metric, list[int]] = {}
        self.minutes: dict[Metric, list[int]] = {}
        self.ok = self.failed = 0

    def add(self, metric: Metric, value_ns: int, minute: int | None) -> None:
        self.values.setdefault(metric, []).append(value_ns)
        if minute is not None:
            self.minutes.setdefault(metric, []).append(minute)

    def samples(self) -> dict[Metric, Sample]:
        """Times of measurement count only where every value has one."""
        return {
            metric: Sample(values, minutes if len(minutes := self.minutes.get(metric, [])) == len(values) else None)
            for metric, values in self.values.items()
        }


def _samples(layout: Layout, rows: Iterator[_Row]) -> list[Series]:
    gathered: dict[str, _Gathered] = {}
    for row in rows:
        if not (name := _name(row)) or row.text("trigger") == Trigger.TRIAL:
            continue
        into = gathered.setdefault(name, _Gathered())
        outcome = row.text("outcome") or Outcome.OK
        if outcome == Outcome.FAILED:
            into.failed += 1
        elif outcome == Outcome.OK:
            into.ok += 1
            _add(into, layout, row)
        elif outcome not in list(Outcome):
            raise row.wrong("outcome", "outcome that gwtui knows")
    return [
        Series(name, each.samples(), each.ok, each.ok + each.failed if layout.keeps_failures else None, layout.is_ping)
        for name, each in gathered.items()
    ]


def _add(into: _Gathered, layout: Layout, row: _Row) -> None:
    minute = _minute(row)
    for metric, column in layout.metrics.items():
        value = row.duration_ns(column)
        if value is not None:
            into.add(metric, value, minute)


def _minute(row: _Row) -> int | None:
    text = row.text("started_at")
    if not text:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp() // 60)
    except (ValueError, OverflowError):
        raise row.wrong("started_at", "time like 2026-01-31T14:03:22.123Z") from None


def places(paths: Sequence[Path]) -> list[str]:
    """What to call these files: by their names, and by their whole paths where two have the same."""
    names = [path.resolve().name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def pairs(sources: Sequence[tuple[str, Sequence[Series]]]) -> list[tuple[Series, Series]]:
    """What to compare. Of one source its endpoints with each other; of several each endpoint with its namesakes.

    Sources that hold one endpoint each are compared whatever it is called. Raises CSVError.
    """
    if len(sources) == 1:
        (place, series), *_ = sources
        if len(series) < 2:
            raise CSVError(f"{place}: it has one endpoint, {series[0].name}: name a second file to compare it with")
        return list(combinations(series, 2))
    if all(len(series) == 1 for _, series in sources):
        return list(combinations([_in(series[0], place) for place, series in sources], 2))
    named = {name: None for _, series in sources for name in (each.name for each in series)}
    found = [
        pair
        for name in named
        for pair in combinations(
            [_in(each, place) for place, series in sources for each in series if each.name == name], 2
        )
    ]
    if not found:
        names = "; ".join(f"{place} has {', '.join(each.name for each in series)}" for place, series in sources)
        raise CSVError(f"these files have no endpoint in common: {names}")
    return found


def _in(series: Series, place: str) -> Series:
    return replace(series, name=f"{series.name} in {clean(place)}")
