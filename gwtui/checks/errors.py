"""Checks of failures that are provoked harmlessly: a made-up key, an unknown model. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.apis import APIS
from gwtui.checks.breaker import broke_midway, failed_upstream, is_answered
from gwtui.checks.check import Check, CheckAnswer, Facts, blamed, describe, failed, not_applicable, passed, warned
from gwtui.checks.evidence import Evidence, Probed
from gwtui.checks.key_substitution import holds_key
from gwtui.checks.request_plans import UNKNOWN_MODEL
from gwtui.checks.request_sets import RequestSet
from gwtui.model.enums import FindingName
from gwtui.model.records import Request
from gwtui.model.verdicts import HUNG, Verdict
from gwtui.text import units
from gwtui.text.sanitize import clauses

SECTION = "Errors"
FAST_NS = 1_000_000_000
"""A failure that takes longer is not told at once. A second is the limit of an uninterrupted thought (Nielsen 1993)."""
HANGING = HUNG | {Verdict.CONNECT_TIMEOUT, Verdict.GATEWAY_TIMEOUT}
"""Verdicts of requests that waited in vain."""
KEY_REFUSALS = (401, 403)
ANSWER_401 = "Check the key first, and answer 401: clients report a 401 and retry a 5xx."
NO_DATABASE = "no connected db"
"""What LiteLLM answers to an unknown key where it has no database."""
ABOUT_MODEL = (UNKNOWN_MODEL, "access model", "model_access")
"""Words of refusals that are about the model, not about the key."""


def judge_invalid_key(evidence: Evidence) -> CheckAnswer:
    """Passes on a well-formed 401 to a made-up key; warns on 403; fails on anything else."""
    probed = evidence.one(RequestSet.INVALID_KEY)
    if probed is None:
        return not_applicable("nothing was sent")
    request = probed.request
    if is_answered(request) or request.status in range(200, 300):
        return _accepted(evidence, request)
    if request.status in KEY_REFUSALS and (own := _own_refusal(evidence)) is not None:
        return not_applicable(
            f"the endpoint's own key is refused as well ({own.reason}), so the refusal of another proves nothing",
            "Give the endpoint a key that is accepted, and check again.",
        )
    if request.status == 401:
        return _form(request)
    if request.status == 403:
        return warned(
            f"403 instead of 401: {request.reason}",
            "The gateway does not distinguish a wrong key from a missing permission.",
            "Answer 401 to an unknown key.",
        )
    if request.status is None or request.verdict in (Verdict.RATE_LIMITED, Verdict.QUOTA, Verdict.LOCAL):
        return blamed(request)
    return failed(f"HTTP {request.status} instead of 401: {request.reason}", _cause_of_no_401(request), ANSWER_401)


def _own_refusal(evidence: Evidence) -> Request | None:
    """How the endpoint's own key was refused; None where it was accepted, or not sent."""
    plain = [each.request for need in (RequestSet.STREAM, RequestSet.ANSWER) for each in evidence.all(need)]
    if any(request.status not in KEY_REFUSALS for request in plain):
        return None
    return plain[0] if plain else None


def _cause_of_no_401(request: Request) -> str:
    """Why a made-up key may get this status, which is neither 401 nor 403."""
    if NO_DATABASE in request.reason.lower():
        return "LiteLLM without a database knows only its master key, and answers 400 to every other key."
    if request.status is not None and request.status >= 500:
        return (
            "The check of the key itself failed, for instance at its database; or the upstream got the made-up key and "
            "its refusal was changed on the way."
        )
    if request.status == 404:
        return "The gateway looks for the model or the route before it checks the key, or hides them from unknown keys."
    return "The gateway checks the key's form, the body or the model first, or changes its upstream's refusal."


def _accepted(evidence: Evidence, request: Request) -> CheckAnswer:
    if not holds_key(evidence.target.endpoint):
        return warned(
            f"HTTP {request.status}: a made-up key is accepted; this endpoint is used without any key",
            "The gateway does not check keys (LiteLLM: no `master_key` is set), or uses only its own.",
            "Let it check keys, unless only authorised users can reach it.",
        )
    return failed(
        f"HTTP {request.status} to a made-up key: {describe(request)}",
        "The gateway does not check keys (LiteLLM: no `master_key` is set), replaces them by its own, or answers "
        "before it checks them.",
        "Enable key checks: anyone who can reach this address can spend your money.",
    )


def judge_unknown_model(evidence: Evidence) -> CheckAnswer:
    """Passes on a well-formed 4xx for a made-up model; fails where another model answers."""
    probed = evidence.one(RequestSet.UNKNOWN_MODEL)
    if probed is None:
        return not_applicable("this API takes several models at once: see `one-fails-alone`")
    request = probed.request
    if request.status is None or request.verdict in (Verdict.RATE_LIMITED, Verdict.QUOTA):
        return blamed(request)
    if request.status == 401:
        return _unauthorised_model(request)
    if 400 <= request.status < 500:
        return _form(request)
    if is_answered(request):
        return failed(
            f"HTTP {request.status}: {request.model_served or 'some model'} answered for a model that does not exist",
            "The gateway routes unknown names to a default model, or passes every name on (LiteLLM: `*` as a "
            "`model_name`) to a server that has one model for all names (as llama.cpp).",
            "Refuse unknown models with 404: a typo in a name must not silently change the model.",
        )
    if request.status < 300:
        cause = "The gateway begins its answer before it knows whether the model exists."
    else:
        cause = (
            "The gateway passes unknown names on (LiteLLM: `*` as a `model_name`), and reports its upstream's refusal "
            "as a failure of its own."
        )
    remedy = "Refuse unknown models with 404 before a stream begins: clients retry a 5xx."
    return failed(f"HTTP {request.status} instead of 404: {describe(request)}", cause, remedy)


def _unauthorised_model(request: Request) -> CheckAnswer:
    """A 401 is about the key, unless its words are about the model."""
    if not any(words in request.reason.lower() for words in ABOUT_MODEL):
        return not_applicable(f"the key was refused first: {request.reason}")
    return warned(
        f"401 for a model, not for the key: {request.reason}",
        "The gateway looks first whether this key may use the model (LiteLLM: a key with a list of models).",
        "Answer 403 or 404: clients take a 401 for a wrong key.",
    )


def _form(request: Request) -> CheckAnswer:
    """Whether the error that came with a good status is well-formed."""
    facts: Facts = {"status": request.status or 0}
    form = APIS[request.api].error_form
    problem, is_error = form.problem(request.text)
    if not problem:
        return passed(request.reason, facts=facts)
    words = clauses(request.reason, f"but {problem}")
    remedy = f"Answer with {form.example}: SDKs read it."
    if is_error:
        cause = "The gateway wrote this error in its own format, or in another API's (LiteLLM: OpenAI's on every path)."
        return warned(words, cause, remedy, facts=facts)
    return failed(words, "A page or text from a proxy, or an unformatted error.", remedy, facts=facts)


def judge_fast_failures(evidence: Evidence) -> CheckAnswer:
    """Fails where a failing request hung, took longer than `FAST_NS` or left its response open.

    A request that a fallback answered did not fail; a stream that broke after content is for `whole-streams`.
    """
    refused = [
        each
        for each in (
            *evidence.all(RequestSet.INVALID_KEY),
            *evidence.all(RequestSet.UNKNOWN_MODEL),
            *evidence.provoked(),
        )
        if failed_upstream(each.request) and (each.request.ttft_ns is None or each.request.verdict in HANGING)
    ]
    if not refused:
        return not_applicable("no request failed")
    hanging = [each for each in refused if each.request.verdict in HANGING]
    slowest = max(refused, key=_took_ns)
    open_ones = [each for each in refused if _left_open(each.request)]
    words = f"{units.many(len(refused), 'failure')}, the slowest reported after {units.duration(_took_ns(slowest))}"
    facts: Facts = {
        "failures": len(refused),
        "slowest_ms": units.milliseconds(_took_ns(slowest)) or 0.0,
    }
    if hanging:
        return failed(
            f"{len(hanging)} of {len(refused)} failing requests hung: {describe(hanging[0].request)}",
            "The gateway waits for an upstream that does not answer, or retries repeatedly.",
            "Set a timeout for each upstream attempt, and one for all attempts together.",
            facts=facts,
        )
    if _took_ns(slowest) > FAST_NS:
        return failed(
            f"{words}: {describe(slowest.request)}",
            "The upstream is called, perhaps several times, before the failure is reported.",
            "Refuse invalid requests early; limit retries.",
            facts=facts,
        )
    if open_ones:
        return failed(
            f"{words}; {len(open_ones)} left the response open after the error",
            "The gateway does not end the HTTP response after its error.",
            "End the response with the error.",
            facts=facts,
        )
    return passed(f"{words}; none left a response open", facts=facts)


def judge_whole_streams(evidence: Evidence) -> CheckAnswer:
    """A monitor that looks only at the status counts these as successes: all began with 200."""
    ok = [each for each in evidence.streams() if each.request.status == 200]
    begun = [each for each in ok if each.request.events or each.request.verdict is Verdict.EMPTY]
    visible = [each.request for each in evidence.provoked() if broke_midway(each.request)]
    if not begun and not visible:
        return not_applicable("no stream began")
    broken = [each for each in begun if not each.ok and each.request.verdict is not Verdict.CANCELLED]
    facts: Facts = {"streams": len(begun), "broken": len(broken)}
    if not broken:
        return passed(_whole(len(begun), visible), facts=facts)
    first = blamed(broken[0].request)
    words = f"{len(broken)} of {len(begun)} streams broke after HTTP 200; {first.evidence}"
    details = [_line(each) for each in broken]
    return failed(words, first.cause, first.remedy, details=details, facts=facts)


def _whole(begun: int, visible: Sequence[Request]) -> str:
    """`visible`: streams of the failing model that broke, as everyone can see who reads to their end."""
    words = f"{units.many(begun, 'stream')} began, and none broke" if begun else ""
    if not visible:
        return words
    first = visible[0]
    told = f"{units.many(len(visible), 'stream')} of {first.model}, which fails, broke midway, as clients can see"
    return f"{words}{'; ' * bool(words)}{told}: {describe(first)}"


def judge_timeouts(evidence: Evidence) -> CheckAnswer:
    """Fails where any request ran into a time-out, of gwtui or of the gateway."""
    sent = [each for each in evidence.probes() if isinstance(each.result, Request) and each.result.status != 401]
    sent = [each for each in sent if each.request.verdict not in (Verdict.LOCAL, Verdict.NO_KEY, Verdict.TLS_FILE)]
    if not sent:
        return not_applicable("nothing was sent")
    late = [each for each in sent if each.request.verdict in HANGING]
    slowest = max(sent, key=_took_ns)
    if not late:
        words = f"none of {len(sent)} requests timed out; the slowest took {units.duration(_took_ns(slowest))}"
        return passed(words, facts={"slowest_ms": units.milliseconds(_took_ns(slowest)) or 0.0})
    first = blamed(late[0].request)
    words = f"{len(late)} of {len(sent)} requests timed out; {first.evidence}"
    return failed(words, first.cause, first.remedy, details=[_line(each) for each in late])


def _took_ns(probed: Probed) -> int:
    return probed.request.duration_ns or 0


def _left_open(request: Request) -> bool:
    return any(
        finding.name in (FindingName.OPEN_AFTER_END, FindingName.BROKEN_AFTER_END) for finding in request.findings
    )


def _line(probed: Probed) -> str:
    request = probed.request
    model = f"{request.model}: " if request.model else ""
    return f"{model}{describe(request)} (after {units.duration(request.duration_ns)}, trace {request.trace_id})"


CHECKS = (
    Check(
        name="invalid-key",
        title="A made-up key gets 401 and a well-formed error",
        section=SECTION,
        needs=(RequestSet.INVALID_KEY,),
        judge=judge_invalid_key,
    ),
    Check(
        name="unknown-model",
        title="An unknown model gets a well-formed 4xx",
        section=SECTION,
        needs=(RequestSet.UNKNOWN_MODEL,),
        judge=judge_unknown_model,
    ),
)
OVERALL = (
    Check(
        name="fast-failures",
        title="Failures come within a second and end the response",
        section="Overall",
        needs=(RequestSet.INVALID_KEY, RequestSet.UNKNOWN_MODEL, RequestSet.PROVOKED),
        judge=judge_fast_failures,
    ),
    Check(
        name="whole-streams",
        title="No stream breaks midway",
        section="Overall",
        needs=(RequestSet.STREAM, RequestSet.PROVOKED),
        judge=judge_whole_streams,
    ),
    Check(
        name="timeouts",
        title="No request times out",
        section="Overall",
        needs=(RequestSet.STREAM, RequestSet.ANSWER),
        judge=judge_timeouts,
    ),
)
"""What is judged over all requests that were sent for any check."""
