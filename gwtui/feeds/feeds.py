"""Feeds: where records come from. Whoever watches iterates one and cannot tell what is behind it.

A feed gives lists of records and ends with a `FeedEnded`. `live` is the feed of an engine in a process of its own;
`gwtui.session.hosted` is one in this process.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Protocol, Self

from gwtui.clean import clean_text
from gwtui.commands import Command, Start
from gwtui.feeds.pipes import Inbox, Tail, connect
from gwtui.recorder.disk import write_all
from gwtui.records import FeedEnded, Record
from gwtui.wire import WireError, decode, encode_command

ENGINE = (sys.executable, "-P", "-m", "gwtui", "engine")
"""The engine's command line; `-P` keeps files of the current directory from passing for modules."""

EXIT_S = 3.0
"""How long an engine may take to end by itself, and again after SIGTERM, before it is killed."""
MAX_LINE = 1 << 25
MAX_LOG = 4096
"""Bytes of the engine's log that are kept to explain its end."""


class Feed(Protocol):
    """An asynchronous iterator of batches, which takes commands. The last record is always a `FeedEnded`."""

    @property
    def refuses(self) -> str:
        """Why it takes no commands; empty where it does."""

    def __aiter__(self) -> AsyncIterator[list[Record]]: ...

    def send(self, command: Command) -> None:
        """Hand a command to the engine. A feed that has ended takes it and does nothing."""

    def stop(self) -> None:
        """Ask for the end: records that are on their way still come, then the iteration ends."""

    async def aclose(self) -> None:
        """End it now, in bounded time, and leave nothing running. May be called at any time and again."""


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """An engine that was started and has its profile. It ends by itself when this process does."""

    popen: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]


def spawn_engine(start: Start, argv: Sequence[str] = ENGINE) -> EngineProcess:
    """Start an engine at once. Needs no event loop, so it can begin to probe while a screen is still being built."""
    popen = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
        argv, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    pipes = [pipe for pipe in (popen.stdin, popen.stdout, popen.stderr) if pipe is not None]
    process = EngineProcess(popen, *pipes)
    _tell(process, start)
    return process


def live(process: EngineProcess) -> Feed:
    """The feed of an engine that was spawned."""
    return _LiveFeed(process)


class _LiveFeed:
    refuses = ""

    def __init__(self, process: EngineProcess) -> None:
        self._process = process
        self._records, self._log = Inbox(), Tail(MAX_LOG)
        self._adopted = self._ended = self._closed = False
        self._rest = b""
        self._fault = ""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        if self._ended:
            raise StopAsyncIteration
        await self._adopt()
        while data := await self._records.take():
            if records := self._decoded(data):
                return records
        self._ended = True
        return [await self._farewell()]

    def send(self, command: Command) -> None:
        _tell(self._process, command)

    def stop(self) -> None:
        with suppress(OSError):
            self._process.stdin.close()

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
                self._process.popen.wait()
            self._records.close()
            self._log.close()

    async def _adopt(self) -> None:
        """Take the pipes into this event loop, once."""
        if not self._adopted:
            self._adopted = True
            await connect(self._process.stdout, self._records)
            await connect(self._process.stderr, self._log)

    def _decoded(self, data: bytes) -> list[Record]:
        """The records of all lines that are whole by now. A line that is none is the end of the engine."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        records: list[Record] = []
        try:
            for line in lines:
                records.append(decode(line))  # noqa: PERF401 - those before a bad line count
        except WireError as error:
            self._give_up(str(error))
        if len(self._rest) > MAX_LINE:
            self._give_up("a line without an end")
        return records

    def _give_up(self, fault: str) -> None:
        self._fault = f"engine sent what is not a record: {fault}"
        self._records.discard()
        self.stop()

    async def _reap(self) -> int:
        """The engine's exit code: it is asked to end, then told to, then made to."""
        popen = self._process.popen
        self.stop()
        for insist in (popen.terminate, popen.kill):
            try:
                return await asyncio.to_thread(popen.wait, EXIT_S)
            except subprocess.TimeoutExpired:
                insist()
        return await asyncio.to_thread(popen.wait)

    async def _farewell(self) -> FeedEnded:
        code = await self._reap()
        with suppress(TimeoutError):  # whoever inherited its stderr may hold it open
            await asyncio.wait_for(self._log.wait_ended(), EXIT_S)
        log = self._log.text.decode("utf-8", "replace").strip()
        return FeedEnded(
            text=self._fault or _exit_text(code), failed=bool(code or self._fault), detail=clean_text(log, MAX_LOG)
        )


def _tell(process: EngineProcess, command: Command) -> None:
    """Write a command. A dead engine does not take it; the end of its feed says so."""
    if not process.stdin.closed:
        with suppress(BrokenPipeError):
            write_all(process.stdin.fileno(), encode_command(command))


def _exit_text(code: int) -> str:
    if code == 0:
        return "engine stopped"
    if code > 0:
        return f"engine exited {code}"
    try:
        return f"engine killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"engine killed by signal {-code}"
