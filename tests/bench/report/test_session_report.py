"""The report of a bench session: figures of each point, its series, and no text that is markup or a key."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.benching import NOON, request
from support.monitor_stage import MS, SECOND, endpoint

from gwtui.bench.report.session_page import bench_html, bench_markdown
from gwtui.bench.report.session_report import BenchReport, bench_report, bench_report_json
from gwtui.bench.session.bench_recording import read_bench
from gwtui.bench.session.bench_session import BenchSession
from gwtui.bench.session.run_file import Point, RunFile
from gwtui.bench.work.plan import Plan
from gwtui.model.enums import Unsent
from gwtui.model.profile import Profile
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict

CLAUDE = endpoint("claude")
PROFILE = Profile(name="bench", endpoints=(CLAUDE,))
EVIL = "<b>`a`|</b>"


def at(number: int, ms: int, took_ms: int = 400, **fields: object) -> Request:
    """A request that was sent so long after the start."""
    stamps = {"planned_ns": ms * MS, "sent_ns": ms * MS, "now_ns": (ms + took_ms) * MS}
    return request("claude", number, took_ms, **{"ttft_ms": took_ms / 2, **stamps, **fields})


@pytest.fixture
def writer(directory: Path) -> BenchSession:
    run = RunFile.new(Plan(requests=4), at=NOON, gates=("p95_ttft>1s",))
    return BenchSession(directory, PROFILE, run, clock=lambda: 0, wall=lambda: NOON, flush_s=0.0)


@pytest.fixture
def report(writer: BenchSession, directory: Path) -> BenchReport:
    """Of two points, one of them an open loop with a request that failed and one that was never sent."""
    with writer:
        writer.begin(Point.of(CLAUDE, Plan(requests=3), name=EVIL))
        writer.row(EVIL, at(1, 100))
        writer.row(EVIL, at(2, 600))
        writer.row(EVIL, at(3, 2500, verdict=Verdict.TRUNCATED))
        writer.begin(Point.of(CLAUDE, Plan(rate=5.0, for_s=1.0), name="claude/r5", axes={"rate": 5.0}))
        writer.row("claude/r5", at(1, 20_000))
        writer._clock = lambda: 20 * SECOND + 500 * MS
        writer.miss("claude/r5", Unsent.NO_ROOM)
    return bench_report(read_bench(directory))


def test_each_point_has_its_figures_and_a_series_per_second(report: BenchReport) -> None:
    told = json.loads(bench_report_json(report))
    first, second = told["points"]
    assert (first["point"], first["successful"], first["failed"]) == (EVIL, 2, 1)
    assert (second["point"], second["successful"], second["never_sent"]) == ("claude/r5", 1, 1)
    assert [(s["started"], s["ended"], s["failed"], s["p50_ms"]) for s in first["series"]] == [
        (2, 1, 0, 200.0),
        (0, 1, 0, 200.0),
        (1, 1, 1, None),
    ]
    assert [(s["at_s"], s["started"], s["never_sent"], s["in_flight"]) for s in second["series"]] == [(20, 1, 1, 0.4)]
    assert told["run"]["points"][1]["axes"] == {"rate": 5.0}


def test_the_time_between_the_blocks_of_a_plan_is_no_part_of_the_rates(directory: Path) -> None:
    run = RunFile.new({"name": "nightly"}, at=NOON, kind="plan")
    with BenchSession(directory, PROFILE, run, clock=lambda: 0, wall=lambda: NOON, flush_s=0.0) as writer:
        for number, (point, began_ms) in enumerate((("a", 0), ("b", 1000), ("a", 10_000)), 1):
            writer.begin(Point.of(CLAUDE, Plan(requests=2), name=point))
            writer.row(point, at(number, began_ms, 500))
    first = bench_report(read_bench(directory)).points[0].measured
    assert first.rates is not None
    assert first.rates.span_ns == SECOND


def test_a_benchmark_without_a_summary_says_that_it_did_not_end(report: BenchReport, directory: Path) -> None:
    assert "killed, or still running" in dict(report.facts)["end"]
    told = {"stopped_by": "SIGINT", "undecided": [{"endpoint": "claude", "gate": "p95_ttft>1s", "reason": "n is 2"}]}
    (directory / "summary.json").write_text(json.dumps(told))
    facts = dict(bench_report(read_bench(directory)).facts)
    assert (facts["end"], facts["not passed"]) == ("stopped by SIGINT", "claude: undecided: n is 2 (p95_ttft>1s)")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tripped": 3, "stopped_by": []}', '{"undecided": ["a", {}]}'])
def test_a_summary_that_somebody_edited_ends_no_report(report: BenchReport, directory: Path, text: str) -> None:
    (directory / "summary.json").write_text(text)
    assert bench_markdown(bench_report(read_bench(directory)))


def test_the_page_is_whole_and_names_are_no_markup(report: BenchReport) -> None:
    page = bench_html(report)
    assert EVIL not in page
    assert "&lt;b&gt;`a`|&lt;/b&gt;: requests per second" in page
    assert page.count("<svg") == 6
    for picture in page.split("<figure>")[1:]:
        ElementTree.fromstring(picture.partition("</figure>")[0])


def test_markdown_keeps_names_as_code(report: BenchReport) -> None:
    text = bench_markdown(report)
    row = next(line for line in text.splitlines() if line.startswith("| ``<b>"))
    assert row.startswith("| ``<b>`a`\\|</b>`` | 3 | 33.3 % |")
    assert "1.00 s, open loop of 5/s" in text
    assert "  ended/s    ███  highest 1/s" in text


def test_keys_are_masked_in_all_of_it(writer: BenchSession, directory: Path) -> None:
    with writer:
        writer.begin(Point.of(CLAUDE, Plan(requests=1), name="made-up-key-word"))
        writer.row("made-up-key-word", at(1, 100))

    def mask(text: str) -> str:
        return text.replace("made-up-key-word", "***")

    found = bench_report(read_bench(directory), mask)
    for text in (bench_markdown(found), bench_report_json(found), bench_html(found)):
        assert "made-up-key-word" not in mask(text)
        assert "***" in text


def test_a_session_without_a_point_has_a_report(writer: BenchSession, directory: Path) -> None:
    with writer:
        pass
    found = bench_report(read_bench(directory))
    assert bench_html(found).startswith("<!doctype html>")
    assert bench_markdown(found).startswith("## `Benchmark of nothing`")
