"""A write-up as Markdown for an issue tracker. Text from elsewhere is code, so it is no markup, link or mention."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from datetime import tzinfo

from gwtui.model.enums import State
from gwtui.report.writeup.document import EndpointPart, Writeup
from gwtui.report.writeup.wording import (
    FIGURE_HEADINGS,
    OWN_WORDS,
    WallTimes,
    evidence_rows,
    evidence_title,
    facts,
    figure_rows,
    measured_lines,
    moment_rows,
    verdict_text,
)
from gwtui.text import units
from gwtui.text.tables import cells

MOST_CHARTS = 6
_SPECIAL = re.compile(r"([\\*_<>\[\]#|~@])")
_BARS = "▁▂▃▄▅▆▇█"
_FAILED = "✖"
_STATES = {State.UP: "·", State.SLOW: "▲", State.DEGRADED: "▲", State.DOWN: "✖", State.PAUSED: "‖", State.UNKNOWN: " "}


def writeup_markdown(writeup: Writeup, zone: tzinfo | None) -> str:
    """The whole document, with a line end."""
    times = WallTimes(zone)
    shown = _charts(writeup)
    span = times.span(writeup.shown_from_at, writeup.shown_to_at)
    failing = [each for each in writeup.endpoints if each.during.failed]
    unread = [f"- {code(writeup.provenance.unread)}"] if writeup.provenance.unread else []
    parts = [
        [f"## {code(writeup.title)}"],
        [f"- **{label}**: {text if label in OWN_WORDS else code(text)}" for label, text in facts(writeup, times)],
        ["### Before, during and after", "", *table(FIGURE_HEADINGS, figure_rows(writeup), {0})],
        [f"- {code(each.title)} during: {verdict_text(each.during)}" for each in failing],
        [f"### Chart, {span}", "", *shown] if shown else [],
        ["### Timeline (UTC)", "", *table(("time", "what", "text"), moment_rows(writeup, times), {1, 2})],
        ["### Evidence", *_evidence(writeup, times)] if writeup.evidence else [],
        ["### How it was measured", "", *(f"- {plain(each)}" for each in measured_lines(writeup, times)), *unread],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def code(text: str) -> str:
    """The text as inline code, whatever is in it."""
    if not text:
        return ""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{space}{text}{space}{fence}"


def plain(text: str) -> str:
    """A sentence of the program: what is code in it stays so, all else is escaped."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return code(text)
    return "`".join(piece if at % 2 else _SPECIAL.sub(r"\\\1", piece) for at, piece in enumerate(pieces))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], foreign: Set[int]) -> list[str]:
    """The lines of a table. `foreign`: the columns whose text comes from elsewhere."""
    lines = [
        " | ".join(code(cell).replace("|", "\\|") if at in foreign else cell for at, cell in enumerate(row))
        for row in rows
    ]
    if not lines:
        return ["none"]
    return [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}", *(f"| {line} |" for line in lines)]


def _charts(writeup: Writeup) -> list[str]:
    """A block of text: per endpoint a line of its p50 in each share of the time, and one of its states."""
    told = writeup.endpoints[:MOST_CHARTS]
    if not told:
        return []
    label = max(cells(f"{each.title} {each.metric}") for each in told)
    count = len(writeup.verdicts[0].counts) if writeup.verdicts else 0
    lines = []
    for each in told:
        most_ns = max((bucket.max_ns or 0 for bucket in each.buckets), default=0)
        most = f"  highest {units.duration(most_ns)}" if most_ns else ""
        signs = _latencies(each, writeup, count, most_ns)
        lines.append(_chart_line(f"{each.title} {each.metric}", label, signs + most))
        if each.states:
            lines.append(_chart_line("  state", label, _states(each, writeup, count)))
    axis = _chart_line("", label, _axis(writeup, count))
    left = len(writeup.endpoints) - len(told)
    note = [f"({units.many(left, 'further endpoint')} in the table above)"] if left else []
    about = "the incident" if writeup.incident is not None else "the period"
    width = units.span(round(writeup.bucket_s * 1e9))
    legend = f"A column is {width}. Bars: its highest latency. {_FAILED}: something failed. ^: {about}."
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, axis, *note, legend, fence]


def _chart_line(name: str, width: int, signs: str) -> str:
    return f"{name}{' ' * (width - cells(name))}  {signs}".rstrip()


def _place(at: float, writeup: Writeup) -> int:
    first_at = writeup.shown_from_at // writeup.bucket_s * writeup.bucket_s
    return int((at - first_at) // writeup.bucket_s)


def _latencies(part: EndpointPart, writeup: Writeup, count: int, most_ns: int) -> str:
    signs = [" "] * count
    for bucket in part.buckets:
        sign = "."
        if bucket.failed:
            sign = _FAILED
        elif bucket.max_ns is not None and most_ns:
            sign = _BARS[min(bucket.max_ns * len(_BARS) // most_ns, len(_BARS) - 1)]
        signs[min(max(_place(bucket.at, writeup), 0), count - 1)] = sign
    return "".join(signs)


def _states(part: EndpointPart, writeup: Writeup, count: int) -> str:
    """The worst state in each share of the time."""
    found: list[State | None] = [None] * count
    for span in part.states:
        for at in range(_place(span.from_at, writeup), min(_place(span.to_at, writeup) + 1, count)):
            before = found[at]
            if before is None or _severity(span.state) > _severity(before):
                found[at] = span.state
    return "".join(_STATES[each] if each is not None else " " for each in found)


def _severity(state: State) -> int:
    return (State.UNKNOWN, State.PAUSED, State.UP, State.SLOW, State.DEGRADED, State.DOWN).index(state)


def _axis(writeup: Writeup, count: int) -> str:
    first, last = _place(writeup.began_at, writeup), _place(writeup.ended_at, writeup)
    return "".join("^" if first <= at <= last else " " for at in range(count))


def _evidence(writeup: Writeup, times: WallTimes) -> list[str]:
    lines: list[str] = []
    for each in writeup.evidence:
        lines += ["", f"- **{code(evidence_title(each))}**"]
        lines += [f"  - {label}: {code(text)}" for label, text in evidence_rows(each, times)]
        lines += [f"  - {code(name)}: {code(text)}" for name, text in each.headers.items() if text]
    return lines
