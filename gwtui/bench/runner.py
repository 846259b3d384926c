"""One run of a benchmark: what is to be done, and what came of it, however it ended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from signal import Signals
from typing import Self

from gwtui.bench import progress
from gwtui.bench.csv_out import request_line
from gwtui.bench.load import drive
from gwtui.bench.plan import Plan
from gwtui.bench.results import Measured, empty
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request


@dataclass(slots=True)
class BenchRun:
    """A benchmark and its results, which are there from the start and grow while it is driven."""

    plan: Plan
    measured: dict[str, Measured]
    """By endpoint, in their order. Of an open loop, counted from the planned sends."""
    actual: dict[str, Measured]
    """The same counted from the actual sends; of a closed loop the very same."""
    keeps_rows: bool = False
    rows: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    """By endpoint its requests as lines of CSV, if they are to be kept, each with its number."""
    seconds: float = 0.0
    stopped_by: Signals | None = None

    @classmethod
    def of(cls, endpoints: Sequence[Endpoint], plan: Plan, *, keeps_rows: bool = False) -> Self:
        """Nothing done yet."""
        measured = empty(endpoints, from_planned=plan.rate is not None)
        actual = empty(endpoints) if plan.rate is not None else measured
        return cls(plan, measured, actual, keeps_rows, {each.name: [] for each in endpoints})

    async def drive(self, endpoints: Sequence[Endpoint], profile: Profile) -> None:
        """Carry the plan out, with a progress bar where somebody watches. Cancelled, it keeps what it has."""
        began = time.monotonic()
        try:
            async with progress.shown(self.plan, self.measured):
                await drive(endpoints, profile, self.plan, self.take, self._miss)
        finally:
            self.seconds = time.monotonic() - began

    def take(self, result: Request | Ping) -> None:
        """Count a result."""
        name = result.endpoint
        self.measured[name].take(result)
        if self.actual is not self.measured:
            self.actual[name].take(result)
        if self.keeps_rows:
            self.rows[name].append((result.number, request_line(result)))

    def _miss(self, name: str) -> None:
        self.measured[name].missed += 1

    def lines(self) -> Iterator[bytes]:
        """All rows, endpoint by endpoint, by number."""
        for rows in self.rows.values():
            yield from (line for _, line in sorted(rows))
