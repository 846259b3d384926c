"""Directories that others may have put files into, and those files: opened as a stranger's.

A directory is held by a descriptor, so that it stays the same one wherever its path leads to later. What lies in it is
opened without following links, as a regular file, without waiting for anybody, and read up to a limit.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Self

HAS_DIR_FD = os.open in os.supports_dir_fd
"""Where that is not so, as on Windows, paths have to do."""

_SAFELY = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"))


class Directory:
    """A directory that is held open, or not held yet. All methods raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """Where it was found."""
        self._fd: int | None = None

    @classmethod
    def held(cls, path: Path) -> Self:
        """The directory of that path, which may be a link."""
        directory = cls(path)
        directory.hold()
        return directory

    def hold(self, *, follow: bool = True) -> None:
        """Open what the path leads to now; without `follow` it has to be the directory itself."""
        if not HAS_DIR_FD:
            next(self.path.iterdir(), None)
            return
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        try:
            fd = os.open(self.path, flags if follow else flags | os.O_NOFOLLOW)
        except OSError as error:
            if not follow and self.path.is_symlink():
                raise _link(str(self.path)) from error
            raise
        self.let_go()
        self._fd = fd

    def let_go(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def take_over(self, other: Directory) -> None:
        """Hold what the other one holds, which lets go of it."""
        self.let_go()
        self._fd, other._fd = other._fd, None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()

    @property
    def is_held(self) -> bool:
        return self._fd is not None

    def is_at_its_path(self) -> bool:
        """Whether the path leads to the held directory, and through no link."""
        try:
            return os.path.samestat(self.status(), self.path.lstat())
        except OSError:
            return False

    def status(self, name: str | None = None) -> os.stat_result:
        """Of the directory, or of a name in it; a link's own."""
        if name is not None:
            where, fd = self._at(name)
            return os.stat(where, dir_fd=fd, follow_symlinks=False)
        return self.path.stat() if self._fd is None else os.fstat(self._fd)

    def make_private(self) -> None:
        """Take all access from others."""
        if stat.S_IMODE(self.status().st_mode) != 0o700:
            os.chmod(self.path if self._fd is None else self._fd, 0o700)  # noqa: PTH101 - a descriptor

    def names(self) -> list[str]:
        """What is in it, in the order of the names."""
        return sorted(os.listdir(self.path if self._fd is None else self._fd))  # noqa: PTH208 - a descriptor

    def has(self, name: str) -> bool:
        """Whether anything in it has that name."""
        try:
            self.status(name)
        except FileNotFoundError:
            return False
        return True

    def refuse_others(self, name: str) -> None:
        """Raise OSError for a file that is not regular. It is not even opened: opening some devices has effects."""
        try:
            mode = self.status(name).st_mode
        except FileNotFoundError:
            return
        if stat.S_ISLNK(mode):
            raise _link(name)
        if not stat.S_ISREG(mode):
            raise _no_file(name)

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """The descriptor of a regular file, which is private if this creates it."""
        where, fd = self._at(name)
        self.refuse_others(name)
        try:
            opened = os.open(where, flags | _SAFELY, 0o600, dir_fd=fd)
        except OSError as error:
            raise _link(name) if error.errno == errno.ELOOP else error from error
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise _no_file(name)
        return opened

    def read(self, name: str, limit: int) -> bytes:
        """The file, which may be no longer than `limit` bytes."""
        with os.fdopen(self.open(name), "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise OSError(errno.EFBIG, f"longer than {limit:,} bytes", name)
        return data

    def rename(self, name: str, new: str) -> None:
        """Give a file a new name, in the place of what has it."""
        (where, fd), (target, _) = self._at(name), self._at(new)
        os.replace(where, target, src_dir_fd=fd, dst_dir_fd=fd)

    def remove(self, name: str) -> None:
        """Remove a file; of a link the link itself."""
        where, fd = self._at(name)
        os.unlink(where, dir_fd=fd)

    def inner(self, name: str, *, make: bool = False) -> Directory:
        """A directory that lies in it, held. `make`: it is made, private, if it is missing."""
        where, fd = self._at(name)
        if make:
            with suppress(FileExistsError):
                os.mkdir(where, 0o700, dir_fd=fd)
        found = Directory(self.path / name)
        if not HAS_DIR_FD:
            found.hold(follow=False)
        elif stat.S_ISLNK(self.status(name).st_mode):
            raise _link(name)
        else:
            found._fd = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=fd)
        return found

    def remove_directory(self, name: str) -> None:
        """Remove an empty directory that lies in it."""
        where, fd = self._at(name)
        os.rmdir(where, dir_fd=fd)

    def is_named(self, name: str, fd: int) -> bool:
        """Whether the name in it still leads to the open file."""
        try:
            return os.path.samestat(os.fstat(fd), self.status(name))
        except FileNotFoundError:
            return False

    def _at(self, name: str) -> tuple[str, int | None]:
        if name != Path(name).name:
            raise OSError(errno.EINVAL, "not the name of a file", name)
        if self._fd is None:
            if HAS_DIR_FD:
                raise NotADirectoryError(errno.ENOTDIR, "the directory is not there", str(self.path))
            return str(self.path / name), None
        return name, self._fd


def expanded(path: str | Path) -> Path:
    """The path with its `~` replaced by the home directory; unchanged if there is no home directory."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib's raises


def open_at_once(path: str, flags: int) -> int:
    """An `opener` for `open` that does not wait for the writer of a FIFO, which the caller refuses."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def make_private_directories(path: Path) -> None:
    """Make the directory and all above it that are missing, each for its owner alone whatever the umask.

    One that is there stays as it is. Raises OSError.
    """
    for directory in (*reversed(path.parents), path):
        if not directory.exists():
            try:
                directory.mkdir(mode=0o700)
                directory.chmod(0o700)
            except FileExistsError:
                if not directory.is_dir():
                    raise


def _link(name: str) -> OSError:
    return OSError(errno.ELOOP, "a symbolic link, and links are not followed here", name)


def _no_file(name: str) -> OSError:
    return OSError(errno.EINVAL, "not a regular file", name)
