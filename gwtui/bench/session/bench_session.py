"""A bench session: the directory of a benchmark, written while it runs.

    with BenchSession(directory, profile, RunFile.new(plan, at=time.time())) as session:
        session.begin(Point.of(endpoint, plan))     # before its first row; `run.json` then names it
        session.row("claude", result)               # as each result that counts ends
        session.miss("claude", Unsent.NO_ROOM)      # a due request that was never sent
        session.end("claude")                       # the point has all its results: `--resume` leaves it out
        session.summary(bench_json(run, tripped))   # the same object as --json

`row` and `miss` cost the caller two microseconds: a thread of the recorder renders and appends, and a kill loses
at most 250 ms. Nothing raises but entering, which refuses a directory that another program or session has. What the
disk does is in `status()`: the measuring goes on.

    recording = read_bench(directory)               # in `gwtui.bench.session.bench_recording`
    with BenchSession.resumed(recording) as session: ...

The files: `run.json` (`RunFile`), `requests.csv` and `pings.csv` (the columns of every session, then those of
`BENCH_COLUMNS`), `never_sent.csv`, `profile.toml` (the endpoints; keys as references), `session.toml`, `summary.json`.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, Unpack

from gwtui.bench.session.run_file import Point, RunFile
from gwtui.bench.session.session_rows import (
    NEVER_SENT_COLUMNS,
    SESSION_PING_COLUMNS,
    SESSION_REQUEST_COLUMNS,
    session_line,
)
from gwtui.codec.cells import wall_time
from gwtui.model.enums import Unsent
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request
from gwtui.recorder.csvfile import csv_line
from gwtui.recorder.ownership import NEVER_SENT, RUN, SESSION, SUMMARY
from gwtui.recorder.rows import Rows, describe_error
from gwtui.recorder.session_writer import Pace, SessionWriter
from gwtui.text.units import milliseconds, timestamp

if TYPE_CHECKING:
    from gwtui.bench.session.bench_recording import BenchRecording

log = logging.getLogger(__name__)

MAX_WAITING = 100_000
"""Rows that may wait while the disk takes none: some seconds of the fastest loop."""


class SessionRefusedError(Exception):
    """Nothing may be written into that directory. The text says why."""


class _Taken(NamedTuple):
    point: str
    result: Request | Ping


class _Missed(NamedTuple):
    point: str
    why: Unsent
    at_ns: int


class BenchSession(SessionWriter):
    """Writes the directory of a benchmark. Enter it, tell it what happens, leave it."""

    def __init__(
        self,
        directory: Path,
        profile: Profile,
        run: RunFile,
        *,
        clock: Callable[[], int] = time.perf_counter_ns,
        is_resumed: bool = False,
        **pace: Unpack[Pace],
    ) -> None:
        """`profile` has the endpoints that are loaded. `clock`: that of the results' stamps."""
        pace.setdefault("max_waiting", MAX_WAITING)
        super().__init__(directory, profile, **pace)
        owned = self._directory
        self._clock = clock
        self._run_file = run
        self._is_resumed = is_resumed
        now_at, self._started_at = self._started_at, wall_time(run.started_at)
        self.zero_ns = clock() - round(max(0.0, now_at - self._started_at) * 1e9)
        """The stamp of `started_at`, from which the stamps of the rows count."""
        self._requests = Rows(owned, "requests.csv", self._line, SESSION_REQUEST_COLUMNS)
        self._pings = Rows(owned, "pings.csv", self._line, SESSION_PING_COLUMNS, always=False)
        self._missed = Rows(owned, NEVER_SENT, self._miss_line, NEVER_SENT_COLUMNS, always=False)
        self._all = (self._requests, self._pings, self._missed)
        self._summary = ""
        self._documents[RUN] = lambda: self._run_file.text()
        self._unsaved.add(RUN)
        self._lock = threading.Lock()
        """Of `_run_file`: at a hang another thread ends the benchmark."""

    @classmethod
    def resumed(
        cls, recording: BenchRecording, clock: Callable[[], int] = time.perf_counter_ns, **pace: Unpack[Pace]
    ) -> Self:
        """One that goes on with what was recorded."""
        now_at = pace.get("wall", time.time)()
        run = replace(recording.run, resumed_at=(*recording.run.resumed_at, timestamp(now_at)))
        return cls(recording.directory, recording.profile, run, clock=clock, is_resumed=True, **pace)

    def __enter__(self) -> Self:
        """Take the directory, so that no other program can, and begin to write. Raises SessionRefusedError.

        A directory that cannot be written to is no reason to refuse: `status` says so.
        """
        try:
            self._take()
        except OSError as error:
            if error.errno in (errno.EBUSY, errno.EPERM):
                raise SessionRefusedError(error.strerror) from error
            self._error = describe_error(error, self._directory.path.name)
        return super().__enter__()

    def _take(self) -> None:
        """Raises OSError: EBUSY or EPERM where the directory is not to be written to."""
        self._directory.take()
        if self._is_resumed:
            with suppress(FileNotFoundError):
                self._directory.remove(SUMMARY)  # it is not of what comes now
        elif self._directory.has(SESSION):
            self._directory.release()
            raise OSError(errno.EPERM, "it holds a session already", str(self._directory.path))

    @property
    def run_file(self) -> RunFile:
        return self._run_file

    def begin(self, point: Point) -> None:
        """A point begins. One of that name that is there already, as after a resume, is gone on with."""
        with self._lock:
            if self._run_file.point(point.name) is None:
                self._change(self._run_file.with_point(point))

    def end(self, name: str) -> None:
        """All of a point was sent."""
        with self._lock:
            point = self._run_file.point(name)
            if point is not None and not point.ended:
                self._change(self._run_file.with_point(replace(point, ended=True)))

    def row(self, point: str, result: Request | Ping) -> None:
        """A result that counts. Never blocks, never raises."""
        rows = self._requests if isinstance(result, Request) else self._pings
        rows.put(_Taken(point, result), self._max_waiting)
        self._woken()

    def miss(self, point: str, why: Unsent) -> None:
        """A request that was due and is never sent. Never blocks, never raises."""
        self._missed.put(_Missed(point, why, self._clock()), self._max_waiting)
        self._woken()

    def summary(self, text: str) -> None:
        """What came of it, as one JSON object; the newest counts."""
        self._summary = text if text.endswith("\n") else text + "\n"
        self._documents[SUMMARY] = lambda: self._summary
        self._unsaved.add(SUMMARY)
        self._woken()

    def _change(self, run: RunFile) -> None:
        self._run_file = run
        self._unsaved.add(RUN)
        self._woken()

    def _note(self, text: str) -> None:
        """Who runs a benchmark says it once, at the end."""
        log.info("%s", text)

    def _line(self, taken: _Taken) -> bytes:
        return session_line(taken.point, taken.result, self.zero_ns)

    def _miss_line(self, missed: _Missed) -> bytes:
        return csv_line((missed.point, missed.why.value, milliseconds(missed.at_ns - self.zero_ns)))
