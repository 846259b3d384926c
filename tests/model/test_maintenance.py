"""Maintenance windows: when they are, across clock changes too, and what is said of one that cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.model.cron import Cron
from gwtui.model.durations import LONGEST_S, seconds_of
from gwtui.model.maintenance import covers, local_zone, localized, window_errors
from gwtui.model.profile import Maintenance, Profile

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo | None = None) -> float:
    """A wall time, UTC without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=zone or UTC).timestamp()


def is_covered(when: float, *windows: Maintenance, endpoint: str = "a") -> bool:
    return covers(Profile(maintenance=windows), endpoint, when) is not None


def test_a_window_holds_from_its_first_moment_to_before_its_last() -> None:
    window = Maintenance(start="2026-12-24 22:00", end="2026-12-24 23:00", zone="UTC")
    begin, end = at("2026-12-24 22:00"), at("2026-12-24 23:00")
    assert [is_covered(moment, window) for moment in (begin - 0.1, begin, end - 0.1, end)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("begins", "zone"),
    [
        ("2026-12-24T22:00:00Z", "Europe/Berlin"),
        ("2026-12-24 23:00:00+01:00", None),
        ("2026-12-24t22:00z", "UTC"),
        ("2026-12-24 23:00", "Europe/Berlin"),
        ("2026-12-24 16:30", "-05:30"),
        ("2026-12-24 22:00:00.000", "utc"),
    ],
)
def test_times_are_of_their_own_offset_or_else_of_the_zone(begins: str, zone: str | None) -> None:
    window = Maintenance(start=begins, end="2026-12-25T22:00:00Z", zone=zone)
    begin = at("2026-12-24 22:00")
    assert list(window_errors(window)) == []
    assert is_covered(begin, window)
    assert not is_covered(begin - 1, window)


def test_without_a_zone_it_is_the_machines_until_one_is_written_out() -> None:
    window = Maintenance(start="2026-07-01 12:00", end="2026-07-01 13:00", note="upgrade")
    here = datetime(2026, 7, 1, 12, 0).timestamp()  # noqa: DTZ001 - local time is meant
    assert is_covered(here, window)
    there = localized(Profile(maintenance=(window,)), "Europe/Berlin")
    assert covers(there, "a", at("2026-07-01 10:00")) == there.maintenance[0]
    assert there.maintenance[0].note == "upgrade"
    assert localized(there, "UTC") is there


@pytest.mark.parametrize(
    ("named", "clock", "zone"),
    [
        ("Asia/Tokyo", "", "Asia/Tokyo"),
        (":Asia/Tokyo", "", "Asia/Tokyo"),
        ("", "usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        (None, "usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
    ],
)
def test_the_machines_zone_is_known_by_its_name(
    named: str | None, clock: str, zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if named is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", named)
    link = tmp_path / "localtime"
    link.symlink_to(tmp_path / clock)
    assert local_zone(str(link)) == zone


@pytest.mark.parametrize("named", ["", "CET-1CEST", "/etc/localtime"])
def test_a_zone_without_a_name_is_its_offset(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", named)
    found = local_zone(str(tmp_path / "localtime"))
    assert datetime.now(UTC).astimezone().isoformat().endswith(found)
    assert list(window_errors(Maintenance(cron="* * * * *", lasts="1m", zone=found))) == []


def test_a_window_is_for_the_endpoints_that_it_names() -> None:
    some = Maintenance(start="2026-01-01 00:00", end="2026-01-02 00:00", zone="UTC", endpoints=("b", "c"), note="some")
    every = Maintenance(start="2026-01-01 12:00", end="2026-01-02 00:00", zone="UTC", note="every")
    profile = Profile(maintenance=(some, every))
    found = {name: covers(profile, name, at("2026-01-01 13:00")) for name in "abc"}
    assert found == {"a": every, "b": some, "c": some}
    assert covers(profile, "a", at("2026-01-01 11:00")) is None
    assert covers(Profile(), "a", at("2026-01-01 11:00")) is None


@pytest.mark.parametrize(
    ("cron", "lasts", "inside", "outside"),
    [
        ("0 2 * * sun", "2h", ["2026-11-29 02:00", "2026-11-29 03:59"], ["2026-11-29 04:00", "2026-11-30 02:30"]),
        ("0 2 * * 7", "1m", ["2026-11-29 02:00"], ["2026-11-28 02:00", "2026-11-29 02:01"]),
        ("0 23 * * *", "3h", ["2026-11-29 23:00", "2026-11-30 01:59"], ["2026-11-30 02:00", "2026-11-30 22:59"]),
        ("*/20 8-10 * * Mon-Fri", "5m", ["2026-11-30 10:44"], ["2026-11-30 10:45", "2026-11-29 10:41"]),
        ("5,10-20/5 0 1 jan,JUL *", "1m", ["2026-07-01 00:20", "2027-01-01 00:05"], ["2026-06-01 00:05"]),
        ("0 0 13 * fri", "1d", ["2026-11-13 12:00", "2026-11-20 12:00", "2026-12-13 12:00"], ["2026-12-14 12:00"]),
        ("0 0 29 2 *", "1d", ["2028-02-29 12:00"], ["2027-02-28 12:00", "2028-03-01 12:00"]),
        ("0 0 1 * *", "31d", ["2026-12-31 23:59", "2026-06-15 00:00"], []),
        ("30 4 */10 * *", "1h", ["2026-11-01 04:30", "2026-11-11 05:00", "2026-11-21 05:29"], ["2026-11-10 05:00"]),
    ],
)
def test_a_window_comes_again_by_cron(cron: str, lasts: str, inside: list[str], outside: list[str]) -> None:
    window = Maintenance(cron=cron, lasts=lasts, zone="UTC")
    assert list(window_errors(window)) == []
    assert [moment for moment in inside if not is_covered(at(moment), window)] == []
    assert [moment for moment in outside if is_covered(at(moment), window)] == []


def minutes_in(window: Maintenance, first: str, hours: int) -> list[str]:
    """The minutes from that time (UTC) on in which the window is open, as the zone's clocks show them."""
    begin = at(first)
    moments = [begin + minute * 60 for minute in range(hours * 60) if is_covered(begin + minute * 60, window)]
    return [datetime.fromtimestamp(moment, BERLIN).strftime("%H:%M%z") for moment in moments]


@pytest.mark.parametrize(
    ("cron", "night", "open_at"),
    [
        # Clocks go from 02:00 to 03:00.
        ("30 2 * * *", "2026-03-28 22:00", ["03:30+0200"]),
        ("0 2 * * *", "2026-03-28 22:00", ["03:00+0200"]),
        ("0 3 * * *", "2026-03-28 22:00", ["03:00+0200"]),
        ("0 * * * *", "2026-03-28 23:00", ["00:00+0100", "01:00+0100", "03:00+0200", "04:00+0200"]),
        # Clocks go from 03:00 back to 02:00.
        ("30 2 * * *", "2026-10-24 22:00", ["02:30+0200"]),
        ("30 3 * * *", "2026-10-24 22:00", ["03:30+0100"]),
        ("0 * * * *", "2026-10-24 23:00", ["01:00+0200", "02:00+0200", "02:00+0100", "03:00+0100"]),
    ],
)
def test_the_night_in_which_clocks_change(cron: str, night: str, open_at: list[str]) -> None:
    window = Maintenance(cron=cron, lasts="1m", zone="Europe/Berlin")
    assert minutes_in(window, night, 8 if "*" not in cron.split()[1] else 4) == open_at


def test_a_window_lasts_as_long_as_it_says_when_clocks_change_within() -> None:
    window = Maintenance(cron="0 1 * * *", lasts="4h", zone="Europe/Berlin")
    assert len(minutes_in(window, "2026-03-28 22:00", 12)) == 4 * 60
    assert len(minutes_in(window, "2026-10-24 20:00", 12)) == 4 * 60


@given(
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    weekdays=st.sets(st.integers(0, 6), min_size=1, max_size=3),
    lasts=st.integers(1, 3000),
    minute=st.integers(0, 20_000),
)
def test_it_covers_what_a_search_minute_by_minute_finds(
    minutes: set[int], hours: set[int], weekdays: set[int], lasts: int, minute: int
) -> None:
    fields = (",".join(map(str, numbers)) for numbers in (minutes, hours))
    cron = Cron.parse(f"{' '.join(fields)} * * {','.join(map(str, weekdays))}")
    moment = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=minute)
    before = (moment - timedelta(minutes=back) for back in range(lasts))
    expected = any(
        each.minute in minutes and each.hour in hours and each.isoweekday() % 7 in weekdays for each in before
    )
    assert cron.covers(moment.timestamp(), lasts * 60, UTC) == expected


@pytest.mark.parametrize(
    ("settings", "setting", "says"),
    [
        ({}, "", "needs from and to, or cron and lasts"),
        ({"start": "2026-01-01 00:00"}, "", "needs from and to"),
        ({"cron": "* * * * *"}, "", "cron and lasts"),
        ({"start": "2026-01-01 00:00", "end": "2026-01-02 00:00", "cron": "* * * * *"}, "", "needs from and to, or"),
        ({"start": "2026-01-01", "end": "2026-01-02 00:00"}, "from", "is not a time"),
        ({"start": "2026-02-29 00:00", "end": "2026-03-02 00:00"}, "from", "is not a time"),
        ({"start": "2026-01-01 00:00", "end": "tomorrow"}, "to", "is not a time"),
        ({"start": "2026-01-02 00:00", "end": "2026-01-02 00:00"}, "to", "is not after from"),
        ({"start": "2026-01-01 00:00", "end": "2026-01-02 00:00", "zone": "Mars/Base"}, "zone", "is not a time zone"),
        ({"start": "2026-01-01 00:00", "end": "2026-01-02 00:00", "zone": "../etc"}, "zone", "is not a time zone"),
        ({"cron": "0 2 * *", "lasts": "2h"}, "cron", "has 4 of the five fields"),
        ({"cron": "60 2 * * *", "lasts": "2h"}, "cron", "the minute must be 0 to 59"),
        ({"cron": "0 2 * * son", "lasts": "2h"}, "cron", "the day of the week must be 0 to 7, or sun to sat"),
        ({"cron": "0 2 0 * *", "lasts": "2h"}, "cron", "the day of the month must be 1 to 31"),
        ({"cron": "0 2 * 13 *", "lasts": "2h"}, "cron", "the month must be 1 to 12, or jan to dec"),
        ({"cron": "0/5 2 * * *", "lasts": "2h"}, "cron", "has a step without a range"),
        ({"cron": "*/0 2 * * *", "lasts": "2h"}, "cron", "the step of the minute must be 1 to 59"),
        ({"cron": "0 5-2 * * *", "lasts": "2h"}, "cron", "ends before it begins"),
        ({"cron": "0 2 31 apr,jun *", "lasts": "2h"}, "cron", "a day of the month that these months do not have"),
        ({"cron": "0 2, * * *", "lasts": "2h"}, "cron", "the hour must be 0 to 23"),
        ({"cron": "0 2 * * *", "lasts": "2"}, "lasts", "is not a duration"),
        ({"cron": "0 2 * * *", "lasts": "90s"}, "lasts", "must be full minutes"),
        ({"cron": "0 2 * * *", "lasts": "32d"}, "lasts", "at most 31d"),
    ],
)
def test_a_window_that_cannot_be_meant_is_explained_and_never_open(
    settings: dict[str, str], setting: str, says: str
) -> None:
    window = Maintenance(**settings)  # type: ignore[arg-type]  # any setting of text
    errors = list(window_errors(window))
    assert [error.setting for error in errors] == [setting]
    assert says in errors[0].problem
    if setting not in ("", "to"):
        assert not is_covered(at("2026-01-01 12:00"), window)


def test_every_fault_of_a_window_is_named() -> None:
    errors = window_errors(Maintenance(cron="x", lasts="y"))
    assert [error.setting for error in errors] == ["cron", "lasts"]


@pytest.mark.parametrize("moment", [-1e18, 0.0, 1e18, float("inf")])
def test_a_time_that_no_calendar_has_is_in_no_window(moment: float) -> None:
    windows = Maintenance(cron="* * * * *", lasts="1m", zone="UTC"), Maintenance(start="a", end="b")
    assert is_covered(moment, *windows) == (moment == 0.0)


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("24h", 86_400), ("7d", 604_800), (" 90 s ", 90)])
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "24", "h", "1.5h", "-1h", "0s", "367d", "1h30m", "٣h", "forever", "9999999999s"])
def test_a_text_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds_of(text)
    assert LONGEST_S == 366 * 86_400
