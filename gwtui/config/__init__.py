"""The configuration: the user's TOML files, fully checked, edited without losing comments; also themes and paths."""

from gwtui.config.errors import ConfigError, ConfigFault
from gwtui.config.paths import config_path
from gwtui.config.store import (
    Config,
    check,
    endpoint_from,
    example,
    load,
    loads,
    remove_endpoint,
    restore,
    save_endpoint,
    save_setting,
)

__all__ = [
    "Config",
    "ConfigError",
    "ConfigFault",
    "check",
    "config_path",
    "endpoint_from",
    "example",
    "load",
    "loads",
    "remove_endpoint",
    "restore",
    "save_endpoint",
    "save_setting",
]
