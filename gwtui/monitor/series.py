"""One figure of one endpoint over every window at once, its newest values, and which figures an endpoint has."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Generic, TypeVar

from gwtui.model.metrics import COMPARED, AnswerForm, Metric, metrics_of, own_metric
from gwtui.model.query import Window
from gwtui.model.records import Ping, Request
from gwtui.model.view import Cell, LatencyPoint, Quantile
from gwtui.stats.accuracy import sure
from gwtui.stats.comparison import ComparedSeries
from gwtui.stats.histogram import Histogram, supported
from gwtui.stats.significance import Sample
from gwtui.stats.windows import Growing, Rolling

WordT = TypeVar("WordT")
"""A verdict, or the name of a finding."""


class WordCounts(Generic[WordT]):
    """The counts of one endpoint."""

    def __init__(self) -> None:
        self._all: Counter[WordT] = Counter()
        self._recent: dict[Window, _Recent[WordT]] = {
            window: _Recent((window.seconds or 0) * SECOND_NS, slots) for window, slots in SLOTS.items()
        }

    def add(self, now_ns: int, words: Iterable[WordT]) -> None:
        """Count each of the words once."""
        for word in words:
            self._all[word] += 1
            for recent in self._recent.values():
                recent.add(now_ns, word)

    def counts(self, window: Window, now_ns: int) -> tuple[tuple[WordT, int], ...]:
        """The words of the window, the most frequent first."""
        counted = self._all if window is Window.ALL else self._recent[window].counts(now_ns)
        return tuple(sorted(counted.items(), key=lambda pair: (-pair[1], str(pair[0]))))


class _Recent(Generic[WordT]):
    """The last `window_ns`, to the precision of one of its `slots`."""

    def __init__(self, window_ns: int, slots: int) -> None:
        self._width = window_ns // slots
        self._limit = slots
        self._newest = -1
        self._slots: dict[int, Counter[WordT]] = {}
        self._sum: Counter[WordT] = Counter()

    def add(self, now_ns: int, word: WordT) -> None:
        self._advance(now_ns)
        index = now_ns // self._width
        if index > self._newest - self._limit:
            self._slots.setdefault(index, Counter())[word] += 1
            self._sum[word] += 1

    def counts(self, now_ns: int) -> Counter[WordT]:
        self._advance(now_ns)
        return self._sum

    def _advance(self, now_ns: int) -> None:
        index = now_ns // self._width
        if index <= self._newest:
            return
        self._newest = index
        for gone in [at for at in self._slots if at <= index - self._limit]:
            self._sum -= self._slots.pop(gone)


SECOND_NS = 1_000_000_000
SLOTS = {Window.S30: 60, Window.M2: 120, Window.M10: 60, Window.H1: 60}
"""How finely each window is cut. It is also the most columns that a picture of it can tell apart."""
SLOTS_OF_ALL = 64
_WINDOWS = tuple(Window)
"""The shortest first."""


class MetricSeries:
    """The values of one figure, and its failures where it is the one that counts them."""

    def __init__(self, start_ns: int) -> None:
        self._windows: dict[Window, Rolling | Growing] = {
            window: Rolling((window.seconds or 0) * SECOND_NS, slots) for window, slots in SLOTS.items()
        }
        self._windows[Window.ALL] = Growing(start_ns, SECOND_NS, SLOTS_OF_ALL)

    def add(self, now_ns: int, value: int) -> None:
        """Count a value."""
        for window in self._windows.values():
            window.add_value(now_ns, value)

    def add_all(self, now_ns: int, pairs: Iterable[tuple[int, int]]) -> None:
        """Count (value, count) pairs."""
        values = Histogram()
        values.record_all(pairs)
        if not values.n:
            return
        for window in self._windows.values():
            window.add(now_ns, values)

    def add_unsure(self, now_ns: int) -> None:
        """Count a good result whose value is in doubt."""
        for window in self._windows.values():
            window.add_unsure(now_ns)

    def add_failure(self, now_ns: int) -> None:
        """Count a failure."""
        for window in self._windows.values():
            window.add_failure(now_ns)

    def mark(self, window: Window, now_ns: int) -> tuple[int, int]:
        """Changes when the passing of time alone changes what the window shows."""
        return self._windows[window].mark(now_ns)

    def histogram(self, window: Window, now_ns: int) -> Histogram:
        """Of the window's values, to be read at once."""
        return self._windows[window].histogram(now_ns)

    def counts(self, window: Window, now_ns: int) -> tuple[int, int]:
        """How many good results and how many failures the window has."""
        return self._windows[window].counts(now_ns)

    def points(self, window: Window, now_ns: int, columns: int) -> tuple[LatencyPoint, ...]:
        """The window in `columns` equal shares, oldest first."""
        return self._windows[window].points(now_ns, columns)

    def failures(self, window: Window, now_ns: int, columns: int) -> tuple[int, ...]:
        """The failures in the same shares."""
        return self._windows[window].failures(now_ns, columns)


def quantiles(histogram: Histogram, shares: tuple[float, ...]) -> list[Quantile]:
    """Percentiles, each without its value where n does not support it."""
    n = histogram.n
    values = histogram.quantiles(shares)
    return [Quantile(value if supported(q, n) else None, n) for q, value in zip(shares, values, strict=True)]


def borne(series: MetricSeries, q: float, window: Window, now_ns: int) -> tuple[Quantile, Window | None]:
    """The percentile over the shortest window, from this one on, that has enough values for it, and which window that
    is where it is another one. Where none has, the number of values of the longest."""
    for longer in _WINDOWS[_WINDOWS.index(window) :]:
        if supported(q, series.counts(longer, now_ns)[0]):
            (found,) = quantiles(series.histogram(longer, now_ns), (q,))
            if found.value_ns is not None:
                return found, None if longer is window else longer
    return Quantile(None, series.histogram(Window.ALL, now_ns).n), None


def cells(points: Iterable[LatencyPoint]) -> tuple[Cell, ...]:
    """The points as a sparkline."""
    return tuple(Cell(value_ns=point.p50_ns, failed=point.failed) for point in points)


def shown_metric(asked: Metric, form: AnswerForm) -> Metric:
    """The metric asked for, or the endpoint's own where that does not apply."""
    return asked if asked.is_latency and asked in metrics_of(form) else own_metric(form)


KEPT = 2000
"""The number of values kept of each latency."""
_MINUTE_NS = 60 * SECOND_NS


class Samples:
    """The newest values of one endpoint's good results, kept to be compared with those of others."""

    def __init__(self) -> None:
        self._values: dict[Metric, _Newest] = {}

    def add(self, result: Request | Ping) -> None:
        minute = result.now_ns // _MINUTE_NS
        for metric in COMPARED:
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
