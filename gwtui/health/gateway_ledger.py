"""What gateways count beside what gwtui sent to them: the difference between two answers of `/gateway/metrics`. Pure.

A gateway counts a request when it ends, and some a little later; others use it too. So the requests of gwtui that began
after one answer and ended a while before another have to be in the difference between the two; those under way at
either end, just ended or failed may be in it; and there may be any number more. A difference that is less than what
has to be in it is a finding. A cost is compared only where the difference is gwtui's own, to the request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from msgspec.structs import asdict, replace

from gwtui.apis import api_named, kind_of
from gwtui.apis.gateway_metrics import GATEWAY_METRICS, dear
from gwtui.apis.requests import models_asked
from gwtui.model.enums import FindingName, Kind, Outcome, Trigger
from gwtui.model.gateway_figures import COUNTERS, GatewayComparison, GatewayCounts, GatewayFigures
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Finding, Record, Request, RequestStarted
from gwtui.text.units import count, duration, many
from gwtui.verdict.gateway_entries import cost_differs, cost_of
from gwtui.verdict.tolerance import with_findings

SETTLE_NS = 5_000_000_000
"""The time that a gateway has to count a request that has ended."""
MOST_WAITING = 10_000
"""Requests that are remembered, under way or just ended."""
TOKEN_SHARE = 0.9
"""The share of gwtui's tokens that has to be counted: a gateway may count tokens in its own way."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """A request of gwtui that ended well."""

    ended_ns: int
    tokens: int
    cost_usd: float | None


@dataclass(slots=True)
class _Span:
    """What gwtui sent since an answer of the gateway, which is where the comparison begins."""

    since_ns: int
    figures: GatewayFigures
    unsettled: int
    """Requests that had just ended when it began: they may be counted in it."""
    doubtful: int = 0
    """Requests that were under way then, or that failed: they may be counted in it, too."""
    settled: int = 0
    settled_tokens: int = 0
    just_ended: deque[_Ended] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    tokens: int = 0
    cost_usd: float | None = 0.0
    """Of all that ended well; None where it is not known."""

    @property
    def ended(self) -> int:
        """Requests that ended well."""
        return self.settled + len(self.just_ended)

    def add(self, ended: _Ended) -> None:
        self.just_ended.append(ended)
        self.tokens += ended.tokens
        known = self.cost_usd is not None and ended.cost_usd is not None
        self.cost_usd = (self.cost_usd or 0.0) + (ended.cost_usd or 0.0) if known else None

    def settle(self, now_ns: int) -> None:
        """What ended long enough before `now_ns` has to be counted by then."""
        while self.just_ended and self.just_ended[0].ended_ns <= now_ns - SETTLE_NS:
            self.settled += 1
            self.settled_tokens += self.just_ended.popleft().tokens


class GatewayLedger:
    """Takes the records of a session in their order, and gives back those of metrics with what they mean."""

    def __init__(self, profile: Profile) -> None:
        self._under_way: dict[tuple[str, int], int] = {}
        """When each request that has not ended began."""
        self._gateways: dict[str, _Gateway] = {}
        self._counted_by: dict[str, tuple[str, ...]] = {}
        """Per endpoint the endpoints with the metrics of its gateway."""
        self.follow(profile)

    def follow(self, profile: Profile) -> None:
        """Compare the endpoints of this profile. What was begun goes on where a gateway is the same."""
        known, self._gateways = self._gateways, {}
        for endpoint in profile.endpoints:
            if endpoint.api == GATEWAY_METRICS.name:
                gateway = known.get(endpoint.name)
                if gateway is None or _place(gateway.endpoint) != _place(endpoint):
                    gateway = _Gateway(endpoint)
                gateway.endpoint = endpoint
                self._gateways[endpoint.name] = gateway
        self._endpoints = {endpoint.name: endpoint for endpoint in profile.endpoints}
        metrics = [gateway.endpoint for gateway in self._gateways.values()]
        self._counted_by = {each.name: gateways_of(each, metrics) for each in profile.endpoints}

    def see(self, record: Record) -> None:
        """A request begins, or is given up."""
        if isinstance(record, Request):
            self.take(record)
        elif isinstance(record, RequestStarted) and self._counted_by.get(record.endpoint):
            self._under_way[record.endpoint, record.number] = record.now_ns
            if len(self._under_way) > MOST_WAITING:
                del self._under_way[next(iter(self._under_way))]

    def take(self, request: Request) -> Request:
        """A request has ended. One that asked for metrics comes back with the comparison and its findings."""
        began_ns = self._under_way.pop((request.endpoint, request.number), request.now_ns - (request.duration_ns or 0))
        gateway = self._gateways.get(request.endpoint)
        if gateway is not None:
            if request.trigger is Trigger.TRIAL or not request.gateway.is_told:
                return request
            return gateway.judge(request, self._under_way_at(request.endpoint), priced=self._priced(request))
        if request.duration_ns is not None:
            for name in self._counted_by.get(request.endpoint, ()):
                self._gateways[name].take(began_ns, request, self._endpoints[request.endpoint])
        return request

    def _under_way_at(self, gateway: str) -> int:
        """How many requests to that gateway have not ended."""
        return sum(gateway in self._counted_by.get(endpoint, ()) for endpoint, _ in self._under_way)

    def _priced(self, request: Request) -> bool:
        return any(
            self._endpoints[name].price is not None
            for name, gateways in self._counted_by.items()
            if request.endpoint in gateways
        )


class _Gateway:
    """The answers of one endpoint with metrics, and what was sent to its gateway between them."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._before: Request | None = None
        self._span: _Span | None = None
        self._compared: GatewayComparison | None = None
        """The newest comparison that judged anything."""
        self._found: dict[FindingName, Finding] = {}
        """What was found, until a later comparison finds otherwise."""
        self._knows_cost = False
        """The cost of new requests was judged: that of all since the gateway's start is an old story."""

    def take(self, began_ns: int, request: Request, endpoint: Endpoint) -> None:
        """A request to the gateway has ended."""
        span = self._span
        if span is None:
            return
        if request.outcome is not Outcome.OK or began_ns < span.since_ns:
            span.doubtful += _most(endpoint)
            return
        tokens = (request.input_tokens or 0) + (request.output_tokens or 0)
        span.add(_Ended(request.now_ns, tokens, cost_of(request, endpoint.price)))
        span.doubtful += _most(endpoint) - 1

    def judge(self, request: Request, under_way: int, *, priced: bool) -> Request:
        """The answer with what changed since the ones before. `under_way`: requests that have not ended."""
        figures, before, span = request.gateway, self._before, self._span
        self._before = request
        if before is None or span is None:
            self._begin(request)
            return self._without_old_cost(request, priced=priced)
        grown_ns = request.now_ns - before.now_ns
        grown = growth(before.gateway, figures)
        if grown is None:
            self._begin(request)
            self._found.clear()
            words = f"{_went_back(before.gateway, figures)}: the gateway counts anew"
            told = replace(figures, grown_ns=grown_ns, restarted=True)
            return self._with(request, told, [Finding(name=FindingName.METRICS_RESTARTED, evidence=words)])
        asked_ns = request.now_ns - (request.duration_ns or 0)
        span.settle(asked_ns)
        since = growth(span.figures, figures) or GatewayCounts()
        self._take_comparison(_compared(span, since, request.now_ns - span.since_ns, under_way), since)
        if span.settled or not (span.just_ended or span.doubtful or under_way):
            self._begin(request)
        if grown.tokens and not priced:
            self._note(FindingName.COST_DIFFERS, next(iter(dear(grown, "since its last answer")), None))
        told = replace(figures, grown_ns=grown_ns, grown=grown, comparison=self._compared)
        return self._with(self._without_old_cost(request, priced=priced), told, self._found.values())

    def _with(self, request: Request, figures: GatewayFigures, findings: Iterable[Finding]) -> Request:
        return replace(with_findings(request, self.endpoint, findings), gateway=figures)

    def _without_old_cost(self, request: Request, *, priced: bool) -> Request:
        """The answer without what it says of the cost since the gateway's start, where more is known."""
        if not (priced or self._knows_cost):
            return request
        kept = tuple(finding for finding in request.findings if finding.name is not FindingName.COST_DIFFERS)
        return replace(request, findings=kept)

    def _take_comparison(self, comparison: GatewayComparison, since: GatewayCounts) -> None:
        """What it finds stands until another one judges the same."""
        told, expected, own = comparison.told_usd, comparison.expected_usd, comparison.own
        judged = own > 0
        if judged:
            self._note(FindingName.METRICS_STAND_STILL, _short(comparison, since))
        if told is not None and expected is not None:
            self._note(FindingName.COST_DIFFERS, cost_differs(told, expected, comparison.counted or 0))
            judged = True
        if judged:
            self._compared = comparison

    def _note(self, name: FindingName, finding: Finding | None) -> None:
        self._found.pop(name, None)
        self._knows_cost = self._knows_cost or name is FindingName.COST_DIFFERS
        if finding is not None:
            self._found[name] = finding

    def _begin(self, request: Request) -> None:
        """Compare from this answer on."""
        unsettled = len(self._span.just_ended) if self._span is not None else 0
        self._span = _Span(request.now_ns, request.gateway, unsettled)


def growth(before: GatewayCounts, after: GatewayCounts) -> GatewayCounts | None:
    """By how much the counters grew, as far as both tell them; None where one went backwards."""
    grown = {}
    for name in COUNTERS:
        was, now = getattr(before, name), getattr(after, name)
        grown[name] = None if was is None or now is None else now - was
    if any(value is not None and value < -_rounding(name) for name, value in grown.items()):
        return None
    return GatewayCounts(**{name: value if value is None else max(0, value) for name, value in grown.items()})


def _rounding(name: str) -> float:
    return 1e-6 if name == "cost_usd" else 0


def _went_back(before: GatewayCounts, after: GatewayCounts) -> str:
    was, now = asdict(before), asdict(after)
    name = next(name for name in COUNTERS if None not in (was[name], now[name]) and now[name] < was[name])
    return f"{name.replace('_', ' ')} went from {was[name]:,} to {now[name]:,}"


def _compared(span: _Span, since: GatewayCounts, span_ns: int, under_way: int) -> GatewayComparison:
    cached = (since.cache_read_tokens or 0) + (since.cache_write_tokens or 0)
    certain = not (span.doubtful or under_way or cached)
    is_ours = certain and since.requests == span.ended > 0 and _near(since.tokens, span.tokens)
    return GatewayComparison(
        span_ns=span_ns,
        counted=since.requests,
        own=span.settled,
        doubtful=span.unsettled + span.doubtful + under_way + len(span.just_ended),
        own_tokens=span.settled_tokens,
        told_usd=since.cost_usd if is_ours else None,
        expected_usd=span.cost_usd if is_ours else None,
    )


def _near(counted: int | None, tokens: int) -> bool:
    return counted is not None and counted * TOKEN_SHARE <= tokens <= counted / TOKEN_SHARE


def _short(comparison: GatewayComparison, since: GatewayCounts) -> Finding | None:
    """The finding, where the gateway counted less than it must have."""
    own, tokens, counted = comparison.own, comparison.own_tokens, since.tokens
    lacking = []
    if since.requests is not None and since.requests < own:
        lacking.append(f"requests by {count(since.requests)}")
    if counted is not None and counted < tokens * TOKEN_SHARE:
        lacking.append(f"tokens by {count(counted)}")
    if not lacking:
        return None
    words = f"gwtui got {many(own, 'answer')} with {count(tokens)} tokens in {duration(comparison.span_ns)}"
    words += f", and the gateway's counters grew: {', '.join(lacking)}"
    return Finding(name=FindingName.METRICS_STAND_STILL, evidence=words)


def _most(endpoint: Endpoint) -> int:
    """How many requests a gateway may take one request for."""
    api = api_named(endpoint.api)
    if api is None or not api.several_models:
        return 1
    return max(1, len(models_asked(endpoint, api.default_model)))


def gateways_of(endpoint: Endpoint, metrics: Iterable[Endpoint]) -> tuple[str, ...]:
    """The endpoints with the metrics of the gateway that answers this one: the one that it names, or else those of the
    same origin. Only completions are counted."""
    if kind_of(endpoint.api) is not Kind.COMPLETION:
        return ()
    found = [each for each in metrics if each.name == endpoint.metrics]
    if endpoint.metrics is None:
        found = [each for each in metrics if _origin(each) == _origin(endpoint)]
    return tuple(each.name for each in found)


def _origin(endpoint: Endpoint) -> tuple[object, ...]:
    try:
        parts = urlsplit(endpoint.url)
        port = parts.port
    except ValueError:
        return (endpoint.url,)
    is_secure = parts.scheme in ("https", "wss")
    return is_secure, parts.hostname, port or (443 if is_secure else 80), endpoint.unix, endpoint.connect_to


def _place(endpoint: Endpoint) -> tuple[object, ...]:
    return endpoint.url, endpoint.path, endpoint.unix, endpoint.connect_to
