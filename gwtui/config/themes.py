"""Themes as data: a name, light or dark, and one colour for every meaning on the screen.

A theme is a TOML file. What a user's theme leaves out comes from the shipped theme of its kind, so a theme of three
lines is a theme. One that cannot be used is a text to show, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from gwtui.config.errors import ConfigError, ConfigFault, dotted
from gwtui.config.paths import shipped
from gwtui.config.schema import problems_of
from gwtui.config.tomlfile import Lines, parse, read, read_in
from gwtui.text.untrusted_files import Directory

DEFAULT_THEME = "gwtui-dark"
DEFAULT_LIGHT_THEME = "gwtui-light"

_File: TypeAlias = tuple[Path, Callable[[], str]]
"""A theme's file, and how it is read."""

Colour = Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$")]


class Colours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every colour is `#rrggbb`."""

    primary: Colour
    """Titles, keys and what can be pressed."""
    secondary: Colour
    """The second voice beside it."""
    accent: Colour
    """The highlight that is not a warning: the focus, a chosen value."""
    foreground: Colour
    background: Colour
    surface: Colour
    """Panels and forms, just above the background."""
    panel: Colour
    """Headers, footers and fields, above the surface."""
    success: Colour
    warning: Colour
    error: Colour

    up: Colour
    """The states. Calm if all is well, loud if a person has to act."""
    slow: Colour
    degraded: Colour
    down: Colour
    paused: Colour
    unknown: Colour

    text: Colour
    muted: Colour
    """Labels, units, times: read, but second."""
    faint: Colour
    """What matters least: read when looked for. Half of it draws axes and rules."""
    selection: Colour
    """Behind the selected row."""
    border: Colour
    border_focus: Colour

    p50: Colour
    """The lines of the latency panel."""
    p95: Colour
    p99: Colour

    content: Colour
    """What a stream carried."""
    reasoning: Colour
    tool: Colour
    gap: Colour
    """A gap between events that stands out."""


class ThemeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A theme. Its name is what `ui.theme` says and what the list of themes shows."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    dark: bool = True
    colors: Colours


def load_all(user_directory: Path | None) -> tuple[tuple[ThemeFile, ...], tuple[str, ...]]:
    """The shipped themes and the user's own, which win where names are equal; and a message for each invalid one."""
    themes: dict[str, ThemeFile] = {}
    texts: list[str] = []
    for path, read_text in chain(_shipped(), _in_folder(user_directory, texts)):
        try:
            theme = theme_of(read_text(), path, themes)
        except ConfigError as error:
            texts.extend(map(str, error.faults))
        else:
            themes[theme.name] = theme
    return tuple(themes.values()), tuple(texts)


def _shipped() -> Iterator[_File]:
    for path in sorted(shipped("themes").glob("*.toml")):
        yield path, partial(read, path)


def _in_folder(folder: Path | None, texts: list[str]) -> Iterator[_File]:
    """The themes of a folder, which may come from anywhere: its files are opened as a stranger's."""
    if folder is None:
        return
    try:
        with Directory.held(folder) as directory:
            for name in directory.names():
                if name.endswith(".toml"):
                    yield folder / name, partial(read_in, directory, name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        texts.append(f"{folder}: cannot be read: {error.strerror}")


def load_theme(path: Path, known: Mapping[str, ThemeFile]) -> ThemeFile:
    """Read one theme. Colours it leaves out come from the default of its kind, if that is known. Raises ConfigError."""
    return theme_of(read(path), path, known)


def theme_of(text: str, path: Path, known: Mapping[str, ThemeFile]) -> ThemeFile:
    """The same from the text of a file."""
    raw = parse(text, path)
    filled = _filled(raw, known.get(DEFAULT_THEME if raw.get("dark", True) is True else DEFAULT_LIGHT_THEME))
    if problems := list(problems_of(filled, ThemeFile, ())):
        lines = Lines(text)
        raise ConfigError(
            ConfigFault(path, lines.of(each.path), dotted(each.path), each.message, each.hint) for each in problems
        )
    return msgspec.convert(filled, ThemeFile)


def _filled(raw: dict[str, Any], base: ThemeFile | None) -> dict[str, Any]:
    colors = raw.get("colors", {})
    if base is None or not isinstance(colors, Mapping):
        return raw
    return raw | {"colors": msgspec.to_builtins(base.colors) | colors}
