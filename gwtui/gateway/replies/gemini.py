"""The Gemini API: unnamed events with CRLF line ends and no terminator, or one JSON array, or one whole answer."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import Fault, api_fault, broken_off
from gwtui.gateway.replies.base import (
    Asked,
    Question,
    QuestionError,
    Reply,
    ScriptedAnswer,
    count_tokens,
    decode_question,
    sse,
    talk_of,
)
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

ARRAY = "array"
"""The form of a stream without `alt=sse`."""

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class _Content(msgspec.Struct):
    parts: list[dict[str, Any]]
    role: str = "user"

    @property
    def said(self) -> tuple[str, list[str]]:
        """What it is in a conversation, and the names of tools in it."""
        kind, key = ("answer", "functionCall") if self.role == "model" else ("result", "functionResponse")
        names = [str(part[key].get("name")) for part in self.parts if key in part]
        return (kind, names) if names or kind == "answer" else ("question", [])


class _Config(msgspec.Struct):
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = msgspec.field(default=None, name="maxOutputTokens")


class _Body(msgspec.Struct):
    contents: Annotated[list[_Content], Meta(min_length=1)]
    config: _Config | None = msgspec.field(default=None, name="generationConfig")
    tools: list[dict[str, Any]] = []
    tool_config: dict[str, Any] = msgspec.field(default_factory=dict, name="toolConfig")

    @property
    def turn(self) -> dict[str, Any]:
        """Turn and tool, as fields of a question."""
        names = [str(each.get("name")) for tool in self.tools for each in tool.get("functionDeclarations", ())]
        wanted = self.tool_config.get("functionCallingConfig", {}).get("mode") == "ANY"
        return talk_of(content.said for content in self.contents).turn(names, wanted=wanted)


class GeminiReplies(Reply):
    """`:streamGenerateContent` and `:generateContent`, which name the model in the path."""

    paths = (
        "/v1beta/models/{model:path}:streamGenerateContent",
        "/v1beta/models/{model:path}:{method}",
    )

    def question(self, asked: Asked) -> Question:
        method = asked.path.get("method", "streamGenerateContent")
        if method not in ("streamGenerateContent", "generateContent"):
            raise QuestionError(f"The method {method} is not known.", 404)
        body = decode_question(asked.body, _Body)
        return Question(
            model=asked.path["model"],
            stream=method == "streamGenerateContent",
            max_tokens=body.config.max_output_tokens if body.config is not None else None,
            input_tokens=sum(count_tokens(content.parts) for content in body.contents),
            form="" if asked.query.get("alt") == "sse" else ARRAY,
            **body.turn,
        )

    def media_type(self, answer: ScriptedAnswer) -> str:
        return "application/json; charset=UTF-8" if answer.form == ARRAY else super().media_type(answer)

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        told = [
            *((Part.TOKEN, _chunk(answer, part, nth)) for nth, part in _parts(answer)),
            (Part.CLOSING, _chunk(answer, {"text": ""}, answer.output_tokens, _reason(answer))),
        ]
        if answer.form != ARRAY:
            return [TimedEvent(part, sse(chunk, end=b"\r\n")) for part, chunk in told]
        texts = [msgspec.json.encode(chunk) for _, chunk in told]
        openings = [b"[", *(b",\r\n" for _ in texts[1:])]
        pieces = [opening + text for opening, text in zip(openings, texts, strict=True)]
        pieces[-1] += b"\n]\n"
        return [TimedEvent(part, piece) for (part, _), piece in zip(told, pieces, strict=True)]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        said = _call(answer) if answer.tool else {"text": answer.text}
        return _chunk(answer, said, answer.output_tokens, _reason(answer))

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"error": {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}}

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        """A bare JSON text of several lines, without `data:`, as the real service breaks off."""
        status = 503 if kind == "overloaded_error" else 500
        text = msgspec.json.format(msgspec.json.encode(self.error(status, message)), indent=2)
        return text + b"\r\n"


def _reason(answer: ScriptedAnswer) -> str:
    return "MAX_TOKENS" if answer.limited else "STOP"


def _call(answer: ScriptedAnswer) -> dict[str, Any]:
    """A call, which comes whole, with the signature that has to come back with it."""
    return {"functionCall": {"name": answer.tool, "args": answer.arguments}, "thoughtSignature": "c2lnbmVk"}


def _parts(answer: ScriptedAnswer) -> list[tuple[int, dict[str, Any]]]:
    """The pieces of the answer, each with the number of tokens up to it."""
    if answer.tool:
        return [(answer.output_tokens, _call(answer))]
    return [(nth, {"text": token}) for nth, token in enumerate(answer.tokens, 1)]


def _chunk(
    answer: ScriptedAnswer, part: dict[str, Any], output_tokens: int, reason: str | None = None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    usage = {
        "promptTokenCount": answer.input_tokens,
        "candidatesTokenCount": output_tokens,
        "totalTokenCount": answer.input_tokens + output_tokens,
    }
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": answer.model,
        "responseId": answer.number,
    }


_fault = partial(api_fault, "gemini", "gemini")
_EVENT = """data: {"candidates":[{"content":{"parts":[{"text":"%s","thought":%s}],"role":"model"}%s,"index":0}]}\n\n"""
_ENDED = ',"finishReason":"%s"'
REPLIES: tuple[Reply, ...] = (GeminiReplies(),)
FAULTS: tuple[Fault, ...] = (
    *broken_off("gemini", "gemini"),
    Fault(
        name="array-gemini",
        says="Without `alt=sse`, Gemini streams a JSON array",
        verdict=Verdict.NOT_A_STREAM,
        api="gemini",
        asks={"path": "/v1beta/models/gemini-2.0-flash:streamGenerateContent"},
    ),
    _fault(
        "finish-repeated",
        "Every event has finishReason STOP, as old models send it",
        Verdict.COMPLETE,
        cut_after=0,
        insert=_EVENT % ("a", "false", _ENDED % "STOP") + _EVENT % (" b", "false", _ENDED % "STOP"),
        findings=(FindingName.FINISH_REPEATED,),
    ),
    _fault(
        "malformed",
        "The model's tool call was none that could be read",
        Verdict.ERROR_IN_STREAM,
        "MALFORMED_FUNCTION_CALL",
        cut_after=0,
        insert=_EVENT % ("", "false", _ENDED % "MALFORMED_FUNCTION_CALL"),
    ),
    _fault(
        "filtered",
        "A filter ends the answer in its middle",
        Verdict.COMPLETE,
        "SAFETY",
        cut_after=0,
        insert=_EVENT % ("a", "false", "") + _EVENT % ("", "false", _ENDED % "SAFETY"),
        findings=(FindingName.FILTERED,),
    ),
    _fault(
        "blocked",
        "The prompt is refused",
        Verdict.COMPLETE,
        "SAFETY",
        cut_after=0,
        insert='data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n',
        findings=(FindingName.REFUSED,),
    ),
    _fault(
        "thinking-eats-limit",
        "The token limit is reached in the middle of thinking",
        Verdict.COMPLETE,
        cut_after=0,
        insert=_EVENT % ("hm", "true", "") + _EVENT % ("", "false", _ENDED % "MAX_TOKENS"),
        findings=(FindingName.NO_VISIBLE_OUTPUT,),
    ),
)
