"""A whole answer of OpenAI's completion APIs, chat and legacy: one JSON object with `choices`."""

from __future__ import annotations

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import Answer, Usage
from gwtui.apis.finish_reasons import OPENAI, finish_word
from gwtui.apis.models import model_differs
from gwtui.apis.openai.events import CHUNK, Choice, ChoiceDelta, ChunkForm, content_text, groq_usage, reasoning_text
from gwtui.apis.outcome import AnswerOutcome, Wanted
from gwtui.apis.payload import Unreadable, as_text, member, read_json
from gwtui.apis.tokens import merged, token_usage
from gwtui.model.enums import EventKind
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

_WANTED = {
    ChunkForm.DELTA: "a message",
    ChunkForm.TEXT: "a text",
    ChunkForm.DELTA | ChunkForm.TEXT: "a message or text",
}


def read_completion(rules: str, form: ChunkForm, asked: str, wanted: Wanted, status: int, body: bytes) -> Answer:
    """Read a whole answer to a request for the model `asked`."""
    if (error := error_in_answer(rules, status, body)) is not None:
        return error
    payload = read_json(CHUNK, body)
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
    outcome = AnswerOutcome(rules, OPENAI, wanted, whole=True)
    for choice in choices:
        _take(outcome, choice)
    reasons = [finish_word(choice.finish_reason) for choice in choices]
    closing = outcome.closing(reasons, usage)
    judgement = closing.judgement or _judged(rules, reasons)
    return Answer(judgement, text, usage, served, (*closing.findings, *model_differs(asked, served)))


def _take(outcome: AnswerOutcome, choice: Choice) -> None:
    """Note what came in a choice."""
    outcome.take(EventKind.TEXT, _text(choice))
    message = choice.message or ChoiceDelta()
    outcome.take(EventKind.REASONING, reasoning_text(message))
    if message.tool_calls or message.function_call:
        outcome.take_tool()
    calls = message.tool_calls if isinstance(message.tool_calls, list) else []
    for call in (*calls, {"function": message.function_call}):
        outcome.take_arguments(member(call, "function", "arguments"))
    if message.audio or message.images:
        outcome.take_other()
    if message.refusal:
        outcome.refuse(as_text(message.refusal))


def _suits(choice: Choice, form: ChunkForm) -> bool:
    return (choice.message is not None and ChunkForm.DELTA in form) or (
        choice.text is not None and ChunkForm.TEXT in form
    )


def _text(choice: Choice) -> str:
    if choice.message is None:
        return as_text(choice.text)
    return content_text(choice.message.content) or as_text(choice.message.refusal)


def _judged(rules: str, reasons: list[str]) -> Judgement:
    told = ", ".join(filter(None, reasons)) or "missing"
    return judged(rules, Verdict.COMPLETE, "answer", f"one whole answer, finish_reason {told}")
