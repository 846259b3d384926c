"""Steadiness: what grows is found, what only varies is not, and SciPy computes the same trends."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from itertools import combinations
from random import Random

import pytest
from scipy import stats

from gwtui.stats.steady import LEAST_N, Standstill, Trend, flow, latency_trend, standstills

SECOND, MS = 1_000_000_000, 1_000_000


def queued(per_s: float, seconds: float, workers: int = 8, takes_s: float = 0.08) -> tuple[list[int], list[int]]:
    """When requests of an open loop begin and end at a server with that many workers."""
    free, begins, ends = [0.0] * workers, [], []
    for number in range(round(per_s * seconds)):
        at = number / per_s
        end = max(at, heapq.heappop(free)) + takes_s
        heapq.heappush(free, end)
        begins.append(round(at * SECOND))
        ends.append(round(end * SECOND))
    return begins, ends


def correlated(n: int, rho: float, sigma: float, rng: Random) -> list[int]:
    """Latencies around 100 ms with long tails, each with that correlation to the one before."""
    value, found = rng.gauss(0, 1), []
    for _ in range(n):
        found.append(round(100 * MS * math.exp(sigma * value)))
        value = rho * value + math.sqrt(1 - rho * rho) * rng.gauss(0, 1)
    return found


def trend_of(begins: Sequence[int], ends: Sequence[int]) -> Trend:
    found = latency_trend(begins, [end - begin for begin, end in zip(begins, ends, strict=True)])
    assert found is not None
    return found


@pytest.mark.parametrize("seconds", [3, 6, 20])
@pytest.mark.parametrize("per_s", [110, 150, 200])
def test_an_overloaded_server_is_not_steady_and_says_what_it_sustains(per_s: float, seconds: float) -> None:
    begins, ends = queued(per_s, seconds)
    found, flows = trend_of(begins, ends), flow(begins, ends)
    assert found.is_clear()
    assert found.per_s / MS == pytest.approx((per_s - 100) / 100 * 1000, rel=0.05)
    assert flows is not None
    assert flows.in_flight is not None
    assert not flows.is_steady
    assert flows.in_flight.per_s == pytest.approx(per_s - 100, rel=0.05)
    assert flows.ended_per_s == pytest.approx(100, rel=0.05)
    assert flows.started_per_s == pytest.approx(per_s, rel=0.05)


@pytest.mark.parametrize("per_s", [20, 60, 95])
def test_a_server_that_keeps_up_is_steady(per_s: float) -> None:
    begins, ends = queued(per_s, 6)
    found = flow(begins, ends)
    assert not trend_of(begins, ends).is_clear()
    assert found is not None
    assert found.is_steady


@pytest.mark.parametrize("rho", [0.0, 0.5])
@pytest.mark.parametrize("n", [30, 60, 200])
def test_false_alarms_are_few(rho: float, n: int) -> None:
    rng, alarms, runs = Random(n), 0, 120
    for _ in range(runs):
        values, at, begins = correlated(n, rho, 0.8, rng), 0.0, []
        for _ in range(n):
            begins.append(round(at * SECOND))
            at += rng.expovariate(20)
        ends = [begin + value for begin, value in zip(begins, values, strict=True)]
        found = flow(begins, ends)
        alarms += trend_of(begins, ends).is_clear() or (found is not None and not found.is_steady)
    assert alarms <= 0.05 * runs


def test_a_falling_latency_is_a_trend_too() -> None:
    begins = [each * 100 * MS for each in range(60)]
    found = trend_of(begins, [begin + (900 - 10 * at) * MS for at, begin in enumerate(begins)])
    assert found.is_clear()
    assert found.per_s / MS == pytest.approx(-100)


def test_a_trend_that_changes_little_is_not_told() -> None:
    begins = [each * 100 * MS for each in range(60)]
    found = trend_of(begins, [begin + (900 + at) * MS for at, begin in enumerate(begins)])
    assert found.p < 0.001
    assert not found.is_clear()


def test_requests_that_never_end_are_seen_in_the_number_in_flight() -> None:
    begins = [each * 100 * MS for each in range(200)]
    ends = [begin + (60 * SECOND if at % 5 == 0 else 50 * MS) for at, begin in enumerate(begins)]
    found = flow(begins, ends)
    assert found is not None
    assert found.in_flight is not None
    assert not found.is_steady
    assert found.in_flight.per_s == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("n", [0, 1, LEAST_N - 1])
def test_short_runs_have_no_trend(n: int) -> None:
    assert latency_trend(range(n), range(n)) is None
    flow(range(n), range(n))


def test_scipy_computes_the_same() -> None:
    rng = Random(5)
    for ties in (1, 20 * MS):
        values = [value // ties * ties for value in correlated(100, 0.3, 0.5, rng)]
        found = latency_trend(range(0, 100 * SECOND, SECOND), values)
        assert found is not None
        medians = [sorted(values[at : at + 5])[2] for at in range(0, 100, 5)]
        times = [at + 2.0 for at in range(0, 100, 5)]
        assert found.per_s == pytest.approx(stats.theilslopes(medians, times).slope)
        score = sum((later > earlier) - (later < earlier) for earlier, later in combinations(medians, 2))
        z = stats.norm.isf(stats.kendalltau(times, medians, method="asymptotic").pvalue / 2)
        assert found.p == pytest.approx(2 * stats.norm.sf(z * (abs(score) - 1) / abs(score)))


def lockstep(rounds: int, at_once: int, takes_s: float) -> tuple[list[int], list[int]]:
    begins = [round(turn * takes_s * SECOND) for turn in range(rounds) for _ in range(at_once)]
    return begins, [begin + round(takes_s * SECOND) for begin in begins]


def test_a_standstill_is_found_with_its_length() -> None:
    begins = [at * 10 * MS + (2 * SECOND if at >= 100 else 0) for at in range(200)]
    ends = [begin + 10 * MS for begin in begins]
    begins[100] = ends[99]
    assert standstills(begins, ends) == [Standstill(1000 * MS, 3010 * MS, 1)]


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        lockstep(12, 64, 2.0),
        ([at * 2 * SECOND for at in range(30)], [at * 2 * SECOND + 10 * MS for at in range(30)]),
        ([0] * 40, [*range(1, 40), 10 * SECOND]),
        lockstep(8, 1, 0.1),
    ],
    ids=["all at once", "few requests", "the last one alone", "too few to tell"],
)
def test_what_is_usual_is_no_standstill(begins: list[int], ends: list[int]) -> None:
    assert standstills(begins, ends) == []
