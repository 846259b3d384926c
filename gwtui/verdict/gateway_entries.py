"""What a gateway's note of one request gives away: a fallback to another provider, and a cost that is not the price."""

from __future__ import annotations

from gwtui.apis.gateway_documents import GatewayEntry
from gwtui.model.enums import FindingName
from gwtui.model.profile import Price
from gwtui.model.records import Finding, Request
from gwtui.text.sanitize import clean
from gwtui.text.units import dollars

COST_SHARE = 0.05
"""By how much a cost may be off: gateways round, and count a token more or less."""
COST_USD = 0.000_001
"""The same of each request, in US dollars: gateways round to so much."""


DEFAULT, NAMED = "the gateway's default provider", "which `expect_provider` names"
"""Whose choice an expected provider is."""


def request_ids(request: Request) -> frozenset[str]:
    """Every id by which a gateway may have noted the request."""
    ids = (request.answer_id, request.request_id, request.sent_request_id, request.trace_id)
    return frozenset(filter(None, ids))


def provider_fallback(entry: GatewayEntry, expected: str = "", whose: str = DEFAULT) -> Finding | None:
    """The finding, where another provider answered than the one that was asked first, or than the expected one.

    `expected`: "" where none is known; `whose`: what it is called in the evidence.
    """
    first = entry.attempts[0] if entry.attempts else None
    answered = entry.provider
    if first is not None and answered and not same_provider(first.provider, answered):
        how = f" failed ({first.outcome})" if first.failed and first.outcome else " failed" if first.failed else ""
        tried = f"{first.provider}{how}, {answered} answered"
        return _fallback(f"{tried}, attempt {len(entry.attempts)}" if len(entry.attempts) > 2 else tried)
    if answered and expected and not same_provider(answered, expected):
        count = f" after {entry.attempt_count} attempts" if (entry.attempt_count or 0) > 1 else ""
        return _fallback(f"{answered} answered{count}, not {clean(expected, 60)}, {whose}")
    return None


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
