"""The statistics of comparisons, against SciPy where it has the same, and by their own properties where not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference import reference

from gwtui.stats.histogram import interval, supported
from gwtui.stats.significance import Sample, difference, fisher_exact, hodges_lehmann, holm, mann_whitney, quantile

MS = 1_000_000
values = st.lists(st.integers(0, 10**12), min_size=1, max_size=40)
few_values = st.lists(st.integers(0, 5), min_size=1, max_size=30)
"""Small enough that most are tied."""


def latencies(seed: int, n: int, centre_ms: float = 400, spread: float = 0.4) -> list[int]:
    """Times with the long tail that latencies have."""
    chance = Random(seed)
    return [int(chance.lognormvariate(0, spread) * centre_ms * MS) for _ in range(n)]


def rounded(times: Sequence[int]) -> list[int]:
    """The same times, so coarse that many are equal."""
    return [time // (50 * MS) for time in times]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (latencies(1, 200), latencies(2, 200)),
        (latencies(1, 200), latencies(2, 200, centre_ms=480)),
        (latencies(1, 2000), latencies(2, 30, centre_ms=300)),
        (rounded(latencies(1, 100)), rounded(latencies(2, 120, centre_ms=450))),
        (latencies(1, 8), latencies(2, 8, centre_ms=900)),
        (latencies(1, 3), latencies(2, 500)),
        (latencies(1, 9), latencies(2, 9, centre_ms=600)),
        ([1, 2, 3, 4], [5, 6, 7, 8]),
        ([5], [7]),
        ([1, 1, 2], [1, 2, 2]),
    ],
)
def test_mann_whitney_says_what_scipy_says(first: list[int], second: list[int]) -> None:
    ours, theirs = mann_whitney(first, second), reference().mannwhitneyu(first, second)
    assert ours.u == theirs.statistic
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)


@settings(deadline=None)
@given(values | few_values, values | few_values)
def test_mann_whitney_counts_pairs_and_is_symmetric(first: list[int], second: list[int]) -> None:
    one, other = mann_whitney(first, second), mann_whitney(second, first)
    lower = sum((a < b) + (a == b) / 2 for a, b in itertools.product(first, second))
    assert one.first_lower == pytest.approx(lower / (len(first) * len(second)))
    assert one.rank_biserial == pytest.approx(-other.rank_biserial)
    assert one.p == pytest.approx(other.p)
    assert 0 <= one.p <= 1


def test_values_that_are_all_the_same_are_no_evidence() -> None:
    assert mann_whitney([7] * 50, [7] * 50).p == 1
    assert difference(Sample([7] * 50), Sample([7] * 50), 0.5).low == 0


@settings(deadline=None)
@given(values, values)
def test_hodges_lehmann_is_the_median_of_all_differences(first: list[int], second: list[int]) -> None:
    every = [b - a for a, b in itertools.product(first, second)]
    assert hodges_lehmann(first, second) == pytest.approx(float(np.median(np.array(every, dtype=np.float64))))


@settings(deadline=None)
@given(values, st.integers(0, 10**9))
def test_hodges_lehmann_finds_a_shift(first: list[int], shift: int) -> None:
    assert hodges_lehmann(first, [value + shift for value in first]) == shift


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_makes_evidence_and_keeps_the_order(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= q <= min(1, p * len(ps)) + 1e-12 for p, q in zip(ps, adjusted, strict=True))
    by_p = [q for _, q in sorted(zip(ps, adjusted, strict=True))]
    assert by_p == sorted(by_p)


@pytest.mark.parametrize("q", [0.5, 0.95])
@pytest.mark.parametrize(("n", "m"), [(200, 200), (80, 400)])
def test_bootstrap_intervals_agree_with_scipy(q: float, n: int, m: int) -> None:
    first, second = latencies(3, n), latencies(4, m, centre_ms=520)

    def shift(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        low, high = (np.quantile(each, q, axis=axis, method="inverted_cdf") for each in (a, b))
        return np.asarray(high - low)

    theirs = reference().bootstrap(
        (np.array(first, float), np.array(second, float)),
        shift,
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(5),
    )
    ours = difference(Sample(first), Sample(second), q, resamples=4000)
    error = 0.3 * theirs.standard_error  # several times the Monte Carlo error of 4000 resamples at both ends
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=error)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=error)
    assert ours.value == quantile(second, q) - quantile(first, q)
    assert not ours.paired


@settings(deadline=None)
@given(values, values, st.sampled_from([0.05, 0.5, 0.95]))
def test_a_bootstrap_interval_is_made_of_differences_that_happened(
    first: list[int], second: list[int], q: float
) -> None:
    found = difference(Sample(first), Sample(second), q, resamples=100)
    every = {b - a for a, b in itertools.product(first, second)}
    assert found.low <= found.high
    assert {found.value, found.low, found.high} <= every


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = Sample(latencies(1, 60)), Sample(latencies(2, 60))
    assert difference(first, second, 0.5, seed=9) == difference(first, second, 0.5, seed=9)
    assert difference(first, second, 0.5, seed=9) != difference(first, second, 0.5, seed=10)


def test_values_that_lean_on_each_other_make_intervals_wider() -> None:
    alone = difference(Sample(latencies(1, 300)), Sample(latencies(2, 300)), 0.5)
    leaning = difference(Sample(sorted(latencies(1, 300))), Sample(sorted(latencies(2, 300))), 0.5)
    known = difference(Sample(sorted(latencies(1, 300)), correlation=0.0), Sample(latencies(2, 300)), 0.5)
    assert leaning.high - leaning.low > 2 * (alone.high - alone.low)
    assert (known.low, known.high) == (alone.low, alone.high), "the order of such values says nothing"


@pytest.mark.parametrize(("q", "n"), [(0.5, 6), (0.5, 1000), (0.95, 100), (0.95, 59), (0.99, 1000), (0.05, 200)])
def test_order_statistics_cover_what_scipys_binomial_says(q: float, n: int) -> None:
    ranks = interval(q, n)
    assert ranks is not None
    lower, upper = ranks
    assert reference().binom.cdf(upper - 1, n, q) - reference().binom.cdf(lower - 1, n, q) >= 0.95


@pytest.mark.parametrize(("q", "n"), [(0.5, 200), (0.95, 200), (0.95, 1000)])
def test_order_statistics_agree_with_scipys_quantile_test(q: float, n: int) -> None:
    """SciPy 1.17's own interval leaves 2.5 % out at each end, as ours does where n is enough for it."""
    found = reference().quantile_test(list(range(1, n + 1)), p=q).confidence_interval(0.95)
    assert interval(q, n) == (found.low, found.high)


def test_the_smallest_n_is_scipys() -> None:
    for q, least in ((0.5, 6), (0.9, 29), (0.95, 59), (0.99, 299)):
        inside = [n for n in (least - 1, least) if reference().binom.pmf([0, n], n, q).sum() <= 0.05]
        assert [n for n in (least - 1, least) if supported(q, n)] == inside == [least]


# Failures

counts = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def by_scipy(first: tuple[int, int], second: tuple[int, int]) -> float:
    table = [[failed, total - failed] for failed, total in (first, second)]
    return float(reference().fisher_exact(table).pvalue)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((12, 100), (0, 100)),
        ((0, 100), (12, 100)),
        ((1, 10), (0, 1)),
        ((5, 5), (0, 5)),
        ((3, 3), (3, 3)),
        ((0, 7), (0, 9)),
        ((0, 0), (3, 9)),
        ((1, 2_000), (30, 40_000)),
        ((500, 100_000), (620, 100_000)),
        ((5_000, 1_000_000), (5_300, 1_000_000)),
        ((300_000, 1_000_000), (301_000, 1_000_000)),
        ((17, 52_000), (9, 3_000)),
    ],
)
def test_fishers_test_says_what_scipy_says(first: tuple[int, int], second: tuple[int, int]) -> None:
    assert fisher_exact(first, second) == pytest.approx(by_scipy(first, second), rel=1e-6)


@given(counts, counts)
def test_fishers_test_says_what_scipy_says_of_any_small_table(first: tuple[int, int], second: tuple[int, int]) -> None:
    p = fisher_exact(first, second)
    assert p == pytest.approx(by_scipy(first, second), rel=1e-8)
    assert 0 < p <= 1
    assert p == pytest.approx(fisher_exact(second, first), rel=1e-9), "whichever comes first"
    opposite = [(total - failed, total) for failed, total in (first, second)]
    assert p == pytest.approx(fisher_exact(opposite[0], opposite[1]), rel=1e-9), "failures or successes"


def test_fishers_test_of_what_cannot_be_chance_is_nothing_and_no_error() -> None:
    assert fisher_exact((1_000_000, 1_000_000), (0, 1_000_000)) == 0.0
