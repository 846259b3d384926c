"""Buffering and combing, distinct from models that only look like it, by the spread of content over reads alone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pacing import MS, pace

from gwtui.apis.base import Reading
from gwtui.model.content_pace import ContentPace
from gwtui.model.enums import EventKind, FindingName, Severity
from gwtui.probes.stream_timing import Timing
from gwtui.verdict.buffering import pace_finding

TEXT = Reading(EventKind.TEXT, text="x")
EVENT_BYTES = 97


PACES = [
    ("as written", pace(300, 300, 1, 300, 3300, 3300), None),
    ("now and then two in a read", pace(300, 250, 2, 300, 3300, 3300), None),
    ("all in one read", pace(42, 1, 42, 1200, 1200, 1203), "all 42 content events came in one read, 1.20 s after"),
    ("all at once in several reads", pace(300, 5, 60, 1200, 1203, 1205), "5 reads within 3.00 ms"),
    ("a replay", pace(3000, 200, 40, 5000, 5200, 5201), "the last only 200 ms later"),
    ("a slow start and a steady short answer", pace(25, 25, 1, 5000, 5200, 5201), None),
    ("nginx with its default buffers", pace(300, 11, 29, 274, 3000, 3000), "300 content events in 11 reads, up to 29"),
    ("too few events", pace(4, 1, 4, 1200, 1200, 1203), None),
    ("a few events, one by one", pace(5, 5, 1, 500, 502, 503), None),
    ("a few events at once, soon", pace(19, 1, 19, 150, 150, 900), None),
    ("too short a time", pace(300, 1, 300, 150, 150, 160), None),
    ("a fast model, packets merge", pace(1000, 200, 8, 100, 600, 600), None),
    ("the engine was late itself", pace(42, 1, 42, 1200, 1200, 1203, late_reads=1), None),
    ("now and then it was late itself", pace(300, 11, 29, 274, 3000, 3000, late_reads=1), "300 content events in 11"),
    ("one standstill of its own put many together", pace(60, 11, 50, 274, 3000, 3000, 1, 50), None),
    ("it was late too often", pace(300, 11, 29, 274, 3000, 3000, late_reads=2), None),
]


@pytest.mark.parametrize(("seen", "evidence"), [case[1:] for case in PACES], ids=[case[0] for case in PACES])
def test_buffering_is_told_from_what_only_looks_like_it(seen: ContentPace, evidence: str | None) -> None:
    finding = pace_finding(seen)
    assert (finding is None) == (evidence is None)
    if finding is not None and evidence is not None:
        assert evidence in finding.evidence


def test_a_standstill_of_the_engine_groups_nothing() -> None:
    """Content every 20 ms; for 2 s of it the engine reads nothing, and then all of it at once."""
    timing = Timing(0)
    for n in range(1, 26):
        timing.add((200 + 20 * n) * MS, [TEXT], EVENT_BYTES)
    timing.add(2700 * MS, [TEXT] * 100, 100 * EVENT_BYTES, error_ns=1990 * MS)
    found = timing.pace(2710 * MS)
    assert found is not None
    assert (found.late_reads, found.late_events) == (1, 100)
    assert pace_finding(found) is None


def test_models_that_write_side_by_side_are_not_held_back() -> None:
    eight = pace(128, 16, 8, 150, 900, 950)
    assert pace_finding(eight) is not None
    assert pace_finding(eight.shared_by(8)) is None
    held = pace_finding(pace(400, 1, 400, 900, 900, 950).shared_by(8))
    assert held is not None
    assert held.name is FindingName.BUFFERED


@pytest.mark.parametrize(
    ("seen", "name"),
    [
        (pace(1000, 100, 10, 5000, 5100, 5101), FindingName.BUFFERED),
        (pace(100, 100, 1, 5000, 5100, 5101), FindingName.AT_ONCE),
        (pace(60, 16, 4, 730, 762, 763), FindingName.AT_ONCE),
    ],
    ids=["faster than any model", "as the fastest models", "a fast model after a queue"],
)
def test_late_content_is_a_replay_only_if_no_model_is_so_fast(seen: ContentPace, name: FindingName) -> None:
    finding = pace_finding(seen)
    assert finding is not None
    assert finding.name == name


@pytest.mark.parametrize("seen", [pace(5, 1, 5, 512, 512, 513), pace(8, 2, 5, 512, 513, 514)], ids=["one read", "two"])
def test_a_short_stream_that_came_at_once_is_told_with_doubt(seen: ContentPace) -> None:
    finding = pace_finding(seen)
    assert finding is not None
    assert finding.name == FindingName.AT_ONCE
    assert finding.entry.severity is Severity.INFO
    assert f"all {seen.events} content events" in finding.evidence
    assert "or a very fast model" in finding.evidence


def model(events: int, gap_ms: float, jitter: float = 0.0, at_once: int = 1) -> Iterator[float]:
    """When a model writes its events, in ms; `at_once` of them at each step."""
    chance, at = random.Random(7), 300.0
    for number in range(events):
        if number % at_once == 0:
            at += gap_ms * (1 + jitter * chance.uniform(-1, 1))
        yield at


def corked(times: Iterable[float], held_ms: float) -> Iterator[tuple[float, int]]:
    """What comes through a proxy that holds the first event that long, and lets all go that came till then."""
    due, held = 0.0, 0
    for at in times:
        if held and at > due:
            yield due, held
            held = 0
        if not held:
            due = at + held_ms
        held += 1
    yield due, held


def filled(times: Iterable[float], size: int) -> Iterator[tuple[float, int]]:
    """What comes through a proxy that lets go what it holds when its buffer is full."""
    held, at = 0, 0.0
    for at in times:
        held += 1
        if held * EVENT_BYTES >= size:
            yield at, held
            held = 0
    if held:
        yield at, held


def straight(times: Iterable[float]) -> Iterator[tuple[float, int]]:
    """What comes without a proxy: events that were written at once share a read."""
    several: dict[float, int] = {}
    for at in times:
        several[at] = several.get(at, 0) + 1
    yield from several.items()


def found(reads: Iterable[tuple[float, int]]) -> FindingName | None:
    timing, last = Timing(0), 0
    for at, events in reads:
        last = round(at * MS)
        timing.add(last, [TEXT] * events, events * EVENT_BYTES)
    seen = timing.pace(last)
    finding = pace_finding(seen) if seen is not None else None
    return None if finding is None else finding.name


CORKED = [(held, gap, jitter) for held in (100, 200, 250) for gap in (10, 25) for jitter in (0.0, 0.8)]
CORKED += [(200, 5, 0.8), (200, 40, 0.5), (250, 40, 0.5), (500, 100, 0.3), (160, 10, 0.0)]


@pytest.mark.parametrize(("held_ms", "gap_ms", "jitter"), CORKED)
def test_a_proxy_that_corks_for_a_fixed_time_combs(held_ms: int, gap_ms: float, jitter: float) -> None:
    times = model(round(6000 / gap_ms) + 60, gap_ms, jitter)
    assert found(corked(times, held_ms)) == FindingName.COMBED


@pytest.mark.parametrize("gap_ms", [8, 10, 20, 33])
def test_five_gaps_alike_are_enough_to_know_a_cork(gap_ms: float) -> None:
    """A short answer behind HAProxy: six reads, 200 ms apart."""
    reads = list(corked(model(round(3000 / gap_ms), gap_ms), 200))
    assert found(reads[:5]) != FindingName.COMBED
    assert found(reads[:6]) == FindingName.COMBED


@pytest.mark.parametrize("size", [4096, 8192])
@pytest.mark.parametrize("times", [list(model(1200, gap, jitter)) for gap in (10, 25) for jitter in (0, 0.8)])
def test_a_proxy_that_fills_a_buffer_does_not(times: list[float], size: int) -> None:
    assert found(filled(times, size)) == FindingName.BUFFERED


STEADY = [
    ("one event at a time", model(300, 20)),
    ("slowly", model(60, 200)),
    ("in fits", model(300, 30, 0.9)),
    ("two tokens at a step", model(300, 40, 0.1, at_once=2)),
    ("four tokens at a step", model(320, 60, 0.1, at_once=3)),
    ("slow steps of two, never alike", model(100, 180, 0.6, at_once=2)),
]


@pytest.mark.parametrize("times", [case[1] for case in STEADY], ids=[case[0] for case in STEADY])
def test_a_steady_model_does_neither(times: Iterator[float]) -> None:
    assert found(straight(times)) is None


def test_the_time_it_held_them_is_reported() -> None:
    timing = Timing(0)
    for at, events in corked(model(300, 10), 200):
        timing.add(round(at * MS), [TEXT] * events, events * EVENT_BYTES)
    seen = timing.pace(4_000 * MS)
    assert seen is not None
    finding = pace_finding(seen)
    assert finding is not None
    assert "held for 200 ms at a time" in finding.evidence
    assert "http-no-delay" in finding.cause


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 1)), min_size=1, max_size=120))
def test_one_event_a_read_is_never_combed(gaps: list[tuple[int, int]]) -> None:
    at, reads = 0, []
    for gap, events in gaps:
        at += gap
        reads.append((float(at), events))
    assert found(reads) != FindingName.COMBED
