"""OpenAI Chat Completions: what is asked, and what a whole answer is taken for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.streams import json_values, names

from gwtui.apis.base import AskError, Usage
from gwtui.apis.models import same_model
from gwtui.apis.openai.chat import OPENAI_CHAT
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

JSON = json_values("choices", "message", "content", "usage", "error", "model", "finish_reason", "code", "type")


def endpoint(**fields: Any) -> Endpoint:
    return Endpoint(**{"name": "e", "api": "openai-chat", "url": "http://h:1", **fields})


def body_of(asked: Endpoint) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(OPENAI_CHAT.ask(asked, None).body)
    return body


def test_the_example_request() -> None:
    ask = OPENAI_CHAT.ask(endpoint(), "k")
    assert (ask.method, ask.url) == ("POST", "http://h:1/v1/chat/completions")
    assert dict(ask.headers) == {
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "Authorization": "Bearer k",
    }
    assert json.loads(ask.body) == {
        "model": "gpt-6-luna",
        "messages": [{"role": "user", "content": "Write a bubble sort in Python."}],
        "stream": True,
        "max_completion_tokens": 256,
        "reasoning_effort": "none",
        "stream_options": {"include_usage": True},
    }


def test_one_answer_is_asked_for_without_stream_options() -> None:
    ask = OPENAI_CHAT.ask(endpoint(stream=False), None)
    assert json.loads(ask.body)["stream"] is False
    assert "stream_options" not in json.loads(ask.body)
    assert dict(ask.headers) == {"Content-Type": "application/json", "Accept": "application/json"}


def test_the_endpoint_has_the_last_word() -> None:
    own = ({"role": "system", "content": "s"}, {"role": "user", "content": "u"})
    body = body_of(endpoint(model="m", messages=own, max_tokens=9, body={"n": 2, "stream_options": {}}))
    assert body == {"model": "m", "messages": list(own), "max_tokens": 9, "stream": True, "n": 2, "stream_options": {}}
    assert body_of(endpoint(prompt="hi"))["messages"] == [{"role": "user", "content": "hi"}]


def test_the_newer_token_limit_takes_the_place_of_the_older() -> None:
    body = body_of(endpoint(body={"max_completion_tokens": 5}))
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


def test_what_cannot_be_asked() -> None:
    with pytest.raises(AskError, match="`body` must be a table"):
        OPENAI_CHAT.ask(endpoint(body="x"), None)
    with pytest.raises(AskError, match="`url` must begin with"):
        OPENAI_CHAT.ask(endpoint(url="h:1"), None)


@pytest.mark.parametrize(
    ("url", "path", "asked"),
    [
        ("http://h", None, "http://h/v1/chat/completions"),
        ("http://h/", None, "http://h/v1/chat/completions"),
        ("https://h/api/v1", None, "https://h/api/v1/chat/completions"),
        ("https://h/api/v1/", None, "https://h/api/v1/chat/completions"),
        ("https://h/v1/chat/completions", None, "https://h/v1/chat/completions"),
        ("https://h/v1?k=v", None, "https://h/v1/chat/completions?k=v"),
        ("https://h/v1", "/v1/x", "https://h/v1/v1/x"),
        ("https://h/openai/", "deployments/d?api-version=1", "https://h/openai/deployments/d?api-version=1"),
        ("https://h/whole", "", "https://h/whole"),
        ("ws://h", None, "http://h/v1/chat/completions"),
        ("wss://[::1]:8/", None, "https://[::1]:8/v1/chat/completions"),
    ],
)
def test_the_url(url: str, path: str | None, asked: str) -> None:
    assert OPENAI_CHAT.ask(endpoint(url=url, path=path), None).url == asked


WHOLE: dict[str, Any] = {
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "def f"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5},
}


def with_choice(message: Any, reason: str | None = "stop", **fields: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": reason}], **fields}


ANSWERS = [
    ("good", WHOLE, Verdict.COMPLETE, "openai.answer"),
    ("tool call", with_choice({"tool_calls": [{}]}, "tool_calls"), Verdict.COMPLETE, "openai.answer"),
    ("refusal", with_choice({"content": None, "refusal": "no"}), Verdict.COMPLETE, "openai.answer"),
    ("cut by length", with_choice({"content": ""}, "length"), Verdict.COMPLETE, "openai.answer"),
    ("nothing in it", with_choice({"content": ""}), Verdict.EMPTY, "openai.no-content"),
    ("finish_reason error", with_choice({"content": "a"}, "error"), Verdict.SERVER_ERROR, "openai.finish-error"),
    ("error in a 200", {"error": {"code": 429, "message": "Rate limit reached"}}, Verdict.RATE_LIMITED,
     "openai.error-in-200"),
    ("no choices", {"choices": []}, Verdict.WRONG_BODY, "openai.not-a-completion"),
    ("other JSON", {"content": []}, Verdict.WRONG_BODY, "openai.not-a-completion"),
    ("choices of another form", {"choices": 7}, Verdict.WRONG_BODY, "openai.not-a-completion"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "verdict", "rule"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_whole_answers(body: dict[str, Any], verdict: Verdict, rule: str) -> None:
    answer = OPENAI_CHAT.answer(endpoint(stream=False), 200, json.dumps(body).encode())
    assert (answer.judgement.verdict, answer.judgement.rule) == (verdict, rule)


def test_what_a_whole_answer_holds() -> None:
    answer = OPENAI_CHAT.answer(endpoint(model="gpt-4o"), 200, json.dumps(WHOLE).encode())
    assert (answer.text, answer.usage) == ("def f", Usage(3, 5))
    assert names(answer.findings) == [FindingName.MODEL_DIFFERS]


@given(st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_answered_and_never_raises(body: bytes) -> None:
    assert OPENAI_CHAT.answer(endpoint(), 200, body).judgement.reason.isprintable()


@pytest.mark.parametrize(
    ("asked", "served", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4", "gpt-4-0613", True),
        ("gpt-4", "gpt-4o-mini", False),
        ("gpt-4", "gpt-4-32k", False),
        ("gpt-4", "gpt-4.1", False),
        ("claude-sonnet-4", "claude-sonnet-4-5", False),
        ("claude-3-haiku-20240307", "claude-3-haiku-20240307", True),
        ("anthropic/claude-3-haiku", "claude-3-haiku-20240307", True),
        ("claude-3-haiku-20240307", "us.anthropic.claude-3-haiku-20240307-v1:0", True),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022", True),
        ("Llama3", "llama3:latest", True),
        ("claude-3-haiku", "claude-3-opus", False),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929", True),
        ("anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet-20250219", True),
        ("meta-llama/llama-3.3-70b-instruct:free", "llama-3.3-70b-instruct", True),
        ("deepseek/deepseek-r1:nitro", "deepseek-r1:floor", True),
        ("openai/gpt-4o:online", "gpt-4o", True),
        ("gpt-35-turbo", "gpt-3.5-turbo-0125", True),
        ("gemini-2.5-flash", "gemini-2.5-flash-preview-05-20", True),
        ("mistral-small-latest", "mistral-small-2506", True),
        ("mistral-small-2503", "mistral-small-2506", False),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20", False),
        ("qwen-2.5-72b", "qwen-2.5-7b", False),
        ("llama3.2", "llama3.2:1b", False),
        ("model-1-2", "model-2-1", False),
        ("my-gpt4o-prod", "gpt-4o", False),
        ("tiny", "tiny.gguf", True),
        ("tiny.gguf", "/models/tiny.gguf", True),
        ("Qwen3-4B", "models/qwen3-4b-00001-of-00003.gguf", True),
        ("gemma-3-4b-it", "gemma-3-4b-it-Q4_K_M.gguf", True),
        ("tiny", "tiny.IQ2_XXS.gguf", True),
        ("ggml-org/gemma-3-4b-it-GGUF:Q8_0", "gemma-3-4b-it.Q8_0.gguf", True),
        ("gemma-3-4b-it-Q8_0", "gemma-3-4b-it-Q4_K_M.gguf", False),
        ("tiny", "small.gguf", False),
        ("gpt-4o", "tiny.gguf", False),
        ("gguf", "tiny.gguf", False),
    ],
)
def test_an_alias_and_its_dated_name_are_one_model(asked: str, served: str, same: bool) -> None:
    assert same_model(asked, served) is same
