"""Bedrock's InvokeModel: the chunks that the maker of a model chose, each in base64 in a frame of its own.

Claude's are the events of Anthropic Messages, Nova's those of Converse, and others have a text. The model's id says
which: any other name is Claude's.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gwtui.gateway.fault import Fault, api_fault, broken_off
from gwtui.gateway.replies.anthropic_messages import AnthropicMessagesReplies, MessagesBody
from gwtui.gateway.replies.base import (
    Asked,
    Question,
    QuestionError,
    Reply,
    ScriptedAnswer,
    aws_frame,
    count_tokens,
    decode_question,
)
from gwtui.gateway.replies.bedrock_converse import LATENCY_MS, BedrockConverseReplies, BedrockForm
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.verdicts import Verdict

VERSION = "bedrock-2023-05-31"
NOVA = "amazon.nova"
Limit = Annotated[int, Meta(ge=1)] | None


class _Body(MessagesBody, kw_only=True):
    anthropic_version: str = ""
    model: str | UnsetType = UNSET


class _Llama(msgspec.Struct, forbid_unknown_fields=True):
    said: str = msgspec.field(name="prompt")
    max_tokens: Limit = msgspec.field(default=None, name="max_gen_len")


class _Mistral(msgspec.Struct, forbid_unknown_fields=True):
    said: str = msgspec.field(name="prompt")
    max_tokens: Limit = None


class _MistralChat(msgspec.Struct, forbid_unknown_fields=True):
    said: Annotated[list[dict[str, Any]], Meta(min_length=1)] = msgspec.field(name="messages")
    max_tokens: Limit = None


class _TitanConfig(msgspec.Struct, forbid_unknown_fields=True):
    limit: Limit = msgspec.field(default=None, name="maxTokenCount")


class _Titan(msgspec.Struct, forbid_unknown_fields=True):
    said: str = msgspec.field(name="inputText")
    config: _TitanConfig = msgspec.field(default_factory=_TitanConfig, name="textGenerationConfig")

    @property
    def max_tokens(self) -> int | None:
        return self.config.limit


class _TextForm(NamedTuple):
    """How a model is asked and answers whose chunks have a text."""

    body: type[_Llama | _Mistral | _MistralChat | _Titan]
    chunk: Callable[[ScriptedAnswer, str, str | None, int], dict[str, Any]]
    """Of the answer, a piece, why it is over, and the number of tokens so far."""


def _of_llama(answer: ScriptedAnswer, text: str, reason: str | None, made: int) -> dict[str, Any]:
    counts = {"prompt_token_count": answer.input_tokens, "generation_token_count": made}
    return {"generation": text, **counts, "stop_reason": reason}


def _of_mistral(answer: ScriptedAnswer, text: str, reason: str | None, made: int) -> dict[str, Any]:
    return {"outputs": [{"text": text, "stop_reason": reason}]}


def _of_mistral_chat(answer: ScriptedAnswer, text: str, reason: str | None, made: int) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "stop_reason": reason}]}


def _of_titan(answer: ScriptedAnswer, text: str, reason: str | None, made: int) -> dict[str, Any]:
    told = {"length": "LENGTH", "stop": "FINISH"}.get(reason or "")
    counts = {"inputTextTokenCount": answer.input_tokens, "totalOutputTextTokenCount": made}
    return {"outputText": text, "index": 0, **counts, "completionReason": told}


TEXT_FORMS = {
    "meta.llama": _TextForm(_Llama, _of_llama),
    "mistral.mixtral": _TextForm(_Mistral, _of_mistral),
    "mistral.mistral-7b": _TextForm(_Mistral, _of_mistral),
    "mistral.": _TextForm(_MistralChat, _of_mistral_chat),
    "amazon.titan-text": _TextForm(_Titan, _of_titan),
}
"""By a part of the model's id; the first that fits is right."""


class BedrockInvokeReplies(BedrockForm, AnthropicMessagesReplies):
    """`/invoke-with-response-stream`."""

    paths = ("/model/{model}/invoke-with-response-stream",)
    streams = True
    nova = BedrockConverseReplies()

    def question(self, asked: Asked) -> Question:
        model = asked.path["model"]
        form = next((name for name in (NOVA, *TEXT_FORMS) if name in model), "")
        if form == NOVA:
            return replace(self.nova.question(asked), stream=self.streams, form=form)
        if form:
            body = decode_question(asked.body, TEXT_FORMS[form].body)
            return Question(model, self.streams, body.max_tokens, count_tokens(body.said), form=form)
        return self._of_claude(asked, model)

    def _of_claude(self, asked: Asked, model: str) -> Question:
        body = decode_question(asked.body, _Body)
        if body.model is not UNSET or body.stream:
            name = "stream" if body.stream else "model"
            raise QuestionError(f"Malformed input request: extraneous key [{name}] is not permitted")
        if body.anthropic_version != VERSION:
            raise QuestionError("anthropic_version: Field required")
        return Question(model, self.streams, body.max_tokens, body.input_tokens)

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        if answer.form == NOVA:
            return [TimedEvent(part, _frame(_encoded({name: data}))) for part, name, data in self.nova.told(answer)]
        if answer.form:
            return _text_events(answer, TEXT_FORMS[answer.form])
        told = super().events(answer)
        return [TimedEvent(event.part, _frame(event.data.partition(b"data: ")[2].strip())) for event in told]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        if answer.form == NOVA:
            return self.nova.whole(answer)
        if not answer.form:
            return super().whole(answer)
        said = TEXT_FORMS[answer.form].chunk(answer, answer.text, _reason(answer), answer.output_tokens)
        if "outputText" not in said:
            return said
        result = {"tokenCount": answer.output_tokens} | {
            name: said[name] for name in ("outputText", "completionReason")
        }
        return {"inputTextTokenCount": answer.input_tokens, "results": [result]}


class BedrockInvokeWholeReplies(BedrockInvokeReplies):
    """`/invoke`."""

    paths = ("/model/{model}/invoke",)
    streams = False


def _text_events(answer: ScriptedAnswer, form: _TextForm) -> list[TimedEvent]:
    metrics = {
        "inputTokenCount": answer.input_tokens,
        "outputTokenCount": answer.output_tokens,
        "invocationLatency": LATENCY_MS,
        "firstByteLatency": LATENCY_MS // 2,
    }
    last = form.chunk(answer, "", _reason(answer), answer.output_tokens)
    last["amazon-bedrock-invocationMetrics"] = metrics
    chunks = [(Part.TOKEN, form.chunk(answer, token, None, nth)) for nth, token in enumerate(answer.tokens, 1)]
    return [TimedEvent(part, _frame(_encoded(chunk))) for part, chunk in (*chunks, (Part.CLOSING, last))]


def _reason(answer: ScriptedAnswer) -> str:
    return "length" if answer.limited else "stop"


def _encoded(chunk: dict[str, Any]) -> bytes:
    return msgspec.json.encode(chunk)


def _frame(chunk: bytes) -> bytes:
    return aws_frame("chunk", {"bytes": base64.b64encode(chunk).decode(), "p": "abcd"})


LLAMA = {"model": "us.meta.llama3-1-8b-instruct-v1:0"}
_fault = partial(api_fault, "bedrock-invoke", "invoke")
REPLIES: tuple[Reply, ...] = (BedrockInvokeReplies(), BedrockInvokeWholeReplies())
FAULTS: tuple[Fault, ...] = (
    *broken_off("bedrock-invoke", "invoke", "`message_stop`"),
    *broken_off("bedrock-invoke", "llama", asks=LLAMA),
    _fault(
        "crc",
        "A frame's checksum is wrong",
        Verdict.DECODE_ERROR,
        "the CRC of its frame",
        garble_event=4,
        garble="crc",
    ),
)
