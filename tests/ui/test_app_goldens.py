"""The whole screen as text, so that a reviewer reads a difference instead of imagining it.

`UPDATE_GOLDENS=1 pytest tests/ui/test_app_goldens.py` renews the texts in `goldens/`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support import story
from support.stage import on_stage

GOLDENS = Path(__file__).parent.parent / "goldens"

SCREENS: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "monitor-140x40": ((140, 40), ()),
    "monitor-80x24": ((80, 24), ()),
    "monitor-200x60": ((200, 60), ("down",)),
    "monitor-60x20": ((60, 20), ("5",)),
    "websocket-140x40": ((140, 40), ("end",)),
    "http-140x40": ((140, 40), ("down", "down")),
    "pings-alone-140x40": ((140, 40), ("4",)),
    "stream-alone-80x24": ((80, 24), ("2", "left_square_bracket", "v")),
    "frozen-80x24": ((80, 24), ("space", "3")),
    "details-140x40": ((140, 40), ("left_square_bracket", "enter")),
    "details-80x24": ((80, 24), ("down", "enter")),
    "ping-details-140x40": ((140, 40), ("end", "enter")),
    "checks-140x40": ((140, 40), ("K", "y")),
    "checks-80x24": ((80, 24), ("K", "y", "end")),
    "form-140x40": ((140, 40), ("e",)),
    "filter-80x24": ((80, 24), ("slash", *"foo>1")),
    "help-100x40": ((100, 40), ("question_mark",)),
    "too-small-39x11": ((39, 11), ()),
}
"""What is looked at: the size, and the keys that lead there."""


@pytest.mark.parametrize("name", SCREENS)
async def test_the_screen_looks_as_it_did(name: str, tmp_path: Path) -> None:
    size, keys = SCREENS[name]
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=size, name="prod", worst_first=True) as stage:
        await stage.show(*story.session())
        if keys:
            await stage.press(*keys)
        drawn = "\n".join(f"{line:<{size[0]}}|" for line in stage.lines) + "\n"
    golden = GOLDENS / f"screen-{name}.txt"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.write_text(drawn, encoding="utf-8")
    assert drawn == golden.read_text(encoding="utf-8")
