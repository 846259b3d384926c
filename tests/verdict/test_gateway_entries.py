"""A gateway's note of one request: who answered, and for how much."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gwtui.apis.gateway_documents import Attempt, GatewayEntry, HealthDocument
from gwtui.model.profile import Endpoint, Price
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.verdict.gateway_entries import Routes, cost_differs, entry_cost, failed_attempts, provider_fallback

FAILED, SECOND = Attempt("anthropic", True, "529"), Attempt("openai")
CLAUDE, GPT, LLAMA = "claude-3-haiku-20240307", "gpt-4o-mini", "llama-3.1-8b"
DEFAULT = "openai answered, not anthropic, the gateway's default provider"
WELL = HealthDocument(default_provider="anthropic", fallback_chain=("anthropic", "openai"))
ILL = replace(WELL, unwell=("anthropic",))


def entry(provider: str = "openai", *attempts: Attempt, count: int | None = None) -> GatewayEntry:
    return GatewayEntry(provider=provider, attempts=attempts, attempt_count=len(attempts) or count)


def fallback(noted: GatewayEntry, model: str = LLAMA, routes: Routes | None = None, **fields: Any) -> str:
    """What the finding says; "" for none."""
    endpoint = Endpoint(name="e", api="openai-chat", url="http://h", **fields)
    finding = provider_fallback(noted, endpoint, model, routes or Routes(health=WELL))
    return finding.evidence if finding is not None else ""


@pytest.mark.parametrize(
    ("noted", "words"),
    [
        (entry("openai", FAILED, SECOND), "anthropic failed (529), openai answered"),
        (
            entry("openai", FAILED, Attempt("google", True), SECOND),
            "anthropic failed (529), openai answered, attempt 3",
        ),
        (entry("anthropic", FAILED, Attempt("anthropic")), ""),
        (entry("openai", Attempt("openai", True), SECOND), ""),
        (entry("", FAILED), ""),
    ],
)
def test_attempts_prove_a_fallback_whatever_else_is_known(noted: GatewayEntry, words: str) -> None:
    for model in (CLAUDE, GPT, LLAMA):
        assert fallback(noted, model, Routes()) == words
        assert fallback(noted, model) == words
    proved = fallback(entry("openai", FAILED, SECOND), expect_provider="openai")
    assert proved == "anthropic failed (529), openai answered"


@pytest.mark.parametrize(
    ("noted", "words"),
    [
        (entry("", FAILED, Attempt("google", True)), "2 attempts: anthropic (529), google"),
        (entry("", count=3), "3 attempts"),
        (entry("", FAILED), None),
        (entry("", count=1), None),
        (entry(""), None),
    ],
)
def test_what_a_failed_request_was_tried_on(noted: GatewayEntry, words: str | None) -> None:
    finding = failed_attempts(noted)
    assert (finding.evidence if finding is not None else None) == words


def test_another_provider_than_the_named_one() -> None:
    words = "openai answered, not google, which `expect_provider` names"
    assert fallback(entry(), expect_provider="google") == words
    assert fallback(entry(), expect_provider="OpenAI ") == ""


@pytest.mark.parametrize(
    ("noted", "model", "routes", "words"),
    [
        (entry("Anthropic "), CLAUDE, Routes(health=WELL), ""),
        (entry(), CLAUDE, Routes(health=WELL), f"{DEFAULT} and the maker of {CLAUDE}"),
        (entry(count=1), CLAUDE, Routes(health=WELL), ""),
        (entry(count=1), CLAUDE, Routes(health=ILL), f"{DEFAULT}, which it calls unhealthy"),
        (entry(), CLAUDE, Routes(), ""),
        (entry(count=2), LLAMA, Routes(health=WELL), DEFAULT.replace("answered", "answered after 2 attempts")),
        (entry(), LLAMA, Routes(health=WELL, default_answered=True), f"{DEFAULT}, which answered before"),
        (entry(count=1), LLAMA, Routes(health=WELL, default_answered=True), ""),
        (entry(count=1), LLAMA, Routes(health=WELL, fails=True), DEFAULT),
        (entry(count=1), LLAMA, Routes(health=ILL, default_answered=True), f"{DEFAULT}, which it calls unhealthy"),
        (entry("google"), LLAMA, Routes(health=WELL, default_answered=True), ""),  # no part of the chain
        (entry(), LLAMA, Routes(health=WELL), ""),
        (entry(), LLAMA, Routes(health=ILL), ""),
        (entry(), GPT, Routes(health=WELL), ""),
        (entry(), GPT, Routes(health=ILL), ""),
        (entry("azure-openai", count=2), "openai/gpt-4o", Routes(health=replace(WELL, fallback_chain=())), ""),
    ],
)
def test_not_the_default_provider_alone_is_no_fallback(
    noted: GatewayEntry, model: str, routes: Routes, words: str
) -> None:
    assert fallback(noted, model, routes) == words


def test_a_kind_of_agent_may_have_a_provider_of_its_own() -> None:
    assert fallback(entry(), CLAUDE, Routes(health=ILL), body={"agent_type": "completer"}) == ""


def learnt(*noted: GatewayEntry, model: str = LLAMA) -> list[bool]:
    """Of each answer, one after another, whether it is found to come by a fallback."""
    routes, found = Routes(health=WELL), []
    endpoint = Endpoint(name="e", api="openai-chat", url="http://h")
    for each in noted:
        finding = provider_fallback(each, endpoint, model, routes)
        routes = routes.after(each, finding)
        found.append(finding is not None)
    return found


def test_what_is_learnt_from_answers() -> None:
    default, other = entry("anthropic", count=1), entry("openai", count=1)
    assert learnt(other, other, default, other, default, other) == [False] * 6, "a gateway that spreads its load"
    assert learnt(entry(), entry("anthropic"), entry(), entry("anthropic")) == [False, False, True, False]
    retried = entry("openai", FAILED, SECOND)
    opened = learnt(default, retried, other, other, default, other)
    assert opened == [False, True, True, True, False, False], "a breaker opens, and closes"
    back = entry("anthropic", Attempt("openai", True), Attempt("anthropic"))
    assert learnt(other, back, other, model=GPT) == [False, True, False], "the default provider helps out"
    assert learnt(entry(count=2), other) == [True, False]


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
