"""What the data of each event must have, so that clients of an API find what they read without looking for it.

By the event's own `type`; "" is every other event, and for APIs whose events have no type. Of `a|b` one is
enough. Errors, pings and markers such as `[DONE]` are not events in this sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

EventKeys: TypeAlias = Mapping[str, tuple[str, ...]]

NO_KEYS: EventKeys = MappingProxyType({})
CHUNKS: EventKeys = MappingProxyType({"": ("choices",)})
"""OpenAI's chunks: `choices` is there also where it is empty."""
MESSAGES: EventKeys = MappingProxyType(
    {
        "message_start": ("message",),
        "content_block_start": ("index", "content_block"),
        "content_block_delta": ("index", "delta"),
        "content_block_stop": ("index",),
        "message_delta": ("delta", "usage"),
    }
)
"""Anthropic Messages."""
RESPONSES: EventKeys = MappingProxyType(
    {
        "response.created": ("response",),
        "response.output_item.added": ("output_index", "item"),
        "response.output_text.delta": ("output_index", "content_index", "delta"),
        "response.output_text.done": ("output_index", "content_index", "text"),
        "response.output_item.done": ("output_index", "item"),
        "response.completed": ("response",),
        "response.incomplete": ("response",),
        "response.failed": ("response",),
    }
)
"""OpenAI Responses."""
CANDIDATES: EventKeys = MappingProxyType({"": ("candidates|promptFeedback|usageMetadata",)})
"""Gemini."""
TOKENS: EventKeys = MappingProxyType({"": ("token",)})
"""Text Generation Inference."""
PIECES: EventKeys = MappingProxyType({"": ("response|tool_calls|usage|choices",)})
"""Workers AI."""


def missing_keys(keys: EventKeys, event: Mapping[str, object]) -> tuple[str, ...]:
    """Those that this decoded event lacks; of alternatives the first."""
    kind = event.get("type")
    due = keys.get(kind if isinstance(kind, str) else "", keys.get("", ()))
    options = (key.split("|") for key in due)
    return tuple(names[0] for names in options if not any(name in event for name in names))
