"""A fresh number in front of every question: in each API, never where the body has its own, and each time another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.answering import answering
from support.probing import Probing, endpoint

from gwtui.apis import APIS
from gwtui.apis.nonce import DIGITS, numbered
from gwtui.config.templates import SNIPPETS
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

COMPLETIONS = [name for name, api in APIS.items() if api.kind is Kind.COMPLETION]
LAST = {"role": "user", "content": "and now?"}
TALK = ({"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"})


def asked(api: str, **fields: Any) -> Endpoint:
    return Endpoint(**{"name": "e", "api": api, "url": "https://h", "model": "m", "nonce": True, **fields})


def body_of(of: Endpoint) -> tuple[bytes, bytes, str]:
    plain = APIS[of.api].ask(of, None).body
    body, number = numbered(plain, of, APIS[of.api])
    return plain, body, number.decode()


@pytest.mark.parametrize("api", COMPLETIONS)
def test_every_api_takes_one_in_front_of_its_prompt(api: str) -> None:
    plain, body, number = body_of(asked(api, prompt="say it"))
    assert len(number) == DIGITS
    assert json.loads(body) == json.loads(plain.replace(b"say it", f"[{number}]\\nsay it".encode()))


@pytest.mark.parametrize(
    "messages",
    [
        (*TALK, LAST),
        (*TALK, {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "and now?"}]}),
        (LAST, TALK[1]),
        ({"role": "user", "parts": [{"text": "and now?"}]},),
        ({"speaker": "human", "text": "and now?"},),
    ],
)
def test_it_stands_in_the_last_message_of_the_user_and_in_the_first_text(messages: tuple[dict[str, Any], ...]) -> None:
    plain, body, number = body_of(asked("openai-chat", messages=messages))
    expected = plain.decode()
    for text in ("and now?", '"hi"') if TALK[0] in messages else ("and now?",):
        quote = text[: text.startswith('"')]
        expected = expected.replace(text, f"{quote}[{number}]\\n{text.removeprefix(quote)}")
    assert json.loads(body) == json.loads(expected)


@pytest.mark.parametrize(
    ("body", "found"),
    [({"system": "be brief"}, "be brief"), ({"system": [{"type": "text", "text": "be brief"}]}, "be brief")],
)
def test_it_stands_in_front_of_a_system_prompt_of_the_body(body: dict[str, Any], found: str) -> None:
    _, sent, number = body_of(asked("anthropic-messages", prompt="why", body=body))
    assert sent.count(number.encode()) == 2
    assert f"[{number}]\\n{found}".encode() in sent


@pytest.mark.parametrize(
    "fields",
    [
        {"nonce": False},
        {"body": {"messages": [LAST]}},
        {"messages": ({"role": "system", "content": "x"},)},
        {"messages": ()},
    ],
)
def test_a_question_of_its_own_stays_as_it_is(fields: dict[str, Any]) -> None:
    plain, body, number = body_of(asked("openai-chat", **fields))
    assert (body, number) == (plain, "")


def test_names_of_a_gateway_without_a_standard_are_known() -> None:
    _, body, number = body_of(asked("compare-stream", prompt="why", fields={"prompt": "question"}))
    assert json.loads(body)["question"] == f"[{number}]\nwhy"


async def test_each_request_has_another() -> None:
    with answering() as gateway:
        gateway.answer = lambda _: (200, b"{}")
        probing = Probing(endpoint("openai-chat", gateway.url, stream=False, nonce=True, prompt="hi"))
        async with probing.prober:
            for _ in range(3):
                await probing.once()
        prompts = {each.json["messages"][0]["content"] for each in gateway.asked}
    assert len(prompts) == 3
    assert all(prompt.endswith("]\nhi") for prompt in prompts)


async def test_each_request_has_another_in_both_places() -> None:
    with answering() as gateway:
        gateway.answer = lambda _: (200, b"{}")
        fields: dict[str, Any] = {"stream": False, "nonce": True, "messages": (*TALK, LAST)}
        probing = Probing(endpoint("openai-chat", gateway.url, **fields))
        async with probing.prober:
            for _ in range(2):
                await probing.once()
        numbers = [[each["content"][:14] for each in seen.json["messages"][::2]] for seen in gateway.asked]
    assert all(first == last for first, last in numbers)
    assert numbers[0] != numbers[1]


def test_new_endpoints_have_it_but_for_fixed_bodies() -> None:
    fixed = {kind for kind, made in SNIPPETS.items() if made.endpoint.api in COMPLETIONS and not made.endpoint.nonce}
    assert fixed == {
        "fireworks",
        "sourcegraph-stream",
        "sourcegraph-code",
        "cody-gateway-anthropic",
        "cody-gateway-fireworks",
    }
