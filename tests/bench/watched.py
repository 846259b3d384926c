"""A simulated endpoint under the program's own judgement: what is usual for it, and what its results are now."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gwtui.health.states import EndpointJudge
from gwtui.history.sums import LatencySums
from gwtui.model.enums import BAD, State
from gwtui.model.judged import Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Thresholds
from gwtui.model.records import Request
from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.model.verdicts import Verdict

from .shapes import TEMPO, Floats, Shape

TTFT_NS = 400_000_000
TPOT_NS = 20_000_000
EVERY_NS = 5_000_000_000
PLAIN_LIMIT_NS = 5_000_000_000
PLAIN_FAILURES = 3
"""The rule of a plain blackbox monitor: this number in a row that failed or took longer than a fixed 5 s."""
AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Now:
    """What an endpoint is now: its factors on what is usual, and its share of failures (None: the usual one)."""

    ttft: float = 1.0
    tpot: float = 1.0
    failing: float | None = None


USUAL = Now()


def usual_latency(values_ns: Floats) -> UsualLatency:
    """What the program knows after these values, one after the other."""
    sums, before_ns = LatencySums(), None
    for value_ns in values_ns.astype(np.int64).tolist():
        sums.add(value_ns, before_ns)
        before_ns = value_ns
    return sums.usual(UsualSource.DAY)


class Watched:
    """An endpoint whose streams are good or cut. Every result is judged as in the program."""

    def __init__(self, shape: Shape, seed: int, *, usual_n: int = 600, failing: float = 0.005, known: int = 20_000):
        """`usual_n`: the good results that its usual latencies are from; `failing`: its usual share of failures, and
        `known` the results from which that is known."""
        self._chance = np.random.default_rng([seed, usual_n])
        self._shape = shape
        self._failing = failing
        self._good_and_failed = (known - round(known * failing), round(known * failing))
        self._drawn = self._draw()
        self._now_ns = 0
        self._plain_run = 0
        self.plain_rule = False
        self.judge = EndpointJudge(Thresholds())
        self.learn(shape.draw(self._chance, usual_n), TEMPO.draw(self._chance, usual_n))

    @property
    def state(self) -> State:
        return self.judge.standing.state

    @property
    def sick(self) -> bool:
        return self.state in BAD

    def learn(self, ttft: Floats, tempo: Floats) -> None:
        """Take this for usual, in units of the medians."""
        good, failed = self._good_and_failed
        latencies = {Metric.TTFT: usual_latency(ttft * TTFT_NS), Metric.TPOT: usual_latency(tempo * TPOT_NS)}
        self.judge.learn(Usual(endpoint="a", at=0, now_ns=self._now_ns, latencies=latencies, good=good, failed=failed))

    def add(self, now: Now = USUAL) -> State:
        """Take a result; the state after it."""
        first, token, luck = next(self._drawn)
        self._now_ns += EVERY_NS
        failed = luck < (self._failing if now.failing is None else now.failing)
        ttft_ns, tpot_ns = int(first * now.ttft * TTFT_NS), int(token * now.tpot * TPOT_NS)
        request = Request(
            endpoint="a",
            number=1,
            started_at=0,
            now_ns=self._now_ns,
            api="openai-chat",
            verdict=Verdict.TRUNCATED if failed else Verdict.COMPLETE,
            rule="simulated",
            ttft_ns=ttft_ns,
            tpot_ns=None if failed else tpot_ns,
            duration_ns=ttft_ns + 100 * tpot_ns,
        )
        self._plain_run = self._plain_run + 1 if failed or ttft_ns > PLAIN_LIMIT_NS else 0
        self.plain_rule = self._plain_run >= PLAIN_FAILURES
        return self.judge.add(request, self._now_ns / 1e9).state

    def _draw(self) -> Iterator[tuple[float, float, float]]:
        while True:
            ttft, tempo = self._shape.draw(self._chance, AT_ONCE), TEMPO.draw(self._chance, AT_ONCE)
            yield from zip(ttft.tolist(), tempo.tolist(), self._chance.random(AT_ONCE).tolist(), strict=True)


class SwingingDay:
    """Latencies that swing with the hour of the day, by up to e^0.35 = 1.4 and down by as much."""

    SWING = 0.35
    PER_HOUR = 720

    def __init__(self, shape: Shape, seed: int) -> None:
        self._chance = np.random.default_rng([seed, 24])
        self._shape = shape
        self.endpoint = Watched(shape, seed)

    def factor(self, result: int) -> float:
        return math.exp(self.SWING * math.sin(2 * math.pi * result / self.PER_HOUR / 24))

    def hour(self, hour: int) -> Iterator[State]:
        """The results of an hour of the day, judged by that hour, one before and one after, of 7 days."""
        begin, end = (hour - 1) * self.PER_HOUR, (hour + 2) * self.PER_HOUR
        swing = np.array([self.factor(result) for result in range(begin, end)])
        days = [self._shape.draw(self._chance, len(swing)) * swing for _ in range(7)]
        self.endpoint.learn(np.concatenate(days), TEMPO.draw(self._chance, 7 * len(swing)))
        for result in range(hour * self.PER_HOUR, (hour + 1) * self.PER_HOUR):
            yield self.endpoint.add(Now(ttft=self.factor(result)))
