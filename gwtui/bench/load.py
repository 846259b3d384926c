"""Sending the requests of a benchmark, as its plan says. The probers are the monitor's."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count, islice

from gwtui.bench.plan import Order, Plan
from gwtui.engine.loop_lag_monitor import LoopLagMonitor
from gwtui.engine.suspend import awake_and_asleep_ns
from gwtui.model.enums import Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Record, Request
from gwtui.probes.prober import Emit, Prober, results_prober_for
from gwtui.secrets import make_ready

Take = Callable[[Request | Ping], None]
Miss = Callable[[str], None]
ProberFor = Callable[[Endpoint, Profile, Emit], Prober]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeDeps:
    """What it takes to probe; tests bring their own."""

    prober_for: ProberFor = results_prober_for
    clock: Callable[[], int] = time.perf_counter_ns
    asleep: Callable[[], int] = awake_and_asleep_ns
    """A clock that also runs while the machine sleeps."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def drive(
    endpoints: Sequence[Endpoint],
    profile: Profile,
    plan: Plan,
    take: Take,
    miss: Miss = lambda _: None,
    means: ProbeDeps | None = None,
) -> None:
    """Carry out the plan; `take` is given every result that counts, as it comes.

    `miss` is given the endpoint of every request of an open loop that was due and found no room before the time was
    up. Cancelled, it stops at once: what was under way is reported as cancelled, and all is closed.
    """
    means = means or ProbeDeps()
    witness = LoopLagMonitor(means.clock, means.asleep, means.sleep)

    def lane(members: Sequence[Endpoint]) -> _Lane:
        return _Lane(members, profile, plan, take, miss, witness, means)

    async with witness.watching():
        if plan.order is Order.TOGETHER:
            async with asyncio.TaskGroup() as group:
                for endpoint in endpoints:
                    group.create_task(lane([endpoint]).run())
        elif plan.order is Order.INTERLEAVED:
            await lane(endpoints).run()
        else:
            for endpoint in endpoints:
                await lane([endpoint]).run()


def alternating(endpoints: Sequence[Endpoint]) -> Iterator[Endpoint]:
    """A B B A A B B A ...: a steady drift of the network weighs on all of them alike."""
    for turn in count():
        yield from endpoints if turn % 2 == 0 else reversed(endpoints)


class _Lane:
    """A line of requests to one endpoint, or to several in turns."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        profile: Profile,
        plan: Plan,
        take: Take,
        miss: Miss,
        witness: LoopLagMonitor,
        means: ProbeDeps,
    ) -> None:
        self._endpoints = endpoints
        self._profile = profile
        self._plan = plan
        self._take = take
        self._miss = miss
        self._witness = witness
        self._means = means
        self._idle: defaultdict[str, list[Prober]] = defaultdict(list)
        self._counting = False

    async def run(self) -> None:
        async with AsyncExitStack() as probers:
            if self._plan.warmup:
                await self._send(self._plan.warmup, None, probers)
            self._counting = True
            await self._send(self._plan.requests, self._plan.for_s, probers)

    async def _send(self, requests: int | None, for_s: float | None, probers: AsyncExitStack) -> None:
        clock, begin_ns = self._means.clock, self._means.clock()
        end_ns = begin_ns + int(for_s * 1e9) if for_s is not None else None
        step_ns = self._step_ns()
        room = asyncio.Semaphore(self._plan.concurrency)
        numbers: Counter[str] = Counter()
        turns = islice(alternating(self._endpoints), requests and requests * len(self._endpoints))
        async with asyncio.TaskGroup() as group:
            for turn, endpoint in enumerate(turns):
                due_ns = begin_ns + int(turn * step_ns)
                if end_ns is not None and due_ns >= end_ns:
                    return
                await self._until(due_ns)
                await room.acquire()
                if end_ns is not None and clock() >= end_ns:
                    if not step_ns:
                        return
                    self._miss(endpoint.name)
                    room.release()
                    continue
                numbers[endpoint.name] += 1
                probe = self._probe(endpoint, numbers[endpoint.name], due_ns if step_ns else clock(), probers)
                group.create_task(probe).add_done_callback(lambda _: room.release())

    def _step_ns(self) -> float:
        """The time between two requests of an open loop; 0 in a closed one, and while warming up."""
        rate = self._plan.rate if self._counting else None
        return 1e9 / (rate * len(self._endpoints)) if rate is not None else 0.0

    async def _probe(self, endpoint: Endpoint, number: int, due_ns: int, probers: AsyncExitStack) -> None:
        """Probe with the prober that was used last, whose connection is warm, or with a new one."""
        idle, means = self._idle[endpoint.name], self._means
        if idle:
            prober = idle.pop()
        else:
            prober = await probers.enter_async_context(means.prober_for(endpoint, self._profile, self._emit))
        await make_ready(endpoint)
        self._emit(await self._witness.marked(prober.probe(number, due_ns, Trigger.BURST)))
        idle.append(prober)

    async def _until(self, due_ns: int) -> None:
        while (left_ns := due_ns - self._means.clock()) > 0:
            await self._means.sleep(left_ns / 1e9)

    def _emit(self, record: Record) -> None:
        """Results only; one that was cancelled comes this way too."""
        if self._counting and isinstance(record, Request | Ping):
            self._take(record)
