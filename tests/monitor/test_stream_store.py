"""Streams as lines: gaps that were measured and no others, what stands out, and what is kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from support.monitor_stage import MS, START_AT, MonitorStage, endpoint, ns, read

from gwtui.model.concurrency import Concurrency, ModelTimeline
from gwtui.model.enums import EventKind, Trigger
from gwtui.model.judged import LogEntry
from gwtui.model.records import StreamAlive, StreamEvent
from gwtui.model.stream_view import ModelState, StreamView
from gwtui.model.verdicts import Verdict
from gwtui.monitor.stream_store import ENDED_PER_ENDPOINT, LINES_PER_STREAM, stands_out, stream_lines


@pytest.mark.parametrize(
    ("gap_ms", "usual_ms", "expected"),
    [
        (101, 20, True),
        (100, 20, False),
        (99, 1, False),
        (250, 60, False),
        (301, 60, True),
        (5000, None, False),
    ],
)
def test_which_gaps_stand_out(gap_ms: int, usual_ms: int | None, expected: bool) -> None:
    assert stands_out(gap_ms * MS, None if usual_ms is None else usual_ms * MS) is expected


def test_events_of_one_read_share_its_stamp_and_have_one_gap() -> None:
    lines = stream_lines(
        [read("a", 1, 0, 388, 1, "x"), read("a", 1, 0, 412, 2, "y", "z"), read("a", 1, 0, 433, 4, "!")]
    )
    assert [(line.number, line.since_sent_ns // MS, line.gap_ns) for line in lines] == [
        (1, 388, None),
        (2, 412, 24 * MS),
        (3, 412, None),
        (4, 433, 21 * MS),
    ]


def test_what_has_the_stamp_of_the_read_before_it_is_more_of_it() -> None:
    lines = stream_lines([read("a", 1, 0, 100, 1, "x"), read("a", 1, 0, 100, 2, "y")])
    assert [(line.number, line.gap_ns) for line in lines] == [(1, None), (2, None)]


def test_no_gap_is_shown_over_reads_that_are_missing() -> None:
    lines = stream_lines([read("a", 1, 0, 100, 1, "x"), read("a", 1, 0, 900, 9, "y"), read("a", 1, 0, 910, 10, "z")])
    assert [line.gap_ns for line in lines] == [None, None, 10 * MS]


def test_a_gap_far_over_the_usual_one_stands_out_on_the_event_after_it() -> None:
    after = [400, 420, 440, 460, 900, 920]
    lines = stream_lines([read("a", 1, 0, each, n, "x", "y") for n, each in zip(range(1, 99, 2), after, strict=False)])
    assert [line.number for line in lines if line.stands_out] == [9]


def stream_of(stage: MonitorStage, **query: Any) -> StreamView:
    stream = stage.view(**query).stream
    assert stream is not None
    return stream


def test_a_stream_is_seen_before_it_ends() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.started("a", 1, at_s=10)
    before = stream_of(stage)
    assert (before.number, before.in_flight, before.lines, before.since_sent_ns) == (1, True, (), 0)
    stage.read("a", 1, 10.01, 400, 1, "Hel", "lo")
    stage.beat(11.01)
    during = stream_of(stage)
    assert (during.text, during.in_flight, during.since_sent_ns) == ("Hello", True, 1000 * MS)
    assert stage.row("a").in_flight == 1
    found = stage.request("a", 11.5, number=1, verdict=Verdict.TRUNCATED, event_number=2, events=2, gaps=((MS, 3),))
    after = stream_of(stage)
    assert (after.in_flight, after.since_sent_ns, after.lines_dropped) == (False, found.duration_ns, 0)
    assert [line.decided for line in after.lines] == [False, True]
    assert after.request is not None
    assert after.request.event_number == 2
    assert stage.row("a").in_flight == 0


def test_a_stream_without_events_is_seen_to_be_alive() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.started("a", 1, at_s=10)
    assert stream_of(stage).comments is None
    stage.apply(StreamAlive(endpoint="a", number=1, now_ns=ns(12), since_sent_ns=1900 * MS, comments=3))
    stage.beat(13)
    during = stream_of(stage)
    assert (during.in_flight, during.comments, during.since_sent_ns, during.lines) == (True, 3, 2900 * MS, ())
    stage.request("a", 14, number=1, verdict=Verdict.STALLED)
    stage.apply(StreamAlive(endpoint="a", number=1, now_ns=ns(15), since_sent_ns=4900 * MS, comments=9))
    assert (stream_of(stage).in_flight, stream_of(stage).comments) == (False, 3)


def test_a_result_may_overtake_the_last_events() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.started("a", 1)
    stage.request("a", 2, number=1, events=3)
    assert stream_of(stage).lines_dropped == 3
    stage.read("a", 1, 1, 900, 1, "a", "b", "c")
    assert (stream_of(stage).text, stream_of(stage).lines_dropped) == ("abc", 0)


def test_the_newest_is_shown_unless_another_is_chosen() -> None:
    stage = MonitorStage(endpoint("a"))
    for number in (1, 2):
        stage.started("a", number)
        stage.read("a", number, 1, 10, 1, f"text {number}")
    stage.request("a", number=2)
    assert (stream_of(stage).number, stream_of(stage).newest) == (2, True)
    chosen = stream_of(stage, endpoint="a", request=1)
    assert (chosen.text, chosen.newest) == ("text 1", False)
    gone = stream_of(stage, endpoint="a", request=77)
    assert (gone.number, gone.newest) == (2, True)


def test_long_streams_keep_their_newest_lines_and_count_the_rest() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.started("a", 1)
    events = LINES_PER_STREAM + 1000
    for first in range(1, events, 100):
        stage.read("a", 1, 1, first, first, *["x"] * 100)
    stream = stream_of(stage)
    assert (len(stream.lines), stream.lines_dropped, stream.lines[-1].number) == (LINES_PER_STREAM, 1000, events)


def test_only_the_latest_probes_are_kept() -> None:
    stage = MonitorStage(endpoint("a"))
    for _ in range(ENDED_PER_ENDPOINT + 10):
        stage.request("a")
    numbers = [row.number for row in stage.view().recent]
    assert numbers == list(range(ENDED_PER_ENDPOINT + 10, 10, -1))


def test_when_lines_run_short_the_busiest_endpoint_gives_and_failed_streams_last() -> None:
    stage = MonitorStage(endpoint("quiet"), endpoint("busy"))
    stage.started("quiet", 1)
    stage.read("quiet", 1, 1, 10, 1, *["q"] * 100)
    for number in range(1, 41):
        stage.started("busy", number)
        stage.read("busy", number, 1, 10, 1, *["b"] * 1000)
        stage.request("busy", number=number, verdict=Verdict.STALLED if number == 2 else Verdict.COMPLETE)
    kept = {number: len(stream_of(stage, endpoint="busy", request=number).lines) for number in range(1, 41)}
    assert kept[1] == kept[3] == 0
    assert kept[2] == kept[39] == kept[40] == 1000
    assert sum(kept.values()) <= 21_000
    assert len(stream_of(stage, endpoint="quiet").lines) == 100


def test_the_reads_of_a_trial_are_nobodys_stream() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.started("a", 1)
    stage.started("a", 9, trigger=Trigger.TRIAL)
    stage.read("a", 9, 1, 10, 1, "trial")
    stage.read("unknown", 1, 1, 10, 1, "x")
    assert (stream_of(stage).number, stream_of(stage).text) == (1, "")
    assert stage.row("a").in_flight == 1


def decided_by(number: int) -> LogEntry:
    return LogEntry(now_ns=ns(number), at=START_AT + number, kind="state", endpoint="a", text="said", number=number)


def test_the_probe_that_decided_an_incident_is_kept_as_long_as_the_newest_are() -> None:
    stage = MonitorStage(endpoint("a"))
    stage.request("a", verdict=Verdict.TRUNCATED)
    stage.apply(decided_by(1), decided_by(2))
    for second in range(2, ENDED_PER_ENDPOINT + 60):
        stage.request("a", second)
    kept = [row.number for row in stage.view().recent]
    assert kept[-2:] == [2, 1]
    assert len(kept) == ENDED_PER_ENDPOINT + 2
    decided = stage.view(endpoint="a", request=1).stream
    assert decided is not None
    assert decided.request is not None
    assert (decided.number, decided.request.verdict) == (1, Verdict.TRUNCATED)


def test_what_incidents_keep_is_bounded() -> None:
    stage = MonitorStage(endpoint("a"))
    for second in range(1, 4 * ENDED_PER_ENDPOINT):
        stage.request("a", second)
        stage.apply(decided_by(second))
    kept = [row.number for row in stage.view().recent]
    assert kept == list(range(4 * ENDED_PER_ENDPOINT - 1, 2 * ENDED_PER_ENDPOINT - 1, -1))


def test_the_models_of_a_stream_are_seen_as_they_answer() -> None:
    stage = MonitorStage(endpoint("a", api="compare-stream", model="x,y,z"))
    stage.started("a", 1, at_s=10)
    assert [(each.timeline.model, each.state) for each in stream_of(stage).models] == [
        (name, ModelState.WAITING) for name in "xyz"
    ]
    events = [
        StreamEvent(name="start", kind=EventKind.START, model="x"),
        StreamEvent(name="chunk", kind=EventKind.TEXT, text="Hel", model="x"),
        StreamEvent(name="error", kind=EventKind.ERROR, note="y failed: gone", model="y"),
        StreamEvent(name="chunk", kind=EventKind.TEXT, text="lo", model="x"),
    ]
    stage.apply(msgspec.structs.replace(read("a", 1, 10.01, 400, 1), events=tuple(events)))
    x, y, z = stream_of(stage).models
    assert (x.state, x.text, x.timeline.chunks, x.timeline.first_ns) == (ModelState.RUNNING, "Hello", 2, 400 * MS)
    assert (y.state, y.timeline.error, z.state) == (ModelState.FAILED, "gone", ModelState.WAITING)
    models = (ModelTimeline(model="x", end_ns=9 * MS, chunks=7), ModelTimeline(model="z", error="nothing came"))
    stage.request("a", 11.5, number=1, concurrency=Concurrency(models=models))
    x, z = stream_of(stage).models
    assert (x.state, x.text, x.timeline.chunks) == (ModelState.DONE, "Hello", 7)
    assert (z.state, z.text) == (ModelState.FAILED, "")
