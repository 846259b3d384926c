"""The Textual program: themes, keymap, its end, and which screen is shown. What is watched lives in the screens."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from rich.console import RenderableType
from rich.segment import Segments
from rich.text import Text
from textual import events, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.widgets import Input, TextArea

from gwtui.config import Config
from gwtui.config.themes import DEFAULT_THEME, load_all
from gwtui.feeds import Feed
from gwtui.model.profile import Profile
from gwtui.model.view import View
from gwtui.secrets.crash_output import presentable
from gwtui.ui.announcements import Announcements
from gwtui.ui.command_palette import Offers
from gwtui.ui.driver import Hardy, hardy
from gwtui.ui.editing import keep_setting
from gwtui.ui.feed_controller import Watch
from gwtui.ui.keeper import Keeper
from gwtui.ui.keymap import EVERY, faults_of
from gwtui.ui.messages import show_message
from gwtui.ui.screens.monitor import MonitorScreen
from gwtui.ui.screens.themes import ThemesScreen
from gwtui.ui.screens.welcome import DEMO, WelcomeScreen
from gwtui.ui.styles import ink, textual_theme, theme_for
from gwtui.ui.terminal import HUNG_UP, EscapeFilter, is_gone, signals_end

TERMINAL_CHECK_S = 2.0
FIT_S = 0.5
"""Between two looks whether the screen is as large as the terminal."""


class GwtuiApp(App[int]):
    """Watch a profile; without one, offer the demo or a first endpoint. Returns the exit code; None after a crash."""

    TITLE = "gwtui"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar[set[Any]] = {Offers}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Quit", show=False, priority=True, system=True),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True, system=True),
    ]

    def __init__(
        self,
        config: Config,
        profile: Profile | None,
        open_feed: Callable[[Profile], Feed],
        start_demo: Callable[[], Profile],
        stop_after_s: float | None = None,
    ) -> None:
        self._keeper = Keeper()
        super().__init__()
        self._config = config
        self._profile = profile
        self._start_demo = start_demo
        self._watch = Watch(open_feed, stop_after_s)
        self._watching = False
        self._escape_filter = EscapeFilter()
        self._announcements = Announcements(config.ui)
        if not config.ui.motion:
            self.animation_level = "none"

    def get_line_filters(self) -> Sequence[LineFilter]:
        return (*super().get_line_filters(), self._escape_filter)

    @property
    def last_views(self) -> tuple[View, ...]:
        """The final picture over each whole session, for the summaries that stay in the shell."""
        return self._watch.whole_views() if self._watching else ()

    @property
    def failed(self) -> bool:
        """Whether the engine that was watched last failed."""
        return self._watch.failed

    async def run_async(self, **options: Any) -> int | None:
        """Run until the user leaves, then wait for the engine: its last rows are on the disk when this returns."""
        with signals_end(self.exit):
            try:
                return await super().run_async(**options)
            finally:
                self._keeper.close()
                await self._watch.aclose()

    def on_mount(self) -> None:
        self._load_themes()
        self._load_keymap()
        if not self.is_headless:
            self.set_interval(TERMINAL_CHECK_S, self._leave_dead_terminal)
        self.set_interval(FIT_S, self.fit)
        if self._profile is not None:
            self.watch_profile(self._profile)
        else:
            self.push_screen(WelcomeScreen(self._config), self._welcomed)

    def watch_profile(self, profile: Profile) -> None:
        self._watching = True
        self.push_screen(MonitorScreen(self._config, profile, self._watch))

    def _welcomed(self, choice: Profile | str | None) -> None:
        if choice == DEMO:
            self._watch_demo()
        elif isinstance(choice, Profile):
            self.watch_profile(choice)
        else:
            self.exit(0)

    def _watch_demo(self) -> None:
        try:
            profile = self._start_demo()
        except OSError as error:
            self.notify(str(error), severity="error", markup=False, timeout=10)
            self.push_screen(WelcomeScreen(self._config), self._welcomed)
        else:
            self.watch_profile(profile)

    # The terminal

    @on(MonitorScreen.Live)
    def _announce(self, event: MonitorScreen.Live) -> None:
        if self._to_terminal and isinstance(driver := self._driver, Hardy):
            driver.show_title(self._announcements.title(event.view))
            if news := self._announcements.news(event.view, quiet=event.quiet):
                driver.write(news)

    @property
    def _to_terminal(self) -> bool:
        """Whether what is written reaches a terminal, and nothing else."""
        return not self.is_headless and sys.__stdout__ is not None and sys.__stdout__.isatty()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if self.animation_level == "none" and isinstance(event.widget, Input | TextArea):
            event.widget.cursor_blink = False

    # Themes

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        return variables | ink(variables)

    def _load_themes(self) -> None:
        themes, faults = load_all(self._config.path.parent / "themes")
        for theme in themes:
            self.register_theme(textual_theme(theme))
        for fault in faults:
            self._warn(fault)
        wanted = self._config.ui.theme
        if wanted not in self.available_themes:
            self._warn(f"There is no theme {wanted!r}: T lists the themes")
            wanted = DEFAULT_THEME
        self.theme = wanted if self.is_headless else theme_for(wanted, self.console.color_system)

    def action_next_theme(self) -> None:
        names = [name for name in self.available_themes if name.startswith("gwtui-")]
        place = names.index(self.theme) + 1 if self.theme in names else 0
        self.theme = names[place % len(names)]
        self._keep_theme()

    def action_choose_theme(self) -> None:
        if not isinstance(self.screen, ThemesScreen):
            self.push_screen(ThemesScreen(), lambda chosen: self._keep_theme() if chosen else None)

    def _keep_theme(self) -> None:
        """Save the theme where there is a configuration to save it in."""
        show_message(self, *keep_setting(self._config.path, "ui.theme", self.theme, self.theme))

    # Keys

    def _load_keymap(self) -> None:
        known = {key.id for key in EVERY}
        self.set_keymap({id_: keys for id_, keys in self._config.keys.items() if id_ in known})
        for fault in faults_of(self._config.keys):
            self._warn(fault)

    def _warn(self, text: str) -> None:
        self.notify(text, severity="warning", markup=False, timeout=10)

    # The end

    def get_driver_class(self) -> type[Driver]:
        return hardy(super().get_driver_class(), self._keeper, lambda: self._exit)

    def _leave_dead_terminal(self) -> None:
        if is_gone():
            self.exit(HUNG_UP)

    def fit(self) -> None:
        """Lay the screen out anew if it is not as large as the terminal: the timer that tells the screen of a new size
        can be lost on a busy machine, and that of a busy screen can be replaced by an older one.

        While the program ends, its timers go on for a moment after the last screen has gone.
        """
        for screen in self.screen_stack[-1:]:
            if screen.outer_size != self.size:
                screen.post_message(events.Resize(self.size, self.size))

    def exit(self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """End, and have the engine end meanwhile. Of several reasons the first counts."""
        if not self._exit:
            self._watch.stop()
            super().exit(result, return_code, message)

    def action_interrupt(self) -> None:
        self.exit(128 + signal.SIGINT)

    def _fatal_error(self) -> None:
        """Print a crash without the values of variables: a key may be among them.

        Textual mounts nothing more once the end was asked for. A screen that was just coming up then misses its
        widgets, and that is no crash.
        """
        if not self._exit:
            self._exit_renderables.append(Segments(self.console.render(Text(presentable(traceback.format_exc())))))
        self._close_messages_no_wait()
