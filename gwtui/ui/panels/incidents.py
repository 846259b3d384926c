"""What happened and when, newest first: events of incidents, states, findings, the user's marks, trouble of our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gwtui.health.sentence import event_facts, gateway_names
from gwtui.model.enums import State
from gwtui.model.findings import entry_of
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.view import View
from gwtui.text import units
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import MovingPanel, scrolled
from gwtui.ui.panels.marks import severity_mark
from gwtui.ui.text_layout import Line, Span, centred, justified, line_cells, over, printable, sheet

TRACE_FROM = 96
"""From this width on most lines have room for a whole trace id; part of one could not be searched for."""


@dataclass(frozen=True, slots=True)
class IncidentsView:
    """What of the log is looked at."""

    index: int = 0
    """The selected entry."""
    top: int = 0
    """The first visible one."""
    focused: bool = False


def draw(view: View, width: int, height: int, at: IncidentsView) -> list[Line]:
    """A line per entry from `at.top` on, with the trace id where there is room for all of it. Those of incidents that
    are acknowledged are dimmed."""
    if not view.log:
        return centred([(Span("All quiet: no incident in this session", "muted"),)], width, height)
    shown = view.log[at.top : at.top + height]
    dimmed = {each.number for each in view.incidents if each.acknowledged}
    names, utc = gateway_names(view.fleet), view.query.utc
    lines = [
        _line(one, names, width, utc=utc, selected=at.focused and at.top + y == at.index, dimmed=one.incident in dimmed)
        for y, one in enumerate(shown)
    ]
    return sheet(lines, width, height)


def _line(entry: LogEntry, names: Mapping[str, str], width: int, *, utc: bool, selected: bool, dimmed: bool) -> Line:
    mark, style, word = _what(entry)
    said: Line = (Span(f" {mark} ", style), *_said(entry, names, word, style))
    left: Line = (
        Span("▌" if selected else " ", "accent"),
        Span(units.clock(entry.at, utc=utc), "muted"),
        *((Span(span.text, "faint") for span in said) if dimmed else said),
    )
    trace: Line = (Span(printable(entry.trace_id), "faint"), Span(" "))
    fits = entry.trace_id and width >= TRACE_FROM and line_cells((*left, *trace)) < width
    line = justified(left, trace if fits else (Span(" "),), width)
    return over(line, "selection") if selected else line


def _said(entry: LogEntry, names: Mapping[str, str], word: str, style: str) -> Line:
    if entry.event is not None:
        facts = printable(event_facts(entry, names))
        return (Span(f"#{entry.incident} {entry.event_name}", style), Span(f": {facts}" if facts else ""))
    text = printable(entry.text)
    if text == word or (word and text.startswith(f"{word} ")):
        text = text.removeprefix(word)
    elif word and text:
        text = f": {text}"
    who: Line = (Span(printable(entry.endpoint), "header"), Span(" ")) if entry.endpoint else ()
    return (*who, Span(word, style), Span(text))


def _what(entry: LogEntry) -> tuple[str, str, str]:
    """Its shape, the style of it, and the word for it."""
    if entry.event is not None:
        is_over, severity = entry.event is IncidentEvent.CLOSED, entry.severity or State.DOWN
        return entry.mark or severity.mark, State.UP.value if is_over else severity.value, ""
    if entry.state is not None:
        return entry.state.mark, entry.state.value, entry.state.value
    if entry.finding is not None:
        return (*severity_mark(entry_of(entry.finding).severity), "")
    return {
        "finding": ("▲", "warn", ""),
        "mark": ("◆", "accent", "mark"),
        "engine": ("■", "bad", "engine"),
    }.get(entry.kind, ("·", "muted", printable(entry.kind)))


def open_count(view: View) -> str:
    """` · 2 open`; empty where none is."""
    count = len(view.open_incidents)
    return f" · {count} open" if count else ""


class IncidentsPanel(MovingPanel):
    """Arrows and wheel select an entry; a click or enter opens it.

    The selected one stays selected while newer ones come in above it, as long as it can be seen beside them. Where the
    user has scrolled to older ones, the border says how many are above.
    """

    NUMBER = 5
    DEFAULT_CSS = "IncidentsPanel { padding: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("incidents")]

    class Opened(Message):
        """An incident is to be looked into; `number` is the request that decided it, where one did."""

        def __init__(self, endpoint: str, number: int | None) -> None:
            super().__init__()
            self.endpoint = endpoint
            self.number = number

    _index = 0
    _top = 0

    @property
    def selected(self) -> LogEntry | None:
        """The entry that the cursor is on."""
        incidents = self.view.log if self.view is not None else ()
        return incidents[self._index] if self._index < len(incidents) else None

    def show(self, view: View) -> None:
        if self.screen.focused is not self:
            self._index = self._top = 0
        was = self.selected
        if was is not None and self._index > 0 and was in view.log:
            newer = view.log.index(was) - self._index
            self._index += newer
            if self._top > 0:
                self._top += newer
            elif self.size.height > 0:
                self._index = min(self._index, self.size.height - 1)
        self._index = max(0, min(self._index, len(view.log) - 1))
        super().show(view)

    def title(self, view: View) -> str:
        return f"Incidents{open_count(view)}"

    def subtitle(self, view: View) -> str:
        below = len(view.log) - self._top - self.size.height
        if self.size.height <= 0:
            return ""
        counts = ((f"{self._top} newer ↑", self._top), (f"{below} older ↓", below))
        return " · ".join(text for text, number in counts if number > 0)

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        self._top = scrolled(self._top, self._index, height, len(view.log))
        return draw(view, width, height, IncidentsView(self._index, self._top, self.has_focus))

    def action_move(self, lines: int) -> None:
        if self.view is not None and self.view.log:
            self._index = max(0, min(self._index + lines, len(self.view.log) - 1))
            self.redraw()

    def action_open(self) -> None:
        if (incident := self.selected) is not None and incident.endpoint:
            self.post_message(self.Opened(incident.endpoint, incident.number))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self.view is None or self._top + offset.y >= len(self.view.log):
            return
        self.action_move(self._top + offset.y - self._index)
        self.action_open()
