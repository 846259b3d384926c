"""What commands have in common: options, exit codes, and how a duration is written."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, NoReturn

import click

SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 0.05, 86_400.0
"""As a profile's own limits, which the help does without."""
_LONGEST_S = 366 * 86_400
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+) *(ms|s|m|h|)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def seconds(_ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    """`30s`, `5m`, `2h`, `250ms` or plain seconds, as seconds."""
    if text is None:
        return None
    found = _DURATION.fullmatch(text.strip().lower())
    found_s = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < found_s <= _LONGEST_S:
        raise click.BadParameter(f"{text!r} is not a duration: write 30s, 5m, 2h or a number of seconds", param=param)
    if param.name == "interval_s" and found_s > LONGEST_INTERVAL_S:
        raise click.BadParameter("is longer than a day", param=param)
    if param.name == "interval_s" and found_s < SHORTEST_INTERVAL_S:
        raise click.BadParameter("is shorter than 50ms: `gwtui bench` and a burst ask more often", param=param)
    return found_s


class NumberRange(click.FloatRange):
    """A range of numbers, of which `nan` is none."""

    name = "number range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


def exit_with(code: int) -> NoReturn:
    click.get_current_context().exit(code)


EXIT_CODES = """\b
Exit codes:
  0      good
  1      an endpoint is down or gave no good answer; a probe's verdict is bad
  2      the command line or the configuration is wrong
  3      gwtui itself failed, its engine died, or no row could be written
  128+n  ended by signal n (130: Ctrl-C)"""

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file.  [default: what `gwtui config path` says]",
)


KEY_PLACES = "env:NAME, file:PATH, cmd:COMMAND or keyring:SERVICE/USER"
"""What `--key` may be, for help. (`gwtui.secrets` has it too; help does not load that.)"""


def run_options(command: Any) -> Any:
    """What `watch` and `demo` have in common."""
    for option in (
        click.option(
            "--session-dir",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Where this session's files go.  [default: a new directory beside the earlier sessions]",
        ),
        click.option(
            "--for", "stop_after_s", metavar="DURATION", callback=seconds, help="Stop after that long: 30s, 5m, 2h."
        ),
    ):
        command = option(command)
    return screen_options(command)


def screen_options(command: Any) -> Any:
    """How to be told instead of on screen."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="No screen: JSON lines."),
        click.option("--headless", is_flag=True, help="No screen: a line per interval, then a summary."),
    ):
        command = option(command)
    return command
