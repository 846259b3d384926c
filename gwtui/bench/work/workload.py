"""What each request of a benchmark asks, where that is not the same for all: prompts of a file, cold and warm."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from gwtui.apis import ASKED_APIS, kind_of
from gwtui.apis.nonce import has_own_question
from gwtui.bench.work.plan import Order, Plan
from gwtui.bench.work.prompts import Prompts
from gwtui.bench.work.replayed import Replay, SentBefore, peak_per_s
from gwtui.bench.work.targets import TargetError
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request
from gwtui.text import units

COLD, WARM = " cold", " warm"
"""Ends of the names of endpoints that are asked with and without a nonce."""
MOST_NAME = 64
MOST_PRIMED = 1000
"""Prompts that are sent before the first counted request, unless a number of requests is given."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """What one request asks."""

    endpoint: Endpoint
    """As it is asked."""
    line: int | None = None
    hash: str = ""

    def marked(self, result: Request | Ping) -> Request | Ping:
        """The result with what was asked."""
        if isinstance(result, Ping) or self.line is None:
            return result
        return replace(result, prompt_line=self.line, prompt_hash=self.hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What the requests ask. By default each endpoint's own question."""

    prompts: Prompts | None = None
    """Of which each endpoint's requests take one after the other: the same for all endpoints."""
    replay: Replay | None = None
    rows: Mapping[str, tuple[SentBefore, ...]] = field(default_factory=dict)
    """By endpoint the requests of `replay` that it is sent."""
    primed: frozenset[str] = frozenset()
    """Endpoints that are asked every prompt once before, so that caches of prompts have it."""

    def text(self, plan: Plan) -> str:
        """What is sent, when, and from when latency counts."""
        if self.replay is not None:
            loop = f"{self.replay}, latency from the planned send"
        elif plan.rate is not None:
            kind = f"{plan.arrivals} requests" if plan.arrivals is not None else f"{plan.rate:g} requests/s"
            loop = f"open loop of {kind} each, latency from the planned send"
        else:
            loop = f"{plan.concurrency} at a time, latency from the last byte sent"
        asked = "" if self.prompts is None else f", {units.many(len(self.prompts), 'prompt')} of {self.prompts.name}"
        return f"{loop}, endpoints {plan.order}{asked}"

    def told_with(self, plan: Plan) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "requests": plan.requests,
            "for_s": plan.for_s,
            "concurrency": plan.concurrency,
            "rate": plan.rate,
            "arrivals": None if plan.arrivals is None else str(plan.arrivals),
            "seed": None if plan.arrivals is None else plan.arrivals.seed,
            "warmup": plan.warmup,
            "prompts": self.told(),
            "replay": None if self.replay is None else self.replay.told(),
            "order": plan.order.value,
            "slo": [each.text for each in plan.slo],
        }

    def told(self) -> dict[str, Any] | None:
        """The file of prompts, for JSON."""
        if self.prompts is None:
            return None
        return {"file": self.prompts.name, "prompts": len(self.prompts), "sha256": self.prompts.sha256}

    def planned(self, plan: Plan) -> Plan:
        """The plan, where requests are replayed with their number and the highest of their rates."""
        if self.replay is None:
            return plan
        due = [self.replay.due_ns(rows) for rows in self.rows.values()]
        rate = max(map(peak_per_s, due))
        return dataclasses.replace(plan, requests=max(map(len, due)), rate=rate, order=Order.TOGETHER)

    def due_ns(self, endpoints: Sequence[Endpoint]) -> list[int] | None:
        """When the requests to an endpoint are due, in ns from the start; None where the plan says it."""
        if self.replay is None:
            return None
        return self.replay.due_ns([row for endpoint in endpoints for row in self.rows[endpoint.name]])

    def asked(self, endpoint: Endpoint, number: int, *, warms_up: bool = False) -> AskedQuestion | None:
        """What the endpoint's request with this number asks; None: its own question. Requests to warm up take the last
        prompts first, as caches would have those of the first that count."""
        if self.replay is not None and not self.replay.keeps_model and not warms_up:
            model = self.rows[endpoint.name][number - 1].model
            endpoint = replace(endpoint, model=model or endpoint.model)
        if self.prompts is None:
            return AskedQuestion(endpoint) if self.replay is not None else None
        prompt = self.prompts.at(1 - number if warms_up else number)
        asked = ASKED_APIS[endpoint.api].asking(endpoint, prompt.talk)
        return AskedQuestion(asked, prompt.line, prompt.hash)

    def priming(self, requests: int | None) -> int:
        """How many requests each primed endpoint is sent before: one for each prompt that it will be asked.

        Raises TargetError for too many.
        """
        known = 1 if self.prompts is None else len(self.prompts)
        if requests is None and known > MOST_PRIMED:
            words = (
                f"--cold-warm sends each of the {known:,} prompts once before: say with --requests how many are used"
            )
            raise TargetError(words)
        return min(known, requests or known)


def check_questions(endpoints: Sequence[Endpoint], option: str) -> None:
    """Raises TargetError for endpoints whose question the option cannot change."""
    for endpoint in endpoints:
        api = ASKED_APIS.get(endpoint.api)
        if api is None or api.kind is not Kind.COMPLETION:
            raise TargetError(f"{endpoint.name}: {option} is for completions, and api = {endpoint.api!r} asks no model")
        if has_own_question(endpoint, api):
            raise TargetError(f"{endpoint.name}: its `body` has the question, which {option} cannot change")
        if endpoint.turns and option == "--prompts":
            raise TargetError(f"{endpoint.name}: it has `turns`, a conversation of its own: {option} is for others")


def cold_and_warm(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """Each endpoint twice: with a nonce, and without."""
    return tuple(
        replace(endpoint, name=endpoint.name[: MOST_NAME - len(end)] + end, nonce=end == COLD)
        for endpoint in endpoints
        for end in (COLD, WARM)
    )


def replayed(replay: Replay, endpoints: Sequence[Endpoint], prompts: Prompts | None = None) -> Workload:
    """The requests of a file, each to the endpoint of its name; to one endpoint alone all of them, where none has its
    name. Raises TargetError for an endpoint with no request, or without a model."""
    rows = {endpoint.name: replay.of(endpoint, alone=len(endpoints) == 1) for endpoint in endpoints}
    for endpoint in endpoints:
        if kind_of(endpoint.api) is Kind.WEBSOCKET:
            raise TargetError(f"{endpoint.name}: --replay is for requests, and this endpoint is pinged")
        if endpoint.turns:
            raise TargetError(f"{endpoint.name}: it has `turns`, a conversation of its own: --replay is for others")
        if not rows[endpoint.name]:
            known = ", ".join(sorted({row.endpoint for row in replay.rows})[:5])
            raise TargetError(f"{endpoint.name}: {replay.name} has no request of that name; it has {known}")
    return Workload(prompts=prompts, replay=replay, rows=rows)
