"""What was measured in turns, against SciPy and by its own properties."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference import reference

from gwtui.stats.autocorrelation import EffectiveSize
from gwtui.stats.paired import PairedBy, Pairs, pairs_of, signed_rank, typical
from gwtui.stats.significance import Sample, difference, smallest

MS = 1_000_000
logs = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30)


def latencies(seed: int, n: int, centre_ms: float = 400) -> list[int]:
    chance = Random(seed)
    return [int(chance.lognormvariate(0, 0.3) * centre_ms * MS) for _ in range(n)]


def pairs(first: Sequence[int], second: Sequence[int]) -> Pairs:
    return Pairs(PairedBy.TURN, [(each,) for each in first], [(each,) for each in second])


@pytest.mark.parametrize("n", [6, 7, 20, 50, 51, 200])
@pytest.mark.parametrize("centre_ms", [400, 440, 600])
def test_the_signed_rank_test_says_what_scipy_says(n: int, centre_ms: float) -> None:
    first, second = latencies(2, n), latencies(3, n, centre_ms)
    ours = signed_rank(pairs(first, second))
    assert ours.size.tau == 1
    theirs = reference().wilcoxon(
        np.log(np.array(second) / np.array(first)), method="exact" if n <= 50 else "asymptotic"
    )
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6)
    assert ours.exact == (n <= 50)


def test_ties_and_equal_pairs_say_what_scipy_says() -> None:
    first = [100, 100, 200, 300, 100, 400, 500, 100, 250, 300]
    second = [200, 200, 200, 330, 50, 440, 550, 300, 250, 600]
    ours = signed_rank(pairs(first, second))
    theirs = reference().wilcoxon(np.log(np.array(second) / np.array(first)), method="asymptotic")
    assert ours.p == pytest.approx(theirs.pvalue)
    assert not ours.exact
    assert ours.first_lower == 0.8
    same = signed_rank(pairs(first, first))
    assert (same.p, same.ratio, same.low, same.high, same.effect) == (1.0, 1.0, 1.0, 1.0, 0.0)


@given(logs)
def test_the_typical_value_is_the_median_of_all_means_of_two(values: list[int]) -> None:
    means = [(one + other) / 2 for one, other in itertools.combinations_with_replacement(values, 2)]
    middle, low, high = typical(values, EffectiveSize(len(values)))
    assert middle == pytest.approx(float(np.median(means)), abs=0.5)
    assert low <= round(middle) <= high


def test_the_interval_is_scipys_test_turned_round() -> None:
    """At its ends the test says 0.05, within it more."""
    first, second = latencies(2, 120), latencies(3, 120, 430)
    found = signed_rank(pairs(first, second))
    ratios = np.log(np.array(second) / np.array(first))
    for end, outward in ((found.low, -1), (found.high, 1)):
        inside, outside = (
            reference().wilcoxon(ratios - math.log(end) - shift * outward).pvalue for shift in (-0.005, 0.005)
        )
        assert outside < 0.05 < inside


def test_of_many_pairs_the_ratio_is_right_to_a_millionth() -> None:
    values = [round(each * 1000) for each in range(-700, 701)]
    middle, low, high = typical(values, EffectiveSize(len(values)))
    assert middle == pytest.approx(0, abs=1000)
    assert -low == pytest.approx(high, abs=2000)


@given(logs, st.integers(1, 30), st.integers(-(10**9), 10**9))
def test_the_smallest_is_found_from_any_guess(values: list[int], k: int, near: int) -> None:
    ordered, k = sorted(values), min(k, len(values))
    count = lambda upto: sum(value <= upto for value in ordered)  # noqa: E731 - the count itself
    assert smallest(count, k, ordered[0], ordered[-1], near) == ordered[k - 1]
    assert 0 <= smallest(count, k, ordered[0], ordered[-1], near, within=9) - ordered[k - 1] <= 9


# What makes a pair

SECOND = 1_000


def in_turns(n: int, *, apart_ms: int = 300, left_out: Sequence[int] = ()) -> tuple[Sample, Sample]:
    """A common drift that is far larger than the difference of 5 %."""
    drift = [math.exp(math.sin(at / 9)) for at in range(n)]
    chance = Random(5)
    sides = []
    for side in (0, 1):
        turns = [turn for turn in range(n) if side == 0 or turn not in left_out]
        values = [round(400 * MS * drift[turn] * (1 + 0.05 * side) * chance.lognormvariate(0, 0.05)) for turn in turns]
        sides.append(Sample(values, [turn * SECOND + side * apart_ms for turn in turns], turns))
    return sides[0], sides[1]


def test_a_common_drift_hides_no_difference() -> None:
    first, second = in_turns(100)
    found = pairs_of(first, second)
    assert found is not None
    assert found.by is PairedBy.TURN
    told = signed_rank(found)
    assert 1.01 < told.low < 1.05 < told.high < 1.09
    ours, alone = difference(first, second, 0.5, found), difference(first, second, 0.5)
    assert 3 * (ours.high - ours.low) < alone.high - alone.low


def test_a_failed_request_costs_its_partner_and_no_other() -> None:
    found = pairs_of(*in_turns(100, left_out=(3, 50)))
    assert found is not None
    assert len(found.first) == len(found.second) == 98
    assert signed_rank(found).low > 1.01


@pytest.mark.parametrize(
    "second",
    [
        in_turns(100, apart_ms=200 * SECOND)[1],
        in_turns(100, left_out=range(40))[1],
        Sample(in_turns(100)[1].values, in_turns(100)[1].at_ms),
        Sample(in_turns(100)[1].values, turns=range(100)),
        Sample(in_turns(100)[1].values, in_turns(100)[1].at_ms, [1] * 100),
    ],
    ids=["one after the other", "too many left out", "no numbers", "no times", "numbers that are not unique"],
)
def test_what_is_not_measured_in_turns_is_not_paired(second: Sample) -> None:
    assert pairs_of(in_turns(100)[0], second) is None


def by_minute(seed: int, minutes: int, per_minute: int, more: float = 1.0) -> Sample:
    """Latencies that all go up and down together, minute by minute."""
    weather, chance = Random(0), Random(seed)
    base = [weather.uniform(200, 800) for _ in range(minutes)]
    places = [(minute, at) for minute in range(minutes) for at in range(per_minute)]
    values = [round(base[minute] * more * chance.uniform(0.95, 1.05) * MS) for minute, _ in places]
    return Sample(values, [minute * 60_000 + at * 60_000 // per_minute for minute, at in places])


def test_minutes_that_are_shared_cancel_out() -> None:
    found = pairs_of(by_minute(1, 30, 20), by_minute(2, 30, 7, more=1.05))
    assert found is not None
    assert (found.by, len(found.first)) == (PairedBy.MINUTE, 30)
    assert 1.03 < signed_rank(found).low < 1.05 < signed_rank(found).high < 1.07


def test_few_minutes_are_no_pairs() -> None:
    assert pairs_of(by_minute(1, 9, 20), by_minute(2, 9, 20)) is None
    assert pairs_of(by_minute(1, 60, 20), by_minute(2, 12, 20)) is None, "four fifths of the first have no partner"


def test_pairs_that_lean_on_each_other_are_less_evidence() -> None:
    first = latencies(1, 200)
    chance, wander, second = Random(2), 0.0, []
    for value in first:
        wander = 0.9 * wander + chance.gauss(0, 0.05)
        second.append(round(value * math.exp(0.02 + wander)))
    found = signed_rank(pairs(first, second))
    alone = reference().wilcoxon(np.log(np.array(second) / np.array(first))).pvalue
    assert found.size.independent < 60
    assert found.p > alone
