"""The event stream of Cohere's chat: its course, and what makes it complete.

`message-start`, then `content-start`, `content-delta`* and `content-end` for each block, in the same way `tool-call-*`
for each call, `tool-plan-delta` and `citation-*` between them, then `message-end` with the finish reason, which ends
the stream. A failure is a `message-end` too, with an `error`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from gwtui.apis.base import Reading, Usage, words_of
from gwtui.apis.errors import APIError, is_error
from gwtui.apis.finish_reasons import COHERE, finish_word
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted
from gwtui.apis.payload import Arguments, Unreadable, as_text, member, read_json
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import count
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

RULES = "cohere"
"""What the ids of this API's rules begin with."""
OTHER_EVENTS = frozenset({"citation-start", "citation-end", "debug"})


class ChatEvent(msgspec.Struct):
    """Any event. Leaves are untyped: what is wrong with one is said by a rule, not by the decoder."""

    type: Any = ""
    index: Any = 0
    delta: Any = None
    error: Any = None


EVENT_WORDS = words_of(
    ChatEvent,
    more=(
        *("message", "content", "text", "thinking", "tool_calls", "function", "arguments", "name", "tool_plan"),
        *("usage", "tokens", "billed_units", "finish_reason", "citations", "message-start", "message-end"),
        *("content-start", "content-delta", "content-end", "tool-call-start", "tool-call-delta", "tool-call-end"),
        *("tool-plan-delta", *OTHER_EVENTS),
    ),
)
EVENT = msgspec.json.Decoder(ChatEvent)


class CohereReader:
    """Follows one stream of Cohere's chat."""

    model_served = ""
    """The answer does not name its model."""

    def __init__(self, wanted: Wanted = ANYTHING) -> None:
        self._notes = StreamNotes(RULES, wanted.tolerate)
        self._outcome = AnswerOutcome(RULES, COHERE, wanted)
        self._started = False
        self._open: dict[tuple[str, object], Arguments] = {}
        """The blocks and calls that began and did not end, by kind and index."""
        self._tags = ThoughtTags()
        self._ended = False
        self._finish_reason = ""
        self._usage = Usage()
        self._last = ""

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        payload = read_json(EVENT, event.data)
        if isinstance(payload, Unreadable):
            return self._notes.unreadable(event, payload)
        kind = payload.type if isinstance(payload.type, str) else ""
        if is_error(payload.error) or "error" in (kind, event.event):
            return self._notes.error_event(event)
        if kind == "message-end" and (failure := failure_of(payload.delta)) is not None:
            if self._ended:
                return self._notes.late_error(failure)
            return Reading(EventKind.ERROR, "error", "", self._notes.take_error(failure))
        if self._ended:
            return self._notes.after_end(clean(kind or event.event, 64), "message-end")
        self._last = kind
        step = self._STEPS.get(kind)
        if step is None:
            return self._other(kind or event.event)
        note = "" if self._started or kind == "message-start" else self._unstarted(kind)
        reading = step(self, payload)
        if event.event not in ("message", kind):
            note = self._notes.misnamed(event.event, kind)
        return reading.noted(note)

    def _other(self, name: str) -> Reading:
        name = clean(name, 64)
        note = "" if name in OTHER_EVENTS else self._notes.note(FindingName.UNKNOWN_EVENT, f"{name} is not known")
        return Reading(EventKind.OTHER, name, "", note, moves=name.startswith("citation-"))

    def _unstarted(self, kind: str) -> str:
        self._started = True
        return self._notes.break_rule("no-message-start", f"{kind} before message-start")

    def _message_start(self, event: ChatEvent) -> Reading:
        note = self._notes.break_rule("second-message-start", "another message-start") if self._started else ""
        self._started = True
        return Reading(EventKind.START, "message-start", "", note)

    def _content_start(self, event: ChatEvent) -> Reading:
        note = self._begin("content", event)
        kind, text = generated(member(event.delta, "message", "content"))
        if text:
            return self._content(kind, "content-start", text, note)
        return Reading(EventKind.START, "content-start", "", note)

    def _content_delta(self, event: ChatEvent) -> Reading:
        return self._content(*_named("content-delta", generated(member(event.delta, "message", "content"))))

    def _content_end(self, event: ChatEvent) -> Reading:
        return Reading(EventKind.STOP, "content-end", "", self._end("content", event))

    def _tool_plan(self, event: ChatEvent) -> Reading:
        plan = as_text(member(event.delta, "message", "tool_plan"))
        self._outcome.take(EventKind.REASONING, plan)
        return Reading(EventKind.REASONING if plan else EventKind.OTHER, "tool-plan-delta", plan)

    def _tool_start(self, event: ChatEvent) -> Reading:
        note = self._begin("tool-call", event)
        self._outcome.take_tool()
        text = self._arguments(event)
        self._outcome.take(EventKind.TOOL, text)
        return Reading(EventKind.TOOL if text else EventKind.START, "tool-call-start", text, note)

    def _tool_delta(self, event: ChatEvent) -> Reading:
        return self._content(EventKind.TOOL, "tool-call-delta", self._arguments(event))

    def _tool_end(self, event: ChatEvent) -> Reading:
        arguments = self._open.get(("tool-call", as_text(event.index)))
        note = self._end("tool-call", event)
        if arguments is not None:
            note = self._notes.end_call(arguments, f"tool call {clean(as_text(event.index), 20)}") or note
        return Reading(EventKind.STOP, "tool-call-end", "", note)

    def _message_end(self, event: ChatEvent) -> Reading:
        self._ended, self._notes.over = True, "message-end"
        self._finish_reason = finish_reason(event.delta)
        self._usage = usage_of(member(event.delta, "usage"))
        note = self._notes.take_finish(COHERE, self._finish_reason)
        if self._open and not COHERE.cuts(self._finish_reason):
            kind, index = next(iter(self._open))
            note = self._notes.break_rule("not-ended", f"message-end while {kind} {index} is open")
        return Reading(EventKind.STOP, "message-end", "", note)

    def _content(self, kind: EventKind, name: str, text: str, note: str = "") -> Reading:
        if not text:
            return Reading(EventKind.OTHER, name, "", note)
        kind, text = self._tags.classify(kind, text)
        self._outcome.take(kind, text)
        return Reading(kind, name, text, note)

    def _begin(self, kind: str, event: ChatEvent) -> str:
        key = (kind, as_text(event.index))
        again = key in self._open
        self._open[key] = Arguments()
        return self._notes.break_rule("begun-twice", f"{kind} {key[1]} begins once more") if again else ""

    def _end(self, kind: str, event: ChatEvent) -> str:
        index = as_text(event.index)
        if self._open.pop((kind, index), None) is not None:
            return ""
        return self._notes.break_rule("end-without-start", f"{kind}-end {index} and no such {kind} is open")

    def _arguments(self, event: ChatEvent) -> str:
        text = arguments_of(member(event.delta, "message", "tool_calls"))
        if (arguments := self._open.get(("tool-call", as_text(event.index)))) is not None:
            arguments.add(text)
        return text

    def ended(self) -> bool:
        return self._ended or self._notes.error is not None

    @property
    def usage(self) -> Usage:
        return self._usage

    @property
    def findings(self) -> tuple[Finding, ...]:
        closing = self._closing().findings if self._ended and self._notes.error is None else ()
        return (*self._notes.findings, *closing)

    def _closing(self) -> Closing:
        return self._outcome.closing((self._finish_reason,), self._usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not self._started and not self._ended:
            return notes.nothing("no-message", "part of a message")
        if not self._ended:
            words = f"ended after event {notes.number} ({self._last}), {self._outcome.contents_text}"
            return notes.truncated("eof-before-message-end", words)
        if notes.breach is not None:
            return notes.breach
        if notes.half_call is not None and not COHERE.cuts(self._finish_reason):
            return notes.half_call
        if (bad := self._closing().judgement) is not None:
            return bad
        told = f"message-end, finish_reason {self._finish_reason or 'missing'}"
        return notes.judgement(Verdict.COMPLETE, "message-end", told)

    _STEPS: ClassVar[dict[str, Callable[[CohereReader, ChatEvent], Reading]]] = {
        "message-start": _message_start,
        "content-start": _content_start,
        "content-delta": _content_delta,
        "content-end": _content_end,
        "tool-plan-delta": _tool_plan,
        "tool-call-start": _tool_start,
        "tool-call-delta": _tool_delta,
        "tool-call-end": _tool_end,
        "message-end": _message_end,
    }


def failure_of(delta: object) -> APIError | None:
    """The failure that the end of a message reports; None for a good end."""
    error, reason = member(delta, "error"), finish_reason(delta)
    if is_error(error) or COHERE.fails(reason):
        return APIError(reason, clean(as_text(error)))
    return None


def finish_reason(answer: object) -> str:
    """Why it is over, cleaned; "" where it does not say."""
    return finish_word(member(answer, "finish_reason"))


def usage_of(usage: object) -> Usage:
    """The token counts; without them those that are billed, which leave out what the model adds itself."""
    counts = member(usage, "tokens") or member(usage, "billed_units")
    cached = count(usage, "cached_tokens")
    return Usage(count(counts, "input_tokens"), count(counts, "output_tokens"), cached_tokens=cached)


def generated(content: object) -> tuple[EventKind, str]:
    """What a block of content, or a piece of one, holds."""
    if text := as_text(member(content, "text")):
        return EventKind.TEXT, text
    return EventKind.REASONING, as_text(member(content, "thinking"))


def arguments_of(call: object) -> str:
    """The arguments of a tool call, or a piece of them. Some gateways send the call in a list of one."""
    if isinstance(call, list) and call:
        call = call[0]
    return as_text(member(call, "function", "arguments"))


def _named(name: str, content: tuple[EventKind, str]) -> tuple[EventKind, str, str]:
    return content[0], name, content[1]
