"""How the requests of a benchmark are sent: order, number, pace and end, in a world with a time of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.benching import World
from support.monitor_stage import endpoint
from support.pacing import pace

from gwtui.bench.run.runner import drive
from gwtui.bench.work.plan import Order, Plan
from gwtui.model.enums import FindingName, Unsent
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.verdict.buffering import pace_finding
from gwtui.verdict.successive import PROOF

A, B, C = endpoint("a"), endpoint("b"), endpoint("c")


async def driven(world: World, *endpoints: Any, **plan: Any) -> tuple[list[Request | Ping], list[tuple[str, Unsent]]]:
    """Results in the order they came, and who was due without finding room."""
    taken: list[Request | Ping] = []
    missed: list[tuple[str, Unsent]] = []
    work = drive(
        endpoints, Profile(), Plan(**plan), taken.append, lambda name, why: missed.append((name, why)), world.deps
    )
    await world.run(work)
    assert world.open == 0, "every prober is closed"
    return taken, missed


async def test_one_endpoint_after_the_other_each_request_once() -> None:
    world = World()
    taken, _ = await driven(world, A, B, requests=3)
    assert [(each.endpoint, each.number) for each in taken] == [
        ("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("b", 3),
    ]  # fmt: skip
    assert [began for *_, began, _ in world.log] == [0, 10, 20, 30, 40, 50]
    assert world.probers == ["a", "b"], "one connection each is enough"


async def test_in_turns_the_direction_changes_so_that_drift_cancels_out() -> None:
    world = World()
    await driven(world, A, B, requests=4, order=Order.INTERLEAVED)
    assert "".join(name for name, *_ in world.log) == "abbaabba"
    world = World()
    await driven(world, A, B, C, requests=2, order=Order.INTERLEAVED)
    assert "".join(name for name, *_ in world.log) == "abccba"


async def test_together_nobody_waits_for_another() -> None:
    world = World()
    await driven(world, A, B, C, requests=2, order=Order.TOGETHER)
    assert [(name, began) for name, _, began, _ in world.log] == [
        ("a", 0), ("b", 0), ("c", 0), ("a", 10), ("b", 10), ("c", 10),
    ]  # fmt: skip


@pytest.mark.parametrize("concurrency", [1, 3, 8])
async def test_never_more_at_once_than_asked_for(concurrency: int) -> None:
    world = World()
    taken, _ = await driven(world, A, requests=20, concurrency=concurrency)
    assert world.most_at_once == concurrency
    assert sorted(each.number for each in taken) == list(range(1, 21))
    assert len(world.probers) == concurrency


async def test_a_warmup_counts_nothing_and_warms_the_connection() -> None:
    world = World()
    taken, _ = await driven(world, A, requests=2, warmup=3)
    assert len(world.log) == 5
    assert [each.number for each in taken] == [1, 2]
    assert world.probers == ["a"]


async def test_a_time_limit_starts_no_more_and_lets_the_last_one_end() -> None:
    world = World(takes_ms=40)
    taken, missed = await driven(world, A, requests=None, for_s=0.1)
    assert [began for *_, began, _ in world.log] == [0, 40, 80]
    assert len(taken) == 3
    assert missed == []


async def test_an_open_loop_keeps_its_pace_whatever_the_gateway_does() -> None:
    world = World(takes_ms=70)
    await driven(world, A, requests=5, rate=50, concurrency=100)
    assert [began for *_, began, _ in world.log] == [0, 20, 40, 60, 80]
    assert world.most_at_once == 4


async def test_a_request_without_room_starts_late_and_is_planned_as_before() -> None:
    world = World(takes_ms=lambda turn: 100 if turn == 1 else 5)
    taken, _ = await driven(world, A, requests=4, rate=50, concurrency=1)
    assert [(began, planned) for *_, began, planned in world.log] == [(0, 0), (100, 20), (105, 40), (110, 60)]
    assert [each.lateness_ns for each in taken] == [0, 80_000_000, 65_000_000, 50_000_000]


async def test_what_found_no_room_before_the_time_was_up_is_reported() -> None:
    world = World(takes_ms=lambda turn: 1000 if turn == 1 else 5)
    taken, missed = await driven(world, A, requests=None, for_s=0.1, rate=50, concurrency=1)
    assert len(taken) == 1
    assert missed == [("a", Unsent.NO_ROOM)] * 4


async def test_the_rate_is_for_each_endpoint_when_they_take_turns() -> None:
    world = World(takes_ms=1)
    await driven(world, A, B, requests=2, rate=10, order=Order.INTERLEAVED)
    assert [(name, planned) for name, *_, planned in world.log] == [("a", 0), ("b", 50), ("b", 100), ("a", 150)]


async def test_when_cancelled_it_reports_what_was_under_way_and_closes_all() -> None:
    world = World()
    taken: list[Request | Ping] = []

    def take(result: Request | Ping) -> None:
        taken.append(result)
        if len(taken) == 4:
            work.cancel()

    plan = Plan(requests=1000, concurrency=2, order=Order.TOGETHER)
    work = asyncio.ensure_future(drive([A, B], Profile(), plan, take, deps=world.deps))
    with pytest.raises(asyncio.CancelledError):
        await world.run(work)
    assert world.open == 0
    assert {each.verdict for each in taken[:4]} == {Verdict.COMPLETE}
    assert {each.verdict for each in taken[4:]} == {Verdict.CANCELLED}


async def test_short_streams_that_came_at_once_are_proof_for_each_endpoint_by_itself() -> None:
    world, seen = World(), pace(5, 1, 5, 512, 512, 513)
    world.result = {"pace": seen, "findings": (pace_finding(seen),)}
    taken, _ = await driven(world, A, B, requests=PROOF, order=Order.INTERLEAVED)
    proved = [each for each in taken if each.findings[0].name is FindingName.BUFFERED]
    assert sorted((each.endpoint, each.number) for each in proved) == [("a", PROOF), ("b", PROOF)]
