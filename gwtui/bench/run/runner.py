"""One run of a benchmark: what is to be done, and what came of it, however it ended."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from signal import Signals
from typing import Self

import click
import msgspec

from gwtui.bench.results.csv_out import request_line
from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.run.machine_limits import out_of_reach, send_capacity
from gwtui.bench.run.progress import PlanProgress, shown
from gwtui.bench.session.resume import SessionResults
from gwtui.bench.work.plan import Order, Plan
from gwtui.bench.work.workload import AskedQuestion, Workload
from gwtui.engine.load import DueRequest, LoadDriver, sleep_punctually
from gwtui.engine.loop_lag import LoopLagMonitor
from gwtui.engine.suspend import awake_and_asleep_ns
from gwtui.model.enums import Outcome, Trigger, Unsent
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Record, Request
from gwtui.model.verdicts import Verdict
from gwtui.probes.http import HTTPProber
from gwtui.probes.prober import Prober, ProberFor, results_prober_for
from gwtui.probes.websocket import WebSocketProber
from gwtui.secrets.resolver import make_ready
from gwtui.verdict.successive import Bursts

Take = Callable[[Request | Ping], None]
Miss = Callable[[str, Unsent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeDeps:
    """What it takes to probe; tests bring their own."""

    prober_for: ProberFor = results_prober_for
    clock: Callable[[], int] = time.perf_counter_ns
    asleep: Callable[[], int] = awake_and_asleep_ns
    """A clock that also runs while the machine sleeps."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    sleep_punctually: Callable[[float], Awaitable[None]] = sleep_punctually


async def drive(
    endpoints: Sequence[Endpoint],
    profile: Profile,
    plan: Plan,
    take: Take,
    miss: Miss = lambda _name, _why: None,
    deps: ProbeDeps | None = None,
    workload: Workload | None = None,
    goes_on: Callable[[], bool] = lambda: True,
    stopped: Callable[[int, int], None] = lambda _begin_ns, _end_ns: None,
) -> None:
    """Carry out the plan; `take` is given every result that counts, as it comes.

    `miss` is given the endpoint of every request that was due and never sent, and why. `workload`: what the requests
    ask, by default each endpoint's own question. `goes_on` is asked after each result whether more may be sent.
    Cancelled, it stops at once: what was under way is reported as cancelled, and all is closed. `stopped`: as
    `LoopLagMonitor` has it.
    """
    deps, workload = deps or ProbeDeps(), workload or Workload()
    lag_monitor = LoopLagMonitor(deps.clock, deps.asleep, deps.sleep, stopped)

    async def send_to(members: Sequence[Endpoint]) -> None:
        await _Bench(profile, plan, take, miss, lag_monitor, deps, workload, goes_on).run(members)

    async with lag_monitor.watching():
        if primed := [endpoint for endpoint in endpoints if endpoint.name in workload.primed]:
            priming = Plan(requests=workload.priming(plan.requests), concurrency=plan.concurrency, order=plan.order)
            await _Bench(profile, priming, _forget, miss, lag_monitor, deps, workload, goes_on).run(primed)
        if plan.order is Order.TOGETHER:
            if plan.concurrency_limit:
                plan = replace(plan, concurrency=max(1, plan.concurrency // len(endpoints)))
            async with asyncio.TaskGroup() as group:
                for endpoint in endpoints:
                    group.create_task(send_to([endpoint]))
        elif plan.order is Order.INTERLEAVED:
            await send_to(endpoints)
        else:
            for endpoint in endpoints:
                await send_to([endpoint])


def _forget(_: Request | Ping) -> None:
    """Take a result that does not count."""


class _Bench:
    """Warms up and then measures one endpoint, or several in turns."""

    def __init__(
        self,
        profile: Profile,
        plan: Plan,
        take: Take,
        miss: Miss,
        lag_monitor: LoopLagMonitor,
        deps: ProbeDeps,
        workload: Workload,
        goes_on: Callable[[], bool],
    ) -> None:
        self._profile = profile
        self._plan = plan
        self._take = take
        self._miss = miss
        self._lag_monitor = lag_monitor
        self._deps = deps
        self._workload = workload
        self._goes_on = goes_on
        self._asked: dict[tuple[str, int], AskedQuestion] = {}
        """What the requests under way ask, by endpoint and number."""
        self._counting = False
        self._bursts: dict[str, Bursts] = {}

    async def run(self, members: Sequence[Endpoint]) -> None:
        plan, deps = self._plan, self._deps
        self._bursts = {endpoint.name: Bursts(endpoint) for endpoint in members}
        async with LoadDriver(
            members, plan.concurrency, self._prober, self._probe, clock=deps.clock, sleep=deps.sleep_punctually
        ) as load:
            await make_ready(*members)
            await load.prepare(_connections(plan, len(members)), _connect)
            if plan.warmup:
                await load.send(plan.warmup, due=plan.due_ns(len(members)))
            self._counting = True
            await load.send(
                plan.requests,
                for_s=plan.for_s,
                due=self._workload.due_ns(members) or plan.due_ns(len(members)),
                miss=lambda endpoint, why: self._miss(endpoint.name, why),
            )

    def _prober(self, endpoint: Endpoint) -> Prober:
        return self._deps.prober_for(endpoint, self._profile, self._emit)

    async def _probe(self, endpoint: Endpoint, prober: Prober, request: DueRequest) -> bool:
        await make_ready(endpoint)
        number = request.number + (self._plan.already if self._counting else 0)
        asked = self._workload.asked(endpoint, number, warms_up=not self._counting)
        if asked is not None:
            self._asked[endpoint.name, request.number] = asked
            if isinstance(prober, HTTPProber):
                prober.asks(asked.endpoint)
        result = await self._lag_monitor.marked(prober.probe(request.number, request.due_ns, Trigger.BURST))
        if request.room_wait_ns:
            result = msgspec.structs.replace(result, room_wait_ns=request.room_wait_ns)
        self._emit(self._bursts[endpoint.name].judged(result))
        return self._goes_on()

    def _emit(self, record: Record) -> None:
        """Results only; one that was cancelled comes this way too."""
        if not isinstance(record, Request | Ping):
            return
        asked = self._asked.pop((record.endpoint, record.number), None)
        if self._counting:
            self._take(record if asked is None else asked.marked(record))


MOST_PREPARED = 1000
"""The maximum number of connections that an open loop opens before it needs them."""


def _connections(plan: Plan, members: int) -> int:
    """How many connections to each member are opened before the first request: those that it takes from the start,
    which in an open loop are the requests of the first second."""
    wanted = math.ceil(plan.concurrency / (members if plan.order is Order.INTERLEAVED else 1))
    limits = (plan.requests, None if plan.first_second is None else min(plan.first_second, MOST_PREPARED))
    return min([wanted, *(limit for limit in limits if limit is not None)])


async def _connect(prober: Prober) -> None:
    if isinstance(prober, HTTPProber | WebSocketProber):
        await prober.connect()


def _only_200(result: Request | Ping) -> Request | Ping:
    """The result, as a failure if it is an answer with another good status."""
    if isinstance(result, Ping) or result.outcome is not Outcome.OK or result.status == 200:
        return result
    words = f"HTTP {result.status} instead of 200"
    return msgspec.structs.replace(result, verdict=Verdict.WRONG_STATUS, rule="http.status", reason=words)


@dataclass(slots=True)
class BenchRun:
    """A benchmark and its results, which are there from the start and grow while it is driven."""

    plan: Plan
    measured: dict[str, Measured]
    """By endpoint, in their order. Of an open loop, counted from the planned sends."""
    actual: dict[str, Measured]
    """The same counted from the actual sends; of a closed loop the very same."""
    keeps_rows: bool = False
    only_200: bool = False
    """An answer with any other status is a failure, whatever its body."""
    deadline_s: float | None = None
    """Seconds after which it ends, whatever is under way; it `ran_out` then."""
    ran_out: bool = False
    rows: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    """By endpoint its requests as lines of CSV, if they are to be kept, each with its number."""
    seconds: float = 0.0
    stopped_by: Signals | None = None
    workload: Workload = field(default_factory=Workload)
    kept: SessionResults = field(default_factory=SessionResults)
    """Its session, if it has one; each endpoint is a point."""
    send_capacity: float | None = None
    """The most requests per second that this machine can send; measured before an open loop."""

    @classmethod
    def of(
        cls,
        endpoints: Sequence[Endpoint],
        plan: Plan,
        *,
        keeps_rows: bool = False,
        only_200: bool = False,
        deadline_s: float | None = None,
        workload: Workload | None = None,
    ) -> Self:
        """Nothing done yet."""
        measured = empty(endpoints, from_planned=plan.rate is not None, slo=plan.slo)
        actual = empty(endpoints, slo=plan.slo) if plan.rate is not None else measured
        rows: dict[str, list[tuple[int, bytes]]] = {each.name: [] for each in endpoints}
        return cls(plan, measured, actual, keeps_rows, only_200, deadline_s, rows=rows, workload=workload or Workload())

    async def drive(self, endpoints: Sequence[Endpoint], profile: Profile) -> None:
        """Carry the plan out, with a progress bar on a terminal. Cancelled, it keeps its results."""
        if self.plan.rate is not None:
            await self._know_capacity(endpoints)
        began = time.monotonic()
        try:
            async with (
                shown(PlanProgress(self.plan, list(self.measured.values()))),
                asyncio.timeout(self.deadline_s) as deadline,
            ):
                for members, plan in self.kept.steps(endpoints, self.plan):
                    await drive(
                        members, profile, plan, self.take, self._miss, workload=self.workload, stopped=self._stopped
                    )
        except TimeoutError:
            self.ran_out = deadline.expired()
            if not self.ran_out:
                raise
        finally:
            self.seconds += time.monotonic() - began

    async def _know_capacity(self, endpoints: Sequence[Endpoint]) -> None:
        """Measure what this machine can send, and say what of the plan is out of its reach."""
        self.send_capacity = await send_capacity(endpoints[0])
        offered = self.plan.offered_per_s(len(endpoints))
        if self.send_capacity is not None and offered is not None and offered > self.send_capacity:
            with suppress(OSError):  # nobody reads it any more
                click.echo(f"gwtui: {out_of_reach(offered, self.send_capacity)}", err=True)

    def take(self, result: Request | Ping) -> None:
        """Count a result."""
        result, paused = self.kept.row(result.endpoint, _only_200(result) if self.only_200 else result)
        self.count(result, paused=paused)

    def count(self, result: Request | Ping, *, paused: bool = False) -> None:
        """The same of one that a session has already. `paused`: the benchmark was interrupted before it."""
        for tally in self._tallies(result.endpoint):
            if paused:
                tally.flights.pause()
            tally.take(result)
        if self.keeps_rows:
            line = request_line(result, from_planned=self.plan.rate is not None)
            self.rows[result.endpoint].append((result.number, line))

    def _miss(self, name: str, why: Unsent) -> None:
        self.kept.miss(name, why)
        self.count_miss(name, why)

    def count_miss(self, name: str, why: Unsent) -> None:
        """The same of one that a session has already."""
        for tally in self._tallies(name):
            tally.miss(why)

    def _tallies(self, name: str) -> tuple[Measured, ...]:
        planned, actual = self.measured[name], self.actual[name]
        return (planned,) if planned is actual else (planned, actual)

    def _stopped(self, begin_ns: int, end_ns: int) -> None:
        for each in {id(each): each for each in (*self.measured.values(), *self.actual.values())}.values():
            each.flights.course.stops.append((begin_ns, end_ns))

    def lines(self) -> Iterator[bytes]:
        """All rows, endpoint by endpoint, by number."""
        for rows in self.rows.values():
            yield from (line for _, line in sorted(rows))
