"""The token limit under the name that a model takes, fields that are left out, and what a refusal of a name is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gwtui.apis import APIS, fields_sent
from gwtui.apis.outcome import wanted_of
from gwtui.apis.token_limit import chat_limit, refused_limit
from gwtui.config import ConfigError, endpoint_from
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

NEW, OLD = "max_completion_tokens", "max_tokens"
COMPLETIONS = [name for name, api in APIS.items() if api.kind is Kind.COMPLETION]
MODELS = [
    ("gpt-4o-mini", OLD),
    ("gpt-4.1", OLD),
    ("gpt-oss-120b", OLD),
    ("o1", NEW),
    ("o3-mini", NEW),
    ("o4-mini-2025-04-16", NEW),
    ("openai/gpt-5", NEW),
    ("gpt-5.6-luna", NEW),
    ("gpt-6-luna", NEW),
    ("gpt-10", NEW),
    ("o1a-of-ours", OLD),
    ("llama-4-scout", OLD),
    ("chatgpt-4o-latest", OLD),
]


def endpoint(api: str = "openai-chat", **fields: Any) -> Endpoint:
    return Endpoint(**{"name": "e", "api": api, "url": "https://h", "model": "m", **fields})


def body_of(asked: Endpoint) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(APIS[asked.api].ask(asked, None).body)
    return body


@pytest.mark.parametrize(("model", "name"), MODELS)
def test_a_model_is_sent_the_name_that_it_takes(model: str, name: str) -> None:
    assert chat_limit(model) == name
    body = body_of(endpoint(model=model, max_tokens=9))
    assert {key: value for key, value in body.items() if key in (OLD, NEW)} == {name: 9}


@pytest.mark.parametrize("chosen", [OLD, NEW])
def test_the_name_that_the_body_has_is_the_only_one(chosen: str) -> None:
    for model in ("gpt-4o", "gpt-5"):
        body = body_of(endpoint(model=model, body={chosen: 7}))
        assert {key: value for key, value in body.items() if key in (OLD, NEW)} == {chosen: 7}


@pytest.mark.parametrize("api", COMPLETIONS)
def test_without_a_limit_no_field_has_it(api: str) -> None:
    asked = endpoint(api, max_tokens=123_456, omit=("max_tokens",))
    assert "123456" not in json.dumps(body_of(asked))
    assert wanted_of(asked).max_tokens is None


def test_fields_and_fields_of_tables_are_left_out() -> None:
    assert "stream_options" not in body_of(endpoint(omit=("stream_options",)))
    assert "stream_options" not in body_of(endpoint(omit=("stream_options.include_usage",)))
    kept = body_of(endpoint(body={"stream_options": {"a": 1, "b": 2}}, omit=("stream_options.a", "model")))
    assert kept["stream_options"] == {"b": 2}
    assert "model" not in kept


@pytest.mark.parametrize("api", COMPLETIONS)
def test_every_field_that_is_sent_can_be_left_out(api: str) -> None:
    sent = endpoint(api)
    for name in body_of(sent):
        assert name in fields_sent(sent)
        assert name not in body_of(endpoint(api, omit=(name,)))


@pytest.mark.parametrize(
    ("omit", "hint"), [(["stream_option"], "stream_options"), (["max_token"], "max_tokens"), (["frobnicate"], "known")]
)
def test_what_is_not_sent_is_refused_with_the_nearest_name(omit: list[str], hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        endpoint_from({"name": "e", "api": "openai-chat", "url": "https://h", "omit": omit})
    (fault,) = refused.value.faults
    assert fault.key == "omit[0]"
    assert hint in fault.hint


@pytest.mark.parametrize("fields", [{"stream": False}, {"model": "m"}])
def test_what_other_settings_would_send_may_be_left_out(fields: dict[str, Any]) -> None:
    given = {"name": "e", "api": "openai-chat", "url": "https://h", "omit": ["stream_options"], **fields}
    assert endpoint_from(given).omit == ("stream_options",)


@pytest.mark.parametrize(
    ("api", "body", "path"),
    [
        ("openai-chat", {NEW: 2000}, (NEW,)),
        ("openai-chat", {OLD: 2000}, (OLD,)),
        ("gemini", {"generationConfig": {"maxOutputTokens": 2000}}, ("generationConfig", "maxOutputTokens")),
        ("ollama-chat", {"options": {"num_predict": 2000}}, ("options", "num_predict")),
    ],
)
def test_a_limit_over_an_endpoint_takes_effect_whatever_its_body_calls_it(
    api: str, body: dict[str, Any], path: tuple[str, ...]
) -> None:
    found: Any = body_of(endpoint_from({"max_tokens": 5}, endpoint(api, body=body)))
    for name in path:
        found = found[name]
    assert found == 5


REFUSALS = [
    (400, {"error": {"message": "no", "param": OLD}}, OLD),
    (400, {"error": {"message": f"'{OLD}' is not supported, use '{NEW}'", "param": OLD}}, OLD),
    (400, {"error": {"message": f"Unsupported parameter: '{OLD}'. Use '{NEW}' instead."}}, OLD),
    (422, {"detail": [{"loc": ["body", OLD], "msg": "extra input"}]}, OLD),
    (400, {"error": {"message": f"{OLD} is too large: 99999. This model allows at most 4096", "param": OLD}}, ""),
    (400, {"error": {"message": f"{NEW} must be between 1 and 5", "param": NEW}}, ""),
    (400, {"error": {"message": "messages: field required"}}, ""),
    (500, {"error": {"message": OLD, "param": OLD}}, ""),
    (None, {}, ""),
]


@pytest.mark.parametrize(("status", "answer", "refused"), REFUSALS)
def test_a_refusal_of_the_name_is_not_one_of_the_number(
    status: int | None, answer: dict[str, Any], refused: str
) -> None:
    asked = APIS["openai-chat"].ask(endpoint(), None)
    assert refused_limit(APIS["openai-chat"], status, asked.body, json.dumps(answer).encode()) == refused
    assert refused_limit(APIS["openai-completions"], status, asked.body, json.dumps(answer).encode()) == ""
