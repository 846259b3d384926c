"""Findings that pace and headers give away: buffering, compression, hidden retries and fallbacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwtui.clean import clean
from gwtui.judging.headers import Headers, header
from gwtui.records import Finding
from gwtui.units import duration

MIN_EVENTS = 20
"""Content events below which nothing is said about buffering: a short answer fits in one packet."""
MIN_DURATION_NS = 200_000_000
"""Streams shorter than that come in one burst quite lawfully: caches, speculative decoding, small models."""
BURST_SPREAD_NS = 5_000_000
"""All content within that time is one burst."""
LATE_SHARE = 0.95
"""First content after that share of the whole time is late..."""
LATE_EVENTS_PER_S = 500.0
"""... unless the rest came no faster than a model writes."""
GROUP_EVENTS = 4.0
"""Content events per read from which they came in groups..."""
GROUP_GAP_NS = 20_000_000
"""... unless the reads were so close together that packets merge by themselves."""

RETRY_HEADERS = {
    "x-litellm-attempted-retries": ("retries", 1, "retries"),
    "x-litellm-attempted-fallbacks": ("fallbacks", 1, "fallbacks"),
    "x-portkey-retry-attempt-count": ("retries", 1, "retries"),
    "x-envoy-attempt-count": ("retries", 2, "attempts"),
}
"""Header -> the finding, the number from which it is one, and what it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the generated content of a stream was spread over reads of the socket. Times count from the send."""

    events: int
    """Events with content."""
    reads: int
    """Reads that held any of them."""
    biggest_read: int
    """Most of them in one read."""
    first_ns: int
    """When the first came: TTFT."""
    last_ns: int
    """When the last came."""
    end_ns: int
    """When the stream ended."""
    tainted: bool = False
    """The engine itself was late, so bursts may be its own."""


def buffered(pace: Pace) -> Finding | None:
    """Whether something between the model and here held events back."""
    if pace.tainted or pace.events < MIN_EVENTS or pace.end_ns < MIN_DURATION_NS:
        return None
    spread = pace.last_ns - pace.first_ns
    if pace.reads == 1 or spread < BURST_SPREAD_NS:
        where = "one read" if pace.reads == 1 else f"{pace.reads} reads within {duration(spread)}"
        return Finding(
            name="buffered",
            evidence=f"all {pace.events} content events came in {where}, {duration(pace.first_ns)} after the request",
            cause="A finished answer is replayed as a stream, or a proxy buffers the whole body.",
        )
    if pace.first_ns > LATE_SHARE * pace.end_ns and pace.events / (spread / 1e9) > LATE_EVENTS_PER_S:
        return Finding(
            name="buffered",
            evidence=f"the first of {pace.events} content events came after {duration(pace.first_ns)}, "
            f"the last only {duration(spread)} later",
            cause="A finished answer is replayed as a stream, or a proxy holds the first bytes back.",
        )
    if pace.events >= GROUP_EVENTS * pace.reads and spread >= GROUP_GAP_NS * max(pace.reads - 1, 1):
        return Finding(
            name="buffered",
            evidence=f"{pace.events} content events in {pace.reads} reads, up to {pace.biggest_read} in one, "
            f"{duration(spread // max(pace.reads - 1, 1))} apart",
            cause="A proxy buffers until some kilobytes are full: see `proxy_buffering` and the like.",
        )
    return None


def header_findings(headers: Headers) -> Iterator[Finding]:
    """What the response headers alone give away."""
    encoding = header(headers, "content-encoding").strip()
    if encoding and encoding.lower() != "identity":
        yield Finding(
            name="compressed",
            evidence=f"content-encoding: {clean(encoding, 40)}, although identity was asked for",
            cause="A proxy compresses event streams; compression makes it hold events back.",
        )
    for name, (finding, least, counted) in RETRY_HEADERS.items():
        value = header(headers, name).strip()
        if value.isascii() and value.isdigit() and len(value) < 10 and int(value) >= least:
            yield Finding(
                name=finding,
                evidence=f"{name}: {value}",
                cause=f"The gateway needed {counted} behind this answer: its first choice failed.",
            )
