"""What the latency chart of one endpoint is made of: its dots, and its rolling p50 and p90.

Time is cut into shares of equal width, aligned to the clock's zero and not to now, so that a picture of them stands
still while time moves on. Of a share that is over nothing is computed twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count, pairwise

from gwtui.model.enums import BAD
from gwtui.model.metrics import AnswerForm, Metric, watched_metrics
from gwtui.model.profile import Thresholds
from gwtui.model.query import Window
from gwtui.model.view import ChartSpan, Dot, LatencyView
from gwtui.monitor.event_log import EventLog
from gwtui.monitor.kept_results import KeptResults
from gwtui.stats.histogram import supported
from gwtui.stats.significance import quantile
from gwtui.stats.time_buckets import SECOND_NS

BEARS = {q: next(n for n in count(1) if supported(q, n)) for q in (0.5, 0.9)}
"""How many values bear a percentile."""
REACH = 3
"""A line reaches back for them over this part of the window at most: a third."""

REACH_RESULTS = 200
"""And over this number of results at most."""

MANY = 96
"""Results of a share that each have a dot."""
PARTS = 16
"""Of more, the first few of each part of the share have one, the slowest, and the first that failed."""
FEW = MANY // PARTS
ENOUGH = 800
"""Of a share with more results, percentiles are of about that number: of the first ones of each part."""


@dataclass(frozen=True, slots=True)
class ChartLines:
    """The chart of a stretch of time."""

    start_ns: int
    end_ns: int
    dots: tuple[Dot, ...]
    p50s: tuple[int | None, ...]
    p90s: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class _Share:
    dots: tuple[Dot, ...]
    p50_ns: int | None
    p90_ns: int | None


class LatencyChart:
    """Makes the lines of one endpoint's latency out of its kept results."""

    def __init__(self, results: KeptResults, start_ns: int) -> None:
        self._results = results
        self._start_ns = start_ns
        self._width_ns = 0
        self._metric: Metric | None = None
        self._reach_ns = 0
        self._over: dict[int, _Share] = {}
        """The shares of that width that are over, by their numbers."""

    def lines(self, metric: Metric, window: Window, at_ns: int, columns: int) -> ChartLines:
        """The window up to a moment in about `columns` shares; it ends with the share that the moment is in."""
        width_ns, shares = self._shares(window, at_ns, columns)
        reach_ns = width_ns * columns // REACH
        if (width_ns, reach_ns, metric) != (self._width_ns, self._reach_ns, self._metric):
            self._width_ns, self._reach_ns, self._metric = width_ns, reach_ns, metric
            self._over.clear()
        made = [self._share(number, metric, at_ns) for number in shares]
        if len(self._over) > 4 * len(shares):
            self._over = {number: self._over[number] for number in shares if number in self._over}
        return ChartLines(
            start_ns=shares.start * width_ns,
            end_ns=shares.stop * width_ns,
            dots=tuple(dot for share in made for dot in share.dots),
            p50s=tuple(share.p50_ns for share in made),
            p90s=tuple(share.p90_ns for share in made),
        )

    def _shares(self, window: Window, at_ns: int, columns: int) -> tuple[int, range]:
        """How wide a share is, and which ones the window has. Those of a whole session double their width now and
        then, so that there are never more than `columns`."""
        if window.seconds is not None:
            width_ns = max(window.seconds * SECOND_NS // columns, 1)
            last = at_ns // width_ns
            return width_ns, range(last - columns + 1, last + 1)
        width_ns = SECOND_NS
        while at_ns // width_ns - self._start_ns // width_ns >= columns:
            width_ns *= 2
        return width_ns, range(self._start_ns // width_ns, at_ns // width_ns + 1)

    def _share(self, number: int, metric: Metric, at_ns: int) -> _Share:
        known = self._over.get(number)
        if known is not None:
            return known
        start_ns, end_ns = number * self._width_ns, (number + 1) * self._width_ns - 1
        share = self._made(metric, start_ns, min(end_ns, at_ns))
        if len(self._results) and end_ns < min(at_ns, self._results.ended_ns(-1)):  # a later result is later than that
            self._over[number] = share
        return share

    def _made(self, metric: Metric, start_ns: int, end_ns: int) -> _Share:
        results = self._results
        within = results.between(start_ns, end_ns)
        parts = [within] if len(within) <= MANY else self._parts(start_ns, end_ns)
        of_each = min(ENOUGH / max(len(within), 1), 1)
        taken = (results.sure_values(metric, part[: math.ceil(len(part) * of_each)]) for part in parts)
        values = [value for some in taken for value in some]
        own = len(values)
        if own < BEARS[0.9]:
            reached = results.between(end_ns - self._reach_ns, start_ns - 1)
            before = results.sure_values(metric, reached[-REACH_RESULTS:])
            values = before[own - BEARS[0.9] :] + values
        p50_ns, p90_ns = (_borne(values, q, own) for q in (0.5, 0.9))
        below = p50_ns is None or p90_ns is None or p90_ns < p50_ns
        shown = within if len(parts) == 1 else [at for part in parts for at in self._standing_out(metric, part)]
        return _Share(results.dots(metric, shown), p50_ns, None if below else p90_ns)

    def _parts(self, start_ns: int, end_ns: int) -> list[range]:
        """A share's results by equal parts of its time."""
        edges = [start_ns + self._width_ns * part // PARTS for part in range(PARTS + 1)]
        return [self._results.between(begin, min(end - 1, end_ns)) for begin, end in pairwise(edges)]

    def _standing_out(self, metric: Metric, part: range) -> list[int]:
        """Which results of a part have a dot, oldest first."""
        further = (self._results.slowest(metric, part), self._results.first_failed(part))
        return sorted({*part[:FEW], *(at for at in further if at is not None)})


def limit_ns(thresholds: Thresholds, form: AnswerForm, metric: Metric) -> int | None:
    """The limit that the user set for that latency; None without a limit, or with one for another latency."""
    limited = watched_metrics(form, thresholds.slow_metric)[0]
    limit_ms = thresholds.slow_over_ms
    return round(limit_ms * 1e6) if limit_ms is not None and metric is limited else None


def spans_of(view: LatencyView, events: EventLog, wall: tuple[float, int]) -> tuple[ChartSpan, ...]:
    """What of the endpoint's incidents, and which marks, lie within the chart; the worst and the marks come last, to
    be drawn over the others. `wall`: a wall time, and the same moment on the records' clock."""
    at, at_ns = wall

    def stamp(moment: float) -> int:
        return at_ns + round((moment - at) * 1e9)

    found = [
        ChartSpan(stamp(member.since), None if member.until is None else stamp(member.until), member.state)
        for incident in events.incidents
        for member in incident.members
        if member.endpoint == view.endpoint and not member.vantage
    ]
    found += [ChartSpan(entry.now_ns, entry.now_ns, None) for entry in events.entries if entry.kind == "mark"]
    within = [
        span for span in found if span.start_ns < view.end_ns and (span.end_ns is None or span.end_ns >= view.start_ns)
    ]
    return tuple(sorted(within, key=lambda span: BAD.index(span.state) if span.state in BAD else len(BAD)))


def _borne(values: list[int], q: float, own: int) -> int | None:
    """The percentile of the share's own values, or of as many of the latest as bear it."""
    needed = max(own, BEARS[q])
    return quantile(values[-needed:], q) if len(values) >= needed else None
