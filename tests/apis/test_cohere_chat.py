"""Cohere's chat: the true verdict for every way in which a stream can go, how it is asked, and whole answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.script import Script
from support.streams import Case, answer_of, check, decode, feed, named, names, unnamed

from gwtui.apis import APIS
from gwtui.apis.cohere.stream import CohereReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

API = APIS["cohere-chat"]
USAGE = {
    "billed_units": {"input_tokens": 1, "output_tokens": 2},
    "tokens": {"input_tokens": 496, "output_tokens": 2},
    "cached_tokens": 448,
}
START = named("message-start", id="c1", delta={"message": {"role": "assistant", "content": [], "tool_calls": []}})


def begin(index: int = 0, **content: Any) -> FramedEvent:
    return named("content-start", index=index, delta={"message": {"content": content or {"type": "text", "text": ""}}})


def text(piece: str, index: int = 0) -> FramedEvent:
    return named("content-delta", index=index, delta={"message": {"content": {"text": piece}}})


def thought(piece: str, index: int = 0) -> FramedEvent:
    return named("content-delta", index=index, delta={"message": {"content": {"thinking": piece}}})


def stop(index: int = 0) -> FramedEvent:
    return named("content-end", index=index)


def plan(piece: str) -> FramedEvent:
    return named("tool-plan-delta", delta={"message": {"tool_plan": piece}})


def call(index: int = 0, arguments: str = "") -> FramedEvent:
    function = {"name": "get_weather", "arguments": arguments}
    calls = {"id": "x", "type": "function", "function": function}
    return named("tool-call-start", index=index, delta={"message": {"tool_calls": calls}})


def arguments(piece: str, index: int = 0) -> FramedEvent:
    calls = {"function": {"arguments": piece}}
    return named("tool-call-delta", index=index, delta={"message": {"tool_calls": calls}})


def called(index: int = 0) -> FramedEvent:
    return named("tool-call-end", index=index)


def end(reason: str | None = "COMPLETE", **fields: Any) -> FramedEvent:
    return named("message-end", delta={"finish_reason": reason, "usage": USAGE} | fields)


CITATION = named("citation-start", index=0, delta={"message": {"citations": {"start": 0, "end": 1, "text": "a"}}})
IN_A_LIST = named("tool-call-delta", delta={"message": {"tool_calls": [{"function": {"arguments": "{"}}]}})
MISNAMED = FramedEvent("x", text("a").data)
ERROR = end("ERROR", error="No valid response generated", usage={})
COMPLETE, ORDER, CUT, EMPTY = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.EMPTY
FAILED = Verdict.ERROR_IN_STREAM
CASES = [
    Case("as it should be", [START, begin(), text("a"), text("b"), stop(), end()], COMPLETE, "cohere.message-end"),
    Case(
        "thinking first",
        [START, begin(0, type="thinking", thinking=""), thought("hm"), stop(), begin(1), text("a", 1), stop(1), end()],
        COMPLETE,
        "cohere.message-end",
    ),
    Case(
        "citations between",
        [START, begin(), text("a"), CITATION, named("citation-end", index=0), stop(), end()],
        COMPLETE,
        "cohere.message-end",
    ),
    Case(
        "a plan and a tool call",
        [START, plan("I will"), call(), arguments('{"a"'), arguments(": 1}"), called(), end("TOOL_CALL")],
        COMPLETE,
        "cohere.message-end",
    ),
    Case(
        "two calls at once",
        [START, call(), call(1), arguments("{}"), arguments("{}", 1), called(), called(1), end("TOOL_CALL")],
        COMPLETE,
        "cohere.message-end",
    ),
    Case("a stop sequence", [START, begin(), text("a"), stop(), end("STOP_SEQUENCE")], COMPLETE, "cohere.message-end"),
    Case("the limit", [START, begin(), text("a"), end("MAX_TOKENS")], COMPLETE, "cohere.message-end"),
    Case("no starts and stops", [START, text("a"), end()], COMPLETE, "cohere.message-end"),
    Case(
        "no reason",
        [START, begin(), text("a"), stop(), end(None)],
        COMPLETE,
        "cohere.message-end",
        None,
        FindingName.NO_STOP_REASON,
    ),
    Case(
        "another reason",
        [START, begin(), text("a"), stop(), end("x")],
        COMPLETE,
        "cohere.message-end",
        None,
        FindingName.UNKNOWN_FINISH_REASON,
    ),
    Case("counted tokens are no content", [START, begin(), stop(), end()], EMPTY, "cohere.no-content"),
    Case("only thoughts", [START, begin(), thought("hm"), stop(), end()], EMPTY, "cohere.no-content"),
    Case("only a plan", [START, plan("I will"), end("TOOL_CALL")], EMPTY, "cohere.no-content"),
    Case("nothing at all", [], EMPTY, "cohere.no-message"),
    Case("no end", [START, begin(), text("a"), stop()], CUT, "cohere.eof-before-message-end", 4),
    Case("an error", [START, begin(), text("a"), ERROR], FAILED, "cohere.error-event", 4),
    Case("a timeout", [START, begin(), text("a"), end("TIMEOUT")], FAILED, "cohere.error-event", 4),
    Case("an error with a good reason", [START, text("a"), end(error="busy")], FAILED, "cohere.error-event", 3),
    Case("no start", [begin(), text("a"), stop(), end()], ORDER, "cohere.no-message-start", 1),
    Case("two starts", [START, START, text("a"), end()], ORDER, "cohere.second-message-start", 2),
    Case("a block left open", [START, begin(), text("a"), end()], ORDER, "cohere.not-ended", 4),
    Case("a block begun twice", [START, begin(), begin(), text("a"), stop(), end()], ORDER, "cohere.begun-twice", 3),
    Case("an end too many", [START, text("a"), stop(1), end()], ORDER, "cohere.end-without-start", 3),
    Case("half a tool call", [START, call(0, '{"a"'), called(), end("TOOL_CALL")], ORDER, "cohere.tool-json", 3),
    Case("half a tool call at the limit", [START, call(0, '{"a"'), end("MAX_TOKENS")], COMPLETE, "cohere.message-end"),
    Case("a name that is not its type", [START, MISNAMED, end()], ORDER, "cohere.name-is-not-type", 2),
    Case(
        "another event",
        [START, named("new-event"), text("a"), end()],
        COMPLETE,
        "cohere.message-end",
        None,
        FindingName.UNKNOWN_EVENT,
    ),
    Case(
        "OpenAI's end",
        [START, text("a"), end(), unnamed("[DONE]")],
        COMPLETE,
        "cohere.message-end",
        None,
        FindingName.DONE_MARKER,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_true_verdict(case: Case) -> None:
    check(CohereReader(), case)


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (text("a"), EventKind.TEXT, "a"),
        (thought("hm"), EventKind.REASONING, "hm"),
        (plan("hm"), EventKind.REASONING, "hm"),
        (begin(0, type="text", text="a"), EventKind.TEXT, "a"),
        (begin(), EventKind.START, ""),
        (call(), EventKind.START, ""),
        (call(0, "{}"), EventKind.TOOL, "{}"),
        (IN_A_LIST, EventKind.TOOL, "{"),
        (CITATION, EventKind.OTHER, ""),
        (end(), EventKind.STOP, ""),
        (ERROR, EventKind.ERROR, ""),
    ],
)
def test_what_an_event_means(event: FramedEvent, kind: EventKind, text: str) -> None:
    reading = feed(CohereReader(), [START]).event(event)
    assert (reading.kind, reading.text) == (kind, text)


def test_the_words_of_a_failure_are_quoted_and_unnamed_events_are_read_as_clients_do() -> None:
    reader = feed(CohereReader(), [START, ERROR])
    assert "ERROR: No valid response generated" in reader.end().reason
    reader = feed(CohereReader(), [FramedEvent("message", event.data) for event in (START, text("a"), end())])
    assert (reader.end().verdict, names(reader.findings)) == (COMPLETE, [])


def test_tokens_are_those_of_the_model_and_else_those_billed() -> None:
    body = b"".join(f"event: {e.event}\ndata: {e.data}\n\n".encode() for e in (START, text("a"), end()))
    assert decode(body, API.name).usage.input_tokens == 496
    billed = {"billed_units": {"input_tokens": 1, "output_tokens": 2}}
    usage = feed(CohereReader(), [START, text("a"), end(usage=billed)]).usage
    assert (usage.input_tokens, usage.output_tokens) == (1, 2)


def whole(reason: str = "COMPLETE", *blocks: dict[str, str], **message: Any) -> dict[str, Any]:
    told = {"role": "assistant", "content": list(blocks), **message}
    return {"id": "c1", "message": told, "finish_reason": reason, "usage": USAGE}


AB = {"type": "text", "text": "ab"}


@pytest.mark.parametrize(
    ("body", "verdict", "rule"),
    [
        (whole("COMPLETE", {"type": "thinking", "thinking": "hm"}, AB), COMPLETE, "cohere.message-end"),
        (whole("TOOL_CALL", tool_calls=[{"id": "x"}]), COMPLETE, "cohere.message-end"),
        (whole("MAX_TOKENS"), COMPLETE, "cohere.message-end"),
        (whole(), EMPTY, "cohere.no-content"),
        (whole("COMPLETE", {"type": "thinking", "thinking": "hm"}), EMPTY, "cohere.no-content"),
        (whole("ERROR", AB), Verdict.SERVER_ERROR, "cohere.error-in-200"),
        ({"id": "c1"}, Verdict.WRONG_BODY, "cohere.not-a-message"),
        ([], Verdict.WRONG_BODY, "cohere.not-a-message"),
    ],
)
def test_whole_answers(body: object, verdict: Verdict, rule: str) -> None:
    answer = answer_of(API.name, body)
    assert (answer.judgement.verdict, answer.judgement.rule) == (verdict, rule), answer.judgement.reason
    assert answer.text in ("ab", "")


def test_how_it_is_asked() -> None:
    endpoint = Endpoint(name="e", api=API.name, url="https://h", prompt="hi", max_tokens=7)
    ask = API.ask(endpoint, "k")
    assert ask.url == "https://h/v2/chat"
    assert ("Authorization", "Bearer k") in ask.headers
    assert json.loads(ask.body) == {
        "model": "command-a-03-2025",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 7,
        "stream": True,
    }


SCRIPTS = (
    Script(
        API.name,
        opening=(START, begin()),
        content=(text("a"), text("b")),
        closing=(stop(),),
        finish=(end(usage={}),),
        terminator=(),
        error=ERROR,
        empty=(START, begin(), stop(), end(usage={})),
        whole=whole("COMPLETE", AB),
        lies={"cut right before its end is proved": CUT, "never a terminator": COMPLETE},
        rare=(thought("hm"), plan("hm"), call(), arguments("{"), called(), CITATION, end(), end(None)),
    ),
)
