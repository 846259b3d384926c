"""What this machine can do at most: how many requests a second it can send, and how many can be under way at once.

The first is measured against a sink on loopback, a process of its own that answers each request at once with the
shortest good answer: what limits the rate is gwtui itself. Real answers are longer, so that is an upper bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gwtui.apis import kind_of
from gwtui.bench.results.csv_out import request_line
from gwtui.bench.results.measured import empty
from gwtui.engine.load import DueRequest, LoadDriver
from gwtui.model.enums import Kind, Outcome, Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.probes.prober import Prober, results_prober_for
from gwtui.text import units

if sys.platform != "win32":
    import resource

SINK = r"""
import os, selectors, socket, sys, threading
listener = socket.create_server(("127.0.0.1", 0))
sys.stdout.write("%d\n" % listener.getsockname()[1])
sys.stdout.flush()
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
event = '{"id":"s","object":"chat.completion.chunk","created":1,"model":"s","choices":[{"index":0,"delta":%s}]}'
whole = b'{"id":"s","object":"chat.completion","model":"s","choices":[{"index":0,"message":{"role":"assistant",' \
    b'"content":"s"},"finish_reason":"stop"}]}'
parts = [event % '{"content":"s"},"finish_reason":null', event % '{},"finish_reason":"stop"', "[DONE]"]
stream = "".join("data: %s\n\n" % part for part in parts).encode()
answers = {
    True: b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"%x\r\n%b\r\n0\r\n\r\n" % (len(stream), stream),
    False: b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(whole), whole),
}
looks, came = selectors.DefaultSelector(), {}
looks.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in looks.select():
        if key.fileobj is listener:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            looks.register(sock, selectors.EVENT_READ)
            came[sock] = b""
            continue
        sock = key.fileobj
        data = sock.recv(1 << 18)
        if not data:
            looks.unregister(sock)
            sock.close()
            continue
        came[sock] += data
        head, _, body = came[sock].partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:") and len(body) >= int(line[15:]):
                came[sock] = b""
                sock.sendall(answers[b'"stream":true' in body])
"""
"""Standard library only: it starts in a few hundredths of a second."""
TRIED = 400
"""The maximum number of requests that are sent to it."""
TRIED_S = 0.25
AT_ONCE = 8
"""Requests under way: enough that gwtui never waits for the sink."""
PATIENCE_S = 2.0
RESERVED_FILES = 64
"""Open files that are kept for other things than connections: files of results, name lookups, pipes."""
MOST_FILES = 1 << 16
BYTES_EACH = 64 * 1024
"""Memory of one request under way, with the buffers of its connection."""


async def send_capacity(endpoint: Endpoint) -> float | None:
    """The number of requests with this endpoint's prompt that gwtui can send and take the answers of, per second of its
    own time; None where that cannot be measured: WebSocket pings, or a system without processes to start.

    Takes less than half a second, and no more than 400 requests to loopback.
    """
    if kind_of(endpoint.api) is Kind.WEBSOCKET:
        return None
    try:
        async with asyncio.timeout(PATIENCE_S), _sink() as url:
            return await _sent_to(url, endpoint)
    except (TimeoutError, OSError, ValueError):
        return None


def out_of_reach(offered_per_s: float, capacity_per_s: float) -> str:
    """What is said before more is sent than can be."""
    return (
        f"{units.rate(offered_per_s)} requests/s are out of reach: this machine can send about "
        f"{units.count(round(capacity_per_s))}/s at most; requests that it does not send in time are counted and "
        "are out of the latencies"
    )


@asynccontextmanager
async def _sink() -> AsyncIterator[str]:
    command = [sys.executable, "-I", "-S", "-c", SINK]
    started = partial(subprocess.Popen[bytes], command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with await asyncio.to_thread(started) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it was asked for
            yield f"http://127.0.0.1:{int(await asyncio.to_thread(process.stdout.readline))}"
        finally:
            process.kill()


async def _sent_to(url: str, endpoint: Endpoint) -> float | None:
    sink = Endpoint(name="sink", api="openai-chat", url=url, model="s", prompt=endpoint.prompt, stream=endpoint.stream)
    measured = empty([sink])["sink"]
    until_ns = 0

    async def probe(_member: Endpoint, prober: Prober, request: DueRequest) -> bool:
        result = await prober.probe(request.number, request.due_ns, Trigger.BURST)
        measured.take(result)
        request_line(result)
        return result.outcome is Outcome.OK and (not until_ns or time.perf_counter_ns() < until_ns)

    def prober_of(member: Endpoint) -> Prober:
        return results_prober_for(member, Profile(), lambda _: None)

    async with LoadDriver([sink], AT_ONCE, prober_of, probe, clock=time.perf_counter_ns) as load:
        await load.send(4 * AT_ONCE)  # connects, and has all that is needed imported
        began_ns, before = time.perf_counter_ns(), measured.ok
        until_ns = began_ns + int(TRIED_S * 1e9)
        await load.send(TRIED)
        took_ns = time.perf_counter_ns() - began_ns
    return None if measured.failed or measured.ok == before else (measured.ok - before) * 1e9 / took_ns


@dataclass(frozen=True, slots=True)
class InFlightLimit:
    """The maximum number of requests that can be under way at once."""

    number: int
    why: str
    """What limits it, as a clause: `open files are limited to 1,024 (ulimit -n)`."""


def in_flight_limit() -> InFlightLimit:
    """By open files, whose limit is raised as far as this process may, and by the memory that is free now."""
    files = _open_files()
    limits = [
        InFlightLimit(files - RESERVED_FILES, f"open files are limited to {units.count(files)} (ulimit -n)"),
    ]
    if (free := _free_bytes()) is not None:
        limits.append(InFlightLimit(free // 2 // BYTES_EACH, f"{free >> 20} MiB of memory are free"))
    least = min(limits, key=lambda each: each.number)
    return InFlightLimit(max(1, least.number), least.why)


def _open_files() -> int:
    if sys.platform == "win32":
        return MOST_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # a system that has a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def _free_bytes() -> int | None:
    """Linux says; elsewhere it is not known."""
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as lines:
            kib = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None
    return kib * 1024
