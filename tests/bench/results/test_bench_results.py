"""What a benchmark counts, and what its gates make of it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.benching import measured, ping, request
from support.monitor_stage import MS, endpoint

from gwtui.bench.gates.gate_figures import GateError
from gwtui.bench.gates.measures import MEASURES
from gwtui.bench.gates.thresholds import check, judge, parse
from gwtui.bench.report import table
from gwtui.bench.results.csv_out import aggregate_lines
from gwtui.bench.results.measured import Measured, empty
from gwtui.model.enums import Unsent
from gwtui.model.metrics import LATENCIES, Metric
from gwtui.model.records import Phases
from gwtui.model.verdicts import Verdict
from gwtui.stats.histogram import least_n, supported
from gwtui.text.tables import TextStyle


def taken(*results: Any, from_planned: bool = False, **fields: Any) -> Measured:
    each = empty([endpoint(**fields)], from_planned=from_planned)["gateway"]
    for result in results:
        each.take(result)
    return each


def test_latencies_are_of_successes_only_and_nothing_is_forgotten() -> None:
    each = taken(
        request(number=1, e2e_ms=100),
        request(number=2, e2e_ms=200, verdict=Verdict.COMPLETE_UNTERMINATED),
        request(number=3, e2e_ms=1, verdict=Verdict.UNAVAILABLE, status=503, reason="breaker open"),
        request(number=4, e2e_ms=2, verdict=Verdict.UNAVAILABLE, status=503),
        request(number=5, e2e_ms=None, verdict=Verdict.CONNECT_TIMEOUT, status=None),
        request(number=6, verdict=Verdict.LOCAL),
        request(number=7, verdict=Verdict.CANCELLED),
    )
    assert (each.ok, each.failed, each.local, each.cancelled, each.total) == (2, 3, 1, 1, 5)
    assert each.fail_share == 0.6
    assert list(each.whole.ns) == [100 * MS, 200 * MS]
    unavailable = each.failures[Verdict.UNAVAILABLE, 503]
    assert (unavailable.count, unavailable.number, unavailable.reason) == (2, 3, "breaker open")
    assert unavailable.trace_id == "trace-3"


@pytest.mark.parametrize("n", [0, 1, 2, 20, 100])
def test_percentiles_are_by_nearest_rank(n: int) -> None:
    each = measured("gateway", list(range(n, 0, -1)))
    for q in (0.05, 0.5, 0.75, 0.8, 0.95):
        expected = math.ceil(q * n - 1e-9) * MS if n else None
        assert each.percentile(Metric.E2E, q).value_ns == expected


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=300), st.sampled_from([0.05, 0.5, 0.95]))
def test_an_interval_holds_its_percentile_where_there_is_one(values: list[int], q: float) -> None:
    found = measured("gateway", values).percentile(Metric.E2E, q)
    if not found.supported:
        assert found.low_ns is None
    if found.low_ns is not None and found.high_ns is not None and found.value_ns is not None:
        assert found.low_ns <= found.value_ns <= found.high_ns


def test_a_plan_that_was_missed_counts_from_when_the_request_was_due() -> None:
    late = request(
        e2e_ms=100,
        ttft_ms=40,
        tpot_ms=3,
        lateness_ms=500,
        room_wait_ms=500,
        planned_ms=70,
        sent_ms=580,
        phases=Phases(connect_ns=2 * MS, send_ns=4 * MS),
    )
    from_planned, actual = taken(late, from_planned=True), taken(late)
    expected = {Metric.E2E: (610, 100), Metric.TTFT: (550, 40), Metric.TPOT: (3, 3)}
    for metric, (planned_ms, actual_ms) in expected.items():
        assert list(from_planned.values[metric].ns) == [planned_ms * MS]
        assert list(actual.values[metric].ns) == [actual_ms * MS]


def test_a_ping_that_had_to_dial_waited_for_that_too() -> None:
    each = empty([endpoint("ws", "websocket")], from_planned=True)["ws"]
    each.take(ping(rtt_ms=10, planned_ns=30 * MS, sent_ns=42 * MS, connect_ns=7 * MS))
    assert list(each.whole.ns) == [22 * MS]


def test_gaps_of_all_streams_make_one_distribution() -> None:
    each = taken(request(gaps=((10 * MS, 3),)), request(gaps=((90 * MS, 1),)))
    found = each.percentile(Metric.ICL, 0.75)
    assert (found.n, found.value_ns, found.low_ns) == (4, 10 * MS, None)


@pytest.mark.parametrize(
    ("fields", "metrics"),
    [
        ({"api": "websocket"}, {Metric.RTT}),
        ({"api": "http"}, {Metric.TTFB, Metric.E2E}),
        ({"stream": False}, {Metric.TTFB, Metric.E2E}),
        ({}, set(LATENCIES) - {Metric.RTT}),
    ],
)
def test_what_can_be_measured_depends_on_the_endpoint(fields: dict[str, Any], metrics: set[Metric]) -> None:
    assert set(empty([endpoint(**fields)])["gateway"].metrics) == metrics


BUSY = measured("gateway", [100] * 90 + [900] * 6, failed=4)


@pytest.mark.parametrize(
    ("expression", "trips"),
    [
        ("p95_e2e>800ms", True),
        ("p95_e2e > 0.8 s", True),
        ("p95_e2e>1s", False),
        ("p95_e2e>800", True),
        ("p50_e2e>=100ms", True),
        ("p50_e2e>100ms", False),
        ("median_e2e<1s", True),
        ("avg_e2e>149ms", True),
        ("avg_e2e>151ms", False),
        ("max_e2e>=900000us", True),
        ("min_e2e<100ms", False),
        ("p99.5_e2e==900ms", True),
        ("fail_rate>1%", True),
        ("fail_rate>0.05", False),
        ("fail_rate<=4%", True),
        ("success<99%", True),
        ("success<0.96", False),
        ("failed>3", True),
        ("truncated>0", True),
        ("truncated>4%", False),
        ("error_in_stream>0", False),
        ("FAIL_RATE>1%", True),
        ("gateway: fail_rate>1%", True),
    ],
)
def test_gates(expression: str, trips: bool) -> None:
    gates = [parse(expression)]
    check(gates, [BUSY])
    assert bool(judge(gates, [BUSY])) == trips


@pytest.mark.parametrize(
    ("expression", "n", "undecided"),
    [
        ("p99_e2e>10s", 298, True),
        ("p99_e2e>10s", 299, False),
        ("p99_e2e>1ms", 298, True),
        ("median_e2e<1ms", 5, True),
        ("median_e2e<1ms", 6, False),
        ("max_e2e>10s", 1, False),
        ("avg_e2e>10s", 1, False),
    ],
)
def test_a_percentile_of_too_few_results_is_undecided_and_no_pass(expression: str, n: int, undecided: bool) -> None:
    found = judge([parse(expression)], [measured("gateway", [100] * n)])
    assert [each.undecided for each in found] == [True] * undecided


def test_what_is_undecided_says_what_it_takes() -> None:
    (found,) = judge([parse("p99_e2e>10s")], [measured("gateway", [100] * 3)])
    assert str(found) == "gateway: undecided: p99 E2E takes 299 results, and n is 3; the gate is p99_e2e>10s"


@pytest.mark.parametrize("q", [0.001, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999])
def test_the_fewest_values_are_just_enough(q: float) -> None:
    assert supported(q, least_n(q))
    assert not supported(q, least_n(q) - 1)


@pytest.mark.parametrize(
    "expression", ["fail_rate>1%", "success<99%", "failed>50", "never_sent>0", "never_sent>10%", "never_sent"]
)
def test_requests_that_were_never_sent_pass_no_gate(expression: str) -> None:
    each = measured("gateway", [100] * 22)
    for _ in range(78):
        each.miss()
    (found,) = judge([parse(expression)], [each])
    assert "78" in str(found) or "22 of 100" in str(found)
    assert not judge([parse(expression)], [measured("gateway", [100] * 22)])


def served(n: int, **fields: Any) -> Measured:
    """That many good requests in 10 s, one after another."""
    return taken(*(request(number=at, e2e_ms=10_000 / n, sent_ms=10_000 / n * at, **fields) for at in range(n)))


@pytest.mark.parametrize(
    ("expression", "trips"),
    [
        ("goodput<5", False),
        ("goodput<5.1", True),
        ("throughput>=5/s", True),
        ("tokens_per_s_total<99", False),
        ("tokens_per_s_total<101", True),
        ("inexact_share>0%", False),
    ],
)
def test_gates_on_what_was_reached(expression: str, trips: bool) -> None:
    assert bool(judge([parse(expression)], [served(50, output_tokens=20)])) == trips


def test_failures_are_throughput_and_no_goodput() -> None:
    each = served(50)
    for at in range(10):
        each.take(request(number=100 + at, e2e_ms=1, sent_ms=at, verdict=Verdict.TRUNCATED))
    assert not judge([parse("throughput<6"), parse("goodput>5")], [each])


def test_without_an_end_or_a_count_nothing_was_reached() -> None:
    assert "could not be measured" in str(judge([parse("goodput<1")], [measured("gateway", [])])[0])
    each = served(5, output_tokens=20)
    each.take(request(number=6, e2e_ms=10))
    (found,) = judge([parse("tokens_per_s_total<1")], [each])
    assert found.undecided
    with pytest.raises(GateError, match="generates tokens"):
        check([parse("tokens_per_s_total<1")], [measured("ws", [1], api="websocket")])


@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_that_the_help_names_is_a_gate(measure: str) -> None:
    each = served(50, output_tokens=20, tpot_ms=50, tokens_per_s=20.0)
    assert len(judge([parse(f"{measure}<0"), parse(f"{measure}>=0")], [each])) == 1


def test_values_that_are_not_exact_can_be_a_gate() -> None:
    each = taken(*(request(number=at, errors={Metric.E2E: 2 * MS if at == 0 else 0}) for at in range(4)))
    (found,) = judge([parse("inexact_share>20%")], [each])
    assert "25.0 % (1 of 4) E2E values are not exact within 1 ms" in str(found)


@pytest.mark.parametrize(("unsent", "undecided"), [(78, True), (1, True), (0, False)])
def test_a_share_of_the_few_that_gwtui_could_send_decides_nothing(unsent: int, undecided: bool) -> None:
    each = served(22)
    for _ in range(unsent):
        each.miss(Unsent.OWN_LATENESS)
    found = judge([parse("fail_rate>1%"), parse("success<99%")], [each])
    assert [one.undecided for one in found] == [True] * 2 * undecided
    assert all(f"gwtui itself was too slow to send {unsent} of {22 + unsent} planned" in str(one) for one in found)
    assert len(judge([parse("never_sent>=1%")], [each])) == bool(unsent)


def test_a_tripped_gate_says_why() -> None:
    (tripped,) = judge([parse("p95_e2e>800ms")], [BUSY])
    assert str(tripped) == "gateway: p95 E2E is 900 ms (n 96), and the gate is p95_e2e>800ms"


@pytest.mark.parametrize(
    "expression", ["p95_e2e>1h", "fast", "p95_e2e>1s and more", "", "p95_e2e", ">1s", "p95_e2e>-1s"]
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(GateError) as refusal:
        parse(expression)
    assert repr(expression) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("p100_e2e>1s", "is not a measured value"),
        ("p99_5_e2e>1s", "is not a measured value"),
        ("p0_e2e>1s", "between p0 and p100"),
        ("p95_speed>1s", "'speed' is not a latency"),
        ("fail_rate>1", "Write 1%"),
        ("fail_rate>1ms", "not in 'ms'"),
        ("success<200%", "more than 100%"),
        ("tokens_per_s<20ms", "no unit"),
        ("truncated>1s", "not in 's'"),
    ],
)
def test_a_gate_that_cannot_be_says_what_is_wrong(expression: str, says: str) -> None:
    with pytest.raises(GateError, match=says):
        parse(expression)


@pytest.mark.parametrize("expression", ["p95_rtt>1s", "nobody:fail_rate>1%"])
def test_a_gate_that_nobody_can_ever_answer_is_refused(expression: str) -> None:
    with pytest.raises(GateError):
        check([parse(expression)], [BUSY])


def test_a_gate_is_only_for_those_who_can_answer_it() -> None:
    socket = measured("ws", [10, 11], api="websocket")
    gates = [parse("p50_ttft>1us"), parse("p50_rtt>1us")]
    assert [each.endpoint for each in judge(gates, [socket])] == ["ws"]


def test_no_success_is_no_proof_of_speed() -> None:
    (tripped,) = judge([parse("p95_ttft>10s")], [measured("gateway", [], failed=3)])
    assert "could not be measured in 3 requests" in str(tripped)


def test_all_requests_cost_and_what_is_not_known_is_none() -> None:
    each = measured("it", [10])
    each.take(request("it", 2, cost_usd=0.25))
    each.take(request("it", 3, verdict=Verdict.TRUNCATED, cost_usd=0.5))
    assert each.cost_usd == 0.75
    (line, _, row, *_) = table.latencies([each], TextStyle())
    assert "Cost" in line
    assert "$0.75" in row
    assert "Cost" not in table.latencies([measured("it", [10])], TextStyle())[0]
    heading, figures = (text.decode().strip().split(",") for text in aggregate_lines([each]))
    assert dict(zip(heading, figures, strict=True))["total_cost_usd"] == "0.75"


@pytest.mark.parametrize(
    ("tainted", "output_tokens", "left_out"),
    [
        (True, 40, {Metric.ICL, Metric.MAX_GAP, Metric.TPOT, Metric.TAIL_GAP}),
        (True, None, {Metric.ICL, Metric.MAX_GAP, Metric.TAIL_GAP}),
        (True, 1, set()),
        (False, 40, set()),
    ],
)
def test_times_between_reads_that_were_late_are_counted_as_left_out(
    tainted: bool, output_tokens: int | None, left_out: set[Metric]
) -> None:
    found = empty([endpoint("gateway", "openai-chat")])["gateway"]
    found.take(request(ttft_ns=50_000_000, tainted=tainted, output_tokens=output_tokens))
    assert {metric for metric in found.metrics if found.values[metric].in_doubt} == left_out
    assert all(found.values[metric].too_slow for metric in left_out)
