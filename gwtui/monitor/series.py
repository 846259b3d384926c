"""The figures of one endpoint in any window at any moment, its newest values, and which figures an endpoint has."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from gwtui.model.enums import FindingName
from gwtui.model.metrics import COMPARED, AnswerForm, Metric, metrics_of, own_metric
from gwtui.model.query import Window
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.model.view import Cell, Quantile
from gwtui.stats.accuracy import sure
from gwtui.stats.comparison import ComparedSeries
from gwtui.stats.histogram import Histogram, supported
from gwtui.stats.significance import Sample
from gwtui.stats.time_buckets import SECOND_NS, TimeBuckets

ValueT = TypeVar("ValueT")


class Counted(Enum):
    """What is counted beside the metrics."""

    GOOD = "good"
    FAILED = "failed"
    TAINTED = "tainted"
    VERDICT = "verdict"
    FINDING = "finding"
    JITTER = "jitter"
    REDIALS = "redials"


@dataclass(frozen=True, slots=True)
class LookedAt:
    """When something is looked at."""

    ns: int
    is_now: bool
    """Whether it goes on with the newest record."""


SLOTS = {Window.S30: (1, 30), Window.M2: (1, 120), Window.M10: (10, 60), Window.H1: (60, 60)}
"""How wide the slots of each window are, in seconds, and how many it has. A picture can tell no more columns apart.
They are aligned to the clock's zero and not to now, so that a picture stands still while time moves on."""
SLOTS_OF_ALL = 64
_WIDTHS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800)
_WINDOWS = tuple(Window)
"""The shortest first."""
_CELLS = 400
"""The number of cells that are remembered."""
_VERDICTS = tuple(Verdict)
_CODES = {verdict: code for code, verdict in enumerate(_VERDICTS)}
_MOST_NAMES = 255


class EndpointFigures:
    """All that is counted of one endpoint. Moments are stamps; a window ends with its moment."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self._buckets = TimeBuckets()
        self._findings: list[FindingName] = []
        self._cells: dict[tuple[Metric, int, int], Cell] = {}
        self._drawn_ns = 0

    def add(self, now_ns: int, figure: Metric | Counted, value: int = 0, count: int = 1) -> None:
        """Count a value, or that something happened."""
        if now_ns < self._drawn_ns:
            self._cells.clear()
        self._buckets.add(now_ns, figure, value, count)

    def add_pairs(self, now_ns: int, metric: Metric, pairs: Iterable[tuple[int, int]]) -> None:
        """Count (value, count) pairs."""
        self._buckets.add_pairs(now_ns, metric, pairs)

    def add_verdict(self, now_ns: int, verdict: Verdict) -> None:
        self._buckets.add(now_ns, Counted.VERDICT, _CODES[verdict])

    def add_findings(self, now_ns: int, names: Iterable[FindingName]) -> None:
        """Count each of the names once."""
        for name in set(names):
            if name not in self._findings and len(self._findings) < _MOST_NAMES:
                self._findings.append(name)
            if name in self._findings:
                self._buckets.add(now_ns, Counted.FINDING, self._findings.index(name))

    def cut(self, at_ns: int) -> None:
        """Keep what there is up to that moment apart from what is still to come."""
        self._buckets.cut(at_ns)

    def split(self, at_ns: int) -> None:
        """Keep that moment exact, however long ago it is."""
        self._buckets.split(at_ns)

    def mark(self, window: Window, at_ns: int) -> int:
        """Changes when the passing of time alone changes what the window shows."""
        return at_ns // self._slots(window, at_ns)[0]

    def histogram(self, metric: Metric | Counted, window: Window, at_ns: int) -> Histogram:
        """Of the window's values, to be read and not changed."""
        return self._buckets.histogram(metric, self.start_ns(window, at_ns), at_ns + 1)

    def count(self, figure: Metric | Counted, window: Window, at_ns: int) -> int:
        """How often it happened in the window."""
        return self._buckets.count(figure, self.start_ns(window, at_ns), at_ns + 1)

    def verdicts(self, window: Window, at_ns: int) -> tuple[tuple[str, int], ...]:
        """The verdicts of the window, the most frequent first."""
        counted = self._buckets.counter(Counted.VERDICT, self.start_ns(window, at_ns), at_ns + 1)
        return _most_first((_VERDICTS[code].value, count) for code, count in counted.items())

    def findings(self, window: Window, at_ns: int) -> tuple[tuple[FindingName, int], ...]:
        """What was found in the results of the window, the most frequent first."""
        counted = self._buckets.counter(Counted.FINDING, self.start_ns(window, at_ns), at_ns + 1)
        return _most_first((self._findings[code], count) for code, count in counted.items())

    def start_ns(self, window: Window, at_ns: int) -> int:
        """Where the window that ends with that moment begins."""
        if window is Window.ALL:
            return 0
        width, slots = self._slots(window, at_ns)
        return max(at_ns // width - slots + 1, 0) * width

    def sparkline(
        self,
        metric: Metric,
        window: Window,
        at_ns: int,
        columns: int,
        make: Callable[[Sequence[tuple[int, int]]], Sequence[Cell]],
    ) -> tuple[Cell, ...]:
        """The window in `columns` equal shares, oldest first. Where a slot is wider than that, it fills several. Each
        share that is over is computed once. `make`: gives the cells of stretches of time, which come in order."""
        width, slots = self._slots(window, at_ns)
        shares = [
            (metric, first * width, min(end * width, at_ns + 1))
            for first, end in _shares(window, at_ns // width, slots, columns)
        ]
        if len(self._cells) > _CELLS:
            self._cells.clear()
        missing = [share for share in dict.fromkeys(shares) if share not in self._cells]
        made = dict(zip(missing, make([(begin_ns, end_ns) for _, begin_ns, end_ns in missing]), strict=True))
        cells = tuple(made[share] if share in made else self._cells[share] for share in shares)
        for share, cell in made.items():
            if not share[2] % width:
                self._cells[share] = cell
                self._drawn_ns = max(share[2], self._drawn_ns)
        return cells

    def cells(self, metric: Metric, shares: Sequence[tuple[int, int]]) -> list[Cell]:
        """The median and the failures from one moment to before another, for each of these pairs."""
        return [self._cell(metric, begin_ns, end_ns) for begin_ns, end_ns in shares]

    def _cell(self, metric: Metric, begin_ns: int, end_ns: int) -> Cell:
        p50_ns = self._buckets.histogram(metric, begin_ns, end_ns, keep=False).quantile(0.5)
        return Cell(p50_ns, self._buckets.count(Counted.FAILED, begin_ns, end_ns))

    def _slots(self, window: Window, at_ns: int) -> tuple[int, int]:
        """How wide the slots of the window are, in ns, and how many it has."""
        if window is not Window.ALL:
            width_s, slots = SLOTS[window]
            return width_s * SECOND_NS, slots
        passed_s = max(at_ns - self._start_ns, 0) // SECOND_NS
        width_s = next((each for each in _WIDTHS_S if passed_s < (SLOTS_OF_ALL - 1) * each), 0)
        if not width_s:
            width_s = _WIDTHS_S[-1] * (passed_s // (_WIDTHS_S[-1] * (SLOTS_OF_ALL - 1)) + 1)
        width = width_s * SECOND_NS
        return width, max(at_ns // width - self._start_ns // width + 1, 1)


def _shares(window: Window, newest: int, slots: int, columns: int) -> Iterator[tuple[int, int]]:
    """The slots (first, end) of each column, where those up to the newest are laid over `columns` columns."""
    if window is Window.ALL:
        begin = newest - slots + 1
        for first, end in _laid_over(range(columns), slots, columns):
            yield begin + first, begin + end
        return
    # The last column is the newest slot's: the one it is part of, or the last of those it fills.
    end = ((newest + 1) * columns - 1 if columns > slots else newest * columns) // slots + 1
    yield from _laid_over(range(end - columns, end), slots, columns)


def _laid_over(numbers: range, slots: int, columns: int) -> Iterator[tuple[int, int]]:
    """The slots (first, end) of each column of those numbers, where `slots` slots are laid over `columns` columns."""
    for number in numbers:
        if columns > slots:
            first = number * slots // columns
            yield first, first + 1
        else:
            yield -(-number * slots // columns), -(-(number + 1) * slots // columns)


WordT = TypeVar("WordT")


def _most_first(counted: Iterable[tuple[WordT, int]]) -> tuple[tuple[WordT, int], ...]:
    return tuple(sorted(counted, key=lambda pair: (-pair[1], str(pair[0]))))


class Changes(Generic[ValueT]):
    """Something that changes at times, such as a state; of many changes the newest are kept."""

    MOST = 5_000

    def __init__(self, first: ValueT) -> None:
        self._first = first
        self._stamps = array("q")
        self._values: list[ValueT] = []

    def __len__(self) -> int:
        return len(self._stamps)

    @property
    def now(self) -> ValueT:
        return self._values[-1] if self._values else self._first

    def set(self, now_ns: int, value: ValueT) -> None:
        """It is this from now on."""
        if value == self.now:
            return
        self._stamps.append(max(now_ns, self._stamps[-1]) if self._stamps else now_ns)
        self._values.append(value)
        if len(self._stamps) > self.MOST * 5 // 4:
            gone = len(self._stamps) - self.MOST
            self._first = self._values[gone - 1]
            del self._stamps[:gone], self._values[:gone]

    def at(self, at_ns: int) -> ValueT:
        """What it was at that moment."""
        known = bisect_right(self._stamps, at_ns)
        return self._values[known - 1] if known else self._first

    def within(self, start_ns: int, end_ns: int) -> list[ValueT]:
        """What it was at the one moment, and became until the other."""
        first, end = bisect_right(self._stamps, start_ns), bisect_right(self._stamps, end_ns)
        return [self._values[first - 1] if first else self._first, *self._values[first:end]]


def quantiles(histogram: Histogram, shares: tuple[float, ...]) -> list[Quantile]:
    """Percentiles, each without its value where n does not support it."""
    n = histogram.n
    values = histogram.quantiles(shares)
    return [Quantile(value if supported(q, n) else None, n) for q, value in zip(shares, values, strict=True)]


def longer_than(window: Window) -> tuple[Window, ...]:
    """The windows that are longer, the shortest first."""
    return _WINDOWS[_WINDOWS.index(window) + 1 :]


def shown_metric(asked: Metric, form: AnswerForm) -> Metric:
    """The metric asked for, or the endpoint's own where that does not apply."""
    return asked if asked.is_latency and asked in metrics_of(form) else own_metric(form)


KEPT = 2000
"""The number of values kept of each latency."""
_MS_NS = SECOND_NS // 1000


class Samples:
    """The newest values of one endpoint's good results, kept to be compared with those of others."""

    def __init__(self) -> None:
        self._values: dict[Metric, _Newest] = {}

    def add(self, result: Request | Ping) -> None:
        at_ms = result.now_ns // _MS_NS
        for metric in COMPARED:
            # The whole of a ping is its round trip.
            value = sure(result, Metric.RTT if isinstance(result, Ping) and metric is Metric.E2E else metric)
            if value is not None:
                self._values.setdefault(metric, _Newest()).add(value, at_ms)

    def series(self, name: str, ok: int, total: int, *, is_ping: bool) -> ComparedSeries:
        samples = {metric: newest.sample() for metric, newest in self._values.items()}
        return ComparedSeries(name, samples, ok, total, is_ping)


class _Newest:
    """Values with when they came; the oldest give way, many at a time."""

    def __init__(self) -> None:
        self._values = array("q")
        self._at_ms = array("q")

    def add(self, value: int, at_ms: int) -> None:
        self._values.append(value)
        self._at_ms.append(at_ms)
        if len(self._values) > KEPT * 5 // 4:
            del self._values[:-KEPT], self._at_ms[:-KEPT]

    def sample(self) -> Sample:
        return Sample(self._values[-KEPT:], self._at_ms[-KEPT:])
