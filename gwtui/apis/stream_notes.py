"""What a stream's reader writes down on the way: the first breach of the API's rules, errors, oddities, counts."""

from __future__ import annotations

from collections.abc import Collection, Container

from gwtui.apis.base import Reading
from gwtui.apis.errors import APIError, event_error, find_error
from gwtui.apis.finish_reasons import Vocabulary, finish_word
from gwtui.apis.payload import Arguments, Unreadable, as_text
from gwtui.apis.rules import is_tolerated
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

MAX_ODDITIES = 20
_EMPTY = Reading(EventKind.KEEPALIVE, "message")


class StreamNotes:
    """The notes on one stream. Events are numbered from 1; the first breach and the first error decide."""

    def __init__(self, api: str, tolerate: Collection[str] = ()) -> None:
        """`tolerate`: what the endpoint tolerates (`gwtui.apis.rules`)."""
        self._tolerate = tolerate
        self._tolerated: dict[str, tuple[int, int, str]] = {}
        self.api = api
        """What rule ids begin with."""
        self.number = 0
        """The number of the current event."""
        self.breach: Judgement | None = None
        self.breaches = 0
        self.error: Judgement | None = None
        self.failure: APIError | None = None
        """The error that decides."""
        self.half_call: Judgement | None = None
        """The first tool call whose arguments are not whole: a breach, unless the finish reason explains it."""
        self.over = ""
        """What ended the API's stream; empty as long as nothing did. Errors after that are only noted."""
        self._findings: dict[FindingName, tuple[int, int, str, str]] = {}

    def begin(self, event: FramedEvent) -> Reading | None:
        """Number the next event. Returns what it means if it is an empty one, as some gateways send to keep a
        connection alive; None: that is for the reader to say."""
        self.number += 1
        return None if event.data or event.event != "message" else _EMPTY

    def break_rule(self, rule: str, words: str, verdict: Verdict = Verdict.OUT_OF_ORDER) -> str:
        """The current event breaks a rule of the API. Returns the words, cleaned, as the event's note."""
        words = clean(words)
        if is_tolerated(f"{self.api}.{rule}", self._tolerate):
            first, count, said = self._tolerated.get(rule, (self.number, 0, words))
            self._tolerated[rule] = (first, count + 1, said)
            return words
        self.breaches += 1
        if self.breach is None:
            self.breach = self.judgement(verdict, rule, f"event {self.number}: {words}", self.number)
        return words

    def take_error(self, error: APIError) -> str:
        """The current event carries an error. Returns its words as the event's note."""
        words = str(error)
        if self.error is None:
            self.failure = error
            self.error = self.judgement(
                Verdict.ERROR_IN_STREAM, "error-event", f"event {self.number} is an error: {words}", self.number
            )
        return words

    def error_event(self, event: FramedEvent) -> Reading:
        """The current event is only an error."""
        if self.over and self.error is None:
            return self.late_error(event_error(event.data))
        return Reading(EventKind.ERROR, "error", "", self.take_error(event_error(event.data)))

    def late_error(self, error: APIError) -> Reading:
        """The current event is an error after the API's end; the answer stays complete."""
        words = f"an error after {self.over}: {error}"
        return Reading(EventKind.OTHER, "error", "", self.note(FindingName.EVENTS_AFTER_END, words))

    def after_end(self, name: str, end: str) -> Reading:
        """The current event comes after the API's end; the answer stays complete."""
        return Reading(EventKind.OTHER, name, "", self.note(FindingName.EVENTS_AFTER_END, f"{name} after {end}"))

    def done_marker(self) -> Reading:
        """The current event is OpenAI's end, in the stream of another API."""
        return Reading(EventKind.OTHER, "[DONE]", "", self.note(FindingName.DONE_MARKER, "[DONE] is OpenAI's end"))

    def misnamed(self, name: str, kind: str, skipped: str = "") -> str:
        """The current event has that name, and its payload is of another type. Returns a note on it. `skipped`: why
        an event without a name breaks a rule of the API."""
        if name == "message" and skipped:
            return self.break_rule("unnamed-events", skipped)
        if name == "message":
            return self.note(FindingName.UNNAMED_EVENTS, "no `event:` line")
        return self.break_rule("name-is-not-type", f"it is named {name} and its type is {kind or 'missing'}")

    def unreadable(self, event: FramedEvent, payload: Unreadable) -> Reading:
        """What an event that is not the JSON that the API promises means: an error, a sign of life, the end of
        OpenAI's API, something after the end, or a breach."""
        if (known := self.explained(event, payload)) is not None:
            return known
        if event.data.startswith("[DONE]"):
            return self.done_marker()
        name = clean(event.event, 64)
        if self.over:
            return self.after_end(name, self.over)
        return Reading(EventKind.OTHER, name, "", self.take_unreadable(payload))

    def explained(self, event: FramedEvent, payload: Unreadable, alive: Container[str] = ("ping",)) -> Reading | None:
        """What such an event means in every API: an error, or a sign of life, as events with the names `alive` are;
        None: that is for the reader to say."""
        name = clean(event.event, 64)
        if name == "error" or find_error(payload.value) is not None:
            return self.error_event(event)
        return Reading(EventKind.KEEPALIVE, name) if name in alive or not event.data.strip() else None

    def finish_word(self, field: str, value: object) -> str:
        """The finish reason, cleaned; "" for none, and for a text that means none."""
        word = finish_word(value)
        if not word and value is not None:
            self.note(FindingName.FINISH_ODD, f"{field} is the text {as_text(value)!r}")
        return word

    def take_finish(self, words: Vocabulary, reason: str) -> str:
        """The current event has that finish reason, cleaned; "" for none. A word of failure is an error. Returns a
        note on a word of failure and on an unknown one."""
        if words.fails(reason):
            return self.take_error(APIError(message=f"{words.field} {reason}"))
        return "" if not reason or words.meaning(reason) else f"{words.field} {reason} is not known"

    def end_call(self, arguments: Arguments, which: str) -> str:
        """The current event ends the tool call `which`. Returns a note where its arguments are not whole."""
        if arguments.whole():
            return ""
        note = clean(f"the arguments of {which} are not a complete JSON object")
        if self.half_call is None:
            words = f"event {self.number}: {note}"
            self.half_call = self.judgement(Verdict.OUT_OF_ORDER, "tool-json", words, self.number)
        return note

    def take_unreadable(self, payload: Unreadable) -> str:
        """The current event is not the JSON that the API promises."""
        rule = "bad-json" if payload.value is None else "wrong-form"
        self.note(FindingName.BAD_JSON, payload.reason)
        return self.break_rule(rule, payload.reason)

    def note(self, name: FindingName, words: str, cause: str = "") -> str:
        """Something odd that breaks no rule. Said once, with a count. Returns the words, cleaned, as a note."""
        words = clean(words)
        first, count, said, because = self._findings.get(name, (self.number, 0, words, cause))
        if name in self._findings or len(self._findings) < MAX_ODDITIES:
            self._findings[name] = (first, count + 1, said, because)
        return words

    @property
    def findings(self) -> tuple[Finding, ...]:
        found = tuple(
            Finding(name=name, evidence=_evidence(first, count, words), cause=cause)
            for name, (first, count, words, cause) in self._findings.items()
        )
        if not self._tolerated:
            return found
        broken = (f"{self.api}.{rule}: {_evidence(*seen)}" for rule, seen in self._tolerated.items())
        return (*found, Finding(name=FindingName.TOLERATED, evidence="; ".join(broken)))

    def nothing(self, rule: str, due: str) -> Judgement:
        """The stream ended without any event that is `due`: its breach of a rule, or that it is empty."""
        came = f"{self.number} events, none of them {due}" if self.number else "no event"
        return self.breach or self.judgement(Verdict.EMPTY, rule, f"{came} came before the end")

    def truncated(self, rule: str, words: str) -> Judgement:
        """The stream ended here, before its proof of the end; with the breach before that, if there was one."""
        also = f"; and before that, {self.breach.reason}" if self.breach else ""
        return self.judgement(Verdict.TRUNCATED, rule, words + also, self.number)

    def judgement(self, verdict: Verdict, rule: str, reason: str, event_number: int | None = None) -> Judgement:
        """A judgement whose rule id begins with the API's own."""
        return Judgement(verdict=verdict, rule=f"{self.api}.{rule}", reason=clean(reason), event_number=event_number)


def _evidence(first: int, count: int, words: str) -> str:
    where = f"event {first}" if count == 1 else f"{count} events, the first is event {first}"
    return f"{where}: {words}"
