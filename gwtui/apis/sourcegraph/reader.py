"""The event stream of Sourcegraph's completion APIs: its course, and what makes it complete.

`completion` events, then perhaps one `error`, then `done`. Up to `api-version=1` each completion repeats all text so
far and adds to it; later versions send `deltaText`. The server sends `done` after errors too, and not at all where
its upstream gave it nothing: a stream without any event is an outage behind it.
"""

from __future__ import annotations

import msgspec

from gwtui.apis.base import Reading, Usage
from gwtui.apis.errors import event_error, is_error
from gwtui.apis.finish_reasons import SOURCEGRAPH
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.sourcegraph.shared import COMPLETION, RULES, Completion, stop_reason_of, usage_of
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import merged
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

UNNAMED = "no `event:` line: Cody's clients cannot read such events"


class SourcegraphReader:
    """Follows one stream of completions."""

    model_served = ""
    """These APIs do not tell."""

    def __init__(self, wanted: Wanted = ANYTHING) -> None:
        self.usage = Usage()
        self._outcome = AnswerOutcome(RULES, SOURCEGRAPH, wanted)
        self._notes = StreamNotes(RULES, wanted.tolerate)
        self._text = ""
        """All text so far, where completions repeat it."""
        self._tags = ThoughtTags()
        self._stop_reason = ""
        self._names_stops = False
        """Whether completions have a `stopReason`, if only an empty one."""
        self._done = False

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None and not self._done:
            return nothing
        name = clean(event.event, 64)
        if name == "error":
            return self._notes.error_event(event)
        if self._done:
            return self._notes.after_end(name, "done")
        if name == "done":
            self._done, self._notes.over = True, "done"
            return Reading(EventKind.STOP, name)
        if name == "attribution-error":
            words = str(event_error(event.data))
            return Reading(EventKind.OTHER, name, "", self._notes.note(FindingName.ATTRIBUTION_ERROR, words))
        if name not in ("completion", "message"):
            note = self._notes.note(
                FindingName.UNKNOWN_EVENT, f"{name} is not known", "Cody's clients stop at such events."
            )
            return Reading(EventKind.OTHER, name, "", note)
        return self._payload(event, name)

    def _payload(self, event: FramedEvent, name: str) -> Reading:
        payload = read_json(COMPLETION, event.data)
        if isinstance(payload, Unreadable):
            if (known := self._notes.explained(event, payload)) is not None:
                return known
            return Reading(EventKind.OTHER, name, "", self._notes.take_unreadable(payload))
        if is_error(payload.error) and payload.completion is None:
            return self._notes.error_event(event)
        reading = self._completion(payload)
        return reading if name == "completion" else reading.noted(self._notes.misnamed(name, "completion", UNNAMED))

    def _completion(self, payload: Completion) -> Reading:
        text, note = self._added(payload)
        kind, text = self._tags.classify(EventKind.TEXT, text)
        if not text and payload.delta_tool_calls:
            text, kind = _tool_text(payload.delta_tool_calls), EventKind.TOOL
        if not text and payload.delta_thinking:
            text, kind = as_text(payload.delta_thinking), EventKind.REASONING
        self._outcome.take(kind, text)
        if payload.delta_tool_calls and _tool_text(payload.delta_tool_calls):
            self._outcome.take_tool()
        if text and self._stop_reason:
            words = f"content after stopReason {self._stop_reason}"
            note = note or self._notes.break_rule("content-after-stop", words)
        if isinstance(payload.usage, dict):
            self.usage = merged(usage_of(payload), self.usage)
        if payload.stop_reason is not msgspec.UNSET:
            self._names_stops = True
        reason = stop_reason_of(payload)
        self._stop_reason = reason or self._stop_reason
        note = self._notes.take_finish(SOURCEGRAPH, reason) or note
        if not text:
            kind = EventKind.STOP if reason else EventKind.OTHER
        return Reading(kind, "completion", text, note)

    def _added(self, payload: Completion) -> tuple[str, str]:
        """The text that the event adds, and a note where it does not fit what came before."""
        if isinstance(payload.delta_text, str):
            return payload.delta_text, ""
        if payload.completion is None:
            return "", ""
        if not isinstance(payload.completion, str):
            return "", self._notes.break_rule("wrong-form", "`completion` is not a text")
        before, self._text = self._text, payload.completion
        if self._text.startswith(before):
            return self._text[len(before) :], ""
        words = f"the completion does not begin with the {len(before):,} characters that had come"
        return self._text, self._notes.break_rule("not-cumulative", words)

    def ended(self) -> bool:
        return self._done or self._notes.error is not None

    @property
    def findings(self) -> tuple[Finding, ...]:
        is_over = self._stop_reason or (self._done and not self._names_stops)
        closing = self._closing().findings if is_over and self._notes.error is None else ()
        return (*self._notes.findings, *closing)

    def _closing(self) -> Closing:
        return self._outcome.closing((self._stop_reason,), self.usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not notes.number:
            words = "no event came before the end of the stream: the gateway's upstream sent nothing"
            return notes.judgement(Verdict.EMPTY, "no-event", words)
        if not self._done and not self._stop_reason:
            return self._truncated("eof-before-done", "ended", "without stopReason and done")
        if notes.breach is not None:
            return notes.breach
        if (bad := self._closing().judgement) is not None:
            return bad
        if not self._done:
            words = f"stopReason {self._stop_reason} came, done did not"
            return notes.judgement(Verdict.COMPLETE_UNTERMINATED, "no-done", words)
        if self._names_stops and not self._stop_reason:
            return self._truncated(
                "done-without-stopReason", "done", "and its stopReason stayed empty: it was cut upstream"
            )
        told = f" after stopReason {self._stop_reason}" if self._stop_reason else ""
        return notes.judgement(Verdict.COMPLETE, "done", f"done{told}")

    def _truncated(self, rule: str, what: str, why: str) -> Judgement:
        notes = self._notes
        words = f"{what} after event {notes.number}, {self._outcome.contents_text}, {why}"
        return notes.truncated(rule, words)


def _tool_text(calls: object) -> str:
    """The arguments of the calls' fragments, or their names before those begin."""
    functions = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    texts = (
        as_text(function.get("arguments")) or as_text(function.get("name"))
        for function in functions
        if isinstance(function, dict)
    )
    return "".join(texts)
