"""`gwtui check`: which checks to run, how they are printed, and where else they are written."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from gwtui.cli import completion
from gwtui.cli.console import (
    EXIT_DOWN,
    Refusal,
    carry_out,
    in_colour,
    is_screen,
    refusing,
    say,
    width,
)
from gwtui.cli.endpoints import Targets, from_profile, refuse_undescribed
from gwtui.cli.options import FILE, config_option, endpoint_options, exit_with, given, json_option, profile_option
from gwtui.cli.user_files import OutputFile

if TYPE_CHECKING:
    from gwtui.checks.check import Check
    from gwtui.checks.request_sets import CheckTarget
    from gwtui.checks.tools import Tool
    from gwtui.model.check_results import CheckResult
    from gwtui.model.profile import Endpoint, Profile
    from gwtui.text.tables import TextStyle

FILE_WIDTH = 120
"""How wide lines are that go to a file or a pipe."""
WIDEST = 140
TOOL_NAMES = ("cody", "sourcegraph", "llm-gateway", "fallback", "compare")
"""Repeated here because help does not load the checks."""
ERASE = "\r\x1b[K"

Plans: TypeAlias = "Sequence[tuple[CheckTarget, Sequence[Check]]]"


@click.command("check", short_help="Run the named gateway checks.")
@click.argument("endpoint", required=False, metavar="[ENDPOINT|URL]", shell_complete=completion.endpoints)
@profile_option("The profile to check.")
@config_option
@endpoint_options
@click.option("--models", metavar="A,B,C", help="Models that have to work, alone and concurrently; maximum 9.")
@click.option("--agent-type", metavar="NAME", help="Agent type to route by.  [default: code-reviewer]")
@click.option("--provoke", metavar="MODEL", help="Model whose first provider fails: test fallback and circuit breaker.")
@click.option("--tool", "tool_name", metavar="NAME", help=f"Run what an earlier tool ran: {', '.join(TOOL_NAMES)}.")
@click.option("--only", multiple=True, metavar="NAME", help="Run only this check; repeatable, or with commas.")
@click.option("--list", "listed", is_flag=True, help="List the checks and their number of requests; send nothing.")
@json_option
@click.option("--junit", type=FILE, metavar="FILE", help="Also write JUnit XML to FILE.")
def command(
    endpoint: str | None,
    profile_name: str | None,
    config_file: Path | None,
    models: str | None,
    agent_type: str | None,
    provoke: str | None,
    tool_name: str | None,
    only: tuple[str, ...],
    listed: bool,
    as_json: bool,
    junit: Path | None,
    **described: str | None,
) -> None:
    """Run the named gateway checks. Each result comes with its evidence and, unless it is a pass, with a remedy.

    The command checks an ENDPOINT of the configuration, a URL with --api or --tool, or every endpoint of the profile
    that is not paused. The checks cover health, metrics and audit, whole answers and streams, errors, models,
    concurrency, fallbacks and circuit breakers. A check ends as pass, warn, fail or not applicable.

    Every check sends a small number of requests, shown by --list. A gateway that fails plain requests does not get the
    heavier ones. Upstream failures are provoked only with --provoke.

    --tool runs what a tool that people used before gwtui ran, in its order and words: `cody` and `sourcegraph` (src
    gateway benchmark and benchmark-stream), `llm-gateway` (health, metrics, audit), `fallback` (streaming fallback and
    circuit breaker), `compare` (POST /compare-stream). A URL is all that they need.

    \b
    Exit codes:
      0  no check failed
      1  a check failed
      2  the command line or the configuration is wrong
      3  gwtui itself failed, or FILE could not be written
      128+n  ended by signal n; finished checks are printed
    """
    fields, more = given(**described), given(agent_type=agent_type, provoke=provoke)
    asked = CheckedEndpoints(
        endpoint, profile_name, config_file, fields, None if tool_name is None else _tool(tool_name)
    )
    planned = plans(asked, models, more, only, listed=listed)
    if listed:
        list_them(planned)
        return
    exit_with(run(planned, as_json=as_json, junit=junit))


@dataclass(frozen=True, slots=True)
class CheckedEndpoints:
    """What the command line says of the endpoints to check."""

    name: str | None
    """An endpoint of the configuration, or a URL."""
    profile_name: str | None
    config_file: Path | None
    fields: Mapping[str, str]
    """Of an endpoint that it describes, or that change those of the configuration."""
    tool: Tool | None = None


def plans(
    asked: CheckedEndpoints,
    models: str | None,
    more: Mapping[str, str],
    only: Sequence[str],
    *,
    listed: bool,
) -> Plans:
    """The checks to run on each endpoint. Raises a Refusal without endpoints, or if one cannot be requested."""
    from gwtui.checks.planning import checks_for, why_none
    from gwtui.checks.request_plans import with_listed_model
    from gwtui.checks.request_sets import CheckTarget
    from gwtui.checks.tools import checks_of

    profile, endpoints = _endpoints(asked, listed=listed)
    names, wanted = _names(only), _models(models)
    asking = [with_listed_model(each, wanted) for each in endpoints]
    targets = [CheckTarget(endpoint=each, profile=profile, models=wanted, **more) for each in asking]
    tool = asked.tool
    found = [
        (target, checks_for(target, names) if tool is None else checks_of(tool, target, names)) for target in targets
    ]
    if not any(checks for _, checks in found):
        reasons = dict.fromkeys(filter(None, map(why_none, asking)))
        raise Refusal(": ".join(("None of these checks applies to this endpoint", *reasons)))
    return found


def list_them(plans: Plans) -> None:
    """Print the checks and the requests that each takes, without sending anything: each list once."""
    from gwtui.checks import table

    style, listings = _text_style(), dict[str, list[str]]()
    for target, checks in plans:
        if checks:
            listings.setdefault("\n".join(table.listing(target, checks, style)), []).append(target.endpoint.name)
    for number, (listing, names) in enumerate(listings.items()):
        heading = f"{', '.join(names)}\n\n" if len(listings) > 1 else ""
        say(("\n" if number else "") + heading + listing)


def _text_style() -> TextStyle:
    from gwtui.text.tables import TextStyle

    if not is_screen(sys.stdout):
        return TextStyle(FILE_WIDTH)
    return TextStyle(min(WIDEST, width()), colour=in_colour())


def run(plans: Plans, *, as_json: bool, junit: Path | None) -> int:
    """Check every target, one after another, until a signal ends it. Returns the exit code."""
    from gwtui.checks import files
    from gwtui.model.check_results import CheckOutcome

    output = None if junit is None else OutputFile(junit)
    results: dict[str, list[CheckResult]] = {}

    def report_results() -> None:
        if output is not None:
            output.write(files.as_junit(results))
        if as_json:
            say(files.as_json(results))

    _, number = carry_out(_run(plans, results, quiet=as_json), report_results)
    report_results()
    if number is not None:
        return 128 + number
    failed = any(result.outcome is CheckOutcome.FAIL for each in results.values() for result in each)
    return EXIT_DOWN if failed else 0


async def _run(plans: Plans, results: dict[str, list[CheckResult]], *, quiet: bool) -> None:
    """Put every result there as it comes."""
    for number, (target, checks) in enumerate(plans):
        if not checks:
            continue
        if not quiet and number:
            say("")
        await _check(target, checks, results.setdefault(target.endpoint.name, []), quiet=quiet)


async def _check(target: CheckTarget, checks: Sequence[Check], results: list[CheckResult], *, quiet: bool) -> None:
    from gwtui.checks import table
    from gwtui.checks.runner import run_checks

    began_ns, style = time.perf_counter_ns(), _text_style()
    if not quiet:
        say("\n".join(table.head(target, checks, style)))
        _show_pending(checks, 0, style)
    try:
        async for result in run_checks(target, checks):
            if not quiet:
                lines = table.lines_of(result, style, results[-1] if results else None)
                say((ERASE if is_screen(sys.stdout) else "") + "\n".join(lines))
                _show_pending(checks, len(results) + 1, style)
            results.append(result)
    finally:
        if not quiet:
            say("\n" + table.summary(results, time.perf_counter_ns() - began_ns, style))


def _show_pending(checks: Sequence[Check], number: int, style: TextStyle) -> None:
    """Name the check that is under way, on a line that its result will take."""
    from gwtui.checks import table

    if number < len(checks) and is_screen(sys.stdout):
        click.echo(style.coloured(table.pending(checks[number]), table.FAINT), nl=False)


def _endpoints(asked: CheckedEndpoints, *, listed: bool) -> Targets:
    """The endpoints to check: described by options or a URL, one of the configuration, or all of a profile."""
    name, fields = asked.name, dict(asked.fields)
    if name is not None and "://" in name:
        if "url" in fields:
            raise Refusal("Give the URL once: as the argument, or with --url")
        return _described({**fields, "url": name}, asked.tool)
    if name is None and ("url" in fields or "api" in fields):
        return _described(fields, asked.tool)
    if name is None and listed and asked.profile_name is None and asked.config_file is None:
        return _described(
            {"url": "http://127.0.0.1"} | ({} if asked.tool else {"api": "anthropic-messages"}), asked.tool
        )
    try:
        return _usable(*from_profile(asked.config_file, asked.profile_name, () if name is None else (name,), fields))
    except Refusal as error:
        if hint := _url_hint(name, asked.tool):
            raise Refusal(f"{error.message}; {hint}") from error
        raise


def _url_hint(name: str | None, tool: Tool | None) -> str:
    """What to write where a URL was meant; "" where none was."""
    if name is not None:
        return "a URL begins with http:// or https://" if {":", "/", "."} & set(name) else ""
    return f"or name a URL: gwtui check --tool {tool.name} URL" if tool is not None else ""


def _described(fields: Mapping[str, str], tool: Tool | None) -> Targets:
    """The endpoint that the fields describe, or those that the tool asked at their URL."""
    from gwtui.checks.tools import endpoints_at
    from gwtui.config import endpoint_from
    from gwtui.model.profile import Profile

    if tool is not None and "api" not in fields:
        if not tool.rows:
            fields = {"api": tool.api, **fields}
        elif "url" in fields:
            if more := [f"--{name}" for name in ("path", "model") if name in fields]:
                raise Refusal(f"{' and '.join(more)}: --tool {tool.name} asks several endpoints; name one with --api")
            with refusing():
                return _usable(Profile(), endpoints_at(tool, fields["url"], fields.get("key")))
    if "url" in fields and "api" not in fields:
        raise Refusal(f"A URL needs its API (--api NAME) or a tool (--tool {', '.join(TOOL_NAMES)})")
    refuse_undescribed(fields)
    with refusing():
        return _usable(Profile(), (endpoint_from(fields),))


def _tool(name: str) -> Tool:
    from gwtui.checks.tools import TOOLS
    from gwtui.config.errors import did_you_mean

    if name not in TOOLS:
        raise Refusal(f"There is no tool {name!r}: {did_you_mean(name, TOOLS)}")
    return TOOLS[name]


def _usable(profile: Profile, endpoints: tuple[Endpoint, ...]) -> Targets:
    from gwtui.apis import url_for
    from gwtui.apis.base import AskError

    for endpoint in endpoints:
        try:
            url_for(endpoint)
        except AskError as error:
            raise Refusal(f"{endpoint.name}: {error}") from error
    return profile, endpoints


def _names(only: Sequence[str]) -> tuple[str, ...]:
    from gwtui.checks.registry import CHECKS
    from gwtui.config.errors import did_you_mean

    known = [each.name for each in CHECKS]
    names = tuple(name.strip() for text in only for name in text.split(",") if name.strip())
    for name in names:
        if name not in known:
            raise Refusal(f"There is no check {name!r}: {did_you_mean(name, known)}")
    if only and not names:
        raise Refusal("--only names no check: --list shows all of them")
    return names


def _models(text: str | None) -> tuple[str, ...]:
    from gwtui.checks.request_sets import parse_models

    if text is None:
        return ()
    try:
        models = parse_models(text)
    except ValueError as error:
        raise Refusal(f"--models names {error}") from error
    if not models:
        raise Refusal("--models names no model: write --models a,b,c")
    return models
