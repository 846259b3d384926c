"""The event stream of OpenAI Responses: its course, and what makes it complete.

Every event has a `sequence_number`, so that a lost or repeated one is seen. `response.created` first; then per output
item `response.output_item.added`, the deltas of its parts, their `.done` with all of it once more, and
`response.output_item.done`; last exactly one of `response.completed`, `.incomplete` and `.failed`. `keepalive` and
`error` may come at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gwtui.apis.base import Reading, Reasoning, Usage
from gwtui.apis.errors import APIError, describe_error, is_error
from gwtui.apis.finish_reasons import RESPONSES
from gwtui.apis.models import model_differs
from gwtui.apis.openai.responses_events import (
    DELTAS,
    EVENT,
    RULES,
    TERMINAL,
    ResponseObject,
    ResponsesEvent,
    arguments_of,
    cut_by,
    is_call,
    output_of,
)
from gwtui.apis.openai.responses_parts import Parts
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import merged, token_usage, with_reasoning
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

MAX_STEPS = 4096
"""Further steps than that count as repeated."""


class ResponsesReader:
    """Follows one stream of Responses."""

    decoder: msgspec.json.Decoder[Any] = EVENT
    deltas: Mapping[str, EventKind] = DELTAS
    is_named = is_numbered = True
    """Whether its events have names, and numbers."""

    def __init__(self, asked: str, wanted: Wanted = ANYTHING, rules: str = RULES) -> None:
        """`rules`: what the ids of its rules begin with."""
        self.model_served = ""
        self.usage = Usage()
        self._asked = asked
        self._notes = StreamNotes(rules, wanted.tolerate)
        self._outcome = AnswerOutcome(rules, RESPONSES, wanted)
        self._parts = Parts(self._notes)
        self._tags = ThoughtTags()
        self._sequence: int | None = None
        """The number that the last event had, those with the number 0 left aside..."""
        self._uncounted = 0
        """... and how many of those came since."""
        self._created = False
        self._ending = ""
        """The terminal event's type, once it came."""
        self._cut_by = ""
        """Why the answer is not whole, where its terminal event says so."""
        self._steps: set[tuple[str, str]] = set()
        """Types of events, and the items they were about."""
        self._last = ""

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        payload = read_json(self.decoder, event.data)
        if isinstance(payload, Unreadable):
            return self._unreadable(event, payload)
        kind = payload.type if isinstance(payload.type, str) else ""
        if "error" in (kind, event.event) or (is_error(payload.error) and payload.response is None):
            return self._notes.error_event(event)
        if "ping" in (kind, event.event):
            return Reading(EventKind.KEEPALIVE, "ping")
        if (beside := self._beside(kind, payload)) is not None:
            return beside
        if self._ending:
            return self._notes.after_end(clean(kind or event.event, 64), self._notes.over)
        note = self._misnumbered(payload) if self.is_numbered else ""
        if kind == "keepalive":
            return Reading(EventKind.KEEPALIVE, kind, "", note)
        reading = self._step(kind or event.event, payload)
        if self.is_named and event.event != kind:
            note = note or self._notes.misnamed(event.event, kind)
        return msgspec.structs.replace(reading, note="; ".join(filter(None, (note, reading.note)))) if note else reading

    def _beside(self, kind: str, payload: ResponsesEvent) -> Reading | None:
        """What an event means that is not part of a response; None: it is part of one."""
        return None

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
        if (content := self.deltas.get(kind)) is not None:
            return self._delta(content, name, payload, note)
        if kind.startswith("response.output_item."):
            note = self._parts.item(kind, payload.output_index) or note
            opened = kind.endswith(".added")
            if is_call(payload.item):
                self._outcome.take_tool()
            if not opened:
                self._outcome.take_arguments(arguments_of(payload.item))
            return Reading(EventKind.START if opened else EventKind.STOP, name, "", note)
        if kind.endswith(".done"):
            return self._whole(name, payload, note)
        if not kind.startswith("response."):
            note = note or self._notes.note(FindingName.UNKNOWN_EVENT, f"{name} is not known")
        return self._other(name, payload, note)

    def _other(self, name: str, payload: ResponsesEvent, note: str) -> Reading:
        """An event without text: a step of an item, or the same status once more. Pieces of audio always differ."""
        if payload.delta and name.endswith(".delta"):
            self._outcome.take_other()
            return Reading(EventKind.OTHER, name, "", note, moves=True)
        step = (name, as_text(payload.output_index, 20))
        is_new = step not in self._steps and len(self._steps) < MAX_STEPS
        self._steps.add(step)
        moves = is_new or name.endswith("partial_image")
        return Reading(EventKind.START if name.endswith(".added") else EventKind.OTHER, name, "", note, moves=moves)

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
        return self._content(content, name, payload.delta, note)

    def _content(self, content: EventKind, name: str, text: str, note: str) -> Reading:
        self.usage = with_reasoning(self.usage, Reasoning.SUMMARISED if "summary" in name else None)
        if name.startswith("response.output_text.") and not self._tags.over:
            content, text = self._tags.take(text)
        self._take(content, name, text)
        return Reading(content, name, text, note)

    def _take(self, content: EventKind, name: str, text: str) -> None:
        self._outcome.take(content, text)
        if name.startswith("response.refusal"):
            self._outcome.refuse(text)

    def _whole(self, name: str, payload: ResponsesEvent, note: str) -> Reading:
        """A `.done` event: its whole has to be what its deltas came to. What came without any delta is content."""
        content = self.deltas.get(name.removesuffix(".done") + ".delta")
        if content is None or payload.whole is None:
            return Reading(EventKind.STOP, name, "", note)
        came, words = self._parts.done(name, payload, payload.whole)
        note = words or note
        if came or not payload.whole:
            return Reading(EventKind.STOP, name, "", note)
        return self._content(content, name, payload.whole, note)

    def _end(self, name: str, response: ResponseObject) -> Reading:
        self._ending = self._notes.over = name
        if name in ("response.failed", "response.cancelled") or response.error:
            error = describe_error(response.error or {"type": name, "message": "no reason given"})
            return Reading(EventKind.ERROR, name, "", self._notes.take_error(error))
        if name == "response.incomplete":
            self._cut_by = cut_by(response)
            if RESPONSES.fails(self._cut_by):
                error = APIError(message=f"{name}: {self._cut_by}")
                return Reading(EventKind.ERROR, name, "", self._notes.take_error(error))
        note = "" if self._cut_by else self._parts.all_closed()
        text, refusal, called, arguments = output_of(response)
        for each in arguments:
            self._outcome.take_arguments(each)
        seen = self._outcome.is_visible
        if called:
            self._outcome.take_tool()
        if seen or not (text or called):
            return Reading(EventKind.STOP, name, "", note)
        self._outcome.take(EventKind.TEXT, text)
        self._outcome.refuse(refusal)
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
        if number == 0 and last is not None:
            self._uncounted += 1
            return self._notes.note(FindingName.SEQUENCE_NUMBERS, f"sequence_number 0 after {last}")
        self._sequence, uncounted, self._uncounted = number, self._uncounted, 0
        if last is None or last < number <= last + 1 + uncounted:
            late = last is None and number > 1
            return self._notes.break_rule("sequence-gap", f"the stream begins with number {number}") if late else ""
        if number <= last:
            return self._notes.break_rule("sequence-order", f"sequence_number {number} after {last}")
        return self._notes.break_rule("sequence-gap", f"sequence_number {number} after {last}: events were lost")

    def _unreadable(self, event: FramedEvent, payload: Unreadable) -> Reading:
        if (known := self._notes.explained(event, payload, alive=("ping", "keepalive"))) is not None:
            return known
        name = clean(event.event, 64)
        if event.data.startswith("[DONE]"):
            return Reading(EventKind.OTHER, "[DONE]")
        if self._ending:
            return self._notes.after_end(name, self._notes.over)
        return Reading(EventKind.OTHER, name, "", self._notes.take_unreadable(payload))

    def ended(self) -> bool:
        return bool(self._ending) or self._notes.error is not None

    @property
    def findings(self) -> tuple[Finding, ...]:
        closing = self._closing().findings if self._ending else ()
        return (*self._notes.findings, *closing, *model_differs(self._asked, self.model_served))

    def _closing(self) -> Closing:
        return self._outcome.closing((self._cut_by or "completed",), self.usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not self._ending:
            return self._unfinished()
        if notes.breach is not None:
            return notes.breach
        if (bad := self._closing().judgement) is not None:
            return bad
        told = f": {self._cut_by}" if self._cut_by else ""
        return notes.judgement(Verdict.COMPLETE, self._ending.removeprefix("response."), f"{self._ending}{told}")

    def _unfinished(self) -> Judgement:
        notes = self._notes
        if not self._created:
            return notes.nothing("no-response", "part of a response")
        words = f"ended after event {notes.number} ({self._last}), {self._outcome.contents_text}"
        return notes.truncated("eof-before-completed", words)
