"""The console: printing, width, colours, refusals, and the end of the process."""

from __future__ import annotations

import codecs
import errno
import gc
import os
import re
import shutil
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from gwtui.model.signals import unhide
from gwtui.secrets.crash_output import crash, guard

if TYPE_CHECKING:
    from gwtui.model.enums import Outcome, State

EXIT_DOWN = 1
"""An endpoint is down, or the probe's verdict is not a good one."""
EXIT_USAGE = 2
"""The command line or the configuration is wrong."""
EXIT_OWN_FAULT = 3
"""gwtui itself failed."""
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
"""128 + SIGPIPE, as of any program whose reader went away."""

MAX_WIDTH = 1000
"""Columns and rows of any terminal that anybody has."""
NO_THREAD = "can't start new thread"
"""How the interpreter says that the system gave it none; there is no error of its own for that."""
LOG_WIDTH = 160
"""How wide lines are that go to a file or a pipe."""

_ASCII = {"●": "*", "▲": "!", "✖": "x", "✔": "+", "‖": "=", "○": "o", "◆": "-", "◀": "<", "·": "-", "…": "~"}
_COLOURS = {
    "up": "green",
    "ok": "green",
    "slow": "yellow",
    "degraded": "yellow",
    "local": "yellow",
    "down": "red",
    "failed": "red",
}
_GREY = "bright_black"
_MESSAGE = 64 << 10
"""Characters of a message, which may quote an untrusted file."""

_T = TypeVar("_T")


class Refusal(click.ClickException):
    """The command line or the configuration cannot be used; the text says what to do."""

    exit_code = EXIT_USAGE

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"gwtui: {shown(self.message)}", file=file, err=file is None)


class OwnFaultError(Refusal):
    """gwtui itself failed."""

    exit_code = EXIT_OWN_FAULT


class ReaderGoneError(Refusal):
    """The reader of standard output has gone, as after `| head`; no message is needed."""

    exit_code = EXIT_BROKEN_PIPE

    def show(self, file: IO[Any] | None = None) -> None:
        pass


def is_screen(stream: IO[str] | None) -> bool:
    """A terminal that can be drawn on. Windows has no TERM."""
    term = os.environ.get("TERM", "dumb" if os.name == "posix" else "")
    return stream is not None and stream.isatty() and term != "dumb"


def say(text: str | bytes) -> None:
    """Print a line at once; bytes are UTF-8 whatever the locale. Raises a Refusal when that cannot be."""
    try:
        click.echo(text)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise ReaderGoneError("standard output is closed") from error
        raise OwnFaultError(f"standard output: {error.strerror or error}") from error


def note(text: str) -> None:
    """A line on standard error about what is not wrong but worth knowing."""
    click.echo(f"gwtui: note: {shown(text)}", err=True)


def shown(text: str) -> str:
    """A message with names of files and the like in it, as a terminal may get it."""
    from gwtui.text.sanitize import clean_text

    return clean_text(text, _MESSAGE)


def width() -> int:
    """How wide a line may be."""
    return min(shutil.get_terminal_size().columns, MAX_WIDTH) if is_screen(sys.stdout) else LOG_WIDTH


def in_colour() -> bool:
    """Whether there are colours: not in files, nor where unwanted."""
    return is_screen(sys.stdout) and not os.environ.get("NO_COLOR")


def styled(text: str, tone: State | Outcome) -> str:
    """The text in the terminal's own colour for a state or an outcome."""
    return click.style(text, fg=_COLOURS.get(tone.value, _GREY)) if in_colour() else text


def finish(work: Coroutine[Any, Any, _T]) -> _T:
    """Run it in an event loop. Unlike `asyncio.run` it does not wait for threads, such as a resolver's that hangs."""
    from gwtui.transport.polls import new_loop

    try:
        _make_sure_of_descriptors()
        loop = new_loop()
    except OSError:
        work.close()
        raise
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def carry_out(
    work: Coroutine[Any, Any, _T], last_words: Callable[[], object] = lambda: None
) -> tuple[_T | None, int | None]:
    """Run work that a signal cancels. Returns what it came to, None where it did not, and the signal's number.

    Where it stands still and cannot be cancelled, the process ends all the same: then `last_words` tells in a thread
    what there is by then.
    """
    from gwtui.session.watchdog import Watchdog

    with Watchdog() as watchdog, watchdog.guarding(lambda _: last_words()):
        return finish(interruptible(work))


def _make_sure_of_descriptors() -> None:
    """Raise OSError where an event loop would not get those it needs: a half-made one complains when it is let go."""
    with ExitStack() as stack:
        for _ in range(2):
            for fd in os.pipe():
                stack.callback(os.close, fd)


async def interruptible(work: Coroutine[Any, Any, _T]) -> tuple[_T | None, int | None]:
    """Carry work out that a signal cancels. Returns what it came to, None where it did not, and the signal's number."""
    import asyncio

    from gwtui.headless import signals

    caught: list[int] = []
    working = asyncio.ensure_future(work)

    def stop(number: int) -> None:
        caught.append(number)
        working.cancel()

    with signals(stop):
        await asyncio.wait({working})
    return None if working.cancelled() else working.result(), caught[0] if caught else None


@contextmanager
def loading() -> Iterator[None]:
    """Load modules without looking for garbage among them, now or later: they live as long as the program, and looking
    takes a tenth of the time until the screen is there."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def refusing() -> Iterator[None]:
    """Faults of the configuration end the command, each in a line of its own."""
    from gwtui.config import ConfigError

    try:
        yield
    except ConfigError as error:
        raise Refusal("\n       ".join(str(fault) for fault in error.faults)) from error


def run(command: click.Command) -> NoReturn:
    """Run the command line and end the process with the exit code that the help promises."""
    codecs.register_error("gwtui", _as_ascii)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="gwtui")  # type: ignore[union-attr]  # the interpreter's own streams have it
    sys.excepthook = _crashed
    guard()
    unhide()
    _forget_sizes()
    try:
        code = command.main(prog_name="gwtui", standalone_mode=False) or 0
    except click.ClickException as error:
        code = _report_error(_visible(error))
    except click.Abort:
        code = EXIT_INTERRUPTED
    except SystemExit:  # click's own end, when the reader of its help has gone
        code = EXIT_BROKEN_PIPE
    except OSError as error:  # the help cannot be written, or this machine has no room for more
        code = _report_error(OwnFaultError(str(error)))
    except (MemoryError, RuntimeError) as error:
        if not (isinstance(error, MemoryError) or str(error) == NO_THREAD):
            raise
        code = _report_error(OwnFaultError("no memory or threads are left here, see `ulimit -a`"))
    _leave(code)


def _forget_sizes() -> None:
    """Sizes in the environment that no terminal has are not believed: the terminal itself is asked."""
    for name in ("COLUMNS", "LINES"):
        text = os.environ.get(name, "")
        if text and not (re.fullmatch("[0-9]{1,4}", text, re.ASCII) and 0 < int(text) <= MAX_WIDTH):
            del os.environ[name]


def _report_error(error: click.ClickException) -> int:
    """Its exit code, even if no message can be written."""
    with suppress(OSError):
        error.show()
    return error.exit_code


def _visible(error: click.ClickException) -> click.ClickException:
    """click's own messages quote the command line as it is."""
    if isinstance(error, click.UsageError):
        return click.UsageError(shown(error.format_message()), error.ctx)
    return error


def _leave(code: int) -> NoReturn:
    """End without waiting for threads: one may hang in a resolver for as long as it likes."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            if stream is not None:
                stream.flush()
    os._exit(code)


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    with suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(crash(kind, error, trace))
    _leave(EXIT_OWN_FAULT)


def _as_ascii(error: UnicodeError) -> tuple[str, int]:
    """What a stream cannot encode, as near as ASCII comes; it must not end a session."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_ASCII.get(sign, "?") for sign in error.object[error.start : error.end]), error.end
