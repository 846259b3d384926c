"""The contents of a configuration file, and every fault it can have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from gwtui.config.bench_plans import plan_problems
from gwtui.config.complaints import name_complaint
from gwtui.config.errors import ConfigFault, KeyPath, Problem, did_you_mean, dotted
from gwtui.config.schema import problems_of
from gwtui.config.themes import DEFAULT_THEME
from gwtui.config.tomlfile import MAX_DEPTH, Lines
from gwtui.config.validation import (
    budget_problems,
    endpoint_problems,
    maintenance_problems,
    metrics_problems,
    threshold_problems,
)
from gwtui.model.columns import OPTIONAL_COLUMNS
from gwtui.model.profile import CHOICES, Days, Endpoint, Profile

ColumnName = Annotated[str, msgspec.Meta(extra={CHOICES: tuple(OPTIONAL_COLUMNS)})]


class UI(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the screen looks and listens."""

    theme: str = DEFAULT_THEME
    """The theme's name."""
    columns: tuple[ColumnName, ...] = ()
    """Further columns of the endpoints; `C` chooses them."""
    screen_reader: bool = False
    """Print what changes as lines instead of drawing a screen."""
    utc: bool = False
    """Clocks on the screen are in UTC instead of local time; `z` toggles it."""
    title: bool = True
    """The terminal's title counts what is sick: `✖2 gwtui prod`."""
    bell: bool = True
    """The terminal's bell rings when an endpoint goes down."""
    notify: bool = True
    """The terminal notifies of what goes down, and when it is over (OSC 9 and OSC 777)."""
    motion: bool = True
    """Scrolling glides and cursors blink; TEXTUAL_ANIMATIONS=none has the same effect as false."""
    keys: dict[str, Any] = {}
    """Binding id -> key; several keys with commas or as an array."""


class HistoryLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much is remembered of what endpoints did in earlier sessions."""

    keep_days: Days = 400.0
    """Days after which results are forgotten; 0: never."""


class SessionLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which directories of earlier sessions are removed when one begins. Those with marks never are."""

    keep_days: Days = 0.0
    """Days after which a session is removed; 0: never."""
    keep_gb: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)] = 0.0
    """Size of all sessions (in 1,000,000,000 bytes) beyond which the oldest are removed; 0: any."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The top of the file. The tables of `profiles` become `Profile`s one by one."""

    default_profile: str | None = None
    """The profile that is used when none is named."""
    ui: UI = UI()
    history: HistoryLimits = HistoryLimits()
    sessions: SessionLimits = SessionLimits()
    profiles: dict[str, Any] = {}
    bench: dict[str, Any] = {}
    """Plans of benchmarks; they become `BenchPlan`s one by one."""


def faults_of(text: str, raw: Mapping[str, Any], path: Path) -> list[ConfigFault]:
    """Every fault of a file's text, whose meaning is `raw`, in the order of its lines."""
    problems = [*problems_of(raw, File, ()), *_ui_problems(raw), *_default_problems(raw)]
    profiles = raw.get("profiles")
    for name, table in profiles.items() if isinstance(profiles, Mapping) else ():
        problems += _profile_problems(name, table)
    problems += plan_problems(raw)
    if not problems:
        return []
    lines = Lines(text)
    faults = (ConfigFault(path, lines.of(each.path), dotted(each.path), each.message, each.hint) for each in problems)
    return sorted(faults, key=lambda fault: fault.line or 0)


def endpoint_faults(table: Mapping[str, Any]) -> list[ConfigFault]:
    """Every fault of an endpoint that is in no file; their keys are its field names."""
    problems: Iterable[Problem] = [
        Problem((key,), f"nested too deeply: more than {MAX_DEPTH} levels")
        for key, value in table.items()
        if _is_deeper(value, MAX_DEPTH)
    ] or (*problems_of(table, Endpoint, ()), *endpoint_problems(table, ()))
    return [ConfigFault(None, None, dotted(each.path), each.message, each.hint) for each in problems]


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether tables and arrays are nested in it to more than this depth. Takes no recursion."""
    level = [value]
    while level and depth >= 0:
        level = [
            inner
            for each in level
            if isinstance(each, Mapping | list | tuple)
            for inner in (each.values() if isinstance(each, Mapping) else each)
        ]
        depth -= 1
    return bool(level)


def profile_name_problems(name: str) -> Iterator[Problem]:
    if (complaint := name_complaint(name) if name else ("is empty", "")) is not None:
        yield Problem(("profiles", name), f"the profile's name {complaint[0]}", complaint[1])


def flat_keys(keys: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Binding ids with their keys. To TOML an unquoted `probe.pause = "p"` is a table in a table; it means the same."""
    for name, value in keys.items():
        if isinstance(value, Mapping):
            yield from flat_keys(value, f"{above}{name}.")
        else:
            yield above + name, value if isinstance(value, list) else [value]


def _ui_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    ui = raw.get("ui")
    keys = ui.get("keys") if isinstance(ui, Mapping) else None
    if not isinstance(keys, Mapping):
        return
    for binding, value in flat_keys(keys):
        if not value or not all(isinstance(key, str) and key for key in value):
            path: KeyPath = ("ui", "keys", *([binding] if binding in keys else binding.split(".")))
            yield Problem(path, "must be a key or an array of keys", 'such as "p" or "ctrl+p"')


def _default_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    name, profiles = raw.get("default_profile"), raw.get("profiles", {})
    if isinstance(name, str) and isinstance(profiles, Mapping) and name not in profiles:
        yield Problem(("default_profile",), "is not a profile of this file", did_you_mean(name, profiles))


def _profile_problems(name: str, table: Any) -> Iterator[Problem]:
    path: KeyPath = ("profiles", name)
    yield from profile_name_problems(name)
    yield from problems_of(table, Profile, path, without="name")
    if isinstance(table, Mapping):
        yield from budget_problems(table, path)
        yield from metrics_problems(table, path)
        yield from maintenance_problems(table, path)
        yield from threshold_problems(table, path)
    endpoints = table.get("endpoints") if isinstance(table, Mapping) else None
    seen: dict[str, int] = {}
    for index, endpoint in enumerate(endpoints if isinstance(endpoints, list) else ()):
        if not isinstance(endpoint, Mapping):
            continue
        yield from endpoint_problems(endpoint, (*path, "endpoints", index))
        own = endpoint.get("name")
        if isinstance(own, str) and seen.setdefault(own, index) != index:
            other = dotted((*path, "endpoints", seen[own]))
            yield Problem((*path, "endpoints", index, "name"), f"is also the name of {other}", "choose another name")
