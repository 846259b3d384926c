"""The configuration file: TOML in, frozen profiles out, every fault named with file, line and key.

Edits from the screen go through here too. They are made in the text, so that a person's comments and order stay, and
what the new text means is checked before it replaces the file in one step: nothing is ever lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from gwtui.apis.token_limit import limited
from gwtui.config import tomledit
from gwtui.config.bench_plans import BenchPlan, plan_from
from gwtui.config.errors import ConfigError, ConfigFault, KeyPath, did_you_mean, dotted, shown
from gwtui.config.file import (
    UI,
    File,
    HistoryLimits,
    SessionLimits,
    endpoint_faults,
    faults_of,
    flat_keys,
    profile_name_problems,
)
from gwtui.config.paths import config_path, shipped, with_absolute_paths
from gwtui.config.tomlfile import parse, read, write
from gwtui.config.tomltext import EditError
from gwtui.model.profile import Endpoint, Profile


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration file, read."""

    path: Path
    profiles: tuple[Profile, ...] = ()
    default_profile: str | None = None
    ui: UI = field(default_factory=UI)
    keys: Mapping[str, str] = field(default_factory=dict)
    """The keys of `ui`: binding id -> keys, separated by commas."""
    history: HistoryLimits = field(default_factory=HistoryLimits)
    sessions: SessionLimits = field(default_factory=SessionLimits)
    plans: tuple[BenchPlan, ...] = ()

    def plan(self, name: str) -> BenchPlan:
        """The plan `[bench.NAME]`. Raises ConfigError."""
        for plan in self.plans:
            if plan.name == name:
                return plan
        names = [plan.name for plan in self.plans]
        known = f"there are: {', '.join(names)}" if names else "gwtui config example shows how to write one"
        hint = did_you_mean(name, names) or known
        raise _refusal(self.path, f"there is no plan {shown(name)}", hint)

    def profile(self, name: str | None = None) -> Profile:
        """The profile of that name; without one the default, or the only one. Raises ConfigError."""
        wanted = name if name is not None else self.default_profile
        if wanted is None and len(self.profiles) == 1:
            return self.profiles[0]
        found = next((profile for profile in self.profiles if profile.name == wanted), None)
        if found is not None:
            return found
        names = ", ".join(profile.name for profile in self.profiles)
        if not names:
            raise _refusal(self.path, "there is no profile", "gwtui config add KIND writes one with an endpoint")
        if wanted is None:
            raise _refusal(self.path, "default_profile is not set", f"name one of the profiles: {names}")
        raise _refusal(self.path, f"there is no profile {shown(wanted)}", f"there are: {names}")


def load(path: Path | None = None) -> Config:
    """Read the file; without a path the user's own, which may be missing. Raises ConfigError with every fault."""
    if path is not None:
        return loads(read(path), path)
    return loads(read(config_path(), missing=""), config_path())


def loads(text: str, path: Path) -> Config:
    """A configuration from its text, which is that of a file. Raises ConfigError with every fault."""
    file = msgspec.convert(_parse(text, path), File)
    profiles = tuple(
        _placed(msgspec.convert({"name": name} | table, Profile), path) for name, table in file.profiles.items()
    )
    keys = {binding: ",".join(keys) for binding, keys in flat_keys(file.ui.keys)}
    plans = tuple(plan_from(name, table, path.absolute().parent) for name, table in file.bench.items())
    return Config(path, profiles, file.default_profile, file.ui, keys, file.history, file.sessions, plans)


def check(path: Path | None = None) -> list[ConfigFault]:
    """Every fault of the file; none when it is good."""
    try:
        load(path)
    except ConfigError as error:
        return list(error.faults)
    return []


def example() -> str:
    """The text of the example that documents every field."""
    return shipped("config.example.toml").read_text(encoding="utf-8")


def endpoint_from(given: Mapping[str, Any], base: Endpoint | None = None) -> Endpoint:
    """An endpoint described outside a file: these fields, laid over `base` or over an endpoint named after its API.

    None means a field's default. A `max_tokens` over `base` is the limit under whatever name its `body` has one.
    Raises ConfigError, whose faults' keys are field names.
    """
    table = {"name": given.get("api", "")} if base is None else _table_of(base)
    table = {name: value for name, value in {**table, **given}.items() if value is not None}
    limit, body = given.get("max_tokens"), table.get("body")
    if base is not None and limit is not None and isinstance(body, dict):
        table["body"] = limited(body, limit)
    if faults := endpoint_faults(table):
        raise ConfigError(faults)
    return msgspec.convert(table, Endpoint)


def _placed(profile: Profile, path: Path) -> Profile:
    """A profile of this file, with its files where they are."""
    directory = path.absolute().parent
    endpoints = tuple(with_absolute_paths(endpoint, directory) for endpoint in profile.endpoints)
    return msgspec.structs.replace(profile, endpoints=endpoints)


def save_endpoint(path: Path, profile: str, endpoint: Endpoint, replaces: str | None = None, comment: str = "") -> str:
    """Add the endpoint to the file's profile, or write it in the place of the one called `replaces`.

    File and profile are made when missing. A comment is put above an endpoint that is added. Returns the file's
    text before, for `restore`. Raises ConfigError.
    """
    endpoint_from({}, endpoint)
    if problem := next(profile_name_problems(profile), None):
        raise ConfigError([ConfigFault(path, None, dotted(problem.path), problem.message, problem.hint)])
    where: KeyPath = ("profiles", profile, "endpoints")

    def edit(text: str, raw: dict[str, Any]) -> str:
        endpoints = raw.setdefault("profiles", {}).setdefault(profile, {}).setdefault("endpoints", [])
        index, twin = _index_of(endpoints, replaces), _index_of(endpoints, endpoint.name)
        if twin is not None and twin != index:
            raise EditError(f"there is already an endpoint {shown(endpoint.name)}")
        if index is None:
            endpoints.append(_table_of(endpoint))
            return tomledit.append(text, where, endpoints[-1], comment)
        endpoints[index] = _as_written(endpoint, endpoints[index], path.absolute().parent)
        return tomledit.put(text, (*where, index), endpoints[index])

    return _edit(path, edit)


def profile_text(profile: str, endpoints: Iterable[Endpoint]) -> str:
    """A profile with these endpoints as a file has it; "" without any."""
    text = ""
    for endpoint in endpoints:
        text = tomledit.append(text, ("profiles", profile, "endpoints"), _table_of(endpoint))
    return text


def remove_endpoint(path: Path, profile: str, name: str) -> str:
    """Remove an endpoint; one that is not in the file is not an error. Returns the text before. Raises ConfigError."""
    where: KeyPath = ("profiles", profile, "endpoints")

    def edit(text: str, raw: dict[str, Any]) -> str:
        table = raw.get("profiles", {}).get(profile, {})
        endpoints = table.get("endpoints", [])
        index = _index_of(endpoints, name)
        if index is None:
            return text
        del endpoints[index]
        if endpoints:
            return tomledit.remove(text, (*where, index))
        del table["endpoints"]
        text = tomledit.remove(text, where)
        # The profile itself stays, even where the endpoint's header was the only one to name it.
        return text if table or tomledit.has(text, where[:2]) else tomledit.put(text, where[:2], {})

    return _edit(path, edit)


def save_setting(path: Path, key: str, value: str | list[str]) -> str:
    """Set one setting such as `ui.theme`. Returns the text before. Raises ConfigError."""
    where: KeyPath = tuple(key.split("."))

    def edit(text: str, raw: dict[str, Any]) -> str:
        holder: Any = raw
        for part in where[:-1]:
            holder = holder.setdefault(part, {})
        holder[where[-1]] = value
        return tomledit.put(text, where, value)

    return _edit(path, edit)


def restore(path: Path, text: str) -> None:
    """Bring back the text that an edit returned; "" means no file. Raises ConfigError or OSError."""
    if text:
        write(path, text)
    else:
        path.unlink(missing_ok=True)


def _refusal(path: Path, message: str, hint: str) -> ConfigError:
    return ConfigError([ConfigFault(path, None, "", message, hint)])


def _parse(text: str, path: Path) -> dict[str, Any]:
    """What a text without faults means. Raises ConfigError."""
    raw = parse(text, path)
    if faults := faults_of(text, raw, path):
        raise ConfigError(faults)
    return raw


def _edit(path: Path, edit: Callable[[str, dict[str, Any]], str]) -> str:
    """Read, edit, check and replace the file. `edit` returns the new text, and makes `raw` what that has to mean."""
    before = read(path, missing="")
    raw = _parse(before, path)
    try:
        after = edit(before, raw)
        after.encode("utf-8")
    except EditError as error:
        raise _refusal(path, str(error), "nothing was changed") from error
    except UnicodeEncodeError as error:
        raise _refusal(path, "a text holds half a character", "nothing was changed") from error
    if after != before:
        if not tomledit.same(_parse(after, path), raw):
            raise _refusal(path, "is written in a way that gwtui cannot edit", "edit it by hand; nothing was changed")
        write(path, after)
    return before


def _table_of(struct: msgspec.Struct) -> dict[str, Any]:
    """A struct as a TOML table: defaults left out, arrays as lists."""
    table: dict[str, Any] = msgspec.to_builtins(struct)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in table.items()}


def _as_written(struct: msgspec.Struct, written: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """The struct as a table in which all that means the same as before is spelled as before, defaults included."""
    table = _table_of(struct)
    before = with_absolute_paths(msgspec.convert(written, type(struct)), directory)
    for name, spelling in written.items():
        value, old = getattr(struct, name), getattr(before, name)
        if isinstance(value, msgspec.Struct) and isinstance(old, msgspec.Struct):
            table[name] = _as_written(value, spelling, directory)
        elif tomledit.same(value, old):
            table[name] = spelling
    return table


def _index_of(endpoints: list[Any], name: str | None) -> int | None:
    return next((index for index, table in enumerate(endpoints) if table["name"] == name), None)
