"""Where files are: the user's configuration, and what ships with gwtui."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CONFIG_VARIABLE = "GWTUI_CONFIG"
"""Environment variable that names another configuration file."""


def config_path() -> Path:
    """The configuration file that is used when none is named. It need not exist."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named).expanduser()
    return platformdirs.user_config_path("gwtui", appauthor=False) / "config.toml"


def shipped(name: str) -> Path:
    """A file or directory that ships with gwtui: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / name
    return inside if inside.exists() else package.parent / name
