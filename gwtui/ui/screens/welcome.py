"""The first screen where no profile is configured: see the demo, or add an endpoint."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Static

from gwtui.config import Config, ConfigError, save_endpoint
from gwtui.model.profile import Endpoint, Profile
from gwtui.ui.screens.form import EndpointForm, FormResult

DEMO = "demo"
"""What the screen returns when the demo was chosen."""


class WelcomeScreen(Screen[Profile | str | None]):
    """Returns a profile to watch, `DEMO`, or None to leave."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "demo", "Watch the demo"),
        Binding("a", "add", "Add an endpoint"),
        Binding("q,escape", "dismiss(None)", "Quit"),
    ]

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._config = config

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="welcome") as dialog:
            dialog.border_title = Content("gwtui")
            yield Static(
                Content.assemble(
                    ("A live monitor for LLM gateways\n\n", "bold"),
                    "No profile is configured yet, in\n",
                    (f"{self._config.path}\n\n", "$ink-hint"),
                    "The demo watches an embedded gateway on this machine and needs no key. "
                    "For your own endpoint, have its URL ready and know where its key is.\n",
                ),
                markup=False,
            )
            with Horizontal(id="buttons"):
                yield Button("Watch the demo  d", id="demo", compact=True)
                yield Button("Add an endpoint  a", id="add", compact=True)
                yield Button("Quit  q", id="quit", compact=True)

    @on(Button.Pressed, "#demo")
    def action_demo(self) -> None:
        self.dismiss(DEMO)

    @on(Button.Pressed, "#quit")
    def _quit(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#add")
    def action_add(self) -> None:
        from gwtui.ui.screens.ready_made import ReadyMadeScreen  # all APIs, which the first frame does not need

        self.app.push_screen(ReadyMadeScreen(Profile()), lambda chosen: self._ask(chosen) if chosen else None)

    def _ask(self, endpoint: Endpoint) -> None:
        self.app.push_screen(EndpointForm(self._config, endpoint, None, Profile(), None), self._added)

    def _added(self, result: FormResult | None) -> None:
        if result is None:
            return
        profile = Profile(endpoints=(result.endpoint,))
        if result.save:
            try:
                save_endpoint(self._config.path, profile.name, result.endpoint)
            except (ConfigError, OSError) as error:
                self.app.notify(f"Not saved: {error}", severity="error", markup=False, timeout=10)
                self._ask(result.endpoint)
                return
        self.dismiss(profile)
