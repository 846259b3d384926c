"""What a set of sick endpoints points to: the scope of an incident. Pure.

Sick endpoints belong together where their causes are of one class, they began at about one time, they share a place,
a path, a gateway, a key, a provider or a model, and no healthy endpoint contradicts: one that has the same in common,
that the cause would have hit too, and that gave good results since.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from gwtui.health.attributes import Attributes
from gwtui.model.enums import Outcome, State
from gwtui.model.incidents import Cause, CauseKind, Scope, ScopeKind, cause_kind_of
from gwtui.model.metrics import own_metric
from gwtui.model.records import Ping, Request
from gwtui.stats.accuracy import form_of_result, sure

TOGETHER_NS = 60_000_000_000
"""Endpoints that became sick within this time may have one cause; one with a longer interval has twice its interval."""
DOUBT = 0.1
"""A healthy endpoint contradicts when its good results would be less likely than this if the cause had hit it too."""
SLOW_TIMES, SLOW_MORE = 2, 2
"""An endpoint that shares a slowdown would be slow after this number of times the results that it took to see it, and
some more: times to be seen scatter about as much as they last."""
RESULTS = 128
"""The number of results that are kept of an endpoint: a usual of good ones, and what it takes to contradict a share of
2 % (ln DOUBT / ln 0.98 = 114)."""
MEMBERS, GATEWAYS = 3, 2
"""The number of endpoints and of gateways below which it is not this machine or its network."""

LOCAL = frozenset(
    {CauseKind.UNREACHABLE, CauseKind.NO_ANSWER, CauseKind.CUT, CauseKind.PINGS_LOST, CauseKind.SLOW},
)
"""What trouble of a place or of a path can do."""
NETWORK = LOCAL - {CauseKind.SLOW}
"""What one trouble of a network does to different requests: of a place and a path they are one class."""
OF_KEYS = frozenset({CauseKind.KEYS_REFUSED, CauseKind.QUOTA})
"""What is refused to a key rather than by a gateway."""
OF_FORMS = frozenset({CauseKind.CUT, CauseKind.BROKEN, CauseKind.SLOW, CauseKind.FINDING})
"""What may hit streams and spare answers that come whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sickness:
    """An endpoint that is sick, and since when with this class of cause."""

    attributes: Attributes
    cause: Cause
    onset_ns: int
    """The stamp of its first bad result."""
    well_ns: int | None = None
    """That of the last result before which was not bad in this way; None: there was none."""
    share: float = 1.0
    """Which share of the results since the onset is bad."""
    took: int = 1
    """The number of results from the onset until it was judged to be sick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedResult:
    """A result, as far as it says whether a cause has hit its endpoint."""

    sent_ns: int
    ended_ns: int
    failure: CauseKind | None = None
    findings: frozenset[str] = frozenset()
    latency_ns: int | None = None
    """The latency that tells most of it; None where it has none, or it is in doubt."""

    def shows(self, cause: Cause) -> bool:
        """Whether it is bad in that way. A latency alone does not say."""
        return cause.name in self.findings if cause.kind is CauseKind.FINDING else self.failure is cause.kind


@dataclass(slots=True, kw_only=True, eq=False)
class Peer:
    """An endpoint as it is now, beside those whose scope is looked for."""

    attributes: Attributes
    state: State = State.UNKNOWN
    results: deque[ObservedResult] = field(default_factory=lambda: deque(maxlen=RESULTS))
    """Its newest, in order."""
    sickness: Sickness | None = None
    incident: int | None = None
    """The number of the incident which it is in."""
    usual_ns: int | None = None
    """The median of the latency that tells most of it, where it is known."""
    _since: int = 0
    """The number of results since its onset, and how many of them are bad."""
    _bad: int = 0

    def take(self, seen: ObservedResult) -> None:
        """Take a result."""
        self.results.append(seen)
        if self.sickness is not None:
            self._count((seen,), self.sickness.cause)

    def sicken(self, cause: Cause, since_ns: int) -> Sickness | None:
        """Be sick, or still sick, with this cause. Gives the sickness before. The last result is taken already."""
        was = self.sickness
        if was is not None and was.cause.joins_by == cause.joins_by:
            self.sickness = replace(was, cause=cause, share=self._share)
            return was
        self._since = self._bad = 0
        self._count((seen for seen in self.results if seen.ended_ns >= since_ns), cause)
        self.sickness = Sickness(
            attributes=self.attributes,
            cause=cause,
            onset_ns=since_ns,
            well_ns=max((seen.ended_ns for seen in self.results if seen.ended_ns < since_ns), default=None),
            share=self._share,
            took=self._since,
        )
        return was

    def _count(self, results: Iterable[ObservedResult], cause: Cause) -> None:
        for seen in results:
            self._since += 1
            self._bad += seen.failure is not None or seen.shows(cause)

    @property
    def _share(self) -> float:
        """Which share is bad; a little less than that of the results so far, which are few."""
        return self._bad / (self._since + 1)


def observed(result: Request | Ping) -> ObservedResult:
    """What a good or a failed result says of its endpoint."""
    took_ns = result.rtt_ns if isinstance(result, Ping) else result.duration_ns
    return ObservedResult(
        sent_ns=result.now_ns - (took_ns or 0),
        ended_ns=result.now_ns,
        failure=cause_kind_of(result.verdict) if result.outcome is Outcome.FAILED else None,
        findings=frozenset(str(finding.name) for finding in result.findings),
        latency_ns=sure(result, own_metric(form_of_result(result))) if result.outcome is Outcome.OK else None,
    )


def together(one: Sickness, other: Sickness) -> bool:
    """Whether both began at about one time: each began after its last good result, and before its first bad one."""
    span_ns = max(TOGETHER_NS, 2 * one.attributes.interval_ns, 2 * other.attributes.interval_ns)
    return not any(a.well_ns is not None and a.well_ns - b.onset_ns > span_ns for a, b in ((one, other), (other, one)))


def one_time(some: Collection[Sickness], others: Collection[Sickness]) -> bool:
    """Whether any of the first began with any of the second."""
    return any(together(one, other) for one, other in product(some, others))


def scope_of(sick: Sequence[Sickness], peers: Collection[Peer]) -> Scope | None:
    """Where the trouble of these endpoints is; None: they do not belong together. `peers`: all endpoints that are
    judged, these among them."""
    members = {(each.attributes.vantage, each.attributes.endpoint) for each in sick}
    others = [peer for peer in peers if (peer.attributes.vantage, peer.attributes.endpoint) not in members]
    if {each.cause.kind for each in sick} <= NETWORK or _one_class(sick):
        for scope in (*_place(sick, peers, others), *_path(sick, others)):
            return scope
    if not _one_class(sick):
        return None
    for scope in _shared(sick, peers):
        if not contradicted(scope, sick, others):
            return scope
    return Scope(ScopeKind.ENDPOINT, sick[0].attributes.endpoint) if len(sick) == 1 else None


def contradicted(scope: Scope, sick: Sequence[Sickness], others: Iterable[Peer]) -> bool:
    """Whether a healthy one of the others is within the scope, and the cause would have hit it."""
    return any(contradicts(peer, sick) for peer in others if peer.attributes.within(scope))


def _one_class(sick: Sequence[Sickness]) -> bool:
    return len({each.cause.joins_by for each in sick}) == 1


def _shared(sick: Sequence[Sickness], peers: Collection[Peer]) -> Iterator[Scope]:
    """The scopes that all of them share, the likeliest first."""
    kinds = [ScopeKind.GATEWAY, ScopeKind.KEY, ScopeKind.PROVIDER, ScopeKind.MODEL, ScopeKind.ENDPOINT]
    names = {kind: {each.attributes.of(kind) for each in sick} for kind in kinds}
    scopes = [Scope(kind, *names[kind]) for kind in kinds if len(names[kind]) == 1 and "" not in names[kind]]
    if sick[0].cause.kind in OF_KEYS and len(scopes) > 1 and scopes[1].kind is ScopeKind.KEY:
        hit = [peer.attributes for peer in peers if would_hit(sick[0].cause.kind, sick[0].attributes, peer.attributes)]
        if any(each.within(scopes[0]) is not each.within(scopes[1]) for each in hit):
            scopes[:2] = scopes[1::-1]
    return iter(scopes if len(sick) > 1 else [])


def _place(sick: Sequence[Sickness], peers: Collection[Peer], others: Sequence[Peer]) -> Iterator[Scope]:
    """The place where they are, where most of what is asked from there is sick, and other places are not."""
    gateways = {each.attributes.gateway for each in sick}
    places = {each.attributes.vantage for each in sick}
    if len(sick) < MEMBERS or len(gateways) < GATEWAYS or len(places) > 1 or not _may_be_local(sick):
        return
    here = Scope(ScopeKind.PLACE, *places)
    judged = sum(peer.attributes.within(here) and peer.state not in (State.PAUSED, State.UNKNOWN) for peer in peers)
    beside = [peer for peer in others if peer.attributes.gateway in gateways]
    elsewhere = any(_also_sick(peer, sick) for peer in beside if not peer.attributes.within(here))
    if 2 * len(sick) > judged and not elsewhere and not contradicted(here, sick, beside):
        yield here


def _path(sick: Sequence[Sickness], others: Sequence[Peer]) -> Iterator[Scope]:
    """The path where they are, where other places reach its gateway in this time and nothing on it contradicts."""
    paths = {(each.attributes.gateway, each.attributes.vantage) for each in sick}
    if len(paths) > 1 or not _may_be_local(sick):
        return
    ((gateway, place),) = paths
    elsewhere = [peer for peer in others if peer.attributes.gateway == gateway and peer.attributes.vantage != place]
    scope = Scope(ScopeKind.PATH, gateway, place)
    reached = any(contradicts(peer, sick) for peer in elsewhere)
    if reached and not any(_also_sick(peer, sick) for peer in elsewhere) and not contradicted(scope, sick, others):
        yield scope


def _may_be_local(sick: Sequence[Sickness]) -> bool:
    return all(each.cause.kind in LOCAL for each in sick)


def _also_sick(peer: Peer, sick: Sequence[Sickness]) -> bool:
    """Whether the same trouble is there too."""
    illness = peer.sickness
    return illness is not None and any(
        illness.cause.joins_by == each.cause.joins_by and together(illness, each) for each in sick
    )


def contradicts(peer: Peer, sick: Sequence[Sickness]) -> bool:
    """Whether it is healthy, and would be sick too if what these have had hit it."""
    hit = [each for each in sick if would_hit(each.cause.kind, each.attributes, peer.attributes)]
    if not hit or peer.state is not State.UP or peer.sickness is not None:
        return False
    onset_ns, first = min(each.onset_ns for each in hit), hit[0].cause
    since = [seen for seen in peer.results if seen.sent_ns > onset_ns]
    if any(seen.shows(first) for seen in since):
        return False
    good = sum(seen.failure is None for seen in since)
    if first.kind is CauseKind.SLOW:
        return good >= SLOW_TIMES * max(each.took for each in hit) + SLOW_MORE
    share = sum(each.share for each in hit) / len(hit)
    return good > 0 and (1 - share) ** good < DOUBT


def would_hit(kind: CauseKind, own: Attributes, other: Attributes) -> bool:
    """Whether a cause that one endpoint has hits another one at all: a health check without a key is not refused."""
    if kind is CauseKind.UNREACHABLE:
        return True
    if kind in OF_KEYS and not other.key:
        return False
    return own.kind is other.kind and (kind not in OF_FORMS or own.stream is other.stream)
