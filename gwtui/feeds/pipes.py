"""Ends of pipes: one that waits to be taken from, one of which only the tail counts, and one that is written to."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import IO

from gwtui.recorder.disk import write_all

MAX_WAITING = 1 << 20
"""Bytes that may wait to be taken; then the pipe is left to fill."""

THREADED = sys.platform == "win32"
"""Event loops there cannot wait for a pipe of `subprocess`."""


class _End(asyncio.Protocol):
    def __init__(self) -> None:
        self.ended = False
        self._news = asyncio.Event()
        self._transport: asyncio.ReadTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.ReadTransport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._news.set()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Inbox(_End):
    """Data from a pipe that was not taken yet. Stops reading while it is not taken."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []
        self._waiting = 0
        self._discarding = False

    def data_received(self, data: bytes) -> None:
        if self._discarding:
            return
        self._chunks.append(data)
        self._waiting += len(data)
        self._news.set()
        if self._transport is not None and self._waiting > MAX_WAITING:
            self._transport.pause_reading()

    async def take(self) -> bytes:
        """All that came since the last time; waits for some. Empty at the end."""
        while not self._chunks and not self.ended:
            self._news.clear()
            await self._news.wait()
        data = b"".join(self._chunks)
        self._empty()
        return data

    def discard(self) -> None:
        """Forget what came and what will come, so that the other end can finish."""
        self._discarding = True
        self._empty()

    def _empty(self) -> None:
        self._chunks.clear()
        self._waiting = 0
        if self._transport is not None:
            self._transport.resume_reading()


class Tail(_End):
    """The last bytes of a pipe."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.text = b""
        self._limit = limit

    def data_received(self, data: bytes) -> None:
        self.text = (self.text + data)[-self._limit :]

    async def wait_ended(self) -> None:
        while not self.ended:
            self._news.clear()
            await self._news.wait()


class Outgoing:
    """A pipe that a thread writes to: a reader that stopped reading does not block the writer. Needs no event loop."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        threading.Thread(target=self._run, name="outgoing", daemon=True).start()

    def put(self, data: bytes) -> None:
        """Have this written. Where the reader is gone it is lost."""
        self._waiting.put(data)

    def close(self) -> None:
        """Close the pipe when all that waits is written. May be called again."""
        self._waiting.put(None)

    def _run(self) -> None:
        with suppress(OSError), self._pipe:
            while (data := self._waiting.get()) is not None:
                write_all(self._pipe.fileno(), data)


async def connect(pipe: IO[bytes], end: Inbox | Tail) -> None:
    """Have everything that comes out of the pipe given to this end of it."""
    loop = asyncio.get_running_loop()
    if THREADED:
        threading.Thread(target=_pump, args=(pipe, end, loop), daemon=True).start()
    else:
        await loop.connect_read_pipe(lambda: end, pipe)


def _pump(pipe: IO[bytes], end: Inbox | Tail, loop: asyncio.AbstractEventLoop) -> None:
    with suppress(RuntimeError), pipe:  # the loop is closed: nobody is left to tell
        while data := os.read(pipe.fileno(), 1 << 16):
            loop.call_soon_threadsafe(end.data_received, data)
        loop.call_soon_threadsafe(end.connection_lost, None)
