"""Workers AI: pieces in `response` with padding beside them, the token counts in the last piece, then `[DONE]`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import HALF_EVENT, TWO_STREAMS, Fault, api_fault, broken_off
from gwtui.gateway.replies.base import Asked, Question, Reply, ScriptedAnswer, count_tokens, decode_question, sse
from gwtui.gateway.replies.openai_chat import openai_usage
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.verdicts import Verdict

_CODES = {400: 5006, 401: 10000, 404: 7003, 429: 3040}
"""Cloudflare's own codes, by status; all others are the server's own."""


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]] = ""


class _Body(msgspec.Struct):
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool = False
    max_tokens: Annotated[int, Meta(ge=1)] | None = None


class WorkersAIReplies(Reply):
    """`/ai/run/MODEL`, below an account or by itself."""

    paths = ("/client/v4/accounts/{account}/ai/run/{model:path}", "/ai/run/{model:path}")

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=asked.path["model"],
            stream=body.stream,
            max_tokens=body.max_tokens,
            input_tokens=sum(count_tokens(one.content) for one in body.messages),
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        return [
            *(TimedEvent(Part.TOKEN, sse({"response": token, "p": "abcd"})) for token in answer.tokens),
            TimedEvent(Part.CLOSING, sse({"response": "", "usage": openai_usage(answer)})),
            TimedEvent(Part.CLOSING, sse("[DONE]")),
        ]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        result = {"response": answer.text, "tool_calls": [], "usage": openai_usage(answer)}
        return {"result": result, "success": True, "errors": [], "messages": []}

    def error(self, status: int, message: str) -> dict[str, Any]:
        error = {"code": _CODES.get(status, 3043), "message": message}
        return {"result": None, "success": False, "errors": [error], "messages": []}

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        return sse({"errors": [{"code": 3040, "message": message}], "success": False})


_fault = partial(api_fault, "workers-ai", "workers")
REPLIES: tuple[Reply, ...] = (WorkersAIReplies(),)
FAULTS: tuple[Fault, ...] = (
    *broken_off("workers-ai", "workers"),
    _fault("no-done", "All but `[DONE]` comes", Verdict.TRUNCATED, "without [DONE]", cut_last=1),
    _fault("bad-json", "Half of an event is missing", Verdict.OUT_OF_ORDER, "bad-json", **HALF_EVENT),
    _fault("two-streams", "Two streams in one body", Verdict.COMPLETE, **TWO_STREAMS),
)
