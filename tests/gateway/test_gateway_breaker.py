"""The embedded gateway's circuit breaker alone, by a clock of the test's."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.gateway.upstreams import Breaker, BreakerState

OPEN, HALF_OPEN, CLOSED = BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED


Step: TypeAlias = tuple[float, str, BreakerState, bool]
"""When, what happens ("-" a failure, "+" a success), the state after that, and whether a request may pass then."""
OPENED: list[Step] = [(0, "-", CLOSED, True), (0, "-", CLOSED, True), (0, "-", OPEN, False)]
COURSES: dict[str, list[Step]] = {
    "two failures are not enough": [(0, "-", CLOSED, True), (1, "-", CLOSED, True)],
    "three in a row open it": OPENED,
    "a success between starts the count again": [
        (0, "-", CLOSED, True),
        (1, "-", CLOSED, True),
        (2, "+", CLOSED, True),
        (3, "-", CLOSED, True),
        (4, "-", CLOSED, True),
    ],
    "after its time one request may test it, and only one": [
        *OPENED,
        (9.9, "", OPEN, False),
        (10, "", HALF_OPEN, True),
        (10.5, "", HALF_OPEN, False),
    ],
    "a failed test opens it for another whole time": [
        *OPENED,
        (10, "", HALF_OPEN, True),
        (11, "-", OPEN, False),
        (20.9, "", OPEN, False),
        (21, "", HALF_OPEN, True),
    ],
    "a good test closes it, and three more failures are needed": [
        *OPENED,
        (10, "", HALF_OPEN, True),
        (11, "+", CLOSED, True),
        (12, "-", CLOSED, True),
        (13, "-", CLOSED, True),
        (14, "-", OPEN, False),
    ],
}


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
def test_a_breaker_follows_its_clock(course: list[Step]) -> None:
    breaker = Breaker(failures=3, open_s=10)
    for now, what, state, admits in course:
        if what == "-":
            breaker.failed(now)
        elif what == "+":
            breaker.succeeded()
        assert (breaker.state(now), breaker.admits(now)) == (state, admits), f"at {now}"


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=60))
def test_an_open_breaker_admits_nobody_before_its_time(steps: list[tuple[float, bool]]) -> None:
    breaker, now, opened_at = Breaker(failures=3, open_s=10), 0.0, None
    for wait, good in steps:
        now += wait
        admitted = breaker.admits(now)
        if opened_at is not None:
            assert admitted is (now >= opened_at + 10)
        if not admitted:
            continue
        if good:
            breaker.succeeded()
        else:
            breaker.failed(now)
        opened_at = now if breaker.state(now) is OPEN else None
