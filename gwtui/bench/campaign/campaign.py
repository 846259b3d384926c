"""The points of a plan, the order in which they are measured, and what that takes at most.

A *point* is one endpoint asked one prompt with one token limit under one load. Points are measured one at a time, so
that no load disturbs another, in blocks that take turns: A B C, C B A, A B C, ... A gateway that becomes slower or
faster meanwhile then does so for all of them. Endpoints are next to each other in this order: they are compared.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path

import msgspec

from gwtui.bench.gates import ratio_gates, thresholds
from gwtui.bench.gates.gate_figures import GateError
from gwtui.bench.gates.ratio_gates import RatioGate
from gwtui.bench.gates.thresholds import Threshold
from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.results.slo import ExpressionError, SLOError, check_slo, parse_slo
from gwtui.bench.session.run_file import Axis
from gwtui.bench.work.plan import Plan
from gwtui.bench.work.targets import TargetError
from gwtui.config import ConfigError, endpoint_from
from gwtui.config.bench_plans import BenchPlan, PromptFile
from gwtui.config.errors import KeyPath, Problem
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint, Profile

LEAST_ROUNDS = 4
"""Requests of a block for each place of its concurrency: while these fill and empty, the load is a smaller one."""
LEAST_OPEN_S = 2.0
"""The shortest block of an open loop, in seconds."""
LEAST_TIMED_S = 5.0
"""The shortest block of a point that has a time."""
OPEN_LOOP_LIMIT = 100
"""Concurrent requests of an open loop, where the plan names no limit."""
MAX_PROMPT_BYTES = 1 << 20


class AboutNothingError(GateError):
    """A gate that nothing can answer here."""


class PromptError(TargetError):
    """The file of a prompt cannot be used."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPoint:
    """One endpoint asked one prompt under one load: one line of the results."""

    name: str
    """Unique in the campaign, such as `claude/short/256t/c16`."""
    endpoint: Endpoint
    """As it is asked: with the prompt and the token limit."""
    prompt: str | None
    """The prompt's name; None for the endpoint's own."""
    max_tokens: int | None
    """None for the endpoint's own."""
    load: Plan
    """What all of its blocks do together, but for the warm-up, which is that of each block."""
    place: tuple[int, ...]
    """Its position on each axis: load, token limit, prompt, endpoint."""

    @property
    def axes(self) -> dict[str, Axis]:
        """What distinguishes it from the other points, besides its endpoint."""
        of_load: dict[str, Axis | None] = {"concurrency": self.load.concurrency, "rate": self.load.rate}
        if self.load.rate is not None:
            del of_load["concurrency"]
        named = {"prompt": self.prompt, "max_tokens": self.max_tokens, **of_load}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class PointBlock:
    """A part of a point, which is measured at once."""

    point: CampaignPoint
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A plan, ready to be carried out."""

    plan: BenchPlan
    profile: Profile
    points: tuple[CampaignPoint, ...]
    """By endpoint, prompt, token limit and load."""
    blocks: tuple[PointBlock, ...]
    """In the order in which they are measured."""
    gates: tuple[Threshold, ...] = ()
    """Limits of the plan that are about any of its points."""
    ratios: tuple[RatioGate, ...] = ()
    """Gates of the plan that compare with a baseline; those for some points once for each of these."""

    @property
    def loaded(self) -> Profile:
        """The profile with those endpoints alone that are loaded."""
        return msgspec.structs.replace(self.profile, endpoints=tuple(endpoints_of(self.plan, self.profile)))

    @property
    def pairs(self) -> Iterator[tuple[CampaignPoint, CampaignPoint]]:
        """The pairs of points to compare: of endpoints, with all else alike."""
        by_place = {(point.endpoint.name, point.place[:-1]): point for point in self.points}
        for one, other in self.plan.compare:
            for point in self.points:
                if point.endpoint.name == one and (other, point.place[:-1]) in by_place:
                    yield point, by_place[other, point.place[:-1]]


def campaign_of(plan: BenchPlan, profile: Profile, optional: Collection[str] = ()) -> Campaign:
    """The campaign of a plan. Gates that are `optional` are left out where they are about nothing that it measures.
    Raises ExpressionError, TargetError or ConfigError."""
    points = _points(plan, endpoints_of(plan, profile))
    measured = {point.name: nothing_of(point) for point in points}
    gates: list[Threshold] = []
    ratios: list[RatioGate] = []
    for text in plan.fail_if:
        try:
            limits, comparing = gates_from(text, points, measured)
        except AboutNothingError:
            if text not in optional:
                raise
        else:
            gates, ratios = [*gates, *limits], [*ratios, *comparing]
    check_slo(points[0].load.slo, _metrics(measured))
    blocks = tuple(_blocks(points, plan.blocks))
    return Campaign(plan=plan, profile=profile, points=points, blocks=blocks, gates=tuple(gates), ratios=tuple(ratios))


def endpoints_of(plan: BenchPlan, profile: Profile) -> list[Endpoint]:
    """The endpoints of a plan, in its order. Raises TargetError."""
    names = plan.endpoints or [each.name for each in profile.endpoints if not each.paused]
    found = [endpoint for name in names if (endpoint := profile.endpoint(name)) is not None]
    if len(found) < len(names):
        lacks = next(name for name in names if profile.endpoint(name) is None)
        known = ", ".join(each.name for each in profile.endpoints) or "none"
        raise TargetError(f"plan {plan.name} has no endpoint {lacks!r} in profile {profile.name}, which has: {known}")
    if not found:
        raise TargetError(f"plan {plan.name} has no endpoint: profile {profile.name} has none that is not paused")
    return found


def nothing_of(point: CampaignPoint) -> Measured:
    """What was measured of a point before it began."""
    load = point.load
    return empty([point.endpoint], from_planned=load.rate is not None, slo=load.slo)[point.endpoint.name]


def _points(plan: BenchPlan, endpoints: Sequence[Endpoint]) -> tuple[CampaignPoint, ...]:
    axes = (
        list(enumerate(endpoints)),
        list(enumerate(_texts(plan).items() or [("", None)])),
        list(enumerate(plan.values("max_tokens") or [None])),
        list(enumerate(_loads(plan))),
    )
    return tuple(
        _point(plan, endpoint, prompt, limit, load, place=(d, c, b, a))
        for (a, endpoint), (b, prompt), (c, limit), (d, load) in product(*axes)
    )


def _point(
    plan: BenchPlan,
    endpoint: Endpoint,
    prompt: tuple[str, str | None],
    limit: int | None,
    load: Plan,
    *,
    place: tuple[int, ...],
) -> CampaignPoint:
    name, text = prompt
    # A prompt takes the place of a whole conversation.
    asked = {"prompt": text, "messages": None, "turns": None} if text is not None else {}
    limited = {"max_tokens": limit} if limit is not None else {}
    parts = [endpoint.name, name, f"{limit}t" if limit is not None else ""]
    if load.rate is not None:
        parts.append(f"r{load.rate:g}")
    elif plan.concurrency is not None:
        parts.append(f"c{load.concurrency}")
    return CampaignPoint(
        name="/".join(filter(None, parts)),
        endpoint=endpoint_from({**asked, **limited}, endpoint),
        prompt=name or None,
        max_tokens=limit,
        load=load,
        place=place,
    )


def _loads(plan: BenchPlan) -> list[Plan]:
    slo = parse_slo(plan.slo) if plan.slo is not None else ()
    each = Plan(requests=plan.requests_each, for_s=plan.for_s, warmup=plan.warmup, slo=slo)
    limits = plan.values("concurrency")
    if rates := plan.values("rate"):
        limit = limits[0] if limits else OPEN_LOOP_LIMIT
        return [replace(each, rate=rate, concurrency=limit) for rate in rates]
    return [replace(each, concurrency=limit) for limit in limits or (1,)]


def _texts(plan: BenchPlan) -> dict[str, str]:
    """The prompts by name. Raises PromptError for a file that cannot be read."""
    return {
        name: _text_of(name, Path(each.file)) if isinstance(each, PromptFile) else each
        for name, each in plan.prompts.items()
    }


def _text_of(name: str, path: Path) -> str:
    try:
        if not path.is_file():
            raise PromptError(name, f"{path}: there is no such file")
        with path.open("rb") as file:
            data = file.read(MAX_PROMPT_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise PromptError(name, f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise PromptError(name, f"{path}: is not UTF-8 text") from error
    if len(data) > MAX_PROMPT_BYTES:
        raise PromptError(name, f"{path}: is larger than {MAX_PROMPT_BYTES >> 20} MiB")
    if not text.strip():
        raise PromptError(name, f"{path}: is empty")
    return text


def parts_of(load: Plan, most: int) -> int:
    """In how many blocks a load is measured: at most that many, and none too short to reach it.

    An even number of them, or one, unless it is all: only then does a steady drift weigh on each point alike.
    """
    fits = [most]
    if load.requests is not None:
        least = LEAST_ROUNDS * load.concurrency if load.rate is None else math.ceil(load.rate * LEAST_OPEN_S)
        fits.append(load.requests // least)
    if load.for_s is not None:
        fits.append(int(load.for_s // LEAST_TIMED_S))
    parts = max(1, min(fits))
    return parts if parts in (1, most) or parts % 2 == 0 else parts - 1


def turns_of(parts: int, most: int) -> list[int]:
    """In which turns the blocks of a point are measured: as far before the middle as behind it."""
    early = [at * most // parts for at in range(parts // 2)]
    return [*early, *([most // 2] if parts % 2 else []), *(most - 1 - turn for turn in reversed(early))]


def _blocks(points: Sequence[CampaignPoint], most: int) -> Iterator[PointBlock]:
    order = sorted(points, key=lambda point: point.place)
    planned = {point.name: _parts(point.load, most) for point in order}
    for turn in range(most):
        for point in order if turn % 2 == 0 else reversed(order):
            if (plan := planned[point.name].get(turn)) is not None:
                yield PointBlock(point, plan)


def _parts(load: Plan, most: int) -> dict[int, Plan]:
    """By turn the load of each block."""
    parts = parts_of(load, most)
    seconds = None if load.for_s is None else load.for_s / parts
    found = {}
    for at, turn in enumerate(turns_of(parts, most)):
        requests = None if load.requests is None else load.requests // parts + (at < load.requests % parts)
        found[turn] = replace(load, requests=requests, for_s=seconds)
    return found


def gates_of(point: CampaignPoint, gates: Sequence[Threshold]) -> list[Threshold]:
    """The gates that are about a point: those of its endpoint, of points with such a name, and of all."""
    found = []
    for gate in gates:
        named = gate.expression.endpoint
        if named is None or named == point.endpoint.name or fnmatchcase(point.name, named):
            found.append(replace(gate, expression=replace(gate.expression, endpoint=None)))
    return found


def gates_from(
    text: str, points: Sequence[CampaignPoint], measured: Mapping[str, Measured]
) -> tuple[list[Threshold], list[RatioGate]]:
    """The gate of an expression: a limit, or a ratio, once for each point that it is for, as it is where it is for all.
    Raises ExpressionError, and AboutNothingError for a gate that is about no point, or about what none can have."""
    limits, comparing = ratio_gates.parse_all([text])
    gates = list(map(thresholds.parse, limits))
    named = (gates or comparing)[0].expression.endpoint
    about = [each for each in points if named is None or named == each.endpoint.name or fnmatchcase(each.name, named)]
    if not about:
        names = ", ".join(dict.fromkeys(each.endpoint.name for each in points))
        known = f"endpoints: {names}; a point: {points[0].name}"
        raise AboutNothingError(f"--fail-if {text!r}: there is no endpoint or point {named!r}; {known}")
    try:
        for gate in gates:
            thresholds.check(gates_of(about[0], [gate]), [measured[point.name] for point in about])
    except GateError as error:
        raise AboutNothingError(str(error)) from None
    return gates, [_ratio_for(ratio, name) for ratio in comparing for name in _names(about, named)]


def _names(about: Sequence[CampaignPoint], named: str | None) -> list[str | None]:
    return [None] if named is None else [point.name for point in about]


def _ratio_for(gate: RatioGate, name: str | None) -> RatioGate:
    return replace(gate, expression=replace(gate.expression, endpoint=name))


def plan_faults(plan: BenchPlan, profile: Profile) -> Iterator[Problem]:
    """What keeps a plan from being carried out although its table has no fault: files, objectives and gates."""
    where: KeyPath = ("bench", plan.name)
    try:
        points = _points(plan, endpoints_of(plan, profile))
    except PromptError as error:
        yield Problem((*where, "prompts", error.name), str(error))
        return
    except SLOError as error:
        yield Problem((*where, "slo"), str(error))
        return
    except TargetError as error:
        yield Problem(where, str(error))
        return
    except ConfigError as error:
        yield from (Problem(where, str(fault)) for fault in error.faults)
        return
    measured = {point.name: nothing_of(point) for point in points}
    for index, text in enumerate(plan.fail_if):
        try:
            gates_from(text, points, measured)
        except ExpressionError as error:
            yield Problem((*where, "fail_if", index), str(error).removeprefix(f"--fail-if {text!r}: "))
    try:
        check_slo(points[0].load.slo, _metrics(measured))
    except SLOError as error:
        yield Problem((*where, "slo"), str(error))


def _metrics(measured: Mapping[str, Measured]) -> list[Metric]:
    return [metric for each in measured.values() for metric in each.metrics]
