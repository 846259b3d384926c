"""What came of a campaign, as text, JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from gwtui.bench.campaign.campaign import Campaign, CampaignPoint
from gwtui.bench.campaign.campaign_outlook import notes_of
from gwtui.bench.campaign.campaign_table import LOAD, MAX_TOKENS, PROMPT, axes_lines, values_of
from gwtui.bench.gates.thresholds import Tripped
from gwtui.bench.report import breakdown
from gwtui.bench.report.comparison_json import comparisons_told, failures_told
from gwtui.bench.report.output import endpoint_told, formatted, gate_told, joined
from gwtui.bench.results import csv_out
from gwtui.bench.results.csv_out import AGGREGATE_COLUMNS, aggregate_cells, request_line
from gwtui.bench.results.measured import Measured, series_of
from gwtui.bench.results.steadiness import steadiness_of
from gwtui.codec.cells import Cell
from gwtui.recorder.csvfile import csv_line
from gwtui.stats.comparison import ComparedSeries, Comparison, FailureComparison, compare, compare_failures
from gwtui.stats.sentences import failure_sentence
from gwtui.text import units
from gwtui.text.tables import TextStyle

if TYPE_CHECKING:
    from gwtui.bench.campaign.campaign_run import CampaignRun

AXIS_COLUMNS = ("prompt", "max_tokens", "concurrency", "rate")
"""Of the axes besides the endpoint."""
MOST_LINES = 4
"""More lines than that of a kind, which say little each, are counted."""
DOUBT = "their figures are of values that are wrong by 1 ms or 5 % at most"
POINT_COLUMNS = (*AGGREGATE_COLUMNS, "point", *AXIS_COLUMNS)
"""Of the file with a row per point."""


def campaign_text(run: CampaignRun, style: TextStyle, compared: Sequence[str] = ()) -> str:
    """Everything that was measured, the table over the axes first; `compared`: how a baseline does."""
    named = [each for each in run.named() if each.offered]
    return joined(
        [
            [_heading(run)],
            axes_lines(run.campaign.points, run.measured, style),
            _doubt_lines(named),
            _steadiness_lines(named),
            breakdown.failure_lines([replace(each, tainted=0) for each in named]),
            _pair_lines(run),
            compared,
            [f"note: {each}" for each in notes_of(run.campaign)],
        ]
    )


def _heading(run: CampaignRun) -> str:
    ended = sum(each.total + each.local for each in run.measured.values())
    by = run.stopped_by.name if run.stopped_by else "--deadline" if run.ran_out else ""
    stopped = f"; stopped by {by}, results until then" if by else ""
    campaign = run.campaign
    waits = "the planned send" if campaign.points[0].load.rate is not None else "the last byte sent"
    common = "".join(f"{words}, " for words in _words(campaign.points[0], campaign.points, several=False))
    return (
        f"plan {campaign.plan.name}: {units.many(ended, 'request')} in {units.duration(round(run.seconds * 1e9))}; "
        f"{common}"
        f"{units.many(len(campaign.points), 'point')} in {units.many(len(campaign.blocks), 'block')} that took turns, "
        f"latency from {waits}{stopped}"
    )


def _doubt_lines(named: Sequence[Measured]) -> list[str]:
    """Where gwtui or this machine was too slow, in a line for all points where there are many."""
    slow = [each for each in named if any(each.values[metric].too_slow for metric in each.metrics)]
    lines = breakdown.exactness_lines(named)
    if len(slow) > MOST_LINES:
        points = f"{units.count(len(slow))} of {units.many(len(named), 'point')}"
        lines = [f"{points}: this machine was too slow for values that are exact within 1 ms; {DOUBT}"]
    if tainted := sum(each.tainted for each in named):
        total = sum(each.verdicts.total() for each in named)
        share = f"{units.count(tainted)} of {units.many(total, 'request')}"
        lines.append(f"{share} with times in doubt: gwtui was late (tainted)")
    return lines


def _steadiness_lines(named: Sequence[Measured]) -> list[str]:
    """Which loads were not steady, and what stood still; beyond some lines only how many more there are."""
    lines = [line for each in named for line in steadiness_of(each).lines()]
    told = lines[: 2 * MOST_LINES]
    more = len(lines) - len(told)
    return [*told, *([f"{units.many(more, 'other load')} not steady, or with standstills: see --json"] if more else [])]


def _pairs(run: CampaignRun) -> list[tuple[ComparedSeries, ComparedSeries]]:
    """The pairs that the plan asks for, of which both were measured."""
    series = {each.endpoint: series_of(each) for each in run.named() if each.offered}
    return [
        (series[one.name], series[other.name])
        for one, other in run.campaign.pairs
        if one.name in series and other.name in series
    ]


def _pair_lines(run: CampaignRun) -> list[str]:
    """What the comparisons say, each with where it was measured; of many that decide nothing only the number."""
    points = {point.name: point for point in run.campaign.points}
    pairs = _pairs(run)
    failures = [
        f"{_context(points[each.first], points.values())}{failure_sentence(_by_endpoint(each, points))}"
        for each in compare_failures(pairs)
        if each.is_clear
    ]
    told = [each for each in compare(pairs) if each.metric.about.headline]
    undecided = [each for each in told if each.tends is None]
    if len(undecided) > MOST_LINES:
        told = [each for each in told if each.tends is not None]
    lines = [
        f"{_context(points[each.first], points.values())}{words}"
        for each in told
        for words in breakdown.sentences([_by_endpoint(each, points)])
    ]
    if len(undecided) > MOST_LINES:
        lines += breakdown.undecided_lines(undecided, are_others=bool(lines))
    return [*failures, *lines]


_Found = TypeVar("_Found", Comparison, FailureComparison)


def _by_endpoint(found: _Found, points: Mapping[str, CampaignPoint]) -> _Found:
    """The comparison of two points as one of their endpoints."""
    names = points[found.first].endpoint.name, points[found.second].endpoint.name
    return replace(found, first=names[0], second=names[1])


def _context(point: CampaignPoint, points: Iterable[CampaignPoint]) -> str:
    """Where a point is, on the axes with several values but for the endpoint: `short, 4 at a time: `."""
    words = _words(point, points, several=True)
    return f"{', '.join(words)}: " if words else ""


def _words(point: CampaignPoint, points: Iterable[CampaignPoint], *, several: bool) -> list[str]:
    """The values of a point on the axes with several values, or with one."""
    own, values = values_of(point), [values_of(each) for each in points]
    axes = [axis for axis in (PROMPT, MAX_TOKENS, LOAD) if (len({each[axis] for each in values}) > 1) == several]
    units_of = {MAX_TOKENS: " tokens at most"}
    return [f"{own[axis]}{units_of.get(axis, '')}" for axis in axes if own[axis]]


def campaign_json(
    run: CampaignRun, tripped: Sequence[Tripped], compared: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """One object: the plan, every point, the pairs that the plan asks for, and the gates that were not passed;
    `compared`: how a baseline does."""
    plan, pairs = run.campaign.plan, _pairs(run)
    told = {
        "plan": plan_told(run.campaign),
        "seconds": round(run.seconds, 3),
        "stopped_by": run.stopped_by.name if run.stopped_by else "deadline" if run.ran_out else None,
        "counted_from": "planned send" if plan.rate is not None else "actual send",
        "points": [
            {"point": point.name, **_axes(point), **endpoint_told(run.measured[point.name])}
            for point in run.campaign.points
        ],
        "failures": [failures_told(each) for each in compare_failures(pairs)],
        "comparisons": comparisons_told(compare(pairs)),
        "tripped": [gate_told(each) for each in tripped if not each.undecided],
        "undecided": [gate_told(each) for each in tripped if each.undecided],
        "notes": list(notes_of(run.campaign)),
        **compared,
    }
    return formatted(told)


def plan_told(campaign: Campaign) -> dict[str, Any]:
    """What was asked for."""
    plan = campaign.plan
    return {
        "name": plan.name,
        "profile": campaign.profile.name,
        "endpoints": list(dict.fromkeys(point.endpoint.name for point in campaign.points)),
        "prompts": list(plan.prompts),
        **{axis: list(plan.values(axis)) for axis in ("max_tokens", "concurrency", "rate")},
        "requests": plan.requests_each,
        "for_s": plan.for_s,
        "warmup": plan.warmup,
        "blocks": plan.blocks,
        "slo": plan.slo,
        "fail_if": list(plan.fail_if),
        "compare": [list(pair) for pair in plan.compare],
    }


def _axes(point: CampaignPoint) -> dict[str, Cell]:
    return {name: point.axes.get(name) for name in AXIS_COLUMNS}


def point_lines(run: CampaignRun) -> list[bytes]:
    """The file with a row per point: the columns of an endpoint, then the point and where it is on each axis."""
    rows = [
        csv_line([*aggregate_cells(run.measured[point.name]), point.name, *_axes(point).values()])
        for point in run.campaign.points
    ]
    return [csv_line(POINT_COLUMNS), *rows]


def request_lines(run: CampaignRun) -> list[bytes]:
    """The file with a row per request: point by point, by number."""
    lines = [
        request_line(result, from_planned=run.measured[name].from_planned, point=name)
        for name, results in run.rows.items()
        for result in sorted(results, key=lambda each: each.number)
    ]
    return csv_out.request_lines(lines, have_points=True)
