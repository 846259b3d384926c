"""A conversation in no API's own form, and how endpoints are asked it: what files of prompts hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from msgspec.structs import replace

from gwtui.model.profile import Endpoint

Role: TypeAlias = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Said:
    """One message, text alone."""

    role: Role
    text: str


Talk: TypeAlias = Sequence[Said]
"""A conversation whose last message is the user's."""


def is_one_question(talk: Talk) -> bool:
    """Whether nothing was said before."""
    return len(talk) == 1 and talk[0].role == "user"


def with_prompt(endpoint: Endpoint, text: str) -> Endpoint:
    """The endpoint with one text as its question."""
    return replace(endpoint, prompt=text, messages=None)


def as_chat(endpoint: Endpoint, talk: Talk) -> Endpoint:
    """As messages with a role and a content, the system's among them."""
    return _with_messages(endpoint, [{"role": each.role, "content": each.text} for each in talk])


def as_one_text(endpoint: Endpoint, talk: Talk) -> Endpoint:
    """As one text, in which each message has its role in front."""
    lines = [f"{each.role.capitalize()}: {each.text}" for each in talk]
    return with_prompt(endpoint, "\n\n".join((*lines, "Assistant:")))


def as_blocks(endpoint: Endpoint, talk: Talk) -> Endpoint:
    """As messages of blocks, with the system's beside them (Bedrock's Converse)."""
    messages = [{"role": each.role, "content": [{"text": each.text}]} for each in talk if each.role != "system"]
    return _with_messages(_with_system(endpoint, talk, "system", list), messages)


def as_chat_beside_system(endpoint: Endpoint, talk: Talk) -> Endpoint:
    """As messages with a role and a content, and the system's text beside them (Anthropic)."""
    return as_chat(_with_system(endpoint, talk, "system", None), [each for each in talk if each.role != "system"])


def as_contents(endpoint: Endpoint, talk: Talk) -> Endpoint:
    """As contents of parts, whose other speaker is the model, and the system's instruction beside them (Gemini)."""
    messages = [
        {"role": "model" if each.role == "assistant" else "user", "parts": [{"text": each.text}]}
        for each in talk
        if each.role != "system"
    ]
    return _with_messages(_with_system(endpoint, talk, "systemInstruction", dict), messages)


def as_speakers(endpoint: Endpoint, talk: Talk) -> Endpoint:
    """As messages with a speaker and a text (Sourcegraph)."""
    speakers = {"user": "human", "assistant": "assistant", "system": "system"}
    return _with_messages(endpoint, [{"speaker": speakers[each.role], "text": each.text} for each in talk])


def _with_messages(endpoint: Endpoint, messages: Sequence[dict[str, Any]]) -> Endpoint:
    return replace(endpoint, messages=tuple(messages), prompt=None)


def _with_system(endpoint: Endpoint, talk: Talk, field: str, form: type | None) -> Endpoint:
    """The endpoint with what the system says in that field of its body: as a text, a list of texts, or parts."""
    text = "\n\n".join(each.text for each in talk if each.role == "system")
    if not text:
        return endpoint
    said: Any = text if form is None else [{"text": text}] if form is list else {"parts": [{"text": text}]}
    own = endpoint.body if isinstance(endpoint.body, dict) else {}
    return replace(endpoint, body={**own, field: said})
