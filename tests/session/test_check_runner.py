"""Checks run beside the engine: results are sent as they come, one endpoint at a time, and no harm to the session."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest
from support.checked import request
from support.engines import Child
from support.running import SOON_S, Emitted

from gwtui.checks.collector import CheckDeps
from gwtui.checks.request_sets import MAX_MODELS
from gwtui.engine.budget import BudgetTracker
from gwtui.model.check_results import CheckResult, CheckRun
from gwtui.model.commands import RunChecks, Start
from gwtui.model.enums import Trigger
from gwtui.model.profile import Budget, Endpoint, Price, Profile
from gwtui.model.records import Notice, Ping, ProfileChanged, Request
from gwtui.model.verdicts import Verdict
from gwtui.probes.prober import Emit
from gwtui.session.check_runner import CheckRunner

REFUSED = "http://127.0.0.1:9"
NAMES = ("a", "b")


def profile(*names: str) -> Profile:
    price = Price(input_per_million=1.0)
    endpoints = tuple(Endpoint(name=name, api="openai-chat", url=REFUSED, price=price) for name in names)
    return Profile(endpoints=endpoints, interval_s=0.05)


class Gateway:
    """Answers every request in the same way, as soon as `open` is set."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.was_asked = asyncio.Event()
        self.asked: list[str] = []
        self.fault: Exception | None = None
        self.tokens: int | None = None

    def prober_for(self, endpoint: Endpoint, _profile: Profile, _emit: Emit) -> Prober:
        return Prober(self, endpoint)

    async def sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0)


class Prober:
    def __init__(self, gateway: Gateway, endpoint: Endpoint) -> None:
        self._gateway = gateway
        self._endpoint = endpoint

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def wait_ns(self) -> int:
        return 0

    def goes_on(self) -> bool:
        return False

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Request | Ping:
        self._gateway.asked.append(self._endpoint.name)
        self._gateway.was_asked.set()
        await self._gateway.open.wait()
        if self._gateway.fault is not None:
            raise self._gateway.fault
        tokens = self._gateway.tokens
        return request(
            Verdict.BAD_GATEWAY, endpoint=self._endpoint.name, status=502, duration_ns=1, input_tokens=tokens
        )


class Reported(Emitted):
    """All that was emitted."""

    async def ended(self, *names: str) -> list[CheckRun]:
        """How the runs of these endpoints ended."""
        await self.until(lambda: {run.endpoint for run in self.runs if run.ended} >= set(names))
        return [run for run in self.runs if run.ended]

    @property
    def runs(self) -> list[CheckRun]:
        return self.all(CheckRun)

    @property
    def notices(self) -> list[str]:
        return [record.text for record in self.all(Notice)]

    def results(self, name: str) -> list[CheckResult]:
        return [record for record in self.all(CheckResult) if record.endpoint == name]


@pytest.fixture
async def gateway() -> Gateway:
    return Gateway()


@asynccontextmanager
async def checking(gateway: Gateway, budget: Budget | None = None) -> AsyncIterator[tuple[CheckRunner, Reported]]:
    reported = Reported()
    deps = CheckDeps(prober_for=gateway.prober_for, sleep=gateway.sleep)
    async with CheckRunner(profile(*NAMES), reported.emit, BudgetTracker(budget, 0), deps=deps, clock=lambda: 7) as it:
        yield it, reported


async def test_a_run_is_reported_from_its_plan_to_its_end(gateway: Gateway) -> None:
    gateway.open.set()
    async with checking(gateway) as (it, reported):
        it.begin(RunChecks(endpoint="a", models=("x", "x", "y")))
        (ended,) = await reported.ended("a")
    begun = reported.runs[0]
    assert (begun.ended, begun.waits_for, begun.models) == (False, "", ("x", "y"))
    assert begun.most_requests >= len(gateway.asked) > 0
    assert [each.name for each in begun.planned] == [result.name for result in reported.results("a")] != []
    assert (ended.trouble, ended.started_at, ended.planned) == ("", begun.started_at, begun.planned)


async def test_the_second_endpoint_waits_for_the_first(gateway: Gateway) -> None:
    async with checking(gateway) as (it, reported):
        it.begin(RunChecks(endpoint="a"))
        await reported.until(lambda: reported.runs)
        it.begin(RunChecks(endpoint="b"))
        it.begin(RunChecks(endpoint="a"))
        await reported.until(lambda: len(reported.runs) == 2)
        assert (reported.runs[1].endpoint, reported.runs[1].waits_for) == ("b", "a")
        assert reported.notices == ["a is already being checked"]
        gateway.open.set()
        await reported.ended("a", "b")
    order = [record.endpoint for record in reported.records if isinstance(record, CheckResult)]
    assert order == sorted(order)
    assert set(order) == {"a", "b"}


async def test_what_is_wrong_with_a_command_is_answered(gateway: Gateway) -> None:
    async with checking(gateway) as (it, reported):
        it.begin(RunChecks(endpoint="x"))
        it.begin(RunChecks(endpoint="a", models=tuple(map(str, range(MAX_MODELS + 1)))))
        await reported.until(lambda: len(reported.notices) == 2)
    assert reported.notices == ["There is no endpoint called x", "10 models are too many: the maximum is 9"]
    assert reported.runs == []
    assert gateway.asked == []


async def test_an_endpoint_that_is_gone_is_asked_no_more(gateway: Gateway) -> None:
    async with checking(gateway) as (it, reported):
        it.begin(RunChecks(endpoint="a"))
        await reported.until(lambda: reported.runs)
        it.see(ProfileChanged(now_ns=8, profile=profile("b")))
        (ended,) = await reported.ended("a")
        assert ended.trouble == "it broke off"
        it.begin(RunChecks(endpoint="a"))
        assert reported.notices == ["There is no endpoint called a"]


async def test_leaving_ends_what_is_under_way(gateway: Gateway) -> None:
    before = asyncio.all_tasks()
    async with checking(gateway) as (it, reported):
        it.begin(RunChecks(endpoint="a"))
        it.begin(RunChecks(endpoint="b"))
        await asyncio.wait_for(gateway.was_asked.wait(), SOON_S)
    assert asyncio.all_tasks() == before
    assert reported.results("a") == []


async def test_a_run_that_breaks_is_reported_and_the_next_one_runs(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.open.set()
    gateway.fault = ZeroDivisionError("a fault of our own")
    async with checking(gateway) as (it, reported):
        it.begin(RunChecks(endpoint="a"))
        (broken,) = await reported.ended("a")
        assert broken.trouble == "it broke off"
        gateway.fault = None
        it.begin(RunChecks(endpoint="b"))
        assert (await reported.ended("b"))[-1].trouble == ""
    assert "the checks of a broke off" in caplog.text


async def test_checks_take_of_the_budget_and_end_with_it(gateway: Gateway) -> None:
    gateway.open.set()
    async with checking(gateway, Budget(requests=1, per="session")) as (it, reported):
        it.begin(RunChecks(endpoint="a"))
        (ended,) = await reported.ended("a")
        assert ended.trouble == "the session's budget of 1 requests is spent"
        assert 0 < len(reported.results("a")) < len(ended.planned)
        it.begin(RunChecks(endpoint="b"))
        assert reported.notices == ["b is not checked: the session's budget of 1 requests is spent"]


async def test_checks_take_of_a_budget_of_tokens_and_dollars_too(gateway: Gateway) -> None:
    gateway.open.set()
    gateway.tokens = 600
    for budget in (Budget(tokens=1000, per="session"), Budget(usd=0.001, per="session")):
        async with checking(gateway, budget) as (it, reported):
            it.begin(RunChecks(endpoint="a"))
            (ended,) = await reported.ended("a")
        assert ended.trouble.endswith(" is spent")
        assert 0 < len(reported.results("a")) < len(ended.planned)


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.close()


def test_an_engine_process_checks_beside_its_probes_and_keeps_what_it_found(child: Child, tmp_path: Path) -> None:
    child.send(Start(profile=profile("a"), session_dir=str(tmp_path)), RunChecks(endpoint="a"))
    run = child.until(CheckRun)
    results = [child.until(CheckResult) for _ in run.planned]
    assert [result.name for result in results] == [check.name for check in run.planned]
    assert "refused" in results[0].evidence
    assert child.until(CheckRun).ended
    child.until(Request)
    assert child.end() == (0, "")
    with (tmp_path / "checks.csv").open(newline="") as file:
        assert [row["check"] for row in csv.DictReader(file)] == [result.name for result in results]
