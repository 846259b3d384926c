"""What commands share: options, exit codes, and durations."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import click

from gwtui.cli import completion

SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 0.05, 86_400.0
"""The limits of a profile, repeated here because help does not load profiles."""
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


def rate(_ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    """`50`, `0.5` or `50/s`, as requests per second."""
    if text is None:
        return None
    try:
        rate = float(text.strip().removesuffix("/s"))
    except ValueError:
        rate = 0.0
    if not 1e-6 <= rate <= 10_000:
        raise click.BadParameter(f"{text!r} is not a number of requests per second: write 50 or 0.5", param=param)
    return rate


def comma_separated(texts: tuple[str, ...]) -> tuple[str, ...] | None:
    """The names in these texts, each of which may hold several with commas between; None where there are no texts."""
    return tuple(name for text in texts for each in text.split(",") if (name := each.strip())) if texts else None


class NumberRange(click.FloatRange):
    """A range of numbers; `nan` is refused."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class FlagsAsGo(click.Command):
    """Takes long options with one dash too, and `--stream=true`, as Go's flag package does.

    A command without arguments takes `--stream true` too.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        params = self.get_params(ctx)
        names = {name for param in params for name in param.opts if name.startswith("--")}
        flags = {name for param in params if getattr(param, "is_flag", False) for name in param.opts}
        at = args.index("--") if "--" in args else len(args)
        long = _long(args[:at], names, flags, apart=not any(isinstance(param, click.Argument) for param in params))
        return super().parse_args(ctx, [*long, *args[at:]])


def go_bool(text: str) -> bool | None:
    """The text as Go's flag package reads a flag; None where it would not."""
    return {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}.get(text.lower())


class ListsAPIs(click.Command):
    """Ends the text of its help with the names of the APIs, which are loaded for it."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from gwtui.apis import api_names

        super().format_help_text(ctx, formatter)
        formatter.write_paragraph()
        room = textwrap.TextWrapper(
            formatter.width, initial_indent="  APIs: ", subsequent_indent=" " * 8, break_on_hyphens=False
        )
        formatter.write(f"{room.fill(', '.join(api_names()))}\n")


def _long(args: list[str], names: set[str], flags: set[str], *, apart: bool) -> list[str]:
    """The arguments as click takes them; `apart`: the value of a flag may be an argument of its own."""
    found: list[str] = []
    rest = pairwise([*args, ""])
    for arg, following in rest:
        name, equals, value = arg.partition("=")
        name = f"-{name}" if f"-{name}" in names else name
        if name in flags and apart and not equals and go_bool(following) is not None:
            equals, value = "=", following
            next(rest)
        if name in flags and go_bool(value) is not None:
            found += [name] if go_bool(value) else []
        else:
            found.append(f"{name}{equals}{value}")
    return found


def exit_with(code: int) -> NoReturn:
    click.get_current_context().exit(code)


def exit_codes(
    bad: str = "",
    *,
    usage: str = "the command line or the configuration is wrong",
    own: str = "gwtui itself failed",
    signal: str = "",
) -> str:
    """The exit codes of a command, for the end of its help. `bad` says when it ends with 1; "" where it never does."""
    lines = ["\b", "Exit codes:", "  0      good"]
    lines += [f"  1      {bad}"] if bad else []
    lines += [f"  2      {usage}", f"  3      {own}", f"  128+n  ended by signal n (130: Ctrl-C){signal}"]
    return "\n".join(lines)


LOST_ROWS = "gwtui itself failed, its engine died, or rows could not be written"

KEY_PLACES = "env:NAME, file:PATH, cmd:COMMAND, keyring:SERVICE/USER or aws:PROFILE"
"""The forms of `--key`, for help. (`gwtui.secrets` has them too; help does not load that.)"""

FILE = click.Path(dir_okay=False, path_type=Path)

config_option = click.option(
    "--config", "config_file", type=FILE, help="The configuration file.  [default: what `gwtui config path` says]"
)
key_option = click.option("--key", metavar="REFERENCE", help=f"Where the key is: {KEY_PLACES}.")
model_option = click.option("--model", metavar="NAME", help="Model to request.")
omit_option = click.option(
    "--omit",
    multiple=True,
    metavar="FIELD",
    callback=lambda _ctx, _param, texts: comma_separated(texts),
    help="Field of the request's body not to send: stream_options, max_tokens (any token limit), ...; repeatable.",
)


def profile_option(help_text: str) -> Callable[[Any], Any]:
    """`--profile` of a command."""
    return click.option(
        "-p", "--profile", "profile_name", metavar="NAME", help=help_text, shell_complete=completion.profiles
    )


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def option_group(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator, in the order of the help."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


endpoint_options = option_group(
    click.option(
        "--api", metavar="NAME", help="API of an endpoint that is in no profile.", shell_complete=completion.apis
    ),
    click.option("--url", metavar="URL", help="Base URL of that endpoint."),
    click.option("--path", metavar="PATH", help="Appended to the base URL.  [default: the API's]"),
    key_option,
    model_option,
)
"""How to describe an endpoint, or what to change of one in a profile."""

screen_options = option_group(
    click.option("--headless", is_flag=True, help="No screen: print a line per interval, then a summary."),
    click.option("--json", "as_json", is_flag=True, help="No screen: print JSON lines."),
)
"""How to print instead of drawing a screen."""

run_options = option_group(
    screen_options,
    click.option(
        "--for", "stop_after_s", metavar="DURATION", callback=seconds, help="Stop after this long: 30s, 5m, 2h."
    ),
    click.option(
        "--session-dir",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Directory for this session's files.  [default: a new one beside the earlier sessions]",
    ),
)
"""What `watch` and `demo` have in common."""


def given(**fields: Any) -> dict[str, Any]:
    """The options that were given, by name."""
    return {name: value for name, value in fields.items() if value is not None}
