"""Files that stay whole on disks that fail: private, appended to by whole lines, owned by one program at a time.

Everything here raises OSError and leaves behind what was there before. Nothing is fsynced: what was written outlives
the program at once, and the machine as soon as the system has flushed it.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

log = logging.getLogger(__name__)

_STEP = 1 << 16


class LineFile:
    """A file that only grows, by whole lines, whatever happens to it or to its disk.

    Every append looks whether the file is still there: one that was deleted or rotated away is begun anew. A torn
    last line, as a kill or a power cut leaves it, is cut off when the file is opened. A file of another header is put
    aside, as is one that would grow beyond `limit`: `requests.csv` becomes the next free `requests.N.csv`.
    """

    def __init__(self, path: Path, header: bytes = b"", limit: int | None = None) -> None:
        self.path = path
        self.limit = limit
        """Bytes it may hold; None: any number."""
        self.torn_lines = 0
        """Torn lines that were cut off so far."""
        self._header = header
        self._fd: int | None = None
        self._stuck = False

    def append(self, lines: bytes) -> None:
        """Write all of these whole lines, below the header; without lines only the header. Raises OSError when
        that cannot be done, and then none of them is in the file."""
        if self.limit is not None:
            self.rotate(self.limit - len(lines))
        fd = self._current()
        before = os.fstat(fd).st_size
        try:
            write_all(fd, lines if before else self._header + lines)
        except OSError:
            with suppress(OSError):  # a tail that cannot be cut off now is cut off when the file is opened next
                os.ftruncate(fd, before)
            with suppress(OSError):
                self.close()
            raise

    def rotate(self, beyond: int = 0) -> None:
        """Put the file aside if it has rows, and is longer than `beyond` bytes; the next append begins a new one.

        Where the file cannot be put aside it is gone on with. Raises OSError when it cannot be opened.
        """
        if os.fstat(self._current()).st_size <= max(beyond, len(self._header)):
            return
        self.close()
        try:
            self._put_aside()
            self._stuck = False
        except OSError as error:
            if not self._stuck:
                log.warning("%s cannot be put aside, and grows on: %s", self.path.name, error)
            self._stuck = True

    def close(self) -> None:
        """Raises OSError where a disk tells its trouble only now."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _current(self) -> int:
        """The descriptor of the file that the path names now, ready to be appended to."""
        if self._fd is not None and not _names(self.path, self._fd):
            self.close()
        if self._fd is None:
            self._fd = self._open()
        return self._fd

    def _open(self) -> int:
        while True:
            fd = open_private(self.path, os.O_RDWR | os.O_APPEND)
            try:
                if self._is_ours(fd):
                    self._repair(fd)
                    return fd
            except OSError:
                os.close(fd)
                raise
            os.close(fd)
            aside = self._put_aside()
            log.warning("%s has other columns than this version writes: kept as %s", self.path.name, aside.name)

    def _is_ours(self, fd: int) -> bool:
        """Whether the file begins with our header, as far as it goes. Pipes and devices are never touched."""
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(self.path))
        return self._header.startswith(_read_at(fd, 0, len(self._header)))

    def _put_aside(self) -> Path:
        *older, _ = parts(self.path)
        number = _number(self.path, older[-1]) + 1 if older else 1
        return self.path.rename(self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}"))

    def _repair(self, fd: int) -> None:
        """Cut off what follows the last newline."""
        size = end = os.fstat(fd).st_size
        while end > 0:
            start = max(end - _STEP, 0)
            newline = _read_at(fd, start, end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            os.ftruncate(fd, end)
            self.torn_lines += 1
            log.warning("%s ended in a torn line: %d bytes were cut off", self.path.name, size - end)


def parts(path: Path) -> list[Path]:
    """All files that the rows of this file lie in, oldest first: those that were put aside, then the file itself."""
    aside = [other for other in path.parent.glob(f"{path.stem}.*{path.suffix}") if _number(path, other)]
    return [*sorted(aside, key=lambda other: _number(path, other)), path]


def _number(path: Path, other: Path) -> int:
    """The number with which the other file was put aside; 0: it never was this one."""
    number = other.name.removeprefix(f"{path.stem}.").removesuffix(path.suffix)
    return int(number) if number.isascii() and number.isdigit() else 0


class OwnedDirectory:
    """A private directory, owned through an advisory lock so that two programs do not write into one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def take(self) -> bool:
        """Create and lock it unless that is so already; returns whether it was not. Raises OSError."""
        lock = self.path / ".lock"
        if self._fd is not None:
            if _names(lock, self._fd):
                return False
            self.release()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = open_private(lock, os.O_RDWR)
        try:
            _lock(fd)
        except BlockingIOError as error:
            os.close(fd)
            raise OSError(errno.EBUSY, "another gwtui records into this directory", str(self.path)) from error
        self._fd = fd
        return True

    def release(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def open_private(path: Path, flags: int) -> int:
    """Open or create a file that only its owner may read, never through a symlink, never waiting for a pipe."""
    for name in ("O_CREAT", "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    return os.open(path, flags, 0o600)


def write_all(fd: int, data: bytes) -> None:
    """Write to the end, in one call where the system takes it all at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def replace_file(path: Path, data: bytes) -> None:
    """Put a whole private file in place of the old one, or leave the old one."""
    fresh = path.with_name(f".{path.name}.new")
    fd = open_private(fresh, os.O_WRONLY | os.O_TRUNC)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)
    fresh.replace(path)


def _lock(fd: int) -> None:
    """Raises BlockingIOError when another program holds it. Where locks are unknown everybody has it."""
    if sys.platform != "win32":
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            log.warning("the session directory cannot be locked: %s", error)


def _names(path: Path, fd: int) -> bool:
    """Whether the path still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _read_at(fd: int, offset: int, length: int) -> bytes:
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, length)
