"""What the rules of a scenario make of the embedded gateway: refusals, cuts, silence, other models, lost pings."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from support.gateways import Gateway, comes_true, serving
from support.questions import ANTHROPIC, CHAT, ask_anthropic, ask_openai, events_of, question
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gwtui.framing.sse import ServerSentEvent, SSEParser

WEBSOCKETS = ("/v2/websocket", "/.api/gateway/websocket")
LATER_S = 1000.0
MUCH_LATER_S = 2000.0

SCENARIO = """
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
    assert comes_true(lambda: not gateway.server.server_state.tasks)


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


def test_http_pings_can_be_wrong_and_refused(gateway: Gateway, client: httpx.Client) -> None:
    with gateway.at(MUCH_LATER_S):
        assert client.post("/v2/http", content=b"ping").text == "pang"
    with gateway.at(LATER_S):
        refused = client.post("/.api/gateway/http", content=b"ping")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")


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
