"""`gwtui selftest`: how accurate gwtui's own measurements are on this machine."""

from __future__ import annotations

import os

import click

from gwtui.cli.console import OwnFaultError, Refusal, say
from gwtui.cli.options import NumberRange, exit_codes, exit_with, json_option


@click.command(
    "selftest",
    short_help="Measure gwtui's own timing accuracy on this machine.",
    epilog=exit_codes(usage="the command line is wrong, or the system has no pseudo-terminals"),
)
@click.option(
    "--seconds",
    type=NumberRange(1, 600),
    metavar="N",
    default=4.0,
    show_default=True,
    help="Seconds that each part takes.",
)
@json_option
def command(seconds: float, as_json: bool) -> None:
    """Measure gwtui's own timing accuracy on this machine.

    gwtui watches ten streams with 500 events a second in total from its own server on loopback. The server writes into
    each event when it was sent. The first part runs without a screen, the second with the whole screen on a hidden
    terminal. No configuration is read, and nothing leaves this machine.
    """
    exit_with(selftest(seconds, as_json=as_json))


def selftest(seconds: float, *, as_json: bool) -> int:
    """Measure streams whose times are known, and print the errors. Returns the exit code."""
    from gwtui.gateway.process import GatewayError
    from gwtui.selftest.report import as_text, run
    from gwtui.selftest.trial import TrialError

    if os.name != "posix":
        raise Refusal("the self-test needs a system with pseudo-terminals, such as Linux or macOS")
    try:
        results = run(seconds)
    except (TrialError, GatewayError) as error:
        raise OwnFaultError(f"the self-test did not finish: {error}") from error
    say(results.to_json() if as_json else as_text(results))
    return 0
