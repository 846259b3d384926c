"""The five panels and which of them are to be seen: all, one alone, or on a small screen one of the lower four."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from gwtui.model.view import View
from gwtui.ui.panel import Panel
from gwtui.ui.panels.endpoint_table import is_sick, lines_of
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.panels.incidents import IncidentsPanel
from gwtui.ui.panels.latency import LatencyPanel
from gwtui.ui.panels.pings import PingsPanel
from gwtui.ui.panels.stream import StreamPanel
from gwtui.ui.panels.tabs import TabStrip
from gwtui.ui.panels.timeline import TimelinePanel

FRAME = 3
"""The lines of the table around its rows."""
LEAST_LOWER = 6
"""The lines that each lower panel keeps."""
LEAST_INCIDENTS = 3
PANELS = ("endpoints", "stream", "latency", "pings", "incidents")


class PanelArea(Container):
    """Its classes say what is seen, and the style sheet where: `-alone-stream`, `-tab-latency`."""

    def __init__(self) -> None:
        super().__init__(id="panels")
        self._alone: str | None = None
        self._tab = "stream"
        self._pings = True
        self._open = False
        self._told = LEAST_INCIDENTS
        """The lines of incidents below a lower panel."""

    def compose(self) -> ComposeResult:
        yield EndpointsPanel(id="endpoints")
        yield TabStrip(id="tabs")
        with Container(id="lower"):
            yield StreamPanel(id="stream")
            yield LatencyPanel(id="latency")
            yield PingsPanel(id="pings")
            yield TimelinePanel(id="timeline")
            yield IncidentsPanel(id="incidents")

    def on_mount(self) -> None:
        self._place()

    def show(self, view: View) -> None:
        """Draw this view. The table is as high as its rows, up to two fifths of the screen or as far as its sick ones
        go; where one lower panel is seen at a time, the first incidents stand below it while any is open."""
        self._pings = view.ping is not None or not view.header.at
        self._open = bool(view.open_incidents)
        for panel in self.walk_children():
            if isinstance(panel, Panel):
                panel.show(view)
        self._share_out(view)

    def _share_out(self, view: View) -> None:
        """Set the heights that depend on what there is to show."""
        height = self.screen.size.height
        told = self._told = min(max(LEAST_INCIDENTS, height // 8), max(1, self.query_one(IncidentsPanel).count))
        self._spare()
        lines = lines_of(view)
        sick = sum(is_sick(line) for line in lines)
        below = LEAST_LOWER + (1 + told if self._compact else LEAST_LOWER)
        rows = max(len(lines) + view.hidden, 2) + FRAME
        most = max(height * 2 // 5, min(sick + FRAME, self.size.height - below))
        self.query_one("#endpoints").styles.height = max(5, min(rows, most))
        self._fit_timeline()

    @property
    def _compact(self) -> bool:
        """Whether one lower panel is seen at a time. Tall and narrow screens show all, one above another."""
        return self.screen.has_class("-short") or (self.screen.has_class("-narrow") and self.screen.has_class("-tall"))

    def pick(self, name: str) -> None:
        """Show a panel alone, or all again. Small screens show one lower panel at a time: there it is picked first."""
        if self._compact and name not in ("endpoints", self._tab):
            self._tab, self._alone = name, None
        else:
            self._alone = None if self._alone == name else name
        self._place()
        self._fit_timeline()
        self.query_one("#timeline" if self._alone == "incidents" else f"#{name}").focus()

    @on(TabStrip.TabPicked)
    def _pick_tab(self, event: TabStrip.TabPicked) -> None:
        self.pick(event.panel)

    @on(TimelinePanel.Folded)
    def _fit_timeline(self) -> None:
        """The timeline is as high as its lanes, up to three fifths."""
        if self._alone == "incidents":
            timeline = self.query_one(TimelinePanel)
            timeline.styles.height = max(FRAME, min(timeline.rows, self.size.height * 3 // 5))

    def restore(self) -> bool:
        """Show all panels again. False when they were shown already."""
        if self._alone is None:
            return False
        was, self._alone = self._alone, None
        self._place()
        if was == "incidents" and not self._compact:
            self.query_one(IncidentsPanel).focus()
        return True

    def _place(self) -> None:
        for name in PANELS:
            self.set_class(self._alone == name, f"-alone-{name}")
            self.set_class(self._tab == name, f"-tab-{name}")
        self.set_class(self._alone is not None, "-alone")
        self.query_one(TabStrip).choose(self._tab)
        self._spare()

    def _spare(self) -> None:
        """Where all panels are seen, give the place of the pings to others if there are no pings."""
        self.set_class(not (self._pings or self._alone or self._compact), "-no-pings")
        is_seen_anyway = self._alone is not None or self._tab == "incidents" or not self._compact
        is_below = self._open and not is_seen_anyway
        self.set_class(is_below, "-incident-lines")
        _set_height(self.query_one(IncidentsPanel), self._told if is_below else None)
        self.set_class(self._open and not (self._alone or self._compact), "-open-incidents")


def _set_height(panel: Panel, height: int | None) -> None:
    """None: as high as the style sheet says. Textual lays all out anew when a height is cleared, set or not."""
    if height is not None or panel.styles.inline.has_rule("height"):
        panel.styles.height = height
