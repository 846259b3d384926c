"""The table of endpoints: how each one is, its figures in the window, and its last minutes as a sparkline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gwtui.model.columns import OPTIONAL_COLUMNS
from gwtui.model.enums import Severity, State
from gwtui.model.findings import entry_of
from gwtui.model.verdicts import GOOD
from gwtui.model.view import EndpointRow, Quantile, View
from gwtui.text import units
from gwtui.ui.charts import sparkline
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import MovingPanel, scrolled
from gwtui.ui.panels.marks import severity_mark
from gwtui.ui.text_layout import (
    Column,
    Line,
    Placed,
    Span,
    cells,
    centred,
    exact,
    fit,
    line_cells,
    over,
    place,
    row,
    sheet,
)

COLUMNS = (
    *("endpoint", "api", "state", "last", "p50", "p95", "p99"),
    *OPTIONAL_COLUMNS,
    *("tokens", "fail", "n", "missed", "verdict"),
)
"""The names of the columns that the table can be ordered by."""

WIDE = 196
"""The number of columns from which the counts of verdicts leave room for the last verdict."""

_GOOD = frozenset(verdict.value for verdict in GOOD)
_CALM = frozenset({"", "cancelled", "local"})


@dataclass(frozen=True, slots=True)
class TableView:
    """What of the table is looked at."""

    selected: str = ""
    """The selected endpoint's name."""
    top: int = 0
    """The first visible row."""
    focused: bool = False


def draw(view: View, width: int, height: int, at: TableView) -> list[Line]:
    """The heading and the rows from `at.top` on."""
    if not view.endpoints:
        return centred(_nothing(view), width, height)
    placed = columns(view, width)
    shown = view.endpoints[at.top : at.top + max(0, height - 1)]
    lines = [_heading(placed, view), *(_row(placed, endpoint, view, at, width) for endpoint in shown)]
    return sheet(lines, width, height)


def out_of_sight(rows: Sequence[EndpointRow], width: int) -> str:
    """Which of the rows that are not to be seen are sick, the worst first, as many as there is room for."""
    sick = [row for state in (State.DOWN, State.DEGRADED, State.SLOW) for row in rows if row.state is state]
    for named in range(min(len(sick), width // 4), -1, -1):
        parts = [f"{row.state.mark} {row.name}" for row in sick[:named]]
        if left := len(sick) - named:
            parts.append(f"and {left} more" if named else f"{left} sick")
        if cells(text := "  ".join(parts)) <= width:
            return text
    return ""


def columns(view: View, width: int) -> tuple[Placed, ...]:
    """Which columns there are at this width, and where."""
    rows = view.endpoints
    name = max((cells(one.name) + (5 if one.insecure else 0) for one in rows), default=8)
    api = max((cells(one.api) for one in rows), default=3)
    other = any(one.metric is not view.query.metric for one in rows)
    missed = any(one.missed for one in rows)
    held = any(one.held_ns is not None for one in rows)
    wanted = [
        Column("mark", "", 2, gap=0),
        Column("endpoint", "endpoint", min(max(name, 10), 17), grow=max(0, min(name, 32) - 17), gap=1),
        Column("api", "api", min(max(api, 4), 20), rank=9),
        Column("state", "state", 8),
        Column("last", "last", 7, right=True, rank=2),
        Column("age", "age", 4, right=True, gap=1, rank=12),
        Column("next", "next", 4, right=True, gap=1, rank=13),
        *([Column("metric", "", 4, gap=1, rank=8)] if other else []),
        Column("p50", "p50", 6, right=True, gap=1 if other else 2, rank=1),
        Column("p95", "p95", 6, right=True, rank=4),
        Column("p99", "p99", 6, right=True, rank=5),
        *(_optional_column(name) for name in OPTIONAL_COLUMNS if name in view.query.columns),
        Column("tokens", "tok/s", 6, right=True, rank=6),
        Column("fail", "fail%", 5, right=True),
        Column("n", "n", 6, right=True, rank=11),
        *([Column("missed", "missed", 6, right=True, rank=10)] if missed else []),
        Column("verdict", "verdict", 21 if held else 13, grow=9 if held else 6, rank=3),
        Column("sparkline", f"last {view.query.window}", 10 if held else 12, rank=7, grow=12),
        *([Column("verdicts", f"verdicts in {view.query.window}", 26, rank=14, grow=10)] if width >= WIDE else []),
        Column("note", "note", 16, rank=15, grow=200),
    ]
    return place(wanted, width - 1)


def _optional_column(name: str) -> Column:
    return Column(name, name, 9 if name == "cost" else 6, right=True, rank=1)


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


def _heading(placed: Sequence[Placed], view: View) -> Line:
    texts: dict[str, Span | Line] = {}
    for column, _, _width in placed:
        if column.name == view.query.sort:
            texts[column.name] = Span(column.heading + ("▼" if view.query.descending else "▲"), "accent")
        else:
            texts[column.name] = Span(column.heading, "muted")
    return row(placed, texts)


def _row(placed: Sequence[Placed], endpoint: EndpointRow, view: View, at: TableView, width: int) -> Line:
    widths = {column.name: width for column, _, width in placed}
    selected = endpoint.name == at.selected
    state = endpoint.state.value
    own = endpoint.metric is not view.query.metric
    figure = "muted" if own or endpoint.state is State.PAUSED else "text"
    texts: dict[str, Span | Line] = {
        "mark": (Span(("▌" if at.focused else "▏") if selected else " ", "accent"), Span(endpoint.state.mark, state)),
        "endpoint": _name(endpoint, widths["endpoint"], selected),
        "api": Span(endpoint.api, "muted"),
        "state": Span(state, "muted" if endpoint.state is State.UP else state),
        "last": Span(units.duration(endpoint.last_ns), "faint" if endpoint.last_ns is None else figure),
        "age": Span(units.brief(endpoint.age_ns), "muted"),
        "next": Span(units.brief(endpoint.next_ns), "muted"),
        "metric": Span(endpoint.metric.value if own else "", "faint"),
        "p50": _quantile(endpoint.p50, figure),
        "p95": _quantile(endpoint.p95, figure),
        "p99": _quantile(endpoint.p99, figure),
        **_optional(endpoint, figure),
        "tokens": Span(units.rate(endpoint.tokens_per_s), figure if endpoint.tokens_per_s is not None else "faint"),
        "fail": _fail(endpoint.fail_share),
        "n": Span(units.count(endpoint.n), "muted"),
        "missed": Span(units.count(endpoint.missed) if endpoint.missed else "", "warn"),
        "verdict": _verdict(endpoint, widths.get("verdict", 0)),
        "verdicts": _counts(endpoint, widths.get("verdicts", 0)),
        "note": Span(endpoint.note, "muted"),
    }
    if "sparkline" in widths:
        texts["sparkline"] = sparkline(endpoint.sparkline, widths["sparkline"])
    line = exact(row(placed, texts), width)
    return over(line, "selection") if selected else line


def _optional(endpoint: EndpointRow, figure: str) -> dict[str, Span]:
    return {
        "avg": Span(units.short(endpoint.mean_ns), figure if endpoint.mean_ns is not None else "faint"),
        "total": Span(units.short(endpoint.total_ns), figure if endpoint.total_ns is not None else "faint"),
        "cost": Span(units.dollars(endpoint.cost_usd), "faint" if endpoint.cost_usd is None else "text"),
    }


def _name(endpoint: EndpointRow, width: int, selected: bool) -> Line:
    warning = " !tls" if endpoint.insecure else ""
    name = fit(endpoint.name, min(cells(endpoint.name), max(0, width - len(warning))))
    return (
        Span(name, "muted" if endpoint.state is State.PAUSED else "header" if selected else "text"),
        Span(warning, "warn"),
    )


def _quantile(quantile: Quantile, style: str) -> Span:
    return Span(units.quantile(quantile.value_ns, quantile.n), style if quantile.value_ns is not None else "faint")


def _fail(share: float | None) -> Span:
    return Span(units.share(share), "faint" if share is None else "bad" if share else "muted")


def _verdict(endpoint: EndpointRow, width: int) -> Line:
    """The verdict, what stands behind it, and a mark where the window has findings; the word is cut last."""
    found, style = _found(endpoint)
    room, needed = width - len(found), cells(endpoint.verdict)
    behind = _behind_verdict(endpoint)
    text = next((text for text in behind if needed + len(text) <= room), behind[-1])
    word = fit(endpoint.verdict, min(needed, max(0, room - len(text))))
    return (Span(word + text, _style(endpoint.verdict)), Span(found, style))


def _behind_verdict(endpoint: EndpointRow) -> tuple[str, ...]:
    """How often in a row it came; while the endpoint is left alone, the time until its next probe. Longest first."""
    if endpoint.held_ns is not None:
        wait = units.countdown(endpoint.held_ns)
        return f" held {wait}", f" +{wait}"
    if endpoint.verdict_run > 1 and endpoint.verdict not in _GOOD:
        return f" {endpoint.verdict_run}x", ""
    return ("",)


def _found(endpoint: EndpointRow) -> tuple[str, str]:
    """The mark of the gravest finding of the window, and its style; nothing without one."""
    severities = {entry_of(name).severity for name, _ in endpoint.findings}
    if not severities:
        return "", ""
    mark, style = severity_mark(Severity.WARNING if Severity.WARNING in severities else Severity.INFO)
    return f" {mark}", style


def _style(verdict: str) -> str:
    return "muted" if verdict in _GOOD | _CALM else "bad"


def _counts(endpoint: EndpointRow, width: int) -> Line:
    """How often each verdict came in the window, and what was found how often. The good ones give their words up."""

    def line(good: str | None) -> Line:
        counted = [
            (f"{good if good and word in _GOOD else word} {units.count(count)}", _style(word))
            for word, count in endpoint.verdicts
        ]
        for name, count in endpoint.findings:
            mark, style = severity_mark(entry_of(name).severity)
            counted.append((f"{mark} {name} {units.count(count)}", style))
        return tuple(Span(f"  {text}" if place else text, style) for place, (text, style) in enumerate(counted))

    whole = line(None)
    return whole if line_cells(whole) <= width else line("✔")


class EndpointsPanel(MovingPanel):
    """Arrows, wheel and clicks select an endpoint; a click on a heading asks for that order."""

    NUMBER = 1
    FADES = True
    DEFAULT_CSS = "EndpointsPanel { padding: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("endpoints")]

    class Selected(Message):
        """Another endpoint was selected."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Sort(Message):
        """The heading of a column, one of `COLUMNS`, was clicked."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    class Opened(Message):
        """An endpoint's newest request is to be looked into."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    selected = ""
    """The selected endpoint's name."""

    _top = 0

    def show(self, view: View) -> None:
        if view.selected is not None:
            self.selected = view.selected.name
        super().show(view)

    def title(self, view: View) -> str:
        shown = f" · /{view.query.filter} · {len(view.endpoints)} of {len(view.endpoints) + view.hidden}"
        return f"Endpoints · {view.query.metric.label}" + (shown if view.query.filter else "")

    def subtitle(self, view: View) -> str:
        visible, count = self.size.height - 1, len(view.endpoints)
        if not 0 < visible < count:
            return ""
        end = min(count, self._top + visible)
        place = f"{self._top + 1}-{end} of {count}"
        sick = out_of_sight((*view.endpoints[: self._top], *view.endpoints[end:]), self.size.width - cells(place) - 10)
        return f"{sick} · {place}" if sick else place

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        index = self._index(view)
        self._top = scrolled(self._top, index, height - 1, len(view.endpoints))
        return draw(view, width, height, TableView(self.selected, self._top, self.has_focus))

    def _index(self, view: View) -> int:
        """The selected row; the first where the selected endpoint is not shown."""
        return next((i for i, endpoint in enumerate(view.endpoints) if endpoint.name == self.selected), 0)

    def _select(self, index: int) -> None:
        if self.view is None or not self.view.endpoints:
            return
        name = self.view.endpoints[max(0, min(index, len(self.view.endpoints) - 1))].name
        if name != self.selected:
            self.selected = name
            self.redraw()
            self.post_message(self.Selected(name))

    def action_move(self, lines: int) -> None:
        if self.view is not None:
            self._select(self._index(self.view) + lines)

    def action_open(self) -> None:
        if self.view is not None and self.view.endpoints:
            self.post_message(self.Opened(self.view.endpoints[self._index(self.view)].name))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self.view is None:
            return
        if offset.y == 0:
            self._clicked_heading(self.view, offset.x)
        elif self._top + offset.y - 1 < len(self.view.endpoints):
            self._select(self._top + offset.y - 1)
            if event.chain == 2:
                self.action_open()

    def _clicked_heading(self, view: View, x: int) -> None:
        for column, start, width in columns(view, self.size.width):
            if start - column.gap <= x < start + width and column.name in COLUMNS:
                self.post_message(self.Sort(column.name))
