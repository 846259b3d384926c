"""How late the engine's own event loop is, so that its own standstills are not taken for the gateway's. Pure but for
`LoopLagMonitor`."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from gwtui.engine.suspend import Moment, awake_and_asleep_ns
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.stats.accuracy import sure_findings
from gwtui.text.units import duration

PERIOD_NS = 10_000_000
"""How often the loop is tried: half of `LATE_NS`, so that no later loop goes unseen."""
LATE_NS = 20_000_000
"""A loop that is later than this is remembered to have been: two periods, as one may be a timer's own coarseness."""
STANDSTILL_NS = 1_000_000_000
"""From this on the process was stopped, or the machine suspended or swamped: deadlines passed unwatched."""
STOP_NS = 250_000_000
"""From this on it stopped for long enough to be seen in a load of requests."""
REMEMBERED = 1000
"""The number of late moments that are kept: 10 s of a loop that is late at every try."""

WAITING = frozenset(
    {
        Verdict.CONNECT_TIMEOUT,
        Verdict.NO_FIRST_BYTE,
        Verdict.STALLED,
        Verdict.TIMEOUT,
        Verdict.NO_PONG,
        Verdict.TRUNCATED,
        Verdict.RESET,
        Verdict.CLOSED,
    }
)
"""Verdicts that a standstill of our own brings about: our deadline passed, or the other side lost its patience."""


class LoopLag:
    """Told by a task that wants to run every `PERIOD_NS` when it really did."""

    def __init__(self, stopped: Callable[[int, int], None] = lambda _begin_ns, _end_ns: None) -> None:
        """`stopped` is given the stamps from when until when it was late by `STOP_NS` or more."""
        self._stopped = stopped
        self._due_ns: int | None = None
        self._worst_ns = 0
        self._late: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def woke(self, now_ns: int) -> None:
        """The task runs now; it will ask to run again after `PERIOD_NS`."""
        late_ns = self._overdue(now_ns)
        self._worst_ns = max(self._worst_ns, late_ns)
        if late_ns > LATE_NS:
            self._late.append((now_ns, late_ns))
        if late_ns >= STOP_NS:
            self._stopped(now_ns - late_ns, now_ns)
        self._due_ns = now_ns + PERIOD_NS

    def since(self, start_ns: int, now_ns: int) -> int:
        """The longest it was late since `start_ns`, if that was longer than `LATE_NS`; else 0.

        It may be late right now, before the task could notice.
        """
        late_ns = self._overdue(now_ns)
        longest_ns = late_ns if late_ns > LATE_NS else 0
        for at_ns, late_ns in reversed(self._late):
            if at_ns < start_ns:
                break
            longest_ns = max(longest_ns, late_ns)
        return longest_ns

    def take(self, now_ns: int) -> int:
        """The longest it was late since this was last asked."""
        worst_ns, self._worst_ns = max(self._worst_ns, self._overdue(now_ns)), 0
        return worst_ns

    def _overdue(self, now_ns: int) -> int:
        return 0 if self._due_ns is None else max(0, now_ns - self._due_ns)


def marked(result: Request | Ping, late_ns: int, slept_ns: int = 0) -> Request | Ping:
    """The result, marked by what became of this program while it was measured.

    `late_ns`: how late the event loop was at most; `slept_ns`: how long the machine slept, which no stamp of the
    monotonic clock knows, so that it may be missing from every latency. A failure to come in time says nothing of the
    gateway when it was us who stood still: it is `local`.
    """
    if slept_ns:
        error_ns = max(slept_ns, result.error_ns or 0)
        if isinstance(result, Request):
            result = replace(result, tainted=True, error_ns=error_ns, errors=None)
        else:
            result = replace(result, tainted=True, error_ns=error_ns)
        result = replace(result, findings=sure_findings(result))
    if (still_ns := max(late_ns, slept_ns)) < STANDSTILL_NS or result.verdict not in WAITING:
        return result
    return replace(
        result,
        tainted=True,
        verdict=Verdict.LOCAL,
        rule="engine.stood-still",
        reason=f"gwtui itself was stopped for {duration(still_ns)} meanwhile; otherwise it would be {result.verdict}",
    )


class LoopLagMonitor:
    """Knows how late the event loop was, and how long the machine slept, while something was measured."""

    def __init__(
        self,
        clock: Callable[[], int] = time.perf_counter_ns,
        asleep: Callable[[], int] = awake_and_asleep_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        stopped: Callable[[int, int], None] = lambda _begin_ns, _end_ns: None,
    ) -> None:
        """`stopped`: as `LoopLag` has it."""
        self._clock = clock
        self._asleep = asleep
        self._sleep = sleep
        self._stopped = stopped
        self._lag = LoopLag(stopped)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch for as long as the block runs."""
        self._lag = LoopLag(self._stopped)
        task = asyncio.create_task(self.watch())
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

    async def watch(self) -> None:
        """Watch until this is cancelled."""
        while True:
            self._lag.woke(self._clock())
            await self._sleep(PERIOD_NS / 1e9)

    def take(self, now_ns: int) -> int:
        """As `LoopLag.take`."""
        return self._lag.take(now_ns)

    def _moment(self) -> Moment:
        return Moment(self._clock(), self._asleep(), 0.0)
