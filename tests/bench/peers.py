"""Clients to hold against each other, each a program: `python -m tests.bench.peers KIND URL COUNT OPTIONS`.

Those that take streams run until they are ended; those that count requests print what they found as JSON.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from gwtui.model.enums import Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import GOOD
from gwtui.probes.prober import Prober, prober_for

SPREAD_S = 0.5
"""Streams start within that time."""


def place_of(url: str) -> tuple[str, int]:
    """Host and port."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


def request_of(script: dict[str, int]) -> bytes:
    """The body that asks a truth server for a stream."""
    return json.dumps({"truth": script}).encode()


async def many(
    count: int, one: Callable[[], Awaitable[None]], script: dict[str, int], seconds: float | None
) -> dict[str, float]:
    """So many at a time, each again and again; with `seconds` as long as that, and then as events and CPU time."""
    cpu_ns, began_ns = time.process_time_ns(), time.perf_counter_ns()
    ended = 0

    async def again(number: int) -> None:
        nonlocal ended
        await asyncio.sleep(number * SPREAD_S / count if seconds is None else 0)
        while seconds is None or time.perf_counter_ns() - began_ns < seconds * 1e9:
            await one()
            ended += 1

    await asyncio.gather(*map(again, range(count)))
    return {"events": ended * script["events"], "cpu_ns": time.process_time_ns() - cpu_ns}


async def by_httpx(url: str, count: int, script: dict[str, int], seconds: float | None = None) -> dict[str, float]:
    """Plain httpx: one client, raw bytes, nothing parsed."""
    body = request_of(script)
    async with httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None)) as client:

        async def one() -> None:
            async with client.stream("POST", url, content=body) as response:
                async for _ in response.aiter_raw():
                    pass

        return await many(count, one, script, seconds)


class Taken(asyncio.Protocol):
    """Asks once and drops what comes: as little as an event loop can do."""

    def __init__(self, body: bytes) -> None:
        self._request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"0\r\n\r\n"):
            self.ended.set_result(None)


async def by_protocol(url: str, count: int, script: dict[str, int], seconds: float | None = None) -> dict[str, float]:
    """An asyncio protocol that reads nothing into what it gets."""
    host, port = place_of(url)
    body = request_of(script)

    async def one() -> None:
        transport, taken = await asyncio.get_running_loop().create_connection(lambda: Taken(body), host, port)
        await taken.ended
        transport.close()

    return await many(count, one, script, seconds)


def prober(api: str, url: str, **fields: Any) -> Prober:
    """One of gwtui's, whose records go nowhere."""
    return prober_for(Endpoint(name="truth", api=api, url=url, **fields), Profile(), lambda _: None)


async def by_prober(url: str, count: int, script: dict[str, int], seconds: float | None = None) -> dict[str, float]:
    """gwtui's probers by themselves: stamped, parsed and judged; no engine and no recorder."""

    async def one() -> None:
        async with prober("openai-chat", url, model="truth", body={"truth": script}) as mine:
            result = await mine.probe(1, time.perf_counter_ns(), Trigger.BURST)
        assert result.verdict in GOOD, result

    return await many(count, one, script, seconds)


async def requests_by_probers(url: str, count: int, seconds: float) -> dict[str, float]:
    """Small requests, one after the other by each of so many workers."""

    async def work(until_ns: int) -> int:
        done = 0
        async with prober("http", url, method="GET") as mine:
            while time.perf_counter_ns() < until_ns:
                result = await mine.probe(done, time.perf_counter_ns(), Trigger.BURST)
                assert result.verdict in GOOD, result
                done += 1
        return done

    return await _counted(work, count, seconds)


async def requests_by_httpx(url: str, count: int, seconds: float) -> dict[str, float]:
    """The same through one httpx client that all workers share."""
    async with httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None)) as client:

        async def work(until_ns: int) -> int:
            done = 0
            while time.perf_counter_ns() < until_ns:
                await client.get(url)
                done += 1
            return done

        return await _counted(work, count, seconds)


async def _counted(work: Callable[[int], Awaitable[int]], count: int, seconds: float) -> dict[str, float]:
    await work(time.perf_counter_ns() + 50_000_000)
    cpu_ns, began_ns = time.process_time_ns(), time.perf_counter_ns()
    until_ns = began_ns + int(seconds * 1e9)
    done = sum(await asyncio.gather(*(work(until_ns) for _ in range(count))))
    return {
        "requests": done,
        "cpu_ns": time.process_time_ns() - cpu_ns,
        "wall_ns": time.perf_counter_ns() - began_ns,
    }


async def sequence(url: str, count: int) -> dict[str, list[int]]:
    """The durations of small requests, by a prober and by a socket that just waits, in turns."""
    ours, bare = [], []
    with socket.create_connection(place_of(url)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with prober("http", url, method="GET") as mine:
            for number in range(count):
                result = await mine.probe(number, time.perf_counter_ns(), Trigger.BURST)
                assert isinstance(result, Request)
                ours.append(result.duration_ns or 0)
                bare.append(_round_trip(sock, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"))
    return {"ours": ours, "bare": bare}


async def pings(url: str, count: int) -> dict[str, list[int]]:
    """Round trips of a WebSocket by a prober, of a TCP echo by asyncio's streams, and by a socket that just waits."""
    ours, streams, bare = [], [], []
    reader, writer = await asyncio.open_connection(*place_of(url))
    with socket.create_connection(place_of(url)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with prober("websocket", url, path="/pong") as mine:
            for number in range(count):
                result = await mine.probe(number, time.perf_counter_ns(), Trigger.BURST)
                assert isinstance(result, Ping)
                ours.append(result.rtt_ns or 0)
                bare.append(_round_trip(sock, b"ping"))
                began_ns = time.perf_counter_ns()
                writer.write(b"ping")
                await reader.readexactly(4)
                streams.append(time.perf_counter_ns() - began_ns)
    writer.close()
    return {"ours": ours, "streams": streams, "bare": bare}


def _round_trip(sock: socket.socket, data: bytes) -> int:
    began_ns = time.perf_counter_ns()
    sock.sendall(data)
    sock.recv(1 << 16)
    return time.perf_counter_ns() - began_ns


PEERS: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {
    "httpx": by_httpx,
    "protocol": by_protocol,
    "prober": by_prober,
    "requests": requests_by_probers,
    "requests-httpx": requests_by_httpx,
    "sequence": sequence,
    "pings": pings,
}


def main(kind: str, url: str, count: str, options: str) -> None:
    name, _, loop = kind.partition("+")
    run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run
    if loop == "uvloop":
        import uvloop

        run = uvloop.run
    result = run(PEERS[name](url, int(count), **json.loads(options)))
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
