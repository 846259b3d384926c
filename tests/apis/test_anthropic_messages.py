"""Anthropic Messages: what is asked, and what a whole answer or an error body is taken for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.streams import json_values, names

from gwtui.apis.anthropic.messages import ANTHROPIC_MESSAGES
from gwtui.apis.base import AskError, Usage
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

MODEL = "claude-3-haiku-20240307"
COMPLETE = Verdict.COMPLETE
JSON = json_values("type", "content", "usage", "error", "message", "model", "stop_reason", "text", "code")


def endpoint(**fields: Any) -> Endpoint:
    return Endpoint(name="e", api="anthropic-messages", url="http://h:1", **fields)


def body_of(asked: Endpoint) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(ANTHROPIC_MESSAGES.ask(asked, None).body)
    return body


def test_the_example_request() -> None:
    ask = ANTHROPIC_MESSAGES.ask(endpoint(), "k")
    assert (ask.method, ask.url) == ("POST", "http://h:1/v1/messages")
    assert dict(ask.headers) == {
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "anthropic-version": "2023-06-01",
        "x-api-key": "k",
    }
    assert json.loads(ask.body) == {
        "model": "claude-haiku-5-5",
        "max_tokens": 256,
        "stream": True,
        "thinking": {"type": "disabled"},
        "messages": [{"role": "user", "content": "def bubble_sort(arr):"}],
    }


@pytest.mark.parametrize(
    ("key", "auth", "header"),
    [
        ("sk-ant-api", None, ("x-api-key", "sk-ant-api")),
        ("sk-ant-oat01", None, ("Authorization", "Bearer sk-ant-oat01")),
        ("k", "bearer", ("Authorization", "Bearer k")),
        ("k", "token", ("Authorization", "token k")),
        ("sk-ant-oat01", "x-api-key", ("x-api-key", "sk-ant-oat01")),
        ("k", "api-key", ("api-key", "k")),
    ],
)
def test_how_the_key_is_sent(key: str, auth: Any, header: tuple[str, str]) -> None:
    assert ANTHROPIC_MESSAGES.ask(endpoint(auth=auth), key).headers[-1] == header


def test_the_endpoint_has_the_last_word() -> None:
    body = body_of(endpoint(model="m", prompt="hi", max_tokens=5, stream=False, body={"agent_type": "x", "top_k": 3}))
    assert body == {
        "model": "m",
        "max_tokens": 5,
        "stream": False,
        "messages": [{"role": "user", "content": "hi"}],
        "agent_type": "x",
        "top_k": 3,
    }
    own = ({"role": "user", "content": [{"type": "text", "text": "a"}]},)
    assert body_of(endpoint(messages=own, body={"temperature": 1}))["messages"] == list(own)
    assert body_of(endpoint(body={"temperature": 1}))["temperature"] == 1


@pytest.mark.parametrize("named", [{"model": "claude-x"}, {"body": {"model": "claude-x"}}])
def test_another_model_may_think(named: dict[str, Any]) -> None:
    body = body_of(endpoint(**named))
    assert body["model"] == "claude-x"
    assert "thinking" not in body


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"body": "text"}, "`body` must be a table"),
        ({"body": {"stream": False}}, "set `stream` instead"),
        ({"body": {"x": object()}}, "that JSON cannot represent"),
        ({"url": "ftp://h"}, "`url` must begin with"),
        ({"url": "http://[h"}, "`url`"),
    ],
)
def test_what_cannot_be_asked(fields: dict[str, Any], expected: str) -> None:
    asked = Endpoint(**{"name": "e", "api": "anthropic-messages", "url": "http://h", **fields})
    with pytest.raises(AskError, match=expected):
        ANTHROPIC_MESSAGES.ask(asked, None)


@pytest.mark.parametrize("key", ["secret\n", "sécret", "sec\x00ret", ' "secret"'])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(AskError) as caught:
        ANTHROPIC_MESSAGES.ask(endpoint(), key)
    assert "ret" not in str(caught.value)


WHOLE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [{"type": "text", "text": "def "}, {"type": "text", "text": "f"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 5},
}
ANSWERS = [
    ("good", WHOLE, COMPLETE, "anthropic.answer"),
    ("refusal", WHOLE | {"content": [], "usage": {}, "stop_reason": "refusal"}, COMPLETE, "anthropic.answer"),
    ("tool call", WHOLE | {"content": [{"type": "tool_use"}], "usage": {}}, COMPLETE, "anthropic.answer"),
    ("nothing in it", WHOLE | {"content": [], "usage": {}}, Verdict.EMPTY, "anthropic.no-content"),
    ("error in a 200", {"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
     Verdict.OVERLOADED, "anthropic.error-in-200"),
    ("unknown error in a 200", {"error": "boom"}, Verdict.SERVER_ERROR, "anthropic.error-in-200"),
    ("other JSON", {"choices": []}, Verdict.WRONG_BODY, "anthropic.not-a-message"),
    ("content that is a text", WHOLE | {"content": "x"}, Verdict.WRONG_BODY, "anthropic.not-a-message"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "verdict", "rule"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_whole_answers(body: dict[str, Any], verdict: Verdict, rule: str) -> None:
    answer = ANTHROPIC_MESSAGES.answer(endpoint(stream=False), 200, json.dumps(body).encode())
    assert (answer.judgement.verdict, answer.judgement.rule) == (verdict, rule)


def test_what_a_whole_answer_holds() -> None:
    answer = ANTHROPIC_MESSAGES.answer(endpoint(model="claude-3-opus"), 200, json.dumps(WHOLE).encode())
    assert (answer.text, answer.usage, answer.model_served) == ("def f", Usage(7, 5, cached_tokens=4), MODEL)
    assert names(answer.findings) == [FindingName.MODEL_DIFFERS]


@given(st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_answered_and_never_raises(body: bytes) -> None:
    assert ANTHROPIC_MESSAGES.answer(endpoint(), 200, body).judgement.rule.startswith("anthropic.")
    assert ANTHROPIC_MESSAGES.error_reason(body).isprintable()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "overloaded_error: Overloaded"),
        ('{"error":{"message":"no","type":"invalid_request","code":"bad"}}', "invalid_request: no (code bad)"),
        ('{"error":{"message":"no","code":502}}', "no (code 502)"),
        ('{"error":"plain"}', "plain"),
        ('[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]', "UNAVAILABLE: busy (code 503)"),
        ('{"detail":"Not Found"}', "Not Found"),
        ('{"message":"Invalid \\u001b[31mkey"}', "Invalid ␛[31mkey"),
        ('{"error":{"message":{"deep":1}}}', "{'deep': 1}"),
        ("<html>", ""),
        ('{"ok":true}', ""),
        ("[" * 100_000, ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_words_of_an_error_body(body: str, reason: str) -> None:
    assert ANTHROPIC_MESSAGES.error_reason(body.encode()) == reason
