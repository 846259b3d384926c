"""Draws the README's picture anew: the real program on its embedded gateway, in the middle of the incident.

python tests/picture.py [SECONDS]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gwtui.config import Config
from gwtui.feeds import Feed, live, spawn_engine
from gwtui.gateway.process import spawn_gateway
from gwtui.gateway.profile import demo_profile
from gwtui.model.commands import Start
from gwtui.model.profile import Profile
from gwtui.ui.app import GwtuiApp

PICTURE = Path(__file__).parent.parent / ".github" / "gwtui.svg"
INCIDENT_AT_S = 44.6
SICK = 3
"""How far down the table the endpoint is whose streams are cut."""


def open_feed(profile: Profile) -> Feed:
    return live(spawn_engine(Start(profile=profile)))


async def draw(after_s: float) -> None:
    with spawn_gateway() as gateway:
        profile = demo_profile(gateway.url)
        app = GwtuiApp(Config(path=Path("no-file")), profile, open_feed, lambda: profile)
        async with app.run_test(size=(140, 40)) as pilot:
            await asyncio.sleep(after_s)
            for _ in range(SICK):
                await pilot.press("down")
            await asyncio.sleep(1.0)
            PICTURE.parent.mkdir(exist_ok=True)
            PICTURE.write_text(app.export_screenshot(title="gwtui demo"), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(draw(float(sys.argv[1]) if len(sys.argv) > 1 else INCIDENT_AT_S))
