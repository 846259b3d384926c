"""Where files are: the user's configuration, and what ships with gwtui."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import platformdirs

from gwtui.model.profile import TLS, Endpoint
from gwtui.text.untrusted_files import expanded

CONFIG_VARIABLE = "GWTUI_CONFIG"
"""Environment variable that names another configuration file."""

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def config_path() -> Path:
    """The configuration file that is used when none is named. It need not exist."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return expanded(named)
    directory = of_user(lambda: platformdirs.user_config_path("gwtui", appauthor=False))
    return (directory or Path(os.sep, ".config", "gwtui")) / "config.toml"


def of_user(find: Callable[[], Path]) -> Path | None:
    """A directory of this user's; None where there is no home directory, as in a container without that user."""
    try:
        found = find()
    except RuntimeError:
        return None
    return found if found.is_absolute() else None


def shipped(name: str) -> Path:
    """A file or directory that ships with gwtui: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / name
    return inside if inside.exists() else package.parent / name


def with_absolute_paths(struct: _Struct, directory: Path) -> _Struct:
    """Endpoints and TLS settings with their paths as they are meant: `~` is the home, all else begins at `directory`.
    Other structs are returned as they are."""
    if isinstance(struct, Endpoint) and struct.tls is not None:
        return msgspec.structs.replace(struct, tls=with_absolute_paths(struct.tls, directory))
    if isinstance(struct, TLS):
        named = {field: getattr(struct, field) for field in ("ca_file", "client_cert", "client_key")}
        paths = {field: absolute(path, directory) for field, path in named.items() if path is not None}
        return msgspec.structs.replace(struct, **paths)
    return struct


def absolute(path: str, directory: Path) -> str:
    """A path of a file in this directory: `~` is the home, and what is relative begins at the directory."""
    if Path(path).is_absolute():
        return path
    try:
        return str(directory / Path(path).expanduser())
    except RuntimeError:  # there is no home: the path is shown as it was written where it cannot be opened
        return path
