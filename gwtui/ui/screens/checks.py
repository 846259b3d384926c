"""The checks of the selected endpoint over the monitor; they go on when the page is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import ModalScreen

from gwtui.checks.request_sets import CheckTarget, parse_models
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.view import View
from gwtui.ui.keymap import bindings, hints
from gwtui.ui.messages import show_message
from gwtui.ui.panels.checks import ChecksPanel, report
from gwtui.ui.screens.ask import AskScreen


def cost(endpoint: Endpoint, profile: Profile) -> str:
    """How many checks there are for the endpoint, and how many requests they send."""
    from gwtui.checks import planning, table  # all checks: not for a screen that only starts

    target = CheckTarget(endpoint=endpoint, profile=profile)
    return table.cost(target, planning.checks_for(target))


def has_none(app: App[Any], endpoint: Endpoint) -> bool:
    """Whether there are no checks of the endpoint; the screen then says why."""
    from gwtui.checks import planning

    if why := planning.why_none(endpoint):
        show_message(app, f"No checks: {why}")
    return bool(why)


class ChecksScreen(ModalScreen[None]):
    """`ask` has the endpoint of that name checked, together with models that have to work."""

    DEFAULT_CSS = """
    ChecksScreen { align: center middle; }
    ChecksScreen #page { width: 100%; height: 100%; padding: 1 2; }
    ChecksScreen.-narrow #page { padding: 0; }
    ChecksScreen ChecksPanel { width: 1fr; height: 100%; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("checks")]

    def __init__(self, view: View, ask: Callable[[str, tuple[str, ...]], object]) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
        self._first = view
        self._ask = ask

    def compose(self) -> ComposeResult:
        with Container(id="page"):
            yield ChecksPanel(id="checks")

    def on_mount(self) -> None:
        self._panel.hints = hints(self, "checks")
        self._panel.focus()
        self.show(self._first)

    @property
    def _panel(self) -> ChecksPanel:
        return self.query_one(ChecksPanel)

    def show(self, view: View) -> None:
        self._panel.show(view)

    def action_again(self) -> None:
        self._check(())

    @work
    async def action_models(self) -> None:
        ask = AskScreen("Models that have to work", "comma-separated names, maximum nine", "", parse_models)
        if (answer := await self.app.push_screen_wait(ask)) is not None:
            self._check(parse_models(answer))

    def action_copy(self) -> None:
        view = self._panel.view
        if view is not None and view.checks is not None:
            self.app.copy_to_clipboard(report(view.checks))
            show_message(self.app, "Copied the results of the checks")

    def _check(self, models: tuple[str, ...]) -> None:
        view = self._panel.view
        if view is not None and view.selected is not None:
            self._ask(view.selected.name, models)

    def action_leave(self) -> None:
        self.dismiss(None)
