"""Who answered a request behind the gateway: looked up in the gateway's own documents after the request has ended.

The look-up is no part of what was measured, and one answer of the gateway serves all requests that ended before it was
asked for. It takes at most a few seconds and a few small requests, one at a time; where a gateway does not have the
documents, or never notes an id, it is asked less.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec.structs import replace

from gwtui.apis.base import Answer
from gwtui.apis.gateway_documents import (
    DocumentError,
    GatewayEntry,
    HealthDocument,
    find_raw,
    read_audit,
    read_health,
    read_metrics,
)
from gwtui.apis.gateway_metrics import GATEWAY_METRICS
from gwtui.apis.http import PlainHTTP
from gwtui.model.enums import Outcome, Trigger
from gwtui.model.profile import Deadlines, Endpoint, Profile
from gwtui.model.records import Finding, Record, Request
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.probes.http import HTTPProber
from gwtui.probes.masking import masked_finding
from gwtui.secrets.resolver import make_ready, redactor
from gwtui.verdict.gateway_entries import (
    Routes,
    entry_cost,
    failed_attempts,
    provider_fallback,
    request_ids,
    same_provider,
)
from gwtui.verdict.tolerance import with_findings

WAIT_S = 3.0
"""The longest time that a finished request waits for its look-up, in seconds."""
AGAIN_S = (0.0, 0.2, 0.6)
"""Pauses before each look, in seconds: a gateway may note a request a little after it has ended."""
MISSES = 5
"""Requests in a row that were not found, after which there is one look for each."""
REST_NS = 60_000_000_000
"""How long a document is not asked for again that the gateway does not have."""
HEALTH_NS = 10_000_000_000
"""How long its health is believed."""
AUDIT_ENTRIES = 100
_DEADLINES = Deadlines(connect_s=2.0, first_byte_s=2.0, idle_s=2.0, total_s=2.5)
_T = TypeVar("_T")


class ProviderLookup:
    """Looks up who answered, for endpoints that name their gateway's `metrics`. Leave it with `aclose`."""

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._gateways: dict[str, _Gateway] = {}
        self._left: list[_Gateway] = []
        """Those of endpoints that were edited: a request may still wait for one."""

    async def look_up(self, request: Request, endpoint: Endpoint, profile: Profile) -> Request:
        """The request with its provider and what follows from it; as it is, where nothing is found.

        Of one that the gateway refused, only how often it tried.
        """
        metrics = _metrics_of(endpoint, profile)
        is_good = request.outcome is Outcome.OK
        if metrics is None or not (is_good or _is_refused(request)):
            return request
        gateway, ids = self._gateway(metrics, profile), request_ids(request)
        try:
            async with asyncio.timeout(WAIT_S):
                if not is_good:
                    audited = await gateway.audited(ids, request.now_ns)
                    return _with(request, endpoint, failed_attempts(audited) if audited is not None else None)
                entry = await gateway.entry(ids, request.now_ns)
                if entry is None:
                    return request
                routes = await gateway.routes(endpoint)
                expected = endpoint.expect_provider or routes.health.default_provider
                if entry.attempt_count is None and not same_provider(entry.provider, expected):
                    audited = await gateway.audited(ids, request.now_ns) or entry
                    entry = replace(entry, attempts=audited.attempts, attempt_count=audited.attempt_count)
        except TimeoutError:
            return request
        fallback = provider_fallback(entry, endpoint, request.model, routes)
        gateway.learn(endpoint, entry, routes, fallback)
        found = _with(request, endpoint, fallback, entry_cost(entry, request, endpoint.price))
        return replace(found, provider=redactor()(entry.provider))

    async def aclose(self) -> None:
        """Close all connections."""
        for gateway in (*self._gateways.values(), *self._left):
            await gateway.aclose()
        self._gateways.clear()
        self._left.clear()

    def _gateway(self, metrics: Endpoint, profile: Profile) -> _Gateway:
        gateway = self._gateways.get(metrics.name)
        if gateway is None or gateway.metrics != metrics:
            if gateway is not None:
                self._left.append(gateway)
            gateway = self._gateways[metrics.name] = _Gateway(metrics, profile, self._clock)
        return gateway


def _metrics_of(endpoint: Endpoint, profile: Profile) -> Endpoint | None:
    metrics = profile.endpoint(endpoint.metrics) if endpoint.metrics is not None else None
    return metrics if metrics is not None and metrics.api == GATEWAY_METRICS.name else None


def _is_refused(request: Request) -> bool:
    """Whether the gateway answered that it has no answer. Then it may have noted why."""
    return request.outcome is Outcome.FAILED and request.status is not None and request.status >= 500


def _with(request: Request, endpoint: Endpoint, *found: Finding | None) -> Request:
    """The request with what the gateway's note of it gives away."""
    redact = redactor()
    return with_findings(request, endpoint, (masked_finding(each, redact) for each in found if each is not None))


class _Kept(PlainHTTP, Generic[_T]):
    """Plain HTTP that keeps what the body was read as."""

    def __init__(self, read: Callable[[bytes], _T]) -> None:
        self._read = read
        self.document: _T | None = None

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        try:
            self.document = self._read(body)
        except DocumentError as error:
            return Answer(Judgement(verdict=Verdict.WRONG_BODY, rule="lookup.document", reason=str(error)))
        return Answer(Judgement(verdict=Verdict.COMPLETE, rule="lookup.read"))


class _Source(Generic[_T]):
    """One document of a gateway. It is asked for once at a time; those who wait share what comes."""

    def __init__(
        self, endpoint: Endpoint, profile: Profile, read: Callable[[bytes], _T], clock: Callable[[], int]
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._api = _Kept(read)
        self._prober = HTTPProber(endpoint, profile, self._api, _ignore, events=False)
        self._lock = asyncio.Lock()
        self._asked_ns: int | None = None
        self._rests_until_ns = 0

    async def since(self, now_ns: int) -> _T | None:
        """The document as it was asked for at that time or later; None if there is no document."""
        async with self._lock:
            if (self._asked_ns is None or self._asked_ns < now_ns) and self._clock() >= self._rests_until_ns:
                await self._ask()
            return self._api.document

    async def _ask(self) -> None:
        asked_ns = self._clock()
        self._api.document = None
        await make_ready(self._endpoint)
        result = await self._prober.probe(1, asked_ns, Trigger.TRIAL)
        self._asked_ns = asked_ns
        if self._api.document is None and result.outcome is not Outcome.CANCELLED:
            self._rests_until_ns = asked_ns + REST_NS

    async def aclose(self) -> None:
        await self._prober.__aexit__(None, None, None)


class _Gateway:
    """The documents of one gateway."""

    def __init__(self, metrics: Endpoint, profile: Profile, clock: Callable[[], int]) -> None:
        self.metrics = metrics
        self._clock = clock
        asked = replace(metrics, api="http", method="GET", deadlines=_DEADLINES, interval_s=None)
        path = metrics.path if metrics.path is not None else GATEWAY_METRICS.default_path
        base, is_sibling = path.partition("?")[0].rstrip("/").removesuffix("metrics"), "metrics" in path
        self._metrics = _Source(replace(asked, path=path), profile, read_metrics, clock)
        siblings = base if is_sibling else "/gateway/"
        audit = replace(asked, path=f"{siblings}audit?limit={AUDIT_ENTRIES}")
        self._audit = _Source(audit, profile, read_audit, clock)
        self._health = _Source(replace(asked, path=f"{siblings}health"), profile, read_health, clock)
        self._misses = 0
        self._learnt: dict[str, tuple[Endpoint, Routes]] = {}
        """Per endpoint, as it was then, who answered it before."""

    async def entry(self, ids: frozenset[str], ended_ns: int) -> GatewayEntry | None:
        """What the gateway noted of the request with one of these ids, which ended then; None where nothing."""
        for look, pause_s in enumerate(AGAIN_S if self._misses < MISSES else AGAIN_S[:1]):
            await asyncio.sleep(pause_s)
            entry = await self._looked(ids, self._clock() if look else ended_ns)
            if entry is not None:
                self._misses = 0
                return entry
        self._misses += 1
        return None

    async def _looked(self, ids: frozenset[str], since_ns: int) -> GatewayEntry | None:
        """In the latest requests, or else in the audit."""
        metrics = await self._metrics.since(since_ns)
        entry = find_raw(metrics.recent, ids) if metrics is not None else None
        if entry is not None and entry.provider:
            return entry
        return await self.audited(ids, since_ns) or entry

    async def audited(self, ids: frozenset[str], since_ns: int) -> GatewayEntry | None:
        """The same in the audit alone, whose entries tell more."""
        audit = await self._audit.since(since_ns)
        return find_raw(audit, ids) if audit is not None else None

    async def routes(self, endpoint: Endpoint) -> Routes:
        """Who answers where nothing failed, as the gateway says, and as was seen."""
        if endpoint.expect_provider is not None:
            return Routes()
        health: HealthDocument | None = await self._health.since(self._clock() - HEALTH_NS)
        asked, learnt = self._learnt.get(endpoint.name, (endpoint, Routes()))
        return dataclasses.replace(learnt if asked == endpoint else Routes(), health=health or HealthDocument())

    def learn(self, endpoint: Endpoint, entry: GatewayEntry, routes: Routes, fallback: Finding | None) -> None:
        """Remember who answered."""
        self._learnt[endpoint.name] = endpoint, routes.after(entry, fallback)

    async def aclose(self) -> None:
        for source in (self._metrics, self._audit, self._health):
            await source.aclose()


def _ignore(_: Record) -> None:
    """What a look-up sends and gets is no part of the session."""
