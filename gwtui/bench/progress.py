"""How far a benchmark is, while it runs: a bar on a terminal, a line now and then without one."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import click

from gwtui.bench.plan import Order, Plan
from gwtui.bench.results import Measured
from gwtui.text import units

PERIOD_S = 0.1
LINE_PERIOD_S = 10.0


@asynccontextmanager
async def shown(plan: Plan, measured: Mapping[str, Measured]) -> AsyncIterator[None]:
    """Show how far it is while the block runs: ten times a second on a terminal, else a line every 10 s."""
    rows = list(measured.values())
    if sys.stderr is None:
        yield
        return
    if not sys.stderr.isatty():
        async with _kept_up(_saying(plan, rows)):
            yield
        return
    length, done = _scale(plan, rows)

    def progress(_: int | None) -> str:
        return _progress(rows)

    with click.progressbar(
        length=length, file=sys.stderr, label="measuring", item_show_func=progress, show_pos=not plan.for_s
    ) as bar:

        def update() -> None:
            bar.update(done() - bar.pos)

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


async def _saying(plan: Plan, rows: Sequence[Measured]) -> None:
    began = time.monotonic()
    of = f" of {units.count(plan.requests * len(rows))}" if plan.requests is not None else ""
    while True:
        await asyncio.sleep(LINE_PERIOD_S)
        ended, failed = (units.count(sum(map(count, rows))) for count in (_ended, lambda each: each.failed))
        seconds = round(time.monotonic() - began)
        with suppress(OSError):  # nobody reads it any more
            click.echo(f"gwtui: {ended}{of} requests, {failed} failed, {seconds} s", err=True)


def _scale(plan: Plan, rows: Sequence[Measured]) -> tuple[int, Callable[[], int]]:
    """How long the whole is, and how much of it is done: in requests, or in tenths of a second."""
    if plan.for_s is None:
        return (plan.requests or 0) * len(rows), lambda: sum(_ended(each) for each in rows)
    began = time.monotonic()
    total = plan.for_s * (len(rows) if plan.order is Order.ONE_BY_ONE else 1)
    return max(1, round(total * 10)), lambda: min(round((time.monotonic() - began) * 10), round(total * 10))


def _ended(measured: Measured) -> int:
    return measured.total + measured.cancelled + measured.local


def _progress(rows: Sequence[Measured]) -> str:
    failed = sum(each.failed for each in rows)
    return f"{units.many(sum(map(_ended, rows)), 'request')}, {units.count(failed)} failed"
