"""The event stream of OpenAI's completion APIs, chat and legacy: its course, and what makes it complete.

Unnamed events, each a chunk with `choices`. Per choice: the role first (chat), then deltas or texts, then exactly one
`finish_reason`; after all choices a chunk with the usage, if it was asked for; last the text `[DONE]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gwtui.apis.base import Reading, Usage
from gwtui.apis.choices import Alternatives
from gwtui.apis.errors import is_error
from gwtui.apis.finish_reasons import OPENAI
from gwtui.apis.models import model_differs
from gwtui.apis.openai.events import (
    CHUNK,
    DONE,
    Choice,
    ChoiceProgress,
    Chunk,
    ChunkForm,
    generated,
    groq_usage,
    is_failed,
    metrics_note,
    reasoning_shown,
)
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted
from gwtui.apis.payload import QUOTED, Unreadable, as_text, read_json
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.tokens import merged, token_usage, with_reasoning
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean
from gwtui.text.units import many

RULES = "openai"
"""What the ids of this API's rules begin with."""
MAX_CHOICES = 128
ANY_CHOICES: Mapping[str, Any] = MappingProxyType({"n": MAX_CHOICES})
"""Fields of a request to which no choice is one too many."""


class OpenAIReader:
    """Follows one stream of completions, whose chunks have to be of that form."""

    def __init__(
        self,
        asked: str,
        rules: str = RULES,
        form: ChunkForm = ChunkForm.DELTA,
        choices: int = 1,
        wanted: Wanted = ANYTHING,
    ) -> None:
        self.model_served = ""
        self.usage = Usage()
        self._asked = asked
        self._form = form
        self._notes = StreamNotes(rules, wanted.tolerate)
        self._outcome = AnswerOutcome(rules, OPENAI, wanted)
        self._alternatives = Alternatives(self._notes, FindingName.UNASKED_CHOICE, "choice", choices)
        self._choices: dict[int, ChoiceProgress] = {}
        self._chunks = 0
        self._done = False
        self._id: object = None

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        data = event.data
        if data.startswith(DONE):
            return self._terminator()
        chunk = read_json(CHUNK, data)
        if isinstance(chunk, Unreadable):
            return self._notes.unreadable(event, chunk)
        if is_error(chunk.error) or event.event == "error" or "error" in (chunk.object, chunk.type) or is_failed(chunk):
            return self._notes.error_event(event)
        if event.event == "ping":
            return Reading(EventKind.KEEPALIVE, "ping")
        if self._done:
            return self._notes.after_end("a chunk", DONE)
        self._chunks += 1
        self._take_identity(chunk)
        if chunk.usage:
            self._take_usage(chunk.usage)
        if chunk.x_groq:
            self._take_usage(groq_usage(chunk.x_groq))
        reading = self._chunk(event, chunk)
        if (told := metrics_note(chunk.perf_metrics)) and not reading.note:
            return msgspec.structs.replace(reading, note=told)
        return reading

    def _chunk(self, event: FramedEvent, chunk: Chunk) -> Reading:
        if not chunk.choices:
            kind = EventKind.USAGE if chunk.usage else EventKind.OTHER
            note = "" if chunk.choices is not None or chunk.usage or chunk.x_groq else self._foreign(event)
            return Reading(kind, _name(event, chunk, "usage" if chunk.usage else ""), "", note)
        for choice in chunk.choices:
            if choice.usage or (choice.delta is not None and choice.delta.reasoning_details):
                self._take_account(choice)
        if len(chunk.choices) == 1:
            return self._choice(event, chunk, chunk.choices[0])
        return _joined([self._choice(event, chunk, choice) for choice in chunk.choices])

    def _foreign(self, event: FramedEvent) -> str:
        words = f"a chunk with neither choices nor an error: {event.data[:QUOTED]}"
        return self._notes.note(FindingName.FOREIGN_CHUNK, words)

    def _terminator(self) -> Reading:
        if self._done:
            return self._notes.after_end("another [DONE]", DONE)
        self._done, self._notes.over = True, DONE
        return Reading(EventKind.STOP, DONE)

    def _take_identity(self, chunk: Chunk) -> None:
        if isinstance(chunk.model, str) and chunk.model:
            self.model_served = clean(chunk.model)
        if not chunk.id or not isinstance(chunk.id, str):
            return
        if self._id is None:
            self._id = chunk.id
        elif chunk.id != self._id:
            self._notes.note(FindingName.IDS_DIFFER, "the chunk's id is not that of the first")

    def _take_usage(self, usage: object) -> None:
        # The last report counts: some gateways send running totals with every chunk.
        self.usage = merged(token_usage(usage), self.usage)

    def _take_account(self, choice: Choice) -> None:
        if choice.usage:
            self._take_usage(choice.usage)
        if choice.delta is not None:
            self.usage = with_reasoning(self.usage, reasoning_shown(choice.delta.reasoning_details))

    def _choice(self, event: FramedEvent, chunk: Chunk, choice: Choice) -> Reading:
        name = _name(event, chunk)
        progress, odd = self._progress_of(choice.index)
        if choice.delta is None and choice.message is not None and not progress.contents:
            words = "a whole message where the first delta is due"
            return Reading(
                EventKind.OTHER, name, "", self._notes.break_rule("whole-message", words, Verdict.NOT_A_STREAM)
            )
        kind, text = generated(choice, progress)
        self._take(choice, progress, kind, text)
        note, reason = "", self._notes.finish_word("finish_reason", choice.finish_reason)
        if text and not choice.suits(self._form):
            note = self._notes.break_rule("wrong-form", "the content is not where clients of this API look")
        role = choice.delta is not None and bool(choice.delta.role)
        if role and progress.role_seen:
            self._notes.note(FindingName.ROLE_REPEATED, "the role once more")
        elif role:
            progress.role_seen = True
            if progress.contents and not text and not reason and not chunk.usage:
                note = note or self._notes.break_rule("role-not-first", "the role comes after content")
        if text:
            progress.contents += 1
            if progress.finish_reason:
                note = note or self._gone_on(progress, reason)
        if reason:
            finished = bool(progress.finish_reason)
            finish = self._finish(progress, reason, is_beside_text=bool(text))
            note = note or finish
            kind = kind if text else EventKind.OTHER if finished else EventKind.STOP
        elif not text:
            kind = EventKind.START if role and not progress.contents else EventKind.OTHER
        return Reading(kind, name, text, note or odd)

    def _take(self, choice: Choice, progress: ChoiceProgress, kind: EventKind, text: str) -> None:
        self._outcome.take(kind, text)
        if progress.calls_tool:
            self._outcome.take_tool()
        if choice.delta is not None and choice.delta.refusal:
            self._outcome.refuse(as_text(choice.delta.refusal))

    def _progress_of(self, index: object) -> tuple[ChoiceProgress, str]:
        number = 0 if index is None else index
        if isinstance(number, int) and number in self._choices:
            return self._choices[number], ""
        if not isinstance(number, int) or not 0 <= number < MAX_CHOICES:
            return ChoiceProgress(), self._notes.break_rule("choice-index", f"choice index {as_text(index, 40)}")
        return self._choices.setdefault(number, ChoiceProgress()), self._alternatives.begin(number)

    def _gone_on(self, progress: ChoiceProgress, reason: str) -> str:
        """Content came after a finish reason: a habit, if each chunk has one, or if it came before any content."""
        words = f"content after finish_reason {progress.finish_reason} in event {progress.finished_at}"
        if progress.contents > 1 and reason != progress.finish_reason:
            return self._notes.break_rule("content-after-finish", words)
        progress.goes_on, progress.finish_reason = True, ""
        return self._notes.note(FindingName.FINISH_ODD, words)

    def _finish(self, progress: ChoiceProgress, reason: str, *, is_beside_text: bool) -> str:
        note = self._notes.take_finish(OPENAI, reason)
        if OPENAI.fails(reason):
            return note
        if not progress.finish_reason or (progress.goes_on and not is_beside_text):
            progress.finish_reason, progress.finished_at = reason, self._notes.number
            return note
        if reason == progress.finish_reason:
            return self._notes.note(FindingName.FINISH_REPEATED, f"finish_reason {reason} once more")
        words = f"finish_reason {reason} after finish_reason {progress.finish_reason} in event {progress.finished_at}"
        return self._notes.break_rule("second-finish", words)

    def ended(self) -> bool:
        return self._done or self._notes.error is not None

    @property
    def findings(self) -> tuple[Finding, ...]:
        closing = self._closing().findings if self._is_finished() else ()
        return (*self._notes.findings, *closing, *model_differs(self._asked, self.model_served))

    def _is_finished(self) -> bool:
        return bool(self._choices) and all(progress.finish_reason for progress in self._choices.values())

    def _closing(self) -> Closing:
        return self._outcome.closing((each.finish_reason for each in self._choices.values()), self.usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if notes.breach is not None and (not self._chunks or notes.breach.verdict is Verdict.NOT_A_STREAM):
            return notes.breach
        contents = sum(progress.contents for progress in self._choices.values())
        if not self._is_finished():
            unended = [number for number, progress in self._choices.items() if not progress.finish_reason]
            return self._alternatives.stray(unended) or self._unfinished(contents)
        if notes.breach is not None:
            return notes.breach
        reasons = sorted({progress.finish_reason for progress in self._choices.values()})
        if not any(map(OPENAI.cuts, reasons)) and (half := self._half_tool()) is not None:
            return half
        if (bad := self._closing().judgement) is not None:
            return bad
        told = ", ".join(reasons)
        if not self._done:
            words = f"finish_reason {told} came, [DONE] did not"
            return notes.judgement(Verdict.COMPLETE_UNTERMINATED, "no-done", words)
        return notes.judgement(Verdict.COMPLETE, "done", f"[DONE] after finish_reason {told}")

    def _unfinished(self, contents: int) -> Judgement:
        """The end came without a `finish_reason` for every choice."""
        notes, came = self._notes, f"{many(contents, 'event')} with content"
        if not notes.number or (self._done and not contents):
            words = "only [DONE] and no content" if self._done else "no event"
            return notes.judgement(Verdict.EMPTY, "no-content", f"{words} came before the end of the stream")
        if self._done:
            words = (
                f"[DONE] in event {notes.number} without a finish_reason, after {came}: "
                "a gateway closed over a cut (or is Ollama, which sends none)"
            )
            return notes.truncated("done-without-finish", words)
        words = f"ended after event {notes.number}, {came}, without finish_reason and [DONE]"
        return notes.truncated("eof-before-finish", words)

    def _half_tool(self) -> Judgement | None:
        for progress in self._choices.values():
            for number, arguments in enumerate(progress.tools, 1):
                if not arguments.whole():
                    words = f"the arguments of tool call {number} are not a complete JSON object"
                    return self._notes.judgement(Verdict.OUT_OF_ORDER, "tool-json", words, progress.finished_at)
        return None


def _name(event: FramedEvent, chunk: Chunk, default: str = "") -> str:
    """The API sends no names, so an event is called what its payload calls itself."""
    own = event.event if event.event != "message" else default or as_text(chunk.object)
    return clean(own, 64)


def _joined(readings: list[Reading]) -> Reading:
    """One event with several choices: what was generated in any of them."""
    first = next((reading for reading in readings if reading.kind.is_content), readings[0])
    text = "".join(reading.text for reading in readings)
    notes = "; ".join(dict.fromkeys(reading.note for reading in readings if reading.note))
    return Reading(first.kind, first.name, text, clean(notes))
