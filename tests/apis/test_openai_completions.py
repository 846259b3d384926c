"""Legacy completions and Fireworks: texts for deltas, chats only where they are spoken, and Fireworks' own times."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.completions import openai_script
from support.streams import Case, check, feed, unnamed

from gwtui.apis import APIS
from gwtui.apis.base import StreamReader, Usage
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict


def endpoint(api: str) -> Endpoint:
    return Endpoint(name="e", api=api, url="http://h", model="m")


def reader(api: str) -> StreamReader:
    return APIS[api].reader(endpoint(api))


def text(content: str = "a", finish: str | None = None, **fields: Any) -> FramedEvent:
    return unnamed({"model": "m", "choices": [{"index": 0, "text": content, "finish_reason": finish}], **fields})


def delta(finish: str | None = None, **fields: Any) -> FramedEvent:
    return unnamed({"model": "m", "choices": [{"index": 0, "delta": fields, "finish_reason": finish}]})


DONE = unnamed("[DONE]")
METRICS = {"server-time-to-first-token": "0.21", "prompt-tokens": 9}
COMPLETE = Verdict.COMPLETE
CASES = [
    ("openai-completions", Case("texts", [text(), text("b"), text("", "stop"), DONE], COMPLETE, "completions.done")),
    ("openai-completions", Case("text and finish in one", [text("a", "length"), DONE], COMPLETE, "completions.done")),
    ("openai-completions", Case("two texts in one event",
        [unnamed({"choices": [{"index": i, "text": "ab"[i], "finish_reason": "stop"} for i in (0, 1)]}), DONE],
        COMPLETE, "completions.done", None, FindingName.UNASKED_CHOICE)),
    ("openai-completions", Case("usage at the end",
        [text(), text("", "stop"), unnamed({"choices": [], "usage": {"completion_tokens": 3}}), DONE],
        COMPLETE, "completions.done")),
    ("openai-completions", Case("no [DONE]", [text(), text("", "stop")],
        Verdict.COMPLETE_UNTERMINATED, "completions.no-done")),
    ("openai-completions", Case("cut", [text(), text()], Verdict.TRUNCATED, "completions.eof-before-finish", 2)),
    ("openai-completions", Case("a chat where texts are due", [delta(content="a"), delta("stop"), DONE],
        Verdict.OUT_OF_ORDER, "completions.wrong-form", 1)),
    ("openai-completions", Case("an empty delta beside texts", [text(), delta("stop"), DONE],
        COMPLETE, "completions.done")),
    ("openai-chat", Case("texts where a chat is due", [text(), text("", "stop"), DONE],
        Verdict.OUT_OF_ORDER, "openai.wrong-form", 1)),
    ("fireworks", Case("texts", [text(), text("", "stop"), DONE], COMPLETE, "fireworks.done")),
    ("fireworks", Case("a chat", [delta(role="assistant"), delta(content="a"), delta("stop"), DONE],
        COMPLETE, "fireworks.done")),
    ("fireworks", Case("an error", [text(), unnamed({"error": {"object": "error", "message": "x"}}), DONE],
        Verdict.ERROR_IN_STREAM, "fireworks.error-event", 2)),
    ("fireworks", Case("nothing to fill in, but tokens were spent",
        [text("", "stop", usage={"prompt_tokens": 9, "completion_tokens": 1}), DONE], COMPLETE, "fireworks.done")),
]  # fmt: skip


@pytest.mark.parametrize(("api", "case"), CASES, ids=[f"{api}: {case}" for api, case in CASES])
def test_verdicts(api: str, case: Case) -> None:
    check(reader(api), case)


def test_what_a_text_means() -> None:
    reading = reader("openai-completions").event(text("def"))
    assert (reading.kind, reading.text) == (EventKind.TEXT, "def")


def test_fireworks_own_times_are_kept_beside_their_event() -> None:
    last = text("", "stop", usage={"prompt_tokens": 9, "completion_tokens": 2}, perf_metrics=METRICS)
    fireworks = reader("fireworks")
    fireworks.event(text())
    assert fireworks.event(last).note == "perf_metrics: server-time-to-first-token 0.21, prompt-tokens 9"
    assert fireworks.usage == Usage(9, 2)
    assert fireworks.findings == ()


WHOLE = {"choices": [{"text": "a", "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
CHAT = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}
ANSWERS = [
    ("openai-completions", WHOLE, COMPLETE, "completions.answer", "a"),
    ("openai-completions", CHAT, Verdict.WRONG_BODY, "completions.not-a-completion", ""),
    ("openai-chat", WHOLE, Verdict.WRONG_BODY, "openai.not-a-completion", ""),
    ("fireworks", WHOLE, COMPLETE, "fireworks.answer", "a"),
    ("fireworks", CHAT, COMPLETE, "fireworks.answer", "a"),
    ("fireworks", {"choices": [{"text": "", "finish_reason": "stop"}]}, COMPLETE, "fireworks.answer", ""),
    ("fireworks", {"choices": [{"text": "", "finish_reason": "length"}]}, COMPLETE, "fireworks.answer", ""),
    ("fireworks", {"error": {"message": "x"}}, Verdict.SERVER_ERROR, "fireworks.error-in-200", ""),
]


@pytest.mark.parametrize(("api", "body", "verdict", "rule", "expected"), ANSWERS)
def test_whole_answers(api: str, body: dict[str, Any], verdict: Verdict, rule: str, expected: str) -> None:
    answer = APIS[api].answer(endpoint(api), 200, json.dumps(body).encode())
    assert (answer.judgement.verdict, answer.judgement.rule, answer.text) == (verdict, rule, expected)


def test_the_model_that_answered_is_compared_with_the_one_asked_for() -> None:
    other = feed(reader("fireworks"), [text(model="accounts/fireworks/models/other"), DONE])
    assert other.model_served == "accounts/fireworks/models/other"
    assert [finding.name for finding in other.findings] == [FindingName.MODEL_DIFFERS]


# What holds for every API

SCRIPTS = (
    openai_script("openai-completions", "text"),
    openai_script("fireworks", "text"),
    openai_script("fireworks", "delta"),
)
