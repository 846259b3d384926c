"""The command line: one module per command, with its options and its work, which are listed here.

Every command imports what it needs when it runs, so that `--help` costs nothing.
"""

from __future__ import annotations

from typing import NoReturn

import click

from gwtui import installed_version
from gwtui.cli import (
    bench,
    check,
    compare,
    completion,
    config,
    decode,
    demo,
    doctor,
    engine,
    gateway,
    history,
    incidents,
    manual,
    probe,
    replay,
    report,
    selftest,
    watch,
)
from gwtui.cli.console import run, say
from gwtui.cli.options import LOST_ROWS, exit_codes


def main() -> NoReturn:
    """The program."""
    run(gwtui)


class _WatchByDefault(manual.Helpful):
    """`gwtui -p prod` is `gwtui watch -p prod`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        completes_the_first_word = ctx.resilient_parsing and not args
        if not completes_the_first_word and (not args or (args[0].startswith("-") and args[0] not in own)):
            args = ["watch", *args]
        return super().parse_args(ctx, args)


def _version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted:
        version = installed_version()
        say(f"gwtui {version}" if version else "gwtui, run from a checkout that is not installed")
        ctx.exit()


_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    cls=_WatchByDefault,
    context_settings=_SETTINGS,
    epilog=exit_codes("an endpoint is down or gave no good answer; or the verdict is bad", own=LOST_ROWS),
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def gwtui() -> None:
    """A live monitor in the terminal for LLM gateways.

    Without a command, gwtui watches the endpoints of your default profile. New here? Try `gwtui demo`. You know another
    tool for gateways? `gwtui help gateways` names the line for all that it did.
    """


for each in (
    watch,
    replay,
    history,
    incidents,
    report,
    demo,
    probe,
    doctor,
    bench,
    compare,
    check,
    decode,
    config,
    selftest,
    gateway,
    manual,
    completion,
    engine,
):
    gwtui.add_command(each.command)
gwtui.add_command(manual.help_command)
