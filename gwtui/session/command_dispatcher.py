"""Who takes a session's commands: checks are asked beside the engine, all else is the engine's."""

from __future__ import annotations

from gwtui.engine import Engine
from gwtui.model.commands import Command, RunChecks
from gwtui.session.check_runner import Checking
from gwtui.session.watchdog import Watchdog


class CommandDispatcher:
    """`run` it once; `handle` and `stop` are for the same event loop, while it runs."""

    def __init__(self, engine: Engine, checking: Checking, watchdog: Watchdog) -> None:
        self._engine = engine
        self._checking = checking
        self.watchdog = watchdog

    async def run(self, stop_after_s: float | None = None) -> None:
        """Until `stop`, or for so long."""
        async with self._checking:
            await self._engine.run(stop_after_s)

    def handle(self, command: Command) -> None:
        """Have a command carried out, or answered with a `Notice`."""
        if isinstance(command, RunChecks) and self._engine.running:
            self._checking.begin(command)
        else:
            self._engine.handle(command)

    def stop(self) -> None:
        self._engine.stop()
