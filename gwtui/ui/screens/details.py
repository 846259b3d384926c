"""A request in full, over the monitor; it follows the picture, so a stream under way goes on here."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from gwtui.ui.panels.details import DetailsPanel
from gwtui.view import View


class DetailsScreen(ModalScreen[None]):
    """`act` runs an action of the monitor screen: walking through requests and copying are the same there and here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss(None)", "Back"),
        Binding("left_square_bracket", "act('request(-1)')", "Older", id="details.older"),
        Binding("right_square_bracket", "act('request(1)')", "Newer", id="details.newer"),
        Binding("y", "act('copy')", "Copy id", id="details.copy"),
    ]

    def __init__(self, view: View, act: Callable[[str], object]) -> None:
        super().__init__()
        self._first = view
        self._act = act

    def compose(self) -> ComposeResult:
        yield DetailsPanel(id="details")

    def on_mount(self) -> None:
        self.query_one(DetailsPanel).focus()
        self.show(self._first)

    def show(self, view: View) -> None:
        self.query_one(DetailsPanel).show(view)

    def action_act(self, action: str) -> None:
        self._act(action)
