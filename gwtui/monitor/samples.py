"""The newest values of one endpoint, one by one: what it takes to hold endpoints against each other."""

from __future__ import annotations

from array import array

from gwtui.model.enums import Metric
from gwtui.model.records import Ping, Request
from gwtui.monitor.series import SECOND_NS
from gwtui.stats.accuracy import sure
from gwtui.stats.comparison import METRICS, ComparedSeries
from gwtui.stats.significance import Sample

KEPT = 2000
"""So many values of each latency."""
_MINUTE_NS = 60 * SECOND_NS


class Samples:
    """Takes good results in."""

    def __init__(self) -> None:
        self._values: dict[Metric, _Newest] = {}

    def add(self, result: Request | Ping) -> None:
        minute = result.now_ns // _MINUTE_NS
        for metric in METRICS:
            # The whole of a ping is its round trip.
            value = sure(result, Metric.RTT if isinstance(result, Ping) and metric is Metric.E2E else metric)
            if value is not None:
                self._values.setdefault(metric, _Newest()).add(value, minute)

    def series(self, name: str, ok: int, total: int, *, is_ping: bool) -> ComparedSeries:
        samples = {metric: newest.sample() for metric, newest in self._values.items()}
        return ComparedSeries(name, samples, ok, total, is_ping)


class _Newest:
    """Values with their minutes; the oldest give way, many at a time."""

    def __init__(self) -> None:
        self._values = array("q")
        self._minutes = array("q")

    def add(self, value: int, minute: int) -> None:
        self._values.append(value)
        self._minutes.append(minute)
        if len(self._values) > KEPT * 5 // 4:
            del self._values[:-KEPT], self._minutes[:-KEPT]

    def sample(self) -> Sample:
        return Sample(self._values[-KEPT:], self._minutes[-KEPT:])
