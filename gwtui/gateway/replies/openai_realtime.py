"""OpenAI Realtime: a session over a WebSocket, which answers in text what its conversation asks.

The events are those of a response; those of the session around it are the handler's (`gateway.realtime_handler`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from gwtui.gateway.fault import Fault, api_fault, broken_off
from gwtui.gateway.replies.base import Asked, Question, QuestionError, Reply, ScriptedAnswer, count_tokens
from gwtui.gateway.replies.openai_chat import openai_error
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

PREVIEW = "preview"
"""The form of the API before it was generally available."""


class _Message(msgspec.Struct):
    """What a client sends."""

    type: str
    session: dict[str, Any] = {}
    item: dict[str, Any] = {}
    response: dict[str, Any] = {}


class RealtimeReplies(Reply):
    """`/v1/realtime`: one message with one part of text."""

    paths = ()

    def question(self, asked: Asked) -> Question:
        """Of the messages up to `response.create`, as a JSON array. `asked.query` has the model, and the form."""
        try:
            messages = msgspec.json.decode(asked.body, type=list[_Message])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise QuestionError(str(error)) from None
        form, limit = asked.query.get("form", ""), None
        for message in messages:
            if message.type == "session.update":
                _check_session(message.session, form)
            told = message.session | message.response
            limit = told.get("max_output_tokens", told.get("max_response_output_tokens", limit))
        return Question(
            model=asked.query.get("model", ""),
            stream=True,
            max_tokens=limit if isinstance(limit, int) else None,
            input_tokens=sum(count_tokens(message.item.get("content")) for message in messages),
            form=form,
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        begun = {"response": self.whole(answer) | {"status": "in_progress", "output": [], "usage": None}}
        item, kind = _item(answer), "text" if answer.form == PREVIEW else "output_text"
        at = {"response_id": f"resp_{answer.number}", "output_index": 0}
        place = at | {"item_id": f"item_{answer.number}", "content_index": 0}
        added = item | {"status": "in_progress", "content": []}
        part = {"type": "text", "text": ""}
        told: list[tuple[Part, str, dict[str, Any]]] = [
            (Part.OPENING, "response.created", begun),
            (Part.OPENING, "rate_limits.updated", {"rate_limits": LIMITS}),
            (Part.OPENING, "response.output_item.added", at | {"item": added}),
            (Part.OPENING, "response.content_part.added", place | {"part": part}),
            *((Part.TOKEN, f"response.{kind}.delta", place | {"delta": token}) for token in answer.tokens),
            (Part.CLOSING, f"response.{kind}.done", place | {"text": answer.text}),
            (Part.CLOSING, "response.content_part.done", place | {"part": part | {"text": answer.text}}),
            (Part.CLOSING, "response.output_item.done", at | {"item": item}),
            (Part.CLOSING, "response.done", {"response": self.whole(answer)}),
        ]
        return [TimedEvent(part, event(name, f"{answer.number}_{at}", **fields)) for at, (part, name, fields)
                in enumerate(told)]  # fmt: skip

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        cut = {"type": "incomplete", "reason": "max_output_tokens"} if answer.limited else None
        return {
            "object": "realtime.response",
            "id": f"resp_{answer.number}",
            "status": _status(answer),
            "status_details": cut,
            "output": [_item(answer)],
            "usage": {
                "total_tokens": answer.input_tokens + answer.output_tokens,
                "input_tokens": answer.input_tokens,
                "output_tokens": answer.output_tokens,
                "input_token_details": {"text_tokens": answer.input_tokens, "audio_tokens": 0, "cached_tokens": 0},
                "output_token_details": {"text_tokens": answer.output_tokens, "audio_tokens": 0},
            },
        }

    def error(self, status: int, message: str) -> dict[str, Any]:
        return openai_error(status, message)

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        return error_message(kind, message)


LIMITS = [
    {"name": "requests", "limit": 1000, "remaining": 999, "reset_seconds": 60.0},
    {"name": "tokens", "limit": 50_000, "remaining": 49_950, "reset_seconds": 0.06},
]


def event(name: str, number: str, **fields: Any) -> bytes:
    """One message of the server's."""
    return msgspec.json.encode({"type": name, "event_id": f"event_{number}", **fields})


def error_message(kind: str, message: str, code: str | None = None) -> bytes:
    error = {"type": kind, "code": code, "message": message, "param": None, "event_id": None}
    return event("error", "error", error=error)


def _check_session(session: dict[str, Any], form: str) -> None:
    """The two forms of a session refuse each other's fields. Raises `QuestionError`."""
    if form == PREVIEW and (unknown := {"type", "output_modalities"} & session.keys()):
        raise QuestionError(f"Unknown parameter: 'session.{min(unknown)}'.")
    if form != PREVIEW and session.get("type") != "realtime":
        raise QuestionError("Missing required parameter: 'session.type'.")
    wanted = session.get("modalities" if form == PREVIEW else "output_modalities")
    if wanted != ["text"]:
        raise QuestionError("This gateway answers in text alone.")


def _status(answer: ScriptedAnswer) -> str:
    return "incomplete" if answer.limited else "completed"


def _item(answer: ScriptedAnswer) -> dict[str, Any]:
    kind = "text" if answer.form == PREVIEW else "output_text"
    return {
        "id": f"item_{answer.number}",
        "object": "realtime.item",
        "type": "message",
        "status": _status(answer),
        "role": "assistant",
        "content": [{"type": kind, "text": answer.text}],
    }


def _ended(status: str, **details: Any) -> str:
    told = {"type": status, **details}
    response = {"object": "realtime.response", "id": "resp_1", "status": status, "status_details": told, "output": []}
    return event("response.done", "end", response=response).decode()


REALTIME = RealtimeReplies()
REPLIES: tuple[Reply, ...] = ()
"""None that answers a request."""
_fault = partial(api_fault, "openai-realtime", "realtime")
_NO_KEY = error_message("invalid_request_error", "The API key is not valid.", "invalid_api_key").decode()
_NO_QUOTA = {"type": "insufficient_quota", "code": "insufficient_quota", "message": "You exceeded your quota."}
_BROKEN = {"type": "server_error", "code": "server_error", "message": "boom"}
FAULTS: tuple[Fault, ...] = (
    *broken_off("openai-realtime", "realtime"),
    _fault(
        "undone",
        "All but response.done arrives, and the WebSocket is closed with 1011",
        Verdict.TRUNCATED,
        "1011 bye",
        cut_last=1,
        close_code=1011,
        close_reason="bye",
    ),
    _fault(
        "failed",
        "The response ends as failed",
        Verdict.ERROR_IN_STREAM,
        "boom",
        error_after=6,
        error_event=_ended("failed", error=_BROKEN),
    ),
    _fault(
        "cancelled",
        "The response ends as cancelled",
        Verdict.ERROR_IN_STREAM,
        "turn_detected",
        error_after=6,
        error_event=_ended("cancelled", reason="turn_detected"),
    ),
    _fault(
        "empty",
        "The response is completed without any output",
        Verdict.EMPTY,
        "no-content",
        error_after=2,
        error_event=_ended("completed"),
    ),
    _fault(
        "half",
        "A message lacks half of its JSON",
        Verdict.OUT_OF_ORDER,
        "bad-json",
        garble_event=6,
        garble="half",
        findings=(FindingName.BAD_JSON,),
    ),
    _fault("lost", "A delta is lost", Verdict.OUT_OF_ORDER, "whole-differs", lose_event=6),
    _fault(
        "key",
        "The handshake succeeds, an error refuses the key, and the WebSocket is closed with 3000",
        Verdict.AUTH,
        "invalid_api_key",
        error_after=0,
        error_event=_NO_KEY,
        cut_after=1,
        close_code=3000,
        close_reason="invalid_request_error.invalid_api_key",
    ),
    _fault(
        "quota",
        "The response fails at once because the quota is used up",
        Verdict.QUOTA,
        "insufficient_quota",
        error_after=1,
        error_event=_ended("failed", error=_NO_QUOTA),
    ),
    _fault("401", "The handshake is refused because of the key", Verdict.AUTH, "HTTP 401", status=401),
    _fault("429", "The handshake is rate limited", Verdict.RATE_LIMITED, "HTTP 429", status=429),
    _fault(
        "mute",
        "The session is opened, and nothing is answered",
        Verdict.STALLED,
        "no-first-token",
        stall_after=0,
        deadlines={"first_token_s": 0.3},
    ),
)
