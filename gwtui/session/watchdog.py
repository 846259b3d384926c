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
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from gwtui.feeds.silence import LOOK_S, Silence
from gwtui.model.signals import asks, heeded

log = logging.getLogger(__name__)

END_S = 1.4
"""How long the event loop has for its end."""
FLUSH_S = 0.4
"""How long rows may then take that still wait."""
EXIT_FAILED = 3


class Watchdog:
    """Enter it in the main thread, and leave it when all is closed.

    `flush` has a number of seconds to write what waits, then `leave` ends the process: 128 + n when signal n asked for
    the end, 3 otherwise. `silent` is told, in this thread, once when nothing was heard for too long.
    """

    def __init__(
        self,
        flush: Callable[[float], object],
        silent: Callable[[float], object] | None = None,
        *,
        end_s: float = END_S,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        self._flush = flush
        self._silent = silent
        self._end_s = end_s
        self._leave = leave
        self._heard = False
        self._due: tuple[float, int] | None = None
        self._mine, self._its = socket.socketpair()
        self._its.setblocking(False)
        self._fd_before: int | None = None
        self._heeded = heeded()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        with suppress(ValueError):  # not the main thread: signals are somebody else's
            self._fd_before = signal.set_wakeup_fd(self._its.fileno(), warn_on_full_buffer=False)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd_before is not None:
            try:
                signal.set_wakeup_fd(self._fd_before)
            except (OSError, ValueError):  # whoever had it before has closed it, or this is another thread
                with suppress(ValueError):
                    signal.set_wakeup_fd(-1)
        self._its.close()
        self._thread.join()
        self._mine.close()

    def heard(self) -> None:
        """The event loop gave a record."""
        self._heard = True

    def insist(self, after_s: float = 0.0, code: int = EXIT_FAILED) -> None:
        """Have the process end with this code when it has not by then. From any thread; the soonest counts."""
        due = (time.monotonic() + after_s + self._end_s, code)
        self._due = due if self._due is None else min(self._due, due)

    def _run(self) -> None:
        silence, told = Silence(time.monotonic()), False
        while True:
            if select.select([self._mine], [], [], LOOK_S)[0]:
                numbers = self._mine.recv(64)
                if not numbers:
                    return
                for number in numbers:
                    if number in self._heeded and asks(number):
                        self.insist(code=128 + number)
            now_s = time.monotonic()
            if self._heard:
                self._heard = told = False
                silence.heard(now_s)
            elif (silent_s := silence.look(now_s)) is not None and self._silent is not None and not told:
                told = True
                self._silent(silent_s)
            if self._due is not None and now_s >= self._due[0]:
                self._end(self._due[1])
                return

    def _end(self, code: int) -> None:
        log.error("the event loop did not come to its end; rows that waited are written now")
        self._flush(FLUSH_S)
        self._leave(code)
