"""Conversations of OpenAI Chat Completions: one message with its tool calls, and a message of the tool for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwtui.apis.dialogue import (
    AnswerKeeper,
    Dialogue,
    KeptAnswer,
    Message,
    ToolCall,
    objects_in,
    schema_of,
    text_at,
)
from gwtui.apis.payload import member

_TEXTS = ("content", "reasoning_content")


class ChatDialogue(Dialogue):
    def results(self, calls: Sequence[ToolCall], text: str) -> tuple[Message, ...]:
        return tuple({"role": "tool", "tool_call_id": call.id, "content": text} for call in calls)

    def tools(self, names: Sequence[str], *, call: bool) -> Message:
        declared = [{"type": "function", "function": schema_of(name)} for name in names]
        return {"tools": declared, **({"tool_choice": "required"} if call else {})}

    def keeper(self) -> ChatKeeper:
        return ChatKeeper()


class ChatKeeper(AnswerKeeper):
    """The message of the first choice."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[str]] = {name: [] for name in _TEXTS}
        self._details: list[Message] = []
        """`reasoning_details`, which some gateways want back."""
        self._calls: dict[object, tuple[Message, list[str]]] = {}
        """Each tool call as it began, and the pieces of its arguments; by index."""

    def _take(self, payload: Mapping[str, Any]) -> None:
        self._take_from(payload, "delta")

    def _take_whole(self, payload: Mapping[str, Any]) -> None:
        self._take_from(payload, "message")

    def _take_from(self, payload: Mapping[str, Any], part: str) -> None:
        for choice in objects_in(payload.get("choices")):
            if choice.get("index") in (0, None):
                self._take_message(choice.get(part))

    def _take_message(self, message: object) -> None:
        for name in _TEXTS:
            self._pieces[name].append(text_at(message, name))
        self._details += objects_in(member(message, "reasoning_details"))
        for place, call in enumerate(objects_in(member(message, "tool_calls"))):
            index = call.get("index", place)
            known = self._calls.get(index if isinstance(index, int) else place)
            if known is None:
                known = self._calls[index if isinstance(index, int) else place] = (call, [])
            known[1].append(text_at(call, "function", "arguments"))

    def _kept(self) -> KeptAnswer:
        texts = {name: "".join(pieces) for name, pieces in self._pieces.items()}
        message: Message = {"role": "assistant", "content": texts["content"]}
        if not self._calls:
            return KeptAnswer((message,)) if texts["content"] else KeptAnswer()
        calls = [_whole(call, "".join(pieces)) for call, pieces in self._calls.values()]
        message |= {"content": texts["content"] or None, "tool_calls": calls}
        message |= {"reasoning_content": texts["reasoning_content"]} if texts["reasoning_content"] else {}
        message |= {"reasoning_details": self._details} if self._details else {}
        return KeptAnswer((message,), tuple(ToolCall(text_at(c, "function", "name"), text_at(c, "id")) for c in calls))


def _whole(call: Message, arguments: str) -> Message:
    """The call with all of its arguments, and without the place that it had in the stream."""
    own = {name: value for name, value in call.items() if name != "index"}
    function = member(call, "function")
    return {
        "type": "function",
        **own,
        "function": {**(function if isinstance(function, dict) else {}), "arguments": arguments},
    }
