"""What a benchmark reached per second, by the stamps of the requests themselves: warm-up, set-up and the time after the
last end are no part of it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from gwtui.bench.results.steadiness import Course
from gwtui.model.enums import Outcome
from gwtui.model.records import Ping, Request

COUNTED = (Outcome.OK, Outcome.FAILED)
"""Outcomes that end a request; what gwtui stopped, or could not send itself, ended nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Counts of one endpoint over the time from the first counted send to the last counted end."""

    span_ns: int
    """That time; of several blocks that of all; 1 or more."""
    offered: int
    """Requests that were due."""
    started: int
    completed: int
    """Good and failed ones."""
    good: int
    mean_in_flight: float
    """Requests under way at once, averaged over the time."""
    max_in_flight: int
    input_tokens: int | None
    """As the answers count them; None where none does."""
    output_tokens: int | None
    cached_tokens: int | None
    """Those of the input tokens that came from a cache of prompts; None where no answer says."""
    cached_share: float | None
    """Of the input tokens of the answers that say how many were cached; None where none does."""
    uncounted: int
    """Good answers that did not count their output tokens."""

    @property
    def never_sent(self) -> int:
        return self.offered - self.started

    @property
    def output_tokens_per_user(self) -> float | None:
        """Output tokens per second of one request under way."""
        per_s = self.per_s(self.output_tokens)
        return per_s / self.mean_in_flight if per_s is not None and self.mean_in_flight else None

    def per_s(self, number: int | None) -> float | None:
        """That number divided by the time, in 1/s; None of None."""
        return None if number is None else number * 1e9 / self.span_ns


@dataclass(slots=True)
class Flights:
    """When each request of an endpoint was under way, added up as they end. Takes 16 bytes for each."""

    course: Course = field(default_factory=Course)
    """The latencies of good ones over time."""

    begins: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    spans: list[tuple[int, int]] = field(default_factory=list)
    """The first counted send and the last counted end of each block."""
    _begins_block: bool = True
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cacheable_tokens: int = 0
    """The input tokens of the answers that say how many were cached."""
    uncounted: int = 0

    @property
    def started(self) -> int:
        return len(self.begins)

    def take(self, result: Request | Ping) -> None:
        """Count a result. One that was never sent began when its probe did."""
        began_ns, ended_ns = begin_ns(result), end_ns(result)
        self.begins.append(began_ns)
        self.ends.append(max(began_ns, ended_ns))
        if result.outcome in COUNTED:
            first_ns, last_ns = (began_ns, ended_ns) if self._begins_block else self.spans.pop()
            self.spans.append((min(first_ns, began_ns), max(last_ns, ended_ns)))
            self._begins_block = False
        if result.outcome is Outcome.OK:
            self.course.take(result)
        if isinstance(result, Request):
            self.input_tokens = _sum(self.input_tokens, result.input_tokens)
            self.output_tokens = _sum(self.output_tokens, result.output_tokens)
            if result.cached_tokens is not None:
                self.cached_tokens = _sum(self.cached_tokens, result.cached_tokens)
                self.cacheable_tokens += result.input_tokens or 0
            self.uncounted += result.outcome is Outcome.OK and result.output_tokens is None

    def pause(self) -> None:
        """What is counted from now on is another block: the time until it begins is no part of the rates."""
        self._begins_block = True

    @property
    def pauses(self) -> list[tuple[int, int]]:
        """The times between two blocks, in which nothing was sent."""
        return [(before[1], after[0]) for before, after in pairwise(self.spans)]

    def unbroken(self, stamps: array[int]) -> array[int]:
        """The stamps as if each block had begun when the one before it ended."""
        pauses = self.pauses
        if not pauses:
            return stamps
        ends = [end_ns for _, end_ns in pauses]
        before = [0, *accumulate(end_ns - begin_ns for begin_ns, end_ns in pauses)]
        return array("q", (at_ns - before[bisect_right(ends, at_ns)] for at_ns in stamps))

    @property
    def cached_share(self) -> float | None:
        if self.cached_tokens is None or not self.cacheable_tokens:
            return None
        return self.cached_tokens / self.cacheable_tokens

    def rates(self, *, offered: int, completed: int, good: int) -> Rates | None:
        """None where nothing has ended."""
        if not self.spans:
            return None
        span_ns = max(1, sum(last_ns - first_ns for first_ns, last_ns in self.spans))
        area, most = self._in_flight(self.spans[0][0], self.spans[-1][1])
        return Rates(
            span_ns=span_ns,
            offered=offered,
            started=self.started,
            completed=completed,
            good=good,
            mean_in_flight=area / span_ns,
            max_in_flight=most,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=self.cached_tokens,
            cached_share=self.cached_share,
            uncounted=self.uncounted,
        )

    def _in_flight(self, first_ns: int, last_ns: int) -> tuple[int, int]:
        """Sum over the time between two stamps, and maximum, of the number under way. Between blocks it is 0."""
        steps = sorted((min(max(at_ns, first_ns), last_ns), step) for at_ns, step in self._steps())
        number = most = area = 0
        for (at_ns, step), (next_ns, _) in pairwise([*steps, (last_ns, 0)]):
            number += step
            most = max(most, number)
            area += number * (next_ns - at_ns)
        return area, most

    def _steps(self) -> Iterator[tuple[int, int]]:
        """Ends sort before beginnings of the same time."""
        yield from ((at_ns, -1) for at_ns in self.ends)
        yield from ((at_ns, 1) for at_ns in self.begins)


def begin_ns(result: Request | Ping) -> int:
    """When its last byte was sent; of one that was never sent, when its probe began."""
    return result.planned_ns + result.lateness_ns if result.sent_ns is None else result.sent_ns


def end_ns(result: Request | Ping) -> int:
    """When it ended."""
    took_ns = result.duration_ns if isinstance(result, Request) else result.rtt_ns
    return result.now_ns if result.sent_ns is None or took_ns is None else result.sent_ns + took_ns


def _sum(total: int | None, part: int | None) -> int | None:
    return total if part is None else (total or 0) + part
