"""The charts of a write-up as inline SVG. Colours are classes, which the page defines for light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import groupby, pairwise

from gwtui.model.enums import Outcome, State
from gwtui.model.verdicts import Verdict
from gwtui.report.writeup.document import Bucket, EndpointPart, TimelineEntry, Writeup, sane
from gwtui.text import units

WIDTH = 960
LEFT, RIGHT = 74, 14
PLOT = 150
"""The height of one chart of latencies, without its axis."""
LANE = 34
BARS = 130
TOP = 16
"""Above the plots: where failures and marks are."""
MOST_TICKS = 8
MOST_COLOURS = 6
"""Verdicts with a colour of their own; further ones share the last."""
FEW_DOTS = 300
"""Fewer are drawn larger."""
CROSS = 7
"""The width of the sign of a failure: of those that would overlap one is drawn."""
LOG_FROM = 20.0
"""The axis is logarithmic where the largest value is that many times the median."""
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_HEIGHTS = {State.UP: 6, State.PAUSED: 6, State.UNKNOWN: 3, State.SLOW: 14, State.DEGRADED: 16, State.DOWN: 18}


class _Frame:
    """Places times in the width of a chart, and has what all charts share."""

    def __init__(self, writeup: Writeup) -> None:
        self._from, self._to = writeup.shown_from_at, max(writeup.shown_to_at, writeup.shown_from_at + 1)
        self._writeup = writeup

    def x(self, at: float) -> float:
        share = (min(max(at, self._from), self._to) - self._from) / (self._to - self._from)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def behind(self, height: int) -> str:
        """The period, shaded, and the marks."""
        left, right = self.x(self._writeup.began_at), self.x(self._writeup.ended_at)
        shade = f'<rect class="during" x="{left}" y="{TOP}" width="{max(right - left, 2):.1f}" height="{height}"/>'
        return shade + "".join(self._mark(each, height) for each in self._writeup.marks)

    def _mark(self, mark: TimelineEntry, height: int) -> str:
        x = self.x(mark.at)
        return (
            f'<g class="mark"><title>{escape(mark.text)}</title>'
            f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{TOP + height}"/><text x="{x}" y="{TOP - 4}">◆</text></g>'
        )

    def axis(self, height: int) -> str:
        """The clock below a chart."""
        y = TOP + height
        ticks = "".join(
            f'<line class="tick" x1="{self.x(at)}" x2="{self.x(at)}" y1="{y}" y2="{y + 4}"/>'
            f'<text class="clock" x="{self.x(at)}" y="{y + 16}">{label}</text>'
            for at, label in self._ticks()
        )
        return f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>{ticks}'

    def _ticks(self) -> Iterator[tuple[float, str]]:
        length_s = self._to - self._from
        step = next((each for each in _STEPS_S if length_s / each <= MOST_TICKS), math.ceil(length_s / MOST_TICKS))
        form = "%H:%M:%S" if step < 60 else "%H:%M" if length_s < 86_400 else "%m-%d %H:%M"
        at = math.ceil(self._from / step) * step
        while at <= self._to:
            yield at, f"{datetime.fromtimestamp(sane(at), UTC):{form}}"
            at += step


def strip_svg(writeup: Writeup, parts: Sequence[EndpointPart]) -> str:
    """A lane of states for each endpoint: the worse, the higher."""
    frame, lanes = _Frame(writeup), []
    for number, part in enumerate(parts):
        base = TOP + number * LANE + LANE - 6
        lanes.append(f'<text class="name" x="{LEFT}" y="{base - 20}">{escape(_shortened(part.title))}</text>')
        for span in part.states:
            x, height = frame.x(span.from_at), _HEIGHTS[span.state]
            width = max(frame.x(span.to_at) - x, 1.5)
            told = f"{span.state} {_clock(span.from_at)} to {_clock(span.to_at)}"
            mark = (
                f'<text class="on {span.state}" x="{x + 3}" y="{base - 3}">{span.state.mark}</text>'
                if width > 14
                else ""
            )
            lanes.append(
                f'<g><title>{told}</title><rect class="state {span.state}" x="{x}" y="{base - height}" '
                f'width="{width:.1f}" height="{height}"/>{mark if height > 12 else ""}</g>'
            )
    height = len(parts) * LANE
    return svg("States over time", height, [frame.behind(height), *lanes, frame.axis(height)])


def latency_svg(writeup: Writeup, part: EndpointPart) -> str:
    """A dot for each result, the p50 as a line and a band up to the p90, failures at the top."""
    frame = _Frame(writeup)
    values = [each.value_ns for each in part.dots]
    scale = ChartScale(values, part.usual_ns)
    middle = writeup.bucket_s / 2
    pieces = [frame.behind(PLOT), *scale.lines()]
    if part.usual_ns is not None:
        y = scale.y(part.usual_ns)
        pieces.append(f'<line class="usual" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
    pieces += [_band(run, frame, scale, middle) for run in _runs(part.buckets, writeup.bucket_s, "p90_ns")]
    pieces.append(_dots(frame, scale, part))
    pieces += [_line(run, frame, scale, middle) for run in _runs(part.buckets, writeup.bucket_s, "p50_ns")]
    if part.failed_at:
        places = {round(frame.x(at) / CROSS): frame.x(at) for at in part.failed_at}
        crosses = "".join(f"M{x - 2.5:.1f} {TOP + 3}l5 5m0 -5l-5 5" for x in places.values())
        pieces.append(f'<path class="failed" d="{crosses}"/>')
    if not values:
        pieces.append(f'<text class="none" x="{WIDTH / 2}" y="{TOP + PLOT / 2}">no {part.metric} was measured</text>')
    return svg(f"{part.metric} of {part.title} over time", PLOT, [*pieces, frame.axis(PLOT)])


def verdicts_svg(writeup: Writeup) -> str:
    """The verdicts per minute as stacked bars."""
    frame = _Frame(writeup)
    count = max((len(each.counts) for each in writeup.verdicts), default=0)
    totals = [sum(each.counts[at] for each in writeup.verdicts) for at in range(count)]
    most = max(totals, default=0) or 1
    first_at = writeup.shown_from_at // writeup.bucket_s * writeup.bucket_s
    pieces = [frame.behind(BARS)]
    for share in (0.5, 1.0):
        y = TOP + BARS - share * (BARS - 6)
        text = f"{most * share * 60 / writeup.bucket_s:.3g}"
        pieces.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        pieces.append(f'<text class="value" x="{LEFT - 6}" y="{y + 4:.1f}">{text}</text>')
    classes = verdict_classes(each.verdict for each in writeup.verdicts)
    for at in range(count):
        begin = first_at + at * writeup.bucket_s
        x, below = frame.x(begin), float(TOP + BARS)
        width = max(frame.x(begin + writeup.bucket_s) - x - 1, 1.0)
        for each in writeup.verdicts:
            if not each.counts[at]:
                continue
            height = each.counts[at] / most * (BARS - 6)
            below -= height
            pieces.append(
                f'<rect class="{classes[each.verdict]}" x="{x}" y="{below:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}"><title>{_clock(begin)}: {each.verdict} {each.counts[at]}</title></rect>'
            )
    return svg("Verdicts per minute", BARS, [*pieces, frame.axis(BARS)])


def verdict_classes(verdicts: Iterable[Verdict]) -> dict[Verdict, str]:
    """The class of each verdict, which is its colour: good ones have one, failures one each while there are some."""
    classes, failures = {}, 0
    for verdict in verdicts:
        if verdict.outcome is Outcome.OK:
            classes[verdict] = "good"
        else:
            classes[verdict] = f"bad{min(failures, MOST_COLOURS - 1)}"
            failures += 1
    return classes


class ChartScale:
    """Places values in the height of a chart: linear from 0, or logarithmic where they lie far apart."""

    def __init__(
        self,
        values: Sequence[int],
        usual_ns: int | None = None,
        *,
        text: Callable[[int], str] = units.duration,
        is_linear: bool = False,
    ) -> None:
        """`text`: how a value is written. `is_linear`: never logarithmic."""
        self._text = text
        known = sorted([*values, *([usual_ns] if usual_ns is not None else [])])
        self._high = max(known[-1] if known else 0, 1) * 1.05
        self._low = 0.0
        if known and not is_linear and self._high > LOG_FROM * max(known[len(known) // 2], 1):
            self._low = max(known[0], 1) / 1.2

    def y(self, value_ns: int) -> float:
        if self._low:
            share = math.log(max(value_ns, self._low) / self._low) / math.log(self._high / self._low)
        else:
            share = value_ns / self._high
        return round(TOP + PLOT - min(share, 1.0) * (PLOT - 14), 1)

    def lines(self) -> Iterator[str]:
        """Rules at round values, with their texts."""
        for value in self._round_values():
            y = self.y(value)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
            yield f'<text class="value" x="{LEFT - 6}" y="{y + 4}">{self._text(value)}</text>'
        if self._low:
            yield f'<text class="value" x="{LEFT - 6}" y="{TOP - 4}">log</text>'

    def _round_values(self) -> list[int]:
        if self._low:
            powers = range(math.floor(math.log10(self._low)), math.ceil(math.log10(self._high)) + 1)
            return [10**power for power in powers if power >= 0 and self._low <= 10**power <= self._high]
        power = 10.0 ** math.floor(math.log10(self._high / 3))
        step = max(factor * power for factor in (1, 2, 2.5, 5) if factor * power <= self._high / 2)
        return [round(step * at) for at in range(1, int(self._high / step) + 1)]


def _runs(buckets: Sequence[Bucket], width_s: float, name: str) -> Iterator[list[Bucket]]:
    """The stretches of shares, one after the other, that have this percentile."""
    known = [each for each in buckets if getattr(each, name) is not None]
    starts = [0]
    for before, after in pairwise(known):
        starts.append(starts[-1] + (after.at - before.at > 1.5 * width_s))
    for _, run in groupby(zip(starts, known, strict=False), key=lambda each: each[0]):
        yield [bucket for _, bucket in run]


def _band(run: Sequence[Bucket], frame: _Frame, scale: ChartScale, middle: float) -> str:
    upper = [f"{frame.x(each.at + middle)},{scale.y(each.p90_ns or 0)}" for each in run]
    lower = [f"{frame.x(each.at + middle)},{scale.y(each.p50_ns or 0)}" for each in reversed(run)]
    return f'<polygon class="band" points="{" ".join((*upper, *lower))}"/>'


def _line(run: Sequence[Bucket], frame: _Frame, scale: ChartScale, middle: float) -> str:
    points = " ".join(f"{frame.x(each.at + middle)},{scale.y(each.p50_ns or 0)}" for each in run)
    return f'<polyline class="p50" points="{points}"/>'


def _dots(frame: _Frame, scale: ChartScale, part: EndpointPart) -> str:
    """All dots as one path of lines without length, which their round ends make visible."""
    path = "".join(f"M{frame.x(each.at)} {scale.y(each.value_ns)}h0" for each in part.dots)
    kind = "dots few" if len(part.dots) < FEW_DOTS else "dots"
    return f'<path class="{kind}" d="{path}"/>' if path else ""


def svg(label: str, height: int, pieces: Sequence[str]) -> str:
    """One chart, of that height without its axis."""
    whole = TOP + height + 22
    return (
        f'<svg viewBox="0 0 {WIDTH} {whole}" role="img" aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>{''.join(pieces)}</svg>"
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:99]}…"


def _clock(at: float) -> str:
    return units.clock(sane(at))
