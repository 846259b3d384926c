"""The pieces that reports about one stream are made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from gwtui.model.enums import Outcome, State
from gwtui.model.records import Finding, StreamEvent
from gwtui.text import units
from gwtui.text.tables import TextCell, cut

Styler: TypeAlias = Callable[[str, State | Outcome], str]
"""The text in the colour of a state or an outcome. The text says the same without it."""


def plain(text: str, _tone: State | Outcome) -> str:
    """No colour."""
    return text


MARKS = {Outcome.OK: "✔", Outcome.FAILED: "✖", Outcome.CANCELLED: "‖", Outcome.LOCAL: "▲"}
LABEL_WIDTH = 10
_LEAST_ROOM = 20


def toned(text: str, tone: State | Outcome, styled: Styler) -> TextCell:
    """The text as a cell of a table, in the colour of a state or an outcome."""
    return TextCell(text, lambda padded: styled(padded, tone))


def quoted(heading: str, text: str) -> list[str]:
    return [f"  {heading}:", *(f"    {line}" for line in text.splitlines())] if text else []


def finding_rows(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """Per finding what was found with its likely cause, and what to do; where a session's file has lost the evidence,
    what the finding means."""
    for found in findings:
        entry = found.entry
        yield "finding", f"{entry.severity.mark} {found.name}: {found.evidence or entry.meaning} ({found.likely_cause})"
        yield "to do", entry.remedy


def known(value: int | None) -> str:
    return "n/a" if value is None else units.count(value)


def named(event: StreamEvent) -> str:
    """The event's name, and whose it is where one stream carries several models."""
    return f"{event.name} {event.model}".rstrip()


def shown(event: StreamEvent, room: int) -> str:
    """What an event carried, on one line, cut to the room there is."""
    text = json.dumps(event.text, ensure_ascii=False) if event.text else event.raw
    return cut(text, max(room, _LEAST_ROOM))
