"""Roles in the chunks of OpenAI's chat streams: told once, in the first chunk of a choice. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.checks.evidence import Probed


class _Delta(msgspec.Struct):
    role: Any = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []


_CHUNK = msgspec.json.Decoder(_Chunk)


def roles_after_first(probed: Probed) -> list[int]:
    """The numbers of the events that tell a choice's role once more; chunks too long to be kept whole are believed."""
    seen: set[int] = set()
    again: list[int] = []
    if probed.request.api != "openai-chat":
        return again
    for number, event in enumerate(probed.events, 1):
        try:
            choices = _CHUNK.decode(event.raw).choices
        except msgspec.DecodeError:
            continue
        for choice in choices:
            if choice.delta is None or not choice.delta.role:
                continue
            if choice.index in seen:
                again.append(number)
            seen.add(choice.index)
    return again
