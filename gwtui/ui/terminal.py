"""The terminal underneath: one that goes away or stops reading must not keep the program, or its engine, alive."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from textual.driver import Driver

HUNG_UP = 129
"""The exit code of a program whose terminal went away: 128 and the number of SIGHUP."""
INSIST_S = 8.0
"""How long an end that a signal asked for may take: longer than an engine that has to be killed."""


class _Outlet:
    """Standard output, written to for as long as anybody is there. What Textual writes with must never raise."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


def hardy(driver: type[Driver]) -> type[Driver]:
    """Textual's driver for this system, writing to standard output, so that standard error can go to a file.

    Its own writing thread would die of the first error and leave the program waiting for it for ever.
    """

    class Hardy(driver):  # type: ignore[misc, valid-type]  # the base depends on the system
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            if sys.__stdout__ is not None:
                self._file = _Outlet(sys.__stdout__)

        def _run_input_thread(self) -> None:
            try:
                self.run_input_thread()
            except OSError:
                self._app.call_later(self._app.exit, HUNG_UP)

        def _sigcont_application(self, *_: object) -> None:
            """Textual takes the terminal anew, as if its own handler had let go of it: nobody can catch SIGSTOP."""
            if self._writer_thread is None:
                return
            if not self._must_signal_resume:  # type: ignore[has-type]  # as above
                self.suspend_application_mode()
                self._must_signal_resume = True
            super()._sigcont_application()

    return Hardy


def is_gone() -> bool:
    """Whether the terminal hung up. Some do so without a signal, and then read as endless nothing."""
    return sys.__stdin__ is None or not os.isatty(sys.__stdin__.fileno())


@contextmanager
def signals_end(end: Callable[[int], None]) -> Iterator[None]:
    """A signal ends the program the usual way: `end` is called in the event loop, with the exit code.

    Where that leads nowhere, because the terminal reads nothing any more, the process ends all the same. Its engine
    writes its last rows when it sees that.
    """
    loop = asyncio.get_running_loop()

    def caught(number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(end, 128 + number)
        insist = threading.Timer(INSIST_S, os._exit, (128 + number,))
        insist.daemon = True
        insist.start()

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT") if hasattr(signal, name)]
    before = {number: signal.signal(number, caught) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
