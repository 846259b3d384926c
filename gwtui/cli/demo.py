"""`gwtui demo`: watch the embedded gateway, which needs no configuration, no key and no network."""

from __future__ import annotations

from typing import Any

import click

from gwtui.cli.console import EXIT_DOWN, OwnFaultError, loading, refusing
from gwtui.cli.options import LOST_ROWS, exit_codes, exit_with, run_options
from gwtui.cli.watch import WatchOptions, headless, on_screen, with_screen_reader


@click.command(
    "demo",
    short_help="Watch an embedded gateway that has an incident.",
    epilog=exit_codes(usage="the command line is wrong", own=LOST_ROWS),
)
@run_options
def command(**options: Any) -> None:
    """Watch the embedded gateway, which has an incident within the first minute.

    The demo needs no configuration, no key and no network. Endpoints that are down do not affect the exit code.
    """
    exit_with(watch_demo(WatchOptions(**options)))


def watch_demo(run: WatchOptions) -> int:
    """Watch the embedded gateway. Its incident is scripted, so an endpoint that is down is not a failure."""
    with loading():
        from gwtui.config import load
        from gwtui.gateway.process import GatewayError, spawn_gateway
        from gwtui.gateway.profile import demo_profile

    run = with_screen_reader(run)
    with refusing():
        config = load(None) if run.on_screen else None
    try:
        with spawn_gateway() as gateway:
            profile = demo_profile(gateway.url)
            code = headless(profile, run, gateway) if config is None else on_screen(config, profile, run, gateway)
    except GatewayError as error:
        raise OwnFaultError(str(error)) from error
    return 0 if code == EXIT_DOWN else code
