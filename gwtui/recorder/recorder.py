"""A session's directory: a row per request, ping, incident and check on disk as they come, what is usual, the profile.

`Recorder.put` costs the caller next to nothing: a thread of its own turns records into rows and appends them, whole
lines in one write, at most `FLUSH_S` after they came. A disk that is full, a directory that is gone or a file that
was rotated away never stop the measuring: rows wait, are tried again, and are counted when there is no more room.

A file that has grown to the profile's `rotate_mb`, or beyond `DAY_BYTES` when a day (UTC) begins, is put aside as
`requests.1.csv`, `requests.2.csv`, ... and begun anew; all of them are the session. Rows are not fsynced: a kill
costs at most those of the last `FLUSH_S`, a power cut those that the system had not written out yet.
"""

from __future__ import annotations

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
from typing import TYPE_CHECKING, Any, Self

from gwtui.codec.csv_schema import CHECK_COLUMNS, INCIDENT_COLUMNS, PING_COLUMNS, REQUEST_COLUMNS, SCHEMA
from gwtui.model.check_results import CheckResult
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, ProfileChanged, Record, Request
from gwtui.recorder.disk import replace_file
from gwtui.recorder.ownership import PROFILE, SESSION, SESSION_BYTES, USUAL, OwnedDirectory
from gwtui.recorder.rows import (
    Rows,
    check_line,
    describe_error,
    incident_line,
    ping_line,
    request_line,
    text_line,
    usual_line,
)
from gwtui.recorder.session_metadata import profile_toml, schema_in, session_toml
from gwtui.recorder.stream_files import StreamFiles

if TYPE_CHECKING:
    from gwtui.probes.stream_capture import StreamCapture

log = logging.getLogger(__name__)

FLUSH_S = 0.2
"""A row is written at most this long after it came."""
RETRY_S = 1.0
"""Between two tries while rows cannot be written."""
MAX_WAITING = 10_000
"""Rows of one file that may wait while they cannot be written; newer ones are lost and counted."""
DAY_BYTES = 1_000_000
"""A smaller file goes on into the next day."""
CLOSE_S = 5.0
"""How long the end waits for the rows to be written, unless told otherwise."""
SILENT_S = 2.0
"""A disk that takes longer for one batch of rows does not answer."""


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """How the writing goes. Rows are the lines of all files of the session."""

    rows_written: int = 0
    rows_waiting: int = 0
    rows_lost: int = 0
    error: str = ""
    """Why rows cannot be written at the moment; empty when they can."""
    streams_kept: int = 0
    streams_lost: int = 0
    """Streams that were to be kept and could not be written."""
    torn_lines: int = 0
    """Torn last lines, left by an earlier program in the same directory, that were cut off."""


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
        close_s: float = CLOSE_S,
        wall: Callable[[], float] = time.time,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        owned = self._directory = OwnedDirectory(Path(os.path.realpath(directory)))  # what was named may be a link
        self._profile = profile
        self._saved: Profile | None = None
        self._error = ""
        self._flush_s, self._retry_s, self._max_waiting = flush_s, retry_s, max_waiting
        self._close_s = close_s
        self._wall, self._clock_s = wall, clock_s
        self._started_at = wall()
        self._day = _day(self._started_at)
        self._requests = Rows(owned, "requests.csv", request_line, REQUEST_COLUMNS)
        self._pings = Rows(owned, "pings.csv", ping_line, PING_COLUMNS)
        self._incidents = Rows(owned, "incidents.csv", incident_line, INCIDENT_COLUMNS)
        self._checks = Rows(owned, "checks.csv", check_line, CHECK_COLUMNS, always=False)
        self._texts = Rows(owned, "texts.jsonl", text_line, always=False)
        self._usuals = Rows(owned, USUAL, usual_line, always=False)
        self._all: tuple[Rows[Any], ...] = (
            self._requests,
            self._pings,
            self._incidents,
            self._checks,
            self._texts,
            self._usuals,
        )
        self.notes: deque[str] = deque()
        """What the user should know, added by the thread."""
        self._streams = StreamFiles(owned, self.notes)
        self._wake, self._closing = threading.Event(), threading.Event()
        self._wake.set()
        self._moved_s: float | None = None
        """When the thread last got on with its work at the disk; None while it has none."""
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def keep(self, capture: StreamCapture) -> None:
        """Take an answer as it came, whose record comes later. Never blocks, never raises."""
        self._streams.hold(capture)

    def put(self, record: Record) -> None:
        """Take a record that has a row, or a changed profile; all others pass by. Never blocks, never raises."""
        if isinstance(record, Request | Ping):
            self._streams.take(record, self._profile)
        match record:
            case Request():
                self._requests.put(record, self._max_waiting)
                if record.text and self._profile.record_text:
                    self._texts.put(record, self._max_waiting)
            case Ping():
                self._pings.put(record, self._max_waiting)
            case LogEntry():
                self._incidents.put(record, self._max_waiting)
            case CheckResult():
                self._checks.put(record, self._max_waiting)
            case Usual():
                self._usuals.put(record, self._max_waiting)
            case ProfileChanged():
                self._profile = record.profile
            case _:
                return
        if not self._wake.is_set():
            self._wake.set()

    def status(self) -> RecorderStatus:
        waiting = sum(len(rows.waiting) + len(rows.lines) for rows in self._all)
        return RecorderStatus(
            rows_written=sum(rows.written for rows in self._all),
            rows_waiting=0 if self._given_up else waiting,
            rows_lost=sum(rows.lost for rows in self._all) + (waiting if self._given_up else 0),
            error=self._silence() or self._error,
            streams_kept=self._streams.written,
            streams_lost=self._streams.lost + (self._streams.waiting if self._given_up else 0),
            torn_lines=sum(rows.file.torn_lines for rows in self._all),
        )

    def close(self, within_s: float | None = None) -> None:
        """Write what waits and end; rows that are not written by then are lost and counted. May be called again."""
        self._closing.set()
        self._wake.set()
        self._thread.join(self._close_s if within_s is None else within_s)
        self._given_up = self._thread.is_alive()

    def _silence(self) -> str:
        """That the disk holds the thread up, and for how long; empty when it does not."""
        moved_s = self._moved_s
        silent_s = 0.0 if moved_s is None else self._clock_s() - moved_s
        if silent_s > SILENT_S:
            return f"the disk has not answered for {silent_s:.0f} s"
        return "the disk was too slow at the end" if self._given_up else ""

    def _goes_on(self) -> bool:
        """Asked between two batches, which is a sign of life."""
        self._moved_s = self._clock_s()
        return not self._given_up

    def _run(self) -> None:
        ended = "the recorder stopped; the engine's log says why"
        try:
            while not self._closing.is_set():
                self._wake.wait()
                self._wake.clear()
                self._flush()
                self._moved_s = None
                fails = self._error or self._streams.error
                self._closing.wait(self._retry_s if fails else self._flush_s)
                if fails:
                    self._wake.set()
            self._flush()  # what came during the last one
            ended = self._error
        finally:
            for rows in self._all:
                rows.close()
            self._streams.close()
            self._directory.release()
            self._moved_s = None
            self._error = ended or next((rows.error for rows in self._all if rows.error), "")
            if lost := self.status().rows_lost:
                log.warning("%d rows were lost", lost)
            if self._streams.lost:
                log.warning("%d streams were lost", self._streams.lost)

    def _flush(self) -> None:
        self._moved_s = self._clock_s()
        error = self._take_directory()
        if not error or (self._directory.is_held and self._has_to_write()):
            error = error or self._save_profile()
            written = [rows for rows in self._all if rows.always or rows.waiting or rows.lines]
            self._rotate(written)
            for rows in written:
                rows.write(self._goes_on)
            error = error or next((rows.error for rows in written if rows.error), "")
            self._streams.write(self._profile, self._goes_on)
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
            return describe_error(error, self._directory.path.name)
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

    def _rotate(self, written: Sequence[Rows[Any]]) -> None:
        """Have files put aside that are too large, or of a day that is over."""
        day, before = _day(self._wall()), self._day
        self._day = max(day, before)  # a clock that is set back begins no new day twice
        for rows in written:
            rows.file.limit = int(self._profile.rotate_mb * 1_000_000)
            if day > before:
                with suppress(OSError):  # the next append reports it
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
            return describe_error(error, name)
        return ""


def _day(at: float) -> int:
    """The day of a wall time, in UTC."""
    return int(at // 86_400)
