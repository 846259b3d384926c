"""What the monitor's pictures hold for the panels, and that they cost nothing when nothing changed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.generated import RECORD_TYPES, structs
from support.monitor_stage import MS, START_AT, START_NS, MonitorStage, endpoint, ns, state_incident

from gwtui.model.check_results import CheckOutcome, CheckResult, CheckRun, PlannedCheck
from gwtui.model.enums import State
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import Metric
from gwtui.model.profile import TLS, Profile
from gwtui.model.query import Query, Window
from gwtui.model.records import FeedEnded, Notice, ProfileChanged, Record, SessionStarted
from gwtui.model.verdicts import Verdict
from gwtui.monitor.endpoint_picture import SPARKLINE_CELLS
from gwtui.monitor.event_log import ENTRIES
from gwtui.monitor.monitor import Monitor

# Pings


def test_the_ping_panel() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("ws", "websocket"))
    for rtt_ms in (10, 14, 13, None, 13, 23, 10):
        stage.ping("ws", rtt_ms=rtt_ms)
    stage.ping("ws", rtt_ms=None, verdict=Verdict.CLOSED, close_code=1001, close_reason="restart", connection=2)
    stage.ping("ws", rtt_ms=16, connection=3)
    ping = stage.view().ping
    assert ping is not None
    assert (ping.endpoint, ping.sent, ping.lost, ping.redials) == ("ws", 9, 2, 2)
    assert ping.jitter_ns == round((4 + 1 + 0 + 10 + 13 + 6) / 6 * MS)
    assert (ping.p50.value_ns, ping.p95.value_ns) == (13 * MS, None)
    assert ping.last_close == "1001 going away: restart"
    assert ping.last is not None
    assert ping.last.rtt_ns == 16 * MS
    assert ping.sparkline[-1].failed == 2
    assert [row.value_ns for row in stage.view(endpoint="ws").recent][:2] == [16 * MS, None]
    assert stage.view(endpoint="ws").stream is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [(1006, "1006 abnormal closure"), (3001, "3001 registered"), (4400, "4400 private use"), (77, "77 unknown")],
)
def test_close_codes_have_names(code: int, expected: str) -> None:
    stage = MonitorStage(endpoint("ws", "websocket"))
    stage.ping("ws", rtt_ms=None, verdict=Verdict.CLOSED, close_code=code)
    ping = stage.view().ping
    assert ping is not None
    assert ping.last_close == expected


def test_the_ping_that_waits_longest_is_told_after_a_second() -> None:
    stage = MonitorStage(endpoint("ws", "websocket"))
    stage.ping("ws")
    stage.started("ws", 2, at_s=10)
    told = []
    for at_s in (10.9, 17.5):
        stage.beat(at_s)
        stage.started("ws", 3, at_s=at_s)
        ping = stage.view().ping
        assert ping is not None
        told.append(ping.waiting)
    assert told == [None, (2, 7_500 * MS)]


def test_the_ping_panel_is_the_selected_websocket_or_the_first() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("ws1", "websocket"), endpoint("ws2", "websocket"))
    shown = {name: stage.view(endpoint=name).ping for name in ("a", "ws1", "ws2")}
    assert {name: ping.endpoint for name, ping in shown.items() if ping} == {"a": "ws1", "ws1": "ws1", "ws2": "ws2"}
    assert MonitorStage(endpoint("a")).view().ping is None


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
def test_rows_that_are_not_written_are_reported(beats: list[dict[str, Any]], banner: str) -> None:
    stage = MonitorStage(endpoint("a"))
    for at_s, beat in enumerate(beats):
        stage.beat(at_s, **beat)
    assert stage.view().header.banner == banner


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
    stage = MonitorStage(endpoint("a"))
    stage.request("a")
    stage.apply(end)
    view = stage.view()
    assert (view.header.ended, view.header.banner) == (True, banner)
    assert stage.row("a").n == 1


def test_the_log_is_newest_first_and_bounded() -> None:
    stage = MonitorStage(endpoint("a"))
    for at_s in range(ENTRIES + 5):
        stage.apply(LogEntry(at=START_AT, now_ns=ns(at_s), kind="mark", text=str(at_s)))
    log = stage.view().log
    assert (len(log), log[0].text, log[-1].text) == (ENTRIES, str(ENTRIES + 4), "5")


def incident(at_s: float, event: IncidentEvent, name: str = "a", **fields: Any) -> LogEntry:
    known = {"severity": State.DOWN, "scope": "gateway http://127.0.0.1:1", "cause": "keys refused (auth 401)"}
    entry = LogEntry(at=START_AT + at_s, now_ns=ns(at_s), kind="incident", endpoint=name, incident=1, event=event)
    return msgspec.structs.replace(entry, **{"since": START_AT, "failures": 3, **known, **fields})


def became(at_s: float, state: State, name: str = "a", number: int | None = 1) -> LogEntry:
    return LogEntry(
        at=START_AT + at_s, now_ns=ns(at_s), kind="state", endpoint=name, state=state, text="why", incident=number
    )


def test_a_state_that_an_incident_tells_is_not_in_the_log_and_is_entered_all_the_same() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"))
    stage.apply(incident(1, IncidentEvent.OPENED), became(1, State.DOWN), became(2, State.PAUSED, "b", None))
    assert [(each.kind, each.endpoint) for each in stage.view().log] == [("state", "b"), ("incident", "a")]
    assert stage.row("a").state is State.DOWN


def test_of_an_incident_that_spreads_the_newest_step_is_in_the_log() -> None:
    stage = MonitorStage(*(endpoint(name) for name in "abcd"))
    stage.apply(incident(1, IncidentEvent.OPENED))
    stage.apply(*(incident(at_s, IncidentEvent.WIDER, name) for at_s, name in ((2, "b"), (3, "c"))))
    stage.apply(LogEntry(at=START_AT, now_ns=ns(4), kind="mark", text="x"), incident(5, IncidentEvent.WIDER, "d"))
    assert [each.endpoint for each in stage.view().log] == ["d", "", "c", "a"]
    (known,) = stage.view().incidents
    assert ([member.endpoint for member in known.members], len(known.changes)) == (["a", "b", "c", "d"], 4)


def test_what_is_wrong_is_one_sentence_while_it_is() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"))
    stage.request("b")
    assert (stage.view().sentence, stage.view().open_incidents) == ("", ())
    stage.apply(incident(1, IncidentEvent.OPENED), became(1, State.DOWN), incident(2, IncidentEvent.WIDER, "b"))
    stage.beat(72)
    view = stage.view()
    assert view.sentence == "Keys refused by 127.0.0.1:1 (2 of 2 endpoints, 401) for 1m12s."
    assert [each.number for each in view.open_incidents] == [1]
    stage.failure("a", 73)
    assert stage.view().incidents[0].failures == 4
    stage.apply(incident(80, IncidentEvent.CLOSED))
    view = stage.view()
    assert (view.sentence, view.open_incidents, len(view.incidents)) == ("", (), 1)


@pytest.mark.parametrize("words", [{"scope": "galaxy far"}, {"cause": "bad luck"}, {"scope": ""}, {"severity": None}])
def test_words_of_an_incident_that_are_not_known_stop_nothing(words: dict[str, Any]) -> None:
    stage = MonitorStage(endpoint("a"))
    stage.apply(incident(1, IncidentEvent.OPENED, **words))
    assert len(stage.view().open_incidents) == 1


def test_while_measuring_has_stopped_nothing_is_said_to_be_wrong() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.apply(incident(1, IncidentEvent.OPENED), FeedEnded(text="engine exited 1", failed=True))
    assert stage.view().sentence == ""
    assert stage.monitor.view(Query(), final=True).sentence


# What the user looks at


def names(stage: MonitorStage, **query: Any) -> list[str]:
    return [row.name for row in stage.view(**query).endpoints]


def selected(stage: MonitorStage, **query: Any) -> str | None:
    found = stage.view(**query).selected
    return None if found is None else found.name


def test_the_selection_falls_back_to_what_is_there() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"), endpoint("c"))
    stage.request("b")
    assert selected(stage) == "a"
    assert selected(stage, endpoint="c") == "c"
    assert selected(stage, endpoint="gone") == "a"
    assert selected(stage, endpoint="gone", sort="n", descending=True) == "b"
    assert selected(stage, endpoint="c", filter="name:b") == "b"
    assert selected(stage, endpoint="c", filter="name:none") == "c"
    assert selected(MonitorStage()) is None


def test_a_filter_hides_and_a_wrong_one_hides_nothing() -> None:
    stage = MonitorStage(endpoint("a", model="haiku"), endpoint("b"), endpoint("c", "http"))
    stage.failure("b")
    for _ in range(6):
        stage.request("a", ttft_ms=600)
    assert names(stage, filter="model:haiku") == ["a"]
    assert names(stage, filter="verdict:trunc") == ["b"]
    assert names(stage, filter="ttft>500", metric=Metric.E2E) == ["a"]
    assert stage.view(filter="api:http").hidden == 2
    wrong = stage.view(filter="ttft>")
    assert (len(wrong.endpoints), wrong.hidden) == (3, 0)
    assert "needs a number" in wrong.notice


def test_the_table_is_ordered_by_any_column_with_what_is_missing_last() -> None:
    stage = MonitorStage(endpoint("b"), endpoint("a"), endpoint("new"))
    for value in (100, 200, 300, 400, 500, 600):
        stage.request("a", ttft_ms=value)
        stage.request("b", ttft_ms=value * 2)
    stage.failure("a")
    stage.apply(state_incident("a", State.DOWN))
    assert names(stage) == ["a", "b", "new"], "the worst first"
    assert names(stage, sort="profile") == ["b", "a", "new"]
    assert names(stage, sort="endpoint") == ["a", "b", "new"]
    assert names(stage, sort="endpoint", descending=True) == ["new", "b", "a"]
    assert names(stage, sort="p50") == ["a", "b", "new"]
    assert names(stage, sort="p50", descending=True) == ["b", "a", "new"]
    assert names(stage, sort="state", descending=True) == ["a", "new", "b"]
    assert names(stage, sort="fail", descending=True) == ["a", "b", "new"]
    assert names(stage, sort="why", descending=True) == ["a", "b", "new"]
    assert names(stage, sort="no such column") == ["b", "a", "new"]


# The profile changes


def test_removed_endpoints_vanish_and_edited_ones_keep_their_numbers() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"), endpoint("c"))
    for name in ("a", "b", "c"):
        stage.request(name)
    changed = Profile(
        name="test", endpoints=(endpoint("c", "http"), endpoint("a", tls=TLS(insecure=True)), endpoint("new"))
    )
    stage.apply(ProfileChanged(now_ns=ns(2), profile=changed))
    stage.request("b", at_s=3)
    assert [(row.name, row.n, row.insecure) for row in stage.view().endpoints] == [
        ("c", 0, False),
        ("a", 1, True),
        ("new", 0, False),
    ]
    assert stage.view().header.requests == 3


def test_a_new_session_starts_from_nothing() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.request("a", at_s=50)
    stage.apply(FeedEnded(text="engine exited 1", failed=True))
    stage.apply(SessionStarted(started_at=START_AT, now_ns=START_NS, profile=stage.profile))
    header = stage.view().header
    assert (header.requests, header.elapsed_ns, header.banner, header.ended) == (0, 0, "", False)
    assert stage.row("a").n == 0


# Pictures


def test_with_nothing_new_the_picture_is_the_same() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"))
    view = stage.view()
    assert stage.view() is view
    stage.request("b", at_s=0.1)
    again = stage.view()
    assert again.version != view.version
    assert again.endpoints[0] is view.endpoints[0]
    assert again.endpoints[1] is not view.endpoints[1]
    assert stage.view(window=Window.H1).version not in (view.version, again.version)


def test_the_engines_answer_is_shown() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.apply(Notice(now_ns=ns(1), text="no such endpoint"))
    assert stage.view().notice == "no such endpoint"


def test_a_monitor_without_records_has_a_picture() -> None:
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
    stage = MonitorStage(endpoint("a"), endpoint("ws", "websocket"))
    for record in records:
        stage.apply(record)
        view = stage.view(7, window=window, metric=metric)
        assert view.latency is None or 0 < len(view.latency.p50s) <= 8
        assert all(len(row.sparkline) == SPARKLINE_CELLS for row in view.endpoints)


# Checks


def check_run(name: str, at_s: float = 1, **fields: Any) -> CheckRun:
    planned = tuple(PlannedCheck(check, f"does {check} work", "Gateway") for check in ("health", "metrics"))
    run = CheckRun(endpoint=name, now_ns=ns(at_s), started_at=START_AT + at_s, planned=planned, most_requests=9)
    return msgspec.structs.replace(run, **fields)


def check_result(name: str, check: str, outcome: CheckOutcome = CheckOutcome.PASS) -> CheckResult:
    return CheckResult(
        endpoint=name, now_ns=ns(2), name=check, title="", section="Gateway", outcome=outcome, evidence="seen"
    )


def test_checks_fill_in_as_they_end() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"))
    assert stage.view().checks is None
    stage.apply(check_run("a", waits_for="b"))
    view = stage.view().checks
    assert view is not None
    assert (view.current, view.counts, view.results) == (None, (), ())
    stage.apply(check_run("a"), check_result("a", "health"), check_result("a", "not planned"), check_result("b", "x"))
    view = stage.view().checks
    assert view is not None
    assert view.current is not None
    assert (view.current.name, view.counts) == ("metrics", ((CheckOutcome.PASS, 1),))
    stage.apply(check_result("a", "metrics", CheckOutcome.FAIL), check_run("a", ended=True))
    view = stage.view().checks
    assert view is not None
    assert (view.current, [result.name for result in view.results]) == (None, ["health", "metrics"])
    assert view.counts == ((CheckOutcome.PASS, 1), (CheckOutcome.FAIL, 1))
    assert stage.view(endpoint="b").checks is None


def test_a_new_run_begins_from_nothing_and_one_of_a_removed_endpoint_is_forgotten() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.apply(check_run("a"), check_result("a", "health"), check_run("a", at_s=60))
    view = stage.view().checks
    assert view is not None
    assert view.results == ()
    stage.apply(ProfileChanged(now_ns=ns(61), profile=Profile()))
    stage.apply(ProfileChanged(now_ns=ns(62), profile=Profile(endpoints=(endpoint("a"),))))
    assert stage.view().checks is None
