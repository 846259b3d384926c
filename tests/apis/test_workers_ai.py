"""Workers AI: the true verdict for every way in which a stream can go, how it is asked, and whole answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.script import Script
from support.streams import Case, answer_of, check, feed, unnamed

from gwtui.apis import APIS
from gwtui.apis.workers_ai import WorkersAIReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

API = APIS["workers-ai"]
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
BASE = "https://api.cloudflare.com/client/v4/accounts/a1"


def text(piece: Any, **fields: Any) -> FramedEvent:
    return unnamed({"response": piece, "p": "abcd"} | fields)


def chunk(finish: str | None = None, **delta: Any) -> FramedEvent:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return unnamed({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


DONE = unnamed("[DONE]")
END = text("", usage=USAGE)
CALL = unnamed({"response": None, "tool_calls": [{"name": "now", "arguments": {"city": "Paris"}}]})
PART = unnamed({"tool_calls": [{"index": 0, "function": {"name": None, "arguments": "{"}}]})
NAMED = unnamed({"tool_calls": [{"id": "x", "index": 0, "function": {"name": "now"}}]})
ERROR = unnamed({"errors": [{"code": 3040, "message": "Capacity temporarily exceeded"}], "success": False})
COMPLETE, ORDER, CUT, EMPTY = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.EMPTY
GOOD = "workers-ai.done"
CASES = [
    Case("as it should be", [text("a"), text("b"), END, DONE], COMPLETE, GOOD),
    Case("no counts", [text("a"), DONE], COMPLETE, GOOD),
    Case("counts in each", [text("a", usage=USAGE), text("b", usage=USAGE), DONE], COMPLETE, GOOD),
    Case("digits as a number", [text(4), text(2), DONE], COMPLETE, GOOD),
    Case("a tool call", [CALL, END, DONE], COMPLETE, GOOD),
    Case("a tool call in pieces", [NAMED, PART, END, DONE], COMPLETE, GOOD),
    Case("nothing but counts", [END, DONE], EMPTY, "workers-ai.no-content"),
    Case("only thoughts", [text("<think>"), text("hm</think>"), DONE], EMPTY, "workers-ai.no-content"),
    Case("nothing at all", [], EMPTY, "workers-ai.no-response"),
    Case("only the end", [DONE], EMPTY, "workers-ai.no-response"),
    Case("no end", [text("a"), text("b"), END], CUT, "workers-ai.eof-before-done", 3),
    Case("an error", [text("a"), ERROR], Verdict.ERROR_IN_STREAM, "workers-ai.error-event", 2),
    Case("another error", [text("a"), unnamed({"error": "boom"})], Verdict.ERROR_IN_STREAM,
         "workers-ai.error-event", 2),
    Case("it says so", [text("a"), text("", finish_reason="error"), DONE], Verdict.ERROR_IN_STREAM,
         "workers-ai.error-event", 2),
    Case("half an event", [text("a"), unnamed('{"resp'), DONE], ORDER, "workers-ai.bad-json", 2, FindingName.BAD_JSON),
    Case("foreign", [unnamed({"x": 1}), text("a"), DONE], COMPLETE, GOOD, None, FindingName.FOREIGN_CHUNK),
    Case("more after the end", [text("a"), DONE, text("b")], COMPLETE, GOOD, None, FindingName.EVENTS_AFTER_END),
    Case("OpenAI's chunks", [chunk(role="assistant", content=""), chunk(content="a"), chunk("stop"), DONE], COMPLETE,
         "workers-ai.done"),
    Case("OpenAI's chunks, cut", [chunk(role="assistant", content=""), chunk(content="a")], CUT,
         "workers-ai.eof-before-finish", 2),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_true_verdict(case: Case) -> None:
    check(WorkersAIReader("m"), case)


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (text("a"), EventKind.TEXT, "a"),
        (text(4), EventKind.TEXT, "4"),
        (CALL, EventKind.TOOL, '{"city": "Paris"}'),
        (NAMED, EventKind.TOOL, "now"),
        (PART, EventKind.TOOL, "{"),
        (END, EventKind.USAGE, ""),
        (text(""), EventKind.OTHER, ""),
        (DONE, EventKind.STOP, ""),
        (ERROR, EventKind.ERROR, ""),
    ],
)
def test_what_an_event_means(event: FramedEvent, kind: EventKind, text: str) -> None:
    reading = WorkersAIReader("m").event(event)
    assert (reading.kind, reading.text) == (kind, text)


def test_an_error_is_quoted_and_the_last_counts_count() -> None:
    reader = feed(WorkersAIReader("m"), [text("a"), ERROR])
    assert "Capacity temporarily exceeded (code 3040)" in reader.end().reason
    usage = feed(WorkersAIReader("m"), [text("a"), END, DONE]).usage
    assert (usage.input_tokens, usage.output_tokens) == (9, 2)


def whole(**result: Any) -> dict[str, Any]:
    return {"result": result, "success": True, "errors": [], "messages": []}


REFUSED = {"result": None, "success": False, "errors": [{"code": 7003, "message": "no such model"}]}
OPENAI = {"choices": [{"message": {"content": "ab"}, "finish_reason": "stop"}], "usage": USAGE}


@pytest.mark.parametrize(
    ("body", "verdict", "rule"),
    [
        (whole(response="ab", usage=USAGE), COMPLETE, "workers-ai.answer"),
        (whole(response={"a": 1}), COMPLETE, "workers-ai.answer"),
        (whole(response=None, tool_calls=[{"name": "now", "arguments": {}}]), COMPLETE, "workers-ai.answer"),
        (whole(**OPENAI), COMPLETE, "workers-ai.answer"),
        (whole(response="", usage=USAGE), EMPTY, "workers-ai.no-content"),
        (whole(), Verdict.WRONG_BODY, "workers-ai.no-result"),
        (REFUSED, Verdict.SERVER_ERROR, "workers-ai.error-in-200"),
        ({"response": "ab"}, Verdict.WRONG_BODY, "workers-ai.no-result"),
        ([], Verdict.WRONG_BODY, "workers-ai.no-result"),
    ],
)
def test_whole_answers(body: object, verdict: Verdict, rule: str) -> None:
    judgement = answer_of(API.name, body).judgement
    assert (judgement.verdict, judgement.rule) == (verdict, rule), judgement.reason


def test_how_it_is_asked() -> None:
    ask = API.ask(Endpoint(name="e", api=API.name, url=BASE, prompt="hi", max_tokens=7), "k")
    assert ask.url == f"{BASE}/ai/run/@cf/meta/llama-3.1-8b-instruct-fp8"
    assert ("Authorization", "Bearer k") in ask.headers
    question = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 7, "stream": True}
    assert json.loads(ask.body) == question
    gateway = "https://gateway.ai.cloudflare.com/v1/a1/g1/workers-ai"
    asked = API.ask(Endpoint(name="e", api=API.name, url=gateway, path="/{model}", model="@cf/x/y"), None)
    assert asked.url == f"{gateway}/@cf/x/y"


SCRIPTS = (
    Script(
        API.name,
        opening=(),
        content=(text("a"), text("b")),
        closing=(),
        finish=(text("", usage={}),),
        terminator=(DONE,),
        error=ERROR,
        empty=(text(""), DONE),
        whole=whole(response="ab", usage=USAGE),
        lies={
            "the terminator over a cut": COMPLETE,
            "never a terminator": CUT,
            "cut right before its end is proved": CUT,
        },
        rare=(CALL, PART, NAMED, END, text(4), chunk(content="a"), chunk("stop")),
    ),
)
