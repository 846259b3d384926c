"""Which API events look like, whatever was asked for: only to name what came in place of an answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from gwtui.apis.base import API
from gwtui.framing.base import FramedEvent
from gwtui.text.sanitize import clean

Payload: TypeAlias = Mapping[str, Any]
MOST_EVENTS = 200
"""Events of a stream that are looked at: the first of them tell."""
LONGEST = 1 << 16
"""Characters of an event, or of a body, above which it is not looked into."""
QUOTED = 80


def _is_typed(*beginnings: str) -> Callable[[Payload], bool]:
    return lambda payload: isinstance(kind := payload.get("type"), str) and kind.startswith(beginnings)


def _has(*keys: str) -> Callable[[Payload], bool]:
    return lambda payload: all(key in payload for key in keys)


def _choices_have(key: str) -> Callable[[Payload], bool]:
    def found(payload: Payload) -> bool:
        choices = payload.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        return isinstance(first, dict) and key in first

    return found


SHAPES: tuple[tuple[str, Callable[[Payload], bool]], ...] = (
    ("OpenAI Responses", _is_typed("response.")),
    ("Cohere v2", _is_typed("message-", "content-", "tool-call-", "tool-plan-", "citation-")),
    ("Anthropic Messages", _is_typed("message_", "content_block_")),
    ("OpenAI Chat Completions", _choices_have("delta")),
    ("OpenAI Chat Completions", _choices_have("message")),
    ("OpenAI completions", _choices_have("text")),
    ("Anthropic Messages", _has("content", "stop_reason")),
    ("OpenAI Responses", _has("output", "status")),
    ("Gemini", _has("candidates")),
    (
        "Ollama",
        lambda payload: isinstance(payload.get("done"), bool) and ("message" in payload or "response" in payload),
    ),
    ("Cohere v1", _has("event_type")),
    ("TGI", _has("token", "generated_text")),
    ("llama.cpp's own completion", _has("content", "stop")),
    ("Bedrock ConverseStream", _has("contentBlockIndex")),
    ("Bedrock InvokeModelWithResponseStream", _has("bytes")),
    ("Sourcegraph", _has("completion")),
    ("Sourcegraph", _has("deltaText")),
    ("Workers AI", _has("response")),
)
"""Names, each with what only its events have; those that more would match come last."""


def shape_of(payload: object) -> str:
    """The API that a decoded event, or a whole answer, looks like; "" where it is like none that is known."""
    if not isinstance(payload, dict):
        return ""
    return next((name for name, fits in SHAPES if fits(payload)), "")


class Shapes:
    """Counts what the events of one stream look like, as long as none was an answer's."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._keys: Counter[str] = Counter()
        self._looked = 0
        self._first = ""

    def take(self, event: FramedEvent) -> None:
        """Take an event that is no sign of life."""
        if self._looked >= MOST_EVENTS or event.data.startswith("[DONE]"):
            return
        payload = decoded(event.data)
        if not isinstance(payload, dict):
            return
        self._looked += 1
        self._first = self._first or event.data[:QUOTED]
        self._keys.update(payload.keys())
        self._counts[shape_of(payload)] += 1

    def foreign(self, api: API, events: int) -> str:
        """What is said of a stream of that number of events without an answer, if its events are not of the API."""
        if not self._looked or any(name in SAME.get(api.name, ()) for name in self._counts):
            return ""
        wanted = " or ".join(f"`{key}`" for key in _mark(api).split("|") if key)
        lacking = bool(wanted) and not any(key in self._keys for key in _mark(api).split("|"))
        name, count = self._counts.most_common(1)[0]
        if not name and not lacking:
            return ""
        many = f"{events:,} events" if events != 1 else "one event"
        none = f"{many}, none has {wanted}" if lacking else f"{many}, none of them is of {api.title}"
        if name and 2 * count >= self._looked:
            return f"{none}; {'they look' if events != 1 else 'it looks'} like {name}"
        return clean(f"{none}; the first begins: {self._first}") if lacking else ""


def _mark(api: API) -> str:
    """What each event of the API has; of `a|b` one; "" where no key is in all."""
    return next(iter(api.event_keys.get("", ())), "")


SAME: Mapping[str, tuple[str, ...]] = {
    "openai-chat": ("OpenAI Chat Completions",),
    "openai-completions": ("OpenAI completions",),
    "fireworks": ("OpenAI completions", "OpenAI Chat Completions"),
    "openai-responses": ("OpenAI Responses",),
    "anthropic-messages": ("Anthropic Messages",),
    "vertex-claude": ("Anthropic Messages",),
    "gemini": ("Gemini",),
    "ollama-chat": ("Ollama",),
    "ollama-generate": ("Ollama",),
    "cohere-chat": ("Cohere v2",),
    "sourcegraph-stream": ("Sourcegraph",),
    "sourcegraph-code": ("Sourcegraph",),
    "workers-ai": ("Workers AI",),
    "tgi": ("TGI",),
    "bedrock-converse": ("Bedrock ConverseStream",),
    "bedrock-invoke": ("Bedrock InvokeModelWithResponseStream", "Anthropic Messages"),
}
"""What an API's own events look like."""


def named(events: Sequence[FramedEvent]) -> str:
    """What most of these events look like; "" where that is not known."""
    counts = Counter(shape_of(decoded(event.data)) for event in events[:MOST_EVENTS])
    name, count = counts.most_common(1)[0] if counts else ("", 0)
    return name if 2 * count >= len(events[:MOST_EVENTS]) else ""


def named_body(body: bytes) -> str:
    """What a whole body of JSON looks like: one answer, or an array of events; "" where that is not known."""
    payload = decoded(body[: LONGEST + 1].decode("utf-8", "replace"))
    if isinstance(payload, list):
        return next(filter(None, map(shape_of, payload[:MOST_EVENTS])), "")
    return shape_of(payload)


def decoded(data: str) -> object:
    """The JSON; None for other data, and for data longer than is looked at."""
    try:
        return json.loads(data) if len(data) <= LONGEST else None
    except (ValueError, RecursionError):
        return None
