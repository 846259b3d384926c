"""One incident while it is followed: its members, its figures, and its entries in the log. Pure."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from gwtui.health.attributes import Attributes
from gwtui.health.causes import NETWORK, ObservedResult, Peer, Sickness
from gwtui.model.enums import BAD, State
from gwtui.model.incidents import Cause, IncidentEvent, Scope, ScopeKind
from gwtui.model.judged import LogEntry, ProbedEndpoint
from gwtui.model.metrics import Metric, form_of, own_metric
from gwtui.model.records import Ping, Request
from gwtui.stats.significance import quantile
from gwtui.text.units import duration

AFTER = 3
"""Good results whose median says how it is at the end."""
LEAST = 5
"""Results below which they tell no median of before."""
MOST = 2_000
"""The latencies that are kept of an incident, the newest."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A stamp, and the same as wall time."""

    now_ns: int
    at: float

    def wall(self, ns: int) -> float:
        """The wall time of another stamp, to the millisecond, as in the files."""
        return round(self.at - (self.now_ns - ns) / 1e9, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What an entry is made of: the endpoint, its newest result, and what it is judged with it."""

    key: ProbedEndpoint
    now: Instant
    result: Request | Ping | None = None
    text: str = ""

    @property
    def name(self) -> str:
        return name_of(self.key)


@dataclass(slots=True, kw_only=True, eq=False)
class Case:
    """An incident, open or closed not long ago."""

    number: int
    scope: Scope
    cause: Cause
    worst: tuple[State, Cause]
    """The worst that it was, and the last cause that it had then."""
    since_ns: int
    figures: IncidentLatency
    members: dict[ProbedEndpoint, Peer] = field(default_factory=dict)
    """Those that are sick, in the order in which they came."""
    left: dict[ProbedEndpoint, Peer] = field(default_factory=dict)
    """Those that were, and are well again or elsewhere."""
    cleared: set[ProbedEndpoint] = field(default_factory=set)
    """Healthy endpoints that have contradicted a cause for all."""
    severity: State = State.SLOW
    failures: int = 0
    note: str = ""
    opened_ns: list[int] = field(default_factory=list)
    """When it was opened, and opened again."""
    bout_ns: int = 0
    """Its onset since it was opened last."""
    closed_ns: int = 0

    @property
    def is_alone(self) -> bool:
        """Whether it never had more than one endpoint."""
        return len(self.members.keys() | self.left.keys()) == 1

    def may_be_cleared_by(self, key: ProbedEndpoint, peer: Peer) -> bool:
        """Whether this healthy endpoint may say something new of where it is: not of the last that is still sick."""
        if key in self.cleared or key in self.left:
            return False
        return self.is_alone or (len(self.members) > 1 and peer.attributes.within(self.scope))

    def sick(self, like: Cause | None = None) -> list[Sickness]:
        """Its members' sicknesses; `like`: those that may have one cause with this."""
        found = [peer.sickness for peer in self.members.values() if peer.sickness is not None]
        return [each for each in found if like is None or alike(each.cause, like)]

    def admit(self, key: ProbedEndpoint, peer: Peer, onset_ns: int) -> None:
        """Take an endpoint in, with its failures since its onset."""
        peer.incident = self.number
        self.members[key] = peer
        self.left.pop(key, None)
        self.failures += sum(seen.failure is not None and seen.ended_ns >= onset_ns for seen in peer.results)
        self.since_ns = min(self.since_ns, onset_ns)
        self.settle()

    def take_over(self, other: Case) -> None:
        """Become one with another incident."""
        for key, peer in other.members.items():
            peer.incident = self.number
            self.members[key] = peer
            self.left.pop(key, None)
        self.left |= {key: peer for key, peer in other.left.items() if key not in self.members}
        self.failures += other.failures
        self.since_ns = min(self.since_ns, other.since_ns)
        self.bout_ns = min(self.bout_ns, other.bout_ns)
        self.note = self.note or other.note
        self.settle()

    def settle(self) -> None:
        """Follow what most of its members have, and the worst of their states."""
        if sick := self.sick():
            [(most, _)] = Counter(each.cause.joins_by for each in sick).most_common(1)
            self.cause = next(each.cause for each in sick if each.cause.joins_by == most)
            self.severity = max((peer.state for peer in self.members.values()), key=BAD.index)
            if BAD.index(self.severity) >= BAD.index(self.worst[0]):
                self.worst = self.severity, self.cause

    def entry(self, event: IncidentEvent, text: str, occasion: Occasion) -> LogEntry:
        """Its row for an event, as it is now."""
        (vantage, endpoint), now, result = occasion.key, occasion.now, occasion.result
        return LogEntry(
            at=now.wall(now.now_ns),
            now_ns=now.now_ns,
            kind="incident",
            endpoint=endpoint,
            vantage=vantage,
            text=text,
            number=result.number if result is not None else None,
            trace_id=result.trace_id if result is not None else "",
            incident=self.number,
            event=event,
            severity=self.severity,
            scope=str(self.scope),
            cause=str(self.cause),
            since=now.wall(self.since_ns),
            failures=self.failures,
            acknowledged=self.note,
        )


class IncidentLatency:
    """The median latency of an incident's first endpoint before, during and after it."""

    def __init__(self, key: ProbedEndpoint, peer: Peer, onset_ns: int) -> None:
        self._key = key
        self._metric = metric_of(peer.attributes)
        before = [seen.latency_ns for seen in peer.results if seen.latency_ns is not None and seen.ended_ns < onset_ns]
        usual_ns = _median(before) if len(before) >= LEAST else None
        self._before_ns = peer.usual_ns if peer.usual_ns is not None else usual_ns
        self._during: deque[int] = deque(maxlen=MOST)
        for seen in peer.results:
            if seen.ended_ns >= onset_ns:
                self.add(key, seen)

    def add(self, key: ProbedEndpoint, seen: ObservedResult) -> None:
        """Take a result of any endpoint of it."""
        if key == self._key and seen.latency_ns is not None:
            self._during.append(seen.latency_ns)

    def text(self, *, alone: bool) -> str:
        """`; p50 TTFT 330 ms before, 2.70 s during, 340 ms after`. `alone`: whose it is need not be said."""
        good = list(self._during)
        parts = (
            (self._before_ns, "before"),
            (_median(good[:-AFTER]), "during"),
            (_median(good[-AFTER:]), "after"),
        )
        known = ", ".join(f"{duration(value_ns)} {when}" for value_ns, when in parts if value_ns is not None)
        of = "" if alone else f" of {name_of(self._key)}"
        return f"; p50 {self._metric.label}{of} {known}" if known else ""


def alike(one: Cause, other: Cause) -> bool:
    """Whether both may have one cause: they are of one class, or both can come of a network."""
    return one.joins_by == other.joins_by or {one.kind, other.kind} <= NETWORK


def name_of(key: ProbedEndpoint) -> str:
    """`gateway-ws`, or `fra/gateway-ws` from another place."""
    vantage, endpoint = key
    return f"{vantage}/{endpoint}" if vantage else endpoint


def scope_words(scope: Scope) -> str:
    """The scope with what it means where that is not plain."""
    if scope.kind is ScopeKind.PLACE:
        return f"{scope.name or 'this machine'} or its network"
    return str(scope)


def metric_of(attributes: Attributes) -> Metric:
    """The latency that tells most of such an endpoint."""
    return own_metric(form_of(attributes.kind, stream=attributes.stream))


def _median(values: list[int]) -> int | None:
    """The nearest-rank median; None of no values."""
    return quantile(values, 0.5) if values else None
