"""A bench session: what is written while it runs is read back whole, whatever became of the program."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.benching import NOON, ping, request
from support.monitor_stage import MS, SECOND, endpoint

from gwtui.bench.earlier.csv_in import read
from gwtui.bench.earlier.series import read_series
from gwtui.bench.results.measured import empty, series_of
from gwtui.bench.results.rates import end_ns
from gwtui.bench.results.slo import parse_slo
from gwtui.bench.session.bench_recording import Missed, read_bench
from gwtui.bench.session.bench_session import BenchSession, SessionRefusedError
from gwtui.bench.session.run_file import Point, RunFile, RunFileError, prompt_hash
from gwtui.bench.work.arrivals import arrivals_of
from gwtui.bench.work.plan import Plan
from gwtui.model.enums import Unsent
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.recorder.session_reader import SessionError, UnreadRows

CLAUDE = endpoint("claude")
PROFILE = Profile(name="bench", endpoints=(CLAUDE, endpoint("ws", "websocket")))
START = 7 * SECOND


def session(directory: Path, *, at: float = NOON, now: float = NOON) -> BenchSession:
    run = RunFile.new(Plan(requests=3), at=at, gates=("p95_ttft>1s",))
    return BenchSession(directory, PROFILE, run, clock=lambda: START, wall=lambda: now, flush_s=0.0)


def full(number: int = 1, **fields: Any) -> Request:
    """A request with all that a benchmark adds up."""
    own: dict[str, Any] = {
        "ttft_ms": 20,
        "planned_ns": START + 5 * MS,
        "lateness_ns": 2 * MS,
        "room_wait_ns": 1 * MS,
        "sent_ns": START + 8 * MS,
        "now_ns": START + 108 * MS,
        "gaps": ((3 * MS, 4), (7 * MS, 1)),
        "output_tokens": 12,
        "tainted": True,
        "error_ns": 2 * MS,
        "errors": {Metric.TTFT: 2 * MS},
    }
    return request("claude", number, **(own | fields))


def results(directory: Path) -> list[tuple[str, Request | Ping]]:
    unread = UnreadRows()
    found = list(read_bench(directory).results(unread))
    assert not str(unread)
    return found


def test_results_are_read_back_whole(directory: Path) -> None:
    never_sent = full(2, sent_ns=None, duration_ns=None, ttft_ns=None, verdict=Verdict.REFUSED, gaps=(), errors=None)
    pong = ping("ws", planned_ns=START, now_ns=START + 9 * MS, sent_ns=START + MS)
    with session(directory) as writer:
        writer.begin(Point.of(CLAUDE, Plan(requests=3)))
        writer.row("claude", full())
        writer.row("claude", never_sent)
        writer.row("ws", pong)
    shifted = [
        msgspec.structs.replace(
            each,
            planned_ns=each.planned_ns - START,
            now_ns=end_ns(each) - START,
            sent_ns=None if each.sent_ns is None else each.sent_ns - START,
        )
        for each in (full(), never_sent, pong)
    ]
    assert results(directory) == list(zip(("claude", "claude", "ws"), shifted, strict=True))


def test_what_was_never_sent_is_told_with_its_reason_and_time(directory: Path) -> None:
    with session(directory) as writer:
        writer.miss("claude", Unsent.NO_ROOM)
    assert list(read_bench(directory).misses(UnreadRows())) == [Missed("claude", Unsent.NO_ROOM, 0)]


def test_points_are_compared_as_they_were_measured(directory: Path) -> None:
    """Two points of one endpoint, one of them an open loop: waits, misses and inexact values count as they did."""
    closed, open_loop = Plan(requests=3), Plan(requests=3, rate=10.0)
    rows = {
        "c1": [full(number, duration_ns=(100 + number) * MS) for number in range(3)],
        "r10": [full(number, errors={Metric.E2E: 200 * MS} if number else None) for number in range(3)],
    }
    live = {
        name: empty([msgspec.structs.replace(CLAUDE, name=name)], from_planned=name == "r10")[name] for name in rows
    }
    with session(directory) as writer:
        for name, plan in (("c1", closed), ("r10", open_loop)):
            writer.begin(Point.of(CLAUDE, plan, name=name))
            for each in rows[name]:
                writer.row(name, each)
                live[name].take(each)
        writer.miss("r10", Unsent.NO_ROOM)
        live["r10"].miss(Unsent.NO_ROOM)
    assert read_series(directory) == [series_of(each) for each in live.values()]


def test_run_json_says_what_was_asked_of_whom_by_what_and_names_no_key(directory: Path) -> None:
    asked = msgspec.structs.replace(
        CLAUDE, url="https://me:made-up-word@gateway.test/v1?key=made-up-word", key="env:NOWHERE", prompt="why?"
    )
    with session(directory) as writer:
        plan = Plan(rate=5.0, arrivals=arrivals_of("poisson 1..5 over 3s"), slo=parse_slo("ttft<500ms"))
        point = Point.of(asked, plan, name="claude, 5/s", axes={"rate": 5.0})
        writer.begin(point)
        writer.begin(replace(point, model="another"))
        writer.end("claude, 5/s")
    text = (directory / "run.json").read_text()
    told = json.loads(text)
    assert "made-up-word" not in text
    assert (told["schema"], told["kind"], told["started_at"]) == (1, "bench", "2025-12-31T12:00:00.000Z")
    assert told["machine"]["cpus"] == os.cpu_count()
    assert told["gates"] == ["p95_ttft>1s"]
    assert told["plan"]["requests"] == 3
    (only,) = told["points"]
    assert (only["name"], only["axes"], only["plan"]["rate"], only["ended"]) == (
        "claude, 5/s",
        {"rate": 5.0},
        5.0,
        True,
    )
    assert only["url"] == "https://gateway.test/v1"
    assert only["prompt_sha256"] == prompt_hash(asked) != prompt_hash(CLAUDE)
    recording = read_bench(directory)
    assert recording.run.point("claude, 5/s") == replace(point, ended=True)


def test_the_summary_is_the_object_that_was_given(directory: Path) -> None:
    with session(directory) as writer:
        writer.summary('{"seconds": 1}')
        writer.summary('{"seconds": 2}')
    assert json.loads((directory / "summary.json").read_bytes()) == {"seconds": 2}


def test_a_resumed_session_goes_on_in_the_same_files_and_on_the_same_line_of_time(directory: Path) -> None:
    with session(directory) as writer:
        writer.begin(Point.of(CLAUDE, Plan(requests=3)))
        writer.row("claude", full())
        writer.summary("{}")
    with (directory / "requests.csv").open("ab") as file:
        file.write(b"claude,2,torn")
    later = BenchSession.resumed(read_bench(directory), clock=lambda: START, wall=lambda: NOON + 60, flush_s=0.0)
    with later as writer:
        assert not (directory / "summary.json").exists()  # it told of what was there before
        writer.row("claude", full(2))
    first, second = (each for _, each in results(directory))
    assert second.planned_ns - first.planned_ns == 60 * SECOND
    assert writer.status().torn_lines == 1
    assert [each.name for each in read_bench(directory).run.points] == ["claude"]


def test_no_other_benchmark_writes_into_the_directory(directory: Path) -> None:
    with session(directory), pytest.raises(SessionRefusedError, match="another gwtui records"), session(directory):
        pass
    with pytest.raises(SessionRefusedError, match="holds a session already"), session(directory):
        pass
    directory.joinpath("mine.txt").touch()
    with pytest.raises(SessionRefusedError, match="did not write"), session(directory):
        pass


def test_a_place_that_cannot_be_written_to_does_not_stop_the_measuring(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with session(tmp_path / "file" / "session") as writer:
        writer.row("claude", full())
    assert writer.status().rows_lost == 1
    assert writer.status().error


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 2}', '{"schema": 1}', '{"schema": 1, "points": 3}'])
def test_a_run_file_that_is_none_is_refused(text: str, directory: Path) -> None:
    with pytest.raises(RunFileError):
        RunFile.parse(text.encode())
    with session(directory):
        pass
    (directory / "run.json").write_text(text)
    with pytest.raises(SessionError, match=r"run\.json cannot be read"):
        read_bench(directory)


def test_a_session_of_a_monitor_is_no_bench_session(tmp_path: Path) -> None:
    with session(tmp_path / "one"):
        pass
    (tmp_path / "one" / "run.json").unlink()
    with pytest.raises(SessionError, match="not a bench session"):
        read_bench(tmp_path / "one")


def test_points_of_one_endpoint_are_compared_apart(directory: Path) -> None:
    with session(directory) as writer:
        for point, took_ms in (("claude/c1", 100), ("claude/c4", 300)):
            writer.begin(Point.of(CLAUDE, Plan(requests=2), name=point))
            for number in (1, 2):
                writer.row(point, request("claude", number, took_ms))
    assert [(each.name, each.ok, each.total) for each in read(directory)] == [("claude/c1", 2, 2), ("claude/c4", 2, 2)]
