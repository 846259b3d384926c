"""Text can be read: in our themes and in those of Textual, on each background, selected or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from gwtui.config.themes import load_all
from gwtui.ui.styles import LINES, READABLE, STYLES, Palette, contrast, ink, readable, textual_theme

BYTES = st.integers(0, 255)
COLOURS = st.builds(Color, BYTES, BYTES, BYTES)


def _variables(theme: Theme) -> dict[str, str]:
    return {**theme.to_color_system().generate(), **theme.variables}


ALL_THEMES = {theme.name: theme for theme in (*map(textual_theme, load_all(None)[0]), *BUILTIN_THEMES.values())}
COLOURED = [theme for theme in ALL_THEMES.values() if Color.parse(_variables(theme)["background"]).ansi is None]


def test_all_themes_but_the_terminals_own_have_colours_that_can_be_computed() -> None:
    assert {theme.name for theme in COLOURED} == {name for name in ALL_THEMES if not name.startswith("ansi-")}


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
def test_every_text_can_be_read_in_every_theme_selected_or_not(theme: Theme) -> None:
    variables = _variables(theme)
    weak: dict[tuple[str, str], float] = {}
    for behind in ("background", "surface", "panel"):
        palette = Palette(variables, Color.parse(variables[behind]))
        for name in (f"{name}{rest}" for name in STYLES.keys() - LINES for rest in ("", " selection")):
            style = palette.style(name)
            assert style.color is not None
            background = Color.from_rich_color(style.bgcolor) if style.bgcolor else Color.parse(variables[behind])
            ratio = contrast(Color.from_rich_color(style.color), background)
            weak |= {(name, behind): round(ratio, 2)} if ratio < 4.5 else {}
        for name, value in ink(variables).items():
            ratio = contrast(Color.parse(value), Color.parse(variables[behind]))
            weak |= {(name, behind): round(ratio, 2)} if ratio < 4.5 else {}
    assert weak == {}


@given(COLOURS, COLOURS)
def test_a_colour_becomes_readable_and_one_that_is_stays(red: Color, behind: Color) -> None:
    found = readable(red, behind)
    assert contrast(found, behind) >= READABLE
    assert found == red or contrast(red, behind) < READABLE
    assert readable(found, behind) == found


def test_the_contrast_is_that_of_the_standard() -> None:
    black, white, grey = (Color.parse(each) for each in ("#000000", "#ffffff", "#767676"))
    assert contrast(black, white) == contrast(white, black) == pytest.approx(21)
    assert contrast(grey, white) == pytest.approx(4.54, abs=0.005)
    assert contrast(white, white) == 1
