"""Running checks for a terminal: each result is printed as it ends, all of them are written at the end."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from gwtui.checks import table
from gwtui.checks.check import Check
from gwtui.checks.files import as_json as told_as_json
from gwtui.checks.files import as_junit
from gwtui.checks.needs import Target
from gwtui.checks.results import CheckOutcome, CheckResult
from gwtui.checks.runner import run_checks
from gwtui.checks.table import Paper

EXIT_OWN_FAULT = 3
FILE_WIDTH = 120
"""How wide lines are that go to a file or a pipe."""
WIDEST = 140
ERASE = "\r\x1b[K"


class OutputError(click.ClickException):
    """The results could not be kept."""

    exit_code = EXIT_OWN_FAULT


Plans = Sequence[tuple[Target, Sequence[Check]]]


def is_screen() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def paper() -> Paper:
    if not is_screen():
        return Paper(FILE_WIDTH)
    return Paper(min(WIDEST, shutil.get_terminal_size().columns), colour=not os.environ.get("NO_COLOR"))


def run(plans: Plans, *, as_json: bool, junit: Path | None) -> bool:
    """Check every target, one after another. Returns whether a check failed."""
    results = asyncio.run(_run(plans, quiet=as_json))
    if as_json:
        click.echo(told_as_json(results))
    if junit is not None:
        _write(junit, as_junit(results))
    return any(result.outcome is CheckOutcome.FAIL for each in results.values() for result in each)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OutputError(f"{path} was not written: {error.strerror or error}") from error


async def _run(plans: Plans, *, quiet: bool) -> dict[str, list[CheckResult]]:
    results: dict[str, list[CheckResult]] = {}
    for number, (target, checks) in enumerate(plans):
        if not checks:
            continue
        if not quiet and number:
            click.echo()
        results[target.endpoint.name] = await _check(target, checks, quiet=quiet)
    return results


async def _check(target: Target, checks: Sequence[Check], *, quiet: bool) -> list[CheckResult]:
    began_ns, sheet = time.perf_counter_ns(), paper()
    results: list[CheckResult] = []
    if not quiet:
        click.echo("\n".join(table.head(target, checks, sheet)))
        _show_pending(checks, 0, sheet)
    async for result in run_checks(target, checks):
        if not quiet:
            lines = table.lines_of(result, sheet, results[-1] if results else None)
            click.echo((ERASE if is_screen() else "") + "\n".join(lines))
            _show_pending(checks, len(results) + 1, sheet)
        results.append(result)
    if not quiet:
        click.echo("\n" + table.summary(results, time.perf_counter_ns() - began_ns, sheet))
    return results


def _show_pending(checks: Sequence[Check], number: int, sheet: Paper) -> None:
    """Name the check that is under way, on a line that its result will take."""
    if number < len(checks) and is_screen():
        click.echo(sheet.paint(table.pending(checks[number]), table.FAINT), nl=False)
