"""Files that the user names: links, pipes and `<(...)` of any length, read with progress on a terminal; and written."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from gwtui.cli.console import OwnFaultError, Refusal, is_screen

CHUNK_BYTES = 1 << 16
QUIET_S = 1.0
"""Work that ends sooner shows no progress."""
PERIOD_S = 0.2

Progress = Callable[[int], None]
"""Takes how many bytes more were read."""


@contextmanager
def progress(total: int | None = None) -> Iterator[Progress]:
    """Tell on standard error, if that is a terminal, how much was read of `total` bytes; None: who knows."""
    if not is_screen(sys.stderr):
        yield lambda _: None
        return
    line = _Line(total)
    try:
        yield line.add
    finally:
        line.clear()


class _Line:
    def __init__(self, total: int | None) -> None:
        self._total = total
        self._read = 0
        self._next_s = time.monotonic() + QUIET_S
        self._shown = False

    def add(self, length: int) -> None:
        self._read += length
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + PERIOD_S
            of = f" of {self._total / 1e6:,.1f}" if self._total else ""
            self._write(f"\r\x1b[Kreading: {self._read / 1e6:,.1f}{of} MB")
            self._shown = True

    def clear(self) -> None:
        if self._shown:
            self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        with suppress(OSError):  # a terminal that is gone needs no telling
            sys.stderr.write(text)
            sys.stderr.flush()


def chunks_of(file: BufferedReader) -> Iterator[bytes]:
    """The bytes of an open file as they come. Raises a Refusal when it cannot be read."""
    with progress(size_of(file)) as add:
        while data := _read(file):
            add(len(data))
            yield data


def size_of(file: BufferedReader) -> int | None:
    """How long the file is; None where that cannot be known."""
    with suppress(OSError):
        status = os.fstat(file.fileno())
        return status.st_size if stat.S_ISREG(status.st_mode) else None
    return None


def _read(file: BufferedReader) -> bytes:
    try:
        return file.read1(CHUNK_BYTES)
    except OSError as error:
        raise Refusal(f"{file.name}: cannot be read: {error.strerror or error}") from error


class OutputFile:
    """A file that is written once, at the end. What it held before stays until then."""

    def __init__(self, path: Path) -> None:
        """Raises a Refusal at once for a place that cannot be written to."""
        self._path = path
        try:
            path.open("ab").close()
        except OSError as error:
            raise Refusal(f"cannot write {path}: {error.strerror or error}") from error

    def write(self, data: bytes) -> None:
        """Raises OwnFaultError."""
        try:
            self._path.write_bytes(data)
        except OSError as error:
            raise OwnFaultError(f"{self._path} was not written: {error.strerror or error}") from error
