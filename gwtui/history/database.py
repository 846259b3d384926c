"""The history's file: opened as what it is, and put aside when it is damaged.

Several programs may have it open. It is written ahead (WAL) where the file system can do that; on those of a network,
whose machines share no memory, it has an ordinary journal. Everything raises HistoryError.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from gwtui.text.untrusted_files import Directory, make_private_directories

SCHEMA = 1
APPLICATION = 0x67777475
"""Tells a file of gwtui from any other one of SQLite."""
BUSY_S = 5.0
"""How long to wait for another program that writes."""
MAX_DAMAGED = 1000

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "9p", "beegfs", "gpfs"}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TAKEN = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_TABLES = """
CREATE TABLE endpoints (
    id INTEGER PRIMARY KEY,
    profile TEXT NOT NULL, name TEXT NOT NULL, api TEXT NOT NULL, url TEXT NOT NULL, path TEXT NOT NULL,
    model TEXT NOT NULL, vantage TEXT NOT NULL, request TEXT NOT NULL,
    UNIQUE (profile, name, api, url, path, model, vantage, request)
);
CREATE TABLE outcomes (
    endpoint INTEGER NOT NULL REFERENCES endpoints, hour INTEGER NOT NULL, teaches INTEGER NOT NULL,
    verdict TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (endpoint, hour, teaches, verdict)
) WITHOUT ROWID;
CREATE TABLE latencies (
    endpoint INTEGER NOT NULL REFERENCES endpoints, hour INTEGER NOT NULL, teaches INTEGER NOT NULL,
    metric TEXT NOT NULL, n INTEGER NOT NULL, sums BLOB NOT NULL, digits INTEGER NOT NULL,
    PRIMARY KEY (endpoint, hour, teaches, metric)
);
CREATE INDEX exact_latencies ON latencies (hour) WHERE digits > 6;
CREATE TABLE episodes (
    endpoint INTEGER NOT NULL REFERENCES endpoints, began REAL NOT NULL, until REAL NOT NULL,
    goes_on INTEGER NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (endpoint, began)
);
CREATE TABLE accepted (
    endpoint INTEGER PRIMARY KEY REFERENCES endpoints, since REAL NOT NULL, at REAL NOT NULL
);
"""


class HistoryError(Exception):
    """The history cannot be read or written just now. The text says why."""


class UnusableError(HistoryError):
    """It cannot be used at all by this version, and is left as it is."""


class DamagedError(HistoryError):
    """The file is damaged: `put_aside` makes room for a new one."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What SQLite and the disk raise, as HistoryError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGED:
            raise DamagedError(f"{path} is damaged") from error
        if code in _TAKEN:
            raise HistoryError(f"{path}: another program has been writing to it for {BUSY_S:.0f} s") from error
        raise HistoryError(f"{path}: {error}") from error
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror or error}") from error


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, or make it if it is missing: its owner's alone, and no link."""
    with explained(path):
        make_private_directories(path.parent)
        _make_private_file(path)
        with ExitStack() as opened:
            connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            opened.callback(connection.close)
            _prepare(connection, path)
            opened.pop_all()
            return connection


def _make_private_file(path: Path) -> None:
    """Make the file if it is missing. An existing one is not opened: closing it would end SQLite's locks on it."""
    with Directory.held(path.parent) as directory:
        directory.make_private()
        try:
            directory.refuse_others(path.name)
        except OSError as error:
            raise UnusableError(f"{path}: {error.strerror}; move it away, and a new one begins") from error
        with suppress(FileExistsError):
            os.close(directory.open(path.name, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        if stat.S_IMODE(directory.status(path.name).st_mode) & 0o077:
            path.chmod(0o600)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if not _is_known(connection, path):
        with transaction(connection):
            if not _is_known(connection, path):  # another program may have been quicker
                _create(connection)
    _choose_journal(connection, path)
    connection.execute("PRAGMA synchronous = NORMAL")


def _is_known(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether it has our tables already. Raises UnusableError for what is not to be touched."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables and not version:
        return False
    if application != APPLICATION:
        raise UnusableError(f"{path} was not written by gwtui, and is left as it is")
    if version != SCHEMA:
        raise UnusableError(
            f"{path} was written by another version of gwtui (schema {version}, this one reads {SCHEMA})"
            " and is left as it is"
        )
    return True


def _create(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _choose_journal(connection: sqlite3.Connection, path: Path) -> None:
    """Write ahead where that works for all who may open the file."""
    wanted = "TRUNCATE" if is_on_network(path) else "WAL"
    try:
        (mode,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _TAKEN:
            return  # whoever else has it open has chosen
        mode = ""
    if mode.upper() != wanted:
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = TRUNCATE").fetchone()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written in the block, or nothing. Other programs wait meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")


def put_aside(path: Path, connection: sqlite3.Connection | None = None) -> Path | None:
    """Give the damaged file, with its journals, the next free name `history.sqlite.damaged-N`, which is returned.

    None where another program has done so already: the path leads to another file than the damaged one.
    """
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()
    with explained(path), Directory.held(path.parent) as directory:
        if not _is_damaged(path):
            return None
        names = set(directory.names())
        number = next(n for n in range(1, MAX_DAMAGED) if f"{path.name}.damaged-{n}" not in names)
        aside = f"{path.name}.damaged-{number}"
        directory.rename(path.name, aside)
        for suffix in ("-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                directory.rename(path.name + suffix, aside + suffix)
    return path.with_name(aside)


def _is_damaged(path: Path) -> bool:
    """Looked at anew: another program may have put the damaged file aside meanwhile."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_S)) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode & 0xFF in _DAMAGED
    return bool(said != "ok")


def is_on_network(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether the file lies on a file system that other machines may have mounted too. False where that is unknown."""
    try:
        where, lines = path.parent.resolve(), mounts.read_text(errors="replace").splitlines()
    except OSError:
        return False
    longest, kind = -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = Path(_unescaped(fields[4]))
        if where.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), after.split()[0]
    return kind in _NETWORK or kind.startswith("fuse.ssh")


def _unescaped(text: str) -> str:
    """A path of mountinfo: spaces and the like are octal in it."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
