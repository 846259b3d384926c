"""The meaning of a style: names such as `down` or `faint`, laid out by the theme as colours and attributes.

What is drawn carries names only. The attributes are the same in every theme; the colours are the theme's own, or
where it has none for a name (a theme that is not ours), they follow from the colours that every theme has. Text that
would be hard to read on what is behind it gets lighter or darker until its contrast is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from gwtui.config.themes import DEFAULT_THEME, ThemeFile

STYLES: dict[str, str] = {
    "up": "$up",
    "slow": "$slow",
    "degraded": "bold $degraded",
    "down": "bold $down",
    "paused": "$paused",
    "unknown": "$unknown",
    "good": "$success",
    "warn": "$warning",
    "bad": "$error",
    "text": "$text",
    "muted": "$muted",
    "faint": "$faint",
    "axis": "$faint 50%",
    "accent": "$accent",
    "key": "bold $primary",
    "header": "bold $text",
    "title": "bold $primary",
    "banner": "bold $background on $error",
    "moment": "bold $background on $warning",
    "selection": "$text on $selection",
    "p50": "$p50",
    "p90": "$p50 65%",
    "p95": "$p95",
    "p99": "$p99",
    "dot": "$text",
    "band": "on $p50 14%",
    "shade": "$p50 14%",
    "mark": "$accent",
    "content": "$content",
    "reasoning": "italic $reasoning",
    "tool": "$tool",
    "gap": "bold $gap",
}
"""Every name that a line may carry: attributes, a colour, and after `on` the colour behind it."""

UNCOLOURED = dict.fromkeys(("slow", "degraded", "down", "warn", "bad", "gap"), "bold $text")
"""How text stands out without colours: as shades of grey, red and orange would be darker than text."""

FALLBACKS: dict[str, str] = {
    "up": "$success",
    "slow": "$warning",
    "degraded": "$warning",
    "down": "$error",
    "paused": "$foreground 60%",
    "unknown": "$foreground 60%",
    "text": "$foreground",
    "muted": "$foreground 75%",
    "faint": "$foreground 60%",
    "selection": "$primary 25%",
    "p50": "$success",
    "p95": "$warning",
    "p99": "$error",
    "content": "$foreground",
    "reasoning": "$secondary",
    "tool": "$accent",
    "gap": "$warning",
}
"""What a colour of ours is in a theme that does not have it."""

LINES = ("axis", "band", "shade")
"""Names of what is drawn and not read: its contrast may be low."""

READABLE = 4.5
"""The contrast that text has at least, as WCAG 2.2 asks for (1.4.3, level AA)."""

INK: dict[str, str] = {
    "ink-title": "$foreground 85%",
    "ink-hint": "$foreground 65%",
    "ink-primary": "$primary",
    "ink-accent": "$accent",
    "ink-good": "$success",
    "ink-warn": "$warning",
    "ink-bad": "$error",
}
"""Colours of text in the style sheet, readable on each background that forms and borders have."""
_BEHIND_INK = ("surface", "background", "panel")

FEW_COLOURS = "ansi-dark"
"""The theme of terminals with 16 colours: theirs. Ours, brought down to those, would be shades of the same grey."""

OWN = "gw-"
"""Before the names of our own variables, so that none overrides one of Textual's."""


def theme_for(wanted: str, color_system: str | None) -> str:
    """The theme to begin with: the wanted one, unless that is only the default and the terminal cannot show it."""
    return FEW_COLOURS if wanted == DEFAULT_THEME and color_system in ("standard", "windows") else wanted


def textual_theme(theme: ThemeFile) -> Theme:
    """The theme as Textual wants it; what Textual has no name for becomes variables."""
    colours: dict[str, str] = msgspec.to_builtins(theme.colors)
    return Theme(
        name=theme.name,
        dark=theme.dark,
        primary=theme.colors.primary,
        secondary=theme.colors.secondary,
        accent=theme.colors.accent,
        foreground=theme.colors.foreground,
        background=theme.colors.background,
        surface=theme.colors.surface,
        panel=theme.colors.panel,
        success=theme.colors.success,
        warning=theme.colors.warning,
        error=theme.colors.error,
        variables={
            **{OWN + name: colours[name] for name in FALLBACKS},
            "border": colours["border_focus"],
            "border-blurred": colours["border"],
            "block-cursor-background": colours["selection"],
            "block-cursor-foreground": colours["text"],
            "footer-background": colours["panel"],
            "footer-foreground": colours["muted"],
            "footer-description-foreground": colours["muted"],
            "footer-key-foreground": colours["primary"],
            "input-selection-background": colours["selection"],
            "scrollbar": colours["faint"],
            "scrollbar-hover": colours["muted"],
            "scrollbar-active": colours["border_focus"],
            "scrollbar-background": colours["background"],
        },
    )


def is_ours(variables: Mapping[str, str]) -> bool:
    """Whether a theme was made by `textual_theme`. The border of others is too faint for what is not focused."""
    return OWN + "text" in variables


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two opaque colours, 1 to 21, as WCAG 2.2 defines it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    """Relative luminance, 0 to 1 (IEC 61966-2-1)."""
    channels = (value / 255 for value in colour.rgb)
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable(colour: Color, *backgrounds: Color) -> Color:
    """The colour, or the nearest to it on the way to white or black that can be read on all of the backgrounds; the
    end of that way where none can."""
    end = max((Color.parse("#ffffff"), Color.parse("#000000")), key=lambda end: _least_contrast(end, backgrounds))
    steps = (colour.blend(end, step / 20) for step in range(21))
    return next((each for each in steps if _least_contrast(each, backgrounds) >= READABLE), end)


def _least_contrast(colour: Color, backgrounds: Sequence[Color]) -> float:
    return min(contrast(colour, background) for background in backgrounds)


def ink(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables `INK` of a theme with these variables."""
    surface, *others = (Color.parse(variables[name]) for name in _BEHIND_INK)
    found: dict[str, str] = {}
    for name, reference in INK.items():
        of, *strength = reference.removeprefix("$").split()
        colour = Color.parse(variables[of])
        if colour.ansi is not None or surface.ansi is not None:
            found[name] = variables[of]
        else:
            found[name] = readable(surface + _weakened(colour, strength), surface, *others).hex
    return found


def _weakened(colour: Color, strength: Sequence[str]) -> Color:
    """The colour with the strength that was written behind it: `65%`, or nothing."""
    return colour._replace(a=colour.a * float(strength[0].rstrip("%")) / 100) if strength else colour


class Palette:
    """Resolves style names over one background.

    A name may be several, separated by spaces: the later ones are laid over the earlier (`down selection`).
    """

    def __init__(
        self, variables: Mapping[str, str], background: Color, base: Style | None = None, *, no_color: bool = False
    ) -> None:
        self._styles = STYLES | UNCOLOURED if no_color else STYLES
        self._variables = variables
        self._background = background
        self._base = base if base is not None else Style.null()
        self._known: dict[str, Style] = {}

    def style(self, names: str) -> Style:
        """The style for one or more names; an unknown name adds nothing."""
        if (known := self._known.get(names)) is not None:
            return known
        background = self._background
        style = self._base
        # The selection lies under all else, so that what is mixed with the background is mixed with it.
        for name in sorted(names.split(), key=lambda name: name != "selection"):
            layer, background = self._layer(self._styles.get(name, ""), background, name in LINES)
            style += layer
        self._known[names] = style
        return style

    def _layer(self, words: str, background: Color, is_line: bool) -> tuple[Style, Color]:
        """Read `[attribute] [colour] [on colour]`; returns it with the background that it leaves."""
        front, _, back = f" {words} ".partition(" on ")
        attributes = [word for word in front.split() if word[0] != "$" and word[-1] != "%"]
        foreground, behind = self._colour(front), self._colour(back)
        if behind is not None and behind.ansi is not None and behind.a < 1:
            # A terminal's own colours cannot be mixed, and a full one would drown the text.
            behind, attributes = None, attributes if is_line else [*attributes, "bold"]
        if behind is not None:
            background += behind
        if foreground is not None and foreground.ansi is not None and foreground.a < 1:
            attributes.append("dim")
        style = Style(
            color=None if foreground is None else _mixed(foreground, background, is_line).rich_color,
            bgcolor=None if behind is None else background.rich_color,
        )
        return style + Style.parse(" ".join(attributes)), background

    def _colour(self, words: str) -> Color | None:
        """The colour of the variable among these words, with the strength behind it: `$foreground 65%`."""
        _, found, reference = words.partition("$")
        if not found:
            return None
        name, *strength = reference.split()
        if OWN + name not in self._variables and name in FALLBACKS:
            fallback = self._colour(FALLBACKS[name])
            return fallback and _weakened(fallback, strength)
        return _weakened(Color.parse(self._variables.get(OWN + name) or self._variables[name]), strength)


def _mixed(foreground: Color, background: Color, is_line: bool) -> Color:
    """The colour as it is drawn: the terminal's own as they are, others mixed with what is behind, and readable."""
    colour = background + foreground
    if is_line or colour.ansi is not None or background.ansi is not None:
        return colour
    return readable(colour, background)
