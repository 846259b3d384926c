"""The pieces that reports about one stream are made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TypeAlias

from gwtui.model.enums import Outcome, State
from gwtui.model.records import Finding, StreamEvent
from gwtui.text import units

Paint: TypeAlias = Callable[[str, State | Outcome], str]
"""The text in the colour of a state or an outcome. The text says the same without it."""


def plain(text: str, _tone: State | Outcome) -> str:
    """No colour."""
    return text


MARKS = {Outcome.OK: "✔", Outcome.FAILED: "✖", Outcome.CANCELLED: "‖", Outcome.LOCAL: "▲"}
_LABEL = 10
_LEAST_ROOM = 20


def table(rows: Iterable[tuple[str, str]]) -> list[str]:
    """A line per row that has a value."""
    return [f"  {label:<{_LABEL}}  {value}" for label, value in rows if value]


def headers(picked: dict[str, str]) -> list[str]:
    width = max((len(name) for name in picked), default=0)
    return [f"  {name:<{width}}  {value}" for name, value in sorted(picked.items())]


def quoted(heading: str, text: str) -> list[str]:
    return [f"  {heading}:", *(f"    {line}" for line in text.splitlines())] if text else []


def finding(found: Finding) -> str:
    cause = f" ({found.cause})" if found.cause else ""
    return f"▲ {found.name}: {found.evidence}{cause}"


def known(value: int | None) -> str:
    return "n/a" if value is None else units.count(value)


def many(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{units.count(number)} {what}s"


def named(event: StreamEvent) -> str:
    """The event's name, and whose it is where one stream carries several models."""
    return f"{event.name} {event.model}".rstrip()


def shown(event: StreamEvent, room: int) -> str:
    """What an event carried, on one line, cut to the room there is."""
    text = json.dumps(event.text, ensure_ascii=False) if event.text else event.raw
    room = max(room, _LEAST_ROOM)
    return text if len(text) <= room else f"{text[: room - 1]}…"
