"""Thinking that a model writes into its text is no visible output, however it is cut, and for every API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.streams import named, unnamed

from gwtui.apis import APIS
from gwtui.apis.thought_tags import NAMES, ThoughtTags
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind
from gwtui.model.profile import Endpoint

TEXT, REASONING = EventKind.TEXT, EventKind.REASONING


def kinds(*pieces: str) -> list[EventKind]:
    tags = ThoughtTags()
    return [tags.classify(TEXT, piece)[0] for piece in pieces]


def visible(*pieces: str) -> str:
    tags = ThoughtTags()
    return "".join(text for kind, text in (tags.classify(TEXT, piece) for piece in pieces) if kind is TEXT)


@pytest.mark.parametrize(
    ("pieces", "seen"),
    [
        (["<think>", "hm", "</think>", "Hi"], [REASONING, REASONING, REASONING, TEXT]),
        (["<think>hm</think>Hi"], [TEXT]),
        (["<th", "ink>hm</thi", "nk>\n", "\n", "Hi", " <think>"], [REASONING] * 4 + [TEXT, TEXT]),
        (["\n<think>\n\n</think>", "Hi"], [REASONING, TEXT]),
        (["<thought>", "a", "</thought>", "b"], [REASONING, REASONING, REASONING, TEXT]),
        (["<thinking>", "</think>", "</thinking>b"], [REASONING, REASONING, TEXT]),
        (["<", "table>"], [REASONING, TEXT]),
        (["Hi", "<think>", "x"], [TEXT, TEXT, TEXT]),
        (["\n", "x = 1"], [TEXT, TEXT]),
        (["<thinker>"], [TEXT]),
        (["<think>never closed", " at all"], [REASONING, REASONING]),
    ],
)
def test_what_is_thinking(pieces: list[str], seen: list[EventKind]) -> None:
    assert kinds(*pieces) == seen


@given(st.text("<>/think a\n", max_size=12), st.text("<think>a\n ", max_size=8), st.sampled_from(NAMES), st.data())
@example("a", "b", "think", None)
def test_the_answer_is_the_same_however_it_is_cut(inside: str, behind: str, name: str, data: Any) -> None:
    if f"</{name}>" in f"{inside}</{name}"[:-1] or f"</{name}>" in inside:
        inside = ""
    whole = f"<{name}>{inside}</{name}>{behind}"
    cut = data.draw(st.integers(0, len(whole))) if data is not None else 3
    assert visible(whole[:cut], whole[cut:]) == visible(*whole) == behind.lstrip()


@given(st.text("<think>x \n", max_size=12))
def test_text_without_a_block_is_whole(text: str) -> None:
    if not any(text.lstrip().startswith(f"<{name}>"[: len(text.lstrip())]) for name in NAMES):
        assert visible(*text).lstrip() == visible(text).lstrip() == text.lstrip()


def test_other_content_is_left_alone() -> None:
    tags = ThoughtTags()
    assert tags.classify(EventKind.TOOL, "<think>") == (EventKind.TOOL, "<think>")
    assert tags.classify(TEXT, "Hi") == (TEXT, "Hi")


def block(text: str) -> FramedEvent:
    return named("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


FORMS: list[tuple[str, Callable[[str], FramedEvent]]] = [
    ("openai-chat", lambda text: unnamed({"choices": [{"index": 0, "delta": {"content": text}}]})),
    ("openai-completions", lambda text: unnamed({"choices": [{"index": 0, "text": text}]})),
    ("fireworks", lambda text: unnamed({"choices": [{"index": 0, "text": text}]})),
    ("openai-responses", lambda text: named("response.output_text.delta", delta=text, output_index=0)),
    ("anthropic-messages", block),
    ("gemini", lambda text: unnamed({"candidates": [{"content": {"parts": [{"text": text}]}}]})),
    ("ollama-chat", lambda text: unnamed({"message": {"content": text}, "done": False})),
    ("ollama-generate", lambda text: unnamed({"response": text, "done": False})),
    ("sourcegraph-stream", lambda text: FramedEvent("completion", json.dumps({"deltaText": text}))),
    ("cohere-chat",
     lambda text: named("content-delta", index=0, delta={"message": {"content": {"type": "text", "text": text}}})),
    ("tgi", lambda text: unnamed({"token": {"text": text}, "generated_text": None})),
    ("workers-ai", lambda text: unnamed({"response": text})),
    ("bedrock-converse",
     lambda text: FramedEvent("contentBlockDelta", json.dumps({"contentBlockIndex": 0, "delta": {"text": text}}))),
    ("compare-stream", lambda text: unnamed({"type": "chunk", "model": "m", "content": text})),
]  # fmt: skip


@pytest.mark.parametrize(("api", "form"), FORMS, ids=[api for api, _ in FORMS])
def test_every_api_tells_thinking_from_the_answer(api: str, form: Callable[[str], FramedEvent]) -> None:
    reader = APIS[api].reader(Endpoint(name="e", api=api, url="http://h", model="m", body={"model": "m"}))
    readings = [reader.event(form(text)) for text in ("<think>", "hm", "</think>", "Hi")]
    assert [reading.kind for reading in readings] == [REASONING, REASONING, REASONING, TEXT]
    assert readings[-1].text == "Hi"
