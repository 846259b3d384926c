"""`gwtui config`: where the files are, an example, a check of a whole configuration, ready-made endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gwtui.cli import completion
from gwtui.cli.bench_plan import plan_faults, print_plans
from gwtui.cli.console import EXIT_USAGE, Refusal, refusing, say, shown
from gwtui.cli.options import FILE, config_option, exit_with, given, key_option, model_option

if TYPE_CHECKING:
    from gwtui.config import Config, ConfigFault
    from gwtui.model.profile import TLS, Endpoint


@click.group("config", short_help="Show, check and extend the configuration.")
def command() -> None:
    """Show where the configuration is, print an example, check it, or add an endpoint."""


@command.command("path", short_help="Print where configuration, themes, sessions and history are.")
def print_paths() -> None:
    """Print where configuration, themes, sessions and history are.

    Set GWTUI_CONFIG to use another configuration file.
    """
    from gwtui.config import config_path
    from gwtui.history import HISTORY
    from gwtui.recorder import state_dir

    path = config_path()
    say(shown(f"configuration  {path}{'' if path.exists() else '  (does not exist yet)'}"))
    say(shown(f"themes         {path.parent / 'themes'}"))
    state = state_dir()
    for name, label in (("sessions", "sessions"), (HISTORY, "history")):
        say(shown(f"{label:<15}{'(no home directory)' if state is None else state / name}"))


@command.command("example", short_help="Print a configuration that documents every field.")
def print_example() -> None:
    """Print a configuration that documents every field, ready to copy."""
    from gwtui.config import example

    say(example().removesuffix("\n"))


@command.command("check", short_help="Check a configuration and print every fault.")
@click.argument("file", required=False, type=FILE)
@config_option
def check_file(file: Path | None, config_file: Path | None) -> None:
    """Check a configuration and print every fault with its file, line and key. Exits with 2 when there is one.

    Without a fault it explains the rules of every endpoint: when it is down, degraded or slow, what its usual is taken
    from, and its maintenance windows; and what every plan of a benchmark will do. Things that are missing on this
    machine, such as an environment variable with a key, are printed as notes.
    """
    from gwtui.config import config_path, load
    from gwtui.report.rules import rule_lines

    if file is not None and config_file is not None:
        raise Refusal("FILE and --config both name the file to check: give one of them")
    chosen = file or config_file
    path = chosen or config_path()
    if chosen is None and not path.exists():
        raise Refusal(f"{path} does not exist yet. `gwtui config example` shows how to write it.")
    faults = faults_of(path)
    for fault in faults:
        click.echo(shown(str(fault)), err=True)
    if faults:
        exit_with(EXIT_USAGE)
    say(shown(f"{path}: good"))
    config = load(path)
    for note in notes_of(config):
        say(shown(f"note: {note}"))
    for profile in config.profiles:
        for line in rule_lines(profile):
            say(shown(line))
    print_plans(config)


@command.command("add", short_help="Add a ready-made endpoint to a profile.")
@click.argument("kind", required=False, shell_complete=completion.kinds)
@click.option(
    "-p", "--profile", "profile_name", metavar="NAME", help="Profile to add it to.  [default: the default profile]"
)
@config_option
@click.option("--name", metavar="NAME", help="Name of the endpoint.  [default: the kind's name]")
@click.option("--url", metavar="URL", help="Base URL, of all endpoints of a set.  [default: an example address]")
@key_option
@model_option
def add_endpoint(kind: str | None, profile_name: str | None, config_file: Path | None, **fields: str | None) -> None:
    """Add a ready-made endpoint of a KIND to a profile, or all endpoints of a gateway. Without a KIND, list the kinds.

    File and profile are created if they do not exist. Everything else in the file stays as it is, comments included.
    """
    if kind is None:
        say("\n".join(kinds()))
        return
    say(shown(add(kind, profile_name, config_file, given(**fields))))


def kinds() -> list[str]:
    """The kinds of ready-made endpoints and the sets of them, a line each with its title."""
    from gwtui.config.templates import SETS, SNIPPETS
    from gwtui.text.tables import TextColumn, table

    titles = {name: each.title for name, each in SNIPPETS.items()} | {name: each.title for name, each in SETS.items()}
    return table(list(titles.items()), (TextColumn(24), TextColumn(gap=" ")))


def add(kind: str, profile_name: str | None, config_file: Path | None, fields: dict[str, str]) -> str:
    """Add the endpoint and say where it is now. The profile is the one named, the file's default, or its only one."""
    from gwtui.config import config_path, load, templates

    path = config_file if config_file is not None else config_path()
    with refusing():
        config = load(path) if path.exists() else load()
        only = config.profiles[0].name if len(config.profiles) == 1 else "default"
        profile = profile_name or config.default_profile or only
        if kind in templates.SETS:
            added = templates.add_set(path, profile, kind, fields)
        else:
            added = (templates.add(path, profile, kind, fields),)
    names, url = ", ".join(each.name for each in added), added[0].url
    return f"{path}: added {names} to profile {profile}; {'its' if len(added) == 1 else 'their'} URL is {url}"


def faults_of(path: Path) -> list[ConfigFault]:
    """Every fault of the file; none when it is good. Themes, keys and the files that it names are looked at when all
    else is."""
    from gwtui.config import check, load

    if faults := check(path):
        return faults
    config = load(path)
    faults = [*_look_faults(config), *_file_faults(config), *plan_faults(config)]
    return sorted(faults, key=lambda fault: fault.line or 0)


def notes_of(config: Config) -> list[str]:
    """Faults outside the file that show when it is used on this machine."""
    return [f"{profile.name}: has no endpoints" for profile in config.profiles if not profile.endpoints] + [
        f"{profile.name}.{endpoint.name}: {problem}"
        for profile in config.profiles
        for endpoint in profile.endpoints
        for problem in _key_problems(endpoint)
    ]


def _key_problems(endpoint: Endpoint) -> Iterator[str]:
    """References that cannot be resolved. Only those that need no prompt and no process."""
    from gwtui.secrets.references import KeyReferenceError
    from gwtui.secrets.resolver import references_of, resolve

    for reference in dict.fromkeys(references_of(endpoint)):
        if reference.startswith(("env:", "file:")):
            try:
                resolve(reference)
            except KeyReferenceError as error:
                yield str(error)


def _file_faults(config: Config) -> Iterator[ConfigFault]:
    """TLS files that cannot be used."""
    from gwtui.config.errors import ConfigFault, KeyPath, dotted
    from gwtui.config.tomlfile import Lines, read

    lines = Lines(read(config.path))
    for profile in config.profiles:
        for index, endpoint in enumerate(profile.endpoints):
            for field, reason in _tls_file_faults(endpoint.tls) if endpoint.tls is not None else ():
                path: KeyPath = ("profiles", profile.name, "endpoints", index, "tls", field)
                yield ConfigFault(config.path, lines.of(path), dotted(path), reason)


def _tls_file_faults(settings: TLS) -> Iterator[tuple[str, str]]:
    """Setting and reason. A password that cannot be had is a note, as keys are."""
    from gwtui.secrets.references import KeyReferenceError
    from gwtui.transport.tls_files import TLSFileError, check_authorities, check_client

    for check in (check_authorities, lambda tls: check_client(tls, _without_asking)):
        try:
            check(settings)
        except TLSFileError as error:
            yield error.field, error.reason
        except KeyReferenceError:
            continue


def _without_asking(reference: str) -> str:
    """The value of the reference, if it needs no prompt and no process. Raises `KeyReferenceError`."""
    from gwtui.secrets.references import KeyReferenceError
    from gwtui.secrets.resolver import resolve

    if not reference.startswith(("env:", "file:")):
        raise KeyReferenceError("is not asked here")
    return resolve(reference)


def _look_faults(config: Config) -> Iterator[ConfigFault]:
    from textual.theme import BUILTIN_THEMES

    from gwtui.config.errors import ConfigFault, KeyPath, did_you_mean, dotted
    from gwtui.config.themes import load_all
    from gwtui.config.tomlfile import Lines, read
    from gwtui.ui.keymap import EVERY

    lines = Lines(read(config.path))
    themes = {theme.name for theme in load_all(config.path.parent / "themes")[0]} | BUILTIN_THEMES.keys()
    if config.ui.theme not in themes:
        path: KeyPath = ("ui", "theme")
        hint = did_you_mean(config.ui.theme, (name for name in themes if name.startswith("gwtui")))
        yield ConfigFault(config.path, lines.of(path), dotted(path), "there is no such theme", hint)
    known = {key.id for key in EVERY}
    for binding in sorted(config.keys.keys() - known):
        path = ("ui", "keys", *binding.split("."))
        near = did_you_mean(binding, known)
        # Written with quotes it is one key, without a table in a table; whichever is there has the later line.
        line = max(lines.of(path) or 0, lines.of(("ui", "keys", binding)) or 0)
        hint = near if near.startswith("did") else "in gwtui ? lists them"
        yield ConfigFault(config.path, line, dotted(path), "there is no such key binding", hint)
