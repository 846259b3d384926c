"""Ollama's completion of a prompt: its own form, and what differs from the chat. The rules are those of the chat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.script import Script
from support.streams import Case, answer_of, check, unnamed

from gwtui.apis import APIS
from gwtui.apis.base import AskError
from gwtui.apis.ollama import GENERATE_FORM, OllamaReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

API = APIS["ollama-generate"]
MODEL = "m"


def part(response: str = "", **fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "created_at": "2026-01-31T14:03:22Z", "response": response, "done": False, **fields}


def text(response: str = "", **fields: Any) -> FramedEvent:
    return unnamed(part(response, **fields))


def done(reason: str | None = "stop", response: str = "", **fields: Any) -> FramedEvent:
    return text(response, **{"done": True, "context": [1, 2, 3]} | ({"done_reason": reason} if reason else {}) | fields)


CHAT = unnamed({"model": MODEL, "message": {"role": "assistant", "content": "a"}, "done": False})
COMPLETE, ORDER, CUT, EMPTY = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.EMPTY
CASES = [
    Case("as it should be", [text("a"), text("b"), done(eval_count=2)], COMPLETE, "ollama.done"),
    Case("all in one line", [done(response="ab")], COMPLETE, "ollama.done"),
    Case("the token limit", [text("a"), done("length")], COMPLETE, "ollama.done"),
    Case("no reason", [text("a"), done(None)], COMPLETE, "ollama.done", None, FindingName.NO_STOP_REASON),
    Case("only loaded", [done("load")], EMPTY, "ollama.no-content"),
    Case("no done", [text("a")], CUT, "ollama.eof-before-done", 1),
    Case("an error", [text("a"), unnamed({"error": "CUDA error"})], Verdict.ERROR_IN_STREAM, "ollama.error-event", 2),
    Case("what `/api/chat` sends", [CHAT], ORDER, "ollama.wrong-form", 1),
    Case("a response that is no text", [unnamed({"response": 1}), text("b"), done()], ORDER, "ollama.wrong-form", 1),
    Case("half a line", [text("a"), unnamed('{"resp'), done()], ORDER, "ollama.bad-json", 2, FindingName.BAD_JSON),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_true_verdict(case: Case) -> None:
    check(OllamaReader(MODEL, GENERATE_FORM), case)


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (text("a"), EventKind.TEXT, "a"),
        (text(thinking="hm"), EventKind.REASONING, "hm"),
        (text(), EventKind.OTHER, ""),
        (done(), EventKind.STOP, ""),
    ],
)
def test_what_an_event_means(event: FramedEvent, kind: EventKind, text: str) -> None:
    reading = OllamaReader(MODEL, GENERATE_FORM).event(event)
    assert (reading.kind, reading.text) == (kind, text)


@pytest.mark.parametrize(
    ("body", "verdict", "rule"),
    [
        (part("ab", done=True, done_reason="stop"), COMPLETE, "ollama.done"),
        (part("ab"), Verdict.WRONG_BODY, "ollama.not-done"),
        ({"message": {"content": "a"}, "done": True}, Verdict.WRONG_BODY, "ollama.not-a-chat"),
    ],
)
def test_whole_answers(body: object, verdict: Verdict, rule: str) -> None:
    judgement = answer_of(API.name, body).judgement
    assert (judgement.verdict, judgement.rule) == (verdict, rule), judgement.reason


def test_how_it_is_asked() -> None:
    endpoint = Endpoint(name="e", api=API.name, url="http://h", prompt="hi", max_tokens=7, body={"suffix": "end"})
    ask = API.ask(endpoint, None)
    assert ask.url == "http://h/api/generate"
    assert json.loads(ask.body) == {
        "model": "llama3.2",
        "prompt": "hi",
        "stream": True,
        "suffix": "end",
        "options": {"num_predict": 7},
    }
    with pytest.raises(AskError, match="`messages`: this API takes one text"):
        API.ask(Endpoint(name="e", api=API.name, url="http://h", messages=({"role": "user", "content": "x"},)), None)


SCRIPTS = (
    Script(
        API.name,
        opening=(),
        content=(text("a"), text("b")),
        closing=(),
        finish=(done(),),
        terminator=(),
        error=unnamed({"error": "busy"}),
        empty=(done(),),
        whole=part("ab", done=True, done_reason="stop", eval_count=2),
        lies={"cut right before its end is proved": CUT, "never a terminator": COMPLETE},
        rare=(text(thinking="hm"), done(None), done("load"), CHAT),
    ),
)
