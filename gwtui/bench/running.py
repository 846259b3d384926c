"""Running a benchmark to its end, or to the signal that stops it: either way there is a result."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from gwtui.bench import progress
from gwtui.bench.load import drive
from gwtui.bench.measured import Measured, empty
from gwtui.bench.plan import Plan
from gwtui.bench.writing import request_line
from gwtui.profile import Endpoint, Profile
from gwtui.records import Ping, Request


@dataclass(slots=True)
class Run:
    """What came of a benchmark."""

    plan: Plan
    measured: list[Measured]
    """In the order of the endpoints. Of an open loop, counted from the planned sends."""
    actual: list[Measured]
    """The same counted from the actual sends; of a closed loop the very same."""
    rows: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    """Per endpoint the requests as lines of CSV, if they were to be kept, each with its number."""
    seconds: float = 0.0
    stopped_by: signal.Signals | None = None

    def lines(self) -> Iterator[bytes]:
        """All rows, endpoint by endpoint, by number."""
        for rows in self.rows.values():
            yield from (line for _, line in sorted(rows))


async def run(endpoints: Sequence[Endpoint], profile: Profile, plan: Plan, *, keep_rows: bool) -> Run:
    """Carry the plan out, with a progress bar where somebody watches. Signals end it early."""
    is_open = plan.rate is not None
    measured = empty(endpoints, from_planned=is_open)
    actual = empty(endpoints) if is_open else measured
    rows: dict[str, list[tuple[int, bytes]]] = {each.name: [] for each in endpoints}

    def take(result: Request | Ping) -> None:
        measured[result.endpoint].take(result)
        if is_open:
            actual[result.endpoint].take(result)
        if keep_rows:
            rows[result.endpoint].append((result.number, request_line(result)))

    def miss(name: str) -> None:
        measured[name].missed += 1

    done = Run(plan, list(measured.values()), list(actual.values()), rows)
    began = time.monotonic()
    driving = asyncio.ensure_future(drive(endpoints, profile, plan, take, miss))

    def stop(caught: signal.Signals) -> None:
        done.stopped_by = done.stopped_by or caught
        driving.cancel()

    async with progress.shown(plan, measured):
        with _signals(stop):
            await asyncio.wait({driving})
    done.seconds = time.monotonic() - began
    if not driving.cancelled():
        driving.result()
    return done


@contextmanager
def _signals(stop: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call `stop` for a signal that asks the program to end, where the system lets an event loop catch it."""
    loop = asyncio.get_running_loop()
    caught = []
    try:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if number := getattr(signal, name, None):
                loop.add_signal_handler(number, stop, number)
                caught.append(number)
    except NotImplementedError:
        pass
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
