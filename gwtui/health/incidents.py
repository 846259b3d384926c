"""Incidents as they come: sick endpoints that belong together are one, until all of them are well. Pure.

An incident is reported as soon as its first endpoint is sick. Others join it (`wider`), leave it (`narrower`), and what
turns out to be one is merged. It is closed when all are well; the same again soon after opens it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gwtui.health.attributes import Attributes
from gwtui.health.cases import Case, IncidentLatency, Instant, Occasion, alike, metric_of, scope_words
from gwtui.health.causes import TOGETHER_NS, Peer, Sickness, contradicts, observed, one_time, scope_of, would_hit
from gwtui.health.states import Standing
from gwtui.model.enums import BAD, Outcome, State
from gwtui.model.incidents import ACKNOWLEDGED, MERGED, Cause, IncidentEvent, Scope, ScopeKind
from gwtui.model.judged import Acknowledged, LogEntry, ProbedEndpoint, Usual
from gwtui.model.records import Ping, Request
from gwtui.text.sanitize import clean
from gwtui.text.units import ordinal, span

AGAIN_NS = 120_000_000_000
"""The same within this time after its end is the same incident."""
TIMES_NS = 600_000_000_000
"""How often it came is counted over this time, or since it came last where that is longer ago."""
_LIKELIEST = (
    ScopeKind.PLACE,
    ScopeKind.PATH,
    ScopeKind.GATEWAY,
    ScopeKind.KEY,
    ScopeKind.PROVIDER,
    ScopeKind.MODEL,
    ScopeKind.ENDPOINT,
)


class Incidents:
    """Follows all endpoints. Every method gives the entries that it makes, in order."""

    def __init__(self) -> None:
        self._peers: dict[ProbedEndpoint, Peer] = {}
        self._open: dict[int, Case] = {}
        self._closed: list[Case] = []
        self._count = 0

    def watch(self, attributes: Attributes) -> None:
        """Follow an endpoint, or go on with other attributes of it."""
        key = (attributes.vantage, attributes.endpoint)
        if (peer := self._peers.get(key)) is not None:
            peer.attributes = attributes
        else:
            self._peers[key] = Peer(attributes=attributes)

    def learn(self, key: ProbedEndpoint, usual: Usual) -> None:
        """Follow what is usual for an endpoint."""
        peer = self._peers[key]
        latency = usual.latencies.get(metric_of(peer.attributes))
        peer.usual_ns = latency.p50_ns if latency is not None else None

    def number_of(self, key: ProbedEndpoint) -> int | None:
        """The number of the incident which the endpoint is in."""
        peer = self._peers.get(key)
        return peer.incident if peer is not None else None

    def judged(
        self,
        key: ProbedEndpoint,
        standing: Standing,
        now: Instant,
        result: Request | Ping | None = None,
        *,
        excused: Callable[[ProbedEndpoint], bool] = lambda key: False,
    ) -> list[LogEntry]:
        """Take what the endpoint is judged to be, and the result that it comes of. `excused`: whether it is in
        maintenance, so that nothing is opened for it."""
        peer = self._peers[key]
        peer.state = standing.state
        occasion = Occasion(key=key, now=now, result=result, text=standing.text)
        case = self._case_of(peer)
        if result is not None:
            seen = observed(result)
            peer.take(seen)
            if case is not None:
                case.failures += result.outcome is Outcome.FAILED
                case.figures.add(key, seen)
        if standing.cause is None or standing.onset is None:
            peer.sickness = None
            if case is not None:
                return self._leave(case, occasion, f"{occasion.name} {standing.text or standing.state}")
            return list(self._clear(peer, occasion))
        was = peer.sicken(standing.cause, standing.onset.now_ns)
        if case is None:
            return [] if excused(key) else [*self._begin(peer, occasion), *self._merge(peer, occasion)]
        if was is not None and was.cause.joins_by != standing.cause.joins_by:
            return [*self._change_cause(case, peer, occasion), *self._merge(peer, occasion)]
        return list(self._settle(case, occasion))

    def leave(self, key: ProbedEndpoint, why: str, now: Instant, *, state: State = State.UNKNOWN) -> list[LogEntry]:
        """The endpoint is judged anew, or not for some time."""
        peer = self._peers[key]
        peer.state, peer.sickness = state, None
        peer.results.clear()
        case, occasion = self._case_of(peer), Occasion(key=key, now=now)
        return [] if case is None else self._leave(case, occasion, f"{occasion.name} {why}")

    def forget(self, key: ProbedEndpoint, now: Instant) -> list[LogEntry]:
        """The endpoint is not part of the profile any more."""
        entries = self.leave(key, "is not probed any more", now)
        del self._peers[key]
        return entries

    def acknowledge(self, record: Acknowledged, now: Instant) -> list[LogEntry]:
        """An open incident is taken care of."""
        case = self._open.get(record.incident)
        if case is None:
            return []
        case.note = clean(record.note) or ACKNOWLEDGED
        occasion = Occasion(key=next(iter(case.members)), now=now)
        return [case.entry(IncidentEvent.ACKNOWLEDGED, case.note, occasion)]

    def _case_of(self, peer: Peer) -> Case | None:
        return None if peer.incident is None else self._open[peer.incident]

    def _begin(self, peer: Peer, occasion: Occasion) -> Iterator[LogEntry]:
        """Put a sick endpoint into the incident that it belongs to, or open one."""
        joined = self._fitting(peer)
        again = None if joined is not None else self._again(peer, occasion)
        if joined is not None:
            yield self._widen(*joined, peer, occasion)
        elif again is not None:
            yield self._reopen(again, peer, occasion)
        else:
            yield self._open_new(peer, occasion)

    def _open_new(self, peer: Peer, occasion: Occasion) -> LogEntry:
        illness = _sickness(peer)
        scope = scope_of([illness], self._peers.values()) or Scope(ScopeKind.ENDPOINT, peer.attributes.endpoint)
        self._count += 1
        case = Case(
            number=self._count,
            scope=scope,
            cause=illness.cause,
            worst=(State.SLOW, illness.cause),
            since_ns=illness.onset_ns,
            bout_ns=illness.onset_ns,
            opened_ns=[occasion.now.now_ns],
            figures=IncidentLatency(occasion.key, peer, illness.onset_ns),
        )
        self._open[case.number] = case
        case.admit(occasion.key, peer, illness.onset_ns)
        return case.entry(IncidentEvent.OPENED, f"{occasion.name}: {occasion.text}", occasion)

    def _reopen(self, case: Case, peer: Peer, occasion: Occasion) -> LogEntry:
        now_ns, illness = occasion.now.now_ns, _sickness(peer)
        self._closed.remove(case)
        self._open[case.number] = case
        case.opened_ns.append(now_ns)
        case.bout_ns = illness.onset_ns
        case.scope = scope_of([illness], self._beside(case)) or Scope(ScopeKind.ENDPOINT, peer.attributes.endpoint)
        case.admit(occasion.key, peer, illness.onset_ns)
        lately = [at_ns for at_ns in case.opened_ns if at_ns > now_ns - TIMES_NS]
        times = lately if len(lately) > 1 else case.opened_ns[-2:]
        minutes = max(1, -(-(now_ns - times[0]) // 60_000_000_000))
        text = f"{occasion.name}: {occasion.text}; {ordinal(len(times))} time in {minutes} min"
        return case.entry(IncidentEvent.REOPENED, text, occasion)

    def _widen(self, case: Case, scope: Scope, peer: Peer, occasion: Occasion) -> LogEntry:
        case.scope = scope
        case.admit(occasion.key, peer, _sickness(peer).onset_ns)
        text = f"{occasion.name} too: {occasion.text}{self._share(case)}"
        return case.entry(IncidentEvent.WIDER, text, occasion)

    def _fitting(self, peer: Peer) -> tuple[Case, Scope] | None:
        """The other open incident that the sick endpoint fits best, and the scope of both."""
        found: list[tuple[Case, Scope]] = []
        illness = _sickness(peer)
        for case in self._open.values():
            sick = case.sick(like=illness.cause)
            if case.number != peer.incident and one_time([illness], sick):
                scope = scope_of([*sick, illness], self._beside(case))
                found += [(case, scope)] if scope is not None else []
        return min(found, key=lambda each: (_LIKELIEST.index(each[1].kind), each[0].number), default=None)

    def _beside(self, *cases: Case) -> list[Peer]:
        """All endpoints, but those that were in one of the incidents and are well again: they contradict nothing."""
        well = {key for case in cases for key in case.left}
        return [peer for key, peer in self._peers.items() if key not in well or peer.sickness is not None]

    def _again(self, peer: Peer, occasion: Occasion) -> Case | None:
        """The incident closed last that this is again."""
        now_ns, cause = occasion.now.now_ns, _sickness(peer).cause
        self._closed = [case for case in self._closed if now_ns - case.closed_ns <= AGAIN_NS]
        for case in reversed(self._closed):
            if (
                occasion.key in case.left or peer.attributes.within(case.scope)
            ) and case.cause.joins_by == cause.joins_by:
                return case
        return None

    def _leave(self, case: Case, occasion: Occasion, text: str) -> list[LogEntry]:
        """An endpoint is well again, or not part of the incident any more."""
        peer = case.left[occasion.key] = case.members.pop(occasion.key)
        peer.incident = None
        if case.members:
            case.settle()
            return [case.entry(IncidentEvent.NARROWER, f"{text}{self._share(case)}", occasion)]
        del self._open[case.number]
        case.closed_ns = occasion.now.now_ns
        case.severity, case.cause = case.worst
        self._closed.append(case)
        took, figures = span(case.closed_ns - case.bout_ns), case.figures.text(alone=case.is_alone)
        failed = f": {case.failures} failed" if case.failures else ""
        return [case.entry(IncidentEvent.CLOSED, f"over after {took}{failed}{figures}", occasion)]

    def _settle(self, case: Case, occasion: Occasion) -> Iterator[LogEntry]:
        """Follow a member that is sick in another way; news is what that changes of the whole incident."""
        cause, severity = case.cause, case.severity
        case.settle()
        if case.cause.joins_by != cause.joins_by:
            text = f"{occasion.name}: {occasion.text}; before {cause}"
            yield case.entry(IncidentEvent.CAUSE_CHANGED, text, occasion)
        elif case.severity is not severity:
            event = IncidentEvent.WORSE if BAD.index(case.severity) > BAD.index(severity) else IncidentEvent.BETTER
            yield case.entry(event, f"{occasion.name}: {occasion.text}", occasion)

    def _change_cause(self, case: Case, peer: Peer, occasion: Occasion) -> Iterator[LogEntry]:
        """A member is sick in another way: it moves to the incident that this fits, or stays with those that it is
        sick with. What it was sick of alone, long before, was another incident."""
        fitting = self._fitting(peer) if len(case.sick(like=_sickness(peer).cause)) == 1 else None
        if fitting is None:
            yield from self._settle(case, occasion)
            return
        other, scope = fitting
        if len(case.members) == 1 and abs(case.bout_ns - other.bout_ns) <= TOGETHER_NS:
            yield from self._join(case, other, scope, occasion)
        else:
            yield from self._leave(case, occasion, f"{occasion.name} is part of incident {other.number} now")
            yield self._widen(other, scope, peer, occasion)

    def _merge(self, peer: Peer, occasion: Occasion) -> Iterator[LogEntry]:
        """Merge what turns out to be one incident with that of the endpoint."""
        while (case := self._case_of(peer)) is not None:
            cause = _sickness(peer).cause
            mine = case.sick(like=cause)
            near = [
                other
                for other in self._open.values()
                if other is not case and one_time(mine, other.sick(like=cause)) and alike(other.cause, cause)
            ]
            one_place = [(near, self._scope_of([case, *near], cause))]
            pairs = [([other], self._scope_of([case, other], cause)) for other in near]
            found = next(
                (
                    (others, scope)
                    for others, scope in one_place + pairs
                    if scope is not None and (len(others) == 1 or scope.kind is ScopeKind.PLACE)
                ),
                None,
            )
            if not near or found is None:
                return
            for other in found[0]:
                case = self._open[peer.incident] if peer.incident is not None else case
                yield from self._join(case, other, found[1], occasion)

    def _scope_of(self, cases: Sequence[Case], cause: Cause) -> Scope | None:
        """Where all of these are one incident."""
        return scope_of([each for case in cases for each in case.sick(like=cause)], self._beside(*cases))

    def _join(self, one: Case, other: Case, scope: Scope, occasion: Occasion) -> Iterator[LogEntry]:
        """Make two incidents one, that with the lower number."""
        first, second = sorted((one, other), key=lambda case: case.number)
        del self._open[second.number]
        yield second.entry(IncidentEvent.MERGED, f"{MERGED}{first.number}", occasion)
        first.take_over(second)
        first.scope = scope
        yield first.entry(IncidentEvent.WIDER, f"with incident {second.number}{self._share(first)}", occasion)

    def _clear(self, peer: Peer, occasion: Occasion) -> Iterator[LogEntry]:
        """A healthy endpoint may say that a cause is not where it seemed to be."""
        for case in self._open.values():
            sick = case.sick(like=case.cause)
            if not case.may_be_cleared_by(occasion.key, peer) or not contradicts(peer, sick):
                continue
            case.cleared.add(occasion.key)
            scope = scope_of(sick, self._beside(case))
            if scope is not None and scope != case.scope:
                case.scope = scope
                yield case.entry(IncidentEvent.NARROWER, f"{occasion.name} is well{self._share(case)}", occasion)

    def _share(self, case: Case) -> str:
        """`; 2 of 5 endpoints: gateway https://eu.example.com`."""
        if case.scope.kind is ScopeKind.ENDPOINT:
            return ""
        sick = case.sick()
        within = [
            each.attributes for each in self._peers.values() if each.results and each.attributes.within(case.scope)
        ]
        hit = sum(any(would_hit(each.cause.kind, each.attributes, other) for each in sick) for other in within)
        return f"; {len(sick)} of {hit} endpoints: {scope_words(case.scope)}"


def _sickness(peer: Peer) -> Sickness:
    assert peer.sickness is not None, "it is judged to be sick"  # noqa: S101 - for the type checker
    return peer.sickness
