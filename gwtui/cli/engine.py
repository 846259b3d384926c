"""`gwtui engine`: the child process that probes for the screen. It is hidden from the help."""

from __future__ import annotations

import click

from gwtui.cli.console import loading


@click.command("engine", hidden=True)
def command() -> None:
    """Run the process that probes: commands on standard input, records on standard output."""
    with loading():
        from gwtui.session import main

    main()
