"""The period that a write-up is about, and how much of before and after belongs to it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from gwtui.model.incidents import Cause, CauseKind, Incident
from gwtui.model.judged import ProbedEndpoint
from gwtui.model.metrics import BY_NAME, Metric

MOST_BUCKETS = 60
SHORTEST_AROUND_S = 180.0
LONGEST_AROUND_S = 3600.0
"""How much of before and after is shown: as long as the period, within these."""
_WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Wall times, in seconds."""

    began_at: float
    ended_at: float
    shown_from_at: float
    shown_to_at: float
    incident: Incident | None = None
    further: tuple[Incident, ...] = ()
    metric: Metric | None = None
    """The latency that the incident is about, where it is a slowdown."""
    bucket_s: float = field(init=False)
    """The width of a share of the time: a round one."""

    def __post_init__(self) -> None:
        least_s = max(self.shown_to_at - self.shown_from_at, 1.0) / MOST_BUCKETS
        days = -(-least_s // 86_400) * 86_400
        object.__setattr__(self, "bucket_s", float(next((each for each in _WIDTHS_S if each >= least_s), days)))

    @property
    def first_bucket_at(self) -> float:
        """When the first share begins: at a round time."""
        return self.shown_from_at // self.bucket_s * self.bucket_s

    @property
    def buckets(self) -> int:
        return int((self.shown_to_at - self.first_bucket_at) // self.bucket_s) + 1

    def bucket_of(self, at: float) -> int:
        """The number of the share that a time belongs to; what lies outside belongs to the nearest."""
        return int((min(max(at, self.first_bucket_at), self.shown_to_at) - self.first_bucket_at) // self.bucket_s)

    def members(self) -> dict[ProbedEndpoint, tuple[float, float | None]]:
        """The endpoints of the incident, and from when to when each was in it."""
        found = self.incident.members if self.incident is not None else ()
        return {(each.vantage, each.endpoint): (each.since, each.until) for each in found}


def period_of(incident: Incident, known: tuple[Incident, ...], session: tuple[float, float]) -> Period:
    """That of an incident. `session`: when that began, and its newest row."""
    ended_at = incident.closed if incident.closed is not None else session[1]
    others = tuple(each for each in known if each.number != incident.number)
    return _around(incident.opened, max(ended_at, incident.opened), others, session, incident)


def period_between(
    began_at: float, ended_at: float, known: tuple[Incident, ...], session: tuple[float, float]
) -> Period:
    """A period that was asked for."""
    return _around(began_at, ended_at, known, session, None)


def _around(
    began_at: float,
    ended_at: float,
    others: tuple[Incident, ...],
    session: tuple[float, float],
    incident: Incident | None,
) -> Period:
    around_s = min(max(ended_at - began_at, SHORTEST_AROUND_S), LONGEST_AROUND_S)
    return Period(
        began_at=began_at,
        ended_at=ended_at,
        shown_from_at=min(max(session[0], began_at - around_s), began_at),
        shown_to_at=max(min(session[1], ended_at + around_s), ended_at),
        incident=incident,
        further=tuple(each for each in others if each.merged_into is None and _overlaps(each, began_at, ended_at)),
        metric=_metric(incident),
    )


def _overlaps(incident: Incident, began_at: float, ended_at: float) -> bool:
    return incident.opened <= ended_at and (incident.closed is None or incident.closed >= began_at)


def _metric(incident: Incident | None) -> Metric | None:
    try:
        cause = Cause.parse(incident.cause) if incident is not None else None
    except ValueError:
        return None
    return BY_NAME.get(cause.name) if cause is not None and cause.kind is CauseKind.SLOW else None
