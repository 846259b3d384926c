"""The gateway's upstreams: which provider is asked, who is next when it fails, and breakers that spare the ill ones.

There is no upstream behind this gateway: an attempt fails where the behaviour says so, and takes the time it says.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gwtui.gateway.audit_log import Attempt, AuditLog
from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.providers import AGENTS, PROVIDERS, provider_of
from gwtui.gateway.replies.base import Question
from gwtui.gateway.scenario import Gateway


class BreakerState(StrEnum):
    CLOSED = "closed"
    """Requests pass."""
    OPEN = "open"
    """Requests fail at once."""
    HALF_OPEN = "half_open"
    """One request passes, as a test."""


class Breaker:
    """Guards one upstream."""

    def __init__(self, failures: int, open_s: float) -> None:
        self._limit = failures
        self._open_s = open_s
        self.failures = 0
        """Failures in a row."""
        self._opened_at: float | None = None
        self._testing = False

    def state(self, now: float) -> BreakerState:
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.wait_s(now) else BreakerState.HALF_OPEN

    def wait_s(self, now: float) -> float:
        """Seconds until it may be tested."""
        return 0.0 if self._opened_at is None else max(0.0, self._opened_at + self._open_s - now)

    def admits(self, now: float) -> bool:
        """Whether a request may pass now. The one that may while it is half open is the test: its end must be
        reported.
        """
        if self._testing or self.wait_s(now):
            return False
        self._testing = self._opened_at is not None
        return True

    def succeeded(self) -> None:
        self.failures, self._opened_at, self._testing = 0, None, False

    def failed(self, now: float) -> None:
        """A failed test opens it for another whole time."""
        self.failures += 1
        if self._testing or self.failures == self._limit:
            self._opened_at = now
        self._testing = False


MAX_BREAKERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Who answers."""

    provider: str
    behaviour: Behaviour
    attempts: tuple[Attempt, ...]
    stands_in: bool
    """Whether it is not the provider that the model belongs to."""
    streams: bool = True
    """Whether it can stream: after a failed stream the gateway asks for one answer."""

    @property
    def headers(self) -> dict[str, str]:
        """The response headers about attempts and fallbacks."""
        told = {"x-gateway-provider": self.provider, "x-gateway-attempts": str(len(self.attempts))}
        if self.stands_in:
            told["x-litellm-attempted-fallbacks"] = "1"
        elif len(self.attempts) > 1:
            told["x-litellm-attempted-retries"] = str(len(self.attempts) - 1)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """Why no provider answers."""

    status: int
    message: str
    attempts: tuple[Attempt, ...]
    retry_after_s: int | None = None


class Upstreams:
    """All providers, and a breaker for each of them and each model."""

    def __init__(self, settings: Gateway, clock: Callable[[], float], audit_log: AuditLog) -> None:
        self._settings = settings
        self._clock = clock
        self._audit_log = audit_log
        self._breakers: dict[tuple[str, str], Breaker] = {}

    def first(self, question: Question) -> str:
        """The provider that is asked first."""
        return AGENTS.get(question.agent_type) or provider_of(question.model, self._settings.default_provider)

    async def ask(self, question: Question, behaviour_of: Callable[[str], Behaviour]) -> Served | Unserved:
        """Ask one provider after another, until one answers or enough were asked."""
        first = self.first(question)
        chain = dict.fromkeys((first, *self._settings.fallback_chain))
        failures: list[Attempt] = []
        last = Unserved(status=503, message="", attempts=())
        for provider in chain:
            behaviour = behaviour_of(provider)
            if len(failures) == self._settings.attempts or (failures and behaviour.no_fallback):
                break
            breaker = self._breaker(provider, question.model)
            if not breaker.admits(self._clock()):
                continue
            if not _fails(question, behaviour, len(failures)):
                return self._served(question, provider, behaviour, failures, stands_in=provider != first)
            last = await self._failure(question, provider, behaviour, failures)
            breaker.failed(self._clock())
            if behaviour.upstream_failure == "stream" and not behaviour.no_fallback:
                return self._served(question, provider, behaviour, failures, stands_in=False, streams=False)
        return last if failures else self._all_open(question, list(chain))

    def _served(
        self,
        question: Question,
        provider: str,
        behaviour: Behaviour,
        failures: list[Attempt],
        *,
        stands_in: bool,
        streams: bool = True,
    ) -> Served:
        self._audit_log.called(provider, failed=False)
        self._breakers.pop((provider, question.model), None)  # a closed one without failures needs no memory
        attempts = (*failures, Attempt(provider, 200))
        return Served(provider=provider, behaviour=behaviour, attempts=attempts, stands_in=stands_in, streams=streams)

    async def _failure(
        self, question: Question, provider: str, behaviour: Behaviour, failures: list[Attempt]
    ) -> Unserved:
        """Let an attempt fail in its way, and note it."""
        self._audit_log.called(provider, failed=True)
        timeout_s, is_late = self._settings.upstream_timeout_s, behaviour.upstream_failure == "timeout"
        failures.append(Attempt(provider, 504 if is_late else 500))
        if is_late:
            await asyncio.sleep(timeout_s)
            message = f"{' and '.join(map(_told, failures))} did not answer within {timeout_s:g} s."
        elif behaviour.upstream_failure == "stream":
            message = f"The stream failed upstream ({_told(failures[-1])}), and fallback is disabled."
        else:
            message = f"For {question.model} all upstream attempts failed ({', '.join(map(_told, failures))})."
        return Unserved(status=failures[-1].status, message=message, attempts=tuple(failures))

    def _all_open(self, question: Question, chain: list[str]) -> Unserved:
        waits = [self._breaker(provider, question.model).wait_s(self._clock()) for provider in chain]
        message = f"The model {question.model} is currently unavailable: its circuit breaker is open."
        return Unserved(status=503, message=message, attempts=(), retry_after_s=math.ceil(min(waits)))

    def _breaker(self, provider: str, model: str) -> Breaker:
        key = (provider, model)
        if key not in self._breakers:
            if len(self._breakers) >= MAX_BREAKERS:
                del self._breakers[next(iter(self._breakers))]
            self._breakers[key] = Breaker(self._settings.breaker_failures, self._settings.breaker_open_s)
        return self._breakers[key]

    def health(self, down: str | None = None) -> dict[str, Any]:
        """Their part of `/gateway/health`. A provider is healthy while all its breakers are closed; `down` is not."""
        now = self._clock()
        breakers = {
            f"{provider}/{model}": {
                "state": breaker.state(now),
                "failures": breaker.failures,
                "retry_after_s": round(breaker.wait_s(now), 3),
            }
            for (provider, model), breaker in self._breakers.items()
        }
        ill = {
            provider
            for (provider, _), breaker in self._breakers.items()
            if breaker.state(now) is not BreakerState.CLOSED
        } | {down} - {None}
        return {
            "status": "degraded" if ill else "healthy",
            "providers": {provider: provider not in ill for provider in PROVIDERS},
            "routing": {
                "default_provider": self._settings.default_provider,
                "fallback_chain": list(self._settings.fallback_chain),
            },
            "agent_types": AGENTS,
            "breakers": breakers,
            "audit": {"enabled": True},
        }


def _told(failure: Attempt) -> str:
    return failure.provider if failure.status == 504 else f"{failure.provider}: {failure.status}"


def _fails(question: Question, behaviour: Behaviour, failures: int) -> bool:
    if behaviour.upstream_failure == "stream" and not question.stream:
        return False
    return failures < (behaviour.upstream_fails or 0)
