"""The choice of what is usual: the best source that has enough results. Pure.

The same hour of the day on 7 days before, one hour earlier and later included, knows of the swing over the day; the
last 24 hours know at least the endpoint; without either there is what this session has seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from gwtui.history.sums import LatencySums
from gwtui.model.enums import Outcome
from gwtui.model.metrics import BY_NAME, Metric
from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.model.verdicts import Verdict

HOUR_S = 3600
DAYS = 7
LEAST_OF_HOURS = 200
LEAST_OF_DAY = 50
LEAST_OF_SESSION = 20
"""The number of results that each source needs."""


class OutcomeRow(msgspec.Struct, frozen=True):
    """How often a verdict came in an hour."""

    hour: int
    """Hours since the epoch."""
    teaches: bool
    """Whether it came outside of incidents of the endpoint."""
    verdict: str
    n: int


class LatencyRow(msgspec.Struct, frozen=True):
    """The latencies of one metric in an hour."""

    hour: int
    teaches: bool
    metric: str
    n: int
    packed: bytes

    def sums(self) -> LatencySums:
        """Raises DamagedRowError."""
        return LatencySums.unpacked(self.packed)


class Acceptance(msgspec.Struct, frozen=True):
    """A lasting change that has become what is usual. Wall times, in seconds."""

    since: float
    """When the change began: nothing from before it counts."""
    at: float
    """When it was accepted: until then its results were those of an incident."""

    def counts(self, row: OutcomeRow | LatencyRow) -> bool:
        """Whether the results of this row tell what is usual from now on."""
        first, last = hour_of(self.since), hour_of(self.at)
        if not row.teaches:
            return self.since < self.at and first <= row.hour <= last
        return row.hour > first


class Past(msgspec.Struct, frozen=True):
    """What the history says is usual in a certain hour; nothing of what it knows too little of."""

    latencies: Mapping[Metric, UsualLatency] = msgspec.field(default_factory=dict)
    good: int = 0
    failed: int = 0


def hour_of(at: float) -> int:
    """The hour of a wall time, counted from the epoch."""
    return int(at // HOUR_S)


def first_hour(hour: int) -> int:
    """The earliest hour that says what is usual in this one."""
    return hour - 24 * DAYS - 1


def past_of(
    outcomes: Iterable[OutcomeRow], latencies: Iterable[LatencyRow], hour: int, acceptance: Acceptance | None = None
) -> Past:
    """What is usual in an hour, from all rows of one endpoint since `first_hour`."""

    def counts(row: OutcomeRow | LatencyRow) -> bool:
        return row.teaches if acceptance is None else acceptance.counts(row)

    rows: defaultdict[str, list[LatencyRow]] = defaultdict(list)
    for row in filter(counts, latencies):
        rows[row.metric].append(row)
    usual = {BY_NAME[name]: found for name in rows if name in BY_NAME and (found := _latency(rows[name], hour))}
    good, failed = _share([row for row in outcomes if counts(row)], hour)
    return Past({metric: usual[metric] for metric in Metric if metric in usual}, good, failed)


def better(past: UsualLatency | None, session: LatencySums) -> UsualLatency | None:
    """What is usual by the history, or else by this session; None where both know too little."""
    if past is not None:
        return past
    return session.usual(UsualSource.SESSION) if session.n >= LEAST_OF_SESSION else None


def _latency(rows: list[LatencyRow], hour: int) -> UsualLatency | None:
    for source, least, of_hour in _SOURCES:
        chosen = [row for row in rows if of_hour(row.hour, hour)]
        if sum(row.n for row in chosen) < least:
            continue
        sums = LatencySums.together(row.packed for row in chosen)
        if sums.n >= least:
            return sums.usual(source)
    return None


def _share(rows: list[OutcomeRow], hour: int) -> tuple[int, int]:
    for _, least, of_hour in _SOURCES:
        good, failed = counted(row for row in rows if of_hour(row.hour, hour))
        if good + failed >= least:
            return good, failed
    return 0, 0


def counted(rows: Iterable[OutcomeRow]) -> tuple[int, int]:
    """How many results were good, and how many failed. What failed on this machine is neither."""
    of: defaultdict[Outcome | None, int] = defaultdict(int)
    for row in rows:
        of[outcome_of(row.verdict)] += row.n
    return of[Outcome.OK], of[Outcome.FAILED]


def outcome_of(verdict: str) -> Outcome | None:
    """What a verdict counts as; None for one that only another version knows."""
    try:
        return Verdict(verdict).outcome
    except ValueError:
        return None


def _is_same_hour(then: int, hour: int) -> bool:
    days, apart = divmod(hour - then + 1, 24)
    return 1 <= days <= DAYS and apart <= 2


def _is_last_day(then: int, hour: int) -> bool:
    return 0 <= hour - then <= 24


_SOURCES = (
    (UsualSource.HOUR, LEAST_OF_HOURS, _is_same_hour),
    (UsualSource.DAY, LEAST_OF_DAY, _is_last_day),
)
