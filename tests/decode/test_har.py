"""Of a HAR, each exchange with a model is read as a live one would be; nothing else of it is shown."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import assume, given
from support.apis import script_of
from support.streams import json_values

from gwtui.decode import CaptureError, Exchange, opened
from gwtui.decode import decode as decode_exchange
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

CHAT, CLAUDE, CONVERSE = script_of("openai-chat"), script_of("anthropic-messages"), script_of("bedrock-converse")
KEY = "made-up-0001112223334445"
COOKIE = "made-up-cookie-99988877"


def entry(path: str, body: str | None, kind: str = "text/event-stream", **more: Any) -> dict[str, Any]:
    """An entry as browsers write them."""
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **more.pop("asked", {})}
    return {
        "startedDateTime": "2026-01-31T14:03:22Z",
        "time": 12.5,
        "request": {
            "method": more.pop("method", "POST"),
            "url": f"https://user:pass@h{path}?key={KEY}",
            "headers": [{"name": "Authorization", "value": f"Bearer {KEY}"}, {"name": "X-A", "value": "b"}],
            "cookies": [{"name": "session", "value": COOKIE}],
            "queryString": [{"name": "key", "value": KEY}],
            "postData": {"mimeType": "application/json", "text": json.dumps(asked)},
        },
        "response": {
            "status": more.pop("status", 200),
            "headers": [
                {"name": "Content-Type", "value": kind},
                {"name": "Content-Encoding", "value": "gzip"},
                {"name": "transfer-encoding", "value": "chunked"},
                {"name": ":status", "value": "200"},
                {"name": "X-Trace", "value": "t1"},
            ],
            "content": {"size": 0, "mimeType": kind, **({"text": body} if body is not None else {}), **more},
        },
    }


def archive(*entries: Any) -> bytes:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "x"}, "entries": entries}}).encode()


def exchanges(*entries: Any) -> list[Exchange]:
    return list(opened((archive(*entries),)).exchanges)


def text_of(script: Any) -> str:
    return str(script.wire(script.good).decode())


def test_each_exchange_with_a_model_is_read() -> None:
    frames = base64.b64encode(CONVERSE.wire(CONVERSE.good)).decode()
    found = exchanges(
        entry("/v1/chat/completions", text_of(CHAT)),
        entry("/favicon.ico", "x", "image/png", method="GET"),
        entry("/v1/models", '{"data": []}', "application/json", method="GET"),
        entry("/odd/path", text_of(CLAUDE)),
        entry("/model/m/converse-stream", frames, "application/vnd.amazon.eventstream", encoding="base64"),
        entry("/v1/messages", '{"error": "no"}', "application/json", status=503),
    )
    assert [exchange.number for exchange in found] == [1, 4, 5, 6]
    decoded = [decode_exchange(exchange) for exchange in found]
    assert [each.recognised.api for each in decoded] == [
        "openai-chat",
        "anthropic-messages",
        "bedrock-converse",
        "anthropic-messages",
    ]
    assert [each.judgement.verdict for each in decoded] == [*[Verdict.COMPLETE] * 3, Verdict.UNAVAILABLE]
    assert decoded[0].headers == {"content-type": "text/event-stream", "x-trace": "t1"}


def test_keys_are_known_and_only_method_host_and_path_are_told() -> None:
    (exchange,) = exchanges(entry("/v1/chat/completions", text_of(CHAT)))
    assert exchange.asked.title == "POST h/v1/chat/completions"
    assert set(exchange.secrets) == {KEY, COOKIE}


def test_what_was_asked_counts() -> None:
    whole = json.dumps({"model": "other", **CHAT.whole})
    path, kind = "/v1/chat/completions", "application/json"
    streamed, plain = exchanges(entry(path, whole, kind, asked={"stream": True}), entry(path, whole, kind))
    assert decode_exchange(streamed).judgement.verdict is Verdict.NOT_A_STREAM
    decoded = decode_exchange(plain)
    assert decoded.judgement.verdict is Verdict.COMPLETE
    assert FindingName.MODEL_DIFFERS in [finding.name for finding in decoded.findings]


def test_the_path_that_was_asked_decides() -> None:
    (exchange,) = exchanges(entry("/v1/chat/completions", text_of(CLAUDE)))
    decoded = decode_exchange(exchange)
    assert (decoded.recognised.api, decoded.judgement.rule) == ("openai-chat", "stream.foreign")
    assert "its answer looks like Anthropic Messages" in decoded.recognised.why


def test_messages_of_an_event_source_are_a_stream() -> None:
    one = entry("/v1/messages", None)
    one["_eventSourceMessages"] = [{"time": 1.0, "eventName": e.event, "data": e.data} for e in CLAUDE.good]
    (exchange,) = exchanges(one)
    assert decode_exchange(exchange).judgement.verdict is Verdict.COMPLETE


FAILED = [
    ("net::ERR_CONNECTION_REFUSED", 0, Verdict.REFUSED),
    ("net::ERR_NAME_NOT_RESOLVED", 0, Verdict.DNS),
    ("", 0, Verdict.RESET),
    ("net::ERR_INCOMPLETE_CHUNKED_ENCODING", 200, Verdict.TRUNCATED),
]


@pytest.mark.parametrize(("error", "status", "verdict"), FAILED)
def test_a_failure_of_the_browser_is_the_end(error: str, status: int, verdict: Verdict) -> None:
    one = entry("/v1/chat/completions", text_of(CHAT)[:300] if status else "", status=status)
    one["response"]["_error"] = error
    (exchange,) = exchanges(one)
    assert decode_exchange(exchange).judgement.verdict is verdict


UNREAD = [
    ({"encoding": "base64"}, "not base64", "its body is not base64"),
    ({}, None, "the HAR holds no body of this answer"),
]


@pytest.mark.parametrize(("more", "body", "words"), UNREAD)
def test_a_body_that_is_not_there_is_said(more: dict[str, str], body: str | None, words: str) -> None:
    good, refused = exchanges(entry("/v1/messages", body, **more), entry("/v1/messages", body, status=429, **more))
    with pytest.raises(CaptureError, match=words):
        decode_exchange(good)
    assert decode_exchange(refused).judgement.verdict is Verdict.RATE_LIMITED


@pytest.mark.parametrize("data", [archive()[:-3], b'{"log": {"entries": 3}}', b'{"log": {"entries": [' + b"[" * 9000])
def test_what_is_no_whole_archive_is_refused(data: bytes) -> None:
    with pytest.raises(CaptureError, match="the HAR cannot be read"):
        list(opened((data,)).exchanges)


@given(json_values("request", "response", "url", "method", "headers", "content", "text", "status", "name", "value"))
def test_odd_entries_are_left_out(value: Any) -> None:
    assume("Infinity" not in (text := json.dumps(value)) and "NaN" not in text)
    good = entry("/v1/chat/completions", text_of(CHAT))
    found = exchanges(value, good)
    assert found[-1].number == 2
