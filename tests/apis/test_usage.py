"""Token counts are read wherever an API or a gateway puts them, and the last that is not 0 counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.streams import answer_of, feed, json_values, named, unnamed

from gwtui.apis import APIS, ASKED_APIS
from gwtui.apis.base import Reasoning, Usage
from gwtui.apis.tokens import SeenTokens, later, seen_tokens, token_usage
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint


def chat(**fields: Any) -> FramedEvent:
    return unnamed({"choices": [{"index": 0, "delta": {"content": "a"}}], **fields})


def told(sent: int | None = None, made: int | None = None, **more: Any) -> dict[str, Any]:
    counts = {"prompt_tokens": sent, "completion_tokens": made}
    return {name: value for name, value in counts.items() if value is not None} | more


def thought(reasoning: int) -> dict[str, Any]:
    return {"completion_tokens_details": {"reasoning_tokens": reasoning}}


def counted(name: str, **fields: Any) -> FramedEvent:
    return named(name, response={"usage": fields})


def message(kind: str, usage: dict[str, Any]) -> FramedEvent:
    return named(kind, message={"usage": usage}) if kind == "message_start" else named(kind, delta={}, usage=usage)


def gemini(**usage: int) -> FramedEvent:
    return unnamed({"candidates": [{"content": {"parts": [{"text": "a"}]}}], "usageMetadata": usage})


STREAMS = [
    ("openai-chat", "beside the choices", [chat(usage=told(9, 2))], Usage(9, 2)),
    ("openai-chat", "in a choice, as Moonshot",
     [unnamed({"choices": [{"index": 0, "delta": {}, "usage": told(10, 12)}]})], Usage(10, 12)),
    ("openai-chat", "in x_groq", [chat(x_groq={"id": "r", "usage": told(5, 6)})], Usage(5, 6)),
    ("openai-chat", "running, and zeros at last", [chat(usage=told(9, 1)), chat(usage=told(9, 11)),
     chat(usage=told(0, 0))], Usage(9, 11)),
    ("openai-chat", "field by field", [chat(usage=told(9)), chat(usage=told(made=3))], Usage(9, 3)),
    ("openai-chat", "zeros alone", [chat(usage=told(0, 0))], Usage(0, 0)),
    ("openai-chat", "reasoning within the output",
     [chat(usage=told(10, 840, total_tokens=850, **thought(800)))], Usage(10, 840, 800)),
    ("openai-chat", "reasoning beside the output, as xAI",
     [chat(usage=told(10, 12, total_tokens=342, **thought(320)))], Usage(10, 332, 320)),
    ("openai-chat", "names of another API", [chat(usage={"input_tokens": 4, "output_tokens": 5})], Usage(4, 5)),
    ("openai-chat", "of another shape", [chat(usage=[1]), chat(x_groq="x"), chat(usage={"prompt_tokens": "9"})],
     Usage()),
    ("openai-completions", "in a choice",
     [unnamed({"choices": [{"text": "a", "usage": told(1, 2, **thought(1))}]})], Usage(1, 2, 1)),
    ("fireworks", "in a choice", [unnamed({"choices": [{"text": "a", "usage": told(1, 2)}]})], Usage(1, 2)),
    ("openai-responses", "in the response, and zeros at last",
     [counted("response.created"), counted("response.in_progress", input_tokens=9, output_tokens=7,
      output_tokens_details={"reasoning_tokens": 5}), counted("response.completed", input_tokens=0, output_tokens=0)],
     Usage(9, 7, 5)),
    ("openai-responses", "beside the response",
     [named("response.completed", response={}, usage={"input_tokens": 3, "output_tokens": 4})], Usage(3, 4)),
    ("anthropic-messages", "the start's output is a placeholder",
     [message("message_start", {"input_tokens": 12, "output_tokens": 1})], Usage(12)),
    ("anthropic-messages", "start and deltas, zeros at last",
     [message("message_start", {"input_tokens": 12, "cache_read_input_tokens": 100, "output_tokens": 1}),
      message("message_delta", {"output_tokens": 11, "output_tokens_details": {"thinking_tokens": 7}}),
      message("message_delta", {"input_tokens": 0, "output_tokens": 0})], Usage(112, 11, 7, cached_tokens=100)),
    ("anthropic-messages", "zeros at first, as gateways that translate",
     [message("message_start", {"input_tokens": 0, "output_tokens": 0}),
      message("message_delta", {"input_tokens": 9, "output_tokens": 11})], Usage(9, 11)),
    ("gemini", "running, field by field",
     [gemini(promptTokenCount=9, thoughtsTokenCount=800, totalTokenCount=809),
      gemini(promptTokenCount=9, candidatesTokenCount=40, thoughtsTokenCount=800, totalTokenCount=849),
      gemini(promptTokenCount=0, candidatesTokenCount=0)], Usage(9, 840, 800)),
    ("gemini", "thoughts among the candidates' tokens",
     [gemini(promptTokenCount=9, candidatesTokenCount=840, thoughtsTokenCount=800, totalTokenCount=849)],
     Usage(9, 840, 800)),
    ("sourcegraph-stream", "zeros at last",
     [FramedEvent("completion", json.dumps({"deltaText": "a", "usage": told(7, 3)})),
      FramedEvent("completion", json.dumps({"deltaText": "", "usage": told(0, 0)}))], Usage(7, 3)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("api", "events", "usage"), [each[:1] + each[2:] for each in STREAMS], ids=[" ".join(each[:2]) for each in STREAMS]
)
def test_usage_of_streams(api: str, events: list[FramedEvent], usage: Usage) -> None:
    endpoint = Endpoint(name="e", api=api, url="http://h", body={"model": "m"})
    assert feed(APIS[api].reader(endpoint), events).usage == usage


WHOLE = {"message": {"content": "a"}, "text": "a", "finish_reason": "stop"}
ANSWERS = [
    ("openai-chat", {"choices": [WHOLE], "usage": told(10, 12, total_tokens=342, **thought(320))}, Usage(10, 332, 320)),
    ("openai-chat", {"choices": [WHOLE | {"usage": told(1, 2)}], "usage": None}, Usage(1, 2)),
    ("openai-completions", {"choices": [WHOLE], "x_groq": {"usage": told(1, 2)}}, Usage(1, 2)),
    ("openai-responses", {"output": [], "usage": {"input_tokens": 1, "output_tokens": 3,
     "output_tokens_details": {"reasoning_tokens": 2}}}, Usage(1, 3, 2)),
    ("anthropic-messages", {"content": [], "usage": {"input_tokens": 1, "output_tokens": 3,
     "output_tokens_details": {"thinking_tokens": 2}}}, Usage(1, 3, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("api", "body", "usage"), ANSWERS)
def test_usage_of_whole_answers(api: str, body: dict[str, Any], usage: Usage) -> None:
    assert answer_of(api, body).usage == usage


STREAMED, SUMMARISED, HIDDEN = Reasoning


@pytest.mark.parametrize(
    ("usage", "reasoning_came", "number", "only_visible", "unknown"),
    [
        (Usage(1, 840), False, 840, False, ""),
        (Usage(1, 840, 0), False, 840, False, ""),
        (Usage(1, 840, 800), False, 40, True, ""),
        (Usage(1, 840, 800), True, 840, False, ""),
        (Usage(1, 840, 800, SUMMARISED), True, 40, True, ""),
        (Usage(1, 840, None, SUMMARISED), True, None, True, "a summary came"),
        (Usage(1, 840, None, SUMMARISED), False, 840, False, ""),
        (Usage(1, 840, None, HIDDEN), True, None, True, "not streamed"),
        (Usage(1, 840, 800, HIDDEN), True, 40, True, ""),
        (Usage(1, 12, 320), False, None, True, "320 of 12"),
        (Usage(1, None, 320, HIDDEN), False, None, False, ""),
    ],
)
def test_only_tokens_that_were_seen_arriving_count(
    usage: Usage, reasoning_came: bool, number: int | None, only_visible: bool, unknown: str
) -> None:
    seen = seen_tokens(usage, reasoning_came=reasoning_came)
    assert (seen.number, seen.only_visible) == (number, only_visible)
    assert unknown in seen.unknown
    assert bool(seen.unknown) == bool(unknown)


def thinking(model: str, *deltas: str, kind: str = "thinking") -> Usage:
    block = [
        named("message_start", message={"model": model}),
        named("content_block_start", index=0, content_block={"type": kind}),
        *(named("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": d}) for d in deltas),
        named("content_block_stop", index=0),
    ]
    endpoint = Endpoint(name="e", api="anthropic-messages", url="http://h")
    return feed(APIS["anthropic-messages"].reader(endpoint), block).usage


def test_what_is_shown_of_thinking() -> None:
    assert thinking("m", "hm").reasoning is STREAMED
    assert thinking("claude-3-7-sonnet-20250219", "hm").reasoning is STREAMED
    assert thinking("claude-sonnet-4-20250514", "hm").reasoning is SUMMARISED
    assert thinking("m", "").reasoning is HIDDEN
    assert thinking("m", kind="redacted_thinking").reasoning is HIDDEN


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [(["reasoning.text"], STREAMED), (["reasoning.summary"], SUMMARISED), (["reasoning.encrypted"], HIDDEN),
     (["reasoning.summary", "reasoning.encrypted"], SUMMARISED), ([3], STREAMED)],
)  # fmt: skip
def test_what_is_shown_of_reasoning_in_a_chat(kinds: list[Any], shown: Reasoning) -> None:
    delta = {"reasoning": "hm", "reasoning_details": [{"type": kind} for kind in kinds]}
    reader = APIS["openai-chat"].reader(Endpoint(name="e", api="openai-chat", url="http://h"))
    assert feed(reader, [unnamed({"choices": [{"delta": delta}]})]).usage.reasoning is shown


@pytest.mark.parametrize(
    ("model", "content", "shown"),
    [("anthropic.claude-sonnet-4", {"text": "hm"}, SUMMARISED), ("deepseek.r1", {"text": "hm"}, STREAMED),
     ("anthropic.claude-sonnet-4", {"redactedContent": "eA=="}, HIDDEN)],
)  # fmt: skip
def test_what_is_shown_of_reasoning_in_converse(model: str, content: dict[str, str], shown: Reasoning) -> None:
    api = APIS["bedrock-converse"]
    delta = {"contentBlockIndex": 0, "delta": {"reasoningContent": content}}
    events = [FramedEvent("contentBlockDelta", json.dumps(delta)), FramedEvent("metadata", '{"usage": {}}')]
    reader = api.reader(Endpoint(name="e", api=api.name, url="http://h", model=model))
    assert feed(reader, events).usage.reasoning is shown


def test_a_summary_in_responses() -> None:
    events = [named("response.reasoning_summary_text.delta", delta="hm", output_index=0)]
    reader = APIS["openai-responses"].reader(Endpoint(name="e", api="openai-responses", url="http://h"))
    assert feed(reader, events).usage.reasoning is SUMMARISED


@given(json_values("usage", "prompt_tokens", "completion_tokens", "total_tokens", "reasoning_tokens"))
def test_any_usage_gives_counts_or_none(value: object) -> None:
    usage = token_usage(value)
    assert all(each is None or each >= 0 for each in (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens))
    seen = seen_tokens(usage, reasoning_came=False)
    assert isinstance(seen, SeenTokens)
    assert seen.number is None or seen.number >= 0


@given(st.lists(st.none() | st.integers(0, 9), min_size=1))
def test_the_last_count_that_is_not_0_wins(counts: list[int | None]) -> None:
    found = None
    for each in counts:
        found = later(each, found)
    known = [each for each in counts if each is not None]
    assert found == next((each for each in reversed(known) if each), 0 if known else None)


CACHED = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
CACHED_IN = {"input_tokens": 9, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 4}}
CLAUDE_CACHED = {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 4}
TELLS_CACHED: dict[str, tuple[list[FramedEvent], str]] = {
    "anthropic-messages": ([message("message_start", CLAUDE_CACHED)], ""),
    "vertex-claude": ([message("message_start", CLAUDE_CACHED)], ""),
    "openai-chat": ([chat(usage=CACHED)], ""),
    "openai-completions": ([unnamed({"choices": [], "usage": CACHED})], ""),
    "openai-responses": ([counted("response.completed", **CACHED_IN)], ""),
    "openai-realtime": ([counted("response.done", input_tokens=9, input_token_details={"cached_tokens": 4})], ""),
    "fireworks": ([chat(usage=CACHED)], ""),
    "gemini": ([gemini(promptTokenCount=9, cachedContentTokenCount=4)], ""),
    "cohere-chat": ([named("message-end", delta={"usage": {"tokens": {"input_tokens": 9}, "cached_tokens": 4}})], ""),
    "bedrock-converse": ([FramedEvent("metadata", '{"usage": {"inputTokens": 5, "cacheReadInputTokens": 4}}')], ""),
    "bedrock-invoke": (
        [FramedEvent("chunk", json.dumps({"metadata": {"usage": {"inputTokens": 5, "cacheReadInputTokenCount": 4}}}))],
        "amazon.nova-lite-v1:0",
    ),
    "workers-ai": ([unnamed({"response": "a", "usage": CACHED})], ""),
    "sourcegraph-stream": ([FramedEvent("completion", json.dumps({"deltaText": "a", "usage": CACHED}))], ""),
    "sourcegraph-code": ([FramedEvent("completion", json.dumps({"deltaText": "a", "usage": CACHED}))], ""),
}  # fmt: skip
TELL_NO_CACHED = {"ollama-chat", "ollama-generate", "tgi", "compare-stream"}
"""Their answers have no field for it."""


@pytest.mark.parametrize("api", TELLS_CACHED)
def test_cached_tokens_are_a_part_of_the_input_in_every_api_that_tells_them(api: str) -> None:
    events, model = TELLS_CACHED[api]
    endpoint = Endpoint(name="e", api=api, url="http://h", model=model or None)
    usage = feed(ASKED_APIS[api].reader(endpoint), events).usage
    assert (usage.input_tokens, usage.cached_tokens) == (9, 4)


def test_it_is_known_of_every_api_whether_it_tells_cached_tokens() -> None:
    completions = {name for name, api in ASKED_APIS.items() if api.kind is Kind.COMPLETION}
    assert completions == TELLS_CACHED.keys() | TELL_NO_CACHED
