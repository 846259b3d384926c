"""Incidents over time as lines: a lane for each scope, and for the endpoints of those that are unfolded. Pure.

All times are wall times in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from gwtui.health.sentence import gateway_names, place_name, worst_first
from gwtui.model.enums import BAD, State
from gwtui.model.incidents import Incident, IncidentEvent, Scope, ScopeKind
from gwtui.model.view import View
from gwtui.text import units
from gwtui.ui.text_layout import Line, Span, cells, centred, fit, printable, sheet

BARS = {State.SLOW: "▃", State.DEGRADED: "▅", State.DOWN: "▇"}
"""The worse, the higher; none as high as a line, so that lanes stay apart."""
LABEL_CELLS = (12, 30)
"""The least and the most cells that the names of the lanes take."""
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800)
DAY_S = 86_400
_ENDS = (IncidentEvent.CLOSED, IncidentEvent.MERGED)
FRAME_LINES = 3
"""The line of the marks, and the axis with its clocks."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time in one state."""

    start: float
    end: float | None
    """None: it goes on."""
    state: State
    is_known: bool = False
    """The incident is acknowledged."""


@dataclass(frozen=True, slots=True)
class TimelineLane:
    """A row of the timeline."""

    name: str
    scope: str
    """As `Incident.scope`; of an endpoint's lane that of its incidents."""
    bars: tuple[Bar, ...]
    incidents: tuple[Incident, ...]
    """Those that are in it."""
    is_member: bool = False


@dataclass(frozen=True, slots=True)
class TimelineView:
    """What of the timeline is looked at."""

    start: float
    end: float
    lane: int = 0
    top: int = 0
    cursor: float | None = None
    """None: now, or the moment that is shown."""
    focused: bool = False


def bars(incident: Incident) -> tuple[Bar, ...]:
    """The severity of an incident over time, with the gaps in which it was over."""
    made: list[Bar] = []
    known = bool(incident.acknowledged)
    state, since = incident.severity, incident.opened
    is_open, is_first = True, True
    for change in incident.changes:
        if change.event in _ENDS:
            if is_open:
                made.append(Bar(since, change.at, state, known))
            is_open = False
        elif not is_open:
            state, since, is_open = change.severity or state, change.at, True
        elif is_first:
            state = change.severity or state
        elif change.severity not in (None, state):
            made.append(Bar(since, change.at, state, known))
            state, since = change.severity or state, change.at
        is_first = False
    if is_open:
        made.append(Bar(since, incident.closed, state, known))
    return tuple(made)


def lanes(view: View, unfolded: Collection[str] = ()) -> list[TimelineLane]:
    """A lane for each scope, in the order of the list of incidents; those of the endpoints of `unfolded` scopes under
    it, in the profile's order."""
    names = gateway_names(view.fleet)
    by_scope: dict[str, list[Incident]] = {}
    for incident in worst_first(view.incidents):
        by_scope.setdefault(incident.scope, []).append(incident)
    made: list[TimelineLane] = []
    for scope, incidents in by_scope.items():
        drawn = tuple(bar for each in incidents for bar in bars(each))
        made.append(TimelineLane(_name(scope, names), scope, drawn, tuple(incidents)))
        if scope in unfolded:
            made += _members(view, scope, incidents)
    return made


def _name(scope: str, names: dict[str, str]) -> str:
    try:
        parsed = Scope.parse(scope)
    except ValueError:
        parsed = Scope(ScopeKind.ENDPOINT, scope)
    return printable(place_name(parsed, names))


def _members(view: View, scope: str, incidents: Sequence[Incident]) -> Iterator[TimelineLane]:
    order = {endpoint.name: place for place, endpoint in enumerate(view.fleet)}
    found = [(member, each) for each in incidents for member in each.members]
    found.sort(key=lambda one: (order.get(one[0].endpoint, len(order)), one[0].endpoint, one[0].vantage))
    for (endpoint, vantage), group in groupby(found, key=lambda one: (one[0].endpoint, one[0].vantage)):
        parts = list(group)
        drawn = tuple(Bar(one.since, one.until, one.state, bool(each.acknowledged)) for one, each in parts)
        of = tuple(each for _, each in parts)
        name = printable(f"{vantage}/{endpoint}" if vantage else endpoint)
        yield TimelineLane(name, scope, drawn, of, is_member=True)


def label_cells(listed: Sequence[TimelineLane], width: int) -> int:
    """How many cells the names take in a timeline that wide."""
    least, most = LABEL_CELLS
    wanted = max((cells(lane.name) + 3 + 2 * lane.is_member for lane in listed), default=least)
    return max(least, min(wanted, most, width // 3))


def draw(view: View, listed: Sequence[TimelineLane], width: int, height: int, at: TimelineView) -> list[Line]:
    """The marks, the lanes from `at.top` on, and the axis with its clocks."""
    if not listed:
        return centred([(Span("All quiet: no incident in this session", "muted"),)], width, height)
    label = label_cells(listed, width)
    chart = width - label
    if chart < 8 or height <= FRAME_LINES:
        return sheet([], width, height)
    marks = {_column(at, chart, entry.at) for entry in view.log if entry.kind == "mark"}
    lines = [_marks(marks, label, chart)]
    rulers = _Rulers(
        marks=frozenset(marks),
        now=_column(at, chart, view.at),
        cursor=None if at.cursor is None else _column(at, chart, at.cursor),
        is_past=view.header.behind_ns > 0,
    )
    shown = listed[at.top : at.top + height - FRAME_LINES]
    for place, lane in enumerate(shown, at.top):
        lines.append(
            (*_label(lane, label, is_chosen=place == at.lane, at=at), *_lane(lane, chart, at, rulers, view.at))
        )
    lines += [(Span(" " * label),)] * (height - FRAME_LINES - len(shown))
    return sheet([*lines, *_axis(at, label, chart, rulers, utc=view.query.utc)], width, height)


@dataclass(frozen=True, slots=True)
class _Rulers:
    """The columns that something stands in from top to bottom."""

    marks: frozenset[int | None]
    now: int | None
    cursor: int | None
    is_past: bool

    def behind(self, x: int) -> tuple[str, str]:
        """What an empty cell shows, and its style."""
        if x == self.cursor:
            return "│", "warn"
        if x == self.now:
            return "│", "warn" if self.is_past else "muted"
        return ("┊", "accent") if x in self.marks else (" ", "axis")


def _column(at: TimelineView, chart: int, time: float) -> int | None:
    """The column of that time; None where it is not in sight."""
    share = (time - at.start) / (at.end - at.start)
    return min(int(share * chart), chart - 1) if 0 <= share <= 1 else None


def _marks(marks: Collection[int | None], label: int, chart: int) -> Line:
    said = fit("  marks", label) if any(x is not None for x in marks) else " " * label
    return (Span(said, "muted"), Span("".join("◆" if x in marks else " " for x in range(chart)), "accent"))


def _label(lane: TimelineLane, width: int, *, is_chosen: bool, at: TimelineView) -> Line:
    worst = max((bar for bar in lane.bars if bar.end is None), key=lambda bar: BAD.index(bar.state), default=None)
    mark = Span(worst.state.mark if worst is not None else " ", worst.state.value if worst is not None else "text")
    bar = Span(("▌" if at.focused else "▏") if is_chosen else " ", "accent")
    indent = "  " if lane.is_member else ""
    style = "muted" if lane.is_member else "header" if is_chosen else "text"
    name = Span(fit(f" {indent}{lane.name}", width - 2), style)
    return tuple(Span(text, f"{style} selection" if is_chosen else style) for text, style in (bar, mark, name))


def _lane(lane: TimelineLane, chart: int, at: TimelineView, rulers: _Rulers, now: float) -> Line:
    """Of bars that fall together the worst is seen; each begins with the mark of its state. The cause stands after its
    bars, or before them, where there is room."""
    drawn: list[tuple[str, str] | None] = [None] * chart
    for bar in sorted(lane.bars, key=lambda bar: (BAD.index(bar.state), bar.start)):
        first, last = _columns(bar.start, now if bar.end is None else bar.end, chart, at)
        style = "faint" if bar.is_known else bar.state.value
        drawn[first:last] = [(BARS[bar.state], style)] * (last - first)
        if first < last:
            drawn[first] = (bar.state.mark, style)
    for incident in () if lane.is_member else lane.incidents:
        first, last = _columns(incident.opened, now if incident.closed is None else incident.closed, chart, at)
        if first < last:
            _caption(drawn, printable(incident.cause).partition(" (")[0], first, last)
    spans: list[Span] = []
    for x, cell in enumerate(drawn):
        text, style = rulers.behind(x) if cell is None else cell
        spans.append(Span(text, f"{style} selection" if x == rulers.cursor else style))
    return joined(spans)


def _columns(start: float, end: float, chart: int, at: TimelineView) -> tuple[int, int]:
    """The columns from when to when, at least one; none where it is not in sight."""
    if end < at.start or start > at.end:
        return 0, 0
    scale = chart / (at.end - at.start)
    first = max(0, min(int((start - at.start) * scale), chart - 1))
    return first, max(first + 1, min(math.ceil((end - at.start) * scale), chart))


def _caption(drawn: list[tuple[str, str] | None], text: str, first: int, last: int) -> None:
    size = cells(text)
    if size != len(text):
        return
    for begin in (last + 1, first - size - 1):
        room = drawn[max(0, begin - 1) : begin + size + 1]
        if begin >= 0 and begin + size <= len(drawn) and not any(room[1:-1] if begin > last else room[:-1]):
            drawn[begin : begin + size] = [(letter, "muted") for letter in text]
            return


def joined(spans: Sequence[Span]) -> Line:
    """Neighbours of one style as one span."""
    return tuple(
        Span("".join(span.text for span in group), style)
        for style, group in groupby(spans, key=lambda span: span.style)
    )


def _axis(at: TimelineView, label: int, chart: int, rulers: _Rulers, *, utc: bool) -> list[Line]:
    step = _step(at, chart)
    line, clocks = ["─"] * chart, [" "] * chart
    ahead_s = units.zone_offset_s(at.start, utc=utc)
    tick = math.ceil((at.start + ahead_s) / step) * step - ahead_s
    free = 0
    while tick <= at.end:
        x = _column(at, chart, tick)
        text = _clock(tick, step, utc=utc)
        begin = max(0, (x or 0) - cells(text) // 2)
        if x is not None and begin >= free and begin + cells(text) <= chart:
            line[x] = "┴"
            clocks[begin : begin + cells(text)] = text
            free = begin + cells(text) + 2
        tick += step
    spans = [
        Span("┴" if x in (rulers.cursor, rulers.now) else text, rulers.behind(x)[1] if x != rulers.now else "muted")
        for x, text in enumerate(line)
    ]
    return [(Span(" " * label), *joined(spans)), (Span(" " * label), Span("".join(clocks), "muted"))]


def _step(at: TimelineView, chart: int) -> int:
    """The shortest step of the clocks that has room for them."""
    per_cell = (at.end - at.start) / chart
    return next((step for step in STEPS_S if step >= per_cell * 12), math.ceil(per_cell * 12 / DAY_S) * DAY_S)


def _clock(time: float, step: int, *, utc: bool) -> str:
    """`14:03`, with seconds where it is finer than minutes; `11-30` at the beginning of a day."""
    clock = units.clock(time, utc=utc)
    if clock == "00:00:00" and step >= 3600:
        return units.timestamp(time, utc=utc)[5:10]
    return clock if step < 60 else clock[:5]
