"""What is being watched: a feed folded into a monitor, and what the user looks at. No widgets in here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from gwtui.commands import Command
from gwtui.feeds import Feed
from gwtui.monitor import Monitor
from gwtui.profile import Profile
from gwtui.view import Query, View


class Watch:
    """One feed at a time. `follow` takes its records in; `changed_view` gives a picture when there is a new one."""

    def __init__(self, open_feed: Callable[[Profile], Feed]) -> None:
        self._open_feed = open_feed
        self._feed: Feed | None = None
        self._monitor = Monitor()
        self._drawn: tuple[int, Query, int] | None = None
        self.query = Query()
        self.frozen = False

    @property
    def running(self) -> bool:
        return self._feed is not None

    async def follow(self, profile: Profile) -> None:
        """Watch this profile until its feed ends. A fresh monitor: numbers of two sessions are never mixed."""
        feed = self._feed = self._open_feed(profile)
        self._monitor = Monitor()
        self._drawn = None
        try:
            async for batch in feed:
                for record in batch:
                    self._monitor.apply(record)
        finally:
            self._feed = None
            await feed.aclose()

    def send(self, command: Command) -> bool:
        """Hand a command to the engine. False when there is none to hand it to."""
        if self._feed is None:
            return False
        self._feed.send(command)
        return True

    def look(self, **changes: Any) -> None:
        """Look at something else: fields of `Query` by name."""
        self.query = dataclasses.replace(self.query, **changes)

    def view(self, columns: int) -> View:
        """The picture of now."""
        return self._monitor.view(self.query, columns)

    def changed_view(self, columns: int) -> View | None:
        """The picture of now if it differs from the one given last; None while frozen or unchanged."""
        if self.frozen:
            return None
        state = (self._monitor.version, self.query, columns)
        if state == self._drawn:
            return None
        self._drawn = state
        return self.view(columns)

    def redraw(self) -> None:
        """Give a picture at the next asking, whether or not anything changed."""
        self._drawn = None
