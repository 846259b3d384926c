"""A thread that ends the process when its event loop does not: what is asked of it must not wait for a blocked call.

It sees signals where they arrive, before the interpreter gets to call a handler, and hears of every record.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from gwtui.feeds.silence import LOOK_S, Silence
from gwtui.model.signals import asks, heeded

log = logging.getLogger(__name__)

END_S = 1.3
"""How long the program has for its end: the event loop, and what it reports afterwards."""
FLUSH_S = 0.4
"""How long rows may then take that still wait."""
EXIT_FAILED = 3

Flush = Callable[[float], object]


class Watchdog:
    """Enter it in the main thread, and leave it when all is closed and reported.

    A signal that asks for the end has `end_s` from then on; others that come meanwhile change nothing. Then what is
    guarded is flushed, and `leave` ends the process: 128 + n when signal n asked for the end, 3 otherwise.
    """

    def __init__(self, *, end_s: float = END_S, leave: Callable[[int], object] = os._exit) -> None:
        self.end_s = end_s
        self._leave = leave
        self._flush: Flush | None = None
        self._silent: Callable[[float], object] | None = None
        self._silence = Silence(time.monotonic())
        self._heard = self._reported = False
        self._due: tuple[float, int] | None = None
        self._mine, self._its = socket.socketpair()
        self._its.setblocking(False)
        self._fd_before: int | None = None
        self._heeded = heeded()
        self._handlers: dict[int, Any] = {}
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        with suppress(ValueError):  # not the main thread: signals are somebody else's
            self._fd_before = signal.set_wakeup_fd(self._its.fileno(), warn_on_full_buffer=False)
            for number in self._heeded:
                self._handlers[number] = signal.signal(number, _note) or signal.SIG_DFL
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._fd_before is not None:
            try:
                signal.set_wakeup_fd(self._fd_before)
            except (OSError, ValueError):  # whoever had it before has closed it, or this is another thread
                with suppress(ValueError):
                    signal.set_wakeup_fd(-1)
        self._its.close()
        self._thread.join()
        self._mine.close()

    @contextmanager
    def guarding(self, flush: Flush, silent: Callable[[float], object] | None = None) -> Iterator[None]:
        """While the block runs, `flush` has a number of seconds to write what waits, should the process be ended; and
        `silent` is called, in the watchdog's thread, once when nothing was `heard` for too long."""
        self._silence, self._reported = Silence(time.monotonic()), False
        self._flush, self._silent = flush, silent
        try:
            yield
        finally:
            self._flush = self._silent = None
            if self._due is not None and self._due[1] == EXIT_FAILED:
                self._due = None

    def heard(self) -> None:
        """The event loop gave a record."""
        self._heard = True

    def insist(self, after_s: float = 0.0, code: int = EXIT_FAILED) -> None:
        """Have the process end with this code when it has not by then. From any thread; the soonest counts."""
        due = (time.monotonic() + after_s + self.end_s, code)
        self._due = due if self._due is None else min(self._due, due)
        with suppress(OSError):  # full of signals, which wake it as well
            self._its.send(b"\0")

    def _run(self) -> None:
        while True:
            wait_s = LOOK_S if self._due is None else min(LOOK_S, max(0.0, self._due[0] - time.monotonic()))
            if select.select([self._mine], [], [], wait_s)[0]:
                numbers = self._mine.recv(64)
                if not numbers:
                    return
                for number in numbers:
                    if number in self._heeded and asks(number):
                        self.insist(code=128 + number)
            self._look(time.monotonic())
            if self._due is not None and time.monotonic() >= self._due[0]:
                self._end(self._due[1])
                return

    def _look(self, now_s: float) -> None:
        if self._heard:
            self._heard = self._reported = False
            self._silence.heard(now_s)
        elif (silent_s := self._silence.look(now_s)) is not None and self._silent is not None and not self._reported:
            self._reported = True
            self._silent(silent_s)

    def _end(self, code: int) -> None:
        try:
            if self._flush is not None:
                log.error("the event loop did not come to its end; what there is by now is written")
                flushing = threading.Thread(target=self._flush, args=(FLUSH_S,), daemon=True)
                flushing.start()
                flushing.join(FLUSH_S)
        finally:
            self._leave(code)


def _note(_number: int, _frame: object) -> None:
    """A handler, without which a signal would not get to the watchdog."""
