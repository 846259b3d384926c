"""A whole answer of OpenAI's completion APIs, chat and legacy: one JSON object with `choices`."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import Answer, Usage
from gwtui.apis.models import model_differs
from gwtui.apis.openai.events import CUTTING, ChunkForm, content_text, groq_usage
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.tokens import merged, spent, token_usage
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean


class _Message(msgspec.Struct):
    content: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    text: Any = None
    finish_reason: Any = None
    usage: Any = None


class _Completion(msgspec.Struct):
    model: Any = ""
    choices: list[_Choice] | None = None
    usage: Any = None
    x_groq: Any = None


_COMPLETION = msgspec.json.Decoder(_Completion)
_WANTED = {
    ChunkForm.DELTA: "a message",
    ChunkForm.TEXT: "a text",
    ChunkForm.DELTA | ChunkForm.TEXT: "a message or text",
}


def read_completion(rules: str, form: ChunkForm, asked: str, status: int, body: bytes) -> Answer:
    """Read a whole answer to a request for the model `asked`."""
    if (error := error_in_answer(rules, status, body)) is not None:
        return error
    payload = read_json(_COMPLETION, body)
    if isinstance(payload, Unreadable):
        return Answer(judged(rules, Verdict.WRONG_BODY, "not-a-completion", payload.reason))
    choices = [choice for choice in payload.choices or () if _suits(choice, form)]
    if not choices:
        words = f"JSON without {_WANTED[form]} in `choices`"
        return Answer(judged(rules, Verdict.WRONG_BODY, "not-a-completion", words))
    served = clean(as_text(payload.model))
    usage = Usage()
    for reported in (*(choice.usage for choice in choices), groq_usage(payload.x_groq), payload.usage):
        usage = merged(token_usage(reported), usage)
    text = "".join(map(_text, choices))
    called = any(choice.message and (choice.message.tool_calls or choice.message.function_call) for choice in choices)
    judgement = _judge(rules, payload, bool(text or called), usage)
    return Answer(judgement, text, usage, served, model_differs(asked, served))


def _suits(choice: _Choice, form: ChunkForm) -> bool:
    return (choice.message is not None and ChunkForm.DELTA in form) or (
        choice.text is not None and ChunkForm.TEXT in form
    )


def _text(choice: _Choice) -> str:
    if choice.message is None:
        return as_text(choice.text)
    return content_text(choice.message.content) or as_text(choice.message.refusal)


def _judge(rules: str, payload: _Completion, has_content: bool, usage: Usage) -> Judgement:
    reasons = [clean(as_text(choice.finish_reason), 64) for choice in payload.choices or ()]
    told = ", ".join(filter(None, reasons)) or "missing"
    if "error" in reasons:
        return judged(rules, Verdict.SERVER_ERROR, "finish-error", "finish_reason error")
    if not has_content and not CUTTING.intersection(reasons) and not spent(usage):
        return judged(rules, Verdict.EMPTY, "no-content", f"finish_reason {told}, no content, no usage")
    return judged(rules, Verdict.COMPLETE, "answer", f"one whole answer, finish_reason {told}")
