"""What a benchmark sends and when: arrivals, and requests that were sent before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace as replace_fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from support.benching import NOON, World
from support.monitor_stage import endpoint

from gwtui.bench.report.output import bench_json
from gwtui.bench.run.runner import BenchRun, drive
from gwtui.bench.work.arrivals import arrivals_of
from gwtui.bench.work.plan import Order, Plan
from gwtui.bench.work.replayed import Replay, SentBefore, read_replay
from gwtui.bench.work.targets import TargetError
from gwtui.bench.work.workload import Workload, replayed
from gwtui.cli import bench
from gwtui.cli.bench import BenchOptions
from gwtui.cli.console import Refusal
from gwtui.codec.csv_rows import CSVError
from gwtui.model.profile import Endpoint, Profile
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


HEADING = "endpoint,request_number,started_at,model"
SENT = [("a", 0.0, "m1"), ("b", 0.1, "m2"), ("a", 0.4, "m3"), ("a", 0.3, "")]


def sent(path: Path, rows: Iterable[tuple[str, float, str]] = SENT) -> Path:
    at = [datetime.fromtimestamp(NOON + each, UTC).isoformat(timespec="milliseconds") for _, each, _ in rows]
    lines = [f"{name},1,{when},{model}" for (name, _, model), when in zip(rows, at, strict=True)]
    path.write_text("\n".join((HEADING, *lines, "")))
    return path


def due_ms(workload: Workload, of: Endpoint) -> list[float]:
    return [round(each / 1e6, 3) for each in workload.due_ns([of]) or ()]


def asked_models(workload: Workload, of: Endpoint) -> list[str | None]:
    rows = range(1, len(workload.rows[of.name]) + 1)
    return [each.endpoint.model for number in rows if (each := workload.asked(of, number)) is not None]


def test_a_replay_sends_each_request_to_its_endpoint_at_its_time_to_its_model(tmp_path: Path) -> None:
    own = replace(A, model="own")
    workload = replayed(read_replay(sent(tmp_path / "requests.csv"), 10, speed=2), [own, B])
    assert (due_ms(workload, own), asked_models(workload, own)) == ([0, 150, 200], ["m1", "own", "m3"])
    assert (due_ms(workload, B), asked_models(workload, B)) == ([50], ["m2"])
    planned = workload.planned(Plan())
    assert (planned.requests, planned.rate, planned.order) == (3, 3, Order.TOGETHER)
    assert workload.text(planned).startswith("replay of requests.csv at 2x, latency from the planned send")


def test_one_endpoint_of_another_name_is_sent_all(tmp_path: Path) -> None:
    other = endpoint("other")
    workload = replayed(read_replay(sent(tmp_path / "r.csv"), 10, keeps_model=True), [other])
    assert (due_ms(workload, other), asked_models(workload, other)) == ([0, 100, 300, 400], [other.model] * 4)


def test_the_first_ones_are_sent_where_there_are_too_many(tmp_path: Path) -> None:
    replay = read_replay(sent(tmp_path / "r.csv"), 3)
    assert [row.model for row in replay.rows] == ["m1", "m2", ""], "by their times, not by their lines"
    assert replay.total == 4


def test_a_session_is_replayed_as_its_file_is(tmp_path: Path) -> None:
    sent(tmp_path / "requests.csv")
    assert read_replay(tmp_path, 10).rows == read_replay(tmp_path / "requests.csv", 10).rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column endpoint"),
        ("endpoint,number\na,1\n", "no column started_at"),
        (f"{HEADING}\n", "it contains no requests"),
        (f"{HEADING}\na,1,noon,m\n", "line 2, column started_at: 'noon' is not a time"),
    ],
)
def test_what_cannot_be_replayed_is_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(CSVError, match=said):
        read_replay(path, 10)


def test_an_endpoint_without_a_request_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="has no request of that name; it has a, b"):
        replayed(read_replay(sent(tmp_path / "r.csv"), 10), [A, endpoint("c")])


async def test_a_replay_keeps_its_times() -> None:
    rows = tuple(SentBefore(NOON + at, "a", "m") for at in (0, 0.01, 0.5))
    workload = replayed(Replay("r", rows, 3, speed=5), [A])
    world = World(takes_ms=200)
    plan = replace_fields(workload.planned(Plan()), concurrency=10)
    await world.run(drive([A], Profile(), plan, lambda _: None, deps=world.deps, workload=workload))
    assert [at for *_, at in world.log] == pytest.approx([0, 2, 100], abs=1e-3)


@pytest.mark.parametrize("line", [["--max-requests", "50"], ["--speed", "2"], ["--seed", "1"]])
def test_what_says_nothing_by_itself_is_refused(line: list[str]) -> None:
    """A maximum of requests that bounds nothing would be worse than none."""
    asked = ["--api", "openai-chat", "--url", "http://127.0.0.1:9", "--no-session", *line]
    result = CliRunner().invoke(bench.command, asked)
    assert (result.exit_code, f"{line[0]} is for --" in result.output) == (2, True), result.output


def test_a_sweep_has_a_maximum_of_requests() -> None:
    """It is not refused as saying nothing; what is refused here is an objective of another API."""
    asked = ["--api", "openai-chat", "--url", "http://127.0.0.1:9", "--no-session", "--sweep", "rate"]
    result = CliRunner().invoke(bench.command, [*asked, "--slo", "rtt<1s", "--max-requests", "50"])
    assert (result.exit_code, "--max-requests" in result.output) == (2, False), result.output
    assert "RTT" in result.output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--rate", "1e-300"], "not a number of requests per second"),
        (["--arrivals", f"poisson 0.{'0' * 20}1"], "a minimum of 0.000001 requests per second"),
        (["--replay", "r.csv", "--speed", "nan"], "is not a number"),
        (["--csv", "x", "--junit", "x"], "--csv and --junit are two files"),
        (["--request-csv", "x", "--junit", "x"], "--request-csv and --junit are two files"),
    ],
)
def test_what_cannot_be_done_is_refused(line: list[str], said: str) -> None:
    asked = ["--api", "openai-chat", "--url", "http://127.0.0.1:9", "--no-session", *line]
    result = CliRunner().invoke(bench.command, asked)
    assert (result.exit_code, said in result.output) == (2, True), result.output


@pytest.mark.parametrize("line", [["--rate", "5"], ["--arrivals", "poisson 5"], ["--requests", "5"], ["--for", "5s"]])
def test_a_replay_has_its_own_times_and_number(line: list[str], tmp_path: Path) -> None:
    asked = ["--api", "openai-chat", "--url", "http://127.0.0.1:9", "--no-session"]
    result = CliRunner().invoke(bench.command, [*asked, "--replay", str(sent(tmp_path / "r.csv")), *line])
    assert (result.exit_code, f"leave {line[0]} out" in result.output) == (2, True), result.output
