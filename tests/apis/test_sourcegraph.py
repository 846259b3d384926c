"""Sourcegraph's completion APIs: the true verdict for every way in which a stream can go, and whole answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.script import NOTHING_TO_ADD, Events, Script
from support.streams import Case, answer_of, check, feed, named, names

from gwtui.apis.base import Usage
from gwtui.apis.sourcegraph.reader import SourcegraphReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.verdicts import Verdict


def event(name: str = "completion", **fields: Any) -> FramedEvent:
    return FramedEvent(name, json.dumps(fields))


def text(completion: str, reason: str = "", **fields: Any) -> FramedEvent:
    return event(completion=completion, stopReason=reason, **fields)


def added(text: str, **fields: Any) -> FramedEvent:
    return event(deltaText=text, **fields)


DONE = event("done")
ERROR = event("error", error="upstream died")
GOOD = [text("def"), text("def f"), text("def f", "stop_sequence"), DONE]
COMPLETE, ORDER, CUT, EMPTY = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.EMPTY
CASES = [
    Case("as it should be", GOOD, COMPLETE, "sourcegraph.done"),
    Case("the last event adds and stops", [text("a"), text("ab", "end_turn"), DONE], COMPLETE, "sourcegraph.done"),
    Case("deltas", [added("a"), added("b"), added("", stopReason="end_turn"), DONE], COMPLETE, "sourcegraph.done"),
    Case("no stop reason anywhere", [event(completion="a"), DONE], COMPLETE, "sourcegraph.done", None,
         FindingName.NO_STOP_REASON),
    Case("thinking only", [event(delta_thinking="hm"), event(stopReason="end_turn"), DONE],
         EMPTY, "sourcegraph.no-content"),
    Case("a tool call", [event(delta_tool_calls=[{"id": "1", "function": {"name": "get", "arguments": ""}}]),
         event(stopReason="tool_use"), DONE], COMPLETE, "sourcegraph.done"),
    Case("stopped at once by a stop sequence", [text("", "stop_sequence"), DONE], EMPTY, "sourcegraph.no-content"),
    Case("tokens were spent and nothing shown", [text("", "stop", usage={"completion_tokens": 1}), DONE],
         EMPTY, "sourcegraph.no-content"),
    Case("attribution failed", [text("a"), event("attribution-error", error="timeout"), text("a", "stop"), DONE],
         COMPLETE, "sourcegraph.done", None, FindingName.ATTRIBUTION_ERROR),
    Case("an unknown event", [text("a"), event("hint"), text("a", "stop"), DONE],
         COMPLETE, "sourcegraph.done", None, FindingName.UNKNOWN_EVENT),
    Case("no event name", [FramedEvent("message", text("a", "stop").data), DONE],
         Verdict.OUT_OF_ORDER, "sourcegraph.unnamed-events", 1),
    Case("twice", GOOD + GOOD, COMPLETE, "sourcegraph.done", None, FindingName.EVENTS_AFTER_END),
    Case("no done", GOOD[:-1], Verdict.COMPLETE_UNTERMINATED, "sourcegraph.no-done"),

    Case("nothing: an outage upstream", [], EMPTY, "sourcegraph.no-event"),
    Case("only done", [DONE], EMPTY, "sourcegraph.no-content"),
    Case("an empty completion", [text(""), DONE], EMPTY, "sourcegraph.no-content"),
    Case("an empty completion that stopped", [text("", "stop"), DONE], EMPTY, "sourcegraph.no-content"),

    Case("cut", GOOD[:2], CUT, "sourcegraph.eof-before-done", 2),
    Case("cut upstream, and done sent all the same", [*GOOD[:2], DONE], CUT, "sourcegraph.done-without-stopReason", 3),
    Case("an error and done", [text("a"), ERROR, DONE], Verdict.ERROR_IN_STREAM, "sourcegraph.error-event", 2),
    Case("an error and no done", [text("a"), ERROR], Verdict.ERROR_IN_STREAM, "sourcegraph.error-event", 2),
    Case("an error after done", [*GOOD, ERROR], COMPLETE, "sourcegraph.done", None, FindingName.EVENTS_AFTER_END),
    Case("an error without a name", [text("a"), FramedEvent("message", '{"error":"x"}'), DONE],
         Verdict.ERROR_IN_STREAM, "sourcegraph.error-event", 2),
    Case("a completion that is an error", [text("a"), event(error={"message": "x"}), DONE],
         Verdict.ERROR_IN_STREAM, "sourcegraph.error-event", 2),

    Case("a completion that forgets", [text("abc"), text("abd"), text("abd", "stop"), DONE],
         ORDER, "sourcegraph.not-cumulative", 2),
    Case("a completion that shrinks", [text("abc"), text("ab", "stop"), DONE], ORDER, "sourcegraph.not-cumulative", 2),
    Case("content after its stop reason", [text("a", "stop"), text("ab"), DONE],
         ORDER, "sourcegraph.content-after-stop", 2),
    Case("a completion that forgets and has failed", [text("abc"), text("abd", "abort"), DONE],
         Verdict.ERROR_IN_STREAM, "sourcegraph.error-event", 2),
    Case("a number for a text", [event(completion=7), text("a", "stop"), DONE], ORDER, "sourcegraph.wrong-form", 1),
    Case("not JSON", [FramedEvent("completion", "oops"), text("a", "stop"), DONE], ORDER, "sourcegraph.bad-json", 1),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_verdicts(case: Case) -> None:
    check(SourcegraphReader(), case)


def test_a_completion_that_repeats_itself_is_read_as_what_it_adds() -> None:
    reader = SourcegraphReader()
    readings = [reader.event(event) for event in GOOD]
    assert [reading.text for reading in readings] == ["def", " f", "", ""]
    assert [reading.kind for reading in readings] == [EventKind.TEXT, EventKind.TEXT, EventKind.STOP, EventKind.STOP]


READINGS = [
    (added("x"), EventKind.TEXT, "x"),
    (event(delta_thinking="hm"), EventKind.REASONING, "hm"),
    (event(delta_tool_calls=[{"function": {"name": "get", "arguments": ""}}]), EventKind.TOOL, "get"),
    (event(delta_tool_calls=[{"function": {"name": "get", "arguments": '{"'}}]), EventKind.TOOL, '{"'),
    (event(delta_tool_calls=[7, {}]), EventKind.OTHER, ""),
    (text(""), EventKind.OTHER, ""),
    (DONE, EventKind.STOP, ""),
    (ERROR, EventKind.ERROR, ""),
]


@pytest.mark.parametrize(("given", "kind", "text"), READINGS)
def test_what_an_event_means(given: FramedEvent, kind: EventKind, text: str) -> None:
    reading = SourcegraphReader().event(given)
    assert (reading.kind, reading.text) == (kind, text)


def test_the_last_usage_counts() -> None:
    reader = feed(SourcegraphReader(), [text("a", usage={"prompt_tokens": 3, "completion_tokens": n}) for n in (1, 2)])
    assert reader.usage == Usage(3, 2)


ANSWERS = [
    ({"completion": "a", "stopReason": "stop"}, COMPLETE, "sourcegraph.answer"),
    ({"completion": "", "stopReason": "max_tokens"}, COMPLETE, "sourcegraph.answer"),
    ({"completion": ""}, EMPTY, "sourcegraph.no-content"),
    ({"error": "no"}, Verdict.SERVER_ERROR, "sourcegraph.error-in-200"),
    ({"choices": []}, Verdict.WRONG_BODY, "sourcegraph.not-a-completion"),
    ([], Verdict.WRONG_BODY, "sourcegraph.not-a-completion"),
]


@pytest.mark.parametrize("api", ["sourcegraph-stream", "sourcegraph-code"])
@pytest.mark.parametrize(("body", "verdict", "rule"), ANSWERS)
def test_whole_answers(api: str, body: object, verdict: Verdict, rule: str) -> None:
    answer = answer_of(api, body)
    assert (answer.judgement.verdict, answer.judgement.rule) == (verdict, rule)


def test_the_model_is_never_compared_where_it_is_not_sent() -> None:
    assert names(feed(SourcegraphReader(), GOOD).findings) == []


# What holds for every API

_CALL = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a":'}}
RARE = (
    named("completion", deltaText="a", delta_thinking="hm", delta_tool_calls=[_CALL], usage={"total_tokens": 3}),
    named("attribution-error", error="x"),
)


def script(api: str, rare: Events = ()) -> Script:
    def completion(text: str, reason: str = "") -> FramedEvent:
        return FramedEvent("completion", json.dumps({"completion": text, "stopReason": reason}))

    done = FramedEvent("done", "{}")
    return Script(
        api,
        (),
        (completion("a"), completion("ab")),
        (),
        (completion("ab", "end_turn"),),
        (done,),
        FramedEvent("error", '{"error":"busy"}'),
        (completion("", "end_turn"), done),
        {"completion": "ab", "stopReason": "end_turn", "usage": {"completion_tokens": 2}},
        lies=NOTHING_TO_ADD if api == "sourcegraph-code" else {},
        rare=rare,
    )


SCRIPTS = (script("sourcegraph-stream", RARE), script("sourcegraph-code"))
