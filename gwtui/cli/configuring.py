"""The commands of `gwtui config`."""

from __future__ import annotations

from pathlib import Path

import click

from gwtui.cli.console import EXIT_USAGE, Refusal, say, shown
from gwtui.cli.options import KEY_PLACES, config_option, exit_with


@click.group(short_help="Where the files are, an example, and a check.")
def config() -> None:
    """Where the files are, an example, and a check of a file."""


@config.command("path", short_help="Print where configuration, themes and sessions are.")
def config_path() -> None:
    """Print where configuration, themes and sessions are. GWTUI_CONFIG names another configuration file."""
    from gwtui.config import config_path
    from gwtui.recorder import state_dir

    path = config_path()
    say(shown(f"configuration  {path}{'' if path.exists() else '  (not there yet)'}"))
    say(shown(f"themes         {path.parent / 'themes'}"))
    state = state_dir()
    say(shown(f"sessions       {'(no home directory)' if state is None else state / 'sessions'}"))


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
    from gwtui.cli import config_check as checking
    from gwtui.config import config_path, load

    path = file if file is not None else config_path()
    if file is None and not path.exists():
        raise Refusal(f"{path} is not there yet. `gwtui config example` shows how to write it.")
    faults = checking.faults_of(path)
    for fault in faults:
        click.echo(shown(str(fault)), err=True)
    if faults:
        exit_with(EXIT_USAGE)
    say(shown(f"{path}: good"))
    for note in checking.notes_of(load(path)):
        say(shown(f"note: {note}"))


@config.command("add", short_help="Put a ready-made endpoint into a profile.")
@click.argument("kind", required=False)
@click.option("-p", "--profile", "profile_name", metavar="NAME", help="Into which profile.  [default: the default one]")
@config_option
@click.option("--name", metavar="NAME", help="What to call it.  [default: the kind's own name]")
@click.option("--url", metavar="URL", help="Its base URL.  [default: an example address]")
@click.option("--key", metavar="REFERENCE", help=f"Where its key is: {KEY_PLACES}.")
@click.option("--model", metavar="NAME", help="The model to ask for.")
def config_add(kind: str | None, profile_name: str | None, config_file: Path | None, **given: str | None) -> None:
    """Put a ready-made endpoint of a KIND into a profile. Without a KIND, list the kinds.

    File and profile are made when missing. What else the file holds, comments too, stays as it is.
    """
    from gwtui.cli import config_add as adding

    if kind is None:
        for name, title in adding.kinds().items():
            say(f"{name:<24} {title}")
        return
    fields = {field: value for field, value in given.items() if value is not None}
    say(shown(adding.add(kind, profile_name, config_file, fields)))
