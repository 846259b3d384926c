"""Reading measurements back: the CSV files of gwtui, its session directories, and the files of its predecessor.

The predecessor wrote two files: figures per endpoint (`Endpoint, Average (ms), ...` with `987/1000`), and a row per
successful request (`Endpoint, Duration (ms), Trace ID`). Every fault is named with file, line and column.
"""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TypeAlias

from gwtui.bench.results.csv_out import COUNTED_FROM, PLANNED_SEND
from gwtui.bench.results.measured import FIGURES
from gwtui.bench.results.values import Values
from gwtui.bench.session.run_file import RunFile, RunFileError
from gwtui.bench.session.session_rows import MAX_POINT, SESSION_FILES
from gwtui.codec.csv_rows import CSVError, Progress, Row, columns_of, csv_lines, is_count
from gwtui.model.enums import Outcome, Trigger
from gwtui.model.metrics import COMPARED, SINCE_SENT, Metric
from gwtui.recorder.disk import parts_of
from gwtui.recorder.ownership import RUN
from gwtui.stats.accuracy import sure_value
from gwtui.stats.comparison import ComparedSeries
from gwtui.text.sanitize import clean
from gwtui.text.untrusted_files import Directory

MAX_NAME = 64
MAX_RUN_BYTES = 64 << 20
"""Length limit of `run.json`."""
MAX_RESULTS = 2_000_000
"""Results of one session or file; each takes 16 bytes for each latency, and what compares them sorts them."""
NUMBERS = ("request_number", "ping_number")
"""Columns of what pairs results that were measured in turns."""

Span: TypeAlias = tuple[float, float]
"""Wall times: from the first on, before the second."""


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
        open_loops = _open_loops(directory, path) if RUN in names else frozenset()
        for name in SESSION_FILES:
            reading = _Reading(progress, within, open_loops)
            for part in parts_of(name, names):
                if part in names:
                    with os.fdopen(directory.open(part), "rb") as file:
                        reading.take(file, path / part)
            found += reading.series()
    return found


def _open_loops(directory: Directory, path: Path) -> frozenset[str]:
    """The points of a benchmark whose latencies count from the planned send. Raises CSVError."""
    try:
        run = RunFile.parse(directory.read(RUN, MAX_RUN_BYTES))
    except RunFileError as error:
        raise CSVError(f"{path / RUN}: cannot be read: {error}") from None
    return frozenset(point.name for point in run.points if point.plan.rate is not None)


def _read_file(path: Path, progress: Progress, within: Span | None) -> list[ComparedSeries]:
    reading = _Reading(progress, within)
    with path.open("rb") as file:
        reading.take(file, path)
    return reading.series()


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


def _name(row: Row) -> str:
    """The point of a benchmark's session, where its rows name one, else the endpoint."""
    return clean(row.text("point"), MAX_POINT) or clean(row.text("endpoint"), MAX_NAME)


def _figure(layout: Layout, row: Row) -> ComparedSeries:
    counted = bool(layout.ok or layout.success)
    ok, total = _counts(layout, row) if counted else (0, None)
    figures = {name: row.duration_ns(column) for name, column in layout.figures.items()}
    measured = ok if counted else any(figures.values())
    known = {name: value for name, value in figures.items() if value is not None} if measured else {}
    return ComparedSeries(_name(row), {}, ok, total, figures=known)


def _counts(layout: Layout, row: Row) -> tuple[int, int]:
    """How many requests succeeded, and how many there were."""
    return (row.count(layout.ok), row.count(layout.total)) if layout.ok else _success(row, layout.success)


def _success(row: Row, column: str) -> tuple[int, int]:
    """`987/1000`."""
    ok, slash, total = (part.strip() for part in row.text(column).partition("/"))
    if not (slash and is_count(ok) and is_count(total)):
        raise row.wrong(column, "success rate like 987/1000")
    return int(ok), int(total)


@dataclass(slots=True)
class _Gathered:
    """The results of one endpoint while a file is read."""

    values: dict[Metric, Values] = field(default_factory=lambda: defaultdict(Values))
    ok: int = 0
    failed: int = 0


class _Reading:
    """What is read of a file, and of those that were put aside before it."""

    def __init__(self, progress: Progress, within: Span | None, open_loops: frozenset[str] = frozenset()) -> None:
        """`open_loops`: the names of those whose latencies count from the planned send."""
        self._progress = progress
        self._within = within
        self._open_loops = open_loops
        self._layout: Layout | None = None
        self._figures: list[ComparedSeries] = []
        self._gathered: dict[str, _Gathered] = {}
        self._results = 0

    def take(self, file: BufferedReader, path: Path) -> None:
        lines = csv.reader(csv_lines(file, path, self._progress), strict=True)
        try:
            heading = next(lines, None)
            columns = columns_of(path, heading)
            layout = _layout(path, heading or [], columns)
            if self._layout not in (None, layout):
                raise CSVError(f"{path}, line 1: the columns are not those of the other files of this session")
            self._layout = layout
            for cells in lines:
                if any(cells):
                    self._take_row(layout, Row(path, lines.line_num, columns, cells))
        except csv.Error as error:
            raise CSVError(f"{path}, line {lines.line_num}: not CSV: {error}") from None

    def _take_row(self, layout: Layout, row: Row) -> None:
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
            from_planned = name in self._open_loops or row.text(COUNTED_FROM) == PLANNED_SEND
            _take_result(self._gathered.setdefault(name, _Gathered()), layout, row, from_planned=from_planned)

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


def _take_result(into: _Gathered, layout: Layout, row: Row, *, from_planned: bool) -> None:
    outcome = row.text("outcome") or Outcome.OK
    if outcome == Outcome.FAILED:
        into.failed += 1
    elif outcome == Outcome.OK:
        into.ok += 1
        _add(into, layout, row, from_planned=from_planned)
    elif outcome not in list(Outcome):
        raise row.wrong("outcome", "known outcome")


def _add(into: _Gathered, layout: Layout, row: Row, *, from_planned: bool) -> None:
    """Gather the latencies that are not in doubt."""
    started_at = row.started_at()
    at_ms = None if started_at is None else round(started_at * 1000)
    number = next((int(text) for text in map(row.text, NUMBERS) if is_count(text)), None)
    error_ns = (row.duration_ns("error_ms") or 0) if row.text("tainted") == "true" else 0
    waited_ns, late_ns = _wait(row, layout) if from_planned else (0, 0)
    for metric, column in layout.metrics.items():
        value = row.duration_ns(column)
        if value is None or sure_value(value, metric, error_ns) is None:
            continue
        if metric in SINCE_SENT:
            into.values[metric].add(value + waited_ns, at_ms, late_ns, number)
        else:
            into.values[metric].add(value, at_ms, turn=number)


def _wait(row: Row, layout: Layout) -> tuple[int, int]:
    """How long after it was due a request was sent, and how much of that was gwtui's own fault."""
    whole, from_planned = (row.duration_ns(column) for column in (layout.metrics[Metric.E2E], "from_planned_ms"))
    waited = 0 if whole is None or from_planned is None else max(0, from_planned - whole)
    for_room = row.duration_ns("room_wait_ms")
    own = 0 if for_room is None else max(0, (row.duration_ns("lateness_ms") or 0) - for_room)
    return waited, own


def _is_within(row: Row, span: Span | None) -> bool:
    if span is None:
        return True
    started_at = row.started_at()
    if started_at is None:
        raise row.fault("started_at", "is missing, so this row is neither before nor after a time")
    return span[0] <= started_at < span[1]
