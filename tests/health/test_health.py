"""States change by the thresholds and with evidence, and findings are reported once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from support.judged import ENDPOINT, START_AT, S, Story

from gwtui.health.health import Health
from gwtui.model.enums import FindingName, State, Trigger
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile, Thresholds
from gwtui.model.records import Finding, Heartbeat, Ping, ProfileChanged
from gwtui.model.verdicts import Verdict


@pytest.mark.parametrize(
    ("letters", "state", "expected"),
    [
        ("", State.UNKNOWN, []),
        (".", State.UP, []),
        ("tt", State.UNKNOWN, []),
        ("lll", State.UNKNOWN, []),
        ("ccc", State.UNKNOWN, []),
        ("...t", State.UP, []),
        ("ttt", State.DOWN, [(State.DOWN, "3 truncated in a row")]),
        ("ttr", State.DOWN, [(State.DOWN, "3 failed in a row: 2 truncated, 1 reset")]),
        ("tcltlct", State.DOWN, [(State.DOWN, "3 truncated in a row")]),
        ("tt.tt", State.DEGRADED, [(State.DEGRADED, "3 of 4 truncated (75.0 %)")]),
        ("....tttt", State.DOWN, [(State.DOWN, "3 truncated in a row")]),
        ("ttt.t.t.", State.DOWN, [(State.DOWN, "3 truncated in a row")]),
        (
            "tttttt..",
            State.UP,
            [
                (State.DOWN, "3 truncated in a row"),
                (State.UP, "up again after 00:00:35, 2 good in a row after 6 truncated"),
            ],
        ),
        (
            "ttttttcl..",
            State.UP,
            [
                (State.DOWN, "3 truncated in a row"),
                (State.UP, "up again after 00:00:45, 2 good in a row after 6 truncated"),
            ],
        ),
    ],
)
def test_results_make_a_state_with_its_evidence(letters: str, state: State, expected: list[tuple[State, str]]) -> None:
    story = Story().results(letters)
    assert story.state() is state
    assert story.reports() == expected


def test_an_incident_says_when_who_and_which_request() -> None:
    story = Story().results("..ttt")
    down = story.incidents[-1]
    assert (down.endpoint, down.kind, down.state) == ("a", "state", State.DOWN)
    assert (down.number, down.trace_id) == (5, "trace-5")
    assert down.at == START_AT + 25
    assert down.now_ns == story.now_ns


def test_a_stepped_wall_clock_is_followed() -> None:
    story = Story().results("tt")
    story.apply(Heartbeat(at=START_AT + 3600, now_ns=story.now_ns))
    story.results("t")
    assert story.incidents[-1].at == START_AT + 3605


def test_degraded_ends_below_half_its_share() -> None:
    story = Story(degraded_fail_share=0.2, window_s=100).results("........tt.......")
    assert story.reports() == [(State.DEGRADED, "2 of 10 truncated (20.0 %)")]
    story.results("...")
    assert story.state() is State.DEGRADED, "2 of 20 is not below 10 %"
    story.results(".")
    assert story.reports()[1:] == [(State.UP, "up again after 00:01:00, 2 of 21 truncated (9.5 %)")]


def test_a_failure_now_and_then_is_not_degraded() -> None:
    story = Story(degraded_fail_share=0.1).results(("." * 14 + "t") * 40)
    assert story.reports() == []


def test_a_reported_outage_does_not_make_the_time_after_it_degraded() -> None:
    story = Story().results("." * 12 + "t" * 8 + "." * 12)
    assert [state for state, _ in story.reports()] == [State.DOWN, State.UP]


def test_a_service_that_keeps_failing_after_an_outage_is_degraded_not_up() -> None:
    story = Story().results("t.t.t.t.ttt..")
    assert story.reports()[-1][0] is State.DEGRADED
    assert story.state() is State.DEGRADED


def test_old_failures_fade_while_results_keep_coming_slowly() -> None:
    story = Story(every_s=300, degraded_fail_share=0.1).results("t.t..")
    assert story.reports() == [(State.DEGRADED, "2 of 5 truncated (40.0 %)")], "the window is stretched to 5 results"
    story.results("...")
    assert story.state() is State.UP


def test_slow_begins_after_a_while_over_the_limit_and_ends_at_four_fifths() -> None:
    story = Story(slow_over_ms=1000, slow_for_s=10)
    for _ in range(6):
        story.request(Verdict.COMPLETE, ttft_ms=6200)
    assert story.reports() == [], "over the limit for 5 s"
    story.wait(60)
    assert story.state() is State.UP, "only results change a state"
    story.request(Verdict.COMPLETE, ttft_ms=6200)
    assert story.reports() == [(State.SLOW, "p50 TTFT 6.20 s over 1.00 s for 70.0 s (n 5)")]
    for _ in range(12):
        story.request(Verdict.COMPLETE, ttft_ms=900)
    assert story.state() is State.SLOW, "900 ms is under the limit and not yet calm"
    for _ in range(12):
        story.request(Verdict.COMPLETE, ttft_ms=700)
    assert story.state() is State.UP
    assert story.reports()[1:] == [(State.UP, "up again after 00:02:45, p50 TTFT 700 ms (n 13)")]


@pytest.mark.parametrize(
    ("late", "state"),
    [
        ({"tainted": True, "error_ns": 4 * S}, State.UP),
        ({"tainted": True, "error_ns": 4 * S, "errors": {Metric.TTFT: 4 * S}}, State.UP),
        ({"tainted": True, "error_ns": 4 * S, "errors": {Metric.E2E: 4 * S, Metric.TTFT: S // 50}}, State.SLOW),
        ({"tainted": True, "error_ns": 2 * S}, State.SLOW),
        ({"tainted": True, "error_ns": S // 50}, State.SLOW),
        ({"tainted": False, "error_ns": S // 50}, State.SLOW),
    ],
)
def test_a_latency_counts_as_the_least_that_it_can_have_been(late: dict[str, Any], state: State) -> None:
    story = Story(slow_over_ms=1000, slow_for_s=0)
    for _ in range(20):
        story.request(Verdict.COMPLETE, ttft_ms=5000, **late)
    assert story.state() is state


def test_a_moment_over_the_limit_is_not_slow() -> None:
    story = Story(slow_over_ms=1000, slow_for_s=30)
    for _ in range(20):
        for ttft_ms in (5000, 5000, 5000, 200, 200, 200):
            story.request(Verdict.COMPLETE, ttft_ms=ttft_ms)
    assert story.reports() == []


@pytest.mark.parametrize(("percentile", "enough"), [(50.0, 5), (95.0, 21), (99.0, 101)])
def test_few_results_decide_no_percentile(percentile: float, enough: int) -> None:
    story = Story(slow_percentile=percentile, slow_over_ms=100, slow_for_s=0)
    for _ in range(enough - 1):
        story.request(Verdict.COMPLETE)
    assert story.state() is State.UP
    story.request(Verdict.COMPLETE)
    assert story.state() is State.SLOW


def test_one_slow_answer_never_makes_a_high_percentile_slow() -> None:
    story = Story(slow_percentile=95.0, slow_over_ms=1000, slow_for_s=0)
    for index in range(120):
        story.request(Verdict.COMPLETE, ttft_ms=9000 if index % 30 == 0 else 300)
    assert story.reports() == []


@pytest.mark.parametrize(
    ("changes", "slow"),
    [
        ({"ttft_ns": 9 * S, "duration_ns": S}, True),
        ({"ttft_ns": S, "duration_ns": 9 * S}, False),
        ({"stream": False, "ttft_ns": None, "duration_ns": 9 * S}, True),
        ({"stream": False, "ttft_ns": 9 * S, "duration_ns": S}, False),
    ],
)
def test_streams_are_slow_by_their_first_token_and_the_rest_by_their_end(changes: dict[str, Any], slow: bool) -> None:
    story = Story(slow_over_ms=5000, slow_for_s=0)
    for _ in range(6):
        story.request(Verdict.COMPLETE, **changes)
    assert (story.state() is State.SLOW) is slow


@pytest.mark.parametrize("metric", ["ttfb", "ttft", "ttfo", "tpot", "e2e"])
def test_the_profile_can_name_the_latency(metric: str) -> None:
    story = Story(slow_metric=metric, slow_over_ms=5000, slow_for_s=0)
    field = "duration_ns" if metric == "e2e" else f"{metric}_ns"
    for _ in range(5):
        story.request(Verdict.COMPLETE, **{field: 9 * S})
    assert story.reports() == [(State.SLOW, f"p50 {metric.upper()} 9.00 s over 5.00 s for 0 ms (n 5)")]


def ping(number: int, verdict: Verdict = Verdict.PONG, rtt_ns: int | None = 12_000_000) -> Ping:
    return Ping(endpoint="a", number=number, started_at=0, now_ns=number * S, verdict=verdict, rule="x", rtt_ns=rtt_ns)


def test_pings_are_judged_too() -> None:
    profile = Profile(endpoints=(ENDPOINT,), thresholds=Thresholds(slow_over_ms=10, slow_for_s=2))
    health = Health(profile)
    texts = [i.text for n in range(1, 9) for i in health.apply(ping(n)) if i.kind == "state"]
    assert texts == ["p50 RTT 12.0 ms over 10.0 ms for 2.00 s (n 7)"]
    texts = [i.text for n in range(9, 13) for i in health.apply(ping(n, Verdict.NO_PONG, None)) if i.kind == "state"]
    assert texts[-1] == "3 no_pong in a row"
    assert health.state("a") is State.DOWN


def test_trials_and_unknown_endpoints_count_for_nothing() -> None:
    story = Story()
    for _ in range(5):
        story.request(Verdict.TRUNCATED, trigger=Trigger.TRIAL)
        story.request(Verdict.TRUNCATED, endpoint="elsewhere")
    assert story.state() is State.UNKNOWN
    assert story.incidents == []
    assert story.health.state("elsewhere") is State.UNKNOWN


def test_burst_results_count() -> None:
    story = Story()
    for _ in range(3):
        story.request(Verdict.OVERLOADED, trigger=Trigger.BURST)
    assert story.state() is State.DOWN


def test_a_pause_is_reported_and_what_was_before_it_does_not_count_after_it() -> None:
    story = Story().results("..tt")
    story.wait(3, paused=("a",))
    assert story.state() is State.PAUSED
    story.results("ttt")
    assert story.state() is State.PAUSED, "streams that ran on say nothing now"
    story.wait(1)
    assert story.state() is State.UNKNOWN
    story.results("tt")
    assert story.state() is State.UNKNOWN
    story.results(".")
    assert story.state() is State.UP
    assert story.reports() == [(State.PAUSED, "paused"), (State.UNKNOWN, "resumed")]


def test_an_outage_across_a_pause_has_an_end() -> None:
    story = Story().results("ttt")
    story.wait(10, paused=("a",))
    story.wait(1)
    story.results(".")
    assert story.reports()[-1] == (State.UP, "up again after 00:00:26, 1 good in a row")


def test_an_endpoint_that_starts_paused_is_no_news() -> None:
    health = Health(Profile(endpoints=(msgspec.structs.replace(ENDPOINT, paused=True),)))
    assert health.state("a") is State.PAUSED
    assert health.apply(Heartbeat(at=0, now_ns=S, paused=("a",))) == ()


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"interval_s": 60.0, "overlap": 7}, State.DOWN),
        ({"url": "http://127.0.0.1:2"}, State.UNKNOWN),
        ({"model": "other"}, State.UNKNOWN),
        ({"thresholds": Thresholds(down_after=9)}, State.UNKNOWN),
    ],
)
def test_an_edit_that_changes_what_is_judged_begins_anew(change: dict[str, Any], state: State) -> None:
    story = Story().results("ttt")
    endpoint = msgspec.structs.replace(ENDPOINT, **change)
    story.apply(ProfileChanged(now_ns=story.now_ns, profile=Profile(endpoints=(endpoint,))))
    assert story.state() is state
    assert len(story.reports()) == 1


def test_removed_endpoints_are_forgotten_and_added_ones_followed() -> None:
    story = Story().results("ttt")
    other = msgspec.structs.replace(ENDPOINT, name="b")
    story.apply(ProfileChanged(now_ns=story.now_ns, profile=Profile(endpoints=(other,))))
    assert story.state() is State.UNKNOWN
    story.request(Verdict.COMPLETE, endpoint="b")
    assert story.health.state("b") is State.UP


def test_a_finding_is_reported_when_it_begins_and_when_it_has_ended_for_a_while() -> None:
    found = (Finding(name=FindingName.MODEL_DIFFERS, evidence="asked a, got b", cause="an alias"),)
    story = Story()
    for _ in range(4):
        for findings in (found, (), ()):
            story.request(Verdict.COMPLETE, findings=findings)
    assert story.reports("finding") == [(None, "model_differs: asked a, got b")]
    assert (story.incidents[0].number, story.incidents[0].endpoint) == (1, "a")
    story.results("." * 9)
    assert len(story.reports("finding")) == 1, "55 s without it is not over the window"
    story.results(".")
    assert story.reports("finding")[1:] == [(None, "model_differs ended: not seen for 00:01:00, 12 results")]
    story.request(Verdict.COMPLETE, findings=found)
    assert len(story.reports("finding")) == 3
    assert {incident.finding for incident in story.incidents} == {FindingName.MODEL_DIFFERS}


@pytest.mark.parametrize("name", [FindingName.BUFFERED, FindingName.COMBED, FindingName.AT_ONCE])
def test_a_finding_of_times_is_reported_once_most_of_the_latest_good_answers_have_it(name: FindingName) -> None:
    found = (Finding(name=name, evidence="x"),)
    story = Story(findings_degrade=[])
    for findings in (*[found, (), ()] * 10, (), (), found, found, (), ()):
        story.request(Verdict.COMPLETE, findings=findings)
    for _ in range(5):
        story.request(Verdict.TRUNCATED, findings=found)
    story.request(Verdict.COMPLETE)
    story.request(Verdict.COMPLETE, findings=found, tainted=True, error_ns=S)
    assert story.reports("finding") == []
    for findings in (found, (), found, found):
        story.request(Verdict.COMPLETE, findings=findings)
    assert story.reports("finding") == [(None, f"{name}: x")]
    story.results("." * 12)
    assert story.reports("finding")[1:] == [(None, f"{name} ended: not seen for 00:01:00, 12 results")]
    for findings in (found, found):
        story.request(Verdict.COMPLETE, findings=findings)
    assert len(story.reports("finding")) == 2


def test_a_finding_that_makes_the_state_is_reported_with_it_and_not_twice() -> None:
    sequential = (Finding(name=FindingName.SEQUENTIAL, evidence="3 models start 2 s apart", degrades=True),)
    story = Story()
    for _ in range(3):
        story.request(Verdict.COMPLETE, findings=sequential)
    story.results("." * 20)
    assert story.reports("finding") == []
    assert story.reports() == [
        (State.DEGRADED, "sequential: 3 models start 2 s apart"),
        (State.UP, "up again after 00:00:35, sequential: not found any more"),
    ]


def test_a_finding_that_does_not_make_the_state_is_reported_by_itself() -> None:
    sequential = (Finding(name=FindingName.SEQUENTIAL, evidence="3 models start 2 s apart", degrades=True),)
    story = Story().results("ttt")
    story.request(Verdict.TRUNCATED, findings=sequential)
    assert story.reports("finding") == [(None, "sequential: 3 models start 2 s apart")]


def test_an_outage_does_not_end_a_finding() -> None:
    story = Story()
    story.request(Verdict.COMPLETE, findings=(Finding(name=FindingName.CACHED_ANSWER, evidence="x"),))
    story.results("t" * 40 + "....")
    assert len(story.reports("finding")) == 1


def test_repeated_local_failures_name_this_machine_once() -> None:
    story = Story()
    for _ in range(20):
        story.request(Verdict.LOCAL, reason="Too many open files")
        story.request(Verdict.COMPLETE)
    assert story.reports("engine") == [(None, "3 probes failed on this machine, not at a gateway: Too many open files")]
    assert story.state() is State.UP
    story.results("." * 20 + "lll")
    assert len(story.reports("engine")) == 2


def test_results_that_came_too_late_to_be_judged_are_said_once_for_all_endpoints() -> None:
    story = Story()
    other = msgspec.structs.replace(ENDPOINT, name="b")
    story.apply(ProfileChanged(now_ns=story.now_ns, profile=Profile(endpoints=(ENDPOINT, other))))
    for _ in range(20):
        for name in ("a", "b"):
            story.request(Verdict.COMPLETE, ttft_ms=5000, endpoint=name, tainted=True, error_ns=4 * S)
    assert story.reports("engine") == [(None, "not judged: this machine was late for most results of a")]
    assert story.reports() == []


def test_an_engine_that_was_held_up_says_so_once_a_while() -> None:
    story = Story()
    story.wait(5, lag_ns=2_310_000_000)
    story.wait(5, lag_ns=30_000_000)
    ((_, text),) = story.reports("engine")
    assert text == "this machine delayed gwtui by 2.31 s: affected times are marked"


def test_the_report_after_an_outage_counts_its_failures() -> None:
    story = Story(degraded_fail_share=0.1, window_s=200).results("....tttttt..t.tt.")
    assert story.reports()[-1] == (State.DEGRADED, "8 of 15 truncated (53.3 %)"), "the six of the outage are among them"


def test_the_end_of_an_outage_counts_all_its_failures() -> None:
    story = Story()
    for verdict in (Verdict.REFUSED,) * 6 + (Verdict.UNAVAILABLE,) * 2:
        story.request(verdict)
    story.results("..")
    assert story.reports()[-1] == (
        State.UP,
        "up again after 00:00:45, 2 good in a row after 8 failed: 6 refused, 2 unavailable",
    )


def test_another_cause_while_it_is_down_is_reported_once() -> None:
    story = Story()
    refused, unavailable = (Verdict.REFUSED,), (Verdict.UNAVAILABLE,)
    for verdict in refused * 4 + unavailable * 2 + refused + unavailable * 7 + refused * 3:
        story.request(verdict)
    assert story.reports() == [
        (State.DOWN, "3 refused in a row"),
        (State.DOWN, "still down, now 3 unavailable in a row; before 7 failed: 5 refused, 2 unavailable"),
        (State.DOWN, "still down, now 3 refused in a row; before 14 failed: 9 unavailable, 5 refused"),
    ]
    assert [(each.state, each.was) for each in story.incidents if each.kind == "state"] == [
        (State.DOWN, State.UNKNOWN),
        (State.DOWN, State.DOWN),
        (State.DOWN, State.DOWN),
    ]


def test_what_is_wrong_with_a_health_document_is_part_of_the_incident() -> None:
    story = Story(endpoint=msgspec.structs.replace(ENDPOINT, api="http"))
    reason = "providers.anthropic is false, not true"
    for _ in range(3):
        story.request(Verdict.WRONG_BODY, api="http", reason=reason)
    assert story.reports() == [(State.DOWN, f"3 wrong_body in a row ({reason})")]


def test_a_conversation_is_as_good_as_the_turn_that_ends_it() -> None:
    story = Story()
    for _ in range(3):
        story.request(Verdict.COMPLETE, turn=1, turns=2)
        story.request(Verdict.TRUNCATED, turn=2, turns=2)
    assert story.reports() == [(State.DOWN, "3 truncated in a row")]
    for _ in range(2):
        story.request(Verdict.COMPLETE, turn=1, turns=2)
        story.request(Verdict.COMPLETE, turn=2, turns=2)
    assert story.state() is State.UP


def test_a_conversation_without_the_call_that_it_wants_is_degraded() -> None:
    story = Story()
    missing = Finding(name=FindingName.NO_TOOL_CALL, evidence="no tool was called", degrades=True)
    story.request(Verdict.COMPLETE, turn=1, turns=2, findings=(missing,))
    assert story.state() is State.DEGRADED
