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
    last line, as a kill or a power cut leaves it, is cut off when the file is opened. A file of another header is set
    aside.
    """

    def __init__(self, path: Path, header: bytes = b"") -> None:
        self.path = path
        self.torn_lines = 0
        """Torn lines that were cut off so far."""
        self._header = header
        self._fd: int | None = None

    def append(self, lines: bytes) -> None:
        """Write all of these whole lines, below the header; without lines only the header. Raises OSError when
        that cannot be done, and then none of them is in the file."""
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
            self._set_aside()

    def _is_ours(self, fd: int) -> bool:
        """Whether the file begins with our header, as far as it goes. Pipes and devices are never touched."""
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(self.path))
        return self._header.startswith(_read_at(fd, 0, len(self._header)))

    def _set_aside(self) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")).exists():
            number += 1
        self.path.rename(aside)
        log.warning("%s has other columns than this version writes: kept as %s", self.path.name, aside.name)

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
