"""The event stream of Bedrock's Converse: its course, and what makes it complete.

`messageStart`, then for each block `contentBlockStart` (of tools alone), `contentBlockDelta`* and `contentBlockStop`,
then `messageStop` with the stop reason, and last `metadata` with the token counts. Exceptions are frames of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import msgspec

from gwtui.apis.base import Reading, Reasoning, Usage
from gwtui.apis.bedrock.asking import exception_of
from gwtui.apis.finish_reasons import BEDROCK, finish_word
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted
from gwtui.apis.payload import Arguments, Unreadable, as_text, member, read_json
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import add, count, summarises, with_reasoning
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

RULES = "bedrock"
"""What the ids of this API's rules begin with."""
CACHED_FIELDS = ("cacheReadInputTokens", "cacheReadInputTokenCount")
"""Converse's name, and the one that Nova has in InvokeModel."""
WRITTEN_FIELDS = ("cacheWriteInputTokens", "cacheWriteInputTokenCount")
PAYLOAD = msgspec.json.Decoder(dict[str, Any])


class ConverseReader:
    """Follows one stream of Converse."""

    model_served = ""
    """The answer does not name its model."""

    def __init__(self, wanted: Wanted = ANYTHING, asked: str = "") -> None:
        self._asked = asked
        self._notes = StreamNotes(RULES, wanted.tolerate)
        self._outcome = AnswerOutcome(RULES, BEDROCK, wanted)
        self._tags = ThoughtTags()
        self._started = False
        self._open: dict[str, Arguments] = {}
        """The blocks that began and did not end, by index."""
        self._last_stopped = ""
        """The index of the block that ended last."""
        self._stopped_at = 0
        """The number of the event with the stop reason."""
        self._stop_reason = ""
        self._ended = False
        self._usage = Usage()
        self._last = ""

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        if (exception := exception_of(event)) is not None:
            return self._notes.error_event(exception)
        name = clean(event.event, 64)
        payload = read_json(PAYLOAD, event.data)
        if isinstance(payload, Unreadable):
            return self._notes.unreadable(event, payload)
        if self._ended:
            return self._notes.after_end(name, "metadata")
        self._last = name
        step = self._STEPS.get(name)
        if step is None:
            return Reading(
                EventKind.OTHER, name, "", self._notes.note(FindingName.UNKNOWN_EVENT, f"{name} is not known")
            )
        note = "" if self._started or name in ("messageStart", "metadata") else self._unstarted(name)
        return step(self, payload).noted(note)

    def _unstarted(self, name: str) -> str:
        self._started = True
        return self._notes.break_rule("no-messageStart", f"{name} before messageStart")

    def _message_start(self, payload: dict[str, Any]) -> Reading:
        note = self._notes.break_rule("second-messageStart", "another messageStart") if self._started else ""
        self._started = True
        return Reading(EventKind.START, "messageStart", "", note)

    def _block_start(self, payload: dict[str, Any]) -> Reading:
        index = _index(payload)
        again = index in self._open
        note = self._notes.break_rule("block-begun-twice", f"block {index} begins once more") if again else ""
        note = note or self._misplaced(index)
        self._open[index] = Arguments()
        start = payload.get("start")
        if member(start, "toolUse") is not None:
            self._outcome.take_tool()
        elif isinstance(start, dict) and start:
            self._outcome.take_other()
        return Reading(EventKind.START, "contentBlockStart", "", note)

    def _block_delta(self, payload: dict[str, Any]) -> Reading:
        index, delta = _index(payload), payload.get("delta")
        note = "" if index in self._open else self._misplaced(index)
        arguments = self._open.setdefault(index, Arguments())
        kind, text = self._tags.classify(*generated(delta))
        if kind is EventKind.TOOL:
            arguments.add(text)
        if member(delta, "image") is not None or member(delta, "toolResult") is not None:
            self._outcome.take_other()
        self._outcome.take(kind, text)
        if member(delta, "reasoningContent") is not None:
            self._usage = with_reasoning(self._usage, self._shown(delta))
        return Reading(kind if text else EventKind.OTHER, "contentBlockDelta", text, note)

    def _shown(self, delta: object) -> Reasoning | None:
        if member(delta, "reasoningContent", "redactedContent") is not None:
            return Reasoning.HIDDEN
        return Reasoning.SUMMARISED if summarises(self._asked) else None

    def _misplaced(self, index: str) -> str:
        if self._stopped_at:
            return self._notes.break_rule("block-misplaced", f"block {index} after messageStop")
        if index == self._last_stopped:
            return self._notes.break_rule("block-goes-on", f"block {index} goes on after its contentBlockStop")
        return ""

    def _block_stop(self, payload: dict[str, Any]) -> Reading:
        index = _index(payload)
        arguments = self._open.pop(index, None)
        self._last_stopped = index
        note = self._notes.end_call(arguments, f"the tool call in block {index}") if arguments is not None else ""
        return Reading(EventKind.STOP, "contentBlockStop", "", note)

    def _message_stop(self, payload: dict[str, Any]) -> Reading:
        note = ""
        if self._stopped_at:
            words = f"messageStop, which came in event {self._stopped_at} before"
            note = self._notes.note(FindingName.FINISH_REPEATED, words)
        self._stopped_at = self._stopped_at or self._notes.number
        self._stop_reason = stop_reason(payload) or self._stop_reason
        note = self._notes.take_finish(BEDROCK, self._stop_reason) or note
        if BEDROCK.fails(self._stop_reason):
            return Reading(EventKind.ERROR, "error", "", note)
        if self._open and not BEDROCK.cuts(self._stop_reason):
            words = f"messageStop while block {next(iter(self._open))} is open"
            note = note or self._notes.break_rule("block-not-stopped", words)
        return Reading(EventKind.STOP, "messageStop", "", note)

    def _metadata(self, payload: dict[str, Any]) -> Reading:
        self._ended = True
        self._notes.over = "metadata" if self._stopped_at else ""
        self._usage = replace(usage_of(payload), reasoning=self._usage.reasoning)
        return Reading(EventKind.USAGE, "metadata")

    def ended(self) -> bool:
        return (self._ended and bool(self._stopped_at)) or self._notes.error is not None

    @property
    def usage(self) -> Usage:
        return self._usage

    @property
    def findings(self) -> tuple[Finding, ...]:
        closing = self._closing().findings if self._stopped_at and self._notes.error is None else ()
        return (*self._notes.findings, *closing)

    def _closing(self) -> Closing:
        return self._outcome.closing((self._stop_reason,), self._usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not self._started:
            return notes.nothing("no-message", "part of a message")
        if not self._stopped_at:
            words = f"ended after event {notes.number} ({self._last}), {self._outcome.contents_text}"
            return notes.truncated("eof-before-messageStop", words)
        if notes.breach is not None:
            return notes.breach
        if notes.half_call is not None and not BEDROCK.cuts(self._stop_reason):
            return notes.half_call
        if (bad := self._closing().judgement) is not None:
            return bad
        told = f"messageStop, stopReason {self._stop_reason or 'missing'}"
        if not self._ended:
            return notes.judgement(Verdict.COMPLETE_UNTERMINATED, "no-metadata", f"{told}; metadata did not come")
        return notes.judgement(Verdict.COMPLETE, "metadata", told)

    _STEPS: ClassVar[dict[str, Callable[[ConverseReader, dict[str, Any]], Reading]]] = {
        "messageStart": _message_start,
        "contentBlockStart": _block_start,
        "contentBlockDelta": _block_delta,
        "contentBlockStop": _block_stop,
        "messageStop": _message_stop,
        "metadata": _metadata,
    }
    NAMES: ClassVar[frozenset[str]] = frozenset(_STEPS)
    """Those of its events."""


def generated(delta: object) -> tuple[EventKind, str]:
    """What a piece of a block, or a whole one, holds."""
    if text := as_text(member(delta, "text")):
        return EventKind.TEXT, text
    if call := as_text(member(delta, "toolUse", "input")):
        return EventKind.TOOL, call
    thought = member(delta, "reasoningContent", "text") or member(delta, "reasoningContent", "reasoningText", "text")
    return EventKind.REASONING, as_text(thought)


def stop_reason(answer: dict[str, Any]) -> str:
    """Why it is over, cleaned; "" where it does not say."""
    return finish_word(answer.get("stopReason"))


def usage_of(answer: dict[str, Any]) -> Usage:
    """Token counts, and Bedrock's own time."""
    usage, latency_ms = answer.get("usage"), count(answer.get("metrics"), "latencyMs")
    times = (("latencyMs", latency_ms * 1_000_000),) if latency_ms is not None else ()
    sent = add(*(count(usage, *fields) for fields in (("inputTokens",), CACHED_FIELDS, WRITTEN_FIELDS)))
    cached = count(usage, *CACHED_FIELDS)
    return Usage(sent, count(usage, "outputTokens"), cached_tokens=cached, times_ns=times)


def _index(payload: dict[str, Any]) -> str:
    return clean(as_text(payload.get("contentBlockIndex")), 20)
