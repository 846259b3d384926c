"""How often a gateway asked its upstreams for one request: by its headers and its own notes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.apis.gateway_documents import GatewayEntry, HealthDocument, entries_in, find_entry, health_of
from gwtui.checks.breaker import failed_upstream
from gwtui.checks.check import Check, CheckAnswer, Facts, blamed, describe, failed, not_applicable, passed, warned
from gwtui.checks.evidence import Evidence, Probed
from gwtui.checks.request_sets import RequestSet
from gwtui.model.records import Finding, Request
from gwtui.model.verdicts import HUNG
from gwtui.text import units
from gwtui.verdict.gateway_entries import Routes, provider_fallback, request_ids

SECTION = "Upstreams"
MOST_ATTEMPTS = 2
"""The first provider and one more: each further attempt multiplies the load on upstreams that fail."""
COUNTED = ("x-gateway-attempts", "x-envoy-attempt-count")
"""Headers that tell the number of upstream attempts..."""
COUNTED_MORE = ("x-litellm-attempted-retries", "x-litellm-attempted-fallbacks", "x-portkey-retry-attempt-count")
"""... and those with the number of attempts after the first."""
NOTES = (
    (RequestSet.BREAKER_AUDIT, ()),
    (RequestSet.PROVOKED_AUDIT, ()),
    (RequestSet.AUDIT, ()),
    (RequestSet.PROVOKED_METRICS, ("recent",)),
    (RequestSet.METRICS_AFTER, ("recent",)),
)
"""Where a gateway may have noted a request: the documents, and the keys of their lists."""


def health_in(evidence: Evidence) -> HealthDocument:
    """What the gateway says of its providers and routes."""
    health = evidence.document(RequestSet.HEALTH)
    return health_of(health.value if health is not None else None)


def noted_fallback(evidence: Evidence, probed: Probed, *, fails: bool = False) -> Finding | None:
    """The fallback that the gateway's own notes of a request tell; `fails`: the default provider is said to fail."""
    entry = noted_entry(evidence, probed)
    if entry is None:
        return None
    routes = Routes(health=health_in(evidence), fails=fails)
    return provider_fallback(entry, evidence.target.endpoint, probed.request.model, routes)


def noted_entry(evidence: Evidence, probed: Probed) -> GatewayEntry | None:
    """What the gateway noted of a request: in its audit, which tells more, or among the latest of its metrics."""
    ids = request_ids(probed.request)
    for need, keys in NOTES:
        document = evidence.document(need)
        entries = entries_in(document.at(*keys)) if document is not None and not document.problem else []
        if (entry := find_entry(entries, ids)) is not None:
            return entry
    return None


def attempts_of(evidence: Evidence, probed: Probed) -> int | None:
    """The number of upstream attempts for a request by headers and notes; None where neither tells."""
    entry = noted_entry(evidence, probed)
    told = (_in_headers(probed.request), entry.attempt_count if entry is not None else None)
    return max((count for count in told if count is not None), default=None)


def judge_attempts(evidence: Evidence) -> CheckAnswer:
    """Fails on more than `MOST_ATTEMPTS` upstream attempts for one request, or where no final error comes."""
    provoked = evidence.provoked()
    if not provoked:
        return not_applicable("no upstream failure was provoked")
    final = [each.request for each in provoked if failed_upstream(each.request)]
    endless = [each for each in final if each.verdict in HUNG]
    if endless:
        return blamed(endless[0], f"no final error came: {describe(endless[0])}")
    counts = [count for each in provoked if (count := attempts_of(evidence, each)) is not None]
    ending = _ending(final, provoked)
    if not counts:
        return warned(
            f"{ending}; the number of upstream attempts is not reported",
            "Neither a header nor the audit reports them.",
            "Let the gateway report them, for instance in `x-gateway-attempts`.",
        )
    most = max(counts)
    facts: Facts = {"most_attempts": most}
    if most > MOST_ATTEMPTS:
        return failed(
            f"up to {most} upstream attempts for one request; {ending}",
            "A fallback falls back again, or retries and fallbacks multiply.",
            "Limit attempts per request, over all providers together, to two.",
            facts=facts,
        )
    return passed(f"at most {units.many(most, 'upstream attempt')} for one request; {ending}", facts=facts)


def _ending(final: Sequence[Request], provoked: Sequence[Probed]) -> str:
    """How the requests to the failing model ended."""
    if len(provoked) == 1:
        return "it ended in a final error" if final else "it was answered"
    return f"{len(final)} of {len(provoked)} requests ended in a final error" if final else "all were answered"


def _in_headers(request: Request) -> int | None:
    values = {
        name: int(value)
        for name, value in request.headers.items()
        if value.isascii() and value.isdigit() and len(value) < 6
    }
    counted = [values[name] for name in COUNTED if name in values]
    more = [values[name] for name in COUNTED_MORE if name in values]
    if counted:
        return max(counted)
    return 1 + sum(more) if more else None


ATTEMPTS = Check(
    name="attempts",
    title="At most two upstream attempts, then a final error",
    section=SECTION,
    needs=(RequestSet.PROVOKED, RequestSet.PROVOKED_AUDIT),
    judge=judge_attempts,
)
