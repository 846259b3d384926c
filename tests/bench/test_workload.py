"""What a benchmark sends and when: arrivals."""

from __future__ import annotations

from typing import Any

import pytest
from support.benching import World
from support.monitor_stage import endpoint

from gwtui.bench.arrivals import arrivals_of
from gwtui.bench.plan import Order, Plan
from gwtui.bench.report import bench_json
from gwtui.bench.runner import BenchRun, drive
from gwtui.cli.bench import BenchOptions
from gwtui.cli.console import Refusal
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request

A, B = endpoint("a"), endpoint("b")


def plan(**options: Any) -> Plan:
    return BenchOptions(**options).plan()


async def planned_ms(world: World, *endpoints: Any, **options: Any) -> list[tuple[str, float]]:
    taken: list[Request | Ping] = []
    await world.run(drive(endpoints, Profile(), plan(**options), taken.append, deps=world.deps))
    return [(name, at_ms) for name, *_, at_ms in world.log]


async def test_requests_are_due_by_the_law_of_arrivals() -> None:
    due = await planned_ms(World(takes_ms=300), A, arrivals="10,20 every 200ms")
    assert due == [("a", 0), ("a", 100), ("a", 200), ("a", 250), ("a", 300), ("a", 350)]


async def test_endpoints_in_turns_share_one_process_of_twice_the_rate() -> None:
    due = await planned_ms(World(takes_ms=1), A, B, arrivals="5", requests=2, interleave=True)
    assert due == [("a", 0), ("b", 100), ("b", 200), ("a", 300)]


async def test_one_after_the_other_endpoints_get_the_same_times() -> None:
    due = await planned_ms(World(takes_ms=1), A, B, arrivals="poisson 50", requests=20)
    first, second = [[at for name, at in due if name == which] for which in "ab"]
    assert [at - second[0] for at in second] == pytest.approx([at - first[0] for at in first], abs=1e-3)


def test_a_changing_rate_is_run_to_its_end_unless_a_number_or_a_time_says_otherwise() -> None:
    ramp = {"arrivals": "10..100 over 1m"}
    assert (plan(**ramp).requests, plan(**ramp).for_s) == (None, 60)
    assert (plan(**ramp, for_s=5.0).requests, plan(**ramp, for_s=5.0).for_s) == (None, 5)
    assert (plan(**ramp, requests=7).requests, plan(**ramp, requests=7).for_s) == (7, None)
    assert (plan(arrivals="poisson 5").requests, plan(arrivals="poisson 5").for_s) == (1000, None)
    assert plan(**ramp).rate == 100, "the highest rate is the one that this machine has to be able to send"


def test_the_law_takes_its_rate_from_the_option_for_it() -> None:
    assert plan(arrivals="poisson", rate=20.0, seed=3).arrivals == arrivals_of("poisson 20", seed=3)
    with pytest.raises(Refusal, match="has no rate"):
        plan(arrivals="poisson")


def test_the_law_is_in_the_results() -> None:
    asked = Plan(rate=20, arrivals=arrivals_of("bursty:0.5 20", seed=7), order=Order.TOGETHER)
    found = bench_json(BenchRun.of([A], asked), ())
    assert '"arrivals": "bursty:0.5 20/s"' in found
    assert '"seed": 7' in found
