"""What the monitor makes of records: states, and figures over time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.monitor_stage import MS, SECOND, START_AT, START_NS, MonitorStage, endpoint, ns, state_incident

from gwtui.model.enums import FindingName, State, Trigger
from gwtui.model.metrics import LATENCIES, Metric
from gwtui.model.query import Window
from gwtui.model.records import Finding
from gwtui.model.verdicts import Verdict
from gwtui.model.view import Cell
from gwtui.monitor import series

# States


def test_an_unknown_endpoint_is_up_with_its_first_good_result() -> None:
    stage = MonitorStage(endpoint("a"))
    assert stage.row("a").state is State.UNKNOWN
    stage.failure("a")
    assert stage.row("a").state is State.UNKNOWN
    stage.request("a")
    assert stage.row("a").state is State.UP


@pytest.mark.parametrize("state", [State.DOWN, State.DEGRADED, State.SLOW])
def test_a_state_is_what_was_reported_whatever_the_results(state: State) -> None:
    stage = MonitorStage(endpoint("a"))
    stage.apply(state_incident("a", state))
    stage.request("a")
    assert stage.row("a").state is state
    stage.apply(state_incident("a", State.UP, was=state))
    assert stage.row("a").state is State.UP


def test_paused_lies_over_the_state() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b", paused=True))
    stage.apply(state_incident("a", State.DOWN))
    assert (stage.row("a").state, stage.row("b").state) == (State.DOWN, State.PAUSED)
    stage.beat(2, paused=("a",))
    assert (stage.row("a").state, stage.row("b").state) == (State.PAUSED, State.UNKNOWN)
    stage.beat(3)
    assert stage.row("a").state is State.DOWN


def test_a_pause_shows_before_the_next_heartbeat() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.apply(state_incident("a", State.PAUSED))
    assert stage.row("a").state is State.PAUSED
    stage.apply(state_incident("a", State.DOWN, was=State.UP))
    assert stage.row("a").state is State.PAUSED
    stage.apply(state_incident("a", State.UNKNOWN, was=State.PAUSED))
    stage.request("a")
    assert stage.row("a").state is State.UP


# What counts


def test_failures_count_and_what_was_cancelled_or_local_does_not() -> None:
    stage = MonitorStage(endpoint("a"))
    for _ in range(3):
        stage.request("a")
    stage.failure("a")
    stage.failure("a", verdict=Verdict.CANCELLED)
    stage.failure("a", verdict=Verdict.LOCAL, reason="no file descriptors")
    row = stage.row("a")
    assert (row.n, row.failed, row.fail_share) == (4, 1, 0.25)
    assert (row.verdict, row.note) == ("local", "no file descriptors")
    header = stage.view().header
    assert (header.requests, header.failed) == (6, 1)


def test_a_trial_is_shown_and_counts_in_nothing() -> None:
    stage = MonitorStage(endpoint("a"))
    trial = stage.failure("a", trigger=Trigger.TRIAL)
    other = stage.request("not in the profile", trigger=Trigger.TRIAL)
    row = stage.row("a")
    assert (row.n, row.verdict, row.state) == (0, "", State.UNKNOWN)
    assert stage.view().header.requests == 0
    assert stage.view().recent == ()
    assert stage.view().trial == other != trial


def test_a_percentile_is_shown_once_n_supports_it() -> None:
    stage = MonitorStage(endpoint("a"))
    for value in range(1, 59):
        stage.request("a", ttft_ms=value)
    row = stage.row("a")
    assert (row.p50.value_ns, row.p50.n) == (29 * MS, 58)
    assert (row.p95.value_ns, row.p95.n) == (None, 58)
    stage.request("a", ttft_ms=59)
    assert stage.row("a").p95.value_ns == 57 * MS
    assert stage.row("a").p99.value_ns is None


def test_an_endpoint_without_results_has_no_figures() -> None:
    row = MonitorStage(endpoint("a")).row("a")
    assert (row.last_ns, row.p50.n, row.tokens_per_s, row.fail_share, row.verdict) == (None, 0, None, None, "")
    assert all(cell.value_ns is None and not cell.failed for cell in row.sparkline)


def test_the_last_verdict_and_how_often_in_a_row() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.request("a", findings=(Finding(name=FindingName.BUFFERED, evidence="42 events in one read"),))
    assert (stage.row("a").verdict_run, stage.row("a").note) == (1, "buffered: 42 events in one read")
    for _ in range(5):
        stage.failure("a", reason="no message_stop")
    row = stage.row("a")
    assert (row.verdict, row.verdict_run, row.note, row.last_ns) == ("truncated", 5, "no message_stop", None)


def test_verdicts_and_findings_are_counted_in_the_window_the_most_frequent_first() -> None:
    stage = MonitorStage(endpoint("a"))
    buffered, cold = (Finding(name=name, evidence="so") for name in (FindingName.BUFFERED, FindingName.COLD))
    stage.failure("a", 1, verdict=Verdict.STALLED, findings=(cold, cold))
    for at_s in (100, 101, 102):
        stage.request("a", at_s, findings=(buffered,))
    stage.failure("a", 103, findings=(buffered, cold))
    stage.failure("a", 104, verdict=Verdict.LOCAL)
    stage.failure("a", 105, verdict=Verdict.CANCELLED, findings=(cold,))
    stage.beat(122)
    counted = {window: stage.row("a", window=window) for window in Window}
    assert counted[Window.S30].verdicts == (("complete", 3), ("local", 1), ("truncated", 1))
    assert counted[Window.S30].findings == ((FindingName.BUFFERED, 4), (FindingName.COLD, 1))
    assert counted[Window.M2].verdicts == counted[Window.S30].verdicts
    for window in (Window.M10, Window.H1, Window.ALL):
        assert dict(counted[window].verdicts) == {"complete": 3, "local": 1, "truncated": 1, "stalled": 1}
        assert counted[window].findings == ((FindingName.BUFFERED, 4), (FindingName.COLD, 2))
    stage.beat(200)
    assert stage.row("a", window=Window.S30).verdicts == ()
    assert stage.row("a", window=Window.ALL).verdicts == counted[Window.ALL].verdicts


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["complete", "truncated", "stalled"])), max_size=40))
def test_counted_verdicts_are_those_of_the_results_that_are_counted(results: list[tuple[int, str]]) -> None:
    stage = MonitorStage(endpoint("a"))
    for at_s, verdict in results:
        stage.request("a", at_s, verdict=Verdict(verdict))
    for window in Window:
        row = stage.row("a", window=window)
        good = dict(row.verdicts).get("complete", 0)
        assert (sum(count for _, count in row.verdicts), row.n - row.failed) == (row.n, good)


@pytest.mark.parametrize(
    ("asked", "streaming", "whole", "http", "websocket"),
    [
        (Metric.TTFT, Metric.TTFT, Metric.E2E, Metric.E2E, Metric.RTT),
        (Metric.ICL, Metric.ICL, Metric.E2E, Metric.E2E, Metric.RTT),
        (Metric.TTFB, Metric.TTFB, Metric.TTFB, Metric.TTFB, Metric.RTT),
        (Metric.E2E, Metric.E2E, Metric.E2E, Metric.E2E, Metric.RTT),
        (Metric.RTT, Metric.TTFT, Metric.E2E, Metric.E2E, Metric.RTT),
    ],
)
def test_a_metric_that_does_not_apply_gives_way_to_the_endpoints_own(
    asked: Metric, streaming: Metric, whole: Metric, http: Metric, websocket: Metric
) -> None:
    stage = MonitorStage(
        endpoint("streaming"), endpoint("whole", stream=False), endpoint("http", "http"), endpoint("ws", "websocket")
    )
    shown = {row.name: row.metric for row in stage.view(metric=asked).endpoints}
    assert shown == {"streaming": streaming, "whole": whole, "http": http, "ws": websocket}


def test_every_metric_has_its_own_figures() -> None:
    stage = MonitorStage(endpoint("a"))
    for _ in range(6):
        stage.request(
            "a",
            ttfb_ns=100 * MS,
            ttft_ns=200 * MS,
            ttfo_ns=300 * MS,
            tpot_ns=20 * MS,
            mean_icl_ns=21 * MS,
            max_gap_ns=30 * MS,
            duration_ns=900 * MS,
            gaps=((10 * MS, 3), (30 * MS, 2)),
            tokens_per_s=48.5,
        )
    shown = {metric: stage.row("a", metric=metric) for metric in LATENCIES}
    medians = {metric.value: row.p50.value_ns // MS for metric, row in shown.items() if row.p50.value_ns is not None}
    assert medians == {
        "ttfb": 100,
        "ttft": 200,
        "ttfo": 300,
        "icl": 10,
        "max_gap": 30,
        "tpot": 20,
        "e2e": 900,
        "rtt": 200,
    }
    assert shown[Metric.ICL].p50.n == 30
    assert shown[Metric.ICL].last_ns == 21 * MS
    assert shown[Metric.TTFT].tokens_per_s == 48.5


def test_a_good_result_without_the_metric_still_counts() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.request("a", ttft_ms=None, duration_ns=MS)
    row = stage.row("a")
    assert (row.n, row.p50.n, row.fail_share) == (1, 0, 0.0)


# Time


def test_windows_forget_as_heartbeats_move_time_and_the_session_does_not() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.request("a", at_s=1)
    stage.failure("a", at_s=1)
    stage.beat(40)
    seen = {window: (stage.row("a", window=window).n, stage.row("a", window=window).failed) for window in Window}
    assert seen == {Window.S30: (0, 0), Window.M2: (2, 1), Window.M10: (2, 1), Window.H1: (2, 1), Window.ALL: (2, 1)}
    stage.beat(4000)
    assert stage.row("a", window=Window.H1).n == 0
    assert stage.row("a", window=Window.ALL).n == 2


@pytest.mark.parametrize("window", list(Window))
@pytest.mark.parametrize("columns", [1, 7, 60, 200])
def test_there_is_a_cell_for_every_column(window: Window, columns: int) -> None:
    stage = MonitorStage(endpoint("ws", "websocket"))
    stage.ping("ws", at_s=20, rtt_ms=400)
    stage.ping("ws", at_s=20, rtt_ms=None)
    pings = stage.view(columns, window=window).ping
    assert pings is not None
    assert len(pings.sparkline) == columns
    assert pings.sparkline[-1] == stage.row("ws", window=window).sparkline[-1] == Cell(400 * MS, 1)


def test_average_total_and_cost_of_the_window() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"))
    stage.request("a", at_s=1, ttft_ms=100, cost_usd=0.002)
    stage.request("a", at_s=2, ttft_ms=300)
    stage.failure("a", at_s=100, cost_usd=0.001)
    row = stage.row("a", window=Window.ALL)
    assert (row.mean_ns, row.total_ns) == (200 * MS, 400 * MS)
    assert row.cost_usd == pytest.approx(0.003)
    late = stage.row("a", window=Window.S30)
    assert (late.mean_ns, late.total_ns) == (None, None)
    assert late.cost_usd == pytest.approx(0.001)
    assert stage.row("b").cost_usd is None


def test_latency_figures_know_what_n_supports_and_the_greatest_always() -> None:
    stage = MonitorStage(endpoint("a"))
    for value in (10, 30, 20, 40, 60, 50):
        stage.request("a", ttft_ms=value)
    stage.failure("a")
    latency = stage.view().latency
    assert latency is not None
    names = [name for name, _ in latency.figures]
    assert names == ["p5", "p50", "p75", "p80", "p90", "p95", "p99", "max", "avg", "total"]
    values = {name: figure.value_ns for name, figure in latency.figures if figure.value_ns is not None}
    assert values == {"p50": 30 * MS, "max": 60 * MS, "avg": 35 * MS, "total": 210 * MS}
    assert (latency.n, latency.failed, latency.metric) == (6, 1, Metric.TTFT)


@pytest.mark.parametrize(("at_s", "tainted"), [(2, 2), (100, 0)])
def test_results_of_a_window_that_are_in_doubt_are_counted(at_s: float, tainted: int) -> None:
    stage = MonitorStage(endpoint("a"))
    stage.request("a")
    stage.request("a", tainted=True)
    stage.failure("a", tainted=True)
    stage.beat(at_s)
    latency = stage.view(window=Window.S30).latency
    assert latency is not None
    assert latency.tainted == tainted


def test_the_clock_of_the_header_follows_the_newest_record() -> None:
    stage = MonitorStage(endpoint("a"), session_dir="/tmp/session")
    stage.beat(10, missed={"a": 3})
    stage.request("a", at_s=12.5)
    stage.request("a", at_s=11)
    header = stage.view().header
    assert (header.at, header.elapsed_ns) == (START_AT + 12.5, 12.5 * SECOND)
    assert (header.profile, header.session_dir) == ("test", "/tmp/session")
    assert stage.row("a").missed == 3


# Samples


def test_the_newest_values_are_kept_to_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "KEPT", 8)
    stage = MonitorStage(endpoint("a"), endpoint("w", "websocket"), endpoint("new"))
    for number in range(40):
        stage.request("a", 60 * number, ttft_ms=number, tpot_ns=7)
        stage.failure("a", 60 * number)
        stage.ping("w", number, rtt_ms=number)
        ours, pings, new = stage.monitor.samples()
        kept = range(max(0, number - 7), number + 1)
        assert list(ours.samples[Metric.TTFT].values) == [ms * MS for ms in kept]
        assert list(ours.samples[Metric.TPOT].values) == [7] * len(kept)
        assert Metric.ICL not in ours.samples
        assert list(pings.samples[Metric.E2E].values) == [ms * MS for ms in kept]
    at_ms = [(START_NS + minute * 60 * SECOND) // MS for minute in range(32, 40)]
    assert [each // 60_000 for each in ours.samples[Metric.E2E].at_ms or ()] == [each // 60_000 for each in at_ms]
    assert (ours.ok, ours.total, ours.is_ping, pings.is_ping) == (40, 80, False, True)
    assert (new.name, new.samples, new.ok, new.total) == ("new", {}, 0, 0)


def test_a_row_says_how_old_the_last_result_is_and_when_the_next_probe_is_due() -> None:
    stage = MonitorStage(endpoint("a"))

    def times_s() -> tuple[int | None, ...]:
        row = stage.row("a")
        return tuple(None if each is None else each // SECOND for each in (row.age_ns, row.next_ns))

    assert times_s() == (None, None)
    stage.request("a", at_s=2.0)
    stage.beat(3.9, due={"a": ns(7.0)})
    assert times_s() == (1, 4)
    stage.beat(5.0)
    assert times_s() == (3, None)
    stage.beat(9.0, due={"a": ns(7.0)})
    assert times_s() == (7, 0)
    stage.beat(10.0, due={"a": ns(12.0)}, paused=("a",))
    assert times_s() == (8, None)
