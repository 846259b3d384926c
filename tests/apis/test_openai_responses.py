"""OpenAI Responses: the true verdict for every way in which a stream can go, and whole answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.script import Events, Script
from support.streams import Case, answer_of, check, feed, named, names, unnamed

from gwtui.apis.base import Usage
from gwtui.apis.openai.responses_stream import ResponsesReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.verdicts import Verdict

MODEL = "gpt-4o-mini"
Step = tuple[str, dict[str, Any]]


def numbered(*events: tuple[str, dict[str, Any]]) -> Events:
    """Events of OpenAI Responses, numbered from 0."""
    return tuple(named(kind, sequence_number=number, **fields) for number, (kind, fields) in enumerate(events))


def response(status: str = "in_progress", **fields: Any) -> dict[str, Any]:
    return {"response": {"id": "r", "model": MODEL, "status": status, **fields}}


CREATED: Step = ("response.created", response())
BEGUN: Step = ("response.in_progress", response())
KEEPALIVE: Step = ("keepalive", {})
COMPLETED: Step = ("response.completed", response("completed", usage={"input_tokens": 9, "output_tokens": 2}))
CUT_SHORT: Step = ("response.incomplete", response("incomplete", incomplete_details={"reason": "max_output_tokens"}))
FAILED: Step = ("response.failed", response("failed", error={"code": "server_error", "message": "died"}))


def added(index: int = 0) -> Step:
    return "response.output_item.added", {"output_index": index, "item": {"type": "message"}}


def ended(index: int = 0) -> Step:
    return "response.output_item.done", {"output_index": index, "item": {"type": "message"}}


HALF_CALL: Step = (
    "response.output_item.done",
    {"output_index": 0, "item": {"type": "function_call", "name": "f", "arguments": '{"a'}},
)


def delta(text: str = "a", index: int = 0, of: str = "output_text") -> Step:
    return f"response.{of}.delta", {"output_index": index, "content_index": 0, "delta": text}


def whole(text: str, index: int = 0, of: str = "output_text", field: str = "text") -> Step:
    return f"response.{of}.done", {"output_index": index, "content_index": 0, field: text}


TEXT = [added(), delta("a"), delta("b"), whole("ab"), ended()]
GOOD = [CREATED, BEGUN, *TEXT, COMPLETED]


def tool(index: int = 0, arguments: str = '{"x":1}') -> list[Step]:
    name = "function_call_arguments"
    return [added(index), delta(arguments[:3], index, name), delta(arguments[3:], index, name),
            whole(arguments, index, name, "arguments"), ended(index)]  # fmt: skip


def skipping(number: int) -> Events:
    """The good stream without one of its events."""
    events = numbered(*GOOD)
    return events[:number] + events[number + 1 :]


def unnumbered(*steps: Step) -> Events:
    return tuple(FramedEvent(kind, json.dumps({"type": kind, **fields})) for kind, fields in steps)


FLAT = ("error", {"code": "server_error", "message": "died", "param": None})
NESTED = ("error", {"error": {"type": "server_error", "code": "x", "message": "died"}})
COMPLETE, ORDER, CUT, IN_STREAM = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.ERROR_IN_STREAM
STEPS: list[tuple[str, list[Step], Verdict, str, int | None, FindingName | None]] = [
    ("as it should be", GOOD, COMPLETE, "responses.completed", None, None),
    ("queued first", [CREATED, ("response.queued", response("queued")), *GOOD[1:]],
     COMPLETE, "responses.completed", None, None),
    ("keepalives, which are numbered too", [CREATED, KEEPALIVE, KEEPALIVE, *GOOD[1:]],
     COMPLETE, "responses.completed", None, None),
    ("two items", [CREATED, *TEXT, *tool(1), COMPLETED], COMPLETE, "responses.completed", None, None),
    ("two items at once", [CREATED, added(), added(1), delta("a"), delta("b", 1), whole("b", 1), whole("a"), ended(),
     ended(1), COMPLETED], COMPLETE, "responses.completed", None, None),
    ("reasoning only", [CREATED, added(), delta("hm", 0, "reasoning_summary_text"), ended(), COMPLETED],
     Verdict.EMPTY, "responses.no-content", None, None),
    ("a refusal", [CREATED, added(), delta("no", 0, "refusal"), whole("no", 0, "refusal", "refusal"), ended(),
     COMPLETED], COMPLETE, "responses.completed", None, None),
    ("cut short by the limit, with its item open", [CREATED, added(), delta(), CUT_SHORT],
     COMPLETE, "responses.incomplete", None, None),
    ("cut short without any content", [CREATED, CUT_SHORT], COMPLETE, "responses.incomplete", None, None),
    ("an event of a tool", [CREATED, *TEXT, ("response.web_search_call.searching", {"output_index": 0}), COMPLETED],
     COMPLETE, "responses.completed", None, None),
    ("a whole without deltas", [CREATED, added(), whole("ab"), ended(), COMPLETED],
     COMPLETE, "responses.completed", None, None),
    ("only the last event holds the answer",
     [CREATED, ("response.completed", response("completed", output=[{"type": "message", "content": [{"text": "a"}]}]))],
     COMPLETE, "responses.completed", None, FindingName.NO_DELTAS),
    ("an unknown event", [CREATED, ("hint", {}), *GOOD[1:]],
     COMPLETE, "responses.completed", None, FindingName.UNKNOWN_EVENT),
    ("another model", [("response.created", response(model="gpt-3")), *TEXT, ("response.completed", {"response": {}})],
     COMPLETE, "responses.completed", None, FindingName.MODEL_DIFFERS),
    ("a gateway that never says an item is done", [CREATED, added(), delta(), COMPLETED],
     COMPLETE, "responses.completed", None, FindingName.ITEM_NOT_DONE),
    ("a gateway that has no items", [CREATED, delta("a"), delta("b"), whole("ab"), ended(), COMPLETED],
     COMPLETE, "responses.completed", None, FindingName.NO_ITEMS),
    ("a gateway whose items are all number 0", [CREATED, *TEXT, *TEXT, COMPLETED],
     COMPLETE, "responses.completed", None, FindingName.ITEM_INDEX_REUSED),
    ("an event after the end", [*GOOD, BEGUN], COMPLETE, "responses.completed", None, FindingName.EVENTS_AFTER_END),

    ("nothing", [], Verdict.EMPTY, "responses.no-response", None, None),
    ("keepalives only", [KEEPALIVE, KEEPALIVE], Verdict.EMPTY, "responses.no-response", None, None),
    ("completed without content", [CREATED, ("response.completed", response("completed"))],
     Verdict.EMPTY, "responses.no-content", None, None),

    ("cut", GOOD[:4], CUT, "responses.eof-before-completed", 4, None),
    ("cut after the last item", GOOD[:-1], CUT, "responses.eof-before-completed", 7, None),

    ("failed", [*GOOD[:4], FAILED], IN_STREAM, "responses.error-event", 5, None),
    ("a flat error", [*GOOD[:4], FLAT], IN_STREAM, "responses.error-event", 5, None),
    ("a nested error", [*GOOD[:4], NESTED], IN_STREAM, "responses.error-event", 5, None),
    ("an error and then failed", [*GOOD[:4], NESTED, FAILED], IN_STREAM, "responses.error-event", 5, None),
    ("cancelled", [*GOOD[:4], ("response.cancelled", response("cancelled"))],
     IN_STREAM, "responses.error-event", 5, None),
    ("completed with an error in it", [CREATED, *TEXT, ("response.completed", response(error={"message": "x"}))],
     IN_STREAM, "responses.error-event", 7, None),

    ("no response.created", GOOD[1:], ORDER, "responses.created-missing", 1, None),
    ("response.created twice", [CREATED, *GOOD], ORDER, "responses.second-created", 2, None),
    ("an item out of turn", [CREATED, added(1), ended(1), COMPLETED], ORDER, "responses.item-index", 2, None),
    ("an item never added", [CREATED, added(), delta(), ended(), ended(1), COMPLETED],
     ORDER, "responses.done-without-item", 5, None),
    ("an item added twice", [CREATED, added(), added(), delta(), ended(), COMPLETED],
     ORDER, "responses.item-index", 3, None),
    ("a delta of another item", [CREATED, added(), delta("a", 7), ended(), COMPLETED],
     ORDER, "responses.delta-without-item", 3, None),
    ("a delta of an item that is done", [CREATED, *TEXT, delta("c"), COMPLETED],
     ORDER, "responses.delta-without-item", 7, None),
    ("a delta lost", [CREATED, added(), delta("a"), whole("ab"), ended(), COMPLETED],
     ORDER, "responses.whole-differs", 4, None),
    ("another text", [CREATED, added(), delta("ab"), whole("ba"), ended(), COMPLETED],
     ORDER, "responses.whole-differs", 4, None),
    ("a delta that is not a text", [CREATED, added(), ("response.output_text.delta", {"delta": 7}), ended(), COMPLETED],
     ORDER, "responses.wrong-form", 3, None),
]  # fmt: skip


def _renumbered(event: FramedEvent, number: int) -> FramedEvent:
    return FramedEvent(event.event, json.dumps(json.loads(event.data) | {"sequence_number": number}))


CASES = [
    *(Case(name, list(numbered(*steps)), verdict, rule, number, finding)
      for name, steps, verdict, rule, number, finding in STEPS),
    *(Case(f"event {number} lost", list(skipping(number)), ORDER, "responses.sequence-gap", number + 1)
      for number in range(2, 7)),
    Case("an event twice", [*numbered(*GOOD)[:5], numbered(*GOOD)[4], *numbered(*GOOD)[5:]],
         ORDER, "responses.sequence-order", 6),
    Case("the number 0 on events of the gateway's own",
         [_renumbered(event, 0 if 2 < at < 6 else at) for at, event in enumerate(numbered(*GOOD))],
         COMPLETE, "responses.completed", None, FindingName.SEQUENCE_NUMBERS),
    Case("the number 0 on all", [_renumbered(event, 0) for event in numbered(*GOOD)],
         COMPLETE, "responses.completed", None, FindingName.SEQUENCE_NUMBERS),
    Case("the number 0 on all, and a delta lost",
         [_renumbered(event, 0) for event in numbered(CREATED, added(), delta("a"), whole("ab"), ended(), COMPLETED)],
         ORDER, "responses.whole-differs", 4, FindingName.SEQUENCE_NUMBERS),
    Case("a whole without white space at its end",
         list(numbered(CREATED, added(), delta("a "), whole("a"), ended(), COMPLETED)),
         COMPLETE, "responses.completed", None, FindingName.DONE_DIFFERS),
    Case("not numbered", list(unnumbered(*GOOD)),
         COMPLETE, "responses.completed", None, FindingName.NO_SEQUENCE_NUMBERS),
    Case("numbered from 1", list(numbered(("x", {}), *GOOD)[1:]), COMPLETE, "responses.completed"),
    Case("its beginning lost", list(numbered(("x", {}), ("x", {}), *GOOD)[2:]), ORDER, "responses.sequence-gap", 1),
    Case("no names", [unnamed(event.data) for event in numbered(*GOOD)],
         COMPLETE, "responses.completed", None, FindingName.UNNAMED_EVENTS),
    Case("a wrong name", [FramedEvent("response.in_progress", numbered(*GOOD)[0].data), *numbered(*GOOD)[1:]],
         ORDER, "responses.name-is-not-type", 1),
    Case("half a call", list(numbered(CREATED, added(), HALF_CALL, COMPLETED)), ORDER, "responses.tool-json"),
    Case("[DONE] at its end", [*numbered(*GOOD), unnamed("[DONE]")], COMPLETE, "responses.completed"),
    Case("not JSON", [*numbered(*GOOD)[:2], unnamed("oops"), *numbered(*GOOD)[2:]],
         ORDER, "responses.bad-json", 3, FindingName.BAD_JSON),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_verdicts(case: Case) -> None:
    check(ResponsesReader(MODEL), case)


READINGS: list[tuple[Step, EventKind, str]] = [
    (CREATED, EventKind.START, ""),
    (added(), EventKind.START, ""),
    (delta("x"), EventKind.TEXT, "x"),
    (delta(""), EventKind.OTHER, ""),
    (delta("no", 0, "refusal"), EventKind.TEXT, "no"),
    (delta("hm", 0, "reasoning_text"), EventKind.REASONING, "hm"),
    (delta('{"', 0, "function_call_arguments"), EventKind.TOOL, '{"'),
    (delta("in", 0, "custom_tool_call_input"), EventKind.TOOL, "in"),
    (("response.audio.delta", {"delta": "AAAA"}), EventKind.OTHER, ""),
    (KEEPALIVE, EventKind.KEEPALIVE, ""),
    (COMPLETED, EventKind.STOP, ""),
    (FLAT, EventKind.ERROR, ""),
]


@pytest.mark.parametrize(("step", "kind", "text"), READINGS)
def test_what_an_event_means(step: Step, kind: EventKind, text: str) -> None:
    reading = ResponsesReader(MODEL).event(numbered(step)[0])
    assert (reading.kind, reading.text) == (kind, text)


def test_a_lost_event_is_reported_with_its_numbers() -> None:
    assert feed(ResponsesReader(MODEL), skipping(3)).end().reason == (
        "event 4: sequence_number 4 after 2: events were lost"
    )


def test_usage_and_model_are_those_of_the_response() -> None:
    reader = feed(ResponsesReader(MODEL), numbered(*GOOD))
    assert (reader.usage, reader.model_served, reader.findings) == (Usage(9, 2), MODEL, ())


@pytest.mark.parametrize("error", [FLAT, NESTED])
def test_the_reason_names_the_error_of_either_shape(error: Step) -> None:
    reason = feed(ResponsesReader(MODEL), numbered(CREATED, error)).end().reason
    assert "server_error: died" in reason


OUTPUT = [{"type": "message", "content": [{"type": "output_text", "text": "a"}]}]
ANSWERS = [
    ({"status": "completed", "output": OUTPUT}, COMPLETE, "responses.answer"),
    ({"status": "completed", "output": [{"type": "function_call"}]}, COMPLETE, "responses.answer"),
    ({"status": "incomplete", "output": []}, COMPLETE, "responses.answer"),
    ({"status": "completed", "output": []}, Verdict.EMPTY, "responses.no-content"),
    ({"status": "completed", "output": [], "usage": {"output_tokens": 3}}, Verdict.EMPTY, "responses.no-content"),
    ({"status": "cancelled", "output": OUTPUT}, Verdict.SERVER_ERROR, "responses.cancelled"),
    ({"status": "failed", "output": [], "error": {"message": "x"}}, Verdict.SERVER_ERROR, "responses.error-in-200"),
    ({"choices": []}, Verdict.WRONG_BODY, "responses.not-a-response"),
    (7, Verdict.WRONG_BODY, "responses.not-a-response"),
]


@pytest.mark.parametrize(("body", "verdict", "rule"), ANSWERS)
def test_whole_answers(body: object, verdict: Verdict, rule: str) -> None:
    answer = answer_of("openai-responses", body)
    assert (answer.judgement.verdict, answer.judgement.rule) == (verdict, rule)


def test_what_a_whole_answer_holds() -> None:
    body = {"status": "completed", "model": "gpt-3", "output": OUTPUT, "usage": {"input_tokens": 1, "output_tokens": 2}}
    answer = answer_of("openai-responses", body)
    assert (answer.text, answer.usage, names(answer.findings)) == ("a", Usage(1, 2), [FindingName.MODEL_DIFFERS])


def test_a_flood_of_items_and_parts_stays_small() -> None:
    reader = ResponsesReader(MODEL)
    for event in numbered(CREATED, *(step for index in range(3000) for step in (added(index), delta("a", index)))):
        reader.event(event)
    assert len(reader._parts._open) <= 1024
    assert len(reader._parts._came) <= 1024


# What holds for every API

RARE = (
    named("response.output_item.added", output_index=1, item={"type": "function_call", "name": "f"}),
    named("response.function_call_arguments.delta", output_index=1, delta='{"a":'),
    named("response.function_call_arguments.done", output_index=1, arguments='{"a":1}'),
    named("response.reasoning_summary_part.added", output_index=2, summary_index=0, part={"type": "summary_text"}),
    named("response.reasoning_summary_text.delta", output_index=2, summary_index=0, delta="hm"),
    named("response.refusal.delta", output_index=0, content_index=0, delta="no"),
    named("response.failed", response={"status": "failed", "error": {"code": "server_error", "message": "busy"}}),
    named("response.incomplete", response={"incomplete_details": {"reason": "max_output_tokens"}}),
    named("keepalive", sequence_number=3),
    named("error", error={"type": "server_error", "code": None, "message": "busy", "headers": {"a": "b"}}),
)


def script() -> Script:
    item = {"type": "message", "content": []}
    part = {"output_index": 0, "content_index": 0}
    output = [{"type": "message", "content": [{"type": "output_text", "text": "ab"}]}]
    events = numbered(
        ("response.created", {"response": {"id": "r", "model": "m", "status": "in_progress"}}),
        ("response.in_progress", {"response": {"id": "r"}}),
        ("response.output_item.added", {"output_index": 0, "item": item}),
        ("response.content_part.added", {**part, "part": {"type": "output_text", "text": ""}}),
        ("response.output_text.delta", {**part, "delta": "a"}),
        ("response.output_text.delta", {**part, "delta": "b"}),
        ("response.output_text.done", {**part, "text": "ab"}),
        ("response.content_part.done", {**part, "part": {"type": "output_text", "text": "ab"}}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": {"id": "r", "model": "m", "status": "completed", "output": output}}),
    )
    error = named("error", code="server_error", message="busy", param=None, sequence_number=6)
    return Script(
        "openai-responses",
        events[:2],
        events[2:6],
        events[6:9],
        (),
        events[9:],
        error,
        numbered(("response.created", {"response": {}}), ("response.completed", {"response": {"output": []}})),
        {"status": "completed", "output": output, "usage": {"output_tokens": 2}},
        silent=2,
        lies={
            "cut right before its end is proved": Verdict.TRUNCATED,
            "never a terminator": Verdict.TRUNCATED,
            "the terminator over a cut": Verdict.OUT_OF_ORDER,
            "only the terminator": Verdict.OUT_OF_ORDER,
        },
        rare=RARE,
    )


SCRIPTS = (script(),)
