"""The Textual program: themes, keymap, signals, and which screen is shown. What is watched lives in the screens."""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar

from rich.segment import Segments
from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from gwtui.config import Config
from gwtui.config.themes import DEFAULT_THEME, load_all
from gwtui.feeds import Feed
from gwtui.profile import Profile
from gwtui.ui.keys import KEYS
from gwtui.ui.palette import textual_theme
from gwtui.ui.screens.monitor import MonitorScreen
from gwtui.ui.screens.welcome import WelcomeScreen
from gwtui.view import View


class GwtuiApp(App[int]):
    """Watch a profile; without one, offer the demo or a first endpoint. Returns the exit code."""

    TITLE = "gwtui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Quit", show=False, priority=True, system=True),
    ]

    def __init__(
        self,
        config: Config,
        profile: Profile | None,
        open_feed: Callable[[Profile], Feed],
        start_demo: Callable[[], Profile],
    ) -> None:
        super().__init__()
        self._config = config
        self._profile = profile
        self._open_feed = open_feed
        self._start_demo = start_demo
        self.last_view: View | None = None
        """The final picture, for the summary that stays in the shell."""

    def on_mount(self) -> None:
        self._load_themes()
        self._load_keymap()
        self._catch_signals()
        if self._profile is not None:
            self.watch_profile(self._profile)
        else:
            self.push_screen(WelcomeScreen(self._config), self._welcomed)

    def watch_profile(self, profile: Profile) -> None:
        self.push_screen(MonitorScreen(self._config, profile, self._open_feed))

    def _welcomed(self, choice: Profile | str | None) -> None:
        if choice == "demo":
            self.watch_profile(self._start_demo())
        elif isinstance(choice, Profile):
            self.watch_profile(choice)
        else:
            self.exit(0)

    def _load_themes(self) -> None:
        themes, faults = load_all(self._config.path.parent / "themes")
        for theme in themes:
            self.register_theme(textual_theme(theme))
        for fault in faults:
            self.notify(fault, severity="warning", markup=False, timeout=10)
        if self._config.theme and self._config.theme not in self.available_themes:
            self.notify(f"There is no theme {self._config.theme!r}", severity="warning", markup=False, timeout=10)
        wanted = self._config.theme if self._config.theme in self.available_themes else DEFAULT_THEME
        self.theme = wanted

    def _load_keymap(self) -> None:
        known = {key.id for key in KEYS}
        self.set_keymap({id_: keys for id_, keys in self._config.keys.items() if id_ in known})
        for id_ in sorted(self._config.keys.keys() - known):
            self.notify(f"[ui.keys] There is no key {id_!r}; ? lists them", severity="warning", markup=False)

    def _catch_signals(self) -> None:
        """A signal must leave the terminal as it was and the rows on disk, so it ends the program the usual way."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                loop.add_signal_handler(number, self.exit, 128 + number)
            except (NotImplementedError, RuntimeError):
                return

    def action_interrupt(self) -> None:
        self.exit(128 + signal.SIGINT)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers: every key of the table, by its help text."""
        if isinstance(screen, MonitorScreen):
            for key in KEYS:
                if not key.action.startswith("app."):
                    yield SystemCommand(
                        key.help.capitalize(), f"{key.group} · {key.keys}", partial(screen.act, key.action)
                    )
        yield SystemCommand("Choose a theme", "All themes, with a preview", self.action_change_theme)

    def _fatal_error(self) -> None:
        """Print a crash without the values of variables: a key may be among them."""
        self._exit_renderables.append(Segments(self.console.render(Text(traceback.format_exc()))))
        self._close_messages_no_wait()
