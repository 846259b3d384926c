"""Histories under test: endpoints, and what they did."""

from __future__ import annotations

from gwtui.history.batch import Batch, HourKey, Lesson, Sequence
from gwtui.history.identity import EndpointIdentity, identity_of
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint

MS = 1_000_000
ENDPOINT = Endpoint(name="a", api="openai-chat", url="https://gateway.example.com")
IDENTITY = identity_of("prod", ENDPOINT)


def batch_of(
    hour: int,
    n: int,
    ms: int = 100,
    *,
    identity: EndpointIdentity = IDENTITY,
    teaches: bool = True,
    verdict: str = "complete",
) -> Batch:
    """The same result `n` times in one hour."""
    batch, sequence = Batch(), Sequence()
    for _ in range(n):
        latencies = {Metric.TTFT: ms * MS, Metric.E2E: ms * 3 * MS} if verdict == "complete" else {}
        good = verdict == "complete"
        lesson = Lesson(at=hour * 3600.0, verdict=verdict, is_good=good, latencies=latencies, teaches=teaches)
        sequence.add(lesson, batch.at(HourKey(identity, hour, teaches)))
    return batch
