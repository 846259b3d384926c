"""The first screen: nothing is configured, and nothing is an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.stage import Stage, on_stage
from textual.widgets import Input

from gwtui.config import load
from gwtui.config.templates import snippet
from gwtui.model.profile import Endpoint, Profile
from gwtui.ui.screens.form import EndpointForm
from gwtui.ui.screens.monitor import MonitorScreen
from gwtui.ui.screens.welcome import WelcomeScreen


async def add(stage: Stage, key: str) -> None:
    """Fill the form in, and end it with that key."""
    await stage.press("a", "enter")
    stage.screen.query_one("#edit-name", Input).value = "mine"
    stage.screen.query_one("#edit-url", Input).value = "https://gateway.example.com"
    await stage.press(key)


async def test_a_ready_made_endpoint_is_found_by_typing_and_fills_the_form_in(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", welcome=True) as stage:
        await stage.press("a", *"mist")
        listed = [line.strip(" │").split()[0] for line in stage.text.splitlines() if "Mistral" in line]
        assert listed[:2] == ["mistral", "bedrock-invoke"], "first the one whose name begins so"
        await stage.press("enter")
        assert stage.screen.query_one("#edit-url", Input).value == snippet("mistral").url
        await stage.press("escape", "a", *"zzz", "enter")
        assert stage.screen.query_one("#edit-url", Input).value == "", "what is not found can be written by hand"
        await stage.press("escape", "a", "escape")
        assert isinstance(stage.screen, WelcomeScreen)


MINE = Endpoint(name="mine", api="anthropic-messages", url="https://gateway.example.com", nonce=True)


@pytest.mark.parametrize("way", ["d", "enter", "click"])
async def test_the_demo_is_one_key_away(way: str, tmp_path: Path) -> None:
    async with on_stage(tmp_path / "none" / "config.toml", welcome=True) as stage:
        assert "No profile is configured yet" in stage.text
        assert str(tmp_path) in stage.text.replace("\n", "").replace(" ", "").replace("│", "")
        await (stage.pilot.click("#demo") if way == "click" else stage.press(way))
        await stage.pilot.pause()
        await stage.drawn()
        assert isinstance(stage.screen, MonitorScreen)
        assert [endpoint.name for endpoint in stage.feed.profile.endpoints] == ["shown"]
        assert len(stage.app.last_views) == 1


async def test_a_demo_that_does_not_start_is_reported_and_another_choice_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Profile:
        raise OSError("The embedded gateway did not start: [/no] Too many open files")

    async with on_stage(tmp_path / "config.toml", welcome=True) as stage:
        with monkeypatch.context() as patched:
            patched.setattr(stage.app, "_start_demo", refuse)
            await stage.press("d")
            assert stage.notices == ["The embedded gateway did not start: [/no] Too many open files"]
            assert isinstance(stage.screen, WelcomeScreen)
        await stage.press("d")
        assert isinstance(stage.screen, MonitorScreen)


async def test_an_endpoint_can_be_watched_without_a_file(tmp_path: Path) -> None:
    path = tmp_path / "none" / "config.toml"
    async with on_stage(path, welcome=True) as stage:
        await add(stage, "ctrl+o")
        assert isinstance(stage.screen, MonitorScreen)
        assert stage.feed.profile.endpoints == (MINE,)
        assert not path.exists()


async def test_a_first_endpoint_that_is_saved_is_the_profile_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "none" / "config.toml"
    async with on_stage(path, welcome=True) as stage:
        await add(stage, "ctrl+s")
        assert isinstance(stage.screen, MonitorScreen)
        assert load(path).profile() == stage.feed.profile
        assert stage.feed.profile.endpoints == (MINE,)


async def test_a_file_that_cannot_be_written_is_reported_and_the_form_comes_back(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("a file where a directory is wanted")
    async with on_stage(tmp_path / "none" / "config.toml", welcome=True) as stage:
        await add(stage, "ctrl+s")
        assert stage.notices[0].startswith("Not saved: ")
        assert isinstance(stage.screen, EndpointForm)
        assert stage.screen.query_one("#edit-url", Input).value == MINE.url


async def test_without_an_engine_the_form_offers_no_trial(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", welcome=True) as stage:
        await stage.press("a", "enter")
        assert not stage.screen.query("#try")
        await stage.press("ctrl+t", "escape")
        assert isinstance(stage.screen, WelcomeScreen)


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("escape", 0), ("ctrl+c", 130)])
async def test_leaving(key: str, code: int, tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", welcome=True) as stage:
        await stage.press(key)
        assert stage.app.return_value == code
        assert stage.app.last_views == ()
