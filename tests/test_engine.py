"""The engine probes on schedule, obeys every command, counts honestly and leaves nothing behind.

The gateway is a stand-in that is driven by events; nothing here waits for time to pass but for records to come.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, TypeVar

import pytest
from msgspec.structs import replace

from gwtui.commands import Burst, Command, Mark, Pause, PutEndpoint, RemoveEndpoint, Resume, SetInterval, Start, Try
from gwtui.engine import Engine, Figures, edits, engine, workers
from gwtui.engine.edits import CommandError
from gwtui.engine.engine import MOST_CONCURRENT
from gwtui.engine.lag import BURST_NS, PERIOD_NS, STANDSTILL_NS, TAINT_NS, Lag, marked
from gwtui.profile import Endpoint, Profile
from gwtui.records import (
    Finding,
    Heartbeat,
    Incident,
    Notice,
    Ping,
    ProfileChanged,
    Record,
    Request,
    RequestStarted,
    SessionStarted,
)
from gwtui.verdicts import Verdict
from gwtui.words import Outcome, State, Trigger

MS = 1_000_000
SOON_S = 10.0
"""Only a failing test waits so long."""
R = TypeVar("R", bound=Record)


class Gateway:
    """A stand-in for gateway and probers: answers at once, or holds what is under way until `open` is set."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.verdict = Verdict.COMPLETE
        self.stopped_at_ns: int | None = None
        self.skipped_ns = 0
        self.probers: list[FakeProber] = []
        self.under_way = 0
        self.most_under_way = 0
        self.planned: list[int] = []
        self.skip_while_probing_ns = 0

    def clock(self) -> int:
        """Runs with the real one, plus what was skipped, unless a test has stopped it."""
        return (time.perf_counter_ns() if self.stopped_at_ns is None else self.stopped_at_ns) + self.skipped_ns

    def prober_for(self, endpoint: Endpoint, profile: Profile, emit: Callable[[Record], None]) -> FakeProber:
        prober = FakeProber(self, endpoint, emit)
        self.probers.append(prober)
        return prober


class FakeProber:
    def __init__(self, gateway: Gateway, endpoint: Endpoint, emit: Callable[[Record], None]) -> None:
        self.gateway = gateway
        self.endpoint = endpoint
        self.emit = emit
        self.is_open = False
        self.probes = 0

    async def __aenter__(self) -> Self:
        self.is_open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_open = False

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Request | Ping:
        gateway = self.gateway
        self.probes += 1
        gateway.planned.append(planned_ns)
        lateness_ns = gateway.clock() - planned_ns
        assert lateness_ns >= 0
        started = RequestStarted(
            endpoint=self.endpoint.name, number=number, started_at=0, now_ns=gateway.clock(), trigger=trigger
        )
        self.emit(started)
        gateway.under_way += 1
        gateway.most_under_way = max(gateway.most_under_way, gateway.under_way)
        try:
            await gateway.open.wait()
            await asyncio.sleep(0)
            gateway.skipped_ns += gateway.skip_while_probing_ns
        except asyncio.CancelledError:
            self.emit(self._result(number, trigger, lateness_ns, Verdict.CANCELLED))
            raise
        finally:
            gateway.under_way -= 1
        return self._result(number, trigger, lateness_ns, gateway.verdict)

    def _result(self, number: int, trigger: Trigger, lateness_ns: int, verdict: Verdict) -> Request:
        return Request(
            endpoint=self.endpoint.name,
            number=number,
            started_at=0,
            now_ns=self.gateway.clock(),
            api=self.endpoint.api,
            model=self.endpoint.model or "",
            trigger=trigger,
            verdict=verdict,
            rule="x",
            lateness_ns=lateness_ns,
        )


class Session:
    """A running engine and all that it has reported."""

    def __init__(self, profile: Profile, **options: Any) -> None:
        self.records: list[Record] = []
        self._changed = asyncio.Event()
        self.engine = Engine(profile, self._emit, seed=1, **options)

    def _emit(self, record: Record) -> None:
        self.records.append(record)
        self._changed.set()

    def send(self, *commands: Command) -> None:
        for command in commands:
            self.engine.handle(command)

    def all(self, kind: type[R], since: int = 0) -> list[R]:
        return [record for record in self.records[since:] if isinstance(record, kind)]

    def results(self, name: str = "a", trigger: Trigger | None = None) -> list[Request]:
        return [r for r in self.all(Request) if r.endpoint == name and trigger in (None, r.trigger)]

    async def until(self, met: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON_S):
            while not met():
                self._changed.clear()
                await self._changed.wait()

    async def results_of(self, name: str, count: int, trigger: Trigger | None = None) -> list[Request]:
        await self.until(lambda: len(self.results(name, trigger)) >= count)
        return self.results(name, trigger)


def endpoint(name: str = "a", **changes: Any) -> Endpoint:
    return replace(Endpoint(name=name, api="openai-chat", url="http://127.0.0.1:1"), **changes)


def profile(*endpoints: Endpoint, interval_s: float = 0.02) -> Profile:
    return Profile(endpoints=endpoints or (endpoint(),), interval_s=interval_s)


@asynccontextmanager
async def session(
    gateway: Gateway, of: Profile | None = None, stop_after_s: float | None = None, **options: Any
) -> AsyncIterator[Session]:
    """Runs an engine for the block, stops it, and proves that nothing is left behind."""
    before = asyncio.all_tasks()
    it = Session(of or profile(), prober_for=gateway.prober_for, clock=gateway.clock, **options)
    running = asyncio.create_task(it.engine.run(stop_after_s))
    try:
        await it.until(lambda: it.all(Heartbeat))
        yield it
    finally:
        it.engine.stop()
        async with asyncio.timeout(SOON_S):
            await running
    assert asyncio.all_tasks() == before
    assert not any(prober.is_open for prober in gateway.probers)
    assert gateway.under_way == 0


@pytest.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.02)
    return Gateway()


# Schedules and workers


async def test_a_session_begins_with_its_start_and_ends_without_a_trace(gateway: Gateway) -> None:
    async with session(gateway, session_dir="/somewhere") as it:
        await it.results_of("a", 3)
    started = it.records[0]
    assert isinstance(started, SessionStarted)
    assert (started.session_dir, started.profile) == ("/somewhere", profile())


async def test_endpoints_are_probed_on_a_fixed_grid_under_numbers_of_their_own(gateway: Gateway) -> None:
    async with session(gateway, profile(endpoint("a"), endpoint("b"))) as it:
        for name in "ab":
            results = await it.results_of(name, 4)
            assert [result.number for result in results[:4]] == [1, 2, 3, 4]
            assert {result.trigger for result in results} == {Trigger.SCHEDULE}
    grids = {planned_ns % (20 * MS) for planned_ns in gateway.planned}
    assert len(grids) == 2, "one grid per endpoint, apart from each other"


async def test_a_started_probe_is_told_before_it_ends(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway) as it:
        await it.until(lambda: gateway.under_way == 1)
        assert it.all(RequestStarted)[0].number == 1
        assert it.results() == []
        gateway.open.set()
        await it.results_of("a", 1)


async def test_no_more_probes_than_overlap_are_under_way_and_ticks_without_room_are_missed(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint(overlap=3), interval_s=0.005)) as it:
        await it.until(lambda: it.all(Heartbeat)[-1].missed.get("a", 0) > 2)
        assert gateway.under_way == gateway.most_under_way == 3
        gateway.open.set()
        await it.results_of("a", 20)
    assert gateway.most_under_way == 3
    assert len(gateway.probers) == 3


async def test_a_websocket_has_one_worker_whatever_overlap_says_so_it_keeps_one_connection(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint(api="websocket", overlap=8), interval_s=0.005)) as it:
        await it.until(lambda: it.all(Heartbeat)[-1].missed.get("a", 0) > 2)
        assert gateway.under_way == 1
        gateway.open.set()
        await it.results_of("a", 5)
    assert gateway.most_under_way == len(gateway.probers) == 1


async def test_a_worker_keeps_its_prober_for_the_next_tick(gateway: Gateway) -> None:
    async with session(gateway, profile(endpoint(overlap=8))) as it:
        await it.results_of("a", 6)
    assert len(gateway.probers) < 6


async def test_workers_that_are_not_needed_any_more_are_closed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "IDLE_S", 0.03)
    gateway.open.clear()
    async with session(gateway, profile(endpoint(overlap=4), interval_s=0.01)) as it:
        await it.until(lambda: gateway.under_way == 4)
        gateway.open.set()
        await it.until(lambda: sum(prober.is_open for prober in gateway.probers) == 1)
        await it.results_of("a", len(it.results()) + 3)


async def test_ticks_that_pass_while_the_process_stands_still_are_missed_not_made_up_for(gateway: Gateway) -> None:
    gateway.stopped_at_ns = 0
    async with session(gateway, profile(interval_s=0.05)) as it:
        await it.results_of("a", 1)
        gateway.skipped_ns = 300_020 * MS
        await it.results_of("a", 2)
        await it.until(lambda: it.all(Heartbeat)[-1].missed == {"a": 5999})
    assert gateway.planned == [0, 300_000 * MS]
    assert [result.lateness_ns for result in it.results()] == [0, 20 * MS]
    assert any(incident.text.startswith("gwtui stood still for 300 s") for incident in it.all(Incident))


async def test_a_sample_during_which_the_engine_was_late_is_marked(gateway: Gateway) -> None:
    gateway.stopped_at_ns = 0
    async with session(gateway, profile(endpoint(paused=True))) as it:
        it.send(Burst(endpoint="a", requests=1, concurrency=1))
        await it.results_of("a", 1)
        gateway.skip_while_probing_ns = TAINT_NS + PERIOD_NS + 1
        it.send(Burst(endpoint="a", requests=1, concurrency=1))
        await it.results_of("a", 2)
    assert [result.tainted for result in it.results()] == [False, True]


async def test_a_paused_endpoint_waits(gateway: Gateway) -> None:
    async with session(gateway, profile(endpoint("a", paused=True), endpoint("b"))) as it:
        assert it.all(Heartbeat)[0].paused == ("a",)
        await it.results_of("b", 4)
        assert it.results("a") == []
        it.send(Resume(endpoint="a"))
        await it.results_of("a", 1)


async def test_it_stops_by_itself_when_told_to(gateway: Gateway) -> None:
    gateway.open.clear()
    records: list[Record] = []
    it = Engine(profile(), records.append, prober_for=gateway.prober_for)
    async with asyncio.timeout(SOON_S):
        await it.run(stop_after_s=0.05)
    assert [r.verdict for r in records if isinstance(r, Request)][:1] == [Verdict.CANCELLED]


async def test_stopping_cancels_what_is_under_way_as_rows(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint("a"), endpoint("b"))) as it:
        it.send(Burst(endpoint="b", requests=9, concurrency=2))
        await it.until(lambda: gateway.under_way >= 5)
    started = {(r.endpoint, r.number) for r in it.all(RequestStarted)}
    assert started == {(r.endpoint, r.number) for r in it.all(Request) if r.verdict is Verdict.CANCELLED}


async def test_cancelling_the_run_itself_closes_all(gateway: Gateway) -> None:
    gateway.open.clear()
    it = Session(profile(), prober_for=gateway.prober_for)
    running = asyncio.create_task(it.engine.run())
    await it.until(lambda: gateway.under_way == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [result.verdict for result in it.results()][:1] == [Verdict.CANCELLED]
    assert not any(prober.is_open for prober in gateway.probers)


# What results mean


async def test_an_incident_follows_the_result_that_makes_it(gateway: Gateway) -> None:
    gateway.verdict = Verdict.TRUNCATED
    async with session(gateway) as it:
        await it.until(lambda: it.all(Incident))
        incident = it.all(Incident)[0]
        assert (incident.state, incident.number, incident.text) == (State.DOWN, 3, "3 truncated in a row")
        result = it.records[it.records.index(incident) - 1]
        assert isinstance(result, Request)
        assert result.number == 3


async def test_heartbeats_tell_how_the_records_fare(gateway: Gateway) -> None:
    figures = Figures(rows_written=5, rows_waiting=4, rows_lost=3, recorder_error="disk full", events_dropped=2)
    async with session(gateway, status=lambda: figures) as it:
        beat = it.all(Heartbeat)[0]
    assert (beat.rows_written, beat.rows_waiting, beat.rows_lost) == (5, 4, 3)
    assert (beat.recorder_error, beat.events_dropped) == ("disk full", 2)


# Commands


async def test_a_pause_lets_running_streams_end_and_starts_no_more(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint("a"), endpoint("b"))) as it:
        await it.until(lambda: gateway.under_way >= 2)
        it.send(Pause(endpoint="a"))
        assert it.all(Heartbeat)[-1].paused == ("a",)
        started = [r for r in it.all(RequestStarted) if r.endpoint == "a"]
        gateway.open.set()
        results = await it.results_of("a", len(started))
        assert {result.verdict for result in results} == {Verdict.COMPLETE}
        await it.results_of("b", 6)
        assert len(it.results("a")) == len(started)
        it.send(Resume(endpoint="a"))
        assert it.all(Heartbeat)[-1].paused == ()
        await it.results_of("a", len(started) + 1)


async def test_all_endpoints_are_paused_and_resumed_together(gateway: Gateway) -> None:
    async with session(gateway, profile(endpoint("a"), endpoint("b"))) as it:
        it.send(Pause())
        assert it.all(Heartbeat)[-1].paused == ("a", "b")
        it.send(Resume())
        assert it.all(Heartbeat)[-1].paused == ()
        await it.results_of("b", 1)


async def test_the_interval_changes_for_one_endpoint_or_for_all(gateway: Gateway) -> None:
    slow = profile(endpoint("a"), endpoint("b", interval_s=3000.0), interval_s=3000.0)
    async with session(gateway, slow) as it:
        await it.results_of("a", 1)
        it.send(SetInterval(interval_s=0.01, endpoint="a"))
        await it.results_of("a", 4)
        assert len(it.results("b")) <= 1
        it.send(SetInterval(interval_s=0.02))
        await it.results_of("b", 4)
    one, everyone = (change.profile for change in it.all(ProfileChanged))
    assert [one.interval_of(each) for each in one.endpoints] == [0.01, 3000.0]
    assert [everyone.interval_of(each) for each in everyone.endpoints] == [0.02, 0.02]


async def test_an_added_endpoint_is_probed_at_once(gateway: Gateway) -> None:
    async with session(gateway, profile(interval_s=3000.0)) as it:
        it.send(PutEndpoint(endpoint=endpoint("new")))
        await it.results_of("new", 1)
        assert [each.name for each in it.all(ProfileChanged)[0].profile.endpoints] == ["a", "new"]


async def test_an_edited_endpoint_cancels_the_old_probes_and_goes_on_with_the_numbers(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint("a", model="old", overlap=1), endpoint("b", paused=True))) as it:
        await it.until(lambda: gateway.under_way == 1)
        it.send(PutEndpoint(endpoint=endpoint("a", model="new", overlap=1), replaces="a"))
        cancelled = (await it.results_of("a", 1))[0]
        assert (cancelled.number, cancelled.model, cancelled.verdict) == (1, "old", Verdict.CANCELLED)
        gateway.open.set()
        good = (await it.results_of("a", 2))[1]
        assert (good.number, good.model, good.verdict) == (2, "new", Verdict.COMPLETE)
        assert [each.name for each in it.all(ProfileChanged)[0].profile.endpoints] == ["a", "b"], "in its place"


async def test_an_edit_leaves_a_pause_alone_unless_it_speaks_of_it(gateway: Gateway) -> None:
    async with session(gateway) as it:
        it.send(Pause(endpoint="a"), PutEndpoint(endpoint=endpoint(model="x"), replaces="a"))
        assert it.all(Heartbeat)[-1].paused == ("a",)
        it.send(PutEndpoint(endpoint=endpoint(model="x", paused=True), replaces="a"))
        it.send(PutEndpoint(endpoint=endpoint(model="x"), replaces="a"))
        assert it.all(Heartbeat)[-1].paused == ()


async def test_a_renamed_endpoint_is_another_one(gateway: Gateway) -> None:
    async with session(gateway) as it:
        await it.results_of("a", 2)
        it.send(PutEndpoint(endpoint=endpoint("z"), replaces="a"))
        before = len(it.results("a"))
        assert (await it.results_of("z", 2))[0].number == 1
        assert len(it.results("a")) <= before + 1
        it.send(PutEndpoint(endpoint=endpoint("a")))
        count = len(it.results("a"))
        results = await it.results_of("a", count + 1)
        assert len({result.number for result in results}) == len(results), "no number is given twice"


async def test_a_removed_endpoint_is_gone_with_its_probes_and_bursts(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint("a", overlap=1), endpoint("b", paused=True))) as it:
        it.send(Burst(endpoint="a", requests=5, concurrency=2))
        await it.until(lambda: gateway.under_way == 3)
        it.send(RemoveEndpoint(name="a"))
        results = await it.results_of("a", 3)
        assert {result.verdict for result in results} == {Verdict.CANCELLED}
        await it.until(lambda: gateway.under_way == 0)
        assert not any(prober.is_open for prober in gateway.probers)
        assert [each.name for each in it.all(ProfileChanged)[0].profile.endpoints] == ["b"]


@pytest.mark.parametrize(("requests", "concurrency", "at_once"), [(10, 3, 3), (2, 50, 2), (1, 1, 1), (7, 7, 7)])
async def test_a_burst_sends_exactly_so_many_beside_the_schedule(
    gateway: Gateway, requests: int, concurrency: int, at_once: int
) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint(paused=True))) as it:
        it.send(Burst(endpoint="a", requests=requests, concurrency=concurrency))
        await it.until(lambda: gateway.under_way == at_once)
        gateway.open.set()
        results = await it.results_of("a", requests, Trigger.BURST)
        assert sorted(result.number for result in results) == list(range(1, requests + 1))
        await it.until(lambda: not any(prober.is_open for prober in gateway.probers))
    assert gateway.most_under_way == at_once
    assert len(it.results()) == requests


async def test_a_burst_to_several_endpoints_takes_turns_over_one_connection_each(gateway: Gateway) -> None:
    paused = [endpoint(name, paused=True) for name in "abc"]
    async with session(gateway, profile(*paused)) as it:
        it.send(Burst(endpoint="a", requests=3, concurrency=1, others=("b", "c", "a")))
        await it.until(lambda: len(it.all(Request)) == 9)
        results = it.all(Request)
        assert "".join(result.endpoint for result in results) == "abccbaabc"
        assert {result.trigger for result in results} == {Trigger.BURST}
        await it.until(lambda: not any(prober.is_open for prober in gateway.probers))
    assert len(gateway.probers) == 3
    assert gateway.most_under_way == 1


async def test_a_burst_to_several_ends_with_any_of_them(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint("a", paused=True), endpoint("b", paused=True))) as it:
        it.send(Burst(endpoint="a", requests=5, concurrency=2, others=("b",)))
        await it.until(lambda: gateway.under_way == 2)
        it.send(RemoveEndpoint(name="b"))
        await it.until(lambda: not any(prober.is_open for prober in gateway.probers))
        assert {result.verdict for result in it.all(Request)} == {Verdict.CANCELLED}


async def test_a_trial_probes_once_what_need_not_be_in_the_profile(gateway: Gateway) -> None:
    async with session(gateway, profile(endpoint(paused=True))) as it:
        it.send(Try(endpoint=endpoint("draft", model="m")), Try(endpoint=endpoint("a", model="other")))
        (draft,) = await it.results_of("draft", 1)
        assert (draft.trigger, draft.model) == (Trigger.TRIAL, "m")
        (tried,) = await it.results_of("a", 1)
        assert (tried.trigger, tried.model) == (Trigger.TRIAL, "other")
        assert it.all(ProfileChanged) == []
        await it.until(lambda: not any(prober.is_open for prober in gateway.probers))


async def test_a_mark_is_an_entry_of_the_log(gateway: Gateway) -> None:
    async with session(gateway, wall=lambda: 1234.5) as it:
        it.send(Mark(text="deploy \x1b[31m began"))
    mark = next(incident for incident in it.all(Incident) if incident.kind == "mark")
    assert mark.at == 1234.5
    assert mark.text.startswith("deploy ")
    assert "\x1b" not in mark.text


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (Start(profile=Profile()), "running already"),
        (Pause(endpoint="x"), "no endpoint called x"),
        (Resume(endpoint="x"), "no endpoint called x"),
        (SetInterval(interval_s=1, endpoint="x"), "no endpoint called x"),
        (SetInterval(interval_s=0), "more than 0"),
        (SetInterval(interval_s=float("nan")), "more than 0"),
        (SetInterval(interval_s=1e9, endpoint="a"), "at most 86400"),
        (PutEndpoint(endpoint=endpoint("a")), "called a already"),
        (PutEndpoint(endpoint=endpoint("b"), replaces="a"), "called b already"),
        (PutEndpoint(endpoint=endpoint("c"), replaces="x"), "no endpoint called x"),
        (PutEndpoint(endpoint=endpoint("c", api="gopher")), "no API called gopher"),
        (RemoveEndpoint(name="x"), "no endpoint called x"),
        (Burst(endpoint="x", requests=1, concurrency=1), "no endpoint called x"),
        (Burst(endpoint="a", requests=1, concurrency=1, others=("b", "x")), "no endpoint called x"),
        (Burst(endpoint="a", requests=0, concurrency=1), "at least 1 request"),
        (Burst(endpoint="a", requests=1, concurrency=0), "at least 1 request"),
        (Burst(endpoint="a", requests=1, concurrency=MOST_CONCURRENT + 1), "at once"),
        (Try(endpoint=endpoint("c", api="gopher")), "no API called gopher"),
    ],
)
async def test_a_command_that_cannot_be_done_is_answered_and_changes_nothing(
    gateway: Gateway, command: Command, says: str
) -> None:
    async with session(gateway, profile(endpoint("a"), endpoint("b"))) as it:
        it.send(command)
        assert says in it.all(Notice)[0].text
        assert it.all(ProfileChanged) == []
        await it.results_of("a", len(it.results("a")) + 2)


async def test_commands_before_and_after_the_run_are_answered(gateway: Gateway) -> None:
    it = Session(profile(), prober_for=gateway.prober_for)
    it.send(Pause())
    running = asyncio.create_task(it.engine.run())
    await it.until(lambda: it.all(Heartbeat))
    it.engine.stop()
    it.send(Burst(endpoint="a", requests=1, concurrency=1))
    await running
    it.send(Resume())
    assert [notice.text for notice in it.all(Notice)] == ["The engine is not running"] * 3


# Pure parts


def test_lag_is_known_before_the_late_task_can_tell_it() -> None:
    lag = Lag()
    assert lag.since(0, 10**12) == 0, "nothing is late before it began"
    lag.woke(0)
    assert lag.since(0, PERIOD_NS + TAINT_NS) == 0
    assert lag.since(0, PERIOD_NS + TAINT_NS + 1) == TAINT_NS + 1
    assert lag.take(PERIOD_NS + 5 * MS) == 5 * MS


def test_lag_is_remembered_for_what_was_under_way_and_for_the_next_heartbeat() -> None:
    lag = Lag()
    lag.woke(0)
    first_ns = PERIOD_NS + 90 * MS
    lag.woke(first_ns)
    late_ns = first_ns + PERIOD_NS + 30 * MS
    lag.woke(late_ns)
    assert lag.since(first_ns - 1, late_ns + MS) == 90 * MS
    assert lag.since(first_ns + 1, late_ns + MS) == 30 * MS
    assert lag.since(late_ns + 1, late_ns + MS) == 0
    assert lag.take(late_ns + MS) == 90 * MS
    assert lag.take(late_ns + MS) == 0


@pytest.mark.parametrize(
    ("verdict", "late_ns", "becomes", "tainted"),
    [
        (Verdict.STALLED, 0, Verdict.STALLED, False),
        (Verdict.STALLED, 30 * MS, Verdict.STALLED, True),
        (Verdict.STALLED, STANDSTILL_NS, Verdict.LOCAL, True),
        (Verdict.NO_FIRST_BYTE, 300 * STANDSTILL_NS, Verdict.LOCAL, True),
        (Verdict.RESET, STANDSTILL_NS, Verdict.LOCAL, True),
        (Verdict.COMPLETE, STANDSTILL_NS, Verdict.COMPLETE, True),
        (Verdict.UNAVAILABLE, STANDSTILL_NS, Verdict.UNAVAILABLE, True),
    ],
)
def test_what_fails_because_the_engine_stood_still_is_not_the_gateways_fault(
    verdict: Verdict, late_ns: int, becomes: Verdict, tainted: bool
) -> None:
    request = Request(endpoint="a", number=1, started_at=0, now_ns=0, api="http", verdict=verdict, rule="x")
    result = marked(request, late_ns)
    assert (result.verdict, result.tainted) == (becomes, tainted)
    if becomes is not verdict:
        assert verdict in result.reason
        assert result.outcome is Outcome.LOCAL


@pytest.mark.parametrize(("late_ns", "found"), [(BURST_NS - 1, ["buffered", "retries"]), (BURST_NS, ["retries"])])
def test_a_burst_that_the_engine_made_itself_is_no_finding(late_ns: int, found: list[str]) -> None:
    findings = tuple(Finding(name=name, evidence="x") for name in ("buffered", "retries"))
    request = Request(
        endpoint="a",
        number=1,
        started_at=0,
        now_ns=0,
        api="http",
        verdict=Verdict.COMPLETE,
        rule="x",
        findings=findings,
    )
    result = marked(request, late_ns)
    assert isinstance(result, Request)
    assert [finding.name for finding in result.findings] == found


def test_edits_never_change_the_profile_they_are_given() -> None:
    before = profile(endpoint("a"), endpoint("b"))
    edits.put(before, endpoint("c"), None)
    edits.put(before, endpoint("c"), "a")
    edits.remove(before, "a")
    edits.set_interval(before, 7, None)
    assert before == profile(endpoint("a"), endpoint("b"))
    with pytest.raises(CommandError):
        edits.remove(before, "c")


# With real probers over loopback


async def test_real_probes_keep_their_connection_and_leave_no_socket_behind() -> None:
    connections: list[asyncio.StreamWriter] = []
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        with suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\npong")
        writer.close()
        ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        it = Session(profile(Endpoint(name="a", api="http", url=url, path="/", method="GET", expect="pong")))
        running = asyncio.create_task(it.engine.run())
        results = await it.results_of("a", 4)
        it.engine.stop()
        async with asyncio.timeout(SOON_S):
            await running
            await ended.wait()
    assert [result.verdict for result in results[:4]] == [Verdict.COMPLETE] * 4
    assert len(connections) < 4, "a worker's connection is used again"


async def test_a_real_refusal_is_rows_and_then_an_incident() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    it = Session(profile(endpoint("a", url=url)))
    running = asyncio.create_task(it.engine.run())
    await it.until(lambda: it.all(Incident))
    it.engine.stop()
    async with asyncio.timeout(SOON_S):
        await running
    assert {result.verdict for result in it.results()} - {Verdict.CANCELLED} == {Verdict.REFUSED}
    assert (it.all(Incident)[0].state, it.all(Incident)[0].text) == (State.DOWN, "3 refused in a row")
