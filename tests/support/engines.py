"""An engine in a process of its own, spoken to line by line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from typing import TypeVar

from gwtui.codec.wire import decode, encode_command
from gwtui.feeds import ENGINE
from gwtui.model.commands import Command
from gwtui.model.records import Record

R = TypeVar("R", bound=Record)


class Child:
    """An engine process; `argv` may start it in another way."""

    def __init__(self, argv: Sequence[str] = ENGINE) -> None:
        self._popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._popen.stdin
        assert self._popen.stdout
        self.pid = self._popen.pid
        self.stdin, self.stdout = self._popen.stdin, self._popen.stdout

    def send(self, *lines: bytes | Command) -> None:
        for line in lines:
            self.stdin.write(line if isinstance(line, bytes) else encode_command(line))
        self.stdin.flush()

    def until(self, kind: type[R], wanted: Callable[[R], bool] = lambda _: True) -> R:
        """The next record of that kind that is wanted."""
        for line in self.stdout:
            if isinstance(record := decode(line), kind) and wanted(record):
                return record
        raise AssertionError(f"it ended: {self.end()}")

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def end(self) -> tuple[int, str]:
        """The exit code and the log of an engine that ends."""
        _, log = self._popen.communicate(timeout=20)
        return self._popen.returncode, log.decode()

    def close(self) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.communicate()
