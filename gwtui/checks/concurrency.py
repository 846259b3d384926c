"""Checks of several models at once: side by side, and one that fails alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.checks.check import Check, CheckAnswer, Facts, describe, failed, not_applicable, passed, warned
from gwtui.checks.evidence import Evidence
from gwtui.checks.models import SECTION
from gwtui.checks.request_plans import UNKNOWN_MODEL, sizes
from gwtui.checks.request_sets import RequestSet
from gwtui.checks.timelines import alone_of, analyse_streams
from gwtui.model.concurrency import Concurrency, Together
from gwtui.model.enums import FindingName
from gwtui.model.findings import entry_of
from gwtui.model.records import Finding
from gwtui.stats.concurrency import NO_SPEED_UP, SHORTEST_NS
from gwtui.stats.model_timelines import UNNAMED
from gwtui.text import units
from gwtui.text.sanitize import clauses
from gwtui.text.tables import Row, TextColumn, table
from gwtui.verdict.concurrency import in_words, models_table

QUEUED = entry_of(FindingName.SEQUENTIAL)
"""Cause and remedy where one waits for the other."""
LIMIT = "A limit on concurrent requests, per key or per worker: requests above it wait in a queue."
SEVERAL = "Name two models or more: `--models A,B,C`."
RAISE = "Compare with more and with fewer models; raise the limit."


def judge_concurrency(evidence: Evidence) -> CheckAnswer:
    """Fails where models asked at once are answered one by one; warns where some queue, fail or are miscounted."""
    analyses = _analyses(evidence)
    if not analyses and evidence.target.asks_several_models:
        return not_applicable("one model alone is neither concurrent nor sequential", SEVERAL)
    if not analyses:
        return not_applicable("nothing was sent")
    last = analyses[-1]
    details = [*_speed_ups(analyses), *_timeline_lines(last)]
    if last.verdict is None:
        return _undecided(last, evidence)
    by_size = {f"speed_up_{len(each.models)}": round(each.speed_up, 2) for each in analyses}
    facts: Facts = {"verdict": last.verdict.value, **facts_of(last), **by_size}
    words = in_words(last)
    if last.verdict is Together.SEQUENTIAL:
        return failed(words, QUEUED.cause, QUEUED.remedy, details=details, facts=facts)
    if last.queues and last.speed_up < NO_SPEED_UP:
        words = f"{words}: concurrent requests take as long as sequential ones"
        return failed(words, QUEUED.cause, QUEUED.remedy, details=details, facts=facts)
    if odd := _miscounted(evidence):
        words = f"{words}; {odd.evidence}"
        return warned(words, odd.likely_cause, odd.entry.remedy, details=details, facts=facts)
    if last.failed:
        first = last.failed[0]
        return warned(
            f"{words}; {len(last.failed)} of {len(last.models)} models failed, such as {first.model}: {first.error}",
            "A limit on concurrent requests, or a model that does not work.",
            "See the check `models`; ask for a higher limit.",
            details=details,
            facts=facts,
        )
    if last.queues:
        return warned(f"{words}: some wait for others", LIMIT, RAISE, details=details, facts=facts)
    return passed(words, details=details, facts=facts)


def _undecided(found: Concurrency, evidence: Evidence) -> CheckAnswer:
    if len(found.answered) > 1:
        remedy = f"Request longer answers, of at least {units.duration(SHORTEST_NS)}."
        return warned(found.undecided, remedy=remedy)
    if not found.failed:
        return not_applicable("only one model answers, so there is nothing to compare")
    first = found.failed[0]
    words = f"{len(found.failed)} of {len(found.models)} models failed together, such as {first.model}: {first.error}"
    if not any(each.ok for need in (RequestSet.STREAM, RequestSet.MODELS) for each in evidence.all(need)):
        return not_applicable(words)
    return failed(
        clauses(words, "sequential requests are answered"),
        "A limit on concurrent requests, or a gateway that cannot serve several models at a time.",
        "Ask for a higher limit; look for the trace ids in the gateway's log.",
        details=_timeline_lines(found),
    )


def _miscounted(evidence: Evidence) -> Finding | None:
    """What is wrong with the end of a stream of several models, where it does not say what came."""
    odd = (FindingName.COUNTS_DIFFER, FindingName.MODEL_MISSING)
    findings = (finding for each in evidence.all(RequestSet.COMPARED) for finding in each.request.findings)
    return next((each for each in findings if each.name in odd), None)


def _analyses(evidence: Evidence) -> list[Concurrency]:
    """One per number of models, the smallest first."""
    probed = evidence.all(RequestSet.COMPARED)
    if evidence.target.asks_several_models:
        return [each.request.concurrency for each in probed]
    alone = alone_of((*evidence.all(RequestSet.STREAM), *evidence.all(RequestSet.MODELS)))
    analyses = []
    for size in sizes(evidence.target) if probed else ():
        group, probed = probed[:size], probed[size:]
        analyses.append(analyse_streams(group, alone))
    return analyses


def _speed_ups(analyses: Sequence[Concurrency]) -> list[str]:
    rows: list[Row] = [("models", "in all", "slowest", "in sum", "speed-up", "verdict")]
    for each in analyses:
        times = (units.duration(ns) for ns in (each.wall_ns, each.slowest_ns, each.sum_ns))
        speed_up = f"{each.speed_up:.1f}x" if each.verdict is not None else units.MISSING
        rows.append((str(len(each.models)), *times, speed_up, each.verdict or units.MISSING))
    return table(rows, (TextColumn(6, right=True), *[TextColumn(8, right=True)] * 4, TextColumn()))


def _timeline_lines(found: Concurrency) -> list[str]:
    begin = min((timeline.sent_ns for timeline in found.answered), default=0)
    return models_table(found, begin)


def judge_one_fails_alone(evidence: Evidence) -> CheckAnswer:
    """Fails where a model that does not exist takes others down with it."""
    probed = evidence.all(RequestSet.STRANGER)
    if not probed:
        return not_applicable("nothing was sent")
    if evidence.target.asks_several_models:
        found = probed[0].request.concurrency
        stranger = [timeline for timeline in found.models if timeline.model == UNKNOWN_MODEL]
        failing = {
            each.model for probed in evidence.all(RequestSet.STREAM) for each in probed.request.concurrency.failed
        }
        others = [timeline for timeline in found.models if timeline.model not in (UNKNOWN_MODEL, *failing)]
        failure = stranger[0].error if stranger else ""
        bad = [f"{timeline.model}: {timeline.error}" for timeline in others if timeline.error]
    else:
        failure = "" if probed[1].ok else describe(probed[1].request)
        others_failed = not probed[0].ok
        bad = [f"{probed[0].request.model or 'the other'}: {describe(probed[0].request)}"] if others_failed else []
    if bad:
        return failed(
            f"beside {UNKNOWN_MODEL!r} others failed too: {bad[0]}",
            "One model's failure ends the whole request, or the gateway cannot serve the models together.",
            "Handle each model's failure separately, and continue with the others.",
        )
    if not bad and failure == UNNAMED:
        return warned(
            f"nothing was said of {UNKNOWN_MODEL!r}, the others continued",
            "The gateway drops models that it does not know.",
            "Send an error that names the model: users wait for its answer.",
        )
    if not failure:
        return not_applicable(f"{UNKNOWN_MODEL!r} did not fail: see the check `unknown-model`")
    return passed(f"{UNKNOWN_MODEL!r} failed alone, the others continued: {failure}")


def facts_of(found: Concurrency) -> Facts:
    """The figures of an analysis, for programs."""
    return {
        "start_spread_ms": units.milliseconds(found.start_spread_ns) or 0.0,
        "wall_ms": units.milliseconds(found.wall_ns) or 0.0,
        "slowest_ms": units.milliseconds(found.slowest_ns) or 0.0,
        "sum_ms": units.milliseconds(found.sum_ns) or 0.0,
        "speed_up": round(found.speed_up, 2),
        "models_in_first_events": found.models_in_first_chunks,
    }


CHECKS = (
    Check(
        name="concurrency",
        title="Several models answer concurrently",
        section=SECTION,
        needs=(RequestSet.STREAM, RequestSet.MODELS, RequestSet.COMPARED),
        judge=judge_concurrency,
    ),
    Check(
        name="one-fails-alone",
        title="Only the nonexistent model fails",
        section=SECTION,
        needs=(RequestSet.STRANGER,),
        judge=judge_one_fails_alone,
    ),
)
