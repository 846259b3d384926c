"""Changes to the profile's endpoints: for the engine at once, for the file when saved, and how to undo them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace
from textual.notifications import SeverityLevel

from gwtui.config import Config, ConfigError, remove_endpoint, restore, save_endpoint, save_setting
from gwtui.config.tomlfile import read
from gwtui.model.commands import PutEndpoint, RemoveEndpoint
from gwtui.model.profile import Endpoint, Profile


@dataclass(frozen=True, slots=True)
class _Step:
    """What brings back the state before a change."""

    label: str
    profile: Profile
    command: PutEndpoint | RemoveEndpoint
    texts: tuple[str, str] | None
    """The file before and after the change; None when the change was not saved."""


def keep_setting(path: Path, key: str, value: str | list[str], words: str) -> tuple[str, SeverityLevel]:
    """Save a setting where there is a configuration to save it in. Returns what to say of it."""
    if not path.exists():
        return f"{words}, not saved: there is no configuration file", "information"
    try:
        save_setting(path, key, value)
    except (ConfigError, OSError) as error:
        return f"{words}, not saved: {error}", "error"
    return f"{words}, saved", "information"


class Editing:
    """The profile as the user means it. Errors of the file come out as `ConfigError`, with nothing changed."""

    def __init__(self, config: Config, profile: Profile) -> None:
        self._path = config.path
        self.profile = profile
        self._steps: list[_Step] = []

    @property
    def path(self) -> Path:
        return self._path

    def endpoint(self, name: str | None) -> Endpoint | None:
        return None if name is None else self.profile.endpoint(name)

    def put(self, endpoint: Endpoint, replaces: str | None, *, save: bool) -> PutEndpoint:
        """Add the endpoint, or replace the one called `replaces`. Returns the command that tells the engine."""
        old = self.endpoint(replaces)
        before = save_endpoint(self._path, self.profile.name, endpoint, replaces) if save else None
        back = RemoveEndpoint(name=endpoint.name) if old is None else PutEndpoint(endpoint=old, replaces=endpoint.name)
        self._remember(f"the change of {endpoint.name}", back, before)
        if old is None:
            endpoints = (*self.profile.endpoints, endpoint)
        else:
            endpoints = tuple(endpoint if each.name == old.name else each for each in self.profile.endpoints)
        self.profile = replace(self.profile, endpoints=endpoints)
        return PutEndpoint(endpoint=endpoint, replaces=None if old is None else old.name)

    def remove(self, endpoint: Endpoint) -> tuple[RemoveEndpoint, bool]:
        """Remove the endpoint, from the file too if it is there. Returns the command, and whether the file changed."""
        before = remove_endpoint(self._path, self.profile.name, endpoint.name) if self._path.exists() else None
        saved = before is not None and before != read(self._path, missing="")
        self._remember(f"the removal of {endpoint.name}", PutEndpoint(endpoint=endpoint), before if saved else None)
        remaining = tuple(each for each in self.profile.endpoints if each.name != endpoint.name)
        self.profile = replace(self.profile, endpoints=remaining)
        return RemoveEndpoint(name=endpoint.name), saved

    def _remember(self, label: str, back: PutEndpoint | RemoveEndpoint, before: str | None) -> None:
        texts = None if before is None else (before, read(self._path, missing=""))
        self._steps.append(_Step(label, self.profile, back, texts))

    def undo(self) -> tuple[str, PutEndpoint | RemoveEndpoint] | None:
        """Undo the last change. Returns its description and the command for the engine, or None."""
        if not self._steps:
            return None
        step = self._steps[-1]
        if step.texts is not None:
            self._undo_in_file(step.command, *step.texts)
        self.profile = step.profile
        self._steps.pop()
        return step.label, step.command

    def _undo_in_file(self, back: PutEndpoint | RemoveEndpoint, before: str, after: str) -> None:
        """Bring the text back letter by letter; where the file was changed since, only what the change was about."""
        if read(self._path, missing="") == after:
            restore(self._path, before)
        elif isinstance(back, RemoveEndpoint):
            remove_endpoint(self._path, self.profile.name, back.name)
        else:
            save_endpoint(self._path, self.profile.name, back.endpoint, back.replaces)
