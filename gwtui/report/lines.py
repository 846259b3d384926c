"""The pieces that reports about one request, ping or capture are made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from gwtui.apis.rules import line_to_tolerate
from gwtui.model.enums import Outcome, State
from gwtui.model.records import Finding, StreamEvent
from gwtui.model.verdicts import Judgement, Verdict, VerdictEntry
from gwtui.text import units
from gwtui.text.tables import Row, TextCell, TextColumn, cells, cut, fitted, labelled, line

Styler: TypeAlias = Callable[[str, State | Outcome], str]
"""The text in the colour of a state or an outcome. The text says the same without it."""


def plain(text: str, _tone: State | Outcome) -> str:
    """No colour."""
    return text


_MARKS = {Outcome.OK: "✔", Outcome.FAILED: "✖", Outcome.CANCELLED: "‖", Outcome.LOCAL: "▲"}
LABEL_WIDTH = 10
_LEAST_ROOM = 20


def toned(text: str, tone: State | Outcome, styled: Styler) -> TextCell:
    """The text as a cell of a table, in the colour of a state or an outcome."""
    return TextCell(text, lambda padded: styled(padded, tone))


def quoted(heading: str, text: str) -> list[str]:
    return [f"  {heading}:", *(f"    {line}" for line in text.splitlines())] if text else []


def answer_text(text: str, events: Iterable[StreamEvent]) -> list[str]:
    """What an answer said; of several models in one stream, one after another. `events`: all of the stream; none where
    some are missing."""
    texts: dict[str, str] = {}
    for event in events:
        if event.model and event.kind.is_visible:
            texts[event.model] = texts.get(event.model, "") + event.text
    if len(texts) < 2:
        return quoted("text", text)
    return [line for model, said in texts.items() for line in quoted(f"text of {model}", said)]


def verdict_text(verdict: Verdict, styled: Styler) -> str:
    """Its shape and its word."""
    return styled(f"{_MARKS[verdict.outcome]} {verdict}", verdict.outcome)


def verdict_lines(judgement: Judgement, entry: VerdictEntry, findings: Iterable[Finding], styled: Styler) -> list[str]:
    """The verdict and what it means, why it was given and by which rule, what to do, and what was found."""
    at = "" if judgement.event_number is None else f", at event {judgement.event_number}"
    found, is_failed = tuple(findings), judgement.verdict.outcome is Outcome.FAILED
    rows = (
        ("reason", judgement.reason),
        ("hint", entry.cause),
        ("to do", entry.remedy),
        ("rule", judgement.rule + at),
        *finding_rows(found),
        ("if fine", line_to_tolerate(judgement.rule, (each.name for each in found), failed=is_failed)),
    )
    return [f"{verdict_text(judgement.verdict, styled)}  {entry.meaning}", *labelled(rows, LABEL_WIDTH)]


def finding_rows(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """Per finding what was found with its likely cause, and what to do; where a session's file has lost the evidence,
    what the finding means."""
    for found in findings:
        entry = found.entry
        yield "finding", f"{entry.severity.mark} {found.name}: {found.evidence or entry.meaning} ({found.likely_cause})"
        yield "to do", entry.remedy


def known(value: int | None) -> str:
    return "n/a" if value is None else units.count(value)


class EventRow(NamedTuple):
    """An event of a stream, for `event_lines`."""

    number: int
    event: StreamEvent
    times: tuple[str, ...] = ()
    """Its cells between number and name."""
    note: str = ""
    """What is worth knowing about when it came."""


def event_lines(
    rows: Sequence[EventRow], columns: Sequence[TextColumn], decided: int | None, width: int, headings: Row = ()
) -> list[str]:
    """A line per event: number, times and name in these columns, then what it carried, cut to the width, and notes.

    `decided`: the number of the event that decided the verdict.
    """
    begins = [(str(row.number), *row.times, row.event.title) for row in rows]
    columns = fitted(begins, columns)
    lines = [line(headings, columns).rstrip()] if headings else []
    before = 0
    for row, begin in zip(rows, begins, strict=True):
        if missing := row.number - before - 1:
            between = f"{units.many(missing, 'event')} in between, too many to show"
            lines.append(line(("…", between), columns).rstrip())
        before = row.number
        lines.append(_event_line(row, line(begin, columns), width, decided=row.number == decided))
    return [f"  {each}" for each in lines]


def _event_line(row: EventRow, begin: str, width: int, *, decided: bool) -> str:
    notes = (row.event.note, row.note, "the verdict was decided here" if decided else "")
    note = "".join(f"  ◀ {each}" for each in notes if each)
    room = max(width - len("    ") - cells(begin) - cells(note), _LEAST_ROOM)
    return f"{begin}  {cut(_carried(row.event), room)}{note}"


def _carried(event: StreamEvent) -> str:
    """What an event carried, on one line."""
    return json.dumps(event.text, ensure_ascii=False) if event.text else event.raw
