"""The configuration: TOML files of a person's own, checked whole, edited without harm. Themes and places too."""

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
