"""Error objects in JSON, in all the shapes that LLM APIs and the gateways before them use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeGuard

import msgspec

from gwtui.apis.payload import Unreadable, as_text, member, read_json
from gwtui.model.verdicts import Verdict
from gwtui.text.sanitize import clean

MESSAGE_FIELDS = ("message", "detail", "error_description", "msg", "reason")


@dataclass(frozen=True, slots=True)
class APIError:
    """What an API said about a failure, cleaned."""

    type: str = ""
    """Its class, such as `overloaded_error`."""
    message: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.type, self.message) if part) or "an error without a description"

    @property
    def verdict(self) -> Verdict:
        """The class of failure that its type names, as if it had come with the status that belongs to it."""
        name = f"{self.type} {self.message}".lower()
        for words, verdict in _VERDICTS:
            if any(word in name for word in words):
                return verdict
        return Verdict.SERVER_ERROR


_NO_MESSAGE = "the JSON contains no error with a message"
QUOTA_WORDS = (
    "insufficient_quota",
    "insufficient quota",
    "insufficient_user_quota",
    "insufficient_balance",
    "insufficient balance",
    "insufficient credit",
    "insufficient funds",
    "credit balance",
    "out of credit",
    "not enough credit",
    "available credits",
    "payment required",
    "billing_hard_limit",
    "billing hard limit",
    "exceeded_current_quota",
    "spending limit",
    "arrearage",
    "budget_exceeded",
    "budget has been exceeded",
    "欠费",
    "余额不足",
    "额度不足",
)
"""What providers say, in the type, the code or the message of an error, where money is the matter and not load."""


def is_about_money(said: str) -> bool:
    """Whether an error in these words is about credit or quota that waiting does not bring back."""
    said = said.lower()
    return any(words in said for words in QUOTA_WORDS)


_VERDICTS = (
    (QUOTA_WORDS, Verdict.QUOTA),
    (("overloaded",), Verdict.OVERLOADED),
    (("rate_limit", "rate limit", "quota", "too many requests"), Verdict.RATE_LIMITED),
    (("authentication", "permission", "invalid_api_key", "unauthorized"), Verdict.AUTH),
    (("not_found", "model_not_found"), Verdict.NOT_FOUND),
    (("invalid_request",), Verdict.BAD_REQUEST),
    (("timeout",), Verdict.GATEWAY_TIMEOUT),
    (("unavailable", "breaker"), Verdict.UNAVAILABLE),
)


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """What the body of an API's refusals looks like."""

    example: str = "a JSON object with `error`"
    """For advice."""
    fields: tuple[str, ...] = ()
    """Those that its object `error` must have, each a text."""
    owner: str = "the API's"
    """Whose errors these are."""
    outer_type: str = ""
    """What `type` beside `error` must be; empty: there need be none."""
    is_bare: bool = False
    """Whether the message stands at the top of the body, with no `error` around it."""

    def problem(self, body: str) -> tuple[str, bool]:
        """What is wrong with an error's body ("" for nothing), and whether it can be read as an error all the same."""
        payload = read_json(_ANY, body)
        if isinstance(payload, Unreadable):
            return "the body is not JSON", False
        error = find_error(payload)
        if error is None and self.is_bare and isinstance(payload, dict):
            error = describe_error(payload)
            return ("", True) if error.message else (_NO_MESSAGE, False)
        if error is None or not error.message:
            return _NO_MESSAGE, False
        return (
            ("", True)
            if self._fits(payload) and not self.is_bare
            else (f"it is not in the form of {self.owner} errors", True)
        )

    def _fits(self, payload: object) -> bool:
        outer = payload if isinstance(payload, dict) else {}
        inner = outer.get("error")
        has_fields = not self.fields or (
            isinstance(inner, dict) and all(isinstance(inner.get(name), str) and inner[name] for name in self.fields)
        )
        return has_fields and self.outer_type in ("", outer.get("type"))


def find_error(payload: object) -> APIError | None:
    """The error that a decoded JSON object holds, or None.

    `{"error": {...}}`, `{"error": "text"}`, which may have its `error_type` beside it, `{"type": "error", ...}`,
    `{"object": "error", ...}`, `{"errors": [{...}]}`, a status that means one, or a list of one.
    """
    if isinstance(payload, list) and len(payload) == 1:
        payload = payload[0]
    if not isinstance(payload, dict):
        return None
    inner = payload.get("error")
    if inner or payload == {"error": {}}:
        told = describe_error(inner)
        kind = payload.get("error_type")
        return APIError(clean(kind, 80), told.message) if _is_name(kind) and not told.type else told
    if "error" in (payload.get("type"), payload.get("object")):
        return describe_error(payload)
    several = payload.get("errors")
    if isinstance(several, list) and several and isinstance(several[0], dict):
        return describe_error(several[0])
    return _status_error(payload)


def _status_error(payload: dict[str, Any]) -> APIError | None:
    """A failure that stands elsewhere than in an error object: MiniMax's `base_resp`, Baidu's `error_code`, Groq's
    `x_groq`, and the choice itself (OpenRouter)."""
    for holder in (payload.get("x_groq"), *_listed(payload.get("choices"))):
        if isinstance(holder, dict) and holder.get("error"):
            return describe_error(holder["error"])
    status = payload.get("base_resp")
    if isinstance(status, dict) and status.get("status_code"):
        return APIError(f"status_code {_text(status['status_code'])}", _text(status.get("status_msg")))
    if payload.get("error_code") and isinstance(payload.get("error_msg"), str):
        return APIError(f"error_code {_text(payload['error_code'])}", _text(payload["error_msg"]))
    return None


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def retry_delay_s(body: bytes) -> float | None:
    """The seconds that Google's `RetryInfo` in an error asks to wait; None where it has none."""
    payload = read_json(_ANY, body)
    payload = payload[0] if isinstance(payload, list) and payload else payload
    error = payload.get("error") if isinstance(payload, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and (found := _DELAY.fullmatch(delay.strip())):
            return float(found[1])
    return None


def refused_parameter(body: bytes) -> str:
    """The field of the request that a refusal names, not yet clean; "" where it names none."""
    payload = read_json(_ANY, body)
    error = payload.get("error", payload) if isinstance(payload, dict) else None
    if not isinstance(error, dict):
        return ""
    if isinstance(error.get("param"), str) and error["param"]:
        return str(error["param"])
    if place := _place(error):
        return place
    message = next((error[field] for field in MESSAGE_FIELDS if isinstance(error.get(field), str)), "")
    return next((field for field in FIELDS if re.search(rf"\b{field}\b", message)), "")


def _place(error: dict[str, Any]) -> str:
    """The field at the place that a validation error of FastAPI names: `{"detail": [{"loc": ["body", "stream"]}]}`."""
    details = next((found for table in (error, error.get("message")) if (found := member(table, "detail"))), None)
    first = details[0] if isinstance(details, list) and details else None
    place = member(first, "loc")
    names = [each for each in place if isinstance(each, str)] if isinstance(place, list) else []
    return ".".join(name for name in names if name != "body")


FIELDS = (
    *("max_completion_tokens", "max_output_tokens", "max_tokens", "stream_options", "temperature", "top_p", "stream"),
    *("messages", "prompt", "input", "model"),
)
"""Fields of requests that refusals speak of, those first that others are a part of."""
_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
"""A duration of protobuf in JSON."""


def is_error(value: object) -> bool:
    """Whether an event has an error in its field `error`: anything but nothing. JavaScript makes `{}` of an error."""
    return bool(value) or value == {}


def describe_error(value: object) -> APIError:
    """An error object, or whatever else was sent in its place."""
    if not isinstance(value, dict):
        return APIError(message=_text(value))
    kind = next((value[field] for field in ("type", "status", "code") if _is_name(value.get(field))), "")
    message = next((value[field] for field in MESSAGE_FIELDS if value.get(field)), "")
    code = value.get("code")
    words = _text(message)
    if isinstance(code, str | int) and not isinstance(code, bool) and str(code) not in (str(kind), ""):
        words = f"{words} (code {clean(str(code)[:40])})".strip()
    return APIError(clean(str(kind), 80), words)


def event_error(data: str) -> APIError:
    """The error in the data of an event that says of itself that it is one."""
    payload = read_json(_ANY, data)
    if isinstance(payload, Unreadable):
        return APIError(message=clean(data))
    return find_error(payload) or describe_error(payload)


def body_error(body: bytes) -> APIError | None:
    """The error that a whole answer holds, or None."""
    return find_error(read_json(_ANY, body))


def error_reason(body: bytes) -> str:
    """The words for a failure in the JSON body of an answer that is not 2xx; "" when it has none."""
    payload = read_json(_ANY, body)
    error = find_error(payload)
    if error is None and isinstance(payload, dict) and any(payload.get(field) for field in MESSAGE_FIELDS):
        error = describe_error(payload)
    return "" if error is None else str(error)


_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Any)


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value) and value != "error"


def _text(value: object) -> str:
    return clean(as_text(value))
