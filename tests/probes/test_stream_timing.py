"""What is measured of a stream, from stamps alone; and which deadline is due next."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.apis.base import Reading
from gwtui.model.enums import End, EventKind
from gwtui.model.metrics import Metric
from gwtui.model.profile import Deadlines
from gwtui.probes.deadlines import LINGER_S, Progress, due
from gwtui.probes.stream_timing import Timing
from gwtui.transport.dial import Dial
from gwtui.transport.trace import ConnectionTrace

MS = 1_000_000
SENT = 1_000 * MS
START = [Reading(EventKind.START)]
TEXT = [Reading(EventKind.TEXT, text="x")]
REASONING = [Reading(EventKind.REASONING, text="x")]
TOOL = [Reading(EventKind.TOOL)]
STOP = [Reading(EventKind.STOP)]


def timed(*reads: tuple[int, list[Reading]]) -> Timing:
    """Reads at so many ms after the request was sent."""
    timing = Timing(SENT)
    for after_ms, readings in reads:
        timing.add(SENT + after_ms * MS, readings)
    return timing


def test_a_stream() -> None:
    timing = timed((100, START), (300, REASONING), (400, TEXT), (450, TEXT + TEXT), (550, STOP))
    times = timing.times()
    assert (times.ttft_ns, times.ttfo_ns) == (300 * MS, 400 * MS)
    assert (times.mean_icl_ns, times.max_gap_ns) == (75 * MS, 100 * MS)
    assert times.gaps == ((50 * MS, 1), (100 * MS, 1))
    assert (times.events, times.reads) == (6, 5)


def test_the_last_token_is_the_last_content_and_not_the_end() -> None:
    assert timed((100, START), (300, TEXT), (450, TEXT), (550, STOP)).times().measured[Metric.TTLT] == 450 * MS
    assert Metric.TTLT not in timed((100, START), (550, STOP)).times().measured


@pytest.mark.parametrize(
    ("ended_ms", "error_ms", "tail_gap_ms"),
    [(550, 0, 150), (400, 0, 0), (400, 9, 0), (550, 7, 150), (550, 8, None), (None, 0, None)],
    ids=["later", "with the last content", "in the same late read", "hardly late", "in doubt", "no end"],
)
def test_the_tail_gap_is_from_the_last_content_to_the_end(
    ended_ms: int | None, error_ms: int, tail_gap_ms: int | None
) -> None:
    ended_ns = None if ended_ms is None else SENT + ended_ms * MS
    measured = timed((300, TEXT), (400, TEXT)).times(ended_ns, error_ms * MS).measured
    assert measured.get(Metric.TAIL_GAP) == (None if tail_gap_ms is None else tail_gap_ms * MS)
    assert Metric.TAIL_GAP not in timed((100, START)).times(ended_ns).measured


def test_a_tool_call_is_visible_output() -> None:
    times = timed((100, START), (200, TOOL)).times()
    assert (times.ttft_ns, times.ttfo_ns) == (200 * MS, 200 * MS)


def test_content_in_one_read_has_no_gap() -> None:
    times = timed((100, TEXT * 9)).times()
    assert (times.mean_icl_ns, times.max_gap_ns, times.gaps) == (None, None, ())
    assert times.ttft_ns == 100 * MS


def test_what_has_the_stamp_of_the_last_read_is_more_of_it() -> None:
    timing = timed((100, TEXT * 9), (100, TEXT * 2), (100, STOP), (300, TEXT))
    times = timing.times()
    assert (times.events, times.reads) == (13, 2)
    assert times.gaps == ((200 * MS, 1),)
    pace = timing.pace(SENT + 300 * MS)
    assert pace is not None
    assert (pace.events, pace.reads, pace.biggest_read) == (12, 2, 11)


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=60, unique=True).map(sorted))
def test_gaps_add_up(stamps: list[int]) -> None:
    timing = timed(*((after_ms, TEXT) for after_ms in stamps))
    times = timing.times()
    assert sum(count for _, count in times.gaps) == len(stamps) - 1
    assert times.mean_icl_ns == pytest.approx((stamps[-1] - stamps[0]) * MS / (len(stamps) - 1), abs=1)
    assert times.max_gap_ns == max(later - sooner for sooner, later in itertools.pairwise(stamps)) * MS


def test_the_pace_is_that_of_the_content() -> None:
    pace = timed((100, START), (200, TEXT), (300, TEXT * 3), (400, STOP)).pace(SENT + 500 * MS)
    assert pace is not None
    assert (pace.events, pace.reads, pace.biggest_read) == (4, 2, 3)
    assert (pace.first_ns, pace.last_ns, pace.end_ns) == (200 * MS, 300 * MS, 500 * MS)
    assert timed((100, START)).pace(SENT) is None


DEADLINES = Deadlines(
    connect_s=1, first_byte_s=2, first_event_s=2.5, first_token_s=3, event_gap_s=3.5, idle_s=4, total_s=100
)
S = 1_000_000_000


def begun(read_s: int = 8, heard_s: int = 0) -> ConnectionTrace:
    """An exchange whose request went at 7 s, and whose answer was read last at `read_s` and came last at `heard_s`."""
    heard_ns = max(read_s, heard_s) * S
    return ConnectionTrace(last_write_ns=7 * S, last_read_ns=read_s * S, newest=lambda: heard_ns, in_body=True)


@pytest.mark.parametrize(
    ("progress", "end", "at_s"),
    [
        (Progress(ConnectionTrace(dial=Dial(5 * S)), 0), End.CONNECT_TIMEOUT, 6),
        (Progress(ConnectionTrace(dial=Dial(5 * S, stage="tls")), 0), End.CONNECT_TIMEOUT, 6),
        (Progress(ConnectionTrace(dial=Dial(5 * S, stage="tls")), -98 * S), End.TOTAL, 2),
        (Progress(ConnectionTrace(dial=Dial(5 * S, stage="done"), last_write_ns=7 * S), 0), End.NO_FIRST_BYTE, 9),
        (Progress(ConnectionTrace(last_write_ns=7 * S), 0), End.NO_FIRST_BYTE, 9),
        (Progress(begun(), 0), End.IDLE, 12),
        (Progress(begun(), 0, streams=True), End.NO_FIRST_EVENT, 9.5),
        (Progress(begun(), 0, streams=True, event_ns=8 * S), End.NO_FIRST_TOKEN, 10),
        (Progress(begun(), 0, streams=True, event_ns=8 * S, has_content=True), End.EVENT_GAP, 11.5),
        (Progress(begun(read_s=20), 0, streams=True, event_ns=8 * S, has_content=True), End.EVENT_GAP, 11.5),
        (
            Progress(begun(20), 0, streams=True, event_ns=20 * S, progress_ns=8 * S, has_content=True),
            End.EVENT_GAP,
            11.5,
        ),
        (Progress(begun(heard_s=20), 0, streams=True, event_ns=8 * S, has_content=True), End.EVENT_GAP, 23.5),
        (Progress(begun(12, 13), 0, streams=True, event_ns=8 * S, has_content=True), End.EVENT_GAP, 11.5),
        (Progress(begun(), 0, terminated_ns=9 * S), End.LEFT, 9 + LINGER_S),
        (Progress(begun(read_s=98), 0), End.TOTAL, 100),
    ],
)
def test_the_next_deadline(progress: Progress, end: End, at_s: float) -> None:
    found = due(progress, DEADLINES)
    assert (found.end, found.at_ns) == (end, at_s * S)
    assert " s" in found.detail


def test_reasoning_is_told_from_what_is_visible() -> None:
    long = [Reading(EventKind.REASONING, text="hmm")]
    pace = timed((100, long), (200, long + TEXT), (200, TEXT), (300, TEXT)).pace(SENT + 300 * MS)
    assert pace is not None
    assert (pace.visible_ns, pace.visible_reads, pace.reads) == (200 * MS, 2, 3)
    assert (pace.characters, pace.visible_characters, pace.has_reasoning) == (9, 3, True)
    plain = timed((100, TEXT), (200, TEXT)).pace(SENT)
    assert plain is not None
    assert (plain.visible_ns, plain.visible_reads, plain.has_reasoning) == (100 * MS, 2, False)
    thought = timed((100, long)).pace(SENT)
    assert thought is not None
    assert thought.visible_ns is None


def test_signs_of_life_are_no_progress() -> None:
    timing = Timing(0)
    timing.add(1 * S, [Reading(EventKind.START), Reading(EventKind.TEXT, text="a")])
    timing.add(2 * S, [Reading(EventKind.OTHER), Reading(EventKind.KEEPALIVE), Reading(EventKind.USAGE)])
    assert (timing.last_event_ns, timing.last_progress_ns, timing.idle_events) == (2 * S, 1 * S, 2)
    timing.add(3 * S, [Reading(EventKind.OTHER, moves=True), Reading(EventKind.OTHER)])
    assert (timing.last_progress_ns, timing.idle_events) == (3 * S, 1)
