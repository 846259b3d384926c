"""What the screen costs: a frame with many endpoints, the same at ten times the load, and a flooded stream panel."""

from __future__ import annotations

import asyncio
import itertools
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from msgspec.structs import replace

from gwtui.config import Config
from gwtui.feeds import Feed, Recording
from gwtui.model.commands import Command
from gwtui.model.profile import Profile
from gwtui.model.query import Query, Window
from gwtui.model.records import Heartbeat, Record, RequestStarted, StreamRead
from gwtui.monitor import Monitor
from gwtui.monitor.time_strip import STRIP_CELLS
from gwtui.ui.app import GwtuiApp
from gwtui.ui.screens.monitor import FRAMES_PER_S, MonitorScreen

from .fiction import EVENTS, MS, STEP_NS, fiction, fiction_profile
from .figures import Figure, median, quantile

ENDPOINTS = 20
SIZE = (140, 40)
CHART_COLUMNS = 28
"""Shares of the window at that size."""
TURN_S = 1 / FRAMES_PER_S
LINES_PER_S = 100_000
LINES_PER_READ = 100

Batch = Callable[[], list[Record]]


class Pushed:
    """A feed that gives the test's records, one batch at a time."""

    refuses = ""
    recording: Recording | None = None

    def __init__(self) -> None:
        self._batches: asyncio.Queue[list[Record]] = asyncio.Queue()

    def push(self, batch: list[Record]) -> None:
        self._batches.put_nowait(batch)

    async def __aiter__(self) -> AsyncIterator[list[Record]]:
        while True:
            yield await self._batches.get()

    def send(self, command: Command) -> None:
        """There is no engine."""

    def stop(self) -> None:
        """There is no engine."""

    async def aclose(self) -> None:
        """There is no engine."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a while on screen took."""

    turns_ms: tuple[float, ...]
    """CPU time for each tenth of a second: records taken in, and a frame drawn."""
    frames_per_s: float


def run(short: bool) -> Iterator[Figure]:
    turns = 3 if short else 60
    loads = (("a dashboard", 50, "<= 10 ms"), ("ten times that", 500, ""))
    for name, records, reach in loads[: 1 if short else None]:
        drawn = asyncio.run(_drawn(_dashboard(records), turns))
        summary = f"{_summary(drawn)}, {sum(drawn.turns_ms) / len(drawn.turns_ms) / TURN_S / 10:.0f} % of a core"
        yield Figure(f"{ENDPOINTS} endpoints, {records * FRAMES_PER_S:,} records/s ({name}): a turn", summary, reach)
    yield _steps(short)
    yield _day(short)
    yield _charts(short)
    drawn = asyncio.run(_drawn(_flood(), turns))
    yield Figure(f"{LINES_PER_S:,} lines/s into the stream panel: a turn", _summary(drawn), f"{FRAMES_PER_S} frames/s")


def _steps(short: bool) -> Figure:
    """Walking back through a session, a bucket at a time."""
    took = asyncio.run(_walked(2_000 if short else 40_000, 3 if short else 40))
    summary = f"p50 {median(took):.1f} ms, p99 {quantile(took, 0.99):.1f} ms"
    return Figure(f"{ENDPOINTS} endpoints: a step of the cursor, and its frame", summary, "<= 50 ms")


def _day(short: bool) -> Figure:
    """Walking back through a day in which each endpoint is asked every 5 s, without drawing."""
    results = 2_000 if short else ENDPOINTS * 24 * 3600 // 5
    monitor = Monitor()
    story = fiction(fiction_profile(ENDPOINTS), step_ns=5_000 * MS // ENDPOINTS)
    ended = (record for record in story if not isinstance(record, StreamRead | RequestStarted | Heartbeat))
    for record in itertools.islice(ended, results):
        monitor.apply(record)
    now_ns, took = monitor.now_ns, []
    for window, step in itertools.product(Window, range(3 if short else 40)):
        began_ns = time.process_time_ns()
        monitor.view(Query(window=window, at_ns=now_ns - (step + 1) * now_ns // STRIP_CELLS))
        took.append((time.process_time_ns() - began_ns) / 1e6)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    summary = f"p50 {median(took):.1f} ms, p99 {quantile(took, 0.99):.1f} ms; {grown} MB for this process"
    return Figure(f"{results:,} results: a step of the cursor to any window of a moment", summary, "<= 50 ms, 200 MB")


def _charts(short: bool) -> Figure:
    """The first view of the latency chart after another window, of one endpoint with many results."""
    seconds = 60 if short else 3600
    monitor = Monitor()
    story = fiction(fiction_profile(1))
    per_s = 1_000 * MS // STEP_NS
    for record in itertools.islice((each for each in story if not isinstance(each, StreamRead)), 2 * per_s * seconds):
        monitor.apply(record)
    took = []
    for window in (Window.H1, Window.ALL) * (1 if short else 5):
        monitor.view(Query(window=Window.S30), CHART_COLUMNS)
        began_ns = time.process_time_ns()
        monitor.view(Query(window=window), CHART_COLUMNS)
        took.append((time.process_time_ns() - began_ns) / 1e6)
    summary = f"p50 {median(took):.1f} ms, p99 {quantile(took, 0.99):.1f} ms"
    return Figure(f"{per_s} results/s for an hour: the first view of another window", summary, "<= 30 ms")


def _summary(drawn: Drawn) -> str:
    p50, p99 = median(drawn.turns_ms), quantile(drawn.turns_ms, 0.99)
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {drawn.frames_per_s:.1f} frames/s"


async def _drawn(batch: Batch, turns: int) -> Drawn:
    """Show so many turns, a tenth of a second each."""
    profile, feed = fiction_profile(ENDPOINTS), Pushed()

    def open_feed(_: Profile) -> Feed:
        return feed

    with tempfile.TemporaryDirectory() as place:
        app = GwtuiApp(Config(Path(place, "config.toml")), profile, open_feed, _no_demo)
        async with app.run_test(size=SIZE):
            for _ in range(5):
                await _turn(feed, batch)
            screen = app.screen
            assert isinstance(screen, MonitorScreen)
            first, began = screen.view.version, time.perf_counter()
            took = [await _turn(feed, batch) for _ in range(turns)]
            frames = screen.view.version - first
            seconds = time.perf_counter() - began
    return Drawn(tuple(took), frames / seconds)


async def _walked(records: int, steps: int) -> tuple[float, ...]:
    """CPU milliseconds of each step back in time, after so many records."""
    profile, feed = fiction_profile(ENDPOINTS), Pushed()
    batch = list(itertools.islice(fiction(profile), records))

    def open_feed(_: Profile) -> Feed:
        return feed

    took = []
    with tempfile.TemporaryDirectory() as place:
        app = GwtuiApp(Config(Path(place, "config.toml")), profile, open_feed, _no_demo)
        async with app.run_test(size=SIZE) as pilot:
            feed.push(batch)
            await asyncio.sleep(2 * TURN_S)
            for _ in range(steps):
                await pilot.pause()
                began_ns = time.process_time_ns()
                await pilot.press("comma")
                await pilot.pause()
                took.append((time.process_time_ns() - began_ns) / 1e6)
    return tuple(took)


async def _turn(feed: Pushed, batch: Batch) -> float:
    """CPU milliseconds of the next tenth of a second, without making the records."""
    records = batch()
    began_ns = time.process_time_ns()
    feed.push(records)
    await asyncio.sleep(TURN_S)
    return (time.process_time_ns() - began_ns) / 1e6


def _dashboard(records: int) -> Batch:
    """The next records of a fictitious session, whose clock runs as this one does."""
    story = fiction(fiction_profile(ENDPOINTS))
    return lambda: list(itertools.islice(story, records))


def _flood() -> Batch:
    """One stream that never ends, of the endpoint that is shown."""
    profile = fiction_profile(ENDPOINTS)
    story = fiction(profile)
    begun = [next(story), RequestStarted(endpoint=profile.endpoints[0].name, number=1, started_at=0.0, now_ns=0)]
    events = EVENTS * (LINES_PER_READ // len(EVENTS))
    template = StreamRead(
        endpoint=profile.endpoints[0].name, number=1, now_ns=0, since_sent_ns=0, first_event=1, events=events
    )
    reads = (
        replace(template, now_ns=turn * MS, since_sent_ns=turn * MS, first_event=turn * len(events) + 1)
        for turn in itertools.count()
    )
    per_turn = round(LINES_PER_S * TURN_S) // len(events)

    def batch() -> list[Record]:
        before: list[Record] = begun[:]
        begun.clear()
        return [*before, *itertools.islice(reads, per_turn)]

    return batch


def _no_demo() -> NoReturn:
    raise NotImplementedError("there is a profile")
