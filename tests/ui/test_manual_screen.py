"""The manual on the screen: every page by its topic, in lines of the width that is there.

Lines to type begin with spaces, and stay whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import story
from support.stage import Stage, on_stage
from textual.widgets import Static

from gwtui.text.manual import topics
from gwtui.ui.screens.manual import ManualScreen


def page(stage: Stage) -> list[str]:
    return str(stage.screen.query_one(Static).render()).splitlines()


@pytest.mark.parametrize("size", [(140, 40), (80, 24), (40, 12)])
async def test_each_topic_has_its_page(tmp_path: Path, size: tuple[int, int]) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=size) as stage:
        await stage.press("f1")
        assert isinstance(stage.screen, ManualScreen)
        assert page(stage)[0] == "The screen"
        await stage.press("home")
        seen = set()
        for _ in topics():
            seen.add(page(stage)[0])
            assert max(len(line) for line in page(stage) if not line.startswith("    ")) <= size[0]
            await stage.press("down")
        assert len(seen) == len(topics())


async def test_a_page_scrolls_once_it_has_the_keys_and_escape_leaves(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=(80, 24)) as stage:
        await stage.press("f1", "right", "pagedown")
        scroll = stage.screen.query_one("#page")
        assert scroll.has_focus
        assert scroll.scroll_offset.y > 0
        await stage.press("left", "down")
        assert scroll.scroll_offset.y == 0
        await stage.press("escape")
        assert not isinstance(stage.screen, ManualScreen)
