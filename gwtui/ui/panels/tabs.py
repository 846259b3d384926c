"""One line that says which of the lower panels a small screen shows, and takes a click on another."""

from __future__ import annotations

from textual import events
from textual.message import Message

from gwtui.model.view import View
from gwtui.ui.panel import Panel
from gwtui.ui.panels.incident_list import open_count
from gwtui.ui.text_layout import Line, Span, cells, sheet

TABS = (("stream", " 2 Stream "), ("latency", " 3 Latency "), ("pings", " 4 Ping "), ("incidents", " 5 Incidents "))


class TabStrip(Panel, can_focus=False):
    """Posts `TabPicked` with the panel's name."""

    DEFAULT_CSS = "TabStrip { height: 1; border: none; padding: 0; }"

    class TabPicked(Message):
        def __init__(self, panel: str) -> None:
            super().__init__()
            self.panel = panel

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._chosen = TABS[0][0]

    def choose(self, panel: str) -> None:
        self._chosen = panel
        self.redraw()

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        labels = [*(label for _, label in TABS[:-1]), f" 5 Incidents{open_count(view)} "]
        spans = (
            Span(label, "accent selection" if name == self._chosen else "muted")
            for (name, _), label in zip(TABS, labels, strict=True)
        )
        return sheet([tuple(spans)], width, height)

    def on_click(self, event: events.Click) -> None:
        left = 0
        for name, label in TABS:
            left += cells(label)
            if event.x < left:
                self.post_message(self.TabPicked(name))
                return
