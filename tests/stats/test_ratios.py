"""Ratios of two samples: their intervals hold the true ratio as often as they promise."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.stats.ratios import FEWEST_FOR_MEAN, Ratio, of_means, of_percentiles, of_shares
from gwtui.stats.significance import Sample

COUNTS = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def latencies(seed: int, n: int, times: float = 1.0) -> list[int]:
    rng = Random(seed)
    return [round(times * 100e6 * rng.lognormvariate(0, 0.4)) for _ in range(n)]


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_the_interval_of_a_percentile_holds_the_true_ratio(q: float) -> None:
    trials = [of_percentiles(Sample(latencies(at, 200)), Sample(latencies(1000 + at, 200, 1.3)), q) for at in range(60)]
    assert sum(each.low <= 1.3 <= each.high for each in trials) >= 53
    assert all(each.low <= each.value <= each.high for each in trials)


def test_the_interval_of_a_mean_holds_the_true_ratio() -> None:
    trials = [of_means(Sample(latencies(at, 100)), Sample(latencies(1000 + at, 100, 1.3))) for at in range(300)]
    assert 275 <= sum(each.low <= 1.3 <= each.high for each in trials if each is not None) <= 295


def test_a_mean_of_few_values_has_no_interval() -> None:
    assert of_means(Sample(latencies(1, FEWEST_FOR_MEAN - 1)), Sample(latencies(2, 100))) is None
    assert of_means(Sample([0] * 100), Sample(latencies(2, 100))) is None


def test_latencies_of_0_have_a_ratio() -> None:
    assert of_percentiles(Sample([0] * 10), Sample([0] * 10), 0.5) == Ratio(1.0, 1.0, 1.0)


@pytest.mark.parametrize(("p", "q", "n", "m"), [(0.1, 0.3, 40, 30), (0.02, 0.05, 60, 60), (0.5, 0.4, 25, 50)])
def test_the_interval_of_shares_holds_the_true_ratio(p: float, q: float, n: int, m: int) -> None:
    def chance(k: int, of: int, share: float) -> float:
        return math.comb(of, k) * share**k * (1 - share) ** (of - k)

    covered = sum(
        chance(k, n, p) * chance(j, m, q)
        for k in range(n + 1)
        for j in range(m + 1)
        if chance(k, n, p) * chance(j, m, q) > 1e-6 and (found := of_shares((k, n), (j, m))).low <= q / p <= found.high
    )
    assert 0.93 <= covered <= 1


@given(COUNTS, COUNTS)
def test_the_interval_of_shares_is_there_for_any_counts(first: tuple[int, int], second: tuple[int, int]) -> None:
    found, other = of_shares(first, second), of_shares(second, first)
    assert 0 <= found.low <= found.high
    if first[0]:
        assert found.low * 0.999999 <= found.value <= found.high * 1.000001
    if first[0] and second[0]:
        assert found.low == pytest.approx(1 / other.high, rel=1e-4)


@pytest.mark.parametrize(("first", "second"), [((8, 66), (24, 73)), ((3, 200), (12, 180)), ((60, 66), (71, 73))])
def test_the_bounds_of_shares_are_where_the_score_test_begins_to_refuse(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    (k, n), (j, m) = first, second
    found = of_shares(first, second)
    for ratio in (found.low, found.high):
        grid = [at / 200_000 for at in range(1, 200_000) if ratio * at < 200_000]
        p = max(
            grid,
            key=lambda p: (
                k * math.log(p) + (n - k) * math.log1p(-p) + j * math.log(ratio * p) + (m - j) * math.log1p(-ratio * p)
            ),
        )
        variance = ratio * p * (1 - ratio * p) / m + ratio**2 * p * (1 - p) / n
        assert abs(j / m - ratio * k / n) / math.sqrt(variance) == pytest.approx(1.96, rel=2e-3)


def test_no_failures_before_leave_no_upper_bound() -> None:
    found = of_shares((0, 200), (12, 200))
    assert (found.value, found.high) == (math.inf, math.inf)
    assert found.low > 2
    assert of_shares((0, 9), (0, 9)).low == 0


def test_the_reciprocal_of_a_ratio() -> None:
    assert Ratio(2.0, 1.6, 2.5).inverse == Ratio(0.5, 0.4, 0.625)
