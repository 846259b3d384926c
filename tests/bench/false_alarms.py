"""How often an endpoint that is well is called sick: months of results, simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gwtui.model.enums import BAD, State
from gwtui.model.metrics import Metric
from gwtui.stats.change import FailureWatch, LatencyWatch

from .figures import Figure
from .shapes import LOG_NORMAL, MONTH, SHAPES, Shape
from .watched import TTFT_NS, SwingingDay, Watched, usual_latency

AT_ONCE = 20_000
LATENCIES = 2
"""TTFT and TPOT of each stream are watched, and either can raise a false alarm."""
FAILING = 0.005


def false_alarms(seeds: int, results: int, few: int, judged: int) -> Iterator[Figure]:
    """`results` of each endpoint by a usual from 600 results, `few` by one from 100, `judged` by the whole
    judgement."""
    for n, each, reach in ((600, results, "<= 1"), (100, few, "<= 10")):
        for shape in SHAPES:
            found = [_false_slow(shape, seed, n, each) * LATENCIES for seed in range(seeds)]
            yield _figure(f"`slow`, usual from {n}, {shape.name}", found, each, reach)
    hours = max(judged // SwingingDay.PER_HOUR, 1)
    found = [_false_by_hour(seed, hours) for seed in range(seeds)]
    yield _figure("`slow`, usual by hour, a day's swing of 2x", found, hours * SwingingDay.PER_HOUR, "<= 1")
    for known in (600, 20_000):
        found = [_false_degraded(seed, known, results) for seed in range(seeds)]
        yield _figure(f"`degraded`, 0.5 % failing, usual from {known}", found, results, "<= 4")
    news = [_judged(seed, judged) for seed in range(seeds)]
    for state, reach in ((State.SLOW, "<= 1"), (State.DEGRADED, "<= 4"), (State.DOWN, "0")):
        yield _figure(
            f"`{state}`, the whole judgement, 0.5 % failing", [each.count(state) for each in news], judged, reach
        )


def _figure(what: str, found: Sequence[int], each: int, reach: str) -> Figure:
    of_all = len(found) * each
    worst = max(found) * MONTH / each
    return Figure(what, f"{sum(found) * MONTH / of_all:.2f}; {worst:.0f}; {of_all / 1e6:.2f} million", reach)


def _false_slow(shape: Shape, seed: int, usual_n: int, results: int) -> int:
    """How often one latency becomes slow although nothing changes."""
    chance = np.random.default_rng([seed, usual_n, 1])
    usual = usual_latency(shape.draw(chance, usual_n) * TTFT_NS)
    watch = LatencyWatch(usual.values, usual.correlation, Metric.TTFT.about.slow_floor_ns)
    alarms, was, add = 0, False, watch.add
    for begin in range(0, results, AT_ONCE):
        drawn = shape.draw(chance, min(AT_ONCE, results - begin)) * TTFT_NS
        for value_ns in drawn.astype(np.int64).tolist():
            add(value_ns)
            if watch.slow is not was:
                was = watch.slow
                alarms += was
    return alarms


def _false_degraded(seed: int, known: int, results: int) -> int:
    chance = np.random.default_rng([seed, known, 2])
    failed = int(chance.binomial(known, FAILING))
    watch = FailureWatch(failed, known - failed)
    alarms, was = 0, False
    for begin in range(0, results, AT_ONCE):
        for fails in (chance.random(min(AT_ONCE, results - begin)) < FAILING).tolist():
            watch.add(failed=fails)
            if watch.degraded is not was:
                was = watch.degraded
                alarms += was
    return alarms


def _false_by_hour(seed: int, hours: int) -> int:
    day = SwingingDay(LOG_NORMAL, seed)
    return _entered(state for hour in range(hours) for state in day.hour(hour)).count(State.SLOW)


def _judged(seed: int, results: int) -> list[State]:
    endpoint = Watched(LOG_NORMAL, seed, failing=FAILING)
    return _entered(endpoint.add() for _ in range(results))


def _entered(states: Iterator[State]) -> list[State]:
    """The sick states that were entered."""
    before, found = State.UP, []
    for state in states:
        if state is not before and state in BAD:
            found.append(state)
        before = state
    return found
