"""The whole program over a scripted feed: records are shown, commands to the engine are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

from gwtui.config import Config
from gwtui.config.file import UI
from gwtui.config.themes import DEFAULT_THEME
from gwtui.feeds import Feed, Recording
from gwtui.model.commands import Command
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.query import AS_IN_PROFILE, Query
from gwtui.model.records import FeedEnded, Record, SessionStarted
from gwtui.ui.app import GwtuiApp
from gwtui.ui.layout import PanelArea
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.screens.monitor import MonitorScreen

from .monitor_stage import START_AT, START_NS


class FakeFeed:
    """Gives the records that a test emits, and keeps the commands it is sent."""

    refuses = ""
    recording: Recording | None = None

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.sent: list[Command] = []
        self.closed = False
        self.taken = asyncio.Event()
        """Set while all emitted records have been taken."""
        self._batches: asyncio.Queue[list[Record]] = asyncio.Queue()

    def emit(self, *records: Record) -> None:
        self.taken.clear()
        self._batches.put_nowait(list(records))

    def __aiter__(self) -> AsyncIterator[list[Record]]:
        return self._all()

    async def _all(self) -> AsyncIterator[list[Record]]:
        while True:
            if self._batches.empty():
                self.taken.set()
            batch = await self._batches.get()
            yield batch
            if isinstance(batch[-1], FeedEnded):
                self.taken.set()
                return

    def send(self, command: Command) -> None:
        self.sent.append(command)

    def stop(self) -> None:
        self.emit(FeedEnded(text="engine stopped"))

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class Stage:
    """A program under test."""

    app: GwtuiApp
    pilot: Pilot[int]
    config: Config
    feeds: list[FakeFeed] = field(default_factory=list)

    @property
    def feed(self) -> FakeFeed:
        """The newest feed."""
        return self.feeds[-1]

    @property
    def monitor(self) -> MonitorScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, MonitorScreen))

    @property
    def screen(self) -> Screen[object]:
        return self.app.screen

    @property
    def query(self) -> Query:
        return self.monitor.view.query

    async def show(self, *records: Record) -> Self:
        """Emit records and wait until they are drawn."""
        self.feed.emit(*records)
        return await self.drawn()

    async def drawn(self) -> Self:
        """Wait until all emitted records are on the screen."""
        await self.feed.taken.wait()
        await self.pilot.pause()
        self.monitor._follow_selection()
        await self.pilot.pause()
        return self

    async def press(self, *keys: str) -> Self:
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return self

    async def reset(self) -> None:
        """Back to the monitor as it was at first, with nothing asked of the engine yet."""
        while self.screen is not self.monitor:
            self.screen.dismiss(None)
            await self.pilot.pause()
        monitor = self.monitor
        while monitor._editing.undo() is not None:
            pass
        monitor._watch.look_at(None)
        monitor._watch.query = Query(sort=AS_IN_PROFILE, utc=self.config.ui.utc)
        monitor.query_one(PanelArea).restore()
        monitor.query_one(EndpointsPanel).selected = next((each.name for each in monitor.view.fleet), "")
        monitor.query_one(EndpointsPanel).focus()
        self.app.clear_notifications()
        self.feed.sent.clear()
        await self.drawn()

    @property
    def strips(self) -> list[Strip]:
        """The screen as it looks."""
        visible_screen_stack.set(self.app._background_screens)
        return self.screen._compositor.render_strips()

    @property
    def lines(self) -> list[str]:
        """The same without colours."""
        return [strip.text.rstrip() for strip in self.strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def notices(self) -> list[str]:
        """The notices on the screen."""
        return [notification.message for notification in self.app._notifications]


def _not_drawn(
    compositor: Compositor,
    full: bool = False,
    screen_stack: list[Screen[object]] | None = None,
    simplify: bool = False,
) -> None:
    """In the place of `Compositor.render_update`: there is no terminal, and drawing takes a third of the time."""
    compositor._dirty_regions.clear()


_PARSE = Stylesheet._parse_rules
_parsed: dict[object, list[RuleSet]] = {}


def _parsed_once(sheet: Stylesheet, css: str, read_from: tuple[str, str], *more: Any, **options: Any) -> list[RuleSet]:
    """In the place of `Stylesheet._parse_rules`: what one program under test has parsed serves the next one too."""
    key = (css, read_from, more, *options.items(), frozenset(sheet._variables.items()))
    if key not in _parsed:
        _parsed[key] = _PARSE(sheet, css, read_from, *more, **options)
    return _parsed[key]


@asynccontextmanager
async def on_stage(
    path: Path,
    *endpoints: Endpoint,
    size: tuple[int, int] = (140, 40),
    keys: Mapping[str, str] | None = None,
    theme: str = DEFAULT_THEME,
    welcome: bool = False,
    name: str = "test",
    toasts: bool = False,
    worst_first: bool = False,
    motion: bool = True,
) -> AsyncIterator[Stage]:
    """Run the program over these endpoints, or without a profile at all; `path` is its configuration file.

    Unless `worst_first`, its table is in the profile's order, as if the user had asked for that and moved in it.
    Its screen is drawn when a test looks at it, and at the end.
    """
    config = Config(path, ui=UI(theme=theme, motion=motion), keys=keys or {})
    profile = Profile(name=name, endpoints=endpoints)
    feeds: list[FakeFeed] = []

    def open_feed(profile: Profile) -> Feed:
        feeds.append(FakeFeed(profile))
        feeds[-1].emit(SessionStarted(started_at=START_AT, now_ns=START_NS, profile=profile))
        return feeds[-1]

    def start_demo() -> Profile:
        return Profile(name="demo", endpoints=(Endpoint(name="shown", api="http", url="http://127.0.0.1:1"),))

    app = GwtuiApp(config, None if welcome else profile, open_feed, start_demo)
    with (
        patch.object(Compositor, "render_update", _not_drawn),
        patch.object(Stylesheet, "_parse_rules", _parsed_once),
    ):
        async with app.run_test(size=size, notifications=toasts) as pilot:
            await pilot.pause()
            stage = Stage(app, pilot, config, feeds)
            if not welcome:
                if not worst_first:
                    stage.monitor._watch.query = Query(sort=AS_IN_PROFILE, utc=config.ui.utc)
                    stage.monitor.query_one(EndpointsPanel).use()
                await stage.drawn()
            yield stage
            assert app._exit or len(stage.lines) == stage.screen.size.height
