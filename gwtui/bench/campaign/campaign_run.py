"""One run of a campaign: its blocks one after another, and what came of each point, however it ended."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from signal import Signals
from typing import TYPE_CHECKING

import msgspec

from gwtui.bench.campaign.campaign import Campaign, CampaignPoint, PointBlock, gates_of, nothing_of
from gwtui.bench.gates.thresholds import Tripped, judge
from gwtui.bench.results.measured import Measured
from gwtui.bench.run.progress import ended, failed, shown
from gwtui.bench.run.runner import ProbeDeps, drive
from gwtui.bench.session.resume import DONE_S, Done, Stretches, moved
from gwtui.bench.session.run_file import Point
from gwtui.codec.cells import wall_time
from gwtui.model.enums import Unsent
from gwtui.model.records import Ping, Request
from gwtui.text import units

if TYPE_CHECKING:
    from gwtui.bench.session.bench_recording import BenchRecording
    from gwtui.bench.session.bench_session import BenchSession
    from gwtui.recorder.session_reader import UnreadRows

STEPS_PER_S = 10
"""Of the bar, where blocks have a time."""


@dataclass(slots=True)
class CampaignRun:
    """A campaign and its results, which are there from the start and grow while it is driven."""

    campaign: Campaign
    keeps_rows: bool = False
    deadline_s: float | None = None
    """Seconds after which it ends, whatever is under way; it `ran_out` then."""
    session: BenchSession | None = None
    """Where every row is written as it comes."""
    ran_out: bool = False
    stopped_by: Signals | None = None
    seconds: float = 0.0
    blocks: Sequence[PointBlock] = field(init=False)
    """What is to be measured, in this order."""
    zero_ns: int = 0
    """The stamp from which those of earlier results count, of a campaign that is gone on with."""
    measured: dict[str, Measured] = field(init=False)
    """By the name of the point. Of an open loop, counted from the planned sends."""
    rows: dict[str, list[Request | Ping]] = field(init=False)
    """By point its results, if they are to be kept."""

    def __post_init__(self) -> None:
        points = self.campaign.points
        self.blocks = self.campaign.blocks
        self.measured = {point.name: nothing_of(point) for point in points}
        self.rows = {point.name: [] for point in points}

    async def drive(self, deps: ProbeDeps | None = None) -> None:
        """Carry it out, with one progress bar over all on a terminal. Cancelled, it keeps its results."""
        began = time.monotonic()
        progress = CampaignProgress(self.blocks, self.measured)
        left = Counter(block.point.name for block in self.blocks)
        try:
            async with shown(progress), asyncio.timeout(self.deadline_s) as deadline:
                for block in self.blocks:
                    progress.begin(block)
                    await self._drive(block, deps)
                    progress.end()
                    left[block.point.name] -= 1
                    if self.session is not None and not left[block.point.name]:
                        self.session.end(block.point.name)
        except TimeoutError:
            self.ran_out = deadline.expired()
            if not self.ran_out:
                raise
        finally:
            self.seconds += time.monotonic() - began

    def go_on(self, recording: BenchRecording, session: BenchSession, unread: UnreadRows) -> int:
        """Count what a session has already, and leave it out. Returns the number of requests. Raises OSError."""
        resumed_at = session.run_file.resumed_at
        stretches = Stretches([round((wall_time(at) - recording.started_at) * 1e9) for at in resumed_at])
        before = ""
        for name, result in recording.results(unread):
            if (measured := self.measured.get(name)) is None:
                continue
            if stretches.take(name, result) or name != before:
                measured.flights.pause()
            before = name
            measured.take(result)
            if self.keeps_rows:
                self.rows[name].append(result)
        for missed in recording.misses(unread):
            if missed.point in self.measured:
                stretches.miss(missed.point)
                self.measured[missed.point].miss(missed.reason)
        ended_points = {point.name for point in session.run_file.points if point.ended}
        self.blocks = [*left_of(self.campaign.blocks, stretches.done, ended_points)]
        self.seconds, self.zero_ns = stretches.seconds, session.zero_ns
        return sum(done.sent for done in stretches.done.values())

    async def _drive(self, block: PointBlock, deps: ProbeDeps | None) -> None:
        point, measured = block.point, self.measured[block.point.name]
        before = measured.flights.started
        measured.flights.pause()
        if self.session is not None:
            self.session.begin(Point.of(point.endpoint, point.load, name=point.name, axes=point.axes))

        def take(result: Request | Ping) -> None:
            numbered = msgspec.structs.replace(result, number=result.number + before)
            measured.take(moved(numbered, -self.zero_ns) if self.zero_ns else numbered)
            if self.session is not None:
                self.session.row(point.name, numbered)
            if self.keeps_rows:
                self.rows[point.name].append(numbered)

        def miss(_endpoint: str, why: Unsent) -> None:
            measured.miss(why)
            if self.session is not None:
                self.session.miss(point.name, why)

        def stopped(begin_ns: int, end_ns: int) -> None:
            measured.flights.course.stops.append((begin_ns - self.zero_ns, end_ns - self.zero_ns))

        await drive([point.endpoint], self.campaign.profile, block.plan, take, miss, deps, stopped=stopped)

    def named(self) -> list[Measured]:
        """What was measured, each with the name of its point."""
        return [replace(measured, endpoint=name) for name, measured in self.measured.items()]

    def asked(self) -> list[tuple[str, str]]:
        """Every gate that is judged, each with a point that it is about."""
        return [
            (gate.expression.text, point.name)
            for point in self.campaign.points
            for gate in gates_of(point, self.campaign.gates)
            if gate.applies_to(self.measured[point.name])
        ]

    def tripped(self) -> list[Tripped]:
        """All gates that a point did not pass; undecided ones are among them. Points that an early end left out are not
        judged."""
        ended_early = self.stopped_by is not None or self.ran_out
        return [
            replace(each, endpoint=point.name)
            for point in self.campaign.points
            if self.measured[point.name].offered or not ended_early
            for each in judge(gates_of(point, self.campaign.gates), [self.measured[point.name]])
        ]


def left_of(
    blocks: Sequence[PointBlock], done: Mapping[str, Done], ended_points: Collection[str]
) -> Iterator[PointBlock]:
    """What is left of the blocks: what there is of a point takes the place of its first ones."""
    sent = {name: each.sent for name, each in done.items()}
    spent_s = {name: each.elapsed_s for name, each in done.items()}
    for block in blocks:
        name, plan = block.point.name, block.plan
        there = min(plan.requests or 0, sent.get(name, 0))
        there_s = min(plan.for_s or 0.0, spent_s.get(name, 0.0))
        sent[name], spent_s[name] = sent.get(name, 0) - there, spent_s.get(name, 0.0) - there_s
        requests = None if plan.requests is None else plan.requests - there
        for_s = None if plan.for_s is None else plan.for_s - there_s
        if name in ended_points or requests == 0 or (for_s is not None and for_s < DONE_S):
            continue
        yield PointBlock(block.point, replace(plan, requests=requests, for_s=for_s, already=there))


class CampaignProgress:
    """How far a campaign is, and when it will have ended."""

    tells_end = True

    def __init__(
        self,
        blocks: Sequence[PointBlock],
        measured: Mapping[str, Measured],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._blocks = blocks
        self._measured = measured
        self._clock = clock
        self._began = self._block_began = clock()
        self._finished = 0
        """Blocks that have ended."""
        self._before = 0
        """Requests of the point that had ended before its block began."""
        self._took: dict[str, tuple[float, int]] = {}
        """By point, how long its blocks took, in seconds, and how many requests ended in them."""
        self._is_timed = any(block.plan.for_s is not None for block in blocks)

    @property
    def length(self) -> int:
        return sum(map(self._steps, self._blocks))

    @property
    def in_requests(self) -> bool:
        return not self._is_timed

    def begin(self, block: PointBlock) -> None:
        """A block begins."""
        self._block_began, self._before = self._clock(), self._ended(block)

    def end(self) -> None:
        """It has ended."""
        block = self._blocks[self._finished]
        self._took[block.point.name] = self._pace(block)
        self._finished += 1
        self._block_began = self._clock()

    def done(self) -> int:
        whole = sum(map(self._steps, self._blocks[: self._finished]))
        if (block := self._block) is None:
            return whole
        elapsed_s = self._clock() - self._block_began
        now = elapsed_s * STEPS_PER_S if self._is_timed else self._ended(block) - self._before
        return whole + min(self._steps(block), int(now))

    def beside_bar(self) -> str:
        block = self._block
        where = "" if block is None else f"  {block.point.name}, block {self._finished + 1} of {len(self._blocks)}"
        return f"{self._left()}{self._failed()}{where}"

    def line(self) -> str:
        of = "" if self._is_timed else f" of {units.count(self.length)}"
        total, block = ended(list(self._measured.values())), min(self._finished + 1, len(self._blocks))
        spent = f"{round(self._clock() - self._began)} s"
        return (
            f"{units.count(total)}{of} requests{self._failed()}, block {block} of {len(self._blocks)}, {spent}, "
            f"{self._left()}"
        )

    @property
    def _block(self) -> PointBlock | None:
        return self._blocks[self._finished] if self._finished < len(self._blocks) else None

    def _failed(self) -> str:
        return f", {units.count(failed(list(self._measured.values())))} failed"

    def _left(self) -> str:
        seconds = self.seconds_left()
        return "time left unknown" if seconds is None else f"{units.span(round(seconds * 1e9))} left"

    def seconds_left(self) -> float | None:
        """How long it will take until the end; None where nothing is known of that yet."""
        if (block := self._block) is None:
            return 0.0
        paces = {**self._took, block.point.name: self._pace(block)}
        expected = [expected_s(each, paces, self._blocks) for each in self._blocks[self._finished :]]
        known = [each for each in expected if each is not None]
        if len(known) < len(expected):
            return None
        elapsed_s = self._clock() - self._block_began
        return max(0.0, known[0] - elapsed_s) + sum(known[1:])

    def _pace(self, block: PointBlock) -> tuple[float, int]:
        """Of the block's point, the block that is under way included."""
        seconds, requests = self._took.get(block.point.name, (0.0, 0))
        return seconds + self._clock() - self._block_began, requests + self._ended(block) - self._before

    def _ended(self, block: PointBlock) -> int:
        return ended([self._measured[block.point.name]])

    def _steps(self, block: PointBlock) -> int:
        if self._is_timed:
            return max(1, round((block.plan.for_s or 0.0) * STEPS_PER_S))
        return block.plan.requests or 1


def expected_s(block: PointBlock, paces: Mapping[str, tuple[float, int]], blocks: Sequence[PointBlock]) -> float | None:
    """How long a block takes, in seconds: as its plan has it, else by the pace of its point (seconds, requests), else
    by that of the others, as if every request took as long there; None where no request has ended yet."""
    plan = block.plan
    limits = [] if plan.for_s is None else [plan.for_s]
    if plan.requests is not None and plan.rate is not None:
        limits.append(plan.requests / plan.rate)
    elif plan.requests is not None and (each_s := _each_s(block.point, paces, blocks)) is not None:
        limits.append(plan.requests * each_s)
    return min(limits) if limits else None


def _each_s(point: CampaignPoint, paces: Mapping[str, tuple[float, int]], blocks: Sequence[PointBlock]) -> float | None:
    seconds, requests = paces.get(point.name, (0.0, 0))
    if requests:
        return seconds / requests
    concurrency = {each.point.name: each.point.load.concurrency for each in blocks if each.point.load.rate is None}
    others = [
        seconds / requests * concurrency[name]
        for name, (seconds, requests) in paces.items()
        if requests and name in concurrency
    ]
    return sum(others) / len(others) / point.load.concurrency if others else None
