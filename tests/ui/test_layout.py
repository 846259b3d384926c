"""What stays in sight at every size while something is wrong, and where the panels stand."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from support import story, views
from support.monitor_stage import SECOND
from support.stage import on_stage

from gwtui.model.strip import Strip

INCIDENTS = tuple(story.opened(number, 20 + number, each.name) for number, each in enumerate(story.ENDPOINTS, 1))


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (60, 50), (140, 40), (200, 60)])
async def test_the_sentence_the_sick_row_and_three_incidents_are_always_in_sight(
    size: tuple[int, int], tmp_path: Path
) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=size, worst_first=True) as stage:
        await stage.show(*story.session(), *INCIDENTS)
        await stage.pilot.pause()
        assert any(line.startswith(" Answers cut by ") for line in stage.lines[:2])
        assert any(re.search(r"✖ (gateway-)?gpt .*down", line) for line in stage.lines)
        assert sum("✖ open 00:" in line for line in stage.lines) >= 3
        await stage.press("5")
        assert sum("✖ open 00:" in line for line in stage.lines) >= 3


async def test_a_tall_and_narrow_screen_stacks_the_panels(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=(60, 50)) as stage:
        await stage.show(*story.session())
        regions = [stage.screen.query_one(f"#{name}").region for name in ("stream", "latency", "pings", "incidents")]
        assert [(region.x, region.width) for region in regions] == [(0, 60)] * 4
        assert [region.y for region in regions] == sorted(region.y for region in regions)
        assert min(region.height for region in regions) >= 5


async def test_page_5_has_the_timeline_above_the_list(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=(140, 40)) as stage:
        await stage.show(*story.session(), *INCIDENTS)
        await stage.press("5")
        timeline, incidents = (stage.screen.query_one(f"#{name}").region for name in ("timeline", "incidents"))
        assert (timeline.width, incidents.width) == (140, 140)
        assert timeline.bottom == incidents.y
        await stage.press("escape")
        assert not stage.screen.query_one("#timeline").region


def test_wall_times_and_stamps_of_a_view_belong_together() -> None:
    strip = Strip(start_ns=0, bucket_ns=SECOND, cells=(), wall=(views.AT, 5 * SECOND))
    header = replace(views.calm().header, behind_ns=30 * SECOND)
    view = replace(views.calm(), now_ns=65 * SECOND, strip=strip, header=header)
    assert (view.at, view.ends_at) == (views.AT + 60, views.AT + 90)
    assert view.stamp(view.at) == view.now_ns
    assert replace(view, strip=None).stamp(view.header.at) == view.now_ns
