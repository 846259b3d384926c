"""Checks over real sockets: of the embedded gateway, of its faults, and of gateways that are made quite differently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.checked import target
from support.gateways import Gateway, serving
from support.probing import soon
from support.scripted import free_port
from support.strange import Strange, hosted

from gwtui.checks.collector import CheckDeps
from gwtui.checks.planning import checks_for
from gwtui.checks.request_sets import CheckTarget
from gwtui.checks.runner import run_checks
from gwtui.checks.tools import TOOLS, checks_of
from gwtui.model.check_results import CheckOutcome, CheckResult

PASS, WARN, FAIL, NA = CheckOutcome.PASS, CheckOutcome.WARN, CheckOutcome.FAIL, CheckOutcome.NOT_APPLICABLE
UNPROVOKED = {"provider-fallback", "fails-at-once", "attempts", "breaker"}
OF_TIMES = {"incremental", "steady", "concurrent-streams", "concurrency"}
"""Checks that judge times, which a busy machine makes worse than they are."""
SCENARIO = """
default = { ttft_ms = 8, gap_ms = 2, tokens = 30 }

[[rule]]
path = "/compare-stream"
model = "slow-*"
gap_ms = 5
"""
SEQUENTIAL = """
default = { ttft_ms = 20, gap_ms = 10, tokens = 12 }

[[rule]]
path = "/compare-stream"
sequential = true
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


async def at_once(_seconds: float) -> None:
    """Instead of waiting."""


async def checked(of: CheckTarget, *names: str, deps: CheckDeps | None = None) -> dict[str, CheckResult]:
    results = [each async for each in run_checks(of, checks_for(of, names), deps or CheckDeps(sleep=at_once))]
    return {each.name: each for each in results}


def at(url: str, api: str = "openai-chat", **fields: Any) -> CheckTarget:
    return target(**{"api": api, "url": url, "key": None, **fields})


def outcomes(results: dict[str, CheckResult], *names: str) -> dict[str, str]:
    return {name: result.outcome.value for name, result in results.items() if not names or name in names}


@pytest.mark.parametrize("api", ["anthropic-messages", "openai-chat"])
async def test_a_good_gateway_passes_all_of_it(gateway: Gateway, api: str) -> None:
    own = "claude-3-haiku-20240307" if api == "anthropic-messages" else "gpt-4o-mini"
    of = at(gateway.url, api, models=("claude-3-haiku-20240307", own, "slow-1"))
    results = await checked(of)
    fine = {name: {PASS, WARN} if name in OF_TIMES else {PASS} for name in results}
    fine["concurrency"].add(FAIL)  # three answers of 70 ms may take as long together as one after the other
    odd = {name: result.evidence for name, result in results.items() if result.outcome not in fine[name]}
    # OpenAI's requests have no kind of agent that this gateway would read.
    assert set(odd) - UNPROVOKED <= ({"agent-type"} if api == "openai-chat" else set()), odd
    assert {results[name].outcome for name in UNPROVOKED} == {NA}
    assert results["concurrency"].facts["verdict"] == "CONCURRENT"
    assert sum(result.requests for result in results.values()) <= 40


async def test_several_models_in_one_stream_pass_where_they_are_concurrent(gateway: Gateway) -> None:
    of = at(gateway.url, "compare-stream", models=("slow-1", "slow-2", "slow-3", "slow-4"))
    results = await checked(of, "stream", "answer", "concurrency", "one-fails-alone", "unknown-model")
    assert outcomes(results) == {
        "answer": "not applicable",
        "stream": "pass",
        "unknown-model": "not applicable",
        "concurrency": "pass",
        "one-fails-alone": "pass",
    }
    assert [line.split()[0] for line in results["concurrency"].details[1:3]] == ["3", "4"]


async def test_several_models_one_after_another_are_reported(gateway: Gateway) -> None:
    with serving(SEQUENTIAL) as sequential:
        of = at(sequential.url, "compare-stream", models=("a", "b", "c"))
        concurrency = (await checked(of, "concurrency"))["concurrency"]
    assert concurrency.outcome is FAIL, (concurrency.evidence, concurrency.details)
    assert concurrency.evidence.startswith("SEQUENTIAL")
    assert "workers" in concurrency.cause + concurrency.remedy


@pytest.mark.parametrize(
    ("fault", "check", "outcome"),
    [
        ("burst", "incremental", FAIL),
        ("json", "stream", FAIL),
        ("json", "silent-fallback", WARN),
        ("json", "event-format", NA),
        ("html", "answer", FAIL),
        ("html", "silent-fallback", NA),
        ("truncated", "whole-streams", FAIL),
        ("truncated", "stream", FAIL),
        ("wrong-type", "stream-headers", FAIL),
        ("other-model", "model-served", WARN),
        ("retried", "stream", PASS),
        ("upstream-first", "provider-fallback", WARN),
    ],
)
async def test_a_fault_is_seen_by_its_check(gateway: Gateway, fault: str, check: str, outcome: CheckOutcome) -> None:
    result = (await checked(at(gateway.url, model=f"fault:{fault}"), check))[check]
    assert result.outcome is outcome, result
    assert outcome is not FAIL or (result.cause and result.remedy)


async def test_a_breaker_is_provoked_until_it_was_seen_to_open_and_to_test(gateway: Gateway) -> None:
    async def sleep(seconds: float) -> None:
        gateway.clock[0] += seconds + 0.1

    of = at(gateway.url, provoke="fault:upstream-all")
    results = await checked(of, *UNPROVOKED, "connection", deps=CheckDeps(sleep=sleep))
    assert outcomes(results) == {"connection": "pass"} | dict.fromkeys(UNPROVOKED, "pass")
    assert results["breaker"].facts["failures"] == 5
    assert "opened it again" in results["breaker"].evidence
    assert sum(result.requests for result in results.values()) < 18


async def test_a_fallback_is_provoked_and_followed(gateway: Gateway) -> None:
    results = await checked(at(gateway.url, provoke="fault:upstream-first"), *UNPROVOKED)
    assert outcomes(results) == {
        "provider-fallback": "pass",
        "fails-at-once": "not applicable",
        "attempts": "pass",
        "breaker": "not applicable",
    }


async def test_one_request_is_provoked_where_one_is_enough(gateway: Gateway) -> None:
    for model, names in (
        ("fault:upstream-all", ["fails-at-once", "attempts"]),
        ("fault:json", ["attempts", "breaker"]),
    ):
        results = await checked(at(gateway.url, provoke=model), *names)
        documents = {"attempts"} | ({"breaker"} if "breaker" in names else set())
        assert sum(result.requests for result in results.values()) <= 1 + len(documents), results


async def test_without_a_fallback_a_failure_comes_at_once(gateway: Gateway) -> None:
    results = await checked(at(gateway.url, provoke="fault:no-fallback"), *UNPROVOKED)
    assert outcomes(results, "fails-at-once", "attempts", "provider-fallback") == {
        "provider-fallback": "not applicable",
        "fails-at-once": "pass",
        "attempts": "pass",
    }


@pytest.mark.parametrize(("api", "path"), [("http", "/v2/http"), ("websocket", "/v2/websocket")])
async def test_pings(gateway: Gateway, api: str, path: str) -> None:
    fields = {"body": "ping", "expect": "pong"} if api == "http" else {}
    (good,) = (await checked(at(gateway.url, api, path=path, **fields))).values()
    assert (good.name, good.outcome) == ("ping", PASS)
    (bad,) = (await checked(at(gateway.url, api, path=path, **fields | {"expect": "else"}))).values()
    assert bad.outcome is FAIL


async def test_where_nothing_listens_one_check_fails_and_the_rest_is_not_tried() -> None:
    results = await checked(at(f"http://127.0.0.1:{free_port()}"))
    assert results.pop("connection").outcome is FAIL
    assert {result.outcome for result in results.values()} == {NA}
    assert all("refused" in result.evidence for result in results.values())
    assert sum(result.requests for result in results.values()) == 0


async def test_the_connection_fails_by_name_wherever_it_comes() -> None:
    of = at(f"http://127.0.0.1:{free_port()}", "anthropic-messages")
    checks = checks_of(TOOLS["llm-gateway"], of, ("health", "stream", "connection"))
    results = {each.name: each async for each in run_checks(of, checks, CheckDeps(sleep=at_once))}
    assert outcomes(results) == {"health": "fail", "stream": "not applicable", "connection": "fail"}
    assert "not running" in results["connection"].cause


async def test_a_single_check_fails_by_itself_where_nothing_listens() -> None:
    for name in ("long-stream", "metrics", "invalid-key", "concurrency"):
        (result,) = (await checked(at(f"http://127.0.0.1:{free_port()}"), name)).values()
        assert (result.outcome, bool(result.remedy)) == (FAIL, True), result


async def test_a_gateway_of_another_make_gets_a_report_of_what_it_lacks() -> None:
    """It buffers, checks no key, knows every model, sends no usage, and keeps no audit log."""
    with hosted(Strange(buffered_s=0.2)) as url:
        results = await checked(at(url, key="env:STRANGE_KEY"), deps=CheckDeps(sleep=at_once))
        assert results["connection"].outcome is FAIL  # the key is not there, so nothing is tried
        results = await checked(at(url, headers={"Authorization": "Bearer mine"}))
    assert outcomes(results) == {
        "connection": "pass",
        "health": "fail",
        "metrics": "not applicable",
        "audit": "not applicable",
        "answer": "fail",
        "stream": "pass",
        "stream-headers": "warn",
        "event-format": "pass",
        "model-served": "pass",
        "silent-fallback": "pass",
        "long-stream": "not applicable",
        "large-answer": "not applicable",
        "incremental": "fail",
        "steady": "not applicable",
        "invalid-key": "fail",
        "unknown-model": "fail",
        "models": "not applicable",
        "agent-type": "warn",
        "concurrent-streams": "warn",
        "concurrency": "pass",
        "one-fails-alone": "not applicable",
        "provider-fallback": "not applicable",
        "fails-at-once": "not applicable",
        "attempts": "not applicable",
        "breaker": "not applicable",
        "fast-failures": "not applicable",
        "whole-streams": "pass",
        "timeouts": "pass",
    }, {name: result.evidence for name, result in results.items()}


async def test_a_gateway_with_one_worker_is_sequential() -> None:
    strange = Strange(gap_s=0.01)
    strange.one_at_a_time = True
    with hosted(strange) as url:
        concurrency = (await checked(at(url, models=("a", "b", "c")), "concurrency"))["concurrency"]
    assert (concurrency.outcome, concurrency.facts["verdict"]) == (FAIL, "SEQUENTIAL"), concurrency


async def test_one_streams_content_in_another_is_noticed() -> None:
    strange = Strange(buffered_s=0.05)
    strange.echoes = True  # the last question that anybody asked
    with hosted(strange) as url:
        together = (await checked(at(url), "concurrent-streams"))["concurrent-streams"]
    assert together.outcome is FAIL
    assert "the word of another" in together.evidence


async def test_a_gateway_that_fails_is_spared_the_heavy_requests() -> None:
    strange = Strange()
    strange.sick = True
    with hosted(strange) as url:
        results = await checked(at(url))
    assert results["stream"].outcome is results["answer"].outcome is FAIL
    assert results["concurrent-streams"].outcome is results["long-stream"].outcome is NA
    assert len(strange.seen) <= 5


async def test_a_gateway_that_hangs_is_asked_twice_and_no_more() -> None:
    strange = Strange()
    strange.hang = True
    with hosted(strange) as url:
        results = await checked(at(url, deadlines=soon(first_byte_s=0.1)))
    assert results["stream"].outcome is results["timeouts"].outcome is FAIL
    assert results["invalid-key"].outcome is NA
    assert len(strange.seen) == 2


async def test_the_real_key_is_not_sent_where_a_made_up_one_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REAL_KEY", "sk-real")
    strange = Strange()
    with hosted(strange) as url:
        await checked(at(url, key="env:REAL_KEY"), "invalid-key")
        assert strange.keys == {"Bearer invalid"}
        await checked(at(url, key="env:REAL_KEY"), "stream")
    assert strange.keys == {"Bearer invalid", "Bearer sk-real"}
