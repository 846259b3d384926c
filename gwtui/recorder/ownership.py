"""Ownership of a session's directory: the user's own, only gwtui's files, one program at a time."""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from gwtui.codec.csv_schema import REQUEST_COLUMNS
from gwtui.codec.stream_file import STREAMS
from gwtui.recorder.csvfile import csv_line
from gwtui.recorder.session_metadata import schema_in
from gwtui.text.untrusted_files import Directory, make_private_directories

if sys.platform != "win32":
    import fcntl

log = logging.getLogger(__name__)

LOCK = ".lock"
SESSION = "session.toml"
PROFILE = "profile.toml"
REQUESTS = "requests.csv"
USUAL = "usual.jsonl"
RUN = "run.json"
"""What a benchmark was to do: only the sessions of benchmarks have it."""
SUMMARY = "summary.json"
NEVER_SENT = "never_sent.csv"
SESSION_BYTES = 64 << 10
"""Length limit of `session.toml`."""
MAX_NAMED = 3
"""This many names of files are quoted."""

_LEFT = re.compile(r"\.lock|\.((session|profile)\.toml|(run|summary)\.json)\.new")
"""What a session that ended before it had a row may leave."""
_OURS = re.compile(
    r"(session|profile)\.toml|(run|summary)\.json"
    r"|((requests|pings|incidents|checks|never_sent)(\.[0-9]+)?\.csv|(texts|usual)(\.[0-9]+)?\.jsonl)([.-][0-9A-Za-z.-]+)?"
    r"|(writeup|copy)-[0-9A-Za-z-]+\.[a-z]+"
)
"""The files of a session, also as a program that rotates logs names them: `requests.csv.1.gz`."""


class OwnedDirectory(Directory):
    """A private directory of the user's own, locked so that two programs do not write into it.

    It stays the same while its path leads to it. A path that is a link is never followed.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._lock: int | None = None

    def take(self) -> bool:
        """Create, hold and lock it unless that is so already; returns whether it was not. Raises OSError, and holds
        what it held before."""
        if self._lock is not None and self.is_at_its_path() and self.is_named(LOCK, self._lock):
            return False
        make_private_directories(self.path)
        fresh = Directory(self.path)
        fresh.hold(follow=False)
        if fault := fault_of(fresh):
            fresh.let_go()
            raise OSError(errno.EPERM, fault, str(self.path))
        fresh.make_private()
        try:
            fd = fresh.open(LOCK, os.O_RDWR | os.O_CREAT)
        except OSError:
            fresh.let_go()
            raise
        try:
            _lock(fd)
        except BlockingIOError as error:
            os.close(fd)
            fresh.let_go()
            raise OSError(errno.EBUSY, "another gwtui records into this directory", str(self.path)) from error
        self.release()
        self.take_over(fresh)
        self._lock = fd
        return True

    def release(self) -> None:
        fd, self._lock = self._lock, None
        if fd is not None:
            os.close(fd)
        self.let_go()


def refusal_of(path: Path) -> str:
    """Why nothing may be recorded into the directory that a user named, which may be a link; empty when something may.

    One that cannot be looked at is left to the recorder, which says why while measuring goes on.
    """
    try:
        with Directory.held(path) as directory:
            return fault_of(directory)
    except OSError:
        return ""


def is_bench(path: Path) -> bool:
    """Whether a directory is a bench session."""
    try:
        with Directory.held(path) as directory:
            return directory.has(RUN)
    except OSError:
        return False


def fault_of(directory: Directory) -> str:
    """Why no session may be recorded into a directory that is held; empty when one may. Raises OSError."""
    if sys.platform != "win32" and directory.status().st_uid != os.geteuid():
        return "the directory belongs to another user"
    names = [name for name in directory.names() if not _LEFT.fullmatch(name)]
    if foreign := [name for name in names if not _is_ours(directory, name)]:
        return f"it contains files that gwtui did not write: {_named(foreign)}"
    if names and not (SESSION in names and _is_session(directory, names)):
        return f"it holds {_named(names)}, and no {SESSION} that says that gwtui wrote them"
    return ""


def _is_ours(directory: Directory, name: str) -> bool:
    status = directory.status(name)
    if name == STREAMS:
        return stat.S_ISDIR(status.st_mode)  # what lies in it that is not ours stays
    return bool(_OURS.fullmatch(name)) and stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def _is_session(directory: Directory, names: Sequence[str]) -> bool:
    """Whether `session.toml` says so, or, where a power cut left nothing of it, the rows beside it."""
    if schema_in(directory.read(SESSION, SESSION_BYTES).decode("utf-8", "replace")) is not None:
        return True
    header = csv_line(REQUEST_COLUMNS)
    if REQUESTS not in names:
        return False
    with os.fdopen(directory.open(REQUESTS), "rb") as file:
        return file.read(len(header)) == header


def _named(names: Iterable[str]) -> str:
    shown = [*names]
    more = f" and {len(shown) - MAX_NAMED:,} more" if len(shown) > MAX_NAMED else ""
    return f"{', '.join(shown[:MAX_NAMED])}{more}"


def _lock(fd: int) -> None:
    """Raises BlockingIOError when another program holds it. Where locks are unknown everybody has it."""
    if sys.platform != "win32":
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            log.warning("the session directory cannot be locked: %s", error)
