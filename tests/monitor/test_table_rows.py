"""The table as a whole: the worst first, why an endpoint is sick, how it compares to its usual, and groups."""

from __future__ import annotations

from typing import Any

import pytest
from support import monitor_stage
from support.monitor_stage import MonitorStage, endpoint, ns, state_incident

from gwtui.model.enums import FindingName, State
from gwtui.model.judged import Usual
from gwtui.model.metrics import BY_NAME, Metric
from gwtui.model.query import Grouping, Window
from gwtui.model.records import FeedSilent, Finding
from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.model.verdicts import Verdict
from gwtui.model.view import EndpointRow, GroupRow, View

MS = 1_000_000


def usual(name: str, **medians_ms: float) -> Usual:
    latencies = {
        BY_NAME[metric]: UsualLatency(source=UsualSource.DAY, n=600, p50_ns=round(ms * MS), values=())
        for metric, ms in medians_ms.items()
    }
    return Usual(endpoint=name, at=monitor_stage.START_AT, now_ns=ns(0), latencies=latencies, good=600)


def stage_of(*names: str, **fields: Any) -> MonitorStage:
    """Endpoints with 10 good results each, and 400 ms as their usual TTFT."""
    stage = MonitorStage(*(endpoint(name, **fields) for name in names))
    for name in names:
        stage.apply(usual(name, ttft=400))
        for at_s in range(10):
            stage.request(name, at_s)
    return stage


def lines(view: View) -> list[str]:
    return [f"[{row.name}]" if isinstance(row, GroupRow) else row.name for row in view.rows]


def test_the_worst_come_first_then_what_is_further_from_its_usual_then_the_profiles_order() -> None:
    stage = stage_of("well", "slow", "slower", "degraded", "well-too", "down")
    for name, ttft_ms in (("slow", 800), ("slower", 4000), ("well-too", 700)):
        for at_s in range(10, 40):
            stage.request(name, at_s, ttft_ms)
    for name in ("slow", "slower", "degraded", "down"):
        stage.apply(state_incident(name, State(name) if name != "slower" else State.SLOW, at_s=40))
    assert lines(stage.view()) == ["down", "degraded", "slower", "slow", "well-too", "well"]
    assert lines(stage.view(sort="profile")) == ["well", "slow", "slower", "degraded", "well-too", "down"]


def test_what_is_well_keeps_its_place_whether_it_was_paused_or_has_no_result_yet() -> None:
    stage = MonitorStage(endpoint("new"), endpoint("paused"), endpoint("up"))
    stage.request("up")
    stage.beat(2, paused=("paused",))
    assert [row.state for row in stage.view().endpoints] == [State.UNKNOWN, State.PAUSED, State.UP]


@pytest.mark.parametrize(
    ("usual_ms", "ttft_ms", "ratio", "is_slower"),
    [(400, 500, 1.25, False), (400, 600, 1.5, True), (40, 80, 2.0, False), (400, 200, 0.5, False)],
)
def test_a_ratio_is_worth_saying_from_a_third_more_and_the_floor_of_the_metric(
    usual_ms: float, ttft_ms: float, ratio: float, is_slower: bool
) -> None:
    stage = MonitorStage(endpoint("a"))
    stage.apply(usual("a", ttft=usual_ms))
    for at_s in range(10):
        stage.request("a", at_s, ttft_ms)
    row = stage.row("a")
    assert (row.usual_ns, row.is_slower) == (usual_ms * MS, is_slower)
    assert row.ratio == pytest.approx(ratio, rel=0.01)


def test_without_a_usual_or_a_median_there_is_no_ratio() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"))
    stage.apply(usual("b", ttft=400))
    stage.request("a")
    stage.request("b")
    assert [stage.row(name).ratio for name in "ab"] == [None, None]
    assert [stage.row(name).usual_ns for name in "ab"] == [None, 400 * MS]


def test_why_is_the_failure_that_came_most_with_its_share() -> None:
    stage = stage_of("a")
    assert stage.row("a").why == ""
    for at_s, verdict in enumerate((Verdict.TRUNCATED, Verdict.RESET, Verdict.TRUNCATED), 10):
        stage.failure("a", at_s, verdict)
    assert stage.row("a").why == "truncated 2/13"
    assert stage.row("a", window=Window.S30).why == "truncated 2/13"


def test_why_is_what_the_judge_named_though_something_else_came_more_often() -> None:
    stage = stage_of("a")
    for at_s, verdict in enumerate((Verdict.TRUNCATED, Verdict.TRUNCATED, Verdict.AUTH), 10):
        stage.failure("a", at_s, verdict)
    stage.apply(state_incident("a", State.DOWN, at_s=13, text="1 auth in a row"))
    assert stage.row("a").why == "auth 1/13"


def test_why_is_the_judges_reason_where_the_window_has_nothing_bad() -> None:
    stage = stage_of("a")
    stage.failure("a", 11)
    stage.apply(state_incident("a", State.DOWN, at_s=12, text="3 truncated in a row"))
    stage.beat(60)
    assert stage.row("a", window=Window.S30).why == "3 truncated in a row"
    stage.apply(state_incident("a", State.UP, State.DOWN, at_s=61, text="2 good in a row"))
    assert stage.row("a", window=Window.S30).why == ""


def test_why_is_a_finding_that_users_of_the_gateway_notice() -> None:
    stage = stage_of("a")
    for at_s, name in enumerate((FindingName.COLD, FindingName.BUFFERED), 10):
        stage.request("a", at_s, findings=(Finding(name=name, evidence="42 events in one read"),))
    assert stage.row("a").why == "buffered 1/12"


def test_why_names_the_latency_that_is_slow_where_it_is_not_the_shown_one() -> None:
    stage = stage_of("a")
    stage.apply(usual("a", ttft=400, tpot=20))
    for at_s in range(10, 60):
        stage.request("a", at_s, tpot_ns=70 * MS)
    stage.apply(state_incident("a", State.SLOW, at_s=60, text="p50 TPOT 70.0 ms, 3.5x its usual 20.0 ms"))
    assert stage.row("a").why == "slow TPOT 3.5x"
    assert stage.row("a", metric=Metric.TPOT).why == "slow 3.5x"
    for at_s in range(60, 130):
        stage.request("a", at_s, ttft_ms=3200, tpot_ns=70 * MS)
    stage.apply(state_incident("a", State.SLOW, State.SLOW, at_s=130, text="p50 TTFT 3.20 s, 8x its usual 400 ms"))
    assert stage.row("a").why == "slow 8x"


def test_why_is_short_while_most_of_the_window_is_from_before() -> None:
    stage = stage_of("a")
    stage.apply(usual("a", ttft=400, tpot=20))
    said = "p50 TTFT 3.84 s, 9.6x its usual 400 ms (this session)"
    stage.apply(state_incident("a", State.SLOW, at_s=11, text=said))
    assert stage.row("a").why == "slow 9.6x"
    assert stage.row("a", metric=Metric.TPOT).why == "slow TTFT 9.6x"


def test_p95_and_p99_are_of_the_shortest_window_that_has_enough_values() -> None:
    stage = MonitorStage(endpoint("a"))
    for number in range(360):
        stage.request("a", number * 5)
    row = stage.row("a")
    assert (row.p50.n, row.p95_window, row.p99_window) == (24, Window.M10, Window.H1)
    assert (row.p95.value_ns, row.p99.value_ns) == (400 * MS, 400 * MS)
    assert (row.p95.n, row.p99.n) == (120, 360)
    assert stage.row("a", window=Window.H1).p99_window is None


def test_a_percentile_that_no_window_bears_has_no_value() -> None:
    stage = MonitorStage(endpoint("a"))
    for number in range(58):
        stage.request("a", number * 5)
    assert (stage.row("a").p95.value_ns, stage.row("a").p95.n, stage.row("a").p95_window) == (None, 58, None)
    stage.request("a", 58 * 5)
    assert (stage.row("a").p95.value_ns, stage.row("a").p95_window) == (400 * MS, Window.M10)


def fleet() -> MonitorStage:
    stage = MonitorStage(
        endpoint("eu-claude", model="claude-haiku-4-5", tags=("eu", "prod"), interval_s=5),
        endpoint("eu-health", "http", tags=("eu",)),
        endpoint("us-gpt", "openai-chat", model="gpt-4o-mini", tags=("us",)),
        endpoint("us-claude", model="claude-haiku-4-5"),
    )
    for name, ttft_ms in (("eu-claude", 310), ("eu-health", 4), ("us-gpt", 250), ("us-claude", 440)):
        for at_s in range(10):
            stage.request(name, at_s, ttft_ms)
    return stage


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (Grouping.NONE, ["eu-claude", "eu-health", "us-gpt", "us-claude"]),
        (Grouping.TAG, ["[eu]", "eu-claude", "eu-health", "[us]", "us-gpt", "[no tag]", "us-claude"]),
        (
            Grouping.PROVIDER,
            ["[anthropic]", "eu-claude", "us-claude", "[no provider]", "eu-health", "[openai]", "us-gpt"],
        ),
        (
            Grouping.MODEL,
            ["[claude-haiku-4-5]", "eu-claude", "us-claude", "[no model]", "eu-health", "[gpt-4o-mini]", "us-gpt"],
        ),
        (Grouping.GATEWAY, ["[127.0.0.1:1]", "eu-claude", "eu-health", "us-gpt", "us-claude"]),
    ],
)
def test_endpoints_are_put_together(group: Grouping, expected: list[str]) -> None:
    assert lines(fleet().view(group=group)) == expected


def test_sick_groups_come_first_and_say_how_many_are_sick_though_they_are_folded() -> None:
    stage = fleet()
    stage.apply(state_incident("us-claude", State.DOWN, at_s=11))
    view = stage.view(group=Grouping.PROVIDER, folded=frozenset({"anthropic"}))
    assert lines(view) == ["[anthropic]", "[no provider]", "eu-health", "[openai]", "us-gpt"]
    first = view.rows[0]
    assert isinstance(first, GroupRow)
    assert (first.is_folded, first.states) == (True, ((State.DOWN, 1), (State.UP, 1)))
    assert first.p50_ns == (310 * MS, 440 * MS)
    assert first.members == ("us-claude", "eu-claude")
    assert [row.name for row in view.endpoints] == ["us-claude", "eu-claude", "eu-health", "us-gpt"]


def test_a_summary_compares_medians_of_one_metric() -> None:
    view = fleet().view(group=Grouping.TAG)
    eu = next(row for row in view.rows if isinstance(row, GroupRow))
    assert eu.p50_ns == (310 * MS, 310 * MS), "without the E2E of eu-health"
    alone = fleet().view(group=Grouping.TAG, filter="eu-health").rows[0]
    assert isinstance(alone, GroupRow)
    assert alone.p50_ns == (12 * MS, 12 * MS)


def test_while_measuring_has_stopped_no_line_tells_a_state() -> None:
    stage = fleet()
    stage.apply(FeedSilent(now_ns=ns(20), silent_ns=5_000_000_000))
    for row in stage.view(group=Grouping.GATEWAY).rows:
        states = (row.state,) if isinstance(row, EndpointRow) else tuple(state for state, _ in row.states)
        assert states == (State.UNKNOWN,)
