"""What happened in each second of a load."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gwtui.stats.per_second import MOST_SECONDS, SECOND_NS, PerSecond

MS = 1_000_000


def test_each_second_says_what_happened_in_it() -> None:
    load = PerSecond()
    load.flight(0, 1500 * MS)
    load.end(1500 * MS, 1500 * MS)
    load.flight(500 * MS, 750 * MS)
    load.end(750 * MS, None, failed=True)
    load.flight(1000 * MS, 1250 * MS)
    load.end(1250 * MS, 250 * MS)
    load.miss(3200 * MS)
    told = [(s.at_s, s.started, s.ended, s.failed, s.never_sent, s.in_flight, s.p50_ns) for s in load.steps()]
    assert told == [
        (0, 2, 1, 1, 0, 1.25, None),
        (1, 1, 2, 0, 0, 0.75, 250 * MS),
        (2, 0, 0, 0, 0, 0.0, None),
        (3, 0, 0, 0, 1, 0.0, None),
    ]
    assert load.steps()[1].p95_ns == 1500 * MS


def test_a_good_one_whose_latency_is_in_doubt_did_not_fail() -> None:
    load = PerSecond()
    load.flight(0, MS)
    load.end(MS, None)
    (only,) = load.steps()
    assert (only.ended, only.failed, only.p50_ns) == (1, 0, None)


def test_nothing_has_no_seconds() -> None:
    assert PerSecond().steps() == []


def test_a_load_of_days_has_wider_steps() -> None:
    load = PerSecond()
    load.miss(3 * MOST_SECONDS * SECOND_NS)
    steps = load.steps()
    assert len(steps) <= MOST_SECONDS
    assert steps[1].at_s == 4


@given(st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 3_000), st.booleans()), max_size=40))
def test_all_that_happened_is_in_some_second(flights: list[tuple[int, int, bool]]) -> None:
    load = PerSecond()
    for begin, took, good in flights:
        load.flight(begin * MS, (begin + took) * MS)
        load.end((begin + took) * MS, took * MS if good else None, failed=not good)
    steps = load.steps()
    assert sum(step.started for step in steps) == sum(step.ended for step in steps) == len(flights)
    assert sum(step.failed for step in steps) == sum(not good for *_, good in flights)
    assert abs(sum(step.in_flight for step in steps) * 1000 - sum(took for _, took, _ in flights)) < 1e-3
