"""Every shipped theme can be read and told apart; a user's theme is helped or named, never a crash."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import combinations, product
from math import dist
from pathlib import Path

import msgspec
import pytest

from gwtui.config.paths import shipped
from gwtui.config.themes import DEFAULT_LIGHT_THEME, DEFAULT_THEME, ThemeFile, load_all, load_theme

THEMES = {path.stem: load_theme(path, {}) for path in sorted(shipped("themes").glob("*.toml"))}
BACKGROUNDS = ("background", "surface", "panel")


def rgb(colour: str) -> tuple[float, float, float]:
    """Linear red, green and blue of `#rrggbb`, 0 to 1 (IEC 61966-2-1)."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    lights = (0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (rgb(one), rgb(other)))
    dark, light = sorted(lights)
    return (light + 0.05) / (dark + 0.05)


SIGHTS = {
    "trichromacy": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""What linear RGB becomes in the eye: Machado, Oliveira and Fernandes 2009, severity 1."""


def seen(colour: str, sight: str) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of a colour as such an eye sees it."""
    red, green, blue = (sum(a * b for a, b in zip(row, rgb(colour), strict=True)) for row in SIGHTS[sight])
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (max(x, 0), max(y, 0), max(z, 0)))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def test_the_four_kinds_of_theme_are_shipped() -> None:
    assert {DEFAULT_THEME, DEFAULT_LIGHT_THEME, "gwtui-contrast", "gwtui-colorblind"} <= THEMES.keys()
    assert all(theme.name == stem for stem, theme in THEMES.items())
    assert THEMES[DEFAULT_THEME].dark
    assert not THEMES[DEFAULT_LIGHT_THEME].dark


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_everything_can_be_read(theme: ThemeFile) -> None:
    colours = msgspec.structs.asdict(theme.colors)
    strict = theme.name == "gwtui-contrast"
    drawn = (*BACKGROUNDS, "selection", "border", "border_focus")
    limits = dict.fromkeys((name for name in colours if name not in drawn), 7.0 if strict else 4.5)
    limits |= {"border_focus": 3.0, "faint": 4.5}
    weak = {
        (name, behind): round(contrast(colours[name], colours[behind]), 2)
        for (name, limit), behind in product(limits.items(), BACKGROUNDS)
        if contrast(colours[name], colours[behind]) < limit
    }
    assert weak == {}
    assert contrast(theme.colors.text, theme.colors.selection) >= 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_a_dark_theme_is_dark(theme: ThemeFile) -> None:
    assert (contrast(theme.colors.background, "#000000") < contrast(theme.colors.background, "#ffffff")) is theme.dark


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_states_stay_apart_for_colour_blind_eyes(sight: str) -> None:
    colours = msgspec.structs.asdict(THEMES["gwtui-colorblind"].colors)
    for names in (("up", "slow", "degraded", "down"), ("p50", "p95", "p99")):
        near = {
            pair: round(dist(seen(colours[pair[0]], sight), seen(colours[pair[1]], sight)))
            for pair in combinations(names, 2)
            if dist(seen(colours[pair[0]], sight), seen(colours[pair[1]], sight)) < 15
        }
        assert near == {}


def saved(directory: Path, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_users_theme_needs_only_what_differs(tmp_path: Path) -> None:
    saved(tmp_path, 'name = "mine"\ndark = false\n[colors]\ndown = "#aa0000"\n')
    themes, faults = load_all(tmp_path)
    mine = next(theme for theme in themes if theme.name == "mine")
    light = next(theme for theme in themes if theme.name == DEFAULT_LIGHT_THEME)
    assert faults == ()
    assert mine.colors == msgspec.structs.replace(light.colors, down="#aa0000")


def test_a_users_theme_may_take_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    saved(tmp_path, f'name = "{DEFAULT_THEME}"\n[colors]\ndown = "#ff0000"\n')
    themes, _ = load_all(tmp_path)
    assert [theme.colors.down for theme in themes if theme.name == DEFAULT_THEME] == ["#ff0000"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("name = ", 1, "not valid TOML"),
        ('[colors]\nup = "#00ff00"', None, "name is missing"),
        ('name = "a b"', 1, "name"),
        ('name = "x"\n[colors]\nup = "green"', 3, "colors.up"),
        ('name = "x"\n[colors]\nup = 5', 3, "colors.up"),
        ('name = "x"\n[colors]\ndwn = "#112233"', 3, "did you mean down?"),
        ('name = "x"\ncolors = 1', 2, "expected a table"),
        ('name = "x"\ndark = "yes"', 2, "expected true or false"),
    ],
)
def test_a_bad_theme_is_a_text_that_says_where(tmp_path: Path, text: str, line: int | None, says: str) -> None:
    path = saved(tmp_path, text)
    themes, faults = load_all(tmp_path)
    assert len(themes) == len(THEMES)
    assert len(faults) == 1
    assert faults[0].startswith(f"{path}:{line}:" if line else f"{path}:")
    assert says in faults[0]


def test_themes_that_are_not_there_or_no_text_are_no_crash(tmp_path: Path) -> None:
    assert load_all(tmp_path / "missing") == load_all(None)
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "directory.toml").mkdir()
    themes, faults = load_all(tmp_path)
    assert len(themes) == len(THEMES)
    assert len(faults) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX systems")
@pytest.mark.parametrize(
    "put", [lambda path: path.symlink_to("/dev/zero"), os.mkfifo, Path.mkdir], ids=["a link", "a pipe", "a directory"]
)
def test_what_is_no_file_in_the_folder_of_themes_is_reported_at_once(
    tmp_path: Path, put: Callable[[Path], object]
) -> None:
    put(tmp_path / "odd.toml")
    (tmp_path / "huge.toml").touch()
    os.truncate(tmp_path / "huge.toml", 1 << 33)
    themes, (huge, odd) = load_all(tmp_path)
    assert len(themes) == len(load_all(None)[0])
    assert "huge.toml: cannot be read: longer than" in huge
    assert "odd.toml: cannot be read: " in odd
