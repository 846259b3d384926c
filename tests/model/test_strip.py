"""The time strip as steps: by a bucket, and from one edge of an incident to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.model.strip import Strip, StripCell

STRIP = Strip(
    start_ns=1_000, bucket_ns=10, cells=(StripCell(),) * 5, edges_ns=(1_012, 1_030, 1_041), wall=(500.0, 1_000)
)


@given(st.integers(-3, 10))
def test_a_bucket_is_looked_at_from_its_end_and_the_newest_goes_on(index: int) -> None:
    at_ns = STRIP.moment(index)
    if index >= 4:
        assert at_ns is None
    else:
        assert at_ns is not None
        assert STRIP.index(at_ns) == max(0, index)
        assert STRIP.index(at_ns + 1) == max(0, index) + 1


@pytest.mark.parametrize(
    ("at_ns", "before", "after"),
    [
        (1_000, 1_000, 1_012),
        (1_012, 1_000, 1_030),
        (1_013, 1_012, 1_030),
        (1_041, 1_030, None),
        (9_999, 1_041, None),
    ],
)
def test_edges_lead_to_the_start_and_to_now(at_ns: int, before: int, after: int | None) -> None:
    assert (STRIP.edge(at_ns, -1), STRIP.edge(at_ns, 1)) == (before, after)


def test_moments_beyond_the_strip_are_at_its_ends_and_clocks_are_wall_times() -> None:
    assert (STRIP.index(0), STRIP.index(99_999)) == (0, 4)
    assert STRIP.clock(1_000 + 3 * 10**9) == 503.0
