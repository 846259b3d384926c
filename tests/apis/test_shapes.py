"""What came in place of an answer is named, in every framing, and an API's own events never are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace
from support.apis import SCRIPTS
from support.script import Script, response
from support.streams import decode

from gwtui.apis import APIS
from gwtui.apis.errors import find_error
from gwtui.apis.shapes import SAME, named_body, shape_of
from gwtui.model.enums import End
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict
from gwtui.verdict.classify import Transport, judge

CHAT = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("OpenAI Chat Completions", CHAT),
    ("OpenAI completions", {"choices": [{"index": 0, "text": "a"}]}),
    ("OpenAI Responses", {"type": "response.output_text.delta", "delta": "a"}),
    ("Anthropic Messages", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}),
    ("Gemini", {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}),
    ("Ollama", {"message": {"role": "assistant", "content": "a"}, "done": False}),
    ("Ollama", {"response": "a", "done": False}),
    ("Cohere v2", {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "a"}}}}),
    ("Workers AI", {"response": "a"}),
    ("TGI", {"token": {"text": "a"}, "generated_text": None}),
    ("Sourcegraph", {"deltaText": "a"}),
    ("", {"greeting": "a"}),
    ("", {"choices": []}),
]


@pytest.mark.parametrize(("name", "payload"), EVENTS)
def test_what_an_event_looks_like(name: str, payload: dict[str, Any]) -> None:
    assert shape_of(payload) == name
    assert named_body(json.dumps([payload, payload]).encode()) == name


@pytest.mark.parametrize("payload", [None, [], "x", 3, {}, {"type": 3}, {"choices": 3}, {"choices": [3]}])
def test_anything_else_looks_like_nothing(payload: object) -> None:
    assert shape_of(payload) == ""


def sse(*payloads: object) -> bytes:
    return "".join(f"data: {json.dumps(payload)}\n\n" for payload in payloads).encode()


def lines(*payloads: object) -> bytes:
    return "".join(f"{json.dumps(payload)}\n" for payload in payloads).encode()


FOREIGN = [
    (sse({"response": "a"}, {"response": "b"}), "text/event-stream", "2 events, none has `choices`; they look"),
    (sse({"greeting": "a"}), "text/event-stream", "one event, none has `choices`; the first begins: {"),
    (lines(*[{"message": {"content": "a"}, "done": False}] * 2), "text/event-stream", "it looks like Ollama"),
    (lines(*[{"message": {"content": "a"}, "done": False}] * 2), "application/x-ndjson", "it looks like Ollama"),
    (sse({"type": "content-delta", "delta": {}}), "application/x-ndjson", "an event stream came as application/x-nd"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "says"), FOREIGN)
def test_another_apis_answer_is_named(body: bytes, kind: str, says: str) -> None:
    judgement = decode(response(body, kind), "openai-chat").judgement
    assert judgement.verdict is Verdict.NOT_A_STREAM
    assert says in judgement.reason
    assert judgement.rule in ("stream.foreign", "stream.content-type")


@pytest.mark.parametrize("body", [[{"candidates": []}] * 2, {"candidates": []}], ids=["array", "one"])
def test_a_whole_answer_of_another_api_is_named(body: object) -> None:
    endpoint = Endpoint(name="e", api="openai-chat", url="http://h")
    for stream, verdict in ((True, Verdict.NOT_A_STREAM), (False, Verdict.WRONG_BODY)):
        kind = (("content-type", "application/json"),)
        transport = Transport(end=End.CLEAN, status=200, headers=kind, body=json.dumps(body).encode())
        judgement = judge(replace(endpoint, stream=stream), APIS["openai-chat"], transport).judgement
        assert judgement.verdict is verdict
        assert "looks like Gemini" in judgement.reason


def test_what_an_api_looks_like_is_known_of_each() -> None:
    assert {script.api for script in SCRIPTS} <= SAME.keys() | {"compare-stream"}
    assert SAME.keys() >= {name for name in SAME if name in APIS}


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_no_apis_own_stream_is_foreign(script: Script) -> None:
    for kept in range(len(script.good) + 1):
        assert decode(script.response(script.wire(script.good[:kept])), script.api).judgement.rule != "stream.foreign"
    empty = (*script.opening, *script.closing, *script.finish, *script.terminator)
    assert decode(script.response(script.wire(empty)), script.api).judgement.rule != "stream.foreign"


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"choices": None, "base_resp": {"status_code": 1002, "status_msg": "slow"}}, "status_code 1002: slow"),
        ({"base_resp": {"status_code": 0, "status_msg": ""}, "choices": []}, None),
        ({"error_code": 336, "error_msg": "busy"}, "error_code 336: busy"),
        ({"error_code": 0, "error_msg": ""}, None),
        ({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "x_groq": {"error": "full"}}, "full"),
        ({"choices": [{"index": 0, "delta": {}}], "x_groq": {"id": "r", "error": None}}, None),
        ({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error",
                       "error": {"code": 502, "message": "idle"}}]}, "idle (code 502)"),
        ({"choices": [{"index": 0, "delta": {}, "error": None}]}, None),
    ],
)  # fmt: skip
def test_a_status_in_place_of_an_error(payload: dict[str, Any], says: str | None) -> None:
    error = find_error(payload)
    assert (None if error is None else str(error)) == says
    decoded = decode(response(sse(payload), "text/event-stream"), "openai-chat").judgement
    assert (decoded.verdict is Verdict.ERROR_IN_STREAM) == (says is not None)
