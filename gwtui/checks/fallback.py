"""Checks of what a gateway does when its upstreams fail: fallbacks, final errors, circuit breakers. Pure.

A healthy gateway shows nothing of this, so most of it needs a model whose first provider fails (`--provoke`).
"""

from __future__ import annotations

from dataclasses import replace

from gwtui.apis import APIS
from gwtui.apis.gateway_documents import GatewayEntry
from gwtui.checks.attempts import ATTEMPTS, SECTION, attempts_of, health_in, noted_entry, noted_fallback
from gwtui.checks.breaker import (
    LONGEST_WAIT_S,
    MOST_FAILURES,
    SLOW_NS,
    BreakerEvidence,
    broke_midway,
    failed_upstream,
    find_breaker,
    is_answered,
    is_refused_by_one,
)
from gwtui.checks.check import Check, CheckAnswer, Facts, blamed, describe, failed, not_applicable, passed, warned
from gwtui.checks.errors import FAST_NS
from gwtui.checks.evidence import Evidence, Probed
from gwtui.checks.request_sets import RequestSet
from gwtui.model.check_results import CheckOutcome
from gwtui.model.enums import FindingName
from gwtui.model.records import Request
from gwtui.text import units
from gwtui.text.sanitize import clauses
from gwtui.verdict.classify import JSON_ANSWER

EXPECTED_FAILURES = 5
"""Failures that open a breaker by the defaults of Envoy (`consecutive_5xx`) and pybreaker (`fail_max`)."""
ASK = "Name a model whose first provider fails: `--provoke MODEL`."
FALLBACK_FINDINGS = (FindingName.FALLBACKS, FindingName.RETRIES, FindingName.MODEL_DIFFERS)
"""Findings whose evidence says that other attempts were made."""


def judge_provider_fallback(evidence: Evidence) -> CheckAnswer:
    """Passes where another provider answers for one that fails, and says so; fails where a chain is not followed."""
    chain = list(health_in(evidence).fallback_chain)
    provoked = evidence.all(RequestSet.PROVOKED)
    if not provoked:
        return _seen_fallback(evidence, chain)
    request = provoked[0].request
    if not provoked[0].ok:
        if request.rule == JSON_ANSWER:
            return passed(
                f"{request.model}: the stream failed upstream, one JSON answer came instead; {describe(request)}"
            )
        return _chain_failed(evidence, provoked[0], chain)
    words = f"{request.model} was answered by {request.model_served or 'an unnamed model'} after "
    words += units.duration(request.duration_ns)
    if _fell_back(request):
        return passed(f"{words}; {_why(request)}")
    if (noted := noted_fallback(evidence, provoked[0], fails=True)) is not None:
        return passed(f"{words}; the gateway's own notes: {noted.evidence}")
    return warned(
        f"{words}, and nothing indicates a fallback",
        "Its provider did not fail, or the gateway does not report its fallbacks.",
        ASK,
    )


def _chain_failed(evidence: Evidence, probed: Probed, chain: list[str]) -> CheckAnswer:
    """The provoked request was not answered by anyone."""
    request = probed.request
    if "disabled" in request.reason.lower():
        return not_applicable(f"the gateway says that its fallback is disabled: {describe(request)}")
    if is_refused_by_one(request):
        return not_applicable(f"its breaker was open already: {describe(request)}")
    if broke_midway(request):
        return not_applicable(f"the stream broke midway, too late for a fallback: {describe(request)}")
    tried = _tried(noted_entry(evidence, probed))
    if len(tried) > 1:
        return passed(f"the chain was followed to its end, and all providers failed: {', '.join(tried.values())}")
    if not chain:
        return not_applicable(clauses(describe(request), "/gateway/health reports no fallback chain"))
    if not tried and (attempts_of(evidence, probed) or 0) > 1:
        return passed(
            f"the chain {' → '.join(chain)} was followed to its end, and all providers failed: {describe(request)}"
        )
    only = f", and only {', '.join(tried.values())} was asked" if tried else ""
    return failed(
        f"{request.model} failed although the chain is {' → '.join(chain)}{only}: {describe(request)}",
        "The chain is not followed, or all its providers failed.",
        "Look for the trace id in the gateway's log: which provider was called, and what it answered.",
    )


def _tried(entry: GatewayEntry | None) -> dict[str, str]:
    """The different providers that were asked, each with how that ended, in words."""
    attempts = entry.attempts if entry is not None else ()
    return {each.provider.lower(): f"{each.provider} ({each.outcome or 'no reason'})" for each in attempts}


def _seen_fallback(evidence: Evidence, chain: list[str]) -> CheckAnswer:
    """Without provoking anything: is a fallback at work right now?"""
    routed = evidence.all(RequestSet.AGENT)
    asked = (each for each in evidence.streams() if each.ok and each not in routed)
    at_work = [why for each in asked if (why := _seen(evidence, each))]
    if at_work:
        return warned(
            f"a fallback is active for {units.many(len(at_work), 'request')}: {at_work[0]}",
            "The first provider is failing now.",
            "Check that provider; meanwhile answers come from another one.",
        )
    known = f"the chain is {' → '.join(chain)}" if chain else "no chain is reported"
    return not_applicable(f"no provider failed, so no fallback was needed; {known}", ASK)


def _seen(evidence: Evidence, probed: Probed) -> str:
    """Why an ordinary request was answered by a fallback; "" where it was not."""
    if _fell_back(probed.request):
        return _why(probed.request)
    noted = noted_fallback(evidence, probed)
    return noted.evidence if noted is not None else ""


def judge_fails_at_once(evidence: Evidence) -> CheckAnswer:
    """Passes on a well-formed 5xx within `FAST_NS` to a failure that is final."""
    provoked = evidence.all(RequestSet.PROVOKED)
    if not provoked:
        return not_applicable("no upstream failure was provoked")
    request = provoked[0].request
    if is_answered(request):
        return not_applicable(f"a fallback answered: {describe(request)}")
    if request.status is None:
        return blamed(request)
    if broke_midway(request):
        return not_applicable(f"the stream broke midway, too late for a status: {describe(request)}")
    words = f"{request.reason}, after {units.duration(request.duration_ns)}"
    if request.status < 500:
        cause = (
            "The gateway answers 200 before it knows whether its upstream succeeds." if request.status == 200 else ""
        )
        return failed(
            f"HTTP {request.status} instead of a 5xx: {describe(request)}",
            cause or "The gateway passes its upstream's status on as if the client were at fault.",
            "Answer 500 with the reason, as JSON, before a stream begins.",
        )
    problem, _ = APIS[request.api].error_form.problem(request.text)
    if problem:
        return failed(f"{words}: {problem}", "A page from a proxy, or an unformatted error.", "Answer with JSON.")
    if (request.duration_ns or 0) > FAST_NS:
        return failed(words, "The gateway retries before it reports the failure.", "Report final failures immediately.")
    return passed(words, facts={"status": request.status, "duration_ms": units.milliseconds(request.duration_ns) or 0})


def judge_breaker(evidence: Evidence) -> CheckAnswer:
    """Passes where failures in a row open a breaker that tests its upstream later; warns where none is seen."""
    provoked = [each.request for each in evidence.provoked()]
    if not provoked:
        return _seen_breaker(evidence)
    breaker = find_breaker(provoked)
    if breaker is not None:
        return _with_notes(_opened(breaker), evidence, breaker)
    bad = [each for each in provoked if failed_upstream(each)]
    if len(bad) < len(provoked) or not bad:
        how = "by a fallback, " if any(each.rule == JSON_ANSWER or _fell_back(each) for each in provoked) else ""
        return not_applicable(f"{provoked[0].model} is answered, {how}so no breaker needs to open")
    if len(bad) < MOST_FAILURES:
        return not_applicable(f"too few failures to open a breaker, the last one: {describe(bad[-1])}")
    if max(each.duration_ns or 0 for each in bad) < SLOW_NS:
        return not_applicable(
            f"{len(bad)} failures in a row, all within {units.duration(SLOW_NS)}: a breaker would not show",
            "Name a model whose upstream takes longer to fail, or let the gateway say that its breaker is open.",
        )
    took = ", ".join(units.duration(each.duration_ns) for each in bad)
    return warned(
        f"{len(bad)} failures in a row and none was fast ({took}): no breaker was detected",
        "There is no breaker, it counts differently, or fallbacks hide it.",
        "Use a breaker for upstreams that fail repeatedly.",
    )


def _opened(breaker: BreakerEvidence) -> CheckAnswer:
    facts: Facts = {"failures": breaker.failures, "fast_failures": breaker.fast}
    words = _opening(breaker)
    if breaker.open_s is None:
        announced = f", it says {breaker.announced_s:.0f} s" if breaker.announced_s is not None else ""
        words = clauses(words, f"still open {breaker.shut_s:.1f} s later{announced}")
        if breaker.announced_s is not None and breaker.announced_s > LONGEST_WAIT_S:
            return passed(words, facts=facts)
        cause = "It stays open for a long time, or never tests its upstream."
        return warned(words, cause, "Check it again later.", facts=facts)
    facts = {**facts, "open_s": round(breaker.open_s, 3)}
    words = clauses(words, f"half open {breaker.open_s:.1f} s after it opened: a test went through")
    if breaker.test_ok:
        return passed(f"{words}, succeeded and closed it", facts=facts)
    if breaker.after_ok:
        return failed(
            f"{words} and failed, and the next request went through as well",
            "A failed test does not open it again.",
            "Let it open again at once when a test fails.",
            facts=facts,
        )
    return passed(f"{words} and failed{', which opened it again' if breaker.after_ok is False else ''}", facts=facts)


def _with_notes(answer: CheckAnswer, evidence: Evidence, breaker: BreakerEvidence) -> CheckAnswer:
    """The answer and what the gateway itself notes: states of its breaker, upstream attempts for what it refused."""
    provoked = evidence.provoked()
    refused = provoked[breaker.failures : breaker.failures + breaker.fast]
    counts = [count for each in refused if (count := attempts_of(evidence, each)) is not None]
    entries = (noted_entry(evidence, each) for each in provoked)
    states = dict.fromkeys(entry.breaker for entry in entries if entry is not None and entry.breaker)
    words = answer.evidence
    if counts:
        words = clauses(
            words, f"its own notes count {units.many(max(counts), 'upstream attempt')} for a refused request"
        )
    if states:
        words = clauses(words, f"it notes the breaker as {', '.join(states)}")
    if any(counts) and answer.outcome is CheckOutcome.PASS:
        return warned(
            words,
            "The breaker refuses and its upstream is called all the same, or refusals are counted as attempts.",
            "Look for one of the refused requests in the upstream's log: an open breaker spares it.",
            facts=answer.facts,
        )
    return replace(answer, evidence=words)


def _opening(breaker: BreakerEvidence) -> str:
    fast = f"{breaker.fast} requests failed at once ({units.duration(breaker.fast_ns)}"
    if not breaker.failures:
        return f"it was open from the beginning: {fast}): {breaker.says}"
    usual = "" if breaker.failures == EXPECTED_FAILURES else f", {EXPECTED_FAILURES} are usual"
    slow = f" instead of {units.duration(breaker.usual_ns)}" if breaker.fast_ns < breaker.usual_ns else ""
    return f"it opened after {breaker.failures} failures{usual}, then {fast}{slow}): {breaker.says}"


def _seen_breaker(evidence: Evidence) -> CheckAnswer:
    """Without provoking anything: did a breaker refuse any of the requests?"""
    refused = [each.request for each in evidence.streams() if is_refused_by_one(each.request)]
    if refused:
        return warned(
            f"a breaker is open right now: {describe(refused[0])}",
            "The upstream of that model failed repeatedly.",
            "Check that upstream; wait as long as the gateway says.",
        )
    return not_applicable("no request was refused by a breaker, and none was provoked to open")


def _fell_back(request: Request) -> bool:
    return any(finding.name in (FindingName.FALLBACKS, FindingName.MODEL_DIFFERS) for finding in request.findings)


def _why(request: Request) -> str:
    return clauses(*(finding.evidence for finding in request.findings if finding.name in FALLBACK_FINDINGS))


CHECKS = (
    Check(
        name="provider-fallback",
        title="Requests fall back when the first provider fails",
        section=SECTION,
        needs=(
            RequestSet.HEALTH,
            RequestSet.STREAM,
            RequestSet.METRICS_AFTER,
            RequestSet.AUDIT,
            RequestSet.PROVOKED,
            RequestSet.PROVOKED_METRICS,
            RequestSet.PROVOKED_AUDIT,
        ),
        judge=judge_provider_fallback,
    ),
    Check(
        name="fails-at-once",
        title="Without a fallback, failures are immediate: 5xx with a reason",
        section=SECTION,
        needs=(RequestSet.PROVOKED,),
        judge=judge_fails_at_once,
    ),
    ATTEMPTS,
    Check(
        name="breaker",
        title="The circuit breaker opens, fails fast, tests and closes",
        section=SECTION,
        needs=(RequestSet.STREAM, RequestSet.PROVOKED, RequestSet.BREAKER, RequestSet.BREAKER_AUDIT),
        judge=judge_breaker,
    ),
)
