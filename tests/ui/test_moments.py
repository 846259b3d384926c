"""Another moment than now on the whole screen: what shows it, what does not, and by which clock."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from support import story
from support.monitor_stage import START_AT
from support.stage import on_stage

from gwtui.model.commands import Resume
from gwtui.model.records import Heartbeat


async def test_orders_act_on_now_whatever_moment_is_shown(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("slash", *"state:up", "enter", "space")
        name = story.CLAUDE.name
        await stage.show(Heartbeat(at=START_AT + 30, now_ns=story.at(30_000), paused=(name,)))
        assert stage.monitor.view.selected == story.CLAUDE, "it was up at the moment that is shown"
        await stage.press("p")
        assert stage.feed.sent[-1] == Resume(endpoint=name)


async def test_clocks_are_in_local_time_until_z_makes_them_utc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(time.tzset)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "IST-5:30")
        time.tzset()
        async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
            await stage.show(*story.session())
            local = stage.text
            await stage.press("left_parenthesis", "enter")
            started = [re.findall(r"started +(\S+)", stage.text)]
            await stage.press("escape", "z")
            universal = stage.text
            await stage.press("enter")
            started.append(re.findall(r"started +(\S+)", stage.text))
    assert local.splitlines()[0].endswith("19:33:42")
    assert "14:03" not in local
    assert universal.splitlines()[0].endswith("14:03:42Z")
    assert "19:33" not in universal
    assert started == [["2025-12-31T19:33:40.000+05:30"], ["2025-12-31T14:03:40.000Z"]]
