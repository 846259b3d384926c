"""A number in front of a request's text and of its question, which makes both other ones to every cache."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

import msgspec

from gwtui.apis.base import API
from gwtui.model.profile import Endpoint

DIGITS = 12
_ASKING = ("user", "human", None)
"""Roles, or speakers, of messages that ask."""
_SYSTEM_FIELDS = ("system", "systemInstruction", "system_instruction", "instructions", "preamble")
"""Fields of a body that models read before the messages."""


def fresh_number() -> bytes:
    """A number that was not there before, always of the same length."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}".encode()


def has_own_question(endpoint: Endpoint, api: API) -> bool:
    """Whether the endpoint's `body` has the question, which nothing is put in front of then."""
    own = endpoint.body if isinstance(endpoint.body, dict) else {}
    return not {endpoint.fields.get(name, name) for name in api.question_fields}.isdisjoint(own)


def numbered(body: bytes, endpoint: Endpoint, api: API) -> tuple[bytes, bytes]:
    """The request's body with a number in front of its first text, where caches of prompts begin to compare, and of its
    last question, where others do; and that number, to be replaced by fresh ones wherever it stands.

    Both as they were, and no number, where the endpoint's `body` has a question of its own, or none is found.
    """
    if not endpoint.nonce or has_own_question(endpoint, api):
        return body, b""
    fields: dict[str, Any] = msgspec.json.decode(body)
    names = {endpoint.fields.get(name, name) for name in api.question_fields}
    number = fresh_number()
    mark = f"[{number.decode()}]\n"
    for name in sorted(names & fields.keys()):
        asked = _numbered(fields[name], mark)
        if asked is not None:
            return msgspec.json.encode(_begun({**fields, name: asked}, name, mark)), number
    return body, b""


def _begun(fields: dict[str, Any], name: str, mark: str) -> dict[str, Any]:
    """The fields with the mark in front of the first text too, unless it has it; `name` is the question's field."""
    for field in (*_SYSTEM_FIELDS, name):
        if (begun := _first_marked(fields.get(field), mark)) is not None:
            return {**fields, field: begun}
    return fields


def _numbered(question: Any, mark: str) -> Any:
    """The question with the mark in front of its last text; None where it has no text."""
    if isinstance(question, str):
        return mark + question
    if isinstance(question, dict) and question.get("type") != "reasoning":
        return _in_message(question, mark) if question.get("role", question.get("speaker")) in _ASKING else None
    for at in range(len(question) - 1, -1, -1) if isinstance(question, list) else ():
        if (asked := _numbered(question[at], mark)) is not None:
            return _replaced(question, at, asked)
    return None


def _in_message(message: dict[str, Any], mark: str) -> dict[str, Any] | None:
    for name in ("content", "parts", "text"):
        if (asked := _numbered(message.get(name), mark)) is not None:
            return {**message, name: asked}
    return None


def _first_marked(value: Any, mark: str) -> Any:
    """The value with the mark in front of its first text, of any speaker; None where it has no text."""
    if isinstance(value, str):
        return value if value.startswith(mark) else mark + value
    places: Iterable[Any] = range(len(value)) if isinstance(value, list) else ()
    if isinstance(value, dict) and value.get("type") != "reasoning":
        places = [name for name in ("content", "parts", "text") if name in value]
    for place in places:
        if (marked := _first_marked(value[place], mark)) is not None:
            return _replaced(value, place, marked) if isinstance(value, list) else {**value, place: marked}
    return None


def _replaced(values: list[Any], at: int, value: Any) -> list[Any]:
    return [*values[:at], value, *values[at + 1 :]]
