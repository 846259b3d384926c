"""A whole engine against a real gateway: left alone when that asks for it, not hammered, and within its budget."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from support.pinging import TEXT, close, frame
from support.running import GOOD, Emitted, asking, running
from support.scripted import Accept, Receive, ScriptedServer, Send, Step, TakeFrame, http

from gwtui.engine import Engine, engine
from gwtui.engine.backoff import AFTER_REFUSALS, LONGEST_ASKED_S
from gwtui.engine.budget import HOUR_NS
from gwtui.engine.load import PATIENCE_NS
from gwtui.model.commands import Burst, Command, Pause, PutEndpoint, Resume, Try
from gwtui.model.enums import Outcome, State, Trigger
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Budget, Endpoint, Profile
from gwtui.model.query import Query
from gwtui.model.records import Heartbeat, Notice, Ping, Record, Request
from gwtui.model.view import EndpointRow
from gwtui.monitor import Monitor

SECOND = 1_000_000_000


class Watched(Emitted):
    """A running engine, its clock, and what a screen would show of it."""

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self.skipped_ns = 0
        self._monitor = Monitor()
        self.engine = Engine(profile, self.emit, clock=lambda: time.perf_counter_ns() + self.skipped_ns, seed=1)

    def emit(self, record: Record) -> None:
        self._monitor.apply(record)
        super().emit(record)

    def row(self, name: str = "a") -> EndpointRow:
        return next(row for row in self._monitor.view(Query()).endpoints if row.name == name)

    def beat(self) -> Heartbeat:
        return self.all(Heartbeat)[-1]

    def send(self, command: Command) -> None:
        self.engine.handle(command)


@asynccontextmanager
async def watching(profile: Profile) -> AsyncIterator[Watched]:
    it = Watched(profile)
    async with running(it.engine):
        await it.until(lambda: it.all(Heartbeat))
        yield it


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.01)


@pytest.mark.parametrize(
    ("status", "header", "told_s", "held_s"),
    [
        ("429 Too Many Requests", "Retry-After: 7", 7, 7),
        ("503 Service Unavailable", "Retry-After: 7.5", 7.5, 7.5),
        ("429 Too Many Requests", "retry-after-ms: 7000", 7, 7),
        ("529 Overloaded", "Retry-After: 1000000000", 3600, LONGEST_ASKED_S),
    ],
)
async def test_an_endpoint_that_asks_for_it_is_left_alone_and_the_rest_of_the_time_is_reported(
    status: str, header: str, told_s: float, held_s: float
) -> None:
    gateway = ScriptedServer([Receive(), Send(http(status, header)), *GOOD])
    async with gateway, watching(Profile(endpoints=(asking(gateway.url, overlap=1),), interval_s=0.01)) as it:
        await it.until(lambda: it.row().held >= 5)
        row = it.row()
        assert row.held_ns is not None
        assert (held_s - 5) * SECOND < row.held_ns <= (held_s + 0.01) * SECOND
        assert row.note.startswith(f"held {-(-row.held_ns // SECOND)} s by Retry-After; HTTP {status[:3]}")
        it.skipped_ns += int((held_s - 5) * SECOND)
        await it.until(lambda: it.row().held >= row.held + 2)
        assert len(gateway.requests) == 1
        it.skipped_ns += 6 * SECOND
        await it.until(lambda: it.row().state is State.UP and it.row().held_ns is None)
        assert "held" not in it.row().note
    assert [each.retry_after_s for each in it.all(Request)[:2]] == [told_s, None]


@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S UTC", "%Y-%m-%dT%H:%M:%SZ"])
async def test_a_date_to_wait_for_is_counted_down(form: str) -> None:
    date = datetime.fromtimestamp(time.time() + 200, UTC).strftime(form)
    gateway = ScriptedServer([Receive(), Send(http("429 Too Many Requests", f"Retry-After: {date}")), *GOOD])
    async with gateway, watching(Profile(endpoints=(asking(gateway.url, overlap=1),), interval_s=0.01)) as it:
        await it.until(lambda: it.row().held >= 5)
        held_ns = it.row().held_ns
        assert held_ns is not None
        assert 100 * SECOND < held_ns <= 200.01 * SECOND
        assert it.row().note.startswith(f"held {-(-held_ns // SECOND)} s by Retry-After; HTTP 429")
        assert len(gateway.requests) == 1
        it.skipped_ns += 201 * SECOND
        await it.until(lambda: it.row().state is State.UP)


async def test_what_cannot_be_read_as_a_wait_is_reported_and_the_pace_is_kept() -> None:
    refusal: list[Step] = [Receive(), Send(http("503 Service Unavailable", "Retry-After: soon"))]
    async with (
        ScriptedServer(refusal * 2000) as gateway,
        watching(Profile(endpoints=(asking(gateway.url, overlap=1),), interval_s=0.01)) as it,
    ):
        await it.until(lambda: len(it.all(Request)) >= 5)
        assert it.row().held == 0
        assert "HTTP 503: retry-after says 'soon'" in it.row().note


async def test_a_wrong_key_does_not_hammer_and_a_resume_tries_at_once() -> None:
    gateway = ScriptedServer([Receive(), Send(http("401 Unauthorized"))] * 2000)
    async with gateway, watching(Profile(endpoints=(asking(gateway.url, overlap=1),), interval_s=0.05)) as it:
        await it.until(lambda: it.row().held_ns is not None)
        count = len(it.all(Request))
        assert count >= AFTER_REFUSALS
        assert f"after {count} failures in a row; HTTP 401" in it.row().note
        it.send(Pause())
        it.send(Resume())
        assert it.beat().holds == {}
        await it.until(lambda: len(it.all(Request)) > count)


async def test_a_budget_ends_bursts_schedules_and_trials_and_says_so() -> None:
    async with ScriptedServer(GOOD) as gateway:
        costly = asking(gateway.url)
        endpoints = (costly, asking(gateway.url, "b", paused=True))
        async with watching(Profile(endpoints=endpoints, budget=Budget(requests=5), interval_s=0.02)) as it:
            it.send(Burst(endpoint="b", requests=100, concurrency=3))
            await it.until(lambda: it.beat().paused == ("a", "b") and len(it.all(Request)) == 5)
            reason = "this hour's budget of 5 requests is spent, the next begins in 00:"
            assert any(each.text.startswith(f"probing pauses: {reason}") for each in it.all(LogEntry))
            assert it.all(Notice)[-1].text.startswith("probing pauses: ")
            assert it.row().state is State.PAUSED
            for command in (Resume(), Burst(endpoint="a", requests=1, concurrency=1), Try(endpoint=costly)):
                it.send(command)
                assert reason in it.all(Notice)[-1].text
            it.send(PutEndpoint(endpoint=replace(costly, name="c")))
            it.send(PutEndpoint(endpoint=replace(costly, name="a2"), replaces="a"))
            assert set(it.beat().paused) == {"a2", "b", "c"}
            assert len(gateway.requests) == 5
            it.skipped_ns += HOUR_NS
            await it.until(lambda: it.beat().paused == ("b",))
            assert it.all(Notice)[-1].text == "probing continues: a new budget begins"
            await it.until(lambda: set(it.beat().paused) == {"a2", "b", "c"} and len(it.all(Request)) == 10)
            assert len(gateway.requests) == 10


async def test_a_budget_of_tokens_says_that_answers_tell_none() -> None:
    body = b'{"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}'
    async with ScriptedServer([Receive(), Send(http("200 OK", body=body))] * 9) as gateway:
        endpoint = Endpoint(name="a", api="openai-chat", url=gateway.url, stream=False, max_tokens=100)
        profile = Profile(endpoints=(endpoint,), budget=Budget(tokens=150), interval_s=0.02)
        async with watching(profile) as it:
            await it.until(lambda: it.beat().paused == ("a",))
            said = [each.text for each in it.all(LogEntry) if each.kind == "engine"]
            assert said[0] == "a: its answers tell no usage, so the budget counts max_tokens instead"
            assert said[1].startswith("probing pauses: this hour's budget of 150 tokens (2 answers without usage")


async def test_pings_take_nothing_of_a_budget() -> None:
    async with ScriptedServer(GOOD) as gateway:
        ping = Endpoint(name="ws", api="websocket", url=gateway.url, path="/")
        profile = Profile(endpoints=(asking(gateway.url), ping), budget=Budget(requests=1), interval_s=0.02)
        async with watching(profile) as it:
            await it.until(lambda: it.beat().paused == ("a",))
            count = len(it.all(Ping))
            await it.until(lambda: len(it.all(Ping)) >= count + 2)
            assert {each.trigger for each in it.all(Ping)} == {Trigger.SCHEDULE}
    assert len([each for each in it.all(Request) if each.outcome is Outcome.OK]) == 1


PONG: list[Step] = [TakeFrame(), Send(frame(TEXT, b"pong"))]
CLOSED: list[Step] = [Accept(), TakeFrame(), Send(close(1012))]


def pinging(url: str, interval_s: float) -> Profile:
    return Profile(endpoints=(Endpoint(name="a", api="websocket", url=url, path="/"),), interval_s=interval_s)


async def test_ticks_before_the_next_dial_are_held_and_make_no_rows() -> None:
    gateway = ScriptedServer(CLOSED, CLOSED, CLOSED, [Accept(), *PONG * 2000])
    async with gateway, watching(pinging(gateway.url, 0.3)) as it:
        await it.until(lambda: it.row().state is State.UP and it.row().held >= 1)
        rows, row = it.all(Ping), it.row()
    assert [each.verdict.value for each in rows[:4]] == ["closed", "closed", "closed", "pong"]
    assert len(gateway.frames) >= len(rows[:4])
    assert row.failed == 3
    assert any(hold.why == "before the next dial" for each in it.all(Heartbeat) for hold in each.holds.values())


async def test_one_ping_that_fails_costs_a_burst_no_other() -> None:
    gateway = ScriptedServer([Accept(), *PONG * 3, TakeFrame(), Send(close(1012))], [Accept(), *PONG * 100])
    async with gateway, watching(pinging(gateway.url, 3600)) as it:
        it.send(Pause())
        it.send(Burst(endpoint="a", requests=12, concurrency=1))
        await it.until(lambda: len([each for each in it.all(Ping) if each.trigger is Trigger.BURST]) == 12)
        failed = [each for each in it.all(Ping) if each.outcome is Outcome.FAILED]
    assert [each.close_code for each in failed] == [1012]
    assert it.row().state is not State.DOWN


async def test_a_burst_that_is_given_up_says_how_much_was_not_sent() -> None:
    gateway = ScriptedServer(CLOSED, CLOSED)
    async with gateway, watching(pinging(gateway.url, 3600)) as it:
        it.send(Pause())
        it.send(Burst(endpoint="a", requests=9, concurrency=1))

        def given_up() -> bool:
            it.skipped_ns += PATIENCE_NS  # between any two records
            return bool(it.all(Notice))

        await it.until(given_up)
        (notice,) = it.all(Notice)
    sent = [each for each in it.all(Ping) if each.trigger is Trigger.BURST]
    assert notice.text == f"a: {9 - len(sent)} of a burst's 9 requests were not sent: no answer for some 30 s"
