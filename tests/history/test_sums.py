"""Sums of latencies: added up in any grouping they come to the same, and few bytes hold all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.history.sums import DamagedRowError, LatencySums
from gwtui.model.usual import UsualSource
from gwtui.stats.histogram import compress

VALUES = st.lists(st.integers(0, 1 << 62), max_size=60)


def sums_of(values: list[int]) -> LatencySums:
    sums = LatencySums()
    for at, value in enumerate(values):
        sums.add(value, values[at - 1] if at else None)
    return sums


@given(st.lists(VALUES, max_size=6), st.randoms(use_true_random=False))
def test_sums_are_the_same_in_whatever_order_and_grouping_they_are_added(
    parts: list[list[int]], random: object
) -> None:
    sums = [sums_of(part) for part in parts]
    straight, turned = LatencySums(), LatencySums()
    for each in sums:
        straight.merge(each)
    half = len(sums) // 2
    left, right = LatencySums(), LatencySums()
    for each in sums[:half]:
        left.merge(each)
    for each in reversed(sums[half:]):
        right.merge(LatencySums.unpacked(each.packed()))
    turned.merge(right)
    turned.merge(left)
    assert straight.packed() == turned.packed() == LatencySums.together(each.packed() for each in sums).packed()
    assert straight.histogram.pairs() == compress(value for part in parts for value in part)


@given(VALUES.filter(bool))
def test_packed_and_unpacked_it_says_the_same(values: list[int]) -> None:
    sums = sums_of(values)
    again = LatencySums.unpacked(sums.packed())
    assert again.usual(UsualSource.DAY) == sums.usual(UsualSource.DAY)


def test_the_correlation_is_that_of_the_logarithms() -> None:
    rng = np.random.default_rng(5)
    logs = [0.0]
    for noise in rng.normal(size=4000):
        logs.append(0.6 * logs[-1] + noise * 0.3)
    values = [round(3e8 * math.exp(each)) for each in logs]
    expected = np.corrcoef(np.log(values[:-1]), np.log(values[1:]))[0, 1]
    assert sums_of(values).correlation == pytest.approx(expected, abs=1e-3)


def test_a_few_results_or_constant_ones_have_no_correlation() -> None:
    assert sums_of([1, 2, 3, 4, 5]).correlation == 0
    assert sums_of([7] * 100).correlation == 0


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x91\x01", b"\x97\0\0\0\0\0\0\x05", b"\x98\0\0\0\0\0\0\x05\xff"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DamagedRowError):
        LatencySums.unpacked(data)
