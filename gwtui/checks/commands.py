"""`gwtui check`. What the command needs it imports when it runs, so that `--help` costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gwtui.checks.needs import Target
    from gwtui.profile import Endpoint, Profile

EXIT_FAIL = 1
EXIT_USAGE = 2


class Refusal(click.ClickException):
    """The command line or the configuration cannot be used; the text says what to do."""

    exit_code = EXIT_USAGE

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"gwtui: {self.message}", file=file, err=file is None)


@click.command(short_help="Ask a gateway everything it should be able to do.")
@click.argument("endpoint", required=False)
@click.option("-p", "--profile", "profile_name", metavar="NAME", help="Which profile of the configuration.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file.  [default: what `gwtui config path` says]",
)
@click.option("--api", metavar="NAME", help="Check an endpoint that is in no profile: its API ...")
@click.option("--url", metavar="URL", help="... and its base URL.")
@click.option("--path", metavar="PATH", help="Appended to the base URL.  [default: the API's]")
@click.option("--key", metavar="REFERENCE", help="Where the key is: env:NAME or file:PATH.")
@click.option("--model", metavar="NAME", help="The model to ask for.")
@click.option("--models", metavar="A,B,C", help="Models that have to work, alone and at once; nine at most.")
@click.option("--agent-type", metavar="NAME", help="A kind of agent to be routed by.  [default: code-reviewer]")
@click.option("--provoke", metavar="MODEL", help="A model that fails at its first provider: try fallback and breaker.")
@click.option("--only", multiple=True, metavar="NAME", help="Only this check; repeatable, or with commas.")
@click.option("--list", "listed", is_flag=True, help="Print the checks and how many requests they take; send none.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML too.")
def check(
    endpoint: str | None,
    profile_name: str | None,
    config_file: Path | None,
    models: str | None,
    agent_type: str | None,
    provoke: str | None,
    only: tuple[str, ...],
    listed: bool,
    as_json: bool,
    junit: Path | None,
    **described: str | None,
) -> NoReturn:
    """Ask a gateway everything it should be able to do, and say what it can, with evidence and what to do.

    Checks an ENDPOINT of the configuration, one described by --api and --url, or every endpoint of the profile that
    is not paused: health, metrics and audit, whole answers and streams, errors, models, concurrency, fallbacks and
    circuit breakers. A check ends as pass, warn, fail or not applicable.

    Every check takes a small number of requests that --list tells, and a gateway that fails plain requests is spared
    the heavier ones. Failures of its upstreams are provoked with --provoke only.

    \b
    Exit codes:
      0  no check failed
      1  a check failed
      2  the command line or the configuration is wrong
    """
    from gwtui.checks import table
    from gwtui.checks.console import paper, run
    from gwtui.checks.planning import checks_for

    given = {name: value for name, value in described.items() if value is not None}
    profile, endpoints = _endpoints(endpoint, profile_name, config_file, given, listed=listed)
    names, wanted = _names(only), _models(models)
    more = {name: value for name, value in (("agent_type", agent_type), ("provoke", provoke)) if value is not None}
    targets = [_target(each, profile, wanted, more) for each in endpoints]
    plans = [(target, checks_for(target, names)) for target in targets]
    if not any(checks for _, checks in plans):
        raise Refusal("None of these checks is asked of such an endpoint")
    if listed:
        for target, checks in plans[:1]:
            click.echo("\n".join(table.listing(target, checks, paper())))
        _exit(0)
    if junit is not None:
        _try_to_write(junit)
    _exit(EXIT_FAIL if run(plans, as_json=as_json, junit=junit) else 0)


def _exit(code: int) -> NoReturn:
    click.get_current_context().exit(code)


def _endpoints(
    name: str | None, profile_name: str | None, config_file: Path | None, given: Mapping[str, str], *, listed: bool
) -> tuple[Profile, tuple[Endpoint, ...]]:
    """The endpoints to check: described by options, one of the configuration, or all of a profile."""
    from gwtui.config import ConfigError, endpoint_from, load
    from gwtui.profile import Profile

    try:
        if name is None and ("url" in given or "api" in given):
            if missing := [f"--{option}" for option in ("api", "url") if option not in given]:
                raise Refusal(f"An endpoint takes --api and --url: {missing[0]} is missing")
            return _usable(Profile(), (endpoint_from(given),))
        if name is None and listed and profile_name is None and config_file is None:
            return Profile(), (endpoint_from({"api": "anthropic-messages", "url": "http://127.0.0.1"}),)
        profile = load(config_file).profile(profile_name)
        chosen = tuple(each for each in profile.endpoints if (each.name == name if name else not each.paused))
        if not chosen:
            known = ", ".join(each.name for each in profile.endpoints) or "none"
            what = f"no endpoint {name!r}" if name else "no endpoint that is not paused"
            raise Refusal(f"There is {what} in profile {profile.name!r}. It has: {known}")
        return _usable(profile, tuple(endpoint_from(given, each) for each in chosen))
    except ConfigError as error:
        raise Refusal("\n       ".join(str(fault) for fault in error.faults)) from error


def _usable(profile: Profile, endpoints: tuple[Endpoint, ...]) -> tuple[Profile, tuple[Endpoint, ...]]:
    from gwtui.apis import url_for
    from gwtui.apis.base import AskError

    for endpoint in endpoints:
        try:
            url_for(endpoint)
        except AskError as error:
            raise Refusal(f"{endpoint.name}: {error}") from error
    return profile, endpoints


def _names(only: Sequence[str]) -> tuple[str, ...]:
    from difflib import get_close_matches

    from gwtui.checks.catalogue import CHECKS

    known = [each.name for each in CHECKS]
    names = tuple(name.strip() for text in only for name in text.split(",") if name.strip())
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else "--list tells them all"
            raise Refusal(f"There is no check {name!r}: {hint}")
    if only and not names:
        raise Refusal("--only names no check: --list tells them all")
    return names


def _models(text: str | None) -> tuple[str, ...]:
    from gwtui.checks.needs import MAX_MODELS

    if text is None:
        return ()
    models = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not models:
        raise Refusal("--models names no model: write --models a,b,c")
    if len(models) > MAX_MODELS:
        raise Refusal(f"--models names {len(models)} models; {MAX_MODELS} at most are asked at once")
    return models


def _target(endpoint: Endpoint, profile: Profile, models: tuple[str, ...], more: Mapping[str, str]) -> Target:
    from gwtui.checks.needs import Target

    return Target(endpoint=endpoint, profile=profile, models=models, **more)


def _try_to_write(path: Path) -> None:
    """Whether the file can be written is found out before anything is sent."""
    try:
        path.open("ab").close()
    except OSError as error:
        raise Refusal(f"Cannot write {path}: {error.strerror or error}") from error
