"""Reported times of a stream are no further from the truth than `error_ms`, however late gwtui itself is."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from support.probing import Probing, endpoint
from support.stamping import expected_clock
from support.truthful import truthful

from gwtui.model.enums import Clock, FindingName
from gwtui.model.metrics import Metric
from gwtui.model.records import Ping, Request, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.stats.accuracy import in_doubt, latency, sure
from gwtui.transport import timestamps

MS = 1_000_000
TINY_NS = MS // 2
"""How long a segment may take from the call that sends it to its stamp, on a machine with other things to do."""
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts segments and stamps them")


@asynccontextmanager
async def held_up(busy_ns: int, free_s: float) -> AsyncIterator[None]:
    """The event loop does nothing else for so long, again and again."""

    async def hold() -> None:
        while True:
            end_ns = time.perf_counter_ns() + busy_ns
            while time.perf_counter_ns() < end_ns:
                pass
            await asyncio.sleep(free_s)

    task = asyncio.create_task(hold())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def streamed_from(url: str, name: str = "one") -> tuple[str, Request, list[StreamRead]]:
    """One stream, requested under this name: its name, its row and its reads."""
    it = Probing(endpoint("openai-chat", f"{url}/{name}"))
    async with it.prober:
        request = await it.once()
    return name, request, [each for each in it.emitted if isinstance(each, StreamRead)]


def off(stamp_ns: int, sent: tuple[int, int]) -> int:
    """How far a stamp is from when something was sent, which was between these."""
    before_ns, after_ns = sent
    return max(before_ns - stamp_ns, stamp_ns - after_ns, 0)


@linux
@pytest.mark.parametrize(
    ("streams", "busy_ns", "gap_ns"),
    [(1, 0, 10 * MS), (8, 20 * MS, 5 * MS), (4, 60 * MS, 2 * MS)],
    ids=["in time", "late", "later than many tokens"],
)
async def test_no_stamp_is_further_from_the_truth_than_its_error(streams: int, busy_ns: int, gap_ns: int) -> None:
    assert expected_clock() is Clock.KERNEL
    with truthful(streams, 30, 50 * MS, gap_ns) as truth:
        async with held_up(busy_ns, 0.002):
            results = await asyncio.gather(*(streamed_from(truth.url, f"{number}") for number in range(streams)))
    for name, request, reads in results:
        assert request.errors is not None
        assert request.error_ns is not None
        assert request.ttfb_ns is not None
        assert request.ttft_ns is not None
        assert request.duration_ns is not None
        sent, sent_ns = truth.sent[name], reads[0].now_ns - reads[0].since_sent_ns
        assert off(sent_ns + request.ttfb_ns, sent[0]) <= request.errors[Metric.TTFB] + TINY_NS
        assert off(sent_ns + request.ttft_ns, sent[1]) <= request.errors[Metric.TTFT] + TINY_NS
        assert off(sent_ns + request.duration_ns, sent[-1]) <= request.errors[Metric.E2E] + TINY_NS
        for read in reads:
            for number in range(read.first_event, min(read.first_event + len(read.events), 31)):
                assert off(read.now_ns, sent[number]) <= request.error_ns + TINY_NS


@linux
async def test_a_standstill_in_the_middle_of_a_stream_is_in_its_error_and_not_in_its_first_token() -> None:
    assert expected_clock() is Clock.KERNEL
    with truthful(1, 60, 20 * MS, 5 * MS) as truth:
        asking = asyncio.create_task(streamed_from(truth.url))
        await asyncio.sleep(0.15)  # some of its tokens have come
        time.sleep(0.1)  # noqa: ASYNC251 - what is tried is that nothing else runs
        _, request, reads = await asking
    assert request.error_ns is not None
    assert request.errors is not None
    biggest = max(len(read.events) for read in reads)
    assert biggest > 5
    assert request.error_ns > 50 * MS
    assert request.max_gap_ns is None or request.max_gap_ns < 100 * MS
    assert request.findings == () or FindingName.BUFFERED not in {each.name for each in request.findings}


async def test_without_stamps_of_the_kernels_the_error_is_how_late_the_loop_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timestamps, "ask_for_stamps", lambda sock: False)
    monkeypatch.setattr(timestamps, "counts_of", lambda sock: None)
    with truthful(1, 20, 20 * MS, 5 * MS) as truth:
        async with held_up(40 * MS, 0.001):
            _, request, _ = await streamed_from(truth.url)
    assert request.clock is Clock.USER
    assert request.error_ns is not None
    assert request.error_ns > 20 * MS
    assert request.tainted


def request(**fields: Any) -> Request:
    values = {"ttfb_ns": 100 * MS, "ttft_ns": 200 * MS, "tpot_ns": 10 * MS, "duration_ns": 900 * MS, **fields}
    return Request(
        endpoint="a", number=1, started_at=0, now_ns=0, api="x", verdict=Verdict.COMPLETE, rule="x", **values
    )


@pytest.mark.parametrize(
    ("value_ns", "error_ns", "doubtful"),
    [
        (100 * MS, 5 * MS, False),
        (100 * MS, 5 * MS + 1, True),
        (MS, MS, False),
        (0, MS + 1, True),
        (None, 10**12, False),
    ],
)
def test_a_value_is_in_doubt_from_a_millisecond_and_a_twentieth(
    value_ns: int | None, error_ns: int, doubtful: bool
) -> None:
    assert in_doubt(value_ns, error_ns) is doubtful


def test_each_latency_counts_by_its_own_error_and_else_by_the_largest() -> None:
    errors = {Metric.TTFB: 6 * MS, Metric.TTFT: 6 * MS, Metric.TPOT: 0, Metric.E2E: 0}
    late = request(tainted=True, error_ns=60 * MS, errors=errors, mean_icl_ns=12 * MS)
    counted = {metric: sure(late, metric) for metric in Metric if metric.of(late) is not None}
    assert counted == {
        Metric.TTFB: None,
        Metric.TTFT: 200 * MS,
        Metric.ICL: 12 * MS,
        Metric.TPOT: 10 * MS,
        Metric.E2E: 900 * MS,
    }
    replayed = request(tainted=True, error_ns=20 * MS)
    assert [sure(replayed, metric) for metric in (Metric.TTFB, Metric.TTFT)] == [None, None]
    assert sure(replayed, Metric.E2E) == latency(replayed, Metric.E2E)


def test_a_row_that_is_not_tainted_counts_whole() -> None:
    assert sure(request(error_ns=40 * MS), Metric.TTFB) == 100 * MS


def test_a_round_trip_in_doubt_does_not_count() -> None:
    ping = Ping(endpoint="a", number=1, started_at=0, now_ns=0, verdict=Verdict.PONG, rule="x", rtt_ns=20 * MS)
    assert sure(ping, Metric.RTT) == 20 * MS
    late = Ping(
        **{name: getattr(ping, name) for name in ping.__struct_fields__} | {"tainted": True, "error_ns": 2 * MS}
    )
    assert sure(late, Metric.RTT) is None
