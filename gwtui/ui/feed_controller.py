"""The feed being watched, folded into a monitor, and the user's query. No widgets."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from dataclasses import replace

from gwtui.feeds import Feed
from gwtui.model.commands import Command
from gwtui.model.profile import Profile
from gwtui.model.query import AS_IN_PROFILE, Query, Window
from gwtui.model.records import FeedEnded, Notice, Record, SessionStarted
from gwtui.model.view import View
from gwtui.monitor import Monitor
from gwtui.stats.comparison import ComparedSeries
from gwtui.text.units import elapsed

FAREWELL_S = 1.5
"""How long an engine that is ending is listened to."""
LATE_S = 0.3
"""How late an engine may be that ends by itself when its time has passed."""


class Watch:
    """One feed at a time. `follow` takes its records in; `changed_view` gives a picture when there is a new one."""

    def __init__(self, open_feed: Callable[[Profile], Feed], stop_after_s: float | None = None) -> None:
        """`stop_after_s`: what a feed has before it should have ended by itself; None: as much as it likes."""
        self._open_feed = open_feed
        self._stop_after_s = stop_after_s
        self._feed: Feed | None = None
        self._monitor = Monitor()
        self._before: list[View] = []
        self._held: Monitor | None = None
        self._paused = False
        self._drawn: tuple[int, str, Query, int] | None = None
        self.failed = self._fatal = False
        """Whether the newest feed ended badly, and for good."""
        self.query = Query()

    @property
    def running(self) -> bool:
        return self._feed is not None

    @property
    def refuses(self) -> str:
        """Why what is watched takes no commands; empty where it does."""
        return "" if self._feed is None else self._feed.refuses

    async def follow(self, profile: Profile, notify: Callable[[str], None]) -> bool:
        """Watch this profile until its feed ends; `notify` gets the engine's notices. Returns whether the time is over.

        That is so when the feed ended well or for good, or has had its time, in whatever state its engine is then. A
        fresh monitor: numbers of two sessions are never mixed.
        """
        await self.aclose()
        if (before := self._whole_view()).header.at:
            self._before.append(before)
        self._monitor, self._held, self._drawn, self.failed, self._fatal = Monitor(), None, None, False, False
        try:
            async with asyncio.timeout(None) as limit:
                self._limit(limit)
                await self._take_all(profile, notify, limit)
                if self.failed and not self._fatal and self._stop_after_s is not None:
                    await asyncio.Event().wait()
        except TimeoutError:
            return True
        return self._fatal or not self.failed

    async def _take_all(self, profile: Profile, notify: Callable[[str], None], limit: asyncio.Timeout) -> None:
        try:
            feed = self._feed = self._open_feed(profile)
        except OSError as error:
            self._take(FeedEnded(text="the engine cannot be started", failed=True, detail=str(error)))
            return
        async for batch in feed:
            for record in batch:
                self._take(record)
                if isinstance(record, Notice):
                    notify(record.text)
                elif isinstance(record, SessionStarted):
                    self._limit(limit)
        self._feed = None
        await feed.aclose()

    def _limit(self, limit: asyncio.Timeout) -> None:
        """Have the time run from now on."""
        if self._stop_after_s is not None:
            limit.reschedule(asyncio.get_running_loop().time() + self._stop_after_s + LATE_S)

    def _take(self, record: Record) -> None:
        self._monitor.apply(record)
        if isinstance(record, FeedEnded):
            self.failed, self._fatal = record.failed, record.fatal

    def stop(self) -> None:
        """Ask the feed for its end; `aclose` then waits for less."""
        if self._feed is not None:
            self._feed.stop()

    async def aclose(self) -> None:
        """End the feed if there is one, take what it still sends, and wait for its engine to write its last rows."""
        feed, self._feed = self._feed, None
        if feed is None:
            return
        feed.stop()
        try:
            async with asyncio.timeout(FAREWELL_S):
                async for batch in feed:
                    for record in batch:
                        self._take(record)
        except TimeoutError:
            return
        finally:
            await feed.aclose()

    def send(self, command: Command) -> bool:
        """Send a command to the engine. False when no engine is running."""
        if self._feed is None:
            return False
        self._feed.send(command)
        return True

    @property
    def frozen(self) -> bool:
        return self._held is not None

    @property
    def held(self) -> str:
        """That the display is held, and for how long while records keep coming; "" when it is not."""
        if self._held is None:
            return ""
        return "PAUSED" if self._paused else f"FROZEN {elapsed(self._monitor.now_ns - self._held.now_ns)}"

    def freeze(self) -> None:
        """Hold what is known by now, to be looked at from every side, or let go of it. A feed that can pause does;
        of any other the records keep coming meanwhile."""
        held = not self.frozen
        self._paused = self._feed is not None and self._feed.hold(held)
        self._held = copy.deepcopy(self._monitor) if held else None
        self._drawn = None

    def view(self, columns: int) -> View:
        """The picture of now, or of when it was frozen; trouble of our own is always that of now."""
        view = (self._held or self._monitor).view(self.query, columns)
        banner = self._monitor.banner
        return view if banner == view.header.banner else replace(view, header=replace(view.header, banner=banner))

    def live_view(self, columns: int) -> View:
        """The picture of now, frozen or not: what answers a question that was just asked."""
        return self._monitor.view(self.query, columns)

    def samples(self) -> tuple[ComparedSeries, ...]:
        """What every endpoint has measured by now, or by when the picture was frozen."""
        return (self._held or self._monitor).samples()

    def whole_views(self) -> tuple[View, ...]:
        """All endpoints over the whole session, after those of sessions that were watched before it."""
        return (*self._before, self._whole_view())

    def _whole_view(self) -> View:
        return self._monitor.view(Query(window=Window.ALL, metric=self.query.metric, sort=AS_IN_PROFILE), final=True)

    def changed_view(self, columns: int) -> View | None:
        """The picture if it differs from the one given last."""
        state = ((self._held or self._monitor).version, self._monitor.banner, self.query, columns)
        if state == self._drawn:
            return None
        self._drawn = state
        return self.view(columns)

    def redraw(self) -> None:
        """Give a picture at the next asking, whether or not anything changed."""
        self._drawn = None
