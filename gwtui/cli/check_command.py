"""`gwtui check` put together: what is checked, in which terminal it is told, and where it is written."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import click

from gwtui.apis import url_for
from gwtui.apis.base import AskError
from gwtui.checks import table
from gwtui.checks.check import Check
from gwtui.checks.files import as_json as told_as_json
from gwtui.checks.files import as_junit
from gwtui.checks.planning import checks_for
from gwtui.checks.registry import CHECKS
from gwtui.checks.request_sets import MAX_MODELS, CheckTarget
from gwtui.checks.runner import run_checks
from gwtui.checks.table import TextStyle
from gwtui.cli.console import (
    EXIT_DOWN,
    OwnFaultError,
    Refusal,
    finish,
    in_colour,
    interruptible,
    is_screen,
    refusing,
    say,
    width,
)
from gwtui.config import endpoint_from, load
from gwtui.config.errors import did_you_mean
from gwtui.model.check_results import CheckOutcome, CheckResult
from gwtui.model.profile import Endpoint, Profile

FILE_WIDTH = 120
"""How wide lines are that go to a file or a pipe."""
WIDEST = 140
ERASE = "\r\x1b[K"

Plans: TypeAlias = Sequence[tuple[CheckTarget, Sequence[Check]]]


def plans(
    name: str | None,
    profile_name: str | None,
    config_file: Path | None,
    given: Mapping[str, str],
    models: str | None,
    more: Mapping[str, str],
    only: Sequence[str],
    *,
    listed: bool,
) -> Plans:
    """What is asked of whom. Raises a Refusal where that is nothing, or cannot be asked."""
    profile, endpoints = _endpoints(name, profile_name, config_file, given, listed=listed)
    names, wanted = _names(only), _models(models)
    targets = [CheckTarget(endpoint=each, profile=profile, models=wanted, **more) for each in endpoints]
    found = [(target, checks_for(target, names)) for target in targets]
    if not any(checks for _, checks in found):
        raise Refusal("None of these checks is asked of such an endpoint")
    return found


def list_them(plans: Plans) -> None:
    """Print the checks and what each takes, without sending anything."""
    target, checks = plans[0]
    say("\n".join(table.listing(target, checks, _text_style())))


def _text_style() -> TextStyle:
    if not is_screen(sys.stdout):
        return TextStyle(FILE_WIDTH)
    return TextStyle(min(WIDEST, width()), colour=in_colour())


def run(plans: Plans, *, as_json: bool, junit: Path | None) -> int:
    """Check every target, one after another, or as many as a signal lets it. Returns the exit code."""
    if junit is not None:
        _try_to_write(junit)
    results: dict[str, list[CheckResult]] = {}
    _, number = finish(interruptible(_run(plans, results, quiet=as_json)))
    if as_json:
        say(told_as_json(results))
    if junit is not None:
        _write(junit, as_junit(results))
    if number is not None:
        return 128 + number
    failed = any(result.outcome is CheckOutcome.FAIL for each in results.values() for result in each)
    return EXIT_DOWN if failed else 0


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OwnFaultError(f"{path} was not written: {error.strerror or error}") from error


async def _run(plans: Plans, results: dict[str, list[CheckResult]], *, quiet: bool) -> None:
    """Put every result there as it comes."""
    for number, (target, checks) in enumerate(plans):
        if not checks:
            continue
        if not quiet and number:
            say("")
        await _check(target, checks, results.setdefault(target.endpoint.name, []), quiet=quiet)


async def _check(target: CheckTarget, checks: Sequence[Check], results: list[CheckResult], *, quiet: bool) -> None:
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
    if number < len(checks) and is_screen(sys.stdout):
        click.echo(style.paint(table.pending(checks[number]), table.FAINT), nl=False)


def _endpoints(
    name: str | None, profile_name: str | None, config_file: Path | None, given: Mapping[str, str], *, listed: bool
) -> tuple[Profile, tuple[Endpoint, ...]]:
    """The endpoints to check: described by options, one of the configuration, or all of a profile."""
    with refusing():
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


def _usable(profile: Profile, endpoints: tuple[Endpoint, ...]) -> tuple[Profile, tuple[Endpoint, ...]]:
    for endpoint in endpoints:
        try:
            url_for(endpoint)
        except AskError as error:
            raise Refusal(f"{endpoint.name}: {error}") from error
    return profile, endpoints


def _names(only: Sequence[str]) -> tuple[str, ...]:
    known = [each.name for each in CHECKS]
    names = tuple(name.strip() for text in only for name in text.split(",") if name.strip())
    for name in names:
        if name not in known:
            raise Refusal(f"There is no check {name!r}: {did_you_mean(name, known)}")
    if only and not names:
        raise Refusal("--only names no check: --list tells them all")
    return names


def _models(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    models = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not models:
        raise Refusal("--models names no model: write --models a,b,c")
    if len(models) > MAX_MODELS:
        raise Refusal(f"--models names {len(models)} models; {MAX_MODELS} at most are asked at once")
    return models


def _try_to_write(path: Path) -> None:
    """Whether the file can be written is found out before anything is sent."""
    try:
        path.open("ab").close()
    except OSError as error:
        raise Refusal(f"Cannot write {path}: {error.strerror or error}") from error
