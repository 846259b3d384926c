"""What the monitor makes of records: states, figures, panels, and pictures that cost nothing when nothing changed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.generated import RECORD_TYPES, structs
from support.told import MS, SECOND, START_AT, START_NS, Telling, endpoint, ns

from gwtui.checked import CheckOutcome, CheckResult, CheckRun, PlannedCheck
from gwtui.monitor import samples
from gwtui.monitor.monitor import INCIDENTS, Monitor
from gwtui.profile import TLS, Profile
from gwtui.records import FeedEnded, Finding, Incident, Notice, ProfileChanged, Record, SessionStarted
from gwtui.verdicts import Verdict
from gwtui.view import Query, Window
from gwtui.words import Metric, State, Trigger


def state_incident(name: str, state: State, was: State = State.UP, at_s: float = 1) -> Incident:
    return Incident(at=START_AT + at_s, now_ns=ns(at_s), kind="state", endpoint=name, state=state, was=was, text="why")


# States


def test_an_unknown_endpoint_is_up_with_its_first_good_result() -> None:
    telling = Telling(endpoint("a"))
    assert telling.row("a").state is State.UNKNOWN
    telling.failure("a")
    assert telling.row("a").state is State.UNKNOWN
    telling.request("a")
    assert telling.row("a").state is State.UP


@pytest.mark.parametrize("state", [State.DOWN, State.DEGRADED, State.SLOW])
def test_a_state_is_what_was_reported_whatever_the_results(state: State) -> None:
    telling = Telling(endpoint("a"))
    telling.tell(state_incident("a", state))
    telling.request("a")
    assert telling.row("a").state is state
    telling.tell(state_incident("a", State.UP, was=state))
    assert telling.row("a").state is State.UP


def test_paused_lies_over_the_state() -> None:
    telling = Telling(endpoint("a"), endpoint("b", paused=True))
    telling.tell(state_incident("a", State.DOWN))
    assert (telling.row("a").state, telling.row("b").state) == (State.DOWN, State.PAUSED)
    telling.beat(2, paused=("a",))
    assert (telling.row("a").state, telling.row("b").state) == (State.PAUSED, State.UNKNOWN)
    telling.beat(3)
    assert telling.row("a").state is State.DOWN


def test_a_pause_shows_before_the_next_heartbeat() -> None:
    telling = Telling(endpoint("a"))
    telling.tell(state_incident("a", State.PAUSED))
    assert telling.row("a").state is State.PAUSED
    telling.tell(state_incident("a", State.DOWN, was=State.UP))
    assert telling.row("a").state is State.PAUSED
    telling.tell(state_incident("a", State.UNKNOWN, was=State.PAUSED))
    telling.request("a")
    assert telling.row("a").state is State.UP


# What counts


def test_failures_count_and_what_was_cancelled_or_local_does_not() -> None:
    telling = Telling(endpoint("a"))
    for _ in range(3):
        telling.request("a")
    telling.failure("a")
    telling.failure("a", verdict=Verdict.CANCELLED)
    telling.failure("a", verdict=Verdict.LOCAL, reason="no file descriptors")
    row = telling.row("a")
    assert (row.n, row.failed, row.fail_share) == (4, 1, 0.25)
    assert (row.verdict, row.note) == ("local", "no file descriptors")
    header = telling.view().header
    assert (header.requests, header.failed) == (6, 1)


def test_a_trial_is_shown_and_counts_in_nothing() -> None:
    telling = Telling(endpoint("a"))
    trial = telling.failure("a", trigger=Trigger.TRIAL)
    other = telling.request("not in the profile", trigger=Trigger.TRIAL)
    row = telling.row("a")
    assert (row.n, row.verdict, row.state) == (0, "", State.UNKNOWN)
    assert telling.view().header.requests == 0
    assert telling.view().recent == ()
    assert telling.view().trial == other != trial


def test_a_percentile_is_shown_once_n_supports_it() -> None:
    telling = Telling(endpoint("a"))
    for value in range(1, 59):
        telling.request("a", ttft_ms=value)
    row = telling.row("a")
    assert (row.p50.value_ns, row.p50.n) == (29 * MS, 58)
    assert (row.p95.value_ns, row.p95.n) == (None, 58)
    telling.request("a", ttft_ms=59)
    assert telling.row("a").p95.value_ns == 57 * MS
    assert telling.row("a").p99.value_ns is None


def test_an_endpoint_without_results_has_no_figures() -> None:
    row = Telling(endpoint("a")).row("a")
    assert (row.last_ns, row.p50.n, row.tokens_per_s, row.fail_share, row.verdict) == (None, 0, None, None, "")
    assert all(cell.value_ns is None and not cell.failed for cell in row.sparkline)


def test_the_last_verdict_and_how_often_in_a_row() -> None:
    telling = Telling(endpoint("a"))
    telling.request("a", findings=(Finding(name="buffered", evidence="42 events in one read"),))
    assert (telling.row("a").verdict_run, telling.row("a").note) == (1, "buffered: 42 events in one read")
    for _ in range(5):
        telling.failure("a", reason="no message_stop")
    row = telling.row("a")
    assert (row.verdict, row.verdict_run, row.note, row.last_ns) == ("truncated", 5, "no message_stop", None)


def test_verdicts_and_findings_are_counted_in_the_window_the_most_frequent_first() -> None:
    telling = Telling(endpoint("a"))
    buffered, cold = (Finding(name=name, evidence="so") for name in ("buffered", "cold"))
    telling.failure("a", 1, verdict=Verdict.STALLED, findings=(cold, cold))
    for at_s in (100, 101, 102):
        telling.request("a", at_s, findings=(buffered,))
    telling.failure("a", 103, findings=(buffered, cold))
    telling.failure("a", 104, verdict=Verdict.LOCAL)
    telling.failure("a", 105, verdict=Verdict.CANCELLED, findings=(cold,))
    telling.beat(122)
    counted = {window: telling.row("a", window=window) for window in Window}
    assert counted[Window.S30].verdicts == (("complete", 3), ("local", 1), ("truncated", 1))
    assert counted[Window.S30].findings == (("buffered", 4), ("cold", 1))
    assert counted[Window.M2].verdicts == counted[Window.S30].verdicts
    for window in (Window.M10, Window.H1, Window.ALL):
        assert dict(counted[window].verdicts) == {"complete": 3, "local": 1, "truncated": 1, "stalled": 1}
        assert counted[window].findings == (("buffered", 4), ("cold", 2))
    telling.beat(200)
    assert telling.row("a", window=Window.S30).verdicts == ()
    assert telling.row("a", window=Window.ALL).verdicts == counted[Window.ALL].verdicts


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["complete", "truncated", "stalled"])), max_size=40))
def test_counted_verdicts_are_those_of_the_results_that_are_counted(results: list[tuple[int, str]]) -> None:
    telling = Telling(endpoint("a"))
    for at_s, verdict in results:
        telling.request("a", at_s, verdict=Verdict(verdict))
    for window in Window:
        row = telling.row("a", window=window)
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
    telling = Telling(
        endpoint("streaming"), endpoint("whole", stream=False), endpoint("http", "http"), endpoint("ws", "websocket")
    )
    shown = {row.name: row.metric for row in telling.view(metric=asked).endpoints}
    assert shown == {"streaming": streaming, "whole": whole, "http": http, "ws": websocket}


def test_every_metric_has_its_own_figures() -> None:
    telling = Telling(endpoint("a"))
    for _ in range(6):
        telling.request(
            "a",
            ttfb_ns=100 * MS,
            ttft_ns=200 * MS,
            ttfo_ns=300 * MS,
            tpot_ns=20 * MS,
            mean_icl_ns=21 * MS,
            duration_ns=900 * MS,
            gaps=((10 * MS, 3), (30 * MS, 2)),
            tokens_per_s=48.5,
        )
    shown = {metric: telling.row("a", metric=metric) for metric in Metric}
    medians = {metric.value: (row.p50.value_ns or 0) // MS for metric, row in shown.items()}
    assert medians == {"ttfb": 100, "ttft": 200, "ttfo": 300, "icl": 10, "tpot": 20, "e2e": 900, "rtt": 200}
    assert shown[Metric.ICL].p50.n == 30
    assert shown[Metric.ICL].last_ns == 21 * MS
    assert shown[Metric.TTFT].tokens_per_s == 48.5


def test_a_good_result_without_the_metric_still_counts() -> None:
    telling = Telling(endpoint("a"))
    telling.request("a", ttft_ms=None, duration_ns=MS)
    row = telling.row("a")
    assert (row.n, row.p50.n, row.fail_share) == (1, 0, 0.0)


# Time


def test_windows_forget_as_heartbeats_move_time_and_the_session_does_not() -> None:
    telling = Telling(endpoint("a"))
    telling.request("a", at_s=1)
    telling.failure("a", at_s=1)
    telling.beat(40)
    seen = {window: (telling.row("a", window=window).n, telling.row("a", window=window).failed) for window in Window}
    assert seen == {Window.S30: (0, 0), Window.M2: (2, 1), Window.M10: (2, 1), Window.H1: (2, 1), Window.ALL: (2, 1)}
    telling.beat(4000)
    assert telling.row("a", window=Window.H1).n == 0
    assert telling.row("a", window=Window.ALL).n == 2


@pytest.mark.parametrize("window", list(Window))
@pytest.mark.parametrize("columns", [1, 7, 60, 200])
def test_there_is_a_point_for_every_column(window: Window, columns: int) -> None:
    telling = Telling(endpoint("a"))
    telling.request("a", at_s=20, ttft_ms=400)
    telling.failure("a", at_s=20)
    latency = telling.view(columns, window=window).latency
    assert latency is not None
    assert len(latency.points) == columns
    last = latency.points[-1]
    assert (last.p50_ns, last.n, last.failed) == (400 * MS, 1, 1)
    assert telling.row("a", window=window).sparkline[-1].failed == 1


def test_latency_figures_know_what_n_supports_and_the_greatest_always() -> None:
    telling = Telling(endpoint("a"))
    for value in (10, 30, 20, 40, 60, 50):
        telling.request("a", ttft_ms=value)
    telling.failure("a")
    latency = telling.view().latency
    assert latency is not None
    assert [name for name, _ in latency.figures] == ["p5", "p50", "p75", "p80", "p90", "p95", "p99", "max"]
    values = {name: figure.value_ns for name, figure in latency.figures if figure.value_ns is not None}
    assert values == {"p50": 30 * MS, "max": 60 * MS}
    assert (latency.n, latency.failed, latency.metric) == (6, 1, Metric.TTFT)


def test_the_clock_of_the_header_follows_the_newest_record() -> None:
    telling = Telling(endpoint("a"), session_dir="/tmp/session")
    telling.beat(10, missed={"a": 3})
    telling.request("a", at_s=12.5)
    telling.request("a", at_s=11)
    header = telling.view().header
    assert (header.at, header.elapsed_ns) == (START_AT + 12.5, 12.5 * SECOND)
    assert (header.profile, header.session_dir) == ("test", "/tmp/session")
    assert telling.row("a").missed == 3


# Pings


def test_the_ping_panel() -> None:
    telling = Telling(endpoint("a"), endpoint("ws", "websocket"))
    for rtt_ms in (10, 14, 13, None, 13, 23, 10):
        telling.ping("ws", rtt_ms=rtt_ms)
    telling.ping("ws", rtt_ms=None, verdict=Verdict.CLOSED, close_code=1001, close_reason="restart", connection=2)
    telling.ping("ws", rtt_ms=16, connection=3)
    ping = telling.view().ping
    assert ping is not None
    assert (ping.endpoint, ping.sent, ping.lost, ping.redials) == ("ws", 9, 2, 2)
    assert ping.jitter_ns == round((4 + 1 + 0 + 10 + 13 + 6) / 6 * MS)
    assert (ping.p50.value_ns, ping.p95.value_ns) == (13 * MS, None)
    assert ping.last_close == "1001 going away: restart"
    assert ping.last is not None
    assert ping.last.rtt_ns == 16 * MS
    assert ping.sparkline[-1].failed == 2
    assert [row.value_ns for row in telling.view(endpoint="ws").recent][:2] == [16 * MS, None]
    assert telling.view(endpoint="ws").stream is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [(1006, "1006 abnormal closure"), (3001, "3001 registered"), (4400, "4400 private use"), (77, "77 unknown")],
)
def test_close_codes_have_names(code: int, expected: str) -> None:
    telling = Telling(endpoint("ws", "websocket"))
    telling.ping("ws", rtt_ms=None, verdict=Verdict.CLOSED, close_code=code)
    ping = telling.view().ping
    assert ping is not None
    assert ping.last_close == expected


def test_the_ping_panel_is_the_selected_websocket_or_the_first() -> None:
    telling = Telling(endpoint("a"), endpoint("ws1", "websocket"), endpoint("ws2", "websocket"))
    shown = {name: telling.view(endpoint=name).ping for name in ("a", "ws1", "ws2")}
    assert {name: ping.endpoint for name, ping in shown.items() if ping} == {"a": "ws1", "ws1": "ws1", "ws2": "ws2"}
    assert Telling(endpoint("a")).view().ping is None


# Trouble and the incident log

FULL = "No space left on device"


@pytest.mark.parametrize(
    ("beats", "banner"),
    [
        ([{}], ""),
        (
            [
                {},
                {"recorder_error": FULL, "rows_waiting": 4},
                {"recorder_error": FULL, "rows_waiting": 12, "rows_lost": 3},
            ],
            f"CSV not written since 14:03:23Z ({FULL}), 12 rows waiting, 3 lost",
        ),
        ([{"recorder_error": "denied", "rows_waiting": 1}], "CSV not written since 14:03:22Z (denied), 1 row waiting"),
        ([{"recorder_error": "denied", "rows_waiting": 5}, {}], ""),
        ([{"recorder_error": "denied"}, {"rows_lost": 3}], "CSV lacks 3 rows that could not be written"),
    ],
)
def test_rows_that_are_not_written_are_told(beats: list[dict[str, Any]], banner: str) -> None:
    telling = Telling(endpoint("a"))
    for at_s, beat in enumerate(beats):
        telling.beat(at_s, **beat)
    assert telling.view().header.banner == banner


@pytest.mark.parametrize(
    ("end", "banner"),
    [
        (
            FeedEnded(text="engine exited 1", failed=True, detail="Traceback\nMemoryError: no\n\n"),
            "engine exited 1: MemoryError: no",
        ),
        (FeedEnded(text="engine exited 1", failed=True), "engine exited 1"),
        (FeedEnded(text="the time is up"), ""),
    ],
)
def test_the_end_of_the_feed_is_a_state(end: FeedEnded, banner: str) -> None:
    telling = Telling(endpoint("a"))
    telling.request("a")
    telling.tell(end)
    view = telling.view()
    assert (view.header.ended, view.header.banner) == (True, banner)
    assert telling.row("a").n == 1


def test_incidents_are_newest_first_and_bounded() -> None:
    telling = Telling(endpoint("a"))
    for at_s in range(INCIDENTS + 5):
        telling.tell(Incident(at=START_AT, now_ns=ns(at_s), kind="mark", text=str(at_s)))
    incidents = telling.view().incidents
    assert (len(incidents), incidents[0].text, incidents[-1].text) == (INCIDENTS, str(INCIDENTS + 4), "5")


# What the user looks at


def names(telling: Telling, **query: Any) -> list[str]:
    return [row.name for row in telling.view(**query).endpoints]


def selected(telling: Telling, **query: Any) -> str | None:
    found = telling.view(**query).selected
    return None if found is None else found.name


def test_the_selection_falls_back_to_what_is_there() -> None:
    telling = Telling(endpoint("a"), endpoint("b"), endpoint("c"))
    telling.request("b")
    assert selected(telling) == "a"
    assert selected(telling, endpoint="c") == "c"
    assert selected(telling, endpoint="gone") == "a"
    assert selected(telling, endpoint="gone", sort="n", descending=True) == "b"
    assert selected(telling, endpoint="c", filter="name:b") == "b"
    assert selected(telling, endpoint="c", filter="name:none") == "c"
    assert selected(Telling()) is None


def test_a_filter_hides_and_a_wrong_one_hides_nothing() -> None:
    telling = Telling(endpoint("a", model="haiku"), endpoint("b"), endpoint("c", "http"))
    telling.failure("b")
    for _ in range(6):
        telling.request("a", ttft_ms=600)
    assert names(telling, filter="model:haiku") == ["a"]
    assert names(telling, filter="verdict:trunc") == ["b"]
    assert names(telling, filter="ttft>500", metric=Metric.E2E) == ["a"]
    assert telling.view(filter="api:http").hidden == 2
    wrong = telling.view(filter="ttft>")
    assert (len(wrong.endpoints), wrong.hidden) == (3, 0)
    assert "needs a number" in wrong.notice


def test_the_table_is_ordered_by_any_column_with_what_is_missing_last() -> None:
    telling = Telling(endpoint("b"), endpoint("a"), endpoint("new"))
    for value in (100, 200, 300, 400, 500, 600):
        telling.request("a", ttft_ms=value)
        telling.request("b", ttft_ms=value * 2)
    telling.failure("a")
    telling.tell(state_incident("a", State.DOWN))
    assert names(telling) == ["b", "a", "new"]
    assert names(telling, sort="endpoint") == ["a", "b", "new"]
    assert names(telling, sort="endpoint", descending=True) == ["new", "b", "a"]
    assert names(telling, sort="p50") == ["a", "b", "new"]
    assert names(telling, sort="p50", descending=True) == ["b", "a", "new"]
    assert names(telling, sort="state", descending=True) == ["a", "new", "b"]
    assert names(telling, sort="fail", descending=True) == ["a", "b", "new"]
    assert names(telling, sort="verdict", descending=True) == ["a", "b", "new"]
    assert names(telling, sort="no such column") == ["b", "a", "new"]


# The profile changes


def test_removed_endpoints_vanish_and_edited_ones_keep_their_numbers() -> None:
    telling = Telling(endpoint("a"), endpoint("b"), endpoint("c"))
    for name in ("a", "b", "c"):
        telling.request(name)
    changed = Profile(
        name="test", endpoints=(endpoint("c", "http"), endpoint("a", tls=TLS(insecure=True)), endpoint("new"))
    )
    telling.tell(ProfileChanged(now_ns=ns(2), profile=changed))
    telling.request("b", at_s=3)
    assert [(row.name, row.n, row.insecure) for row in telling.view().endpoints] == [
        ("c", 0, False),
        ("a", 1, True),
        ("new", 0, False),
    ]
    assert telling.view().header.requests == 3


def test_a_new_session_starts_from_nothing() -> None:
    telling = Telling(endpoint("a"))
    telling.request("a", at_s=50)
    telling.tell(FeedEnded(text="engine exited 1", failed=True))
    telling.tell(SessionStarted(started_at=START_AT, now_ns=START_NS, profile=telling.profile))
    header = telling.view().header
    assert (header.requests, header.elapsed_ns, header.banner, header.ended) == (0, 0, "", False)
    assert telling.row("a").n == 0


# Pictures


def test_with_nothing_new_the_picture_is_the_same() -> None:
    telling = Telling(endpoint("a"), endpoint("b"))
    view = telling.view()
    assert telling.view() is view
    telling.request("b", at_s=0.1)
    again = telling.view()
    assert again.version != view.version
    assert again.endpoints[0] is view.endpoints[0]
    assert again.endpoints[1] is not view.endpoints[1]
    assert telling.view(window=Window.H1).version not in (view.version, again.version)


def test_the_engines_answer_is_shown() -> None:
    telling = Telling(endpoint("a"))
    telling.tell(Notice(now_ns=ns(1), text="no such endpoint"))
    assert telling.view().notice == "no such endpoint"


def test_a_monitor_that_was_told_nothing_has_a_picture() -> None:
    view = Monitor().view(Query())
    assert (view.endpoints, view.selected, view.stream, view.latency, view.ping) == ((), None, None, None, None)


def anyone(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Records of one kind, about few endpoints and few requests so that they meet, at times that a calendar has."""
    bounds: dict[str, st.SearchStrategy[Any]] = {
        "endpoint": st.sampled_from(["a", "ws", "gone"]),
        "number": st.integers(0, 3),
        "at": st.floats(0, 2e9),
        "started_at": st.floats(0, 2e9),
    }
    changes = st.fixed_dictionaries({name: bounds[name] for name in kind.__struct_fields__ if name in bounds})
    return st.builds(lambda record, change: msgspec.structs.replace(record, **change), structs(kind), changes)


anything = st.one_of([anyone(kind) for kind in RECORD_TYPES if kind is not SessionStarted])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(anything, max_size=12), st.sampled_from(list(Window)), st.sampled_from(list(Metric)))
def test_no_record_whatever_it_holds_breaks_it(records: list[Record], window: Window, metric: Metric) -> None:
    telling = Telling(endpoint("a"), endpoint("ws", "websocket"))
    for record in records:
        telling.tell(record)
        view = telling.view(7, window=window, metric=metric)
        assert view.latency is None or len(view.latency.points) == 7


# Samples


def test_the_newest_values_are_kept_to_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "KEPT", 8)
    telling = Telling(endpoint("a"), endpoint("w", "websocket"), endpoint("new"))
    for number in range(40):
        telling.request("a", 60 * number, ttft_ms=number, tpot_ns=7)
        telling.failure("a", 60 * number)
        telling.ping("w", number, rtt_ms=number)
        ours, pings, new = telling.monitor.samples()
        kept = range(max(0, number - 7), number + 1)
        assert list(ours.samples[Metric.TTFT].values) == [ms * MS for ms in kept]
        assert list(ours.samples[Metric.TPOT].values) == [7] * len(kept)
        assert Metric.ICL not in ours.samples
        assert list(pings.samples[Metric.E2E].values) == [ms * MS for ms in kept]
    first = START_NS // (60 * SECOND)
    assert list(ours.samples[Metric.E2E].minutes or ()) == [first + minute for minute in range(32, 40)]
    assert (ours.ok, ours.total, ours.is_ping, pings.is_ping) == (40, 80, False, True)
    assert (new.name, new.samples, new.ok, new.total) == ("new", {}, 0, 0)


# Checks


def check_run(name: str, at_s: float = 1, **fields: Any) -> CheckRun:
    planned = tuple(PlannedCheck(check, f"does {check} work", "Gateway") for check in ("health", "metrics"))
    told = CheckRun(endpoint=name, now_ns=ns(at_s), started_at=START_AT + at_s, planned=planned, most_requests=9)
    return msgspec.structs.replace(told, **fields)


def check_result(name: str, check: str, outcome: CheckOutcome = CheckOutcome.PASS) -> CheckResult:
    return CheckResult(
        endpoint=name, now_ns=ns(2), name=check, title="", section="Gateway", outcome=outcome, evidence="seen"
    )


def test_checks_fill_in_as_they_end() -> None:
    telling = Telling(endpoint("a"), endpoint("b"))
    assert telling.view().checks is None
    telling.tell(check_run("a", waits_for="b"))
    view = telling.view().checks
    assert view is not None
    assert (view.current, view.counts, view.results) == (None, (), ())
    telling.tell(check_run("a"), check_result("a", "health"), check_result("a", "not planned"), check_result("b", "x"))
    view = telling.view().checks
    assert view is not None
    assert view.current is not None
    assert (view.current.name, view.counts) == ("metrics", ((CheckOutcome.PASS, 1),))
    telling.tell(check_result("a", "metrics", CheckOutcome.FAIL), check_run("a", ended=True))
    view = telling.view().checks
    assert view is not None
    assert (view.current, [result.name for result in view.results]) == (None, ["health", "metrics"])
    assert view.counts == ((CheckOutcome.PASS, 1), (CheckOutcome.FAIL, 1))
    assert telling.view(endpoint="b").checks is None


def test_a_new_run_begins_from_nothing_and_one_of_a_removed_endpoint_is_forgotten() -> None:
    telling = Telling(endpoint("a"))
    telling.tell(check_run("a"), check_result("a", "health"), check_run("a", at_s=60))
    view = telling.view().checks
    assert view is not None
    assert view.results == ()
    telling.tell(ProfileChanged(now_ns=ns(61), profile=Profile()))
    telling.tell(ProfileChanged(now_ns=ns(62), profile=Profile(endpoints=(endpoint("a"),))))
    assert telling.view().checks is None
