"""What the user has done: commands for the engine, the profile kept in step, and a line that says what happened."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from gwtui.config import ConfigError
from gwtui.model.commands import (
    AcceptUsual,
    Acknowledge,
    AskNow,
    Burst,
    Command,
    Mark,
    Pause,
    Resume,
    RunChecks,
    SetInterval,
)
from gwtui.model.enums import State
from gwtui.model.profile import Endpoint
from gwtui.model.view import View
from gwtui.text import units
from gwtui.ui.editing import Editing
from gwtui.ui.feed_controller import Watch
from gwtui.ui.messages import ShowMessage

MOST_REQUESTS = 10_000
MOST_AT_ONCE = 256


def parse_burst(text: str) -> tuple[int, int]:
    """Requests and concurrency. Raises ValueError with what is wanted."""
    requests, _, concurrency = text.lower().replace("×", "x").partition("x")
    try:
        numbers = int(requests), int(concurrency or "1")
    except ValueError:
        raise ValueError("Write a number of requests, or requests x concurrency, such as 20x5") from None
    if not (1 <= numbers[0] <= MOST_REQUESTS and 1 <= numbers[1] <= MOST_AT_ONCE):
        raise ValueError(f"Maximum {MOST_REQUESTS:,} requests and {MOST_AT_ONCE} at once, minimum one of each")
    return numbers


SHORTEST_S, LONGEST_S = 0.1, 3600.0
"""The intervals that keys lead to."""


class Orders:
    """Every order says what it came to, where that is not seen on the screen anyway."""

    def __init__(self, watch: Watch, editing: Editing, message: ShowMessage, restart: str) -> None:
        """`restart`: the key that starts an engine again."""
        self._watch = watch
        self._editing = editing
        self._message = message
        self._restart = restart

    def send(self, command: Command) -> bool:
        """Send a command to the engine, or say that no engine is running."""
        if self.refused():
            return False
        sent = self._watch.send(command)
        if not sent:
            self._message(f"The engine is not running: {self._restart} starts it", severity="warning")
        return sent

    def refused(self) -> bool:
        """Whether the feed refuses commands; if so, show the user why."""
        if why := self._watch.refuses:
            self._message(why)
        return bool(why)

    def pause(self, view: View) -> None:
        """Pause the selected endpoint, or resume it."""
        name = view.selected.name if view.selected is not None else None
        row = next((row for row in view.endpoints if row.name == name), None)
        if row is not None:
            self.send((Resume if row.state is State.PAUSED else Pause)(endpoint=row.name))

    def pause_all(self, view: View) -> None:
        """Pause all endpoints; resume them where all that are seen are paused."""
        all_paused = all(row.state is State.PAUSED for row in view.endpoints)
        self.send((Resume if all_paused else Pause)())

    def ask(self, name: str) -> None:
        """Probe an endpoint once at once."""
        if self.send(AskNow(endpoints=(name,))):
            self._message(f"{name}: asked now")

    def ask_all(self, view: View) -> None:
        """Probe all endpoints of the table that are not up. What the user has paused stays so."""
        names = tuple(row.name for row in view.endpoints if row.state not in (State.UP, State.PAUSED))
        if not names and not self.refused():
            self._message("No endpoint to ask: all are up or paused")
        elif names and self.send(AskNow(endpoints=names)):
            self._message(
                f"Asked {units.many(len(names), 'endpoint')} that {'is' if len(names) == 1 else 'are'} not up"
            )

    def burst(self, names: Sequence[str], text: str) -> None:
        """Send requests to one endpoint, or to several in turns."""
        requests, concurrency = parse_burst(text)
        name, *others = names
        if self.send(Burst(endpoint=name, requests=requests, concurrency=concurrency, others=tuple(others))):
            turns = ", in turns" if others else ""
            self._message(f"{', '.join(names)}: {units.many(requests, 'request')}{turns}, {concurrency} at once")

    def check(self, name: str, models: tuple[str, ...] = ()) -> None:
        """Have an endpoint and its gateway asked all checks."""
        self.send(RunChecks(endpoint=name, models=models))

    def mark(self, text: str) -> None:
        if text:
            self.send(Mark(text=text))

    def acknowledge(self, incident: int, note: str) -> None:
        """Say that an incident is taken care of."""
        if self.send(Acknowledge(incident=incident, note=note)):
            self._message(f"Acknowledged #{incident}")

    def accept(self, name: str) -> None:
        """Take what the endpoint does now as what is usual for it."""
        self.send(AcceptUsual(endpoint=name))

    def interval(self, name: str, factor: float) -> None:
        """Probe the endpoint at that many times its interval, for this session."""
        endpoint = self._editing.endpoint(name)
        if endpoint is None:
            return
        seconds = self._editing.profile.interval_of(endpoint) * factor
        seconds = max(SHORTEST_S, min(round(seconds, 3), LONGEST_S))
        if self.send(SetInterval(endpoint=name, interval_s=seconds)):
            self._editing.put(replace(endpoint, interval_s=seconds), name, save=False)
            self._message(f"{name}: every {seconds:g} s")

    def put(self, endpoint: Endpoint, replaces: str | None, *, save: bool) -> bool:
        """Add or replace an endpoint, in the file too if it is to be saved. False when that failed: nothing changed."""
        try:
            command = self._editing.put(endpoint, replaces, save=save)
        except (ConfigError, OSError) as error:
            self._message(f"Not saved: {error}", severity="error")
            return False
        sent = self.send(command)
        if save:
            self._message(f"{endpoint.name}: saved to {self._editing.path}")
        elif sent:
            self._message(f"{endpoint.name}: applied for this session")
        return True

    def remove(self, name: str) -> None:
        """Remove the endpoint, from the file too if it is there."""
        endpoint = self._editing.endpoint(name)
        if endpoint is None or self.refused():
            return
        try:
            command, saved = self._editing.remove(endpoint)
        except (ConfigError, OSError) as error:
            self._message(f"Not removed: {error}", severity="error")
            return
        self.send(command)
        self._message(f"Removed {name}{f' from {self._editing.path.name} too' if saved else ''}: u brings it back")

    def undo(self) -> None:
        """Take the last change of the profile back."""
        if self.refused():
            return
        try:
            undone = self._editing.undo()
        except (ConfigError, OSError) as error:
            self._message(f"Not undone: {error}", severity="error")
            return
        if undone is None:
            self._message("Nothing to undo")
            return
        label, command = undone
        if self.send(command):
            self._message(f"Undid {label}")
