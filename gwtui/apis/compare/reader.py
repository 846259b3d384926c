"""The event stream of a comparison: several models' answers interleaved, and what makes all of it complete.

Per model a start, chunks, and a done or an error of its own; last one `complete` event with the counts. A model that
fails alone is a finding; the stream is in error when all fail, or when an error names no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gwtui.apis.base import Reading, Usage
from gwtui.apis.errors import APIError, describe_error, event_error, is_error
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import count
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

RULES = "compare"
"""What the ids of this API's rules begin with."""
MAX_MODELS = 64


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway calls the fields of requests and events, and the types of events."""

    models: str = "models"
    messages: str = "messages"
    prompt: str = "prompt"
    max_tokens: str = "max_tokens"

    type: str = "type"
    model: str = "model"
    content: str = "content"
    message: str = "message"
    """The words of an error."""
    metadata: str = "metadata"
    processing_time_ms: str = "processing_time_ms"
    models_successful: str = "models_successful"
    models_failed: str = "models_failed"

    start: str = "start"
    chunk: str = "chunk"
    done: str = "done"
    error: str = "error"
    complete: str = "complete"


_OBJECT = msgspec.json.Decoder(dict[str, Any])


class _ModelProgress:
    """How far one model is."""

    def __init__(self) -> None:
        self.chunks = 0
        self.tags = ThoughtTags()
        self.ended_at = 0
        self.failure = ""

    @property
    def shortfall(self) -> str:
        """Why its users get nothing; "" where they do, or may still."""
        return self.failure or ("it ended without any content" if self.ended_at and not self.chunks else "")


class CompareReader:
    """Follows one stream of several models."""

    model_served = ""
    """Each event names its own."""
    usage = Usage()
    """Token counts of several models make no sum that means anything."""

    def __init__(self, asked: Sequence[str], names: Names, tolerate: Sequence[str] = ()) -> None:
        self._asked = tuple(asked)
        self._names = names
        self._notes = StreamNotes(RULES, tolerate)
        self._models: dict[str, _ModelProgress] = {}
        self._complete = False

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        payload = read_json(_OBJECT, event.data)
        if isinstance(payload, Unreadable):
            return self._unreadable(event, payload)
        names = self._names
        kind = payload.get(names.type)
        kind = kind if isinstance(kind, str) else event.event
        if self._complete and kind == names.error:
            return self._notes.error_event(event)
        if self._complete:
            return self._notes.after_end(clean(kind, 64), clean(self._names.complete, 64))
        model = clean(as_text(payload.get(names.model)), 80)
        if kind == names.complete:
            return self._end(payload)
        if kind == names.error or (is_error(payload.get("error")) and not model):
            return self._error(event, payload, model)
        if kind not in (names.start, names.chunk, names.done) or not model:
            words = f"{clean(kind, 64)} is not known" if model else f"{clean(kind, 64)} names no model"
            return Reading(
                EventKind.OTHER, clean(kind, 64), "", self._notes.note(FindingName.UNKNOWN_EVENT, words), model
            )
        return self._step(kind, payload, model)

    def _step(self, kind: str, payload: dict[str, Any], model: str) -> Reading:
        names, name = self._names, clean(kind, 64)
        is_new, note = model not in self._models, ""
        if is_new and kind != names.start:
            note = self._notes.note(FindingName.NO_START, f"{model} begins without a start")
        elif kind == names.start and not is_new:
            note = self._notes.break_rule("second-start", f"{model} starts once more")
        progress = self._progress_of(model)
        if progress.ended_at:
            words = f"{name} of {model}, which ended in event {progress.ended_at}"
            note = note or self._notes.break_rule("event-after-done", words)
        if kind == names.start:
            return Reading(EventKind.START, name, "", note, model)
        if kind == names.done:
            progress.ended_at = progress.ended_at or self._notes.number
            return Reading(EventKind.STOP, name, "", note, model)
        text = as_text(payload.get(names.content))
        progress.chunks += bool(text)
        if not text:
            return Reading(EventKind.OTHER, name, "", note, model)
        content, text = progress.tags.classify(EventKind.TEXT, text)
        return Reading(content, name, text, note, model)

    def _progress_of(self, model: str) -> _ModelProgress:
        if model not in self._models and len(self._models) >= MAX_MODELS:
            return _ModelProgress()
        return self._models.setdefault(model, _ModelProgress())

    def _error(self, event: FramedEvent, payload: dict[str, Any], model: str) -> Reading:
        told = payload.get(self._names.message)
        error = APIError(message=clean(told)) if isinstance(told, str) and told else _described(event)
        if not model:
            return Reading(EventKind.ERROR, "error", "", self._notes.take_error(error))
        progress = self._progress_of(model)
        progress.failure = str(error)
        progress.ended_at = progress.ended_at or self._notes.number
        return Reading(EventKind.ERROR, "error", "", clean(f"{model} failed: {error}"), model)

    def _end(self, payload: dict[str, Any]) -> Reading:
        self._complete, self._notes.over = True, clean(self._names.complete, 64)
        names = self._names
        metadata = payload.get(names.metadata)
        told = {name: count(metadata, name) for name in (names.models_successful, names.models_failed)}
        failed = sum(bool(progress.failure) for progress in self._models.values())
        if told[names.models_failed] not in (None, failed):
            words = f"{told[names.models_failed]} failed models reported, {failed} seen in the stream"
            note = self._notes.note(FindingName.COUNTS_DIFFER, words)
        else:
            told[names.processing_time_ms] = count(metadata, names.processing_time_ms)
            note = clean(", ".join(f"{name} {value}" for name, value in told.items() if value is not None))
        return Reading(EventKind.STOP, clean(names.complete, 64), "", note)

    def _unreadable(self, event: FramedEvent, payload: Unreadable) -> Reading:
        if (known := self._notes.explained(event, payload)) is not None:
            return known
        name = clean(event.event, 64)
        if event.data.startswith("[DONE]"):
            return Reading(EventKind.OTHER, "[DONE]")
        if self._complete:
            return self._notes.after_end(name, clean(self._names.complete, 64))
        return Reading(EventKind.OTHER, name, "", self._notes.take_unreadable(payload))

    def ended(self) -> bool:
        return self._complete or self._notes.error is not None

    @property
    def findings(self) -> tuple[Finding, ...]:
        found = list(self._notes.findings)
        failed = {model: why for model, progress in self._models.items() if (why := progress.shortfall)}
        if failed and len(failed) < len(self._models):
            words = "; ".join(f"{model}: {failure}" for model, failure in failed.items())
            evidence = clean(f"{len(failed)} of {len(self._models)} models failed: {words}")
            found.append(Finding(name=FindingName.MODEL_FAILED, evidence=evidence))
        absent = [model for model in self._asked if clean(model, 80) not in self._models]
        if absent and self._complete and len(absent) < len(self._asked):
            evidence = clean(f"no event of {', '.join(absent)}, of {len(self._asked)} models asked for")
            found.append(Finding(name=FindingName.MODEL_MISSING, evidence=evidence))
        return tuple(found)

    def end(self) -> Judgement:
        notes, models = self._notes, self._models
        if notes.error is not None:
            return notes.error
        if models and all(progress.failure for progress in models.values()):
            first, progress = next(iter(models.items()))
            words = f"all {len(models)} models failed; {first}: {progress.failure}"
            return notes.judgement(Verdict.ERROR_IN_STREAM, "all-failed", words, progress.ended_at)
        if not models:
            return notes.nothing("no-model", "of a model")
        if open_ones := [model for model, progress in models.items() if not progress.ended_at]:
            return self._truncated(open_ones)
        if notes.breach is not None:
            return notes.breach
        if not any(progress.chunks for progress in models.values()):
            return notes.judgement(Verdict.EMPTY, "no-content", f"{len(models)} models, but no content came")
        good = sum(not progress.failure for progress in models.values())
        words = f"{good} of {len(models)} models answered"
        if not self._complete:
            words = f"{words}, {clean(self._names.complete, 64)} did not come"
            return notes.judgement(Verdict.COMPLETE_UNTERMINATED, "no-complete", words)
        return notes.judgement(Verdict.COMPLETE, "complete", words)

    def _truncated(self, models: list[str]) -> Judgement:
        notes = self._notes
        words = f"ended after event {notes.number} while {', '.join(models)} had not ended"
        rule = "complete-before-done" if self._complete else "eof-before-done"
        return notes.truncated(rule, words)


def _described(event: FramedEvent) -> APIError:
    error = event_error(event.data)
    return error if error.type or error.message else describe_error(None)
