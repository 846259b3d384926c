"""A number in front of a question, which makes it another one to every cache."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from gwtui.apis.base import API
from gwtui.model.profile import Endpoint

DIGITS = 12
_ASKING = ("user", "human", None)
"""Roles, or speakers, of messages that ask."""


def fresh_number() -> bytes:
    """A number that was not there before, always of the same length."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}".encode()


def numbered(body: bytes, endpoint: Endpoint, api: API) -> tuple[bytes, bytes]:
    """The request's body with a number in front of its question, and that number, to be replaced by fresh ones.

    Both as they were, and no number, where the endpoint's `body` has a question of its own, or none is found.
    """
    own = endpoint.body if isinstance(endpoint.body, dict) else {}
    names = {endpoint.fields.get(name, name) for name in api.question_fields}
    if not endpoint.nonce or not names.isdisjoint(own):
        return body, b""
    fields: dict[str, Any] = msgspec.json.decode(body)
    number = fresh_number()
    for name in sorted(names & fields.keys()):
        asked = _numbered(fields[name], f"[{number.decode()}]\n")
        if asked is not None:
            return msgspec.json.encode({**fields, name: asked}), number
    return body, b""


def _numbered(question: Any, number: str) -> Any:
    """The question with the number in front of its last text; None where it has no text."""
    if isinstance(question, str):
        return number + question
    if isinstance(question, dict) and question.get("type") != "reasoning":
        return _in_message(question, number) if question.get("role", question.get("speaker")) in _ASKING else None
    for at in range(len(question) - 1, -1, -1) if isinstance(question, list) else ():
        if (asked := _numbered(question[at], number)) is not None:
            return [*question[:at], asked, *question[at + 1 :]]
    return None


def _in_message(message: dict[str, Any], number: str) -> dict[str, Any] | None:
    for name in ("content", "parts", "text"):
        if (asked := _numbered(message.get(name), number)) is not None:
            return {**message, name: asked}
    return None
