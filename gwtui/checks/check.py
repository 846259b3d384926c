"""What a check is: a question, what has to be known to answer it, and a pure judge of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gwtui.checks.evidence import Evidence, Probed
from gwtui.checks.request_sets import RequestSet
from gwtui.model.check_results import CheckOutcome
from gwtui.model.enums import Kind
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict

Facts: TypeAlias = Mapping[str, int | float | str]
"""Figures behind an answer, for JSON: their names end in their units."""


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """How a judge decided, and why."""

    outcome: CheckOutcome
    evidence: str
    cause: str = ""
    remedy: str = ""
    details: Sequence[str] = ()
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One named question."""

    name: str
    title: str
    section: str
    needs: tuple[RequestSet, ...]
    judge: Callable[[Evidence], CheckAnswer]
    kinds: frozenset[Kind] = frozenset({Kind.COMPLETION})
    """The kinds of endpoints that it is asked of."""


def passed(evidence: str, *, details: Sequence[str] = (), facts: Facts | None = None) -> CheckAnswer:
    """All is as it should be."""
    return CheckAnswer(CheckOutcome.PASS, evidence, details=details, facts=facts or {})


def warned(
    evidence: str, cause: str = "", remedy: str = "", *, details: Sequence[str] = (), facts: Facts | None = None
) -> CheckAnswer:
    """It works, but needs attention."""
    return CheckAnswer(CheckOutcome.WARN, evidence, cause, remedy, details, facts or {})


def failed(
    evidence: str, cause: str, remedy: str, *, details: Sequence[str] = (), facts: Facts | None = None
) -> CheckAnswer:
    """A failure needs its likely cause and a remedy."""
    return CheckAnswer(CheckOutcome.FAIL, evidence, cause, remedy, details, facts or {})


def not_applicable(evidence: str, remedy: str = "") -> CheckAnswer:
    """There is nothing to judge, and why; `remedy`: what would make it possible."""
    return CheckAnswer(CheckOutcome.NOT_APPLICABLE, evidence, remedy=remedy)


def blamed(result: Request | Ping, evidence: str = "") -> CheckAnswer:
    """A failure, with its verdict's likely cause and remedy. What gwtui itself could not do is not the gateway's."""
    if result.verdict is Verdict.LOCAL:
        return not_applicable(result.reason)
    entry = result.verdict.entry
    cause, remedy = entry.cause or entry.meaning, entry.remedy
    if result.status is None or not result.trace_id:
        return failed(evidence or describe(result), cause, remedy)
    facts = {"trace_id": result.trace_id, "request_id": result.request_id}
    return failed(f"{evidence or describe(result)} (trace {result.trace_id})", cause, remedy, facts=facts)


def describe(result: Request | Ping) -> str:
    """A result's verdict and reason: `truncated: ended after event 4 ...`."""
    words = result.verdict.replace("_", " ")
    return f"{words}: {result.reason}" if result.reason else words


def good_one(evidence: Evidence, need: RequestSet) -> Probed | CheckAnswer:
    """The request for that need, or what there is to say where it was not sent or did not go well."""
    probed = evidence.one(need)
    if probed is None:
        return not_applicable("nothing was sent")
    return probed if probed.ok else blamed(probed.result)


def nothing_good(probed: Sequence[Probed | None]) -> CheckAnswer | None:
    """Why there is nothing to judge where no request went well; None where one did."""
    known = [each for each in probed if each is not None]
    if any(each.ok for each in known):
        return None
    return not_applicable(
        f"no request was good enough to check: {describe(known[0].result)}" if known else "nothing was sent"
    )
