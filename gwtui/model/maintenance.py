"""Maintenance windows: times in which endpoints are measured and no incident is opened.

Pure, but for the system's time zones. A window without a `zone` is in this machine's; `localized` writes that out when
a session starts, so that its records mean the same wherever they are read.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from gwtui.model.cron import Cron
from gwtui.model.durations import seconds_of
from gwtui.model.profile import Maintenance, Profile

LONGEST_S = 31 * 86_400
"""A window that comes again lasts no longer: it would be a pause."""
TIME_FORM = '"2026-12-24 22:00", or with an offset "2026-12-24T22:00:00Z"'
_OFFSET = re.compile(r"([+-])([01][0-9]):([0-5][0-9])", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)


class WindowError(ValueError):
    """What is wrong with a window, the name of the setting in TOML ("" for the whole window), and what to write."""

    def __init__(self, setting: str, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.setting, self.problem, self.hint = setting, problem, hint


def covers(profile: Profile, endpoint: str, at: float) -> Maintenance | None:
    """The first window that this endpoint is in at this wall time (seconds since 1970); None where it is in none."""
    for window in profile.maintenance:
        if (not window.endpoints or endpoint in window.endpoints) and _is_within(window, at):
            return window
    return None


def localized(profile: Profile, zone: str) -> Profile:
    """The profile with that zone in each window that has none."""
    windows = tuple(each if each.zone is not None else replace(each, zone=zone) for each in profile.maintenance)
    return replace(profile, maintenance=windows) if windows != profile.maintenance else profile


def local_zone(clock_file: str = "/etc/localtime") -> str:
    """This machine's time zone: its name, as `Europe/Berlin`, or else its offset now, as `+01:00`."""
    named = os.environ.get("TZ", "").removeprefix(":") or os.path.realpath(clock_file).partition("zoneinfo/")[2]
    try:
        if named and _zone(named) is not None:
            return named
    except (ValueError, OSError, KeyError):
        pass
    return datetime.now(UTC).astimezone().isoformat()[-6:]


def window_errors(window: Maintenance) -> Iterator[WindowError]:
    """Everything wrong with a window."""
    settings = {"from": window.start, "to": window.end, "cron": window.cron, "lasts": window.lasts}
    given = {name for name, value in settings.items() if value is not None}
    checks: dict[frozenset[str], tuple[Callable[[Maintenance], object], ...]] = {
        frozenset({"from", "to"}): (_zone_of, _span_of),
        frozenset({"cron", "lasts"}): (_zone_of, _cron_of, _lasts_of),
    }
    if (chosen := checks.get(frozenset(given))) is None:
        hint = 'from = "2026-12-24 22:00" and to = "2026-12-25 06:00", or cron = "0 2 * * sun" and lasts = "2h"'
        yield WindowError("", "needs from and to, or cron and lasts", hint)
        return
    for check in chosen:
        try:
            check(window)
        except WindowError as error:
            yield error
            if error.setting == "zone":
                return


def _is_within(window: Maintenance, at: float) -> bool:
    """Whether that time is in the window. One that means nothing is never."""
    try:
        if window.cron is not None:
            return _is_repeated(window, int(at // 60))
        begin, end = _span_of(window)
    except (ValueError, OverflowError, OSError):
        return False
    return begin <= at < end


@functools.lru_cache(maxsize=4096)
def _is_repeated(window: Maintenance, minute: int) -> bool:
    """Whether that minute since 1970 is in a window with `cron`: it begins and ends with a minute."""
    return _cron_of(window).covers(minute * 60, _lasts_of(window), _zone_of(window))


@functools.lru_cache(maxsize=256)
def _span_of(window: Maintenance) -> tuple[float, float]:
    """Its begin and end, seconds since 1970. Raises WindowError."""
    zone = _zone_of(window)
    begin, end = (_time_of(name, text or "", zone) for name, text in (("from", window.start), ("to", window.end)))
    if end <= begin:
        raise WindowError("to", "is not after from")
    return begin, end


def _time_of(setting: str, text: str, zone: tzinfo | None) -> float:
    try:
        found = datetime.fromisoformat(text.upper()) if _TIME.fullmatch(text) else None
        if found is not None:
            return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    raise WindowError(setting, "is not a time", TIME_FORM)


@functools.lru_cache(maxsize=256)
def _cron_of(window: Maintenance) -> Cron:
    try:
        return Cron.parse(window.cron or "")
    except ValueError as error:
        raise WindowError("cron", str(error), 'such as "0 2 * * sun" or "30 1 1-7 * *"') from None


def _lasts_of(window: Maintenance) -> int:
    """In seconds."""
    try:
        seconds = seconds_of(window.lasts or "")
    except ValueError as error:
        raise WindowError("lasts", str(error)) from None
    if seconds % 60 or seconds > LONGEST_S:
        raise WindowError("lasts", "must be full minutes, at most 31d", "30m, 2h or 1d")
    return seconds


@functools.lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    if name.upper() == "UTC":
        return UTC
    if (found := _OFFSET.fullmatch(name)) is not None:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)
    return ZoneInfo(name)


def _zone_of(window: Maintenance) -> tzinfo | None:
    """Its time zone; None is this machine's."""
    try:
        return _zone(window.zone) if window.zone is not None else None
    except (ValueError, OSError, KeyError):
        raise WindowError("zone", "is not a time zone of this machine", '"UTC", "Europe/Berlin" or "+01:00"') from None
