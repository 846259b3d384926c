"""What streams cost: CPU for each event against plain clients, how many streams a core carries, and flat out."""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from gwtui.selftest.ground_truth import ClockErrors
from gwtui.selftest.load import Load
from gwtui.selftest.report import describe
from gwtui.selftest.server import Script

from .figures import Figure, has, median, ratio, us
from .programs import SETTLE_S, Cost, Drained, client, cost_of, outcome, truth_server

PACED = Load(streams=64, rate=50, seconds=0.0, events=1_000_000)
PEERS = {
    "httpx": "plain httpx, aiter_raw",
    "httpx+uvloop": "plain httpx with uvloop, aiter_raw",
    "protocol": "an asyncio protocol that drops what it gets",
    "protocol+uvloop": "the same with uvloop",
}
CARRIED = (256, 512, 640)
FLAT = Script(ttft_ns=0, gap_ns=0, batch=32)
FLAT_EVENTS = 200_000
"""In all streams that are under way at once."""
FLAT_NAMES = {"prober": "gwtui's probers: stamped, parsed, judged", "httpx": "plain httpx, aiter_raw: nothing parsed"}
END_S = 0.7
SAMPLED = 8
"""One in so many records is looked at where there are very many."""


def run(short: bool) -> Iterator[Figure]:
    if short:
        yield from _costs([], 1, 0.2)
        yield from _flat(("prober",), (1,), 0.1)
        return
    yield from _costs([peer for peer in PEERS if "uvloop" not in peer or has("uvloop")], 3, 3.0)
    for streams in CARRIED:
        yield _carried(streams, 3.0)
    yield from _flat(("prober", "httpx"), (1, 16, 256), 1.5)


def _costs(peers: Sequence[str], rounds: int, seconds: float) -> Iterator[Figure]:
    """Turn by turn, so that whatever else the machine does weighs on all of them."""
    costs: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        costs["gwtui"].append(_engine(PACED, seconds)[0].per_event_ns)
        for peer in peers:
            costs[peer].append(_peer(peer, PACED.streams, PACED.script, seconds).per_event_ns)
    ours = median(costs["gwtui"])
    load = f"{PACED.streams} streams of {PACED.rate:g} events/s"
    yield Figure(f"CPU per event, {load}: gwtui's engine", us(ours), "stamped, parsed, judged, recorded, reported")
    for peer in peers:
        its = median(costs[peer])
        reach = "<= 1.00x" if peer == "httpx+uvloop" else ""
        yield Figure(f"  {PEERS[peer]}", f"{us(its)}; gwtui / this: {ratio(ours, its)}", reach)


def _carried(streams: int, seconds: float) -> Figure:
    """One core for the engine, the other one for the server."""
    cost, errors = _engine(dataclasses.replace(PACED, streams=streams), seconds, alone=True)
    figures = f"{cost.core:.0%} of it, {us(cost.per_event_ns)} per event, stamps {describe(errors.arrivals)}"
    waited = f", waited for it {cost.waited:.0%} of the time" if cost.waited > 0.02 else ""
    reach = "p99 <= 25 us" if streams == 512 else ""
    return Figure(f"{streams} streams of {PACED.rate:g} events/s on one core", figures + waited, reach)


def _flat(kinds: Sequence[str], counts: Sequence[int], seconds: float) -> Iterator[Figure]:
    for kind in kinds:
        rates = ", ".join(f"{_flat_rate(kind, count, seconds):,.0f} ({count})" for count in counts)
        reach = ">= 120,000" if kind == "prober" else ""
        yield Figure(f"flat out, events/s of one core (streams): {FLAT_NAMES[kind]}", rates, reach)


def _flat_rate(kind: str, count: int, seconds: float) -> float:
    """Events for each second of CPU: what the client could do if it had a core for itself."""
    script = FLAT._replace(events=FLAT_EVENTS // count)
    with truth_server() as server:
        took = outcome(kind, server.url, count, script=script._asdict(), seconds=seconds)
    rate: float = took["events"] / took["cpu_ns"] * 1e9
    return rate


def _engine(load: Load, seconds: float, *, alone: bool = False) -> tuple[Cost, ClockErrors]:
    whole = dataclasses.replace(load, seconds=SETTLE_S + seconds + END_S)
    with truth_server() as server, tempfile.TemporaryDirectory() as place:
        with Drained(whole.start(server.url, str(Path(place, "session")))) as engine:
            if alone:
                _pin({engine.pid: -1, server.pid: 0})
            time.sleep(SETTLE_S)
            cost = cost_of(engine.pid, server.url, seconds)
        return cost, engine.errors(SAMPLED)


def _peer(kind: str, streams: int, script: Script, seconds: float) -> Cost:
    with truth_server() as server, client(kind, server.url, streams, script=script._asdict()) as process:
        time.sleep(SETTLE_S)
        return cost_of(process.pid, server.url, seconds)


def _pin(places: dict[int, int]) -> None:
    """Give each process a processor of its own, where a system can."""
    if sys.platform != "linux":
        return
    processors = sorted(os.sched_getaffinity(0))
    for pid, place in places.items():
        os.sched_setaffinity(pid, {processors[place]})
