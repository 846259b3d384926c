"""What this machine can send, and how much at once: said before and after, and never charged to the endpoint."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from bench.limited import Law, limited
from support.monitor_stage import endpoint

from gwtui.bench.run import machine_limits
from gwtui.bench.run.machine_limits import in_flight_limit, send_capacity

TAKES_S = 0.4


def run(line: str, files: int | None = None) -> subprocess.CompletedProcess[str]:
    """`bench` by itself, which may have that number of open files."""
    limit = "" if files is None else f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}));"
    code = f"{limit}import sys; from gwtui.cli.bench import command; command(sys.argv[1:])"
    command = [sys.executable, "-c", code, *line.split()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("api", ["anthropic-messages", "openai-chat"])
async def test_what_can_be_sent_is_measured_whatever_the_api(api: str) -> None:
    assert (await send_capacity(endpoint("a", api)) or 0) > 0


async def test_pings_are_not_tried_out() -> None:
    assert await send_capacity(endpoint("a", "websocket")) is None


async def test_without_a_sink_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_limits, "SINK", "raise SystemExit")
    assert await send_capacity(endpoint()) is None


def test_a_rate_that_no_machine_reaches_is_said_to_be_out_of_reach_before_it_starts() -> None:
    with limited(Law(after_s=0.001)) as truth:
        done = run(f"--api openai-chat --url {truth.url} --no-stream --rate 10000 --requests 300 --json")
    assert "gwtui: 10,000 requests/s are out of reach: this machine can send about " in done.stderr
    told = json.loads(done.stdout)
    (found,) = told["endpoints"]
    assert 0 < told["send_capacity_per_s"] < 10_000
    assert found["own_late"] > 0
    assert (found["no_room"], found["failed"], found["successful"]) == (0, 0, len(truth.answered))


def test_no_room_is_the_endpoint_s_slowness_and_the_limit_is_named() -> None:
    with limited(Law(after_s=TAKES_S)) as truth:
        done = run(f"--api openai-chat --url {truth.url} --no-stream --rate 100 --requests 40", files=80)
    assert "waited for room: the maximum concurrency, 16, as open files are limited to 80 (ulimit -n), was used up" in (
        done.stdout
    )


def test_an_open_loop_has_no_limit_of_its_own() -> None:
    """120 requests that take a second are under way at once."""
    with limited(Law(after_s=1)) as truth:
        line = f"--api openai-chat --url {truth.url} --no-stream --rate 400 --requests 120 --json"
        (found,) = json.loads(run(line).stdout)["endpoints"]
    ended_first_ns = min(each.ended_ns for each in truth.answered)
    assert sum(each.came_ns < ended_first_ns for each in truth.answered) > 100
    assert (found["no_room"], found["successful"]) == (0, 120)


@pytest.mark.parametrize(("concurrency", "code"), [(1001, 0), (1937, 2)])
def test_a_concurrency_above_1000_is_for_machines_that_bear_it(concurrency: int, code: int) -> None:
    with limited(Law(after_s=0.001)) as truth:
        line = f"--api openai-chat --url {truth.url} --no-stream --concurrency {concurrency} --requests 3"
        done = run(line, files=2000)
    assert done.returncode == code, done.stderr
    if code:
        assert (
            "at most 1936 requests can be under way here, as open files are limited to 2,000 (ulimit -n)" in done.stderr
        )


def test_little_memory_is_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_limits, "_free_bytes", lambda: 128 << 20)
    limit = in_flight_limit()
    most = (128 << 20) // 2 // machine_limits.BYTES_EACH
    assert (limit.number, limit.why) == (most, "128 MiB of memory are free")
