"""A probe in full, over the monitor, beside the latest ones; it follows the picture, so a stream goes on here."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen

from gwtui.model.view import View
from gwtui.ui.keymap import bindings, hints
from gwtui.ui.panels.details import DetailsPanel
from gwtui.ui.panels.recent import RecentPanel


class DetailsScreen(ModalScreen[None]):
    """`act` runs an action of the monitor screen: walking through requests and copying are the same there and here."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("inspection")]

    def __init__(self, view: View, act: Callable[[str], object], event: int | None = None) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
        self._first = view
        self._act = act
        self._event = event

    def compose(self) -> ComposeResult:
        with Horizontal(id="inspection"):
            yield DetailsPanel(id="details")
            yield RecentPanel(id="recent")

    def on_mount(self) -> None:
        panel = self.query_one(DetailsPanel)
        panel.hints = hints(self, "inspection")
        panel.focus()
        self.show(self._first)
        if self._event is not None:
            panel.open_event(self._event)

    def show(self, view: View) -> None:
        self.query_one(DetailsPanel).show(view)
        self.query_one(RecentPanel).show(view)

    @on(RecentPanel.ProbeChosen)
    def _choose(self, event: RecentPanel.ProbeChosen) -> None:
        self._act(f"see({event.number})")

    def action_request(self, step: int) -> None:
        self._act(f"request({step})")

    def action_copy(self) -> None:
        self._act("copy")

    def action_copy_menu(self) -> None:
        self._act("copy_menu")

    def action_leave(self) -> None:
        self.dismiss(None)
