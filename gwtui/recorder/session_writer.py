"""A session's directory and the thread that writes it: rows as they come, and documents that are replaced as a whole.

The caller pays next to nothing: a thread of its own turns what it is given into rows and appends them, whole
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
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypedDict

from gwtui.codec.csv_schema import SCHEMA
from gwtui.model.profile import Profile
from gwtui.recorder.disk import replace_file
from gwtui.recorder.ownership import PROFILE, SESSION, SESSION_BYTES, OwnedDirectory
from gwtui.recorder.rows import Rows, describe_error
from gwtui.recorder.session_metadata import profile_toml, schema_in, session_toml

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


class Pace(TypedDict, total=False):
    """How fast a `SessionWriter` is, and by which clocks, unless as ever."""

    flush_s: float
    retry_s: float
    max_waiting: int
    close_s: float
    wall: Callable[[], float]
    clock_s: Callable[[], float]


class SessionWriter:
    """Writes a session's directory. Enter it, give it rows and documents, leave it: then all that could be written is.

    Who writes rows derives from it, names the files in `_all`, and calls `_woken` after each row.
    """

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
        self._directory = OwnedDirectory(Path(os.path.realpath(directory)))  # what was named may be a link
        self._profile = profile
        self._error = ""
        self._flush_s, self._retry_s, self._max_waiting = flush_s, retry_s, max_waiting
        self._close_s = close_s
        self._wall, self._clock_s = wall, clock_s
        self._started_at = wall()
        self._day = _day(self._started_at)
        self._all: tuple[Rows[Any], ...] = ()
        self._documents: dict[str, Callable[[], str]] = {
            SESSION: lambda: session_toml(self._started_at),
            PROFILE: lambda: profile_toml(self._profile),
        }
        self._unsaved = set(self._documents)
        """Names of the documents that are not on the disk as they are now."""
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

    @property
    def directory(self) -> Path:
        """Where the files are; what was named may have been a link to it."""
        return self._directory.path

    def status(self) -> RecorderStatus:
        waiting = sum(len(rows.waiting) + len(rows.lines) for rows in self._all)
        return RecorderStatus(
            rows_written=sum(rows.written for rows in self._all),
            rows_waiting=0 if self._given_up else waiting,
            rows_lost=sum(rows.lost for rows in self._all) + (waiting if self._given_up else 0),
            error=self._silence() or self._error,
            torn_lines=sum(rows.file.torn_lines for rows in self._all),
        )

    def close(self, within_s: float | None = None) -> None:
        """Write what waits and end; rows that are not written by then are lost and counted. May be called again."""
        self._closing.set()
        self._wake.set()
        self._thread.join(self._close_s if within_s is None else within_s)
        self._given_up = self._thread.is_alive()

    def _woken(self) -> None:
        """There is something to write."""
        if not self._wake.is_set():
            self._wake.set()

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
                fails = self._error or self._error_beside()
                self._closing.wait(self._retry_s if fails else self._flush_s)
                if fails:
                    self._wake.set()
            self._flush()  # what came during the last one
            ended = self._error
        finally:
            for rows in self._all:
                rows.close()
            self._close_beside()
            self._directory.release()
            self._moved_s = None
            self._error = ended or next((rows.error for rows in self._all if rows.error), "")
            if lost := self.status().rows_lost:
                self._note(f"{lost:,} rows were lost")

    def _flush(self) -> None:
        self._moved_s = self._clock_s()
        error = self._take_directory()
        if not error or (self._directory.is_held and self._has_to_write()):
            error = error or self._save_documents()
            written = [rows for rows in self._all if rows.always or rows.waiting or rows.lines]
            self._rotate(written)
            for rows in written:
                rows.write(self._goes_on)
            error = error or next((rows.error for rows in written if rows.error), "")
            self._write_beside()
        if error != self._error:
            self._note(f"rows cannot be written: {error}" if error else "rows are written again")
        self._error = error

    def _take_directory(self) -> str:
        """Own the directory; returns why not."""
        try:
            if self._directory.take():
                self._unsaved = set(self._documents)
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

    def _save_documents(self) -> str:
        """Say what the rows are before there is one, and keep the newest documents beside them; returns why not."""
        for name in [name for name in self._documents if name in self._unsaved]:
            self._unsaved.discard(name)  # before it is written: it may change meanwhile
            try:
                replace_file(self._directory, name, self._documents[name]().encode())
            except OSError as error:
                self._unsaved.add(name)
                return describe_error(error, name)
        return ""

    def _note(self, text: str) -> None:
        """Something changed that `status` says too."""
        log.warning("%s", text)

    def _write_beside(self) -> None:
        """Write what is neither a row nor a document, in the thread."""

    def _error_beside(self) -> str:
        """Why that cannot be written at the moment; empty when it can."""
        return ""

    def _close_beside(self) -> None:
        """The end of that, in the thread."""


def _day(at: float) -> int:
    """The day of a wall time, in UTC."""
    return int(at // 86_400)
