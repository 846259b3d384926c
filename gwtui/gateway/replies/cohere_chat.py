"""Cohere's chat: typed events with hyphens in their names, each block with its start and its end, the usage last."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import HALF_EVENT, TWO_STREAMS, Fault, api_fault, broken_off
from gwtui.gateway.replies.base import Asked, Question, Reply, ScriptedAnswer, count_tokens, decode_question, sse
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

PREAMBLE_TOKENS = 3
"""What the model adds to each question itself: it is counted, and not billed."""


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]] = ""


class _Body(msgspec.Struct):
    model: str
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool = False
    max_tokens: Annotated[int, Meta(ge=1)] | None = None


class CohereChatReplies(Reply):
    """`/v2/chat`."""

    paths = ("/v2/chat",)

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=body.model,
            stream=body.stream,
            max_tokens=body.max_tokens,
            input_tokens=sum(count_tokens(one.content) for one in body.messages),
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        return [
            _event(Part.OPENING, "message-start", id=answer.number, delta={"message": message}),
            _event(Part.OPENING, "content-start", index=0, delta=_content({"type": "text", "text": ""})),
            *(_event(Part.TOKEN, "content-delta", index=0, delta=_content({"text": each})) for each in answer.tokens),
            _event(Part.CLOSING, "content-end", index=0),
            _event(Part.CLOSING, "message-end", delta=_end(answer)),
        ]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        message = {"role": "assistant", "content": [{"type": "text", "text": answer.text}]}
        return {"id": answer.number, "message": message, **_end(answer)}

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"message": message}

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        return _event(Part.CLOSING, "message-end", delta={"finish_reason": "ERROR", "error": message}).data


def _event(part: Part, kind: str, **fields: Any) -> TimedEvent:
    return TimedEvent(part, sse({"type": kind, **fields}, kind))


def _content(content: dict[str, str]) -> dict[str, Any]:
    return {"message": {"content": content}}


def _end(answer: ScriptedAnswer) -> dict[str, Any]:
    tokens = {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens}
    billed = tokens | {"input_tokens": max(0, answer.input_tokens - PREAMBLE_TOKENS)}
    reason = "MAX_TOKENS" if answer.limited else "COMPLETE"
    return {"finish_reason": reason, "usage": {"billed_units": billed, "tokens": tokens}}


_fault = partial(api_fault, "cohere-chat", "cohere")
REPLIES: tuple[Reply, ...] = (CohereChatReplies(),)
FAULTS: tuple[Fault, ...] = (
    *broken_off("cohere-chat", "cohere"),
    _fault("no-message-end", "All but `message-end` comes", Verdict.TRUNCATED, "before-message-end", cut_last=1),
    _fault("bad-json", "Half of an event is missing", Verdict.OUT_OF_ORDER, "bad-json", **HALF_EVENT),
    _fault("name", "An event has another name than its type", Verdict.OUT_OF_ORDER, garble_event=4, garble="name"),
    _fault("lost-start", "`message-start` is missing", Verdict.OUT_OF_ORDER, "before message-start", lose_event=1),
    _fault(
        "done-marker",
        "`[DONE]` comes, which is OpenAI's end",
        Verdict.COMPLETE,
        insert="data: [DONE]\n\n",
        insert_after=1_000_000,
        findings=(FindingName.DONE_MARKER,),
    ),
    _fault(
        "failed",
        "The finish reason is that of a failure upstream",
        Verdict.ERROR_IN_STREAM,
        "ERROR",
        cut_after=1,
        insert='event: message-end\ndata: {"type":"message-end","delta":{"finish_reason":"ERROR"}}\n\n',
        insert_after=1,
    ),
    _fault("two-streams", "Two streams in one body", Verdict.COMPLETE, **TWO_STREAMS),
)
