"""The commands of `gwtui config`."""

from __future__ import annotations

from pathlib import Path

import click

from gwtui.cli.options import exit_with
from gwtui.compose.console import EXIT_USAGE, Refusal, say


@click.group(short_help="Where the files are, an example, and a check.")
def config() -> None:
    """Where the files are, an example, and a check of a file."""


@config.command("path", short_help="Print where configuration, themes and sessions are.")
def config_path() -> None:
    """Print where configuration, themes and sessions are. GWTUI_CONFIG names another configuration file."""
    from gwtui.config import config_path
    from gwtui.recorder import state_dir

    path = config_path()
    say(f"configuration  {path}{'' if path.exists() else '  (not there yet)'}")
    say(f"themes         {path.parent / 'themes'}")
    say(f"sessions       {state_dir() / 'sessions'}")


@config.command("example", short_help="Print a configuration that documents every field.")
def config_example() -> None:
    """Print a configuration that documents every field, ready to be copied."""
    from gwtui.config import example

    say(example().removesuffix("\n"))


@config.command("check", short_help="Name every fault of a configuration.")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def config_check(file: Path | None) -> None:
    """Name every fault of a configuration with its file, line and key. Exits with 2 when there is one.

    What is no fault of the file but missing on this machine, such as a variable with a key, is a note.
    """
    from gwtui.compose import checking
    from gwtui.config import config_path, load

    path = file if file is not None else config_path()
    if file is None and not path.exists():
        raise Refusal(f"{path} is not there yet. `gwtui config example` shows how to write it.")
    faults = checking.faults_of(path)
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        exit_with(EXIT_USAGE)
    say(f"{path}: good")
    for note in checking.notes_of(load(path)):
        say(f"note: {note}")
