"""A moment that has passed looks as it did then: the view of it is that of a monitor that knows nothing later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.monitor_stage import MS, SECOND, START_AT, START_NS, MonitorStage, endpoint, ns, read, state_incident

from gwtui.model.enums import FindingName, State
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile, Thresholds
from gwtui.model.query import Grouping, Query, Window
from gwtui.model.records import Finding, Heartbeat, Ping, ProfileChanged, Request
from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.model.verdicts import Verdict
from gwtui.model.view import View
from gwtui.monitor import Monitor

Told: TypeAlias = Request | Ping | Heartbeat | LogEntry | Usual
ENDPOINTS = (endpoint("a"), endpoint("b"), endpoint("w", "websocket"))
VERDICTS = (Verdict.COMPLETE, Verdict.COMPLETE, Verdict.TRUNCATED, Verdict.CANCELLED, Verdict.LOCAL)
WHAT = ("request", "request", "request", "ping", "beat", "state", "incident", "mark", "usual")
BUFFERED = Finding(name=FindingName.BUFFERED, evidence="42 events in one read")


def incident(at_s: float, name: str, event: IncidentEvent, failures: int | None) -> LogEntry:
    return LogEntry(
        at=START_AT + at_s,
        now_ns=ns(at_s),
        kind="incident",
        endpoint=name,
        incident=1,
        event=event,
        severity=State.DOWN,
        scope=f"endpoint {name}",
        cause="keys refused (auth 401)",
        failures=failures,
        text="5 auth in a row",
    )


@st.composite
def records(draw: st.DrawFn, longest_s: int = 40) -> list[Told]:
    """What a session of three endpoints tells, some seconds apart."""
    told: list[Told] = []
    at_s = 0.0
    for number in range(1, draw(st.integers(1, 40)) + 1):
        at_s += draw(st.sampled_from((0.001, 0.25, 1.0)) | st.integers(1, longest_s))
        told.append(draw(one_record(number, at_s)))
    return told


@st.composite
def one_record(draw: st.DrawFn, number: int, at_s: float) -> Told:
    name, at, now_ns = draw(st.sampled_from("ab")), START_AT + at_s, ns(at_s)
    what = draw(
        st.sampled_from(("request", "request", "request", "ping", "beat", "state", "incident", "mark", "usual"))
    )
    value = draw(st.integers(1, 900)) * MS
    if what == "ping":
        lost = draw(st.booleans())
        verdict, rtt_ns = (Verdict.NO_PONG, None) if lost else (Verdict.PONG, value)
        connection = draw(st.integers(1, 3))
        return Ping(
            endpoint="w", number=number, started_at=at, now_ns=now_ns, verdict=verdict, rule="r", rtt_ns=rtt_ns,
            connection=connection, close_code=draw(st.none() | st.just(1001)),
        )  # fmt: skip
    if what == "beat":
        missed = {name: number}
        return Heartbeat(at=at, now_ns=now_ns, missed=missed, paused=draw(st.sampled_from(((), ("a",)))))
    if what == "state":
        return state_incident(name, draw(st.sampled_from((State.UP, State.SLOW, State.DOWN))), at_s=at_s)
    if what == "incident":
        events = (IncidentEvent.OPENED, IncidentEvent.WIDER, IncidentEvent.NARROWER, IncidentEvent.CLOSED)
        return incident(at_s, name, draw(st.sampled_from(events)), draw(st.integers(0, 9)))
    if what == "mark":
        return LogEntry(at=at, now_ns=now_ns, kind="mark", text="CHG-4711")
    if what == "usual":
        latency = UsualLatency(source=UsualSource.DAY, n=600, p50_ns=value, values=())
        return Usual(endpoint=name, at=at, now_ns=now_ns, latencies={Metric.TTFT: latency})
    return Request(
        endpoint=name, number=number, started_at=at, now_ns=now_ns, api="x", verdict=draw(st.sampled_from(VERDICTS)),
        rule="r", reason="why", ttft_ns=value, duration_ns=2 * value, tokens_per_s=draw(st.none() | st.just(30.0)),
        tpot_ns=33 * MS, cost_usd=0.25, gaps=((7 * MS, 3),), findings=draw(st.sampled_from(((), (BUFFERED,)))),
        tainted=draw(st.booleans()), error_ns=draw(st.sampled_from((0, 5 * SECOND))), trace_id=f"trace-{number}",
    )  # fmt: skip


def monitor_of(told: list[Told]) -> Monitor:
    stage = MonitorStage(*ENDPOINTS)
    stage.apply(*told)
    return stage.monitor


def of_then(view: View) -> View:
    """What is the same of a moment however it is looked at: not what was known only later to be under way."""
    rows = tuple(replace(row, next_ns=None, held_ns=None, in_flight=0) for row in view.endpoints)
    header = replace(view.header, behind_ns=0)
    blank = Query()
    return replace(view, query=blank, header=header, endpoints=rows, rows=(), strip=None, version=0)


def assert_as_then(monitor: Monitor, upto: list[Told], at_ns: int, query: Query) -> None:
    then = monitor_of([*upto, Heartbeat(at=START_AT + (at_ns - START_NS) / 1e9, now_ns=at_ns, **_paused(upto))])
    found, expected = monitor.view(replace(query, at_ns=at_ns)), then.view(query)
    left, right = of_then(found), of_then(expected)
    assert left.endpoints == right.endpoints
    assert (left.header, left.incidents, left.log) == (right.header, right.incidents, right.log)
    assert (left.latency, left.ping, left.recent) == (right.latency, right.ping, right.recent)
    assert (left.probed, left.sentence) == (right.probed, right.sentence)
    if left.stream is None or not left.stream.in_flight:  # that it was under way is known only later
        assert left.stream == right.stream
    assert found.header.behind_ns == monitor.now_ns - found.now_ns


def _paused(upto: list[Told]) -> dict[str, Any]:
    """What the newest heartbeat said, so that one more changes nothing."""
    beats = [record for record in upto if isinstance(record, Heartbeat)]
    return {"missed": beats[-1].missed, "paused": beats[-1].paused} if beats else {}


@settings(max_examples=25)
@given(
    records(),
    st.integers(0, 900),
    st.sampled_from(Window),
    st.sampled_from((Metric.TTFT, Metric.ICL)),
    st.sampled_from((None, "b", "w")),
)
def test_the_past_is_as_it_was(told: list[Told], at_s: int, window: Window, metric: Metric, chosen: str | None) -> None:
    monitor = monitor_of(told)
    at_ns = min(ns(at_s) + SECOND - 1, monitor.now_ns)
    if at_ns % SECOND != SECOND - 1 and at_ns != monitor.now_ns:
        return
    upto = [record for record in told if record.now_ns <= at_ns]
    assert_as_then(monitor, upto, at_ns, Query(window=window, metric=metric, endpoint=chosen))


@settings(max_examples=25)
@given(records(), st.integers(1, 20), st.sampled_from(Window))
def test_what_is_frozen_now_does_not_move_when_more_comes(told: list[Told], more: int, window: Window) -> None:
    monitor = monitor_of(told[:more])
    query = Query(window=window, at_ns=monitor.now_ns)
    before = of_then(monitor.view(query))
    assert before.endpoints == of_then(monitor.view(replace(query, at_ns=None))).endpoints
    for record in told[more:]:
        if record.now_ns > (query.at_ns or 0):
            monitor.apply(record)
    after = of_then(monitor.view(query))
    assert (after.endpoints, after.latency, after.ping) == (before.endpoints, before.latency, before.ping)
    assert (after.header, after.incidents, after.log) == (before.header, before.incidents, before.log)
    assert (after.recent, after.sentence, after.stream) == (before.recent, before.sentence, before.stream)


@settings(max_examples=25)
@given(records(longest_s=20_000), st.integers(0, 200))
def test_long_ago_is_exact_to_an_hour_and_knows_nothing_of_later(told: list[Told], hours: int) -> None:
    monitor = monitor_of(told)
    hour_ns = 3600 * SECOND
    at_ns = min((START_NS // hour_ns + hours + 1) * hour_ns - 1, monitor.now_ns)
    upto = [record for record in told if record.now_ns <= at_ns]
    found, expected = (
        monitor.view(Query(window=Window.ALL, at_ns=at_ns)),
        monitor_of(upto).view(Query(window=Window.ALL)),
    )
    assert (found.header.requests, found.header.failed) == (expected.header.requests, expected.header.failed)
    assert (found.header.states, found.incidents) == (expected.header.states, expected.incidents)
    for row, then in zip(found.endpoints, expected.endpoints, strict=True):
        assert (row.n, row.failed, row.p50, row.verdicts, row.total_ns) == (
            then.n,
            then.failed,
            then.p50,
            then.verdicts,
            then.total_ns,
        )


def test_incidents_of_one_moment_do_not_move_when_others_are_looked_at() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"))
    told = [incident(number, "ab"[number % 2], event, number) for number, event in enumerate(IncidentEvent, 1)]
    stage.apply(*told)
    moments = [ns(at_s) for at_s in range(len(told) + 1)]
    expected = [monitor_of([each for each in told if each.now_ns <= at_ns]).view(Query()) for at_ns in moments]
    for order in (moments, moments[::-1]):
        found = {at_ns: stage.view(at_ns=at_ns) for at_ns in order}
        assert [(found[at_ns].incidents, found[at_ns].log) for at_ns in moments] == [
            (view.incidents, view.log) for view in expected
        ]


@pytest.mark.parametrize(("asked_s", "shown_s"), [(-5, 0), (3, 3), (99, 10)])
def test_a_moment_outside_of_the_session_is_its_nearest(asked_s: float, shown_s: float) -> None:
    stage = MonitorStage(endpoint("a"))
    stage.beat(10)
    view = stage.view(at_ns=ns(asked_s))
    assert (view.now_ns, view.header.behind_ns) == (ns(shown_s), ns(10) - ns(shown_s))
    assert (view.header.at, view.header.elapsed_ns) == (START_AT + shown_s, shown_s * SECOND)


def test_a_state_seen_from_another_place_is_not_that_of_here() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.request("a", 1)
    there = LogEntry(
        at=START_AT + 2,
        now_ns=ns(2),
        kind="state",
        endpoint="a",
        vantage="eu",
        state=State.DOWN,
        was=State.UP,
        text="r",
    )
    stage.apply(there)
    stage.beat(3)
    assert [stage.row("a", at_ns=at_ns).state for at_ns in (None, ns(2.5))] == [State.UP, State.UP]
    assert stage.view().log == (there,)


def test_trouble_of_our_own_is_always_that_of_now() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.beat(5)
    stage.beat(10, rows_lost=3)
    assert stage.view(at_ns=ns(5)).header.banner == stage.view().header.banner != ""


def test_a_stream_of_the_past_has_the_events_that_had_come() -> None:
    stage = MonitorStage(endpoint("a"))
    for number, begun_s in ((1, 1.0), (2, 5.0)):
        stage.started("a", number, begun_s)
        for step in range(3):
            stage.apply(read("a", number, begun_s, 500 * (step + 1), step + 1, f"{number}{step}"))
        stage.request("a", begun_s + 2, 500, number=number)

    def seen(at_s: float, **query: int) -> tuple[int, bool, str] | None:
        stream = stage.view(at_ns=ns(at_s), **query).stream
        return None if stream is None else (stream.number, stream.in_flight, stream.text)

    assert seen(0.5) is None
    assert seen(1.1) == (1, True, "")
    assert seen(2.1) == (1, True, "1011")
    assert seen(4) == (1, False, "101112")
    assert seen(6.2) == (2, True, "2021")
    assert seen(6.2, request=1) == (1, False, "101112")
    assert seen(4, request=2) == (1, False, "101112")
    assert stage.row("a", at_ns=ns(6)).in_flight == 1


def test_what_is_kept_of_a_failure_is_not_shown_as_the_newest_of_a_later_moment() -> None:
    stage = MonitorStage(*ENDPOINTS)
    for number in range(200):
        failed = number == 20
        stage.request("a", number, verdict=Verdict.TRUNCATED if failed else Verdict.COMPLETE)
        stage.ping("w", number, number / 10, verdict=Verdict.NO_PONG if failed else Verdict.PONG)
        if failed:
            stage.apply(incident(number, "a", IncidentEvent.OPENED, 1), incident(number, "w", IncidentEvent.OPENED, 1))
    failing, later = (stage.view(at_ns=ns(at_s + 0.5)) for at_s in (20, 60))
    assert (failing.recent[0].verdict, later.recent[0].number) == ("truncated", 61)
    assert later.stream is None
    ping = stage.view(at_ns=ns(60.5), endpoint="w")
    assert ping.probed is not None
    assert ping.ping is not None
    assert ping.ping.last == ping.probed
    assert (ping.probed.number, ping.probed.rtt_ns) == (61, 6 * MS)


def test_where_an_incident_began_hours_ago_the_figures_are_those_that_opened_it() -> None:
    stage = MonitorStage(*ENDPOINTS)
    for at_s in (*range(1, 63), *range(63, 66)):
        for name in ("a", "b"):
            stage.request(name, at_s, verdict=Verdict.TRUNCATED if at_s >= 63 else Verdict.COMPLETE)
    stage.apply(incident(65, "a", IncidentEvent.OPENED, 3))
    for at_s in range(66, 10_000, 9):
        stage.request("b", at_s)
    then = stage.view(at_ns=ns(65))
    assert (then.header.requests, then.header.failed) == (130, 6)
    assert [(row.failed, row.n) for row in then.endpoints[:2]] == [(3, 65), (3, 65)]


def test_an_endpoint_that_is_brought_back_has_its_past_again() -> None:
    stage = MonitorStage(*ENDPOINTS)
    for at_s in range(1, 20):
        stage.request("a", at_s, verdict=Verdict.TRUNCATED if at_s > 10 else Verdict.COMPLETE)
    stage.started("a", 20, 20)
    before = stage.row("a", at_ns=ns(15))
    for at_s, endpoints in ((21, ENDPOINTS[1:]), (30, ENDPOINTS)):
        stage.apply(ProfileChanged(now_ns=ns(at_s), profile=Profile(name="test", endpoints=endpoints)))
    assert stage.row("a", at_ns=ns(15)) == before
    now = stage.row("a")
    assert (now.state, now.in_flight, now.n) == (State.UNKNOWN, 0, 19)
    stage.request("a", 31)
    assert stage.row("a").state is State.UP
    assert "a" not in {row.name for row in stage.view(at_ns=ns(25)).endpoints}, "it was removed then"


@pytest.mark.parametrize("group", list(Grouping))
def test_a_removed_endpoint_is_seen_at_the_moments_before_it_was_removed(group: Grouping) -> None:
    stage = MonitorStage(*ENDPOINTS)
    stage.apply(incident(2, "a", IncidentEvent.OPENED, 1))
    for at_s in range(3, 12):
        stage.failure("a", at_s)
        stage.request("b", at_s)
    before = stage.view(at_ns=ns(6), group=group)
    cells = stage.view().strip
    stage.apply(ProfileChanged(now_ns=ns(12), profile=Profile(name="test", endpoints=ENDPOINTS[1:])))
    after = stage.view(at_ns=ns(6), group=group)
    assert (after.endpoints, after.rows, after.incidents) == (before.endpoints, before.rows, before.incidents)
    assert (after.header.states, after.sentence) == (before.header.states, before.sentence)
    now = stage.view()
    assert "a" not in {row.name for row in now.endpoints}
    assert "a" not in {row.name for row in stage.view(at_ns=ns(12)).endpoints}
    assert cells is not None
    assert now.strip is not None
    assert now.strip.cells[: len(cells.cells)] == cells.cells


def test_the_chart_knows_its_time_its_dots_its_incidents_and_its_usual() -> None:
    stage = MonitorStage(endpoint("a"))
    latency = UsualLatency(source=UsualSource.DAY, n=600, p50_ns=300 * MS, values=())
    stage.apply(Usual(endpoint="a", at=START_AT, now_ns=ns(0), latencies={Metric.TTFT: latency}))
    for at_s in (1, 2, 3):
        stage.request("a", at_s, 100 * at_s)
    stage.failure("a", 4)
    stage.apply(incident(5, "a", IncidentEvent.OPENED, 1), LogEntry(at=START_AT + 6, now_ns=ns(6), kind="mark"))
    stage.apply(incident(8, "a", IncidentEvent.CLOSED, 1))
    stage.beat(10)
    view = stage.view(at_ns=ns(7)).latency
    assert view is not None
    assert [(dot.at_ns, dot.value_ns) for dot in view.dots] == [
        *((ns(at_s), 100 * MS * at_s) for at_s in (1, 2, 3)),
        (ns(4), None),
    ]
    assert (view.usual_ns, view.limit_ns) == (300 * MS, None)
    assert ns(7) <= view.end_ns <= ns(9)
    assert view.end_ns - view.start_ns == 120 * SECOND
    assert [(span.start_ns, span.end_ns, span.state) for span in view.spans] == [
        (ns(5), None, State.DOWN),
        (ns(6), ns(6), None),
    ]
    now = stage.view().latency
    assert now is not None
    assert now.spans[0].end_ns == ns(8)


def test_the_chart_of_a_moment_has_the_usual_the_limit_and_the_marks_of_then() -> None:
    """What is edited, learned, marked and measured later leaves it as it was."""
    stage = MonitorStage(endpoint("a", thresholds=Thresholds(slow_over_ms=900)))

    def usual(at_s: float, ms: int) -> Usual:
        latency = UsualLatency(source=UsualSource.DAY, n=600, p50_ns=ms * MS, values=())
        return Usual(endpoint="a", at=START_AT + at_s, now_ns=ns(at_s), latencies={Metric.TTFT: latency})

    stage.apply(usual(0, 300), LogEntry(at=START_AT + 5, now_ns=ns(5), kind="mark"))
    for step in range(40):
        stage.request("a", step / 4, 100 + step)
    stage.beat(10)
    live = stage.view()
    edited = Profile(name="test", endpoints=(endpoint("a", thresholds=Thresholds(slow_over_ms=200)),))
    stage.apply(ProfileChanged(now_ns=ns(11), profile=edited), usual(11, 150))
    stage.apply(LogEntry(at=START_AT + 12, now_ns=ns(12), kind="mark"), incident(13, "a", IncidentEvent.OPENED, 1))
    for at_s in range(11, 30):
        stage.failure("a", at_s)
    then, now = stage.view(at_ns=ns(10)), stage.view()
    assert live.latency is not None
    assert now.latency is not None
    assert (live.latency.usual_ns, live.latency.limit_ns, len(live.latency.spans)) == (300 * MS, 900 * MS, 1)
    assert (now.latency.usual_ns, now.latency.limit_ns, len(now.latency.spans)) == (150 * MS, 200 * MS, 3)
    assert then.latency == live.latency


def test_the_strip_is_the_whole_session_at_every_moment() -> None:
    stage = MonitorStage(endpoint("a"), endpoint("b"))
    stage.request("a", 2)
    stage.apply(state_incident("b", State.SLOW, at_s=4), state_incident("a", State.DOWN, at_s=6))
    stage.apply(incident(6, "a", IncidentEvent.OPENED, 1))
    stage.apply(state_incident("a", State.UP, was=State.DOWN, at_s=8.5), LogEntry(at=0, now_ns=ns(8), kind="mark"))
    stage.beat(9.5)
    strip = stage.view().strip
    assert strip is not None
    assert (strip.start_ns, strip.bucket_ns, strip.edges_ns) == (START_NS, SECOND, (ns(6),))
    states = [None, None, State.UP, State.UP, State.SLOW, State.SLOW, State.DOWN, State.DOWN, State.DOWN, State.SLOW]
    assert [cell.state for cell in strip.cells] == states
    assert [cell.marks for cell in strip.cells] == [0] * 8 + [1, 0]
    assert stage.view(at_ns=ns(3)).strip is strip
    assert strip.clock(ns(3)) == START_AT + 3


@given(st.integers(1, 10**7), st.integers(1, 200))
def test_the_strip_fits(seconds: int, cells: int) -> None:
    stage = MonitorStage(endpoint("a"))
    stage.beat(seconds)
    strip = stage.monitor.view(Query(), strip=cells).strip
    assert strip is not None
    assert 1 <= len(strip.cells) <= cells
    assert strip.start_ns + strip.bucket_ns * len(strip.cells) > stage.monitor.now_ns
