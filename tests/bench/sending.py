"""What a benchmark says of its own sends, of rates and of many streams at once, held against a server that stamps what
it gets and sends by itself, under a law of latency with limited capacity, a standstill and failures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.run.runner import drive
from gwtui.bench.work.plan import Plan
from gwtui.model.enums import Unsent
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request
from gwtui.stats.accuracy import error_of, is_exact
from gwtui.transport.polls import new_loop

from .figures import Figure, quantile, ratio
from .limited import Answered, Law, Witness, limited

BARE_TIMER = """
import asyncio, json, sys, time
async def late_ns(per_s, number):
    began_ns, late = time.perf_counter_ns(), []
    for turn in range(number):
        due_ns = began_ns + int(turn * 1e9 / per_s)
        while (left_ns := due_ns - time.perf_counter_ns()) > 0:
            await asyncio.sleep(left_ns / 1e9)
        late.append(time.perf_counter_ns() - due_ns)
    return late
print(json.dumps(asyncio.run(late_ns(float(sys.argv[1]), int(sys.argv[2])))))
"""
RATES = {10.0: 50, 100.0: 400, 500.0: 2000}
"""Requests per second, and how many."""
STREAMS = 1000
GAP_S = 0.5
"""Between the events of each."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a benchmark took down, and what the server did."""

    measured: Measured
    taken: list[Request]
    answered: list[Answered]

    def pairs(self) -> Iterator[tuple[Request, Answered]]:
        """Each request with what the server knows of it."""
        return ((each, self.answered[int(each.request_id)]) for each in self.taken if each.request_id)


def benched(law: Law, *, stream: bool, **plan: Any) -> Outcome:
    """Load such a server."""
    with limited(law) as truth:
        measured, taken = _driven(truth, stream=stream, **plan)
    return Outcome(measured, taken, truth.answered)


def _driven(truth: Witness, *, stream: bool, **plan: Any) -> tuple[Measured, list[Request]]:
    endpoint = Endpoint(name="truth", api="openai-chat", url=truth.url, stream=stream)
    (measured,) = empty([endpoint], from_planned="rate" in plan).values()
    taken: list[Request] = []

    def take(result: Request | Ping) -> None:
        assert isinstance(result, Request)
        measured.take(result)
        taken.append(result)

    def miss(_name: str, why: Unsent) -> None:
        measured.miss(why)

    loop = new_loop()
    try:
        loop.run_until_complete(drive([endpoint], Profile(), Plan(**plan), take, miss))
    finally:
        loop.close()
    return measured, taken


def run(short: bool) -> Iterator[Figure]:
    for per_s, number in list(RATES.items())[-1 if short else 0 :]:
        yield from _starts(per_s, 20 if short else number)
    yield from _rates(short)
    yield from _streams(16 if short else STREAMS, 0.01 if short else GAP_S)


def _starts(per_s: float, number: int) -> Iterator[Figure]:
    command = [sys.executable, "-S", "-c", BARE_TIMER, str(per_s), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as timer:
        found = benched(Law(after_s=0.02), stream=False, rate=per_s, requests=number, concurrency=1000)
        bare = json.loads(timer.communicate()[0])
    late = [each.sent_ns - each.planned_ns for each in found.taken if each.sent_ns is not None]
    ratios = " / ".join(ratio(quantile(late, q), quantile(bare, q)) for q in (0.5, 0.99))
    yield Figure(f"start error at {per_s:g}/s: send less plan, p50 / p99", _spread(late))
    yield Figure("  a bare timer meanwhile; gwtui / this", f"{_spread(bare)}: {ratios}", "<= 1.5x")
    told = [abs(truth.came_ns - (each.sent_ns or 0)) for each, truth in found.pairs()]
    yield Figure("  the row's own send, against the server's arrival", _spread(told))


def _rates(short: bool) -> Iterator[Figure]:
    law = Law(
        after_s=0.1,
        law="exponential",
        capacity=24,
        stall_s=(0.0, 0.0) if short else (1.5, 0.5),
        fail_every=13,
        events=8,
        cut_every=17,
    )
    loads: dict[str, dict[str, Any]] = {
        "64 at once": {"concurrency": 64, "requests": 64 if short else 1500},
        "80/s": {"rate": 80.0, "concurrency": 1000, "requests": 40 if short else 800},
    }
    for name, plan in loads.items():
        found = benched(law, stream=True, **plan)
        told, truth = _told(found.measured), true_rates(found.answered)
        apart = {what: abs(told[what] / value - 1) for what, value in truth.items() if value}
        worst = max(apart, key=lambda what: apart[what])
        yield Figure(f"rates at {name}: furthest from the server's", f"{apart[worst]:.2%} ({worst})", "<= 1 %")


def true_rates(answered: Sequence[Answered]) -> dict[str, float]:
    """From the server's own stamps, from the first request to the last end."""
    span_s = (max(each.ended_ns for each in answered) - min(each.came_ns for each in answered)) / 1e9
    return {
        "completed/s": len(answered) / span_s,
        "good/s": sum(each.good for each in answered) / span_s,
        "in flight": sum(each.ended_ns - each.came_ns for each in answered) / 1e9 / span_s,
        "output tokens/s": sum(each.output_tokens for each in answered if each.good) / span_s,
    }


def _told(measured: Measured) -> dict[str, float]:
    found = measured.rates
    assert found is not None
    return {
        "completed/s": found.per_s(found.completed) or 0,
        "good/s": found.per_s(found.good) or 0,
        "in flight": found.mean_in_flight,
        "output tokens/s": found.per_s(found.output_tokens) or 0,
    }


def _streams(number: int, gap_s: float) -> Iterator[Figure]:
    found = benched(Law(after_s=0.1, events=10, gap_s=gap_s), stream=True, concurrency=number, requests=number)
    exact: list[int] = []
    others: list[int] = []
    for each, truth in found.pairs():
        if each.ttft_ns is not None:
            off = abs(each.ttft_ns - (truth.first_ns[0] - truth.came_ns))
            (exact if is_exact(error_of(each, Metric.TTFT)) else others).append(off)
    values = found.measured.values[Metric.TTFT]
    share = f"{values.exact:,} of {values.measured:,}"
    yield Figure(f"{number:,} streams at once: values of TTFT told as exact", share, "half")
    if exact:
        yield Figure("  their error, p50 / p99", _spread(exact), "p99 <= 1 ms")
    if others:
        yield Figure("  the error of the others", _spread(others))


def _spread(values: Sequence[float]) -> str:
    return " / ".join(f"{quantile(values, q) / 1e6:.3f} ms" for q in (0.5, 0.99))
