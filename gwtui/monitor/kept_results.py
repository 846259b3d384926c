"""The results of one endpoint, each a few dozen bytes: the dots of a chart, and the list of requests of any moment.

Positions count from the oldest kept result. They are valid until results are added or forgotten.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress
from operator import sub

from gwtui.model.enums import Outcome
from gwtui.model.incidents import Proof
from gwtui.model.metrics import LATENCIES, Metric
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.model.view import Cell, Dot, RequestRow
from gwtui.stats.accuracy import latency, sure
from gwtui.stats.histogram import rank
from gwtui.stats.numbers import Numbers

MOST = 400_000
"""The number of results that are kept over all endpoints."""
FEW = 2_000
"""The number of results up to which each of them is looked at."""
LOOK_AHEAD = 200
"""Results after a moment that are looked at for those that were under way in it."""
NOTES = 1_000
"""The number of notes that are kept of each endpoint, the newest."""
_W3C = re.compile("[0-9a-f]{32}")
_VERDICTS = tuple(Verdict)
_CODES = {verdict: code for code, verdict in enumerate(_VERDICTS)}
_OUTCOMES = tuple(verdict.outcome for verdict in _VERDICTS)
_OF_CODES = [_OUTCOMES[code] if code < len(_OUTCOMES) else None for code in range(256)]
_IS_GOOD = bytes(outcome is Outcome.OK for outcome in _OF_CODES)
_HAS_FAILED = bytes(outcome is Outcome.FAILED for outcome in _OF_CODES)
"""To translate codes of verdicts with."""
_BITS = {metric: 1 << bit for bit, metric in enumerate(LATENCIES)}


class KeptResults:
    """Takes the results of an endpoint in the order in which they are recorded."""

    def __init__(self) -> None:
        self._endpoint = ""
        self._now_ns = array("q")
        self._started_at = array("d")
        self._numbers = Numbers()
        self._verdicts = Numbers()
        self._tainted = Numbers()
        self._in_doubt = Numbers()
        """A bit for each latency that is in doubt."""
        self._latencies: dict[Metric, Numbers] = {}
        """One more than the value in ns; 0: none."""
        self._runs = Numbers()
        """Results in a row with its verdict; 0 for a result that does not count on its own."""
        self._notes: dict[int, str] = {}
        """By how many results came before theirs: numbers may begin anew."""
        self._gone = 0
        self._traces = bytearray()
        self._trace_ends = Numbers()
        """Counted from the first trace id ever."""
        self._traces_from = 0

    def __len__(self) -> int:
        return len(self._now_ns)

    def add(self, result: Request | Ping, run: int = 1, note: str = "") -> None:
        """Keep a result. One that comes late counts as of the newest. `run`: the number of results in a row that had
        its verdict, 0 where it decides nothing; `note`: what is worth knowing of it."""
        self._endpoint = result.endpoint
        if note:
            self._notes[self._gone + len(self)] = note
            if len(self._notes) > NOTES:
                del self._notes[next(iter(self._notes))]
        count, doubts = len(self), 0
        for metric in LATENCIES:
            value = latency(result, metric)
            column = self._latencies.get(metric)
            if column is None and value is not None:
                column = self._latencies[metric] = Numbers(count)
            if column is not None:
                column.append(0 if value is None else max(value, 0) + 1)
            if result.tainted and value is not None and sure(result, metric) is None:
                doubts |= _BITS[metric]
        self._now_ns.append(max(result.now_ns, self._now_ns[-1]) if count else result.now_ns)
        self._started_at.append(result.started_at)
        self._numbers.append(result.number)
        self._verdicts.append(_CODES[result.verdict])
        self._tainted.append(result.tainted)
        self._in_doubt.append(doubts)
        self._runs.append(run)
        self._traces += _packed(result.trace_id)
        self._trace_ends.append(self._traces_from + len(self._traces))

    def between(self, start_ns: int, end_ns: int) -> range:
        """The positions of the results that ended from one moment to another, both included."""
        return range(bisect_left(self._now_ns, start_ns), bisect_right(self._now_ns, end_ns))

    def few(self, start_ns: int, end_ns: int) -> range | None:
        """The results from one moment to before another; None where some of them are no longer kept, or where sums
        of buckets are read sooner."""
        span = self.between(start_ns, end_ns - 1)
        is_whole = not self._gone or bool(self._now_ns and self._now_ns[0] < start_ns)
        return span if is_whole and len(span) <= FEW else None

    def failed(self, span: range) -> int:
        """How many of the results of `span` failed."""
        return bytes(self._verdicts.values[span.start : span.stop]).translate(_HAS_FAILED).count(1)

    def ended_ns(self, at: int) -> int:
        """When the result at that position ended."""
        return self._now_ns[at]

    def number(self, at: int) -> int:
        return self._numbers[at]

    def verdict(self, at: int) -> Verdict:
        return _VERDICTS[self._verdicts[at]]

    def outcome(self, at: int) -> Outcome:
        return _OUTCOMES[self._verdicts[at]]

    def run(self, at: int) -> int:
        """The number of latest results in a row that had the verdict by then; 0 where it decides nothing."""
        return self._runs[at]

    def note(self, at: int) -> str:
        """What is worth knowing of it, while that is kept."""
        return self._notes.get(self._gone + at, "")

    def last(self, at_ns: int) -> int | None:
        """The latest result of a moment that decides anything."""
        newest = bisect_right(self._now_ns, at_ns) - 1
        return next((at for at in range(newest, -1, -1) if self._runs[at]), None)

    def failures(self, after_ns: int, upto_ns: int, decided: int) -> tuple[int, int, Proof] | None:
        """Of the results that failed after one moment up to another, those up to the number `decided` left out: when
        the last of them ended, their number, and the last. None without such a result."""
        at_all = self.between(after_ns + 1, upto_ns)
        failed = [at for at in at_all if self._runs[at] and self._numbers[at] > decided and self.has_failed(at)]
        if not failed:
            return None
        last = failed[-1]
        return self._now_ns[last], len(failed), Proof(self._endpoint, self._numbers[last], self._trace(last))

    def has_failed(self, at: int) -> bool:
        return self.outcome(at) is Outcome.FAILED

    def is_tainted(self, at: int) -> bool:
        return bool(self._tainted[at])

    def latency(self, at: int, metric: Metric) -> int | None:
        """That latency of a result in ns, as measured; None where it has none."""
        column = self._latencies.get(metric)
        return None if column is None or not column[at] else column[at] - 1

    def sure(self, at: int, metric: Metric) -> int | None:
        """The same where it is not in doubt."""
        return None if self._in_doubt[at] & _BITS[metric] else self.latency(at, metric)

    def sure_values(self, metric: Metric, span: range) -> list[int]:
        """That latency, in ns, of the good results of `span` that have it beyond doubt, oldest first."""
        column = self._latencies.get(metric)
        if column is None:
            return []
        return [
            value - 1 for value in compress(column.values[span.start : span.stop], self._counts(metric, span)) if value
        ]

    def _counts(self, metric: Metric, span: range) -> bytes:
        """Of each result of `span`, whether it is good, and that latency not in doubt."""
        counts = bytes(self._verdicts.values[span.start : span.stop]).translate(_IS_GOOD)
        doubts, bit = self._in_doubt.values[span.start : span.stop], _BITS[metric]
        if any(doubts):
            return bytes(good and not doubt & bit for good, doubt in zip(counts, doubts, strict=True))
        return counts

    def cells(self, metric: Metric, shares: Sequence[tuple[int, int]]) -> list[Cell]:
        """The median and the failures from one moment to before another, for each of these pairs, which are in order
        and do not overlap."""
        if not shares:
            return []
        span = self.between(shares[0][0], shares[-1][1] - 1)
        stamps, column = self._now_ns[span.start : span.stop], self._latencies.get(metric)
        counts = self._counts(metric, span)
        values = column.values[span.start : span.stop] if column is not None else bytes(len(span))
        failed = bytes(self._verdicts.values[span.start : span.stop]).translate(_HAS_FAILED)
        cells, end = [], 0
        for begin_ns, end_ns in shares:
            begin = bisect_left(stamps, begin_ns, end)
            end = bisect_left(stamps, end_ns, begin)
            own = sorted(filter(None, compress(values[begin:end], counts[begin:end]))) if begin < end else ()
            median_ns = own[rank(0.5, len(own)) - 1] - 1 if own else None
            cells.append(Cell(median_ns, failed.count(1, begin, end)))
        return cells

    def slowest(self, metric: Metric, span: range) -> int | None:
        """Which one of them took longest; None without any."""
        column = self._latencies.get(metric)
        if column is None or not span:
            return None
        values = column.values[span.start : span.stop]
        at = span.start + values.index(max(values))
        if self._is_sure(at, metric):
            return at
        return max((at for at in span if self._is_sure(at, metric)), key=column.__getitem__, default=None)

    def first_failed(self, span: range) -> int | None:
        """Which of the results of `span` is the first that failed."""
        at = bytes(self._verdicts.values[span.start : span.stop]).translate(_HAS_FAILED).find(1)
        return None if at < 0 else span.start + at

    def dots(self, metric: Metric, positions: Iterable[int]) -> tuple[Dot, ...]:
        """A dot for each good one of these results that has that latency beyond doubt, and for each that failed."""
        return tuple(dot for at in positions if (dot := self._dot(at, metric)) is not None)

    def rows(self, metric: Metric, end_ns: int, most: int) -> tuple[RequestRow, ...]:
        """The latest results of a moment, newest first."""
        end = bisect_right(self._now_ns, end_ns)
        return tuple(self._row(at, metric) for at in range(end - 1, max(end - most, 0) - 1, -1))

    def under_way(self, whole: Metric, at_ns: int) -> int:
        """How many of the results that ended after a moment had begun by then; `whole`: how long they took in all."""
        column = self._latencies.get(whole)
        if column is None:
            return 0
        first = bisect_right(self._now_ns, at_ns)
        later = slice(first, first + LOOK_AHEAD)
        before_begin = map(sub, self._now_ns[later], column.values[later])  # a value is kept as one more than it is
        return sum(map(at_ns.__gt__, before_begin))

    def number_at(self, end_ns: int) -> int:
        """The number of the latest result of a moment; 0 before any."""
        end = bisect_right(self._now_ns, end_ns)
        return self._numbers[end - 1] if end else 0

    def forget(self, count: int) -> None:
        """Let go of the oldest."""
        count = min(count, len(self))
        if not count:
            return
        end = self._trace_ends[count - 1]
        del self._traces[: end - self._traces_from]
        self._traces_from = end
        self._gone += count
        del self._now_ns[:count], self._started_at[:count]
        for column in self._columns():
            column.forget(count)

    def _columns(self) -> Iterator[Numbers]:
        yield from (self._numbers, self._verdicts, self._tainted, self._in_doubt, self._runs, self._trace_ends)
        yield from self._latencies.values()

    def _dot(self, at: int, metric: Metric) -> Dot | None:
        outcome = self.outcome(at)
        if outcome is Outcome.FAILED:
            return Dot(self._now_ns[at], None)
        value = self.sure(at, metric)
        return Dot(self._now_ns[at], value) if outcome is Outcome.OK and value is not None else None

    def _is_sure(self, at: int, metric: Metric) -> bool:
        return self.outcome(at) is Outcome.OK and self.sure(at, metric) is not None

    def _trace(self, at: int) -> str:
        begin = self._trace_ends[at - 1] if at else self._traces_from
        return _unpacked(self._traces[begin - self._traces_from : self._trace_ends[at] - self._traces_from])

    def _row(self, at: int, metric: Metric) -> RequestRow:
        return RequestRow(
            number=self._numbers[at],
            started_at=self._started_at[at],
            verdict=self.verdict(at).value,
            value_ns=self.latency(at, metric) if self.outcome(at) is Outcome.OK else None,
            trace_id=self._trace(at),
            tainted=self.is_tainted(at),
        )


def _packed(trace_id: str) -> bytes:
    """A trace id in few bytes: one as W3C writes them, 32 hexadecimal digits, in about half of them."""
    return b"\0" + bytes.fromhex(trace_id) if _W3C.fullmatch(trace_id) else trace_id.encode()


def _unpacked(packed: bytes | bytearray) -> str:
    return packed[1:].hex() if packed.startswith(b"\0") and len(packed) == 17 else packed.decode()


def keep_within(most: int, all_kept: Collection[KeptResults]) -> None:
    """Let go of results where there are more than `most` in all; the endpoint with the most gives its oldest, many at
    a time."""
    while sum(len(kept) for kept in all_kept) > most:
        fullest = max(all_kept, key=len)
        fullest.forget(max(len(fullest) // 20, 1))
