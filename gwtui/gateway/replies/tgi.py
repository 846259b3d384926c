"""Text Generation Inference: a numbered token in each event, the whole text and the counts with the last."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import HALF_EVENT, TWO_STREAMS, Fault, api_fault, broken_off
from gwtui.gateway.replies.base import Asked, Question, Reply, ScriptedAnswer, count_tokens, decode_question, sse
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.verdicts import Verdict

END = "</s>"
"""The token that ends an empty text, and is no part of it."""
_TYPES = {401: "unauthorized", 422: "validation", 424: "generation", 429: "overloaded", 500: "incomplete_generation"}


class _Parameters(msgspec.Struct):
    adapter_id: str = "tgi"
    max_new_tokens: Annotated[int, Meta(ge=1)] | None = None
    details: bool = False


class _Body(msgspec.Struct):
    inputs: Annotated[str, Meta(min_length=1)]
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


class TGIReplies(Reply):
    """`/generate_stream`."""

    paths = ("/generate_stream",)
    streams = True

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=body.parameters.adapter_id,
            stream=self.streams,
            max_tokens=body.parameters.max_new_tokens,
            input_tokens=count_tokens(body.inputs),
            include_usage=body.parameters.details,
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        texts = answer.tokens or (END,)
        events = [TimedEvent(Part.TOKEN, sse(_token(number, text))) for number, text in enumerate(texts[:-1], 1)]
        last = _token(len(texts), texts[-1]) | {"generated_text": answer.text, "details": _details(answer)}
        return [*events, TimedEvent(Part.CLOSING, sse(last))]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        details = _details(answer)
        if details is None:
            return {"generated_text": answer.text}
        return {"generated_text": answer.text, "details": details | {"prefill": [], "tokens": []}}

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"error": message, "error_type": _TYPES.get(status, "generation")}

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        return sse({"error": f"Request failed during generation: {message}", "error_type": "generation"})


class TGIWholeReplies(TGIReplies):
    """`/generate`."""

    paths = ("/generate",)
    streams = False


def _token(number: int, text: str) -> dict[str, Any]:
    token = {"id": number, "text": text, "logprob": -0.25, "special": text == END}
    return {"index": number, "token": token, "generated_text": None, "details": None}


def _details(answer: ScriptedAnswer) -> dict[str, Any] | None:
    """Told to those who ask for it."""
    if not answer.include_usage:
        return None
    natural = "stop_sequence" if answer.tokens else "eos_token"
    return {
        "finish_reason": "length" if answer.limited else natural,
        "generated_tokens": answer.output_tokens,
        "input_length": answer.input_tokens,
        "seed": None,
    }


_fault = partial(api_fault, "tgi", "tgi")
REPLIES: tuple[Reply, ...] = (TGIReplies(), TGIWholeReplies())
FAULTS: tuple[Fault, ...] = (
    *broken_off("tgi", "tgi"),
    _fault("no-last", "All but the last token comes", Verdict.TRUNCATED, "without `generated_text`", cut_last=1),
    _fault("lost-token", "A token is missing", Verdict.OUT_OF_ORDER, "token 5 where 4 is due", lose_event=4),
    _fault("bad-json", "Half of an event is missing", Verdict.OUT_OF_ORDER, "bad-json", **HALF_EVENT),
    _fault("two-streams", "Two streams in one body", Verdict.COMPLETE, **TWO_STREAMS),
)
