"""What values are worth that lean on each other."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference import reference

from gwtui.stats.autocorrelation import (
    MOST_POINTS,
    EffectiveSize,
    effective_size,
    joined,
    of_ranks,
    t_critical,
    two_sided,
)

numbers = st.lists(st.integers(-(10**12), 10**12), max_size=120)


def following(seed: int, n: int, rho: float) -> list[float]:
    """Each value follows the one before with this correlation: its true tau is (1 + rho) / (1 - rho)."""
    chance, at, found = Random(seed), 0.0, []
    for _ in range(n):
        at = rho * at + chance.gauss(0, math.sqrt(1 - rho * rho))
        found.append(at)
    return found


@pytest.mark.parametrize(("rho", "n"), [(0.5, 1000), (0.5, MOST_POINTS * 2), (0.9, 4000), (0.99, 20_000)])
def test_tau_of_a_known_series_is_found(rho: float, n: int) -> None:
    found = sorted(effective_size(following(seed, n, rho)).tau for seed in range(9))
    assert 0.8 < found[4] / ((1 + rho) / (1 - rho)) < 1.7, "rather too much than too little"


def test_independent_values_are_worth_their_number() -> None:
    found = [effective_size(following(seed, 400, 0.0)) for seed in range(100)]
    assert sum(each.tau == 1 for each in found) > 75
    assert max(each.tau for each in found) < 3


def test_an_effect_that_lasts_is_seen_although_neighbours_hardly_follow_each_other() -> None:
    chance = Random(3)
    effects = [chance.gauss(0, 1) for _ in range(12)]
    found = effective_size([effects[at // 60] * 0.5 + chance.gauss(0, 1) for at in range(720)])
    assert found.tau > 5


def test_a_drift_is_worth_next_to_nothing() -> None:
    assert effective_size(range(50)).independent < 2
    assert of_ranks(range(50), correlation=0.0).independent == 50, "of values in any order their order says nothing"
    assert of_ranks(range(50), correlation=0.5).tau == 3


@given(numbers)
def test_no_series_is_worth_more_than_its_values_or_less_than_nothing(values: list[int]) -> None:
    found = effective_size(values)
    assert found.n == len(values)
    assert found.tau >= 1
    assert 0 <= found.for_intervals <= found.independent <= found.n
    assert effective_size([7 * value + 3 for value in values]).tau == pytest.approx(found.tau, rel=1e-3)


@pytest.mark.parametrize("freedom", [3, 4, 5.5, 10, 30, 300])
def test_students_t_says_what_scipy_says(freedom: float) -> None:
    scipy = reference().t
    assert t_critical(freedom) == pytest.approx(scipy.ppf(0.975, freedom), rel=0.02)
    for value in (0.0, 0.5, 2.0, 4.0):
        assert two_sided(value, freedom) == pytest.approx(2 * scipy.sf(value, freedom), rel=0.05)
    assert two_sided(t_critical(freedom, 0.01), freedom) == pytest.approx(0.01)
    assert two_sided(1.96, math.inf) == pytest.approx(2 * reference().norm.sf(1.96))


def test_two_samples_together() -> None:
    assert joined(EffectiveSize(100), EffectiveSize(50)) == (1.0, math.inf)
    tau, freedom = joined(EffectiveSize(100, 4.0, 10.0), EffectiveSize(100, 4.0, 10.0))
    assert tau == pytest.approx(4.0)
    assert freedom == pytest.approx(20.0)
