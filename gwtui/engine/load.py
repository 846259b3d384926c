"""Load on one endpoint, or on several in turns: the one driver of bursts and benchmarks.

Requests of a *closed loop* start when one before them has ended; those of an *open loop* (`rate`) are due at fixed
times, whatever became of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Generic, Self, TypeVar

from gwtui.probes.prober import Prober

MemberT = TypeVar("MemberT")


def alternating(members: Sequence[MemberT], rounds: int | None = None) -> Iterator[MemberT]:
    """A B B A A B B A ...: a steady drift of the network weighs on all members alike. `rounds`: requests to each; None:
    no end."""
    for turn in count() if rounds is None else range(rounds):
        yield from members if turn % 2 == 0 else reversed(members)


@dataclass(slots=True)
class _Lane(Generic[MemberT]):
    member: MemberT
    idle: list[Prober] = field(default_factory=list)
    number: int = 0


class LoadDriver(Generic[MemberT]):
    """Sends requests to its members in turns, at most `concurrency` at once, and keeps their connections between them.

    `prober_of` makes a prober of a member. `probe` is given a member, one of its probers, the number of the request
    (from 1 in each `send`) and when it is due; it answers whether more may follow. Leaving the context closes all
    connections.
    """

    def __init__(
        self,
        members: Sequence[MemberT],
        concurrency: int,
        prober_of: Callable[[MemberT], Prober],
        probe: Callable[[MemberT, Prober, int, int], Awaitable[bool]],
        *,
        clock: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
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

    async def send(
        self,
        requests: int | None,
        *,
        for_s: float | None = None,
        rate: float | None = None,
        miss: Callable[[MemberT], None] = lambda _: None,
    ) -> None:
        """Send `requests` to each member, or as many as fit into `for_s`; `rate` is requests a second to each.

        `miss` is given the member of every request of an open loop that was due and found no room before the time was
        up. Returns when the last one has ended.
        """
        begin_ns = self._clock()
        end_ns = begin_ns + int(for_s * 1e9) if for_s is not None else None
        step_ns = 1e9 / (rate * len(self._members)) if rate is not None else 0.0
        room = asyncio.Semaphore(self._concurrency)
        for lane in self._lanes:
            lane.number = 0
        async with asyncio.TaskGroup() as group:
            for turn, lane in enumerate(alternating(self._lanes, requests)):
                due_ns = begin_ns + int(turn * step_ns)
                if end_ns is not None and due_ns >= end_ns:
                    return
                await self._until(due_ns)
                await room.acquire()
                if self._stopped:
                    return
                if end_ns is not None and self._clock() >= end_ns:
                    if not step_ns:
                        return
                    miss(lane.member)
                    room.release()
                    continue
                lane.number += 1
                work = self._work(lane, lane.number, due_ns if step_ns else self._clock())
                group.create_task(work).add_done_callback(lambda _: room.release())

    async def _work(self, lane: _Lane[MemberT], number: int, due_ns: int) -> None:
        """Probe with the prober that was used last, whose connection is warm, or with a new one."""
        if lane.idle:
            prober = lane.idle.pop()
        else:
            prober = await self._probers.enter_async_context(self._prober_of(lane.member))
        if not await self._probe(lane.member, prober, number, due_ns):
            self._stopped = True
        lane.idle.append(prober)

    async def _until(self, due_ns: int) -> None:
        while (left_ns := due_ns - self._clock()) > 0:
            await self._sleep(left_ns / 1e9)
