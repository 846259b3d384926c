"""Latencies of one stream from the stamps of its reads. Pure: no clock here.

Events of one read share its stamp, so gaps are between reads, never between events (a gap of 0 would be invented).
A gap before a read whose events may have waited for us is left out, where that puts it in doubt.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gwtui.apis.base import Reading
from gwtui.model.content_pace import ContentPace
from gwtui.model.enums import EventKind
from gwtui.model.metrics import Metric
from gwtui.stats.accuracy import in_doubt
from gwtui.stats.histogram import Histogram
from gwtui.verdict.buffering import is_late

TALLY = 256
"""The number of values that are gathered before they are counted."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, in ns, counted from the last byte of the request, under the names that a `Request` has for it.
    None where it cannot be known."""

    ttft_ns: int | None
    ttfo_ns: int | None
    mean_icl_ns: int | None
    max_gap_ns: int | None
    measured: dict[Metric, int]
    gaps: tuple[tuple[int, int], ...]
    events: int
    reads: int


class _Tally:
    """Figures on their way into a histogram, many at a time: one by one that is slow in the middle of other work."""

    def __init__(self) -> None:
        self._values: list[int] = []
        self._counted = Histogram()

    def add(self, value: int) -> None:
        self._values.append(value)
        if len(self._values) >= TALLY:
            self.histogram()

    def histogram(self) -> Histogram:
        """Of all so far."""
        values, self._values = self._values, []
        self._counted.record_each(values)
        return self._counted


class Timing:
    """Follows one stream read by read. Its memory does not grow with the stream."""

    def __init__(self, sent_ns: int) -> None:
        self._sent_ns = sent_ns
        self._first_content_ns: int | None = None
        self._first_visible_ns: int | None = None
        self._first_content_error_ns = self._first_visible_error_ns = 0
        self._reads_before_visible = 0
        """Reads with content before the first that is visible."""
        self._characters = self._reasoning_characters = 0
        self._last_content_ns = self._last_content_error_ns = 0
        self.error_ns = 0
        """The largest error of a stamp of content."""
        self._late_reads = self._late_events = 0
        self._is_late = False
        """Whether the last read with content was late."""
        self._content_events = 0
        self._content_reads = 0
        self._read_content = 0
        """Events with content in the last read that held any."""
        self._biggest_read = 0
        self._gaps = _Tally()
        self._sure_gaps = _Tally()
        self._sizes = _Tally()
        self._last_ns: int | None = None
        self.events = 0
        self.reads = 0
        self.last_event_ns: int | None = None
        """When the newest event came that was no keep-alive."""
        self.last_progress_ns: int | None = None
        """When the newest event came that shows progress."""
        self.idle_events = 0
        """Events since then that were no keep-alives."""
        self.keepalives = 0
        """Events that say nothing but that the stream is alive."""

    @property
    def has_content(self) -> bool:
        return self._first_content_ns is not None

    def add(self, stamp_ns: int, readings: Sequence[Reading], size: int = 0, error_ns: int = 0) -> None:
        """Take the events that one read of `size` bytes completed, or more of them: one stamp is one read. `error_ns`:
        how far that stamp may be from when any of the bytes came."""
        self.reads += stamp_ns != self._last_ns
        self._last_ns = stamp_ns
        self.events += len(readings)
        content = characters = 0
        keepalives = self.keepalives
        for reading in readings:
            kind = reading.kind
            if kind.is_content:
                content += 1
                characters += len(reading.text)
                self.idle_events = 0
                if kind is EventKind.REASONING:
                    self._reasoning_characters += len(reading.text)
                elif self._first_visible_ns is None:
                    self._begin_visible(stamp_ns, error_ns)
                continue
            is_keepalive = kind is EventKind.KEEPALIVE
            self.keepalives += is_keepalive
            self.idle_events += not is_keepalive
            if reading.is_progress:
                self.last_progress_ns, self.idle_events = stamp_ns, 0
        if len(readings) > self.keepalives - keepalives:
            self.last_event_ns = stamp_ns
        if not content:
            return
        self.last_progress_ns = stamp_ns
        self._characters += characters
        if self._first_content_ns is None or stamp_ns != self._last_content_ns:
            self._begin_content(stamp_ns, size, error_ns)
        self._last_content_error_ns = error_ns
        self.error_ns = max(self.error_ns, error_ns)
        self._content_events += content
        self._late_events += content * self._is_late
        self._read_content += content
        self._biggest_read = max(self._biggest_read, self._read_content)

    def _begin_visible(self, stamp_ns: int, error_ns: int) -> None:
        """The first content that is no reasoning."""
        self._first_visible_ns, self._first_visible_error_ns = stamp_ns, error_ns
        is_more_of_a_read = self.has_content and stamp_ns == self._last_content_ns
        self._reads_before_visible = self._content_reads - is_more_of_a_read

    def _begin_content(self, stamp_ns: int, size: int, error_ns: int) -> None:
        """The first content of a read."""
        if self._first_content_ns is None:
            self._first_content_ns, self._first_content_error_ns = stamp_ns, error_ns
            self._is_late = is_late(stamp_ns - self._sent_ns, error_ns, first=True)
        else:
            gap_ns = stamp_ns - self._last_content_ns
            self._gaps.add(gap_ns)
            if not in_doubt(gap_ns, error_ns):
                self._sure_gaps.add(gap_ns)
            self._is_late = is_late(gap_ns, error_ns)
        self._late_reads += self._is_late
        self._last_content_ns = stamp_ns
        self._sizes.add(size)
        self._content_reads += 1
        self._read_content = 0

    def times(self, ended_ns: int | None = None, ended_error_ns: int = 0) -> Times:
        """All of it. `ended_ns`: when the stream ended, if it did; `ended_error_ns`: how far off that may be."""
        gaps = self._sure_gaps.histogram()
        return Times(
            ttft_ns=self._since_sent(self._first_content_ns),
            ttfo_ns=self._since_sent(self._first_visible_ns),
            mean_icl_ns=round(gaps.mean) if gaps.mean is not None else None,
            max_gap_ns=gaps.max,
            measured=self._measured(ended_ns, ended_error_ns),
            gaps=gaps.pairs(),
            events=self.events,
            reads=self.reads,
        )

    def _measured(self, ended_ns: int | None, ended_error_ns: int) -> dict[Metric, int]:
        """The metrics for which a record has no field; None: not measured."""
        found = {
            Metric.TTLT: self._since_sent(self._last_content_ns if self.has_content else None),
            Metric.TAIL_GAP: self._tail_gap(ended_ns, ended_error_ns),
        }
        return {metric: value for metric, value in found.items() if value is not None}

    def _tail_gap(self, ended_ns: int | None, ended_error_ns: int) -> int | None:
        """Nothing where the end came with the last content; not known where it is in doubt."""
        if ended_ns is None or not self.has_content:
            return None
        gap_ns = max(0, ended_ns - self._last_content_ns)
        in_one_read = gap_ns == 0
        return gap_ns if in_one_read or not in_doubt(gap_ns, self._last_content_error_ns + ended_error_ns) else None

    def errors(self, tokens: int | None) -> dict[Metric, int]:
        """How far the figures may be from the truth, the time of the send left aside. `tokens`: those of the rate."""
        either_ns = max(self._first_content_error_ns, self._first_visible_error_ns, self._last_content_error_ns)
        return {
            Metric.TTFT: self._first_content_error_ns,
            Metric.TTFO: self._first_visible_error_ns,
            Metric.TTLT: self._last_content_error_ns,
            Metric.TPOT: round(either_ns / max(1, (tokens or 0) - 1)),
        }

    def pace(self, ended_ns: int) -> ContentPace | None:
        """How the content was spread over reads; None without content."""
        if self._first_content_ns is None:
            return None
        gaps = self._gaps.histogram()
        return ContentPace(
            events=self._content_events,
            reads=self._content_reads,
            biggest_read=self._biggest_read,
            first_ns=self._first_content_ns - self._sent_ns,
            last_ns=self._last_content_ns - self._sent_ns,
            end_ns=ended_ns - self._sent_ns,
            gaps=_tenths(gaps),
            longest_gap_ns=gaps.max or 0,
            sizes=_tenths(self._sizes.histogram()),
            late_reads=self._late_reads,
            late_events=self._late_events,
            visible_ns=None if self._first_visible_ns is None else self._first_visible_ns - self._sent_ns,
            visible_reads=self._content_reads - self._reads_before_visible,
            characters=self._characters,
            visible_characters=self._characters - self._reasoning_characters,
        )

    def since_sent(self, stamp_ns: int) -> int:
        """That moment, in ns since the last byte of the request."""
        return max(0, stamp_ns - self._sent_ns)

    def _since_sent(self, stamp_ns: int | None) -> int | None:
        return self.since_sent(stamp_ns) if stamp_ns is not None else None


def _tenths(values: Histogram) -> tuple[int, int, int]:
    """p10, p50 and p90."""
    low, middle, high = (value or 0 for value in values.quantiles((0.1, 0.5, 0.9)))
    return low, middle, high
