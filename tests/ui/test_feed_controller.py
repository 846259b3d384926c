"""A feed folded into pictures: what is followed, sent, frozen and closed, without a screen."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from support import story
from support.monitor_stage import START_AT, START_NS
from support.stage import FakeFeed

from gwtui.feeds import Feed, Recording, WantedStream
from gwtui.model.commands import Pause
from gwtui.model.enums import EventKind, State
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Profile
from gwtui.model.query import Query, Window
from gwtui.model.records import (
    FeedEnded,
    Heartbeat,
    Notice,
    Record,
    Request,
    SessionStarted,
    StreamEvent,
    StreamRead,
)
from gwtui.model.verdicts import Verdict
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


async def loaded(watching: Watching, recording: Recording, *more: Record) -> asyncio.Task[bool]:
    """A recording of 20 s of which everything has come, with an incident from 5 s to 12 s, opened at 100 s."""
    task = await watching.start(*more, *story.session())
    watching.feeds[-1].recording = recording
    watching.watch.tick(100.0)
    return task


def second(watch: Watch) -> float | None:
    """The second of the session that is looked at."""
    return None if watch.query.at_ns is None else (watch.query.at_ns - START_NS) / 1e9


def incident(event: IncidentEvent, at_s: float) -> LogEntry:
    return LogEntry(
        at=START_AT + at_s,
        now_ns=story.at(at_s * 1000),
        kind="incident",
        endpoint=story.GPT.name,
        incident=1,
        event=event,
        severity=State.DOWN,
        scope=f"endpoint {story.GPT.name}",
        cause="overloaded (529)",
        since=START_AT + 5,
    )


INCIDENT = (incident(IncidentEvent.OPENED, 5), incident(IncidentEvent.CLOSED, 12))


async def test_a_recording_opens_at_its_first_incident_and_plays_to_its_end(watching: Watching) -> None:
    task = await loaded(watching, Recording(2.0, is_playing=False), *INCIDENT)
    watch = watching.watch
    assert (second(watch), watch.playing) == (5.0, "‖ 2x")
    watch.freeze()
    seen = []
    for now_s in (101.0, 102.0, 104.0, 107.0, 120.0):
        watch.tick(now_s)
        seen.append((second(watch), watch.playing))
    end_s = (watch.live_view(60, None).now_ns - START_NS) / 1e9
    assert seen == [(5.0, "▶ 2x"), (7.0, "▶ 2x"), (11.0, "▶ 2x"), (17.0, "▶ 2x"), (None, "‖ 2x")]
    assert 17 < end_s < 40
    watch.freeze()
    assert (second(watch), watch.playing) == (0.0, "▶ 2x"), "from its end on it begins again"
    assert watch.change_speed(1)
    watch.tick(130.0)
    watch.tick(131.0)
    assert (second(watch), watch.playing) == (5.0, "▶ 5x")
    watch.look_at(None)
    watch.tick(132.0)
    assert (second(watch), watch.playing) == (None, "‖ 5x")
    task.cancel()


@pytest.mark.parametrize(("is_playing", "opens_at"), [(True, 0.0), (False, None)])
async def test_a_recording_without_incidents_opens_at_its_end_and_plays_from_its_start(
    watching: Watching, is_playing: bool, opens_at: float | None
) -> None:
    task = await loaded(watching, Recording(1.0, is_playing=is_playing))
    assert second(watching.watch) == opens_at
    task.cancel()


async def test_what_goes_on_is_not_played(watching: Watching) -> None:
    task = await watching.start(*INCIDENT, *story.session())
    watch = watching.watch
    watch.tick(100.0)
    assert (watch.playing, watch.change_speed(1), second(watch)) == ("", False, None)
    watch.look_at(story.at(5_000))
    watch.tick(200.0)
    assert second(watch) == 5.0
    task.cancel()


EVENTS = tuple(StreamEvent(name="delta", kind=EventKind.TEXT, text=f"{at}") for at in range(3))


def kept(result: Request) -> tuple[Request, tuple[StreamRead, ...]]:
    """What a session's file says of that request: three events, 10 ms apart."""
    return result, tuple(
        StreamRead(
            endpoint=result.endpoint,
            number=result.number,
            now_ns=10_000_000 * at,
            since_sent_ns=10_000_000 * at,
            first_event=at,
            events=(event,),
        )
        for at, event in enumerate(EVENTS, 1)
    )


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, int], Request]:
    """What the kept streams of a session are of; empty at first. `asked` has the questions."""
    known: dict[tuple[str, int], Request] = {}

    def read(session_dir: str, wanted: WantedStream) -> tuple[Request, tuple[StreamRead, ...]] | None:
        assert session_dir == "/session"
        found = known.get((wanted.endpoint, wanted.number))
        return None if found is None else kept(found)

    monkeypatch.setattr(feed_controller, "recalled", read)
    return known


def ended(number: int, name: str = "claude") -> Request:
    return Request(
        endpoint=name,
        number=number,
        started_at=START_AT + number,
        now_ns=START_NS + number * 1_000_000_000,
        api="openai-chat",
        verdict=Verdict.TRUNCATED,
        rule="openai.cut",
        events=3,
        reads=3,
        status=200,
    )


async def recording(watching: Watching, *records: Record) -> asyncio.Task[bool]:
    started = SessionStarted(started_at=START_AT, now_ns=START_NS, profile=PROFILE, session_dir="/session")
    return await watching.start(started, *records)


async def test_the_events_of_a_kept_stream_are_read_back_for_the_probe_that_is_shown(
    watching: Watching, files: dict[tuple[str, int], Request]
) -> None:
    name = PROFILE.endpoints[0].name
    task = await recording(watching, ended(1, name), ended(2, name))
    files |= {(name, 1): ended(1, name), (name, 2): ended(2, name)}
    watch = watching.watch
    for chosen, shown in ((None, 2), (1, 1)):
        watch.query = Query(endpoint=name, request=chosen)
        await watch.read_back(60)
        stream = watch.view(60).stream
        assert stream is not None
        assert (stream.number, stream.lines_dropped) == (shown, 0)
        assert [(line.since_sent_ns, line.gap_ns, line.event) for line in stream.lines] == [
            (10_000_000, None, EVENTS[0]),
            (20_000_000, 10_000_000, EVENTS[1]),
            (30_000_000, 10_000_000, EVENTS[2]),
        ]
        assert watch.changed_view(60) is not None
    assert watch.view(60).header.requests == 2, "what is read back counts nowhere"
    task.cancel()


async def test_a_probe_that_is_no_longer_kept_is_shown_from_its_file(
    watching: Watching, files: dict[tuple[str, int], Request]
) -> None:
    name = PROFILE.endpoints[0].name
    task = await recording(watching, ended(9, name))
    files[name, 4] = ended(4, name)
    watch = watching.watch
    watch.query = Query(endpoint=name, request=4)
    await watch.read_back(60)
    stream = watch.view(60).stream
    assert stream is not None
    assert (stream.number, len(stream.lines), stream.newest) == (4, 3, False)
    watch.query = Query(endpoint=name, request=5)
    await watch.read_back(60)
    stream = watch.view(60).stream
    assert stream is not None
    assert (stream.number, stream.newest) == (9, True), "none was kept"
    task.cancel()
