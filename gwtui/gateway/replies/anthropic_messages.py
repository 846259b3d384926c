"""The Anthropic Messages API: named events around content blocks, usage at both ends, `message_stop` last."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import TWO_STREAMS, Fault, api_fault, broken_off
from gwtui.gateway.replies.base import Asked, Question, Reply, ScriptedAnswer, count_tokens, decode_question, sse
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.verdicts import Verdict

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]]


class MessagesBody(msgspec.Struct, kw_only=True):
    """What is asked, wherever the model is named."""

    max_tokens: Annotated[int, Meta(ge=1)]
    messages: Annotated[list[_Message], Meta(min_length=1)]
    system: str | list[dict[str, Any]] = ""
    stream: bool = False

    @property
    def input_tokens(self) -> int:
        return count_tokens(self.system) + sum(count_tokens(one.content) for one in self.messages)


class _Body(MessagesBody, kw_only=True):
    model: str
    agent_type: str = ""


class AnthropicMessagesReplies(Reply):
    """`/v1/messages`, and the same behind a gateway's own path."""

    paths: tuple[str, ...] = ("/v1/messages", "/v1/completions/anthropic-messages")

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=body.model,
            stream=body.stream,
            max_tokens=body.max_tokens,
            input_tokens=body.input_tokens,
            agent_type=body.agent_type,
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        start = self.whole(answer) | {"content": [], "stop_reason": None}
        # At the start the API reports a placeholder: nothing has been generated yet.
        start["usage"] = {"input_tokens": answer.input_tokens, "output_tokens": 1}
        block = {"type": "text", "text": ""}
        stop = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
        return [
            _event(Part.OPENING, "message_start", message=start),
            _event(Part.OPENING, "content_block_start", index=0, content_block=block),
            _event(Part.OPENING, "ping"),
            *(
                _event(Part.TOKEN, "content_block_delta", index=0, delta={"type": "text_delta", "text": token})
                for token in answer.tokens
            ),
            _event(Part.CLOSING, "content_block_stop", index=0),
            _event(Part.CLOSING, "message_delta", delta=stop, usage={"output_tokens": answer.output_tokens}),
            _event(Part.CLOSING, "message_stop"),
        ]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        return {
            "id": f"msg_{answer.number}",
            "type": "message",
            "role": "assistant",
            "model": answer.model,
            "content": [{"type": "text", "text": answer.text}],
            "stop_reason": _stop_reason(answer),
            "stop_sequence": None,
            "usage": {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens},
        }

    def error(self, status: int, message: str) -> dict[str, Any]:
        return _error(_ERROR_TYPES.get(status, "api_error"), message)

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        return sse(_error(kind, message), "error")


def _event(part: Part, name: str, **fields: object) -> TimedEvent:
    return TimedEvent(part, sse({"type": name, **fields}, name))


def _stop_reason(answer: ScriptedAnswer) -> str:
    return "max_tokens" if answer.limited else "end_turn"


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


_fault = partial(api_fault, "anthropic-messages", "anthropic")
REPLIES: tuple[Reply, ...] = (AnthropicMessagesReplies(),)
FAULTS: tuple[Fault, ...] = (
    *broken_off("anthropic-messages", "anthropic", "`message_stop`"),
    _fault(
        "reordered",
        "A block starts before its message",
        Verdict.OUT_OF_ORDER,
        "event 1",
        swap_event=1,
    ),
    _fault(
        "duplicated",
        "A block starts twice",
        Verdict.OUT_OF_ORDER,
        "event 3",
        repeat_event=2,
    ),
    _fault(
        "lost",
        "The start of a block is lost",
        Verdict.OUT_OF_ORDER,
        "delta-without-block",
        lose_event=2,
    ),
    _fault(
        "lost-start",
        "The start of the message is lost",
        Verdict.OUT_OF_ORDER,
        "event 1",
        lose_event=1,
    ),
    _fault(
        "index",
        "A delta belongs to a block that is not open",
        Verdict.OUT_OF_ORDER,
        "delta-index",
        garble_event=5,
        garble="index",
    ),
    _fault(
        "name",
        "An event's name and type differ",
        Verdict.OUT_OF_ORDER,
        "name-is-not-type",
        garble_event=5,
        garble="name",
    ),
    _fault(
        "unnamed",
        "An event without its `event:` line, which clients skip",
        Verdict.OUT_OF_ORDER,
        "unnamed-events",
        garble_event=5,
        garble="unnamed",
    ),
    _fault("two-streams", "Two messages in one body", Verdict.COMPLETE, **TWO_STREAMS),
    _fault(
        "overloaded",
        "An overload error in the middle of a stream",
        Verdict.ERROR_IN_STREAM,
        "overloaded_error",
        error_after=5,
        error_event='event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},'
        '"request_id":"req_1"}\n\n',
    ),
)
