"""What every API is asked with: the literal requests of its defaults, and the endpoint's last word on each field."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from gwtui.apis import APIS
from gwtui.apis.anthropic.messages import ANTHROPIC_MESSAGES
from gwtui.apis.base import Ask, AskError
from gwtui.apis.requests import choices_asked
from gwtui.config.templates import made_with
from gwtui.model.profile import Endpoint

FIM = "#hello.ts<｜fim▁begin｜>const sayHello = () => <｜fim▁hole｜><｜fim▁end｜>"
STOP = ["\n\n", "\n\r\n", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>, <|eos_token|>"]
PAIR = [
    {"role": "user", "content": "def bubble_sort(arr):"},
    {"role": "assistant", "content": "Here is a bubble sort:"},
]
SPOKEN = [{"speaker": "human", "text": "def bubble_sort(arr):"}, {"speaker": "assistant", "text": PAIR[1]["content"]}]


def endpoint(api: str, **fields: Any) -> Endpoint:
    return Endpoint(**{"name": "e", "api": api, "url": "https://h", **fields})


def ask(api: str, key: str | None = None, **fields: Any) -> Ask:
    return APIS[api].ask(endpoint(api, **fields), key)


def body_of(api: str, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(ask(api, **fields).body)
    return body


def sampling(**fields: Any) -> dict[str, Any]:
    return {"temperature": 0.2, "topK": 0, "topP": 0, **fields}


DEFAULTS = [
    ("anthropic-messages", "/v1/messages",
     {"model": "claude-haiku-5-5", "messages": PAIR[:1], "max_tokens": 256, "stream": True,
      "thinking": {"type": "disabled"}}),
    ("fireworks", "/v1/completions/fireworks",
     sampling(model="starcoder", prompt=FIM, max_tokens=256, stop=STOP, stream=True)),
    ("sourcegraph-stream", "/.api/completions/stream",
     {"model": "anthropic::2023-06-01::claude-3-haiku", "messages": SPOKEN, "maxTokensToSample": 256,
      "temperature": 0.0, "stream": True}),
    ("sourcegraph-code", "/.api/completions/code",
     sampling(model="fireworks::v1::starcoder", messages=[{"speaker": "human", "text": FIM}], maxTokensToSample=256,
              stopSequences=STOP, stream=True)),
    ("openai-completions", "/v1/completions",
     {"model": "gpt-3.5-turbo-instruct", "prompt": "def bubble_sort(arr):", "max_tokens": 256, "stream": True,
      "stream_options": {"include_usage": True}}),
    ("openai-responses", "/v1/responses",
     {"model": "gpt-6-luna", "input": "Write a bubble sort in Python.", "max_output_tokens": 256, "stream": True,
      "reasoning": {"effort": "none"}}),
    ("gemini", "/v1beta/models/gemini-3.5-flash-lite:streamGenerateContent?alt=sse",
     {"contents": [{"role": "user", "parts": [{"text": "Write a bubble sort in Python."}]}],
      "generationConfig": {"maxOutputTokens": 256}}),
    ("compare-stream", "/compare-stream",
     {"models": ["gpt-6-luna", "claude-haiku-5-5"], "prompt": "Write a bubble sort in Python.",
      "max_tokens": 256}),
]  # fmt: skip


@pytest.mark.parametrize(("api", "path", "body"), DEFAULTS, ids=[case[0] for case in DEFAULTS])
def test_the_request_of_the_defaults(api: str, path: str, body: dict[str, Any]) -> None:
    asked = ask(api)
    assert (asked.method, asked.url) == ("POST", f"https://h{path}")
    assert json.loads(asked.body) == body
    assert ("Content-Type", "application/json") in asked.headers


def test_the_whole_request_to_cody_gateway() -> None:
    fields: dict[str, Any] = {"url": "https://h", "stream": False, "max_tokens": 7}
    asked = ANTHROPIC_MESSAGES.ask(made_with(fields, "cody-gateway-anthropic"), "sgd_1")
    assert asked.url == "https://h/v1/completions/anthropic-messages"
    assert dict(asked.headers)["Authorization"] == "Bearer sgd_1"
    assert "x-api-key" not in dict(asked.headers)
    assert json.loads(asked.body) == {
        "model": "claude-3-haiku-20240307",
        "messages": PAIR,
        "max_tokens": 7,
        "temperature": 0.0,
        "stream": False,
    }


HEADERS = [
    ("fireworks", "Authorization", "Bearer k"),
    ("openai-completions", "Authorization", "Bearer k"),
    ("openai-responses", "Authorization", "Bearer k"),
    ("compare-stream", "Authorization", "Bearer k"),
    ("sourcegraph-stream", "Authorization", "token k"),
    ("sourcegraph-code", "Authorization", "token k"),
    ("gemini", "x-goog-api-key", "k"),
]


@pytest.mark.parametrize(("api", "name", "value"), HEADERS)
def test_how_the_key_is_sent(api: str, name: str, value: str) -> None:
    assert dict(ask(api, "k").headers)[name] == value
    assert name not in dict(ask(api).headers)
    assert dict(ask(api, "k", auth="api-key").headers)["api-key"] == "k"


@pytest.mark.parametrize("api", ["fireworks", "sourcegraph-stream", "sourcegraph-code"])
def test_sourcegraph_is_asked_for_a_trace_and_sent_the_feature(api: str) -> None:
    headers = dict(ask(api).headers)
    assert headers["X-Sourcegraph-Should-Trace"] == "true"
    assert headers["X-Sourcegraph-Feature"] == "code_completions"


@pytest.mark.parametrize("api", [case[0] for case in DEFAULTS if case[0] not in ("gemini", "compare-stream")])
def test_any_field_has_the_endpoints_last_word(api: str) -> None:
    own = {"model": "m2", "stop": ["x"], "temperature": 1.5, "further": {"deep": [1]}}
    body = body_of(api, model="m", stream=False, body=own)
    assert {name: body[name] for name in own} == own
    assert body["stream"] is False
    assert "stream_options" not in body
    with pytest.raises(AskError, match=r"`body\.stream` contradicts"):
        ask(api, body={"stream": False})


QUESTIONS = [
    ("fireworks", "prompt", "hi"),
    ("openai-completions", "prompt", "hi"),
    ("openai-responses", "input", "hi"),
    ("compare-stream", "prompt", "hi"),
    ("sourcegraph-stream", "messages", [{"speaker": "human", "text": "hi"}]),
    ("sourcegraph-code", "messages", [{"speaker": "human", "text": "hi"}]),
    ("gemini", "contents", [{"role": "user", "parts": [{"text": "hi"}]}]),
]


@pytest.mark.parametrize(("api", "field", "value"), QUESTIONS)
def test_the_prompt_is_one_message_of_the_user(api: str, field: str, value: object) -> None:
    assert body_of(api, prompt="hi")[field] == value


CONVERSATIONS = {
    "fireworks": "messages",
    "openai-responses": "input",
    "sourcegraph-stream": "messages",
    "sourcegraph-code": "messages",
    "gemini": "contents",
    "compare-stream": "messages",
}


@pytest.mark.parametrize(("api", "field"), CONVERSATIONS.items())
def test_messages_go_out_as_they_are(api: str, field: str) -> None:
    messages = ({"anything": ["the", "API", "wants"]},)
    body = body_of(api, messages=messages, prompt="unused")
    assert body[field] == list(messages)
    assert "prompt" not in body


def test_another_model_gets_no_prefilled_answer() -> None:
    assert body_of("sourcegraph-stream", model="anthropic::2024::claude-x")["messages"] == SPOKEN[:1]


def test_a_chosen_version_of_sourcegraphs_api_is_in_the_path() -> None:
    asked = ask("sourcegraph-stream", path="/.api/completions/stream?api-version=2&client-name=x")
    assert asked.url == "https://h/.api/completions/stream?api-version=2&client-name=x"


def test_what_is_asked_of_gemini() -> None:
    whole = ask("gemini", stream=False, model="models/gemini-x")
    assert whole.url == "https://h/v1beta/models/gemini-x:generateContent"
    assert ask("gemini", url="https://h/v1beta", model="a/b").url == (
        "https://h/v1beta/models/a%2Fb:streamGenerateContent?alt=sse"
    )
    assert ask("gemini", path="/p/{model}:go", model="m").url == "https://h/p/m:go"
    assert "model" not in body_of("gemini", model="m")
    assert "stream" not in body_of("gemini")
    body = body_of("gemini", max_tokens=9, body={"generationConfig": {"temperature": 1}, "tools": []})
    assert body["generationConfig"] == {"maxOutputTokens": 9, "temperature": 1}
    assert body["tools"] == []
    with pytest.raises(AskError, match=r"`body\.generationConfig`"):
        ask("gemini", body={"generationConfig": 3})


@pytest.mark.parametrize("api", APIS)
def test_a_path_may_have_a_place_for_the_model(api: str) -> None:
    asked = ask(api, path="/deployments/{model}/x?y=1", model="gpt-4o@1/b")
    assert unquote(asked.url) == "https://h/deployments/gpt-4o@1/b/x?y=1"
    assert ("1%2Fb/x" in asked.url) is (api != "workers-ai")  # whose models have slashes, as in its paths


def test_a_place_for_a_model_needs_one() -> None:
    with pytest.raises(AskError, match=r"`path` contains \{model\}: set `model`"):
        ask("http", path="/{model}")


def test_what_is_asked_of_a_comparison() -> None:
    assert body_of("compare-stream", model="a, b ,c")["models"] == ["a", "b", "c"]
    assert body_of("compare-stream", body={"models": ["x"]})["models"] == ["x"]
    renamed = body_of("compare-stream", model="a", fields={"models": "model_ids", "prompt": "question"})
    assert renamed == {"model_ids": ["a"], "question": "Write a bubble sort in Python.", "max_tokens": 256}
    with pytest.raises(AskError, match=r"`fields\.chunks`: unknown name; known: chunk"):
        ask("compare-stream", fields={"chunks": "x"})
    with pytest.raises(AskError, match="leave it on"):
        ask("compare-stream", stream=False)


def test_legacy_completions_take_no_messages() -> None:
    with pytest.raises(AskError, match="`messages`"):
        ask("openai-completions", messages=({"role": "user"},))


@pytest.mark.parametrize(
    ("body", "choices"),
    [
        (None, 1),
        ({"n": 3}, 3),
        ({"n": "3"}, 1),
        ({"prompt": ["a", "b"]}, 2),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1], [2]]}, 2),
    ],
)
def test_how_many_answers_are_asked_for_at_once(body: dict[str, Any] | None, choices: int) -> None:
    assert choices_asked(endpoint("openai-completions", body=body)) == choices
