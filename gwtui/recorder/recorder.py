"""A session's directory: a row per request, ping, incident and check on disk as they come, and the profile.

`Recorder.put` costs the caller next to nothing: a thread of its own turns records into rows and appends them, whole
lines in one write, at most `FLUSH_S` after they came. A disk that is full, a directory that is gone or a file that
was rotated away never stop the measuring: rows wait, are tried again, and are counted when there is no more room.

A file that has grown to the profile's `rotate_mb`, or beyond `DAY_BYTES` when a day (UTC) begins, is put aside as
`requests.1.csv`, `requests.2.csv`, ... and begun anew; all of them are the session. Rows are not fsynced: a kill
costs at most those of the last `FLUSH_S`, a power cut those that the system had not written out yet.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from gwtui.codec.csv_schema import (
    CHECK_COLUMNS,
    INCIDENT_COLUMNS,
    PING_COLUMNS,
    REQUEST_COLUMNS,
    SCHEMA,
    check_row,
    incident_row,
    ping_row,
    request_row,
)
from gwtui.model.check_results import CheckResult
from gwtui.model.profile import Profile
from gwtui.model.records import Incident, Ping, ProfileChanged, Record, Request
from gwtui.recorder.csvfile import csv_line
from gwtui.recorder.disk import LineFile, replace_file
from gwtui.recorder.ownership import PROFILE, SESSION, SESSION_BYTES, OwnedDirectory
from gwtui.recorder.session_metadata import profile_toml, schema_in, session_toml
from gwtui.text.sanitize import clean
from gwtui.text.untrusted_files import Directory

log = logging.getLogger(__name__)

FLUSH_S = 0.2
"""A row is written at most this long after it came."""
RETRY_S = 1.0
"""Between two tries while rows cannot be written."""
MAX_WAITING = 10_000
"""Rows of one file that may wait while they cannot be written; newer ones are lost and counted."""
BATCH = 500
"""Rows in one write."""
DAY_BYTES = 1_000_000
"""A smaller file goes on into the next day."""
CLOSE_S = 5.0
"""How long the end of a session waits for a disk that hangs."""

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """How the writing goes. Rows are the lines of all files of the session."""

    rows_written: int = 0
    rows_waiting: int = 0
    rows_lost: int = 0
    error: str = ""
    """Why rows cannot be written at the moment; empty when they can."""
    torn_lines: int = 0
    """Torn last lines, left by an earlier program in the same directory, that were cut off."""


class _Rows(Generic[_R]):
    """The rows of one file that are on their way to it."""

    def __init__(
        self,
        directory: Directory,
        name: str,
        render: Callable[[_R], bytes],
        columns: Sequence[str] = (),
        *,
        always: bool = True,
    ) -> None:
        """`always`: there is such a file even before it has a row."""
        self.file = LineFile(directory, name, csv_line(columns) if columns else b"")
        self.always = always
        self.waiting: deque[_R] = deque()
        self.lines: list[bytes] = []
        self.written = 0
        self.lost = 0
        self.error = ""
        self._render = render

    def put(self, record: _R, room: int) -> None:
        if len(self.waiting) < room:
            self.waiting.append(record)
        else:
            self.lost += 1

    def write(self) -> None:
        """Everything that waits by now. What cannot be written stays, and `error` says why."""
        waiting = len(self.waiting)
        while True:
            while waiting and len(self.lines) < BATCH:
                self.lines.append(self._render(self.waiting.popleft()))
                waiting -= 1
            try:
                self.file.append(b"".join(self.lines))
            except OSError as error:
                self.error = _told(error, self.file.name)
                return
            self.error = ""
            self.written += len(self.lines)
            self.lines.clear()
            if not waiting:
                return

    def close(self) -> None:
        try:
            self.file.close()
        except OSError as error:
            self.error = _told(error, self.file.name)
        self.lost += len(self.lines) + len(self.waiting)
        self.lines.clear()
        self.waiting.clear()


class Recorder:
    """Writes a session's directory. Enter it, `put` every record, leave it: then all that could be written is."""

    def __init__(
        self,
        directory: Path,
        profile: Profile,
        *,
        flush_s: float = FLUSH_S,
        retry_s: float = RETRY_S,
        max_waiting: int = MAX_WAITING,
        wall: Callable[[], float] = time.time,
    ) -> None:
        owned = self._directory = OwnedDirectory(Path(os.path.realpath(directory)))  # what was named may be a link
        self._profile = profile
        self._saved: Profile | None = None
        self._error = ""
        self._flush_s, self._retry_s, self._max_waiting = flush_s, retry_s, max_waiting
        self._wall = wall
        self._started_at = wall()
        self._day = _day(self._started_at)
        self._requests = _Rows(owned, "requests.csv", _request_line, REQUEST_COLUMNS)
        self._pings = _Rows(owned, "pings.csv", _ping_line, PING_COLUMNS)
        self._incidents = _Rows(owned, "incidents.csv", _incident_line, INCIDENT_COLUMNS)
        self._checks = _Rows(owned, "checks.csv", _check_line, CHECK_COLUMNS, always=False)
        self._texts = _Rows(owned, "texts.jsonl", _text_line, always=False)
        self._all: tuple[_Rows[Any], ...] = (
            self._requests,
            self._pings,
            self._incidents,
            self._checks,
            self._texts,
        )
        self._wake, self._closing = threading.Event(), threading.Event()
        self._wake.set()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(self, record: Record) -> None:
        """Take a record that has a row, or a changed profile; all others pass by. Never blocks, never raises."""
        match record:
            case Request():
                self._requests.put(record, self._max_waiting)
                if record.text and self._profile.record_text:
                    self._texts.put(record, self._max_waiting)
            case Ping():
                self._pings.put(record, self._max_waiting)
            case Incident():
                self._incidents.put(record, self._max_waiting)
            case CheckResult():
                self._checks.put(record, self._max_waiting)
            case ProfileChanged():
                self._profile = record.profile
            case _:
                return
        if not self._wake.is_set():
            self._wake.set()

    def status(self) -> RecorderStatus:
        return RecorderStatus(
            rows_written=sum(rows.written for rows in self._all),
            rows_waiting=sum(len(rows.waiting) + len(rows.lines) for rows in self._all),
            rows_lost=sum(rows.lost for rows in self._all),
            error=self._error,
            torn_lines=sum(rows.file.torn_lines for rows in self._all),
        )

    def close(self, within_s: float = CLOSE_S) -> None:
        """Write what waits and end; rows that cannot be written now are lost and counted. May be called again."""
        self._closing.set()
        self._wake.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        ended = "the recorder stopped; the engine's log says why"
        try:
            while not self._closing.is_set():
                self._wake.wait()
                self._wake.clear()
                self._flush()
                self._closing.wait(self._retry_s if self._error else self._flush_s)
                if self._error:
                    self._wake.set()
            self._flush()  # what came during the last one
            ended = self._error
        finally:
            for rows in self._all:
                rows.close()
            self._directory.release()
            self._error = ended or next((rows.error for rows in self._all if rows.error), "")
            if lost := self.status().rows_lost:
                log.warning("%d rows were lost", lost)

    def _flush(self) -> None:
        error = self._take_directory()
        if not error or (self._directory.is_held and self._has_to_write()):
            error = error or self._save_profile()
            written = [rows for rows in self._all if rows.always or rows.waiting or rows.lines]
            self._rotate(written)
            for rows in written:
                rows.write()
            error = error or next((rows.error for rows in written if rows.error), "")
        if error != self._error:
            log.warning("rows cannot be written: %s", error) if error else log.warning("rows are written again")
        self._error = error

    def _take_directory(self) -> str:
        """Own the directory; returns why not."""
        try:
            if self._directory.take():
                self._saved = None
                self._refuse_schema()
        except OSError as error:
            return _told(error, self._directory.path.name)
        return ""

    def _has_to_write(self) -> bool:
        """Whether rows can wait no longer for the path to be a directory again: they go where those before went."""
        return self._closing.is_set() or any(len(rows.waiting) > self._max_waiting // 2 for rows in self._all)

    def _refuse_schema(self) -> None:
        """Rows of another schema, left by another version, are not gone on with."""
        try:
            schema = schema_in(self._directory.read(SESSION, SESSION_BYTES).decode("utf-8", "replace"))
        except FileNotFoundError:
            return
        if schema not in (None, SCHEMA):
            log.warning("the directory holds rows of schema %s: they are put aside", schema)
            for rows in self._all:
                rows.file.rotate()

    def _rotate(self, written: Sequence[_Rows[Any]]) -> None:
        """Have files put aside that are too large, or of a day that is over."""
        day, before = _day(self._wall()), self._day
        self._day = max(day, before)  # a clock that is set back begins no new day twice
        for rows in written:
            rows.file.limit = int(self._profile.rotate_mb * 1_000_000)
            if day > before:
                with suppress(OSError):  # the next append tells it
                    rows.file.rotate(DAY_BYTES)

    def _save_profile(self) -> str:
        """Say what the rows are before there is one, and keep the newest profile beside them; returns why not."""
        profile, name = self._profile, SESSION
        try:
            if self._saved is not profile:
                replace_file(self._directory, name, session_toml(self._started_at).encode())
                name = PROFILE
                replace_file(self._directory, name, profile_toml(profile).encode())
                self._saved = profile
        except OSError as error:
            return _told(error, name)
        return ""


def _request_line(request: Request) -> bytes:
    return csv_line(request_row(request).values())


def _ping_line(ping: Ping) -> bytes:
    return csv_line(ping_row(ping).values())


def _incident_line(incident: Incident) -> bytes:
    return csv_line(incident_row(incident).values())


def _check_line(result: CheckResult) -> bytes:
    return csv_line(check_row(result).values())


def _text_line(request: Request) -> bytes:
    line = {"endpoint": request.endpoint, "request_number": request.number, "text": request.text}
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _day(at: float) -> int:
    """The day of a wall time, in UTC."""
    return int(at // 86_400)


def _told(error: OSError, name: str) -> str:
    """The error for a banner: what, and where."""
    return clean(f"{error.strerror or error} ({name})", 200)
