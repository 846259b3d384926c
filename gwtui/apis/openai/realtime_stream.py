"""The events of OpenAI Realtime, which are those of Responses without numbers, among those of the session.

`session.created` first, then what becomes of the client's own events, then the response: `response.created`, its items
and deltas as in Responses, and last `response.done`, whose status says how it ended. In the preview the deltas of text
are called `response.text.delta`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.base import Reading, words_of
from gwtui.apis.openai.responses_events import DELTAS, TERMINAL, ResponseObject, ResponsesEvent
from gwtui.apis.openai.responses_events import EVENT_WORDS as RESPONSES_WORDS
from gwtui.apis.openai.responses_stream import ResponsesReader
from gwtui.apis.outcome import ANYTHING, Wanted
from gwtui.apis.payload import as_text, member
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
_TYPES = (
    "session.created",
    "session.updated",
    "conversation.created",
    "conversation.item.created",
    "conversation.item.added",
    "conversation.item.done",
    "rate_limits.updated",
    DONE,
)


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
    more=(*PREVIEW_DELTAS, *(f"{name.removesuffix('.delta')}.done" for name in PREVIEW_DELTAS), *_TYPES, "event_id"),
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
        self.limit_headers = _limit_headers(getattr(payload, "rate_limits", None)) or self.limit_headers
        return Reading(EventKind.START if kind == "session.created" else EventKind.OTHER, name)

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
        reading = super()._step(ended, msgspec.structs.replace(payload, response=same))
        self._last = DONE
        note = reading.note
        if ended != f"response.{told}":
            words = f"the status of the response is {told or 'missing'}"
            note = "; ".join(filter(None, (note, self._notes.note(FindingName.UNKNOWN_FINISH_REASON, words))))
        return msgspec.structs.replace(reading, name=DONE, note=note)

    def end(self) -> Judgement:
        seen = super().end()
        if seen.verdict is not Verdict.COMPLETE:
            return seen
        told = f"{DONE}, status {self._ending.removeprefix('response.')}"
        return msgspec.structs.replace(seen, reason=": ".join(filter(None, (told, self._cut_by))))


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
