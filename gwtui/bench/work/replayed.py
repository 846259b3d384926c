"""One's own requests once more: when they were sent and which models they asked, from `requests.csv`."""

from __future__ import annotations

import csv
import heapq
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from gwtui.codec.csv_rows import CSVError, Progress, csv_lines
from gwtui.model.profile import Endpoint
from gwtui.recorder.disk import parts_of
from gwtui.text.sanitize import clean
from gwtui.text.untrusted_files import Directory

ROWS = "requests.csv"
NEEDED = ("endpoint", "started_at")


class SentBefore(NamedTuple):
    """A row of the file."""

    at_s: float
    """Wall time."""
    endpoint: str
    model: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The first requests of a file, in the order they were sent."""

    name: str
    rows: tuple[SentBefore, ...]
    total: int
    """Rows of the file, those too that are left out as there are too many."""
    speed: float = 1.0
    keeps_model: bool = False
    """Whether the endpoints are asked their own model, not that of the rows."""

    def of(self, endpoint: Endpoint, alone: bool) -> tuple[SentBefore, ...]:
        """What is sent to that endpoint: the rows with its name, or all where it is `alone` and none has its name."""
        own = tuple(row for row in self.rows if row.endpoint == endpoint.name)
        return own if own or not alone else self.rows

    def due_ns(self, rows: Sequence[SentBefore]) -> list[int]:
        """When these rows are due, in ns from the start."""
        first_s = self.rows[0].at_s
        return [round((row.at_s - first_s) / self.speed * 1e9) for row in rows]

    def told(self) -> dict[str, object]:
        """For JSON."""
        return {"file": self.name, "speed": self.speed, "requests": len(self.rows), "rows": self.total}

    def __str__(self) -> str:
        return f"replay of {self.name} at {self.speed:g}x"


def peak_per_s(due_ns: Sequence[int]) -> float:
    """The most requests that are due within any second."""
    most = begin = 0
    for at, due in enumerate(due_ns):
        while due - due_ns[begin] >= 1_000_000_000:
            begin += 1
        most = max(most, at - begin + 1)
    return float(most)


def read_replay(
    path: Path, most: int, speed: float = 1.0, *, keeps_model: bool = False, progress: Progress = lambda _: None
) -> Replay:
    """The first `most` requests of a CSV file, which may be a pipe, or of a session directory. Raises CSVError."""
    counted = 0

    def rows() -> Iterator[SentBefore]:
        nonlocal counted
        for row in _rows(path, progress):
            counted += 1
            yield row

    try:
        first = heapq.nsmallest(most, rows())
    except OSError as error:
        raise CSVError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not first:
        raise CSVError(f"{path}: it contains no requests")
    return Replay(clean(path.name), tuple(first), counted, speed, keeps_model)


def _rows(path: Path, progress: Progress) -> Iterator[SentBefore]:
    if not path.is_dir():
        with path.open("rb") as file:
            yield from _rows_of(file, path, progress)
        return
    with Directory.held(path) as directory:
        names = directory.names()
        parts = [part for part in parts_of(ROWS, names) if part in names]
        if not parts:
            raise CSVError(f"{path}: not a session with requests: it contains no {ROWS}")
        for part in parts:
            with os.fdopen(directory.open(part), "rb") as file:
                yield from _rows_of(file, path / part, progress)


def _rows_of(file: BufferedReader, path: Path, progress: Progress) -> Iterator[SentBefore]:
    lines = csv.DictReader(csv_lines(file, path, progress), strict=True)
    try:
        names = {name.strip().casefold(): name for name in lines.fieldnames or ()}
        if missing := [name for name in NEEDED if name not in names]:
            raise CSVError(f"{path}, line 1: no column {missing[0]}: a replay needs the requests.csv of a session")
        for row in lines:
            cells = {name: (row.get(column) or "").strip() for name, column in names.items()}
            at_s = _wall_time(cells["started_at"])
            if at_s is None:
                shown = clean(cells["started_at"], 40)
                raise CSVError(f"{path}, line {lines.line_num}, column started_at: {shown!r} is not a time")
            yield SentBefore(at_s, clean(cells["endpoint"], 64), clean(cells.get("model", "")))
    except csv.Error as error:
        raise CSVError(f"{path}, line {lines.line_num}: not CSV: {error}") from None


def _wall_time(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
