"""Which events show that an answer goes on, and which only that its gateway is alive."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.apis import SCRIPTS
from support.streams import feed, named, unnamed

from gwtui.apis import SAVED_APIS
from gwtui.framing.base import FramedEvent
from gwtui.model.profile import Endpoint

Events = list[FramedEvent]


def reader(api: str) -> Any:
    return SAVED_APIS[api].reader(Endpoint(name="e", api=api, url="http://h"))


def chunk(**fields: Any) -> FramedEvent:
    return unnamed({"choices": [{"index": 0, **fields}]})


def responses(number: int, kind: str, **fields: Any) -> FramedEvent:
    return named(kind, sequence_number=number, **fields)


START = named("message_start", message={"id": "m", "role": "assistant", "content": [], "model": "m", "usage": {}})
BLOCK = named("content_block_start", index=0, content_block={"type": "text", "text": ""})
CREATED = responses(0, "response.created")
ITEM = responses(1, "response.output_item.added", output_index=0, item={"type": "message"})
STILL = [
    ("openai-chat", [chunk(delta={"content": "a"})], chunk(delta={"content": ""})),
    ("openai-chat", [chunk(delta={"content": "a"})], chunk(delta={"role": "assistant", "content": ""})),
    ("openai-chat", [chunk(delta={"content": "a"})], unnamed({"choices": [], "usage": {"completion_tokens": 1}})),
    ("openai-chat", [chunk(delta={"content": "a"}), chunk(delta={}, finish_reason="stop")],
     chunk(delta={}, finish_reason="stop")),
    ("openai-completions", [chunk(text="a")], chunk(text="")),
    ("anthropic-messages", [START, BLOCK], named("ping")),
    ("anthropic-messages", [START, BLOCK],
     named("content_block_delta", index=0, delta={"type": "text_delta", "text": ""})),
    ("openai-responses", [CREATED, responses(1, "response.in_progress")], responses(2, "response.in_progress")),
    ("openai-responses", [CREATED, ITEM], responses(2, "response.output_text.delta", output_index=0, delta="")),
    ("gemini", [], unnamed({"candidates": [{"content": {"parts": []}}]})),
    ("gemini", [], unnamed({"usageMetadata": {"promptTokenCount": 1}})),
    ("ollama-chat", [], unnamed({"message": {"content": ""}, "done": False})),
    ("sourcegraph-stream", [FramedEvent("completion", '{"completion": "a"}')],
     FramedEvent("completion", '{"completion": "a"}')),
    ("compare-stream", [unnamed({"type": "start", "model": "a"})],
     unnamed({"type": "chunk", "model": "a", "content": ""})),
    ("cohere-chat", [named("message-start")], named("debug")),
]  # fmt: skip


@pytest.mark.parametrize(("api", "before", "event"), STILL)
def test_what_says_nothing_new_is_no_progress(api: str, before: Events, event: FramedEvent) -> None:
    following = reader(api)
    feed(following, before)
    assert not following.event(event).is_progress


MOVES = [
    ("anthropic-messages", [START, BLOCK], named("content_block_stop", index=0)),
    ("anthropic-messages", [START, named("content_block_start", index=0, content_block={"type": "thinking"})],
     named("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "s"})),
    ("openai-responses", [CREATED], responses(1, "response.in_progress")),
    ("openai-responses", [CREATED, ITEM], responses(2, "response.content_part.added", output_index=0)),
    ("openai-responses", [CREATED, ITEM], responses(2, "response.output_audio.delta", output_index=0, delta="AAAA")),
    ("openai-responses", [CREATED], responses(1, "response.web_search_call.searching", output_index=0)),
    ("openai-responses", [CREATED, ITEM], responses(2, "response.output_item.done", output_index=0)),
]  # fmt: skip


@pytest.mark.parametrize(("api", "before", "event"), MOVES)
def test_the_steps_of_an_answer_are_progress(api: str, before: Events, event: FramedEvent) -> None:
    following = reader(api)
    feed(following, before)
    assert following.event(event).is_progress


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_each_content_of_a_good_stream_is_progress(script: Any) -> None:
    following = reader(script.api)
    readings = [following.event(event) for event in script.good]
    assert all(reading.is_progress for reading in readings if reading.kind.is_content)
    assert json.dumps([reading.is_progress for reading in readings]).count("true") >= 2
