"""How exact stamps are from one stream to 256, paced and flat out, without a screen.

Flat out a read holds hundreds of events and has one stamp, that of its last: what the first of them are off by is how
long the read's bytes took to come.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gwtui.selftest.load import Load
from gwtui.selftest.trial import headless

from .arrivals import TTFT, lines
from .figures import Figure
from .programs import truth_server

SECONDS = 5.0
PACED = (1, 16, 64, 256)
FLAT_OUT = (1, 16)


def run(short: bool) -> Iterator[Figure]:
    seconds = 1.0 if short else SECONDS
    paced = {f"{n} of 50 events/s": Load(streams=n, rate=50, seconds=seconds, events=50) for n in PACED}
    flat_out = {f"{n} flat out": Load(streams=n, rate=0, seconds=seconds, events=5_000) for n in FLAT_OUT}
    loads = list((paced | flat_out).items())
    with truth_server() as server, tempfile.TemporaryDirectory() as place:
        for number, (name, load) in enumerate(loads[:1] if short else loads):
            start = load.start(server.url, str(Path(place, str(number))))
            yield from lines(name, asyncio.run(headless(start)), ttft=TTFT if load.rate else "")
