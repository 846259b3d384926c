"""The OpenAI Chat Completions API: unnamed chunks, the role first, usage when asked for, `[DONE]` last."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import Fault, broken_off
from gwtui.gateway.replies.base import (
    Asked,
    Question,
    Reply,
    ScriptedAnswer,
    count_tokens,
    decode_question,
    sse,
    talk_of,
)
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
    tool_calls: list[dict[str, Any]] = []
    tool_call_id: str = ""

    @property
    def said(self) -> tuple[str, list[str]]:
        """What it is in a conversation, and the ids in it."""
        if self.role == "assistant":
            return "answer", [str(call.get("id")) for call in self.tool_calls]
        return ("result", [self.tool_call_id]) if self.role == "tool" else ("question", [])


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
    tools: list[dict[str, Any]] = []
    tool_choice: str | dict[str, Any] = "auto"

    @property
    def turn(self) -> dict[str, Any]:
        """Turn and tool, as fields of a question."""
        names = [str(tool.get("function", {}).get("name")) for tool in self.tools]
        wanted = self.tool_choice not in ("auto", "none")
        return talk_of(one.said for one in self.messages).turn(names, wanted=wanted)


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
            **body.turn,
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        events = [
            _chunk(answer, Part.OPENING, {"role": "assistant", **_begun(answer)}),
            *(_chunk(answer, Part.TOKEN, _delta(answer, token)) for token in answer.tokens),
            _chunk(answer, Part.CLOSING, {}, finish_reason(answer)),
        ]
        if answer.include_usage:
            usage = _head(answer, "chat.completion.chunk") | {"choices": [], "usage": openai_usage(answer)}
            events.append(TimedEvent(Part.CLOSING, sse(usage)))
        return [*events, TimedEvent(Part.CLOSING, sse("[DONE]"))]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        said = {"content": None, "tool_calls": [_call(answer)]} if answer.tool else {"content": answer.text}
        message = {"role": "assistant", **said, "refusal": None}
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
    ended = "tool_calls" if answer.tool else "stop"
    return "length" if answer.limited else ended


def _call(answer: ScriptedAnswer) -> dict[str, Any]:
    function = {"name": answer.tool, "arguments": answer.text}
    return {"id": f"call_{answer.number}", "type": "function", "function": function}


def _begun(answer: ScriptedAnswer) -> dict[str, Any]:
    """What the first chunk has beside the role."""
    if not answer.tool:
        return {"content": ""}
    call = _call(answer) | {"function": {"name": answer.tool, "arguments": ""}}
    return {"content": None, "tool_calls": [{"index": 0, **call}]}


def _delta(answer: ScriptedAnswer, token: str) -> dict[str, Any]:
    if not answer.tool:
        return {"content": token}
    return {"tool_calls": [{"index": 0, "function": {"arguments": token}}]}


def _head(answer: ScriptedAnswer, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{answer.number}", "object": kind, "created": answer.created, "model": answer.model}


def _chunk(answer: ScriptedAnswer, part: Part, delta: dict[str, Any], finish_reason: str | None = None) -> TimedEvent:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    chunk = _head(answer, "chat.completion.chunk") | {"choices": [choice]}
    # Where usage is to come in a chunk of its own, all the others say so.
    return TimedEvent(part, sse(chunk | {"usage": None} if answer.include_usage else chunk))


REPLIES: tuple[Reply, ...] = (OpenAIChatReplies(),)
FAULTS: tuple[Fault, ...] = broken_off("openai-chat", "chat", "`[DONE]`")
