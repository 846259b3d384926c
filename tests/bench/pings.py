"""WebSocket pings against a bare TCP echo of the same server."""

from __future__ import annotations

from collections.abc import Iterator

from .figures import Figure, median, quantile, ratio, us
from .programs import answers_server, outcome

NAMES = {"streams": "TCP echo through asyncio's streams", "bare": "TCP echo of a socket that just waits"}


def run(short: bool) -> Iterator[Figure]:
    with answers_server() as server:
        took = outcome("pings", server.url, 20 if short else 3000)
    ours = took["ours"]
    yield Figure("WebSocket round trip: gwtui", f"p50 {us(median(ours))}, p99 {us(quantile(ours, 0.99))}")
    for kind, name in NAMES.items():
        its = took[kind]
        figures = f"p50 {us(median(its))}, p99 {us(quantile(its, 0.99))}"
        yield Figure(f"  {name}", f"{figures}; gwtui / this: {ratio(median(ours), median(its))}", "<= 1.30x")
