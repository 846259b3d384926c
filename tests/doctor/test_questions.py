"""What a base URL is asked next follows from what it answered, and never is more than promised."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.checked import request

from gwtui.apis import APIS, ASKED_APIS, url_for
from gwtui.doctor import MOST_REQUESTS, Answered, DoctorTarget, Inquiry, diagnose, next_question
from gwtui.doctor.documents import chosen_model, models_of
from gwtui.doctor.products import PRODUCTS, Seen, fronts_of, product_of
from gwtui.doctor.questions import SPOKEN, USUAL, apis_to_try, first_endpoint, root_of
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict

URL = "http://h"
Answers = Callable[[Inquiry], Request]


def examined(answers: Answers, target: DoctorTarget | None = None) -> list[Answered]:
    """All that is asked of a gateway with these answers."""
    answered: list[Answered] = []
    while (question := next_question(target or DoctorTarget(URL), answered)) is not None:
        answered.append(Answered(question, answers(question)))
    return answered


def all_of(verdict: Verdict, **fields: Any) -> Answers:
    return lambda _: request(verdict, **fields)


def topics(answered: list[Answered]) -> list[str]:
    return [each.question.topic for each in answered]


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1), st.data())
def test_no_more_is_asked_than_promised_and_nothing_twice(verdicts: list[Verdict], data: st.DataObject) -> None:
    texts = st.sampled_from(["", "{}", "[", '{"error": {"param": "max_tokens", "message": "max_completion_tokens"}}'])

    def answer(_: Inquiry) -> Request:
        verdict, text = data.draw(st.sampled_from(verdicts)), data.draw(texts)
        return request(verdict, status=400, text=text, reason="model x-api-key")

    answered = examined(answer, DoctorTarget(URL, key="env:K"))
    assert 1 <= sum(each.sent for each in answered) <= MOST_REQUESTS
    asked = [each.question.endpoint for each in answered]
    assert all(endpoint not in asked[:at] for at, endpoint in enumerate(asked))
    assert diagnose(DoctorTarget(URL), answered).requests == len(answered)


def test_where_nothing_is_known_the_usual_apis_are_asked() -> None:
    answered = examined(all_of(Verdict.NOT_FOUND, status=404))
    chat, claude, *others = USUAL
    # Chats may be without a version, and Anthropic's API has another path at a Cody Gateway.
    assert topics(answered) == ["models", "tags", "health", "info", chat, chat, claude, claude, *others[:-1]]
    assert diagnose(DoctorTarget(URL), answered).untried == tuple(others[-1:])


STOPPED = [
    (Verdict.REFUSED, None, 1, "every other request would end like this one"),
    (Verdict.TLS, None, 1, "every other request would end like this one"),
    (Verdict.NO_FIRST_BYTE, None, 2, "it hangs"),
    (Verdict.RATE_LIMITED, 429, 2, "it limits the rate"),
    (Verdict.AUTH, 401, 7, "it refuses every request: give a --key"),
    (Verdict.REDIRECT, 307, 7, "it redirects every request"),
]


@pytest.mark.parametrize(("verdict", "status", "most", "words"), STOPPED)
def test_it_stops_where_more_questions_do_not_help(verdict: Verdict, status: int | None, most: int, words: str) -> None:
    answered = examined(all_of(verdict, status=status))
    assert len(answered) == most
    assert words in diagnose(DoctorTarget(URL), answered).stopped


def test_models_and_product_of_a_list_decide_what_is_asked() -> None:
    listed = {"data": [{"id": "embed-1", "owned_by": "vllm"}, {"id": "talker", "owned_by": "vllm"}]}

    def answer(question: Inquiry) -> Request:
        if question.topic == "models":
            return request(Verdict.COMPLETE, status=200, text=json.dumps(listed))
        return request(Verdict.NOT_FOUND, status=404)

    answered = examined(answer)
    assert list(dict.fromkeys(topics(answered)))[: 1 + len(SPOKEN["vLLM"])] == ["models", *SPOKEN["vLLM"]]
    assert {each.question.endpoint.model for each in answered[1:]} == {"talker"}
    diagnosis = diagnose(DoctorTarget(URL), answered)
    assert (diagnosis.product, diagnosis.models) == ("vLLM", ("embed-1", "talker"))


REMEDIES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "openai-chat",
        {"status": 400, "text": '{"error": {"param": "stream_options", "message": "unknown"}}'},
        {"omit": ("stream_options",)},
    ),
    ("openai-chat", {"status": 422, "text": "extra field: stream_options"}, {"omit": ("stream_options",)}),
    (
        "openai-responses",
        {"status": 400, "text": '{"error": {"param": "max_output_tokens", "message": "unknown"}}'},
        {"omit": ("max_tokens",)},
    ),
    ("openai-chat", {"status": 404}, {"path": "/chat/completions"}),
    ("anthropic-messages", {"status": 404}, {"path": "/v1/completions/anthropic-messages"}),
    ("openai-chat", {"status": 401, "reason": "missing header api-key"}, {"auth": "api-key"}),
    ("openai-chat", {"status": 401, "reason": "x-api-key header is required"}, {"auth": "x-api-key"}),
    ("anthropic-messages", {"status": 401, "reason": "no Authorization"}, {"auth": "bearer"}),
    ("openai-chat", {"status": 200, "rule": "stream.json-answer"}, {"stream": False}),
    ("openai-chat", {"status": 400, "text": '{"error": {"param": "stream", "message": "no"}}'}, {"stream": False}),
]


@pytest.mark.parametrize(("api", "refusal", "changed"), REMEDIES)
def test_what_a_refusal_asks_for_is_tried_once(api: str, refusal: dict[str, Any], changed: dict[str, Any]) -> None:
    verdicts = {400: Verdict.BAD_REQUEST, 401: Verdict.AUTH, 404: Verdict.NOT_FOUND, 422: Verdict.BAD_REQUEST}
    verdict = verdicts.get(refusal["status"], Verdict.NOT_A_STREAM)

    def answer(question: Inquiry) -> Request:
        if question.topic != api:
            return request(Verdict.NOT_FOUND, status=404)
        endpoint = question.endpoint
        good = all(getattr(endpoint, name) == value for name, value in changed.items())
        return request(Verdict.COMPLETE, status=200) if good else request(verdict, **refusal)

    answered = examined(answer, DoctorTarget(URL, key="env:K"))
    (endpoint,) = diagnose(DoctorTarget(URL), answered).working
    assert endpoint.api == api
    assert topics(answered).count(api) == 2


ADDRESSES = [
    ("http://h", "openai-chat", "http://h/v1/chat/completions"),
    ("http://h/v1", "openai-chat", "http://h/v1/chat/completions"),
    ("http://h/openai/v1/", "openai-chat", "http://h/openai/v1/chat/completions"),
    ("http://h/v1/chat/completions", "openai-chat", "http://h/v1/chat/completions"),
    ("http://h/v1/chat/completions", "anthropic-messages", "http://h/v1/messages"),
    ("http://h/v1", "gemini", "http://h/v1beta/models/m:streamGenerateContent?alt=sse"),
    ("http://h/v1", "ollama-chat", "http://h/api/chat"),
    ("http://h/v1", "cohere-chat", "http://h/v2/chat"),
    ("http://h/proxy", "anthropic-messages", "http://h/proxy/v1/messages"),
]


@pytest.mark.parametrize(("base", "api", "url"), ADDRESSES)
def test_base_urls_with_a_version_or_a_path_are_understood(base: str, api: str, url: str) -> None:
    assert url_for(first_endpoint(DoctorTarget(base, model="m"), api, ())) == url


def test_every_api_that_a_product_speaks_is_one() -> None:
    assert set(USUAL).union(*SPOKEN.values()) <= set(APIS)
    assert set(SPOKEN) <= {product.name for product in PRODUCTS}
    assert all(product.source for product in PRODUCTS)
    assert root_of("http://h/api/v1") == "http://h"


LISTS = [
    ({"data": [{"id": "a"}, {"id": 3}, "x", {"id": "a"}]}, ("a",)),
    ({"models": [{"name": "models/gemini-x"}, {"model": "b", "name": "c"}]}, ("gemini-x", "b")),
    ({"data": [{"id": "\x1b[2J"}]}, ("␛[2J",)),
    ({"data": {}}, ()),
    ({}, ()),
]


@pytest.mark.parametrize(("document", "names"), LISTS)
def test_models_of_every_kind_of_list(document: dict[str, Any], names: tuple[str, ...]) -> None:
    assert models_of(document) == names


def test_models_of_realtime_show_that_it_is_spoken() -> None:
    models = ("gpt-x", "gpt-realtime-whisper", "gpt-realtime-2")
    assert "openai-realtime" in apis_to_try("http://h", "", models)
    assert "openai-realtime" not in apis_to_try("http://h", "", models[:2])
    assert chosen_model("openai-realtime", models) == "gpt-realtime-2"
    assert chosen_model("openai-realtime", models[:2]) == ASKED_APIS["openai-realtime"].default_model
    assert chosen_model("openai-chat", models) == "gpt-x"
    target = DoctorTarget("http://h/v1/realtime?model=m")
    assert apis_to_try(target.url, "")[0] == "openai-realtime"
    assert url_for(first_endpoint(target, "openai-realtime", ())) == "ws://h/v1/realtime?model=m"


def test_a_model_that_talks_is_chosen_and_that_of_the_apis_maker_first() -> None:
    models = ("text-embedding-3", "gpt-x", "claude-x", "gemini-x")
    assert chosen_model("openai-chat", models) == "gpt-x"
    assert chosen_model("anthropic-messages", models) == "claude-x"
    assert chosen_model("gemini", models) == "gemini-x"
    assert chosen_model("openai-chat", ()) == APIS["openai-chat"].default_model


def seen(topic: str = "models", document: dict[str, Any] | None = None, **headers: str) -> Seen:
    return Seen(topic, {name.replace("_", "-"): value for name, value in headers.items()}, document or {}, "")


def owned(by: str, **more: object) -> dict[str, Any]:
    return {"data": [{"id": "m", "owned_by": by, **more}]}


SHOWN = [
    (seen(x_litellm_version="1.2"), "LiteLLM"),
    (seen(server="llama.cpp"), "llama.cpp"),
    (seen(document=owned("llamacpp", digest="", modified_at="")), "llama.cpp"),
    (seen(document=owned("sglang")), "SGLang"),
    (seen(document=owned("library")), "Ollama"),
    (seen("tags", {"models": [{"name": "m", "digest": "d", "modified_at": "t"}]}), "Ollama"),
    (seen("info", {"model_id": "m", "max_total_tokens": 9}), "TGI"),
    (seen("health", {"status": "healthy", "providers": {}}), "a local LLM gateway"),
    (seen(document={"data": [{"canonical_slug": "m", "pricing": {}}]}), "OpenRouter"),
    (seen(apim_request_id="x"), "Azure OpenAI"),
    (seen(openai_version="2020-10-01", x_litellm_call_id="y"), "LiteLLM"),
    (seen(server="uvicorn"), ""),
]


@pytest.mark.parametrize(("one", "product"), SHOWN)
def test_what_shows_a_product(one: Seen, product: str) -> None:
    name, evidence = product_of([seen(), one])
    assert name == product
    assert bool(evidence) is bool(product)


def test_what_is_in_front_of_it() -> None:
    shown = fronts_of([seen(server="nginx/1.25.3", via="1.1 varnish"), seen(server="nginx/1.25.3"), seen(cf_ray="x")])
    assert shown == ("nginx/1.25.3 (server)", "1.1 varnish (via)", "Cloudflare (cf-ray)")
