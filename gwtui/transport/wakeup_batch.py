"""Waking those who wait for reads together: stamps are taken at once, what the bytes mean can wait a moment.

An interpreter that is woken for a single event finds its caches cold and takes three times as long over it. So reads of
streams, which carry their stamps with them, are worked off in batches.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

GATHER_S = 0.04
"""How long a read may wait for others; what it means is written to the screen's pipe no more often either."""
TOGETHER = 32
"""So many are woken at once, then sockets are looked at again: one that waits has one stamp for several packets."""


class WakeupBatch:
    """One for each event loop: see `gathering`."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def add(self, waiter: asyncio.Future[None]) -> None:
        """Settle this one soon, together with others."""
        if not self._waiting:
            loop = waiter.get_loop()
            loop.call_later(GATHER_S, self._wake, loop)
        self._waiting.append(waiter)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        now, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        for waiter in now:
            settle(waiter)
        if self._waiting:
            loop.call_soon(self._wake, loop)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, WakeupBatch] = WeakKeyDictionary()


def gathering() -> WakeupBatch:
    """That of the running loop."""
    return _of_loops.setdefault(asyncio.get_running_loop(), WakeupBatch())


def settle(future: asyncio.Future[None]) -> None:
    """Let whoever awaits it go on, if nobody did so before."""
    if not future.done():
        future.set_result(None)
