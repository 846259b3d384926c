"""The points of a plan and the order of their blocks: nobody is favoured by a drift, no block is too short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.monitor_stage import endpoint

from gwtui.bench.campaign.campaign import Campaign, campaign_of, gates_of, parts_of, plan_faults, turns_of
from gwtui.bench.gates.gate_figures import GateError
from gwtui.bench.work.plan import Plan
from gwtui.bench.work.targets import TargetError
from gwtui.config.bench_plans import BenchPlan, PromptFile
from gwtui.model.profile import Profile

PROFILE = Profile(endpoints=(endpoint("a"), endpoint("b"), endpoint("http", "http"), endpoint("off", paused=True)))


def campaign(**plan: Any) -> Campaign:
    return campaign_of(BenchPlan(**{"name": "n", "endpoints": ("a", "b"), **plan}), PROFILE)


def order_of(found: Campaign) -> list[str]:
    return [block.point.name for block in found.blocks]


def test_every_endpoint_is_asked_every_prompt_with_every_limit_under_every_load() -> None:
    found = campaign(prompts={"short": "Hi", "long": "Go on"}, max_tokens=(64, 256), concurrency=(1, 4))
    assert [point.name for point in found.points][:5] == [
        "a/short/64t/c1", "a/short/64t/c4", "a/short/256t/c1", "a/short/256t/c4", "a/long/64t/c1",
    ]  # fmt: skip
    assert len({point.name for point in found.points}) == len(found.points) == 16
    last = found.points[-1]
    assert (last.endpoint.name, last.endpoint.prompt, last.endpoint.max_tokens) == ("b", "Go on", 256)
    assert last.axes == {"prompt": "long", "max_tokens": 256, "concurrency": 4}
    assert (last.load.concurrency, last.load.requests) == (4, 100)


def test_a_prompt_takes_the_place_of_a_conversation() -> None:
    own = endpoint("talk", messages=({"role": "user", "content": "Hello"},))
    found = campaign_of(BenchPlan(name="n", prompts={"p": "Hi"}), Profile(endpoints=(own,)))
    (point,) = found.points
    assert (point.endpoint.prompt, point.endpoint.messages) == ("Hi", None)
    assert point.name == "talk/p"


def test_an_open_loop_has_a_limit_of_its_own() -> None:
    found = campaign(endpoints=("a",), rate=(0.5, 20.0), concurrency=500, for_="30s")
    assert [(point.name, point.load.rate, point.load.concurrency) for point in found.points] == [
        ("a/r0.5", 0.5, 500), ("a/r20", 20.0, 500),
    ]  # fmt: skip
    assert found.points[0].axes == {"rate": 0.5}


def test_blocks_take_turns_there_and_back_and_endpoints_stay_together() -> None:
    found = campaign(concurrency=(1, 2), requests=32)
    forth = ["a/c1", "b/c1", "a/c2", "b/c2"]
    assert order_of(found) == (forth + forth[::-1]) * 2
    assert [block.plan.requests for block in found.blocks] == [8] * 16


def test_a_load_that_needs_more_requests_has_fewer_blocks_around_the_middle() -> None:
    found = campaign(concurrency=(1, 8), requests=64)
    assert order_of(found) == [
        "a/c1", "b/c1", "a/c8", "b/c8", "b/c1", "a/c1", "a/c1", "b/c1", "b/c8", "a/c8", "b/c1", "a/c1",
    ]  # fmt: skip


@given(requests=st.integers(1, 2000), most=st.integers(1, 20), concurrency=st.integers(1, 64))
def test_all_requests_are_sent_and_each_point_lies_around_the_middle(
    requests: int, most: int, concurrency: int
) -> None:
    found = campaign(endpoints=("a",), requests=requests, blocks=most, concurrency=concurrency)
    sizes = [block.plan.requests or 0 for block in found.blocks]
    assert sum(sizes) == requests
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) == 1 or min(sizes) >= 4 * concurrency
    turns = turns_of(len(sizes), most)
    assert len(set(turns)) == len(turns)
    if len(sizes) > 1:
        assert sum(turns) * 2 == (most - 1) * len(turns), "a steady drift weighs on every point alike"


@pytest.mark.parametrize(
    ("load", "parts"),
    [
        (Plan(requests=100, concurrency=1), 4),
        (Plan(requests=100, concurrency=8), 2),
        (Plan(requests=100, concurrency=64), 1),
        (Plan(requests=None, for_s=60.0), 4),
        (Plan(requests=None, for_s=12.0), 2),
        (Plan(requests=100, rate=10.0), 4),
        (Plan(requests=100, rate=20.0), 2),
        (Plan(requests=1, concurrency=1), 1),
    ],
)
def test_a_block_is_never_too_short_for_its_load(load: Plan, parts: int) -> None:
    assert parts_of(load, 4) == parts


def test_pairs_are_those_that_the_plan_names_with_all_else_alike() -> None:
    found = campaign(prompts={"x": "X", "y": "Y"}, concurrency=(1, 4), compare=(("b", "a"),))
    assert [(one.name, other.name) for one, other in found.pairs] == [
        ("b/x/c1", "a/x/c1"), ("b/x/c4", "a/x/c4"), ("b/y/c1", "a/y/c1"), ("b/y/c4", "a/y/c4"),
    ]  # fmt: skip
    assert list(campaign(concurrency=(1, 4)).pairs) == []


@pytest.mark.parametrize(
    ("plan", "key", "says"),
    [
        ({"fail_if": ("p95_ttf>1s",)}, "fail_if", "'ttf' is not a latency"),
        ({"fail_if": ("c: p95_ttft>1s",)}, "fail_if", "there is no endpoint or point 'c'"),
        ({"fail_if": ("p95_rtt>1s",)}, "fail_if", "no endpoint here has the latency RTT"),
        ({"slo": "ttft>1s"}, "slo", "an objective is an upper limit"),
        ({"slo": "rtt<1s"}, "slo", "no endpoint here has the latency"),
        ({"prompts": {"p": PromptFile(file="/nonexistent/p.txt")}}, "prompts", "there is no such file"),
    ],
)
def test_what_keeps_a_plan_from_being_carried_out_is_named_with_its_key(
    plan: dict[str, Any], key: str, says: str
) -> None:
    (problem,) = plan_faults(BenchPlan(name="n", endpoints=("a",), **plan), PROFILE)
    assert problem.path[:3] == ("bench", "n", key)
    assert says in problem.message


def test_a_gate_may_be_about_some_points_alone() -> None:
    found = campaign(concurrency=(1, 16), fail_if=("*/c16: p95_ttft>9s", "a: fail_rate>1%"))
    about = {point.name: [gate.expression.text for gate in gates_of(point, found.gates)] for point in found.points}
    high, of_a = "*/c16: p95_ttft>9s", "a: fail_rate>1%"
    assert about == {"a/c1": [of_a], "a/c16": [high, of_a], "b/c1": [], "b/c16": [high]}
    with pytest.raises(GateError, match="no endpoint or point"):
        campaign(concurrency=(1, 16), fail_if=("*/c8: p95_ttft>9s",))


def test_the_prompt_of_a_file_is_its_text(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("Grüße\n", encoding="utf-8")
    (point, _) = campaign(prompts={"p": PromptFile(file=str(path))}).points
    assert point.endpoint.prompt == "Grüße\n"
    path.write_bytes(b"\xff")
    with pytest.raises(TargetError, match="not UTF-8"):
        campaign(prompts={"p": PromptFile(file=str(path))})
