"""A capture shows of which API it is, or what else it may be of: by its path, its events and its framing."""

from __future__ import annotations

import json

import pytest
from support.apis import SCRIPTS
from support.script import Script
from support.streams import decode

from gwtui.apis import SAVED_APIS
from gwtui.apis.shapes import SAME
from gwtui.decode import CaptureError
from gwtui.decode.recognition import STREAMING, Sureness, apis_at
from gwtui.model.verdicts import Verdict

PLAIN = {"vertex-claude": "anthropic-messages"}
"""APIs whose events are those of a plainer one, which they are taken for where nothing else shows them."""


def due(script: Script) -> set[str]:
    if script.api == "fireworks":
        return {"openai-chat", "openai-completions"}
    return {PLAIN.get(script.api, script.api)}


def test_there_is_a_shape_of_every_api() -> None:
    assert set(SAME) == set(STREAMING)


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_stream_shows_its_api(script: Script) -> None:
    body = script.wire(script.good)
    for data in (body, script.response(body)):
        if script.api.startswith("sourcegraph"):
            with pytest.raises(CaptureError, match=r"may be of sourcegraph-stream or sourcegraph-code.*--api"):
                decode(data)
            continue
        recognised = decode(data).recognised
        assert recognised.api in due(script)
        assert recognised.sureness is (Sureness.LIKELY if len(SHARED.get(recognised.api, ())) else Sureness.CERTAIN)
        assert recognised.why


SHARED = {
    "openai-chat": ("fireworks",),
    "openai-completions": ("fireworks",),
    "anthropic-messages": ("vertex-claude",),
}


@pytest.mark.parametrize(
    "script", [each for each in SCRIPTS if each.whole and not each.api.startswith("sourcegraph")], ids=str
)
def test_a_whole_answer_shows_its_api(script: Script) -> None:
    recognised = decode(json.dumps(script.whole).encode()).recognised
    assert recognised.api in due(script) | ({"anthropic-messages"} if script.api == "bedrock-invoke" else set())


@pytest.mark.parametrize("api", STREAMING)
def test_the_path_of_an_api_is_its_own(api: str) -> None:
    path = SAVED_APIS[api].default_path.partition("?")[0].replace("{model}", "some-model")
    assert apis_at(path) == [api]
    assert apis_at(f"/proxy{path}") == [api]


def test_other_paths_are_of_no_api() -> None:
    for path in ("", "/", "/v1/models", "/health", "/v1/messages/batches", "/favicon.ico"):
        assert apis_at(path) == []


def test_marks_of_a_special_api_tell_it_from_the_plain_one() -> None:
    chunk = {"model": "accounts/fireworks/models/m", "choices": [{"text": "a"}]}
    assert decode(f"data: {json.dumps(chunk)}\n\n".encode()).recognised.api == "fireworks"
    start = {"type": "message_start", "message": {"id": "msg_vrtx_1", "content": []}}
    assert decode(f"event: message_start\ndata: {json.dumps(start)}\n\n".encode()).recognised.api == "vertex-claude"


ANY = [
    (b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<title>Hi</title>", Verdict.BAD_GATEWAY),
    (b'HTTP/1.1 402 X\r\nContent-Type: application/json\r\n\r\n{"error": "no money"}', Verdict.QUOTA),
    (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Hi</title>", Verdict.NOT_A_STREAM),
    (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", Verdict.EMPTY),
    (b'data: {"error": {"message": "no"}}\n\n', Verdict.ERROR_IN_STREAM),
    (b'{"error": {"type": "rate_limit_error", "message": "no"}}', Verdict.RATE_LIMITED),
    (b"HTTP/1.1 oops\r\n\r\n", Verdict.NOT_HTTP),
]


@pytest.mark.parametrize(("data", "verdict"), ANY)
def test_a_verdict_that_is_the_same_for_each_api_needs_none(data: bytes, verdict: Verdict) -> None:
    decoded = decode(data)
    assert decoded.judgement.verdict is verdict
    assert (decoded.recognised.api, decoded.recognised.sureness) == ("", Sureness.ANY)


UNKNOWN = [
    (b'{"greeting": "hi"}', "nothing shows which API the capture is of: choose one with --api; it begins with"),
    (b'data: {"greeting": "hi"}\n\n', "nothing shows which API"),
    (b'data: {"event_type": "text-generation", "text": "a"}\n\n', "looks like Cohere v1, which gwtui does not read"),
    (b"just words\n", "begins with 'just words"),
]


@pytest.mark.parametrize(("data", "words"), UNKNOWN)
def test_what_shows_nothing_is_refused_not_guessed(data: bytes, words: str) -> None:
    with pytest.raises(CaptureError, match=words):
        decode(data)
