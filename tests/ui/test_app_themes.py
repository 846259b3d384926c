"""Themes and keys of the user's own: seen, kept, refused, and listed in the help."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import story
from support.stage import on_stage

from gwtui.config import load
from gwtui.ui.keymap import EVERY, faults_of, shown
from gwtui.ui.screens.help import HelpScreen
from gwtui.ui.screens.monitor import MonitorScreen
from gwtui.ui.styles import theme_for

DARK = "gwtui-dark"


async def test_a_theme_is_saved_where_there_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n")
    async with on_stage(path, *story.ENDPOINTS) as stage:
        await stage.press("t")
        assert stage.notices == [f"{stage.app.theme}, saved"]
        assert stage.app.theme != DARK
        assert load(path).ui.theme == stage.app.theme
        assert path.read_text().startswith("# mine\n")
        path.write_text("[[[\n")
        await stage.press("t")
        assert stage.notices[0].startswith(f"{stage.app.theme}, not saved: {path}:1")


async def test_without_a_file_a_theme_is_for_this_session(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    async with on_stage(path, *story.ENDPOINTS) as stage:
        await stage.press("t")
        assert stage.notices == [f"{stage.app.theme}, not saved: there is no configuration file"]
        assert not path.exists()


@pytest.mark.parametrize(
    ("wanted", "colours", "theme"),
    [
        (DARK, "truecolor", DARK),
        (DARK, "256", DARK),
        (DARK, "standard", "ansi-dark"),
        ("gwtui-light", "standard", "gwtui-light"),
        (DARK, None, DARK),
    ],
)
def test_terminals_with_few_colours_begin_with_their_own(wanted: str, colours: str | None, theme: str) -> None:
    assert theme_for(wanted, colours) == theme


async def test_no_color_is_grey_with_what_is_wrong_in_bold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        drawn = [segment for strip in stage.strips for segment in strip]
        bold = {segment.text.strip() for segment in drawn if segment.style is not None and segment.style.bold}
        assert {"5 failed", "down"} <= bold
        assert not {"up", "complete"} & bold


async def test_themes_are_seen_before_one_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    async with on_stage(path, *story.ENDPOINTS) as stage:
        await stage.press("T", "down")
        assert stage.app.theme == "gwtui-dusk"
        await stage.press("escape")
        assert stage.app.theme == DARK
        assert path.read_text() == ""
        await stage.press("T", "down", "enter")
        assert stage.app.theme == load(path).ui.theme == "gwtui-dusk"


async def test_a_theme_that_is_none_and_one_that_is_broken_are_notices(tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "mine.toml").write_text('name = "mine"\n[colors]\nup = "[red]"\n')
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, theme="nope") as stage:
        assert stage.app.theme == DARK
        assert any("mine.toml:3: colors.up" in text for text in stage.notices)
        assert "There is no theme 'nope': T lists the themes" in stage.notices


async def test_keys_are_remapped_everywhere_and_the_help_says_so(tmp_path: Path) -> None:
    keys = {"endpoints.down": "j", "app.help": "f2,h", "details.back": "x"}
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, keys=keys) as stage:
        await stage.show(*story.session())
        await stage.press("j", "down")
        assert stage.query.endpoint == "gateway-gpt"
        await stage.press("enter", "x")
        assert isinstance(stage.screen, MonitorScreen)
        await stage.press("h")
        assert isinstance(stage.screen, HelpScreen)
        text = str(stage.screen._text(100, ids=True))
        assert "f2 h         help: all keys" in text
        assert "j            a line down" in text
        assert all(key.id in text for key in EVERY)


async def test_keys_that_mean_nothing_and_keys_that_clash_are_notices(tmp_path: Path) -> None:
    keys = {"no.such": "x", "app.quit": "foo+bar", "endpoint.edit": "p"}
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, keys=keys) as stage:
        assert "[ui.keys] there is no 'no.such': press ? for the ids" in stage.notices
        assert "[ui.keys] app.quit: 'foo+bar' is not a key" in stage.notices
        assert "[ui.keys] p is both endpoint.edit and probe.pause" in stage.notices
        await stage.press("p")
        assert "Edit gateway-claude" in stage.text


@pytest.mark.parametrize("keys", [key.keys for key in EVERY] + ["f12", "ctrl+x", "shift+f3", "alt+a", "ä", "+"])
def test_keys_of_a_keyboard_are_no_faults(keys: str) -> None:
    assert not any("is not a key" in fault for fault in faults_of({"app.quit": keys}))


def test_the_table_itself_has_no_faults() -> None:
    assert faults_of({}) == []
    assert faults_of({"app.quit": "?"}) == ["[ui.keys] ? is both app.help and app.quit"]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("plus,equals_sign", "+ ="),
        ("question_mark", "?"),
        ("ctrl+p", "ctrl+p"),
        ("shift+tab", "shift+tab"),
        ("escape", "esc"),
        ("pageup", "pgup"),
        ("enter", "enter"),
        ("S", "S"),
    ],
)
def test_keys_as_they_are_printed(keys: str, text: str) -> None:
    assert shown(keys) == text


async def test_tab_goes_through_the_panels_as_they_are_numbered(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        seen = []
        for _ in range(5):
            assert stage.screen.focused is not None
            seen.append(stage.screen.focused.id)
            await stage.press("tab")
        assert seen == ["endpoints", "stream", "latency", "pings", "incidents"]


async def test_columns_are_chosen_seen_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n")
    async with on_stage(path, *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("C", "space", "down", "down", "enter", "escape")
        assert stage.notices == ["columns, saved"]
        assert load(path).ui.columns == stage.query.columns == ("avg", "cost")
        heading = next(line for line in stage.text.splitlines() if " tok/s " in line)
        assert [name for name in heading.split() if name in ("avg", "total", "cost")] == ["avg", "cost"]
        await stage.press("C", "space", "escape")
        assert load(path).ui.columns == ("cost",)
