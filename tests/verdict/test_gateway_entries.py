"""A gateway's note of one request: who answered, and for how much."""

from __future__ import annotations

import pytest

from gwtui.apis.gateway_documents import Attempt, GatewayEntry
from gwtui.model.profile import Price
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.verdict.gateway_entries import cost_differs, entry_cost, provider_fallback

FAILED, SECOND = Attempt("anthropic", True, "529"), Attempt("openai")


@pytest.mark.parametrize(
    ("entry", "expected", "words"),
    [
        (GatewayEntry(provider="anthropic"), "anthropic", ""),
        (GatewayEntry(provider="Anthropic "), "anthropic", ""),
        (GatewayEntry(provider="openai"), "", ""),
        (GatewayEntry(), "anthropic", ""),
        (
            GatewayEntry(provider="openai"),
            "anthropic",
            "openai answered, not anthropic, the gateway's default provider",
        ),
        (
            GatewayEntry(provider="openai", attempt_count=2),
            "anthropic",
            "openai answered after 2 attempts, not anthropic, the gateway's default provider",
        ),
        (
            GatewayEntry(provider="openai", attempts=(FAILED, SECOND)),
            "",
            "anthropic failed (529), openai answered",
        ),
        (
            GatewayEntry(provider="openai", attempts=(FAILED, SECOND)),
            "openai",
            "anthropic failed (529), openai answered",
        ),
        (
            GatewayEntry(provider="openai", attempts=(FAILED, Attempt("google", True), SECOND)),
            "",
            "anthropic failed (529), openai answered, attempt 3",
        ),
        (GatewayEntry(provider="anthropic", attempts=(FAILED, Attempt("anthropic"))), "anthropic", ""),
        (GatewayEntry(provider="", attempts=(FAILED,)), "anthropic", ""),
    ],
)
def test_another_provider_than_the_first_or_the_expected(entry: GatewayEntry, expected: str, words: str) -> None:
    finding = provider_fallback(entry, expected)
    assert (finding.evidence if finding is not None else "") == words


@pytest.mark.parametrize(
    ("told", "expected", "requests", "differs"),
    [
        (0.00002, 0.00002, 1, False),
        (0.000021, 0.00002, 1, False),  # rounded to 6 decimals
        (0.00003, 0.00002, 1, True),
        (0.0, 0.00002, 1, True),
        (1.04, 1.0, 10, False),
        (1.06, 1.0, 10, True),
        (0.0, 0.0, 5, False),
        (0.5, 0.0, 5, True),
    ],
)
def test_a_cost_that_is_not_the_price(told: float, expected: float, requests: int, differs: bool) -> None:
    assert (cost_differs(told, expected, requests) is not None) is differs


def test_the_cost_of_one_request() -> None:
    request = Request(
        endpoint="e",
        number=1,
        started_at=0.0,
        now_ns=1,
        api="anthropic-messages",
        verdict=Verdict.COMPLETE,
        rule="r",
        input_tokens=20,
        output_tokens=12,
    )
    price = Price(input_per_million=0.25, output_per_million=1.25)
    dear = entry_cost(GatewayEntry(cost_usd=0.2), request, price)
    assert dear is not None
    assert dear.evidence == "the gateway counts $0.20 for this request, by `price` it is $0.000020"
    assert entry_cost(GatewayEntry(cost_usd=0.00002), request, price) is None
    assert entry_cost(GatewayEntry(cost_usd=0.2), request, None) is None
    assert entry_cost(GatewayEntry(), request, price) is None
