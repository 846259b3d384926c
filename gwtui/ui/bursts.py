"""How a burst is written: `20` or `20x5`, requests and how many at once."""

from __future__ import annotations

MOST_REQUESTS = 10_000
MOST_AT_ONCE = 256


def parse_burst(text: str) -> tuple[int, int]:
    """Requests and concurrency. Raises ValueError with what is wanted."""
    requests, _, concurrency = text.lower().replace("×", "x").partition("x")
    try:
        numbers = int(requests), int(concurrency or "1")
    except ValueError:
        raise ValueError("Write a number of requests, or requests x concurrency, such as 20x5") from None
    if not (1 <= numbers[0] <= MOST_REQUESTS and 1 <= numbers[1] <= MOST_AT_ONCE):
        raise ValueError(f"At most {MOST_REQUESTS:,} requests, {MOST_AT_ONCE} at once, and at least one of each")
    return numbers
