"""The command `selftest`: its options. What it does is in `telling`."""

from __future__ import annotations

import os

import click


class _OwnFaultError(click.ClickException):
    """gwtui itself failed."""

    exit_code = 3


@click.command(short_help="Say how exact the measurement is on this machine.")
@click.option(
    "--seconds", type=click.FloatRange(1, 600), default=4.0, show_default=True, help="For each of both parts."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def selftest(seconds: float, as_json: bool) -> None:
    """Say how exact the measurement is on this machine.

    Watches ten streams of 50 events a second from a server of its own on loopback, which writes into each event when it
    was sent; once without a screen and once with the whole screen on a hidden terminal. No configuration is read, and
    nothing leaves this machine.
    """
    if os.name != "posix":
        raise click.ClickException("the self-test needs a system with pseudo-terminals, such as Linux or macOS")
    from gwtui.demo.process import GatewayError
    from gwtui.selftest.telling import as_text, run
    from gwtui.selftest.trial import TrialError

    try:
        results = run(seconds)
    except (TrialError, GatewayError) as error:
        raise _OwnFaultError(f"the self-test did not come to its end: {error}") from error
    click.echo(results.to_json() if as_json else as_text(results))
