"""Requests in turns: their order, how many are under way, and how they stop."""

from __future__ import annotations

import asyncio
from itertools import count, islice

import pytest
from support.standin import Gateway, endpoint

from gwtui.engine.load import LoadDriver, alternating
from gwtui.model.profile import Profile
from gwtui.probes.prober import Prober


def test_the_order_turns_round_after_each_round() -> None:
    assert "".join(alternating("AB", 3)) == "ABBAAB"
    assert "".join(islice(alternating("ABC"), 7)) == "ABCCBAA"


@pytest.mark.parametrize(("concurrency", "limit"), [(1, 3), (2, 4), (5, 3)])
async def test_a_refused_request_is_the_last_to_start(concurrency: int, limit: int) -> None:
    gateway, left = Gateway(), iter(range(limit, -100, -1))
    started: list[str] = []

    async def probe(member: str, _prober: Prober, _number: int, _due_ns: int) -> bool:
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
