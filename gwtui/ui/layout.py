"""The five panels and which of them are to be seen: all, one alone, or on a small screen one of the lower four."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from gwtui.model.view import View
from gwtui.ui.panel import Panel
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.panels.incidents import IncidentsPanel
from gwtui.ui.panels.latency import LatencyPanel
from gwtui.ui.panels.pings import PingsPanel
from gwtui.ui.panels.stream import StreamPanel
from gwtui.ui.panels.tabs import TabStrip

PANELS = ("endpoints", "stream", "latency", "pings", "incidents")


class PanelArea(Container):
    """Its classes say what is seen, and the style sheet where: `-alone-stream`, `-tab-latency`."""

    def __init__(self) -> None:
        super().__init__(id="panels")
        self._alone: str | None = None
        self._tab = "stream"
        self._pings = True

    def compose(self) -> ComposeResult:
        yield EndpointsPanel(id="endpoints")
        yield TabStrip(id="tabs")
        with Container(id="lower"):
            yield StreamPanel(id="stream")
            yield LatencyPanel(id="latency")
            yield PingsPanel(id="pings")
            yield IncidentsPanel(id="incidents")

    def on_mount(self) -> None:
        self._place()

    def show(self, view: View) -> None:
        """Draw this view, the table as high as its rows up to two fifths of the screen."""
        rows = max(len(view.endpoints) + view.hidden, 2) + 3
        self._pings = view.ping is not None or not view.header.at
        self._spare_pings()
        self.query_one("#endpoints").styles.height = max(5, min(rows, self.screen.size.height * 2 // 5))
        for panel in self.walk_children():
            if isinstance(panel, Panel):
                panel.show(view)

    @property
    def _compact(self) -> bool:
        return self.screen.has_class("-narrow") or self.screen.has_class("-short")

    def pick(self, name: str) -> None:
        """Show a panel alone, or all again. Small screens show one lower panel at a time: there it is picked first."""
        if self._compact and name not in ("endpoints", self._tab):
            self._tab, self._alone = name, None
        else:
            self._alone = None if self._alone == name else name
        self._place()
        self.query_one(f"#{name}").focus()

    @on(TabStrip.Chosen)
    def _pick_tab(self, event: TabStrip.Chosen) -> None:
        self.pick(event.panel)

    def restore(self) -> bool:
        """Show all panels again. False when they were shown already."""
        if self._alone is None:
            return False
        self._alone = None
        self._place()
        return True

    def _place(self) -> None:
        for name in PANELS:
            self.set_class(self._alone == name, f"-alone-{name}")
            self.set_class(self._tab == name, f"-tab-{name}")
        self.set_class(self._alone is not None, "-alone")
        self.query_one(TabStrip).choose(self._tab)
        self._spare_pings()

    def _spare_pings(self) -> None:
        """Where all panels are seen, give the place of the pings to the incidents if there are no pings."""
        self.set_class(not (self._pings or self._alone or self._compact), "-no-pings")
