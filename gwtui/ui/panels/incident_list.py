"""The list of incidents as lines: a row each, the events of those that are unfolded, and what else happened. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from gwtui.health.sentence import ScopeNames, event_facts, lasted, worst_first
from gwtui.model.enums import State
from gwtui.model.findings import entry_of
from gwtui.model.incidents import ACKNOWLEDGED, OVER, Change, Incident, IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint
from gwtui.model.view import View
from gwtui.text import units
from gwtui.ui.panels.marks import severity_mark
from gwtui.ui.text_layout import (
    Column,
    Line,
    Placed,
    Span,
    cells,
    centred,
    justified,
    line_cells,
    over,
    place,
    printable,
    row,
    sheet,
)

TRACE_FROM = 96
"""From this width on most lines have room for a whole trace id; part of one could not be searched for."""
LONGEST = 44
"""The cells that the cause and the scope take at most: beyond them, facts stand far from what they belong to."""
_STEPS = (IncidentEvent.WIDER, IncidentEvent.NARROWER)
RowKey: TypeAlias = tuple[int, Change | LogEntry | None]
"""What stays the same of a row while what it says changes: the incident's number, 0 outside of incidents, and the
event."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row of the list: an incident, an event of one that is unfolded, or what happened outside of incidents."""

    incident: Incident | None = None
    event: Change | LogEntry | None = None

    @property
    def key(self) -> RowKey:
        return (self.incident.number if self.incident is not None else 0, self.event)

    @property
    def at(self) -> float:
        """When it happened; of an incident when it was over, or began."""
        if self.event is not None:
            return self.event.at
        assert self.incident is not None, "a row is of one of them"  # noqa: S101 - for the type checker
        return self.incident.opened if self.incident.closed is None else self.incident.closed

    @property
    def is_summary(self) -> bool:
        """Whether it is about an incident as a whole, and not about one of its events."""
        return self.incident is not None and self.event is None


@dataclass(frozen=True, slots=True)
class ListView:
    """What of the list is looked at."""

    index: int = 0
    """The row under the cursor."""
    top: int = 0
    """The first visible one."""
    selected: bool = False
    """Whether a row is selected; else the newest is followed, and the cursor is seen only in the focused panel."""
    focused: bool = False


def rows(view: View, unfolded: Collection[int] = ()) -> list[ListRow]:
    """Open incidents, the worst first; then those that are over and what happened outside of incidents, newest first.
    `unfolded`: the numbers of the incidents whose events stand under them, newest first."""
    listed = [ListRow(each) for each in worst_first(view.incidents)]
    known = {each.number for each in view.incidents}
    others = [ListRow(event=each) for each in _told_once(view.log) if each.event is None or each.incident not in known]
    open_ones = [each for each in listed if each.incident is not None and each.incident.is_open]
    past = sorted([*listed[len(open_ones) :], *others], key=lambda each: -each.at)
    if not unfolded:
        return [*open_ones, *past]
    return [line for each in (*open_ones, *past) for line in (each, *_events(each, unfolded))]


def _told_once(log: Iterable[LogEntry]) -> Iterator[LogEntry]:
    """The log with one entry where several endpoints were paused or resumed at once, or the same was found at several
    one after the other, so that these hide no incident."""
    for _, run in groupby(log, _what_is_told):
        entries = list(run)
        newest, count = entries[0], len({each.endpoint for each in entries})
        if count > 1 and newest.finding is not None:
            yield replace(newest, endpoint="", number=None, trace_id="", text=f"{newest.finding}: {count} endpoints")
        elif count > 1 and newest.text in ("paused", "resumed"):
            yield replace(
                newest, endpoint="", text=f"{'' if newest.text == 'paused' else 'resumed: '}{count} endpoints"
            )
        else:
            yield from entries


def _what_is_told(entry: LogEntry) -> tuple[object, ...]:
    """What neighbours must have in common to be one line."""
    if entry.finding is not None and entry.event is None:
        return (entry.kind, entry.finding)
    return (entry.kind, entry.text, int(entry.at))


def _events(summary: ListRow, unfolded: Collection[int]) -> list[ListRow]:
    """Where an incident spreads or shrinks endpoint by endpoint, only the newest step is listed."""
    incident = summary.incident
    if incident is None or incident.number not in unfolded:
        return []
    changes = incident.changes
    kept = [
        each
        for each, later in zip_longest(changes, changes[1:])
        if later is None or each.event not in _STEPS or later.event is not each.event
    ]
    return [ListRow(incident, each) for each in reversed(kept)]


def draw(view: View, listed: Sequence[ListRow], names: ScopeNames, width: int, height: int, at: ListView) -> list[Line]:
    """A line per row from `at.top` on, with the trace id of an event where there is room for all of it. What is
    acknowledged is dimmed."""
    if not listed:
        return centred([(Span("All quiet: no incident in this session", "muted"),)], width, height)
    shown = listed[at.top : at.top + height]
    texts = {
        each.key: _texts(each.incident, view, names) for each in shown if each.is_summary and each.incident is not None
    }
    placed = _columns(list(texts.values()), width)
    lines = []
    for y, each in enumerate(shown, at.top):
        is_under_cursor = y == at.index and (at.selected or at.focused)
        bar = Span(("▌" if at.focused else "▏") if is_under_cursor else " ", "accent")
        body = (
            row(placed, _cells(texts[each.key], placed))
            if each.key in texts
            else _event(each, view, names.gateways, width - 1)
        )
        line = justified((bar, *body), (), width)
        lines.append(over(line, "selection") if is_under_cursor else line)
    return sheet(lines, width, height)


class _Texts(NamedTuple):
    """What is said of an incident; of several texts the first that there is room for."""

    incident: Incident
    lasted: str
    causes: tuple[str, ...]
    scopes: tuple[str, ...]
    times: tuple[str, ...]
    failed: str
    note: str


def _texts(incident: Incident, view: View, names: ScopeNames) -> _Texts:
    cause, scope = printable(incident.cause), printable(names.text(incident)).removeprefix("endpoint ")
    clocks = [units.clock(at, utc=view.query.utc) for at in (incident.opened, incident.closed) if at is not None]
    since = f"since {clocks[0]}" if incident.is_open else "-".join(clocks)
    return _Texts(
        incident,
        lasted(incident, view.at),
        (cause, cause.partition(" (")[0]),
        (scope, scope.removesuffix("s").removesuffix(" endpoint"), _shortest(scope)),
        (since, clocks[0]),
        f"{units.count(incident.failures)} failed" if incident.failures else "",
        printable(_note(incident, utc=view.query.utc)),
    )


def _shortest(scope: str) -> str:
    """`eu gateway 5/5` for `eu gateway · 5 of 5 endpoints`, `provider x` for `provider x, 2 gateways · 2 endpoints`."""
    where, _, count = scope.partition(" · ")
    where = where.partition(",")[0].removeprefix("gateway ").rpartition("://")[2]
    sick, of, known = count.partition(" endpoint")[0].partition(" of ")
    return f"{where} {sick}/{known}" if of else where


def _note(incident: Incident, *, utc: bool) -> str:
    """`acknowledged: rotating (14:02)`."""
    if not incident.acknowledged:
        return ""
    at = next((each.at for each in reversed(incident.changes) if each.event is IncidentEvent.ACKNOWLEDGED), None)
    note = "" if incident.acknowledged == ACKNOWLEDGED else f": {incident.acknowledged}"
    return f"acknowledged{note}" + (f" ({units.clock(at, utc=utc)[:5]})" if at is not None else "")


def _columns(texts: Sequence[_Texts], width: int) -> tuple[Placed, ...]:
    """Where what is said of incidents stands: as wide as it is, while there is room."""

    def column(name: str, shown: Sequence[tuple[str, ...]], most: int, rank: int = 0, gap: int = 2) -> Column:
        least = min(most, max((cells(forms[-1]) for forms in shown), default=0))
        full = min(LONGEST, max((cells(forms[0]) for forms in shown), default=0))
        return Column(name, "", least, rank=rank, grow=max(0, full - least), gap=gap)

    wanted = [
        Column("mark", "", 1, gap=0),
        Column("lasted", "", max((cells(each.lasted) for each in texts), default=8), gap=1),
        column("cause", [each.causes for each in texts], 16),
        column("scope", [each.scopes for each in texts], 20),
        column("when", [each.times for each in texts], 8, rank=1),
        column("failed", [(each.failed,) for each in texts], 14, rank=2),
        *([column("note", [(each.note,) for each in texts], 24, rank=3)] if any(each.note for each in texts) else []),
    ]
    return place(wanted, width - 1)


def _cells(texts: _Texts, placed: Sequence[Placed]) -> dict[str, Span | Line]:
    incident = texts.incident
    calm, loud = ("muted", State.UP.value) if incident.closed is not None else ("text", incident.severity.value)
    if incident.is_open and incident.acknowledged:
        calm = loud = "faint"
    said = {
        "mark": ((incident.mark,), loud),
        "lasted": ((texts.lasted,), loud),
        "cause": (texts.causes, loud if incident.is_open else calm),
        "scope": (texts.scopes, calm),
        "when": (texts.times, "muted" if calm == "text" else calm),
        "failed": ((texts.failed,), calm),
        "note": ((texts.note,), "muted" if calm == "text" else calm),
    }
    widths = {column.name: width for column, _, width in placed}
    return {
        name: Span(next((form for form in forms if cells(form) <= widths[name]), forms[-1]), style)
        for name, (forms, style) in said.items()
        if name in widths
    }


def _event(each: ListRow, view: View, names: Mapping[str, str], width: int) -> Line:
    event = each.event
    assert event is not None, "all else is drawn in columns"  # noqa: S101 - for the type checker
    clock = Span(units.clock(event.at, utc=view.query.utc), "muted")
    if isinstance(event, Change) or event.event is not None:
        incident = each.incident
        is_known = incident is not None and incident.is_open and bool(incident.acknowledged)
        severity = event.severity or (incident.severity if incident is not None else State.DOWN)
        left: Line = (Span("  ┊ " if incident is not None else "", "faint"), clock, *_step(event, severity, names))
        left = tuple(Span(span.text, "faint") for span in left) if is_known else left
    else:
        mark, style, word = _what(event)
        left = (Span(mark, style), Span(" "), clock, Span("  "), *_said(event, word, style))
    trace: Line = (Span(printable(event.trace_id), "faint"), Span(" "))
    fits = event.trace_id and width >= TRACE_FROM and line_cells((*left, *trace)) < width
    return justified(left, trace if fits else (), width)


def _step(event: Change | LogEntry, state: State, names: Mapping[str, str]) -> Line:
    """An event of an incident: its shape, its name and its facts."""
    is_over = event.event is IncidentEvent.CLOSED
    style = State.UP.value if is_over else state.value
    facts = printable(event_facts(event, names))
    number = f"#{event.incident} " if isinstance(event, LogEntry) else ""
    is_shift = event.event in (IncidentEvent.WORSE, IncidentEvent.BETTER) and event.severity is not None
    name = f"{event.event} ({event.severity})" if is_shift else str(event.event)
    return (Span(f" {OVER if is_over else state.mark} {number}{name}", style), Span(f": {facts}" if facts else ""))


def _said(entry: LogEntry, word: str, style: str) -> Line:
    text = printable(entry.text)
    if text == word or (word and text.startswith(f"{word} ")):
        text = text.removeprefix(word)
    elif word and text:
        text = f": {text}"
    who: Line = (Span(printable(entry.endpoint), "header"), Span(" ")) if entry.endpoint else ()
    return (*who, Span(word, style), Span(text))


def _what(entry: LogEntry) -> tuple[str, str, str]:
    """Its shape, the style of it, and the word for it."""
    if entry.state is not None:
        return entry.state.mark, entry.state.value, entry.state.value
    if entry.finding is not None:
        return (*severity_mark(entry_of(entry.finding).severity), "")
    return {
        "finding": ("▲", "warn", ""),
        "mark": ("◆", "accent", "mark"),
        "engine": ("■", "bad", "engine"),
    }.get(entry.kind, ("·", "muted", printable(entry.kind)))


def first_endpoint(incident: Incident, fleet: Sequence[Endpoint]) -> str:
    """The first of its endpoints that is still in it, in the profile's order; of one that is over the first of all."""
    order = {endpoint.name: place for place, endpoint in enumerate(fleet)}
    members = [each for each in incident.members if each.until is None] or list(incident.members)
    return min((each.endpoint for each in members), key=lambda name: order.get(name, len(order)), default="")


def open_count(view: View) -> str:
    """` · 2 open`; empty where none is."""
    count = len(view.open_incidents)
    return f" · {count} open" if count else ""
