"""Checks asked beside the engine, on command: one run at a time, each result reported as it comes.

What they need is loaded when the first is wanted, and in a thread: a session that is asked for none starts without it,
and no probe waits for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from gwtui.engine.budget import BudgetTracker, most_tokens
from gwtui.model.check_results import CheckRun, PlannedCheck
from gwtui.model.commands import RunChecks
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Notice, Ping, ProfileChanged, Record, Request
from gwtui.probes.prober import Emit
from gwtui.text.sanitize import clean

if TYPE_CHECKING:
    from gwtui.checks.collector import CheckDeps
    from gwtui.checks.request_sets import CheckTarget

log = logging.getLogger(__name__)


class CheckRunner:
    """Enter it, `begin` what is commanded, show it every record; leaving it cancels what is under way."""

    def __init__(
        self,
        profile: Profile,
        emit: Emit,
        budget_tracker: BudgetTracker,
        *,
        deps: CheckDeps | None = None,
        clock: Callable[[], int] = time.perf_counter_ns,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._profile = profile
        self._emit = emit
        self._budget_tracker = budget_tracker
        self._deps = deps
        self._clock = clock
        self._wall = wall
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """By the endpoint's name, in the order in which they were begun."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def see(self, record: Record) -> None:
        """Follow the profile. An endpoint that is gone is asked no more."""
        if isinstance(record, ProfileChanged):
            self._profile = record.profile
            for name, task in self._tasks.items():
                if record.profile.endpoint(name) is None:
                    task.cancel()

    def begin(self, command: RunChecks) -> None:
        """Ask an endpoint all checks, or say in a `Notice` why not."""
        name = command.endpoint
        endpoint = self._profile.endpoint(name)
        if endpoint is None:
            self._notice(f"There is no endpoint called {name}")
        elif name in self._tasks:
            self._notice(f"{name} is already being checked")
        elif spent := self._budget_tracker.spent(self._clock()):
            self._notice(f"{name} is not checked: {spent}")
        else:
            task = asyncio.create_task(self._run(endpoint, command.models))
            self._tasks[name] = task
            task.add_done_callback(partial(self._over, name))

    def _over(self, name: str, task: asyncio.Task[None]) -> None:
        del self._tasks[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the checks of %s broke off", name, exc_info=error)

    async def _run(self, endpoint: Endpoint, models: tuple[str, ...]) -> None:
        before = next((name for name in self._tasks if name != endpoint.name), "")
        await asyncio.to_thread(import_module, "gwtui.checks.runner")
        from gwtui.checks.request_sets import MAX_MODELS, CheckTarget

        if len(models) > MAX_MODELS:
            self._notice(f"{len(models)} models are too many: the maximum is {MAX_MODELS}")
            return
        target = CheckTarget(endpoint=endpoint, profile=self._profile, models=tuple(dict.fromkeys(models)))
        run = self._planned(target, before)
        trouble = "it broke off"
        try:
            async with self._turn:
                if run.waits_for:
                    run = self._report(replace(run, waits_for=""))
                trouble = await self._ask(target, len(run.planned))
        finally:
            self._report(replace(run, waits_for="", ended=True, trouble=trouble))

    def _planned(self, target: CheckTarget, before: str) -> CheckRun:
        from gwtui.checks.planning import checks_for, requests_of

        checks = checks_for(target)
        return self._report(
            CheckRun(
                endpoint=target.endpoint.name,
                now_ns=0,
                started_at=self._wall(),
                planned=tuple(PlannedCheck(check.name, check.title, check.section) for check in checks),
                most_requests=sum(requests_of(checks, target)),
                models=tuple(clean(model) for model in target.models),
                waits_for=before,
            )
        )

    async def _ask(self, target: CheckTarget, planned: int) -> str:
        """Run them all; returns why that came to nothing before the end, or an empty text."""
        from gwtui.checks.collector import CheckDeps
        from gwtui.checks.runner import run_checks

        deps = self._deps or CheckDeps()
        deps = dataclasses.replace(deps, spend=partial(self._spend, target.endpoint))
        async with aclosing(run_checks(target, deps=deps)) as results:
            async for result in results:
                self._emit(result)
                planned -= 1
                if planned and (spent := self._budget_tracker.spent(self._clock())):
                    return spent
        return ""

    def _spend(self, endpoint: Endpoint, result: Request | Ping) -> None:
        """Pings take nothing of a budget."""
        if isinstance(result, Request):
            self._budget_tracker.take(self._clock())
            self._budget_tracker.charge(result, endpoint.price, most_tokens(endpoint))

    def _report(self, run: CheckRun) -> CheckRun:
        run = replace(run, now_ns=self._clock())
        self._emit(run)
        return run

    def _notice(self, text: str) -> None:
        self._emit(Notice(now_ns=self._clock(), text=clean(text)))
