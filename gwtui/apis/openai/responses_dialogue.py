"""Conversations of OpenAI Responses: the items of the output go back as they came, and an item per result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwtui.apis.dialogue import AnswerKeeper, Dialogue, KeptAnswer, Message, ToolCall, objects_in, schema_of, text_at
from gwtui.apis.payload import member


class ResponsesDialogue(Dialogue):
    field = "input"

    def results(self, calls: Sequence[ToolCall], text: str) -> tuple[Message, ...]:
        return tuple({"type": "function_call_output", "call_id": call.id, "output": text} for call in calls)

    def tools(self, names: Sequence[str], *, call: bool) -> Message:
        declared = [{"type": "function", **schema_of(name), "strict": False} for name in names]
        return {"tools": declared, **({"tool_choice": "required"} if call else {})}

    def keeper(self) -> ResponsesKeeper:
        return ResponsesKeeper()


class ResponsesKeeper(AnswerKeeper):
    """The items of one response."""

    def __init__(self) -> None:
        self._items: list[Message] = []

    def _take(self, payload: Mapping[str, Any]) -> None:
        if payload.get("type") == "response.output_item.done" and isinstance(item := payload.get("item"), dict):
            self._items.append(item)
        elif not self._items:
            self._items = objects_in(member(payload.get("response"), "output"))

    def _take_whole(self, payload: Mapping[str, Any]) -> None:
        self._items = objects_in(payload.get("output"))

    def _kept(self) -> KeptAnswer:
        calls = (each for each in self._items if each.get("type") == "function_call")
        return KeptAnswer(
            tuple(self._items),
            tuple(ToolCall(text_at(call, "name"), text_at(call, "call_id")) for call in calls),
        )
