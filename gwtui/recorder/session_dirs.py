"""Where sessions are kept, each in its own directory."""

from __future__ import annotations

import re
import stat
from contextlib import suppress
from pathlib import Path

import platformdirs

from gwtui.config.paths import of_user
from gwtui.recorder.ownership import RUN, SESSION
from gwtui.text.units import timestamp
from gwtui.text.untrusted_files import Directory, make_private_directories

SESSIONS = "sessions"
"""The directory of all sessions, in that of the program's state."""


def state_dir() -> Path | None:
    """Where sessions are kept unless told otherwise: the platform's directory for a program's state.

    None where there is no home directory.
    """
    return of_user(lambda: platformdirs.user_state_path("gwtui", appauthor=False))


def new_session_dir(profile_name: str, started_at: float, state: Path | None = None) -> Path | None:
    """A directory of a new session, such as `sessions/2026-11-20T14-03-22Z-prod`, made so that no other session has it.

    Where none can be made its path is returned all the same: the recorder says why, and measuring goes on. None where
    there is no home directory.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", profile_name)[:40]
    stem = f"{timestamp(started_at)[:19].replace(':', '-')}Z-{name}"
    parent = _sessions(state)
    if parent is None:
        return None
    with suppress(OSError):  # the recorder says what it meets
        _make_private(parent)
    number = 1
    while True:
        directory = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            directory.mkdir(mode=0o700)
            directory.chmod(0o700)
        except FileExistsError:
            number += 1
        except OSError:
            return directory
        else:
            return directory


def _make_private(sessions: Path) -> None:
    """Make the directory of the sessions and that above it, and take all access to both from others."""
    make_private_directories(sessions)
    for path in (sessions.parent, sessions):
        with Directory.held(path) as directory:
            directory.make_private()


def latest_session_dir(state: Path | None = None) -> Path | None:
    """The directory of the latest session of a monitor, or None. Those of benchmarks have to be named."""
    return next(iter(newest_session_dirs(1, state)), None)


def newest_session_dirs(most: int, state: Path | None = None) -> list[Path]:
    """The directories of the latest sessions of monitors, the newest first."""
    sessions = _sessions(state)
    if sessions is None:
        return []
    try:
        begun = [(began, path) for path in sessions.iterdir() if (began := _began(path)) is not None]
    except OSError:
        return []
    return [path for _, path in sorted(begun, reverse=True)[:most]]


def _began(directory: Path) -> float | None:
    """When its session began, according to its file, or None; None of one of a benchmark too."""
    try:
        if (directory / RUN).exists():
            return None
        status = (directory / SESSION).lstat()
    except OSError:
        return None
    return status.st_mtime if stat.S_ISREG(status.st_mode) else None


def session_dir(path: Path, state: Path | None = None) -> Path:
    """The directory of a session that is named by its path, or as it is called among the others."""
    sessions = _sessions(state)
    if sessions is None:
        return path
    beside = sessions / path
    return beside if len(path.parts) == 1 and not path.exists() and beside.exists() else path


def _sessions(state: Path | None) -> Path | None:
    state = state or state_dir()
    return state / SESSIONS if state is not None else None
