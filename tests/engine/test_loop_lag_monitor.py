"""Where no engine runs, as in a probe, a check or a benchmark, what this machine does to a result is marked too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import pytest
from support.benching import request
from support.monitor_stage import endpoint
from support.scripted import Receive, ScriptedServer, Send, http

from gwtui.checks.collector import CheckDeps, Collected
from gwtui.checks.request_sets import CheckTarget, RequestSet
from gwtui.cli import probe
from gwtui.engine import loop_lag
from gwtui.engine.loop_lag import PERIOD_NS, LoopLagMonitor
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.secrets import resolver

SECOND = 1_000_000_000


class Machine:
    """Its clocks stand still but for what a test does to them; a sleep ends when the test says so."""

    def __init__(self) -> None:
        self.now_ns = self.boot_ns = SECOND
        self.lag_monitor = LoopLagMonitor(lambda: self.now_ns, lambda: self.boot_ns, self._sleep)
        self._asleep, self._awake = asyncio.Event(), asyncio.Event()

    async def _sleep(self, _: float) -> None:
        self._awake.clear()
        self._asleep.set()
        await self._awake.wait()

    async def wake(self) -> None:
        """The loop gets round to who sleeps."""
        await self._asleep.wait()
        self._asleep.clear()
        self._awake.set()
        await asyncio.sleep(0)

    async def measured(self, verdict: Verdict, meanwhile: Callable[[], None]) -> Request | Ping:
        async def probe() -> Request:
            await self._asleep.wait()
            meanwhile()
            await self.wake()
            return request(verdict=verdict)

        return await self.lag_monitor.marked(probe())

    def passes(self, awake_ns: int, asleep_ns: int = 0) -> None:
        self.now_ns += awake_ns
        self.boot_ns += awake_ns + asleep_ns


@pytest.mark.parametrize(
    ("awake_ns", "asleep_ns", "verdict", "becomes", "tainted"),
    [
        (PERIOD_NS, 0, Verdict.COMPLETE, Verdict.COMPLETE, False),
        (SECOND // 2, 0, Verdict.TIMEOUT, Verdict.TIMEOUT, False),
        (5 * SECOND, 0, Verdict.NO_FIRST_BYTE, Verdict.LOCAL, True),
        (5 * SECOND, 0, Verdict.AUTH, Verdict.AUTH, False),
        (PERIOD_NS, 30 * SECOND, Verdict.RESET, Verdict.LOCAL, True),
        (PERIOD_NS, 30 * SECOND, Verdict.COMPLETE, Verdict.COMPLETE, True),
    ],
)
async def test_what_was_measured_in_a_bad_moment_is_marked(
    awake_ns: int, asleep_ns: int, verdict: Verdict, becomes: Verdict, tainted: bool
) -> None:
    machine = Machine()
    async with machine.lag_monitor.watching():
        result = await machine.measured(verdict, lambda: machine.passes(awake_ns, asleep_ns))
    assert (result.verdict, result.tainted) == (becomes, tainted)


async def test_what_passes_between_two_watches_taints_nothing() -> None:
    machine = Machine()
    async with machine.lag_monitor.watching():
        await machine.measured(Verdict.COMPLETE, lambda: None)
    machine.passes(60 * SECOND)
    async with machine.lag_monitor.watching():
        result = await machine.measured(Verdict.COMPLETE, lambda: None)
    assert not result.tainted


class Blocking:
    """A prober that gives up on a gateway after this program stood still for a while."""

    def __init__(self, of: Endpoint) -> None:
        self._of = of

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def wait_ns(self) -> int:
        return 0

    def goes_on(self) -> bool:
        return False

    async def probe(self, number: int, planned_ns: int, trigger: object) -> Request:
        await asyncio.sleep(0)
        threading.Event().wait(0.05)
        return request(self._of.name, number, verdict=Verdict.NO_FIRST_BYTE)


@pytest.fixture
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_lag, "STANDSTILL_NS", SECOND // 40)


@pytest.mark.usefixtures("_still")
async def test_checks_learn_which_of_their_requests_failed_because_of_this_machine() -> None:
    found = Collected(
        CheckTarget(endpoint=endpoint(), profile=Profile()), CheckDeps(prober_for=lambda of, *_: Blocking(of))
    )
    await found.gather(RequestSet.STREAM)
    assert {(result.verdict, result.tainted) for result in found.results()} == {(Verdict.LOCAL, True)}


async def test_the_keys_of_a_check_are_asked_for_beside_the_event_loop_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They expire while it runs, and a password manager takes its time."""
    asked: list[str] = []

    def ask(_: str) -> str:
        asked.append(threading.current_thread().name)
        return "key-of-ours"

    now = [0.0]
    monkeypatch.setattr(resolver, "_kept", resolver.Kept(lambda: now[0]))
    monkeypatch.setitem(resolver._ASKED, "cmd", ask)
    async with ScriptedServer([Receive(), Send(http("200 OK", body=b"{}"))] * 4) as server:
        target = CheckTarget(
            endpoint=Endpoint(name="a", api="openai-chat", url=server.url, key="cmd:ours"), profile=Profile()
        )
        found = Collected(target)
        await found.gather(RequestSet.STREAM)
        now[0] += resolver.KEPT_S
        await found.gather(RequestSet.ANSWER)
    assert asked == ["keys", "keys"]


@pytest.mark.usefixtures("_still")
def test_a_probe_of_a_machine_that_is_held_up_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gwtui.probes.prober.prober_for", lambda of, *_: Blocking(of))
    assert probe.probe(endpoint(), Profile(), as_json=False) != 0
    assert "gwtui itself was stopped for " in capsys.readouterr().out
