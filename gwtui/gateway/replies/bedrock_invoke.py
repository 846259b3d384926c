"""Claude by Bedrock's InvokeModel: the events of Anthropic Messages, each in base64 in a frame of its own."""

from __future__ import annotations

import base64
from functools import partial

from msgspec import UNSET, UnsetType

from gwtui.gateway.fault import Fault, api_fault, broken_off
from gwtui.gateway.replies.anthropic_messages import AnthropicMessagesReplies, MessagesBody
from gwtui.gateway.replies.base import (
    Asked,
    Question,
    QuestionError,
    Reply,
    ScriptedAnswer,
    aws_frame,
    decode_question,
)
from gwtui.gateway.replies.bedrock_converse import BedrockForm
from gwtui.gateway.timeline import TimedEvent
from gwtui.model.verdicts import Verdict

VERSION = "bedrock-2023-05-31"


class _Body(MessagesBody, kw_only=True):
    anthropic_version: str = ""
    model: str | UnsetType = UNSET


class BedrockInvokeReplies(BedrockForm, AnthropicMessagesReplies):
    """`/invoke-with-response-stream`."""

    paths = ("/model/{model}/invoke-with-response-stream",)
    streams = True

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        if body.model is not UNSET or body.stream:
            name = "stream" if body.stream else "model"
            raise QuestionError(f"Malformed input request: extraneous key [{name}] is not permitted")
        if body.anthropic_version != VERSION:
            raise QuestionError("anthropic_version: Field required")
        return Question(
            model=asked.path["model"],
            stream=self.streams,
            max_tokens=body.max_tokens,
            input_tokens=body.input_tokens,
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        return [TimedEvent(event.part, _chunk(event.data)) for event in super().events(answer)]


class BedrockInvokeWholeReplies(BedrockInvokeReplies):
    """`/invoke`."""

    paths = ("/model/{model}/invoke",)
    streams = False


def _chunk(event: bytes) -> bytes:
    payload = event.partition(b"data: ")[2].strip()
    return aws_frame("chunk", {"bytes": base64.b64encode(payload).decode(), "p": "abcd"})


_fault = partial(api_fault, "bedrock-invoke", "invoke")
REPLIES: tuple[Reply, ...] = (BedrockInvokeReplies(), BedrockInvokeWholeReplies())
FAULTS: tuple[Fault, ...] = (
    *broken_off("bedrock-invoke", "invoke", "`message_stop`"),
    _fault(
        "crc",
        "A frame's checksum is wrong",
        Verdict.DECODE_ERROR,
        "the CRC of its frame",
        garble_event=4,
        garble="crc",
    ),
)
