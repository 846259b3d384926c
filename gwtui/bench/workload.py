"""What each request of a benchmark asks, where that is not the same for all: prompts of a file, cold and warm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from gwtui.apis import ASKED_APIS
from gwtui.apis.nonce import has_own_question
from gwtui.bench.prompts import Prompts
from gwtui.bench.targets import TargetError
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
class Asked:
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
    primed: frozenset[str] = frozenset()
    """Endpoints that are asked every prompt once before, so that caches of prompts have it."""

    def __str__(self) -> str:
        """What is said of it behind the plan; "" where each endpoint is asked its own question."""
        return "" if self.prompts is None else f", {units.many(len(self.prompts), 'prompt')} of {self.prompts.name}"

    def told(self) -> dict[str, Any] | None:
        """The same for JSON."""
        if self.prompts is None:
            return None
        return {"file": self.prompts.name, "prompts": len(self.prompts), "sha256": self.prompts.sha256}

    def asked(self, endpoint: Endpoint, number: int, *, warms_up: bool = False) -> Asked | None:
        """What the endpoint's request with this number asks; None: its own question. Requests to warm up take the last
        prompts first, as caches would have those of the first that count."""
        if self.prompts is None:
            return None
        prompt = self.prompts.at(1 - number if warms_up else number)
        asked = ASKED_APIS[endpoint.api].asking(endpoint, prompt.talk)
        return Asked(asked, prompt.line, prompt.hash)

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
