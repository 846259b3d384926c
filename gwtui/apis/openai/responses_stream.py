"""The event stream of OpenAI Responses: its course, and what makes it complete.

Every event has a `sequence_number`, so that a lost or repeated one is seen. `response.created` first; then per output
item `response.output_item.added`, the deltas of its parts, their `.done` with all of it once more, and
`response.output_item.done`; last exactly one of `response.completed`, `.incomplete` and `.failed`. `keepalive` and
`error` may come at any time.
"""

from __future__ import annotations

import msgspec

from gwtui.apis.base import Reading, Reasoning, Usage
from gwtui.apis.errors import describe_error, is_error
from gwtui.apis.models import model_differs
from gwtui.apis.openai.responses_events import (
    DELTAS,
    EVENT,
    RULES,
    TERMINAL,
    ResponseObject,
    ResponsesEvent,
    output_of,
)
from gwtui.apis.openai.responses_parts import Parts
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import merged, spent, token_usage, with_reasoning
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean


class ResponsesReader:
    """Follows one stream of Responses."""

    def __init__(self, asked: str) -> None:
        self.model_served = ""
        self.usage = Usage()
        self._asked = asked
        self._notes = StreamNotes(RULES)
        self._parts = Parts(self._notes)
        self._tags = ThoughtTags()
        self._sequence: int | None = None
        """The number that the last event had."""
        self._created = False
        self._ending = ""
        """The terminal event's type, once it came."""
        self._cut_by = ""
        """Why the answer is not whole, where its terminal event says so."""
        self._contents = 0
        self._last = ""

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        payload = read_json(EVENT, event.data)
        if isinstance(payload, Unreadable):
            return self._unreadable(event, payload)
        kind = payload.type if isinstance(payload.type, str) else ""
        if "error" in (kind, event.event) or (is_error(payload.error) and payload.response is None):
            return self._notes.error_event(event)
        if "ping" in (kind, event.event):
            return Reading(EventKind.KEEPALIVE, "ping")
        if self._ending:
            return self._notes.after_end(clean(kind or event.event, 64), self._ending)
        note = self._misnumbered(payload)
        if kind == "keepalive":
            return Reading(EventKind.KEEPALIVE, kind, "", note)
        reading = self._step(kind or event.event, payload)
        if event.event != kind:
            note = note or self._notes.misnamed(event.event, kind)
        return msgspec.structs.replace(reading, note="; ".join(filter(None, (note, reading.note)))) if note else reading

    def _step(self, kind: str, payload: ResponsesEvent) -> Reading:
        name = self._last = clean(kind, 64)
        if kind == "response.created":
            return self._start(name, payload)
        note = "" if self._created else self._uncreated(name)
        self._take_response(payload.response)
        if payload.usage:
            self.usage = merged(token_usage(payload.usage), self.usage)
        if kind in TERMINAL:
            return self._end(name, payload.response or ResponseObject())
        if (content := DELTAS.get(kind)) is not None:
            return self._delta(content, name, payload, note)
        if kind.startswith("response.output_item."):
            note = self._parts.item(kind, payload.output_index) or note
            opened = kind.endswith(".added")
            return Reading(EventKind.START if opened else EventKind.OTHER, name, "", note)
        if kind.endswith(".done"):
            return self._whole(name, payload, note)
        if not kind.startswith("response."):
            note = note or self._notes.note(FindingName.UNKNOWN_EVENT, f"{name} is not known")
        return Reading(EventKind.OTHER, name, "", note)

    def _start(self, name: str, payload: ResponsesEvent) -> Reading:
        note = self._notes.break_rule("second-created", "response.created once more") if self._created else ""
        self._created = True
        self._take_response(payload.response)
        return Reading(EventKind.START, name, "", note)

    def _uncreated(self, name: str) -> str:
        self._created = True
        return self._notes.break_rule("created-missing", f"{name} before response.created")

    def _delta(self, content: EventKind, name: str, payload: ResponsesEvent, note: str) -> Reading:
        if not isinstance(payload.delta, str):
            return Reading(EventKind.OTHER, name, "", self._notes.break_rule("wrong-form", "the delta is not a text"))
        note = self._parts.delta(name, payload, payload.delta) or note
        if not payload.delta:
            return Reading(EventKind.OTHER, name, "", note)
        self._contents += 1
        return self._content(content, name, payload.delta, note)

    def _content(self, content: EventKind, name: str, text: str, note: str) -> Reading:
        self.usage = with_reasoning(self.usage, Reasoning.SUMMARISED if "summary" in name else None)
        if name.startswith("response.output_text.") and not self._tags.over:
            content, text = self._tags.take(text)
        return Reading(content, name, text, note)

    def _whole(self, name: str, payload: ResponsesEvent, note: str) -> Reading:
        """A `.done` event: its whole has to be what its deltas came to. What came without any delta is content."""
        content = DELTAS.get(name.removesuffix(".done") + ".delta")
        if content is None or payload.whole is None:
            return Reading(EventKind.OTHER, name, "", note)
        came, words = self._parts.done(name, payload, payload.whole)
        note = words or note
        if came or not payload.whole:
            return Reading(EventKind.OTHER, name, "", note)
        self._contents += 1
        return self._content(content, name, payload.whole, note)

    def _end(self, name: str, response: ResponseObject) -> Reading:
        self._ending = name
        if name in ("response.failed", "response.cancelled") or response.error:
            error = describe_error(response.error or {"type": name, "message": "no reason given"})
            return Reading(EventKind.ERROR, name, "", self._notes.take_error(error))
        if name == "response.incomplete":
            details = response.incomplete_details
            self._cut_by = clean(as_text(details.get("reason") if isinstance(details, dict) else None), 64) or "unsaid"
        note = "" if self._cut_by else self._parts.all_closed()
        text, called = output_of(response)
        if self._contents or not (text or called):
            return Reading(EventKind.STOP, name, "", note)
        self._contents += 1
        note = note or self._notes.note(FindingName.NO_DELTAS, "the answer came whole in the last event")
        return Reading(EventKind.TEXT if text else EventKind.TOOL, name, text, note)

    def _take_response(self, response: ResponseObject | None) -> None:
        if response is None:
            return
        if isinstance(response.model, str) and response.model:
            self.model_served = clean(response.model)
        if response.usage:
            self.usage = merged(token_usage(response.usage), self.usage)

    def _misnumbered(self, payload: ResponsesEvent) -> str:
        number, last = payload.sequence_number, self._sequence
        if not isinstance(number, int) or isinstance(number, bool):
            return self._notes.note(FindingName.NO_SEQUENCE_NUMBERS, "no sequence_number")
        self._sequence = number
        if last is None or number == last + 1:
            late = last is None and number > 1
            return self._notes.break_rule("sequence-gap", f"the stream begins with number {number}") if late else ""
        if number <= last:
            return self._notes.break_rule("sequence-order", f"sequence_number {number} after {last}")
        return self._notes.break_rule("sequence-gap", f"sequence_number {number} after {last}: events were lost")

    def _unreadable(self, event: FramedEvent, payload: Unreadable) -> Reading:
        if (known := self._notes.unreadable(event, payload, alive=("ping", "keepalive"))) is not None:
            return known
        name = clean(event.event, 64)
        if event.data.startswith("[DONE]"):
            return Reading(EventKind.OTHER, "[DONE]")
        if self._ending:
            return self._notes.after_end(name, self._ending)
        return Reading(EventKind.OTHER, name, "", self._notes.take_unreadable(payload))

    def ended(self) -> bool:
        return bool(self._ending) or self._notes.error is not None

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self._notes.findings, *model_differs(self._asked, self.model_served))

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not self._ending:
            return self._unfinished()
        if notes.breach is not None:
            return notes.breach
        if not self._contents and not self._cut_by and not spent(self.usage):
            return notes.judgement(Verdict.EMPTY, "no-content", f"{self._ending}, but no content and no usage came")
        told = f": {self._cut_by}" if self._cut_by else ""
        return notes.judgement(Verdict.COMPLETE, self._ending.removeprefix("response."), f"{self._ending}{told}")

    def _unfinished(self) -> Judgement:
        notes = self._notes
        if not self._created:
            came = f"{notes.number} events, none of them part of a response" if notes.number else "no event"
            return notes.breach or notes.judgement(Verdict.EMPTY, "no-response", f"{came} came before the end")
        words = f"ended after event {notes.number} ({self._last}), {self._contents} events with content"
        return notes.truncated("eof-before-completed", words)
