"""The engine: probes every endpoint of a profile on its schedule, obeys commands, and reports all as records.

It knows no file, no pipe and no screen, and judges nothing: records leave through `emit`, which must neither block nor
raise. All its tasks live in one TaskGroup, so when `run` returns nothing is left behind.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from gwtui.engine import profile_edits
from gwtui.engine.backoff import Politeness
from gwtui.engine.budget import BudgetTracker, most_tokens
from gwtui.engine.endpoint_runner import SessionCounts, WorkerContext, Workers, ask_now, burst, may_begin, run_trial
from gwtui.engine.loop_lag import LoopLagMonitor
from gwtui.engine.profile_edits import CommandError
from gwtui.engine.provider_lookup import ProviderLookup
from gwtui.engine.schedule import Schedule, offset_ns
from gwtui.engine.suspend import Moment, awake_and_asleep_ns
from gwtui.health.gateway_ledger import GatewayLedger
from gwtui.model.commands import (
    Acknowledge,
    AskNow,
    Burst,
    Command,
    Mark,
    Pause,
    PutEndpoint,
    RemoveEndpoint,
    Resume,
    SetInterval,
    Start,
    Try,
)
from gwtui.model.judged import Acknowledged, LogEntry
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Heartbeat, Notice, ProfileChanged, Record, Request, SessionStarted
from gwtui.probes.prober import Emit, ProberFor
from gwtui.probes.prober import prober_for as any_prober_for
from gwtui.text.sanitize import clean

HEARTBEAT_S = 1.0
MOST_CONCURRENT = 1000
"""A burst has no more workers: each has a client and a socket of its own."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The recorder's part of a heartbeat, by the heartbeat's field names."""

    rows_written: int = 0
    rows_waiting: int = 0
    rows_lost: int = 0
    recorder_error: str = ""
    events_dropped: int = 0


class Engine:
    """Runs one session. `run` it once; `handle` and `stop` are for the same event loop, while it runs."""

    def __init__(
        self,
        profile: Profile,
        emit: Emit,
        *,
        status: Callable[[], Figures] = Figures,
        prober_for: ProberFor = any_prober_for,
        clock: Callable[[], int] = time.perf_counter_ns,
        wall: Callable[[], float] = time.time,
        boot: Callable[[], int] = awake_and_asleep_ns,
        seed: int | None = None,
        session_dir: str | None = None,
    ) -> None:
        self._profile = profile
        self._emit = emit
        self._status = status
        self._clock = clock
        self._wall = wall
        self._boot = boot
        self._rng = Random(seed)  # noqa: S311 - jitter, no secret
        self._session_dir = session_dir
        self._ledger = GatewayLedger(profile)
        self._lookup = ProviderLookup(clock)
        self._lag_monitor = LoopLagMonitor(clock, boot)
        self._context = WorkerContext(
            prober_for=prober_for,
            emit=self._hand_on,
            report=self._report,
            spawn=self._spawn,
            clock=clock,
            lag_monitor=self._lag_monitor,
            lookup=self._lookup,
            profile=lambda: self._profile,
            budget_tracker=BudgetTracker(profile.budget, clock()),
        )
        self._beaten = self._moment()
        self._paused_by_budget: set[str] = set()
        """Endpoints that are paused until there is a new budget."""
        self._untold: set[str] = set()
        """Endpoints of whose answers it was said that they tell no usage."""
        self._was_spent = False
        self._counts: defaultdict[str, SessionCounts] = defaultdict(SessionCounts)
        self._workers: dict[str, Workers] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._stopping = asyncio.Event()

    async def run(self, stop_after_s: float | None = None) -> None:
        """Run until `stop`, or for `stop_after_s` seconds; then requests under way are cancelled and reported so."""
        self._report(
            SessionStarted(
                started_at=self._wall(), now_ns=self._clock(), profile=self._profile, session_dir=self._session_dir
            )
        )
        async with aclosing(self._lookup), asyncio.TaskGroup() as self._group:
            for index, endpoint in enumerate(self._profile.endpoints):
                self._open(endpoint, paused=endpoint.paused, index=index, of=len(self._profile.endpoints))
            self._spawn(self._lag_monitor.watch())
            self._spawn(self._beat())
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(stop_after_s):
                        await self._stopping.wait()
            finally:
                self._stopping.set()
                for task in self._tasks:
                    task.cancel()

    def stop(self) -> None:
        """End the session: `run` returns as soon as all is closed."""
        self._stopping.set()

    @property
    def running(self) -> bool:
        return self._group is not None and not self._stopping.is_set()

    @property
    def budget_tracker(self) -> BudgetTracker:
        """What is left of the budget, also for requests that are sent beside the engine."""
        return self._context.budget_tracker

    def handle(self, command: Command) -> None:
        """Carry a command out, or say in a `Notice` why not."""
        if not self.running:
            self._notice("The engine is not running")
            return
        try:
            self._obey(command)
        except CommandError as error:
            self._notice(str(error))

    def _obey(self, command: Command) -> None:
        match command:
            case Start():
                raise CommandError("The engine is already running")
            case Pause() | Resume():
                self._pause(command)
            case SetInterval():
                self._set_interval(command)
            case PutEndpoint():
                self._put(command)
            case RemoveEndpoint(name=name):
                self._change(profile_edits.remove(self._profile, name))
                self._workers.pop(name).close()
                self._paused_by_budget.discard(name)
            case Burst() | AskNow():
                self._send_now(command)
            case Try(endpoint=endpoint):
                profile_edits.check_api(endpoint)
                if not may_begin(endpoint, self._context):
                    raise CommandError(f"No trial: {self._spent()}")
                self._spawn(run_trial(endpoint, self._profile, self._counts[endpoint.name], self._context))
            case Mark() | Acknowledge():
                self._hear(command)

    def _hear(self, command: Mark | Acknowledge) -> None:
        """Report what the user says of the session."""
        at, now_ns = self._wall(), self._clock()
        if isinstance(command, Mark):
            self._report(LogEntry(at=at, now_ns=now_ns, kind="mark", text=clean(command.text)))
        else:
            note = clean(command.note)
            self._report(Acknowledged(at=at, now_ns=now_ns, incident=command.incident, note=note))

    def _pause(self, command: Pause | Resume) -> None:
        workers = [self._workers[name] for name in self._names(command.endpoint)]
        if isinstance(command, Resume) and (spent := self._spent()) and not all(each.is_websocket for each in workers):
            raise CommandError(f"Not resumed: {spent}")
        for each in workers:
            if isinstance(command, Pause):
                each.pause()
                self._paused_by_budget.discard(each.endpoint.name)
            else:
                each.resume()
        self._report(self.heartbeat())

    def _set_interval(self, command: SetInterval) -> None:
        self._change(profile_edits.set_interval(self._profile, command.interval_s, command.endpoint))
        for name in self._names(command.endpoint):
            self._workers[name].set_interval(command.interval_s)

    def _put(self, command: PutEndpoint) -> None:
        endpoint, replaces = command.endpoint, command.replaces
        profile = profile_edits.put(self._profile, endpoint, replaces)
        paused = endpoint.paused
        if replaces is not None:
            old = profile_edits.find(self._profile, replaces)
            workers = self._workers.pop(replaces)
            workers.close()
            # An edit that does not speak of it leaves an endpoint paused that the user paused.
            was_paused = workers.paused and replaces not in self._paused_by_budget
            paused = was_paused if endpoint.paused == old.paused else endpoint.paused
            self._paused_by_budget.discard(replaces)
        self._change(profile)
        self._open(endpoint, paused=paused)
        self._enforce_budget()
        self._report(self.heartbeat())

    def _send_now(self, command: Burst | AskNow) -> None:
        """Send what does not wait for the schedule."""
        asked = (command.endpoint, *command.others) if isinstance(command, Burst) else command.endpoints
        together = [self._workers[profile_edits.find(self._profile, name).name] for name in dict.fromkeys(asked)]
        if isinstance(command, AskNow):
            ask_now(together, self._spent)
            return
        if command.requests < 1 or not 1 <= command.concurrency <= MOST_CONCURRENT:
            raise CommandError(f"A burst has at least 1 request, and 1 to {MOST_CONCURRENT} at once")
        if (spent := self._spent()) and not all(each.is_websocket for each in together):
            raise CommandError(f"No burst: {spent}")
        burst(together, self._context, command.requests, command.concurrency)

    def _names(self, name: str | None) -> list[str]:
        """The endpoint of that name; None: all."""
        return list(self._workers) if name is None else [profile_edits.find(self._profile, name).name]

    def _change(self, profile: Profile) -> None:
        self._profile = profile
        self._ledger.follow(profile)
        self._report(ProfileChanged(now_ns=self._clock(), profile=profile))

    def _open(self, endpoint: Endpoint, *, paused: bool, index: int = 0, of: int = 1) -> None:
        """Begin to probe an endpoint."""
        interval_ns = int(self._profile.interval_of(endpoint) * 1e9)
        first_ns = offset_ns(self._rng, interval_ns, index, of)
        schedule = Schedule(self._clock(), interval_ns, first_ns, paused=paused)
        counts = self._counts[endpoint.name]
        politeness = Politeness()
        self._workers[endpoint.name] = Workers(endpoint, self._profile, schedule, politeness, counts, self._context)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        assert self._group is not None, "tasks are made while it runs"  # noqa: S101 - for the type checker
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _report(self, record: Record) -> None:
        """Emit a record of the engine's own, or a result."""
        if isinstance(record, Request):
            record = self._ledger.take(record)
        self._emit(record)
        if isinstance(record, Request):
            self._charge(record)

    def _hand_on(self, record: Record) -> None:
        """Emit what a probe says while it is under way."""
        self._ledger.see(record)
        self._emit(record)

    def _notice(self, text: str) -> None:
        self._report(Notice(now_ns=self._clock(), text=clean(text)))

    async def _beat(self) -> None:
        while True:
            self._enforce_budget()
            self._report(self.heartbeat())
            await asyncio.sleep(HEARTBEAT_S)

    def _charge(self, request: Request) -> None:
        endpoint = self._profile.endpoint(request.endpoint)
        price, most = (endpoint.price, most_tokens(endpoint)) if endpoint is not None else (None, 0)
        if self._context.budget_tracker.charge(request, price, most) and request.endpoint not in self._untold:
            self._untold.add(request.endpoint)
            self._announce(f"{request.endpoint}: its answers tell no usage, so the budget counts max_tokens instead")
        self._enforce_budget()

    def _spent(self) -> str:
        return self._context.budget_tracker.spent(self._clock())

    def _enforce_budget(self) -> None:
        """Pause what costs when the budget is spent, and go on when there is a new one."""
        was_spent, spent = self._was_spent, self._spent()
        self._was_spent = bool(spent)
        if spent:
            for name, workers in self._workers.items():
                if not workers.paused and not workers.is_websocket:
                    workers.pause()
                    self._paused_by_budget.add(name)
            if not was_spent:
                self._announce(f"probing pauses: {spent}")
        elif was_spent:
            for name in self._paused_by_budget & self._workers.keys():
                self._workers[name].resume()
            self._paused_by_budget.clear()
            self._announce("probing continues: a new budget begins")

    def _announce(self, text: str) -> None:
        """Say something of our own that must be in the log and be seen at once."""
        self._report(LogEntry(at=self._wall(), now_ns=self._clock(), kind="engine", text=text))
        self._notice(text)

    def _moment(self) -> Moment:
        return Moment(self._clock(), self._boot(), self._wall())

    def heartbeat(self) -> Heartbeat:
        """How it stands now, since the last of these."""
        moment, figures = self._moment(), self._status()
        last, self._beaten = self._beaten, moment
        holds = {name: hold for name, workers in self._workers.items() if (hold := workers.hold()) is not None}
        return Heartbeat(
            at=moment.at,
            now_ns=moment.now_ns,
            lag_ns=self._lag_monitor.take(moment.now_ns),
            missed={name: counts.missed for name, counts in self._counts.items() if counts.missed},
            held={name: counts.held for name, counts in self._counts.items() if counts.held},
            holds=holds,
            due={name: due_ns for name, workers in self._workers.items() if (due_ns := workers.due_ns()) is not None},
            slept_ns=moment.slept_ns(last),
            wall_step_s=moment.wall_step_s(last),
            paused=tuple(name for name, workers in self._workers.items() if workers.paused),
            rows_written=figures.rows_written,
            rows_waiting=figures.rows_waiting,
            rows_lost=figures.rows_lost,
            recorder_error=figures.recorder_error,
            events_dropped=figures.events_dropped,
        )
