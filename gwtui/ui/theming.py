"""A theme file as Textual wants it: its colour system, and our style names as variables for the palette."""

from __future__ import annotations

from typing import Any

import msgspec
from textual.theme import Theme

from gwtui.themes import ThemeFile

_SYSTEM = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
)
_ATTRIBUTES = {"down": "bold", "degraded": "bold", "gap": "bold", "reasoning": "italic", "selection": "on"}
_OURS_IN_CSS = {"border": "panel-border", "border_focus": "panel-border-focus"}
_TEXTUALS_OWN = "text"
"""Textual computes this variable from what is behind it; ours is the foreground anyway."""


def textual_theme(theme: ThemeFile) -> Theme:
    colours: dict[str, str] = msgspec.to_builtins(theme.colors)
    variables = {
        _OURS_IN_CSS.get(name, name): f"{_ATTRIBUTES.get(name, '')} {colour}".strip()
        for name, colour in colours.items()
        if name not in _SYSTEM and name != _TEXTUALS_OWN
    }
    variables |= {"footer-key-foreground": colours["accent"], "footer-background": colours["background"]}
    own: dict[str, Any] = {name: colours[name] for name in _SYSTEM}
    return Theme(name=theme.name, dark=theme.dark, variables=variables, **own)
