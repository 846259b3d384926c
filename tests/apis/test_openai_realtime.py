"""OpenAI Realtime: how it is asked in both of its forms, and the true verdict for every way an answer can go."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.script import Script
from support.streams import Case, check, feed, json_values, names, unnamed

from gwtui.apis import SOCKET_APIS, fields_sent, kind_of, url_for
from gwtui.apis.base import AskError, Usage
from gwtui.apis.nonce import numbered
from gwtui.apis.openai.realtime_stream import RealtimeReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName, Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

API = SOCKET_APIS["openai-realtime"]
MODEL = "gpt-realtime"
BETA = {"headers": {"OpenAI-Beta": "realtime=v1"}}


def endpoint(**fields: Any) -> Endpoint:
    return Endpoint(**{"name": "e", "api": API.name, "url": "https://h", **fields})


def asked(**fields: Any) -> list[dict[str, Any]]:
    return [json.loads(message) for message in API.messages(API.ask(endpoint(**fields), "k").body)]


def ev(kind: str, **fields: Any) -> FramedEvent:
    return unnamed({"type": kind, "event_id": "event_1", **fields})


def done(status: str = "completed", **fields: Any) -> FramedEvent:
    return ev("response.done", response={"id": "r", "status": status, **fields})


def refusal(code: str | None, message: str = "no", kind: str = "invalid_request_error") -> FramedEvent:
    return ev("error", error={"type": kind, "code": code, "message": message, "param": None, "event_id": None})


def failed(kind: str, code: str) -> FramedEvent:
    error = {"type": kind, "code": code, "message": "no"}
    return done("failed", status_details={"type": "failed", "error": error}, output=[])


PLACE = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
ITEM = {"id": "i", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ab"}]}
SESSION = ev("session.created", session={"type": "realtime", "model": f"{MODEL}-2025-08-28"})
OPENED = [SESSION, ev("session.updated", session={}), ev("conversation.item.added"), ev("conversation.item.done")]
LIMITS = ev("rate_limits.updated", rate_limits=[{"name": "tokens", "limit": 9, "remaining": 8, "reset_seconds": 0.5}])
CREATED = ev("response.created", response={"id": "r", "status": "in_progress"})
ADDED = ev("response.output_item.added", output_index=0, item={"type": "message"})
PART = ev("response.content_part.added", **PLACE, part={"type": "text", "text": ""})
USAGE = {
    "input_tokens": 9,
    "output_tokens": 2,
    "total_tokens": 11,
    "input_token_details": {"cached_tokens": 4},
    "output_token_details": {"text_tokens": 2},
}
DONE = done(output=[ITEM], usage=USAGE)


def delta(text: str, of: str = "output_text") -> FramedEvent:
    return ev(f"response.{of}.delta", **PLACE, delta=text)


def ending(text: str = "ab", of: str = "output_text") -> list[FramedEvent]:
    return [
        ev(f"response.{of}.done", **PLACE, text=text),
        ev("response.content_part.done", **PLACE, part={"type": "text", "text": text}),
        ev("response.output_item.done", output_index=0, item=ITEM),
    ]


BEGUN = [*OPENED, CREATED, LIMITS, ADDED, PART]
GOOD = [*BEGUN, delta("a"), delta("b"), *ending(), DONE]
PREVIEW = [*BEGUN, delta("a", "text"), delta("b", "text"), *ending("ab", "text"), DONE]
ERROR = ev("error", error={"type": "invalid_request_error", "code": "unknown_parameter", "message": "boom"})
COMPLETE, CUT, WRONG = Verdict.COMPLETE, Verdict.TRUNCATED, Verdict.OUT_OF_ORDER
CASES = [
    Case("good", GOOD, COMPLETE, "realtime.completed"),
    Case("the preview's names", PREVIEW, COMPLETE, "realtime.completed"),
    Case("limits again behind the end", [*GOOD, LIMITS], COMPLETE, "realtime.completed"),
    Case("without done", GOOD[:-1], CUT, "realtime.eof-before-completed", 13),
    Case("cut in the text", GOOD[:9], CUT, "realtime.eof-before-completed", 9),
    Case("no response", OPENED, CUT, "realtime.eof-before-completed", 4),
    Case("another API", [ev("hello")], Verdict.EMPTY, "realtime.no-response"),
    Case("nothing", [], Verdict.EMPTY, "realtime.no-response"),
    Case("a field is refused", [*OPENED, ERROR], Verdict.BAD_REQUEST, "realtime.refused", 5),
    Case("the key is refused", [refusal("invalid_api_key")], Verdict.AUTH, "realtime.refused", 1),
    Case("there is no key", [refusal(None, "Missing bearer or basic authentication in header")], Verdict.AUTH,
         "realtime.refused", 1),
    Case("the session is too old", [*BEGUN, refusal("session_expired", "60 minutes", "server_error")],
         Verdict.ERROR_IN_STREAM, "realtime.error-event", 9),
    Case("an error after content", [*BEGUN, delta("a"), ERROR], Verdict.ERROR_IN_STREAM, "realtime.error-event", 10),
    *(
        Case(code, [*OPENED, CREATED, failed(kind, code)], verdict, "realtime.refused", 6)
        for kind, code, verdict in (
            ("insufficient_quota", "insufficient_quota", Verdict.QUOTA),
            ("tokens", "rate_limit_exceeded", Verdict.RATE_LIMITED),
            ("invalid_request_error", "model_not_found", Verdict.NOT_FOUND),
        )
    ),
    Case(
        "failed",
        [*BEGUN, done("failed", status_details={"type": "failed", "error": {"type": "server_error"}})],
        Verdict.ERROR_IN_STREAM,
        "realtime.error-event",
        9,
    ),
    Case(
        "cancelled",
        [*BEGUN, delta("a"), done("cancelled", status_details={"type": "cancelled", "reason": "turn_detected"})],
        Verdict.ERROR_IN_STREAM,
        "realtime.error-event",
        10,
    ),
    Case(
        "cut by the limit",
        [*BEGUN, delta("a"), done("incomplete", status_details={"reason": "max_output_tokens"}, usage=USAGE)],
        COMPLETE,
        "realtime.incomplete",
    ),
    Case("completed without output", [*OPENED, CREATED, done(usage=USAGE)], Verdict.EMPTY, "realtime.no-content"),
    Case("the answer whole in done", [*OPENED, CREATED, DONE], COMPLETE, "realtime.completed",
         finding=FindingName.NO_DELTAS),
    Case("no JSON", [*BEGUN, delta("a"), unnamed("hello"), *ending("a"), DONE], WRONG, "realtime.bad-json", 10,
         FindingName.BAD_JSON),
    Case("a delta is lost", [*BEGUN, delta("a"), *ending(), DONE], WRONG, "realtime.whole-differs", 10),
    Case("the end of the text is lost", [*BEGUN, delta("a"), DONE], WRONG, "realtime.whole-differs", 10),
    Case("only the ends of its parts are lost", [*BEGUN, delta("ab"), DONE], COMPLETE, "realtime.completed",
         finding=FindingName.ITEM_NOT_DONE),
    Case("no created", [SESSION, delta("a"), DONE], WRONG, "realtime.created-missing", 2),
    Case("an unknown event", [*BEGUN, ev("vendor.hello"), *GOOD[8:]], COMPLETE, "realtime.completed",
         finding=FindingName.UNKNOWN_EVENT),
    Case("no status", [*GOOD[:-1], done("", output=[ITEM], usage=USAGE)], COMPLETE, "realtime.completed",
         finding=FindingName.UNKNOWN_FINISH_REASON),
    Case("another model", [ev("session.created", session={"model": "tts-1"}), *GOOD[1:]], COMPLETE,
         "realtime.completed", finding=FindingName.MODEL_DIFFERS),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_answer_gets_its_verdict(case: Case) -> None:
    check(RealtimeReader(MODEL), case)


@pytest.mark.parametrize("events", [GOOD, PREVIEW], ids=["today", "preview"])
def test_a_good_answer_is_read_whole(events: list[FramedEvent]) -> None:
    reader = RealtimeReader(MODEL)
    readings = [reader.event(event) for event in events]
    assert [each.text for each in readings if each.kind is EventKind.TEXT] == ["a", "b"]
    assert all(each.note == "" for each in readings)
    assert reader.ended()
    assert reader.findings == ()
    assert reader.usage == Usage(9, 2, cached_tokens=4)
    assert reader.model_served == f"{MODEL}-2025-08-28"
    assert reader.limit_headers == (
        ("x-ratelimit-limit-tokens", "9"),
        ("x-ratelimit-remaining-tokens", "8"),
        ("x-ratelimit-reset-tokens", "0.500s"),
    )
    assert API.told_headers(reader) == reader.limit_headers


def test_events_of_the_session_are_no_progress_of_the_answer() -> None:
    reader = RealtimeReader(MODEL)
    assert [reader.event(event).is_progress for event in (*OPENED, LIMITS)] == [True, False, False, False, False]


def test_the_greeting_is_no_answer() -> None:
    reader = API.reader(endpoint())
    assert not API.answers(reader)
    reader.event(SESSION)
    assert not API.answers(reader)
    reader.event(OPENED[1])
    assert API.answers(reader)


def test_a_breach_may_be_tolerated() -> None:
    reader = API.reader(endpoint(tolerate=("realtime.whole-differs",)))
    feed(reader, [*BEGUN, delta("a"), *ending(), DONE])
    assert reader.end().verdict is COMPLETE
    assert FindingName.TOLERATED in names(reader.findings)


@given(st.lists(json_values("type", "response", "session", "rate_limits", "status_details", "name"), max_size=6))
def test_whatever_comes_nothing_is_raised(payloads: list[Any]) -> None:
    reader = RealtimeReader(MODEL)
    for kind in ("response.done", "rate_limits.updated", "session.created"):
        feed(reader, [unnamed({"type": kind, "response": each, "session": each, "rate_limits": each})
                      for each in payloads])  # fmt: skip
    feed(reader, map(unnamed, payloads))
    assert reader.end().reason


def test_a_session_is_told_to_answer_in_text_and_asked_once() -> None:
    update, item, create = asked(prompt="Hi", max_tokens=7)
    session = {"type": "realtime", "output_modalities": ["text"], "reasoning": {"effort": "minimal"}}
    assert update == {"type": "session.update", "session": session}
    content = [{"type": "input_text", "text": "Hi"}]
    assert item == {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}}
    assert create == {"type": "response.create", "response": {"max_output_tokens": 7}}


@pytest.mark.parametrize("fields", [BETA, {"path": "/openai/realtime?api-version=2024-10-01-preview&deployment=d"}])
def test_the_preview_has_other_names(fields: dict[str, Any]) -> None:
    update, item, create = asked(prompt="Hi", max_tokens=7, **fields)
    assert update["session"] == {"modalities": ["text"], "max_response_output_tokens": 7}
    assert item["item"]["content"] == [{"type": "input_text", "text": "Hi"}]
    assert create == {"type": "response.create"}


def test_a_conversation_becomes_items() -> None:
    messages = (
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Yes?"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    )
    items = [each["item"] for each in asked(messages=messages)[1:-1]]
    assert [(item["role"], item["content"][0]["type"]) for item in items] == [
        ("system", "input_text"),
        ("assistant", "output_text"),
        ("user", "input_text"),
    ]
    assert asked(messages=messages, **BETA)[2]["item"]["content"][0]["type"] == "text"


def test_a_body_adds_to_session_and_response() -> None:
    body = {"session": {"instructions": "Be brief."}, "response": {"conversation": "none", "max_output_tokens": 3}}
    update, _, create = asked(body=body, model=MODEL)
    assert update["session"] == {"type": "realtime", "output_modalities": ["text"], "instructions": "Be brief."}
    assert create["response"] == {"max_output_tokens": 3, "conversation": "none"}


@pytest.mark.parametrize("fields", [{}, BETA])
def test_the_limit_can_be_left_out(fields: dict[str, Any]) -> None:
    text = json.dumps(asked(omit=("max_tokens",), **fields))
    assert "max" not in text
    assert {"session", "items"} <= fields_sent(endpoint(**fields))


def test_a_nonce_is_in_the_question() -> None:
    target = endpoint(nonce=True, prompt="Hi")
    body, number = numbered(API.ask(target, None).body, target, API)
    text = json.loads(API.messages(body)[1])["item"]["content"][0]["text"]
    assert text == f"[{number.decode()}]\nHi"


def test_the_handshake_carries_the_key_and_names_the_model() -> None:
    ask = API.ask(endpoint(key="env:K", model="a b"), "k")
    assert (ask.method, ask.url, ask.switches) == ("GET", "wss://h/v1/realtime?model=a%20b", True)
    assert ("Authorization", "Bearer k") in ask.headers
    assert url_for(endpoint(url="ws://h/v1")) == f"ws://h/v1/realtime?model={API.default_model}"
    assert (kind_of(API.name), API.title) == (Kind.COMPLETION, "OpenAI Realtime")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"stream": False}, "stream"),
        ({"body": {"session": 1}}, r"body\.session"),
        ({"url": "ftp://h"}, "url"),
        ({"url": "wss://h/v1/realtime?model=m"}, "set `model`"),
    ],
)
def test_what_cannot_be_asked_is_said(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(AskError, match=told):
        API.ask(endpoint(**fields), None)


@pytest.mark.parametrize(
    ("body", "rule"), [(b'{"error": {"message": "boom"}}', "error-in-200"), (b"hi", "not-switched")]
)
def test_an_answer_that_opens_no_websocket_is_a_wrong_one(body: bytes, rule: str) -> None:
    assert API.answer(endpoint(), 200, body).judgement.rule == f"realtime.{rule}"


# What holds for every API


def script() -> Script:
    item = {"id": "i", "type": "message", "role": "assistant", "content": []}
    added = ev("response.output_item.added", response_id="r", output_index=0, item=item)
    whole = ending()
    return Script(
        "openai-realtime",
        (ev("session.created", session={"type": "realtime", "model": "m"}), *OPENED[1:], CREATED),
        (added, PART, delta("a"), delta("b")),
        tuple(whole),
        (),
        (done(output=[ITEM]),),
        refusal("server_error", "busy", "server_error"),
        (CREATED, done(output=[])),
        {},
        silent=2,
        lies={
            "cut right before its end is proved": Verdict.TRUNCATED,
            "never a terminator": Verdict.TRUNCATED,
            "the terminator over a cut": COMPLETE,
            "only the terminator": WRONG,
        },
        rare=(
            LIMITS,
            ERROR,
            failed("insufficient_quota", "insufficient_quota"),
            done("cancelled", status_details={"type": "cancelled", "reason": "turn_detected"}),
            done("incomplete", status_details={"type": "incomplete", "reason": "content_filter"}, usage=USAGE),
            ev("conversation.created", conversation={"id": "c"}),
            ev("input_audio_buffer.speech_started", audio_start_ms=0),
            ev("response.function_call_arguments.delta", output_index=1, delta='{"a":'),
            ev("response.output_audio_transcript.delta", output_index=2, content_index=0, delta="a"),
            ev("response.output_audio.delta", output_index=2, content_index=0, delta="AAAA"),
            ev("response.text.delta", output_index=0, content_index=0, delta="a"),
        ),
    )


SCRIPTS = (script(),)
