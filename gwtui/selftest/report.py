"""The self-test: a session without a screen, one with, and what their errors say about the clock of this machine."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import platform
import sys
import tempfile
from pathlib import Path

import msgspec

from gwtui.gateway.process import running
from gwtui.model.commands import Start
from gwtui.selftest.ground_truth import ClockErrors, Spread
from gwtui.selftest.load import USUAL
from gwtui.selftest.trial import Trial, headless, on_screen
from gwtui.text.tables import TextColumn, table
from gwtui.text.units import MISSING, count, duration, many

SERVER = (sys.executable, "-P", "-m", "gwtui.selftest.server")
COLUMNS = tuple(map(TextColumn, (11, 29, 27, 17, 9)))


class Results(msgspec.Struct, frozen=True, kw_only=True):
    machine: str
    headless: Trial
    on_screen: Trial

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()


def run(seconds: float) -> Results:
    """Run both sessions, one after the other, each for `seconds`."""
    load = dataclasses.replace(USUAL, seconds=seconds)
    with running(SERVER) as server, tempfile.TemporaryDirectory() as place:

        def start(name: str) -> Start:
            return load.start(server.url, str(Path(place, name)))

        plain = asyncio.run(headless(start("headless")))
        shown = on_screen(start("on-screen"))
    return Results(machine=machine(), headless=plain, on_screen=shown)


def machine() -> str:
    """What it ran on, in a line."""
    cpus = os.cpu_count() or 1
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{platform.system()} {platform.release()} {platform.machine()}, {cpus} CPUs, {python}"


def as_text(results: Results) -> str:
    """A short table, and a sentence to take away."""
    heads = ("", "arrival error p50 / p99 / max", "TTFT error p50 / p99 / max", "engine, of a core", "front end")
    rows = [_row("no screen", results.headless), _row("screen on", results.on_screen)]
    lines = (results.machine, "", *table((heads, *rows), COLUMNS), "", *_sentences(results.on_screen.errors))
    return "\n".join(lines)


def _row(name: str, trial: Trial) -> tuple[str, ...]:
    errors, cost = trial.errors, trial.cost
    engine = _share(cost.engine_ns, cost.wall_ns) if cost is not None else MISSING
    front = _share(cost.front_ns, cost.wall_ns) if cost is not None else MISSING
    return (name, describe(errors.arrivals), describe(errors.ttft), engine, front)


def describe(spread: Spread) -> str:
    """p50, p99 and max."""
    return " / ".join(map(duration, (spread.p50_ns, spread.p99_ns, spread.max_ns)))


def _share(part_ns: int | None, whole_ns: int) -> str:
    return MISSING if part_ns is None else f"{part_ns / whole_ns:.0%}"


def _sentences(errors: ClockErrors) -> list[str]:
    clocks = " and ".join(sorted(errors.clocks)) or "none"
    said = [
        f"Stamps: {clocks}. Of {count(errors.arrivals.n)} arrivals with the screen on, 99 % were measured to within "
        f"{duration(errors.arrivals.p99_ns)}, and half to within {duration(errors.arrivals.p50_ns)}."
    ]
    if errors.early:
        said.append(f"{many(errors.early, 'stamp')} from before the event was sent: a clock here is off.")
    if errors.tainted:
        said.append(f"{many(errors.tainted, 'request')} with times in doubt: this machine is busy.")
    return said
