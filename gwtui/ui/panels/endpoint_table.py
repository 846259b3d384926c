"""The lines of the endpoints table: which columns there are in a width, headings, rows and summaries of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gwtui.model.columns import OPTIONAL_COLUMNS
from gwtui.model.enums import BAD, State
from gwtui.model.view import EndpointRow, GroupRow, View
from gwtui.text import units
from gwtui.ui.charts import sparkline
from gwtui.ui.panels import endpoint_cells as texts
from gwtui.ui.text_layout import (
    Column,
    Line,
    Placed,
    Span,
    cells,
    centred,
    exact,
    fit,
    over,
    place,
    row,
    sheet,
)

COLUMNS = (
    *("endpoint", "api", "state", "why", "last", "p50", "ratio", "p95", "p99"),
    *OPTIONAL_COLUMNS,
    *("tokens", "fail", "n", "missed"),
)
"""The names of the columns that the table can be ordered by."""

WIDE = 196
"""The number of columns from which the counts of verdicts leave room for the rest."""
NAME, NARROW_NAME, LONGEST_NAME = 20, 13, 60
"""Cells for a name that other columns give way to, on a narrow screen too, and the most that one takes."""
WHOLE = texts.SharedEnds()
"""Of names that are shown as they are."""
_NUMBERS = frozenset({"last", "p50", "p95", "p99", "avg"})
"""Columns of numbers whose points stand below one another."""


@dataclass(frozen=True, slots=True)
class TableView:
    """What of the table is looked at."""

    selected: str = ""
    """The selected endpoint's name."""
    top: int = 0
    """The first visible line."""
    focused: bool = False
    group: str = ""
    """The group whose summary the cursor is on; empty: it is on the endpoint."""


def lines_of(view: View) -> Sequence[EndpointRow | GroupRow]:
    """What the table lists."""
    return view.rows or view.endpoints


def is_sick(line: EndpointRow | GroupRow) -> bool:
    """Whether it shows a sick endpoint, or the summary of one."""
    if isinstance(line, EndpointRow):
        return line.state in BAD
    return any(state in BAD for state, _ in line.states)


def cursor(view: View, selected: str, group: str) -> int:
    """The line of the cursor: that of the group, of the endpoint, of the folded group that has it, or the first."""
    lines = lines_of(view)
    for at, line in enumerate(lines):
        if isinstance(line, GroupRow) and line.name == group:
            return at
    for at, line in enumerate(lines):
        if isinstance(line, EndpointRow) and line.name == selected:
            return at
    folded = (at for at, line in enumerate(lines) if isinstance(line, GroupRow) and selected in line.members)
    return next(folded, 0)


def draw(view: View, width: int, height: int, at: TableView) -> list[Line]:
    """The heading and the lines from `at.top` on."""
    lines = lines_of(view)
    if not lines:
        return centred(_nothing(view), width, height)
    placed = columns(view, width)
    ends = _left_out(view, placed)
    marked = cursor(view, at.selected, at.group)
    bar = "▌" if at.focused else "▏"
    drawn = [_heading(placed, view, ends)]
    for index, line in enumerate(lines[at.top : at.top + max(0, height - 1)], at.top):
        mark = Span(bar if index == marked else " ", "accent")
        whole = (
            exact((mark, Span("▸ " if line.is_folded else "▾ ", "muted"), *texts.summary(line)), width)
            if isinstance(line, GroupRow)
            else _row(placed, line, view, mark, ends, width)
        )
        drawn.append(over(whole, "selection") if index == marked else whole)
    return sheet(drawn, width, height)


def unseen(view: View, first: int, end: int) -> list[EndpointRow]:
    """The endpoints that the lines from `first` to before `end` neither show nor count."""
    seen: set[str] = set()
    for line in lines_of(view)[first:end]:
        if isinstance(line, EndpointRow):
            seen.add(line.name)
        elif line.is_folded:
            seen.update(line.members)
    return [each for each in view.endpoints if each.name not in seen]


def out_of_sight(rows: Sequence[EndpointRow], width: int) -> str:
    """Which of the rows that are not to be seen are sick, the worst first, as many as there is room for."""
    sick = [row for state in reversed(BAD) for row in rows if row.state is state]
    for named in range(min(len(sick), width // 4), -1, -1):
        parts = [f"{row.state.mark} {row.name}" for row in sick[:named]]
        if left := len(sick) - named:
            parts.append(f"and {left} more" if named else f"{left} sick")
        if cells(text := "  ".join(parts)) <= width:
            return text
    return ""


def columns(view: View, width: int) -> tuple[Placed, ...]:
    """Which columns there are at this width, and where. None of them depends on what was measured last."""
    rows = view.endpoints
    name, room = _longest(rows), (NARROW_NAME if width < 76 else NAME) + max(0, width - 78) // 4
    least = max(min(name if name <= room else _longest(rows, _ends(rows)), room), cells("endpoint▲"))
    api = max((cells(one.api) for one in rows), default=3)
    other = any(one.metric is not view.query.metric for one in rows)
    missed = any(one.missed for one in rows)
    with_window = texts.NUMBER + 4
    wanted = [
        Column("mark", "", 2, gap=0),
        Column("endpoint", "endpoint", least, grow=max(0, min(name, LONGEST_NAME) - least), gap=1),
        Column("api", "api", min(max(api, 4), 20), rank=13),
        Column("state", "state", 8, rank=1),
        Column("why", "why", 19, grow=11),
        Column("last", "last", texts.NUMBER, gap=1, rank=4),
        Column("age", "age", 4, right=True, gap=1, rank=11),
        Column("next", "next", 4, right=True, gap=1, rank=12),
        *([Column("metric", "", 4, gap=1, rank=10)] if other else []),
        Column("p50", "p50", texts.NUMBER, gap=1, rank=2),
        Column("ratio", "x", 5, right=True, gap=0, rank=3),
        Column("p95", "p95", with_window, gap=1, rank=6),
        Column("p99", "p99", with_window, gap=1, rank=9),
        *(_optional_column(name) for name in OPTIONAL_COLUMNS if name in view.query.columns),
        Column("tokens", "tok/s", 6, right=True, gap=1, rank=7),
        Column("fail", "fail%", 5, right=True, gap=1, rank=5),
        Column("n", "n", 6, right=True, rank=16),
        *([Column("missed", "missed", 6, right=True, rank=14)] if missed else []),
        Column("sparkline", f"last {view.query.window}", 12, rank=8, grow=12),
        *([Column("verdicts", f"verdicts in {view.query.window}", 26, rank=15, grow=10)] if width >= WIDE else []),
        Column("note", "note", 16, rank=17, grow=200),
    ]
    return place(wanted, width - 1)


def _ends(rows: Sequence[EndpointRow]) -> texts.SharedEnds:
    return texts.SharedEnds.of([one.name for one in rows])


def _longest(rows: Sequence[EndpointRow], ends: texts.SharedEnds = WHOLE) -> int:
    """The cells of the longest name without what all names have."""
    lengths = (cells(ends.cut(one.name)) + (5 if one.insecure else 0) for one in rows)
    return max(lengths, default=NARROW_NAME)


def _optional_column(name: str) -> Column:
    heading, width = {"avg": ("avg", texts.NUMBER), "total": ("total s", 9), "cost": ("cost", 9)}[name]
    return Column(name, heading, width, right=name != "avg", gap=1, rank=1)


def _left_out(view: View, placed: Sequence[Placed]) -> texts.SharedEnds:
    """What is left out of the names, because all of them have it and some are too long."""
    width = next(width for column, _, width in placed if column.name == "endpoint")
    return WHOLE if _longest(view.endpoints) <= width else _ends(view.endpoints)


def _nothing(view: View) -> list[Line]:
    if not view.header.at:
        return [(Span("The engine is starting …", "muted"),)]
    if view.hidden:
        hidden = "1 endpoint is" if view.hidden == 1 else f"{view.hidden} endpoints are"
        return [
            (Span("No endpoint matches ", "muted"), Span(fit(view.query.filter, min(40, cells(view.query.filter))))),
            (Span(f"{hidden} hidden by the filter", "faint"),),
        ]
    return [
        (Span("This profile has no endpoints yet", "muted"),),
        (Span("Add the first one, and it is probed at once", "faint"),),
    ]


def _heading(placed: Sequence[Placed], view: View, ends: texts.SharedEnds) -> Line:
    headings: dict[str, Span | Line] = {}
    for column, _, width in placed:
        is_order = column.name == view.query.sort
        text = f"{ends.start}…{ends.end}" if any(ends) and column.name == "endpoint" else column.heading
        if is_order:
            text += "▼" if view.query.descending else "▲"
        if column.name in _NUMBERS:
            text = texts.aligned(text)
        elif column.name == "endpoint":
            text = fit(text, width)
        headings[column.name] = Span(text, "accent" if is_order else "muted")
    return row(placed, headings)


def _row(
    placed: Sequence[Placed], endpoint: EndpointRow, view: View, bar: Span, ends: texts.SharedEnds, width: int
) -> Line:
    widths = {column.name: width for column, _, width in placed}
    state = endpoint.state.value
    own = endpoint.metric is not view.query.metric
    figure = "muted" if own or endpoint.state is State.PAUSED else "text"
    content: dict[str, Span | Line] = {
        "mark": (bar, Span(endpoint.state.mark, state)),
        "endpoint": texts.name(endpoint, widths["endpoint"], ends, bar.text != " "),
        "api": Span(endpoint.api, "muted"),
        "state": Span(state, "muted" if endpoint.state is State.UP else state),
        "why": texts.why(endpoint, widths["why"]),
        "last": texts.last(endpoint, figure, with_age="age" not in widths),
        "age": Span(units.brief(endpoint.age_ns), "muted"),
        "next": Span(units.brief(endpoint.next_ns), "muted"),
        "metric": Span(endpoint.metric.value if own else "", "faint"),
        "p50": texts.quantile(endpoint.p50, None, figure),
        "ratio": texts.ratio(endpoint),
        "p95": texts.quantile(endpoint.p95, endpoint.p95_window, figure),
        "p99": texts.quantile(endpoint.p99, endpoint.p99_window, figure),
        "tokens": texts.one_decimal(endpoint.tokens_per_s, figure),
        **_further(endpoint, widths, figure),
    }
    return exact(row(placed, content), width)


def _further(endpoint: EndpointRow, widths: Mapping[str, int], figure: str) -> dict[str, Span | Line]:
    """What a narrow table has no room for."""
    total_s = None if endpoint.total_ns is None else endpoint.total_ns / 1e9
    content: dict[str, Span | Line] = {
        "avg": texts.duration(endpoint.mean_ns, figure),
        "total": texts.one_decimal(total_s, figure),
        "cost": Span(units.dollars(endpoint.cost_usd), "faint" if endpoint.cost_usd is None else "text"),
        "fail": texts.fail(endpoint.fail_share),
        "n": Span(units.count(endpoint.n), "muted"),
        "missed": Span(units.count(endpoint.missed) if endpoint.missed else "", "warn"),
        "note": Span(endpoint.note, "muted"),
    }
    if "verdicts" in widths:
        content["verdicts"] = texts.verdicts(endpoint, widths["verdicts"])
    if "sparkline" in widths:
        content["sparkline"] = sparkline(endpoint.sparkline, widths["sparkline"])
    return content
