"""Objectives: what they mean, which requests keep them, and what that makes of a benchmark."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from support.benching import measured, request
from support.counting import counting
from support.monitor_stage import MS, endpoint

from gwtui.bench.gates.gate_figures import GateError
from gwtui.bench.gates.thresholds import judge, parse
from gwtui.bench.report.breakdown import goodput_lines
from gwtui.bench.results.csv_out import aggregate_lines
from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.results.slo import Attainment, SLOError, check_slo, parse_slo
from gwtui.cli import bench
from gwtui.model.metrics import Metric
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.recorder.csvfile import csv_cells


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ttft<500ms", ["p95 TTFT < 500 ms"]),
        (" TTFT < 500 , e2e<=5s,", ["p95 TTFT < 500 ms", "p95 E2E <= 5.00 s"]),
        ("p99_ttft<0.5s,tpot<50ms", ["p99 TTFT < 500 ms", "p95 TPOT < 50.0 ms"]),
        ("p99.9_e2e<1m", ["p99.9 E2E < 60.0 s"]),
    ],
)
def test_objectives(text: str, told: list[str]) -> None:
    assert list(map(str, parse_slo(text))) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no objective"),
        ("ttft", "'ttft' is not an objective: write one like ttft<500ms"),
        ("tfft<500ms", "did you mean ttft?"),
        ("cost<5", "'cost' is not a latency"),
        ("ttft<500h", "'h' is not a unit of time"),
        ("ttft>500ms", "an objective is an upper limit: write ttft<500ms"),
        ("ttft<0", "write a limit above 0"),
        ("ttft<1s,e2e<5s,ttft<2s", "two limits for TTFT"),
        ("p00_ttft<1s", "between p0 and p100"),
    ],
)
def test_what_means_nothing_says_what_to_write(text: str, told: str) -> None:
    with pytest.raises(SLOError) as error:
        parse_slo(text)
    assert told in str(error.value)


def test_an_objective_that_no_endpoint_can_answer_is_refused() -> None:
    check_slo(parse_slo("e2e<5s"), (Metric.TTFB, Metric.E2E))
    with pytest.raises(SLOError, match="no endpoint here has the latency TTFT; there are: ttfb, e2e"):
        check_slo(parse_slo("ttft<5s"), (Metric.TTFB, Metric.E2E))


def attained(text: str, *results: Request, waited_ms: int = 0) -> Attainment:
    found = Attainment(parse_slo(text))
    for each in results:
        found.take(each, waited_ms * MS)
    return found


def test_a_request_has_to_keep_all_of_them() -> None:
    results = [request(e2e_ms=e2e_ms, ttft_ms=ttft_ms) for ttft_ms, e2e_ms in ((100, 900), (600, 900), (100, 1100))]
    found = attained("ttft<500ms,e2e<1s", *results)
    assert (found.kept, found.kept_each, found.unknown) == (1, [2, 2], 0)
    assert found.share(total=4) == 0.25


@pytest.mark.parametrize(("text", "kept"), [("e2e<100ms", 0), ("e2e<=100ms", 1), ("e2e<100.001ms", 1)])
def test_the_limit_itself(text: str, kept: int) -> None:
    assert attained(text, request(e2e_ms=100)).kept == kept


def test_what_a_request_does_not_have_it_does_not_break() -> None:
    assert attained("tpot<50ms", request()).kept == 1


def test_the_wait_before_the_send_counts_for_what_is_counted_from_it() -> None:
    found = attained("e2e<200ms,tpot<50ms", request(e2e_ms=150, tpot_ms=40), waited_ms=60)
    assert found.kept_each == [0, 1]


def test_a_wait_for_gwtui_itself_breaks_nothing() -> None:
    found = Attainment(parse_slo("e2e<200ms"))
    for own_ms in (60, 0):
        found.take(request(e2e_ms=150), 60 * MS, own_ms * MS)
    assert (found.kept, found.unknown) == (0, 1)


@pytest.mark.parametrize(
    ("e2e_ms", "error_ms", "kept", "unknown"),
    [(90, 80, 1, 0), (150, 30, 0, 0), (150, 60, 0, 1), (150, 100, 0, 1)],
    ids=["surely kept", "surely broken", "perhaps kept", "says nothing"],
)
def test_what_own_lateness_leaves_open_is_unknown(e2e_ms: int, error_ms: int, kept: int, unknown: int) -> None:
    late: dict[str, Any] = {"tainted": True, "error_ns": error_ms * MS}
    found = attained("e2e<100ms", request(e2e_ms=e2e_ms, **late))
    assert (found.kept, found.unknown) == (kept, unknown)
    assert found.share(total=1) == (None if unknown else kept)


def loaded(slo: str, *ttft_ms: float, missed: int = 0) -> Measured:
    """An endpoint that answered a request per 100 ms, each with this TTFT."""
    each = empty([endpoint()], slo=parse_slo(slo))["gateway"]
    for number, value in enumerate(ttft_ms):
        each.take(request(number=number, e2e_ms=1000, ttft_ms=value, sent_ms=100 * number))
    for _ in range(missed):
        each.miss()
    return each


SEVEN_OF_TEN = loaded("ttft<500ms,e2e<2s", *[100] * 7, 600, 700, missed=1)


@pytest.mark.parametrize(
    ("gate", "trips"),
    [("goodput<3.8", False), ("goodput<3.9", True), ("goodput<70%", False), ("goodput<71%", True), ("goodput", None)],
)
def test_the_gate_is_about_requests_that_keep_the_objectives(gate: str, trips: bool | None) -> None:
    if trips is None:
        with pytest.raises(GateError, match="no limit"):
            parse(gate)
        return
    assert bool(judge([parse(gate)], [SEVEN_OF_TEN])) == trips


def test_without_objectives_goodput_is_what_was_good() -> None:
    each = empty([endpoint()])["gateway"]
    each.take(request(e2e_ms=1000, sent_ms=0))
    each.take(request(number=2, verdict=Verdict.TRUNCATED, e2e_ms=1000, sent_ms=0))
    assert not judge([parse("goodput<50%"), parse("goodput<1")], [each])
    assert judge([parse("goodput<51%")], [each])


def test_goodput_is_told_as_share_and_rate() -> None:
    assert goodput_lines([SEVEN_OF_TEN]) == [
        "gateway: goodput 3.9/s, 70.0 % of 10 requests keep all SLOs: TTFT < 500 ms 70.0 %, E2E < 2.00 s 90.0 %"
    ]
    assert goodput_lines([loaded("ttft<500ms", 100, 600)]) == [
        "gateway: goodput 0.9/s, 50.0 % of 2 requests keep the SLO TTFT < 500 ms"
    ]
    assert goodput_lines([measured("gateway", [100])]) == []


def test_goodput_is_in_the_files() -> None:
    heading, row = (line.decode().strip() for line in aggregate_lines([SEVEN_OF_TEN]))
    cells = dict(zip(csv_cells(heading), csv_cells(row), strict=True))
    assert (cells["slo"], cells["goodput"], cells["goodput_share"], cells["goodput_per_s"]) == (
        "ttft<500ms,e2e<2s",
        "7",
        "0.7",
        "3.889",
    )


def test_on_the_command_line() -> None:
    with counting(after_s=0.05) as truth:
        line = f"--api openai-chat --url {truth.url} --no-stream --requests 4 --slo e2e<10s --slo ttfb<1ms --json"
        told = json.loads(CliRunner().invoke(bench.command, line.split()).stdout)
    assert told["plan"]["slo"] == ["e2e<10s", "ttfb<1ms"]
    (found,) = [each["goodput"] for each in told["endpoints"]]
    assert (found["requests"], found["share"], [each["kept"] for each in found["slo"]]) == (0, 0.0, [4, 0])


@pytest.mark.parametrize(
    ("slo", "told"),
    [("ttft<5s", "no endpoint here has the latency TTFT"), ("e3e<5s", "did you mean e2e?"), ("", "no objective")],
)
def test_what_is_wrong_on_the_command_line(slo: str, told: str) -> None:
    line = ["--api", "openai-chat", "--url", "http://127.0.0.1:9", "--no-stream", "--slo", slo]
    result = CliRunner().invoke(bench.command, line)
    assert result.exit_code == 2
    assert told in result.output
