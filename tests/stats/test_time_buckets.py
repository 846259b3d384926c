"""Time in buckets: any stretch has what a plain count of the same values has, and memory is bounded."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gwtui.stats.histogram import Histogram
from gwtui.stats.time_buckets import TIERS, TimeBuckets

SMALL = ((10, 120), (40, 600), (120, 2_000), (480, 10**6))
FIGURES = ("a", "b")

Value = tuple[int, str, int, int]
"""When, which figure, the value and how often."""
values = st.lists(
    st.tuples(
        st.integers(-30, 60) | st.integers(0, 700),
        st.sampled_from(FIGURES),
        st.integers(0, 10**9) | st.integers(0, 300),
        st.integers(1, 3),
    ),
    max_size=120,
)


def told(steps: list[Value]) -> list[Value]:
    """The values at their times, which go on by each first number; what comes late counts as of the newest."""
    now, made = 1000, []
    for step, figure, value, count in steps:
        now = max(now, now + step)
        made.append((now, figure, value, count))
    return made


def plain(all_values: list[Value], figure: str, start: int, end: int) -> Histogram:
    histogram = Histogram()
    for now, name, value, count in all_values:
        if name == figure and start <= now < end:
            histogram.record(value, count)
    return histogram


def assert_same(buckets: TimeBuckets, all_values: list[Value], start: int, end: int) -> None:
    for figure in FIGURES:
        expected, found = plain(all_values, figure, start, end), buckets.histogram(figure, start, end)
        assert (found.pairs(), found.n, found.total) == (expected.pairs(), expected.n, expected.total)
        assert buckets.count(figure, start, end) == expected.n


@given(values, st.lists(st.integers(0, 12), max_size=5))
def test_up_to_now_any_stretch_has_exactly_its_values(steps: list[Value], back: list[int]) -> None:
    buckets, all_values = TimeBuckets(SMALL), told(steps)
    for at, (now, figure, value, count) in enumerate(all_values, 1):
        buckets.add(now, figure, value, count)
        if at % 7 == 0:
            assert_same(buckets, all_values[:at], 0, now + 1)
    now = all_values[-1][0] if all_values else 0
    assert_same(buckets, all_values, 0, now + 1)
    for width, keep_ns in SMALL:
        for slots in back:
            start = (now // width - slots) * width
            if start > now - keep_ns + 480:
                assert_same(buckets, all_values, start, now + 1)


@given(values, st.integers(1, 40))
def test_a_moment_that_was_cut_is_seen_as_it_was(steps: list[Value], cut_after: int) -> None:
    buckets, all_values = TimeBuckets(SMALL), told(steps)
    for at, (now, figure, value, count) in enumerate(all_values, 1):
        buckets.add(now, figure, value, count)
        if at == cut_after:
            buckets.cut(now)
    if len(all_values) < cut_after:
        return
    moment, newest = all_values[cut_after - 1][0], all_values[-1][0]
    seen = all_values[:cut_after]
    later = [value for value in all_values[cut_after:] if value[0] == moment]
    if newest - moment < 60 and not later:
        assert_same(buckets, seen, 0, moment + 1)


@given(values, st.integers(0, 100))
def test_the_past_is_exact_to_a_bucket_and_nothing_of_later_is_in_it(steps: list[Value], slot: int) -> None:
    buckets, all_values = TimeBuckets(SMALL), told(steps)
    for now, figure, value, count in all_values:
        buckets.add(now, figure, value, count)
    end = 960 + slot * 480
    assert_same(buckets, all_values, 0, end)
    assert_same(buckets, all_values, 480, end)
    for figure in FIGURES:
        at_most = plain(all_values, figure, 0, end + 77)
        assert plain(all_values, figure, 0, end).n <= buckets.count(figure, 0, end + 77) <= at_most.n


@given(values, st.integers(0, 2))
def test_words_are_counted_by_their_codes(steps: list[Value], codes: int) -> None:
    buckets = TimeBuckets(SMALL)
    all_values = [(now, figure, value % (codes + 1), count) for now, figure, value, count in told(steps)]
    expected: Counter[int] = Counter()
    for now, figure, value, count in all_values:
        buckets.add(now, figure, value, count)
        if figure == "a":
            expected[value] += count
    assert buckets.counter("a", 0, 10**9) == expected


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 4)), max_size=20))
def test_pairs_count_as_their_values_do(pairs: list[tuple[int, int]]) -> None:
    together, alone = TimeBuckets(SMALL), TimeBuckets(SMALL)
    together.add_pairs(5, "a", pairs)
    for value, count in pairs:
        for _ in range(count):
            alone.add(5, "a", value)
    assert together.histogram("a", 0, 10).pairs() == alone.histogram("a", 0, 10).pairs()


def test_buckets_are_bounded_however_long_it_lasts() -> None:
    buckets = TimeBuckets(SMALL)
    most = 0
    for now in range(0, 100_000, 5):
        buckets.add(now, "a", now)
        most = max(most, len(buckets))
    kept = sum(keep_ns // width for width, keep_ns in SMALL[:-1])
    assert most <= kept * 8 // 7 + 3 * 8 + 100_000 // 480
    assert buckets.count("a", 0, 10**9) == 20_000


def test_the_tiers_fit_into_one_another() -> None:
    for (fine, kept), (coarse, longer) in pairwise(TIERS):
        assert coarse % fine == 0
        assert coarse < kept < longer


@given(values, st.sets(st.integers(0, 119), max_size=6))
def test_a_moment_that_was_split_stays_exact_for_ever(steps: list[Value], splits: set[int]) -> None:
    buckets, all_values, told_ns, moments = TimeBuckets(SMALL), [], 0, []
    for at, (now, figure, value, count) in enumerate(told(steps)):
        told_ns = max(now, told_ns)
        buckets.add(now, figure, value, count)
        all_values.append((told_ns, figure, value, count))
        if at in splits:
            buckets.split(told_ns)
            moments.append(told_ns + 1)
            told_ns += 1
    buckets.add(told_ns + 5_000, "b", 1, 1)
    for moment in moments:
        assert_same(buckets, all_values, 0, moment)
