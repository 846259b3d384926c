"""Checks of models: each of a list, and agent types. Pure."""

from __future__ import annotations

from gwtui.apis.gateway_documents import entries_in, texts_in
from gwtui.checks.check import (
    Check,
    CheckAnswer,
    Facts,
    blamed,
    describe,
    failed,
    not_applicable,
    nothing_good,
    passed,
    warned,
)
from gwtui.checks.evidence import Evidence, Probed, ids_of
from gwtui.checks.request_sets import DEFAULT_AGENT, RequestSet
from gwtui.model.verdicts import Verdict
from gwtui.text import units

SECTION = "Models"


def judge_models(evidence: Evidence) -> CheckAnswer:
    """Fails where a model of the list gives no good answer."""
    probed = evidence.all(RequestSet.MODELS)
    if not probed:
        to_do = "List them with `--models a,b,c`, or on the screen with `with models`."
        return not_applicable("no list of models was given", to_do)
    details = [f"{'✔' if each.ok else '✖'} {each.request.model}: {_took(each)}" for each in probed]
    bad = [each for each in probed if not each.ok]
    facts: Facts = {"models": len(probed), "failed": len(bad)}
    if not bad:
        names = ", ".join(each.request.model for each in probed)
        return passed(f"all {len(probed)} models work: {names}", details=details, facts=facts)
    first = blamed(bad[0].request)
    words = f"{len(bad)} of {len(probed)} models do not work: {', '.join(each.request.model for each in bad)}"
    return failed(words, first.cause, first.remedy, details=details, facts=facts)


def judge_agent(evidence: Evidence) -> CheckAnswer:
    """Warns where nothing shows that the kind of agent was used to route the request."""
    probed, target = evidence.one(RequestSet.AGENT), evidence.target
    if probed is None:
        return not_applicable("nothing was sent")
    request, agent = probed.request, target.agent_type
    if (plain := nothing_good(evidence.all(RequestSet.STREAM))) is not None and evidence.all(RequestSet.STREAM):
        return plain
    if not probed.ok:
        health = evidence.document(RequestSet.HEALTH)
        if request.verdict is Verdict.BAD_REQUEST and agent == DEFAULT_AGENT and (not health or health.problem):
            return not_applicable(f"the gateway does not accept `agent_type`: {describe(request)}")
        return blamed(request, f"agent_type {agent!r}: {describe(request)}")
    plainly, entry = evidence.one(RequestSet.STREAM), _audited(evidence, probed)
    noted = f"the audit notes it with {entry}" if entry else ""
    if plainly is not None and request.model_served and request.model_served != plainly.request.model_served:
        told = f"agent_type {agent!r} is answered by {request.model_served}, without it by "
        told += plainly.request.model_served or "an unnamed model"
        return passed(f"{told}; {noted}" if noted else told)
    if entry:
        return passed(f"agent_type {agent!r} is answered by {request.model_served or 'an unnamed model'}; {noted}")
    return warned(
        f"with agent_type {agent!r} the answer is complete, but nothing shows that it affected the route",
        "The gateway ignores the field, or routes that agent like the others.",
        "Check the route in its log; try another `--agent-type`.",
    )


def _audited(evidence: Evidence, probed: Probed) -> str:
    """How the audit names the request that carried the agent's type; "" where it does not tell the type."""
    document = evidence.document(RequestSet.AGENT_AUDIT)
    if document is None or document.problem:
        return ""
    (ids,) = ids_of([probed])
    for entry in entries_in(document.value):
        texts = set(texts_in(entry))
        if ids & texts and evidence.target.agent_type in texts:
            return min(ids & texts)
    return ""


def _took(probed: Probed) -> str:
    request = probed.request
    if not probed.ok:
        return describe(request)
    first = f", first token after {units.duration(request.ttft_ns)}" if request.ttft_ns is not None else ""
    return f"{request.verdict.replace('_', ' ')} in {units.duration(request.duration_ns)}{first}"


CHECKS = (
    Check(
        name="models",
        title="Each listed model works",
        section=SECTION,
        needs=(RequestSet.MODELS,),
        judge=judge_models,
    ),
    Check(
        name="agent-type",
        title="Requests are routed by agent type",
        section=SECTION,
        needs=(RequestSet.HEALTH, RequestSet.STREAM, RequestSet.AGENT, RequestSet.AGENT_AUDIT),
        judge=judge_agent,
    ),
)
