"""How far a benchmark is, shown while it runs: a bar on a terminal, else a line every 10 s."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import click

from gwtui.bench.results.measured import Measured
from gwtui.bench.work.plan import Order, Plan
from gwtui.text import units
from gwtui.text.tables import cells, cut

PERIOD_S = 0.1
LINE_PERIOD_S = 10.0
LABEL = "measuring"
WIDE = 110
"""Columns of a terminal with room for a bar of `WIDTH`; in others it is `NARROW`."""
WIDTH, NARROW = 36, 12


class RunProgress(Protocol):
    """What is shown."""

    @property
    def length(self) -> int:
        """Of the whole, in steps; 1 or more."""

    @property
    def in_requests(self) -> bool:
        """Whether a step is a request, and the bar names their number."""

    @property
    def tells_end(self) -> bool:
        """Whether its words say when it will have ended; else the bar does."""

    def done(self) -> int:
        """Steps that are done."""

    def beside_bar(self) -> str: ...

    def line(self) -> str:
        """For a log."""


@asynccontextmanager
async def shown(progress: RunProgress) -> AsyncIterator[None]:
    """Show how far it is while the block runs."""
    if sys.stderr is None:
        yield
        return
    if not sys.stderr.isatty():
        async with _kept_up(_saying(progress)):
            yield
        return

    columns = shutil.get_terminal_size().columns
    width = WIDTH if columns >= WIDE else NARROW

    def words(_: int | None) -> str:
        position = f"  {progress.length}/{progress.length}" if progress.in_requests else ""
        eta = "" if progress.tells_end else "  00:00:00"
        return cut(progress.beside_bar(), columns - 1 - cells(f"{LABEL}  []  {position}{eta}") - width)

    with click.progressbar(
        length=progress.length,
        file=sys.stderr,
        label=LABEL,
        width=width,
        item_show_func=words,
        show_pos=progress.in_requests,
        show_eta=not progress.tells_end,
    ) as bar:

        def update() -> None:
            bar.update(progress.done() - bar.pos)

        async def keep_updating() -> None:
            while True:
                update()
                await asyncio.sleep(PERIOD_S)

        try:
            async with _kept_up(keep_updating()):
                yield
        finally:
            update()


@asynccontextmanager
async def _kept_up(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Have it done until the block ends."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _saying(progress: RunProgress) -> None:
    while True:
        await asyncio.sleep(LINE_PERIOD_S)
        with suppress(OSError):  # nobody reads it any more
            click.echo(f"gwtui: {progress.line()}", err=True)


@dataclass(slots=True)
class PlanProgress:
    """How far a plan is: in requests, or in tenths of a second."""

    plan: Plan
    rows: Sequence[Measured]
    began: float = field(default_factory=time.monotonic)
    tells_end: bool = False

    @property
    def in_requests(self) -> bool:
        return self.plan.for_s is None

    @property
    def length(self) -> int:
        if self.plan.for_s is None:
            return (self.plan.requests or 0) * len(self.rows)
        total_s = self.plan.for_s * (len(self.rows) if self.plan.order is Order.ONE_BY_ONE else 1)
        return max(1, round(total_s * 10))

    def done(self) -> int:
        if self.in_requests:
            return ended(self.rows)
        return min(round((time.monotonic() - self.began) * 10), self.length)

    def beside_bar(self) -> str:
        return f"{units.many(ended(self.rows), 'request')}, {units.count(failed(self.rows))} failed"

    def line(self) -> str:
        of = f" of {units.count(self.plan.requests * len(self.rows))}" if self.plan.requests is not None else ""
        seconds = round(time.monotonic() - self.began)
        return f"{units.count(ended(self.rows))}{of} requests, {units.count(failed(self.rows))} failed, {seconds} s"


def ended(rows: Sequence[Measured]) -> int:
    """The number of requests that have ended, or never will."""
    return sum(each.total + each.cancelled + each.local for each in rows)


def failed(rows: Sequence[Measured]) -> int:
    return sum(each.failed for each in rows)
