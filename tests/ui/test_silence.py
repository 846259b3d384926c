"""Silence is a state: who should speak and does not is shown as silent, and as before when it speaks again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support import story
from support.childengine import all_of, engine, texts
from support.monitor_stage import START_AT, START_NS
from support.stage import FakeFeed, on_stage

from gwtui.feeds import Feed, feeds, live, silence
from gwtui.feeds.silence import AGAIN_S, DEADLINE_S, LOOK_S, STARTING_S, Silence
from gwtui.model.commands import Mark
from gwtui.model.enums import State
from gwtui.model.profile import Profile
from gwtui.model.records import FeedEnded, FeedSilent, Heartbeat, SessionStarted
from gwtui.ui.feed_controller import Watch
from gwtui.ui.panels.endpoints import EndpointsPanel

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX systems")
SILENT = FeedSilent(now_ns=story.at(23_000), silent_ns=2_400_000_000)


def looks(silence: Silence, since_s: float, until_s: float) -> list[float]:
    """What looks at the usual times report."""
    times = [since_s + number * LOOK_S for number in range(1, round((until_s - since_s) / LOOK_S) + 1)]
    return [found for now_s in times if (found := silence.look(now_s)) is not None]


def test_silence_is_reported_when_its_time_has_come_and_again_while_it_lasts() -> None:
    silence = Silence(0.0)
    silence.heard(5.0)
    assert looks(silence, 5.0, 5.0 + DEADLINE_S - LOOK_S) == []
    assert looks(silence, 5.0 + DEADLINE_S - LOOK_S, 5.0 + DEADLINE_S) == [DEADLINE_S]
    assert looks(silence, 5.0 + DEADLINE_S, 5.0 + DEADLINE_S + 3 * AGAIN_S) == [
        DEADLINE_S + number * AGAIN_S for number in (1, 2, 3)
    ]
    silence.heard(20.0)
    assert looks(silence, 20.0, 20.0 + DEADLINE_S - LOOK_S) == []


def test_the_first_word_may_take_longer() -> None:
    silence = Silence(0.0)
    assert looks(silence, 0.0, STARTING_S - LOOK_S) == []
    assert looks(silence, STARTING_S - LOOK_S, STARTING_S) == [STARTING_S]


def test_a_standstill_of_the_screen_is_not_the_engines_silence() -> None:
    silence = Silence(0.0)
    silence.heard(0.0)
    assert looks(silence, 0.0, 1.0) == []
    assert silence.look(3_600.0) is None, "stopped by Ctrl-Z for an hour"
    assert silence.look(3_600.25) is None
    silence.heard(3_600.3)
    assert silence.look(3_600.5) is None


@posix
async def test_an_engine_that_stops_is_silent_until_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEADLINE_S", "AGAIN_S"):
        monkeypatch.setattr(silence, name, 0.0)
    monkeypatch.setattr(feeds, "LOOK_S", 0.01)
    process = engine("say('one')\nos.kill(os.getpid(), signal.SIGSTOP)\nsay('two')\nsys.stdin.buffer.read()")
    feed = live(process)
    batches = aiter(feed)
    assert texts(await anext(batches)) == ["one"]
    [silent] = await anext(batches)
    assert isinstance(silent, FeedSilent)
    assert silent.now_ns == 1 + silent.silent_ns, "by the engine's own clock"
    feed.stop()
    rest = [record for record in await all_of(feed) if not isinstance(record, FeedSilent)]
    assert texts(rest) == ["two", "engine stopped"], "asked to end it goes on, and says what it still has to say"


@posix
async def test_an_engine_that_does_not_end_is_killed_and_that_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "EXIT_S", 0.05)
    feed = live(engine("say('deaf')\nwhile True: signal.pause()"))
    assert texts(await anext(aiter(feed))) == ["deaf"]
    feed.stop()
    [ended] = await all_of(feed)
    assert ended == FeedEnded(text="engine did not end and was killed", failed=True)


@posix
async def test_commands_to_an_engine_that_does_not_read_do_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "EXIT_S", 0.05)
    feed = live(engine("say('deaf')\nwhile True: signal.pause()"))
    assert texts(await anext(aiter(feed))) == ["deaf"]
    for _ in range(20):
        feed.send(Mark(text="x" * 50_000))
    feed.stop()
    await feed.aclose()


# On the screen


async def test_while_the_engine_is_silent_no_state_is_known_and_all_comes_back(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session(), Heartbeat(at=START_AT + 20, now_ns=story.at(20_600)))
        before = stage.monitor.view
        assert any(row.state is not State.UNKNOWN for row in before.endpoints)
        await stage.show(SILENT)
        view = stage.monitor.view
        assert {row.state for row in view.endpoints} == {State.UNKNOWN}
        assert view.header.states == ((State.UNKNOWN, len(story.ENDPOINTS)),)
        assert f"{len(story.ENDPOINTS)} unknown" in stage.lines[0]
        assert "✖ engine silent for 00:00:02: figures are of 14:03:42, states unknown" in stage.lines[1]
        assert [row.p50 for row in view.endpoints] == [row.p50 for row in before.endpoints]
        table = stage.monitor.query_one(EndpointsPanel)
        assert {style for line in table._lines for _, style in line} <= {"faint", "faint selection"}
        await stage.show(Heartbeat(at=START_AT + 24, now_ns=story.at(24_000)))
        assert stage.monitor.view.header.states == before.header.states
        assert "silent" not in stage.text
        assert any(style == "text" for line in table._lines for _, style in line)


async def test_a_frozen_picture_hides_no_silence(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("space")
        await stage.show(SILENT)
        assert "engine silent" in stage.text


async def test_an_engine_that_failed_leaves_no_state_behind(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.show(FeedEnded(text="engine killed by SIGKILL", failed=True))
        assert {row.state for row in stage.monitor.view.endpoints} == {State.UNKNOWN}
        await stage.press("q")
        assert stage.app.failed


# The time it was given


async def test_a_feed_that_has_had_its_time_is_over_whatever_its_engine_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gwtui.ui.feed_controller.LATE_S", 0.0)

    def open_feed(profile: Profile) -> Feed:
        feed = FakeFeed(profile)
        feed.emit(SessionStarted(started_at=START_AT, now_ns=START_NS, profile=profile))
        return feed

    assert await Watch(open_feed, 0.01).follow(Profile(), lambda _: None)


async def test_an_engine_that_failed_before_its_time_is_over_is_seen_until_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gwtui.ui.feed_controller.LATE_S", 0.0)

    def open_feed(profile: Profile) -> Feed:
        feed = FakeFeed(profile)
        feed.emit(FeedEnded(text="engine killed by SIGKILL", failed=True))
        return feed

    watch = Watch(open_feed, 0.01)
    assert await watch.follow(Profile(), lambda _: None)
    assert watch.failed
