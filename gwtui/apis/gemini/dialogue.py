"""Conversations of Gemini: the parts of the answer go back as they came, signatures included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwtui.apis.dialogue import AnswerKeeper, Dialogue, KeptAnswer, Message, ToolCall, objects_in, schema_of, text_at
from gwtui.apis.payload import member


class GeminiDialogue(Dialogue):
    field = "contents"

    def prompt(self, text: str) -> Message:
        return {"role": "user", "parts": [{"text": text}]}

    def results(self, calls: Sequence[ToolCall], text: str) -> tuple[Message, ...]:
        given = [
            {"name": call.name, "response": {"result": text}, **({"id": call.id} if call.id else {})} for call in calls
        ]
        return ({"role": "user", "parts": [{"functionResponse": each} for each in given]},)

    def tools(self, names: Sequence[str], *, call: bool) -> Message:
        declared = {"tools": [{"functionDeclarations": [schema_of(name) for name in names]}]}
        return {**declared, **({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}} if call else {})}

    def keeper(self) -> GeminiKeeper:
        return GeminiKeeper()


class GeminiKeeper(AnswerKeeper):
    """The parts of the first candidate."""

    def __init__(self) -> None:
        self._parts: list[Message] = []
        self._texts: list[str] = []
        """The pieces of a text that is not among the parts yet."""

    def _take(self, payload: Mapping[str, Any]) -> None:
        for candidate in objects_in(payload.get("candidates")):
            if candidate.get("index") in (0, None):
                for part in objects_in(member(candidate, "content", "parts")):
                    self._add(part)

    _take_whole = _take

    def _add(self, part: Message) -> None:
        if part.keys() == {"text"}:
            self._texts.append(text_at(part, "text"))
        elif part.get("thought") is not True or "thoughtSignature" in part:
            self._end_text()
            self._parts.append(part)

    def _end_text(self) -> None:
        if text := "".join(self._texts):
            self._parts.append({"text": text})
        self._texts = []

    def _kept(self) -> KeptAnswer:
        self._end_text()
        if not self._parts:
            return KeptAnswer()
        calls = (call for part in self._parts if isinstance(call := part.get("functionCall"), dict))
        return KeptAnswer(
            ({"role": "model", "parts": self._parts},),
            tuple(ToolCall(text_at(call, "name"), text_at(call, "id")) for call in calls),
        )
