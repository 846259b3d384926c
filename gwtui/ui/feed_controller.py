"""The feed being watched, folded into a monitor, and the user's query. No widgets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from gwtui.feeds import Feed, WantedStream, recalled
from gwtui.model.commands import Command
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Profile
from gwtui.model.query import AS_IN_PROFILE, Query, Window
from gwtui.model.records import FeedEnded, Notice, Ping, Record, Request, SessionStarted
from gwtui.model.view import View
from gwtui.monitor import Monitor
from gwtui.stats.comparison import ComparedSeries
from gwtui.ui.navigation import wanted_stream
from gwtui.ui.playback import Playback

FAREWELL_S = 1.5
"""How long an engine that is ending is listened to."""
SECOND_NS = 10**9
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
        self._playback: Playback | None = None
        """Of a recording; None while what is watched goes on."""
        self._drawn: tuple[int, str, bool, Query, int] | None = None
        self._session_dir: str | None = None
        self._wanted: WantedStream | None = None
        """What was read back last, or is being read."""
        self._reading: asyncio.Task[None] | None = None
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
        self._monitor, self._playback, self._drawn, self.failed, self._fatal = Monitor(), None, None, False, False
        self.query = replace(self.query, at_ns=None)
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
        if isinstance(record, SessionStarted):
            self._session_dir, self._wanted = record.session_dir, None
        if isinstance(record, FeedEnded):
            self.failed, self._fatal = record.failed, record.fatal

    def stop(self) -> None:
        """Ask the feed for its end; `aclose` then waits for less."""
        if self._feed is not None:
            self._feed.stop()

    async def aclose(self) -> None:
        """End the feed if there is one, take what it still sends, and wait for its engine to write its last rows."""
        feed, self._feed = self._feed, None
        if self._reading is not None:
            self._reading.cancel()
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
    def playing(self) -> str:
        """Whether a recording is played, and how fast: `▶ 10x`; "" where what is watched goes on."""
        return str(self._playback) if self._playback is not None else ""

    @property
    def is_past(self) -> bool:
        """Whether a moment is looked at, and not now."""
        return self.query.at_ns is not None

    def freeze(self) -> None:
        """Stay at this moment, or come back to now. A recording is played or paused; from its end on it begins
        again."""
        if self._playback is None:
            self.look_at(None if self.is_past else self._monitor.now_ns)
        elif self._playback.is_playing:
            self._playback.pause()
        else:
            if not self.is_past:
                self._look_at_start()
            self._playback.play()

    def look_at(self, at_ns: int | None) -> None:
        """Look at that moment, or for None at now, which in a recording is its end."""
        self.query = replace(self.query, at_ns=at_ns)
        if at_ns is None and self._playback is not None:
            self._playback.pause()

    def change_speed(self, step: int) -> bool:
        """Play a recording faster or slower. False where what is watched goes on."""
        if self._playback is None:
            return False
        self._playback.change_speed(step)
        return True

    def tick(self, now_s: float) -> None:
        """Play a recording on, in every frame, and open it where everything of it has come: at the first incident."""
        if self._playback is None:
            recording = self._feed.recording if self._feed is not None else None
            if recording is None:
                return
            self._playback = Playback(recording.speed, is_playing=recording.is_playing)
            self._open()
        self.query = replace(self.query, at_ns=self._playback.advance(self.query.at_ns, self._monitor.now_ns, now_s))

    def _open(self) -> None:
        """At the first incident; without one at the end, or at the beginning where it is played at once."""
        strip = self._monitor.view(self.query).strip
        if self.is_past:
            return
        if strip is not None and strip.edges_ns:
            self.look_at(strip.edges_ns[0])
        elif self._playback is not None and self._playback.is_playing:
            self._look_at_start()

    def _look_at_start(self) -> None:
        strip = self._monitor.view(self.query).strip
        if strip is not None:
            self.look_at(strip.start_ns)

    def view(self, columns: int) -> View:
        """The picture of the moment that is looked at."""
        return self._monitor.view(self.query, columns)

    def ended_view(self, columns: int) -> View:
        """The picture of a result: while the shown request is under way, with the newest before it in its place."""
        view = self.view(columns)
        if view.stream is None or not view.stream.in_flight or not view.recent:
            return view
        return self._monitor.view(replace(self.query, request=view.recent[0].number), columns)

    def live_view(self, columns: int, endpoint: str | None) -> View:
        """The picture of now, whatever moment is looked at: what orders act on and what answers a question that was
        just asked. `endpoint`: the selected one, which a filter does not leave out then."""
        if not self.is_past:
            return self.view(columns)
        return self._monitor.view(replace(self.query, at_ns=None, endpoint=endpoint, filter=""), columns)

    def samples(self) -> tuple[ComparedSeries, ...]:
        """What every endpoint has measured by now."""
        return self._monitor.samples()

    def kept_rows(self) -> tuple[tuple[Request | Ping | LogEntry, float], ...]:
        """The results that are kept in full and the newest entries of the log, with their wall times; oldest first."""
        return self._monitor.kept_rows()

    def whole_views(self) -> tuple[View, ...]:
        """All endpoints over the whole session, after those of sessions that were watched before it."""
        return (*self._before, self._whole_view())

    def _whole_view(self) -> View:
        return self._monitor.view(Query(window=Window.ALL, metric=self.query.metric, sort=AS_IN_PROFILE), final=True)

    def changed_view(self, columns: int) -> View | None:
        """The picture if it differs from the one given last: of now with every record, of another moment once a second,
        because of how long ago it was and of the strip."""
        monitor = self._monitor
        changes = monitor.now_ns // SECOND_NS if self.is_past else monitor.version
        state = (changes, monitor.banner, self.running, self.query, columns)
        if state == self._drawn:
            return None
        self._drawn = state
        view = self.view(columns)
        self._read_back(view)
        return view

    def _read_back(self, view: View) -> None:
        """Have the events of the probe that is shown read from the session's files, where they are not in memory."""
        wanted = wanted_stream(view)
        is_reading = self._reading is not None and not self._reading.done()
        if wanted is not None and wanted != self._wanted and self._session_dir is not None and not is_reading:
            self._wanted = wanted
            self._reading = asyncio.create_task(self._recall(self._session_dir, wanted))

    async def read_back(self, columns: int) -> None:
        """Wait until what is wanted now is read back, behind what is being read."""
        for _ in range(2):
            self._read_back(self.view(columns))
            if self._reading is not None:
                await asyncio.wait({self._reading})

    async def _recall(self, session_dir: str, wanted: WantedStream) -> None:
        """In a thread: a disk may be slow, or hang."""
        monitor = self._monitor
        found = await asyncio.get_running_loop().run_in_executor(None, recalled, session_dir, wanted)
        if found is not None:
            monitor.recall(*found)
        self.redraw()

    def redraw(self) -> None:
        """Give a picture at the next asking, whether or not anything changed."""
        self._drawn = None
