"""How soon the program says that an endpoint is sick, or well again, and how often it is wrong: simulated, no network.

Truth is known, so each figure stands beside the number of results that any test needs on average at that number of
false alarms, and beside a plain monitor's rule. Everything comes from seeds: the same figures on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .false_alarms import false_alarms
from .figures import Figure, quantile
from .shapes import LOG_NORMAL, MONTH, SHAPES, TEMPO, Shape, failure_bound
from .watched import Now, Watched

CALM = 60
"""Usual results before a change."""
MOST = 1000
"""A change that is not reported within this number of results counts as never reported."""
PLAIN_MOST = 100
"""The same for the plain rule."""
LASTS = 200
"""Results that a change lasts after it was reported, where the time after it is looked at."""
CYCLE = 6
"""Flapping: this number of failures, then as many good results."""
REACH = {10.0: "<= 3", 3.0: "<= 6", 2.0: "<= 12", 1.5: "<= 30"}
SHARES = {(0.0005, 0.2): "<= 15", (0.005, 0.2): "<= 30", (0.0005, 0.05): "", (0.005, 0.05): ""}

Course = Callable[[int], Now]
"""What an endpoint is at the n-th result after a change, counted from 0."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated."""

    runs: int
    """Changes of each kind, each at an endpoint of its own with a usual of its own."""
    seeds: int
    """Endpoints for false alarms."""
    results: int
    """Results of each, by a usual from 600 results."""
    few: int
    """Results of each by a usual from 100."""
    judged: int
    """Results of each through the whole judgement, which takes longer."""


FULL = Size(runs=200, seeds=20, results=MONTH, few=MONTH // 4, judged=MONTH // 20)
QUICK = Size(runs=30, seeds=4, results=20_000, few=20_000, judged=4_000)
WIRING = Size(runs=2, seeds=1, results=1_000, few=1_000, judged=200)


def run(short: bool, *, quick: bool = False) -> Iterator[Figure]:
    size = WIRING if short else QUICK if quick else FULL
    yield Figure(
        f"RESULTS UNTIL IT IS REPORTED, {size.runs} endpoints each", "median / p95; bound; plain rule", "median"
    )
    yield from _steps(size.runs)
    yield from _other_changes(size.runs)
    yield from _failures(size.runs)
    yield Figure(f"RESULTS UNTIL IT IS WELL AGAIN, after {LASTS} more", "median / p95; ends reported too early")
    yield from _recoveries(size.runs)
    yield Figure(f"FALSE ALARMS PER ENDPOINT-MONTH of {MONTH:,} results", "mean; worst endpoint; simulated", "mean")
    yield from false_alarms(size.seeds, size.results, size.few, size.judged)


def _steps(runs: int) -> Iterator[Figure]:
    for shape in SHAPES:
        for factor, reach in REACH.items():
            found = _all(runs, shape, always(Now(ttft=factor)))
            yield _reported(
                f"TTFT {factor:g}x, {shape.name}", found, shape.bound(factor), reach * (shape is LOG_NORMAL)
            )
    for factor in REACH:
        found = _all(runs, LOG_NORMAL, always(Now(tpot=factor)))
        yield _reported(f"TPOT {factor:g}x, log-normal 0.2", found, TEMPO.bound(factor), "<= 6" * (factor == 3))


def _other_changes(runs: int) -> Iterator[Figure]:
    half_hour, matters = 360, 0.3
    found = _all(runs, LOG_NORMAL, lambda n: Now(ttft=1 + n / half_hour))
    since = [Seen(max(each.after - int(matters * half_hour), 1), each.plain_after, each.early) for each in found]
    yield _reported("drift to 2x in 30 min: results since 1.3x", since)
    yield _reported("brown-out: 2x TTFT, 10 % cut", _all(runs, LOG_NORMAL, always(Now(ttft=2, failing=0.1))))
    found = _all(runs, LOG_NORMAL, _flapping)
    yield _reported(f"flapping: {CYCLE} failed, {CYCLE} good", found, reach="<= 3")
    ends = [each for seed in range(runs) for each in _ends(Watched(LOG_NORMAL, seed), _flapping)]
    yield Figure(f"  told well again within {LASTS} results of it", f"{len(ends) / runs:.2f} times")


def _failures(runs: int) -> Iterator[Figure]:
    yield _reported("outage, `down`", _all(runs, LOG_NORMAL, always(Now(failing=1.0))), reach="3")
    for (usual, bad), reach in SHARES.items():
        found = _all(runs, LOG_NORMAL, always(Now(failing=bad)), failing=usual)
        yield _reported(f"{bad:.0%} cut, usually {usual:.2%}", found, failure_bound(usual, bad), reach)


def _recoveries(runs: int) -> Iterator[Figure]:
    courses = {f"TTFT {factor:g}x, {LOG_NORMAL.name}": (LOG_NORMAL, Now(ttft=factor)) for factor in REACH}
    courses |= {f"TTFT 3x, {shape.name}": (shape, Now(ttft=3)) for shape in SHAPES if shape is not LOG_NORMAL}
    courses |= {"TPOT 3x": (LOG_NORMAL, Now(tpot=3)), "20 % cut": (LOG_NORMAL, Now(failing=0.2))}
    for name, (shape, now) in courses.items():
        yield _well(name, runs, shape, always(now), "2 to 5" if now.ttft >= 3 and shape is LOG_NORMAL else "")
    yield _well("outage, `up`", runs, LOG_NORMAL, always(Now(failing=1.0)), "2")


# -- one change at one endpoint


@dataclass(frozen=True, slots=True)
class Seen:
    """When a change was reported."""

    after: int
    """Results since it; `MOST` + 1: not within that number."""
    plain_after: int
    """The same by the plain rule, of `PLAIN_MOST`."""
    early: bool
    """It was reported before it happened: counted nowhere else."""


def always(now: Now) -> Course:
    return lambda _: now


def _flapping(n: int) -> Now:
    return Now(failing=1.0 if n // CYCLE % 2 == 0 else None)


def _all(runs: int, shape: Shape, course: Course, failing: float = 0.005) -> list[Seen]:
    return [_see(Watched(shape, seed, failing=failing), course) for seed in range(runs)]


def _see(endpoint: Watched, course: Course) -> Seen:
    for _ in range(CALM):
        endpoint.add()
    early = endpoint.sick
    after, plain_after = MOST + 1, PLAIN_MOST + 1
    for n in range(MOST):
        endpoint.add(course(n))
        if endpoint.sick:
            after = min(after, n + 1)
        if endpoint.plain_rule and n < PLAIN_MOST:
            plain_after = min(plain_after, n + 1)
        if after <= MOST and (plain_after <= PLAIN_MOST or n >= PLAIN_MOST):
            break
    return Seen(after, plain_after, early)


def _ends(endpoint: Watched, course: Course) -> list[int]:
    """At which results of a change that goes on it was called well."""
    n, ends = 0, []
    while not endpoint.sick and n < MOST:
        endpoint.add(course(n))
        n += 1
    for more in range(n, n + LASTS):
        was = endpoint.sick
        endpoint.add(course(more))
        if was and not endpoint.sick:
            ends.append(more)
    return ends


def _reported(what: str, found: Sequence[Seen], bound: float | None = None, reach: str = "") -> Figure:
    counted = [each for each in found if not each.early]
    if not counted:
        return Figure(what, "reported before it happened")
    took = _number([each.after for each in counted], MOST)
    least = "" if bound is None else f"; bound {bound:.1f}"
    plain = _number([each.plain_after for each in counted], PLAIN_MOST, (0.5,))
    before = f"; {len(found) - len(counted)} before it" if len(counted) < len(found) else ""
    return Figure(what, f"{took}{least}; plain {plain}{before}", reach)


def _well(what: str, runs: int, shape: Shape, course: Course, reach: str = "") -> Figure:
    took, early = [], 0
    for seed in range(runs):
        endpoint = Watched(shape, seed)
        early += len(_ends(endpoint, course))
        if not endpoint.sick:
            continue
        n = 0
        while endpoint.sick and n < MOST:
            endpoint.add(Now(failing=0.0))
            n += 1
        took.append(n if not endpoint.sick else MOST + 1)
    return Figure(what, f"{_number(took, MOST)}; {early / runs:.2f} too early", reach)


def _number(values: Sequence[int], most: int, shares: Sequence[float] = (0.5, 0.95)) -> str:
    if not values:
        return "-"
    found = [quantile(values, each) for each in shares]
    return " / ".join("never" if each > most else f"{math.ceil(each)}" for each in found)
