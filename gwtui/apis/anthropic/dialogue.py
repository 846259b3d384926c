"""Conversations of Anthropic Messages: blocks go back as they came, results are blocks of the user's next message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwtui.apis.dialogue import (
    AnswerKeeper,
    Dialogue,
    KeptAnswer,
    Message,
    ToolCall,
    arguments_of,
    objects_in,
    schema_of,
    text_at,
)

_APPENDED = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
"""What a delta adds to, which its block has under the same name."""


class AnthropicDialogue(Dialogue):
    def results(self, calls: Sequence[ToolCall], text: str) -> tuple[Message, ...]:
        blocks = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call in calls]
        return ({"role": "user", "content": blocks},)

    def tools(self, names: Sequence[str], *, call: bool) -> Message:
        schemas = map(schema_of, names)
        declared = [{**schema, "input_schema": schema.pop("parameters")} for schema in schemas]
        return {"tools": declared, **({"tool_choice": {"type": "any"}} if call else {})}

    def keeper(self) -> AnthropicKeeper:
        return AnthropicKeeper()


class AnthropicKeeper(AnswerKeeper):
    """The content blocks of one message."""

    def __init__(self) -> None:
        self._blocks: dict[object, Message] = {}
        """By index, as they began."""
        self._pieces: dict[tuple[object, str], list[str]] = {}
        """What their deltas add, by index and field."""

    def _take(self, payload: Mapping[str, Any]) -> None:
        index = payload.get("index")
        if not isinstance(index, int):
            return
        if payload.get("type") == "content_block_start" and isinstance(block := payload.get("content_block"), dict):
            self._blocks[index] = block
        elif payload.get("type") == "content_block_delta":
            kind = text_at(payload, "delta", "type")
            field = _APPENDED.get(kind, "partial_json")
            self._pieces.setdefault((index, field), []).append(text_at(payload, "delta", field))

    def _take_whole(self, payload: Mapping[str, Any]) -> None:
        self._blocks = dict(enumerate(objects_in(payload.get("content"))))

    def _kept(self) -> KeptAnswer:
        blocks = [block for index in self._blocks if (block := self._block(index)) is not None]
        if not blocks:
            return KeptAnswer()
        calls = (each for each in blocks if each.get("type") == "tool_use")
        return KeptAnswer(
            ({"role": "assistant", "content": blocks},),
            tuple(ToolCall(text_at(call, "name"), text_at(call, "id")) for call in calls),
        )

    def _block(self, index: object) -> Message | None:
        """The whole block; None for a text without characters, which the API does not take back."""
        block = dict(self._blocks[index])
        for field in _APPENDED.values():
            if more := "".join(self._pieces.get((index, field), ())):
                block[field] = text_at(block, field) + more
        if partial := "".join(self._pieces.get((index, "partial_json"), ())):
            block["input"] = arguments_of(partial)
        return None if block.get("type") == "text" and not block.get("text") else block
