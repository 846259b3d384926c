"""All that can be clicked has a key, and tab leads through everything in the order in which it stands."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import story, views
from support.stage import on_stage
from textual.widget import Widget

import gwtui.ui
from gwtui.ui.keymap import EVERY, KEYS
from gwtui.ui.panel import Panel, window_options
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.panels.latency import LatencyPanel
from gwtui.ui.panels.pings import PingsPanel

CLICKED = {
    "DetailsPanel": ("details.next_event",),
    "EndpointsPanel": ("endpoints.down", "endpoints.fold", "request.inspect", "view.sort", "view.reverse"),
    "FilterBar": ("view.filter",),
    "IncidentsPanel": ("incidents.down", "incidents.open"),
    "KeyLine": ("app.help",),
    "LatencyPanel": ("view.metric",),
    "OthersPanel": ("others.down", "compare.choose"),
    "RecentPanel": ("recent.down",),
    "StreamPanel": ("stream.down", "stream.mode", "request.inspect"),
    "TabStrip": ("panel.stream", "panel.latency", "panel.pings", "panel.incidents"),
    "TimelinePanel": ("timeline.earlier", "timeline.later", "timeline.open"),
}
"""The keys that do what a click does there."""


def widgets() -> Iterator[type[Widget]]:
    """The widgets of all rooms of the screen."""
    for module in pkgutil.walk_packages(gwtui.ui.__path__, "gwtui.ui."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Widget) and value.__module__ == module.name:
                yield value


def test_what_can_be_clicked_has_a_key() -> None:
    assert {widget.__name__ for widget in widgets() if "on_click" in vars(widget)} == CLICKED.keys()
    ids = {key.id for key in EVERY}
    assert {id_ for needed in CLICKED.values() for id_ in needed} <= ids


@pytest.mark.parametrize("kind", [EndpointsPanel, LatencyPanel, PingsPanel])
def test_what_a_border_offers_is_what_a_key_does(kind: type[Panel]) -> None:
    offered = {option.action for option in kind().options(views.incident()) if option.action}
    assert offered
    assert offered <= {key.action for key in KEYS}
    assert {option.action for option in window_options(views.calm().query.window)} <= {"", *(k.action for k in KEYS)}


async def test_tab_goes_round_the_panels_in_the_order_in_which_they_stand(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())

        async def focused(key: str) -> str:
            await stage.press(key)
            assert stage.screen.focused is not None
            return stage.screen.focused.id or ""

        forth = [await focused("tab") for _ in range(5)]
        assert forth == ["stream", "latency", "pings", "incidents", "endpoints"]
        assert [await focused("shift+tab") for _ in range(5)] == [
            "incidents",
            "pings",
            "latency",
            "stream",
            "endpoints",
        ]
