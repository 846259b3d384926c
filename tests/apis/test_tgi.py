"""Text Generation Inference: the true verdict for every way in which a stream can go, how it is asked, and answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.script import Script
from support.streams import Case, answer_of, check, feed, unnamed

from gwtui.apis import APIS
from gwtui.apis.base import AskError
from gwtui.apis.outcome import Wanted
from gwtui.apis.tgi import TGIReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

API = APIS["tgi"]
DETAILS = {"finish_reason": "eos_token", "generated_tokens": 3, "input_length": 9, "seed": None}


def token(index: int | None, text: str, special: bool = False, **fields: Any) -> FramedEvent:
    told = {"token": {"id": 7, "text": text, "logprob": -0.5, "special": special}, "generated_text": None}
    return unnamed(({} if index is None else {"index": index}) | told | {"details": None} | fields)


def last(index: int | None, whole: str = "ab", reason: str | None = "eos_token", text: str = "</s>") -> FramedEvent:
    details = DETAILS | {"finish_reason": reason} if reason else None
    return token(index, text, special=text == "</s>", generated_text=whole, details=details)


ERROR = unnamed({"error": "Request failed during generation: CUDA out of memory", "error_type": "generation"})
COMPLETE, ORDER, CUT, EMPTY = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.EMPTY
GOOD = "tgi.generated_text"
CASES = [
    Case("as it should be", [token(1, "a"), token(2, "b"), last(3)], COMPLETE, GOOD),
    Case("without numbers, as old servers", [token(None, "a"), token(None, "b"), last(None)], COMPLETE, GOOD),
    Case("numbered from another one", [token(2, "a"), token(3, "b"), last(4)], COMPLETE, GOOD),
    Case("the limit", [token(1, "a"), last(2, "ab", "length", "b")], COMPLETE, GOOD),
    Case("a stop sequence", [token(1, "a"), last(2, "ab", "stop_sequence", "b")], COMPLETE, GOOD),
    Case("nothing but the end", [last(1, "")], COMPLETE, GOOD, None, FindingName.NOTHING_GENERATED),
    Case("no reason", [token(1, "a"), last(2, "a", None)], COMPLETE, GOOD, None, FindingName.NO_STOP_REASON),
    Case("another reason", [token(1, "a"), last(2, "a", "x")], COMPLETE, GOOD, None, FindingName.UNKNOWN_FINISH_REASON),
    Case("aborted", [token(1, "a"), last(2, "a", "abort")], Verdict.ERROR_IN_STREAM, "tgi.error-event", 2),
    Case("no reason and no text", [last(1, "", None)], EMPTY, "tgi.no-content"),
    Case("nothing at all", [], EMPTY, "tgi.no-token"),
    Case("no last token", [token(1, "a"), token(2, "b")], CUT, "tgi.eof-before-generated_text", 2),
    Case("a lost token", [token(1, "a"), token(3, "c"), last(4)], ORDER, "tgi.token-index", 2),
    Case("a token twice", [token(1, "a"), token(1, "a"), last(2)], ORDER, "tgi.token-index", 2),
    Case("an error", [token(1, "a"), ERROR], Verdict.ERROR_IN_STREAM, "tgi.error-event", 2),
    Case("an error first", [ERROR], Verdict.ERROR_IN_STREAM, "tgi.error-event", 1),
    Case("half an event", [token(1, "a"), unnamed('{"tok'), last(2)], ORDER, "tgi.bad-json", 2, FindingName.BAD_JSON),
    Case("no token", [unnamed({"generated_text": None, "details": {}}), last(2)], ORDER, "tgi.wrong-form", 1),
    Case("foreign", [unnamed({"x": 1}), token(1, "a"), last(2)], COMPLETE, GOOD, None, FindingName.FOREIGN_CHUNK),
    Case("OpenAI's end", [token(1, "a"), last(2), unnamed("[DONE]")], COMPLETE, GOOD, None, FindingName.DONE_MARKER),
    Case(
        "more after the end",
        [token(1, "a"), last(2), token(3, "b")],
        COMPLETE,
        GOOD,
        None,
        FindingName.EVENTS_AFTER_END,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_true_verdict(case: Case) -> None:
    check(TGIReader(Wanted(7, is_code=True)), case)


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (token(1, "a"), EventKind.TEXT, "a"),
        (token(1, "</s>", special=True), EventKind.OTHER, ""),
        (last(1), EventKind.STOP, ""),
        (last(1, "b", "length", "b"), EventKind.TEXT, "b"),
        (ERROR, EventKind.ERROR, ""),
    ],
)
def test_what_an_event_means(event: FramedEvent, kind: EventKind, text: str) -> None:
    reading = TGIReader().event(event)
    assert (reading.kind, reading.text) == (kind, text)


def test_tokens_are_those_of_the_details_and_an_error_has_its_type() -> None:
    usage = feed(TGIReader(), [token(1, "a"), last(2)]).usage
    assert (usage.input_tokens, usage.output_tokens) == (9, 3)
    assert "generation: Request failed during generation: CUDA" in feed(TGIReader(), [ERROR]).end().reason


def whole(text: str = "ab", reason: str = "eos_token", **details: Any) -> dict[str, Any]:
    told = {"finish_reason": reason, "generated_tokens": 2, "prefill": [], "tokens": []}
    return {"generated_text": text, "details": told | details}


@pytest.mark.parametrize(
    ("body", "verdict", "rule"),
    [
        (whole(), COMPLETE, "tgi.answer"),
        ([whole()], COMPLETE, "tgi.answer"),
        (whole(""), COMPLETE, "tgi.answer"),
        ({"generated_text": "ab"}, COMPLETE, "tgi.answer"),
        ({"generated_text": ""}, EMPTY, "tgi.no-content"),
        ([whole(), whole()], Verdict.WRONG_BODY, "tgi.not-generated"),
        ({}, Verdict.WRONG_BODY, "tgi.not-generated"),
        ({"error": "Model is overloaded", "error_type": "overloaded"}, Verdict.OVERLOADED, "tgi.error-in-200"),
    ],
)
def test_whole_answers(body: object, verdict: Verdict, rule: str) -> None:
    judgement = answer_of(API.name, body).judgement
    assert (judgement.verdict, judgement.rule) == (verdict, rule), judgement.reason


def test_the_prompt_is_counted_where_its_tokens_are_listed() -> None:
    body = json.dumps(whole(prefill=[{"id": 1}, {"id": 2}])).encode()
    assert API.answer(Endpoint(name="e", api=API.name, url="http://h"), 200, body).usage.input_tokens == 2


def test_how_it_is_asked() -> None:
    endpoint = Endpoint(name="e", api=API.name, url="http://h:8080", prompt="hi", max_tokens=7)
    ask = API.ask(endpoint, None)
    assert ask.url == "http://h:8080/generate_stream"
    assert json.loads(ask.body) == {"inputs": "hi", "parameters": {"max_new_tokens": 7, "details": True}}
    chosen = {"parameters": {"stop": ["x"], "max_new_tokens": 9}}
    asked = API.ask(Endpoint(name="e", api=API.name, url="http://h", model="lora", stream=False, body=chosen), "k")
    assert asked.url == "http://h/generate"
    assert ("Authorization", "Bearer k") in asked.headers
    parameters = {"max_new_tokens": 9, "details": True, "adapter_id": "lora", "stop": ["x"]}
    assert json.loads(asked.body)["parameters"] == parameters
    for fields in ({"messages": ({"role": "user"},)}, {"body": {"parameters": 7}}):
        with pytest.raises(AskError):
            API.ask(Endpoint(name="e", api=API.name, url="http://h", **fields), None)


SCRIPTS = (
    Script(
        API.name,
        opening=(),
        content=(token(1, "a"), token(2, "b")),
        closing=(),
        finish=(last(3),),
        terminator=(),
        error=ERROR,
        empty=(last(1, "", None),),
        whole=whole(),
        lies={
            "cut right before its end is proved": CUT,
            "never a terminator": COMPLETE,
            "an event cut in two": ORDER,
        },
        rare=(last(3, "ab", "length", "b"), last(3, "ab", None), token(None, "a"), token(4, "</s>", special=True)),
    ),
)
