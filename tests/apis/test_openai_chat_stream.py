"""OpenAI Chat Completions: the true verdict for every way in which a stream can go."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.completions import openai_script
from support.streams import Case, check, feed, json_values, unnamed

from gwtui.apis.base import Usage
from gwtui.apis.openai.chat_stream import OpenAIReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.verdicts import Judgement, Verdict

MODEL = "gpt-4o-mini"


def chunk(*choices: dict[str, Any], **fields: Any) -> FramedEvent:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18"}
    return unnamed(head | {"choices": list(choices)} | fields)


def delta(index: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"index": index, "delta": fields, "finish_reason": finish}


def text(content: str | None = "def", index: int = 0) -> FramedEvent:
    return chunk(delta(index, content=content))


def tool(arguments: str | None = None, index: int | None = 0, **call: Any) -> FramedEvent:
    name = {"name": "get"} if "id" in call else {}
    return chunk(delta(tool_calls=[{"index": index, "function": {**name, "arguments": arguments}, **call}]))


def finish(reason: str = "stop", index: int = 0, **fields: Any) -> FramedEvent:
    return chunk(delta(index, reason), **fields)


ROLE = chunk(delta(role="assistant", content=""))
USAGE = chunk(usage={"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11})
NO_TOKENS = chunk(usage={"prompt_tokens": 0, "completion_tokens": 0})
DONE = unnamed("[DONE]")
ERROR = unnamed({"error": {"message": "upstream failed", "type": "server_error", "code": 502}})
GOOD = [ROLE, text(), text(" f"), finish(), USAGE, DONE]

COMPLETE, ORDER, IN_STREAM = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.ERROR_IN_STREAM
CASES = [
    Case("as it should be", GOOD, COMPLETE, "openai.done"),
    Case("no usage", [ROLE, text(), finish(), DONE], COMPLETE, "openai.done"),
    Case("role with the first content", [chunk(delta(role="assistant", content="a")), finish(), DONE],
         COMPLETE, "openai.done"),
    Case("role in every chunk", [chunk(delta(role="assistant", content=c)) for c in "abc"] + [finish(), DONE],
         COMPLETE, "openai.done", None, FindingName.ROLE_REPEATED),
    Case("no role at all", [text(), finish(), DONE], COMPLETE, "openai.done"),
    Case("content and finish_reason in one chunk", [ROLE, chunk(delta(finish="stop", content="a")), DONE],
         COMPLETE, "openai.done"),
    Case("Azure's opening", [chunk(prompt_filter_results=[{}], id="", model=""), *GOOD], COMPLETE, "openai.done"),
    Case("an empty finish_reason until the last",
         [chunk(delta(finish="", content="a")), finish(), DONE], COMPLETE, "openai.done"),
    Case("usage: null in all chunks", [chunk(delta(content="a"), usage=None), finish(usage=None), USAGE, DONE],
         COMPLETE, "openai.done"),
    Case("choices: null beside the usage", [ROLE, text(), finish(), unnamed({"choices": None, "usage": {}}), DONE],
         COMPLETE, "openai.done"),
    Case("role and finish_reason again beside the usage",
         [*GOOD[:4], chunk(delta(0, "stop", role="assistant", content=""), usage={"prompt_tokens": 9}), DONE],
         COMPLETE, "openai.done", None, FindingName.FINISH_REPEATED),
    Case("length without any content", [ROLE, finish("length"), DONE], COMPLETE, "openai.done", None,
         FindingName.NO_VISIBLE_OUTPUT),
    Case("content_filter without any content", [ROLE, finish("content_filter"), DONE], COMPLETE, "openai.done", None,
         FindingName.REFUSED),
    Case("a refusal", [ROLE, chunk(delta(refusal="no")), finish(), DONE], COMPLETE, "openai.done", None,
         FindingName.REFUSED),
    Case("text and a tool call in one chunk", [ROLE, chunk(delta(content="a", tool_calls=[{"index": 0, "function": {
         "name": "get", "arguments": "{}"}}])), finish("tool_calls"), DONE], COMPLETE, "openai.done"),
    Case("an image", [ROLE, chunk(delta(images=[{"image_url": {"url": "data:"}}])), finish(), DONE],
         COMPLETE, "openai.done"),
    Case("a tool call", [ROLE, tool("", id="a"), tool('{"x"'), tool(":1}"), finish("tool_calls"), DONE],
         COMPLETE, "openai.done"),
    Case("a tool call without arguments", [ROLE, tool("", id="a"), finish("tool_calls"), DONE],
         COMPLETE, "openai.done"),
    Case("a tool call cut by length", [ROLE, tool("", id="a"), tool('{"x"'), finish("length"), DONE],
         COMPLETE, "openai.done"),
    Case("two tool calls", [ROLE, tool("{", id="a"), tool("{", 1, id="b"), tool("}"), tool("}", 1),
         finish("tool_calls"), DONE], COMPLETE, "openai.done"),
    Case("two tool calls with one index", [ROLE, tool("{}", id="a"), tool("{}", id="b"), finish("tool_calls"), DONE],
         COMPLETE, "openai.done"),
    Case("tool calls without an index", [ROLE, tool("{}", None, id="a"), tool('{"x":1}', None, id="b"),
         finish("tool_calls"), DONE], COMPLETE, "openai.done"),
    Case("the id repeated with each fragment", [ROLE, tool("{", id="a"), tool("}", id="a"), finish("tool_calls"), DONE],
         COMPLETE, "openai.done"),
    Case("another id with each fragment", [ROLE, tool("{", id="a"), tool("}", id="b"), finish("tool_calls"), DONE],
         COMPLETE, "openai.done"),
    Case("a function call", [ROLE, chunk(delta(function_call={"name": "get", "arguments": "{}"})),
         finish("function_call"), DONE], COMPLETE, "openai.done"),
    Case("two choices", [chunk(delta(0, role="assistant"), delta(1, role="assistant")), text("a"), text("b", 1),
         finish(), finish("length", 1), DONE], COMPLETE, "openai.done"),
    Case("keep-alives without data", [unnamed(""), ROLE, unnamed(" "), text(), finish(), DONE],
         COMPLETE, "openai.done"),
    Case("half an emoji in each chunk", [ROLE, unnamed('{"choices":[{"delta":{"content":"\\ud83d"}}]}'),
         unnamed('{"choices":[{"delta":{"content":"\\ude00"}}]}'), finish(), DONE], COMPLETE, "openai.done"),
    Case("NaN", [ROLE, unnamed('{"choices":[{"delta":{"content":"a"},"logprobs":NaN}]}'), finish(), DONE],
         COMPLETE, "openai.done"),
    Case("a parted content", [ROLE, chunk(delta(content=[{"type": "text", "text": "a"}])), finish(), DONE],
         COMPLETE, "openai.done"),
    Case("unknown finish_reason", [ROLE, text(), finish("tired"), DONE],
         COMPLETE, "openai.done", None, FindingName.UNKNOWN_FINISH_REASON),
    Case("an id per chunk", [ROLE, chunk(delta(content="a"), id="2"), finish(), DONE],
         COMPLETE, "openai.done", None, FindingName.IDS_DIFFER),
    Case("another model", [chunk(delta(content="a"), model="gpt-4"), finish(model="gpt-4"), DONE],
         COMPLETE, "openai.done", None, FindingName.MODEL_DIFFERS),
    Case("two streams in one body", GOOD + GOOD, COMPLETE, "openai.done", None, FindingName.EVENTS_AFTER_END),

    Case("an error after [DONE]", [*GOOD, ERROR], COMPLETE, "openai.done", None, FindingName.EVENTS_AFTER_END),
    Case("finish_reason twice", [ROLE, text(), finish(), finish(), DONE], COMPLETE, "openai.done", None,
         FindingName.FINISH_REPEATED),
    Case("finish_reason with the last content, and again",
         [ROLE, chunk(delta(0, "stop", content="a")), finish(), DONE], COMPLETE, "openai.done", None,
         FindingName.FINISH_REPEATED),
    Case("finish_reason null as a text", [chunk(delta(0, "null", content="a")), finish(), DONE],
         COMPLETE, "openai.done", None, FindingName.FINISH_ODD),
    Case("null as a text, and never a finish_reason", [chunk(delta(0, "null", content="a")), DONE],
         Verdict.TRUNCATED, "openai.done-without-finish", 2, FindingName.FINISH_ODD),
    Case("finish_reason in every chunk", [*(chunk(delta(0, "stop", content=c)) for c in "abc"), DONE],
         COMPLETE, "openai.done", None, FindingName.FINISH_ODD),
    Case("finish_reason in every chunk, another at last",
         [*(chunk(delta(0, "stop", content=c)) for c in "abc"), finish("length"), DONE],
         COMPLETE, "openai.done", None, FindingName.FINISH_ODD),
    Case("finish_reason before any content", [finish(), finish(), text(), text(), finish(), DONE],
         COMPLETE, "openai.done", None, FindingName.FINISH_ODD),
    Case("finish_reason before any content only", [finish(), text(), text(), DONE],
         Verdict.TRUNCATED, "openai.done-without-finish", 4, FindingName.FINISH_ODD),
    Case("a chunk of something else", [ROLE, text(), finish(), unnamed({"warning": "no usage"}), DONE],
         COMPLETE, "openai.done", None, FindingName.FOREIGN_CHUNK),
    Case("arguments of null and an id of nothing", [ROLE, tool("{}", id="a"), tool(None, id=""), finish("tool_calls"),
         DONE], COMPLETE, "openai.done"),
    Case("no [DONE]", GOOD[:-1], Verdict.COMPLETE_UNTERMINATED, "openai.no-done"),
    Case("no [DONE] and no usage", GOOD[:4], Verdict.COMPLETE_UNTERMINATED, "openai.no-done"),

    Case("nothing", [], Verdict.EMPTY, "openai.no-content"),
    Case("only [DONE]", [DONE], Verdict.EMPTY, "openai.no-content"),
    Case("role and [DONE]", [ROLE, DONE], Verdict.EMPTY, "openai.no-content"),
    Case("garbage made into a stream", [ROLE, finish(), DONE], Verdict.EMPTY, "openai.no-content"),
    Case("tokens were spent and nothing shown", [ROLE, finish(), USAGE, DONE], Verdict.EMPTY, "openai.no-content"),
    Case("reasoning only", [ROLE, chunk(delta(reasoning_content="hm")), finish(), DONE],
         Verdict.EMPTY, "openai.no-content"),
    Case("garbage made into a stream with zero usage", [ROLE, finish(), NO_TOKENS, DONE],
         Verdict.EMPTY, "openai.no-content"),

    Case("[DONE] without finish_reason", [ROLE, text(), DONE], Verdict.TRUNCATED, "openai.done-without-finish", 3),
    Case("a choice that nobody asked for is never finished", [text("a"), text("b", 7), finish(), DONE],
         Verdict.OUT_OF_ORDER, "openai.choice-index", 2, FindingName.UNASKED_CHOICE),
    Case("the finish beside content that breaks a rule", [text("a"), chunk({"index": 0, "text": "b",
         "finish_reason": "stop"}), DONE], ORDER, "openai.wrong-form", 2),
    Case("only a choice that nobody asked for", [text("b", 7), DONE],
         Verdict.TRUNCATED, "openai.done-without-finish", 2),

    Case("an error and the end", [ROLE, text(), ERROR], IN_STREAM, "openai.error-event", 3),
    Case("an error and [DONE]", [ROLE, text(), ERROR, DONE], IN_STREAM, "openai.error-event", 3),
    Case("an error beside a finish_reason",
         [ROLE, text(), chunk(delta(0, "error", content=""), error={"code": 502, "message": "x"}), DONE],
         IN_STREAM, "openai.error-event", 3),
    Case("finish_reason error", [ROLE, text(), finish("error"), DONE], IN_STREAM, "openai.error-event", 3),
    Case("an error with a name", [ROLE, FramedEvent("error", "upstream died")], IN_STREAM, "openai.error-event", 2),
    Case("an error as a text", [ROLE, unnamed({"error": "died"})], IN_STREAM, "openai.error-event", 2),
    Case("object: error", [ROLE, unnamed({"object": "error", "message": "died"})], IN_STREAM, "openai.error-event", 2),
    Case("an error of another form", [ROLE, unnamed({"error": {"message": "x"}, "choices": {}})],
         IN_STREAM, "openai.error-event", 2),

    Case("a whole answer in one event",
         [chunk({"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}), DONE],
         Verdict.NOT_A_STREAM, "openai.whole-message", 1),

    Case("content after finish_reason", [ROLE, text(), finish(), text(), DONE],
         ORDER, "openai.content-after-finish", 4),
    Case("two finish_reasons", [ROLE, text(), finish(), finish("length"), DONE], ORDER, "openai.second-finish", 4),
    Case("another finish_reason beside usage", [ROLE, text(), finish(), finish("length", usage={"a": 1}), DONE],
         ORDER, "openai.second-finish", 4),
    Case("the role after content", [text(), ROLE, text(), finish(), DONE], ORDER, "openai.role-not-first", 2),
    Case("a choice of a negative index", [ROLE, text("a", -1), text(), finish(), DONE],
         ORDER, "openai.choice-index", 2),
    Case("a fragment of a tool call lost", [ROLE, tool("", id="a"), tool(":1}"), finish("tool_calls"), DONE],
         ORDER, "openai.tool-json", 4),
    Case("JSON cut short", [ROLE, unnamed(text().data[:-9]), finish(), DONE],
         ORDER, "openai.bad-json", 2, FindingName.BAD_JSON),
    Case("not JSON", [unnamed("hello"), DONE], ORDER, "openai.bad-json", 1),
    Case("a list for a chunk", [ROLE, unnamed([1]), text(), finish(), DONE], ORDER, "openai.wrong-form", 2),
    Case("nested without end", [ROLE, unnamed("[" * 100_000), text(), finish(), DONE], ORDER, "openai.bad-json", 2),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_verdicts(case: Case) -> None:
    check(OpenAIReader(MODEL), case)


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_stream_that_ends_early_is_truncated_at_its_last_event(kept: int) -> None:
    judgement = feed(OpenAIReader(MODEL), GOOD[:kept]).end()
    assert (judgement.verdict, judgement.rule) == (Verdict.TRUNCATED, "openai.eof-before-finish")
    assert judgement.event_number == kept


def test_one_of_the_choices_that_were_asked_for_is_cut() -> None:
    reader = feed(OpenAIReader(MODEL, choices=2), [text("a"), text("b", 1), finish(), DONE])
    assert reader.end().rule == "openai.done-without-finish"
    assert reader.findings == ()


def test_a_missing_finish_reason_is_explained() -> None:
    judgement = feed(OpenAIReader(MODEL), [ROLE, text(), DONE]).end()
    assert "after 1 event with content" in judgement.reason
    assert "Ollama" in judgement.reason


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ERROR, "server_error: upstream failed (code 502)"),
        (FramedEvent("error", "upstream \x1b died"), "upstream ␛ died"),
        (FramedEvent("error", '{"type":"overloaded_error","message":"busy"}'), "overloaded_error: busy"),
        (unnamed({"object": "error", "message": "died", "code": 50001}), "died (code 50001)"),
        (unnamed({"error": {"code": None}}), "an error without a description"),
    ],
)
def test_the_reason_names_the_error(event: FramedEvent, words: str) -> None:
    assert feed(OpenAIReader(MODEL), [ROLE, event]).end().reason == f"event 2 is an error: {words}"


READINGS = [
    (ROLE, EventKind.START, ""),
    (text(), EventKind.TEXT, "def"),
    (text(""), EventKind.OTHER, ""),
    (text(None), EventKind.OTHER, ""),
    (chunk(delta(reasoning="hm")), EventKind.REASONING, "hm"),
    (chunk(delta(reasoning_content="hm", content="")), EventKind.REASONING, "hm"),
    (chunk(delta(reasoning_content="hm", content="x")), EventKind.TEXT, "x"),
    (chunk(delta(refusal="no")), EventKind.TEXT, "no"),
    (tool("", id="a"), EventKind.TOOL, "get"),
    (tool('{"'), EventKind.TOOL, '{"'),
    (chunk(delta(tool_calls=[{"index": 0, "custom": {"name": "sql", "input": ""}}])), EventKind.TOOL, "sql"),
    (chunk(delta(tool_calls=[{"index": 0, "custom": {"input": "SELECT"}}])), EventKind.TOOL, "SELECT"),
    (chunk(delta(content=[{"type": "thinking", "thinking": [{"text": "hm"}]}])), EventKind.REASONING, "hm"),
    (chunk(delta(content=[{"type": "text", "text": "a"}, {"type": "thinking"}])), EventKind.TEXT, "a"),
    (chunk(delta(content="a"), delta(1, content="b")), EventKind.TEXT, "ab"),
    (finish(), EventKind.STOP, ""),
    (USAGE, EventKind.USAGE, ""),
    (DONE, EventKind.STOP, ""),
    (ERROR, EventKind.ERROR, ""),
    (unnamed(""), EventKind.KEEPALIVE, ""),
    (FramedEvent("ping", "{}"), EventKind.KEEPALIVE, ""),
]


@pytest.mark.parametrize(("event", "kind", "generated"), READINGS)
def test_what_an_event_means(event: FramedEvent, kind: EventKind, generated: str) -> None:
    reading = OpenAIReader(MODEL).event(event)
    assert (reading.kind, reading.text) == (kind, generated)


def test_usage_is_the_last_total_and_none_where_none_came() -> None:
    running = [chunk(delta(content="a"), usage={"prompt_tokens": 9, "completion_tokens": n}) for n in (1, 2, 3)]
    assert feed(OpenAIReader(MODEL), running).usage == Usage(9, 3)
    assert feed(OpenAIReader(MODEL), [ROLE, text(), finish(), DONE]).usage == Usage(None, None)


def test_the_model_that_answered_is_kept_and_its_dated_name_is_no_finding() -> None:
    reader = feed(OpenAIReader(MODEL), GOOD)
    assert reader.model_served == "gpt-4o-mini-2024-07-18"
    assert reader.findings == ()


def test_nothing_is_owed_after_done_only() -> None:
    reader = feed(OpenAIReader(MODEL), GOOD[:-1])
    assert not reader.ended()
    reader.event(DONE)
    assert reader.ended()


JSON = json_values(
    "choices", "delta", "index", "content", "tool_calls", "function", "arguments", "finish_reason", "usage", "error",
    "id", "model", "message", "role", "object", "completion_tokens",
)  # fmt: skip
CHOICES = st.lists(
    st.fixed_dictionaries({}, optional={"index": JSON, "delta": JSON, "finish_reason": JSON}), max_size=3
)
ODD_EVENTS = st.builds(
    FramedEvent,
    st.sampled_from(["message", "error", "ping", "\x1b"]),
    st.text(max_size=20) | JSON.map(json.dumps) | CHOICES.map(lambda choices: json.dumps({"choices": choices})),
)


@given(st.lists(ODD_EVENTS | st.sampled_from(GOOD), max_size=12))
def test_a_reader_takes_anything_and_always_judges(events: list[FramedEvent]) -> None:
    reader = OpenAIReader(MODEL)
    for event in events:
        reading = reader.event(event)
        assert (reading.name + reading.note).isprintable()
        judgement = reader.end()
        assert isinstance(judgement, Judgement)
        assert judgement.reason.isprintable()
    assert all(finding.evidence.isprintable() for finding in reader.findings)


def test_a_flood_of_choices_and_tool_calls_stays_small() -> None:
    reader = OpenAIReader(MODEL)
    for index in range(10_000):
        reader.event(text("a", index))
        reader.event(tool("{}", index, id=str(index)))
    assert len(reader._choices) <= 128
    assert len(reader._choices[0].tools) <= 128
    assert len(reader.findings) < 30


# What holds for every API


def rare_chunk(**delta: Any) -> Any:
    return unnamed({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


_CALL = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a":'}}
RARE = (
    rare_chunk(reasoning_content="hm"),
    rare_chunk(reasoning="hm"),
    rare_chunk(refusal="no"),
    rare_chunk(tool_calls=[_CALL]),
    rare_chunk(tool_calls=[{"index": 0, "function": {"arguments": "1}"}}]),
    unnamed({"id": "c", "model": "m", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}),
    unnamed({"choices": [], "prompt_filter_results": [{}]}),
)
SCRIPTS = (openai_script("openai-chat", "delta", RARE),)
