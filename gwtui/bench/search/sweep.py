"""The highest load of one endpoint that keeps its service level objectives: doubled until they break, then halved.

A load keeps them when of the requests that were due at least 95 % keep each objective (or the percentile that the
objective names), so that its p95 is below the limit with failed and never sent requests counted as slow, and when the
load was steady. Without objectives at least 95 % have to be good.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.results.slo import USUAL_Q, Objective
from gwtui.bench.results.steadiness import steadiness_of
from gwtui.bench.run.runner import ProbeDeps, drive
from gwtui.bench.work.plan import Plan
from gwtui.bench.work.workload import Workload
from gwtui.model.enums import Unsent
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request
from gwtui.stats.histogram import least_n
from gwtui.text import units

FINEST = 0.04
"""The bracket is narrow enough when it is a smaller part of its lower end."""
POINT_S = 4.0
"""How long a rate is tried, unless that is too few requests for the percentile."""
ROUNDS = 15
"""Requests for each place of a concurrency."""
START = {"rate": 4.0, "concurrency": 1.0}
LOWEST_PER_S, HIGHEST = 0.05, 10_000.0
MOST_AT_ONCE = 1000
OWN_SHARE = 0.05
"""A load of which gwtui itself could not send a larger share says nothing of the endpoint."""


class Axis(StrEnum):
    """What a sweep raises."""

    RATE = "rate"
    CONCURRENCY = "concurrency"

    def text(self, load: float) -> str:
        return f"{load:.3g}/s" if self is Axis.RATE else units.many(round(load), "concurrent request")


@dataclass(slots=True)
class SweepPoint:
    """One load, and what came of it."""

    name: str
    load: float
    """Requests per second, or concurrent requests."""
    measured: Measured
    broken: str = ""
    """Why it does not keep the objectives; "" where it keeps them."""

    @property
    def kept(self) -> bool:
        return not self.broken


@dataclass(slots=True)
class Sweep:
    """A search at one endpoint; what it has found is there at any time."""

    endpoint: Endpoint
    profile: Profile
    axis: Axis
    slo: tuple[Objective, ...] = ()
    start: float | None = None
    most_requests: int = 20_000
    deps: ProbeDeps = field(default_factory=ProbeDeps)
    workload: Workload = field(default_factory=Workload)
    points: list[SweepPoint] = field(default_factory=list)
    used: int = 0
    """Requests that were due."""
    cut: SweepPoint | None = None
    """The load that was under way when it was cancelled: what came of it judges nothing."""
    stopped: str = ""
    """Why it ended before the bracket was narrow."""
    begin: Callable[[SweepPoint, Plan], None] = lambda _point, _plan: None
    """Is given every point before its first request."""
    take: Callable[[SweepPoint, Request | Ping], None] = lambda _point, _result: None
    """Is given every result."""

    @property
    def best(self) -> SweepPoint | None:
        """The highest load that keeps the objectives, below the lowest that breaks them."""
        broken = self.lowest_broken
        kept = [each for each in self.points if each.kept and (broken is None or each.load < broken.load)]
        return max(kept, key=lambda each: each.load, default=None)

    @property
    def lowest_broken(self) -> SweepPoint | None:
        return min((each for each in self.points if each.broken), key=lambda each: each.load, default=None)

    @property
    def rule(self) -> str:
        """`p95 TTFT < 500 ms`: what a load has to keep."""
        return ", ".join(map(str, self.slo)) or f"{USUAL_Q * 100:g} % good"

    async def run(self) -> None:
        """Search. Cancelled, what was found until then stays."""
        while (load := self.next_load()) is not None and not self.stopped:
            requests = self._requests(load)
            if self.used + requests > self.most_requests:
                self.stopped = f"the maximum of {units.count(self.most_requests)} requests does not allow another load"
                return
            await self._try(load, requests)

    def next_load(self) -> float | None:
        """The load to try next; None where the bracket is narrow enough, or no load keeps the SLOs."""
        best, broken = self.best, self.lowest_broken
        if not self.points:
            return self._rounded(self.start or START[self.axis])
        if broken is None:
            return self._within(2 * max(each.load for each in self.points))
        if best is None:
            return self._within(broken.load / 2) if broken.load > self._lowest else None
        middle = self._rounded(math.sqrt(best.load * broken.load))
        narrow = broken.load - best.load <= FINEST * best.load or not best.load < middle < broken.load
        return None if narrow else middle

    @property
    def _lowest(self) -> float:
        return LOWEST_PER_S if self.axis is Axis.RATE else 1.0

    def _within(self, load: float) -> float | None:
        highest = HIGHEST if self.axis is Axis.RATE else MOST_AT_ONCE
        if load > highest:
            self.stopped = f"more than {self.axis.text(highest)} is not tried"
            return None
        return self._rounded(max(load, self._lowest))

    def _rounded(self, load: float) -> float:
        return float(f"{load:.3g}") if self.axis is Axis.RATE else max(1.0, float(round(load)))

    def _requests(self, load: float) -> int:
        """As many as the percentile and a look at steadiness take."""
        least = max(least_n(q) for q in (USUAL_Q, *(each.q for each in self.slo)))
        return max(least, math.ceil(load * (POINT_S if self.axis is Axis.RATE else ROUNDS)))

    async def _try(self, load: float, requests: int) -> None:
        rate = load if self.axis is Axis.RATE else None
        at_once = min(requests, MOST_AT_ONCE) if rate is not None else round(load)
        measured = empty([self.endpoint], from_planned=rate is not None, slo=self.slo)[self.endpoint.name]
        name = f"{self.endpoint.name} {len(self.points) + 1} {self.axis} {load:.3g}"
        point = SweepPoint(name, load, measured)
        plan = Plan(requests=requests, rate=rate, concurrency=at_once, slo=self.slo)
        self.begin(point, plan)
        self.cut = point

        def take(result: Request | Ping) -> None:
            measured.take(result)
            self.take(point, result)

        await drive(
            [self.endpoint],
            self.profile,
            plan,
            take,
            lambda _, why: measured.miss(why),
            self.deps,
            workload=self.workload,
            goes_on=lambda: not _hopeless(measured, requests),
            stopped=lambda begin_ns, end_ns: measured.flights.course.stops.append((begin_ns, end_ns)),
        )
        self.cut = None
        self.used += measured.offered
        if measured.unsent[Unsent.OWN_LATENESS] > OWN_SHARE * requests:
            self.stopped = f"gwtui itself could not send {self.axis.text(load)}: this load is left out"
            return
        point.broken = why_broken(measured)
        self.points.append(point)


def _hopeless(measured: Measured, requests: int) -> bool:
    """Whether the objectives are broken by far, whatever comes of the requests that are left. Half of them are sent at
    any rate, so that it can be seen what the endpoint sustains."""
    least = (
        min((each.q for each in measured.attainment.objectives), default=USUAL_Q) if measured.attainment else USUAL_Q
    )
    lost = measured.total - measured.goodput - (measured.attainment.unknown if measured.attainment else 0)
    return lost > 4 * (1 - least) * requests and measured.total >= requests / 2


def why_broken(measured: Measured) -> str:
    """What a load broke: an objective, the share of good requests, or that it was not steady; "" for nothing."""
    total = measured.total
    if not total or measured.ok < USUAL_Q * total:
        return f"{units.share(1 - measured.ok / total if total else 1.0)} % failed"
    for each, kept, unknown in measured.attainment.rows() if measured.attainment is not None else ():
        if kept < each.q * (total - unknown):
            found = measured.percentile(each.metric, each.q).value_ns
            return f"p{each.q * 100:g} {each.metric.label} {units.duration(found)}" if found else f"{each} in doubt"
    steadiness = steadiness_of(measured)
    return steadiness.sentence if steadiness.is_steady is False and steadiness.gets_worse else ""
