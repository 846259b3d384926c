"""Waking those who wait for reads together: stamps are taken at once, what the bytes mean can wait a moment.

An interpreter that is woken for a single event finds its caches cold and takes three times as long over it. So reads of
streams, which carry their stamps with them, are worked off in batches.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

GATHER_S = 0.02
"""How long a read may wait for others. The screen draws five times slower."""

_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Gathering] = WeakKeyDictionary()


class Gathering:
    """One for each event loop: see `gathering`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._call_later = loop.call_later
        self._waiting: list[asyncio.Future[None]] = []

    def add(self, waiter: asyncio.Future[None]) -> None:
        """Settle this one soon, together with others."""
        if not self._waiting:
            self._call_later(GATHER_S, self._wake)
        self._waiting.append(waiter)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            settle(waiter)


def gathering() -> Gathering:
    """That of the running loop."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = Gathering(loop)
    return found


def settle(future: asyncio.Future[None]) -> None:
    """Let whoever awaits it go on, if nobody did so before."""
    if not future.done():
        future.set_result(None)
