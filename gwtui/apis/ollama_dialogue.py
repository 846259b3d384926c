"""Conversations of Ollama's chat: one message with its tool calls, and a message of the tool for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwtui.apis.dialogue import AnswerKeeper, Dialogue, KeptAnswer, Message, ToolCall, objects_in, schema_of, text_at
from gwtui.apis.payload import member

_TEXTS = ("content", "thinking")


class OllamaDialogue(Dialogue):
    def results(self, calls: Sequence[ToolCall], text: str) -> tuple[Message, ...]:
        return tuple(
            {"role": "tool", "tool_name": call.name, "content": text, **({"tool_call_id": call.id} if call.id else {})}
            for call in calls
        )

    def tools(self, names: Sequence[str], *, call: bool) -> Message:
        """Ollama has no field that wants one called."""
        return {"tools": [{"type": "function", "function": schema_of(name)} for name in names]}

    def keeper(self) -> OllamaKeeper:
        return OllamaKeeper()


class OllamaKeeper(AnswerKeeper):
    """The message of one answer."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[str]] = {name: [] for name in _TEXTS}
        self._calls: list[Message] = []

    def _take(self, payload: Mapping[str, Any]) -> None:
        for name in _TEXTS:
            self._pieces[name].append(text_at(payload, "message", name))
        self._calls += objects_in(member(payload.get("message"), "tool_calls"))

    _take_whole = _take

    def _kept(self) -> KeptAnswer:
        texts = {name: "".join(pieces) for name, pieces in self._pieces.items()}
        if not (texts["content"] or self._calls):
            return KeptAnswer()
        message: Message = {"role": "assistant", "content": texts["content"]}
        if self._calls:
            message |= {"tool_calls": self._calls} | ({"thinking": texts["thinking"]} if texts["thinking"] else {})
        calls = ((text_at(each, "function", "name"), text_at(each, "id")) for each in self._calls)
        return KeptAnswer((message,), tuple(ToolCall(*call) for call in calls))
