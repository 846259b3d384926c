"""Feeds: where records come from. A consumer iterates one and does not know its source.

A feed gives lists of records and ends with a `FeedEnded`. `live` is the feed of an engine in a process of its own;
`gwtui.session.hosted` is one in this process.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, Protocol, Self

from gwtui.codec.wire import WireError, decode, encode_command
from gwtui.feeds.pipes import Inbox, Outgoing, Tail, connect
from gwtui.feeds.silence import LOOK_S, Silence
from gwtui.model.commands import Command, Start
from gwtui.model.records import FeedEnded, FeedSilent, Record, Request, StreamRead
from gwtui.text.sanitize import clean_text

ENGINE = (sys.executable, "-P", "-m", "gwtui", "engine")
"""The engine's command line; `-P` keeps files of the current directory from passing for modules."""

EXIT_S = 1.3
"""How long an engine may take to end before it is killed: quitting must take less than 2 s."""
KILLED_S = 0.5
"""How long a killed process is waited for; one that the system cannot end, as on a dead network disk, is left."""
LOG_S = 0.3
"""How long the end of a log is waited for, which another process may hold open."""
BY_SIGNAL = 128
"""An exit code above it is this and the number of the signal that asked for the end."""
MAX_LINE = 1 << 25
MAX_LOG = 4096
"""Bytes of the engine's log that are kept to explain its end."""


class Recording(NamedTuple):
    """How a recording is to be shown of which everything has come."""

    speed: float
    """How many times as fast as it happened it is played."""
    is_playing: bool
    """Whether it begins to play by itself."""


class WantedStream(NamedTuple):
    """A probe of a session whose events are wanted."""

    endpoint: str
    number: int
    started_at: str
    """As in its row; "" where that is not known."""


class Feed(Protocol):
    """An asynchronous iterator of batches, which takes commands. The last record is always a `FeedEnded`."""

    @property
    def refuses(self) -> str:
        """Why it takes no commands; empty where it does."""

    def __aiter__(self) -> AsyncIterator[list[Record]]: ...

    def send(self, command: Command) -> None:
        """Hand a command to the engine. A feed that has ended takes it and does nothing."""

    @property
    def recording(self) -> Recording | None:
        """That it is a recording which has come as a whole, to be walked through; None while more may come."""

    def stop(self) -> None:
        """Ask for the end: records that are on their way still come, then the iteration ends."""

    async def aclose(self) -> None:
        """End it now, in bounded time, and leave nothing running. May be called at any time and again."""


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """An engine that was started and has its profile. It ends by itself when this process does."""

    popen: subprocess.Popen[bytes]
    commands: Outgoing
    stdout: IO[bytes]
    stderr: IO[bytes]


def spawn_engine(start: Start, argv: Sequence[str] = ENGINE) -> EngineProcess:
    """Start an engine at once. Needs no event loop, so it can begin to probe while a screen is still being built."""
    popen = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
        argv, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    stdin, stdout, stderr = (pipe for pipe in (popen.stdin, popen.stdout, popen.stderr) if pipe is not None)
    process = EngineProcess(popen, Outgoing(stdin), stdout, stderr)
    process.commands.put(encode_command(start))
    return process


def live(process: EngineProcess) -> Feed:
    """The feed of an engine that was spawned."""
    return _LiveFeed(process)


class _LiveFeed:
    refuses = ""
    recording = None

    def __init__(self, process: EngineProcess) -> None:
        self._process = process
        self._records, self._log = Inbox(), Tail(MAX_LOG)
        self._adopted = self._ended = self._asked = self._closed = False
        self._rest = b""
        self._fault = ""
        self._silence = Silence(time.monotonic())
        self._newest_ns = 0
        self._end_by_s: float | None = None
        """When an engine that was asked to end is made to."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        if self._ended:
            raise StopAsyncIteration
        await self._adopt()
        while heard := await self._listen():
            if isinstance(heard, FeedSilent):
                return [heard]
            if records := self._decoded(heard):
                return records
        self._ended = True
        self._asked = self._end_by_s is not None
        return [await self._farewell()]

    async def _listen(self) -> bytes | FeedSilent:
        """What comes next, or that nothing came for too long; empty at the end."""
        while self._end_by_s is None or time.monotonic() < self._end_by_s:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    data = await self._records.take()
                    self._silence.heard(time.monotonic())
                    return data
            silent_s = self._silence.look(time.monotonic())
            if silent_s is not None and self._end_by_s is None:
                silent_ns = int(silent_s * 1e9)
                return FeedSilent(now_ns=self._newest_ns + silent_ns, silent_ns=silent_ns)
        self._records.discard()
        return b""

    def send(self, command: Command) -> None:
        self._process.commands.put(encode_command(command))

    def stop(self) -> None:
        if self._end_by_s is not None:
            return
        self._end_by_s = time.monotonic() + EXIT_S
        self._process.commands.close()
        if hasattr(signal, "SIGCONT"):  # one that was stopped has rows to write
            self._process.popen.send_signal(signal.SIGCONT)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._adopt()
            self._records.discard()
            await self._reap()
        finally:
            if self._process.popen.poll() is None:
                self._process.popen.kill()
                with suppress(subprocess.TimeoutExpired):
                    self._process.popen.wait(KILLED_S)
            self._records.close()
            self._log.close()

    async def _adopt(self) -> None:
        """Take the pipes into this event loop, once."""
        if not self._adopted:
            self._adopted = True
            await connect(self._process.stdout, self._records)
            await connect(self._process.stderr, self._log)

    def _decoded(self, data: bytes) -> list[Record]:
        """The records of all complete lines. A line that is not a record ends the engine."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        records: list[Record] = []
        try:
            for line in lines:
                records.append(decode(line))  # noqa: PERF401 - those before a bad line count
        except WireError as error:
            self._give_up(str(error))
        if len(self._rest) > MAX_LINE:
            self._give_up("a line without an end")
        self._newest_ns = max(self._newest_ns, *(each.now_ns for each in records if not isinstance(each, FeedEnded)), 0)
        return records

    def _give_up(self, fault: str) -> None:
        self._fault = f"engine sent what is not a record: {fault}"
        self._records.discard()
        self.stop()

    async def _reap(self) -> int:
        """The engine's exit code: it was asked to end, and is made to when that takes too long."""
        popen = self._process.popen
        self.stop()
        left_s = max((self._end_by_s or 0.0) - time.monotonic(), 0.0)
        try:
            return await asyncio.to_thread(popen.wait, left_s)
        except subprocess.TimeoutExpired:
            popen.kill()
        self._fault = self._fault or "engine did not end and was killed"
        try:
            return await asyncio.to_thread(popen.wait, KILLED_S)
        except subprocess.TimeoutExpired:
            return -signal.SIGTERM

    async def _farewell(self) -> FeedEnded:
        code = await self._reap()
        with suppress(TimeoutError):  # whoever inherited its stderr may hold it open
            await asyncio.wait_for(self._log.wait_ended(), LOG_S)
        if self._asked and code > BY_SIGNAL:  # the signal that ends us may have been for all of the job
            code = 0
        log = self._log.text.decode("utf-8", "replace").strip()
        return FeedEnded(
            text=self._fault or _exit_text(code), failed=bool(code or self._fault), detail=clean_text(log, MAX_LOG)
        )


def _exit_text(code: int) -> str:
    if code == 0:
        return "engine stopped"
    if 0 < code <= BY_SIGNAL:
        return f"engine exited {code}"
    how, number = ("ended", code - BY_SIGNAL) if code > 0 else ("killed", -code)
    try:
        return f"engine {how} by {signal.Signals(number).name}"
    except ValueError:
        return f"engine {how} by signal {number}"


def recalled(session_dir: str, wanted: WantedStream) -> tuple[Request, tuple[StreamRead, ...]] | None:
    """The result and the events of a stream that the session kept; None where there is no such file. It may take long:
    a thread is the place for it."""
    # Late: they read what came over a connection, and who only watches does without.
    from gwtui.decode.session_streams import find_stream

    try:
        kept = find_stream(Path(session_dir), wanted.endpoint, wanted.number, wanted.started_at)
    except OSError:
        return None
    return (kept.result, kept.reads) if kept is not None and isinstance(kept.result, Request) else None


def beside(feed: Feed, gone: Callable[[], FeedEnded | None]) -> Feed:
    """The feed until `gone`, which is asked every now and then, gives the end of what it needs; then with that end."""
    return _Beside(feed, gone)


class _Beside:
    def __init__(self, feed: Feed, gone: Callable[[], FeedEnded | None]) -> None:
        self._feed = feed
        self._iterator = aiter(feed)
        self._gone = gone
        self._next: asyncio.Task[list[Record]] | None = None
        self._end: FeedEnded | None = None

    @property
    def refuses(self) -> str:
        return self._feed.refuses

    @property
    def recording(self) -> Recording | None:
        return self._feed.recording

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        if self._next is None:
            self._next = asyncio.create_task(self._come())
        while not (await asyncio.wait({self._next}, timeout=LOOK_S))[0]:
            self._look()
        batch, self._next = self._next.result(), None
        if not batch:
            raise StopAsyncIteration
        self._look()
        return [*batch[:-1], self._end] if self._end is not None and isinstance(batch[-1], FeedEnded) else batch

    async def _come(self) -> list[Record]:
        return await anext(self._iterator, [])

    def _look(self) -> None:
        if self._end is None and (end := self._gone()) is not None:
            self._end = end
            self._feed.stop()

    def send(self, command: Command) -> None:
        self._feed.send(command)

    def stop(self) -> None:
        self._feed.stop()

    async def aclose(self) -> None:
        waiting, self._next = self._next, None
        if waiting is not None:
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
        await self._feed.aclose()
