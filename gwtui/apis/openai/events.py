"""The chunks of OpenAI's completion APIs as data: their forms, and what was generated in one.

Chat completions carry `delta` per choice, legacy completions `text`; Fireworks and gateways before it send either.
"""

from __future__ import annotations

from enum import Flag, auto
from typing import Any

import msgspec

from gwtui.apis.base import Reasoning, words_of
from gwtui.apis.errors import ErrorForm
from gwtui.apis.payload import Arguments, as_text, read_json
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.model.enums import EventKind
from gwtui.text.sanitize import clean

DONE = "[DONE]"
ERROR_FORM = ErrorForm('{"error": {"message": ..., "type": ..., "code": ...}}', ("message",), "OpenAI's")
MAX_TOOLS = 128
MAX_METRICS = 12


class ChunkForm(Flag):
    """Where the choices of an API hold what was generated."""

    DELTA = auto()
    TEXT = auto()


class ChoiceDelta(msgspec.Struct):
    """What a chunk adds to a choice, or the message of a whole answer."""

    role: Any = None
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    """OpenRouter's account of the same: what kind of reasoning it is."""
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None
    audio: Any = None
    images: Any = None


class Choice(msgspec.Struct):
    """One of the answers that a chunk, or a whole answer, holds."""

    index: Any = 0
    delta: ChoiceDelta | None = None
    message: ChoiceDelta | None = None
    text: Any = None
    finish_reason: Any = None
    usage: Any = None
    """Moonshot's place for it, in the last chunk."""
    error: Any = None
    """OpenRouter's place for the error of an upstream."""

    def suits(self, form: ChunkForm) -> bool:
        """Whether a client of an API of that form looks where something stands."""
        return (self.delta is not None and ChunkForm.DELTA in form) or (bool(self.text) and ChunkForm.TEXT in form)


class Chunk(msgspec.Struct):
    """Any event but `[DONE]`. Leaves are untyped: what is wrong with one is said by a rule, not by the decoder."""

    id: Any = None
    object: Any = None
    created: Any = None
    model: Any = None
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    type: Any = None
    perf_metrics: Any = None
    base_resp: Any = None
    """MiniMax's status."""
    error_code: Any = None
    """Baidu's."""
    x_groq: Any = None
    """Groq's place for the usage, and for the reason why it stopped early."""


TOOL_WORDS = ("function", "arguments", "name", "custom", "input", "thinking")
COMPANIONS = frozenset({"message", "content_filter_results", "content_filter_offsets", "usage"})
"""What a choice may have instead of a delta or text: annotations of the content that Azure sends beside it, mostly."""
EVENT_WORDS = words_of(
    Chunk,
    Choice,
    ChoiceDelta,
    more=(*TOOL_WORDS, *COMPANIONS, "content_filter_result", "prompt_filter_results", "logprobs", "system_fingerprint"),
)
_HOLDERS = frozenset({"delta", "text", *COMPANIONS})
_CONTENT = frozenset({"content", "reasoning_content", "reasoning", "refusal", "tool_calls", "role"})


def lacking(data: str) -> tuple[str, bool]:
    """What the choices of a chunk lack, in words ("" for nothing), and whether what it is stands under another key."""
    chunk = read_json(_ANY, data)
    choices = chunk.get("choices") if isinstance(chunk, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        if not isinstance(choice, dict) or choice.get("finish_reason") or not _HOLDERS.isdisjoint(choice):
            continue
        hidden = any(isinstance(value, dict) and value.keys() & _CONTENT for value in choice.values())
        return f"a choice has neither delta nor text, but {', '.join(choice) or 'nothing'}", hidden
    return "", False


_ANY = msgspec.json.Decoder(Any)
CHUNK = msgspec.json.Decoder(Chunk)
_NO_DELTA = ChoiceDelta()


class ChoiceProgress:
    """How far one choice is."""

    def __init__(self) -> None:
        self.role_seen = False
        self.contents = 0
        self.finish_reason = ""
        self.finished_at = 0
        self.tags = ThoughtTags()
        self.goes_on = False
        """Whether content came after a finish reason, as a habit."""
        self.calls_tool = False
        self.tools: list[Arguments] = []
        """The tool calls in the order they began."""
        self._open: dict[object, tuple[object, Arguments]] = {}
        """Per index: the id and the arguments of the call that fragments now belong to."""

    def add_arguments(self, index: object, call_id: object, fragment: str) -> None:
        """Some gateways give all calls one index, so a new id after whole arguments is a new call."""
        key = index if isinstance(index, int | str) else None
        last_id, arguments = self._open.get(key, (None, None))
        is_new = isinstance(call_id, str) and call_id and call_id != last_id
        if arguments is None or (is_new and arguments.begun and arguments.whole()):
            if len(self.tools) >= MAX_TOOLS:
                return
            arguments = Arguments()
            self.tools.append(arguments)
        self._open[key] = (call_id if is_new else last_id, arguments)
        arguments.add(fragment)


def generated(choice: Choice, progress: ChoiceProgress) -> tuple[EventKind, str]:
    """What was generated in a choice; what a user sees goes before reasoning."""
    delta = choice.delta or _NO_DELTA
    tool = _tool_text(delta, progress) if delta.tool_calls or delta.function_call else ""
    progress.calls_tool |= bool(delta.tool_calls or delta.function_call)
    if text := content_text(delta.content) or as_text(choice.text):
        return (EventKind.TEXT, text) if progress.tags.over else progress.tags.take(text)
    if delta.refusal:
        return EventKind.TEXT, as_text(delta.refusal)
    if tool or delta.audio or delta.images:
        return EventKind.TOOL, tool or ("audio" if delta.audio else "images")
    return EventKind.REASONING, reasoning_text(delta)


def content_text(content: object) -> str:
    """Content is a text, or a list of parts of which some hold one."""
    if not isinstance(content, list):
        return as_text(content)
    return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def reasoning_text(delta: ChoiceDelta) -> str:
    """The reasoning in a field of its own, or in parts of the content that have parts of their own, as of Mistral."""
    parts = delta.content if isinstance(delta.content, list) else []
    thoughts = (content_text(part.get("thinking")) for part in parts if isinstance(part, dict))
    return as_text(delta.reasoning_content or delta.reasoning) or "".join(thoughts)


def _tool_text(delta: ChoiceDelta, progress: ChoiceProgress) -> str:
    """The arguments of the delta's tool calls, or their names before those begin; those of custom tools are no JSON."""
    calls = delta.tool_calls if isinstance(delta.tool_calls, list) else []
    texts = []
    for call in (*calls, {"index": "function", "function": delta.function_call}):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            arguments = function.get("arguments")
            if isinstance(arguments, str):
                progress.add_arguments(call.get("index"), call.get("id"), arguments)
            texts.append(as_text(arguments) or as_text(function.get("name")))
        elif isinstance(call, dict) and isinstance(custom := call.get("custom"), dict):
            texts.append(as_text(custom.get("input")) or as_text(custom.get("name")))
    return "".join(texts)


def reasoning_shown(details: object) -> Reasoning | None:
    """What `reasoning_details` say of the reasoning in a chunk: that it is a summary, or encrypted; None: neither."""
    parts = details if isinstance(details, list) else []
    kinds = {part.get("type") for part in parts if isinstance(part, dict) and isinstance(part.get("type"), str)}
    if "reasoning.summary" in kinds:
        return Reasoning.SUMMARISED
    return Reasoning.HIDDEN if kinds == {"reasoning.encrypted"} else None


def is_failed(chunk: Chunk) -> bool:
    """Whether a chunk has an error elsewhere than in its field `error`."""
    status = chunk.base_resp.get("status_code") if isinstance(chunk.base_resp, dict) else None
    groq = chunk.x_groq.get("error") if isinstance(chunk.x_groq, dict) else None
    if status or chunk.error_code or groq:
        return True
    for choice in chunk.choices or ():  # noqa: SIM110 - for each event of a stream: `any` takes twice as long
        if choice.error:
            return True
    return False


def groq_usage(x_groq: object) -> object:
    """What Groq's own field says of the usage."""
    return x_groq.get("usage") if isinstance(x_groq, dict) else None


def metrics_note(metrics: object) -> str:
    """Fireworks' own account of its times, in words; "" without one."""
    if not isinstance(metrics, dict):
        return ""
    told = (f"{name} {as_text(value, 20)}" for name, value in list(metrics.items())[:MAX_METRICS])
    return clean(f"perf_metrics: {', '.join(told)}")
