"""The OpenAI Chat Completions API: unnamed chunks, the role first, usage when asked for, `[DONE]` last."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import Fault, broken_off
from gwtui.gateway.replies.base import Asked, Question, Reply, ScriptedAnswer, count_tokens, decode_question, sse
from gwtui.gateway.timeline import Part, TimedEvent

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


class StreamOptions(msgspec.Struct):
    """What a client wants to know in a stream."""

    include_usage: bool = False


class _Body(msgspec.Struct):
    model: str
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    agent_type: str = ""


class OpenAIChatReplies(Reply):
    """`/v1/chat/completions`."""

    paths = ("/v1/chat/completions",)

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=body.model,
            stream=body.stream,
            max_tokens=body.max_completion_tokens or body.max_tokens,
            input_tokens=sum(count_tokens(one.content) for one in body.messages),
            include_usage=body.stream_options is not None and body.stream_options.include_usage,
            agent_type=body.agent_type,
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        events = [
            _chunk(answer, Part.OPENING, {"role": "assistant", "content": ""}),
            *(_chunk(answer, Part.TOKEN, {"content": token}) for token in answer.tokens),
            _chunk(answer, Part.CLOSING, {}, finish_reason(answer)),
        ]
        if answer.include_usage:
            usage = _head(answer, "chat.completion.chunk") | {"choices": [], "usage": openai_usage(answer)}
            events.append(TimedEvent(Part.CLOSING, sse(usage)))
        return [*events, TimedEvent(Part.CLOSING, sse("[DONE]"))]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(answer)}
        return _head(answer, "chat.completion") | {"choices": [choice], "usage": openai_usage(answer)}

    def error(self, status: int, message: str) -> dict[str, Any]:
        return openai_error(status, message)

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        return sse({"error": {"message": message, "type": kind, "param": None, "code": None}})


def openai_error(status: int, message: str) -> dict[str, Any]:
    """A refusal as all of OpenAI's APIs word it."""
    kind, code = _ERRORS.get(status, ("server_error", None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def openai_usage(answer: ScriptedAnswer) -> dict[str, int]:
    """The token counts as all of OpenAI's completion APIs tell them."""
    return {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
    }


def finish_reason(answer: ScriptedAnswer) -> str:
    """Why the answer ends, in the words of OpenAI's completion APIs."""
    return "length" if answer.limited else "stop"


def _head(answer: ScriptedAnswer, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{answer.number}", "object": kind, "created": answer.created, "model": answer.model}


def _chunk(answer: ScriptedAnswer, part: Part, delta: dict[str, str], finish_reason: str | None = None) -> TimedEvent:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    chunk = _head(answer, "chat.completion.chunk") | {"choices": [choice]}
    # Where usage is to come in a chunk of its own, all the others say so.
    return TimedEvent(part, sse(chunk | {"usage": None} if answer.include_usage else chunk))


REPLIES: tuple[Reply, ...] = (OpenAIChatReplies(),)
FAULTS: tuple[Fault, ...] = broken_off("openai-chat", "chat", "`[DONE]`")
