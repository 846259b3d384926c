"""Draws the README's pictures anew: the real program on its embedded gateway in the middle of the incident, and the
report of that incident in Chromium once it is over.

python tests/picture.py
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gwtui.config import Config
from gwtui.feeds import Feed, live, spawn_engine
from gwtui.gateway.process import spawn_gateway
from gwtui.gateway.profile import demo_profile
from gwtui.model.commands import Start
from gwtui.model.profile import Profile
from gwtui.ui.app import GwtuiApp

PICTURES = Path(__file__).parent.parent / ".github"
INCIDENT_AT_S, OVER_AT_S, ENDING_S = 47.5, 110.0, 2.0
"""Since the start: when all that happens in the demo has begun, and when most of it is over; how long an end takes."""
REPORT_SIZE = "1000,1240"


async def draw(directory: Path) -> None:
    feeds: list[Feed] = []

    def open_feed(profile: Profile) -> Feed:
        feeds.append(live(spawn_engine(Start(profile=profile, session_dir=str(directory / "demo")))))
        return feeds[0]

    with spawn_gateway() as gateway:
        profile = demo_profile(gateway.url)
        app = GwtuiApp(Config(path=Path("no-file")), profile, open_feed, lambda: profile)
        async with app.run_test(size=(140, 40)) as pilot:
            await asyncio.sleep(INCIDENT_AT_S)
            await pilot.pause()
            (PICTURES / "gwtui.svg").write_text(app.export_screenshot(title="gwtui demo"), encoding="utf-8")
            await asyncio.sleep(OVER_AT_S - INCIDENT_AT_S)
            feeds[0].stop()
            await asyncio.sleep(ENDING_S)


def photograph(directory: Path) -> None:
    """The report of the demo's incidents, as a browser shows it."""
    page = directory / "report.html"
    command = (sys.executable, "-m", "gwtui", "report", str(directory / "demo"), "--incident", "1", "-o", str(page))
    subprocess.run(command, check=True)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={REPORT_SIZE}"),
            *(f"--user-data-dir={directory / 'browser'}", f"--screenshot={PICTURES / 'report.png'}", page.as_uri()),
        ],
        check=True,
        timeout=60,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(draw(Path(scratch)))
        photograph(Path(scratch))
