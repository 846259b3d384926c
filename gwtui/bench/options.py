"""How the two commands read their arguments: durations, gates, and flags as the predecessor took them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

EXIT_TRIPPED = 1
"""A gate was not passed, or an endpoint had no success."""
EXIT_USAGE = 2
EXIT_OWN_FAULT = 3

_F = TypeVar("_F", bound=Callable[..., Any])


class Refusal(click.ClickException):
    """Something is wrong with what was asked: one line, exit 2."""

    exit_code = EXIT_USAGE

    def show(self, file: Any = None) -> None:
        click.echo(f"gwtui: {self.format_message()}", err=True)


def refuse(error: Exception) -> NoReturn:
    raise Refusal(str(error)) from None


class _Seconds(click.ParamType[float]):
    """`30s`, `5m`, `2h`, `250ms` or plain seconds."""

    name = "duration"
    _units = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip().lower()
        number, factor = next(
            ((text[: -len(unit)], factor) for unit, factor in self._units if text.endswith(unit)), (text, 1.0)
        )
        try:
            seconds = float(number) * factor
        except ValueError:
            seconds = -1.0
        if not 0 < seconds <= 366 * 86_400:
            self.fail(f"{value!r} is not a duration: write 30s, 5m, 2h or a number of seconds", param, ctx)
        return seconds


SECONDS = _Seconds()


class _Rate(click.ParamType[float]):
    """Requests per second: `50`, `0.5` or `50/s`."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            rate = float(str(value).removesuffix("/s"))
        except ValueError:
            rate = -1.0
        if not 0 < rate <= 10_000:
            self.fail(f"{value!r} is not a number of requests per second", param, ctx)
        return rate


RATE = _Rate()


class FlagsAsGo(click.Command):
    """Takes long options with one dash too, and `--stream=true`, as Go's flag package does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        names = {name for param in self.get_params(ctx) for name in param.opts if name.startswith("--")}
        flags = {name for param in self.get_params(ctx) if getattr(param, "is_flag", False) for name in param.opts}
        before, after = args, list[str]()
        if "--" in args:
            before, after = args[: args.index("--")], args[args.index("--") :]
        return super().parse_args(ctx, [*_long(before, names, flags), *after])


def _long(args: list[str], names: set[str], flags: set[str]) -> list[str]:
    found = []
    for arg in args:
        name, equals, value = arg.partition("=")
        name = f"-{name}" if f"-{name}" in names else name
        if name in flags and value in ("true", "false"):
            found += [name] if value == "true" else []
        else:
            found.append(f"{name}{equals}{value}")
    return found


def profile_options(command: _F) -> _F:
    """Where the endpoints are."""
    command = click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The configuration file.  [default: see `gwtui config path`]",
    )(command)
    return click.option("-p", "--profile", "profile_name", help="Which profile of the configuration.")(command)


def output_options(command: _F) -> _F:
    """Where the results go."""
    path = click.Path(dir_okay=False, path_type=Path)
    command = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")(command)
    command = click.option("--request-csv", type=path, metavar="FILE", help="Write a row per request.")(command)
    return click.option("--csv", "aggregate_csv", type=path, metavar="FILE", help="Write a row per endpoint.")(command)


def has_colour() -> bool:
    """Whether standard output is a terminal that wants colours (no-color.org)."""
    import os

    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def terminal_width() -> int | None:
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
