"""Anthropic Messages: the true verdict for every way in which a stream can go."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.script import Script
from support.streams import Case, check, feed, json_values, named, unnamed

from gwtui.apis.anthropic.stream import AnthropicReader
from gwtui.apis.base import Usage
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.verdicts import Judgement, Verdict

MODEL = "claude-3-haiku-20240307"


def start(**fields: Any) -> FramedEvent:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": []}
    return named("message_start", message=message | {"usage": {"input_tokens": 10, "output_tokens": 1}} | fields)


def block(index: int, kind: str = "text", **fields: Any) -> FramedEvent:
    return named("content_block_start", index=index, content_block={"type": kind, **fields})


def delta(index: int, kind: str = "text_delta", **fields: Any) -> FramedEvent:
    return named("content_block_delta", index=index, delta={"type": kind, **(fields or {"text": "def"})})


def stop(index: int) -> FramedEvent:
    return named("content_block_stop", index=index)


def finish(reason: str | None = "end_turn", tokens: int = 12) -> FramedEvent:
    return named("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": tokens})


def tool(index: int, *fragments: str) -> list[FramedEvent]:
    deltas = [delta(index, "input_json_delta", partial_json=fragment) for fragment in fragments]
    return [block(index, "tool_use", id="t", name="get", input={}), *deltas, stop(index)]


PING = named("ping")
END = named("message_stop")
ERROR = named("error", error={"type": "overloaded_error", "message": "Overloaded"})
TEXT = [block(0), delta(0), delta(0), stop(0)]
GOOD = [start(), *TEXT, finish(), END]

COMPLETE, ORDER = Verdict.COMPLETE, Verdict.OUT_OF_ORDER
CASES = [
    Case("as it should be", GOOD, COMPLETE, "anthropic.message_stop"),
    Case("pings anywhere", [PING, start(), PING, block(0), PING, delta(0), stop(0), finish(), PING, END, PING],
         COMPLETE, "anthropic.message_stop"),
    Case("two blocks", [start(), *TEXT, *tool(1, "", '{"a":', "1}"), finish("tool_use"), END],
         COMPLETE, "anthropic.message_stop"),
    Case("thinking, then text",
         [start(), block(0, "thinking"), delta(0, "thinking_delta", thinking="hm"),
          delta(0, "signature_delta", signature="x"), stop(0), block(1), delta(1), stop(1), finish(), END],
         COMPLETE, "anthropic.message_stop"),
    Case("two message_delta", [start(), *TEXT, finish(None), finish(), END], COMPLETE, "anthropic.message_stop"),
    Case("cut by max_tokens with its block open", [start(), block(0), delta(0), finish("max_tokens"), END],
         COMPLETE, "anthropic.message_stop"),
    Case("tool call cut by max_tokens", [start(), *tool(0, '{"a":'), finish("max_tokens"), END],
         COMPLETE, "anthropic.message_stop"),
    Case("refusal without a delta", [start(), block(0), stop(0), finish("refusal", 0), END],
         COMPLETE, "anthropic.message_stop"),
    Case("no block, but tokens were spent", [start(), finish("end_turn", 2), END],
         Verdict.EMPTY, "anthropic.no-content"),
    Case("paused without anything visible", [start(), finish("pause_turn", 2), END],
         COMPLETE, "anthropic.message_stop"),
    Case("a tool call without arguments", [start(), *tool(0), finish("tool_use"), END],
         COMPLETE, "anthropic.message_stop"),
    Case("blocks that come whole",
         [start(), block(0, "redacted_thinking", data="x"), stop(0), block(1, "web_search_tool_result"), stop(1),
          *tool(2, "{}"), finish("tool_use"), END], COMPLETE, "anthropic.message_stop"),
    Case("text in its content_block_start", [start(usage={}), block(0, text="all"), stop(0), finish(tokens=0), END],
         COMPLETE, "anthropic.message_stop"),
    Case("served by another model",
         [start(), block(0, "fallback", **{"from": {"model": MODEL}, "to": {"model": "claude-x"}}), stop(0),
          block(1), delta(1), stop(1), finish(), END],
         COMPLETE, "anthropic.message_stop", None, FindingName.MODEL_DIFFERS),
    Case("unknown event", [start(), named("citation_sources"), *TEXT, finish(), END],
         COMPLETE, "anthropic.message_stop", None, FindingName.UNKNOWN_EVENT),
    Case("unknown event without JSON", [start(), FramedEvent("hint", "soon"), *TEXT, finish(), END],
         COMPLETE, "anthropic.message_stop", None, FindingName.UNKNOWN_EVENT),
    Case("unknown delta and block", [start(), block(0, "hologram"), delta(0, "hologram_delta", light=1), stop(0),
         block(1), delta(1, "hue_delta", hue=1), delta(1), stop(1), finish(), END],
         COMPLETE, "anthropic.message_stop", None, FindingName.UNKNOWN_EVENT),
    Case("unknown stop reason", [start(), *TEXT, finish("tired"), END],
         COMPLETE, "anthropic.message_stop", None, FindingName.UNKNOWN_FINISH_REASON),
    Case("no event names", [FramedEvent("message", event.data) for event in GOOD],
         ORDER, "anthropic.unnamed-events", 1),
    Case("one event without a name", [*GOOD[:2], FramedEvent("message", GOOD[2].data), *GOOD[3:]],
         ORDER, "anthropic.unnamed-events", 3),
    Case("[DONE] at its end", [*GOOD, unnamed("[DONE]")],
         COMPLETE, "anthropic.message_stop", None, FindingName.DONE_MARKER),
    Case("two streams in one body", [*GOOD, *GOOD],
         COMPLETE, "anthropic.message_stop", None, FindingName.EVENTS_AFTER_END),
    Case("half a message_start", [start(id=None, role="user"), *TEXT, finish(), END],
         COMPLETE, "anthropic.message_stop", None, FindingName.ODD_MESSAGE_START),
    Case("another model", [start(model="claude-3-opus"), *TEXT, finish(), END],
         COMPLETE, "anthropic.message_stop", None, FindingName.MODEL_DIFFERS),
    Case("NaN and a huge number",
         [start(), block(0), FramedEvent("content_block_delta", '{"type":"content_block_delta","index":0,'
          '"delta":{"type":"text_delta","text":"a","p":NaN,"q":1e999}}'), stop(0), finish(), END],
         COMPLETE, "anthropic.message_stop"),
    Case("no message_stop", GOOD[:-1], Verdict.COMPLETE_UNTERMINATED, "anthropic.no-message_stop"),

    Case("nothing", [], Verdict.EMPTY, "anthropic.no-message"),
    Case("pings only", [PING, PING], Verdict.EMPTY, "anthropic.no-message"),
    Case("garbage made into a stream", [start(usage={}), finish(tokens=0), END], Verdict.EMPTY, "anthropic.no-content"),
    Case("an empty block and no usage",
         [start(usage=None), block(0), delta(0, text=""), stop(0), finish(tokens=0), END],
         Verdict.EMPTY, "anthropic.no-content"),

    Case("an error after content", [*GOOD[:3], ERROR], Verdict.ERROR_IN_STREAM, "anthropic.error-event", 4),
    Case("an error at once", [ERROR], Verdict.ERROR_IN_STREAM, "anthropic.error-event", 1),
    Case("an error and then a fine end", [*GOOD[:3], ERROR, *GOOD[3:]],
         Verdict.ERROR_IN_STREAM, "anthropic.error-event", 4),
    Case("an error without a name", [*GOOD[:2], unnamed({"error": {"message": "x"}})],
         Verdict.ERROR_IN_STREAM, "anthropic.error-event", 3),
    Case("an error as a text", [*GOOD[:2], FramedEvent("error", "upstream connect error")],
         Verdict.ERROR_IN_STREAM, "anthropic.error-event", 3),
    Case("an error of another form", [*GOOD[:2], unnamed({"error": "x", "message": "no"})],
         Verdict.ERROR_IN_STREAM, "anthropic.error-event", 3),
    Case("an error after the end", [*GOOD, ERROR], COMPLETE, "anthropic.message_stop", None,
         FindingName.EVENTS_AFTER_END),

    Case("a whole message in one event", [named("message", role="assistant", content=[{"type": "text", "text": "x"}])],
         Verdict.NOT_A_STREAM, "anthropic.whole-message", 1),

    Case("message_start lost", GOOD[1:], ORDER, "anthropic.block-misplaced", 1),
    Case("message_start twice", [start(), *GOOD], ORDER, "anthropic.second-message_start", 2),
    Case("content_block_start lost", [start(), *TEXT[1:], finish(), END], ORDER, "anthropic.delta-without-block", 2),
    Case("content_block_stop lost", [start(), *TEXT[:3], finish(), END], ORDER, "anthropic.block-not-stopped", 5),
    Case("content_block_stop lost before a block", [start(), *TEXT[:3], block(1), delta(1), stop(1), finish(), END],
         ORDER, "anthropic.block-not-stopped", 5),
    Case("content_block_stop twice", [start(), *TEXT, stop(0), finish(), END],
         ORDER, "anthropic.stop-without-block", 6),
    Case("a whole block lost", [start(), *TEXT, block(2), delta(2), stop(2), finish(), END],
         ORDER, "anthropic.block-index", 6),
    Case("a block twice", [start(), *TEXT, *TEXT, finish(), END], ORDER, "anthropic.block-index", 6),
    Case("delta of another block", [start(), block(0), delta(1), stop(0), finish(), END],
         ORDER, "anthropic.delta-index", 3),
    Case("stop of another block", [start(), block(0), delta(0), stop(1), finish(), END],
         ORDER, "anthropic.stop-index", 4),
    Case("index as a text", [start(), named("content_block_start", index="0", content_block={"type": "text"}),
         delta(0), stop(0), finish(), END], ORDER, "anthropic.block-index", 2),
    Case("delta that does not fit", [start(), block(0), delta(0, "input_json_delta", partial_json="{"), stop(0),
         finish(), END], ORDER, "anthropic.delta-type", 3),
    Case("delta in a block that comes whole",
         [start(), block(0, "redacted_thinking"), delta(0), stop(0), finish(), END],
         ORDER, "anthropic.delta-type", 3),
    Case("thinking after its signature",
         [start(), block(0, "thinking"), delta(0, "signature_delta", signature="x"),
          delta(0, "thinking_delta", thinking="hm"), stop(0), finish(), END],
         ORDER, "anthropic.thinking-after-signature", 4),
    Case("a fragment of a tool call lost", [start(), *tool(0, '{"a":'), finish("tool_use"), END],
         ORDER, "anthropic.tool-json", 4),
    Case("a block after message_delta", [start(), *TEXT, finish(), block(1), delta(1), stop(1), END],
         ORDER, "anthropic.block-misplaced", 7),
    Case("message_delta lost", [start(), *TEXT, END], ORDER, "anthropic.message_stop-before-stop_reason", 6),
    Case("message_delta and message_stop swapped", [start(), *TEXT, END, finish()],
         ORDER, "anthropic.message_stop-before-stop_reason", 6),
    Case("no stop reason", [start(), *TEXT, finish(None), END], ORDER, "anthropic.message_stop-before-stop_reason", 7),
    Case("message_delta first", [finish(), start(), *TEXT, finish(), END],
         ORDER, "anthropic.message_delta-misplaced", 1),
    Case("name and type differ", [start(), block(0), FramedEvent("content_block_stop", delta(0).data), stop(0),
         finish(), END], ORDER, "anthropic.name-is-not-type", 3),
    Case("JSON cut short", [start(), block(0), FramedEvent("content_block_delta", delta(0).data[:-5]), stop(0),
         finish(), END], ORDER, "anthropic.bad-json", 3, FindingName.BAD_JSON),
    Case("a list for an event", [start(), FramedEvent("content_block_start", "[]"), *GOOD[1:]],
         ORDER, "anthropic.wrong-form", 2),
    Case("a text where a delta is due", [start(), block(0), named("content_block_delta", index=0, delta="x"), stop(0),
         finish(), END], ORDER, "anthropic.wrong-form", 3),
    Case("a number for a text", [start(), block(0), delta(0, text=7), stop(0), finish(), END],
         ORDER, "anthropic.wrong-form", 3),
    Case("JSON nested without end", [start(), FramedEvent("content_block_start", "[" * 100_000), *GOOD[1:]],
         ORDER, "anthropic.bad-json", 2),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_verdicts(case: Case) -> None:
    check(AnthropicReader(MODEL), case)


@pytest.mark.parametrize("kept", range(1, len(GOOD) - 2))
def test_a_stream_that_ends_early_is_truncated_at_its_last_event(kept: int) -> None:
    judgement = feed(AnthropicReader(MODEL), GOOD[:kept]).end()
    assert (judgement.verdict, judgement.rule) == (Verdict.TRUNCATED, "anthropic.eof-before-message_stop")
    assert judgement.event_number == kept


def test_a_breach_before_the_cut_is_reported_too() -> None:
    judgement = feed(AnthropicReader(MODEL), [start(), block(1), delta(1)]).end()
    assert judgement.verdict is Verdict.TRUNCATED
    assert "content_block_start 1 where 0 is due" in judgement.reason


def test_the_reason_names_the_error() -> None:
    judgement = feed(AnthropicReader(MODEL), [*GOOD[:3], ERROR]).end()
    assert judgement.reason == "event 4 is an error: overloaded_error: Overloaded"


READINGS = [
    (start(), EventKind.START, ""),
    (block(0), EventKind.START, ""),
    (block(0, text="a"), EventKind.TEXT, "a"),
    (delta(0), EventKind.TEXT, "def"),
    (delta(0, text=""), EventKind.OTHER, ""),
    (delta(0, "thinking_delta", thinking="hm"), EventKind.REASONING, "hm"),
    (delta(0, "signature_delta", signature="x"), EventKind.OTHER, ""),
    (delta(0, "input_json_delta", partial_json=""), EventKind.OTHER, ""),
    (delta(0, "input_json_delta", partial_json='{"'), EventKind.TOOL, '{"'),
    (PING, EventKind.KEEPALIVE, ""),
    (FramedEvent("ping", "{}"), EventKind.KEEPALIVE, ""),
    (ERROR, EventKind.ERROR, ""),
    (finish(), EventKind.STOP, ""),
    (END, EventKind.STOP, ""),
]


@pytest.mark.parametrize(("event", "kind", "text"), READINGS)
def test_what_an_event_means(event: FramedEvent, kind: EventKind, text: str) -> None:
    reading = AnthropicReader(MODEL).event(event)
    assert (reading.kind, reading.text, reading.name) == (kind, text, event.event)


def test_an_event_that_breaks_a_rule_says_so() -> None:
    reader = feed(AnthropicReader(MODEL), [start(), block(0)])
    assert reader.event(delta(3)).note == "content_block_delta 3 while block 0 is open"


def test_usage_is_that_of_the_last_report() -> None:
    reader = feed(
        AnthropicReader(MODEL),
        [
            start(usage={"input_tokens": 10, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 2}),
            named("message_delta", delta={}, usage={"output_tokens": 7}),
            named("message_delta", delta={}, usage={"output_tokens": 9, "input_tokens": 11}),
        ],
    )
    assert reader.usage == Usage(18, 9, cached_tokens=2)


def test_a_stream_that_was_cut_has_no_count_of_output_tokens() -> None:
    assert feed(AnthropicReader(MODEL), GOOD[:4]).usage == Usage(10, None)


def test_nothing_is_owed_after_message_stop_only() -> None:
    reader = feed(AnthropicReader(MODEL), GOOD[:-1])
    assert not reader.ended()
    reader.event(END)
    assert reader.ended()


NAMES = st.sampled_from(["message", "error", "ping", *{event.event for event in GOOD}])
JSON = json_values(
    "type",
    "index",
    "delta",
    "message",
    "usage",
    "error",
    "text",
    "content_block",
    "stop_reason",
    "model",
    "input",
    "to",
)
ODD_EVENTS = st.builds(
    FramedEvent,
    NAMES | st.text(max_size=5),
    st.text(max_size=20) | JSON.map(json.dumps) | st.sampled_from([event.data for event in GOOD]),
)
TYPED = st.builds(
    lambda name, fields: FramedEvent(name, json.dumps({**fields, "type": name})),
    NAMES,
    st.dictionaries(st.sampled_from(["index", "delta", "message", "usage", "content_block"]), JSON, max_size=4),
)


@given(st.lists(ODD_EVENTS | TYPED | st.sampled_from(GOOD), max_size=12))
def test_a_reader_takes_anything_and_always_judges(events: list[FramedEvent]) -> None:
    reader = AnthropicReader(MODEL)
    for event in events:
        reading = reader.event(event)
        assert (reading.name + reading.note).isprintable()
        judgement = reader.end()
        assert isinstance(judgement, Judgement)
        assert judgement.reason.isprintable()
    assert all(finding.evidence.isprintable() for finding in reader.findings)
    assert reader.usage.input_tokens is None or reader.usage.input_tokens >= 0


# What holds for every API

RARE = (
    PING,
    block(0, "thinking", thinking=""),
    delta(0, "thinking_delta", thinking="hm"),
    delta(0, "signature_delta", signature="s"),
    stop(0),
    *tool(1, '{"a":', "1}"),
    block(2, "fallback", **{"from": "m", "to": "n"}),
    stop(2),
)
BEGUN = start(model="m", usage={"input_tokens": 0})
ENDED = finish(tokens=0)
SCRIPTS = (
    Script(
        "anthropic-messages",
        opening=(BEGUN,),
        content=(block(0, text=""), delta(0, text="a"), delta(0, text="b")),
        closing=(stop(0),),
        finish=(ENDED,),
        terminator=(END,),
        error=ERROR,
        empty=(BEGUN, ENDED, END),
        whole={
            "type": "message",
            "content": [{"type": "text", "text": "ab"}],
            "stop_reason": "end_turn",
            "usage": {"output_tokens": 2},
        },
        silent=1,
        lies={
            "the terminator over a cut": Verdict.OUT_OF_ORDER,
            "only the terminator": Verdict.OUT_OF_ORDER,
        },
        rare=RARE,
    ),
)
