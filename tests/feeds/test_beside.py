"""A feed that ends with what it needs."""

from __future__ import annotations

import pytest
from support.childengine import all_of
from support.stage import FakeFeed

from gwtui.feeds import feeds
from gwtui.feeds.feeds import beside
from gwtui.model.commands import Pause
from gwtui.model.profile import Profile
from gwtui.model.records import FeedEnded, Notice
from gwtui.ui.feed_controller import Watch

GONE = FeedEnded(text="The embedded gateway exited 1", failed=True, fatal=True, detail="MemoryError")
WORD = Notice(now_ns=1, text="one")


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "LOOK_S", 0.001)


async def test_while_nothing_is_gone_it_is_the_feed_itself() -> None:
    inner = FakeFeed(Profile())
    feed = beside(inner, lambda: None)
    inner.emit(WORD)
    inner.emit(FeedEnded(text="engine stopped"))
    assert await all_of(feed) == [WORD, FeedEnded(text="engine stopped")]
    feed.send(Pause())
    await feed.aclose()
    assert (inner.sent, inner.closed) == ([Pause()], True)


async def test_what_is_gone_is_the_reported_end() -> None:
    inner = FakeFeed(Profile())
    feed = beside(inner, lambda: GONE)
    inner.emit(WORD)
    assert await all_of(feed) == [WORD, GONE]


async def test_closing_ends_one_who_waits() -> None:
    inner = FakeFeed(Profile())
    feed = beside(inner, lambda: None)
    inner.emit(WORD)
    await anext(aiter(feed))
    await feed.aclose()
    assert inner.closed


async def test_nothing_is_left_to_be_started_again_so_the_program_ends() -> None:
    watch = Watch(lambda profile: beside(FakeFeed(profile), lambda: GONE))
    assert await watch.follow(Profile(), lambda _: None)
    assert watch.failed
