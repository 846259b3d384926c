"""The embedded gateway over real loopback sockets: what every API sends, what every fault looks like, how it ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from support.gateways import Gateway, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gwtui.demo.texts import pieces
from gwtui.sse import ServerSentEvent, SSEParser

ANTHROPIC = ("/v1/messages", "/v1/completions/anthropic-messages")
CHAT = "/v1/chat/completions"
HTTP_PINGS = ("/v2/http", "/.api/gateway/http", "/.api/gateway/http-then-websocket")
WEBSOCKETS = ("/v2/websocket", "/.api/gateway/websocket")
LATER_S = 1000.0
MUCH_LATER_S = 2000.0

SCENARIO = """
[[rule]]
model = "five"
tokens = 5

[[rule]]
model = "cut"
tokens = 5
cut_after = 4

[[rule]]
model = "nothing"
cut_after = 0

[[rule]]
model = "error"
tokens = 5
error_after = 6
error_type = "api_error"
error_message = "the upstream went away"

[[rule]]
model = "buffered"
tokens = 200
buffer = true

[[rule]]
model = "stalled"
tokens = 5
stall_after = 3

[[rule]]
model = "fallback"
no_stream = true

[[rule]]
model = "aliased"
served_model = "another-model"
headers = { "x-cody-resolved-model" = "another-model", "Content-Type" = "text/event-stream; charset=utf-8" }

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
model = "html"
status = 502
headers = { "content-type" = "text/html" }
body = "<html><center>nginx</center></html>"

[[rule]]
model = "overloaded"
status = 529

[[rule]]
model = "second"
every_nth = 2
status = 500

[[rule]]
model = "later"
from_s = 1000
to_s = 1010
status = 500

[[rule]]
path = "/.api/gateway/*"
from_s = 1000
to_s = 1010
status = 503
retry_after = 3

[[rule]]
path = "/.api/gateway/websocket"
from_s = 2000
to_s = 2010
close_after = 2
close_reason = "restarting"

[[rule]]
path = "/v2/websocket"
from_s = 2000
to_s = 2010
drop = true

[[rule]]
path = "/v2/http"
from_s = 2000
to_s = 2010
body = "pang"
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=10) as client:
        yield client


def question(model: str, *, stream: object = True, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "two words"}]
    return {"model": model, "max_tokens": 1000, "stream": stream, "messages": messages, **fields}


def events_of(response: httpx.Response) -> list[ServerSentEvent]:
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return SSEParser().feed(response.content)


def ask_anthropic(client: httpx.Client, model: str, path: str = ANTHROPIC[0], **fields: Any) -> list[dict[str, Any]]:
    """The payloads of a stream; every event is named as its payload is typed."""
    events = events_of(client.post(path, json=question(model, **fields)))
    payloads: list[dict[str, Any]] = [json.loads(event.data) for event in events]
    assert [event.event for event in events] == [payload["type"] for payload in payloads]
    return payloads


def ask_openai(client: httpx.Client, model: str, **fields: Any) -> list[ServerSentEvent]:
    events = events_of(client.post(CHAT, json=question(model, **fields)))
    assert {event.event for event in events} <= {"message"}
    return events


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


def test_the_token_limit_ends_an_answer_and_is_said_to(client: httpx.Client) -> None:
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
def test_every_answer_tells_its_ids(client: httpx.Client, method: str, path: str, body: Any) -> None:
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


def test_a_scripted_refusal_carries_its_body_and_its_wait(client: httpx.Client) -> None:
    breaker = client.post(CHAT, json=question("breaker"))
    assert (breaker.status_code, breaker.headers["retry-after"]) == (503, "7")
    assert breaker.json() == {"error": {"message": "the model is currently unavailable"}}
    html = client.post(CHAT, json=question("html"))
    assert (html.status_code, html.headers["content-type"]) == (502, "text/html")
    assert "nginx" in html.text
    limited = client.post(ANTHROPIC[0], json=question("limited"))
    assert limited.headers["retry-after"] == "Fri, 20 Nov 2026 05:00:00 UTC"


def test_a_cut_stream_ends_as_a_clean_response(client: httpx.Client) -> None:
    assert [one["type"] for one in ask_anthropic(client, "cut")] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
    ]
    cut = ask_openai(client, "cut")
    assert len(cut) == 4
    assert all(json.loads(event.data)["choices"][0]["finish_reason"] is None for event in cut)


def test_a_stream_may_end_before_its_first_event(client: httpx.Client) -> None:
    assert ask_anthropic(client, "nothing") == []
    assert ask_openai(client, "nothing") == []


def test_an_error_breaks_a_stream_off_in_the_form_of_its_api(client: httpx.Client) -> None:
    message = "the upstream went away"
    anthropic = ask_anthropic(client, "error")
    assert len(anthropic) == 7
    assert anthropic[-1] == {"type": "error", "error": {"type": "api_error", "message": message}}
    openai = ask_openai(client, "error")
    assert len(openai) == 7
    assert json.loads(openai[-1].data)["error"]["message"] == message


def test_a_buffered_stream_comes_in_one_burst(gateway: Gateway, client: httpx.Client) -> None:
    with client.stream("POST", CHAT, json=question("buffered")) as response:
        chunks = list(response.iter_raw())
    events = SSEParser().feed(b"".join(chunks))
    assert len(events) == 203
    assert len(chunks) <= 3


def test_a_stalled_stream_stays_open_in_silence_until_the_client_leaves(gateway: Gateway) -> None:
    timeout = httpx.Timeout(10, read=0.2)
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=timeout) as client:
        parser, events = SSEParser(), list[ServerSentEvent]()
        with client.stream("POST", CHAT, json=question("stalled")) as response:
            chunks = response.iter_raw()
            while len(events) < 3:
                events += parser.feed(next(chunks))
            with pytest.raises(httpx.ReadTimeout):
                next(chunks)
    assert len(events) == 3
    assert _soon(lambda: not gateway.server.server_state.tasks)


def test_a_fallback_answers_a_stream_request_with_one_message(client: httpx.Client) -> None:
    for path in (ANTHROPIC[0], CHAT):
        response = client.post(path, json=question("fallback"))
        assert response.headers["content-type"] == "application/json"
        assert response.json()["model"] == "fallback"


def test_another_model_may_answer(client: httpx.Client) -> None:
    assert ask_anthropic(client, "aliased")[0]["message"]["model"] == "another-model"
    response = client.post(CHAT, json=question("aliased"))
    assert json.loads(events_of(response)[0].data)["model"] == "another-model"
    assert response.headers["x-cody-resolved-model"] == "another-model"
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"


def test_requests_are_counted_by_path_and_model(client: httpx.Client) -> None:
    statuses = [client.post(CHAT, json=question("second")).status_code for _ in range(4)]
    others = [client.post(ANTHROPIC[0], json=question("second")).status_code for _ in range(2)]
    assert (statuses, others) == ([200, 500, 200, 500], [200, 500])


def test_a_time_slot_follows_the_gateways_clock(gateway: Gateway, client: httpx.Client) -> None:
    def status() -> int:
        return client.post(CHAT, json=question("later")).status_code

    before = status()
    with gateway.at(LATER_S):
        during = status()
    assert (before, during, status()) == (200, 500, 200)


@pytest.mark.parametrize("path", HTTP_PINGS)
def test_http_pings(client: httpx.Client, path: str) -> None:
    pong = client.post(path, content=b"ping")
    assert (pong.status_code, pong.text) == (200, "pong")
    assert pong.headers["content-type"].startswith("text/plain")
    assert client.post(path, content=b"pin").status_code == 400
    assert client.post(path, content=b"ping", headers={"authorization": "token invalid"}).status_code == 401
    assert client.get(path).status_code == 405


def test_http_pings_can_be_wrong_and_refused(gateway: Gateway, client: httpx.Client) -> None:
    with gateway.at(MUCH_LATER_S):
        assert client.post("/v2/http", content=b"ping").text == "pang"
    with gateway.at(LATER_S):
        refused = client.post("/.api/gateway/http", content=b"ping")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")


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


def test_a_refusing_gateway_denies_and_closes_websockets(gateway: Gateway) -> None:
    with gateway.websocket(WEBSOCKETS[1]) as websocket, gateway.at(LATER_S):
        with pytest.raises(InvalidStatus) as denied:
            gateway.websocket(WEBSOCKETS[1])
        websocket.send("ping")
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(10)
    assert denied.value.response.status_code == 503
    assert denied.value.response.headers["retry-after"] == "3"
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013


def test_a_ping_can_be_lost_and_a_websocket_closed(gateway: Gateway) -> None:
    with gateway.websocket(WEBSOCKETS[0]) as websocket:
        with gateway.at(MUCH_LATER_S):
            websocket.send("ping")
            with pytest.raises(TimeoutError):
                websocket.recv(0.1)
        websocket.send("ping")
        assert websocket.recv(10) == "pong"
    with gateway.at(MUCH_LATER_S), gateway.websocket(WEBSOCKETS[1]) as websocket:
        for _ in range(2):
            websocket.send("ping")
            assert websocket.recv(10) == "pong"
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(10)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "restarting")


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


def _soon(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
