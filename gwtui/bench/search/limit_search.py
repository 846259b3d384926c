"""Where an endpoint begins to answer 429, how long that lasts, and what it takes once it was reached.

The rate is doubled until the first 429, which ends the sending at once. Then single requests find out when the limit
lifts. A limit may have saved up a burst, so that it says little of a lasting rate: once it is used up, rates from the
refused one downwards are tried, each after the limit has lifted, until one is not refused.

Never more requests are sent than the maximum. A request that met a closed connection goes out twice: each may, so only
half of what is left is used at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec.structs import replace

from gwtui.apis.headers import RATE_LIMITS
from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.run.runner import ProbeDeps, drive
from gwtui.bench.work.plan import Plan
from gwtui.bench.work.workload import Workload
from gwtui.model.enums import FindingName, Outcome
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.probes.limit_names import SECOND

LEAST_PROBES = 5
LEAST_HELD = 25
"""Requests that show that a rate is held: of one that is 4 % too high one is refused by then."""
STEP_S = 2.0
"""How long a rate is tried, unless that is too few requests."""
DOWN = 0.8
"""Each rate that is tried behind the limit is this part of the one before."""
FIRST_WAIT_S, GROWTH = 0.5, 1.4
"""The longest first wait for a limit to lift, and how waits grow where no Retry-After says how long."""
LONGEST_WAIT_S = 300.0
"""A limit that has not lifted by then is left alone."""
START_PER_S = 1.0
HIGHEST_PER_S = 10_000.0
MOST_AT_ONCE = 1000
RESERVE = 0.2
"""The part of the requests that is kept for what comes after the first 429."""


class SearchPhase(StrEnum):
    """Why a rate was tried."""

    UP = "up"
    LIFTING = "lifting"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitRefusal:
    """A 429."""

    at_s: float
    """When it came, counted from the first send of the search."""
    before: int
    """Requests that were answered before it in all, ..."""
    in_second: int
    in_minute: int
    """... in the second and in the minute before it."""
    retry_after_s: float | None
    headers: dict[str, str]
    """What it says of limits."""


@dataclass(slots=True)
class LimitPoint:
    """One rate, and what came of it."""

    name: str
    """Unique in the search."""
    phase: SearchPhase
    per_s: float
    measured: Measured
    refused: int = 0
    refusal: RateLimitRefusal | None = None
    """The first."""

    @property
    def other_failures(self) -> int:
        return self.measured.failed - self.refused

    @property
    def held(self) -> bool:
        """Whether nothing was refused, and something answered."""
        return not self.refused and self.measured.ok > 0


@dataclass(frozen=True, slots=True)
class Lifting:
    """How long a limit lasted, counted from its first 429 to the sends of the requests that found out."""

    refused_s: float
    """Until then at least."""
    lifted_s: float | None
    """By then it was gone; None: it lasted longer than anything was sent."""
    requests: int


@dataclass(slots=True)
class LimitSearch:
    """A search at one endpoint; what it has found is there at any time."""

    endpoint: Endpoint
    profile: Profile
    most_requests: int
    start_per_s: float = START_PER_S
    deps: ProbeDeps = field(default_factory=ProbeDeps)
    workload: Workload = field(default_factory=Workload)
    points: list[LimitPoint] = field(default_factory=list)
    liftings: list[Lifting] = field(default_factory=list)
    used: int = 0
    """Requests that were sent, those that went out twice counted twice."""
    stopped: str = ""
    """Why it ended before all was known."""
    begin: Callable[[LimitPoint, Plan], None] = lambda _point, _plan: None
    """Is given every point before its first request."""
    take: Callable[[LimitPoint, Request | Ping], None] = lambda _point, _result: None
    """Is given every result, numbered within the search."""
    results: int = 0
    _good_ns: list[int] = field(default_factory=list)
    _began_ns: int | None = None

    @property
    def limited(self) -> LimitPoint | None:
        """The point at which the first 429 came."""
        return next((point for point in self.points if point.refused), None)

    @property
    def lasting(self) -> tuple[float, float] | None:
        """Rates in 1/s between which the limit is once it was reached: one that is held, and one that is refused. None:
        not known."""
        down = [point for point in self.points if point.phase is SearchPhase.DOWN]
        held = max((point.per_s for point in down if point.held), default=None)
        refused = min((point.per_s for point in down if point.refused), default=None)
        return (held, refused) if held is not None and refused is not None and held < refused else None

    async def run(self) -> None:
        """Search. Cancelled, what was found until then stays."""
        self.endpoint = replace(self.endpoint, follow_redirects=False)
        if await self._up() and await self._lift():
            await self._down()

    def _left(self, reserve: float = 0.0) -> int:
        """How many requests may be sent at once, if a part is kept: half, unless none can meet a closed connection."""
        left = self.most_requests - math.ceil(reserve * self.most_requests) - self.used
        return max(0, left if self.endpoint.connection == "fresh" else left // 2)

    async def _up(self) -> bool:
        """Double the rate until a 429 comes; whether one did."""
        per_s = self.start_per_s
        # The first alone: it may be asked again under another name of its token limit.
        requests = 1 if self._left() >= 2 else 0
        while requests:
            point = await self._try(SearchPhase.UP, per_s, requests)
            if point.refused:
                return True
            if point.other_failures * 2 > requests:
                self.stopped = f"{point.other_failures} of {requests} failed at {per_s:g}/s, and not by a rate limit"
                return False
            per_s = per_s if len(self.points) == 1 else per_s * 2
            if per_s > HIGHEST_PER_S:
                self.stopped = f"there was no 429 up to {per_s / 2:g}/s"
                return False
            wanted = max(LEAST_PROBES, math.ceil(per_s * STEP_S))
            requests = min(wanted, self._left(RESERVE))
            if requests < min(wanted, 2 * LEAST_PROBES):
                break
        self.stopped = f"there was no 429 within the maximum of {self.most_requests} requests"
        return False

    async def _lift(self) -> bool:
        """Wait until the limit lifts, with single requests in between; whether it did."""
        refused = self.points[-1]
        refusal = refused.refusal
        if refusal is None:
            return False
        at = len(self.liftings)
        self.liftings.append(Lifting(0.0, None, 0))
        for sent, wait_s in enumerate(lifting_waits_s(refusal.retry_after_s, refused.per_s), 1):
            if not self._left():
                self.stopped = f"the maximum of {self.most_requests} requests was reached before the limit lifted"
                return False
            await self.deps.sleep(max(0.0, refusal.at_s + wait_s - self._now_s()))
            sent_s = self._now_s() - refusal.at_s
            before = self.liftings[at]
            if (await self._try(SearchPhase.LIFTING, self.start_per_s, 1)).held:
                self.liftings[at] = Lifting(before.refused_s, sent_s, sent)
                return True
            self.liftings[at] = Lifting(sent_s, None, sent)
        self.stopped = f"the limit did not lift within {LONGEST_WAIT_S:g} s"
        return False

    async def _down(self) -> None:
        """Lower the rate from the refused one on until it is held, with the limit reached before each."""
        limited = self.limited
        per_s = limited.per_s if limited is not None else 0.0
        while per_s > self.start_per_s / 8:
            per_s *= DOWN
            wanted = max(LEAST_HELD, math.ceil(per_s * STEP_S))
            requests = min(wanted, self._left())
            if requests < wanted:
                self.stopped = f"the maximum of {self.most_requests} requests was reached"
                return
            point = await self._try(SearchPhase.DOWN, per_s, requests)
            if point.held or not point.refused or not await self._lift():
                return

    async def _try(self, phase: SearchPhase, per_s: float, requests: int) -> LimitPoint:
        """Send at that rate, until all are sent or one is refused. What was sent before is the first at this rate."""
        if self.points and phase is not SearchPhase.LIFTING:
            await self.deps.sleep(1 / per_s)
        measured = empty([self.endpoint], from_planned=False)[self.endpoint.name]
        name = f"{self.endpoint.name} {len(self.points) + 1} {phase} {per_s:.3g}/s"
        point = LimitPoint(name, phase, per_s, measured)
        self.points.append(point)
        plan = Plan(requests=requests, rate=per_s, concurrency=min(requests, MOST_AT_ONCE))
        self.begin(point, plan)

        def take(result: Request | Ping) -> None:
            self._take(point, result)

        await drive(
            [self.endpoint],
            self.profile,
            plan,
            take,
            deps=self.deps,
            workload=self.workload,
            goes_on=lambda: not point.refused,
        )
        return point

    def _take(self, point: LimitPoint, result: Request | Ping) -> None:
        self.used += times_sent(result)
        self.results += 1
        self.take(point, replace(result, number=self.results))
        begin_ns = result.now_ns if result.sent_ns is None else result.sent_ns
        self._began_ns = begin_ns if self._began_ns is None else min(self._began_ns, begin_ns)
        point.measured.take(result)
        if result.verdict is not Verdict.RATE_LIMITED:
            self._good_ns += [begin_ns] if result.outcome is Outcome.OK else []
            return
        point.refused += 1
        if point.refusal is None:
            point.refusal = self._refusal(result, begin_ns)

    def _refusal(self, result: Request | Ping, begin_ns: int) -> RateLimitRefusal:
        since_ns = [begin_ns - each for each in self._good_ns if each <= begin_ns]
        return RateLimitRefusal(
            at_s=(begin_ns - (self._began_ns or begin_ns)) / 1e9,
            before=len(since_ns),
            in_second=sum(each < 1_000_000_000 for each in since_ns),
            in_minute=sum(each < 60_000_000_000 for each in since_ns),
            retry_after_s=result.retry_after_s,
            headers={name: value for name, value in result.headers.items() if name.startswith(RATE_LIMITS)},
        )

    def _now_s(self) -> float:
        return (self.deps.clock() - (self._began_ns or 0)) / 1e9


def times_sent(result: Request | Ping) -> int:
    """How often a request went out: again where it met a closed connection, or its token limit's name was refused."""
    again = sum(
        finding.name is FindingName.STALE_CONNECTION
        or (finding.name is FindingName.LIMIT_RENAMED and finding.evidence.endswith(SECOND))
        for finding in result.findings
    )
    return 1 + again


def lifting_waits_s(retry_after_s: float | None, per_s: float) -> Iterator[float]:
    """When to look whether a limit has lifted, in s from its 429: after two requests' time at the refused rate, at
    quarters of what Retry-After says, then later and later."""
    waited_s = first_s = min(FIRST_WAIT_S, 2 / per_s)
    known_s = retry_after_s if retry_after_s and retry_after_s <= LONGEST_WAIT_S else 0.0
    if not known_s or first_s < known_s / 4:
        yield first_s
    if known_s:
        for quarter in range(1, 5):
            waited_s = known_s * quarter / 4
            yield waited_s
    while (waited_s := max(waited_s + FIRST_WAIT_S, waited_s * GROWTH)) <= LONGEST_WAIT_S:
        yield waited_s
