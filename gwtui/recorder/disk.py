"""Files that stay whole on disks that fail: private, and appended to by whole lines.

Everything here raises OSError and leaves behind what was there before. Nothing is fsynced: what was written outlives
the program at once, and the machine as soon as the system has flushed it.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gwtui.text.untrusted_files import Directory

log = logging.getLogger(__name__)

_STEP = 1 << 16

_PART = re.compile(r"(requests|pings|never_sent)(?:\.[0-9]+)?\.csv")


class LineFile:
    """A file that only grows, by whole lines, whatever happens to it or to its disk.

    Every append looks whether the file is still there: one that was deleted or rotated away is begun anew. A torn
    last line, as a kill or a power cut leaves it, is cut off when the file is opened. A file of another header is put
    aside, as is one that would grow beyond `limit`: `requests.csv` becomes the next free `requests.N.csv`.
    """

    def __init__(self, directory: Directory, name: str, header: bytes = b"", limit: int | None = None) -> None:
        self.name = name
        self.limit = limit
        """Bytes it may hold; None: any number."""
        self.torn_lines = 0
        """Torn lines that were cut off so far."""
        self._directory = directory
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
                log.warning("%s cannot be rotated and keeps growing: %s", self.name, error)
            self._stuck = True

    def close(self) -> None:
        """Raises OSError where a disk reports its trouble only now."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _current(self) -> int:
        """The descriptor of the file that has the name now, ready to be appended to."""
        if self._fd is not None and not self._directory.is_named(self.name, self._fd):
            self.close()
        if self._fd is None:
            self._fd = self._open()
        return self._fd

    def _open(self) -> int:
        while True:
            fd = self._directory.open(self.name, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            try:
                if self._is_ours(fd):
                    self._repair(fd)
                    return fd
            except OSError:
                os.close(fd)
                raise
            os.close(fd)
            aside = self._put_aside()
            log.warning("%s has other columns than this version writes: kept as %s", self.name, aside)

    def _is_ours(self, fd: int) -> bool:
        """Whether the file begins with our header, as far as it goes."""
        return self._header.startswith(_read_at(fd, 0, len(self._header)))

    def _put_aside(self) -> str:
        *older, _ = parts_of(self.name, self._directory.names())
        number = part_number(self.name, older[-1]) + 1 if older else 1
        stem, dot, suffix = self.name.rpartition(".")
        aside = f"{stem}.{number}{dot}{suffix}"
        self._directory.rename(self.name, aside)
        return aside

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
            log.warning("%s ended in a torn line: %d bytes were cut off", self.name, size - end)


def parts_of(name: str, names: Iterable[str]) -> list[str]:
    """All files that the rows of this file lie in, oldest first: those that were put aside, then the file itself."""
    aside = [other for other in names if part_number(name, other)]
    return [*sorted(aside, key=lambda other: part_number(name, other)), name]


def parts(path: Path) -> list[Path]:
    """The same of a file that lies in a directory, which is looked through."""
    return [path.with_name(part) for part in parts_of(path.name, (other.name for other in path.parent.iterdir()))]


def part_number(name: str, other: str) -> int:
    """The number with which the other file was put aside; 0: it never was this one."""
    stem, dot, suffix = name.rpartition(".")
    if not (other.startswith(f"{stem}.") and other.endswith(dot + suffix)):
        return 0
    number = other[len(stem) + 1 : -len(suffix) - 1]
    return int(number) if number.isascii() and number.isdigit() else 0


def write_all(fd: int, data: bytes) -> None:
    """Write to the end, in one call where the system takes it all at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def replace_file(directory: Directory, name: str, data: bytes) -> None:
    """Put a whole private file in place of the old one, or leave the old one."""
    fresh = f".{name}.new"
    fd = directory.open(fresh, os.O_WRONLY | os.O_TRUNC | os.O_CREAT)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)
    directory.rename(fresh, name)


def _read_at(fd: int, offset: int, length: int) -> bytes:
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, length)


def other_parts(path: Path) -> list[str]:
    """What else a session has of a file that was put aside, or that others were put aside for."""
    part = _PART.fullmatch(path.name)
    try:
        names = {other.name for other in path.parent.iterdir()} if part is not None else set()
    except OSError:
        return []
    base = f"{part[1]}.csv" if part is not None else ""
    return [name for name in parts_of(base, names) if name in names and name != path.name] if base else []
