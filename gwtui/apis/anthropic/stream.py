"""The event stream of Anthropic Messages: its course, and what makes it complete.

`message_start`, then blocks 0, 1, 2... of `content_block_start`, `content_block_delta`* and `content_block_stop`,
then `message_delta` with the stop reason, then `message_stop`. `ping` may come at any time, `error` ends the stream
at any time, and unknown events, blocks and deltas have to be borne.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from gwtui.apis.anthropic.blocks import OpenBlock, Place
from gwtui.apis.anthropic.events import (
    DELTAS_OF_BLOCK,
    EVENT,
    KNOWN_DELTAS,
    SILENT_BLOCKS,
    TOOL_BLOCKS,
    Block,
    BlockDelta,
    Message,
    MessagesEvent,
    refusal_of,
)
from gwtui.apis.anthropic.tokens import MessageTokens
from gwtui.apis.base import Reading, Usage
from gwtui.apis.errors import is_error
from gwtui.apis.finish_reasons import ANTHROPIC
from gwtui.apis.models import model_differs
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted
from gwtui.apis.payload import Arguments, Unreadable, as_text, read_json
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

RULES = "anthropic"
"""What the ids of this API's rules begin with."""
UNNAMED = "no `event:` line: Anthropic's SDKs, and Claude Code with them, skip such events"
_CONTENT = {
    "text_delta": EventKind.TEXT,
    "thinking_delta": EventKind.REASONING,
    "input_json_delta": EventKind.TOOL,
}


class AnthropicReader:
    """Follows one stream of Anthropic Messages."""

    def __init__(self, asked: str, wanted: Wanted = ANYTHING) -> None:
        self.model_served = ""
        self._asked = asked
        self._notes = StreamNotes(RULES, wanted.tolerate)
        self._outcome = AnswerOutcome(RULES, ANTHROPIC, wanted)
        self._at = Place.START
        self._block = OpenBlock()
        self._stop_reason = ""
        self._tokens = MessageTokens()
        self._tags = ThoughtTags()
        self._last = ""

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        payload = read_json(EVENT, event.data)
        if isinstance(payload, Unreadable):
            return self._unreadable(event, payload)
        kind = payload.type if isinstance(payload.type, str) else ""
        if is_error(payload.error) or "error" in (kind, event.event):
            return self._notes.error_event(event)
        if kind == "ping" or (event.event == "ping" and not kind):
            return Reading(EventKind.KEEPALIVE, "ping")
        if self._at is Place.END:
            return self._notes.after_end(clean(kind, 64), "message_stop")
        self._last = kind
        step = self._STEPS.get(kind)
        if step is None:
            return self._unknown(kind or event.event)
        reading = step(self, payload)
        return reading if event.event == kind else reading.noted(self._notes.misnamed(event.event, kind, UNNAMED))

    def _unreadable(self, event: FramedEvent, payload: Unreadable) -> Reading:
        if (known := self._notes.explained(event, payload)) is not None:
            return known
        if event.data.startswith("[DONE]"):
            return self._notes.done_marker()
        name = clean(event.event, 64)
        if self._at is Place.END:
            return self._notes.after_end(name, "message_stop")
        if name != "message" and name not in self._STEPS:
            return self._unknown(name)
        return Reading(EventKind.OTHER, name, "", self._notes.take_unreadable(payload))

    def _unknown(self, name: str) -> Reading:
        return Reading(
            EventKind.OTHER, clean(name, 64), "", self._notes.note(FindingName.UNKNOWN_EVENT, f"{name} is not known")
        )

    def _whole_message(self, event: MessagesEvent) -> Reading:
        note = self._notes.break_rule("whole-message", "a whole message in one event", Verdict.NOT_A_STREAM)
        return Reading(EventKind.OTHER, "message", "", note)

    def _message_start(self, event: MessagesEvent) -> Reading:
        note = ""
        if self._at is not Place.START:
            note = self._notes.break_rule("second-message_start", f"message_start {self._at}")
        self._at = Place.MESSAGE
        self._block = OpenBlock()
        message = event.message or Message()
        if isinstance(message.model, str):
            self.model_served = clean(message.model)
        self._tokens.take(message.usage, begins=True)
        odd = [name for name in ("id", "model", "usage") if not getattr(message, name)]
        odd += ["role"] * (message.role != "assistant") + ["content"] * (message.content != [])
        if odd:
            note = note or self._notes.note(
                FindingName.ODD_MESSAGE_START, f"message_start without proper {', '.join(odd)}"
            )
        return Reading(EventKind.START, "message_start", "", note)

    def _block_start(self, event: MessagesEvent) -> Reading:
        block = event.content_block or Block()
        note = self._misplaced_block(event)
        self._open(event.index, block.type)
        kind, text = self._block.beginning(block)
        self._take_block(kind, text)
        if text:
            if kind is EventKind.REASONING:
                self._tokens.think(self.model_served or self._asked)
            return Reading(kind, "content_block_start", text, note)
        if self._block.type == "fallback":
            note = note or self._fallback(block)
        elif self._block.type not in DELTAS_OF_BLOCK and self._block.deltas is None:
            self._notes.note(FindingName.UNKNOWN_EVENT, f"block type {self._block.type} is not known")
        return Reading(EventKind.START, "content_block_start", "", note)

    def _take_block(self, kind: EventKind, text: str) -> None:
        self._outcome.take(kind, text)
        if self._block.type in TOOL_BLOCKS:
            self._outcome.take_tool()
        elif self._block.type not in SILENT_BLOCKS and self._block.type:
            self._outcome.take_other()

    def _misplaced_block(self, event: MessagesEvent) -> str:
        due = self._block.index + 1
        if self._at is Place.BLOCK:
            return self._notes.break_rule(
                "block-not-stopped", f"content_block_start {event.index} while block {self._block.index} is open"
            )
        if self._at is not Place.MESSAGE:
            return self._notes.break_rule("block-misplaced", f"content_block_start {event.index} {self._at}")
        if event.index != due:
            return self._notes.break_rule("block-index", f"content_block_start {event.index} where {due} is due")
        return ""

    def _open(self, index: object, block_type: object) -> None:
        self._at = Place.BLOCK
        self._block = OpenBlock(index if isinstance(index, int) else self._block.index + 1, block_type)
        self._tokens.open(self._block.type)

    def _fallback(self, block: Block) -> str:
        names = [_model_name(block.origin), _model_name(block.to)]
        if names[1]:
            self.model_served = names[1]
        return self._notes.note(FindingName.FALLBACK, f"from {names[0] or '?'} to {names[1] or '?'}")

    def _block_delta(self, event: MessagesEvent) -> Reading:
        delta = event.delta or BlockDelta()
        note = ""
        if self._at is not Place.BLOCK or event.index != self._block.index:
            note = self._misplaced_delta(event)
        kind = delta.type if isinstance(delta.type, str) else ""
        if self._block.deltas is not None and kind not in self._block.deltas:
            note = note or self._unfit(kind)
        if kind == "signature_delta":
            self._block.is_signed = True
        content = _CONTENT.get(kind)
        if content is None:
            return Reading(EventKind.OTHER, "content_block_delta", "", note, moves=kind in KNOWN_DELTAS)
        value = (
            delta.text if kind == "text_delta" else delta.thinking if kind == "thinking_delta" else delta.partial_json
        )
        if not isinstance(value, str):
            note = note or self._notes.break_rule("wrong-form", f"the text of a {kind} is not a text")
        elif kind == "thinking_delta" and self._block.is_signed:
            note = note or self._notes.break_rule("thinking-after-signature", "thinking_delta after signature_delta")
        text = as_text(value)
        if not text:
            return Reading(EventKind.OTHER, "content_block_delta", "", note)
        if content is EventKind.TOOL:
            self._block.arguments.add(text)
        elif content is EventKind.REASONING:
            self._tokens.think(self.model_served or self._asked)
        content, text = self._tags.classify(content, text)
        self._outcome.take(content, text)
        return Reading(content, "content_block_delta", text, note)

    def _misplaced_delta(self, event: MessagesEvent) -> str:
        if self._at is Place.BLOCK:
            words = f"content_block_delta {event.index} while block {self._block.index} is open"
            return self._notes.break_rule("delta-index", words)
        note = self._notes.break_rule("delta-without-block", f"content_block_delta {event.index} {self._at}")
        self._open(event.index, "")
        return note

    def _unfit(self, kind: str) -> str:
        if kind in KNOWN_DELTAS:
            return self._notes.break_rule("delta-type", f"{kind} in a block of type {self._block.type}")
        return self._notes.note(FindingName.UNKNOWN_EVENT, f"delta type {kind} is not known")

    def _block_stop(self, event: MessagesEvent) -> Reading:
        note = ""
        if self._at is not Place.BLOCK:
            note = self._notes.break_rule("stop-without-block", f"content_block_stop {event.index} {self._at}")
        elif event.index != self._block.index:
            words = f"content_block_stop {event.index} while block {self._block.index} is open"
            note = self._notes.break_rule("stop-index", words)
        if self._at is not Place.CLOSING:
            self._at = Place.MESSAGE
        self._tokens.close()
        half = self._notes.end_call(self._block.arguments, f"the tool call in block {self._block.index}")
        self._block.arguments = Arguments()
        return Reading(EventKind.STOP, "content_block_stop", "", note or half)

    def _message_delta(self, event: MessagesEvent) -> Reading:
        delta = event.delta or BlockDelta()
        reason = delta.stop_reason
        note = ""
        word = self._notes.finish_word("stop_reason", reason) if isinstance(reason, str) else ""
        if word:
            self._stop_reason = word
            self._outcome.refuse(refusal_of(delta.stop_details))
            note = self._notes.take_finish(ANTHROPIC, word)
        if self._at is Place.START:
            note = self._notes.break_rule("message_delta-misplaced", f"message_delta {self._at}")
        elif self._at is Place.BLOCK and not ANTHROPIC.cuts(self._stop_reason):
            words = f"message_delta while block {self._block.index} is open"
            note = self._notes.break_rule("block-not-stopped", words)
        self._at = Place.CLOSING
        self._tokens.take(event.usage)
        return Reading(EventKind.STOP if word else EventKind.USAGE, "message_delta", "", note)

    def _message_stop(self, event: MessagesEvent) -> Reading:
        note = ""
        if not self._stop_reason:
            words = "message_stop without a stop_reason before it"
            note = self._notes.break_rule("message_stop-before-stop_reason", words)
        self._at, self._notes.over = Place.END, "message_stop"
        return Reading(EventKind.STOP, "message_stop", "", note)

    def ended(self) -> bool:
        return self._at is Place.END or self._notes.error is not None

    @property
    def usage(self) -> Usage:
        return self._tokens.usage

    @property
    def findings(self) -> tuple[Finding, ...]:
        closing = self._closing().findings if self._stop_reason else ()
        return (*self._notes.findings, *closing, *model_differs(self._asked, self.model_served))

    def _closing(self) -> Closing:
        return self._outcome.closing((self._stop_reason,), self.usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if self._at is Place.START:
            return notes.nothing("no-message", "part of a message")
        if not self._stop_reason and self._at is not Place.END:
            return self._truncated()
        if notes.breach is not None:
            return notes.breach
        if notes.half_call is not None and not ANTHROPIC.cuts(self._stop_reason):
            return notes.half_call
        if (bad := self._closing().judgement) is not None:
            return bad
        if self._at is not Place.END:
            words = f"stop_reason {self._stop_reason} came, message_stop did not"
            return notes.judgement(Verdict.COMPLETE_UNTERMINATED, "no-message_stop", words)
        words = f"message_stop after stop_reason {self._stop_reason}"
        return notes.judgement(Verdict.COMPLETE, "message_stop", words, None)

    def _truncated(self) -> Judgement:
        breach = self._notes.breach
        if breach is not None and breach.verdict is Verdict.NOT_A_STREAM:
            return breach
        words = f"ended after event {self._notes.number} ({self._last}), {self._at}, {self._outcome.contents_text}"
        return self._notes.truncated("eof-before-message_stop", words)

    _STEPS: ClassVar[dict[str, Callable[[AnthropicReader, MessagesEvent], Reading]]] = {
        "message_start": _message_start,
        "content_block_start": _block_start,
        "content_block_delta": _block_delta,
        "content_block_stop": _block_stop,
        "message_delta": _message_delta,
        "message_stop": _message_stop,
        "message": _whole_message,
    }


def _model_name(value: object) -> str:
    name = value.get("model") if isinstance(value, dict) else value
    return clean(name) if isinstance(name, str) else ""
