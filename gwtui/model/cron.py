"""Times that come again, in the five fields of cron: minute, hour, day of the month, month, day of the week. Pure.

Each field is `*`, a number, a range `1-5`, either of `*` and a range with a step (`*/15`, `0-30/10`), or a list of
these with commas; months and days of the week may be the first three letters of their English names, and Sunday is 0
or 7. Where both the day of the month and the day of the week are restricted, a day needs only one of them, as POSIX
says of crontab.

In a time zone whose clocks change, a time that is skipped comes as much later as the clocks are put forward. A time
that comes twice is meant the first time only, unless the hour is `*`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
_LEAP_YEAR = 2024
_SHIFT_S = 3 * 3600
"""More than the clocks of any zone are put forward or back at once."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The times that an expression means."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """Sunday is 0."""
    any_of_both: bool
    """The day of the month and the day of the week are both restricted: one of them is enough."""

    @classmethod
    def parse(cls, text: str) -> Cron:
        """The times that it means. Raises ValueError, which says what is wrong with which field."""
        fields = text.lower().split()
        if len(fields) != len(_FIELDS):
            raise ValueError(f"has {len(fields)} of the five fields: minute hour day month weekday")
        minutes, hours, days, months, weekdays = (
            _values(field, *form) for field, form in zip(fields, _FIELDS, strict=True)
        )
        any_of_both = not fields[2].startswith("*") and not fields[4].startswith("*")
        lengths = (calendar.monthrange(_LEAP_YEAR, month)[1] for month in months)
        if not any_of_both and min(days) > max(lengths):
            raise ValueError("names a day of the month that these months do not have")
        weekdays = {day % 7 for day in weekdays}
        return cls(
            tuple(sorted(minutes)),
            tuple(sorted(hours)),
            frozenset(days),
            frozenset(months),
            frozenset(weekdays),
            any_of_both,
        )

    def covers(self, at: float, lasts_s: int, zone: tzinfo | None) -> bool:
        """Whether one of the times, in that zone (None: the machine's own), came less than `lasts_s` before `at`."""
        day, last = (datetime.fromtimestamp(moment, zone).date() for moment in (at - lasts_s - _SHIFT_S, at))
        while day <= last:
            if self._has(day) and any(start <= at < start + lasts_s for start in self._starts(day, zone)):
                return True
            day += timedelta(days=1)
        return False

    def _has(self, day: date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (in_month or in_week if self.any_of_both else in_month and in_week)

    def _starts(self, day: date, zone: tzinfo | None) -> Iterator[float]:
        """The times of that day, as seconds since 1970."""
        folds = (0, 1) if len(self.hours) == 24 else (0,)
        for hour in self.hours:
            for minute in self.minutes:
                for fold in folds:
                    yield datetime.combine(day, time(hour, minute, fold=fold), zone).timestamp()


def _values(field: str, name: str, low: int, high: int, words: Mapping[str, int]) -> set[int]:
    """The numbers that a field means."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        first, dash, last = (str(low), "-", str(high)) if span == "*" else span.partition("-")
        if slash and not dash:
            raise ValueError(
                f"the {name} has a step without a range: write */{step_text} or {first}-{high}/{step_text}"
            )
        begin = _number(first, name, low, high, words)
        end = _number(last, name, low, high, words) if dash else begin
        step = _number(step_text, f"step of the {name}", 1, high, {}) if slash else 1
        if end < begin:
            raise ValueError(f"the {name} has a range that ends before it begins")
        found.update(range(begin, end + 1, step))
    return found


def _number(text: str, name: str, low: int, high: int, words: Mapping[str, int]) -> int:
    number = words.get(text, int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1)
    if not low <= number <= high:
        also = f", or {next(iter(words))} to {list(words)[-1]}" if words else ""
        raise ValueError(f"the {name} must be {low} to {high}{also}")
    return number
