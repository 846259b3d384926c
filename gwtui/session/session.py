"""A session: an engine with its recorder. Either in this process (`hosted`), or as a child process (`main`).

The child reads commands from standard input, the first of which is a `Start`, and writes records to standard output,
one JSON line each; standard error is its log. The end of its input, a broken output or SIGTERM end it.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Self

from msgspec.structs import replace

from gwtui.codec.wire import WireError, decode_command
from gwtui.engine import Engine
from gwtui.feeds import Feed
from gwtui.history import HISTORY, SessionHistory
from gwtui.model.commands import AcceptUsual, Command, RunChecks, Start, Upkeep
from gwtui.model.maintenance import local_zone, localized
from gwtui.model.records import FeedEnded, FeedSilent, Record
from gwtui.model.signals import asks, heeded
from gwtui.probes.prober import KeepingProberFor, prober_for, results_prober_for
from gwtui.probes.stream_capture import StreamKeeper
from gwtui.recorder import Recorder
from gwtui.recorder.pruning import PruningThread
from gwtui.session.check_runner import CheckRunner
from gwtui.session.record_pipeline import RecordPipeline
from gwtui.session.record_writer import RecordWriter
from gwtui.session.watchdog import Watchdog
from gwtui.transport.polls import new_loop

log = logging.getLogger(__name__)

STOP_S = 3.0
"""How long a hosted engine may take to end before it is cancelled."""
CHILD_END_S = 0.9
"""Seconds in which the event loop of a child must end, before its parent kills it."""
EACH_END_S = 0.0005
"""Additional seconds for each endpoint: its connection is closed, and it is part of the summary."""
ROWS_SHARE = 0.6
"""The share of that time in which waiting rows are written: the rest is for reporting the outcome."""
HISTORY_SHARE = 0.2
"""The share in which the history is written after them."""
EXIT_USAGE = 2


class CommandDispatcher:
    """`run` it once; `handle` and `stop` are for the same event loop, while it runs."""

    def __init__(
        self,
        engine: Engine,
        checks: CheckRunner,
        pipeline: RecordPipeline,
        watchdog: Watchdog,
        stop_at_s: float | None = None,
    ) -> None:
        """`stop_at_s`: when `run` ends by itself, by `time.monotonic`."""
        self._engine = engine
        self._checks = checks
        self._pipeline = pipeline
        self._stop_at_s = stop_at_s
        self.watchdog = watchdog

    async def run(self) -> None:
        """Run until `stop`, or until its time is over."""
        async with self._checks:
            left_s = None if self._stop_at_s is None else max(0.0, self._stop_at_s - time.monotonic())
            await self._engine.run(left_s)

    def handle(self, command: Command) -> None:
        """Have a command carried out, or answered with a `Notice`."""
        if isinstance(command, RunChecks) and self._engine.running:
            self._checks.begin(command)
        elif isinstance(command, AcceptUsual) and self._engine.running:
            self._pipeline.accept(command.endpoint)
        else:
            self._engine.handle(command)

    def stop(self) -> None:
        self._engine.stop()


def hosted(start: Start, silent: Callable[[Record], object] | None = None, watchdog: Watchdog | None = None) -> Feed:
    """The feed of an engine in this process. It begins with the iteration, and needs no event loop before.

    It has no `StreamRead`: single events are not shown there, and they would cost more than everything else.
    An event loop that stands still cannot report it: `silent` gets a `FeedSilent` in a thread. `watchdog`: one that was
    entered and sees to the end of the whole program; without it the feed has one of its own.
    """
    return _HostedFeed(start, silent, watchdog)


def main() -> NoReturn:
    """Be the child process, and exit: 0 at the end of the input, 128 + n after signal n."""
    # A terminal's Ctrl-C and Ctrl-\ reach this process too; whether that is the end is for the front end to say.
    for name in ("SIGINT", "SIGQUIT"):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_IGN)
    # What others print must not get between the records.
    stdout = os.dup(1)
    os.dup2(2, 1)
    code = serve(0, stdout)
    logging.shutdown()
    os._exit(code)  # all is closed; a thread that still waits for a resolver must not hold up the end


def serve(stdin: int, stdout: int) -> int:
    """Run the session that the first line of `stdin` asks for; returns the exit code."""
    lines = _lines(stdin)
    first = next(lines, None)
    if first is None:
        return 0
    try:
        start = decode_command(first)
    except WireError as error:
        log.error("the first line is %s", error)  # noqa: TRY400 - a wrong line needs no traceback
        return EXIT_USAGE
    if not isinstance(start, Start):
        log.error("the first command is not `start`")
        return EXIT_USAGE
    # Closing the loop would wait for its threads, see `main`.
    return new_loop().run_until_complete(_serve(start, lines, stdout))


async def _serve(start: Start, lines: Iterator[bytes], stdout: int) -> int:
    loop = asyncio.get_running_loop()
    caught: list[int] = []

    def soon(call: Callable[..., None], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: the session is over already
            loop.call_soon_threadsafe(call, *args)

    def on_signal(number: int) -> None:
        if asks(number):
            caught.append(number)
            dispatcher.stop()

    record_writer = RecordWriter(stdout, lambda: soon(dispatcher.stop))
    with (
        Watchdog(end_s=CHILD_END_S) as watchdog,
        record_writer,
        _session(start, record_writer.put, watchdog, lambda: record_writer.events_dropped) as dispatcher,
    ):
        for number in heeded():
            signal.signal(number, lambda caught, _: soon(on_signal, caught))
        threading.Thread(target=_listen, args=(lines, dispatcher, soon), name="commands", daemon=True).start()
        await dispatcher.run()
    return 128 + caught[0] if caught else 0


def _listen(lines: Iterator[bytes], dispatcher: CommandDispatcher, soon: Callable[..., None]) -> None:
    """Hand commands in until their end, which is the session's. A thread: not every input can be polled."""
    for line in lines:
        try:
            soon(dispatcher.handle, decode_command(line))
        except WireError as error:
            log.warning("left out: %s", error)
    dispatcher.watchdog.insist()
    soon(dispatcher.stop)


def _lines(fd: int) -> Iterator[bytes]:
    """The whole lines that come out of a descriptor; one without its newline never arrived."""
    rest = b""
    with suppress(OSError):  # an input that is gone has ended
        while data := os.read(fd, 1 << 16):
            *whole, rest = (rest + data).split(b"\n")
            yield from whole


@contextmanager
def _session(
    start: Start,
    deliver: Callable[[Record], None],
    watchdog: Watchdog,
    dropped: Callable[[], int] = lambda: 0,
    silent: Callable[[float], object] | None = None,
    prober_for: KeepingProberFor = prober_for,
) -> Iterator[CommandDispatcher]:
    """An engine, and what runs beside it, whose records are judged and go to the session's directory and to `deliver`.

    `silent` is called, in a thread, when the engine's event loop stands still.
    """
    start = replace(start, profile=localized(start.profile, local_zone()))
    pipeline = RecordPipeline(start.profile, deliver, dropped)
    with ExitStack() as stack:
        stack.enter_context(watchdog.guarding(pipeline.flush, silent))
        watchdog.end_s += EACH_END_S * len(start.profile.endpoints)
        stop_at_s = _stop_at_s(start, watchdog)
        if start.upkeep is not None:
            pipeline.history = stack.enter_context(_history(start.upkeep, watchdog.end_s * HISTORY_SHARE))
            stack.enter_context(PruningThread(start.upkeep, start.session_dir, pipeline.history.notes))
        if start.session_dir is not None:
            recorder = Recorder(Path(start.session_dir), start.profile, close_s=watchdog.end_s * ROWS_SHARE)
            pipeline.recorder = stack.enter_context(recorder)
            prober_for = partial(prober_for, keeper=StreamKeeper(recorder.keep))
        stack.callback(pipeline.end)

        def emit(record: Record) -> None:
            watchdog.heard()
            checks.see(record)
            pipeline.put(record)

        engine = Engine(
            start.profile, emit, status=pipeline.figures, prober_for=prober_for, session_dir=start.session_dir
        )
        checks = CheckRunner(start.profile, emit, engine.budget_tracker)
        _quieten()
        yield CommandDispatcher(engine, checks, pipeline, watchdog, stop_at_s)
    deliver(engine.heartbeat())  # what became of the last rows


def _history(upkeep: Upkeep, close_s: float) -> SessionHistory:
    return SessionHistory(Path(upkeep.state) / HISTORY, keep_days=upkeep.history_days, close_s=close_s)


def _stop_at_s(start: Start, watchdog: Watchdog) -> float | None:
    """When the session ends by itself, by `time.monotonic`; None: it does not. The watchdog insists on that time.

    One clock for both: setting up thousands of endpoints takes longer than the watchdog waits for the end.
    """
    if start.stop_after_s is None:
        return None
    watchdog.insist(start.stop_after_s)
    return time.monotonic() + start.stop_after_s


def _quieten() -> None:
    """Keep the interpreter's own work from delaying stamps: the collector, and threads that hold on to it."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(0.0005)


class _HostedFeed:
    refuses = ""
    recording = None

    def __init__(self, start: Start, silent: Callable[[Record], object] | None, watchdog: Watchdog | None) -> None:
        self._start = start
        self._watchdog = watchdog
        self._silent = silent
        self._records: list[Record] = []
        self._news = asyncio.Event()
        self._stack = ExitStack()
        self._dispatcher: CommandDispatcher | None = None
        self._run: asyncio.Task[None] | None = None
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        if self._ended:
            raise StopAsyncIteration
        run = self._run or self._begin()
        while not self._records and not run.done():
            self._news.clear()
            await self._news.wait()
        if self._records:
            batch, self._records = self._records, []
            return batch
        await self.aclose()
        return [*self._records, FeedEnded(text="session ended")]

    def send(self, command: Command) -> None:
        if self._dispatcher is not None:
            self._dispatcher.handle(command)

    def stop(self) -> None:
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            dispatcher.stop()

    async def aclose(self) -> None:
        """End the engine, then write what waits. Raises what the engine raised."""
        self._ended = True
        run, self._run = self._run, None
        if run is None:
            return
        self.stop()
        try:
            await asyncio.wait({run}, timeout=STOP_S)
        finally:
            run.cancel()
            self._stack.close()
        if run.done() and not run.cancelled():
            run.result()

    def _begin(self) -> asyncio.Task[None]:
        watchdog = self._watchdog or self._stack.enter_context(Watchdog())
        self._dispatcher = self._stack.enter_context(
            _session(self._start, self._take, watchdog, silent=self._report_silence, prober_for=results_prober_for)
        )
        self._run = asyncio.create_task(self._dispatcher.run())
        self._run.add_done_callback(lambda _: self._news.set())
        return self._run

    def _report_silence(self, silent_s: float) -> None:
        if self._silent is not None:
            silent_ns = int(silent_s * 1e9)
            self._silent(FeedSilent(now_ns=time.perf_counter_ns(), silent_ns=silent_ns))

    def _take(self, record: Record) -> None:
        self._records.append(record)
        self._news.set()
