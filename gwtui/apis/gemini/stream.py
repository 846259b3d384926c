"""The event stream of Gemini's `streamGenerateContent?alt=sse`: its course, and what makes it complete.

Unnamed events, each a GenerateContentResponse. There is no terminator: the proof of the end is a `finishReason` for
every candidate, or a `blockReason` without candidates. An error in the middle may come as bare JSON, outside of any
event. Old models repeat `finishReason: STOP` in every event, so content after one reopens its candidate.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.base import Reading, Reasoning, Usage, words_of
from gwtui.apis.choices import Alternatives
from gwtui.apis.errors import is_error
from gwtui.apis.finish_reasons import GEMINI as WORDS
from gwtui.apis.models import model_differs
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted
from gwtui.apis.payload import QUOTED, Unreadable, as_json, as_text, read_json
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import add, count, later, with_reasoning
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

RULES = "gemini"
"""What the ids of this API's rules begin with."""
UNSPECIFIED = "FINISH_REASON_UNSPECIFIED"
"""The name of no reason at all (protobuf's zero value)."""
MAX_CANDIDATES = 64


class Candidate(msgspec.Struct):
    """One of the answers in a response."""

    content: Any = None
    finish_reason: Any = msgspec.field(default=None, name="finishReason")
    index: Any = 0


class GeminiResponse(msgspec.Struct):
    """An event, or a whole answer. Leaves are untyped: what is wrong with one is said by a rule, not by the decoder."""

    candidates: list[Candidate] | None = None
    prompt_feedback: Any = msgspec.field(default=None, name="promptFeedback")
    usage: Any = msgspec.field(default=None, name="usageMetadata")
    model: Any = msgspec.field(default=None, name="modelVersion")
    error: Any = None

    @property
    def block_reason(self) -> str:
        """Why the prompt was refused, cleaned; "" where it was not."""
        feedback = self.prompt_feedback
        return clean(as_text(feedback.get("blockReason") if isinstance(feedback, dict) else None), 64)


EVENT_WORDS = words_of(
    Candidate,
    GeminiResponse,
    more=(
        *("parts", "text", "thought", "role", "functionCall", "args", "name", "inlineData", "fileData", "responseId"),
        *("executableCode", "codeExecutionResult", "safetyRatings", "blockReason", "thoughtSignature", "createTime"),
    ),
)
RESPONSE = msgspec.json.Decoder(GeminiResponse)


class GeminiReader:
    """Follows one stream of generated content."""

    def __init__(self, asked: str, candidates: int = 1, wanted: Wanted = ANYTHING) -> None:
        self.model_served = ""
        self.usage = Usage()
        self._asked = asked
        self._notes = StreamNotes(RULES, wanted.tolerate)
        self._outcome = AnswerOutcome(RULES, WORDS, wanted)
        self._alternatives = Alternatives(self._notes, FindingName.UNASKED_CANDIDATE, "candidate", candidates)
        self._finished: dict[int, str] = {}
        """Per candidate its finishReason; "" while it has none."""
        self._tags: dict[int, ThoughtTags] = {}
        self._blocked = ""
        self._goes_on = False
        """Whether content came after a finishReason, which then proves no end."""
        self._responses = 0

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        payload = read_json(RESPONSE, event.data)
        if isinstance(payload, Unreadable):
            return self._unreadable(event, payload)
        if is_error(payload.error) or event.event == "error":
            return self._notes.error_event(event)
        self._responses += 1
        if isinstance(payload.model, str) and payload.model:
            self.model_served = clean(payload.model)
        if isinstance(payload.usage, dict):
            self.usage = usage_of(payload.usage, self.usage)
        if payload.block_reason:
            self._blocked = payload.block_reason
            self._notes.over = "blockReason"
            self._outcome.refuse(f"the prompt was refused: {self._blocked}")
            return Reading(EventKind.STOP, "promptFeedback", "", f"blockReason {self._blocked}")
        return self._candidates(event, payload)

    def _candidates(self, event: FramedEvent, payload: GeminiResponse) -> Reading:
        name = clean(event.event, 64) if event.event != "message" else "candidates"
        kind, texts, notes = EventKind.OTHER, [], []
        for candidate in payload.candidates or ():
            own, text = self._generated(candidate)
            kind = own if text and not kind.is_content else kind
            self._outcome.take(own, text)
            texts.append(text)
            notes.append(self._follow(candidate, text))
        self._notes.over = "finishReason" if self._all_finished() and not self._goes_on else ""
        text = "".join(texts)
        if not text and any(candidate.finish_reason for candidate in payload.candidates or ()):
            kind = EventKind.STOP
        elif not payload.candidates and payload.usage:
            kind, name = EventKind.USAGE, "usage"
        elif payload == GeminiResponse():
            words = f"neither candidates nor an error: {event.data[:QUOTED]}"
            notes.append(self._notes.note(FindingName.FOREIGN_CHUNK, words))
        return Reading(kind, name, text, clean("; ".join(filter(None, notes))))

    def _generated(self, candidate: Candidate) -> tuple[EventKind, str]:
        kind, text = generated(candidate)
        if kind is EventKind.REASONING:
            self.usage = with_reasoning(self.usage, Reasoning.SUMMARISED)
        number = candidate.index if isinstance(candidate.index, int) and 0 <= candidate.index < MAX_CANDIDATES else 0
        return self._tags.setdefault(number, ThoughtTags()).classify(kind, text)

    def _follow(self, candidate: Candidate, text: str) -> str:
        index = 0 if candidate.index is None else candidate.index
        if not isinstance(index, int) or not 0 <= index < MAX_CANDIDATES:
            return self._notes.break_rule("candidate-index", f"candidate index {as_text(candidate.index, 40)}")
        note = "" if index in self._finished else self._alternatives.begin(index)
        before = self._finished.setdefault(index, "")
        reason = self._notes.finish_word("finishReason", candidate.finish_reason)
        reason = "" if reason == UNSPECIFIED else reason
        if text:
            if before:
                self._goes_on = True
                words = f"content after finishReason {before}"
                note = note or self._notes.note(FindingName.FINISH_REPEATED, words)
            self._finished[index] = reason
        elif reason:
            self._finished[index] = reason
        return self._notes.take_finish(WORDS, reason) or note

    def _unreadable(self, event: FramedEvent, payload: Unreadable) -> Reading:
        if (known := self._notes.explained(event, payload, alive=())) is not None:
            return known
        if event.data.startswith("[DONE]"):
            return self._notes.done_marker()
        return Reading(EventKind.OTHER, clean(event.event, 64), "", self._notes.take_unreadable(payload))

    def ended(self) -> bool:
        """Whether the proof of the end was seen; a candidate that goes on takes it back."""
        return bool(self._blocked) or self._all_finished() or self._notes.error is not None

    def _all_finished(self) -> bool:
        return bool(self._finished) and all(self._finished.values())

    @property
    def findings(self) -> tuple[Finding, ...]:
        closing = self._closing().findings if self.ended() and self._notes.error is None else ()
        return (*self._notes.findings, *closing, *model_differs(self._asked, self.model_served))

    def _closing(self) -> Closing:
        return self._outcome.closing(self._finished.values(), self.usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not self._responses:
            return notes.nothing("no-response", "a response")
        if not self.ended():
            unended = [index for index, reason in self._finished.items() if not reason]
            if (stray := self._alternatives.stray(unended)) is not None:
                return stray
            words = f"ended after event {notes.number}, {self._outcome.contents_text}, without finishReason"
            return notes.truncated("eof-before-finishReason", words)
        if notes.breach is not None:
            return notes.breach
        return self._whole()

    def _whole(self) -> Judgement:
        if self._blocked:
            return self._notes.judgement(Verdict.COMPLETE, "blocked", f"the prompt was refused: {self._blocked}")
        if (bad := self._closing().judgement) is not None:
            return bad
        told = ", ".join(sorted(set(self._finished.values())))
        return self._notes.judgement(Verdict.COMPLETE, "finishReason", f"finishReason {told}")


def usage_of(usage: object, before: Usage) -> Usage:
    """The running totals, where later ones count; reasoning is output, what tools were fed is input."""
    sent = add(count(usage, "promptTokenCount"), count(usage, "toolUsePromptTokenCount"))
    made, thought = count(usage, "candidatesTokenCount"), count(usage, "thoughtsTokenCount")
    if made and thought and count(usage, "totalTokenCount") == (sent or 0) + made:
        made -= thought  # counted among the candidates', as some gateways do
    was_made = None if before.output_tokens is None else before.output_tokens - (before.reasoning_tokens or 0)
    reasoning = later(thought, before.reasoning_tokens)
    output = add(later(made, was_made), reasoning)
    cached = later(count(usage, "cachedContentTokenCount"), before.cached_tokens)
    return Usage(later(sent, before.input_tokens), output, reasoning, before.reasoning, cached)


def generated(candidate: Candidate) -> tuple[EventKind, str]:
    """What a candidate's parts hold; what a user sees goes before reasoning."""
    content = candidate.content if isinstance(candidate.content, dict) else {}
    parts = content.get("parts")
    found: dict[EventKind, str] = {}
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict):
            kind, text = _piece(part)
            found[kind] = found.get(kind, "") + text
    for kind in (EventKind.TEXT, EventKind.TOOL, EventKind.REASONING):
        if found.get(kind):
            return kind, found[kind]
    return EventKind.OTHER, ""


def _piece(part: dict[str, Any]) -> tuple[EventKind, str]:
    if text := part.get("text"):
        return (EventKind.REASONING if part.get("thought") else EventKind.TEXT), as_text(text)
    call = part.get("functionCall")
    if isinstance(call, dict) and call:
        return EventKind.TOOL, as_json(call["args"]) if call.get("args") else as_text(call.get("name"))
    for name in ("executableCode", "codeExecutionResult", "inlineData", "fileData"):
        if part.get(name):
            return EventKind.TOOL, name
    return EventKind.OTHER, ""
