"""What a campaign will do: its points, and how many requests and tokens it takes at most."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gwtui.apis import kind_of
from gwtui.apis.compare.compare_stream import COMPARE_STREAM
from gwtui.apis.token_limit import SETTING, limits_in
from gwtui.bench.campaign.campaign import LEAST_OPEN_S, LEAST_ROUNDS, Campaign, CampaignPoint
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.stats.histogram import least_n
from gwtui.text import units
from gwtui.text.sanitize import clean
from gwtui.text.tables import TextColumn, table

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)_")


@dataclass(frozen=True, slots=True)
class Bound:
    """What a campaign takes at most. None: there is no limit."""

    requests: int | None
    """Those that count."""
    warmup: int
    tokens: int | None
    """Output tokens, warm-up included."""
    seconds: float | None
    """How long requests are started, where the plan says so."""


def bound_of(campaign: Campaign) -> Bound:
    """The sums over all points."""
    blocks = {point.name: 0 for point in campaign.points}
    for block in campaign.blocks:
        blocks[block.point.name] += 1
    requests = [_requests(point) for point in campaign.points]
    warmups = [point.load.warmup * blocks[point.name] for point in campaign.points]
    tokens = [
        None if number is None or (limit := _limit(point.endpoint)) is None else (number + warmup) * limit
        for point, number, warmup in zip(campaign.points, requests, warmups, strict=True)
    ]
    seconds = [_seconds(point) for point in campaign.points]
    return Bound(_sum(requests), sum(warmups), _sum(tokens), _sum(seconds))


def _sum(values: Sequence[Any]) -> Any:
    return None if None in values else sum(values)


def _requests(point: CampaignPoint) -> int | None:
    load = point.load
    limits = [load.requests] if load.requests is not None else []
    if load.rate is not None and load.for_s is not None:
        limits.append(math.ceil(load.rate * load.for_s))
    return min(limits) if limits else None


def _seconds(point: CampaignPoint) -> float | None:
    load = point.load
    limits = [load.for_s] if load.for_s is not None else []
    if load.rate is not None and load.requests is not None:
        limits.append(load.requests / load.rate)
    return min(limits) if limits else None


def _limit(endpoint: Endpoint) -> int | None:
    """The output tokens of one request of an endpoint, all turns of a conversation included; None: any number."""
    if kind_of(endpoint.api) is not Kind.COMPLETION:
        return 0
    if SETTING in endpoint.omit:
        return None
    own = limits_in(endpoint.body) if isinstance(endpoint.body, dict) else ()
    models = len((endpoint.model or "").split(",")) if endpoint.api == COMPARE_STREAM.name else 1
    return max(own, default=endpoint.max_tokens) * models * max(1, len(endpoint.turns))


def plan_lines(campaign: Campaign) -> list[str]:
    """What a plan will do, before it does."""
    plan, points, bound = campaign.plan, campaign.points, bound_of(campaign)
    endpoints = len({point.endpoint.name for point in points})
    sizes = [units.many(endpoints, "endpoint")]
    sizes += [units.many(len(plan.prompts), "prompt")] if plan.prompts else []
    sizes += [units.many(len(limits), "token limit")] if len(limits := plan.values("max_tokens")) > 1 else []
    loads = len({(point.load.concurrency, point.load.rate) for point in points})
    sizes += [units.many(loads, "load")]
    rows = [
        ("points", f"{' x '.join(sizes)} = {units.many(len(points), 'point')}, such as {points[0].name}"),
        ("sends", _sends(campaign, bound)),
        ("tokens", _tokens(bound)),
        ("order", f"{units.many(len(campaign.blocks), 'block')}, one at a time, there and back: A B C, C B A, ..."),
    ]
    pairs = len(list(campaign.pairs))
    rows += [("compares", f"{units.many(pairs, 'pair')} of points")] if pairs else []
    rows += [("SLO", plan.slo)] if plan.slo else []
    rows += [("gates", "; ".join(plan.fail_if))] if plan.fail_if else []
    rows += [("note", text) for text in notes_of(campaign)]
    title = f"plan {plan.name}: profile {campaign.profile.name}, endpoints {_names(points)}"
    return [clean(title, 4000), *(f"  {each}" for each in table(rows, (TextColumn(14), TextColumn())))]


def _names(points: Sequence[CampaignPoint]) -> str:
    return ", ".join(dict.fromkeys(point.endpoint.name for point in points))


def _sends(campaign: Campaign, bound: Bound) -> str:
    each = campaign.points[0].load
    many = "as many requests as fit" if bound.requests is None else units.many(bound.requests, "request")
    least = "" if each.requests is None else f"{units.many(each.requests, 'request')} at each point"
    timed = "" if each.for_s is None else f"{units.span(round(each.for_s * 1e9))} at each point"
    took = "" if bound.seconds is None else f", {units.span(round(bound.seconds * 1e9))} in all"
    warmup = f", and {units.count(bound.warmup)} for warm-up" if bound.warmup else ""
    return f"{many} ({' or '.join(filter(None, (least, timed)))}{took}){warmup}"


def _tokens(bound: Bound) -> str:
    if bound.tokens is None:
        return "any number of output tokens: the number of requests, or a token limit, is open"
    return f"at most {units.count(bound.tokens)} output tokens, warm-up included" if bound.tokens else "none"


def notes_of(campaign: Campaign) -> Iterator[str]:
    """Loads that the plan does not keep up for long enough to be what they are called, and gates that it cannot
    decide."""
    yield from _load_notes(campaign)
    requests = campaign.plan.requests_each
    used = {gate.expression.text for gate in campaign.gates} | {gate.expression.text for gate in campaign.ratios}
    for text in campaign.plan.fail_if:
        if text.strip() not in used:
            yield f"{text} is about none of these points, and judges nothing"
    for gate in campaign.gates:
        found = _PERCENTILE.match(gate.expression.measure)
        if found and requests is not None and requests < (least := least_n(float(found[1]) / 100)):
            few = f"{units.many(least, 'result')}, and a point has {units.count(requests)}"
            yield f"{gate.expression.text} takes {few}: it will be undecided"


def _load_notes(campaign: Campaign) -> Iterator[str]:
    for load in dict.fromkeys(point.load for point in campaign.points):
        if load.requests is None:
            continue
        if load.rate is None and load.requests < (least := LEAST_ROUNDS * load.concurrency):
            what = f"{units.count(load.concurrency)} at a time"
            yield f"{what}: {units.many(load.requests, 'request')} are few: {units.count(least)} keep this load up"
        elif load.rate is not None and load.requests < (least := math.ceil(load.rate * LEAST_OPEN_S)):
            what = f"{load.rate:g}/s"
            yield f"{what}: {units.many(load.requests, 'request')} last less than {LEAST_OPEN_S:g} s: use {least}"
