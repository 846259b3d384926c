"""Percentiles that really happened, and how many values it takes to believe one."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.stats.histogram import COARSE, Histogram, compress, interval, supported

QUANTILES = (0.0, 0.01, 0.05, 0.07, 0.5, 0.75, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)
values = st.lists(st.integers(0, 2**44) | st.integers(0, 300), max_size=200)


def histogram_of(given_values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in given_values:
        histogram.record(value)
    return histogram


def exact(given_values: list[int], q: float) -> int:
    """Nearest rank on the sorted values, with the percentile as the decimal it was written as."""
    ordered = sorted(given_values)
    return ordered[max(math.ceil(Fraction(str(q)) * len(ordered)), 1) - 1]


@pytest.mark.parametrize(
    ("given_values", "q", "expected"),
    [
        ([], 0.5, None),
        ([7], 0.5, 7),
        ([7], 0.99, 7),
        ([3, 9], 0.5, 3),
        ([3, 9], 0.51, 9),
        (list(range(1, 21)), 0.95, 19),
        (list(range(1, 21)), 0.951, 20),
        (list(range(1, 101)), 0.07, 7),
        (list(range(1, 101)), 0.99, 99),
        ([5, 5, 5, 9], 0.75, 5),
        ([5, 5, 5, 9], 0.76, 9),
        ([0, 0, 0], 0.5, 0),
        ([-4], 0.5, 0),
        ([2**70], 0.5, 2**63 - 1),
    ],
)
def test_nearest_rank(given_values: list[int], q: float, expected: int | None) -> None:
    assert histogram_of(given_values).quantile(q) == expected


@given(values.filter(bool), st.sampled_from(QUANTILES))
def test_a_percentile_happened_and_is_at_most_one_percent_off(given_values: list[int], q: float) -> None:
    shown = histogram_of(given_values).quantile(q)
    assert shown in given_values
    assert exact(given_values, q) <= shown <= exact(given_values, q) * 1.01


@given(st.sets(st.integers(0, 4000), min_size=1), st.sampled_from(QUANTILES))
def test_it_is_exact_while_buckets_hold_one_value_each(places: set[int], q: float) -> None:
    apart = [math.ceil(1.01**place) + place for place in places]
    assert histogram_of(apart).quantile(q) == exact(apart, q)


@given(values)
def test_n_sum_least_and_greatest_are_exact(given_values: list[int]) -> None:
    histogram = histogram_of(given_values)
    assert (histogram.n, histogram.total) == (len(given_values), sum(given_values))
    assert histogram.min == min(given_values, default=None)
    assert histogram.max == max(given_values, default=None)
    assert histogram.mean == (sum(given_values) / len(given_values) if given_values else None)


@given(values, values)
def test_many_at_once_are_recorded_as_one_by_one(before: list[int], given_values: list[int]) -> None:
    each, all_at_once = histogram_of(before), histogram_of(before)
    for value in given_values:
        each.record(value)
    all_at_once.record_each(given_values)
    assert all_at_once.pairs() == each.pairs()
    assert (all_at_once.n, all_at_once.total, all_at_once.min) == (each.n, each.total, each.min)


@given(values, values)
def test_merging_is_recording_both(left: list[int], right: list[int]) -> None:
    merged = histogram_of(left)
    merged.merge(histogram_of(right))
    both = histogram_of(left + right)
    assert (merged.pairs(), merged.n, merged.total, merged.min) == (both.pairs(), both.n, both.total, both.min)


def test_what_was_merged_from_goes_its_own_way() -> None:
    source, merged = histogram_of([5]), Histogram()
    merged.merge(source)
    merged.record(7)
    assert source.pairs() == ((5, 1),)


@given(st.lists(values, min_size=1, max_size=5))
def test_removing_leaves_what_the_rest_holds(parts: list[list[int]]) -> None:
    histograms = [histogram_of(part) for part in parts]
    total = Histogram()
    for each in histograms:
        total.merge(each)
    total.remove(histograms[0], histograms[1:])
    rest = histogram_of([value for part in parts[1:] for value in part])
    assert (total.pairs(), total.n, total.total, total.min) == (rest.pairs(), rest.n, rest.total, rest.min)


@given(values)
def test_compressed_values_record_to_the_same_percentiles(given_values: list[int]) -> None:
    compressed = Histogram()
    compressed.record_all(compress(given_values))
    assert compressed.pairs() == histogram_of(given_values).pairs()


def test_compressing_merges_what_is_nearly_equal() -> None:
    assert compress([20_000_000, 20_000_001, 20_000_002, 40_000_000]) == ((20_000_002, 3), (40_000_000, 1))
    assert compress([]) == ()


@given(values.filter(bool), st.sampled_from(QUANTILES))
def test_a_coarse_percentile_happened_and_is_at_most_four_percent_off(given_values: list[int], q: float) -> None:
    histogram = Histogram(COARSE)
    histogram.merge(histogram_of(given_values))
    reported = histogram.quantile(q)
    assert reported in given_values
    assert exact(given_values, q) <= reported <= exact(given_values, q) * 1.04
    assert (histogram.n, histogram.total) == (len(given_values), sum(given_values))


def test_counts_have_room_for_years() -> None:
    histogram = histogram_of([5, 7])
    for _ in range(3):
        histogram.record(5, 2**32 - 1)
    assert histogram.pairs() == ((5, 3 * (2**32 - 1) + 1), (7, 1))
    both = histogram_of([])
    both.merge(histogram)
    both.merge(histogram)
    assert both.pairs() == ((5, 6 * (2**32 - 1) + 2), (7, 2))


def test_memory_does_not_grow_with_n() -> None:
    histogram = histogram_of([round(1_000_000 * 1.0001**step) for step in range(30_000)])
    assert len(histogram.pairs()) < 128 * math.log2(1.0001**30_000) + 2


@pytest.mark.parametrize(
    ("q", "least"), [(0.5, 6), (0.9, 29), (0.95, 59), (0.99, 299), (0.999, 2995), (0.05, 59), (0.01, 299)]
)
def test_the_least_n_that_supports_a_percentile(q: float, least: int) -> None:
    assert not supported(q, least - 1)
    assert supported(q, least)
    assert interval(q, least - 1) is None
    assert interval(q, least) is not None


@pytest.mark.parametrize(("q", "n"), [(0.5, 0), (0.5, 1), (0.0, 100), (1.0, 100)])
def test_what_no_n_or_nothing_supports(q: float, n: int) -> None:
    assert not supported(q, n)
    assert interval(q, n) is None


@pytest.mark.parametrize(
    ("q", "n", "ranks"),
    [
        (0.5, 100, (40, 61)),
        (0.5, 1000, (469, 532)),
        (0.95, 100, (90, 100)),
        (0.95, 200, (184, 197)),
        (0.95, 500, (465, 485)),
        (0.95, 1000, (936, 964)),
        (0.99, 500, (490, 500)),
        (0.99, 1000, (983, 997)),
        (0.99, 5000, (4936, 4964)),
    ],
)
def test_ranks_of_the_interval(q: float, n: int, ranks: tuple[int, int]) -> None:
    assert interval(q, n) == ranks


@given(st.sampled_from([Fraction(1, 20), Fraction(1, 2), Fraction(9, 10), Fraction(19, 20)]), st.integers(1, 150))
def test_an_interval_covers_95_percent(q: Fraction, n: int) -> None:
    ranks = interval(float(q), n)
    if ranks is None:
        assert not supported(float(q), n)
        return
    low, high = ranks
    assert 1 <= low < high <= n
    covered = sum(math.comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(low, high))
    assert covered >= 0.95
