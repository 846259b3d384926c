"""Numbers become text here and nowhere else. Durations come in as int nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from math import floor, log10
from typing import TYPE_CHECKING, Protocol

from gwtui.model.metrics import Basis, Metric, Unit

if TYPE_CHECKING:
    from gwtui.model.records import Ping, Request

MISSING = "-"


def duration(ns: int | None) -> str:
    """Three significant digits with a unit: `412 ms`, `1.23 s`, `12.1 ms`, `870 us`. None: `-`."""
    if ns is None:
        return MISSING
    if ns < 1_000:
        return f"{ns} ns" if ns else "0 ms"
    for limit, divisor, unit in ((999_500, 1_000, "us"), (999_500_000, 1_000_000, "ms")):
        if ns < limit:
            return f"{_three(ns / divisor)} {unit}"
    return f"{_three(ns / 1_000_000_000)} s"


def short(ns: int | None) -> str:
    """A duration for narrow columns, in milliseconds without a unit, or seconds with one: `412`, `12.1`, `1.23s`."""
    if ns is None:
        return MISSING
    if ns < 999_500_000:
        return _three(ns / 1_000_000)
    return f"{_three(ns / 1_000_000_000)}s"


def quantile(value_ns: int | None, n: int) -> str:
    """A percentile as `short` text, or `-(n)` where n is too small to support it."""
    if value_ns is None:
        return MISSING if n == 0 else f"-({n})"
    return short(value_ns)


def _three(value: float) -> str:
    if value < 9.995:
        return f"{value:.2f}"
    if value < 99.95:
        return f"{value:.1f}"
    return f"{value:.0f}"


def milliseconds(ns: int | None) -> float | None:
    """For files: milliseconds, rounded to the microsecond."""
    return None if ns is None else (ns + 500) // 1_000 / 1_000


def offset(ns: int | None) -> str:
    """Seconds since the send, for event lists: `+0.388`, `+12.034`."""
    return MISSING if ns is None else f"+{ns / 1_000_000_000:.3f}"


def share(value: float | None) -> str:
    """A share as a percentage without its sign: `0.0`, `38.0`, `100`."""
    if value is None:
        return MISSING
    return f"{value * 100:.1f}" if value < 0.9995 else "100"


def times(ratio: float) -> str:
    """How many times as much: `2.2x`, `8x`, `12x`."""
    return f"{ratio:.0f}x" if ratio >= 9.95 else f"{ratio:.1f}".removesuffix(".0") + "x"


def rate(value: float | None) -> str:
    """Tokens per second: `84.2`, `1,204`."""
    if value is None:
        return MISSING
    return f"{value:.1f}" if value < 999.95 else f"{value:,.0f}"


def metric_texts(result: Request | Ping, basis: Basis) -> list[tuple[str, str]]:
    """The metrics on that basis that a result has, each in words and with its value: `("mean gap", "21.4 ms")`."""
    values = ((metric, metric.of(result)) for metric in Metric if metric.about.basis is basis)
    return [(metric.about.words, _of_unit(value, metric.about.unit)) for metric, value in values if value is not None]


def _of_unit(value: float, unit: Unit) -> str:
    if unit is Unit.US_DOLLARS:
        return dollars(value)
    return duration(round(value)) if unit is Unit.MILLISECONDS else f"{rate(value)} {unit.value}"


def dollars(value: float | None) -> str:
    """`$12.30`, `$0.0042`: two decimals; of what is less than 10 cents two digits, down to a millionth of a dollar."""
    if value is None:
        return MISSING
    if value >= 0.1 or value <= 0:
        return f"${value:,.2f}"
    return f"${value:.{min(1 - floor(log10(value)), 6)}f}"


def count(value: int) -> str:
    return f"{value:,}"


class TokenCounts(Protocol):
    """What has these counts; None where they are not known."""

    @property
    def input_tokens(self) -> int | None: ...
    @property
    def output_tokens(self) -> int | None: ...
    @property
    def reasoning_tokens(self) -> int | None: ...
    @property
    def cached_tokens(self) -> int | None: ...


def tokens(took: TokenCounts) -> str:
    """What an answer took: `9 in, 4 of them cached, 840 out, 800 of them reasoning`; "" where it tells neither of the
    first two."""
    sent, made = took.input_tokens, took.output_tokens
    if sent is None and made is None:
        return ""
    parts = (
        f"{'n/a' if each is None else count(each)} {way}{f', {count(some)} of them {what}' if some else ''}"
        for each, way, some, what in (
            (sent, "in", took.cached_tokens, "cached"),
            (made, "out", took.reasoning_tokens, "reasoning"),
        )
    )
    return ", ".join(parts)


def many(number: int, noun: str) -> str:
    """`1 event`, `1,204 events`."""
    return f"1 {noun}" if number == 1 else f"{count(number)} {noun}s"


def elapsed(ns: int) -> str:
    """`00:12:41`; from a day on `1d 00:12:41`."""
    seconds = max(ns, 0) // 1_000_000_000
    days, seconds = divmod(seconds, 86_400)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{days}d {clock}" if days else clock


def span(ns: int) -> str:
    """How long something lasted, by its two largest units: `12s`, `1m12s`, `2h05m`, `3d04h`."""
    seconds = max(ns, 0) // 1_000_000_000
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    if seconds < 86_400:
        return f"{seconds // 3600}h{seconds // 60 % 60:02d}m"
    return f"{seconds // 86_400}d{seconds // 3600 % 24:02d}h"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`, `11th`."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def countdown(ns: int) -> str:
    """What is left of a wait, in whole seconds that never say 0 too soon: `12 s`."""
    return f"{-(-max(ns, 0) // 1_000_000_000)} s"


def brief(ns: int | None) -> str:
    """A time in its largest full unit, for narrow columns: `0s`, `59s`, `2m`, `3h`, `9d`. None: `-`."""
    if ns is None:
        return MISSING
    seconds = max(ns, 0) // 1_000_000_000
    units = ((86_400, "d"), (3600, "h"), (60, "m"))
    size, unit = next((each for each in units if seconds >= each[0]), (1, "s"))
    return f"{seconds // size}{unit}"


def clock(at: float, *, utc: bool = True) -> str:
    """A wall time of today's reader: `14:03:22`, in UTC or by this machine's time zone."""
    return _wall_time(at, utc=utc).strftime("%H:%M:%S")


def zoned_clock(at: float, *, utc: bool = True) -> str:
    """The same, which says where it is UTC: `14:03:22Z`."""
    return clock(at, utc=utc) + ("Z" if utc else "")


def zone_offset_s(at: float, *, utc: bool = True) -> float:
    """How far local time is ahead of UTC at that wall time."""
    offset = _wall_time(at, utc=utc).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def day_clock(at: float, *, utc: bool = True) -> str:
    """A wall time beside those of other days: `11-30 14:03`."""
    return _wall_time(at, utc=utc).strftime("%m-%d %H:%M")


def timestamp(at: float, *, utc: bool = True) -> str:
    """A wall time in RFC 3339 with milliseconds: in UTC, as files have it, or by this machine's time zone."""
    text = _wall_time(at, utc=utc).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z" if utc else text


def _wall_time(at: float, *, utc: bool) -> datetime:
    """Local time is UTC where the zone would lead out of the years that there are."""
    moment = datetime.fromtimestamp(at, UTC)
    try:
        return moment if utc else moment.astimezone()
    except (OverflowError, ValueError, OSError):
        return moment
