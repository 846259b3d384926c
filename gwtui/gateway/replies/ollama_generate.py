"""Ollama's completion of one prompt: as its chat, with the text in `response`."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from gwtui.gateway.fault import HALF_EVENT, Fault, api_fault, broken_off
from gwtui.gateway.replies.base import Asked, Question, Reply, count_tokens, decode_question
from gwtui.gateway.replies.ollama_chat import OllamaReply, Options
from gwtui.model.verdicts import Verdict


class _Body(msgspec.Struct):
    model: str
    prompt: str = ""
    suffix: str = ""
    options: Options = msgspec.field(default_factory=Options)
    stream: bool = True


class OllamaGenerateReplies(OllamaReply):
    """`/api/generate`."""

    paths = ("/api/generate",)

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=body.model,
            stream=body.stream,
            max_tokens=body.options.limit,
            input_tokens=count_tokens([body.prompt, body.suffix]),
        )

    def said(self, text: str) -> dict[str, Any]:
        return {"response": text}


_fault = partial(api_fault, "ollama-generate", "generate")
REPLIES: tuple[Reply, ...] = (OllamaGenerateReplies(),)
FAULTS: tuple[Fault, ...] = (
    *broken_off("ollama-generate", "generate"),
    _fault("no-done", "All but the last line comes", Verdict.TRUNCATED, "without done", cut_last=1),
    _fault("bad-json", "Half of a line is missing", Verdict.OUT_OF_ORDER, "bad-json", **HALF_EVENT),
)
