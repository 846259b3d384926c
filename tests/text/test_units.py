"""Numbers as text: the same everywhere, and narrow enough for their columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.text import units

MS = 1_000_000


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "-"),
        (0, "0 ms"),
        (870_000, "870 us"),
        (999_499, "999 us"),
        (999_500, "1.00 ms"),
        (12_100_000, "12.1 ms"),
        (412 * MS, "412 ms"),
        (999_499_999, "999 ms"),
        (999_500_000, "1.00 s"),
        (1_234 * MS, "1.23 s"),
        (99_950 * MS, "100 s"),
    ],
)
def test_a_duration_has_three_digits_and_a_unit(ns: int | None, text: str) -> None:
    assert units.duration(ns) == text


@pytest.mark.parametrize(("ns", "text"), [(None, "-"), (388 * MS, "388"), (12_100_000, "12.1"), (1_230 * MS, "1.23s")])
def test_a_short_duration_is_in_milliseconds_or_seconds(ns: int | None, text: str) -> None:
    assert units.short(ns) == text


def test_a_percentile_without_enough_values_shows_how_many_there_were() -> None:
    assert units.quantile(388 * MS, 100) == "388"
    assert units.quantile(None, 41) == "-(41)"
    assert units.quantile(None, 0) == "-"


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0.0, "0.0"), (0.38, "38.0"), (0.9994, "99.9"), (1.0, "100")])
def test_a_share_is_a_percentage(value: float | None, text: str) -> None:
    assert units.share(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00:00"), (761, "00:12:41"), (86_400, "1d 00:00:00"), (-5, "00:00:00")]
)
def test_elapsed_time_counts_hours_and_days(seconds: int, text: str) -> None:
    assert units.elapsed(seconds * 1_000_000_000) == text


def test_wall_times_are_utc_to_the_millisecond() -> None:
    assert units.timestamp(1_795_159_391.25) == "2026-11-20T07:23:11.250Z"
    assert units.clock(1_795_159_391.25) == "07:23:11"


def test_offsets_and_rates_and_counts() -> None:
    assert units.offset(388 * MS) == "+0.388"
    assert units.offset(None) == "-"
    assert units.rate(84.21) == "84.2"
    assert units.rate(1204.4) == "1,204"
    assert units.count(1204) == "1,204"
    assert units.milliseconds(1_234_567) == 1.235
    assert units.milliseconds(None) is None


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "-"),
        (0.0, "$0.00"),
        (1204.5, "$1,204.50"),
        (0.5, "$0.50"),
        (0.014, "$0.014"),
        (0.0042, "$0.0042"),
        (7.5e-6, "$0.000008"),
    ],
)
def test_dollars(usd: float | None, text: str) -> None:
    assert units.dollars(usd) == text


@given(st.integers(0, 10**15))
def test_no_duration_is_wider_than_its_column(ns: int) -> None:
    assert len(units.duration(ns)) <= len("1000000 s")
    assert len(units.short(ns)) <= len("1000000s")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (72, "1m12s"), (3600, "1h00m"), (7500, "2h05m"), (273_600, "3d04h")]
)
def test_a_span_has_its_two_largest_units(seconds: int, text: str) -> None:
    assert units.span(seconds * 1_000_000_000) == text


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
)
def test_ordinals(number: int, text: str) -> None:
    assert units.ordinal(number) == text
