"""Which API events look like, whatever was asked for: to name what came in place of an answer, and to tell captures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from gwtui.apis.base import API
from gwtui.framing.base import FramedEvent
from gwtui.text.sanitize import clean

Payload: TypeAlias = Mapping[str, Any]
MOST_EVENTS = 200
"""Events of a stream that are looked at: the first of them tell."""
LONGEST = 1 << 16
"""Characters of an event, or of a body, above which it is not looked into."""
QUOTED = 80


class Shape(NamedTuple):
    """What the events, or the whole answers, of some APIs look like."""

    name: str
    """What people call it."""
    mark: str
    """What only such an event has, in words."""
    fits: Callable[[Payload], bool]
    apis: tuple[str, ...] = ()
    """Those with such events, the plainest first; none where gwtui cannot ask it."""
    equal: bool = False
    """None of these APIs is plainer than the others: the events alone do not tell them apart."""


def _is_typed(*beginnings: str) -> Callable[[Payload], bool]:
    return lambda payload: isinstance(kind := payload.get("type"), str) and kind.startswith(beginnings)


def _has(*keys: str) -> Callable[[Payload], bool]:
    return lambda payload: all(key in payload for key in keys)


def _has_any(*keys: str) -> Callable[[Payload], bool]:
    return lambda payload: any(key in payload for key in keys)


def _choices_have(key: str) -> Callable[[Payload], bool]:
    def found(payload: Payload) -> bool:
        choices = payload.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        return isinstance(first, dict) and key in first

    return found


def _is_object(name: str) -> Callable[[Payload], bool]:
    return lambda payload: payload.get("object") == name


def _is_done_or_not(key: str) -> Callable[[Payload], bool]:
    return lambda payload: isinstance(payload.get("done"), bool) and key in payload


def _is_of_a_comparison(payload: Payload) -> bool:
    totals = payload.get("metadata")
    if payload.get("type") == "complete":
        return isinstance(totals, dict) and "models_successful" in totals
    return payload.get("type") in ("start", "chunk", "done") and isinstance(payload.get("model"), str)


_CLAUDE = ("anthropic-messages", "vertex-claude", "bedrock-invoke")
_CHAT = ("openai-chat", "fireworks")
_TEXT = ("openai-completions", "fireworks")
_OPENAI = ("openai-responses", "openai-realtime")
_SESSION = ("session.", "conversation.", "rate_limits.")
_SOURCEGRAPH = ("sourcegraph-stream", "sourcegraph-code")
SHAPES: tuple[Shape, ...] = (
    Shape("OpenAI Responses", "`type` response.…", _is_typed("response."), _OPENAI),
    Shape("OpenAI Realtime", "`type` session.… or conversation.…", _is_typed(*_SESSION), ("openai-realtime",)),
    Shape(
        "Cohere v2",
        "`type` message-… or content-…",
        _is_typed("message-", "content-", "tool-call-", "tool-plan-", "citation-"),
        ("cohere-chat",),
    ),
    Shape(
        "Anthropic Messages", "`type` message_… or content_block_…", _is_typed("message_", "content_block_"), _CLAUDE
    ),
    Shape("OpenAI Chat Completions", "`choices` with `delta`", _choices_have("delta"), _CHAT),
    Shape("OpenAI Chat Completions", "`choices` with `message`", _choices_have("message"), _CHAT),
    Shape("OpenAI completions", "`choices` with `text`", _choices_have("text"), _TEXT),
    Shape("Anthropic Messages", "`content` and `stop_reason`", _has("content", "stop_reason"), _CLAUDE),
    Shape(
        "Anthropic Messages",
        "`type` message with `content`",
        lambda payload: payload.get("type") == "message" and isinstance(payload.get("content"), list),
        _CLAUDE,
    ),
    Shape("OpenAI Responses", "`output` and `status`", _has("output", "status"), ("openai-responses",)),
    Shape("Gemini", "`candidates`", _has_any("candidates", "promptFeedback", "usageMetadata"), ("gemini",)),
    Shape("Ollama", "`done` and `message`", _is_done_or_not("message"), ("ollama-chat",)),
    Shape("Ollama", "`done` and `response`", _is_done_or_not("response"), ("ollama-generate",)),
    Shape("Cohere v1", "`event_type`", _has("event_type")),
    Shape("Cohere v2", "`message` and `finish_reason`", _has("message", "finish_reason"), ("cohere-chat",)),
    Shape("TGI", "`token` and `generated_text`", _has("token", "generated_text"), ("tgi",)),
    Shape("TGI", "`generated_text`", _has("generated_text"), ("tgi",)),
    Shape("llama.cpp's own completion", "`content` and `stop`", _has("content", "stop")),
    Shape("Bedrock ConverseStream", "`contentBlockIndex`", _has("contentBlockIndex"), ("bedrock-converse",)),
    Shape("Bedrock ConverseStream", "`output` and `stopReason`", _has("output", "stopReason"), ("bedrock-converse",)),
    Shape("Bedrock InvokeModelWithResponseStream", "`bytes`", _has("bytes"), ("bedrock-invoke",)),
    Shape("Llama on Bedrock", "`generation`", _has("generation", "stop_reason"), ("bedrock-invoke",)),
    Shape("Mistral on Bedrock", "`outputs`", _has("outputs"), ("bedrock-invoke",)),
    Shape("Titan on Bedrock", "`inputTextTokenCount`", _has("inputTextTokenCount"), ("bedrock-invoke",)),
    Shape("Sourcegraph", "`completion`", _has("completion"), _SOURCEGRAPH, equal=True),
    Shape("Sourcegraph", "`deltaText`", _has("deltaText"), _SOURCEGRAPH, equal=True),
    Shape("Workers AI", "`response`", _has("response"), ("workers-ai",)),
    Shape("Workers AI", "`result` and `success`", _has("result", "success"), ("workers-ai",)),
    Shape("OpenAI Chat Completions", "`object` chat.completion.chunk", _is_object("chat.completion.chunk"), _CHAT),
    Shape("OpenAI completions", "`object` text_completion", _is_object("text_completion"), _TEXT),
    Shape("a comparison of models", "`type` and `model`", _is_of_a_comparison, ("compare-stream",)),
)
"""Each with what only its events have; those that more would match come last."""


def shape_in(payload: object) -> Shape | None:
    """What a decoded event, or a whole answer, looks like; None where it is like nothing that is known."""
    if isinstance(payload, list) and payload:
        payload = payload[0]
    if not isinstance(payload, dict):
        return None
    return next((shape for shape in SHAPES if shape.fits(payload)), None)


def shape_of(payload: object) -> str:
    """The name of that shape; "" without one."""
    shape = shape_in(payload) if isinstance(payload, dict) else None
    return shape.name if shape is not None else ""


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


SAME: Mapping[str, frozenset[str]] = {
    api: frozenset(shape.name for shape in SHAPES if api in shape.apis)
    for api in dict.fromkeys(api for shape in SHAPES for api in shape.apis)
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
