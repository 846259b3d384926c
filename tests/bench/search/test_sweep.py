"""A sweep finds the highest load that keeps the objectives, at a gateway with a known capacity in virtual time."""

from __future__ import annotations

import asyncio
import heapq
import json
from contextlib import suppress
from typing import Any

import pytest
from click.testing import CliRunner
from support.benching import World
from support.monitor_stage import MS, endpoint

from gwtui.bench.results.slo import parse_slo
from gwtui.bench.search.sweep import Axis, Sweep, SweepPoint
from gwtui.bench.search.sweep_report import sentence, sweep_json, sweep_text
from gwtui.cli import bench
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request
from gwtui.text.tables import TextStyle


def limited(workers: int = 8, takes_ms: int = 80) -> World:
    """A gateway that works on that many requests at once: 100/s."""
    free: list[int] = [0] * workers

    def takes(_: int) -> float:
        end_ns = max(world.now_ns, heapq.heappop(free)) + takes_ms * MS
        heapq.heappush(free, end_ns)
        return (end_ns - world.now_ns) / MS

    world = World(takes)
    return world


def swept(axis: Axis, slo: str = "", world: World | None = None, **fields: Any) -> Sweep:
    world = world or limited()
    objectives = parse_slo(slo) if slo else ()
    sweep = Sweep(endpoint(), Profile(), axis, objectives, deps=world.deps, **fields)
    asyncio.run(world.run(sweep.run()))
    return sweep


def test_the_highest_rate_is_the_capacity() -> None:
    sweep = swept(Axis.RATE, "e2e<500ms", start=50)
    best, broken = sweep.best, sweep.lowest_broken
    assert best is not None
    assert broken is not None
    assert best.load == pytest.approx(100, rel=0.1)
    assert best.load < broken.load <= 1.1 * best.load
    assert sentence(sweep).startswith(f"sustains {best.load:.3g}/s with p95 E2E < 500 ms; ")
    overloaded = max(sweep.points, key=lambda each: each.load)
    assert "broken" in sweep_text([sweep], TextStyle(200))
    assert not overloaded.kept


def test_the_highest_concurrency() -> None:
    """They go in rounds of 8, of 80 ms each: of 16 at a time each takes two rounds, of 17 some take three."""
    sweep = swept(Axis.CONCURRENCY, "e2e<210ms", start=8)
    best = sweep.best
    assert best is not None
    assert best.load == 16
    assert "concurrent requests (" in sentence(sweep)
    (told,) = json.loads(sweep_json([sweep]))["sweeps"]
    assert told["sustains"] == best.load
    assert len(told["points"]) == len(sweep.points)


def test_what_is_too_slow_at_any_load_sustains_nothing() -> None:
    sweep = swept(Axis.CONCURRENCY, "e2e<50ms")
    assert sweep.best is None
    assert sentence(sweep) == "does not keep p95 E2E < 50.0 ms at 1 concurrent request, the lowest load that was tried"


def test_never_more_requests_than_the_maximum() -> None:
    sweep = swept(Axis.RATE, "e2e<500ms", start=20, most_requests=300)
    assert sweep.used <= 300
    assert sweep.stopped.startswith("the maximum of 300 requests")
    assert sentence(sweep).startswith("sustains at least ")


def test_a_load_that_is_cut_off_judges_nothing_and_is_named() -> None:
    world = limited()
    sweep = Sweep(endpoint(), Profile(), Axis.RATE, parse_slo("e2e<500ms"), start=20, deps=world.deps)

    async def cut_at_the_second_load() -> None:
        task = asyncio.current_task()
        assert task is not None

        def cut_off(_point: SweepPoint, _result: Request | Ping) -> None:
            if sweep.points:
                task.cancel()

        sweep.take = cut_off
        with suppress(asyncio.CancelledError):
            await sweep.run()

    asyncio.run(world.run(cut_at_the_second_load()))
    assert len(sweep.points) == 1
    assert sweep.cut is not None
    assert sweep.cut not in sweep.points
    assert "was cut off after" in sweep_text([sweep], TextStyle(200))
    (told,) = json.loads(sweep_json([sweep]))["sweeps"]
    assert told["cut_off"]["kept"] is None
    assert told["requests"] == sweep.used + sweep.cut.measured.offered


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--sweep concurrency", "needs --slo"),
        ("--sweep rate --requests 5 --slo e2e<1s", "leave --requests out"),
        ("--sweep rate --junit gates.xml --slo e2e<1s", "leave --junit out"),
        ("--sweep rate --concurrency 5 --slo e2e<1s", "begins at --rate"),
        ("--sweep rate --slo ttft<1s", "no endpoint here has the latency TTFT"),
    ],
)
def test_what_contradicts_itself_is_refused(words: str, told: str) -> None:
    line = f"--api openai-chat --url http://127.0.0.1:9 --no-stream {words}"
    result = CliRunner().invoke(bench.command, line.split())
    assert result.exit_code == 2
    assert told in result.output
