"""Requests in turns: their order, how many are under way, and how they stop."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

import pytest
from support.standin import FakeProber, Gateway, endpoint

from gwtui.engine.load import PATIENCE_NS, DueRequest, LoadDriver, alternating, sleep_punctually
from gwtui.model.profile import Profile
from gwtui.probes.prober import Prober


def test_the_order_turns_round_after_each_round() -> None:
    assert "".join(alternating("AB", 3)) == "ABBAAB"
    assert "".join(islice(alternating("ABC"), 7)) == "ABCCBAA"


@pytest.mark.parametrize(("concurrency", "limit"), [(1, 3), (2, 4), (5, 3)])
async def test_a_refused_request_is_the_last_to_start(concurrency: int, limit: int) -> None:
    gateway, left = Gateway(), iter(range(limit, -100, -1))
    started: list[str] = []

    async def probe(member: str, _prober: Prober, _request: DueRequest) -> bool:
        started.append(member)
        await asyncio.sleep(0)
        return next(left) > 1

    def prober_of(member: str) -> Prober:
        return gateway.prober_for(endpoint(member), Profile(), lambda _: None)

    async with LoadDriver(["a", "b"], concurrency, prober_of, probe, clock=count().__next__) as load:
        await load.send(100)
        assert limit <= len(started) <= limit + concurrency - 1
        assert len(gateway.probers) <= 2 * concurrency
    assert not any(prober.is_open for prober in gateway.probers)


SECOND = 1_000_000_000


@dataclass
class Dialling:
    """Members whose probers have to wait after each of their failures, in a time of its own."""

    answers: dict[str, list[bool]]
    """What becomes of each member's next requests; then all go well."""
    wait_s: float
    now_ns: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    due: list[tuple[str, int]] = field(default_factory=list)
    """Each request's member, and when it was due."""

    async def drive(self, requests: int | None, **options: Any) -> None:
        async def sleep(seconds: float) -> None:
            self.now_ns += round(seconds * SECOND)
            await asyncio.sleep(0)

        async def probe(member: str, prober: Prober, request: DueRequest) -> bool:
            assert isinstance(prober, Waiting)
            assert request.due_ns <= self.now_ns
            self.sent[member] += 1
            self.due.append((member, request.due_ns))
            self.now_ns += SECOND // 10
            left = self.answers[member]
            good = left.pop(0) if left else True
            self.failed[member] += not good
            prober.until_ns = 0 if good else self.now_ns + round(self.wait_s * SECOND)
            return True

        def prober_of(_: str) -> Prober:
            return Waiting(self)

        members = list(self.answers)
        async with LoadDriver(members, 1, prober_of, probe, clock=lambda: self.now_ns, sleep=sleep) as load:
            await load.send(requests, miss=lambda member, why: self.missed.update((member, why)), **options)


class Waiting(FakeProber):
    def __init__(self, dialling: Dialling) -> None:
        super().__init__(Gateway(), endpoint(), lambda _: None)
        self.dialling = dialling
        self.until_ns = 0

    def wait_ns(self) -> int:
        return max(0, self.until_ns - self.dialling.now_ns)

    def goes_on(self) -> bool:
        return False


async def test_a_prober_that_may_not_connect_yet_is_waited_for() -> None:
    load = Dialling({"a": [True, False, False]}, wait_s=5)
    await load.drive(10)
    assert (load.sent["a"], load.failed["a"], load.missed["a"]) == (10, 2, 0)
    assert load.now_ns == 2 * 5 * SECOND + 10 * SECOND // 10


async def test_a_member_that_does_not_answer_is_given_up_and_the_others_go_on() -> None:
    load = Dialling({"dead": [False] * 99, "alive": []}, wait_s=8)
    await load.drive(20)
    assert load.sent["alive"] == 20
    assert 1 < load.sent["dead"] < 20
    assert load.sent["dead"] + load.missed["dead"] == 20
    assert load.now_ns < 2 * PATIENCE_NS


@pytest.mark.parametrize(("rate", "missed"), [(None, 0), (1.0, 2)])
async def test_a_set_time_ends_every_wait(rate: float | None, missed: int) -> None:
    """Also a wait that is longer than the patience of a load without a set time."""
    load = Dialling({"a": [True, False]}, wait_s=2 * PATIENCE_NS / SECOND)
    await load.drive(
        None if rate is None else 4, for_s=40, due=None if rate is None else count(0, round(SECOND / rate))
    )
    assert (load.sent["a"], load.missed["a"]) == (2, missed)
    assert load.now_ns == 40 * SECOND


async def test_requests_are_sent_when_they_are_due_and_end_with_the_due_times() -> None:
    """Due times may have any law; turns go round the members."""
    load = Dialling({"a": [], "b": []}, wait_s=0)
    await load.drive(None, due=iter([0, SECOND, SECOND, 7 * SECOND]))
    assert load.due == [("a", 0), ("b", SECOND), ("b", SECOND), ("a", 7 * SECOND)]
    assert load.now_ns >= 7 * SECOND


@pytest.mark.parametrize("seconds", [0.0, 0.0004, 0.003, 0.008])
async def test_a_punctual_sleep_ends_no_sooner_and_others_have_their_turn(seconds: float) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(other())
    began_ns = time.perf_counter_ns()
    await sleep_punctually(seconds)
    assert time.perf_counter_ns() - began_ns >= int(seconds * 1e9) - 50_000
    assert turns > 0 or not seconds
    task.cancel()
