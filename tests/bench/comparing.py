"""How often a comparison calls one of two equal endpoints faster, and how often it finds a difference: simulated.

Truth is known: log-normal latencies (spread 0.4) whose logarithms are an AR(1) series, or have an effect that lasts a
minute, or a drift that both share. Everything comes from seeds: the same figures on every machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gwtui.bench.results.values import Values
from gwtui.model.metrics import Metric
from gwtui.stats.comparison import ComparedSeries, Comparison, compare
from gwtui.stats.significance import Sample

from .figures import Figure

CENTRE_NS = 400e6
SPREAD = 0.4
STEP_MS = 1_000
"""Between two requests to one endpoint, so that 60 of them are a minute."""

Logs = np.ndarray
Make = Callable[[np.random.Generator, int], Logs]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated."""

    runs: int
    large: int
    """Values of each side where the time is taken."""


FULL = Size(runs=1000, large=10_000)
WIRING = Size(runs=6, large=400)


def following(rho: float) -> Make:
    """Each logarithm follows the one before with this correlation."""

    def make(chance: np.random.Generator, n: int) -> Logs:
        noise, logs, at = chance.standard_normal(n), np.empty(n), chance.standard_normal()
        for index in range(n):
            at = rho * at + math.sqrt(1 - rho * rho) * noise[index]
            logs[index] = at
        return logs * SPREAD

    return make


def by_minute(share: float, lasts: int = 60) -> Make:
    """An effect that lasts a minute is this share of the variance."""

    def make(chance: np.random.Generator, n: int) -> Logs:
        effects = np.repeat(chance.standard_normal(n // lasts + 1), lasts)[:n]
        return SPREAD * (math.sqrt(share) * effects + math.sqrt(1 - share) * chance.standard_normal(n))

    return make


def sample(logs: Logs, begin_ms: int = 0) -> Sample:
    values = (CENTRE_NS * np.exp(logs)).astype(np.int64).tolist()
    return Sample(values, [begin_ms + STEP_MS * at for at in range(len(values))])


def compared(first: Sample, second: Sample) -> Comparison:
    one, other = (
        ComparedSeries(name, {Metric.E2E: each}, len(each.values), len(each.values))
        for name, each in (("a", first), ("b", second))
    )
    return compare([(one, other)])[0]


def apart(make: Make, n: int, seed: int) -> Comparison:
    """Two equal endpoints, each with its own luck, one after the other."""
    chance = np.random.default_rng([seed, n])
    return compared(sample(make(chance, n)), sample(make(chance, n), 2 * n * STEP_MS))


def in_turns(difference: float, n: int, seed: int) -> Comparison:
    """A B B A under a drift that wanders up and down by more than the noise of single requests."""
    chance = np.random.default_rng([seed, n, 1])
    drift = np.repeat(np.cumsum(chance.standard_normal(n)) * SPREAD / 4, 2)
    logs = drift + chance.standard_normal(2 * n) * 0.1
    turns = list(range(1, n + 1))
    order = np.array([(turn + side) % 2 for turn in turns for side in (0, 1)])
    sides = []
    for side in (0, 1):
        places = np.flatnonzero(order == side)
        values = (CENTRE_NS * np.exp(logs[places] + side * math.log1p(difference))).astype(np.int64).tolist()
        sides.append(Sample(values, (places * STEP_MS).tolist(), turns))
    return compared(*sides)


EQUAL = (
    ("independent, n 100", following(0.0), 100, "<= 5 %"),
    ("independent, n 1000", following(0.0), 1000, "<= 5 %"),
    ("correlation 0.5, n 100", following(0.5), 100, "<= 7 %"),
    ("correlation 0.5, n 300", following(0.5), 300, "<= 7 %"),
    ("correlation 0.9, n 100", following(0.9), 100, "<= 10 %"),
    ("correlation 0.9, n 300", following(0.9), 300, "<= 10 %"),
    ("correlation 0.9, n 1000", following(0.9), 1000, "<= 10 %"),
    ("effects of a minute, half of the variance, n 300", by_minute(0.5), 300, "<= 10 %"),
    ("effects of a minute, half of the variance, n 900", by_minute(0.5), 900, "<= 10 %"),
)


def run(short: bool) -> Iterator[Figure]:
    size = WIRING if short else FULL
    yield Figure(f"EQUAL PAIRS CALLED FASTER, {size.runs} each", "share; too short to say", "share")
    for name, make, n, reach in EQUAL:
        found = [apart(make, n, seed) for seed in range(size.runs)]
        short_ones = _share([each.too_short for each in found])
        yield Figure(name, f"{_share([each.faster is not None for each in found])}; {short_ones}", reach)
    found = [in_turns(0.0, 100, seed) for seed in range(size.runs)]
    yield Figure(
        "in turns under a common drift, 100 pairs", _share([each.faster is not None for each in found]), "<= 5 %"
    )
    yield Figure("DIFFERENCES FOUND", "share", "share")
    found = [in_turns(0.05, 100, seed) for seed in range(size.runs)]
    yield Figure(
        "5 % in turns under a common drift, 100 pairs", _share([each.faster == 0 for each in found]), ">= 85 %"
    )
    yield from _least(size.runs)
    yield Figure("COVERAGE OF 95 % INTERVALS", "p50 / p95 / difference of p50", "each")
    for name, make, n, reach in EQUAL[1:2] + EQUAL[3:4] + EQUAL[6:7]:
        yield Figure(name, " / ".join(map(_share, _covered(make, n, size.runs))), ">= 90 %" if reach else "")
    yield _cost(size.large)


def _least(runs: int) -> Iterator[Figure]:
    """The least difference that a run says it could have shown is there, and is found."""
    for name, make, n in (
        ("independent, n 300", following(0.0), 300),
        ("correlation 0.5, n 1000", following(0.5), 1000),
    ):
        least = [each for seed in range(40) if (each := apart(make, n, seed).least) is not None]
        typical = sorted(least)[len(least) // 2]
        found = []
        for seed in range(runs):
            chance = np.random.default_rng([seed, n, 2])
            second = sample(make(chance, n) + math.log1p(typical), 2 * n * STEP_MS)
            found.append(compared(sample(make(chance, n)), second).faster == 0)
        yield Figure(f"the least one that is named ({typical:.0%}), {name}", _share(found), "about 80 %")


def _covered(make: Make, n: int, runs: int) -> tuple[list[bool], list[bool], list[bool]]:
    """Whether each interval holds the truth; where none is named, it is not counted."""
    medians: list[bool] = []
    tails: list[bool] = []
    differences: list[bool] = []
    for seed in range(runs):
        chance = np.random.default_rng([seed, n, 3])
        samples = [sample(make(chance, n)) for _ in range(2)]
        values = Values()
        for value in samples[0].values:
            values.add(value, None)
        for q, z, into in ((0.5, 0.0, medians), (0.95, 1.6449, tails)):
            found = values.percentile(q)
            if found.low_ns is not None and found.high_ns is not None:
                into.append(found.low_ns <= CENTRE_NS * math.exp(z * SPREAD) <= found.high_ns)
        median = compared(samples[0], Sample(samples[1].values, [10**9 + at for at in samples[1].at_ms or ()])).median
        if median is not None:
            differences.append(not median.is_clear)
    return medians, tails, differences


def _cost(n: int) -> Figure:
    first, second = (sample(following(0.5)(np.random.default_rng([n, side]), n)) for side in (0, 1))
    turns = range(n)
    first, second = (Sample(each.values, each.at_ms, turns) for each in (first, second))
    began = time.perf_counter()
    found = compared(first, second)
    return Figure(
        f"seconds for 2 x {n:,} values in turns", f"{time.perf_counter() - began:.2f} ({found.n[0]:,} each)", "< 1"
    )


def _share(found: Sequence[bool]) -> str:
    return f"{sum(found) / len(found):.1%}" if found else "-"
