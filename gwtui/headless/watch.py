"""One feed from its first record to its last, told to a printer; signals and exit codes."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

from gwtui.feeds import Feed
from gwtui.model.enums import State
from gwtui.model.query import AS_IN_PROFILE, Query, Window
from gwtui.model.records import FeedEnded, Record
from gwtui.model.signals import asks, heeded
from gwtui.model.view import EndpointRow, View
from gwtui.monitor import Monitor

MAX_WAITING = 20_000
"""Lines that may wait to be printed. Beyond that the writer waits too, and no line is lost."""


class LineWriter:
    """Enter it, call it with each line, leave it: then all is said. What saying raises comes out of a later call."""

    def __init__(self, say: Callable[[str | bytes], None]) -> None:
        self._say = say
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="line-writer")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        if error is None:
            for each in self._waiting:
                each.result()

    def __call__(self, line: str | bytes) -> None:
        self._waiting.append(self._thread.submit(self._say, line))
        while self._waiting and (self._waiting[0].done() or len(self._waiting) > MAX_WAITING):
            self._waiting.popleft().result()


EXIT_DOWN = 1
EXIT_ENGINE = 3


class Printer(Protocol):
    """Prints a session. What it raises ends the session in order, with its rows on disk."""

    def record(self, record: Record) -> None: ...

    def interval(self, view: View) -> None:
        """Tell the picture of the last minutes; called once per interval."""

    def end(self, view: View) -> None:
        """Tell the picture of the whole session, after its last record."""


async def watch_lines(feed: Feed, printer: Printer, interval_s: float) -> int:
    """Print a feed until it ends or a signal comes. Returns the exit code.

    0: no endpoint is down. 1: one is, or has not given one good result. 3: the engine failed, or rows were not written.
    128 + n: signal n ended it.
    """
    watching = _Watching(feed, printer, int(interval_s * 1e9))
    try:
        with signals(watching.stop):
            async for batch in feed:
                for record in batch:
                    watching.take(record)
                watching.keep_time()
    finally:
        await feed.aclose()
    return watching.end()


@contextmanager
def signals(stop: Callable[[int], Any]) -> Iterator[None]:
    """Call `stop` in the running loop with the number of a signal that asks the program to end.

    Only for the first one: the next has its usual effect, so a program that takes long to end can be ended. A signal
    that was ignored when the program began, as under `nohup`, stays so.
    """
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def catch(number: int, _frame: FrameType | None) -> None:
        if asks(number):
            restore()
            loop.call_soon_threadsafe(stop, number)

    for number in heeded():
        before[number] = signal.signal(number, catch) or signal.SIG_DFL
    try:
        yield
    finally:
        restore()


class _Watching:
    def __init__(self, feed: Feed, printer: Printer, interval_ns: int) -> None:
        self._feed = feed
        self._printer = printer
        self._interval_ns = interval_ns
        self._monitor = Monitor()
        self._next_ns: int | None = None
        self._caught: list[int] = []
        self._failed = False

    def stop(self, number: int) -> None:
        self._caught.append(number)
        self._feed.stop()

    def take(self, record: Record) -> None:
        self._monitor.apply(record)
        self._failed = self._failed or (isinstance(record, FeedEnded) and record.failed)
        self._printer.record(record)

    def keep_time(self) -> None:
        """Tell the picture when an interval has passed, by the records' own clock."""
        now_ns = self._monitor.now_ns
        if self._next_ns is None:
            self._next_ns = now_ns + self._interval_ns
        elif now_ns >= self._next_ns:
            self._next_ns += ((now_ns - self._next_ns) // self._interval_ns + 1) * self._interval_ns
            self._printer.interval(self._monitor.view(Query(window=Window.M2, sort=AS_IN_PROFILE), 1))

    def end(self) -> int:
        view = self._monitor.view(Query(window=Window.ALL, sort=AS_IN_PROFILE), 1, final=True)
        self._printer.end(view)
        if self._caught:
            return 128 + self._caught[0]
        if self._failed or view.header.unwritten or view.header.rows_lost:
            return EXIT_ENGINE
        return EXIT_DOWN if any(_is_down(row) for row in view.endpoints) else 0


def _is_down(row: EndpointRow) -> bool:
    """Down, or without a good result since the start: a short session ends before failures are enough for the state."""
    return row.state is State.DOWN or (row.state is not State.PAUSED and row.failed == row.n)
