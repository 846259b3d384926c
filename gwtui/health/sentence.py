"""Incidents in words: one sentence for what is wrong now, made to be pasted, how long each lasted and where it is, and
what their events say. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from gwtui.health.attributes import Attributes, attributes_of, gateway_of
from gwtui.health.causes import would_hit
from gwtui.model.enums import BAD, State
from gwtui.model.incidents import Cause, CauseKind, Change, Incident, IncidentEvent, Scope, ScopeKind
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint
from gwtui.text.units import elapsed, many, span

MOST = 3
"""The number of incidents that are named, and of gateways that are fine; the others are counted."""
_SAID = {
    CauseKind.KEYS_REFUSED: "Keys refused by",
    CauseKind.QUOTA: "Quota used up at",
    CauseKind.RATE_LIMITED: "Rate limited by",
    CauseKind.OVERLOADED: "Overloaded:",
    CauseKind.SERVER_ERRORS: "Server errors from",
    CauseKind.REQUESTS_REFUSED: "Requests refused by",
    CauseKind.UNREACHABLE: "Not reachable:",
    CauseKind.NO_ANSWER: "No answer in time from",
    CauseKind.CUT: "Answers cut by",
    CauseKind.BROKEN: "Answers broken from",
    CauseKind.PINGS_LOST: "Pings lost at",
    CauseKind.SLOW: "Slow:",
    CauseKind.NOT_STARTED: "Requests not sent to",
}
_SEPARATORS = "-_./: "


def sentence(
    incidents: Iterable[Incident], fleet: Mapping[str, State], endpoints: Sequence[Endpoint], at: float
) -> str:
    """What is wrong at that time, the worst first, and which gateways are fine; "" where nothing is wrong.

    `fleet`: the state of each endpoint by its name, the worst of all places.
    """
    wrong = [each for each in incidents if each.is_open]
    if not wrong:
        return ""
    wrong.sort(key=lambda each: (bool(each.acknowledged), -BAD.index(each.severity), each.opened, each.number))
    names = gateway_names(endpoints)
    told = [f"{_told(each, names, endpoints, at)}." for each in wrong[:MOST]]
    if len(wrong) > MOST:
        told.append(f"{many(len(wrong) - MOST, 'further incident')}.")
    return " ".join((*told, *_fine(wrong, fleet, names, endpoints)))


def gateway_names(endpoints: Sequence[Endpoint]) -> dict[str, str]:
    """What each gateway is called: as its endpoints' names begin where no other's do, as `eu gateway`, else by its
    host, and its port where that is not the scheme's."""
    by_gateway: dict[str, list[str]] = {}
    for endpoint in endpoints:
        by_gateway.setdefault(gateway_of(endpoint), []).append(endpoint.name)
    return {gateway: _gateway_name(gateway, by_gateway) for gateway in by_gateway}


def _gateway_name(gateway: str, by_gateway: Mapping[str, Collection[str]]) -> str:
    names = by_gateway[gateway]
    low, high = min(names), max(names)
    common = low[: next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))]
    word = common[: max(map(common.rfind, _SEPARATORS))]
    others = (name for other, names in by_gateway.items() if other != gateway for name in names)
    if len(names) < 2 or len(by_gateway) < 2 or len(word) < 2 or any(name.startswith(word) for name in others):
        return urlsplit(gateway).netloc or gateway
    return word if word.endswith("gateway") else f"{word} gateway"


def _told(incident: Incident, names: Mapping[str, str], endpoints: Sequence[Endpoint], at: float) -> str:
    """`Keys refused by eu gateway (5 of 5 endpoints, 401) for 1m12s`."""
    scope, cause = Scope.parse(incident.scope), Cause.parse(incident.cause)
    facts = [_share(incident, scope, cause.kind, endpoints), cause.detail or cause.name]
    if cause.kind is CauseKind.FINDING:
        facts[1] = cause.detail
    elif cause.kind is CauseKind.SLOW:
        facts[1] = f"{cause.name.upper()} {cause.detail}".rstrip()
    what = f"{_SAID.get(cause.kind) or f'{cause.name.capitalize()}:'} {_where(scope, names)}"
    if scope.kind is ScopeKind.KEY and cause.kind is CauseKind.KEYS_REFUSED:
        what = f"Key {scope.name} refused"
    lasts = span(int((at - incident.opened) * 1e9))
    known = f", acknowledged: {incident.acknowledged}" if incident.acknowledged else ""
    more = ", ".join(filter(None, facts))
    return f"{what}{f' ({more})' if more else ''} for {lasts}{known}"


def _where(scope: Scope, names: Mapping[str, str]) -> str:
    name = names.get(scope.name, scope.name)
    if scope.kind is ScopeKind.PLACE:
        return place_name(scope, names)
    if scope.kind is ScopeKind.PATH:
        return f"{name} from {scope.place or 'here'}"
    return name if scope.kind in (ScopeKind.GATEWAY, ScopeKind.ENDPOINT) else f"{scope.kind} {scope.name}"


def place_name(scope: Scope, names: Mapping[str, str]) -> str:
    """Where it is, as a part of a line: `eu gateway`, `gateway eu.example.com`, `provider anthropic`, `claude`.

    `names`: those of the gateways.
    """
    name = names.get(scope.name, scope.name)
    if scope.kind is ScopeKind.ENDPOINT:
        return name
    if scope.kind is ScopeKind.PLACE:
        return f"{name or 'this machine'} or its network"
    if scope.kind in (ScopeKind.GATEWAY, ScopeKind.PATH):
        gateway = name if name.endswith("gateway") else f"gateway {name}"
        return gateway if scope.kind is ScopeKind.GATEWAY else f"{gateway} from {scope.place or 'here'}"
    return str(scope)


def worst_first(incidents: Iterable[Incident]) -> list[Incident]:
    """Open ones first, of these those that are not acknowledged, the worst first, the newest first. Those that turned
    out to be part of another one are left out."""
    return sorted(
        (each for each in incidents if each.merged_into is None),
        key=lambda each: (not each.is_open, bool(each.acknowledged), -BAD.index(each.severity), -each.opened),
    )


def lasted(incident: Incident, now_at: float) -> str:
    """How long it has been open, or was: `open 02:10`, `04:12`."""
    end = now_at if incident.closed is None else incident.closed
    clock = elapsed(round((end - incident.opened) * 1_000) * 1_000_000).removeprefix("00:")
    return f"open {clock}" if incident.closed is None else clock


class ScopeNames:
    """Where incidents are, in words, for the endpoints of a profile."""

    def __init__(self, fleet: Sequence[Endpoint]) -> None:
        self.gateways = gateway_names(fleet)
        self._known = [attributes_of(each, 0) for each in fleet]

    def text(self, incident: Incident) -> str:
        """`gateway https://eu.example.com · 5 of 5 endpoints`, `provider anthropic, 2 gateways · 2 endpoints`."""
        try:
            scope = Scope.parse(incident.scope)
        except ValueError:
            return _count(incident, [])
        if scope.kind is ScopeKind.ENDPOINT:
            return incident.scope
        named = {member.endpoint for member in incident.members}
        gateways = {each.gateway for each in self._known if each.endpoint in named}
        across = len(gateways) > 1 and scope.kind in (ScopeKind.KEY, ScopeKind.PROVIDER, ScopeKind.MODEL)
        where = f"{incident.scope}, {len(gateways)} gateways" if across else place_name(scope, self.gateways)
        return f"{where} · {_count(incident, [each for each in self._known if each.within(scope)])}"


def scope_text(incident: Incident, fleet: Sequence[Endpoint] = ()) -> str:
    """The words for where one incident is."""
    return ScopeNames(fleet).text(incident)


def _count(incident: Incident, within: Sequence[Attributes]) -> str:
    """`5 of 5 endpoints` while it is open, `5 endpoints` afterwards."""
    sick = [member for member in incident.members if member.until is None or not incident.is_open]
    is_here = not any(member.vantage for member in incident.members)
    if incident.is_open and is_here and len(within) >= len(sick):
        return f"{len(sick)} of {many(len(within), 'endpoint')}"
    return many(len(sick), "endpoint")


def event_facts(entry: LogEntry | Change, names: Mapping[str, str]) -> str:
    """What there is to say of an event of an incident: `claude: keys refused (auth 401); 3 auth in a row`.

    `names`: those of the gateways.
    """
    try:
        scope = Scope.parse(entry.scope)
    except ValueError:
        scope = Scope(ScopeKind.ENDPOINT, entry.scope)
    where = place_name(scope, names)
    text = f"{entry.text.removesuffix(entry.scope)}{where}" if entry.text.endswith(f": {entry.scope}") else entry.text
    if entry.event in (IncidentEvent.OPENED, IncidentEvent.REOPENED):
        who = f"{entry.vantage}/{entry.endpoint}" if entry.vantage else entry.endpoint
        told = _with_cause(text.removeprefix(f"{who}: "), entry.cause)
        return f"{who}: {told}" if scope.kind is ScopeKind.ENDPOINT else f"{who}: {told}; {where}"
    if entry.event is IncidentEvent.CLOSED:
        return f"{where}: {entry.cause.partition(' (')[0]} {text}"
    is_said = entry.event is not IncidentEvent.CAUSE_CHANGED or f": {entry.cause}: " in text
    return text if is_said else f"{entry.cause}; {text}"


def _with_cause(text: str, cause: str) -> str:
    """The cause in words before the text, without what the text says too."""
    if text.startswith(f"{cause}: "):
        return text
    kind, _, inner = cause.partition(" (")
    detail = inner.removesuffix(")").partition(": ")[2]
    return "; ".join(filter(None, (kind if detail and detail in text else cause, text)))


def _share(incident: Incident, scope: Scope, kind: CauseKind, endpoints: Sequence[Endpoint]) -> str:
    """`5 of 5 endpoints`."""
    if scope.kind is ScopeKind.ENDPOINT:
        return ""
    sick = {(member.vantage, member.endpoint) for member in incident.members if member.until is None}
    places = {member.vantage for member in incident.members}
    known = [attributes_of(each, 0, place) for place in places for each in endpoints]
    own = [each for each in known if (each.vantage, each.endpoint) in sick]
    within = sum(each.within(scope) and any(would_hit(kind, one, each) for one in own) for each in known)
    return f"{len(sick)} of {many(max(len(sick), within), 'endpoint')}"


def _fine(
    wrong: Sequence[Incident], fleet: Mapping[str, State], names: Mapping[str, str], endpoints: Sequence[Endpoint]
) -> tuple[str, ...]:
    """`us gateway is fine.`: something of it is up, and nothing is in an incident."""
    sick = {member.endpoint for incident in wrong for member in incident.members if member.until is None}
    up = {gateway_of(each) for each in endpoints if fleet.get(each.name) is State.UP}
    down = {gateway_of(each) for each in endpoints if each.name in sick or fleet.get(each.name) in BAD}
    fine = [name for gateway, name in names.items() if gateway in up - down]
    if not fine:
        return ()
    if len(fine) > MOST:
        return (f"{len(fine)} other gateways are fine.",)
    *first, last = fine
    return (f"{', '.join(first)} and {last} are fine.",) if first else (f"{last} is fine.",)
