"""Behind the embedded gateway: fallbacks, breakers, routes by agent, and the audit log of every request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.gateways import Gateway, serving
from support.questions import question

from gwtui.gateway.audit_log import MAX_ENTRIES, MAX_MODELS, OTHERS, AuditLog, Entry
from gwtui.gateway.faults import FAULTS
from gwtui.gateway.providers import PROVIDERS, cost_usd, provider_of
from gwtui.gateway.scenario import ScenarioError, parse_scenario
from gwtui.gateway.upstreams import BreakerState

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
OPEN, HALF_OPEN, CLOSED = BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED

SCENARIO = """
gateway = { breaker_open_s = 30, upstream_timeout_s = 0.01 }

[[rule]]
model = "claude-ill"
provider = "anthropic"
upstream_fails = 9

[[rule]]
model = "gpt-alone"
upstream_fails = 9

[[rule]]
model = "gpt-recovers"
to_s = 100
upstream_fails = 9

[[rule]]
model = "gpt-never-recovers"
upstream_fails = 9

[[rule]]
model = "claude-hangs"
upstream_fails = 9
upstream_failure = "timeout"

[[rule]]
model = "gpt-no-stream"
upstream_fails = 9
upstream_failure = "stream"

[[rule]]
model = "gpt-strict"
upstream_fails = 9
upstream_failure = "stream"
no_fallback = true

[[rule]]
model = "by-rule"
fault = "truncated"
served_model = "another"

[[rule]]
model = "raw-by-rule"
fault = "reset"
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


def ask(client: httpx.Client, model: str, path: str = CHAT, **fields: Any) -> httpx.Response:
    return client.post(path, json=question(model, max_tokens=5, **fields))


# --- the gateway's upstreams


def test_the_next_provider_answers_when_the_first_fails(client: httpx.Client) -> None:
    response = ask(client, "claude-ill", stream=False)
    assert response.status_code == 200
    assert response.headers["x-gateway-provider"] == "openai"
    assert response.headers["x-gateway-attempts"] == "2"
    entry = client.get("/gateway/audit?limit=1").json()["entries"][0]
    assert [each["status"] for each in entry["attempts"]] == [500, 200]
    assert entry["attempts"][1]["provider"] == entry["provider"] != entry["attempts"][0]["provider"]
    assert response.headers["x-litellm-attempted-fallbacks"] == "1"
    assert response.json()["model"] == PROVIDERS["openai"].stand_in
    well = ask(client, "claude-well", stream=False)
    assert (well.headers["x-gateway-provider"], well.headers["x-gateway-attempts"]) == ("anthropic", "1")
    assert "x-litellm-attempted-fallbacks" not in well.headers


def test_at_most_two_upstreams_are_asked_and_the_failure_names_them(client: httpx.Client) -> None:
    response = ask(client, "gpt-alone")
    assert (response.status_code, response.headers["x-gateway-attempts"]) == (500, "2")
    assert "openai: 500, anthropic: 500" in response.json()["error"]["message"]


def test_an_upstream_that_hangs_is_a_timeout(client: httpx.Client) -> None:
    response = ask(client, "claude-hangs", MESSAGES)
    assert response.status_code == 504
    assert response.json()["error"] == {
        "type": "timeout_error",
        "message": "anthropic and openai did not answer within 0.01 s.",
    }


def test_a_stream_that_fails_upstream_falls_back_to_one_answer(client: httpx.Client) -> None:
    streamed = ask(client, "gpt-no-stream")
    assert streamed.headers["content-type"] == "application/json"
    assert streamed.headers["x-litellm-attempted-retries"] == "1"
    assert streamed.json()["object"] == "chat.completion"
    whole = ask(client, "gpt-no-stream", stream=False)
    assert (whole.status_code, whole.headers["x-gateway-attempts"]) == (200, "1")


def test_without_fallback_the_failure_comes_at_once_and_says_so(client: httpx.Client) -> None:
    response = ask(client, "gpt-strict")
    assert (response.status_code, response.headers["x-gateway-attempts"]) == (500, "1")
    assert "fallback is disabled" in response.json()["error"]["message"]


def upstream_calls(client: httpx.Client) -> int:
    upstream = client.get("/gateway/metrics").json()["upstream"]
    return sum(provider["calls"] for provider in upstream.values())


def breaker(client: httpx.Client, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = client.get("/gateway/health").json()["breakers"].get(name)
    return found


def test_a_breaker_opens_fails_fast_half_opens_and_closes(gateway: Gateway, client: httpx.Client) -> None:
    assert [ask(client, "gpt-recovers").status_code for _ in range(5)] == [500] * 5
    health = client.get("/gateway/health").json()
    assert (health["status"], health["providers"]["openai"]) == ("degraded", False)
    assert health["breakers"]["openai/gpt-recovers"] == {"state": "open", "failures": 5, "retry_after_s": 30}
    calls = upstream_calls(client)
    fast = ask(client, "gpt-recovers")
    assert (fast.status_code, fast.headers["retry-after"], fast.headers["x-gateway-attempts"]) == (503, "30", "0")
    assert "circuit breaker" in fast.json()["error"]["message"]
    assert upstream_calls(client) == calls
    with gateway.at(30):
        assert (breaker(client, "openai/gpt-recovers") or {})["state"] == "half_open"
        assert ask(client, "gpt-recovers").status_code == 500  # the test fails
        assert (breaker(client, "openai/gpt-recovers") or {})["state"] == "open"
        assert ask(client, "gpt-recovers").status_code == 503
    with gateway.at(100):
        assert ask(client, "gpt-recovers").status_code == 200
        assert breaker(client, "openai/gpt-recovers") is None
        assert ask(client, "gpt-recovers").headers["x-gateway-provider"] == "openai"


def test_breakers_of_other_models_stay_closed(client: httpx.Client) -> None:
    for _ in range(6):
        ask(client, "gpt-never-recovers")
    assert ask(client, "gpt-never-recovers").status_code == 503
    assert ask(client, "gpt-4o").status_code == 200


@pytest.mark.parametrize(
    ("agent_type", "provider"), [("code-reviewer", "anthropic"), ("code-writer", "openai"), ("stranger", "fireworks")]
)
def test_an_agent_type_chooses_the_provider(client: httpx.Client, agent_type: str, provider: str) -> None:
    response = ask(client, "llama-3", MESSAGES, stream=False, agent_type=agent_type)
    assert response.headers["x-gateway-provider"] == provider
    entry = client.get("/gateway/audit?limit=1").json()["entries"][0]
    assert (entry["agent_type"], entry["provider"]) == (agent_type, provider)


# --- the books


@pytest.mark.parametrize("stream", [True, False])
def test_metrics_and_audit_move_with_every_request(client: httpx.Client, stream: bool) -> None:
    before = client.get("/gateway/metrics").json()["summary"]
    asked = question("claude-3", max_tokens=5, stream=stream)
    response = client.post(MESSAGES, json=asked, headers={"x-request-id": "mine-7"})
    assert response.text
    metrics = client.get("/gateway/metrics").json()
    after = metrics["summary"]
    assert set(after) == {
        "total_requests",
        "total_cost_usd",
        "total_input_tokens",
        "total_output_tokens",
        "total_cache_write_tokens",
        "total_cache_read_tokens",
        "avg_latency_ms",
    }
    assert after["total_requests"] - before["total_requests"] == 1
    assert after["total_input_tokens"] - before["total_input_tokens"] == 2
    assert after["total_output_tokens"] - before["total_output_tokens"] == 5
    assert after["total_cost_usd"] - before["total_cost_usd"] == pytest.approx(cost_usd("anthropic", 2, 5))
    assert metrics["by_provider"]["anthropic"]["requests"] >= 1
    assert metrics["by_model"]["claude-3"]["output_tokens"] >= 5
    recent = metrics["recent"][0]
    assert set(recent) == {
        "request_id",
        "timestamp",
        "provider",
        "model",
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "latency_ms",
    }
    assert (recent["request_id"], recent["model"]) == ("mine-7", "claude-3")
    entry = client.get("/gateway/audit?limit=1").json()["entries"][0]
    assert (entry["request_id"], entry["path"], entry["status"], entry["stream"]) == ("mine-7", MESSAGES, 200, stream)


def test_a_refusal_is_in_the_audit_and_in_no_count(client: httpx.Client) -> None:
    before = client.get("/gateway/metrics").json()["summary"]["total_requests"]
    assert ask(client, "no-such-model").status_code == 404
    assert client.post(CHAT, content=b"{").status_code == 400
    assert client.get("/gateway/metrics").json()["summary"]["total_requests"] == before
    audit = client.get("/gateway/audit?limit=2").json()
    found = [(entry["status"], entry["model"], entry["outcome"]) for entry in audit["entries"]]
    assert found == [(400, "", "refused"), (404, "no-such-model", "refused")]
    assert audit["total"] >= 2


@pytest.mark.parametrize("limit", ["-1", "many", "9" * 9, ""])
def test_an_audit_limit_that_is_no_number_is_refused(client: httpx.Client, limit: str) -> None:
    assert client.get(f"/gateway/audit?limit={limit}").status_code == 400


def test_the_books_stay_bounded() -> None:
    audit_log = AuditLog()
    for number in range(3000):
        fields = {"request_id": "r", "timestamp": "t", "path": "/", "stream": True, "status": 200, "outcome": "ok"}
        audit_log.add(Entry(model=f"model-{number}", provider="openai", output_tokens=1, **fields))  # type: ignore[arg-type]  # a table of mixed types
    metrics = audit_log.metrics()
    assert metrics["summary"]["total_output_tokens"] == 3000
    assert len(metrics["by_model"]) == MAX_MODELS + 1
    assert metrics["by_model"][OTHERS]["requests"] == 3000 - MAX_MODELS
    assert audit_log.audit(10_000)["total"] == 3000
    assert len(audit_log.audit(10_000)["entries"]) == MAX_ENTRIES


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("claude-3-haiku-20240307", "anthropic"),
        ("anthropic::2023-06-01::claude-3-haiku", "anthropic"),
        ("gpt-4o-mini", "openai"),
        ("fireworks::v1::starcoder", "fireworks"),
        ("gemini-2.0-flash", "google"),
        ("anything", "nobody-in-particular"),
    ],
)
def test_a_model_belongs_to_a_provider(model: str, provider: str) -> None:
    assert provider_of(model, "nobody-in-particular") == provider


# --- choosing a fault


def test_a_rule_can_choose_a_fault_and_lay_its_own_fields_over_it(client: httpx.Client) -> None:
    response = ask(client, "by-rule")
    assert response.text.count("\n\n") == 4
    assert '"model":"another"' in response.text


@pytest.mark.parametrize(
    ("model", "headers", "expected"),
    [
        ("fault:no-such-fault", {}, "no fault `no-such-fault`"),
        ("gpt-4o", {"x-gwtui-fault": "nothing"}, "no fault `nothing`"),
        ("fault:reset", {}, "raw port"),
        ("raw-by-rule", {}, "raw port"),
    ],
)
def test_a_fault_that_cannot_be_made_is_refused_by_name(
    client: httpx.Client, model: str, headers: dict[str, str], expected: str
) -> None:
    response = client.post(CHAT, json=question(model), headers=headers)
    assert response.status_code == 400
    assert expected in response.json()["error"]["message"]


def test_the_catalogue_can_be_read_from_the_gateway(client: httpx.Client) -> None:
    found = {entry["name"]: entry for entry in client.get("/gateway/faults").json()}
    assert set(found) == set(FAULTS)
    assert found["truncated"] == {
        "name": "truncated",
        "says": FAULTS["truncated"].says,
        "raw_port": False,
        "api": "openai-chat",
        "verdict": "truncated",
    }
    assert found["reset"]["raw_port"] is True


def test_the_header_goes_before_the_model(client: httpx.Client) -> None:
    response = client.post(CHAT, json=question("fault:503"), headers={"x-gwtui-fault": "529"})
    assert response.status_code == 529


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[rule]]\nfault = 'nonsense'", "no fault 'nonsense'"),
        ("gateway = { default_provider = 'nobody' }", "unknown provider: nobody"),
        ("gateway = { fallback_chain = ['openai', 'x'] }", "unknown provider: x"),
        ("gateway = { breaker_failures = 0 }", "gateway.breaker_failures: "),
        ("[[rule]]\nupstream_failure = 'loud'", "rule[0].upstream_failure: "),
    ],
)
def test_a_wrong_scenario_of_upstreams_names_its_key(text: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_scenario(text)
    assert expected in str(error.value)
