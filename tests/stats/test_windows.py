"""Windows over time: what they hold, what they let go, and the picture of them in equal shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.stats.histogram import Histogram
from gwtui.stats.windows import Growing, Rolling, SlotSpan

SLOT = 10
SLOTS = 12
WINDOW = SLOT * SLOTS

Step = tuple[int, int | None]
steps = st.lists(st.tuples(st.integers(-30, 60) | st.integers(0, 500), st.none() | st.integers(0, 10**9)), max_size=60)


def one(value: int) -> Histogram:
    histogram = Histogram()
    histogram.record(value)
    return histogram


def add(span: SlotSpan, now_ns: int, value: int | None) -> None:
    if value is None:
        span.add_failure(now_ns)
    else:
        span.add(now_ns, one(value))


def timed(given_steps: list[Step]) -> list[Step]:
    """Steps as (time, value): time goes on by each first number, sometimes back."""
    now = 1000
    times = []
    for step, value in given_steps:
        now = max(now + step, 0)
        times.append((now, value))
    return times


@given(steps, st.booleans(), st.booleans())
def test_a_value_counts_as_a_histogram_of_it_does(given_steps: list[Step], watched: bool, rolling: bool) -> None:
    alone, merged = (Rolling(WINDOW, SLOTS) if rolling else Growing(0, SLOT, SLOTS) for _ in range(2))
    for now, value in timed(given_steps):
        if value is not None:
            alone.add_value(now, value)
            merged.add(now, one(value))
        if watched:
            assert alone.histogram(now).pairs() == merged.histogram(now).pairs()
    assert alone.points(0, SLOTS) == merged.points(0, SLOTS)
    assert alone.counts(0) == merged.counts(0)


@given(steps, st.booleans())
def test_a_rolling_window_holds_exactly_its_slots(given_steps: list[Step], watched: bool) -> None:
    window = Rolling(WINDOW, SLOTS)
    newest = -1
    kept: list[Step] = []
    for now, value in timed(given_steps):
        newest = max(newest, now)
        kept.append((now, value))
        add(window, now, value)
        kept = [(at, each) for at, each in kept if at // SLOT > newest // SLOT - SLOTS]
        if watched:
            window.histogram(newest)
    expected = Histogram()
    for _, value in kept:
        if value is not None:
            expected.record(value)
    assert window.histogram(newest).pairs() == expected.pairs()
    assert window.counts(newest) == (expected.n, sum(value is None for _, value in kept))


@given(steps)
def test_a_growing_span_forgets_nothing(given_steps: list[Step]) -> None:
    span = Growing(1000, SLOT, SLOTS)
    expected = Histogram()
    for now, value in timed(given_steps):
        add(span, now, value)
        if value is not None:
            expected.record(value)
    failed = sum(value is None for _, value in given_steps)
    assert span.histogram(0).pairs() == expected.pairs()
    assert span.counts(0) == (expected.n, failed)
    points = span.points(0, SLOTS // 2)
    if span.mark(0)[0] + 1 >= SLOTS // 2:
        assert sum(point.n for point in points) == expected.n
        assert sum(point.failed for point in points) == failed
        assert sum(span.failures(0, SLOTS // 2)) == failed


@given(steps, st.integers(1, 40))
def test_a_picture_kept_is_the_picture_made_anew(given_steps: list[Step], columns: int) -> None:
    watched: list[SlotSpan] = [Rolling(WINDOW, SLOTS), Growing(1000, SLOT, SLOTS)]
    unwatched: list[SlotSpan] = [Rolling(WINDOW, SLOTS), Growing(1000, SLOT, SLOTS)]
    for now, value in timed(given_steps):
        for span in watched:
            add(span, now, value)
            span.points(now, columns)
        for span in unwatched:
            add(span, now, value)
    for left, right in zip(watched, unwatched, strict=True):
        assert left.points(0, columns) == right.points(0, columns)
        assert len(left.points(0, columns)) == columns


def test_shares_are_of_their_own_time_and_the_oldest_is_first() -> None:
    window = Rolling(WINDOW, SLOTS)
    for place in range(SLOTS):
        window.add(1200 + place * SLOT, one(place + 1))
    now = 1200 + WINDOW - 1
    assert [point.p50_ns for point in window.points(now, 12)] == list(range(1, 13))
    assert [point.p99_ns for point in window.points(now, 4)] == [3, 6, 9, 12]
    assert [point.p50_ns for point in window.points(now, 24)] == [n for n in range(1, 13) for _ in (0, 1)]
    window.add_failure(now)
    assert window.failures(now, 4) == (0, 0, 0, 1)
    assert [point.failed for point in window.points(now, 4)] == [0, 0, 0, 1]


@pytest.mark.parametrize("columns", [3, 5, 7, 12])
def test_a_picture_stands_still_while_time_moves(columns: int) -> None:
    """What a share once showed it shows until it is gone: shares are not cut anew as time goes on."""
    window = Rolling(WINDOW, SLOTS)
    for now in range(0, 500, 7):
        window.add(now, one(now + 1))
    before = window.points(500, columns)
    after = window.points(500 + 3 * SLOT, columns)
    gone = next(shift for shift in range(columns) if after[: columns - 1 - shift] == before[shift : columns - 1])
    assert gone <= 3 * SLOT * columns / WINDOW + 1


def test_passing_time_alone_empties_a_window() -> None:
    window = Rolling(WINDOW, SLOTS)
    window.add(0, one(5))
    window.add_failure(0)
    assert window.counts(WINDOW - 1) == (1, 1)
    assert window.counts(WINDOW) == (0, 0)
    assert window.histogram(WINDOW).n == 0


def test_time_that_jumps_far_ahead_or_back_does_no_harm() -> None:
    window, span = Rolling(WINDOW, SLOTS), Growing(0, SLOT, SLOTS)
    for now in (10**18, 5, 10**18 + 1, 0, 10**18 - WINDOW):
        window.add(now, one(now))
        span.add(now, one(now))
    assert window.counts(0) == (2, 0)
    assert window.histogram(0).max == 10**18 + 1
    assert span.counts(0) == (5, 0)
    assert [point.n for point in span.points(0, 2)] == [2, 3]


def test_a_growing_span_keeps_a_bounded_number_of_slots() -> None:
    span = Growing(0, SLOT, SLOTS)
    for now in range(0, 100_000, SLOT):
        span.add(now, one(now))
        slots, width = span.mark(now)
        assert slots < SLOTS
        assert (slots + 1) * width > now
    shares = [point.n for point in span.points(100_000, 4)]
    assert sum(shares) == 10_000
    assert max(shares) <= 2 * min(shares)


def test_a_mark_changes_with_the_picture() -> None:
    window = Rolling(WINDOW, SLOTS)
    assert window.mark(100) == window.mark(100 + SLOT - 1)
    assert window.mark(100) != window.mark(100 + SLOT)
