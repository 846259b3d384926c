"""The events of OpenAI Realtime, which are those of Responses without numbers, among those of the session.

`session.created` first, then what becomes of the client's own events, then the response: `response.created`, its items
and deltas as in Responses, and last `response.done`, whose status says how it ended. In the preview the deltas of text
are called `response.text.delta`.

The handshake succeeds for any key and any model. What other APIs refuse with a status is an error here before anything
was generated, often with a close frame right behind it: its verdict is the one of that status.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.base import Reading, words_of
from gwtui.apis.errors import APIError
from gwtui.apis.openai.responses_events import DELTAS, TERMINAL, ResponseObject, ResponsesEvent, output_of
from gwtui.apis.openai.responses_events import EVENT_WORDS as RESPONSES_WORDS
from gwtui.apis.openai.responses_stream import ResponsesReader
from gwtui.apis.outcome import ANYTHING, Wanted
from gwtui.apis.payload import as_text, member
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

RULES = "realtime"
"""What the ids of this API's rules begin with."""
DONE = "response.done"
PREVIEW_DELTAS = {
    "response.text.delta": EventKind.TEXT,
    "response.audio_transcript.delta": EventKind.TEXT,
}
BESIDE = (
    "session.",
    "conversation.",
    "rate_limits.",
    "input_audio_buffer.",
    "output_audio_buffer.",
    "mcp_list_tools.",
)
"""What the types of events begin with that are not part of a response."""
MOST_LIMITS = 8
TRY_AGAIN_LATER = "1013"
"""The close code of a server that is overloaded, whatever its reason says."""
GREETING = "session.created"
"""What is sent to every new client, before any question."""
_TYPES = (
    GREETING,
    "session.updated",
    "conversation.created",
    "conversation.item.created",
    "conversation.item.added",
    "conversation.item.done",
    "rate_limits.updated",
    DONE,
)
_SESSION_KEYS = (
    *("object", "expires_at", "instructions", "tools", "tool_choice", "tracing", "truncation", "prompt", "include"),
    *("audio", "format", "rate", "voice", "speed", "transcription", "noise_reduction", "turn_detection", "threshold"),
    *("prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms", "create_response", "interrupt_response"),
    *("output_modalities", "modalities", "max_output_tokens", "max_response_output_tokens", "reasoning", "effort"),
    *("conversation_id", "previous_item_id", "metadata", "role", "name", "limit", "remaining", "reset_seconds"),
)
"""Keys of sessions, of items, and of limits."""


class RealtimeResponse(ResponseObject):
    """A response, which tells of its end in its own way."""

    status_details: Any = None


class RealtimeEvent(ResponsesEvent):
    """Any event."""

    response: RealtimeResponse | None = None
    session: Any = None
    rate_limits: Any = None


EVENT = msgspec.json.Decoder(RealtimeEvent)
EVENT_WORDS = RESPONSES_WORDS | words_of(
    RealtimeResponse,
    RealtimeEvent,
    more=(
        *PREVIEW_DELTAS,
        *(f"{name.removesuffix('.delta')}.done" for name in PREVIEW_DELTAS),
        *_TYPES,
        *_SESSION_KEYS,
        "event_id",
    ),
)


class RealtimeReader(ResponsesReader):
    """Follows one response of a session."""

    decoder = EVENT
    deltas = DELTAS | PREVIEW_DELTAS
    is_named = is_numbered = False

    def __init__(self, asked: str, wanted: Wanted = ANYTHING) -> None:
        super().__init__(asked, wanted, RULES)
        self.limit_headers: tuple[tuple[str, str], ...] = ()
        """The rate limits that it told of last, as OpenAI's other APIs tell theirs."""
        self.answers = False
        """Whether anything came but the greeting."""
        self._beside_last = ""
        """The last event of the session."""
        self._closed: Judgement | None = None
        """What it says that the WebSocket was closed, where that refuses the request."""
        self._characters = 0
        """Of the text that came, piece by piece."""

    def event(self, event: FramedEvent) -> Reading:
        reading = super().event(event)
        self.answers = self.answers or reading.name != GREETING
        return reading

    def _beside(self, kind: str, payload: ResponsesEvent) -> Reading | None:
        if not kind or kind.startswith("response."):
            return None
        name = clean(kind, 64)
        if not kind.startswith(BESIDE):
            return Reading(
                EventKind.OTHER, name, "", self._notes.note(FindingName.UNKNOWN_EVENT, f"{name} is not known")
            )
        model = member(getattr(payload, "session", None), "model")
        if isinstance(model, str) and model:
            self.model_served = clean(model)
        self._beside_last = name
        self.limit_headers = _limit_headers(getattr(payload, "rate_limits", None)) or self.limit_headers
        return Reading(EventKind.START if kind == GREETING else EventKind.OTHER, name)

    def _step(self, kind: str, payload: ResponsesEvent) -> Reading:
        if kind != DONE:
            return super()._step(kind, payload)
        response = payload.response or RealtimeResponse()
        told = clean(as_text(response.status), 40)
        ended = f"response.{told}" if f"response.{told}" in TERMINAL else "response.completed"
        details = getattr(response, "status_details", None)
        reason = as_text(member(details, "reason"), 80)
        error = response.error or member(details, "error")
        if ended == "response.cancelled" and not error:
            error = {"type": ended, "message": reason or "no reason given"}
        same = msgspec.structs.replace(
            response, error=error, incomplete_details={"reason": reason} if reason else response.incomplete_details
        )
        lost = self._lost(response)
        reading = super()._step(ended, msgspec.structs.replace(payload, response=same))
        self._last = self._notes.over = DONE
        note = "; ".join(filter(None, (reading.note, lost)))
        if ended != f"response.{told}":
            words = f"the status of the response is {told or 'missing'}"
            note = "; ".join(filter(None, (note, self._notes.note(FindingName.UNKNOWN_FINISH_REASON, words))))
        return msgspec.structs.replace(reading, name=DONE, note=note)

    def _content(self, content: EventKind, name: str, text: str, note: str) -> Reading:
        if content is EventKind.TEXT:
            self._characters += len(text)
        return super()._content(content, name, text, note)

    def _lost(self, response: ResponseObject) -> str:
        """The response has ended. Returns a note where it holds more text than came."""
        whole = len(output_of(response).text.strip())
        if not self._characters or whole <= self._characters:
            return ""
        words = f"the deltas came to {self._characters:,} characters, the whole response has {whole:,}"
        return self._notes.break_rule("whole-differs", words)

    def _unfinished(self) -> Judgement:
        if self._created or not self._beside_last:
            return super()._unfinished()
        words = f"ended after event {self._notes.number} ({self._beside_last}), before any response"
        return self._notes.truncated("eof-before-completed", words)

    def end(self) -> Judgement:
        if self._closed is not None:
            return self._closed
        seen = super().end()
        if (error := self._notes.failure) is not None and not self._outcome.contents:
            return self._refused(seen, error)
        if seen.verdict is not Verdict.COMPLETE:
            return seen
        told = f"{DONE}, status {self._ending.removeprefix('response.')}"
        return msgspec.structs.replace(seen, reason=": ".join(filter(None, (told, self._cut_by))))

    def _refused(self, seen: Judgement, error: APIError) -> Judgement:
        """Judge an error before any content: what its words name, if they do."""
        if error.verdict is Verdict.SERVER_ERROR:
            return seen
        words = f"event {seen.event_number} refuses the request: {error}"
        return self._notes.judgement(error.verdict, "refused", words, seen.event_number)

    def closed(self, words: str) -> None:
        """The WebSocket was closed with this code and reason, which are a refusal where they name one and no response
        had begun."""
        error = APIError(message=clean(words))
        verdict = Verdict.UNAVAILABLE if words.partition(" ")[0] == TRY_AGAIN_LATER else error.verdict
        if not (self._created or self.ended() or verdict is Verdict.SERVER_ERROR):
            self._notes.take_error(error)
            self._closed = self._notes.judgement(verdict, "refused", f"closed by the gateway: {error}")


def _limit_headers(limits: object) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for limit in limits[:MOST_LIMITS] if isinstance(limits, list) else ():
        name = member(limit, "name")
        if name not in ("requests", "tokens"):
            continue
        for field in ("limit", "remaining"):
            value = member(limit, field)
            if isinstance(value, int) and not isinstance(value, bool):
                found.append((f"x-ratelimit-{field}-{name}", str(value)))
        reset_s = member(limit, "reset_seconds")
        if isinstance(reset_s, int | float) and not isinstance(reset_s, bool):
            found.append((f"x-ratelimit-reset-{name}", f"{reset_s:.3f}s"))
    return tuple(found)
