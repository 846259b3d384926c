"""The embedded gateway over real loopback sockets: what every API sends, how it refuses, and its pings."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.gateways import Gateway, serving
from support.questions import ANTHROPIC, CHAT, ask_anthropic, ask_openai, question
from websockets.exceptions import InvalidStatus

from gwtui.gateway.texts import pieces

HTTP_PINGS = ("/v2/http", "/.api/gateway/http", "/.api/gateway/http-then-websocket")
WEBSOCKETS = ("/v2/websocket", "/.api/gateway/websocket")

SCENARIO = """
[[rule]]
model = "five"
tokens = 5

[[rule]]
model = "limited"
status = 429
retry_after = "Fri, 20 Nov 2026 05:00:00 UTC"

[[rule]]
model = "breaker"
status = 503
retry_after = 7
body = { error = { message = "the model is currently unavailable" } }

[[rule]]
model = "overloaded"
status = 529
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


@pytest.mark.parametrize("path", ANTHROPIC)
def test_anthropic_streams_a_message_in_its_order(client: httpx.Client, path: str) -> None:
    start, block, ping, *deltas, block_stop, delta, stop = ask_anthropic(client, "five", path)
    message = start["message"]
    assert message["id"].startswith("msg_")
    assert (message["type"], message["role"], message["model"]) == ("message", "assistant", "five")
    assert (message["content"], message["stop_reason"]) == ([], None)
    assert message["usage"] == {"input_tokens": len(pieces("two words")), "output_tokens": 1}
    assert block == {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    assert ping == {"type": "ping"}
    assert [one["type"] for one in deltas] == ["content_block_delta"] * 5
    assert all(one["index"] == 0 and one["delta"]["type"] == "text_delta" and one["delta"]["text"] for one in deltas)
    assert block_stop == {"type": "content_block_stop", "index": 0}
    assert delta["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert delta["usage"] == {"output_tokens": 5}
    assert stop == {"type": "message_stop"}


def test_anthropic_answers_whole_when_no_stream_is_asked_for(client: httpx.Client) -> None:
    response = client.post(ANTHROPIC[0], json=question("five", stream=False))
    message = response.json()
    assert response.headers["content-type"] == "application/json"
    assert [block["type"] for block in message["content"]] == ["text"]
    assert len(pieces(message["content"][0]["text"])) == 5
    assert (message["type"], message["role"], message["model"]) == ("message", "assistant", "five")
    assert (message["stop_reason"], message["usage"]["output_tokens"]) == ("end_turn", 5)


@pytest.mark.parametrize("include_usage", [True, False])
def test_openai_streams_chunks_in_their_order(client: httpx.Client, include_usage: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if include_usage else {}
    *events, done = ask_openai(client, "five", **options)
    chunks = [json.loads(event.data) for event in events]
    assert done.data == "[DONE]"
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert len({chunk["created"] for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["model"] for chunk in chunks} == {"five"}
    if include_usage:
        *chunks, usage = chunks
        assert usage["choices"] == []
        assert usage["usage"] == {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}
        assert all(chunk["usage"] is None for chunk in chunks)
    else:
        assert all("usage" not in chunk for chunk in chunks)
    choices = [chunk["choices"][0] for chunk in chunks]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert [set(choice["delta"]) for choice in choices[1:-1]] == [{"content"}] * 5
    assert all(choice["delta"]["content"] for choice in choices[1:-1])
    assert choices[-1]["delta"] == {}
    assert [choice["finish_reason"] for choice in choices] == [None] * 6 + ["stop"]


def test_openai_answers_whole_when_no_stream_is_asked_for(client: httpx.Client) -> None:
    completion = client.post(CHAT, json=question("five", stream=False)).json()
    assert completion["object"] == "chat.completion"
    assert completion["usage"] == {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}
    choice = completion["choices"][0]
    assert (choice["message"]["role"], choice["finish_reason"]) == ("assistant", "stop")
    assert len(pieces(choice["message"]["content"])) == 5


def test_the_token_limit_ends_an_answer_and_is_its_stop_reason(client: httpx.Client) -> None:
    anthropic = ask_anthropic(client, "five", max_tokens=3)
    assert [one["type"] for one in anthropic].count("content_block_delta") == 3
    assert anthropic[-2]["delta"]["stop_reason"] == "max_tokens"
    assert anthropic[-2]["usage"]["output_tokens"] == 3
    openai = ask_openai(client, "five", max_completion_tokens=3)
    assert json.loads(openai[-2].data)["choices"][0]["finish_reason"] == "length"
    assert ask_anthropic(client, "five", max_tokens=5)[-2]["delta"]["stop_reason"] == "end_turn"


def test_a_stream_is_never_cached_nor_buffered_on_its_way(client: httpx.Client) -> None:
    headers = client.post(CHAT, json=question("five")).headers
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert headers["transfer-encoding"] == "chunked"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", CHAT, question("five")),
        ("POST", CHAT, question("five", stream=False)),
        ("POST", CHAT, question("breaker")),
        ("POST", "/v2/http", None),
        ("GET", "/gateway/health", None),
        ("GET", "/nowhere", None),
    ],
)
def test_every_answer_carries_its_ids(client: httpx.Client, method: str, path: str, body: Any) -> None:
    fresh = [client.request(method, path, json=body).headers for _ in range(2)]
    assert fresh[0]["x-trace"] != fresh[1]["x-trace"]
    assert fresh[0]["x-request-id"] != fresh[1]["x-request-id"]
    trace = "0af7651916cd43dd8448eb211c80319c"
    own = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "x-request-id": "mine-1"}
    echoed = client.request(method, path, json=body, headers=own).headers
    assert (echoed["x-trace"], echoed["x-request-id"]) == (trace, "mine-1")


@pytest.mark.parametrize("bad", ["a b", "x" * 200, "\x1b[31m"])
def test_an_id_that_is_none_is_not_echoed(client: httpx.Client, bad: str) -> None:
    headers = client.get("/gateway/health", headers={"x-request-id": bad, "traceparent": bad}).headers
    assert headers["x-request-id"].startswith("req_")
    assert len(headers["x-trace"]) == 32


REFUSALS: list[tuple[dict[str, Any], dict[str, str], int, str, str | None]] = [
    # body, headers, status, Anthropic's error type, OpenAI's error code
    (question("five"), {"authorization": "Bearer invalid"}, 401, "authentication_error", "invalid_api_key"),
    (question("five"), {"authorization": "token invalid"}, 401, "authentication_error", "invalid_api_key"),
    (question("five"), {"x-api-key": "invalid"}, 401, "authentication_error", "invalid_api_key"),
    (question("no-such-model"), {}, 404, "not_found_error", "model_not_found"),
    (question("limited"), {}, 429, "rate_limit_error", "rate_limit_exceeded"),
    (question("overloaded"), {}, 529, "overloaded_error", None),
    ({"model": "five", "max_tokens": 5}, {}, 400, "invalid_request_error", None),
    (question("five", max_tokens=0), {}, 400, "invalid_request_error", None),
    (question("five", messages=[]), {}, 400, "invalid_request_error", None),
    (question("five", stream="yes"), {}, 400, "invalid_request_error", None),
]


@pytest.mark.parametrize(("body", "headers", "status", "kind", "code"), REFUSALS)
def test_a_refusal_has_the_form_of_its_api(
    client: httpx.Client, body: dict[str, Any], headers: dict[str, str], status: int, kind: str, code: str | None
) -> None:
    anthropic = client.post(ANTHROPIC[0], json=body, headers=headers)
    assert anthropic.status_code == status
    assert anthropic.json()["type"] == "error"
    assert anthropic.json()["error"]["type"] == kind
    assert anthropic.json()["error"]["message"]
    openai = client.post(CHAT, json=body, headers=headers)
    assert openai.status_code == status
    assert set(openai.json()["error"]) == {"message", "type", "param", "code"}
    assert openai.json()["error"]["code"] == code


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"ping"])
@pytest.mark.parametrize("path", [ANTHROPIC[0], CHAT])
def test_a_body_that_is_no_question_is_refused(client: httpx.Client, path: str, body: bytes) -> None:
    response = client.post(path, content=body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_any_other_key_will_do(client: httpx.Client) -> None:
    headers = {"authorization": "Bearer sgd_canary", "x-api-key": "sk-canary"}
    response = client.post(CHAT, json=question("five"), headers=headers)
    assert response.status_code == 200
    assert "canary" not in response.text + str(response.headers)


@pytest.mark.parametrize("path", HTTP_PINGS)
def test_http_pings(client: httpx.Client, path: str) -> None:
    pong = client.post(path, content=b"ping")
    assert (pong.status_code, pong.text) == (200, "pong")
    assert pong.headers["content-type"].startswith("text/plain")
    assert client.post(path, content=b"pin").status_code == 400
    assert client.post(path, content=b"ping", headers={"authorization": "token invalid"}).status_code == 401
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("path", WEBSOCKETS)
def test_websocket_pings(gateway: Gateway, path: str) -> None:
    with gateway.websocket(path) as websocket:
        assert websocket.response is not None
        assert len(websocket.response.headers["x-trace"]) == 32
        for _ in range(3):
            websocket.send("ping")
            assert websocket.recv(10) == "pong"
        for odd in ("pang", b"ping", ""):
            websocket.send(odd)
            assert websocket.recv(10) != "pong"
        websocket.send("ping")
        assert websocket.recv(10) == "pong"


def test_a_websocket_with_an_invalid_key_is_denied(gateway: Gateway) -> None:
    with pytest.raises(InvalidStatus) as denied:
        gateway.websocket(WEBSOCKETS[0], {"authorization": "token invalid"})
    assert denied.value.response.status_code == 401
    assert denied.value.response.headers["x-trace"]


def test_health_and_version(client: httpx.Client) -> None:
    health = client.get("/gateway/health").json()
    assert health["status"] == "healthy"
    assert health["providers"]["anthropic"] is True
    assert set(health["routing"]) == {"default_provider", "fallback_chain"}
    assert isinstance(health["audit"]["enabled"], bool)
    assert client.get("/-/__version").text


def test_no_such_path_is_a_readable_refusal(client: httpx.Client) -> None:
    assert client.post("/nowhere").status_code == 404
    assert "/nowhere" in client.post("/nowhere").json()["error"]["message"]
    assert client.get(CHAT).status_code == 405
    assert client.get(CHAT).headers["allow"] == "POST"


def test_concurrent_streams_keep_their_own_text(gateway: Gateway) -> None:
    results: dict[int, tuple[str, int]] = {}

    def ask(number: int) -> None:
        with httpx.Client(base_url=gateway.url, trust_env=False, timeout=10) as client:
            payloads = ask_anthropic(client, f"crowd-{number}")
        served = payloads[0]["message"]["model"]
        deltas = [one for one in payloads if one["type"] == "content_block_delta"]
        results[number] = (served, len(deltas) - payloads[-2]["usage"]["output_tokens"])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == {number: (f"crowd-{number}", 0) for number in range(12)}
