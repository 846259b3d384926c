"""A conversation in no API's own form: how each API is asked it, and where a nonce goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gwtui.apis import ASKED_APIS
from gwtui.apis.bedrock.forms import LLAMA_3
from gwtui.apis.nonce import numbered
from gwtui.apis.question import Said
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

TALK = (Said("system", "be brief"), Said("user", "hi"), Said("assistant", "hello"), Said("user", "and now?"))
CHAT = [{"role": each.role, "content": each.text} for each in TALK]
SPOKEN = [("system", "be brief"), ("human", "hi"), ("assistant", "hello"), ("human", "and now?")]
SPEAKERS = {"messages": [{"speaker": speaker, "text": text} for speaker, text in SPOKEN]}
BLOCKS = {
    "system": [{"text": "be brief"}],
    "messages": [{"role": each.role, "content": [{"text": each.text}]} for each in TALK[1:]],
}
ONE_TEXT = "System: be brief\n\nUser: hi\n\nAssistant: hello\n\nUser: and now?\n\nAssistant:"
CLAUDE = {"system": "be brief", "messages": CHAT[1:]}
CONVERSATIONS: dict[str, dict[str, Any]] = {
    "anthropic-messages": CLAUDE,
    "vertex-claude": CLAUDE,
    "bedrock-invoke": CLAUDE,
    "openai-chat": {"messages": CHAT},
    "fireworks": {"messages": CHAT},
    "cohere-chat": {"messages": CHAT},
    "workers-ai": {"messages": CHAT},
    "ollama-chat": {"messages": CHAT},
    "compare-stream": {"messages": CHAT},
    "openai-responses": {"input": CHAT},
    "openai-completions": {"prompt": ONE_TEXT},
    "ollama-generate": {"prompt": ONE_TEXT},
    "tgi": {"inputs": ONE_TEXT},
    "sourcegraph-stream": SPEAKERS,
    "sourcegraph-code": SPEAKERS,
    "bedrock-converse": BLOCKS,
    "gemini": {
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"text": "hello"}]},
            {"role": "user", "parts": [{"text": "and now?"}]},
        ],
    },
    "openai-realtime": {
        "items": [
            {"type": "message", "role": each.role, "content": [
                {"type": "output_text" if each.role == "assistant" else "input_text", "text": each.text}]}
            for each in TALK
        ],
    },
}  # fmt: skip


def test_every_api_has_a_form_for_conversations() -> None:
    assert CONVERSATIONS.keys() == {name for name, api in ASKED_APIS.items() if api.kind is Kind.COMPLETION}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_asked_in_the_form_of_each_api(name: str) -> None:
    api = ASKED_APIS[name]
    asked = api.asking(Endpoint(name="e", api=name, url="http://h", prompt="own"), TALK)
    body = json.loads(api.ask(asked, None).body)
    assert {field: body.get(field) for field in CONVERSATIONS[name]} == CONVERSATIONS[name]
    assert "own" not in json.dumps(body)


@pytest.mark.parametrize(
    ("model", "said"),
    [("amazon.nova-lite-v1:0", BLOCKS), ("mistral.devstral-2", {"messages": CHAT}),
     ("meta.llama3-8b", {"prompt": LLAMA_3.format(ONE_TEXT)})],
)  # fmt: skip
def test_a_conversation_is_asked_in_the_form_of_the_model_on_bedrock(model: str, said: dict[str, Any]) -> None:
    api = ASKED_APIS["bedrock-invoke"]
    body = json.loads(
        api.ask(api.asking(Endpoint(name="e", api=api.name, url="http://h", model=model), TALK), None).body
    )
    assert {field: body.get(field) for field in said} == said


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_one_question_is_asked_as_a_prompt_is(name: str) -> None:
    api = ASKED_APIS[name]
    endpoint = Endpoint(name="e", api=name, url="http://h", messages=({"role": "user", "content": "own"},))
    plain = Endpoint(name="e", api=name, url="http://h", prompt="why?")
    assert api.ask(api.asking(endpoint, [Said("user", "why?")]), None) == api.ask(plain, None)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_nonce_is_in_front_of_the_first_text_and_of_the_question(name: str) -> None:
    """Caches of prompts compare from the beginning: a number behind a long system prompt would leave that cached."""
    api = ASKED_APIS[name]
    asked = api.asking(Endpoint(name="e", api=name, url="http://h", nonce=True), TALK)
    body, number = numbered(api.ask(asked, None).body, asked, api)
    mark = f"[{number.decode()}]\n"
    texts = json.dumps(json.loads(body)).replace("\\n", "\n")
    one = isinstance(next(iter(CONVERSATIONS[name].values())), str) and len(CONVERSATIONS[name]) == 1
    assert (texts.count(mark), f"{mark}and now?" in texts) == ((1, False) if one else (2, True))
    assert f"{mark}{'System: ' if one else ''}be brief" in texts
