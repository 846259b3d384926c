"""The OpenAI Responses API: typed events numbered without a gap, the whole response in the last one, no `[DONE]`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import Fault, api_fault, broken_off
from gwtui.gateway.replies.base import (
    Asked,
    Question,
    Reply,
    ScriptedAnswer,
    count_tokens,
    decode_question,
    sse,
    talk_of,
)
from gwtui.gateway.replies.openai_chat import openai_error
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

_Told: TypeAlias = tuple[Part, str, dict[str, Any]]
"""An event: when it is due, its name, and its fields."""


class _Body(msgspec.Struct):
    model: str
    input: str | Annotated[list[dict[str, Any]], Meta(min_length=1)]
    instructions: str | None = None
    stream: bool = False
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    tools: list[dict[str, Any]] = []
    tool_choice: str | dict[str, Any] = "auto"

    @property
    def turn(self) -> dict[str, Any]:
        """Turn and tool, as fields of a question."""
        names = [str(tool.get("name")) for tool in self.tools]
        items = self.input if isinstance(self.input, list) else []
        return talk_of(map(_said, items)).turn(names, wanted=self.tool_choice not in ("auto", "none"))


class OpenAIResponsesReplies(Reply):
    """`/v1/responses`: one message with one part of text."""

    paths = ("/v1/responses",)

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=body.model,
            stream=body.stream,
            max_tokens=body.max_output_tokens,
            input_tokens=count_tokens(body.input) + count_tokens(body.instructions),
            **body.turn,
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        begun = self.whole(answer) | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
        item = _item(answer)
        empty: dict[str, Any] = {"arguments": ""} if answer.tool else {"content": []}
        added = {"output_index": 0, "item": item | {"status": "in_progress"} | empty}
        told: list[_Told] = [
            (Part.OPENING, "response.created", {"response": begun}),
            (Part.OPENING, "response.in_progress", {"response": begun}),
            (Part.OPENING, "response.output_item.added", added),
            *(_call_events(answer) if answer.tool else _text_events(answer)),
            (Part.CLOSING, "response.output_item.done", {"output_index": 0, "item": item}),
            (Part.CLOSING, f"response.{_status(answer)}", {"response": self.whole(answer)}),
        ]
        return [
            TimedEvent(part, sse({"type": name, "sequence_number": number, **fields}, name))
            for number, (part, name, fields) in enumerate(told)
        ]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        return {
            "id": f"resp_{answer.number}",
            "object": "response",
            "created_at": answer.created,
            "status": _status(answer),
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if answer.limited else None,
            "model": answer.model,
            "output": [_item(answer)],
            "usage": {
                "input_tokens": answer.input_tokens,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": answer.output_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": answer.input_tokens + answer.output_tokens,
            },
        }

    def error(self, status: int, message: str) -> dict[str, Any]:
        return openai_error(status, message)

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        error = {"type": kind, "code": kind, "message": message, "param": None}
        return sse({"type": "error", "error": error, "sequence_number": after}, "error")


def _said(item: dict[str, Any]) -> tuple[str, list[str]]:
    """What an item is in a conversation, and the ids in it."""
    kind, call = item.get("type", "message"), [str(item.get("call_id"))]
    if kind == "function_call":
        return "answer", call
    if kind == "function_call_output":
        return "result", call
    return ("answer" if item.get("role") == "assistant" or kind == "reasoning" else "question"), []


def _text_events(answer: ScriptedAnswer) -> list[_Told]:
    place = {"item_id": _item_id(answer), "output_index": 0, "content_index": 0}
    return [
        (Part.OPENING, "response.content_part.added", place | {"part": _part("")}),
        *((Part.TOKEN, "response.output_text.delta", place | {"delta": token}) for token in answer.tokens),
        (Part.CLOSING, "response.output_text.done", place | {"text": answer.text}),
        (Part.CLOSING, "response.content_part.done", place | {"part": _part(answer.text)}),
    ]


def _call_events(answer: ScriptedAnswer) -> list[_Told]:
    place = {"item_id": _item_id(answer), "output_index": 0}
    name = "response.function_call_arguments"
    return [
        *((Part.TOKEN, f"{name}.delta", place | {"delta": token}) for token in answer.tokens),
        (Part.CLOSING, f"{name}.done", place | {"arguments": answer.text}),
    ]


def _status(answer: ScriptedAnswer) -> str:
    return "incomplete" if answer.limited else "completed"


def _item_id(answer: ScriptedAnswer) -> str:
    return f"{'fc' if answer.tool else 'msg'}_{answer.number}"


def _item(answer: ScriptedAnswer) -> dict[str, Any]:
    if answer.tool:
        own = {"call_id": f"call_{answer.number}", "name": answer.tool, "arguments": answer.text}
        return {"id": _item_id(answer), "type": "function_call", "status": _status(answer), **own}
    return {
        "id": _item_id(answer),
        "type": "message",
        "status": _status(answer),
        "role": "assistant",
        "content": [_part(answer.text)],
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


TEXT_DONE = 8
"""The event with the whole text, where that has three tokens."""
_fault = partial(api_fault, "openai-responses", "responses")
REPLIES: tuple[Reply, ...] = (OpenAIResponsesReplies(),)
FAULTS: tuple[Fault, ...] = (
    *broken_off("openai-responses", "responses"),
    _fault("lost", "An event is lost, and its number with it", Verdict.OUT_OF_ORDER, "sequence-gap", lose_event=6),
    _fault("duplicated", "An event is repeated", Verdict.OUT_OF_ORDER, "sequence-order", repeat_event=6),
    _fault("reordered", "Two events are swapped", Verdict.OUT_OF_ORDER, "sequence-", swap_event=6),
    _fault(
        "zero",
        "An event has the sequence number 0, and none is lost",
        Verdict.COMPLETE,
        garble_event=6,
        garble="zero",
        findings=(FindingName.SEQUENCE_NUMBERS,),
    ),
    _fault(
        "done-differs",
        "The whole text has white space at its end that its deltas did not have",
        Verdict.COMPLETE,
        text="a b c",
        garble_event=TEXT_DONE,
        garble="space",
        findings=(FindingName.DONE_DIFFERS,),
    ),
    _fault(
        "whole-differs",
        "The whole text is another one than its deltas came to",
        Verdict.OUT_OF_ORDER,
        "whole-differs",
        text="a b c",
        garble_event=TEXT_DONE,
        garble="text",
    ),
    _fault(
        "nothing-visible",
        "The response is completed, and has no message",
        Verdict.EMPTY,
        "nothing visible",
        cut_after=1,
        insert='event: response.completed\ndata: {"type":"response.completed","sequence_number":1,"response":'
        '{"id":"resp_1","object":"response","status":"completed","output":[]}}\n\n',
        insert_after=1,
    ),
    _fault("sequence", "A sequence number jumps", Verdict.OUT_OF_ORDER, "sequence-", garble_event=6, garble="sequence"),
    _fault(
        "index", "A delta of an item that is not open", Verdict.OUT_OF_ORDER, "item", garble_event=6, garble="index"
    ),
    _fault(
        "flat",
        "The documented error, without nesting",
        Verdict.ERROR_IN_STREAM,
        "boom",
        error_after=6,
        error_event='event: error\ndata: {"type":"error","code":"server_error","message":"boom","param":null,'
        '"sequence_number":6}\n\n',
    ),
    _fault(
        "failed",
        "The response ends as failed",
        Verdict.ERROR_IN_STREAM,
        "boom",
        error_after=6,
        error_event='event: response.failed\ndata: {"type":"response.failed","sequence_number":6,"response":'
        '{"id":"resp_1","object":"response","status":"failed","error":{"code":"server_error","message":"boom"},'
        '"output":[]}}\n\n',
    ),
)
