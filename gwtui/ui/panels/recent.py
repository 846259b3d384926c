"""The latest probes of an endpoint as a list to walk through, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gwtui.model.verdicts import Verdict
from gwtui.model.view import RequestRow, View
from gwtui.text import units
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import MovingPanel, scrolled
from gwtui.ui.panels.marks import outcome_mark
from gwtui.ui.text_layout import Line, Span, cells, exact, fit, over, sheet


@dataclass(frozen=True, slots=True)
class RecentView:
    """What of the list is looked at."""

    number: int | None = None
    """The probe that is shown."""
    top: int = 0
    focused: bool = False


def draw(view: View, width: int, height: int, at: RecentView) -> list[Line]:
    """A line per probe from `at.top` on; one that is shown while it is under way stands above the ended ones."""
    lines = [line(row, width, view, at) for row in rows(view)[at.top : at.top + height]]
    return sheet(lines, width, height)


def rows(view: View) -> tuple[RequestRow, ...]:
    """The ended probes, and before them the shown one where it has not ended."""
    stream = view.stream
    if stream is None or stream.request is not None or any(row.number == stream.number for row in view.recent):
        return view.recent
    return (RequestRow(stream.number, stream.started_at, "", stream.since_sent_ns, ""), *view.recent)


def line(row: RequestRow, width: int, view: View, at: RecentView | None = None) -> Line:
    """Number, time, latency and verdict of one probe."""
    chosen = at is not None and row.number == at.number
    mark, style = outcome_mark(Verdict(row.verdict).outcome if row.verdict else None)
    spans: Line = (
        Span(("▌" if at.focused else "▏") if at is not None and chosen else " ", "accent"),
        Span(fit(f"#{row.number}", 6), "header" if chosen else "muted"),
        Span(f" {units.clock(row.started_at, utc=view.query.utc)}", "muted"),
        Span("≈" if row.tainted else " ", "warn"),
        Span(fit(units.duration(row.value_ns), 8, right=True), "faint" if row.value_ns is None else "text"),
        Span(f"  {mark} {row.verdict or 'under way'}", style),
    )
    return over(exact(spans, width), "selection") if chosen else exact(spans, width)


class RecentPanel(MovingPanel):
    """Arrows, wheel and clicks choose a probe."""

    DEFAULT_CSS = "RecentPanel { padding: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("recent")]

    class ProbeChosen(Message):
        """Another probe is to be shown."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    _top = 0

    def title(self, view: View) -> str:
        return "Latest"

    def subtitle(self, view: View) -> str:
        """How often each verdict came in the window."""
        name = view.selected.name if view.selected is not None else ""
        row = next((row for row in view.endpoints if row.name == name), None)
        if row is None or not row.verdicts:
            return ""
        counted = "  ".join(f"{verdict} {units.count(count)}" for verdict, count in row.verdicts)
        text = f"{counted} in {view.query.window}"
        return fit(text, min(cells(text), max(0, self.size.width - 4)))

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        self._top = scrolled(self._top, self._index(view), height, len(rows(view)))
        return draw(view, width, height, RecentView(self._number(view), self._top, self.has_focus))

    def _number(self, view: View) -> int | None:
        if view.stream is not None:
            return view.stream.number
        return view.probed.number if view.probed is not None else None

    def _index(self, view: View) -> int:
        number = self._number(view)
        return next((index for index, row in enumerate(rows(view)) if row.number == number), 0)

    def _choose(self, index: int) -> None:
        if self.view is None or not rows(self.view):
            return
        listed = rows(self.view)
        number = listed[max(0, min(index, len(listed) - 1))].number
        if number != self._number(self.view):
            self.post_message(self.ProbeChosen(number))

    def action_move(self, lines: int) -> None:
        if self.view is not None:
            self._choose(self._index(self.view) + lines)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and self.view is not None and self._top + offset.y < len(rows(self.view)):
            self._choose(self._top + offset.y)
