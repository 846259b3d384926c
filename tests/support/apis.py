"""One good stream of every LLM API in its parts, so that one table of tests can lie in the name of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from support.framed import stream_type, wire_of
from support.streams import named, unnamed

from gwtui.framing.base import FramedEvent
from gwtui.framing.sse import SSE

Events = tuple[FramedEvent, ...]


@dataclass(frozen=True)
class Script:
    """The parts of a stream, in their order, and what an API sends in place of some."""

    api: str
    opening: Events
    content: Events
    closing: Events
    """What belongs to the content and ends it, before anything is proved."""
    finish: Events
    """What says that the answer is over; without any token counts."""
    terminator: Events
    """What says that the stream is over; nothing where the API has no such thing."""
    error: FramedEvent
    empty: Events
    """A stream without any content, in perfect form: what some gateways make of garbage from their upstream."""
    whole: dict[str, Any]
    """The answer of the API where no stream was asked for, with two output tokens."""
    silent: int = 0
    """How many of the events in `content` come before the first text."""

    def __str__(self) -> str:
        return self.api

    @property
    def good(self) -> Events:
        return (*self.opening, *self.content, *self.closing, *self.finish, *self.terminator)

    def wire(self, events: Events, line_end: str = "\n") -> bytes:
        """The bytes of a stream of these events."""
        return wire_of(self.api).encode(events, line_end)

    def response(self, body: bytes) -> bytes:
        """A whole response with that body as a stream."""
        return response(body, stream_type(self.api))

    @property
    def proof(self) -> int:
        """How many events it takes until nothing is owed any more."""
        return len(self.good) if self.terminator else len(self.good) - len(self.finish) + 1


def response(body: bytes, content_type: str = SSE.media_type, status: int = 200) -> bytes:
    """A whole response as `curl -i` shows it."""
    return f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\n\r\n".encode() + body


def numbered(*events: tuple[str, dict[str, Any]]) -> Events:
    """Events of OpenAI Responses, numbered from 0."""
    return tuple(named(kind, sequence_number=number, **fields) for number, (kind, fields) in enumerate(events))


def _anthropic() -> Script:
    message = {"id": "m", "role": "assistant", "model": "m", "content": [], "usage": {"input_tokens": 0}}
    texts = [named("content_block_delta", index=0, delta={"type": "text_delta", "text": text}) for text in ("a", "b")]
    start = named("message_start", message=message)
    finish = named("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 0})
    return Script(
        "anthropic-messages",
        (start,),
        (named("content_block_start", index=0, content_block={"type": "text", "text": ""}), *texts),
        (named("content_block_stop", index=0),),
        (finish,),
        (named("message_stop"),),
        named("error", error={"type": "overloaded_error", "message": "busy"}),
        (start, finish, named("message_stop")),
        {"type": "message", "content": [{"type": "text", "text": "ab"}], "usage": {"output_tokens": 2}},
        silent=1,
    )


def _chunk(finish: str | None = None, **fields: Any) -> FramedEvent:
    return unnamed({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": finish, **fields}]})


_DONE = (unnamed("[DONE]"),)
_OPENAI_ERROR = unnamed({"error": {"message": "busy", "code": 503}})


def _openai(api: str, form: str) -> Script:
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
    )


def _responses() -> Script:
    item = {"type": "message", "content": []}
    part = {"output_index": 0, "content_index": 0}
    output = [{"type": "message", "content": [{"type": "output_text", "text": "ab"}]}]
    events = numbered(
        ("response.created", {"response": {"id": "r", "model": "m", "status": "in_progress"}}),
        ("response.in_progress", {"response": {"id": "r"}}),
        ("response.output_item.added", {"output_index": 0, "item": item}),
        ("response.content_part.added", {**part, "part": {"type": "output_text", "text": ""}}),
        ("response.output_text.delta", {**part, "delta": "a"}),
        ("response.output_text.delta", {**part, "delta": "b"}),
        ("response.output_text.done", {**part, "text": "ab"}),
        ("response.content_part.done", {**part, "part": {"type": "output_text", "text": "ab"}}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": {"id": "r", "model": "m", "status": "completed", "output": output}}),
    )
    error = named("error", code="server_error", message="busy", param=None, sequence_number=6)
    return Script(
        "openai-responses",
        events[:2],
        events[2:6],
        events[6:9],
        (),
        events[9:],
        error,
        numbered(("response.created", {"response": {}}), ("response.completed", {"response": {"output": []}})),
        {"status": "completed", "output": output, "usage": {"output_tokens": 2}},
        silent=2,
    )


def _gemini() -> Script:
    def said(text: str, **fields: Any) -> dict[str, Any]:
        return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **fields}]}

    finish = unnamed({"candidates": [{"finishReason": "STOP", "index": 0}], "modelVersion": "m"})
    return Script(
        "gemini",
        (),
        (unnamed(said("a")), unnamed(said("b"))),
        (),
        (finish,),
        (),
        unnamed({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}),
        (finish,),
        {**said("ab", finishReason="STOP"), "usageMetadata": {"candidatesTokenCount": 2}},
    )


def _sourcegraph(api: str) -> Script:
    def completion(text: str, reason: str = "") -> FramedEvent:
        return FramedEvent("completion", json.dumps({"completion": text, "stopReason": reason}))

    done = FramedEvent("done", "{}")
    return Script(
        api,
        (),
        (completion("a"), completion("ab")),
        (),
        (completion("ab", "end_turn"),),
        (done,),
        FramedEvent("error", '{"error":"busy"}'),
        (completion("", "end_turn"), done),
        {"completion": "ab", "stopReason": "end_turn", "usage": {"completion_tokens": 2}},
    )


def _compare() -> Script:
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
    )


SCRIPTS = (
    _anthropic(),
    _openai("openai-chat", "delta"),
    _openai("openai-completions", "text"),
    _openai("fireworks", "text"),
    _openai("fireworks", "delta"),
    _responses(),
    _gemini(),
    _sourcegraph("sourcegraph-stream"),
    _sourcegraph("sourcegraph-code"),
    _compare(),
)


def script_of(api: str) -> Script:
    """The first script of that API."""
    return next(script for script in SCRIPTS if script.api == api)
