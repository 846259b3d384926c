"""Sending what checks need to know: the only part of the room with sockets, a clock and pauses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from gwtui.apis import dialogue_of
from gwtui.apis.dialogue import first_alone
from gwtui.checks.breaker import next_wait_s
from gwtui.checks.evidence import MISSING, Evidence, Probed
from gwtui.checks.request_plans import MOST_LOOKS, RequestPlan, is_settled, provoking, request_plan
from gwtui.checks.request_sets import CheckTarget, RequestSet
from gwtui.engine.loop_lag import LoopLagMonitor
from gwtui.model.enums import Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request
from gwtui.probes.capture import KeptReads
from gwtui.probes.prober import Emit, Prober
from gwtui.probes.prober import prober_for as any_prober_for
from gwtui.secrets.resolver import make_ready

LOOK_AGAIN_S = 0.3
"""Seconds that a gateway has to update its metrics and audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDeps:
    """What it takes to probe; tests bring their own."""

    prober_for: Callable[[Endpoint, Profile, Emit], Prober] = any_prober_for
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    spend: Callable[[Request | Ping], None] = lambda _: None
    """Told every result, for a budget."""


class Collected:
    """All that was found out about a target so far."""

    def __init__(self, target: CheckTarget, deps: CheckDeps | None = None) -> None:
        endpoint = target.endpoint
        alone = first_alone(endpoint, dialogue_of(endpoint)) if endpoint.turns else endpoint
        self._target = replace(target, endpoint=alone)
        self._deps = deps or CheckDeps()
        self._found: dict[RequestSet, tuple[Probed, ...]] = {}
        self._lag_monitor = LoopLagMonitor()
        self.sent = 0
        """Requests so far."""

    @property
    def evidence(self) -> Evidence:
        """All that was found out so far, for the judges."""
        return Evidence(self._target, dict(self._found))

    def results(self) -> list[Request | Ping]:
        """The result of every request so far."""
        return [probed.result for probed in self.evidence.everything()]

    def has(self, need: RequestSet) -> bool:
        """Whether that set of requests was sent already."""
        return need in self._found

    async def gather(self, need: RequestSet) -> None:
        """Send what the need takes. Whatever goes wrong is in the evidence."""
        if need is RequestSet.BREAKER:
            await self._provoke()
            return
        if need is RequestSet.BREAKER_AUDIT and not self._found.get(RequestSet.BREAKER):
            self._found[need] = ()
            return
        plan = request_plan(need, self._target)
        for looks in range(1, MOST_LOOKS + 1):
            self._found[need] = await self._sent(plan)
            if looks == MOST_LOOKS or is_settled(need, self.evidence):
                return
            await self._deps.sleep(LOOK_AGAIN_S)

    async def _sent(self, plan: RequestPlan) -> tuple[Probed, ...]:
        """All of the plan, or of alternatives the first that the gateway has, or else all of them."""
        found: list[Probed] = []
        for group in plan.groups:
            probed = await self._at_once(group)
            if plan.alternatives and probed[0].request.status not in MISSING:
                return tuple(probed)
            found += probed
        return tuple(found)

    async def _provoke(self) -> None:
        """The failing model, step by step, until its breaker was seen or can be ruled out."""
        self._found[RequestSet.BREAKER] = ()
        if not self._target.provoke:
            return
        endpoint = provoking(self._target)
        while True:
            wait_s = next_wait_s([probed.request for probed in self.evidence.provoked()])
            if wait_s is None:
                return
            if wait_s:
                await self._deps.sleep(wait_s)
            found = await self._at_once((endpoint,))
            self._found[RequestSet.BREAKER] = (*self._found[RequestSet.BREAKER], *found)

    async def _at_once(self, endpoints: tuple[Endpoint, ...]) -> list[Probed]:
        """Probe all of them at the same time, each over a connection of its own. Their numbers go on from request to
        request, so that each address of a gateway has its turn where the endpoint asks for that."""
        first = self.sent + 1
        self.sent += len(endpoints)
        reads = [KeptReads() for _ in endpoints]
        await make_ready(*endpoints)
        async with AsyncExitStack() as probers:
            ready = [
                await probers.enter_async_context(self._deps.prober_for(endpoint, self._target.profile, kept.keep))
                for endpoint, kept in zip(endpoints, reads, strict=True)
            ]
            planned_ns = time.perf_counter_ns()
            async with self._lag_monitor.watching(), asyncio.TaskGroup() as tasks:
                probing = [
                    tasks.create_task(self._lag_monitor.marked(prober.probe(number, planned_ns, Trigger.TRIAL)))
                    for number, prober in enumerate(ready, first)
                ]
        for task in probing:
            self._deps.spend(task.result())
        found = zip(probing, reads, endpoints, strict=True)
        return [Probed(task.result(), kept.reads, endpoint.path or "") for task, kept, endpoint in found]
