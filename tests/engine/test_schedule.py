"""The schedule keeps a fixed grid of ticks, counts what it could not start and never fires in a burst."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.engine.schedule import GRACE_NS, SLOT_NS, SPREAD_NS, DueProbes, Schedule, offset_ns

S = 1_000_000_000
MS = 1_000_000

steps = st.lists(
    st.tuples(st.integers(min_value=0, max_value=20 * S), st.booleans()),
    max_size=80,
)
intervals = st.integers(min_value=MS, max_value=30 * S)


def test_each_tick_starts_on_the_grid_whatever_the_probes_before_it_did() -> None:
    schedule = Schedule(100 * S, 5 * S, offset_ns=200 * MS)
    starts = []
    for late_ns in (0, 3 * MS, 900 * MS, 1):
        now_ns = (schedule.next_ns or 0) + late_ns
        starts.append(schedule.take(now_ns, room=True).planned_ns)
    assert starts == [100 * S + 200 * MS + k * 5 * S for k in range(4)]


def test_nothing_is_due_before_its_time() -> None:
    schedule = Schedule(0, 5 * S, offset_ns=10)
    assert schedule.take(9, room=True) == DueProbes(None, 0)
    assert schedule.take(10, room=True) == DueProbes(10, 0)
    assert schedule.take(10, room=True) == DueProbes(None, 0)


def test_a_tick_without_room_is_missed_and_not_made_up_for() -> None:
    schedule = Schedule(0, S)
    assert schedule.take(0, room=False) == DueProbes(None, 1)
    assert schedule.take(S // 2, room=True) == DueProbes(None, 0)
    assert schedule.take(S, room=True) == DueProbes(S, 0)


@pytest.mark.parametrize(
    ("interval_ns", "stood_still_ns", "due"),
    [
        (S, 180 * S + 200 * MS, DueProbes(180 * S, 180)),
        (5 * S, 183 * S, DueProbes(None, 37)),
        (60 * S, GRACE_NS, DueProbes(0, 0)),
        (60 * S, GRACE_NS + 1, DueProbes(None, 1)),
    ],
)
def test_ticks_that_passed_while_the_process_stood_still_are_missed(
    interval_ns: int, stood_still_ns: int, due: DueProbes
) -> None:
    schedule = Schedule(0, interval_ns)
    assert schedule.take(stood_still_ns, room=True) == due
    assert schedule.take(stood_still_ns, room=True) == DueProbes(None, 0)
    assert schedule.next_ns is not None
    assert schedule.next_ns % interval_ns == 0, "the grid is kept"


@pytest.mark.parametrize(
    ("old_s", "now_s", "new_s", "next_s"),
    [
        (60, 30, 5, 30),
        (60, 31, 5, 35),
        (5, 3, 60, 60),
        (60, 0, 7, 7),
        (10, 4, 10, 10),
    ],
)
def test_a_new_interval_goes_on_from_the_last_tick(old_s: int, now_s: int, new_s: int, next_s: int) -> None:
    schedule = Schedule(0, old_s * S)
    schedule.take(0, room=True)
    schedule.set_interval(now_s * S, new_s * S)
    assert schedule.next_ns == next_s * S
    assert schedule.take(next_s * S, room=True) == DueProbes(next_s * S, 0)
    assert schedule.next_ns == (next_s + new_s) * S


def test_a_new_interval_takes_no_due_tick_away_and_does_not_put_off_the_first() -> None:
    due = Schedule(0, 5 * S)
    due.take(0, room=True)
    due.set_interval(5 * S, 60 * S)
    assert due.take(5 * S, room=True) == DueProbes(5 * S, 0)
    assert due.next_ns == 65 * S
    first = Schedule(0, 5 * S, offset_ns=400 * MS)
    first.set_interval(10, 60 * S)
    assert first.next_ns == 400 * MS


def test_a_pause_has_no_ticks_and_no_missed_ones_and_ends_promptly() -> None:
    schedule = Schedule(0, 60 * S, offset_ns=100 * MS)
    schedule.take(100 * MS, room=True)
    schedule.pause()
    assert schedule.next_ns is None
    assert schedule.take(1000 * S, room=True) == DueProbes(None, 0)
    schedule.set_interval(1000 * S, 5 * S)
    schedule.resume(1001 * S)
    assert schedule.take(1001 * S + 100 * MS, room=True) == DueProbes(1001 * S + 100 * MS, 0)
    assert schedule.next_ns == 1006 * S + 100 * MS


def test_resuming_what_is_not_paused_changes_nothing() -> None:
    schedule = Schedule(0, 5 * S)
    schedule.take(0, room=True)
    schedule.resume(2 * S)
    assert schedule.next_ns == 5 * S


def test_it_can_start_paused() -> None:
    schedule = Schedule(0, S, paused=True)
    assert schedule.next_ns is None
    schedule.resume(7)
    assert schedule.next_ns == 7


@settings(deadline=None)
@given(interval_ns=intervals, offset=st.integers(0, SPREAD_NS), steps=steps)
def test_started_and_missed_are_exactly_the_ticks_that_passed(
    interval_ns: int, offset: int, steps: list[tuple[int, bool]]
) -> None:
    now_ns = 0
    schedule = Schedule(now_ns, interval_ns, offset)
    started: list[int] = []
    missed = 0
    for step_ns, room in steps:
        now_ns += step_ns
        due = schedule.take(now_ns, room=room)
        missed += due.missed
        if due.planned_ns is not None:
            assert room
            assert 0 <= now_ns - due.planned_ns <= GRACE_NS
            started.append(due.planned_ns)
    assert len(set(started)) == len(started), "no tick starts twice"
    assert all((planned - offset) % interval_ns == 0 for planned in started)
    passed = (now_ns - offset) // interval_ns + 1 if steps and now_ns >= offset else 0
    assert len(started) + missed == passed


@settings(deadline=None)
@given(
    interval_ns=intervals,
    changes=st.lists(st.tuples(st.integers(0, 90 * S), intervals, st.booleans()), min_size=1, max_size=30),
)
def test_changing_the_interval_never_fires_two_ticks_closer_than_the_shorter_one(
    interval_ns: int, changes: list[tuple[int, int, bool]]
) -> None:
    schedule = Schedule(0, interval_ns)
    now_ns, last_ns, shortest = 0, None, interval_ns
    for step_ns, new_ns, change in changes:
        now_ns += step_ns
        if change:
            schedule.set_interval(now_ns, new_ns)
            shortest = min(shortest, new_ns)
            assert schedule.next_ns is not None
            assert schedule.next_ns <= now_ns + new_ns or last_ns is None, "the new interval holds from now on"
        planned_ns = schedule.take(now_ns, room=True).planned_ns
        if planned_ns is not None:
            assert last_ns is None or planned_ns - last_ns >= shortest
            last_ns = planned_ns


@settings(deadline=None)
@given(seed=st.integers(), of=st.integers(1, 64), interval_ns=intervals)
def test_first_ticks_are_prompt_and_apart(seed: int, of: int, interval_ns: int) -> None:
    chance = Random(seed)
    offsets = [offset_ns(chance, interval_ns, index, of) for index in range(of)]
    assert offsets[0] == 0, "one goes out at once"
    assert offsets == sorted(offsets)
    assert offsets[-1] <= min(interval_ns, SPREAD_NS)
    slot = min(interval_ns, SPREAD_NS) / of
    assert all(int(offset // slot) in (index, index - 1) for index, offset in enumerate(offsets))


def test_first_ticks_of_thousands_are_not_due_before_they_can_be_probed() -> None:
    chance = Random(1)
    offsets = [offset_ns(chance, 3600 * S, index, 6_500) for index in range(6_500)]
    assert all(offset >= index * SLOT_NS for index, offset in enumerate(offsets))
    assert offset_ns(chance, 5 * S, 6_499, 6_500) <= 5 * S, "each has its tick in the first interval"
