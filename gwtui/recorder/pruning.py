"""Old sessions are removed: only whole sessions that gwtui wrote, that no program records into, and that have no mark.

What lies in the directory of the sessions is a stranger's: no link is followed, and what is no session stays.
"""

from __future__ import annotations

import csv
import errno
import logging
import os
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gwtui.codec.csv_schema import INCIDENT_COLUMNS
from gwtui.codec.stream_file import STREAMS
from gwtui.model.commands import Upkeep
from gwtui.recorder.csvfile import csv_cells
from gwtui.recorder.disk import parts_of
from gwtui.recorder.ownership import LOCK, SESSION, OwnedDirectory
from gwtui.recorder.session_dirs import SESSIONS
from gwtui.recorder.stream_files import is_kept_stream
from gwtui.text.units import many
from gwtui.text.untrusted_files import Directory

log = logging.getLogger(__name__)

DAY_S = 86_400.0
GB = 1_000_000_000
SPEAK_BYTES = 2 * GB
"""Where nothing is said of how much to keep, more than this is worth a word."""
MAX_LINE = 1 << 20
_KIND = INCIDENT_COLUMNS.index("kind")


@dataclass(frozen=True, slots=True)
class Stored:
    """A session on the disk."""

    name: str
    bytes: int
    ended_at: float
    """When it was written to last, wall time."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of the sessions."""

    kept_bytes: int = 0
    removed: int = 0
    removed_bytes: int = 0


def prune_sessions(
    sessions: Path,
    *,
    now: float,
    keep_days: float = 0.0,
    keep_gb: float = 0.0,
    but: str = "",
    stopped: Callable[[], bool] = lambda: False,
) -> Pruned:
    """Remove what is older than `keep_days`, and the oldest while all take more than `keep_gb`; 0: no limit.

    `but` is the name of a session that stays. Raises OSError when the directory cannot be looked through.
    """
    with Directory.held(sessions) as parent:
        stored = sorted(_stored(parent), key=lambda each: each.ended_at)
        left = sum(each.bytes for each in stored)
        removed = removed_bytes = 0
        for each in stored:
            is_old = bool(keep_days) and each.ended_at < now - keep_days * DAY_S
            is_too_much = bool(keep_gb) and left > keep_gb * GB
            if stopped() or each.name == but or not (is_old or is_too_much):
                continue
            if _remove(parent, each.name):
                left -= each.bytes
                removed += 1
                removed_bytes += each.bytes
    return Pruned(left, removed, removed_bytes)


def word_of(pruned: Pruned, sessions: Path, *, limited: bool) -> str:
    """What the user should know of it, in one line; empty when there is nothing to say."""
    if pruned.removed:
        sizes = f"{_size(pruned.removed_bytes)}; {_size(pruned.kept_bytes)} stay"
        return f"{many(pruned.removed, 'old session')} removed ({sizes})"
    if pruned.kept_bytes > SPEAK_BYTES and not limited:
        return (
            f"the sessions in {sessions} take {_size(pruned.kept_bytes)}: keep_days or keep_gb in the table"
            " [sessions] of the configuration removes old ones"
        )
    return ""


def _size(size: int) -> str:
    return f"{size / GB:.1f} GB" if size >= GB else f"{size / 1e6:.1f} MB"


def _stored(parent: Directory) -> Iterator[Stored]:
    """What looks like a session. Other files and directories are left out."""
    for name in parent.names():
        with suppress(OSError):
            if not stat.S_ISDIR(parent.status(name).st_mode):
                continue
            with _opened(parent, name) as directory:
                names = directory.names()
                statuses = [directory.status(each) for each in names if each != STREAMS]
                streams = _bytes_in(directory, STREAMS) if STREAMS in names else 0
            if SESSION in names:
                size = sum(s.st_size for s in statuses) + streams
                yield Stored(name, size, max(s.st_mtime for s in statuses))


def _bytes_in(directory: Directory, name: str) -> int:
    with directory.inner(name) as inner:
        return sum(inner.status(each).st_size for each in inner.names())


def _opened(parent: Directory, name: str) -> Directory:
    directory = Directory(parent.path / name)
    directory.hold(follow=False)
    return directory


def _remove(parent: Directory, name: str) -> bool:
    """Remove a session, unless it is not to be; returns whether it is gone."""
    directory = OwnedDirectory(parent.path / name)
    try:
        directory.take()  # refuses what another program records into, and files that are not a session's
        names = directory.names()
        if SESSION not in names or _is_marked(directory, names):
            return False
        last = [each for each in (SESSION, LOCK) if each in names]
        if STREAMS in names:
            _remove_streams(directory)
        for each in (*(each for each in names if each not in (*last, STREAMS)), *last):
            directory.remove(each)
        parent.remove_directory(name)
    except OSError as error:
        log.info("the session %s stays: %s", name, error)
        return False
    finally:
        directory.release()
    return True


def _remove_streams(directory: Directory) -> None:
    """Remove the kept streams of a session. Raises OSError where there are other files among them, and removes none."""
    with directory.inner(STREAMS) as inner:
        names = inner.names()
        if strange := [name for name in names if not is_kept_stream(inner, name)]:
            raise OSError(errno.ENOTEMPTY, f"it contains files that gwtui did not write: {strange[0]}", STREAMS)
        for name in names:
            inner.remove(name)
    directory.remove_directory(STREAMS)


def _is_marked(directory: Directory, names: list[str]) -> bool:
    """Whether the user has left a mark in it. Lines that cannot be read count as one."""
    for part in parts_of("incidents.csv", names):
        with suppress(FileNotFoundError), os.fdopen(directory.open(part), encoding="utf-8", errors="replace") as file:
            for line in iter(lambda: file.readline(MAX_LINE), ""):
                if "mark" in line and _kind_in(line) in ("mark", ""):
                    return True
    return False


def _kind_in(line: str) -> str:
    try:
        cells = csv_cells(line.rstrip("\n"))
    except csv.Error:
        return ""
    return cells[_KIND] if len(cells) > _KIND else ""


class PruningThread:
    """Removes old sessions beside a new one, because a disk may be slow. Enter it when a session begins, leave it at
    the end, which does not wait for it."""

    def __init__(self, upkeep: Upkeep, session_dir: str | None, notes: deque[str]) -> None:
        """`notes` gets what the user should know of it, added by another thread."""
        self._upkeep = upkeep
        self._name = Path(session_dir).name if session_dir is not None else ""
        self._notes = notes
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, name="pruning", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()

    def _run(self) -> None:
        sessions, days, gb = Path(self._upkeep.state) / SESSIONS, self._upkeep.sessions_days, self._upkeep.sessions_gb
        try:
            pruned = prune_sessions(
                sessions, now=time.time(), keep_days=days, keep_gb=gb, but=self._name, stopped=self._stopped.is_set
            )
        except OSError as error:
            log.info("the sessions in %s cannot be looked through: %s", sessions, error)
            return
        if word := word_of(pruned, sessions, limited=bool(days or gb)):
            self._notes.append(word)
