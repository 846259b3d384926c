"""Was the load on an endpoint steady, and did it or gwtui itself stand still? From the stamps of its requests.

Latencies count from when a request was due, without what it waited for gwtui itself.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gwtui.model.metrics import SINCE_SENT, WHOLE, Metric
from gwtui.model.records import Ping, Request
from gwtui.stats.accuracy import own_lateness, sure
from gwtui.stats.steady import LEAST_N, Flow, Standstill, Trend, flow, latency_trend, standstills
from gwtui.text import units

if TYPE_CHECKING:
    from gwtui.bench.results.measured import Measured  # which has a course

TESTED = (Metric.TTFT, *WHOLE)
KEEPS_UP = 0.97
"""An endpoint that ends a smaller share of what was due does not keep up with an open loop."""
MOST_STANDSTILLS = 3
"""More standstills than that are counted, not told one by one."""


@dataclass(slots=True)
class Course:
    """The latencies of an endpoint's good results by when they were due. Takes 16 bytes for each."""

    due_ns: dict[Metric, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("q")))
    values_ns: dict[Metric, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("q")))
    stops: list[tuple[int, int]] = field(default_factory=list)
    """When gwtui itself stood still: from and until, as stamps."""

    def take(self, result: Request | Ping) -> None:
        """Count a good result."""
        waited_ns = 0 if result.sent_ns is None else max(0, result.sent_ns - result.planned_ns - own_lateness(result))
        for metric in TESTED:
            if (value_ns := sure(result, metric)) is not None:
                self.due_ns[metric].append(result.planned_ns)
                self.values_ns[metric].append(value_ns + (waited_ns if metric in SINCE_SENT else 0))

    def trends(self) -> dict[Metric, Trend]:
        """Of every latency with enough results."""
        found = {metric: latency_trend(self.due_ns[metric], self.values_ns[metric]) for metric in TESTED}
        return {metric: trend for metric, trend in found.items() if trend is not None}


@dataclass(frozen=True)
class Steadiness:
    """What is known of one endpoint's load."""

    endpoint: str
    trends: Mapping[Metric, Trend]
    """Of every latency with enough results."""
    flow: Flow | None
    due_per_s: float | None
    """Of an open loop."""
    standstills: Sequence[Standstill] = ()
    """Those of the endpoint."""
    own_stops: Sequence[tuple[int, int]] = ()
    begun_ns: int = 0
    """The first send."""
    ends_per_s: float = 0.0
    """The pace outside of standstills."""

    @cached_property
    def is_steady(self) -> bool | None:
        """None for a run that is too short to say so."""
        if self._clear or (self.flow is not None and not self.flow.is_steady):
            return False
        return True if self.trends else None

    @property
    def _clear(self) -> dict[Metric, Trend]:
        return {metric: trend for metric, trend in self.trends.items() if trend.is_clear()}

    @property
    def gets_worse(self) -> bool:
        """Whether a latency or the number in flight grows; what falls is an endpoint that warms up."""
        in_flight = self.flow.in_flight if self.flow is not None and not self.flow.is_steady else None
        return any(trend.per_s > 0 for trend in (*self._clear.values(), *((in_flight,) if in_flight else ())))

    @cached_property
    def sustained_per_s(self) -> float | None:
        """What an endpoint that does not keep up with an open loop ends per second; None where it keeps up."""
        if self.is_steady is not False or self.flow is None or self.due_per_s is None:
            return None
        return self.flow.ended_per_s if self.flow.ended_per_s < KEEPS_UP * self.due_per_s else None

    @property
    def sentence(self) -> str:
        """`not steady: TTFT grows 98 ms/s, in flight grows 50/s; the endpoint sustains about 100/s`."""
        if self.is_steady is None:
            return f"too short to say whether it was steady: it takes {LEAST_N} good requests"
        if self.is_steady:
            return "steady"
        first = list(self._clear.items())[:1]
        parts = [f"{metric.label} {_moves(trend)} {_slope(trend)}/s" for metric, trend in first]
        in_flight = self.flow.in_flight if self.flow is not None and not self.flow.is_steady else None
        if in_flight is not None:
            parts.append(f"in flight {_moves(in_flight)} {_number(abs(in_flight.per_s))}/s")
        sustained = self.sustained_per_s
        about = "" if sustained is None else f"; the endpoint sustains about {_number(sustained)}/s"
        return f"not steady: {', '.join(parts)}{about}"

    def lines(self) -> list[str]:
        """What is worth a line: nothing of a steady load."""
        lines = [f"{self.endpoint}: {self.sentence}"] if self.is_steady is False else []
        told = self.standstills[:MOST_STANDSTILLS]
        lines += [f"{self.endpoint}: {self._standstill_text(each)}" for each in told]
        if (more := len(self.standstills) - MOST_STANDSTILLS) > 0:
            lines.append(f"{self.endpoint}: {units.many(more, 'other standstill')}")
        for begin_ns, end_ns in self.own_stops[:MOST_STANDSTILLS]:
            lines.append(
                f"{self.endpoint}: gwtui itself stood still for {units.duration(end_ns - begin_ns)} "
                f"{self._when(begin_ns)}: no fault of the endpoint"
            )
        return lines

    def _standstill_text(self, found: Standstill) -> str:
        pace = round(self.ends_per_s * found.took_ns / 1e9)
        if self.due_per_s is None:
            rest = f"about {units.many(pace, 'request')} at this pace were not sent"
        else:
            rest = f"{units.many(found.in_flight, 'request')} were in flight at its end"
        return f"{units.duration(found.took_ns)} in which nothing ended, {self._when(found.begin_ns)}: {rest}"

    def _when(self, at_ns: int) -> str:
        return f"{units.duration(max(0, at_ns - self.begun_ns))} after the first send"

    def as_json(self) -> dict[str, Any]:
        """`steady` is null where the run was too short."""
        in_flight = self.flow.in_flight if self.flow is not None else None
        return {
            "steady": self.is_steady,
            "sentence": self.sentence,
            "latency_growth_ms_per_s": {
                metric.value: round(trend.per_s / 1e6, 3) for metric, trend in self._clear.items()
            },
            "in_flight_growth_per_s": None if in_flight is None else round(in_flight.per_s, 3),
            "sustained_per_s": None if self.sustained_per_s is None else round(self.sustained_per_s, 3),
            "standstills": [
                {
                    "after_s": round((each.begin_ns - self.begun_ns) / 1e9, 3),
                    "seconds": round(each.took_ns / 1e9, 3),
                    "in_flight": each.in_flight,
                    "requests_at_this_pace": round(self.ends_per_s * each.took_ns / 1e9),
                }
                for each in self.standstills
            ],
            "own_standstills": [
                {"after_s": round((begin - self.begun_ns) / 1e9, 3), "seconds": round((end - begin) / 1e9, 3)}
                for begin, end in self.own_stops
            ],
        }


def steadiness_of(measured: Measured) -> Steadiness:
    """What the stamps of an endpoint's requests say of its load."""
    flights, course = measured.flights, measured.flights.course
    begins, ends, rates = flights.begins, flights.ends, measured.rates
    if not begins or rates is None:
        return Steadiness(measured.endpoint, {}, None, None)
    stops = [each for each in course.stops if each[1] > min(begins) and each[0] < max(ends)]
    own = [*stops, *flights.pauses]
    still = [each for each in standstills(begins, ends) if not _is_own(each, own)]
    moving_ns = max(1, rates.span_ns - sum(each.took_ns for each in still))
    return Steadiness(
        measured.endpoint,
        course.trends(),
        flow(flights.unbroken(begins), flights.unbroken(ends)),
        _due_per_s(measured) if measured.from_planned else None,
        still,
        stops,
        min(begins),
        max(0, rates.completed - len(still)) * 1e9 / moving_ns,
    )


def _due_per_s(measured: Measured) -> float | None:
    due = measured.flights.unbroken(measured.flights.course.due_ns[measured.main])
    span_ns = max(due) - min(due) if len(due) > 1 else 0
    return (measured.flights.started - 1) * 1e9 / span_ns if span_ns else None


def _is_own(found: Standstill, stops: Sequence[tuple[int, int]]) -> bool:
    """Whether gwtui itself stood still for more than half of it."""
    own_ns = sum(max(0, min(end, found.end_ns) - max(begin, found.begin_ns)) for begin, end in stops)
    return own_ns > found.took_ns / 2


def _moves(trend: Trend) -> str:
    return "grows" if trend.per_s > 0 else "falls"


def _slope(trend: Trend) -> str:
    return units.duration(round(abs(trend.per_s)))


def _number(value: float) -> str:
    return f"{value:.2g}" if value < 10 else units.count(round(value))
