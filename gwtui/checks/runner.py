"""Going through the checks in order: gather what each one needs, let it judge, hand on its result.

`async for result in run_checks(target)` is all there is to it, for a terminal, a file or a page on the screen alike.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence

from gwtui.checks.check import Check, CheckAnswer, blamed, describe, not_applicable
from gwtui.checks.collector import CheckDeps, Collected
from gwtui.checks.errors import HANGING
from gwtui.checks.evidence import Evidence
from gwtui.checks.gateway import judge_connection
from gwtui.checks.planning import checks_for, needs_of
from gwtui.checks.request_sets import HEAVY, PROBES, CheckTarget, RequestSet
from gwtui.model.check_results import CheckResult
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import UNREACHED
from gwtui.secrets.resolver import masked
from gwtui.text.sanitize import clean

MOST_HANGING = 2
"""Requests that hang, after which no more are sent."""
TEXT = 1000
"""The longest text of a result."""


async def run_checks(
    target: CheckTarget, checks: Sequence[Check] | None = None, deps: CheckDeps | None = None
) -> AsyncGenerator[CheckResult, None]:
    """The result of every check, in order, as they end."""
    checks = checks_for(target) if checks is None else checks
    wanted = {need for check in checks for need in needs_of(check)}
    collected = Collected(target, deps)
    for check in checks:
        sent, began_ns, started_at = collected.sent, time.perf_counter_ns(), time.time()
        answer = await _answer_to(check, collected, wanted)
        now_ns = time.perf_counter_ns()
        yield CheckResult(
            endpoint=target.endpoint.name,
            now_ns=now_ns,
            name=check.name,
            title=check.title,
            section=check.section,
            outcome=answer.outcome,
            evidence=masked(clean(answer.evidence, TEXT)),
            cause=masked(clean(answer.cause, TEXT)),
            remedy=clean(answer.remedy, TEXT),
            details=tuple(masked(clean(line, TEXT)) for line in answer.details),
            facts={name: _shown(fact) for name, fact in answer.facts.items()},
            requests=collected.sent - sent,
            started_at=started_at,
            duration_ns=now_ns - began_ns,
        )


async def _answer_to(check: Check, collected: Collected, wanted: set[RequestSet]) -> CheckAnswer:
    known = collected.results()
    if check.judge is judge_connection and _unreached(known) is not None:
        return check.judge(collected.evidence)
    for need in _missing(needs_of(check)[-1], collected, wanted):
        if (reason := _reason_to_stop(collected.evidence, need)) is not None:
            return _stopped(*reason, known)
        await collected.gather(need)
    if (reason := _unreached(known)) is not None:
        return _stopped(*reason, known)
    return check.judge(collected.evidence)


def _shown(fact: float | str) -> float | str:
    return masked(fact) if isinstance(fact, str) else fact


def _missing(last: RequestSet, collected: Collected, wanted: set[RequestSet]) -> list[RequestSet]:
    """What is still to be gathered up to this need: also for later checks, because the order is part of some needs."""
    order = list(RequestSet)
    return [need for need in order[: order.index(last) + 1] if need in wanted and not collected.has(need)]


def _stopped(words: str, culprit: Request | Ping, known: Sequence[Request | Ping]) -> CheckAnswer:
    """Nothing more was sent. An earlier check reports the cause, or else this one does."""
    return not_applicable(f"not tried: {words}") if culprit in known else blamed(culprit, words)


def _reason_to_stop(evidence: Evidence, need: RequestSet) -> tuple[str, Request | Ping] | None:
    """Why nothing more is sent for this need, and the result that is to blame."""
    results = [probed.result for probed in evidence.everything()]
    if (reason := _unreached(results)) is not None:
        return reason
    hung = [probed.result for probed in evidence.probes() if probed.result.verdict in HANGING]
    if need in PROBES and len(hung) >= MOST_HANGING:
        return f"{len(hung)} requests hung ({describe(hung[-1])})", hung[-1]
    plain = (*evidence.all(RequestSet.STREAM), *evidence.all(RequestSet.ANSWER))
    if need in HEAVY and plain and not any(probed.ok for probed in plain):
        return f"a plain request already fails ({describe(plain[0].result)})", plain[0].result
    return None


def _unreached(results: Sequence[Request | Ping]) -> tuple[str, Request | Ping] | None:
    culprit = next((result for result in results if result.verdict in UNREACHED), None)
    return None if culprit is None else (f"the gateway cannot be reached ({describe(culprit)})", culprit)
