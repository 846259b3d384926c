"""Checks of many streams of one model at once: that none waits for another, and none holds another's content. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from gwtui.checks.check import Check, CheckAnswer, Facts, failed, not_applicable, passed, warned
from gwtui.checks.concurrency import LIMIT, QUEUED, facts_of
from gwtui.checks.evidence import Evidence, Probed, finding_of
from gwtui.checks.models import SECTION
from gwtui.checks.request_plans import WORDS
from gwtui.checks.request_sets import RequestSet
from gwtui.checks.timelines import analyse_streams
from gwtui.model.concurrency import Concurrency, ModelTimeline, Together
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict
from gwtui.stats.concurrency import NO_SPEED_UP, ONE_PIECE_SHARE, SHORTEST_NS
from gwtui.text import units

LIMITS = frozenset({Verdict.RATE_LIMITED, Verdict.QUOTA, Verdict.OVERLOADED})
"""Refusals that many requests at once may earn from a gateway that is well."""
RAISE = "Raise that limit, or plan with it: `gwtui bench` shows how many streams at once still start together."
MOST_TIMES = 2
"""Times the first stream's wait, up to which the last one's wait is chance: without a queue all wait about as long."""
EVEN = 2
"""Steps between starts are even where each is between the usual one and this many times more or less of it..."""
UNEVEN = 1
"""... but for this many. Starts by chance form such a staircase in 1 of 100 cases with ten streams."""
FEWEST = 4
"""Streams that it takes to call their starts a staircase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamWaits:
    """How streams that were asked for at the same time waited for one another."""

    first_ns: int
    """How long the one that began first waited for its content."""
    last_ns: int
    """How long the last one waited."""
    after_an_end: int
    """How many began only when another had ended."""
    step_ns: int | None
    """The usual step between their starts where these form a staircase; else None."""


def judge_together(evidence: Evidence) -> CheckAnswer:
    """Fails where streams of one model fail, mix or run one by one; warns where some queue or nothing is proved."""
    probed = evidence.all(RequestSet.TOGETHER)
    if not probed:
        return not_applicable("nothing was sent")
    bad = [each for each in probed if not each.ok]
    analysis = analyse_streams(probed)
    facts: Facts = {"streams": len(probed), "failed": len(bad), **facts_of(analysis)}
    if mixed := _mixed(probed):
        return failed(
            mixed,
            "The gateway mixes up the answers of different requests.",
            "Stop using it for more than one user: it leaks one user's answers to another.",
            facts=facts,
        )
    if bad:
        return _not_all(probed, bad, facts)
    if (queued := _queued(analysis, facts)) is not None:
        return queued
    return _independent(probed, analysis, facts)


def _queued(analysis: Concurrency, facts: Facts) -> CheckAnswer | None:
    """How the streams waited for one another; None where they did not."""
    words = f"all {len(analysis.answered)} concurrent streams are complete"
    waiting = waiting_of(analysis.answered)
    if analysis.verdict is Together.SEQUENTIAL:
        words = f"{words}, but one waits for the other: {_pace(analysis)}"
        return failed(words, QUEUED.cause, QUEUED.remedy, facts=facts)
    if waiting is not None and (told := _told(waiting)):
        facts = {**facts, "first_wait_ms": units.milliseconds(waiting.first_ns) or 0.0}
        facts = {**facts, "last_wait_ms": units.milliseconds(waiting.last_ns) or 0.0}
        return warned(f"{words}, but some wait for others: {told}", LIMIT, RAISE, facts=facts)
    if analysis.verdict is not None and analysis.queues:
        return warned(f"{words}, but some wait for others: {_pace(analysis)}", LIMIT, RAISE, facts=facts)
    return None


def waiting_of(timelines: Sequence[ModelTimeline]) -> StreamWaits | None:
    """How these streams waited for one another; None where the last one waited no longer than chance explains."""
    known = [(each.sent_ns, each.begin_ns, each.end_ns or 0) for each in timelines if each.begin_ns is not None]
    waits = sorted(begin_ns - sent_ns for sent_ns, begin_ns, _ in known)
    if len(waits) < 2 or waits[-1] < MOST_TIMES * waits[0] or waits[-1] - waits[0] < SHORTEST_NS:
        return None
    first_end_ns = min(end_ns for _, _, end_ns in known)
    in_pieces = median(end_ns - begin_ns for _, begin_ns, end_ns in known) >= ONE_PIECE_SHARE * waits[0]
    return StreamWaits(
        first_ns=waits[0],
        last_ns=waits[-1],
        after_an_end=sum(begin_ns >= first_end_ns for _, begin_ns, _ in known) if in_pieces else 0,
        step_ns=_step_ns(waits),
    )


def _step_ns(waits: Sequence[int]) -> int | None:
    """The usual step of a staircase of waits, from the shortest on; None where they form none."""
    steps = [longer - shorter for shorter, longer in pairwise(waits)]
    if len(waits) < FEWEST:
        return None
    usual = median(steps)
    even = sum(usual / EVEN <= step <= usual * EVEN for step in steps)
    return round(usual) if usual and even >= len(steps) - UNEVEN else None


def _told(waiting: StreamWaits) -> str:
    """How they waited, in words; "" for what may be chance."""
    waits = f"the first waits {units.duration(waiting.first_ns)}, the last {units.duration(waiting.last_ns)}"
    if waiting.after_an_end > 1:
        return f"{waiting.after_an_end} of them begin only when another has ended: {waits}"
    if waiting.step_ns is not None:
        return f"they begin one after another, in steps of {units.duration(waiting.step_ns)}: {waits}"
    return ""


def _independent(probed: Sequence[Probed], analysis: Concurrency, facts: Facts) -> CheckAnswer:
    """What is proved of streams that were all good and did not wait."""
    if analysis.verdict is None and len(analysis.answered) > 1:
        return warned(
            analysis.undecided,
            remedy=f"Check a model that takes at least {units.duration(SHORTEST_NS)} to answer.",
            facts=facts,
        )
    own = sum(word in each.request.text.lower() for each, word in zip(probed, WORDS, strict=False))
    words = (
        f"all {len(probed)} concurrent streams are complete and start within {units.duration(analysis.start_spread_ns)}"
    )
    if not own:
        return warned(
            f"{words}, but none repeats the word that it was asked to repeat: another's content would not show",
            "The model does not follow the instruction, or the gateway answers from a cache.",
            "Check with a model that repeats a word when it is asked to.",
            facts=facts,
        )
    return passed(f"{words}; {own} repeat their own word and none contains another's", facts=facts)


def _not_all(probed: Sequence[Probed], bad: Sequence[Probed], facts: Facts) -> CheckAnswer:
    verdicts = Counter(each.request.verdict for each in bad)
    counted = ", ".join(f"{verdict.replace('_', ' ')} ×{count}" for verdict, count in verdicts.most_common())
    words = f"{len(bad)} of {len(probed)} concurrent streams failed: {counted}; {bad[0].request.reason}"
    most = verdicts.most_common(1)[0][0].entry
    if set(verdicts) <= LIMITS:
        return warned(words, most.cause, most.remedy, facts=facts)
    return failed(words, most.cause or most.meaning, most.remedy, facts=facts)


def _mixed(probed: Sequence[Probed]) -> str:
    """The first sign that one stream holds what belongs to another; "" for none. Each was given a word of its own."""
    for number, (each, own) in enumerate(zip(probed, WORDS, strict=False), 1):
        text = each.request.text.lower()
        if (foreign := next((word for word in WORDS if word != own and word in text), None)) is not None:
            return f"stream {number} was to repeat the word {own!r}, and contains {foreign!r}, the word of another"
        if found := finding_of(each.request, FindingName.IDS_DIFFER):
            return f"stream {number}: {found.evidence}"
    return ""


def _pace(found: Concurrency) -> str:
    gain = "" if found.speed_up < NO_SPEED_UP else f"{found.speed_up:.1f} times as fast as "
    times = f"they start {units.duration(found.start_spread_ns)} apart, and {units.duration(found.wall_ns)} in all is "
    return f"{times}{gain or 'as long as '}one after another"


CHECKS = (
    Check(
        name="concurrent-streams",
        title="Ten concurrent streams are independent",
        section=SECTION,
        needs=(RequestSet.TOGETHER,),
        judge=judge_together,
    ),
)
