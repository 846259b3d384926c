"""The terminal underneath: one that goes away or stops reading must not keep the program, or its engine, alive."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from gwtui.model.signals import asks, ending
from gwtui.ui.text_layout import printable


class EscapeFilter(LineFilter):
    """Makes visible what would move the cursor, reach the clipboard or hide. A line stays as wide as it was."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isprintable() for segment in segments):
            return segments
        width = Segment.get_line_length(segments)
        shown = [Segment(printable(text), style, control) for text, style, control in segments]
        return Segment.adjust_line_length(shown, width)


HUNG_UP = 129
"""The exit code of a program whose terminal went away: 128 and the number of SIGHUP."""
INSIST_S = 4.0
"""How long an end that a signal asked for may take: longer than an engine that has to be killed."""
_OF_THE_DRIVER = ("SIGTSTP", "SIGCONT", "SIGTTIN", "SIGTTOU", "SIGWINCH")


def is_foreground(fd: int) -> bool:
    """Whether this job may use the terminal: it is in the foreground, or no job is."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True


def stop_job(fd: int) -> None:
    """Stop this job, engine and all, as a shell does; only this process where there is no job control."""
    try:
        os.tcgetpgrp(fd)
    except OSError:
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        os.killpg(0, signal.SIGSTOP)


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
    asked: SimpleQueue[int] = SimpleQueue()
    """A handler may put into it whatever it interrupted."""

    def caught(number: int, _frame: object) -> None:
        if asks(number):
            loop.call_soon_threadsafe(end, 128 + number)
            asked.put(128 + number)

    def insist() -> None:
        code = asked.get()
        time.sleep(INSIST_S)
        os._exit(code)

    threading.Thread(target=insist, name="insist", daemon=True).start()
    others = [int(getattr(signal, name)) for name in _OF_THE_DRIVER if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in (*ending(), *others)}
    for number in ending():
        signal.signal(number, caught)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
