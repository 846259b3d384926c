"""The engine probes on schedule, counts honestly and leaves nothing behind.

The gateway is a stand-in that is driven by events; nothing here waits for time to pass but for records to come.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
from msgspec.structs import replace
from support.listening import listening
from support.running import SOON_S, running
from support.standin import Gateway, Session, endpoint, profile, session

from gwtui.engine import Engine, Figures, endpoint_runner, engine
from gwtui.engine.loop_lag import PERIOD_NS, STANDSTILL_NS
from gwtui.model.commands import Burst, Resume
from gwtui.model.enums import State, Trigger
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Budget, Endpoint, Turn
from gwtui.model.records import Heartbeat, Record, Request, RequestStarted, SessionStarted
from gwtui.model.verdicts import Verdict

MS = 1_000_000


@pytest.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.02)
    return Gateway()


# Schedules and workers


TALK = endpoint("a", turns=(Turn(prompt="One"), Turn(prompt="Two"), Turn(prompt="Three")))


async def test_one_tick_sends_all_turns_of_a_conversation_one_after_another(gateway: Gateway) -> None:
    async with session(gateway, profile(TALK, interval_s=3600)) as it:
        results = await it.results_of("a", 3)
        it.send(Burst(endpoint="a", requests=1, concurrency=1))
        burst = await it.results_of("a", 3, Trigger.BURST)
    assert [result.number for result in (*results, *burst)] == [1, 2, 3, 4, 5, 6]
    assert gateway.most_under_way == 1


async def test_each_turn_counts_against_a_budget(gateway: Gateway) -> None:
    gateway.result = {"duration_ns": MS}
    limited = replace(profile(TALK, interval_s=3600), budget=Budget(requests=2))
    async with session(gateway, limited) as it:
        await it.results_of("a", 2)
        beats = len(it.all(Heartbeat))
        await it.until(lambda: len(it.all(Heartbeat)) > beats + 1)
    assert len(it.results()) == 2


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


async def test_a_started_probe_is_reported_before_it_ends(gateway: Gateway) -> None:
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
        await it.until(lambda: gateway.under_way == 3 and it.all(Heartbeat)[-1].missed.get("a", 0) > 2)
        assert gateway.most_under_way == 3
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
    monkeypatch.setattr(endpoint_runner, "IDLE_S", 0.03)
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
    assert any(incident.text.startswith("gwtui was stopped for 300 s") for incident in it.all(LogEntry))


async def test_what_came_to_nothing_while_the_engine_stood_still_says_nothing_of_the_gateway(gateway: Gateway) -> None:
    gateway.stopped_at_ns = 0
    gateway.verdict = Verdict.NO_FIRST_BYTE
    async with session(gateway, profile(endpoint(paused=True))) as it:
        it.send(Burst(endpoint="a", requests=1, concurrency=1))
        await it.results_of("a", 1)
        gateway.skip_while_probing_ns = STANDSTILL_NS + PERIOD_NS
        it.send(Burst(endpoint="a", requests=1, concurrency=1))
        await it.results_of("a", 2)
    assert [result.verdict for result in it.results()] == [Verdict.NO_FIRST_BYTE, Verdict.LOCAL]


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
        await it.until(lambda: len(it.all(LogEntry)) >= 2)
        opened, state = it.all(LogEntry)[:2]
        assert (opened.kind, opened.incident, opened.number) == ("incident", 1, 3)
        assert (state.state, state.incident, state.text) == (State.DOWN, 1, "3 truncated in a row")
        result = it.records[it.records.index(opened) - 1]
        assert isinstance(result, Request)
        assert result.number == 3


async def test_heartbeats_report_how_the_records_fare(gateway: Gateway) -> None:
    figures = Figures(rows_written=5, rows_waiting=4, rows_lost=3, recorder_error="disk full", events_dropped=2)
    async with session(gateway, status=lambda: figures) as it:
        beat = it.all(Heartbeat)[0]
    assert (beat.rows_written, beat.rows_waiting, beat.rows_lost) == (5, 4, 3)
    assert (beat.recorder_error, beat.events_dropped) == ("disk full", 2)


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
        ended.set()

    async with listening(serve) as port:
        url = f"http://127.0.0.1:{port}"
        it = Session(profile(Endpoint(name="a", api="http", url=url, path="/", method="GET", expect="pong")))
        async with running(it.engine):
            results = await it.results_of("a", 4)
        async with asyncio.timeout(SOON_S):
            await ended.wait()
    assert [result.verdict for result in results[:4]] == [Verdict.COMPLETE] * 4
    assert len(connections) < 4, "a worker's connection is used again"


async def test_a_real_refusal_is_rows_and_then_an_incident() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    it = Session(profile(endpoint("a", url=url)))
    async with running(it.engine):
        await it.until(lambda: len(it.all(LogEntry)) >= 2)
    assert {result.verdict for result in it.results()} - {Verdict.CANCELLED} == {Verdict.REFUSED}
    opened, state = it.all(LogEntry)[:2]
    assert (opened.scope, opened.cause) == ("endpoint a", "not reachable (refused)")
    assert (state.state, state.text) == (State.DOWN, "3 refused in a row")
