"""What is left to do of a benchmark that was interrupted, and how its stretches add up as if it had not been."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import msgspec

from gwtui.bench.session.run_file import Point
from gwtui.bench.work.plan import Order, Plan
from gwtui.model.enums import Outcome, Unsent
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request

if TYPE_CHECKING:
    from gwtui.bench.session.bench_session import BenchSession

_Number = TypeVar("_Number", int, float)

DONE_S = 0.01
"""Less than this is no time to go on for."""


@dataclass(slots=True)
class Done:
    """What there is of a point."""

    sent: int = 0
    """Results that are not to be asked for again, and due requests that were never sent."""
    last_number: int = 0
    """The highest number of a request."""
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By stretch, from the first planned send to the last end, in ns."""

    @property
    def elapsed_s(self) -> float:
        """Without the time between two stretches."""
        return sum(max(0, last_ns - first_ns) for first_ns, last_ns in self.spans.values()) / 1e9


@dataclass(slots=True)
class Stretches:
    """A benchmark that was interrupted: what there is of each point, stretch by stretch."""

    resumed_ns: Sequence[int]
    """When each stretch but the first began."""
    done: dict[str, Done] = field(default_factory=dict)
    """By point."""

    def take(self, point: str, result: Request | Ping) -> bool:
        """Note the next result of a point, in the order of their ends. Returns whether it begins another stretch."""
        done = self.done.setdefault(point, Done())
        stretch = bisect(self.resumed_ns, result.now_ns)
        begins = bool(done.spans) and stretch not in done.spans
        first_ns, last_ns = done.spans.get(stretch, (result.planned_ns, result.now_ns))
        done.spans[stretch] = min(first_ns, result.planned_ns), max(last_ns, result.now_ns)
        done.sent += result.outcome is not Outcome.CANCELLED
        done.last_number = max(done.last_number, result.number)
        return begins

    def miss(self, point: str) -> None:
        """A request that was due and never sent."""
        self.done.setdefault(point, Done()).sent += 1

    @property
    def seconds(self) -> float:
        """How long all stretches took."""
        spans = [each for done in self.done.values() for each in done.spans.items()]
        found = 0
        for stretch in {stretch for stretch, _ in spans}:
            own = [span for at, span in spans if at == stretch]
            found += max(last_ns for _, last_ns in own) - min(first_ns for first_ns, _ in own)
        return found / 1e9


def moved(result: Request | Ping, by_ns: int) -> Request | Ping:
    """The result with all its stamps moved."""
    return msgspec.structs.replace(
        result,
        planned_ns=result.planned_ns + by_ns,
        now_ns=result.now_ns + by_ns,
        sent_ns=None if result.sent_ns is None else result.sent_ns + by_ns,
    )


def rest(plan: Plan, done: Done) -> Plan | None:
    """What is left of a plan of one point; None: nothing."""
    requests = None if plan.requests is None else plan.requests - done.sent
    for_s = None if plan.for_s is None else plan.for_s - done.elapsed_s
    if (requests is not None and requests <= 0) or (for_s is not None and for_s < DONE_S):
        return None
    return replace(plan, requests=requests, for_s=for_s, already=plan.already + done.sent)


def steps(
    endpoints: Sequence[Endpoint], plan: Plan, done: Mapping[str, Done], ended: Callable[[str], bool]
) -> Iterator[tuple[list[Endpoint], Plan]]:
    """What to drive, one after the other, so that each endpoint gets what is left for it. By name of the endpoint."""
    left = {
        each.name: found
        for each in endpoints
        if not ended(each.name) and (found := rest(plan, done.get(each.name, Done()))) is not None
    }
    if plan.order is Order.ONE_BY_ONE:
        yield from (([each], left[each.name]) for each in endpoints if each.name in left)
        return
    while left:
        members = [each for each in endpoints if each.name in left]
        common = replace(
            plan,
            requests=_least(left[each.name].requests for each in members),
            for_s=_least(left[each.name].for_s for each in members),
            already=min(left[each.name].already for each in members),
        )
        yield members, common
        spent = Done(common.requests or 0, spans={0: (0, round((common.for_s or 0.0) * 1e9))})
        left = {name: more for name, each in left.items() if (more := rest(each, spent)) is not None}


class SessionResults:
    """The results of a benchmark on their way into its session, if it has one, with each endpoint as a point.

    Of a benchmark that is gone on with, what comes now is numbered from where it stopped, and counted as if it had
    never stopped.
    """

    def __init__(self, session: BenchSession | None = None, stretches: Stretches | None = None) -> None:
        """`stretches`: those that are in the session already; None: it is new."""
        self._session = session
        self._stretches = stretches
        self._before: dict[str, int] = {}
        """By endpoint, the number of the last request before this step."""

    def steps(self, endpoints: Sequence[Endpoint], plan: Plan) -> Iterator[tuple[list[Endpoint], Plan]]:
        """What is to be driven, one after the other; who asks for the next step has driven the one before."""
        done = self._stretches.done if self._stretches is not None else {}
        if self._session is not None:
            for endpoint in endpoints:
                self._session.begin(Point.of(endpoint, plan))
        todo = list(steps(endpoints, plan, done, self._has_ended))
        for number, (members, each) in enumerate(todo):
            self._before = {name: found.last_number for name, found in done.items()}
            yield members, each
            later = {endpoint.name for others, _ in todo[number + 1 :] for endpoint in others}
            self._end(endpoint.name for endpoint in members if endpoint.name not in later)

    def _end(self, names: Iterable[str]) -> None:
        for name in names:
            if self._session is not None:
                self._session.end(name)

    def row(self, point: str, result: Request | Ping) -> tuple[Request | Ping, bool]:
        """Keep a result; returns it as it is to be counted, and whether there was a pause before it."""
        if self._session is None:
            return result, False
        if self._stretches is None:
            self._session.row(point, result)
            return result, False
        result = msgspec.structs.replace(result, number=result.number + self._before.get(point, 0))
        self._session.row(point, result)
        result = moved(result, -self._session.zero_ns)
        return result, self._stretches.take(point, result)

    def miss(self, point: str, why: Unsent) -> None:
        """Keep a miss."""
        if self._session is not None:
            self._session.miss(point, why)

    def _has_ended(self, name: str) -> bool:
        point = self._session.run_file.point(name) if self._session is not None else None
        return point is not None and point.ended


def _least(numbers: Iterable[_Number | None]) -> _Number | None:
    return min((number for number in numbers if number is not None), default=None)
