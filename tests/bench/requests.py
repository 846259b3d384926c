"""Small requests: how many of them a core makes with any number of workers, and how long one seems to take."""

from __future__ import annotations

from collections.abc import Iterator

from .figures import Figure, median, quantile, ratio, us
from .programs import answers_server, outcome


def run(short: bool) -> Iterator[Figure]:
    counts, seconds = ((2,), 0.1) if short else ((1, 32, 128, 256), 2.0)
    with answers_server() as server:
        made = {count: outcome("requests", server.url, count, seconds=seconds) for count in counts}
        rates = ", ".join(f"{_rate(each):,.0f} ({count})" for count, each in made.items())
        yield Figure("small requests/s of one core (workers)", rates, ">= 2,500 at 32 to 256, flat")
        if not short:
            shared = {count: outcome("requests-httpx", server.url, count, seconds=seconds) for count in (1, 32)}
            rates = ", ".join(f"{_rate(each):,.0f} ({count})" for count, each in shared.items())
            yield Figure("  one plain httpx client for all workers", rates)
        took = outcome("sequence", server.url, 20 if short else 3000)
    ours, bare = took["ours"], took["bare"]
    figures = f"p50 {us(median(ours))}, p99 {us(quantile(ours, 0.99))}"
    yield Figure("one after the other, measured duration: gwtui", figures)
    figures = f"p50 {us(median(bare))}, p99 {us(quantile(bare, 0.99))}; gwtui / this"
    yield Figure("  a socket that just waits", f"{figures}: {ratio(median(ours), median(bare))}", "<= 1.10x")


def _rate(made: dict[str, float]) -> float:
    """Requests for each second of CPU: what the client could do if it had a core for itself."""
    return made["requests"] / made["cpu_ns"] * 1e9
