"""The legacy OpenAI Completions API: a prompt goes on as text, `[DONE]` last. Streamed and whole share one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import Fault, api_fault, broken_off
from gwtui.gateway.replies.base import Asked, Question, Reply, ScriptedAnswer, count_tokens, decode_question, sse
from gwtui.gateway.replies.openai_chat import StreamOptions, finish_reason, openai_error, openai_usage
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict


class _Body(msgspec.Struct):
    model: str
    prompt: str | list[Any]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class Completions(Reply):
    """Completions, and the APIs that are nearly the same."""

    paths: tuple[str, ...]
    usage_beside_finish: bool = False
    """Whether the chunk with the finish reason always holds the usage; else a chunk of its own does, when asked for."""

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=body.model,
            stream=body.stream,
            max_tokens=body.max_tokens,
            input_tokens=count_tokens(body.prompt),
            include_usage=body.stream_options is not None and body.stream_options.include_usage,
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        last = _object(answer, "", finish_reason(answer))
        if self.usage_beside_finish:
            last["usage"] = openai_usage(answer)
        events = [TimedEvent(Part.TOKEN, sse(_object(answer, token))) for token in answer.tokens]
        events.append(TimedEvent(Part.CLOSING, sse(last)))
        if answer.include_usage and not self.usage_beside_finish:
            usage = _object(answer, "") | {"choices": [], "usage": openai_usage(answer)}
            events.append(TimedEvent(Part.CLOSING, sse(usage)))
        return [*events, TimedEvent(Part.CLOSING, sse("[DONE]"))]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        return _object(answer, answer.text, finish_reason(answer)) | {"usage": openai_usage(answer)}

    def error(self, status: int, message: str) -> dict[str, Any]:
        return openai_error(status, message)

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        return sse({"error": {"message": message, "type": kind, "param": None, "code": None}})


def _object(answer: ScriptedAnswer, text: str, reason: str | None = None) -> dict[str, Any]:
    return {
        "id": f"cmpl-{answer.number}",
        "object": "text_completion",
        "created": answer.created,
        "model": answer.model,
        "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": reason}],
    }


REPLIES: tuple[Reply, ...] = (Completions(("/v1/completions",)),)
FAULTS: tuple[Fault, ...] = (
    *broken_off("openai-completions", "completions", "`[DONE]`"),
    api_fault(
        "openai-completions",
        "completions",
        "nothing",
        "The model stops at once: there is nothing to complete",
        Verdict.COMPLETE,
        cut_after=0,
        insert='data: {"object":"text_completion","choices":[{"index":0,"text":"","finish_reason":"stop"}]}\n\n'
        "data: [DONE]\n\n",
        findings=(FindingName.NOTHING_GENERATED,),
    ),
)
