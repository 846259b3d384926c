"""A recorded session as a feed: the same records, from its files. It looks like a live feed to its reader."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from itertools import islice
from typing import Any, Self

from gwtui.feeds.feeds import Feed, Recording
from gwtui.model.commands import Command
from gwtui.model.enums import State
from gwtui.model.judged import LogEntry
from gwtui.model.records import FeedEnded, Heartbeat, Notice, Record, SessionStarted
from gwtui.recorder.session_reader import Row, Session, UnreadRows

BATCH = 500
"""Rows between two chances for others."""
PROGRESS_ROWS = 5_000
"""Rows between two words on how far it is, a multiple of `BATCH`: a session of days takes its while."""
TICK_S = 0.05


def replay(session: Session, speed: float | None = None, *, stay: bool = False) -> Feed:
    """The feed of a session that was recorded.

    It comes `speed` times as fast as it once did, or all at once, and ends with its last row. With `stay` it always
    comes at once and goes on until it is stopped, so that a screen can walk through it and play it at that speed.
    """
    return _Replay(session, speed, stay)


class _Replay:
    refuses = "This is a recording: it cannot be probed or changed"

    def __init__(self, session: Session, speed: float | None, stay: bool) -> None:
        self._session = session
        self._speed = speed
        self._stay = stay
        self._unread = UnreadRows()
        self._now_ns = 0
        self._stopped = asyncio.Event()
        self._no_more = threading.Event()
        self._rows = session.rows(self._unread, self._no_more.is_set)
        self._recording: Recording | None = None
        self._batches = self._batched()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        return await anext(self._batches)

    def send(self, command: Command) -> None:
        """A replay has no engine."""

    @property
    def recording(self) -> Recording | None:
        return self._recording

    def stop(self) -> None:
        self._no_more.set()
        self._stopped.set()

    async def aclose(self) -> None:
        self.stop()
        with suppress(RuntimeError):  # whoever iterates just now comes to the end
            await self._batches.aclose()

    async def _batched(self) -> AsyncGenerator[list[Record], None]:
        session = self._session
        yield [
            SessionStarted(
                started_at=session.started_at,
                now_ns=0,
                profile=session.profile,
                session_dir=str(session.directory),
            )
        ]
        try:
            async for batch in self._at_once() if self._speed is None or self._stay else self._paced(self._speed):
                yield batch
        except OSError as error:
            yield [FeedEnded(text="the session cannot be read", failed=True, detail=str(error))]
            return
        if text := str(self._unread):
            yield [Notice(now_ns=self._now_ns, text=text)]
        if self._stay:
            self._recording = Recording(self._speed or 1.0, self._speed is not None)
            await self._stopped.wait()
        yield [FeedEnded(text="end of the recording")]

    async def _batch(self) -> list[Row]:
        """The next rows; none at the end, nor once it is stopped. Read in a thread, because there may be gigabytes
        before the next one, or a disk that hangs."""
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(None, lambda: list(islice(self._rows, BATCH)))
        stopping = loop.create_task(self._stopped.wait())
        either: tuple[asyncio.Future[Any], ...] = (reading, stopping)
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        return reading.result() if reading.done() else []

    async def _at_once(self) -> AsyncIterator[list[Record]]:
        read = 0
        while not self._stopped.is_set() and (batch := await self._batch()):
            self._now_ns = batch[-1].now_ns
            read += len(batch)
            yield [*batch, *(self._progress(read, "so far") if read % PROGRESS_ROWS == 0 else ())]
        if read > PROGRESS_ROWS:
            yield self._progress(read, "in total")

    def _progress(self, rows: int, how: str) -> list[Record]:
        """For those who watch it come; who reads lines sees that anyway."""
        return [Notice(now_ns=self._now_ns, text=f"{rows:,} rows {how}")] if self._stay else []

    async def _paced(self, speed: float) -> AsyncIterator[list[Record]]:
        """With heartbeats, so that time passes where nothing happened."""
        paused: set[str] = set()
        loop = asyncio.get_running_loop()
        then_s = loop.time()
        ahead = deque(await self._batch())
        while not self._stopped.is_set() and ahead:
            since_s, then_s = loop.time() - then_s, loop.time()
            self._now_ns += round(since_s * speed * 1e9)
            batch: list[Record] = []
            while ahead and ahead[0].now_ns <= self._now_ns:
                _follow(paused, ahead[0])
                batch.append(ahead.popleft())
                if not ahead:
                    ahead.extend(await self._batch())
            at = self._session.started_at + self._now_ns / 1e9
            yield [*batch, Heartbeat(at=at, now_ns=self._now_ns, paused=tuple(paused))]
            await asyncio.sleep(TICK_S)


def _follow(paused: set[str], row: Row) -> None:
    """Heartbeats say which endpoints are paused, and in the files only incidents do."""
    if isinstance(row, LogEntry) and State.PAUSED in (row.state, row.was):
        (paused.add if row.state is State.PAUSED else paused.discard)(row.endpoint)
