"""Checks of the gateway itself: is it there, does it say it is well, do its books show what was just done. Pure."""

from __future__ import annotations

from gwtui import units
from gwtui.checks.check import Check, Said, blamed, failed, good_one, not_applicable, passed, told, warned
from gwtui.checks.evidence import Document, Evidence, Probed, ids_of, texts_in
from gwtui.checks.needs import Need
from gwtui.clean import clean
from gwtui.records import Ping
from gwtui.verdicts import Verdict
from gwtui.words import Kind

SECTION = "Gateway"
UNREACHED = frozenset(
    {
        Verdict.DNS,
        Verdict.REFUSED,
        Verdict.UNREACHABLE,
        Verdict.CONNECT_TIMEOUT,
        Verdict.PROXY,
        Verdict.TLS,
        Verdict.NOT_HTTP,
        Verdict.NO_KEY,
        Verdict.TLS_FILE,
    }
)
"""Verdicts after which nothing else about the gateway can be found out."""
PROVIDERS = (("anthropic", "anthropic"), ("openai", "openai"), ("gemini", "google"), ("fireworks", "fireworks"))
"""What an API's name begins with, and the provider that a gateway routes it to."""
TOKENS = ("total_input_tokens", "total_output_tokens", "total_cache_write_tokens", "total_cache_read_tokens")
SYNONYMS = frozenset({"ok", "up", "pass", "alive"})
"""What gateways say that mean healthy."""


def judge_connection(evidence: Evidence) -> Said:
    probed = evidence.one(Need.HEALTH)
    if probed is None:
        return not_applicable("nothing was sent")
    request, phases = probed.request, probed.request.phases
    if request.status is None:
        return blamed(request)
    steps = (("dns", phases.dns_ns), ("connect", phases.connect_ns), ("tls", phases.tls_ns))
    took = ", ".join(f"{name} {units.duration(ns)}" for name, ns in steps if ns is not None)
    where = f"{phases.address} answers" if phases.address else "it answers"
    return passed(f"{where} ({took})" if took else where, facts=_milliseconds(connect_ms=phases.connect_ns))


def judge_ping(evidence: Evidence) -> Said:
    probed = good_one(evidence, Need.PING)
    if isinstance(probed, Said):
        return probed
    result = probed.result
    took = result.rtt_ns if isinstance(result, Ping) else result.duration_ns
    return passed(f"{told(result)}, in {units.duration(took)}", facts=_milliseconds(took_ms=took))


def judge_health(evidence: Evidence) -> Said:
    document = evidence.document(Need.HEALTH)
    if document is None:
        return not_applicable("nothing was sent")
    if (absent := _absent(document, "/gateway/health")) is not None:
        return absent
    status = clean(str(document.at("status") or "missing"), 40)
    if status.lower() in SYNONYMS:
        return warned(f"status is {status!r} where 'healthy' is due; providers: {_states(document)}")
    if status != "healthy":
        return failed(
            f"status is {status!r}, not 'healthy'; providers: {_states(document)}",
            "The gateway counts itself or one of its providers as ill.",
            "Look at its log and at the providers that are not true.",
        )
    name = _wanted_provider(evidence, document)
    state = document.at("providers", name)
    if state is True:
        return passed(f"status is 'healthy', provider {name} is true ({_states(document)})")
    if state is None:
        return warned(
            f"status is 'healthy', but no provider {name!r} is told; providers: {_states(document)}",
            "The gateway calls its providers otherwise, or tells nothing of them.",
            "Compare `providers` of /gateway/health with the gateway's configuration.",
        )
    return failed(
        f"status is 'healthy', but provider {name} is {clean(str(state), 20).lower()}; providers: {_states(document)}",
        "Its key is missing or wrong, or its breaker is open.",
        f"Check the gateway's configuration and key for {name}.",
    )


def judge_metrics(evidence: Evidence) -> Said:
    before, after = evidence.document(Need.METRICS_BEFORE), evidence.document(Need.METRICS_AFTER)
    if before is None or after is None:
        return not_applicable("nothing was sent")
    if (absent := _absent(before, "/gateway/metrics") or _absent(after, "/gateway/metrics")) is not None:
        return absent
    good = [each for need in (Need.STREAM, Need.ANSWER) for each in evidence.all(need) if each.ok]
    if not good:
        return not_applicable("no request went well, so none has to be counted")
    moved = {name: _moved(before, after, name) for name in ("total_requests", "total_tokens", "total_cost_usd")}
    tokens = sum((each.request.input_tokens or 0) + (each.request.output_tokens or 0) for each in good)
    return _judge_moves(moved, len(good), tokens)


def _judge_moves(moved: dict[str, float | None], requests: int, tokens: int) -> Said:
    """Against what was just sent. Others may use the gateway too, so more than that is no fault."""
    counts, spent, cost = moved.values()
    unknown = [name for name, value in moved.items() if value is None]
    words = (
        f"after {requests} requests with {units.count(tokens)} tokens: "
        f"requests {_signed(counts)}, tokens {_signed(spent)}, cost {_signed(cost)} USD"
    )
    facts = {name: value for name, value in moved.items() if value is not None}
    if counts is None:
        return failed(words, "`summary.total_requests` is missing.", "Let /gateway/metrics tell it.", facts=facts)
    if counts < requests or (spent is not None and (spent < tokens or not spent)):
        return failed(
            words,
            "Requests of this kind (perhaps streams) are not counted, or only later.",
            "Let the gateway count every request when it ends, with the usage that its last events report.",
            facts=facts,
        )
    if unknown or not cost:
        cause = f"not told: {', '.join(unknown)}" if unknown else "The gateway has no price for this model."
        return warned(words, cause, "Complete the gateway's metrics and price list.", facts=facts)
    return passed(words, facts=facts)


def judge_audit(evidence: Evidence) -> Said:
    document = evidence.document(Need.AUDIT)
    if document is None:
        return not_applicable("nothing was sent")
    health = evidence.document(Need.HEALTH)
    if health is not None and health.at("audit", "enabled") is False:
        return not_applicable("/gateway/health says that the audit is not enabled")
    if (absent := _absent(document, "/gateway/audit")) is not None:
        return absent
    ours = [each for need in (Need.STREAM, Need.ANSWER) for each in evidence.all(need) if each.request.status]
    if not ours:
        return not_applicable("no request was answered, so none has to be there")
    return _find_in_audit(document, ours, _requests_meanwhile(evidence))


def _requests_meanwhile(evidence: Evidence) -> float:
    """How many requests of anybody the gateway counted while ours were sent; 0 where it does not tell."""
    before, after = evidence.document(Need.METRICS_BEFORE), evidence.document(Need.METRICS_AFTER)
    return (before and after and _moved(before, after, "total_requests")) or 0


def _find_in_audit(document: Document, ours: list[Probed], meanwhile: float) -> Said:
    entries = entries_of(document)
    texts = [set(texts_in(entry)) for entry in entries]
    found = sum(any(ids & each for each in texts) for ids in ids_of(ours))
    words = f"{found} of the {len(ours)} requests just made are among the last {len(entries)} entries, by their ids"
    if found == len(ours):
        return passed(words)
    models = {name for each in ours for name in (each.request.model, each.request.model_served) if name}
    if not found and sum(bool(models & each) for each in texts) >= len(ours):
        return warned(
            f"entries of model {', '.join(sorted(models))} are there, but none with an id that was sent or answered",
            "The audit does not keep request ids.",
            "Let the gateway write its `x-request-id` and the client's into each entry.",
        )
    if meanwhile > len(entries) > 0:
        return warned(
            f"{words}; meanwhile the gateway counted {meanwhile:.0f} requests",
            "Others use the gateway too, and their entries have taken the place of ours in so short a list.",
            "Check again when the gateway is quiet, or let /gateway/audit show more entries.",
        )
    return failed(
        words,
        "Requests of this kind (perhaps streams) are not written down, or only later.",
        "Look whether the audit is enabled for them, and whether its file can be written.",
    )


def entries_of(document: Document) -> list[object]:
    """The entries of an audit, wherever it keeps its list."""
    value = document.value
    if isinstance(value, list):
        return value
    lists = [each for each in value.values() if isinstance(each, list)] if isinstance(value, dict) else []
    return next((each for each in lists if each), [])


def _absent(document: Document, path: str) -> Said | None:
    """What there is to say where the document is not there."""
    if document.is_missing:
        return not_applicable(f"the gateway has no {path} (HTTP {document.request.status})")
    if document.request.status is None or not document.problem:
        return blamed(document.request) if document.request.status is None else None
    if 200 <= document.request.status < 300:
        kind = document.request.content_type or "no type"
        return failed(
            f"{path}: {document.problem} ({kind})",
            "Another service answers at that path.",
            "Check `url`: it is the gateway's base URL.",
        )
    return blamed(document.request, f"{path}: {told(document.request)}")


def _wanted_provider(evidence: Evidence, document: Document) -> str:
    """The API's own provider where the gateway has it, else the default one."""
    api = evidence.target.endpoint.api
    own = next((provider for prefix, provider in PROVIDERS if api.startswith(prefix)), "")
    default = document.at("routing", "default_provider")
    if document.at("providers", own) is None and isinstance(default, str) and default:
        return clean(default, 40)
    return own or "anthropic"


def _states(document: Document) -> str:
    providers = document.at("providers")
    if not isinstance(providers, dict) or not providers:
        return "none"
    return ", ".join(f"{clean(str(name), 40)} {clean(str(state), 20).lower()}" for name, state in providers.items())


def _moved(before: Document, after: Document, name: str) -> float | None:
    """By how much a figure of the summary grew; None where it is not told."""
    if name == "total_tokens":
        parts = [_moved(before, after, part) for part in TOKENS]
        return sum(filter(None, parts)) if any(part is not None for part in parts) else None
    was, now = before.number("summary", name), after.number("summary", name)
    return None if was is None or now is None else now - was


def _signed(value: float | None) -> str:
    return "not told" if value is None else f"{value:+,.6g}"


def _milliseconds(**durations: int | None) -> dict[str, float]:
    return {name: ms for name, ns in durations.items() if (ms := units.milliseconds(ns)) is not None}


CHECKS = (
    Check(
        name="ping",
        title="the ping is answered",
        section=SECTION,
        needs=(Need.PING,),
        judge=judge_ping,
        kinds=frozenset({Kind.HTTP, Kind.WEBSOCKET}),
    ),
    Check(
        name="connection",
        title="the gateway can be reached",
        section=SECTION,
        needs=(Need.HEALTH,),
        judge=judge_connection,
    ),
    Check(
        name="health",
        title="it says it is healthy, and so is the provider",
        section=SECTION,
        needs=(Need.HEALTH,),
        judge=judge_health,
    ),
    Check(
        name="metrics",
        title="its metrics move by the requests just made",
        section=SECTION,
        needs=(Need.METRICS_BEFORE, Need.STREAM, Need.ANSWER, Need.METRICS_AFTER),
        judge=judge_metrics,
    ),
    Check(
        name="audit",
        title="its audit shows the requests just made",
        section=SECTION,
        needs=(Need.HEALTH, Need.STREAM, Need.ANSWER, Need.AUDIT),
        judge=judge_audit,
    ),
)
