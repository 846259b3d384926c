"""Checks of the pace of streams: whether events arrive as they are made, or are held back on the way. Pure."""

from __future__ import annotations

from gwtui.checks.check import Check, CheckAnswer, failed, not_applicable, nothing_good, passed, warned
from gwtui.checks.evidence import Evidence, finding_of
from gwtui.checks.flow import Flow, longest_of
from gwtui.checks.request_sets import RequestSet
from gwtui.checks.streaming import SECTION
from gwtui.model.enums import FindingName
from gwtui.model.findings import FINDINGS
from gwtui.text import units

BURST_NS = 5_000_000
"""All content within that time is one burst..."""
BURST_SHARE = 0.05
"""... or within that share of the time it was waited for..."""
BURST_EVENTS = 8
"""... if there is as much of it..."""
BURST_WAIT_NS = 150_000_000
"""... and it was waited for so long: what is generated within a moment also arrives within a moment."""
STALL_NS = 1_000_000_000
STALL_TIMES = 10
"""A gap is a stall when it is longer than this many usual ones, and than `STALL_NS`."""


def judge_incremental(evidence: Evidence) -> CheckAnswer:
    longest = longest_of(evidence.streams())
    if longest is None:
        return nothing_good(list(evidence.streams())) or not_applicable("no stream had any content")
    probed, flow = longest
    if found := finding_of(probed.request, FindingName.BUFFERED):
        return failed(found.evidence, found.likely_cause, found.entry.remedy, facts=_facts(flow))
    if _is_burst(flow) and flow.events > 1:
        words = f"all {flow.events} content events came at once, {units.duration(flow.first_ns)} after the request"
        if flow.events >= BURST_EVENTS and flow.first_ns >= BURST_WAIT_NS:
            cause = "A finished answer is replayed as a stream, or a proxy buffers the whole body."
            return failed(words, cause, FINDINGS[FindingName.BUFFERED].remedy, facts=_facts(flow))
        return warned(f"{words}: too little to tell", remedy="Ask for a longer answer.", facts=_facts(flow))
    if flow.events == 1:
        return warned("the answer is one single event: too little to tell", remedy="Ask for a longer answer.")
    return passed(f"{_flow_words(flow)}, the first after {units.duration(flow.first_ns)}", facts=_facts(flow))


def judge_steady(evidence: Evidence) -> CheckAnswer:
    longest = longest_of(evidence.streams())
    if longest is None or longest[1].reads < 3 or _is_burst(longest[1]):
        return not_applicable("no stream came in three reads at least, so there is no pace to look at")
    probed, flow = longest
    words = (
        f"{_flow_words(flow)}; {flow.reads - 1} gaps of {units.duration(flow.usual_gap_ns)} each would make "
        f"{units.duration((flow.reads - 1) * flow.usual_gap_ns)}; longest gap {units.duration(flow.longest_gap_ns)}"
    )
    held = finding_of(probed.request, FindingName.BUFFERED) or finding_of(probed.request, FindingName.COMBED)
    if held is not None:
        return failed(f"{held.evidence}; {words}", held.likely_cause, held.entry.remedy, facts=_facts(flow))
    if flow.longest_gap_ns > max(STALL_NS, STALL_TIMES * flow.usual_gap_ns):
        cause = "The upstream paused, or a proxy held bytes back for a while."
        return warned(words, cause, "Watch the longest gap for some minutes: `gwtui watch`.", facts=_facts(flow))
    return passed(words, facts=_facts(flow))


def _is_burst(flow: Flow) -> bool:
    return flow.spread_ns < max(BURST_NS, BURST_SHARE * flow.first_ns)


def _flow_words(flow: Flow) -> str:
    return f"{flow.events} content events in {flow.reads} reads over {units.duration(flow.spread_ns)}"


def _facts(flow: Flow) -> dict[str, int | float | str]:
    return {
        "content_events": flow.events,
        "reads": flow.reads,
        "first_ms": units.milliseconds(flow.first_ns) or 0.0,
        "spread_ms": units.milliseconds(flow.spread_ns) or 0.0,
        "usual_gap_ms": units.milliseconds(flow.usual_gap_ns) or 0.0,
        "longest_gap_ms": units.milliseconds(flow.longest_gap_ns) or 0.0,
    }


CHECKS = (
    Check(
        name="incremental",
        title="events arrive one by one, not in a burst",
        section=SECTION,
        needs=(RequestSet.STREAM, RequestSet.LONG_STREAM),
        judge=judge_incremental,
    ),
    Check(
        name="steady",
        title="nothing is held back between events",
        section=SECTION,
        needs=(RequestSet.STREAM, RequestSet.LONG_STREAM),
        judge=judge_steady,
    ),
)
