"""Checks of the gateway itself: connection, health, metrics and audit. Pure."""

from __future__ import annotations

from gwtui.apis.gateway_documents import entries_in, texts_in
from gwtui.checks.check import Check, CheckAnswer, blamed, describe, failed, good_one, not_applicable, passed, warned
from gwtui.checks.evidence import Document, Evidence, Probed, ids_of
from gwtui.checks.health import judge_health, problem_of
from gwtui.checks.metrics import judge_metrics, requests_counted
from gwtui.checks.request_sets import RequestSet
from gwtui.model.enums import Kind
from gwtui.model.records import Ping
from gwtui.text import units

SECTION = "Gateway"


def judge_connection(evidence: Evidence) -> CheckAnswer:
    """Fails where the gateway cannot be reached at all."""
    probed = evidence.one(RequestSet.HEALTH)
    if probed is None:
        return not_applicable("nothing was sent")
    request, phases = probed.request, probed.request.phases
    if request.status is None:
        return blamed(request)
    steps = (("dns", phases.dns_ns), ("connect", phases.connect_ns), ("tls", phases.tls_ns))
    took = ", ".join(f"{name} {units.duration(ns)}" for name, ns in steps if ns is not None)
    where = f"{phases.address} answers" if phases.address else "it answers"
    return passed(f"{where} ({took})" if took else where, facts=_milliseconds(connect_ms=phases.connect_ns))


def judge_ping(evidence: Evidence) -> CheckAnswer:
    """Fails where an HTTP or WebSocket endpoint does not answer its own ping."""
    probed = good_one(evidence, RequestSet.PING)
    if isinstance(probed, CheckAnswer):
        return probed
    result = probed.result
    took = result.rtt_ns if isinstance(result, Ping) else result.duration_ns
    return passed(f"{describe(result)}, in {units.duration(took)}", facts=_milliseconds(took_ms=took))


def judge_audit(evidence: Evidence) -> CheckAnswer:
    """Fails where the requests just made are not among the entries of the gateway's audit."""
    document = evidence.document(RequestSet.AUDIT)
    if document is None:
        return not_applicable("nothing was sent")
    health = evidence.document(RequestSet.HEALTH)
    if health is not None and health.at("audit", "enabled") is False:
        return not_applicable("/gateway/health says that the audit is not enabled")
    if (absent := problem_of(document, "/gateway/audit")) is not None:
        return absent
    ours = [
        each for need in (RequestSet.STREAM, RequestSet.ANSWER) for each in evidence.all(need) if each.request.status
    ]
    if not ours:
        return not_applicable("no request was answered, so no entry is expected")
    return _find_in_audit(document, ours, _requests_meanwhile(evidence))


def _requests_meanwhile(evidence: Evidence) -> float:
    """How many requests of anybody the gateway counted while ours were sent; 0 where it does not tell."""
    before, after = evidence.document(RequestSet.METRICS_BEFORE), evidence.document(RequestSet.METRICS_AFTER)
    return (before and after and requests_counted(before, after)) or 0


def _find_in_audit(document: Document, ours: list[Probed], meanwhile: float) -> CheckAnswer:
    entries = entries_in(document.value)
    texts = [set(texts_in(entry)) for entry in entries]
    found = sum(any(ids & each for each in texts) for ids in ids_of(ours))
    words = f"the last {len(entries)} entries hold {found} of the {len(ours)} requests just sent, by their ids"
    if found == len(ours):
        return passed(words)
    models = {name for each in ours for name in (each.request.model, each.request.model_served) if name}
    if not found and sum(bool(models & each) for each in texts) >= len(ours):
        return warned(
            f"entries of model {', '.join(sorted(models))} are there, but none with an id that was sent or answered",
            "The audit does not keep request ids.",
            "Let the gateway write its own and the client's `x-request-id` into each entry.",
        )
    if meanwhile > len(entries) > 0:
        return warned(
            f"{words}; meanwhile the gateway counted {meanwhile:.0f} requests",
            "Others use the gateway too, and their entries have displaced ours in this short list.",
            "Check again when the gateway is quiet, or let /gateway/audit show more entries.",
        )
    return failed(
        words,
        "Requests of this kind (perhaps streams) are not recorded, or only later.",
        "Check whether the audit is enabled for them, and whether its file can be written.",
    )


def _milliseconds(**durations: int | None) -> dict[str, float]:
    return {name: ms for name, ns in durations.items() if (ms := units.milliseconds(ns)) is not None}


CHECKS = (
    Check(
        name="ping",
        title="The ping is answered",
        section=SECTION,
        needs=(RequestSet.PING,),
        judge=judge_ping,
        kinds=frozenset({Kind.HTTP, Kind.WEBSOCKET}),
    ),
    Check(
        name="connection",
        title="The gateway is reachable",
        section=SECTION,
        needs=(RequestSet.HEALTH,),
        judge=judge_connection,
    ),
    Check(
        name="health",
        title="The gateway and its provider are healthy",
        section=SECTION,
        needs=(RequestSet.HEALTH,),
        judge=judge_health,
    ),
    Check(
        name="metrics",
        title="The metrics count the requests just sent",
        section=SECTION,
        needs=(RequestSet.METRICS_BEFORE, RequestSet.STREAM, RequestSet.ANSWER, RequestSet.METRICS_AFTER),
        judge=judge_metrics,
    ),
    Check(
        name="audit",
        title="The audit shows the requests just sent",
        section=SECTION,
        needs=(RequestSet.HEALTH, RequestSet.STREAM, RequestSet.ANSWER, RequestSet.AUDIT),
        judge=judge_audit,
    ),
)
