"""Every LLM API of the embedded gateway: its forms on the wire, and that the real prober finds all of them good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from support.gateways import Gateway, serving
from support.probing import PATIENT, probed

from gwtui.apis import APIS
from gwtui.framing.sse import ServerSentEvent, SSEParser
from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.compare_handler import interleaved, plan_of
from gwtui.gateway.texts import pieces
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

RESPONSES = "/v1/responses"
COMPLETIONS = "/v1/completions"
FIREWORKS = "/v1/completions/fireworks"
GEMINI = "/v1beta/models/five:streamGenerateContent"
STREAM = "/.api/completions/stream"
CODE = "/.api/completions/code"
COMPARE = "/compare-stream"
COMPLETION_APIS = [name for name, api in APIS.items() if api.kind is Kind.COMPLETION]

SCENARIO = """
[[rule]]
model = "five"
tokens = 5
"""
ASKED: dict[str, dict[str, Any]] = {
    RESPONSES: {"model": "five", "input": "two words"},
    COMPLETIONS: {"model": "five", "prompt": "two words"},
    FIREWORKS: {"model": "five", "prompt": "two words"},
    GEMINI: {"contents": [{"role": "user", "parts": [{"text": "two words"}]}]},
    STREAM: {"model": "five", "messages": [{"speaker": "human", "text": "two words"}]},
    CODE: {"model": "five", "messages": [{"speaker": "human", "text": "two words"}]},
}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


def streamed(client: httpx.Client, path: str, query: str = "", **fields: Any) -> list[ServerSentEvent]:
    response = client.post(path + query, json=ASKED[path] | fields)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return SSEParser().feed(response.content)


def payloads(events: list[ServerSentEvent]) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in events]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("api", COMPLETION_APIS)
async def test_the_prober_finds_every_api_good(gateway: Gateway, api: str, stream: bool) -> None:
    if api == "compare-stream" and not stream:
        pytest.skip("this API only streams")
    target = Endpoint(name="target", api=api, url=gateway.url, model="five", stream=stream, deadlines=PATIENT)
    request = await probed(target)
    assert (request.verdict, request.findings) == (Verdict.COMPLETE, ()), request.reason
    if api != "compare-stream":
        assert request.output_tokens == 5
    assert (request.ttft_ns is not None) is stream


ON_BEDROCK = (
    "us.anthropic.claude-five",
    "us.amazon.nova-five-v1:0",
    "us.meta.llama3-five-v1:0",
    "mistral.mixtral-five-v0:1",
    "mistral.pixtral-five-v1:0",
    "amazon.titan-text-five-v1",
)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ON_BEDROCK)
async def test_the_prober_finds_every_model_of_bedrock_good(gateway: Gateway, model: str, stream: bool) -> None:
    asked: dict[str, Any] = {"api": "bedrock-invoke", "model": model, "stream": stream, "max_tokens": 3}
    request = await probed(Endpoint(name="target", url=gateway.url, deadlines=PATIENT, **asked))
    assert (request.verdict, request.findings) == (Verdict.COMPLETE, ()), request.reason
    is_counted = stream or not model.startswith("mistral.")  # whose whole answers tell no counts
    assert (request.output_tokens == 3) is is_counted


def test_responses_are_numbered_typed_and_whole_at_the_end(client: httpx.Client) -> None:
    events = streamed(client, RESPONSES, stream=True)
    sent = payloads(events)
    assert [event.event for event in events] == [one["type"] for one in sent]
    assert [one["sequence_number"] for one in sent] == list(range(len(sent)))
    assert [one["type"].removeprefix("response.") for one in sent] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * 5,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    text = "".join(one["delta"] for one in sent if one["type"].endswith(".delta"))
    last = sent[-1]["response"]
    assert text == sent[9]["text"] == last["output"][0]["content"][0]["text"]
    assert (last["status"], last["usage"]["output_tokens"], last["usage"]["total_tokens"]) == ("completed", 5, 7)


def test_a_response_that_met_its_limit_is_incomplete(client: httpx.Client) -> None:
    last = payloads(streamed(client, RESPONSES, stream=True, max_output_tokens=2))[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


@pytest.mark.parametrize("include_usage", [True, False])
def test_completions_stream_texts_and_end_with_done(client: httpx.Client, include_usage: bool) -> None:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if include_usage else {}
    *events, done = streamed(client, COMPLETIONS, stream=True, **options)
    sent = payloads(events)
    assert done.data == "[DONE]"
    if include_usage:
        *sent, usage = sent
        assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 5)
    choices = [one["choices"][0] for one in sent]
    assert {one["object"] for one in sent} == {"text_completion"}
    assert [choice["finish_reason"] for choice in choices] == [None] * 5 + ["stop"]
    assert len(pieces("".join(choice["text"] for choice in choices))) == 5


def test_fireworks_sends_usage_beside_the_finish_reason_unasked(client: httpx.Client) -> None:
    *events, done = streamed(client, FIREWORKS, stream=True)
    last = payloads(events)[-1]
    assert done.data == "[DONE]"
    assert (last["choices"][0]["finish_reason"], last["usage"]["total_tokens"]) == ("stop", 7)


def test_gemini_streams_crlf_events_without_a_terminator(client: httpx.Client) -> None:
    response = client.post(GEMINI + "?alt=sse", json=ASKED[GEMINI])
    assert response.content.count(b"\r\n\r\n") == response.content.count(b"\n\r\n") == 6
    sent = payloads(SSEParser().feed(response.content))
    assert [one["candidates"][0].get("finishReason") for one in sent] == [None] * 5 + ["STOP"]
    assert [one["usageMetadata"]["candidatesTokenCount"] for one in sent] == [1, 2, 3, 4, 5, 5]
    assert {one["modelVersion"] for one in sent} == {"five"}


def test_gemini_without_alt_sse_is_one_json_array(client: httpx.Client) -> None:
    response = client.post(GEMINI, json=ASKED[GEMINI])
    assert response.headers["content-type"].startswith("application/json")
    assert len(response.json()) == 6
    assert response.json()[-1]["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize("model", ["five", "fault:nonsense", "publishers/google/models/five"])
def test_gemini_names_its_model_in_the_path(client: httpx.Client, model: str) -> None:
    response = client.post(f"/v1beta/models/{model}:generateContent", json=ASKED[GEMINI])
    if model.startswith("fault:"):
        assert "no fault `nonsense`" in response.json()["error"]["message"]
    else:
        assert response.json()["modelVersion"] == model


def test_a_gemini_method_that_is_none_is_not_found(client: httpx.Client) -> None:
    response = client.post("/v1beta/models/five:countTokens", json=ASKED[GEMINI])
    assert (response.status_code, response.json()["error"]["status"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("version", ["", "?api-version=0", "?api-version=1"])
def test_sourcegraph_repeats_all_text_before_version_2(client: httpx.Client, version: str) -> None:
    *events, done = streamed(client, STREAM, version)
    assert (done.event, done.data) == ("done", "{}")
    assert {event.event for event in events} == {"completion"}
    texts = [one["completion"] for one in payloads(events)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert len(pieces(texts[-1])) == 5
    assert payloads(events)[-1]["stopReason"] == "end_turn"


def test_sourcegraph_sends_deltas_from_version_2_on(client: httpx.Client) -> None:
    *events, _ = streamed(client, STREAM, "?api-version=2")
    sent = payloads(events)
    assert all("completion" not in one for one in sent)
    assert len(pieces("".join(one.get("deltaText", "") for one in sent))) == 5
    assert sent[-1]["usage"] == {"completion_tokens": 5, "prompt_tokens": 2, "total_tokens": 7}


@pytest.mark.parametrize("version", ["99", "x", "-1"])
def test_an_unknown_sourcegraph_version_is_not_acceptable(client: httpx.Client, version: str) -> None:
    assert client.post(f"{STREAM}?api-version={version}", json=ASKED[STREAM]).status_code == 406


@pytest.mark.parametrize(("path", "streams"), [(STREAM, True), (CODE, False)])
def test_only_the_stream_path_streams_by_default(client: httpx.Client, path: str, streams: bool) -> None:
    kind = client.post(path, json=ASKED[path]).headers["content-type"]
    assert kind.startswith("text/event-stream" if streams else "application/json")
    asked = client.post(path, json=ASKED[path] | {"stream": not streams}).headers["content-type"]
    assert asked.startswith("application/json" if streams else "text/event-stream")


def test_a_sourcegraph_refusal_is_plain_text(client: httpx.Client) -> None:
    response = client.post(STREAM, json=ASKED[STREAM] | {"model": "no-such-model"})
    assert (response.status_code, response.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert client.get(STREAM).status_code == 405


@pytest.mark.parametrize("api", COMPLETION_APIS)
def test_an_invalid_key_is_refused_by_every_api(client: httpx.Client, api: str) -> None:
    ask = APIS[api].ask(Endpoint(name="e", api=api, url=str(client.base_url), model="five"), "invalid")
    assert client.post(ask.url, content=ask.body, headers=dict(ask.headers)).status_code == 401


def test_a_key_may_be_in_the_query(client: httpx.Client) -> None:
    assert client.post(GEMINI + "?key=invalid", json=ASKED[GEMINI]).status_code == 401


@pytest.mark.parametrize("api", COMPLETION_APIS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff\xfe"])
def test_a_body_that_is_no_question_of_that_api_is_refused(client: httpx.Client, api: str, body: bytes) -> None:
    ask = APIS[api].ask(Endpoint(name="e", api=api, url=str(client.base_url), model="five"), None)
    assert client.post(ask.url, content=body).status_code == 400


# --- several models in one stream


def compared(client: httpx.Client, **fields: Any) -> list[dict[str, Any]]:
    response = client.post(COMPARE, json={"prompt": "two words", **fields})
    assert response.status_code == 200
    return payloads(SSEParser().feed(response.content))


def test_a_comparison_reports_every_model_and_its_outcome(client: httpx.Client) -> None:
    sent = compared(client, models=["five", "no-such-model", "gpt-4o"])
    *events, complete = sent
    by_model = {
        model: [one for one in events if one["model"] == model] for model in ("five", "no-such-model", "gpt-4o")
    }
    assert [one["type"] for one in by_model["five"]] == ["start", *["chunk"] * 5, "done"]
    assert [one["type"] for one in by_model["no-such-model"]] == ["start", "error"]
    assert by_model["no-such-model"][1]["message"]
    assert by_model["gpt-4o"][-1]["type"] == "done"
    assert complete["type"] == "complete"
    assert set(complete["metadata"]) == {"processing_time_ms", "models_successful", "models_failed"}
    assert (complete["metadata"]["models_successful"], complete["metadata"]["models_failed"]) == (2, 1)


@pytest.mark.parametrize("body", [{}, {"models": []}, {"models": ["m"] * 33}, {"models": "five"}])
def test_a_comparison_of_nothing_or_of_too_much_is_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    assert client.post(COMPARE, json=body).status_code == 400


def test_a_comparison_counts_in_the_metrics_once_per_model(client: httpx.Client) -> None:
    before = client.get("/gateway/metrics").json()["summary"]["total_requests"]
    compared(client, models=["five", "gpt-4o", "no-such-model"])
    assert client.get("/gateway/metrics").json()["summary"]["total_requests"] - before == 2


def order_of(*, sequential: bool) -> tuple[list[str], float]:
    """Whose events come, in order, and the whole time: two models of three tokens, 10 ms apart after 100 ms."""
    behaviour = Behaviour(ttft_ms=100, gap_ms=10)
    sends = interleaved([plan_of(model, "xyz", behaviour) for model in "AB"], sequential=sequential)
    *events, complete = payloads(SSEParser().feed(b"".join(send.data for send in sends)))
    assert [send.at_s for send in sends] == sorted(send.at_s for send in sends)
    return [one["model"] for one in events], complete["metadata"]["processing_time_ms"]


def test_models_asked_at_once_are_interleaved_and_take_as_long_as_the_slowest() -> None:
    models, took_ms = order_of(sequential=False)
    assert "".join(models) == "ABABABAABB"
    assert took_ms == pytest.approx(120)


def test_models_asked_one_after_another_take_the_sum() -> None:
    models, took_ms = order_of(sequential=True)
    assert "".join(models) == "AAAAABBBBB"
    assert took_ms == pytest.approx(240)
