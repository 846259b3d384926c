"""The engine obeys every command, and answers one that cannot be done."""

from __future__ import annotations

import asyncio

import pytest
from support.pacing import pace
from support.standin import Gateway, Session, endpoint, profile, session

from gwtui.engine import engine, profile_edits
from gwtui.engine.engine import MOST_CONCURRENT
from gwtui.engine.profile_edits import CommandError
from gwtui.model.commands import (
    Acknowledge,
    AskNow,
    Burst,
    Command,
    Mark,
    Pause,
    PutEndpoint,
    RemoveEndpoint,
    Resume,
    SetInterval,
    Start,
    Try,
)
from gwtui.model.enums import FindingName, Trigger
from gwtui.model.judged import Acknowledged, LogEntry
from gwtui.model.profile import Budget, Profile
from gwtui.model.records import Heartbeat, Notice, ProfileChanged, Request, RequestStarted
from gwtui.model.verdicts import Verdict
from gwtui.verdict.buffering import pace_finding
from gwtui.verdict.successive import PROOF


@pytest.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.02)
    return Gateway()


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
        it.send(SetInterval(interval_s=0.05, endpoint="a"))
        await it.results_of("a", 4)
        assert len(it.results("b")) <= 1
        it.send(SetInterval(interval_s=0.06))
        await it.results_of("b", 4)
    one, everyone = (change.profile for change in it.all(ProfileChanged))
    assert [one.interval_of(each) for each in one.endpoints] == [0.05, 3000.0]
    assert [everyone.interval_of(each) for each in everyone.endpoints] == [0.06, 0.06]


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
        await it.until(lambda: not any(prober.is_open for prober in gateway.probers))
        assert gateway.under_way == 0
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


async def test_streams_that_came_at_once_are_proof_after_a_number_in_a_row(gateway: Gateway) -> None:
    seen = pace(5, 1, 5, 512, 512, 513)
    gateway.result = {"pace": seen, "findings": (pace_finding(seen),)}
    async with session(gateway, profile(endpoint(paused=True))) as it:
        it.send(Resume(endpoint="a"), Burst(endpoint="a", requests=PROOF + 1, concurrency=3))
        await it.until(lambda: len(it.results()) > PROOF + 1)
        names = [each.findings[0].name for each in it.results()[: PROOF + 2]]
        await it.until(lambda: any(each.text.startswith("buffered: all 5") for each in it.all(LogEntry)))
        doubts = [each.text for each in it.all(LogEntry) if each.kind == "finding"]
    assert names == [FindingName.AT_ONCE] * (PROOF - 1) + [FindingName.BUFFERED] * 3
    assert [text.split(":")[0] for text in doubts] == ["at_once"], "`buffered` is the state by now"


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


async def test_an_endpoint_is_asked_once_at_once_also_while_it_is_paused_or_left_alone(gateway: Gateway) -> None:
    gateway.verdict = Verdict.RATE_LIMITED
    gateway.result = {"status": 429, "retry_after_s": 300.0}
    slow = profile(endpoint("a"), endpoint("b", paused=True), interval_s=0.05)
    async with session(gateway, slow) as it:
        await it.until(lambda: "a" in it.all(Heartbeat)[-1].holds)
        it.send(AskNow(endpoints=("a", "b", "a")))
        (held,) = await it.results_of("a", 1, Trigger.ASKED)
        (paused,) = await it.results_of("b", 1, Trigger.ASKED)
        assert it.all(Heartbeat)[-1].paused == ("b",)
        it.send(AskNow(endpoints=("b",)))
        await it.results_of("b", 2, Trigger.ASKED)
    assert (held.number, paused.number) == (2, 1)
    assert [result.trigger for result in it.results("b")] == [Trigger.ASKED] * 2
    assert len([prober for prober in gateway.probers if prober.endpoint.name == "b"]) == 1, "over a warm connection"


async def test_what_the_user_asks_for_takes_no_room_of_the_schedule_and_is_one_at_a_time(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint("a", overlap=1), interval_s=3000.0)) as it:
        await it.until(lambda: gateway.under_way == 1)
        it.send(AskNow(endpoints=("a",)))
        await it.until(lambda: gateway.under_way == 2)
        it.send(AskNow(endpoints=("a",)))
        gateway.open.set()
        await it.results_of("a", 2)
        (notice,) = it.all(Notice)
    assert notice.text == "Not asked: the answer to an earlier probe of a is awaited"
    assert [result.trigger for result in it.results("a")] == [Trigger.SCHEDULE, Trigger.ASKED]


async def test_a_websocket_is_not_asked_while_a_ping_is_under_way(gateway: Gateway) -> None:
    gateway.open.clear()
    async with session(gateway, profile(endpoint("a", api="websocket"), interval_s=3000.0)) as it:
        await it.until(lambda: gateway.under_way == 1)
        it.send(AskNow(endpoints=("a",)))
        assert "is awaited" in it.all(Notice)[0].text
        gateway.open.set()
        await it.results_of("a", 1)
        it.send(AskNow(endpoints=("a",)))
        await it.results_of("a", 1, Trigger.ASKED)
    assert len(gateway.probers) == 1


async def test_without_a_budget_nothing_is_asked(gateway: Gateway) -> None:
    gateway.result = {"duration_ns": 1}
    spent = Profile(endpoints=(endpoint("a"),), budget=Budget(requests=1, per="session"), interval_s=3000.0)
    async with session(gateway, spent) as it:
        await it.results_of("a", 1)
        it.send(AskNow(endpoints=("a",)))
        assert any(notice.text.startswith("Not asked: ") for notice in it.all(Notice))
        assert len(it.results("a")) == 1


async def test_a_mark_is_an_entry_of_the_log(gateway: Gateway) -> None:
    async with session(gateway, wall=lambda: 1234.5) as it:
        it.send(Mark(text="deploy \x1b[31m began"))
    mark = next(incident for incident in it.all(LogEntry) if incident.kind == "mark")
    assert mark.at == 1234.5
    assert mark.text.startswith("deploy ")
    assert "\x1b" not in mark.text


async def test_an_acknowledgement_is_a_record(gateway: Gateway) -> None:
    async with session(gateway, wall=lambda: 1234.5) as it:
        it.send(Acknowledge(incident=3, note="rotating \x1b[31m keys"))
    (said,) = it.all(Acknowledged)
    assert (said.at, said.incident) == (1234.5, 3)
    assert said.note.startswith("rotating ")
    assert "\x1b" not in said.note


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (Start(profile=Profile()), "already running"),
        (Pause(endpoint="x"), "no endpoint called x"),
        (Resume(endpoint="x"), "no endpoint called x"),
        (SetInterval(interval_s=1, endpoint="x"), "no endpoint called x"),
        (SetInterval(interval_s=0.04), "0.05 to 86400 seconds"),
        (SetInterval(interval_s=float("nan")), "0.05 to 86400 seconds"),
        (SetInterval(interval_s=1e9, endpoint="a"), "0.05 to 86400 seconds"),
        (PutEndpoint(endpoint=endpoint("a")), "already an endpoint called a"),
        (PutEndpoint(endpoint=endpoint("b"), replaces="a"), "already an endpoint called b"),
        (PutEndpoint(endpoint=endpoint("c"), replaces="x"), "no endpoint called x"),
        (PutEndpoint(endpoint=endpoint("c", api="gopher")), "no API called gopher"),
        (RemoveEndpoint(name="x"), "no endpoint called x"),
        (Burst(endpoint="x", requests=1, concurrency=1), "no endpoint called x"),
        (Burst(endpoint="a", requests=1, concurrency=1, others=("b", "x")), "no endpoint called x"),
        (AskNow(endpoints=("a", "x")), "no endpoint called x"),
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


def test_edits_never_change_the_profile_they_are_given() -> None:
    before = profile(endpoint("a"), endpoint("b"))
    profile_edits.put(before, endpoint("c"), None)
    profile_edits.put(before, endpoint("c"), "a")
    profile_edits.remove(before, "a")
    profile_edits.set_interval(before, 7, None)
    assert before == profile(endpoint("a"), endpoint("b"))
    with pytest.raises(CommandError):
        profile_edits.remove(before, "c")
