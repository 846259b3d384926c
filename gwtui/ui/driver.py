"""Textual's driver for this system, hardened: against terminals that go away, signals at any moment, and any input."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Any, ClassVar, TextIO

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.geometry import Size
from textual.message import Message

from gwtui.ui.keeper import Keeper
from gwtui.ui.keyboard import Keyboard, Pasted
from gwtui.ui.terminal import HUNG_UP, is_foreground, stop_job

UNSTOPPED_S = 0.2
"""Seconds after which a process that cannot be stopped, such as the first of a container, takes the terminal back."""

LARGEST = Size(800, 250)
"""Columns and rows that are drawn at most; terminals and the environment may name any number."""
LOOK_S = 0.1
"""Between two looks whether the input is to end."""
HURRY_S = 0.02
"""As much while something unfinished was read."""
SAVE_TITLE = "\x1b[22;2t"
GIVE_TITLE_BACK = "\x1b]2;\a\x1b[23;2t"
"""Empty where the terminal saves none."""


def hardy(driver: type[Driver], keeper: Keeper, leaving: Callable[[], bool]) -> type[Driver]:
    """The driver's hardy twin. `keeper` gives the terminal back where it cannot; `leaving`: the end was asked for."""
    return type("Hardy", (Hardy, driver), {"keeper": keeper, "leaving": staticmethod(leaving)})


def _fits(size: Size) -> bool:
    return size.width <= LARGEST.width and size.height <= LARGEST.height


class _Output:
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


class Hardy(Driver):
    """Stands before Textual's own driver.

    It writes to standard output, so that standard error can go to a file; Textual's writing thread would die of the
    first error and leave the program waiting for it for ever. Signals stop it and have it go on from the event loop: in
    the middle of a write they would wait for that same write.
    """

    keeper: ClassVar[Keeper]
    leaving: ClassVar[staticmethod[[], bool]]
    fileno: int
    exit_event: Event
    _file: Any
    _writer_thread: Thread | None
    _must_signal_resume: bool

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._title = ""
        if sys.__stdout__ is not None:
            self._file = _Output(sys.__stdout__)

    def show_title(self, title: str) -> None:
        """Set the terminal's title; it gets its own back when it is given back. "" before any: it keeps its own."""
        if title != self._title:
            self.write(f"{SAVE_TITLE if not self._title else ''}\x1b]2;{title}\a")
            self._title = title

    @property
    def _holds(self) -> bool:
        """Whether the terminal is taken."""
        return self._writer_thread is not None and self._writer_thread.is_alive()

    def write(self, data: str) -> None:
        if self._holds:
            super().write(data)  # type: ignore[safe-super]  # it is Textual's own driver for this system

    def start_application_mode(self) -> None:
        self.keeper.held(self._file.fileno())
        super().start_application_mode()  # type: ignore[safe-super]  # as above
        title, self._title = self._title, ""
        self.show_title(title)
        for name in ("SIGTTIN", "SIGTTOU"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._background)

    def stop_application_mode(self) -> None:
        if self._holds:
            if self._title:
                self.write(GIVE_TITLE_BACK)
            super().stop_application_mode()  # type: ignore[safe-super]  # as above

    def disable_input(self) -> None:
        """Only where it is ours: what was typed at a shell meanwhile is not to be thrown away."""
        if self._holds:
            super().disable_input()  # type: ignore[safe-super]  # as above

    def close(self) -> None:
        super().close()
        self.keeper.free()

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except OSError:
            self._app.call_later(self._app.exit, HUNG_UP)

    # Size

    def _get_terminal_size(self) -> tuple[int, int]:
        columns, rows = super()._get_terminal_size()  # type: ignore[misc]  # as above
        return min(columns, LARGEST.width), min(rows, LARGEST.height)

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.Resize) and not _fits(message.size):
            size = Size(min(message.size.width, LARGEST.width), min(message.size.height, LARGEST.height))
            message = events.Resize(size, size, pixel_size=message.pixel_size)
        super().process_message(message)

    # Input

    def run_input_thread(self) -> None:
        keyboard, parser = Keyboard(ANSI_SEQUENCES_KEYS), XTermParser(self._debug)
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                data = b""
                if selector.select(HURRY_S if keyboard.waits else LOOK_S):
                    data = os.read(self.fileno, 4096)
                    if not data:  # a terminal that is gone reads as endless nothing
                        self.exit_event.wait(LOOK_S)
                now_s = time.monotonic()
                for unit in keyboard.feed(data, now_s) if data else keyboard.tick(now_s):
                    for message in _messages(unit, parser):
                        self.process_message(message)

    # Job control

    def _sigtstp_application(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._suspend)

    def _sigcont_application(self, *_: object) -> None:
        """Not at once: a signal that ends a stopped job comes together with this one."""
        self._loop.call_soon_threadsafe(self._loop.call_later, 0, self._go_on)

    def _background(self, number: int, _frame: object) -> None:
        """The system stops jobs in the background with these; in the foreground they ask for the end."""
        if is_foreground(self.fileno):
            self._loop.call_soon_threadsafe(self._app.exit, 128 + number)
        else:
            self._loop.call_soon_threadsafe(self._suspend)

    def _suspend(self) -> None:
        if self.leaving():
            return
        self._let_go()
        stop_job(self.fileno)
        self._loop.call_later(UNSTOPPED_S, self._go_on_unless_gone_on)

    def _go_on_unless_gone_on(self) -> None:
        if not self._holds:
            self._go_on()

    def _go_on(self) -> None:
        """Take the terminal again, even if it could not be released before, as after SIGSTOP."""
        if self.leaving():
            return
        if not is_foreground(self.fileno):
            stop_job(self.fileno)
            return
        self._let_go()
        self._must_signal_resume = True
        self.resume_application_mode()

    def _let_go(self) -> None:
        if self._holds:
            self.suspend_application_mode()


def _messages(unit: str | Pasted, parser: XTermParser) -> Iterator[Message]:
    """What Textual makes of it. An escape, alone or before one character, would wait in the parser for more."""
    if isinstance(unit, Pasted):
        yield events.Paste(unit.text)
    elif unit[0] == "\x1b" and len(unit) <= 2:
        alone = XTermParser()
        yield from alone.feed(unit)
        yield from alone.feed("")
    else:
        yield from parser.feed(unit)
