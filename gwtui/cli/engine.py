"""`gwtui engine`: the child process that probes for the screen. It is hidden from the help."""

from __future__ import annotations

import click


@click.command("engine", hidden=True)
def command() -> None:
    """Run the process that probes: commands on standard input, records on standard output."""
    from gwtui.session import main

    main()
