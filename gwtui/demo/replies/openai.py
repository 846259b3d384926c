"""The OpenAI Chat Completions API: unnamed chunks, the role first, usage when asked for, `[DONE]` last."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.demo.replies.base import Answer, Question, count_tokens, decode_question, sse
from gwtui.demo.timeline import Event, Part

_ERRORS = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "permission_denied"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}
"""Type and code per status; all others are the server's own."""


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]] | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Body(msgspec.Struct):
    model: str
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool = False
    stream_options: _StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None


class OpenAIChat:
    """`/v1/chat/completions`."""

    paths: tuple[str, ...] = ("/v1/chat/completions",)

    def question(self, body: bytes) -> Question:
        asked = decode_question(body, _Body)
        return Question(
            model=asked.model,
            stream=asked.stream,
            max_tokens=asked.max_completion_tokens or asked.max_tokens,
            input_tokens=sum(count_tokens(one.content) for one in asked.messages),
            include_usage=asked.stream_options is not None and asked.stream_options.include_usage,
        )

    def events(self, answer: Answer) -> list[Event]:
        events = [
            _chunk(answer, Part.OPENING, {"role": "assistant", "content": ""}),
            *(_chunk(answer, Part.TOKEN, {"content": token}) for token in answer.tokens),
            _chunk(answer, Part.CLOSING, {}, _finish_reason(answer)),
        ]
        if answer.include_usage:
            usage = _head(answer, "chat.completion.chunk") | {"choices": [], "usage": _usage(answer)}
            events.append(Event(Part.CLOSING, sse(usage)))
        return [*events, Event(Part.CLOSING, sse("[DONE]"))]

    def whole(self, answer: Answer) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(answer)}
        return _head(answer, "chat.completion") | {"choices": [choice], "usage": _usage(answer)}

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind, code = _ERRORS.get(status, ("server_error", None))
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}

    def error_event(self, kind: str, message: str) -> bytes:
        return sse({"error": {"message": message, "type": kind, "param": None, "code": None}})


def _head(answer: Answer, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{answer.number}", "object": kind, "created": answer.created, "model": answer.model}


def _chunk(answer: Answer, part: Part, delta: dict[str, str], finish_reason: str | None = None) -> Event:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    chunk = _head(answer, "chat.completion.chunk") | {"choices": [choice]}
    # Where usage is to come in a chunk of its own, all the others say so.
    return Event(part, sse(chunk | {"usage": None} if answer.include_usage else chunk))


def _finish_reason(answer: Answer) -> str:
    return "length" if answer.limited else "stop"


def _usage(answer: Answer) -> dict[str, int]:
    return {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
    }
