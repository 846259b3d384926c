"""What a gateway's note of one request gives away: a fallback to another provider, failed attempts, and a
cost that is not the price."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gwtui.apis.gateway_documents import GatewayEntry, HealthDocument
from gwtui.apis.models import maker_of
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint, Price
from gwtui.model.records import Finding, Request
from gwtui.text.sanitize import clean
from gwtui.text.units import dollars

COST_SHARE = 0.05
"""By how much a cost may be off: gateways round, and count a token more or less."""
COST_USD = 0.000_001
"""The same of each request, in US dollars: gateways round to so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """What is known of who should answer an endpoint."""

    health: HealthDocument = field(default_factory=HealthDocument)
    """With the gateway's default provider."""
    default_answered: bool = False
    """The default provider has answered this endpoint before."""
    fails: bool = False
    """It failed, and has not answered since."""

    def after(self, entry: GatewayEntry, fallback: Finding | None) -> Routes:
        """What is known once this answer has been judged."""
        default, first = self.health.default_provider, entry.attempts[0].provider if entry.attempts else ""
        if not (default and entry.provider):
            return self
        if same_provider(entry.provider, default):
            return self if fallback is not None else replace(self, default_answered=True, fails=False)
        failed = same_provider(first, default) if first else self.default_answered
        return replace(self, fails=self.fails or (fallback is not None and failed))


def request_ids(request: Request) -> frozenset[str]:
    """Every id by which a gateway may have noted the request."""
    ids = (request.answer_id, request.request_id, request.sent_request_id, request.trace_id)
    return frozenset(filter(None, ids))


def provider_fallback(entry: GatewayEntry, endpoint: Endpoint, model: str, routes: Routes) -> Finding | None:
    """The finding, where another provider answered than the one that should have.

    The gateway's attempts, or `expect_provider`, tell that for sure. That it is not the default provider alone tells
    nothing, as a model may belong to another one: there has to be a reason why the default provider should have
    answered. `model`: the one that was asked for.
    """
    answered, named = entry.provider, endpoint.expect_provider
    first = entry.attempts[0] if entry.attempts else None
    if not answered:
        return None
    if first is not None and not same_provider(first.provider, answered):
        how = f" failed ({first.outcome})" if first.failed and first.outcome else " failed" if first.failed else ""
        tried = f"{first.provider}{how}, {answered} answered"
        return _fallback(f"{tried}, attempt {len(entry.attempts)}" if len(entry.attempts) > 2 else tried)
    count = f" after {entry.attempt_count} attempts" if (entry.attempt_count or 0) > 1 else ""
    if named is not None:
        words = f"{answered} answered{count}, not {clean(named, 60)}, which `expect_provider` names"
        return None if same_provider(answered, named) else _fallback(words)
    default = routes.health.default_provider
    if not default or same_provider(answered, default) or (why := _why_default(entry, endpoint, model, routes)) is None:
        return None
    return _fallback(f"{answered} answered{count}, not {default}, the gateway's default provider{why}")


def _why_default(entry: GatewayEntry, endpoint: Endpoint, model: str, routes: Routes) -> str | None:
    """Why the default provider should have answered instead, for the end of the evidence; None where that is not
    known."""
    health, count, maker = routes.health, entry.attempt_count, maker_of(model)
    if health.fallback_chain and not any(same_provider(entry.provider, each) for each in health.fallback_chain):
        return None
    if routes.fails:
        return ""
    if routes.default_answered and count is None:
        return ", which answered before"
    if _names_agent(endpoint) or (maker and maker in entry.provider.lower()):
        return None
    if count is not None and count > 1 and not entry.attempts:
        return ""
    default = health.default_provider
    is_maker, is_unwell = same_provider(maker, default), any(same_provider(default, each) for each in health.unwell)
    if is_unwell and (is_maker or routes.default_answered):
        return ", which it calls unhealthy"
    return f" and the maker of {clean(model, 60)}" if is_maker and count is None else None


def _names_agent(endpoint: Endpoint) -> bool:
    """Whether requests are routed by a kind of agent, whatever their model."""
    return isinstance(endpoint.body, dict) and bool(endpoint.body.get("agent_type"))


def failed_attempts(entry: GatewayEntry) -> Finding | None:
    """The finding, where a gateway asked upstreams more than once for a request that failed all the same."""
    count = max(len(entry.attempts), entry.attempt_count or 0)
    if count < 2:
        return None
    tried = ", ".join(f"{each.provider} ({each.outcome})" if each.outcome else each.provider for each in entry.attempts)
    return Finding(
        name=FindingName.RETRIES, evidence=clean(f"{count} attempts: {tried}" if tried else f"{count} attempts")
    )


def same_provider(one: str, other: str) -> bool:
    """Names of providers know no case."""
    return one.strip().lower() == other.strip().lower()


def _fallback(words: str) -> Finding:
    return Finding(name=FindingName.PROVIDER_FALLBACK, evidence=clean(words))


def cost_of(request: Request, price: Price | None) -> float | None:
    """What its tokens cost by the price, in US dollars; None where tokens or price are not known."""
    if price is None or request.input_tokens is None or request.output_tokens is None:
        return None
    return price.usd(request.input_tokens, request.output_tokens)


def entry_cost(entry: GatewayEntry, request: Request, price: Price | None) -> Finding | None:
    """The finding, where the gateway notes another cost for a request than the price makes it."""
    expected = cost_of(request, price)
    if expected is None or entry.cost_usd is None:
        return None
    return cost_differs(entry.cost_usd, expected, 1)


def cost_differs(told_usd: float, expected_usd: float, requests: int) -> Finding | None:
    """The finding, where these are different by more than rounding; of that number of gwtui's own requests."""
    if abs(told_usd - expected_usd) <= COST_SHARE * expected_usd + COST_USD * requests:
        return None
    whose = "this request" if requests == 1 else f"gwtui's own {requests} requests"
    words = f"the gateway counts {dollars(told_usd)} for {whose}, by `price` it is {dollars(expected_usd)}"
    return Finding(name=FindingName.COST_DIFFERS, evidence=words)
