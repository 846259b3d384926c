"""The workers of one endpoint: who starts a probe when its tick comes, and who carries it out.

A worker is a task with one prober, and so with one HTTP client or one kept WebSocket. Workers are made as overlap
asks for them; the one that was used last is used first, so that its connection stays warm, and the others end when
they had nothing to do for a while. Ticks that come while the endpoint is left alone (`politeness`), or while there is
no budget, are held: counted, and not made up for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from gwtui.apis import kind_of
from gwtui.engine.backoff import Politeness
from gwtui.engine.budget import BudgetTracker
from gwtui.engine.load import PATIENCE, DueRequest, LoadDriver
from gwtui.engine.loop_lag import LoopLagMonitor
from gwtui.engine.profile_edits import CommandError
from gwtui.engine.provider_lookup import ProviderLookup
from gwtui.engine.schedule import Schedule
from gwtui.model.enums import Kind, Trigger
from gwtui.model.hold import Hold
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Notice, Ping, Request
from gwtui.probes.prober import Emit, Prober, ProberFor
from gwtui.secrets.resolver import make_ready
from gwtui.verdict.successive import Bursts

IDLE_S = 30.0
"""A worker that is not the only idle one of its endpoint ends after this time without a probe."""


@dataclass(slots=True)
class SessionCounts:
    """What is counted under an endpoint's name for the whole session, whatever the endpoint becomes meanwhile."""

    number: int = 0
    """The number of its newest request."""
    missed: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class _Start:
    """A probe to start."""

    planned_ns: int
    trigger: Trigger = Trigger.SCHEDULE


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """What all workers share."""

    prober_for: ProberFor
    emit: Emit
    """Takes what a probe says while it is under way."""
    report: Emit
    """Takes results."""
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    clock: Callable[[], int]
    lag_monitor: LoopLagMonitor
    lookup: ProviderLookup
    profile: Callable[[], Profile]
    """The profile as it is now."""
    budget_tracker: BudgetTracker


def may_begin(endpoint: Endpoint, context: WorkerContext) -> bool:
    """Whether there is a budget for a probe that begins now; it is counted. Pings take nothing of it."""
    return kind_of(endpoint.api) is Kind.WEBSOCKET or context.budget_tracker.take(context.clock())


async def run_probe(
    endpoint: Endpoint,
    prober: Prober,
    counts: SessionCounts,
    context: WorkerContext,
    planned_ns: int,
    trigger: Trigger,
    bursts: Bursts,
) -> Request | Ping:
    """Probe once under the next number, and report the result; of a conversation each turn, while there is a budget.
    Returns the last."""
    await make_ready(endpoint)
    while True:
        counts.number += 1
        result = bursts.judged(await context.lag_monitor.marked(prober.probe(counts.number, planned_ns, trigger)))
        if isinstance(result, Request) and endpoint.metrics is not None:
            context.spawn(_looked_up(result, endpoint, context))
        else:
            context.report(result)
        if not prober.goes_on() or not may_begin(endpoint, context):
            return result
        planned_ns = context.clock()


async def _looked_up(request: Request, endpoint: Endpoint, context: WorkerContext) -> None:
    """Report a request with the provider that answered it. It is reported in any case, also at the end of a session."""
    try:
        request = await context.lookup.look_up(request, endpoint, context.profile())
    finally:
        context.report(request)


async def run_trial(endpoint: Endpoint, profile: Profile, counts: SessionCounts, context: WorkerContext) -> None:
    """Probe an endpoint once, with a prober of its own."""
    async with context.prober_for(endpoint, profile, context.emit) as prober:
        await run_probe(endpoint, prober, counts, context, context.clock(), Trigger.TRIAL, Bursts(endpoint))


class Workers:
    """Probes one endpoint on its schedule, and in bursts beside it, until it is closed."""

    def __init__(
        self,
        endpoint: Endpoint,
        profile: Profile,
        schedule: Schedule,
        politeness: Politeness,
        counts: SessionCounts,
        context: WorkerContext,
    ) -> None:
        self._endpoint = endpoint
        self._profile = profile
        self._schedule = schedule
        self._politeness = politeness
        self._counts = counts
        self._context = context
        self.is_websocket = kind_of(endpoint.api) is Kind.WEBSOCKET
        self._room = 1 if self.is_websocket else endpoint.overlap
        self._bursts = Bursts(endpoint)
        self._rescheduled = asyncio.Event()
        self._busy = 0
        self._asked = 0
        """Those of the busy ones that carry out what the user asked for: one at most."""
        self._idle: list[asyncio.Future[_Start | None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._spawn(self._keep_schedule())

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def paused(self) -> bool:
        return self._schedule.paused

    def hold(self) -> Hold | None:
        """Why the endpoint is left alone at the moment, and when its next probe is due; None when it is not."""
        hold = self._politeness.hold(self._context.clock())
        if hold is None or self.paused:
            return None
        return replace(hold, until_ns=self._schedule.tick_from(hold.until_ns))

    def due_ns(self) -> int | None:
        """When its next probe is due; None while it is paused."""
        hold = self.hold()
        return hold.until_ns if hold is not None else self._schedule.next_ns

    def pause(self) -> None:
        """Start no more scheduled probes; those under way run on."""
        self._schedule.pause()
        self._rescheduled.set()

    def resume(self) -> None:
        self._politeness.forget()
        self._schedule.resume(self._context.clock())
        self._rescheduled.set()

    def set_interval(self, interval_s: float) -> None:
        self._schedule.set_interval(self._context.clock(), int(interval_s * 1e9))
        self._rescheduled.set()

    def close(self) -> None:
        """Cancel all that is under way. The tasks end, and close what they hold, soon after."""
        for task in self._tasks:
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.own(self._context.spawn(work))

    def own(self, task: asyncio.Task[None]) -> None:
        """End this task when the endpoint is closed."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def prober(self) -> Prober:
        return self._context.prober_for(self._endpoint, self._profile, self._context.emit)

    async def _keep_schedule(self) -> None:
        while True:
            await self._until_due()
            now_ns = self._context.clock()
            alone = self._politeness.hold(now_ns) is not None
            due = self._schedule.take(now_ns, room=alone or self._has_room)
            self._counts.missed += due.missed
            if due.planned_ns is None:
                continue
            if alone or not may_begin(self._endpoint, self._context):
                self._counts.held += 1
            else:
                self._start(_Start(due.planned_ns))

    @property
    def _has_room(self) -> bool:
        """What the user asks for takes no room of the schedule, but a WebSocket has one connection for both."""
        return self._busy - (0 if self.is_websocket else self._asked) < self._room

    @property
    def can_be_asked(self) -> bool:
        """Whether a probe that the user asks for can start: not while another one is under way."""
        return not (self._asked or (self.is_websocket and self._busy))

    def ask(self) -> bool:
        """Probe at once, whether or not it is paused or left alone. False: there is no budget for it."""
        if not may_begin(self._endpoint, self._context):
            return False
        self._asked += 1
        self._start(_Start(self._context.clock(), Trigger.ASKED))
        return True

    async def _until_due(self) -> None:
        """Wait for the next tick, or for a change of the schedule."""
        self._rescheduled.clear()
        next_ns = self._schedule.next_ns
        wait_s = None if next_ns is None else max(0, next_ns - self._context.clock()) / 1e9
        try:
            async with asyncio.timeout(wait_s):
                await self._rescheduled.wait()
        except TimeoutError:
            return

    def _start(self, start: _Start) -> None:
        self._busy += 1
        if self._idle:
            self._idle.pop().set_result(start)
        else:
            self._spawn(self._work(start))

    async def _work(self, start: _Start | None) -> None:
        """Be a worker: one probe after the other."""
        async with self.prober() as prober:
            while start is not None:
                await self._probe(prober, start.planned_ns, start.trigger)
                self._politeness.dial_in(prober.wait_ns(), self._schedule.interval_ns, self._context.clock())
                self._busy -= 1
                self._asked -= start.trigger is Trigger.ASKED
                start = await self._next_start()

    async def _probe(self, prober: Prober, planned_ns: int, trigger: Trigger) -> None:
        result = await run_probe(self._endpoint, prober, self._counts, self._context, planned_ns, trigger, self._bursts)
        self._politeness.take(result, self._schedule.interval_ns, self._context.clock())

    async def _next_start(self) -> _Start | None:
        """Be idle until a probe needs a worker; None: there are idle workers enough without this one."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[_Start | None] = loop.create_future()
        self._idle.append(waiter)
        timer = loop.call_later(IDLE_S, self._retire, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()

    def _retire(self, waiter: asyncio.Future[_Start | None]) -> None:
        if len(self._idle) > 1 and waiter in self._idle and not waiter.cancelled():
            self._idle.remove(waiter)
            waiter.set_result(None)

    async def probe_now(self, prober: Prober, request: DueRequest) -> bool:
        """Send one request of a burst. False: there is no budget for it."""
        if not may_begin(self._endpoint, self._context):
            return False
        await self._probe(prober, request.due_ns, Trigger.BURST)
        return True


def ask_now(asked: Sequence[Workers], spent: Callable[[], str]) -> None:
    """Probe each of them once at once. `spent`: why there is no budget. Raises `CommandError` where none can start."""
    free = [each for each in asked if each.can_be_asked]
    if asked and not free:
        awaited = asked[0].endpoint.name if len(asked) == 1 else "all of them"
        raise CommandError(f"Not asked: the answer to an earlier probe of {awaited} is awaited")
    unasked = [each for each in free if not each.ask()]
    if unasked:
        raise CommandError(f"Not asked: {spent()}")


def burst(together: Sequence[Workers], context: WorkerContext, requests: int, concurrency: int) -> None:
    """Send that number of requests to each now, in turns, at most `concurrency` at once."""

    async def send() -> None:
        unsent: Counter[str] = Counter()
        async with LoadDriver(together, concurrency, Workers.prober, Workers.probe_now, clock=context.clock) as load:
            await load.send(requests, miss=lambda each, _: unsent.update((each.endpoint.name,)))
        for name, count in unsent.items():
            text = f"{name}: {count} of a burst's {requests} requests were not sent: no answer for some {PATIENCE}"
            context.report(Notice(now_ns=context.clock(), text=text))

    task = context.spawn(send())
    for each in together:
        each.own(task)
