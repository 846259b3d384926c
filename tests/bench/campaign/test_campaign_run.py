"""A campaign as it is carried out, in a world with a time of its own, and what is said of it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from support.benching import World, request
from support.monitor_stage import SECOND, endpoint

from gwtui.bench.campaign.campaign import Campaign, campaign_of
from gwtui.bench.campaign.campaign_outlook import bound_of, notes_of, plan_lines
from gwtui.bench.campaign.campaign_report import campaign_json, campaign_text, point_lines, request_lines
from gwtui.bench.campaign.campaign_run import CampaignProgress, CampaignRun
from gwtui.config.bench_plans import BenchPlan
from gwtui.model.enums import Unsent
from gwtui.model.profile import Profile
from gwtui.model.verdicts import Verdict
from gwtui.text.tables import TextStyle

PROFILE = Profile(endpoints=(endpoint("a"), endpoint("b"), endpoint("http", "http", paused=True)))


def campaign(**plan: Any) -> Campaign:
    return campaign_of(BenchPlan(**{"name": "n", **plan}), PROFILE)


async def driven(world: World, **plan: Any) -> CampaignRun:
    run = CampaignRun(campaign(**plan), keeps_rows=True)
    await world.run(run.drive(world.deps))
    assert world.open == 0, "every prober is closed"
    return run


def filled(found: Campaign, e2e_ms: dict[str, float], n: int = 60, failed: str = "") -> CampaignRun:
    """A campaign whose points have these latencies."""
    run = CampaignRun(found)
    for name, measured in run.measured.items():
        for number in range(n):
            value = e2e_ms[name] + number % 5
            measured.take(request(measured.endpoint, number + 1, value, ttft_ms=value / 2, planned_ns=number * SECOND))
        if name == failed:
            measured.take(request(measured.endpoint, n + 1, verdict=Verdict.TRUNCATED, reason="cut", planned_ns=0))
    run.seconds = 12.0
    return run


async def test_one_point_at_a_time_block_after_block_there_and_back() -> None:
    world = World()
    run = await driven(world, requests=8, concurrency=(1, 2), blocks=2)
    assert "".join(name for name, *_ in world.log) == "aaaabbbb" + "bbbbbbbbaaaaaaaa" + "bbbbaaaa"
    assert (world.most_at_once, len({name for name, *_ in world.log[8:16]})) == (2, 1)
    assert {name: measured.ok for name, measured in run.measured.items()} == dict.fromkeys(run.measured, 8)
    numbers = [result.number for result in run.rows["a/c1"]]
    assert numbers == list(range(1, 9)), "numbers go on in the next block"


async def test_the_rate_of_a_point_is_that_of_its_own_blocks() -> None:
    run = await driven(World(takes_ms=10), requests=8, blocks=2)
    found = run.measured["a"].rates
    assert found is not None
    assert (found.span_ns, found.per_s(found.good)) == (80_000_000, 100.0)


async def test_the_warm_up_is_before_each_block_and_counts_nothing() -> None:
    world = World()
    run = await driven(world, endpoints=("a",), requests=8, warmup=1, blocks=2)
    assert (len(world.log), run.measured["a"].ok) == (10, 8)
    bound = bound_of(run.campaign)
    assert (bound.requests, bound.warmup, bound.tokens) == (8, 2, 10 * 256)


async def test_what_was_due_and_never_sent_is_counted_at_its_point() -> None:
    world = World(takes_ms=lambda turn: 9000 if turn == 1 else 5)
    run = await driven(world, endpoints=("a",), rate=(1.0,), concurrency=1, for_=5.0)
    (measured,) = run.measured.values()
    assert (measured.ok, measured.unsent[Unsent.NO_ROOM]) == (1, 4)


def test_the_time_left_is_known_from_the_paces_of_the_points() -> None:
    now = [0.0]
    run = CampaignRun(campaign(endpoints=("a",), requests=8, concurrency=(1, 2), blocks=1))
    progress = CampaignProgress(run.campaign.blocks, run.measured, lambda: now[0])
    progress.begin(run.campaign.blocks[0])
    assert progress.seconds_left() is None
    assert "time left unknown" in progress.beside_bar()
    for _ in range(4):
        run.measured["a/c1"].take(request("a"))
    now[0] = 8.0
    assert (progress.done(), progress.length) == (4, 16)
    assert progress.seconds_left() == 8.0 + 8 * 2.0 / 2, "two at a time take half as long"
    assert progress.line() == "4 of 16 requests, 0 failed, block 1 of 2, 8 s, 16s left"


def test_the_time_left_of_timed_blocks_is_what_the_plan_says() -> None:
    now = [0.0]
    run = CampaignRun(campaign(endpoints=("a",), for_=20.0, concurrency=(1, 2), blocks=2))
    progress = CampaignProgress(run.campaign.blocks, run.measured, lambda: now[0])
    progress.begin(run.campaign.blocks[0])
    now[0] = 4.0
    assert (progress.done(), progress.length, progress.seconds_left()) == (40, 400, 36.0)
    progress.end()
    assert progress.done() == 100


def test_the_table_has_the_loads_as_columns_and_failures_below_the_latencies() -> None:
    found = campaign(prompts={"short": "Hi", "long": "Go on"}, concurrency=(1, 4), slo="e2e<130ms", requests=60)
    run = filled(
        found, {point.name: 100 + 10 * point.load.concurrency - 10 for point in found.points}, failed="b/long/c4"
    )
    lines = campaign_text(run, TextStyle()).splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("Prompt"))
    table = [[cell.strip() for cell in line.split("|")] for line in lines[at : at + 22]]
    assert table[0] == ["Prompt", "Endpoint", "", "1 at a time", "4 at a time"]
    assert [row[:2] for row in table[2:] if row[1]] == [["short", "a"], ["", "b"], ["long", "a"], ["", "b"]]
    first, last = table[2:7], table[17:22]
    assert [row[2] for row in first] == ["TTFT p50 / p95", "E2E p50 / p95", "good/s", "failed", "goodput"]
    assert first[1][3:] == ["102 / 104", "132 / 134"]
    assert last[3][3:] == ["0", "1 (1.6 %)"]
    assert [cell.partition(",")[0] for cell in first[4][3:]] == ["100 %", "0.0 %"]
    assert "b/long/c4: 1 of 61 requests failed; statistics calculated on 60 successful requests only" in lines


def test_a_table_that_is_too_wide_goes_on_below() -> None:
    found = campaign(concurrency=(1, 2, 4, 8, 16))
    run = filled(found, {point.name: 100.0 for point in found.points})
    lines = campaign_text(run, TextStyle(width=80)).splitlines()
    assert max(len(line) for line in lines if "|" in line) <= 80
    assert sum(line.startswith("Endpoint |") for line in lines) == 2
    assert sum(line.count(" at a time") for line in lines if line.startswith("Endpoint |")) == 5


def test_pairs_are_compared_only_where_the_plan_asks_and_named_by_endpoint() -> None:
    loads = {"a/c1": 100.0, "b/c1": 200.0, "a/c4": 100.0, "b/c4": 100.0}
    run = filled(campaign(concurrency=(1, 4), compare=(("a", "b"),)), loads)
    text = campaign_text(run, TextStyle())
    assert "1 at a time: a 102 ms, b 202 ms" in text
    told = json.loads(campaign_json(run, run.tripped()))
    assert {(each["first"], each["second"]) for each in told["comparisons"]} == {("a/c1", "b/c1"), ("a/c4", "b/c4")}
    unasked = filled(campaign(concurrency=(1, 4)), loads)
    assert json.loads(campaign_json(unasked, []))["comparisons"] == []


def test_gates_judge_each_point_and_name_it() -> None:
    found = campaign(concurrency=(1, 4), fail_if=("b/*: p95_e2e>150ms", "failed>0"))
    run = filled(found, {"a/c1": 100, "a/c4": 300, "b/c1": 100, "b/c4": 300}, failed="a/c1")
    assert [(each.endpoint, each.gate) for each in run.tripped()] == [
        ("a/c1", "failed>0"), ("b/c4", "b/*: p95_e2e>150ms"),
    ]  # fmt: skip


def test_csv_has_a_row_per_point_with_its_axes_and_a_row_per_request_with_its_point() -> None:
    found = campaign(prompts={"p": "Hi"}, max_tokens=64, rate=(0.5, 2.0))
    run = filled(found, {point.name: 100.0 for point in found.points})
    rows = list(csv.DictReader(io.StringIO(b"".join(point_lines(run)).decode())))
    axes = [(row["point"], row["endpoint"], row["prompt"], row["max_tokens"], row["rate"]) for row in rows]
    assert axes[:2] == [("a/p/64t/r0.5", "a", "p", "64", "0.5"), ("a/p/64t/r2", "a", "p", "64", "2.0")]
    assert (len(rows), rows[0]["concurrency"]) == (4, "")
    run.rows["b/p/64t/r2"] = [request("b", 2), request("b", 1)]
    rows = list(csv.DictReader(io.StringIO(b"".join(request_lines(run)).decode())))
    assert [(row["point"], row["request_number"]) for row in rows] == [("b/p/64t/r2", "1"), ("b/p/64t/r2", "2")]


@pytest.mark.parametrize(
    ("plan", "bound"),
    [
        ({"requests": 10, "concurrency": (1, 2)}, (40, 40 * 256, None)),
        ({"for_": "30s"}, (None, None, 60.0)),
        ({"for_": "30s", "rate": 2.0, "max_tokens": 10}, (120, 1200, 60.0)),
        ({"requests": 30, "for_": "30s", "rate": 2.0}, (60, 60 * 256, 30.0)),
        ({"endpoints": ("http",), "requests": 5}, (5, 0, None)),
    ],
)
def test_what_a_plan_takes_at_most(plan: dict[str, Any], bound: tuple[Any, ...]) -> None:
    found = bound_of(campaign(**plan))
    assert (found.requests, found.tokens, found.seconds) == bound


def test_what_a_plan_cannot_keep_up_or_decide_is_noted() -> None:
    found = campaign(concurrency=(1, 16), requests=20, fail_if=("p95_ttft>1s", "fail_rate>1%"))
    notes = list(notes_of(found))
    assert [note.partition(":")[0] for note in notes if "at a time" in note] == ["16 at a time"]
    assert sum("p95_ttft>1s takes 59 results" in note for note in notes) == len(notes) - 1 == 1
    assert any("4 points" in line for line in plan_lines(found))


def test_after_an_early_end_only_what_was_measured_is_shown_and_judged() -> None:
    run = CampaignRun(campaign(concurrency=(1, 4), fail_if=("fail_rate>1%",)))
    assert len(run.tripped()) == 4, "nothing is proved without a request"
    run.ran_out = True
    run.measured["a/c4"].take(request("a", 1, verdict=Verdict.TRUNCATED))
    assert [each.endpoint for each in run.tripped()] == ["a/c4"]
    lines = campaign_text(run, TextStyle()).splitlines()
    assert "stopped by --deadline" in lines[0]
    assert [line.split("|")[0].strip() for line in lines if "E2E" in line] == [""]
    assert not any(line.startswith("b ") for line in lines)
