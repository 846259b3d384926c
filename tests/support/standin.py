"""A gateway and its probers that a test drives by events, and an engine that probes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from msgspec.structs import replace

from gwtui.engine import Engine
from gwtui.model.commands import Command
from gwtui.model.enums import Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Heartbeat, Ping, Record, Request, RequestStarted
from gwtui.model.verdicts import Verdict
from gwtui.session.record_pipeline import RecordPipeline

from .running import Emitted, running


class Gateway:
    """A stand-in for gateway and probers: answers at once, or holds what is under way until `open` is set."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.verdict = Verdict.COMPLETE
        self.result: dict[str, Any] = {}
        """Further fields of every result."""
        self.stopped_at_ns: int | None = None
        self.skipped_ns = 0
        self.probers: list[FakeProber] = []
        self.under_way = 0
        self.most_under_way = 0
        self.planned: list[int] = []
        self.skip_while_probing_ns = 0

    def clock(self) -> int:
        """Runs with the real one, plus what was skipped, unless a test has stopped it."""
        return (time.perf_counter_ns() if self.stopped_at_ns is None else self.stopped_at_ns) + self.skipped_ns

    def prober_for(self, endpoint: Endpoint, profile: Profile, emit: Callable[[Record], None]) -> FakeProber:
        prober = FakeProber(self, endpoint, emit)
        self.probers.append(prober)
        return prober


class FakeProber:
    def __init__(self, gateway: Gateway, endpoint: Endpoint, emit: Callable[[Record], None]) -> None:
        self.gateway = gateway
        self.endpoint = endpoint
        self.emit = emit
        self.is_open = False
        self.probes = 0

    async def __aenter__(self) -> Self:
        self.is_open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_open = False

    def wait_ns(self) -> int:
        return 0

    def goes_on(self) -> bool:
        turns = self.endpoint.turns
        return bool(turns) and self.probes % len(turns) > 0

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Request | Ping:
        gateway = self.gateway
        self.probes += 1
        gateway.planned.append(planned_ns)
        lateness_ns = gateway.clock() - planned_ns
        assert lateness_ns >= 0
        started = RequestStarted(
            endpoint=self.endpoint.name, number=number, started_at=0, now_ns=gateway.clock(), trigger=trigger
        )
        self.emit(started)
        gateway.under_way += 1
        gateway.most_under_way = max(gateway.most_under_way, gateway.under_way)
        try:
            await gateway.open.wait()
            await asyncio.sleep(0)
            gateway.skipped_ns += gateway.skip_while_probing_ns
        except asyncio.CancelledError:
            self.emit(self._result(number, trigger, lateness_ns, Verdict.CANCELLED))
            raise
        finally:
            gateway.under_way -= 1
        return self._result(number, trigger, lateness_ns, gateway.verdict)

    def _result(self, number: int, trigger: Trigger, lateness_ns: int, verdict: Verdict) -> Request:
        return Request(
            endpoint=self.endpoint.name,
            number=number,
            started_at=0,
            now_ns=self.gateway.clock(),
            api=self.endpoint.api,
            model=self.endpoint.model or "",
            trigger=trigger,
            verdict=verdict,
            rule="x",
            lateness_ns=lateness_ns,
            **self.gateway.result,
        )


class Session(Emitted):
    """A running engine, and all that it has reported with what it means."""

    def __init__(self, profile: Profile, **options: Any) -> None:
        super().__init__()
        self.engine = Engine(profile, RecordPipeline(profile, self.emit).put, seed=1, **options)

    def send(self, *commands: Command) -> None:
        for command in commands:
            self.engine.handle(command)

    def results(self, name: str = "a", trigger: Trigger | None = None) -> list[Request]:
        return [r for r in self.all(Request) if r.endpoint == name and trigger in (None, r.trigger)]

    async def results_of(self, name: str, count: int, trigger: Trigger | None = None) -> list[Request]:
        await self.until(lambda: len(self.results(name, trigger)) >= count)
        return self.results(name, trigger)


def endpoint(name: str = "a", **changes: Any) -> Endpoint:
    return replace(Endpoint(name=name, api="openai-chat", url="http://127.0.0.1:1"), **changes)


def profile(*endpoints: Endpoint, interval_s: float = 0.02) -> Profile:
    return Profile(endpoints=endpoints or (endpoint(),), interval_s=interval_s)


@asynccontextmanager
async def session(
    gateway: Gateway, of: Profile | None = None, stop_after_s: float | None = None, **options: Any
) -> AsyncIterator[Session]:
    """Runs an engine for the block, stops it, and proves that nothing is left behind."""
    before = asyncio.all_tasks()
    it = Session(of or profile(), prober_for=gateway.prober_for, clock=gateway.clock, **options)
    async with running(it.engine, stop_after_s):
        await it.until(lambda: it.all(Heartbeat))
        yield it
    assert asyncio.all_tasks() == before
    assert not any(prober.is_open for prober in gateway.probers)
    assert gateway.under_way == 0
