"""Who watches this program while it measures, where no engine runs: results are marked as the engine marks its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from gwtui.engine.loop_lag import PERIOD_NS, LoopLag, marked
from gwtui.engine.suspend import Moment, awake_and_asleep_ns
from gwtui.model.records import Ping, Request


class LoopLagMonitor:
    """Knows how late the event loop was, and how long the machine slept, while something was measured."""

    def __init__(
        self,
        clock: Callable[[], int] = time.perf_counter_ns,
        asleep: Callable[[], int] = awake_and_asleep_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._asleep = asleep
        self._sleep = sleep
        self._lag = LoopLag()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch for as long as the block runs."""
        self._lag = LoopLag()
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    async def marked(self, probing: Coroutine[Any, Any, Request | Ping]) -> Request | Ping:
        """What the probe gives, marked when it was measured in a bad moment."""
        began = self._moment()
        result = await probing
        ended = self._moment()
        return marked(result, self._lag.since(began.now_ns, ended.now_ns), ended.slept_ns(began))

    async def _watch(self) -> None:
        while True:
            self._lag.woke(self._clock())
            await self._sleep(PERIOD_NS / 1e9)

    def _moment(self) -> Moment:
        return Moment(self._clock(), self._asleep(), 0.0)
