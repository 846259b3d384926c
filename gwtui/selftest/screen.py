"""The whole program on the terminal of this process, watching a session against the truth server.

`python -m gwtui.selftest.screen START RESULT`: a file with the session's `Start`, and where the trial is written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import msgspec

from gwtui.config import Config
from gwtui.feeds import Feed
from gwtui.model.commands import Start
from gwtui.model.profile import Profile
from gwtui.selftest.trial import Watched
from gwtui.ui.app import GwtuiApp


def main(start_file: Path, result_file: Path) -> None:
    """Run the session, leave the screen when it ends, and write the trial."""
    start = msgspec.json.decode(start_file.read_bytes(), type=Start)
    watched: list[Watched] = []

    def open_feed(_: Profile) -> Feed:
        watched.append(Watched(start, lambda: app.exit(0)))
        return watched[-1]

    app = GwtuiApp(Config(start_file.with_name("config.toml")), start.profile, open_feed, _no_demo)
    app.run()
    result_file.write_bytes(msgspec.json.encode(watched[0].trial()))


def _no_demo() -> NoReturn:
    raise NotImplementedError("a session against the truth server has its profile")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
