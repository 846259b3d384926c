"""Results as a benchmark gets them, and a world with a time of its own for those who send the requests."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from types import TracebackType
from typing import Any, Self

from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.run.runner import ProbeDeps
from gwtui.model.enums import Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Record, Request
from gwtui.model.verdicts import Verdict

from .monitor_stage import MS, SECOND, endpoint

NOON = 1_767_182_400.0


def request(name: str = "gateway", number: int = 1, e2e_ms: float | None = 100, **fields: Any) -> Request:
    """A good request unless `fields` say otherwise; `ttft_ms` and its like may be given in milliseconds."""
    for field in [field for field in fields if field.endswith("_ms")]:
        fields[f"{field[:-3]}_ns"] = round(fields.pop(field) * MS)
    own: dict[str, Any] = {
        "endpoint": name,
        "number": number,
        "started_at": NOON,
        "now_ns": 0,
        "api": "anthropic-messages",
        "verdict": Verdict.COMPLETE,
        "rule": "anthropic.message_stop",
        "status": 200,
        "trace_id": f"trace-{number}",
        "duration_ns": None if e2e_ms is None else round(e2e_ms * MS),
        "sent_ns": None if e2e_ms is None else fields.get("planned_ns", 0) + fields.get("lateness_ns", 0),
    }
    return Request(**(own | fields))


def ping(name: str = "ws", number: int = 1, rtt_ms: float | None = 10, **fields: Any) -> Ping:
    own: dict[str, Any] = {
        "endpoint": name,
        "number": number,
        "started_at": NOON,
        "now_ns": 0,
        "verdict": Verdict.NO_PONG if rtt_ms is None else Verdict.PONG,
        "rule": "websocket.pong",
        "rtt_ns": None if rtt_ms is None else round(rtt_ms * MS),
        "sent_ns": None if rtt_ms is None else fields.get("planned_ns", 0) + fields.get("lateness_ns", 0),
        "status": 101,
    }
    return Ping(**(own | fields))


def measured(name: str, e2e_ms: Sequence[float], failed: int = 0, api: str = "anthropic-messages") -> Measured:
    """An endpoint with these whole latencies, in an order by chance, and that many truncated streams."""
    each = empty([endpoint(name, api)])[name]
    for number, value in enumerate(Random(len(e2e_ms)).sample(e2e_ms, len(e2e_ms)), 1):
        each.take(ping(name, number, value) if api == "websocket" else request(name, number, value))
    for number in range(failed):
        each.take(request(name, len(e2e_ms) + 1 + number, verdict=Verdict.TRUNCATED, reason="cut after 3 events"))
    return each


class World:
    """Virtual time: it moves to the next thing that anybody waits for, once nothing else happens.

    Its gateways take `takes_ms` per request, the n-th that long where it is a function.
    """

    def __init__(self, takes_ms: float | Callable[[int], float] = 10) -> None:
        self.now_ns = 5 * SECOND
        self.log: list[tuple[str, int, float, float]] = []
        """Endpoint, number, and when it began and was planned, in ms since the start."""
        self.probers: list[str] = []
        self.open = 0
        self.most_at_once = 0
        self.result: dict[str, Any] = {}
        """Fields of every result."""
        self._at_once = 0
        self._takes = takes_ms if callable(takes_ms) else lambda _: takes_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    @property
    def deps(self) -> ProbeDeps:
        return ProbeDeps(
            prober_for=self._prober_for,
            clock=lambda: self.now_ns,
            asleep=lambda: self.now_ns,
            sleep=self.sleep,
            sleep_punctually=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        done = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now_ns + max(1, round(seconds * 1e9)), next(self._order), done))
        await done

    async def run(self, work: Any) -> None:
        """Let time pass until the work is done."""
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleepers and not task.done():
                self.now_ns, _, done = heapq.heappop(self._sleepers)
                if not done.done():
                    done.set_result(None)
        await task

    def _prober_for(self, endpoint: Endpoint, profile: Profile, emit: Callable[[Record], None]) -> WorldProber:
        self.probers.append(endpoint.name)
        return WorldProber(self, endpoint.name, emit)

    async def serve(self, name: str, number: int, planned_ns: int) -> Request:
        began_ns, self._at_once = self.now_ns, self._at_once + 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        self.log.append((name, number, (began_ns - 5 * SECOND) / MS, (planned_ns - 5 * SECOND) / MS))
        try:
            await self.sleep(self._takes(len(self.log)) / 1000)
        finally:
            self._at_once -= 1
        took_ns = self.now_ns - began_ns
        stamps = {"planned_ns": planned_ns, "lateness_ns": began_ns - planned_ns, "now_ns": self.now_ns}
        return request(name, number, took_ns / MS, **stamps, **self.result)


class WorldProber:
    def __init__(self, world: World, name: str, emit: Callable[[Record], None]) -> None:
        self._world, self._name, self._emit = world, name, emit

    async def __aenter__(self) -> Self:
        self._world.open += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._world.open -= 1

    def wait_ns(self) -> int:
        return 0

    def goes_on(self) -> bool:
        return False

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Request:
        try:
            return await self._world.serve(self._name, number, planned_ns)
        except asyncio.CancelledError:
            self._emit(request(self._name, number, verdict=Verdict.CANCELLED))
            raise
