"""A feed folded into pictures: what is followed, sent, frozen and closed, without a screen."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from support import story
from support.monitor_stage import START_AT, START_NS
from support.stage import FakeFeed

from gwtui.feeds import Feed
from gwtui.model.commands import Pause
from gwtui.model.profile import Profile
from gwtui.model.query import Query, Window
from gwtui.model.records import FeedEnded, Heartbeat, Notice, Record, SessionStarted
from gwtui.ui import feed_controller
from gwtui.ui.feed_controller import Watch

PROFILE = Profile(name="prod", endpoints=story.ENDPOINTS)


class Watching:
    """A watch whose feed has sent some records and goes on."""

    def __init__(self) -> None:
        self.feeds: list[FakeFeed] = []
        self.notices: list[str] = []
        self.watch = Watch(self._open)

    def _open(self, profile: Profile) -> Feed:
        self.feeds.append(FakeFeed(profile))
        return self.feeds[-1]

    async def start(self, *records: Record) -> asyncio.Task[bool]:
        task = asyncio.create_task(self.watch.follow(PROFILE, self.notices.append))
        await asyncio.sleep(0)
        await self.emit(SessionStarted(started_at=START_AT, now_ns=START_NS, profile=PROFILE), *records)
        return task

    async def emit(self, *records: Record) -> None:
        self.feeds[-1].emit(*records)
        await self.feeds[-1].taken.wait()


@pytest.fixture
def watching() -> Watching:
    return Watching()


async def test_a_picture_is_given_once_per_change(watching: Watching) -> None:
    task = await watching.start(*story.session())
    watch = watching.watch
    first = watch.changed_view(60)
    assert first is not None
    assert first.header.requests == 49
    assert watch.changed_view(60) is None
    watch.query = Query(window=Window.ALL)
    assert watch.changed_view(60) is not None
    assert watch.changed_view(30) is not None
    assert watch.changed_view(30) is None
    watch.redraw()
    assert watch.changed_view(30) is not None
    task.cancel()


async def test_a_frozen_picture_can_be_looked_at_from_every_side(watching: Watching) -> None:
    task = await watching.start(*story.session())
    watch = watching.watch
    watch.freeze()
    requests = watch.view(60).header.requests
    await watching.emit(story.completed(10, 20_000), Heartbeat(at=START_AT + 25, now_ns=story.at(25_000)))
    assert watch.view(60).header.requests == requests
    assert watch.live_view(60, None).header.requests == requests + 1
    watch.query = replace(watch.query, endpoint=story.GPT.name)
    view = watch.view(60)
    assert view.selected is not None
    assert view.selected.name == story.GPT.name
    assert view.header.requests == requests
    past = watch.is_past
    watch.freeze()
    assert (past, watch.is_past) == (True, False)
    assert watch.view(60).header.requests == requests + 1
    task.cancel()


async def test_commands_go_to_the_feed_that_runs(watching: Watching) -> None:
    assert not watching.watch.send(Pause())
    task = await watching.start()
    assert watching.watch.send(Pause())
    assert watching.feeds[0].sent == [Pause()]
    watching.feeds[0].emit(FeedEnded(text="engine exited 1", failed=True))
    await task
    assert not watching.watch.send(Pause())
    assert not watching.watch.running
    assert watching.feeds[0].closed
    assert watching.watch.view(60).header.ended


async def test_the_engines_notices_are_reported_each_time(watching: Watching) -> None:
    task = await watching.start(*[Notice(now_ns=START_NS, text="no such endpoint")] * 2)
    assert watching.notices == ["no such endpoint"] * 2
    task.cancel()


async def test_a_second_session_starts_from_nothing(watching: Watching) -> None:
    task = await watching.start(*story.session())
    watching.watch.freeze()
    watching.feeds[0].emit(FeedEnded(text="engine exited 1", failed=True))
    await task
    again = await watching.start()
    view = watching.watch.view(60)
    assert (view.header.requests, view.log, view.header.ended) == (0, (), False)
    assert not watching.watch.is_past
    again.cancel()


async def test_closing_outlives_the_one_who_follows(watching: Watching) -> None:
    task = await watching.start(*story.session())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not watching.feeds[0].closed
    await watching.watch.aclose()
    await watching.watch.aclose()
    assert watching.feeds[0].closed


async def test_the_whole_session_is_kept_for_the_summary(watching: Watching) -> None:
    task = await watching.start(*story.session())
    watching.watch.query = Query(filter="state:down", window=Window.S30, endpoint=story.GPT.name)
    (view,) = watching.watch.whole_views()
    assert [row.name for row in view.endpoints] == [endpoint.name for endpoint in story.ENDPOINTS]
    assert view.query.window is Window.ALL
    task.cancel()


async def test_what_an_engine_sends_while_it_ends_is_in_the_last_picture(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows that waited to the end were lost in the end."""
    task = await watching.start(*story.session())
    task.cancel()
    (feed,) = watching.feeds
    last = Heartbeat(at=0, now_ns=story.at(100_000), recorder_error="No space left on device", rows_lost=3)
    monkeypatch.setattr(feed, "stop", lambda: feed.emit(last, FeedEnded(text="engine stopped")))
    await watching.watch.aclose()
    assert feed.closed
    assert watching.watch.whole_views()[-1].header.banner.endswith("(No space left on device), 3 lost")


async def test_an_engine_that_does_not_end_is_listened_to_for_a_while_only(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_controller, "FAREWELL_S", 0.01)
    task = await watching.start(*story.session())
    task.cancel()
    (feed,) = watching.feeds
    monkeypatch.setattr(feed, "stop", lambda: None)
    async with asyncio.timeout(20):
        await watching.watch.aclose()
    assert feed.closed
