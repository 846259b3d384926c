"""Bedrock's Converse: binary frames, blocks without a start, the stop reason, and the token counts last."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import TWO_STREAMS, Fault, api_fault, broken_off
from gwtui.gateway.replies.base import (
    AWS_STREAM,
    Asked,
    Question,
    Reply,
    ScriptedAnswer,
    aws_frame,
    count_tokens,
    decode_question,
)
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

EXCEPTIONS = {"overloaded_error": "throttlingException", "timeout_error": "modelTimeoutException"}
"""By the type of an error; all others are the server's own."""
LATENCY_MS = 321


class _Message(msgspec.Struct):
    role: str
    content: Annotated[list[dict[str, Any]], Meta(min_length=1)]


class _Config(msgspec.Struct):
    max_tokens: Annotated[int, Meta(ge=1)] | None = msgspec.field(default=None, name="maxTokens")


class _Body(msgspec.Struct):
    messages: Annotated[list[_Message], Meta(min_length=1)]
    config: _Config | None = msgspec.field(default=None, name="inferenceConfig")


class BedrockForm:
    """What both APIs of Bedrock have in common: their frames, and errors."""

    def media_type(self, answer: ScriptedAnswer) -> str:
        return AWS_STREAM

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"message": message}

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        """The frame with which a stream breaks off."""
        return aws_frame(EXCEPTIONS.get(kind, "internalServerException"), {"message": message}, is_exception=True)


class BedrockConverseReplies(BedrockForm, Reply):
    """`/converse-stream`."""

    paths = ("/model/{model}/converse-stream",)
    streams = True

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=asked.path["model"],
            stream=self.streams,
            max_tokens=body.config.max_tokens if body.config is not None else None,
            input_tokens=sum(count_tokens(one.content) for one in body.messages),
        )

    def told(self, answer: ScriptedAnswer) -> list[tuple[Part, str, dict[str, Any]]]:
        """The events, each with its name and its data."""
        return [
            (Part.OPENING, "messageStart", {"role": "assistant"}),
            *((Part.TOKEN, "contentBlockDelta", _block | {"delta": {"text": each}}) for each in answer.tokens),
            (Part.CLOSING, "contentBlockStop", _block),
            (Part.CLOSING, "messageStop", {"stopReason": _stop_reason(answer)}),
            (Part.CLOSING, "metadata", _metadata(answer)),
        ]

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        return [TimedEvent(part, aws_frame(name, data | {"p": "abcd"})) for part, name, data in self.told(answer)]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        message = {"role": "assistant", "content": [{"text": answer.text}]}
        return {"output": {"message": message}, "stopReason": _stop_reason(answer), **_metadata(answer)}


class BedrockConverseWholeReplies(BedrockConverseReplies):
    """`/converse`."""

    paths = ("/model/{model}/converse",)
    streams = False


def _stop_reason(answer: ScriptedAnswer) -> str:
    return "max_tokens" if answer.limited else "end_turn"


def _metadata(answer: ScriptedAnswer) -> dict[str, Any]:
    usage = {
        "inputTokens": answer.input_tokens,
        "outputTokens": answer.output_tokens,
        "totalTokens": answer.input_tokens + answer.output_tokens,
    }
    return {"usage": usage, "metrics": {"latencyMs": LATENCY_MS}}


_block: dict[str, Any] = {"contentBlockIndex": 0}
_fault = partial(api_fault, "bedrock-converse", "converse")
REPLIES: tuple[Reply, ...] = (BedrockConverseReplies(), BedrockConverseWholeReplies())
FAULTS: tuple[Fault, ...] = (
    *broken_off("bedrock-converse", "converse", "`metadata`"),
    _fault(
        "crc",
        "A frame's checksum is wrong",
        Verdict.DECODE_ERROR,
        "the CRC of its frame",
        garble_event=4,
        garble="crc",
    ),
    _fault(
        "half",
        "Half of a frame is missing",
        Verdict.DECODE_ERROR,
        "the CRC of its frame",
        garble_event=4,
        garble="half",
    ),
    _fault("lost-start", "`messageStart` is missing", Verdict.OUT_OF_ORDER, "before messageStart", lose_event=1),
    _fault("two-streams", "Two streams in one body", Verdict.COMPLETE, **TWO_STREAMS),
    _fault(
        "error-page",
        "A gateway's error in JSON follows a cut stream",
        Verdict.ERROR_IN_STREAM,
        "upstream connect error",
        cut_after=6,
        insert='{"error":{"message":"upstream connect error"}}',
        insert_after=6,
    ),
    _fault(
        "wrong-type",
        "The stream calls itself an event stream",
        Verdict.NOT_A_STREAM,
        "an AWS event stream came as text/event-stream",
        headers={"content-type": "text/event-stream"},
    ),
    _fault(
        "empty-frames",
        "Nothing but empty frames",
        Verdict.EMPTY,
        "only 5 empty frames",
        comments=5,
        cut_after=0,
        findings=(FindingName.KEEPALIVES_ONLY,),
    ),
)
