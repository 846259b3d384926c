"""Days in minutes: millions of records through recorder, health, pipe, monitor and screen; memory has to stay."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from gwtui.model.commands import Start
from gwtui.selftest.cpu_meter import cpu_ns
from gwtui.selftest.terminal import Terminal, terminal

from .fiction import fiction_profile
from .figures import Figure
from .programs import environment, module
from .soaking import NOTES, rss_kib

ENDPOINTS = 20
PATIENCE_S = 1.0
"""How long the screen may take for what is still in the pipe."""


class Note(NamedTuple):
    """How things are after so many records."""

    records: int
    engine_kib: int
    screen_kib: int
    screen_cpu_ns: int


def run(short: bool, records: int) -> Iterator[Figure]:
    count = min(records, 3_000) if short else records
    with tempfile.TemporaryDirectory() as place:
        start, progress = Path(place, "start.json"), Path(place, "progress")
        session = Start(profile=fiction_profile(ENDPOINTS), session_dir=str(Path(place, "session")))
        start.write_bytes(msgspec.json.encode(session))
        engine = json.dumps(module("soaking", str(count), str(progress)))
        began = time.monotonic()
        with terminal(module("showing", str(start), engine), environment()) as screen:
            seen = list(_watched(screen, progress))
            took = time.monotonic() - began
            screen.type("q")
            screen.wait_for_end(10.0)
        rows = sum(path.stat().st_size for path in Path(place, "session").glob("*.csv*"))
    assert len(seen) == NOTES, screen.screen()
    marks = ", ".join(f"{(note.engine_kib + note.screen_kib) / 1024:.0f}" for note in seen)
    engine_mb, screen_mb = seen[-1].engine_kib / 1024, seen[-1].screen_kib / 1024
    both = f"{engine_mb + screen_mb:.0f} MB ({engine_mb:.0f} engine, {screen_mb:.0f} screen)"
    yield Figure(f"RSS of both after {count:,} records of {ENDPOINTS} endpoints", both, "<= 150 MB")
    yield Figure("  at each tenth of them, MB", marks, "flat")
    yield Figure("  CPU of the screen for 1,000 records, ms", ", ".join(_costs(seen)), "constant")
    yield Figure("  records/s through all of it, and rows on disk", f"{count / took:,.0f}; {rows / 1e6:.1f} MB")


def _watched(screen: Terminal, progress: Path) -> Iterator[Note]:
    """A note whenever the engine makes its own."""
    noted = 0
    while noted < NOTES:
        time.sleep(0.1)
        lines = progress.read_text().splitlines() if progress.exists() else []
        if len(lines) == NOTES:
            time.sleep(PATIENCE_S)
        for each in lines[noted:]:
            records, engine_kib = map(int, each.split())
            yield Note(records, engine_kib, rss_kib(screen.process.pid), cpu_ns(screen.process.pid) or 0)
        if len(lines) > noted:
            noted = len(lines)
        elif screen.process.poll() is not None:
            return


def _costs(seen: list[Note]) -> Iterator[str]:
    """From each note to the next: what taking records in and drawing frames of them took."""
    for before, after in pairwise(seen):
        thousands = (after.records - before.records) / 1000
        yield f"{(after.screen_cpu_ns - before.screen_cpu_ns) / 1e6 / thousands:.0f}"
