"""Days in minutes: millions of records through recorder, health, pipe, monitor and screen; memory has to stay."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gwtui.commands import Start
from gwtui.selftest.terminal import Terminal, terminal

from .fiction import fiction_profile
from .figures import Figure
from .programs import environment, module
from .soaking import NOTES, rss_kib

ENDPOINTS = 20
PATIENCE_S = 1.0
"""How long the screen may take for what is still in the pipe."""


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
    marks = ", ".join(f"{(engine + front) / 1024:.0f}" for _, engine, front in seen)
    _, engine_kib, front_kib = seen[-1]
    both = f"{(engine_kib + front_kib) / 1024:.0f} MB ({engine_kib / 1024:.0f} engine, {front_kib / 1024:.0f} screen)"
    yield Figure(f"RSS of both after {count:,} records of {ENDPOINTS} endpoints", both, "<= 150 MB")
    yield Figure("  at each tenth of them, MB", marks, "flat")
    yield Figure("  records/s through all of it, and rows on disk", f"{count / took:,.0f}; {rows / 1e6:.1f} MB")


def _watched(screen: Terminal, progress: Path) -> Iterator[tuple[int, int, int]]:
    """Records so far, and the memory of engine and front end, whenever the engine notes its own."""
    noted = 0
    while noted < NOTES:
        time.sleep(0.1)
        lines = progress.read_text().splitlines() if progress.exists() else []
        if len(lines) == NOTES:
            time.sleep(PATIENCE_S)
        for each in lines[noted:]:
            count, engine_kib = map(int, each.split())
            yield count, engine_kib, rss_kib(screen.process.pid)
        if len(lines) > noted:
            noted = len(lines)
        elif screen.process.poll() is not None:
            return
