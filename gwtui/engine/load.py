"""Load on one endpoint, or on several in turns: the one driver of bursts and benchmarks.

Requests of a *closed loop* start when one before them has ended; those of an *open loop* (`due`) are due at times that
are known before, whatever became of the others.

A prober that may not connect yet is waited for until the time is up, or, where none is set, until its member has not
answered for `PATIENCE_NS`; the rest of that member's requests is then not sent, which is counted and is no result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count, repeat
from types import TracebackType
from typing import Any, Generic, NamedTuple, Self, TypeVar

from gwtui.model.enums import Unsent
from gwtui.probes.prober import Prober

MemberT = TypeVar("MemberT")

PATIENCE_NS = 30_000_000_000
"""Twice the longest pause between two dials."""
DIALS = 100
"""The maximum number of connections that are opened at once: a listener's queue of those it has not yet accepted is
often not much longer."""
STARTS = 8
"""The maximum number of requests that begin before sockets are looked at again."""
PATIENCE = f"{PATIENCE_NS // 1_000_000_000} s"


def alternating(members: Sequence[MemberT], rounds: int | None = None) -> Iterator[MemberT]:
    """A B B A A B B A ...: a steady drift of the network weighs on all members alike. `rounds`: requests to each; None:
    no end."""
    for turn in count() if rounds is None else range(rounds):
        yield from members if turn % 2 == 0 else reversed(members)


TICK_NS = 1_000_000
"""What event loops round the time of a sleep up to."""
SHORT_SLEEP_NS = 5 * TICK_NS
"""A longer sleep may end later by another tick: processors save power meanwhile."""


async def sleep_punctually(seconds: float) -> None:
    """Sleep that long, and wake within microseconds of it where this machine can: the last tick is not slept, but
    others have their turn until the time is there. Below two ticks that would take a whole processor, so the sleep is a
    plain one."""
    end_ns = time.perf_counter_ns() + int(seconds * 1e9)
    spare_ns = TICK_NS // 20 if seconds * 1e9 < SHORT_SLEEP_NS else TICK_NS
    ticks = (int(seconds * 1e9) - spare_ns) // TICK_NS
    if ticks < 1:
        await asyncio.sleep(seconds)
        return
    await asyncio.sleep((ticks * TICK_NS - TICK_NS // 20) / 1e9)
    while time.perf_counter_ns() < end_ns:  # noqa: ASYNC110 - nothing but time is waited for
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class DueRequest:
    """One request that is to be sent now."""

    number: int
    """From 1 for each member in each `send`."""
    due_ns: int
    """When it was due; of a closed loop, now."""
    room_wait_ns: int = 0
    """How long after that it could not be sent: the maximum concurrency was used up, or its member was not to be
    dialled yet."""


@dataclass(slots=True)
class _Lane(Generic[MemberT]):
    member: MemberT
    idle: list[Prober] = field(default_factory=list)
    number: int = 0
    waits_since_ns: int | None = None
    """Since when its probers have to wait; None: they do not."""
    given_up: bool = False


class LoadDriver(Generic[MemberT]):
    """Sends requests to its members in turns, at most `concurrency` at once, and keeps their connections between them.

    `prober_of` makes a prober of a member. `probe` is given a member, one of its probers and what is due; it answers
    whether more may follow. Leaving the context closes all connections.
    """

    def __init__(
        self,
        members: Sequence[MemberT],
        concurrency: int,
        prober_of: Callable[[MemberT], Prober],
        probe: Callable[[MemberT, Prober, DueRequest], Awaitable[bool]],
        *,
        clock: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = sleep_punctually,
    ) -> None:
        self._members = members
        self._concurrency = concurrency
        self._prober_of = prober_of
        self._probe = probe
        self._clock = clock
        self._sleep = sleep
        self._lanes = [_Lane(member) for member in members]
        self._probers = AsyncExitStack()
        self._stopped = False

    async def __aenter__(self) -> Self:
        await self._probers.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._probers.__aexit__(kind, error, trace)

    async def prepare(self, probers: int, connect: Callable[[Prober], Coroutine[Any, Any, None]]) -> None:
        """Make that many probers for each member and have them connect, so that no request has to wait for it."""
        dialling = asyncio.Semaphore(DIALS)

        async def connected(prober: Prober) -> None:
            async with dialling:
                await connect(prober)

        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                for _ in range(probers):
                    prober = await self._probers.enter_async_context(self._prober_of(lane.member))
                    lane.idle.append(prober)
                    group.create_task(connected(prober))

    async def send(
        self,
        requests: int | None,
        *,
        for_s: float | None = None,
        due: Iterable[int] | None = None,
        miss: Callable[[MemberT, Unsent], None] = lambda _member, _why: None,
    ) -> None:
        """Send `requests` to each member, or as many as fit into `for_s`, or as there are due times.

        `due` makes it an open loop: when each turn is due, in ns from the start, in ascending order. Turns go round the
        members as `alternating` has them, so the due times are those of all members together. It is read one by one as
        the load goes on, and may have no end.

        `miss` is given the member of every request that was due and is not sent, and why. Returns when the last one has
        ended.
        """
        begin_ns = self._clock()
        end_ns = begin_ns + int(for_s * 1e9) if for_s is not None else None
        is_open, offsets = due is not None, repeat(0) if due is None else due
        room = _Room(self._concurrency, self._clock)
        for lane in self._lanes:
            lane.number = 0
        turns = zip(offsets, alternating(self._lanes, requests), strict=False)
        async with asyncio.TaskGroup() as group:
            for number, (offset_ns, lane) in enumerate(turns, 1):
                due_ns = begin_ns + offset_ns
                if end_ns is not None and due_ns >= end_ns:
                    return
                await self._until(due_ns)
                if number % STARTS == 0:
                    await asyncio.sleep(0)
                await room.enter()
                is_late = end_ns is not None and self._clock() >= end_ns
                if self._stopped or (is_late and not is_open):
                    return
                if is_late or lane.given_up:
                    miss(lane.member, Unsent.GIVEN_UP if lane.given_up else room.why_late(due_ns))
                    room.leave()
                    continue
                work = self._work(lane, _Due(due_ns, room.free_ns) if is_open else None, end_ns, miss)
                group.create_task(work).add_done_callback(lambda _: room.leave())

    async def _work(
        self, lane: _Lane[MemberT], due: _Due | None, end_ns: int | None, miss: Callable[[MemberT, Unsent], None]
    ) -> None:
        """Probe with the prober that was used last, whose connection is warm, or with a new one. `due`: None where it
        is due when it can be sent."""
        if lane.idle:
            prober = lane.idle.pop()
        else:
            prober = await self._probers.enter_async_context(self._prober_of(lane.member))
        waits = prober.wait_ns() > 0
        if await self._may_send(lane, prober, end_ns):
            lane.number += 1
            if not await self._probe(lane.member, prober, self._request(lane.number, due, waits=waits)):
                self._stopped = True
            if not prober.wait_ns():
                lane.waits_since_ns = None
        elif lane.given_up or due is not None:
            miss(lane.member, Unsent.GIVEN_UP)
        lane.idle.append(prober)

    def _request(self, number: int, due: _Due | None, *, waits: bool) -> DueRequest:
        """`waits`: its prober had to wait until now."""
        if due is None or waits:
            now_ns = self._clock()
            return DueRequest(number, now_ns) if due is None else DueRequest(number, due.at_ns, now_ns - due.at_ns)
        return DueRequest(number, due.at_ns, max(0, due.free_ns - due.at_ns))

    async def _may_send(self, lane: _Lane[MemberT], prober: Prober, end_ns: int | None) -> bool:
        """Wait until the prober may connect again. False: the time is up before, or its member is given up."""
        wait_ns = prober.wait_ns()
        if not wait_ns:
            return True
        now_ns = self._clock()
        if lane.waits_since_ns is None:
            lane.waits_since_ns = now_ns
        last_ns = end_ns if end_ns is not None else lane.waits_since_ns + PATIENCE_NS
        if now_ns + wait_ns < last_ns:
            await self._until(now_ns + wait_ns)
            return not lane.given_up
        if end_ns is None:
            lane.given_up = True
        else:
            await self._until(end_ns)
        return False

    async def _until(self, due_ns: int) -> None:
        while (left_ns := due_ns - self._clock()) > 0:
            await self._sleep(left_ns / 1e9)


class _Due(NamedTuple):
    at_ns: int
    free_ns: int
    """When there was room again, if there was none; else some time before."""


class _Room:
    """Holds the number of requests under way to a maximum."""

    def __init__(self, concurrency: int, clock: Callable[[], int]) -> None:
        self._places = asyncio.Semaphore(concurrency)
        self._clock = clock
        self.free_ns = 0
        """When a request that had waited for room got it last; 0: none had to wait."""

    async def enter(self) -> None:
        """Wait for room."""
        had_none = self._places.locked()
        await self._places.acquire()
        if had_none:
            self.free_ns = self._clock()

    def leave(self) -> None:
        self._places.release()

    def why_late(self, due_ns: int) -> Unsent:
        """Why what was due then was not sent until now."""
        return Unsent.NO_ROOM if self.free_ns > due_ns else Unsent.OWN_LATENESS
