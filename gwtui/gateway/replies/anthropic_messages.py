"""The Anthropic Messages API: named events around content blocks, usage at both ends, `message_stop` last."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import TWO_STREAMS, Fault, api_fault, broken_off
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
from gwtui.model.enums import FindingName
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
    tools: list[dict[str, Any]] = []
    tool_choice: dict[str, Any] = {}

    @property
    def turn(self) -> dict[str, Any]:
        """Turn and tool, as fields of a question. A last message of the model is how its answer is to begin."""
        said = self.messages[:-1] if self.messages[-1].role == "assistant" else self.messages
        talk = talk_of(each for one in said for each in _said(one))
        names = [str(tool.get("name")) for tool in self.tools]
        return talk.turn(names, wanted=self.tool_choice.get("type") in ("any", "tool"))

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
            **body.turn,
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        start = self.whole(answer) | {"content": [], "stop_reason": None}
        # At the start the API reports a placeholder: nothing has been generated yet.
        start["usage"] = {"input_tokens": answer.input_tokens, "output_tokens": 1}
        empty: dict[str, Any] = {"input": {}} if answer.tool else {"text": ""}
        block = _block(answer) | empty
        stop = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
        return [
            _event(Part.OPENING, "message_start", message=start),
            _event(Part.OPENING, "content_block_start", index=0, content_block=block),
            _event(Part.OPENING, "ping"),
            *(
                _event(Part.TOKEN, "content_block_delta", index=0, delta=_delta(answer, token))
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
            "content": [_block(answer)],
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


def _said(message: _Message) -> list[tuple[str, list[str]]]:
    """What a message holds, results before the rest."""
    blocks = message.content if isinstance(message.content, list) else []
    if message.role == "assistant":
        return [("answer", [str(block.get("id")) for block in blocks if block.get("type") == "tool_use"])]
    results = [str(block.get("tool_use_id")) for block in blocks if block.get("type") == "tool_result"]
    return [("result", results)] if results else []


def _block(answer: ScriptedAnswer) -> dict[str, Any]:
    if not answer.tool:
        return {"type": "text", "text": answer.text}
    return {"type": "tool_use", "id": f"toolu_{answer.number}", "name": answer.tool, "input": answer.arguments}


def _delta(answer: ScriptedAnswer, token: str) -> dict[str, str]:
    if answer.tool:
        return {"type": "input_json_delta", "partial_json": token}
    return {"type": "text_delta", "text": token}


def _stop_reason(answer: ScriptedAnswer) -> str:
    ended = "tool_use" if answer.tool else "end_turn"
    return "max_tokens" if answer.limited else ended


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def _ending(stop_reason: str, *pieces: str) -> dict[str, Any]:
    """Fields of a fault: after `message_start` come these pieces of thinking, and the answer ends for that reason."""
    blocks = [
        _event(Part.OPENING, "content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}),
        *(
            _event(Part.TOKEN, "content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": piece})
            for piece in pieces
        ),
        _event(Part.CLOSING, "content_block_stop", index=0),
    ]
    ends = [
        _event(Part.CLOSING, "message_delta", delta={"stop_reason": stop_reason}, usage={"output_tokens": 900}),
        _event(Part.CLOSING, "message_stop"),
    ]
    told = b"".join(event.data for event in (*(blocks if pieces else ()), *ends))
    return {"cut_after": 1, "insert": told.decode(), "insert_after": 1}


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
        "nothing-visible",
        "A natural end, 900 tokens by its own count, and no content",
        Verdict.EMPTY,
        "900",
        **_ending("end_turn"),
    ),
    _fault(
        "thinking-eats-limit",
        "The token limit is reached in the middle of thinking",
        Verdict.COMPLETE,
        findings=(FindingName.NO_VISIBLE_OUTPUT,),
        **_ending("max_tokens", "hm", " so"),
    ),
    _fault(
        "refused",
        "The model refuses",
        Verdict.COMPLETE,
        findings=(FindingName.REFUSED,),
        **_ending("refusal"),
    ),
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
