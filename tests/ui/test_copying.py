"""The copy menu, and where what leaves the screen goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import story
from support.stage import Stage, on_stage
from textual.widgets import OptionList

from gwtui.ui import copying
from gwtui.ui.copying import MOST_COPIED_BYTES, saved
from gwtui.ui.screens.copy import CopyScreen
from gwtui.ui.screens.details import DetailsScreen
from gwtui.ui.screens.monitor import MonitorScreen


async def chosen(stage: Stage, *keys: str) -> str:
    """What is on the clipboard after the menu was opened and these keys were pressed."""
    stage.app._clipboard = ""
    await stage.press("Y")
    assert isinstance(stage.screen, CopyScreen)
    await stage.press(*keys)
    return stage.app.clipboard


async def test_a_line_is_chosen_by_letter_digit_or_with_the_cursor(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("left_square_bracket")
        assert await chosen(stage, "t") == story.trace(9)
        assert await chosen(stage, "2") == "req_9"
        assert await chosen(stage, "down", "enter") == "req_9"
        assert await chosen(stage, "j", "j", "k", "enter") == "req_9"
        assert (await chosen(stage, "G", "enter")).startswith("## `complete`: `gateway-claude #9`")
        assert await chosen(stage, "G", "g", "enter") == story.trace(9)
        assert stage.notices == ["Copied the trace id of gateway-claude #9"]
        for leave in ("escape", "q", "Y"):
            assert await chosen(stage, leave) == ""
            assert isinstance(stage.screen, MonitorScreen)


async def test_what_cannot_be_copied_says_why_and_cannot_be_chosen(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("Y")
        assert stage.notices == ["There is no request yet"]
        await stage.show(*story.stream(1, 1000, upto=4))
        assert await chosen(stage, "v") == ""
        assert isinstance(stage.screen, CopyScreen)
        assert "CSV row with heading  (it is under way)" in stage.text
        assert stage.screen.query_one(OptionList).highlighted == 2, "the first that can be chosen"


async def test_while_a_request_is_under_way_the_newest_result_is_copied(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        assert "#10" in stage.text
        assert await chosen(stage, "t") == story.trace(9)
        assert stage.query.request is None, "the newest is followed as before"


async def test_the_menu_of_the_details_is_about_their_request(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("left_square_bracket", "left_square_bracket", "enter")
        assert await chosen(stage, "r") == "req_8"
        assert isinstance(stage.screen, DetailsScreen)


async def test_what_is_longer_than_a_clipboard_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(copying, "MOST_COPIED_BYTES", 100)
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("left_square_bracket")
        for name in ("copy-gateway-claude-9-curl.sh", "copy-gateway-claude-9-curl-2.sh"):
            assert await chosen(stage, "c") == ""
            for worker in [each for each in stage.app.workers if each.group == "copy"]:
                await worker.wait()
            await stage.pilot.pause()
            assert stage.notices == [
                "Saved the curl command of gateway-claude #9, which is longer than a terminal's clipboard, to "
                f"{tmp_path / name}"
            ]
            assert (tmp_path / name).read_text().startswith("curl ")
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_clipboard_takes_what_base64_makes_100_kb_of() -> None:
    assert (MOST_COPIED_BYTES + 2) // 3 * 4 <= 100_000


def test_nothing_is_overwritten_and_no_link_followed(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("mine")
    (tmp_path / "x-2.md").symlink_to(tmp_path / "elsewhere")
    assert saved((tmp_path / "not there", tmp_path), "x", "md", "new") == tmp_path / "x-3.md"
    assert (tmp_path / "x.md").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


def test_a_place_that_takes_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not there"):
        saved((tmp_path / "not there",), "x", "md", "new")
