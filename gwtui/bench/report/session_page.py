"""The report of a bench session as Markdown, and as one HTML page with pictures. All text is escaped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import groupby

from gwtui.bench.report.session_report import HEADINGS, BenchReport, PointPart
from gwtui.report.writeup.charts import LEFT, PLOT, RIGHT, TOP, WIDTH, ChartScale, svg
from gwtui.report.writeup.markdown import code
from gwtui.report.writeup.markdown import table as markdown_table
from gwtui.report.writeup.page import definitions, page, section, table
from gwtui.stats.per_second import LoadStep
from gwtui.text import units

MOST_CHARTS = 24
"""Points with pictures of their own, the first ones."""
MOST_COLUMNS = 80
"""Columns of a line of bars in Markdown."""
MOST_POINTS = 2000
"""Points of a line in a picture."""
MOST_TICKS = 10
_BARS = "▁▂▃▄▅▆▇█"
_TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)


def bench_markdown(report: BenchReport) -> str:
    """The whole document, with a line end."""
    shown = [line for part in report.points[:MOST_CHARTS] for line in _lines(part, report)]
    parts = [
        [f"## {code(report.title)}"],
        [f"- **{label}**: {code(text)}" for label, text in report.facts],
        ["### Results", "", *markdown_table(HEADINGS, report.rows, {0})],
        ["### Points", "", *(f"- {code(name)}: {code(text)}" for name, text in report.asked)],
        ["### Per second", "", *_fenced(shown)] if shown else [],
        ["### All figures", "", *_fenced(report.text.split("\n"))],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def bench_html(report: BenchReport) -> str:
    """The whole document: no script, nothing fetched."""
    return page(
        report.title,
        [
            definitions(report.facts),
            section("Results", table(HEADINGS, ("", *["number"] * (len(HEADINGS) - 1)), report.rows)),
            section("Per second", _charts(report)) if report.points else "",
            section("Points", definitions(report.asked)),
            section("All figures", f'<div class="scroll"><pre>{escape(report.text)}</pre></div>'),
        ],
    )


def _fenced(lines: Sequence[str]) -> list[str]:
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in _ticks_in(line)), default=0))
    return [f"{fence}text", *lines, fence]


def _ticks_in(line: str) -> Iterator[str]:
    return ("".join(run) for is_tick, run in groupby(line, lambda char: char == "`") if is_tick)


def _lines(part: PointPart, report: BenchReport) -> list[str]:
    """Bars of one point: what ended, what was under way and how long it took, in shares of its time."""
    shares = _shares(part.steps, MOST_COLUMNS)
    if not shares:
        return []
    span = units.span(round(len(part.steps) * _width_s(part.steps) * 1e9))
    rows: list[tuple[str, list[float | None], Callable[[float], str]]] = [
        ("ended/s", [_mean(share, lambda s: s.ended) for share in shares], lambda value: f"{value:.4g}/s"),
        ("failed/s", [_mean(share, lambda s: s.failed) for share in shares], lambda value: f"{value:.4g}/s"),
        ("in flight", [_mean(share, lambda s: s.in_flight) for share in shares], lambda value: f"{value:.4g}"),
        (f"{part.main.label} p95", [_highest(share) for share in shares], lambda value: units.duration(round(value))),
    ]
    told = [f"{report.mask(part.point.name)}, {span}"]
    for name, values, text in rows:
        most = max((value for value in values if value is not None), default=0.0)
        signs = "".join(_bar(value, most) for value in values)
        told.append(f"  {name:<10} {signs}  highest {text(most)}")
    return told


def _bar(value: float | None, most: float) -> str:
    if value is None or not most:
        return " " if value is None else "."
    return _BARS[min(int(value / most * len(_BARS)), len(_BARS) - 1)] if value else "."


def _mean(share: Sequence[LoadStep], read: Callable[[LoadStep], float]) -> float | None:
    return sum(map(read, share)) / len(share) / _width_s(share)


def _highest(share: Sequence[LoadStep]) -> float | None:
    return max((step.p95_ns for step in share if step.p95_ns is not None), default=None)


def _width_s(steps: Sequence[LoadStep]) -> float:
    return steps[1].at_s - steps[0].at_s if len(steps) > 1 else 1.0


def _shares(steps: Sequence[LoadStep], most: int) -> list[Sequence[LoadStep]]:
    size = max(1, math.ceil(len(steps) / most))
    return [steps[at : at + size] for at in range(0, len(steps), size)]


def _charts(report: BenchReport) -> str:
    pieces = [
        '<p class="soft">Seconds since the first request of each point. Dots: started; line: ended; red: failed or '
        "never sent. Latencies: the line is the p50 of what ended in a second, the band goes up to the p95.</p>"
    ]
    for part in report.points[:MOST_CHARTS]:
        if not part.steps:
            continue
        name = escape(report.mask(part.point.name))
        pieces += [f"<h3>{name}: requests per second</h3>", _figure(_flow_svg(part))]
        pieces += [f"<h3>{name}: in flight</h3>", _figure(_flying_svg(part))]
        pieces += [f"<h3>{name}: {escape(part.main.label)}</h3>", _figure(_latency_svg(part))]
    if (left := len(report.points) - MOST_CHARTS) > 0:
        pieces.append(f'<p class="soft">{units.many(left, "further point")} in the table, and as JSON.</p>')
    return "\n".join(pieces)


def _figure(picture: str) -> str:
    return f"<figure>{picture}</figure>"


class _Axis:
    """Places seconds in the width of a picture."""

    def __init__(self, steps: Sequence[LoadStep]) -> None:
        self._first_s, self.width_s = steps[0].at_s, _width_s(steps)
        self._span_s = max(len(steps) * self.width_s, 1.0)

    def x(self, at_s: float) -> float:
        return round(LEFT + (at_s - self._first_s) / self._span_s * (WIDTH - LEFT - RIGHT), 1)

    def middle(self, step: LoadStep) -> float:
        return self.x(step.at_s + self.width_s / 2)

    def drawn(self) -> str:
        """The line with its ticks."""
        y = TOP + PLOT
        step = next((each for each in _TICKS_S if self._span_s / each <= MOST_TICKS), _TICKS_S[-1])
        places = [(self.x(self._first_s + at), units.span(at * 10**9)) for at in range(0, int(self._span_s) + 1, step)]
        ticks = "".join(
            f'<line class="tick" x1="{x}" x2="{x}" y1="{y}" y2="{y + 4}"/>'
            f'<text class="clock" x="{x}" y="{y + 16}">{label}</text>'
            for x, label in places
        )
        return f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>{ticks}'


def _flow_svg(part: PointPart) -> str:
    steps, axis = part.steps, _Axis(part.steps)
    scale = _counts([value for step in steps for value in (step.started, step.ended, step.failed + step.never_sent)])
    pieces = [*scale.lines()]
    for step in steps:
        if bad := step.failed + step.never_sent:
            x, y = axis.x(step.at_s), scale.y(_thousandths(bad))
            width = max(axis.x(step.at_s + axis.width_s) - x, 1.0)
            pieces.append(
                f'<rect class="bad0" x="{x}" y="{y}" width="{width:.1f}" height="{TOP + PLOT - y:.1f}">'
                f"<title>{step.failed} failed, {step.never_sent} never sent</title></rect>"
            )
    pieces.append(_polyline("usual", axis, scale, [(step, _thousandths(step.started)) for step in steps]))
    pieces.append(_polyline("p50", axis, scale, [(step, _thousandths(step.ended)) for step in steps]))
    return svg(f"Requests per second of {part.point.name}", PLOT, [*pieces, axis.drawn()])


def _flying_svg(part: PointPart) -> str:
    axis = _Axis(part.steps)
    scale = _counts([step.in_flight for step in part.steps])
    line = _polyline("p50", axis, scale, [(step, _thousandths(step.in_flight)) for step in part.steps])
    return svg(f"Requests in flight of {part.point.name}", PLOT, [*scale.lines(), line, axis.drawn()])


def _latency_svg(part: PointPart) -> str:
    axis = _Axis(part.steps)
    known = [step for step in part.steps if step.p50_ns is not None and step.p95_ns is not None]
    scale = ChartScale([value for step in known for value in (step.p50_ns or 0, step.p95_ns or 0)])
    pieces = [*scale.lines()]
    for run in _runs(known, axis.width_s):
        upper = [f"{axis.middle(step)},{scale.y(step.p95_ns or 0)}" for step in run]
        lower = [f"{axis.middle(step)},{scale.y(step.p50_ns or 0)}" for step in reversed(run)]
        pieces.append(f'<polygon class="band" points="{" ".join((*upper, *lower))}"/>')
        pieces.append(_polyline("p50", axis, scale, [(step, step.p50_ns or 0) for step in run]))
        if len(run) == 1:
            pieces.append(f'<path class="dots few" d="M{axis.middle(run[0])} {scale.y(run[0].p50_ns or 0)}h0"/>')
    if not known:
        pieces.append(f'<text class="none" x="{WIDTH / 2}" y="{TOP + PLOT / 2}">no latency was measured</text>')
    return svg(f"{part.main.label} of {part.point.name} per second", PLOT, [*pieces, axis.drawn()])


def _counts(values: Sequence[float]) -> ChartScale:
    """A scale of numbers, in thousandths: its rules may lie between whole ones."""
    return ChartScale([_thousandths(value) for value in values], text=lambda value: f"{value / 1000:g}", is_linear=True)


def _thousandths(value: float) -> int:
    return round(value * 1000)


def _runs(steps: Sequence[LoadStep], width_s: float) -> Iterator[list[LoadStep]]:
    """Steps that follow each other."""
    run: list[LoadStep] = []
    for step in steps:
        if run and step.at_s - run[-1].at_s > 1.5 * width_s:
            yield run
            run = []
        run.append(step)
    if run:
        yield run


def _polyline(kind: str, axis: _Axis, scale: ChartScale, values: Sequence[tuple[LoadStep, int]]) -> str:
    """A line through the values; of very many the highest of those that share a place."""
    size = max(1, math.ceil(len(values) / MOST_POINTS))
    shown = [max(values[at : at + size], key=lambda each: each[1]) for at in range(0, len(values), size)]
    points = " ".join(f"{axis.middle(step)},{scale.y(value)}" for step, value in shown)
    return f'<polyline class="{kind}" fill="none" points="{points}"/>'
