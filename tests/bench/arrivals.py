"""How exact stamps are: without a screen, with one, with one that is busy, and while somebody uses it."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import re
import select
import socket
import struct
import tempfile
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

from gwtui.model.commands import Start
from gwtui.selftest.ground_truth import Spread
from gwtui.selftest.load import USUAL, Load
from gwtui.selftest.report import describe
from gwtui.selftest.server import SO_TIMESTAMPNS
from gwtui.selftest.terminal import Terminal
from gwtui.selftest.trial import Trial, headless, on_screen

from .figures import Figure, ratio, us
from .peers import request_of
from .programs import truth_server

FLOOD = 10_000
"""Events per second into the stream panel of a busy screen."""
KEYS = ("\r", "\x1b", "?", "\x1b", "e", "\x1b", "T", "\x1b", "2", "\x1b", "3", "\x1b", "+", "-", "v", "/", "\x1b")
"""Details, help, the form, themes, panels alone, each closed again; windows, other lines, a filter."""
KEY_S = 0.15
TTFT = "p50 <= 20 us, p99 <= 100 us"


def run(short: bool) -> Iterator[Figure]:
    load = dataclasses.replace(USUAL, seconds=1.0 if short else 8.0)
    with truth_server() as server, tempfile.TemporaryDirectory() as place:
        numbers = itertools.count()

        def session(load: Load) -> Start:
            return load.start(server.url, str(Path(place, str(next(numbers)))))

        floor = describe(bare(server.port, load))
        yield Figure("a bare socket with the kernel's stamps: arrivals", floor, "what can be had at all")
        plain = asyncio.run(headless(session(load)))
        yield from lines("no screen", plain)
        if short:
            return
        shown = on_screen(session(load))
        yield from lines("screen on", shown, "p50 <= 5 us, p99 <= 25 us")
        yield Figure("screen on less no screen: TTFT p99", _apart(shown, plain), "< 100 us")
        yield from lines(f"screen with {FLOOD:,} events/s", on_screen(session(dataclasses.replace(load, flood=FLOOD))))
        used = on_screen(session(load), lambda screen: use(screen, load.seconds))
        yield from lines("a user opens and closes screens", used)
        p99s = used.errors.arrivals.p99_ns or 0, plain.errors.arrivals.p99_ns or 0
        yield Figure("a user / no screen: arrivals p99", ratio(*p99s), "<= 3x")


def use(screen: Terminal, seconds: float) -> None:
    """Be a user for so long."""
    end = time.monotonic() + seconds
    for key in itertools.cycle(KEYS):
        if time.monotonic() > end or screen.process.poll() is not None:
            return
        screen.type(key)
        time.sleep(KEY_S)


def bare(port: int, load: Load) -> Spread:
    """The same arrivals, read by a loop that does nothing else and knows no HTTP."""
    body = request_of(load.script._replace(events=round(load.rate * load.seconds))._asdict())
    request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    errors = array("q")
    sockets = []
    for _ in range(load.streams):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.sendall(request)
        sockets.append(sock)
        time.sleep(1 / load.rate / load.streams)
    end = time.monotonic() + load.seconds - 0.5
    while time.monotonic() < end:
        for sock in select.select(sockets, [], [], 0.1)[0]:
            data, control, _, _ = sock.recvmsg(1 << 16, 64)
            errors.extend(_arrival(control) - int(sent) for sent in re.findall(rb'"content":"\d+ \d+ (\d+)"', data))
    for sock in sockets:
        sock.close()
    return Spread.of(errors)


def _arrival(control: list[tuple[int, int, bytes]]) -> int:
    """The kernel's stamp on the monotonic clock, whose distance is measured here and now."""
    before, wall, after = time.perf_counter_ns(), time.time_ns(), time.perf_counter_ns()
    for _, kind, data in control:
        if kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("@qq", data)
            return int(seconds * 1_000_000_000 + nanoseconds) - wall + (before + after) // 2
    return before


def lines(name: str, trial: Trial, reach: str = "", ttft: str = TTFT) -> Iterator[Figure]:
    """Everything a session says of how exact it was, and what it took."""
    errors, cost = trial.errors, trial.cost
    yield Figure(f"{name}: arrivals, p50 / p99 / max", f"{describe(errors.arrivals)} of {errors.arrivals.n:,}", reach)
    if errors.tainted:
        yield Figure("  without requests that were tainted", f"{describe(errors.untainted)} of {errors.untainted.n:,}")
    yield Figure(f"{name}: gaps", describe(errors.gaps))
    yield Figure(f"{name}: TTFT", f"{describe(errors.ttft)} of {errors.ttft.n}", ttft)
    doubts = {"early": errors.early, "tainted": errors.tainted, "dropped": errors.dropped}
    odd = ", ".join(f"{number} {word}" for word, number in doubts.items() if number)
    clocks = ", ".join(f"{number} {clock}" for clock, number in errors.clocks.items())
    yield Figure(f"{name}: requests by clock, and doubts", "; ".join(filter(None, (clocks, odd))))
    if cost is not None and cost.engine_ns is not None:
        shares = f"{cost.engine_ns / cost.wall_ns:.0%} and {cost.front_ns / cost.wall_ns:.0%} of a core"
        yield Figure(f"{name}: engine and front end", shares)


def _apart(one: Trial, other: Trial) -> str:
    return us((one.errors.ttft.p99_ns or 0) - (other.errors.ttft.p99_ns or 0))
