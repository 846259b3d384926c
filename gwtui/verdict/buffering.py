"""What the spread of a stream's content over reads of the socket gives away about whatever stands before the model."""

from __future__ import annotations

from collections.abc import Iterable

from gwtui.model.content_pace import ContentPace
from gwtui.model.enums import FindingName
from gwtui.model.records import Finding
from gwtui.text.units import duration

MIN_EVENTS = 20
"""Content events below which one stream proves nothing: a short answer fits in one packet. Twenty of some 200 bytes,
as OpenAI's chunks have, fill the smallest usual buffer (`BUFFERS`)."""
LEAST_EVENTS = 5
"""Content events below which nothing is said at all: speculative decoding writes two to four at a step."""
MIN_DURATION_NS = 200_000_000
"""Streams shorter than that come in one burst quite lawfully: caches, speculative decoding, small models."""
BURST_SPREAD_NS = 5_000_000
"""All content within that time is one burst, and that of fewer than `MIN_EVENTS` within its share of it: 0.25 ms an
event, where the fastest hosted models take as long for one token."""
LATE_SHARE = 0.95
"""First content after that share of the whole time is late: less than a twentieth is left for the whole answer..."""
LATE_EVENTS_PER_S = 500.0
"""... unless the rest came no faster than a model writes: 2 ms an event, where most hosted models take 5 to 50..."""
REPLAY_EVENTS_PER_S = 5000.0
"""... and some, on hardware of their own, a quarter of a millisecond: only what is faster is proof."""
GROUP_EVENTS = 4.0
"""Content events per read from which they came in groups: speculative decoding writes two or three at a step..."""
GROUP_GAP_NS = 20_000_000
"""... unless the reads were so close together that packets merge by themselves: Nagle and a fast model do that within a
round trip."""

LATE_FIRST_NS = 20_000_000  # as `engine.loop_lag.LATE_NS`
LATE_FIRST_SHARE = 0.05
"""A first read that may have waited longer than both was late: what it held may be no burst of the gateway's."""
LATE_GAP_SHARE = 0.5
"""Any other was late when it may have waited that share of the time since the one before, unless that is so short that
what it brought came in a burst anyway."""
MOST_LATE_READS = 0.1
"""With a larger share of late reads, bursts are not judged."""

COMBED_READS = 6
"""Reads below which their times say nothing about a timer: five equal gaps are not chance."""
COMBED_STEADY_READS = 20
"""Reads from which a period that is no usual one is believed."""
COMBED_EVENTS = 1.5
"""Content events per read from which something collected them: a model that writes steadily sends one by one."""
COMBED_LEAST_NS = 90_000_000
"""Shorter periods are those of models that write several tokens at a step."""
TIMERS_NS = (100_000_000, 200_000_000, 250_000_000, 500_000_000, 1_000_000_000)
"""Usual periods. 200 ms is the longest that Linux keeps a corked connection waiting: tcp(7), TCP_CORK."""
TIMER_EARLY = 0.95
"""A period may look shorter by a tick of 4 ms (`CONFIG_HZ=250`), which is this share of the shortest one."""
TIMER_SLACK_NS = 10_000_000
"""What scheduling adds or takes: a tick of `CONFIG_HZ=100`."""
TIMER_SPREAD = 0.3
STEADY_SPREAD = 0.1
"""How far apart, as a share of the period, p10 and p90 of the gaps of a timer may be."""
BUFFERS = (4096, 8192, 16384, 32768, 65536)
"""Usual ones: pages of nginx's `proxy_buffers` (4 or 8 KiB), a TLS record (16), copies of Go (32) and Node (64)."""
BUFFER_FILL = 0.85
"""Reads that fill a usual buffer to that share were cut by size, not by time."""


def is_late(after_ns: int, error_ns: int, *, first: bool = False) -> bool:
    """Whether a read was so late that it may have made a burst of what came apart.

    `after_ns`: how long after the read before it came, or after the send, if it was the first; `error_ns`: how long
    bytes of it may have waited.
    """
    if first:
        return error_ns > LATE_FIRST_NS and error_ns > LATE_FIRST_SHARE * after_ns
    return error_ns > BURST_SPREAD_NS and error_ns > LATE_GAP_SHARE * after_ns


def is_held_back(findings: Iterable[Finding]) -> bool:
    """Whether the content was found to have waited before it came, so that its pace says nothing of the model's."""
    return any(finding.name is FindingName.BUFFERED for finding in findings)


def is_burst(pace: ContentPace) -> bool:
    """Whether all content came at once, so that the time it took says nothing of the model."""
    return pace.reads == 1 or pace.spread_ns < BURST_SPREAD_NS * min(1.0, pace.events / MIN_EVENTS)


def pace_finding(pace: ContentPace) -> Finding | None:
    """What the pace gives away: that something holds events back, or collects them on a timer."""
    if is_unsure(pace) or pace.events < LEAST_EVENTS:
        return None
    if pace.events < MIN_EVENTS:
        return _at_once(_burst_words(pace)) if is_burst(pace) else None
    return combed(pace) or buffered(pace)


def is_unsure(pace: ContentPace) -> bool:
    """Whether it says nothing: reads were late themselves, or the content came too soon."""
    too_soon = pace.end_ns < MIN_DURATION_NS or (pace.events < MIN_EVENTS and pace.first_ns < MIN_DURATION_NS)
    return too_soon or pace.late_reads > MOST_LATE_READS * pace.reads


def _burst_words(pace: ContentPace) -> str:
    where = "one read" if pace.reads == 1 else f"{pace.reads} reads within {duration(pace.spread_ns)}"
    return f"all {pace.events} content events came in {where}, {duration(pace.first_ns)} after the request"


def _at_once(words: str) -> Finding:
    return Finding(name=FindingName.AT_ONCE, evidence=f"{words}: held back, or a very fast model")


def buffered(pace: ContentPace) -> Finding | None:
    """Whether something between the model and here held events back, all of them or as many as fit a buffer."""
    spread = pace.spread_ns
    if is_burst(pace):
        return Finding(
            name=FindingName.BUFFERED,
            evidence=_burst_words(pace),
            cause="A finished answer is replayed as a stream, or a proxy buffers the whole body.",
        )
    per_s = pace.events / (spread / 1e9)
    if pace.first_ns > LATE_SHARE * pace.end_ns and per_s > LATE_EVENTS_PER_S:
        words = (
            f"the first of {pace.events} content events came after {duration(pace.first_ns)}, "
            f"the last only {duration(spread)} later"
        )
        if per_s <= REPLAY_EVENTS_PER_S:
            return _at_once(words)
        return Finding(
            name=FindingName.BUFFERED,
            evidence=words,
            cause="A finished answer is replayed as a stream, or a proxy holds the first bytes back.",
        )
    if pace.events_per_read >= GROUP_EVENTS and spread >= GROUP_GAP_NS * max(pace.reads - 1, 1):
        return Finding(
            name=FindingName.BUFFERED,
            evidence=f"{pace.events} content events in {pace.reads} reads, up to {pace.biggest_read} in one, "
            f"{duration(spread // max(pace.reads - 1, 1))} apart",
            cause="A proxy buffers until some kilobytes are full: see `proxy_buffering` and the like.",
        )
    return None


def combed(pace: ContentPace) -> Finding | None:
    """Whether events were collected and let go on a timer, that starts with the first event it holds."""
    low, middle, high = pace.gaps
    grouped = pace.reads >= COMBED_READS and pace.events_per_read >= COMBED_EVENTS
    if not grouped or low < COMBED_LEAST_NS or _fills_buffer(pace):
        return None
    between = pace.spread_ns // pace.events
    timer = next((each for each in TIMERS_NS if _fits(each, low, high, between)), None)
    if timer is None and (pace.reads < COMBED_STEADY_READS or high - low > STEADY_SPREAD * middle):
        return None
    cause = "A proxy flushes on a timer."
    if timer == TIMERS_NS[1]:
        cause = "A proxy corks the connection: HAProxy without `option http-no-delay`, TCP_CORK."
    return Finding(
        name=FindingName.COMBED,
        evidence=f"{pace.events} content events in {pace.reads} reads, up to {pace.biggest_read} in one, "
        f"{duration(low)} to {duration(high)} apart: held for {duration(timer or middle)} at a time",
        cause=cause,
    )


def _fits(timer: int, low: int, high: int, between: int) -> bool:
    """The time between two reads is the timer's, and the wait for the next event that starts it."""
    starts = TIMER_EARLY * timer <= low <= timer + between + TIMER_SLACK_NS
    return starts and high <= timer + 2 * between + TIMER_SLACK_NS and high - low <= TIMER_SPREAD * timer


def _fills_buffer(pace: ContentPace) -> bool:
    """Whether reads are as long as a usual buffer, and each as long as the other but for the last event of it."""
    low, middle, high = pace.sizes
    one = middle * pace.reads // pace.events
    return high - low <= 2 * one and any(BUFFER_FILL * size <= middle <= size + one for size in BUFFERS)
