"""An engine, or a part of one, in the test's own event loop: what it emits, and waiting for more of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from msgspec.structs import replace

from gwtui.engine import Engine
from gwtui.model.profile import Endpoint
from gwtui.model.records import Record

from .scripted import Receive, Send, Step, http

SOON_S = 30.0
"""Only a failing test waits so long."""
GOOD: list[Step] = [Receive(), Send(http("200 OK", body=b"pong"))] * 2000
R = TypeVar("R", bound=Record)


class Emitted:
    """All records so far."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._changed = asyncio.Event()

    def emit(self, record: Record) -> None:
        self.records.append(record)
        self._changed.set()

    def all(self, kind: type[R], since: int = 0) -> list[R]:
        return [record for record in self.records[since:] if isinstance(record, kind)]

    async def until(self, met: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON_S):
            while not met():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def running(engine: Engine, stop_after_s: float | None = None) -> AsyncIterator[None]:
    """It runs for the block, is stopped, and ends."""
    task = asyncio.create_task(engine.run(stop_after_s))
    try:
        yield
    finally:
        engine.stop()
        async with asyncio.timeout(SOON_S):
            await task


def asking(url: str, name: str = "a", **fields: object) -> Endpoint:
    """An endpoint of plain HTTP."""
    return replace(Endpoint(name=name, api="http", url=url, path="/", method="GET"), **fields)
