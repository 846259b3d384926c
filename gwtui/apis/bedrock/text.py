"""InvokeModel of models that take one text: chunks of text in the model's own words, and what makes them complete.

Llama sends `generation`, Titan `outputText`, Mistral `outputs` or `choices`; whole answers of Titan have `results`. The
proof of the end is the chunk with a stop reason, in which the token counts of Bedrock come too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import Answer, Reading, Usage
from gwtui.apis.bedrock.asking import exception_of
from gwtui.apis.bedrock.stream import PAYLOAD, RULES
from gwtui.apis.finish_reasons import BEDROCK_TEXT, finish_word
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted, wanted_of
from gwtui.apis.payload import QUOTED, Unreadable, as_text, member, read_json
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import count, merged, token_usage
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict

LISTS = ("outputs", "choices", "results")
"""Lists of which the first has the text."""
TEXTS = ("generation", "outputText")
METRICS = "amazon-bedrock-invocationMetrics"
"""What Bedrock itself adds to the last chunk."""


class TextPart(NamedTuple):
    """What a chunk, or a whole answer, says."""

    text: str
    reason: str
    """Why it is over, cleaned; "" where it is not."""
    calls: bool
    """Whether it calls a tool."""


class TextReader:
    """Follows one stream of such chunks."""

    model_served = ""
    """The answer does not name its model."""

    def __init__(self, wanted: Wanted = ANYTHING) -> None:
        self.usage = Usage()
        self._notes = StreamNotes(RULES, wanted.tolerate)
        self._outcome = AnswerOutcome(RULES, BEDROCK_TEXT, wanted)
        self._tags = ThoughtTags()
        self._chunks = 0
        self._reason = ""

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        if (exception := exception_of(event)) is not None:
            return self._notes.error_event(exception)
        payload = read_json(PAYLOAD, event.data)
        if isinstance(payload, Unreadable):
            return self._notes.unreadable(event, payload)
        if payload.get("error"):
            return self._notes.error_event(event)
        self.usage = merged(usage_of(payload), self.usage)
        part = part_of(payload)
        if part is None and METRICS in payload:
            return Reading(EventKind.USAGE, "metrics")
        if self._reason:
            return self._notes.after_end("a chunk", "the stop reason")
        if part is None:
            words = f"neither text nor an error: {event.data[:QUOTED]}"
            return Reading(EventKind.OTHER, "chunk", "", self._notes.note(FindingName.FOREIGN_CHUNK, words))
        return self._part(part)

    def _part(self, part: TextPart) -> Reading:
        self._chunks += 1
        kind, text = self._tags.classify(EventKind.TEXT, part.text)
        self._outcome.take(kind, text)
        if part.calls:
            self._outcome.take_tool()
        if not part.reason:
            return Reading(kind if text else EventKind.OTHER, "chunk", text)
        self._reason, self._notes.over = part.reason, "the stop reason"
        note = self._notes.take_finish(BEDROCK_TEXT, part.reason)
        return Reading(kind if text else EventKind.STOP, "last chunk", text, note)

    def ended(self) -> bool:
        return bool(self._reason) or self._notes.error is not None

    @property
    def findings(self) -> tuple[Finding, ...]:
        closing = self._closing().findings if self._reason and self._notes.error is None else ()
        return (*self._notes.findings, *closing)

    def _closing(self) -> Closing:
        return self._outcome.closing((self._reason,), self.usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not self._chunks:
            return notes.nothing("no-text", "a chunk of text")
        if not self._reason:
            words = f"ended after event {notes.number}, {self._outcome.contents} events with content"
            return notes.truncated("eof-before-stop-reason", f"{words}, without a stop reason")
        good = notes.judgement(Verdict.COMPLETE, "stop-reason", f"the stop reason {self._reason} came")
        return notes.breach or self._closing().judgement or good


class TextAnswers:
    """What such models answer, as a stream and whole."""

    def reader(self, endpoint: Endpoint) -> TextReader:
        """A fresh reader for one stream."""
        return TextReader(wanted_of(endpoint))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        """Read a whole answer."""
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        payload = read_json(PAYLOAD, body)
        if isinstance(payload, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-text", payload.reason))
        if (part := part_of(payload)) is None:
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-text", "JSON without the text of a model"))
        outcome = AnswerOutcome(RULES, BEDROCK_TEXT, wanted_of(endpoint), whole=True)
        outcome.take(EventKind.TEXT, part.text)
        if part.calls:
            outcome.take_tool()
        usage = usage_of(payload)
        closing = outcome.closing((part.reason,), usage)
        words = f"one whole answer, stop reason {part.reason or 'missing'}"
        good = judged(RULES, Verdict.COMPLETE, "answer", words)
        return Answer(closing.judgement or good, part.text, usage, findings=closing.findings)


def part_of(payload: dict[str, Any]) -> TextPart | None:
    """What it says; None where it says nothing."""
    listed = next((payload[name] for name in LISTS if isinstance(payload.get(name), list)), None)
    holder = listed[0] if listed and isinstance(listed[0], dict) else payload
    message = holder.get("message") or holder.get("delta")
    texts = (*(holder.get(name) for name in (*TEXTS, "text")), member(message, "content"))
    text = next((each for each in texts if isinstance(each, str)), None)
    reasons = (holder.get(name) for name in ("stop_reason", "finish_reason", "completionReason"))
    reason = next(filter(None, map(finish_word, reasons)), "")
    if text is None and not reason and listed is None:
        return None
    return TextPart(as_text(text), reason, bool(member(message, "tool_calls")))


def usage_of(payload: dict[str, Any]) -> Usage:
    """The token counts, and Bedrock's own times: its metrics go before what the model says."""
    metrics, results = payload.get(METRICS), payload.get("results")
    made = count(payload, "generation_token_count", "totalOutputTextTokenCount")
    if made is None and isinstance(results, list) and results:
        made = count(results[0], "tokenCount")
    told = merged(
        Usage(count(payload, "prompt_token_count", "inputTextTokenCount"), made), token_usage(payload.get("usage"))
    )
    names = ("invocationLatency", "firstByteLatency")
    times = tuple((name, ms * 1_000_000) for name in names if (ms := count(metrics, name)) is not None)
    return merged(Usage(count(metrics, "inputTokenCount"), count(metrics, "outputTokenCount"), times_ns=times), told)
