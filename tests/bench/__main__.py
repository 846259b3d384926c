"""The truth bench: `python -m tests.bench [SECTION ...]`. It prints figures and ratios, and judges nothing by time."""

from __future__ import annotations

import time
from functools import partial

import click

from . import (
    arrivals,
    comparing,
    disk,
    frames,
    loads,
    outside,
    pings,
    requests,
    sending,
    soak,
    starting,
    states,
    streams,
)
from .figures import Section, line, preamble, say

RECORDS = 300_000


def sections(records: int, *, quick: bool = False) -> tuple[Section, ...]:
    return (
        Section("arrivals", "How exact stamps are: 10 streams, 500 events/s in all", arrivals.run),
        Section("loads", "How exact stamps are from one stream to 256, no screen", loads.run),
        Section("streams", "What streams cost", streams.run),
        Section("requests", "Small requests", requests.run),
        Section("sending", "Benchmarks: sends, rates and many streams, against the server's own stamps", sending.run),
        Section("pings", "WebSocket pings", pings.run),
        Section("starting", "From the shell to the first screen and the first probe", starting.run),
        Section("frames", "What the screen costs, at 140x40", frames.run),
        Section("soak", "Memory", partial(soak.run, records=records)),
        Section("disk", "Disk", disk.run),
        Section("states", "How soon, and how wrongly, an endpoint is called sick", partial(states.run, quick=quick)),
        Section("comparing", "How often a comparison is wrong, and what it finds", comparing.run),
        Section("outside", "Against other tools: 16 streams at a time, a TTFT of 50 ms", outside.run),
    )


NAMES = [section.name for section in sections(0)]


@click.command(help=f"Measure gwtui against the truth and against others on this machine: {', '.join(NAMES)}, or all.")
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[SECTION]...")
@click.option("--short", is_flag=True, help="Try the wiring; the figures mean nothing.")
@click.option("--quick", is_flag=True, help="Of states: simulate less, in seconds.")
@click.option("--records", default=RECORDS, show_default=True, help="How many the soak pushes through.")
def main(names: tuple[str, ...], short: bool, quick: bool, records: int) -> None:
    for text in preamble():
        say(text)
    for section in sections(records, quick=quick):
        if names and section.name not in names:
            continue
        began = time.monotonic()
        say(f"\n{section.title}")
        for figure in section.run(short):
            say(line(figure))
        say(f"  ({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main()
