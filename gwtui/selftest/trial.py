"""One session against the truth server, from the engine's start to the errors that it made."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gwtui.feeds import live, spawn_engine
from gwtui.model.commands import Command, Start
from gwtui.model.records import Record
from gwtui.selftest.cpu_meter import Cost, CPUMeter
from gwtui.selftest.ground_truth import ClockErrors, GroundTruth
from gwtui.selftest.load import FLOOD

if TYPE_CHECKING:
    from gwtui.selftest.terminal import Terminal

PATIENCE_S = 20.0
"""How long a session may take beyond its own time."""


class TrialError(RuntimeError):
    """The program did not come to the end of its session. The text is what was on its screen."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    errors: ClockErrors
    cost: Cost | None


class Watched:
    """The feed of an engine, whose records are compared with the ground truth on their way to the consumer."""

    refuses = ""
    recording = None

    def __init__(self, start: Start, ended: Callable[[], None]) -> None:
        """Needs a running event loop. `ended` is called at the end of the feed."""
        process = spawn_engine(start)
        self._feed = live(process)
        self._ground_truth = GroundTruth(without=(FLOOD,))
        self._cpu_meter = CPUMeter(process.popen.pid, self._ground_truth, start.stop_after_s or 0.0)
        self._ended = ended

    async def __aiter__(self) -> AsyncIterator[list[Record]]:
        async for batch in self._feed:
            for record in batch:
                self._ground_truth.take(record)
            yield batch
        self._ended()

    def send(self, command: Command) -> None:
        self._feed.send(command)

    def stop(self) -> None:
        self._feed.stop()

    async def aclose(self) -> None:
        await self._feed.aclose()

    def trial(self) -> Trial:
        return Trial(errors=self._ground_truth.errors(), cost=self._cpu_meter.cost())


async def headless(start: Start) -> Trial:
    """The session without a screen."""
    feed = Watched(start, lambda: None)
    try:
        async for _ in feed:
            pass
    finally:
        await feed.aclose()
    return feed.trial()


def on_screen(start: Start, use: Callable[[Terminal], None] = lambda _: None) -> Trial:
    """The session with the whole program on a terminal of its own; `use` may type while it runs."""
    from gwtui.selftest.terminal import terminal

    with tempfile.TemporaryDirectory() as place:
        begin, result = Path(place, "start.json"), Path(place, "trial.json")
        begin.write_bytes(msgspec.json.encode(start))
        program = [sys.executable, "-P", "-m", "gwtui.selftest.screen", str(begin), str(result)]
        with terminal(program, os.environ) as shown:
            use(shown)
            shown.wait_for_end((start.stop_after_s or 0.0) + PATIENCE_S)
            if not result.exists():
                raise TrialError(shown.screen())
        return msgspec.json.decode(result.read_bytes(), type=Trial)
