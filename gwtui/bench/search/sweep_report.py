"""What a sweep has found, as text with the knee of the curve, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from gwtui.bench.report.breakdown import goodput_told
from gwtui.bench.report.table import TableCell, grid
from gwtui.bench.results.steadiness import steadiness_of
from gwtui.bench.search.sweep import Axis, Sweep, SweepPoint
from gwtui.model.metrics import Metric
from gwtui.text import units
from gwtui.text.tables import TextStyle

BAR = 20
"""Characters of the longest bar."""


def sweep_text(sweeps: Sequence[Sweep], style: TextStyle, stopped_by: str = "") -> str:
    """Per endpoint the sentence, then its loads from the lowest to the highest."""
    return "\n\n".join("\n".join((*_sentences(each, stopped_by), "", *_curve(each, style))) for each in sweeps)


def sentence(sweep: Sweep) -> str:
    """`sustains 98/s with p95 TTFT < 500 ms`."""
    best, broken, rule = sweep.best, sweep.lowest_broken, sweep.rule
    if best is None:
        if broken is None:
            return "nothing was measured"
        return f"does not keep {rule} at {sweep.axis.text(broken.load)}, the lowest load that was tried"
    rates = best.measured.rates
    per_s = f" ({units.rate(rates.per_s(rates.completed))}/s)" if sweep.axis is Axis.CONCURRENCY and rates else ""
    at_least = "at least " if broken is None else ""
    above = "" if broken is None else f"; {sweep.axis.text(broken.load)} does not: {broken.broken}"
    return f"sustains {at_least}{sweep.axis.text(best.load)}{per_s} with {rule}{above}"


def _sentences(sweep: Sweep, stopped_by: str) -> Iterator[str]:
    yield f"{sweep.endpoint.name}: {sentence(sweep)}"
    unsure = [each for each in sweep.points if steadiness_of(each.measured).is_steady is None]
    if unsure:
        yield f"{units.many(len(unsure), 'load')} had too few good requests to say whether it was steady"
    yield (
        f"{units.many(sweep.used + _cut(sweep), 'request')}; a load keeps the objectives if that share of the requests "
        "that were due keeps each, and it is steady"
    )
    if sweep.stopped:
        yield sweep.stopped
    if sweep.cut is not None:
        load, sent = sweep.axis.text(sweep.cut.load), units.many(_cut(sweep), "request")
        yield f"{load} was cut off after {sent}: they are in the rows, and judge nothing"
    if stopped_by:
        yield f"stopped by {stopped_by}, results until then"


def _cut(sweep: Sweep) -> int:
    """Requests that were due of a load that was cut off."""
    return 0 if sweep.cut is None else sweep.cut.measured.offered


def _curve(sweep: Sweep, style: TextStyle) -> list[str]:
    points = sorted(sweep.points, key=lambda each: each.load)
    if not points:
        return []
    metric = _shown(sweep, points[0])
    values = [point.measured.percentile(metric, 0.95).value_ns for point in points]
    top = max(filter(None, values), default=1)
    headings = ("Load", "Goodput/s", "Kept", f"P95 {metric.label}", "", "")
    rows = [
        [
            TableCell(sweep.axis.text(point.load)),
            TableCell(units.rate(_per_s(point))),
            TableCell(f"{units.share(point.measured.goodput_share)} %"),
            TableCell(units.duration(value)),
            TableCell(("#" * max(value is not None, round(BAR * (value or 0) / top))).ljust(BAR)),
            TableCell("kept" if point.kept else f"broken: {point.broken.partition(';')[0]}"),
        ]
        for point, value in zip(points, values, strict=True)
    ]
    return grid(headings, rows, style)


def _shown(sweep: Sweep, point: SweepPoint) -> Metric:
    return sweep.slo[0].metric if sweep.slo else point.measured.main


def _per_s(point: SweepPoint) -> float | None:
    rates = point.measured.rates
    return None if rates is None else rates.per_s(point.measured.goodput)


def sweep_json(sweeps: Sequence[Sweep], stopped_by: str = "") -> str:
    """One object: per endpoint what it sustains, and every load."""
    told = {"sweeps": [_sweep(each) for each in sweeps], "stopped_by": stopped_by or None}
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _sweep(sweep: Sweep) -> dict[str, Any]:
    best, broken = sweep.best, sweep.lowest_broken
    return {
        "endpoint": sweep.endpoint.name,
        "axis": sweep.axis.value,
        "slo": [each.text for each in sweep.slo],
        "sustains": None if best is None else best.load,
        "broken_at": None if broken is None else broken.load,
        "sentence": sentence(sweep),
        "requests": sweep.used + _cut(sweep),
        "cut_off": None if sweep.cut is None else {**_point(sweep.cut), "kept": None},
        "stopped": sweep.stopped or None,
        "points": [_point(each) for each in sweep.points],
    }


def _point(point: SweepPoint) -> dict[str, Any]:
    measured, rates = point.measured, point.measured.rates
    return {
        "point": point.name,
        "load": point.load,
        "kept": point.kept,
        "broken": point.broken or None,
        "total_requests": measured.total,
        "failed": measured.failed,
        "never_sent": measured.missed,
        "completed_per_s": None if rates is None else round(rates.per_s(rates.completed) or 0.0, 3),
        "goodput": goodput_told(measured),
        "steadiness": steadiness_of(measured).as_json(),
        "p95_ms": {
            metric.value: units.milliseconds(measured.percentile(metric, 0.95).value_ns) for metric in measured.metrics
        },
    }
