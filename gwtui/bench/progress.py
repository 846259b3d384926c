"""A progress bar on standard error, for people only: where nobody watches there is none."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import click

from gwtui.bench.plan import Order, Plan
from gwtui.bench.results import Measured
from gwtui.text import units

PERIOD_S = 0.1


@asynccontextmanager
async def shown(plan: Plan, measured: Mapping[str, Measured]) -> AsyncIterator[None]:
    """Show how far it is, ten times a second, while the block runs."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    rows = list(measured.values())
    length, done = _scale(plan, rows)

    def told(_: int | None) -> str:
        return _told(rows)

    with click.progressbar(
        length=length, file=sys.stderr, label="measuring", item_show_func=told, show_pos=not plan.for_s
    ) as bar:

        def update() -> None:
            bar.update(done() - bar.pos)

        async def keep_updating() -> None:
            while True:
                update()
                await asyncio.sleep(PERIOD_S)

        task = asyncio.create_task(keep_updating())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            update()


def _scale(plan: Plan, rows: Sequence[Measured]) -> tuple[int, Callable[[], int]]:
    """How long the whole is, and how much of it is done: in requests, or in tenths of a second."""
    if plan.for_s is None:
        return (plan.requests or 0) * len(rows), lambda: sum(_ended(each) for each in rows)
    began = time.monotonic()
    total = plan.for_s * (len(rows) if plan.order is Order.ONE_BY_ONE else 1)
    return max(1, round(total * 10)), lambda: min(round((time.monotonic() - began) * 10), round(total * 10))


def _ended(measured: Measured) -> int:
    return measured.total + measured.cancelled + measured.local


def _told(rows: Sequence[Measured]) -> str:
    failed = sum(each.failed for each in rows)
    return f"{units.count(sum(map(_ended, rows)))} requests, {units.count(failed)} failed"
