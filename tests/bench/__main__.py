"""The truth bench: `python -m tests.bench [SECTION ...]`. It prints figures and ratios, and judges nothing by time."""

from __future__ import annotations

import time

import click

from . import arrivals, pings, requests, streams
from .figures import Section, line, preamble, say

SECTIONS = (
    Section("arrivals", "How exact stamps are: 10 streams of 50 events/s", arrivals.run),
    Section("streams", "What streams cost", streams.run),
    Section("requests", "Small requests", requests.run),
    Section("pings", "WebSocket pings", pings.run),
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([section.name for section in SECTIONS]), metavar="[SECTION]...")
@click.option("--short", is_flag=True, help="Try the wiring; the figures mean nothing.")
def main(names: tuple[str, ...], short: bool) -> None:
    """Measure gwtui against the truth and against others on this machine."""
    for text in preamble():
        say(text)
    for section in SECTIONS:
        if names and section.name not in names:
            continue
        began = time.monotonic()
        say(f"\n{section.title}")
        for figure in section.run(short):
            say(line(figure))
        say(f"  ({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main()
