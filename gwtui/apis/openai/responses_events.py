"""The events of OpenAI Responses as data: their forms, and what a response object holds."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from gwtui.apis.base import Usage, words_of
from gwtui.apis.payload import as_text
from gwtui.apis.tokens import token_usage
from gwtui.model.enums import EventKind
from gwtui.text.sanitize import clean

RULES = "responses"
"""What the ids of this API's rules begin with."""
TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
"""Exactly one of them ends a stream."""
SILENT_ITEMS = frozenset({"message", "reasoning", "compaction"})
"""Output items that show a user nothing by being there."""
DELTAS = {
    "response.output_text.delta": EventKind.TEXT,
    "response.refusal.delta": EventKind.TEXT,
    "response.audio.transcript.delta": EventKind.TEXT,
    "response.output_audio_transcript.delta": EventKind.TEXT,
    "response.reasoning_text.delta": EventKind.REASONING,
    "response.reasoning_summary_text.delta": EventKind.REASONING,
    "response.reasoning.delta": EventKind.REASONING,
    "response.reasoning_summary.delta": EventKind.REASONING,
    "response.function_call_arguments.delta": EventKind.TOOL,
    "response.custom_tool_call_input.delta": EventKind.TOOL,
    "response.mcp_call_arguments.delta": EventKind.TOOL,
    "response.mcp_call.arguments.delta": EventKind.TOOL,
    "response.code_interpreter_call_code.delta": EventKind.TOOL,
    "response.code_interpreter_call.code.delta": EventKind.TOOL,
}
"""Events that carry a piece of what is generated. All other deltas (audio, images) are no text."""
EVENT_TYPES = (
    "response.created",
    "response.in_progress",
    "response.queued",
    "response.output_item.added",
    "response.output_item.done",
    "response.content_part.added",
    "response.content_part.done",
    "response.output_text.annotation.added",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
    "keepalive",
)
OTHER_WORDS = (
    "item",
    "part",
    "item_id",
    "message",
    "output_text",
    "annotation",
    "annotations",
    "logprobs",
    "obfuscation",
)
WHOLES = ("text", "refusal", "arguments", "input", "code", "transcript")
"""The fields in which a `.done` event repeats all that its deltas carried."""


class ResponseObject(msgspec.Struct):
    """A response object: of an event, or a whole answer."""

    id: Any = None
    status: Any = None
    model: Any = ""
    output: Any = None
    usage: Any = None
    error: Any = None
    incomplete_details: Any = None


class ResponsesEvent(msgspec.Struct):
    """Any event. Leaves are untyped: what is wrong with one is said by a rule, not by the decoder."""

    type: Any = ""
    sequence_number: Any = None
    response: ResponseObject | None = None
    output_index: Any = None
    item: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None
    text: Any = None
    refusal: Any = None
    arguments: Any = None
    input: Any = None
    code: Any = None
    transcript: Any = None
    error: Any = None
    usage: Any = None

    @property
    def whole(self) -> str | None:
        """A whole part, as its `.done` event has it."""
        return next((value for field in WHOLES if isinstance(value := getattr(self, field), str)), None)


EVENT_WORDS = words_of(
    ResponseObject,
    ResponsesEvent,
    more=(*TERMINAL, *DELTAS, *(f"{name.removesuffix('.delta')}.done" for name in DELTAS), *EVENT_TYPES, *OTHER_WORDS),
)
EVENT = msgspec.json.Decoder(ResponsesEvent)
RESPONSE = msgspec.json.Decoder(ResponseObject)


def usage_of(response: ResponseObject) -> Usage:
    """The token counts of a response; None where it has none."""
    return token_usage(response.usage)


class Output(NamedTuple):
    """What a response object holds."""

    text: str
    refusal: str
    called: bool
    """Whether it has an item that is neither a message nor reasoning: a call of a tool, an image."""
    arguments: tuple[object, ...]
    """Those of the calls of functions."""


def output_of(response: ResponseObject) -> Output:
    """What the response holds; a refusal is text too."""
    items = [item for item in response.output if isinstance(item, dict)] if isinstance(response.output, list) else []
    parts = [part for item in items for part in _parts(item)]
    text = "".join(as_text(part.get("text") or part.get("refusal") or part.get("transcript")) for part in parts)
    refusal = "".join(as_text(part.get("refusal")) for part in parts)
    return Output(text, refusal, any(map(is_call, items)), tuple(map(arguments_of, items)))


def arguments_of(item: object) -> object:
    """The arguments of a function that an output item calls; None for other items."""
    is_function = isinstance(item, dict) and item.get("type") == "function_call"
    return item.get("arguments") if is_function and isinstance(item, dict) else None


def is_call(item: object) -> bool:
    """Whether an output item is neither a message nor reasoning."""
    kind = item.get("type") if isinstance(item, dict) else None
    return isinstance(kind, str) and bool(kind) and kind not in SILENT_ITEMS


def cut_by(response: ResponseObject) -> str:
    """Why an incomplete response is one, cleaned."""
    details = response.incomplete_details
    return clean(as_text(details.get("reason") if isinstance(details, dict) else None), 64) or "unsaid"


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    content = item.get("content")
    if item.get("type") != "message" or not isinstance(content, list):
        return []
    return [part for part in content if isinstance(part, dict)]
