"""A session's directory read back: the profile that was run, and its rows as records in the order in which they came.

Stamps count from the beginning of the session, by the wall times of the rows; where that clock was set back, what
follows is as late as what was before it.
"""

from __future__ import annotations

import csv
import heapq
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TextIO, TypeAlias, TypeVar

from msgspec.structs import replace

from gwtui.codec.cells import LARGEST, wall_time
from gwtui.codec.csv_schema import SCHEMA, RowError, incident_of, ping_of, request_of
from gwtui.codec.stream_file import STREAMS, StreamName, stream_name_of
from gwtui.codec.wire import WireError, decode
from gwtui.config import ConfigError, loads
from gwtui.config.tomlfile import read_in
from gwtui.model.enums import Outcome
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request
from gwtui.model.usual import UsualLatency
from gwtui.recorder.csvfile import csv_cell, csv_cells
from gwtui.recorder.disk import parts_of
from gwtui.recorder.ownership import PROFILE, SESSION, SESSION_BYTES, USUAL
from gwtui.recorder.session_metadata import schema_in
from gwtui.text.sanitize import clean
from gwtui.text.units import timestamp
from gwtui.text.untrusted_files import Directory

Row: TypeAlias = Request | Ping | LogEntry | Usual
_T = TypeVar("_T")
Of: TypeAlias = Callable[[Mapping[str, str]], _T | None]
"""What the cells of a row are, by column; None: the row is left out. Raises RowError."""
MAX_LINE = 1 << 20
"""Characters; a longer line is read as several lines that are not rows."""
LATEST = 253_402_300_799.0
"""The last second of the year 9999."""
MAX_EXAMPLES = 3
"""The number of unreadable lines that are reported one by one."""


class SessionError(Exception):
    """A directory cannot be read as a session. The text says why."""


@dataclass(slots=True)
class UnreadRows:
    """The number of lines so far that are not rows."""

    lines: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, where: str) -> None:
        self.lines += 1
        if len(self.first) < MAX_EXAMPLES:
            self.first.append(where)

    def __str__(self) -> str:
        """Empty when everything was read."""
        more = f" and {self.lines - len(self.first)} more" if self.lines > len(self.first) else ""
        return f"Not read: {'; '.join(self.first)}{more}" if self.lines else ""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was recorded."""

    directory: Path
    started_at: float
    profile: Profile

    def rows(
        self,
        unread: UnreadRows,
        stopped: Callable[[], bool] = lambda: False,
        between: tuple[float, float] | None = None,
    ) -> Iterator[Row]:
        """All rows, oldest first, as they are read; unreadable lines go to `unread`. Raises OSError.

        It may take long from one row to the next; once it is `stopped` there are no more. `between`: the wall times
        between which results have to have begun; others are passed over, much faster than they are read.
        """
        limits = (timestamp(between[0]), timestamp(between[1])) if between is not None else None
        with Directory.held(self.directory) as directory:
            streams = [
                self._stamped(rows_of(directory, name, of, unread, stopped, limits if name != LOG else None))
                for name, of in _FILES.items()
            ]
            streams.append(self._stamped(_usuals(directory, unread, stopped)))
            yield from heapq.merge(*streams, key=lambda row: row.now_ns)

    def bad_rows(self, unread: UnreadRows) -> Iterator[Row]:
        """The same without good results, except for one that is the last of its file: several times as fast. Raises
        OSError."""
        with Directory.held(self.directory) as directory:
            streams = (self._stamped(_bad(directory, name, of, unread)) for name, of in _FILES.items())
            yield from heapq.merge(*streams, key=lambda row: row.now_ns)

    def marks(self) -> list[LogEntry]:
        """The user's marks, oldest first. Raises OSError."""
        with Directory.held(self.directory) as directory:
            rows = rows_of(directory, LOG, incident_of, UnreadRows())
            return [row for row in rows if isinstance(row, LogEntry) and row.kind == "mark"]

    def stream_names(self) -> list[StreamName]:
        """What the names of its kept streams say, oldest first. Raises OSError."""
        with Directory.held(self.directory) as directory:
            if not directory.has(STREAMS):
                return []
            with directory.inner(STREAMS) as inner:
                return [found for name in inner.names() if (found := stream_name_of(name)) is not None]

    def usuals(self) -> list[Usual]:
        """What was usual, from the start on. Raises OSError."""
        with Directory.held(self.directory) as directory:
            return list(_usuals(directory, UnreadRows(), lambda: False))

    def log(self, unread: UnreadRows) -> Iterator[Row]:
        """The rows of the log alone, oldest first. Raises OSError."""
        with Directory.held(self.directory) as directory:
            yield from self._stamped(rows_of(directory, LOG, incident_of, unread))

    def ended_at(self) -> float:
        """The wall time of the newest row, from the ends of the files. Raises OSError."""
        with Directory.held(self.directory) as directory:
            ends = [
                _ended_at(row) for name, of in _FILES.items() if (row := _last_row(directory, name, of)) is not None
            ]
        return max([self.started_at, *ends])

    def _stamped(self, rows: Iterator[Row]) -> Iterator[Row]:
        now_ns = 0
        for row in rows:
            now_ns = min(max(now_ns, round((_ended_at(row) - self.started_at) * 1e9)), LARGEST)
            yield replace(row, now_ns=now_ns)


def read_session(path: Path) -> Session:
    """The metadata of the session in the directory, which is untrusted. Raises SessionError."""
    try:
        with Directory.held(path) as directory:
            text = directory.read(SESSION, SESSION_BYTES).decode()
            profile = loads(read_in(directory, PROFILE), path / PROFILE).profile()
            for part in (part for name in (*_FILES, USUAL) for part in parts_of(name, directory.names())):
                directory.refuse_others(part)
        started_at = wall_time(str(tomllib.loads(text).get("started_at", "")))
    except OSError as error:
        what = f"{Path(str(error.filename)).name}: " if error.filename != str(path) else ""
        raise SessionError(f"{path} is not a session directory: {what}{error.strerror}") from error
    except ConfigError as error:
        raise SessionError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise SessionError(f"{path / SESSION} does not say when the session began") from error
    if (schema := schema_in(text)) != SCHEMA:
        raise SessionError(f"{path} has rows of schema {schema}, and this version of gwtui reads schema {SCHEMA}")
    return Session(path, started_at, profile)


def _ended_at(row: Row) -> float:
    """The wall time at which it was known, as far as its row says."""
    if isinstance(row, LogEntry | Usual):
        return row.at
    if isinstance(row, Ping):
        return row.started_at + ((row.connect_ns or 0) + (row.rtt_ns or 0)) / 1e9
    before = (row.phases.dns_ns, row.phases.connect_ns, row.phases.tls_ns, row.phases.send_ns)
    return row.started_at + (sum(filter(None, before)) + (row.duration_ns or 0)) / 1e9


LOG = "incidents.csv"
_FILES: dict[str, Of[Row]] = {"requests.csv": request_of, "pings.csv": ping_of, LOG: incident_of}
_BEGAN = "started_at"
_TAIL = 1 << 20
"""Bytes at the end of a file among which its last row is looked for."""


def rows_of(
    directory: Directory,
    name: str,
    of: Of[_T],
    unread: UnreadRows,
    stopped: Callable[[], bool] = lambda: False,
    between: tuple[str, str] | None = None,
) -> Iterator[_T]:
    """The rows of a file of a session and of the parts that were put aside, oldest first. Raises OSError."""
    for part, file in _files(directory, name):
        yield from _rows_in(file, part, of, unread, stopped, between)


def _last_row(directory: Directory, name: str, of: Of[Row]) -> Row | None:
    """The last row of the newest file that has one."""
    for part in reversed(parts_of(name, directory.names())):
        header, lines = _ends_of(directory, part)
        for line in reversed(lines):
            with suppress(RowError):
                return of(_named(_cells(header), _cells(f"{line}\n")))
    return None


def _ends_of(directory: Directory, part: str) -> tuple[str, list[str]]:
    """The first line of a file, and the last whole ones, without what ends them; none of a file that is gone."""
    try:
        fd = directory.open(part)
    except FileNotFoundError:
        return "", []
    with os.fdopen(fd, "rb") as file:
        header = file.readline(MAX_LINE)
        file.seek(max(file.tell(), file.seek(0, os.SEEK_END) - _TAIL))
        *lines, _torn = file.read(_TAIL).decode("utf-8", "replace").split("\n")
    return header.decode("utf-8", "replace"), lines


def _bad(directory: Directory, name: str, of: Of[Row], unread: UnreadRows) -> Iterator[Row]:
    good: Mapping[str, str] | None = None

    def bad(cells: Mapping[str, str]) -> Row | None:
        nonlocal good
        good = cells if cells.get("outcome") == Outcome.OK else None
        return of(cells) if good is None else None

    rows: Iterator[Row] = rows_of(directory, name, bad, unread)
    yield from rows
    with suppress(RowError):
        if good is not None and (last := of(good)) is not None:
            yield last


def _usuals(directory: Directory, unread: UnreadRows, stopped: Callable[[], bool]) -> Iterator[Usual]:
    """What was usual, from when on; none in sessions of versions that did not say so."""
    for part, file in _files(directory, USUAL):
        for number, line in enumerate(_lines(file), 1):
            if stopped():
                return
            try:
                yield _usual_of(line)
            except WireError as error:
                unread.add(clean(f"{part} line {number} ({error})", 120))


def _usual_of(line: str) -> Usual:
    """Raises WireError."""
    record = decode(line.encode())
    if not isinstance(record, Usual):
        raise WireError("not what is usual")
    if not 0 <= record.at <= LATEST or not (0 <= record.good <= LARGEST and 0 <= record.failed <= LARGEST):
        raise WireError("numbers that cannot be")
    if not all(map(_is_usual, record.latencies.values())):
        raise WireError("values that cannot be")
    return replace(record, endpoint=clean(record.endpoint), vantage=clean(record.vantage), why=clean(record.why))


def _is_usual(latency: UsualLatency) -> bool:
    """Whether results can have had these values."""
    values = [value for value, _ in latency.values]
    return (
        bool(values)
        and all(count >= 1 for _, count in latency.values)
        and sum(count for _, count in latency.values) == latency.n <= LARGEST
        and all(low < high for low, high in pairwise(values))
        and 0 <= values[0] <= latency.p50_ns <= values[-1] <= LARGEST
        and -1 <= latency.correlation <= 1
    )


def _lines(file: TextIO) -> Iterator[str]:
    return iter(lambda: file.readline(MAX_LINE), "")


def _files(directory: Directory, name: str) -> Iterator[tuple[str, TextIO]]:
    """The files that the rows of this one lie in, opened one after the other: those put aside before come first."""
    for part in parts_of(name, directory.names()):
        try:
            fd = directory.open(part)
        except FileNotFoundError:
            continue
        with os.fdopen(fd, encoding="utf-8", errors="replace", newline="\n") as file:
            yield part, file


def _rows_in(
    file: TextIO,
    part: str,
    of: Of[_T],
    unread: UnreadRows,
    stopped: Callable[[], bool],
    between: tuple[str, str] | None = None,
) -> Iterator[_T]:
    try:
        columns = _cells(file.readline(MAX_LINE))
    except RowError as error:
        unread.add(f"{part} (its first line is not a header: {error})")
        return
    first, last = between or ("", "")
    place = columns.index(_BEGAN) if between is not None and _BEGAN in columns else None
    for number, line in enumerate(_lines(file), 2):
        if stopped():
            return
        if place is not None and not first <= csv_cell(line, place) <= last and not _is_hole(line):
            continue  # times of one form, so that their order is that of their texts
        try:
            row = of(_named(columns, _cells(line)))
        except RowError as error:
            unread.add(clean(f"{part} line {number} ({error})", 120))
            if _is_hole(line):
                return  # a hole, which may be of any length
        else:
            if row is not None:
                yield row


def _is_hole(line: str) -> bool:
    return len(line) == MAX_LINE and line.strip("\0") == ""


def _cells(line: str) -> list[str]:
    """Raises RowError for a line that is torn, or none of CSV."""
    if not line.endswith("\n"):
        raise RowError("it has no end")
    try:
        return csv_cells(line[:-1])
    except csv.Error as error:
        raise RowError(str(error)) from error


def _named(columns: list[str], cells: list[str]) -> dict[str, str]:
    """The cells by their columns. Raises RowError where their numbers differ."""
    if len(cells) != len(columns):
        raise RowError(f"it has {len(cells)} of {len(columns)} columns")
    return dict(zip(columns, cells, strict=True))
