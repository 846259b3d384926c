"""Several models in one stream: each fares for itself, the stream is judged as one, and all names can be changed."""

from __future__ import annotations

from typing import Any

import pytest
from support.script import Script
from support.streams import Case, check, feed, unnamed

from gwtui.apis import APIS
from gwtui.apis.compare.reader import CompareReader, Names
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict


def event(kind: str, model: str | None = None, **fields: Any) -> FramedEvent:
    return unnamed({"type": kind, **({"model": model} if model else {}), **fields})


def start(model: str = "a") -> FramedEvent:
    return event("start", model)


def chunk(model: str = "a", text: str = "x") -> FramedEvent:
    return event("chunk", model, content=text)


def done(model: str = "a") -> FramedEvent:
    return event("done", model)


def failed(model: str = "a") -> FramedEvent:
    return event("error", model, message="no such model")


def complete(good: int = 2, bad: int = 0) -> FramedEvent:
    return event("complete", metadata={"processing_time_ms": 7, "models_successful": good, "models_failed": bad})


GOOD = [start(), start("b"), chunk(), chunk("b"), done(), done("b"), complete()]
COMPLETE, ORDER, CUT, IN_STREAM = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.ERROR_IN_STREAM
CASES = [
    Case("as it should be", GOOD, COMPLETE, "compare.complete"),
    Case("one after the other", [start(), chunk(), done(), start("b"), chunk("b"), done("b"), complete()],
         COMPLETE, "compare.complete"),
    Case("one fails alone", [start(), start("b"), failed("b"), chunk(), done(), complete(1, 1)],
         COMPLETE, "compare.complete", None, FindingName.MODEL_FAILED),
    Case("one fails without a start", [start(), failed("b"), chunk(), done(), complete(1, 1)],
         COMPLETE, "compare.complete", None, FindingName.MODEL_FAILED),
    Case("one says nothing", [start(), start("b"), chunk(), done(), done("b"), complete()],
         COMPLETE, "compare.complete"),
    Case("one is not answered for", [start(), chunk(), done(), complete(1)],
         COMPLETE, "compare.complete", None, FindingName.MODEL_MISSING),
    Case("a failure is not counted", [start(), start("b"), failed("b"), chunk(), done(), complete(2, 0)],
         COMPLETE, "compare.complete", None, FindingName.COUNTS_DIFFER),
    Case("no starts", [chunk(), chunk("b"), done(), done("b"), complete()],
         COMPLETE, "compare.complete", None, FindingName.NO_START),
    Case("unknown events", [*GOOD[:2], event("hint", "a"), event("hint"), *GOOD[2:]],
         COMPLETE, "compare.complete", None, FindingName.UNKNOWN_EVENT),
    Case("[DONE] at its end", [*GOOD, unnamed("[DONE]")], COMPLETE, "compare.complete"),
    Case("no complete", GOOD[:-1], Verdict.COMPLETE_UNTERMINATED, "compare.no-complete"),

    Case("nothing", [], Verdict.EMPTY, "compare.no-model"),
    Case("complete at once", [complete(0)], Verdict.EMPTY, "compare.no-model"),
    Case("no content of any model", [start(), done(), complete(1)], Verdict.EMPTY, "compare.no-content"),

    Case("cut", GOOD[:5], CUT, "compare.eof-before-done", 5),
    Case("complete, and a model is still open", [*GOOD[:5], complete()], CUT, "compare.complete-before-done", 6),
    Case("all models fail", [start(), failed(), start("b"), failed("b"), complete(0, 2)],
         IN_STREAM, "compare.all-failed", 2),
    Case("an error of no model", [*GOOD[:3], event("error", message="died"), *GOOD[3:]],
         IN_STREAM, "compare.error-event", 4),
    Case("an error as an object", [*GOOD[:3], unnamed({"error": {"message": "died"}})],
         IN_STREAM, "compare.error-event", 4),

    Case("a chunk after its done", [*GOOD[:5], chunk(), done("b"), complete()], ORDER, "compare.event-after-done", 6),
    Case("started twice", [start(), *GOOD], ORDER, "compare.second-start", 2),
    Case("not JSON", [*GOOD[:2], unnamed("oops"), *GOOD[2:]], ORDER, "compare.bad-json", 3, FindingName.BAD_JSON),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_verdicts(case: Case) -> None:
    check(CompareReader(("a", "b"), Names()), case)


def test_every_event_says_whose_it_is() -> None:
    reader = CompareReader(("a", "b"), Names())
    readings = [reader.event(event) for event in GOOD]
    assert [reading.model for reading in readings] == ["a", "b", "a", "b", "a", "b", ""]
    assert [reading.kind for reading in readings[1:5]] == [EventKind.START, EventKind.TEXT, EventKind.TEXT,
                                                           EventKind.STOP]  # fmt: skip


def test_a_model_that_fails_alone_is_reported_with_its_words() -> None:
    reader = feed(CompareReader(("a", "b"), Names()), [start(), failed("b"), chunk(), done(), complete(1, 1)])
    assert [finding.evidence for finding in reader.findings] == ["1 of 2 models failed: b: no such model"]


def test_what_the_end_counts_is_beside_it() -> None:
    reader = CompareReader(("a", "b"), Names())
    notes = [reader.event(event).note for event in GOOD]
    assert notes == [*[""] * 6, "models_successful 2, models_failed 0, processing_time_ms 7"]


def test_all_names_can_be_changed() -> None:
    renamed = {"type": "event", "model": "id", "content": "text", "start": "begin", "chunk": "delta", "done": "end",
               "complete": "summary", "error": "failure", "message": "why"}  # fmt: skip
    endpoint = Endpoint(name="e", api="compare-stream", url="http://h", model="a,b", fields=renamed)
    events = [{"event": "begin", "id": "a"}, {"event": "delta", "id": "a", "text": "x"}, {"event": "end", "id": "a"},
              {"event": "failure", "id": "b", "why": "no"}, {"event": "summary"}]  # fmt: skip
    reader = feed(APIS["compare-stream"].reader(endpoint), map(unnamed, events))
    assert reader.end().verdict is COMPLETE
    assert [finding.evidence for finding in reader.findings] == ["1 of 2 models failed: b: no"]


def test_types_may_be_the_names_of_the_events() -> None:
    named = [FramedEvent("start", '{"model":"a"}'), FramedEvent("chunk", '{"model":"a","content":"x"}'),
             FramedEvent("done", '{"model":"a"}'), FramedEvent("complete", "{}")]  # fmt: skip
    assert feed(CompareReader(("a",), Names()), named).end().verdict is COMPLETE


def test_a_flood_of_models_stays_small() -> None:
    reader = CompareReader((), Names())
    for number in range(1000):
        reader.event(chunk(str(number)))
    assert len(reader._models) <= 64


# What holds for every API

RARE = (
    unnamed({"type": "token", "model": "m", "content": "a", "timestamp": 1.5, "usage": {"output_tokens": 3}}),
    unnamed({"type": "error", "model": "n", "error": {"message": "busy"}}),
)


def script() -> Script:
    starts = tuple(unnamed({"type": "start", "model": model}) for model in "mn")
    dones = tuple(unnamed({"type": "done", "model": model}) for model in "mn")
    complete = unnamed({"type": "complete", "metadata": {"models_successful": 2, "models_failed": 0}})
    return Script(
        "compare-stream",
        starts,
        tuple(unnamed({"type": "chunk", "model": model, "content": "a"}) for model in "mn"),
        dones[:1],
        dones[1:],
        (complete,),
        unnamed({"type": "error", "message": "busy"}),
        (*starts, *dones, complete),
        {},
        rare=RARE,
    )


SCRIPTS = (script(),)
