"""A hidden terminal: programs run in it as a user would run them."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

COLUMNS, LINES = 140, 40
KEPT_BYTES = 1 << 20
END_S = 5.0


class Terminal:
    """Keeps the screen's last bytes, as a terminal that draws them would take them: at once."""

    def __init__(self, process: subprocess.Popen[bytes], fd: int) -> None:
        self.process = process
        self.began_ns = time.perf_counter_ns()
        self.drawn_bytes = 0
        self._fd = fd
        self._seen = b""
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def type(self, keys: str) -> None:
        with suppress(OSError):  # the program has ended
            os.write(self._fd, keys.encode())

    def wait_for(self, text: str, timeout_s: float) -> int | None:
        """Wait until the program has drawn this; returns how long after its start that was, None if it never did."""
        wanted = text.encode()
        with self._news:
            self._news.wait_for(lambda: wanted in self._seen or not self._reader.is_alive(), timeout_s)
            return time.perf_counter_ns() - self.began_ns if wanted in self._seen else None

    def wait_for_end(self, timeout_s: float) -> None:
        """Wait until the program has ended, for at most `timeout_s`."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout_s)

    def screen(self) -> str:
        """The last bytes that were drawn."""
        return self._seen[-4096:].decode("utf-8", "replace")

    def _read(self) -> None:
        with suppress(OSError):  # how Linux tells that the other side was closed
            while data := os.read(self._fd, 1 << 16):
                with self._news:
                    self.drawn_bytes += len(data)
                    self._seen = (self._seen + data)[-KEPT_BYTES:]
                    self._news.notify_all()


@contextmanager
def terminal(
    command: Sequence[str], environment: Mapping[str, str], columns: int = COLUMNS, lines: int = LINES
) -> Iterator[Terminal]:
    """Run a command in a terminal of that size; ended at the end of the `with`."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    with subprocess.Popen(  # noqa: S603 - the command is our own
        command,
        stdin=its,
        stdout=its,
        stderr=its,
        env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        start_new_session=True,
    ) as process:
        os.close(its)
        try:
            yield Terminal(process, mine)
        finally:
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
            os.close(mine)
