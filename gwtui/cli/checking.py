"""The command `check`: its options. What it does is put together in `gwtui.cli.check_command`."""

from __future__ import annotations

from pathlib import Path

import click

from gwtui.cli.options import KEY_PLACES, config_option, exit_with


@click.command(short_help="Run the named gateway checks.")
@click.argument("endpoint", required=False)
@click.option("-p", "--profile", "profile_name", metavar="NAME", help="Which profile of the configuration.")
@config_option
@click.option("--api", metavar="NAME", help="Check an endpoint that is in no profile: its API ...")
@click.option("--url", metavar="URL", help="... and its base URL.")
@click.option("--path", metavar="PATH", help="Appended to the base URL.  [default: the API's]")
@click.option("--key", metavar="REFERENCE", help=f"Where the key is: {KEY_PLACES}.")
@click.option("--model", metavar="NAME", help="The model to ask for.")
@click.option("--models", metavar="A,B,C", help="Models that have to work, alone and at once; nine at most.")
@click.option("--agent-type", metavar="NAME", help="Agent type to route by.  [default: code-reviewer]")
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
) -> None:
    """Run the named gateway checks. Each result has its evidence and, where it is not a pass, what to do.

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
      3  gwtui itself failed, such as at writing FILE
      128+n  ended by signal n, and the checks that ended until then are told
    """
    from gwtui.cli import check_command

    given = {name: value for name, value in described.items() if value is not None}
    more = {name: value for name, value in (("agent_type", agent_type), ("provoke", provoke)) if value is not None}
    plans = check_command.plans(endpoint, profile_name, config_file, given, models, more, only, listed=listed)
    if listed:
        check_command.list_them(plans)
        return
    exit_with(check_command.run(plans, as_json=as_json, junit=junit))
