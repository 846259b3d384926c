"""From a typed command to a painted screen, and to the first probe."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from gwtui.selftest.cpu_meter import cpu_ns
from gwtui.selftest.terminal import terminal

from .figures import Figure, median
from .programs import environment

PAINTED = "Endpoints"
"""The title of a panel."""
GWTUI = (sys.executable, "-m", "gwtui")
PATIENCE_S = 20.0
ENDED_S = 2.0
"""Requests of the demo that began with it have ended by then."""


def run(short: bool) -> Iterator[Figure]:
    times = 1 if short else 5
    runs = [_demo(0.0 if short else ENDED_S) for _ in range(times)]
    yield Figure("gwtui demo: first painted screen", _ms([painted for painted, _, _ in runs]), "<= 600 ms")
    yield Figure("  CPU time of its process until then", _ms([cpu for _, cpu, _ in runs]))
    yield Figure("gwtui demo: first probe", _ms([probed for _, _, probed in runs]), "<= 1,000 ms")
    yield Figure("gwtui --help", _ms([_took([*GWTUI, "--help"]) for _ in range(times)]), "<= 300 ms")
    for statement in ("pass", "import asyncio", "import httpx", "import textual.app"):
        took = [_took([sys.executable, "-c", statement]) for _ in range(times)]
        yield Figure(f"  python -c '{statement}'", _ms(took))


def _demo(wait_s: float) -> tuple[float, float, float]:
    """Seconds until the first screen was drawn, of CPU until then, and until the first request began, by its row."""
    with tempfile.TemporaryDirectory() as home:
        session = Path(home, "session")
        places = environment(XDG_CONFIG_HOME=home, XDG_STATE_HOME=home, GWTUI_CONFIG=str(Path(home, "config.toml")))
        began_at = time.time()
        with terminal([*GWTUI, "demo", "--session-dir", str(session)], places) as screen:
            painted_ns = screen.wait_for(PAINTED, PATIENCE_S)
            used_ns = cpu_ns(screen.process.pid) or 0
            assert painted_ns is not None, screen.screen()
            time.sleep(wait_s)
            starts = _starts(session)
            screen.type("q")
            screen.wait_for_end(PATIENCE_S)
    return painted_ns / 1e9, used_ns / 1e9, min(starts) - began_at


def _starts(session: Path) -> list[float]:
    """When the first requests began, once some of them have ended."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        texts = [path.read_text() for path in (session / "requests.csv", session / "pings.csv") if path.exists()]
        if rows := [row for text in texts for row in csv.DictReader(text.splitlines())]:
            return [datetime.fromisoformat(row["started_at"]).timestamp() for row in rows]
        time.sleep(0.05)
    raise TimeoutError("no row was written")


def _took(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _ms(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1000:,.0f} ms (least {min(seconds) * 1000:,.0f})"
