"""OpenAI chat streams: in bytes for scripted servers, and in parts for what holds for every API."""

from __future__ import annotations

from typing import Any

from support.script import NOTHING_TO_ADD, Events, Script
from support.scripted import Receive, Send, Step, chunk, http
from support.streams import unnamed

from gwtui.framing.base import FramedEvent

EVENT_STREAM = http("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", length=False)
CLOSE_DELIMITED = http("200 OK", "Content-Type: text/event-stream", length=False)
LAST_CHUNK = b"0\r\n\r\n"
MODEL = "gpt-4o-mini"


def openai(delta: str, finish: str = "null") -> bytes:
    return (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini",'
        b'"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}\n\n' % (delta.encode(), finish.encode())
    )


ROLE = openai('{"role":"assistant","content":""}')
HELLO = openai('{"content":"hello"}')
WORLD = openai('{"content":" world"}')
STOP = openai("{}", '"stop"')
USAGE = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[],'
    b'"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}\n\n'
)
DONE = b"data: [DONE]\n\n"
WHOLE = ROLE + HELLO + WORLD + STOP + USAGE + DONE


def streamed(*parts: bytes) -> list[Step]:
    """Take a request, and answer with a stream of these parts in one chunk each, not ended."""
    return [Receive(), Send(EVENT_STREAM + b"".join(chunk(part) for part in parts))]


def answered(status: str, *headers: str, body: bytes = b"") -> list[Step]:
    """Take a request, and answer with a whole response."""
    return [Receive(), Send(http(status, *headers, body=body))]


def _chunk(finish: str | None = None, **fields: Any) -> FramedEvent:
    return unnamed({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": finish, **fields}]})


_DONE = (unnamed("[DONE]"),)
_OPENAI_ERROR = unnamed({"error": {"message": "busy", "code": 503}})


def openai_script(api: str, form: str, rare: Events = ()) -> Script:
    """The stream of an API in OpenAI's chunks, which hold a `delta` or a `text`."""

    def piece(text: str) -> dict[str, Any]:
        return {"delta": {"content": text}} if form == "delta" else {"text": text}

    message: dict[str, Any] = {"message": {"content": "ab"}} if form == "delta" else {"text": "ab"}
    start = _chunk(delta={"role": "assistant", "content": ""}) if form == "delta" else _chunk(text="")
    finish = _chunk("stop", delta={}) if form == "delta" else _chunk("stop", text="")
    return Script(
        api,
        (start,),
        tuple(_chunk(**piece(text)) for text in ("a", "b")),
        (),
        (finish,),
        _DONE,
        _OPENAI_ERROR,
        (start, finish, *_DONE),
        {"choices": [{"finish_reason": "stop", **message}], "usage": {"completion_tokens": 2}},
        lies=NOTHING_TO_ADD if api != "openai-chat" else {},
        rare=rare,
    )
