"""Ollama's chat: the true verdict for every way in which a stream can go, how it is asked, and whole answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.script import Script
from support.streams import Case, answer_of, check, decode, feed, names, unnamed

from gwtui.apis import APIS
from gwtui.apis.base import AskError
from gwtui.apis.ollama import OllamaReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

API = APIS["ollama-chat"]
MODEL = "m"
CALL = {"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}
END: dict[str, Any] = {
    "total_duration": 4883583458,
    "load_duration": 1334875,
    "prompt_eval_count": 26,
    "eval_count": 282,
}


def message(content: str = "", **fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "message": {"role": "assistant", "content": content, **fields}, "done": False}


def text(content: str = "", **fields: Any) -> FramedEvent:
    return unnamed(message(content, **fields))


def done(reason: str | None = "stop", content: str = "", **fields: Any) -> FramedEvent:
    return unnamed(message(content) | {"done": True} | ({"done_reason": reason} if reason else {}) | fields)


ERROR = unnamed({"error": "an error was encountered while running the model: CUDA error"})
COMPLETE, ORDER, CUT, EMPTY = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.EMPTY
NO_REASON, AFTER_END = FindingName.NO_STOP_REASON, FindingName.EVENTS_AFTER_END
CASES = [
    Case("as it should be", [text("a"), text("b"), done(**END)], COMPLETE, "ollama.done"),
    Case("all in one line", [done(content="ab")], COMPLETE, "ollama.done"),
    Case("no message at the end", [text("a"), unnamed({"done": True, "done_reason": "stop"})], COMPLETE, "ollama.done"),
    Case("the token limit", [text(thinking="hm"), done("length")], COMPLETE, "ollama.done"),
    Case("nothing but the limit", [done("length")], COMPLETE, "ollama.done"),
    Case("a tool call", [text(tool_calls=[CALL]), done()], COMPLETE, "ollama.done"),
    Case("no reason", [text("a"), done(None)], COMPLETE, "ollama.done", None, NO_REASON),
    Case("another reason", [text("a"), done("x")], COMPLETE, "ollama.done", None, FindingName.UNKNOWN_FINISH_REASON),
    Case("only loaded", [done("load")], EMPTY, "ollama.no-content"),
    Case("nothing at all", [], EMPTY, "ollama.no-message"),
    Case("no done", [text("a"), text("b")], CUT, "ollama.eof-before-done", 2),
    Case("done is a text", [text("a"), done(done="true")], CUT, "ollama.eof-before-done", 2),
    Case("an error", [text("a"), ERROR], Verdict.ERROR_IN_STREAM, "ollama.error-event", 2),
    Case("an error first", [ERROR], Verdict.ERROR_IN_STREAM, "ollama.error-event", 1),
    Case("what `/api/generate` sends", [unnamed({"response": "a", "done": False})], ORDER, "ollama.wrong-form", 1),
    Case("half a line", [text("a"), unnamed('{"mess'), done()], ORDER, "ollama.bad-json", 2, FindingName.BAD_JSON),
    Case("an array", [unnamed("[]"), done()], ORDER, "ollama.wrong-form", 1),
    Case("a message that is a text", [unnamed({"message": "a"}), text("b"), done()], ORDER, "ollama.wrong-form", 1),
    Case(
        "a line of something else",
        [text("a"), unnamed({"warning": "x"}), done()],
        COMPLETE,
        "ollama.done",
        None,
        FindingName.FOREIGN_CHUNK,
    ),
    Case("more after the end", [text("a"), done(), text("b")], COMPLETE, "ollama.done", None, AFTER_END),
    Case("half a line after the end", [text("a"), done(), unnamed('{"mess')], COMPLETE, "ollama.done", None, AFTER_END),
    Case(
        "[DONE] after the end",
        [text("a"), done(), unnamed("[DONE]")],
        COMPLETE,
        "ollama.done",
        None,
        FindingName.DONE_MARKER,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_true_verdict(case: Case) -> None:
    check(OllamaReader(MODEL), case)


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (text("a"), EventKind.TEXT, "a"),
        (text("a", thinking="hm"), EventKind.TEXT, "a"),
        (text(thinking="hm"), EventKind.REASONING, "hm"),
        (text(tool_calls=[CALL]), EventKind.TOOL, '{"city": "Paris"}'),
        (text(tool_calls=[{"function": {"name": "now", "arguments": {}}}]), EventKind.TOOL, "now"),
        (text(tool_calls=["x", {"function": "y"}]), EventKind.OTHER, ""),
        (text(), EventKind.OTHER, ""),
        (done(), EventKind.STOP, ""),
        (done(content="a"), EventKind.TEXT, "a"),
    ],
)
def test_what_an_event_means(event: FramedEvent, kind: EventKind, text: str) -> None:
    reading = OllamaReader(MODEL).event(event)
    assert (reading.kind, reading.text) == (kind, text)


def test_the_last_object_has_tokens_and_times_and_the_times_are_kept_with_the_headers() -> None:
    body = "".join(event.data + "\n" for event in (text("a"), done(**END))).encode()
    decoded = decode(body, API.name)
    assert (decoded.usage.input_tokens, decoded.usage.output_tokens) == (26, 282)
    assert decoded.headers == {"total_duration": "4883.6 ms", "load_duration": "1.3 ms"}
    assert (decoded.model_served, decoded.text) == (MODEL, "a")
    whole = API.answer(Endpoint(name="e", api=API.name, url="http://h"), 200, done(content="ab", **END).data.encode())
    assert whole.usage == decoded.usage


def test_a_last_line_that_is_not_ended_is_read_as_clients_do() -> None:
    first, last = text("a").data, done(content="b").data
    assert decode(f"{first}\n{last}".encode(), API.name).judgement.verdict is Verdict.COMPLETE_UNTERMINATED
    cut = decode(f"{first}\n{last[:-9]}".encode(), API.name).judgement
    assert (cut.verdict, cut.event_number) == (CUT, 1)
    assert "bytes of another event had begun" in cut.reason
    failed = decode(f"{first}\n{ERROR.data}".encode(), API.name).judgement
    assert (failed.verdict, failed.event_number) == (Verdict.ERROR_IN_STREAM, 2)
    assert "CUDA error" in failed.reason


def test_another_model_is_reported() -> None:
    assert names(feed(OllamaReader("qwen3"), [text("a"), done()]).findings) == [FindingName.MODEL_DIFFERS]
    assert names(feed(OllamaReader(f"{MODEL}:latest"), [text("a"), done()]).findings) == []


@pytest.mark.parametrize(
    ("body", "verdict", "rule"),
    [
        (message("ab") | {"done": True, "done_reason": "stop"}, COMPLETE, "ollama.done"),
        (message() | {"done": True, "done_reason": "stop"}, EMPTY, "ollama.no-content"),
        (message() | {"done": True, "eval_count": 2}, EMPTY, "ollama.no-content"),
        (message("ab"), Verdict.WRONG_BODY, "ollama.not-done"),
        ({"done": True}, Verdict.WRONG_BODY, "ollama.not-a-chat"),
        ([], Verdict.WRONG_BODY, "ollama.not-a-chat"),
        ({"error": "model 'x' not found"}, Verdict.SERVER_ERROR, "ollama.error-in-200"),
    ],
)
def test_whole_answers(body: object, verdict: Verdict, rule: str) -> None:
    judgement = answer_of(API.name, body).judgement
    assert (judgement.verdict, judgement.rule) == (verdict, rule), judgement.reason


def test_how_it_is_asked() -> None:
    body = {"keep_alive": "10m", "options": {"temperature": 0}}
    endpoint = Endpoint(name="e", api=API.name, url="http://h:11434", prompt="hi", max_tokens=7, body=body)
    ask = API.ask(endpoint, None)
    assert ask.url == "http://h:11434/api/chat"
    assert dict(ask.headers) == {"Content-Type": "application/json", "Accept": "application/x-ndjson"}
    assert json.loads(ask.body) == {
        "model": "llama3.2",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "keep_alive": "10m",
        "options": {"num_predict": 7, "temperature": 0},
    }
    assert ("Authorization", "Bearer k") in API.ask(endpoint, "k").headers
    with pytest.raises(AskError, match=r"`body\.options` must be a table"):
        API.ask(Endpoint(name="e", api=API.name, url="http://h", body={"options": 7}), None)


# What holds for every API

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
        whole=message("ab") | {"done": True, "done_reason": "stop", "eval_count": 2},
        lies={"cut right before its end is proved": CUT, "never a terminator": COMPLETE},
        rare=(text(thinking="hm"), text(tool_calls=[CALL]), done(None), done("load"), done(**END), ERROR),
    ),
)
