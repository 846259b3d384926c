"""The verdict on a whole exchange: transport, status and stream together. No single sign decides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.framed import event_frame
from support.pacing import pace
from support.streams import feed, named, names, unnamed

from gwtui.apis import APIS
from gwtui.framing import sse
from gwtui.framing.base import FramedEvent
from gwtui.model.content_pace import ContentPace
from gwtui.model.enums import End, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict
from gwtui.text.sanitize import excerpt
from gwtui.verdict.classify import Judged, Transport, judge

CHAT = APIS["openai-chat"]
SSE = (("content-type", "text/event-stream; charset=utf-8"),)
JSON = (("content-type", "application/json"),)
BEDROCK = b"".join(
    event_frame(FramedEvent(name, data))
    for name, data in (("chunk", "{}"), ("chunk", "{}"), ("throttlingException", '{"message":"slow down"}'))
)
MODEL = "gpt-4o-mini"
HTML = (("content-type", "text/html"),)


def delta(text: str = "a", finish: str | None = None) -> FramedEvent:
    return unnamed({"model": MODEL, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})


DONE = unnamed("[DONE]")
GOOD = [delta(), delta(""), delta("", "stop"), DONE]
ERROR = unnamed({"error": {"message": "upstream died", "code": 502}})
WHOLE = json.dumps(
    {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": {"completion_tokens": 3}}
).encode()


def endpoint(**fields: Any) -> Endpoint:
    own = {"name": "e", "api": "openai-chat", "url": "http://h", **fields}
    return Endpoint(**({"model": MODEL, **own} if own["api"] == "openai-chat" else own))


def stream(events: list[FramedEvent], end: End = End.CLEAN, pace: ContentPace | None = None, **fields: Any) -> Judged:
    """An event stream that came with a 200."""
    reader = feed(CHAT.reader(endpoint()), events)
    seen: dict[str, Any] = {"end": end, "status": 200, "headers": SSE, "events": len(events), **fields}
    return judge(endpoint(), CHAT, Transport(**seen), reader, pace)


def answer(status: int | None, headers: Any = (), body: bytes = b"", end: End = End.CLEAN, **asked: Any) -> Judged:
    """Anything else."""
    asked_for = endpoint(**asked)
    transport = Transport(end=end, status=status, headers=headers, body=body, detail=f"<{end}>")
    return judge(asked_for, APIS[asked_for.api], transport)


TRANSPORT = [
    (End.DNS, Verdict.DNS),
    (End.REFUSED, Verdict.REFUSED),
    (End.UNREACHABLE, Verdict.UNREACHABLE),
    (End.CONNECT_TIMEOUT, Verdict.CONNECT_TIMEOUT),
    (End.TLS, Verdict.TLS),
    (End.RESET, Verdict.RESET),
    (End.INCOMPLETE, Verdict.RESET),
    (End.CLEAN, Verdict.RESET),
    (End.NO_FIRST_BYTE, Verdict.NO_FIRST_BYTE),
    (End.TOTAL, Verdict.TIMEOUT),
    (End.IDLE, Verdict.STALLED),
    (End.NOT_HTTP, Verdict.NOT_HTTP),
    (End.TOO_LARGE, Verdict.TOO_LARGE),
    (End.NO_KEY, Verdict.NO_KEY),
    (End.TLS_FILE, Verdict.TLS_FILE),
    (End.CANCELLED, Verdict.CANCELLED),
    (End.LOCAL, Verdict.LOCAL),
]


@pytest.mark.parametrize(("end", "verdict"), TRANSPORT)
def test_without_a_status_line_the_transport_decides(end: End, verdict: Verdict) -> None:
    judgement = answer(None, end=end).judgement
    assert (judgement.verdict, judgement.reason) == (verdict, f"<{end}>")
    assert judgement.rule == f"transport.{end.value.replace('_', '-')}"


@pytest.mark.parametrize("end", list(End))
@pytest.mark.parametrize("status", [None, 200, 503])
@pytest.mark.parametrize("api", ["anthropic-messages", "openai-chat", "http"])
def test_every_end_at_every_place_has_a_verdict(end: End, status: int | None, api: str) -> None:
    assert answer(status, end=end, api=api).judgement.rule
    if api != "http":
        reader = APIS[api].reader(endpoint(api=api))
        assert judge(endpoint(api=api), APIS[api], Transport(end=end, status=status), reader).judgement.rule


STREAMS = [
    ("as it should be", GOOD, End.CLEAN, {}, Verdict.COMPLETE, "openai.done", None),
    ("the transport breaks after the end", GOOD, End.RESET, {}, Verdict.COMPLETE, "openai.done", None),
    ("the chunked body's end is missing", GOOD, End.INCOMPLETE, {}, Verdict.COMPLETE, "openai.done", None),
    ("left open after the end", GOOD, End.LEFT, {}, Verdict.COMPLETE, "openai.done", None),
    ("cancelled after the end", GOOD, End.CANCELLED, {}, Verdict.COMPLETE, "openai.done", None),
    ("no terminator", GOOD[:3], End.CLEAN, {}, Verdict.COMPLETE_UNTERMINATED, "openai.no-done", None),
    ("no terminator and a break", GOOD[:3], End.RESET, {}, Verdict.TRUNCATED, "transport.reset", 3),
    ("a clean cut", GOOD[:2], End.CLEAN, {}, Verdict.TRUNCATED, "openai.eof-before-finish", 2),
    ("a reset", GOOD[:2], End.RESET, {}, Verdict.TRUNCATED, "transport.reset", 2),
    ("cut before any event", [], End.INCOMPLETE, {}, Verdict.EMPTY, "openai.no-content", None),
    ("cut in the first event", [], End.INCOMPLETE, {"unfinished": 9}, Verdict.TRUNCATED, "transport.incomplete", None),
    ("half a chunk", GOOD[:2], End.INCOMPLETE, {}, Verdict.TRUNCATED, "transport.incomplete", 2),
    ("a bad chunk size", GOOD[:2], End.NOT_HTTP, {}, Verdict.TRUNCATED, "transport.not-http", 2),
    ("silence", GOOD[:2], End.IDLE, {}, Verdict.STALLED, "transport.idle", 2),
    ("no event", [], End.NO_FIRST_EVENT, {}, Verdict.STALLED, "transport.no-first-event", None),
    ("no further event", GOOD[:2], End.EVENT_GAP, {}, Verdict.STALLED, "transport.event-gap", 2),
    ("no content", GOOD[1:2], End.NO_FIRST_TOKEN, {}, Verdict.STALLED, "transport.no-first-token", 1),
    ("a dribble", GOOD[:2], End.TOTAL, {}, Verdict.TIMEOUT, "transport.total", None),
    ("an endless line", GOOD[:2], End.TOO_LARGE, {}, Verdict.TOO_LARGE, "transport.too-large", None),
    ("cancelled", GOOD[:2], End.CANCELLED, {}, Verdict.CANCELLED, "transport.cancelled", None),
    ("no event at all", [], End.CLEAN, {}, Verdict.EMPTY, "openai.no-content", None),
    ("a reset before any event", [], End.RESET, {}, Verdict.TRUNCATED, "transport.reset", None),
    ("an error", [*GOOD[:2], ERROR], End.CLEAN, {}, Verdict.ERROR_IN_STREAM, "openai.error-event", 3),
    ("an error and a reset", [*GOOD[:2], ERROR], End.RESET, {}, Verdict.ERROR_IN_STREAM, "openai.error-event", 3),
    ("an error and silence", [*GOOD[:2], ERROR], End.IDLE, {}, Verdict.ERROR_IN_STREAM, "openai.error-event", 3),
    ("a bare error", GOOD[:2], End.CLEAN, {"stray": b'{"error":{"code":503,"message":"busy"}}'},
     Verdict.ERROR_IN_STREAM, "stream.bare-error", 2),
    ("an error in a field of its own", GOOD[:2], End.CLEAN, {"stray": b'error: {"code":500,"message":"boom"}'},
     Verdict.ERROR_IN_STREAM, "stream.bare-error", 2),
    ("another field with a message", GOOD[:2], End.CLEAN, {"stray": b'meta: {"message":"hello"}'},
     Verdict.TRUNCATED, "openai.eof-before-finish", 2),
    ("a bare error after a good stream", GOOD, End.CLEAN, {"stray": b'{"error":{"code":503}}'},
     Verdict.COMPLETE, "openai.done", None),
]  # fmt: skip


@pytest.mark.parametrize("case", STREAMS, ids=[case[0] for case in STREAMS])
def test_streams(case: tuple[str, list[FramedEvent], End, dict[str, Any], Verdict, str, int | None]) -> None:
    _, events, end, fields, verdict, rule, number = case
    judgement = stream(events, end, **fields).judgement
    assert (judgement.verdict, judgement.rule, judgement.event_number) == (verdict, rule, number), judgement.reason


def test_a_break_keeps_what_the_reader_saw() -> None:
    reason = stream(GOOD[:2], End.RESET, detail="Connection reset by peer").judgement.reason
    assert reason.startswith("Connection reset by peer; ended after event 2, 1 event with content")


def test_an_event_that_was_cut_in_the_middle_is_reported() -> None:
    assert "37 bytes of another event had begun" in stream(GOOD[:2], unfinished=37).judgement.reason


def test_an_empty_stream_reports_comments_and_what_came_instead() -> None:
    assert "only 3 comments" in stream([], comments=3).judgement.reason
    assert "Bad Gateway" in stream([], stray=b"<html><title>502 Bad Gateway</title>").judgement.reason


WHOLES = [
    ("one JSON answer", 200, JSON, WHOLE, {}, Verdict.NOT_A_STREAM, "stream.json-answer", "silent fallback"),
    ("JSON without a type", 200, (), WHOLE, {}, Verdict.NOT_A_STREAM, "stream.json-answer", "silent fallback"),
    ("a JSON error with a 200", 200, JSON, b'{"error":{"message":"boom"}}', {},
     Verdict.NOT_A_STREAM, "stream.content-type", "application/json came instead of a stream: HTTP 200 with an error"),
    ("a page", 200, HTML, b"<html><body><h1>Welcome</h1>", {}, Verdict.NOT_A_STREAM, "stream.page", "Welcome"),
    ("a page without a type", 200, (), b" <!doctype html><p>Hi", {}, Verdict.NOT_A_STREAM, "stream.page", "Hi"),
    ("a stream of another type", 200, (("content-type", "text/plain"),), b"data: {}\n\n", {},
     Verdict.NOT_A_STREAM, "stream.content-type", "an event stream came as text/plain"),
    ("Bedrock", 200, (("Content-Type", "application/vnd.amazon.eventstream"),), BEDROCK, {},
     Verdict.NOT_A_STREAM, "stream.framing", "chunk {} … throttlingException {\"message\":\"slow down\"}"),
    ("less than a frame of Bedrock", 200, JSON, BEDROCK[:90], {},
     Verdict.NOT_A_STREAM, "stream.framing", ":event-type"),
    ("nothing of Bedrock", 200, (("Content-Type", "application/vnd.amazon.eventstream"),), b"\x00\x00\x01", {},
     Verdict.NOT_A_STREAM, "stream.content-type", "vnd.amazon.eventstream came instead"),
    ("an empty body", 200, JSON, b"", {}, Verdict.EMPTY, "http.empty-body", "HTTP 200 with an empty body"),
    ("no content", 204, (), b"", {}, Verdict.EMPTY, "http.204", "HTTP 204 with an empty body"),
    ("one answer, as asked", 200, JSON, WHOLE, {"stream": False}, Verdict.COMPLETE, "openai.answer", "stop"),
    ("a page for one answer", 200, HTML, b"<h1>Welcome</h1>", {"stream": False},
     Verdict.WRONG_BODY, "openai.not-a-completion", "text/html came, which begins: Welcome"),
    ("a stream for one answer", 200, SSE, b"data: {}\n\n", {"stream": False},
     Verdict.WRONG_BODY, "answer.stream", "a stream of events came"),
    ("the expected body", 200, (), b"pong", {"api": "http", "expect": "pong"},
     Verdict.COMPLETE, "http.answered", "HTTP 200"),
    ("an unexpected body", 200, (), b"ping", {"api": "http", "expect": "pong"},
     Verdict.WRONG_BODY, "http.body", "ping"),
    ("an unexpected status", 202, (), b"", {"api": "http"}, Verdict.WRONG_STATUS, "http.status", "instead of 200"),
    ("an expected refusal", 401, (), b"", {"api": "http", "expect_status": 401},
     Verdict.COMPLETE, "http.answered", "HTTP 401"),
    ("an expected redirect", 302, (), b"", {"api": "http", "expect_status": "3xx"},
     Verdict.COMPLETE, "http.answered", "HTTP 302"),
]  # fmt: skip


@pytest.mark.parametrize("case", WHOLES, ids=[case[0] for case in WHOLES])
def test_whole_answers(case: tuple[str, int, Any, bytes, dict[str, Any], Verdict, str, str]) -> None:
    _, status, headers, body, asked, verdict, rule, words = case
    judgement = answer(status, headers, body, **asked).judgement
    assert (judgement.verdict, judgement.rule) == (verdict, rule), judgement.reason
    assert words in judgement.reason


def test_the_usage_of_a_silent_fallback_is_still_read() -> None:
    read = answer(200, JSON, WHOLE).answer
    assert read is not None
    assert read.usage.output_tokens == 3


@pytest.mark.parametrize("end", [End.INCOMPLETE, End.RESET])
def test_a_whole_answer_that_was_cut_is_truncated(end: End) -> None:
    judgement = answer(200, JSON, WHOLE[:20], end=end, stream=False).judgement
    assert judgement.verdict is Verdict.TRUNCATED


NGINX = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
)
STATUSES = [
    (400, (), b'{"error":{"message":"no such field"}}', Verdict.BAD_REQUEST, "http.400", "HTTP 400: no such field"),
    (401, JSON, b'{"error":{"type":"authentication_error","message":"invalid x-api-key"}}', Verdict.AUTH, "http.401",
     "HTTP 401: authentication_error: invalid x-api-key"),
    (402, (), b"", Verdict.QUOTA, "http.402", "HTTP 402"),
    (400, (), b'{"error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}', Verdict.QUOTA,
     "http.400.quota", "HTTP 400 quota: invalid_request_error: Your credit balance is too low"),
    (403, (), '{"error":{"code":"insufficient_user_quota","message":"用户额度不足"}}'.encode(), Verdict.QUOTA,
     "http.403.quota", "HTTP 403 quota: insufficient_user_quota: 用户额度不足"),
    (429, (), '{"error":{"code":"1113","message":"您的账户已欠费"}}'.encode(), Verdict.QUOTA, "http.429.quota",
     "HTTP 429 quota: 1113: 您的账户已欠费"),
    (400, (), b'{"error":{"type":"budget_exceeded","message":"Max budget: 10.0"}}', Verdict.QUOTA, "http.400.quota",
     "HTTP 400 quota: budget_exceeded: Max budget: 10.0"),
    (403, (), b'{"error":"used all available credits"}', Verdict.QUOTA, "http.403.quota",
     "HTTP 403 quota: used all available credits"),
    (400, (), b'{"error":{"message":"no","param":"max_tokens"}}', Verdict.BAD_REQUEST, "http.400",
     "HTTP 400: no; it names `max_tokens`, try `max_tokens = 256` in the endpoint"),
    (400, (), b'{"error":{"message":"Extra field: top_p"}}', Verdict.BAD_REQUEST, "http.400",
     'HTTP 400: Extra field: top_p; it names `top_p`, try `omit = ["top_p"]` in the endpoint'),
    (400, (), b'{"message":"extraneous key [model] is not permitted"}', Verdict.BAD_REQUEST, "http.400",
     'HTTP 400: extraneous key [model] is not permitted; it names `model`, try `omit = ["model"]` in the endpoint'),
    (400, (), b'{"error":{"message":"this model is not supported","param":"model"}}', Verdict.BAD_REQUEST, "http.400",
     'HTTP 400: this model is not supported; it names `model`, try `model = "..."` in the endpoint'),
    (400, (), b'{"detail":"temperature must be 1"}', Verdict.BAD_REQUEST, "http.400",
     "HTTP 400: temperature must be 1; it names `temperature`, try `body = { temperature = 1 }` in the endpoint"),
    (422, (), b'{"error":{"message":"bad","param":"metadata"}}', Verdict.BAD_REQUEST, "http.422",
     "HTTP 422: bad; it names `metadata`"),
    (429, (), b'{"error":{"message":"quota: see billing","details":[{"retryDelay":"37s"}]}}', Verdict.RATE_LIMITED,
     "http.429", "HTTP 429: quota: see billing; retry after 37 s"),
    (429, (), b'{"error":{"message":"quota: see billing"}}', Verdict.QUOTA, "http.429.quota",
     "HTTP 429 quota: quota: see billing"),
    (429, (), b'[{"error":{"message":"slow","details":[1,{"retryDelay":"1.2s"},{"retryDelay":"9s"}]}}]',
     Verdict.RATE_LIMITED, "http.429", "HTTP 429: slow; retry after 2 s"),
    (429, (("Retry-After", "7"),), b'{"error":{"message":"slow","details":[{"retryDelay":"9s"}]}}',
     Verdict.RATE_LIMITED, "http.429", "HTTP 429: slow; retry after 7 s"),
    (403, (), b"forbidden\n", Verdict.AUTH, "http.403", "HTTP 403: forbidden"),
    (404, (), b"", Verdict.NOT_FOUND, "http.404", "HTTP 404"),
    (405, (), b"", Verdict.BAD_REQUEST, "http.405", "HTTP 405"),
    (413, (), b"", Verdict.BAD_REQUEST, "http.413", "HTTP 413"),
    (422, (), b'{"detail":"x"}', Verdict.BAD_REQUEST, "http.422", "HTTP 422: x"),
    (429, (("Retry-After", "7"),), b"slow down", Verdict.RATE_LIMITED, "http.429",
     "HTTP 429: slow down; retry after 7 s"),
    (429, (("Retry-After", "Thu, 01 Jan 1970 00:01:40 UTC"),), b"", Verdict.RATE_LIMITED, "http.429",
     "HTTP 429: retry after 100 s"),
    (429, (("Retry-After", "1000000000"),), b"", Verdict.RATE_LIMITED, "http.429",
     "HTTP 429: retry after 3600 s or more"),
    (429, (("Retry-After", "2.5"),), b"", Verdict.RATE_LIMITED, "http.429", "HTTP 429: retry after 3 s"),
    (429, (("Retry-After", "soon\x1b"),), b"", Verdict.RATE_LIMITED, "http.429", "HTTP 429: retry-after says 'soon␛'"),
    (429, (), b'{"error":{"code":"insufficient_quota","message":"pay"}}', Verdict.QUOTA, "http.429.quota",
     "HTTP 429 quota: insufficient_quota: pay"),
    (500, (), b"", Verdict.SERVER_ERROR, "http.500", "HTTP 500"),
    (500, HTML, b"<h1>Oops</h1><p>it broke", Verdict.SERVER_ERROR, "http.500", "HTTP 500: Oops it broke"),
    (500, HTML, b"<title>Oops &amp; sorry</title>", Verdict.SERVER_ERROR, "http.500", "HTTP 500: Oops & sorry"),
    (502, HTML, NGINX, Verdict.BAD_GATEWAY, "http.502", "HTTP 502: 502 Bad Gateway"),
    (503, (("retry-after", "3"),), b'{"error":"model m is currently unavailable"}', Verdict.UNAVAILABLE,
     "http.503.breaker", "HTTP 503 breaker: model m is currently unavailable; retry after 3 s"),
    (500, (), b'{"error": {"message": "circuit breaker is open"}}', Verdict.SERVER_ERROR,
     "http.500.breaker", "HTTP 500 breaker: circuit breaker is open"),
    (503, (), b'{"error": {"message": "no", "code": "circuit_open"}}', Verdict.UNAVAILABLE,
     "http.503.breaker", "HTTP 503 breaker: circuit_open: no"),
    (500, (), b'{"error": {"message": "circuit breaker: failure 3 of 5"}}', Verdict.SERVER_ERROR,
     "http.500", "HTTP 500: circuit breaker: failure 3 of 5"),
    (503, (), b"no healthy upstream", Verdict.UNAVAILABLE, "http.503", "HTTP 503: no healthy upstream"),
    (503, (), b'{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}', Verdict.OVERLOADED,
     "http.503.overloaded", "HTTP 503: overloaded_error: Busy"),
    (504, (), b"", Verdict.GATEWAY_TIMEOUT, "http.504", "HTTP 504"),
    (529, (), b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', Verdict.OVERLOADED,
     "http.529", "HTTP 529: overloaded_error: Overloaded"),
    (524, (("cf-ray", "8a-FRA"),), b"<html>", Verdict.GATEWAY_TIMEOUT, "http.524.cloudflare",
     "HTTP 524: Cloudflare: the origin did not answer in time (cf-ray 8a-FRA)"),
    (524, (), b"", Verdict.SERVER_ERROR, "http.524", "HTTP 524"),
    (307, (("Location", "https://user:pw@evil.example/v1?key=secret"),), b"", Verdict.REDIRECT, "http.307",
     "HTTP 307: redirects to evil.example: https://evil.example/v1"),
    (302, (), b"", Verdict.REDIRECT, "http.302", "HTTP 302: a redirect without a Location"),
    (302, (("location", "/login"),), b"", Verdict.REDIRECT, "http.302", "HTTP 302: redirects to the same host: /login"),
    (304, (), b"", Verdict.WRONG_STATUS, "http.304", "HTTP 304"),
    (600, (), b"", Verdict.WRONG_STATUS, "http.600", "HTTP 600"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "body", "verdict", "rule", "reason"), STATUSES)
def test_statuses(status: int, headers: Any, body: bytes, verdict: Verdict, rule: str, reason: str) -> None:
    judgement = answer(status, headers, body).judgement
    assert (judgement.verdict, judgement.rule, judgement.reason) == (verdict, rule, reason)


def test_a_wall_of_html_becomes_a_line() -> None:
    page = b"<html><head><style>b{}</style><title>Oops</title></head><!-- x --><script>x()</script><p>" + b"word " * 999
    assert excerpt(page, "text/html").startswith("Oops: word word")
    assert len(excerpt(page, "text/html")) == 200


@given(st.integers(100, 999), st.binary(max_size=80), st.text(max_size=20), st.sampled_from(["http", "openai-chat"]))
def test_any_status_body_and_header_gets_a_clean_reason(status: int, body: bytes, value: str, api: str) -> None:
    headers = (("location", value), ("retry-after", value), ("cf-ray", value), ("content-type", value))
    judgement = answer(status, headers, body, api=api).judgement
    assert judgement.reason.isprintable()
    assert len(judgement.reason) <= 400


@pytest.mark.parametrize(
    ("content_type", "is_one"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream ; charset=latin-1", True),
        ("text/event-stream+x", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_what_is_an_event_stream(content_type: str, is_one: bool) -> None:
    assert sse.SSE.is_type(content_type) is is_one


NOW = 1_767_225_600.0
"""2026-01-01, midnight."""


FINDINGS = [
    (stream(GOOD, pace=pace(42, 1, 42, 1200, 1200, 1203)), [FindingName.BUFFERED]),
    (stream(GOOD[:3]), [FindingName.UNTERMINATED]),
    (stream([*GOOD, delta()]), [FindingName.EVENTS_AFTER_END]),
    (stream(GOOD, stray=b'{"error":{"code":503}}'), [FindingName.ERROR_AFTER_END]),
    (stream(GOOD, stray=b"x: y"), []),
    (stream(GOOD, End.RESET), [FindingName.BROKEN_AFTER_END]),
    (stream(GOOD, End.LEFT), [FindingName.OPEN_AFTER_END]),
    (stream([], comments=4), [FindingName.KEEPALIVES_ONLY]),
    (stream([unnamed("")] * 2, keepalives=2), [FindingName.KEEPALIVES_ONLY]),
    (stream([], End.IDLE, comments=4), [FindingName.KEEPALIVES_ONLY]),
    (stream([ERROR], comments=4), []),
    (stream(GOOD, comments=4), []),
    (stream(GOOD, headers=(*SSE, ("Content-Encoding", "gzip"))), [FindingName.COMPRESSED]),
    (stream(GOOD, headers=(*SSE, ("content-encoding", "identity"))), []),
    (stream(GOOD, headers=(*SSE, ("x-litellm-attempted-retries", "2"))), [FindingName.RETRIES]),
    (stream(GOOD, headers=(*SSE, ("x-litellm-attempted-retries", "0"))), []),
    (stream(GOOD, headers=(*SSE, ("x-litellm-attempted-fallbacks", "1"))), [FindingName.FALLBACKS]),
    (stream(GOOD, headers=(*SSE, ("x-envoy-attempt-count", "1"))), []),
    (stream(GOOD, headers=(*SSE, ("x-litellm-attempted-retries", "²"))), []),
    (stream(GOOD, headers=(*SSE, ("x-cody-resolved-model", "openai/gpt-4o-mini-2024-07-18"))), []),
    (stream(GOOD, headers=(*SSE, ("x-cody-resolved-model", "openai/gpt-4"))), [FindingName.MODEL_DIFFERS]),
    (
        stream(GOOD, headers=(*SSE, ("date", "Thu, 01 Jan 2026 00:00:30 GMT")), began_at=NOW, at=NOW + 1),
        [FindingName.CLOCK_SKEW],
    ),
    (stream(GOOD, headers=(*SSE, ("date", "Thu, 01 Jan 2026 00:00:30 GMT"))), []),
    (
        answer(200, JSON, json.dumps(json.loads(WHOLE) | {"model": "gpt-4"}).encode(), stream=False),
        [FindingName.MODEL_DIFFERS],
    ),
    (answer(503, (("content-encoding", "br"),)), [FindingName.COMPRESSED]),
]


@pytest.mark.parametrize(("judged", "found"), FINDINGS)
def test_findings(judged: Judged, found: list[FindingName]) -> None:
    assert names(judged.findings) == found
    assert all(finding.evidence and finding.likely_cause for finding in judged.findings)


def test_an_anthropic_stream_is_judged_by_its_own_rules() -> None:
    api = APIS["anthropic-messages"]
    reader = feed(api.reader(endpoint()), [named("ping")])
    judgement = judge(endpoint(), api, Transport(end=End.IDLE, status=200, headers=SSE, events=1), reader).judgement
    assert judgement.verdict is Verdict.STALLED
    assert "none of them part of a message" in judgement.reason
