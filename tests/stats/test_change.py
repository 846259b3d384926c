"""Changes in a sequence of results: what is told, when, and what is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference import reference

from gwtui.stats.change import FailureWatch, LatencyWatch, RankScores
from gwtui.stats.histogram import compress

MS = 1_000_000
FLOOR_NS = 50 * MS
times = st.lists(st.integers(0, 10**12), min_size=1, max_size=60)


def latencies(chance: Random, n: int, factor: float = 1.0, spread: float = 0.4) -> list[int]:
    """Log-normal times around 400 ms, made slower by a factor."""
    return [int(chance.lognormvariate(0, spread) * factor * 400 * MS) for _ in range(n)]


def watch(seed: int = 1, n: int = 600, floor_ns: int = FLOOR_NS) -> LatencyWatch:
    return LatencyWatch(compress(latencies(Random(seed), n)), floor_ns=floor_ns)


def until(seen: Callable[[], bool], add: Callable[[int], None], values: Iterable[int]) -> int:
    """How many values it takes until that is seen."""
    for number, value in enumerate(values, 1):
        add(value)
        if seen():
            return number
    raise AssertionError("never")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("factor", "most"), [(10, 4), (3, 9), (2, 25), (1.5, 100)])
def test_a_step_is_reported_within_few_results_and_its_end_too(factor: float, most: int, seed: int) -> None:
    chance, latency = Random(100 + seed), watch(seed)
    for value in latencies(chance, 100):
        latency.add(value)
    assert (latency.slow, latency.run, latency.p50_ns, latency.ratio) == (False, 0, None, None)
    first = until(lambda: latency.slow, latency.add, latencies(chance, 1000, factor))
    assert first <= most
    assert 3 <= latency.run <= first + 40
    for value in latencies(chance, 20, factor):
        latency.add(value)
    assert latency.ratio == pytest.approx(factor, rel=0.5)
    assert until(lambda: not latency.slow, latency.add, [latency.usual_p50_ns] * 40) <= 16


def test_the_end_of_a_large_step_is_seen_by_values_that_are_high_for_few_that_are_known() -> None:
    latency = LatencyWatch(compress([(80 + 4 * n) * MS for n in range(20)]), floor_ns=FLOOR_NS)
    assert until(lambda: latency.slow, latency.add, [1000 * MS] * 20) <= 8
    assert until(lambda: not latency.slow, latency.add, [165 * MS] * 20) <= 5


def test_a_large_step_begins_where_it_began() -> None:
    latency = watch()
    for value in [300 * MS] * 50:
        latency.add(value)
    assert until(lambda: latency.slow, latency.add, [4000 * MS] * 9) == latency.run == 3
    assert latency.p50_ns == 4000 * MS
    assert until(lambda: not latency.slow, latency.add, [380 * MS] * 9) in (2, 3, 4, 5)
    assert latency.run == 0


@pytest.mark.parametrize(("n", "more"), [(100, 2), (600, 1), (20_000, 1)])
def test_two_stalls_are_not_slowness_however_long(n: int, more: int) -> None:
    latency = watch(n=n)
    for value in ([400 * MS] * 40 + [10**15, 10**15]) * 5:
        latency.add(value)
        assert not latency.slow
    assert until(lambda: latency.slow, latency.add, [10**15] * 9) == more


def test_what_is_below_the_floor_or_the_ratio_is_not_reported_and_hides_nothing() -> None:
    chance, below = Random(7), watch(floor_ns=2000 * MS)
    for value in latencies(chance, 300, 3):
        below.add(value)
    assert not below.slow
    slight = LatencyWatch(compress(latencies(chance, 600, spread=0.1)), floor_ns=FLOOR_NS)
    for value in latencies(chance, 2000, 1.15, spread=0.1):
        slight.add(value)
    assert not slight.slow
    assert until(lambda: slight.slow, slight.add, latencies(chance, 50, 3, spread=0.1)) <= 6


def test_from_few_results_only_a_threefold_slowdown_is_reported() -> None:
    chance, latency = Random(3), watch(n=60)
    for value in latencies(chance, 500, 2):
        latency.add(value)
    assert not latency.slow
    assert until(lambda: latency.slow, latency.add, latencies(chance, 100, 5)) <= 30
    assert not latency_of([]).slow
    assert latency_of([5] * 20).slow


def latency_of(usual: Sequence[int]) -> LatencyWatch:
    """What a watch says after many slow results."""
    latency = LatencyWatch(compress(usual))
    for _ in range(200):
        latency.add(10**9)
    return latency


def test_a_usual_that_never_varies_is_no_trap() -> None:
    latency = LatencyWatch([(400 * MS, 500)], floor_ns=FLOOR_NS)
    for value in [400 * MS, 401 * MS, 399 * MS] * 200:
        latency.add(value)
        assert not latency.slow
    assert until(lambda: latency.slow, latency.add, [800 * MS] * 9) <= 4
    assert until(lambda: not latency.slow, latency.add, [400 * MS] * 9) <= 5


def test_correlated_results_count_less() -> None:
    usual = compress(latencies(Random(1), 600))
    alone, following = RankScores(usual), RankScores(usual, 0.5)
    assert following.of(700 * MS) == pytest.approx(alone.of(700 * MS) * math.sqrt(1 / 3))
    assert RankScores(usual, -0.9).of(700 * MS) == alone.of(700 * MS)
    assert math.isfinite(RankScores(usual, 1.0).of(10**18))


def test_scores_are_normal_whatever_the_shape() -> None:
    chance = Random(11)
    two_kinds = [int((chance.random() < 0.2) * 3 + 1) * value for value in latencies(chance, 4000, spread=0.2)]
    scores = RankScores(compress(two_kinds))
    assert reference().kstest([scores.of(value) for value in two_kinds], "norm").pvalue > 0.5


@settings(deadline=None)
@given(times, times, st.sampled_from([lambda x: 7 * x, lambda x: x + 10**9, lambda x: x * x]))
def test_within_the_usual_only_ranks_count(usual: list[int], values: list[int], change: Callable[[int], int]) -> None:
    plain = RankScores([(value, usual.count(value)) for value in sorted(set(usual))])
    other = RankScores([(change(value), usual.count(value)) for value in sorted(set(usual))])
    for value in values:
        if value <= max(usual):
            assert plain.of(value) == other.of(change(value))


@settings(deadline=None)
@given(times, times, st.floats(-1, 1))
def test_scores_rise_with_the_value_and_are_finite(usual: list[int], values: list[int], correlation: float) -> None:
    scores = RankScores(compress(usual), correlation)
    found = [scores.of(value) for value in sorted(values)]
    assert found == sorted(found)
    assert all(math.isfinite(score) and score <= 5 for score in found)


@settings(deadline=None)
@given(times, st.lists(st.integers(0, 10**12), max_size=200), st.integers(0, 10**9))
def test_the_same_results_are_judged_the_same(usual: list[int], values: list[int], floor_ns: int) -> None:
    one, other = (LatencyWatch(compress(usual), 0.3, floor_ns) for _ in range(2))
    for value in values:
        one.add(value)
        other.add(value)
        assert (one.slow, one.run, one.p50_ns, one.ratio) == (other.slow, other.run, other.p50_ns, other.ratio)
        if one.slow:
            assert one.run >= 1
            assert one.p50_ns in values


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("failed", "good", "share", "most"), [(5, 9995, 0.2, 60), (50, 9950, 0.2, 90), (0, 0, 0.5, 20)]
)
def test_more_failures_than_usual_are_reported_and_their_end_too(
    failed: int, good: int, share: float, most: int, seed: int
) -> None:
    chance, failures = Random(seed), FailureWatch(failed, good)
    for _ in range(200):
        failures.add(failed=False)
    assert not failures.degraded
    results = [chance.random() < share for _ in range(most)]
    first = until(lambda: failures.degraded, lambda result: failures.add(failed=bool(result)), results)
    assert 3 <= failures.failures <= failures.run <= first
    assert until(lambda: not failures.degraded, lambda _: failures.add(failed=False), range(200)) <= 140
    assert failures.run == failures.failures == 0


def test_two_failures_are_not_many() -> None:
    failures = FailureWatch(0, 10**6)
    failures.add(failed=True)
    failures.add(failed=True)
    assert not failures.degraded
    failures.add(failed=True)
    assert failures.degraded


def test_what_always_fails_often_is_usual() -> None:
    chance, failures = Random(1), FailureWatch(2000, 8000)
    for _ in range(3000):
        failures.add(failed=chance.random() < 0.2)
        assert not failures.degraded


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.lists(st.booleans(), max_size=200))
def test_any_sequence_can_be_reported_and_ends(failed: int, good: int, results: list[bool]) -> None:
    failures = FailureWatch(failed, good)
    for result in results:
        failures.add(failed=result)
        assert failures.failures <= failures.run
    for _ in range(5000):
        failures.add(failed=False)
    assert not failures.degraded
