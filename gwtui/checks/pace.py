"""Checks of the pace of streams: whether events arrive one by one, or are held back on the way. Pure."""

from __future__ import annotations

from gwtui.checks.check import Check, CheckAnswer, Facts, failed, not_applicable, nothing_good, passed, warned
from gwtui.checks.evidence import Evidence, Probed, finding_of
from gwtui.checks.request_sets import RequestSet
from gwtui.checks.streaming import SECTION
from gwtui.model.content_pace import ContentPace
from gwtui.model.enums import FindingName
from gwtui.model.findings import FINDINGS
from gwtui.text import units
from gwtui.verdict.buffering import BURST_SPREAD_NS

BURST_SHARE = 0.05
"""All content within that share of the time it was waited for is one burst, as it is within `BURST_SPREAD_NS`..."""
BURST_EVENTS = 8
"""... if it has this many events: fewer, of some 200 bytes, fit into one TCP segment of 1,460..."""
BURST_WAIT_NS = 150_000_000
"""... and at least this wait: what is generated within a moment also arrives within a moment."""
STALL_NS = 1_000_000_000
"""A pause that interrupts a reader (see `errors.FAST_NS`)..."""
STALL_TIMES = 10
"""... is a stall when it is also longer than this many usual gaps: slow models pause evenly."""


def judge_incremental(evidence: Evidence) -> CheckAnswer:
    """Fails where the content of the longest stream came in one burst."""
    longest = _longest(evidence)
    if longest is None:
        return nothing_good(list(evidence.streams())) or not_applicable("no stream had content")
    probed, pace = longest
    if found := finding_of(probed.request, FindingName.BUFFERED):
        return failed(found.evidence, found.likely_cause, found.entry.remedy, facts=_facts(pace))
    if _is_burst(pace) and pace.events > 1:
        words = f"all {pace.events} content events came at once, {units.duration(pace.first_ns)} after the request"
        if pace.events >= BURST_EVENTS and pace.first_ns >= BURST_WAIT_NS:
            cause = "A finished answer is replayed as a stream, or a proxy buffers the whole body."
            return failed(words, cause, FINDINGS[FindingName.BUFFERED].remedy, facts=_facts(pace))
        return warned(f"{words}: too little to decide", remedy="Request a longer answer.", facts=_facts(pace))
    if pace.events == 1:
        return warned("the answer is one single event: too little to decide", remedy="Request a longer answer.")
    return passed(f"{_pace_words(pace)}, the first after {units.duration(pace.first_ns)}", facts=_facts(pace))


def judge_steady(evidence: Evidence) -> CheckAnswer:
    """Fails where events were held back in groups; warns on a gap of `STALL_TIMES` usual ones."""
    longest = _longest(evidence)
    if longest is None or longest[1].reads < 3 or _is_burst(longest[1]):
        return not_applicable("no stream came in at least three reads, so its pace is unknown")
    probed, pace = longest
    words = (
        f"{_pace_words(pace)}; {pace.reads - 1} gaps of {units.duration(pace.usual_gap_ns)} each would make "
        f"{units.duration((pace.reads - 1) * pace.usual_gap_ns)}; longest gap {units.duration(pace.longest_gap_ns)}"
    )
    held = finding_of(probed.request, FindingName.BUFFERED) or finding_of(probed.request, FindingName.COMBED)
    if held is not None:
        return failed(f"{held.evidence}; {words}", held.likely_cause, held.entry.remedy, facts=_facts(pace))
    if pace.longest_gap_ns > max(STALL_NS, STALL_TIMES * pace.usual_gap_ns):
        cause = "The upstream paused, or a proxy held bytes back."
        return warned(words, cause, "Watch the longest gap for some minutes: `gwtui watch`.", facts=_facts(pace))
    return passed(words, facts=_facts(pace))


def _longest(evidence: Evidence) -> tuple[Probed, ContentPace] | None:
    """The stream with the most content, which tells most about pace; None where no stream had any."""
    paces = [(each, pace) for each in evidence.streams() if (pace := each.request.pace) is not None]
    return max(paces, key=lambda pair: pair[1].events, default=None)


def _is_burst(pace: ContentPace) -> bool:
    return pace.spread_ns < max(BURST_SPREAD_NS, BURST_SHARE * pace.first_ns)


def _pace_words(pace: ContentPace) -> str:
    return f"{pace.events} content events in {pace.reads} reads over {units.duration(pace.spread_ns)}"


def _facts(pace: ContentPace) -> Facts:
    return {
        "content_events": pace.events,
        "reads": pace.reads,
        "first_ms": units.milliseconds(pace.first_ns) or 0.0,
        "spread_ms": units.milliseconds(pace.spread_ns) or 0.0,
        "usual_gap_ms": units.milliseconds(pace.usual_gap_ns) or 0.0,
        "longest_gap_ms": units.milliseconds(pace.longest_gap_ns) or 0.0,
    }


CHECKS = (
    Check(
        name="incremental",
        title="Events arrive one by one, not in a burst",
        section=SECTION,
        needs=(RequestSet.STREAM, RequestSet.LONG_STREAM),
        judge=judge_incremental,
    ),
    Check(
        name="steady",
        title="Events are not held back",
        section=SECTION,
        needs=(RequestSet.STREAM, RequestSet.LONG_STREAM),
        judge=judge_steady,
    ),
)
