"""The whole program over any engine: `python -m tests.bench.showing START COMMAND`, a file and a list in JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NoReturn

import msgspec

from gwtui.config import Config
from gwtui.feeds import live, spawn_engine
from gwtui.model.commands import Start
from gwtui.ui.app import GwtuiApp


def main(start_file: Path, command: list[str]) -> None:
    start = msgspec.json.decode(start_file.read_bytes(), type=Start)
    config = Config(start_file.with_name("config.toml"))
    GwtuiApp(config, start.profile, lambda _: live(spawn_engine(start, command)), _no_demo).run()


def _no_demo() -> NoReturn:
    raise NotImplementedError("there is a profile")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
