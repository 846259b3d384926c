"""Log lines and tracebacks on standard error: without keys and without terminal control sequences."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from contextlib import suppress
from types import TracebackType

LIMIT = 64 << 10
"""Characters of a log line or a crash."""


def presentable(text: str) -> str:
    """The text as it may be printed anywhere."""
    from gwtui.secrets.resolver import masked
    from gwtui.text.sanitize import clean_text

    return masked(clean_text(masked(text), LIMIT))


def crash(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> str:
    """A traceback, without the values of variables."""
    return presentable("".join(traceback.format_exception(kind, error, trace)))


class LogFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return presentable(super().format(record))


def guard() -> None:
    """Let nothing else out: by the log, or by exceptions that cannot be caught, in threads and while objects go."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(LogFormatter("gwtui: %(message)s"))
    threading.excepthook = _write_thread
    sys.unraisablehook = _write_unraisable


def _write_thread(what: threading.ExceptHookArgs) -> None:
    name = what.thread.name if what.thread is not None else "of no name"
    if what.exc_type is not SystemExit:
        _write(f"gwtui: the thread {name} ended:\n{crash(what.exc_type, what.exc_value, what.exc_traceback)}")


def _write_unraisable(what: sys.UnraisableHookArgs) -> None:
    _write(f"gwtui: not raised, for want of a caller:\n{crash(what.exc_type, what.exc_value, what.exc_traceback)}")


def _write(text: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(text)
