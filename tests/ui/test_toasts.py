"""What the program says in passing covers nothing that is watched during an incident."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.monitor_stage import endpoint
from support.stage import on_stage
from textual.widgets._toast import Toast

from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.panels.incidents import IncidentsPanel
from gwtui.ui.panels.keyline import KeyLine


@pytest.mark.parametrize("size", [(140, 40), (200, 60)])
async def test_a_word_to_the_user_covers_no_incident(tmp_path: Path, size: tuple[int, int]) -> None:
    endpoints = endpoint("a"), endpoint("ws", "websocket")
    async with on_stage(tmp_path / "config.toml", *endpoints, size=size, toasts=True) as stage:
        await stage.press("y")
        assert stage.notices == ["There is no trace id yet"]
        assert "There is no trace id yet" in stage.text
        found = stage.screen.query_one(Toast).region
        for panel in (IncidentsPanel, EndpointsPanel, KeyLine):
            assert not found.overlaps(stage.screen.query_one(panel).content_region), panel
