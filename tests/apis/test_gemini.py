"""Gemini: the true verdict for every way in which a stream can go, and whole answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.script import Script
from support.streams import Case, answer_of, check, decode, feed, names, unnamed

from gwtui.apis import APIS
from gwtui.apis.base import Usage
from gwtui.apis.gemini.stream import GeminiReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import End, EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict
from gwtui.verdict.classify import Transport, judge

MODEL = "gemini-2.0-flash"


def candidate(*parts: dict[str, Any], finish: str | None = None, index: int | None = 0) -> dict[str, Any]:
    fields: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    fields |= {} if finish is None else {"finishReason": finish}
    return fields | ({} if index is None else {"index": index})


def text(content: str, finish: str | None = None, **fields: Any) -> FramedEvent:
    return unnamed({"candidates": [candidate({"text": content}, finish=finish)], "modelVersion": MODEL, **fields})


def parts(*several: dict[str, Any], finish: str | None = None) -> FramedEvent:
    return unnamed({"candidates": [candidate(*several, finish=finish)]})


STOP = unnamed({"candidates": [{"finishReason": "STOP"}]})
BLOCKED = unnamed({"promptFeedback": {"blockReason": "SAFETY"}})
USAGE = unnamed({"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 2, "thoughtsTokenCount": 5}})
ERROR = unnamed({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}})
CALL = {"functionCall": {"name": "get", "args": {"x": 1}}}
COMPLETE, ORDER, CUT, EMPTY = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.EMPTY
CASES = [
    Case("as it should be", [text("a"), text("b", "STOP")], COMPLETE, "gemini.finishReason"),
    Case("the end in an event of its own", [text("a"), STOP], COMPLETE, "gemini.finishReason"),
    Case("usage after the end", [text("a"), STOP, USAGE], COMPLETE, "gemini.finishReason"),
    Case("no index", [unnamed({"candidates": [candidate({"text": "a"}, finish="STOP", index=None)]})],
         COMPLETE, "gemini.finishReason"),
    Case("cut by MAX_TOKENS", [text("a", "MAX_TOKENS")], COMPLETE, "gemini.finishReason"),
    Case("refused in the middle", [text("a"), unnamed({"candidates": [{"finishReason": "SAFETY"}]})],
         COMPLETE, "gemini.finishReason", None, FindingName.FILTERED),
    Case("the prompt refused", [BLOCKED], COMPLETE, "gemini.blocked", None, FindingName.REFUSED),
    Case("a function call", [parts(CALL, finish="STOP")], COMPLETE, "gemini.finishReason"),
    Case("thoughts only", [parts({"text": "hm", "thought": True}), STOP, USAGE], EMPTY, "gemini.no-content"),
    Case("two candidates", [unnamed({"candidates": [candidate({"text": "a"}), candidate({"text": "b"}, index=1)]}),
         unnamed({"candidates": [{"finishReason": "STOP"}, {"finishReason": "STOP", "index": 1}]})],
         COMPLETE, "gemini.finishReason"),
    Case("an old model, which says STOP all the time", [text("a", "STOP"), text("b", "STOP")],
         COMPLETE, "gemini.finishReason", None, FindingName.FINISH_REPEATED),
    Case("an unknown reason", [text("a", "TIRED")],
         COMPLETE, "gemini.finishReason", None, FindingName.UNKNOWN_FINISH_REASON),
    Case("another model", [text("a", "STOP", modelVersion="gemini-1.0-pro")],
         COMPLETE, "gemini.finishReason", None, FindingName.MODEL_DIFFERS),
    Case("[DONE] at its end", [text("a", "STOP"), unnamed("[DONE]")],
         COMPLETE, "gemini.finishReason", None, FindingName.DONE_MARKER),

    Case("nothing", [], EMPTY, "gemini.no-response"),
    Case("STOP and no content", [STOP], EMPTY, "gemini.no-content"),
    Case("cut", [text("a"), text("b")], CUT, "gemini.eof-before-finishReason", 2),
    Case("no reason given", [text("a", "FINISH_REASON_UNSPECIFIED")], CUT, "gemini.eof-before-finishReason", 1),
    Case("a candidate that nobody asked for is never finished",
         [unnamed({"candidates": [candidate({"text": "a"}, finish="STOP"), candidate({"text": "b"}, index=1)]})],
         Verdict.OUT_OF_ORDER, "gemini.candidate-index", 1, FindingName.UNASKED_CANDIDATE),
    Case("an empty STOP before the text", [STOP, STOP, text("a"), STOP],
         COMPLETE, "gemini.finishReason", None, FindingName.FINISH_REPEATED),
    Case("an error after STOP", [text("a"), STOP, ERROR],
         COMPLETE, "gemini.finishReason", None, FindingName.EVENTS_AFTER_END),
    Case("an error in a stream that says STOP all the time", [text("a", "STOP"), text("b", "STOP"), ERROR],
         Verdict.ERROR_IN_STREAM, "gemini.error-event", 3),
    Case("a response of something else", [text("a"), unnamed({"warning": "x"}), STOP],
         COMPLETE, "gemini.finishReason", None, FindingName.FOREIGN_CHUNK),
    Case("going on after STOP, and cut", [text("a", "STOP"), text("b")],
         CUT, "gemini.eof-before-finishReason", 2, FindingName.FINISH_REPEATED),
    Case("usage only", [USAGE], CUT, "gemini.eof-before-finishReason", 1),
    Case("an error", [text("a"), ERROR], Verdict.ERROR_IN_STREAM, "gemini.error-event", 2),
    Case("an error with a name", [text("a"), FramedEvent("error", "died")],
         Verdict.ERROR_IN_STREAM, "gemini.error-event", 2),
    Case("not JSON", [unnamed("oops"), text("a", "STOP")], ORDER, "gemini.bad-json", 1, FindingName.BAD_JSON),
    Case("candidates of another form", [unnamed({"candidates": 7}), text("a", "STOP")], ORDER, "gemini.wrong-form", 1),
    Case("a negative index", [unnamed({"candidates": [candidate({"text": "a"}, index=-1)]}), STOP],
         ORDER, "gemini.candidate-index", 1),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_verdicts(case: Case) -> None:
    check(GeminiReader(MODEL), case)


READINGS = [
    (text("a"), EventKind.TEXT, "a"),
    (parts({"text": "hm", "thought": True}), EventKind.REASONING, "hm"),
    (parts({"text": "hm", "thought": True}, {"text": "a"}), EventKind.TEXT, "a"),
    (parts(CALL), EventKind.TOOL, '{"x": 1}'),
    (parts({"thoughtSignature": "x"}), EventKind.OTHER, ""),
    (parts({"inlineData": {"data": "AAAA"}}), EventKind.TOOL, "inlineData"),
    (STOP, EventKind.STOP, ""),
    (BLOCKED, EventKind.STOP, ""),
    (USAGE, EventKind.USAGE, ""),
    (ERROR, EventKind.ERROR, ""),
    (unnamed(""), EventKind.KEEPALIVE, ""),
]


@pytest.mark.parametrize(("event", "kind", "text"), READINGS)
def test_what_an_event_means(event: FramedEvent, kind: EventKind, text: str) -> None:
    reading = GeminiReader(MODEL).event(event)
    assert (reading.kind, reading.text) == (kind, text)


def test_running_usage_ends_with_the_last_and_counts_thoughts_as_output() -> None:
    first = unnamed({"usageMetadata": {"promptTokenCount": 9}})
    assert feed(GeminiReader(MODEL), [first, USAGE, first]).usage == Usage(9, 7, 5)


def test_a_candidate_that_goes_on_takes_the_proof_of_the_end_back() -> None:
    reader = feed(GeminiReader(MODEL), [text("a", "STOP")])
    assert reader.ended()
    reader.event(text("b"))
    assert not reader.ended()


def test_a_bare_error_of_many_lines_ends_the_stream_in_error() -> None:
    bare = '\r\n{\r\n  "error": {\r\n    "code": 503,\r\n    "message": "busy"\r\n  }\r\n}\r\n'
    judgement = decode(f"data: {text('a').data}\r\n\r\n{bare}".encode(), "gemini").judgement
    assert (judgement.verdict, judgement.rule) == (Verdict.ERROR_IN_STREAM, "stream.bare-error")


WHOLE = {"candidates": [candidate({"text": "hm", "thought": True}, {"text": "a"}, finish="STOP")],
         "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2}}  # fmt: skip
ANSWERS = [
    ("good", WHOLE, COMPLETE, "gemini.answer", "a"),
    ("a function call", {"candidates": [candidate(CALL)]}, COMPLETE, "gemini.answer", '{"x": 1}'),
    ("refused", {"promptFeedback": {"blockReason": "SAFETY"}}, COMPLETE, "gemini.answer", ""),
    ("nothing in it", {"candidates": [{"finishReason": "STOP"}]}, EMPTY, "gemini.no-content", ""),
    ("an error", {"error": {"message": "x"}}, Verdict.SERVER_ERROR, "gemini.error-in-200", ""),
    ("an array", [WHOLE, WHOLE], COMPLETE, "gemini.answer", "aa"),
    ("an error in an array", [WHOLE, {"error": {"message": "x"}}], Verdict.SERVER_ERROR, "gemini.error-in-200", ""),
    ("another JSON", {"choices": []}, Verdict.WRONG_BODY, "gemini.not-a-response", ""),
    ("numbers", [1, 2], Verdict.WRONG_BODY, "gemini.not-a-response", ""),
]


@pytest.mark.parametrize(
    ("body", "verdict", "rule", "text"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_whole_answers(body: object, verdict: Verdict, rule: str, text: str) -> None:
    answer = answer_of("gemini", body)
    assert (answer.judgement.verdict, answer.judgement.rule, answer.text) == (verdict, rule, text)


def test_an_array_where_a_stream_was_asked_for_is_explained() -> None:
    body = json.dumps([WHOLE, WHOLE]).encode()
    transport = Transport(end=End.CLEAN, status=200, headers=(("content-type", "application/json"),), body=body)
    judged = judge(Endpoint(name="e", api="gemini", url="http://h"), APIS["gemini"], transport)
    assert judged.judgement.verdict is Verdict.NOT_A_STREAM
    assert names(judged.findings) == [FindingName.NO_ALT_SSE]
    assert judged.answer is not None
    assert judged.answer.usage == Usage(1, 2)


# What holds for every API

RARE = (
    unnamed({"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}, "index": 0}]}),
    unnamed({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {}}}]}, "index": 0}]}),
    unnamed({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 7}}),
    unnamed({"candidates": [{"content": {"parts": [{"thoughtSignature": "s"}]}, "index": 1}]}),
)


def script() -> Script:
    def say(text: str, **fields: Any) -> dict[str, Any]:
        return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **fields}]}

    finish = unnamed({"candidates": [{"finishReason": "STOP", "index": 0}], "modelVersion": "m"})
    return Script(
        "gemini",
        (),
        (unnamed(say("a")), unnamed(say("b"))),
        (),
        (finish,),
        (),
        unnamed({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}),
        (finish,),
        {**say("ab", finishReason="STOP"), "usageMetadata": {"candidatesTokenCount": 2}},
        lies={
            "cut right before its end is proved": Verdict.TRUNCATED,
            "never a terminator": Verdict.COMPLETE,
        },
        rare=RARE,
    )


SCRIPTS = (script(),)
