"""A write-up as one HTML file: no script, nothing fetched, light and dark, and fit to print. All text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from html import escape
from importlib.resources import files

from gwtui.model.enums import State
from gwtui.report.writeup.charts import latency_svg, strip_svg, verdict_classes, verdicts_svg
from gwtui.report.writeup.document import EndpointPart, EvidenceResult, Writeup
from gwtui.report.writeup.wording import (
    FIGURE_HEADINGS,
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

MOST_CHARTS = 8
"""Endpoints with a chart of their own, the worst ones."""
_NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'"
"""What the page may do: use the styles in it."""


def writeup_html(writeup: Writeup, zone: tzinfo | None) -> str:
    """The whole document."""
    times = WallTimes(zone)
    return page(
        writeup.title,
        [
            definitions(facts(writeup, times)),
            section("Before, during and after", _figures(writeup)),
            section("Charts", _charts(writeup, times)) if writeup.endpoints else "",
            section("Timeline (UTC)", _timeline(writeup, times)),
            section("Evidence", _samples(writeup, times)) if writeup.evidence else "",
            section("How it was measured", _measured(writeup, times)),
        ],
    )


def page(title: str, parts: Iterable[str]) -> str:
    """A document of these parts, which are HTML; empty ones are left out."""
    heading = escape(title)
    style = (files("gwtui.report.writeup") / "page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_ELSE}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, [f"<h1>{heading}</h1>", *parts]))
        + "\n</body>\n</html>\n"
    )


def section(heading: str, content: str) -> str:
    """A part below its heading."""
    return f"<h2>{escape(heading)}</h2>\n{content}"


def definitions(rows: Iterable[tuple[str, str]]) -> str:
    """Labels, each with its text."""
    return f"<dl>{''.join(f'<dt>{escape(label)}</dt><dd>{escape(text)}</dd>' for label, text in rows)}</dl>"


def _measured(writeup: Writeup, times: WallTimes) -> str:
    lines = [*map(_quoting, measured_lines(writeup, times)), escape(writeup.provenance.unread)]
    return "".join(f"<p>{each}</p>" for each in lines if each)


def _quoting(text: str) -> str:
    """A sentence of the program, in which code is quoted."""
    pieces = escape(text).split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{piece}</code>" if at % 2 else piece for at, piece in enumerate(pieces))


def _figures(writeup: Writeup) -> str:
    rows = [[cell.replace(" %", "\u00a0%") for cell in row] for row in figure_rows(writeup)]
    figures = table(FIGURE_HEADINGS, ("", "", *["number"] * (len(FIGURE_HEADINGS) - 2)), rows)
    told = [(each.title, verdict_text(each.during)) for each in writeup.endpoints if each.during.failed]
    return figures + (f"<h3>Verdicts during</h3>{definitions(told)}" if told else "")


def table(headings: Sequence[str], kinds: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; `kinds` are the classes of its columns."""

    def line(tag: str, cells: Sequence[str]) -> str:
        marked = ((f' class="{kind}"' if kind else "", escape(cell)) for kind, cell in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(f'<{tag}{kind}>{cell}</{tag}>' for kind, cell in marked)}</tr>"

    body = "\n".join(line("td", row) for row in rows)
    if not body:
        return '<p class="soft">none</p>'
    return f'<div class="scroll"><table><thead>{line("th", headings)}</thead>\n<tbody>{body}</tbody></table></div>'


def _charts(writeup: Writeup, times: WallTimes) -> str:
    told = writeup.endpoints[:MOST_CHARTS]
    shown = f"{times.span(writeup.shown_from_at, writeup.shown_to_at)}; the clocks below are UTC."
    what = "the incident" if writeup.incident is not None else "the period"
    pieces = [f'<p class="soft">{escape(shown)} Shaded: {what}.{" ◆: marks." if writeup.marks else ""}</p>']
    with_states = [each for each in told if each.states]
    if with_states:
        pieces += ["<h3>States</h3>", _figure(strip_svg(writeup, with_states), _state_key(with_states))]
    for each in told:
        heading = escape(f"{each.title}: {each.metric}")
        pieces += [f"<h3>{heading}</h3>", _figure(latency_svg(writeup, each), _dot_key(each))]
    pieces += ["<h3>Verdicts per minute</h3>", _figure(verdicts_svg(writeup), _verdict_key(writeup))]
    if left := len(writeup.endpoints) - len(told):
        pieces.append(f'<p class="soft">{units.many(left, "further endpoint")} in the table above.</p>')
    return "\n".join(pieces)


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def _state_key(parts: Iterable[EndpointPart]) -> str:
    known = {span.state for part in parts for span in part.states}
    return "".join(_key(f"state {state}", f"{state.mark} {state}") for state in State if state in known)


def _verdict_key(writeup: Writeup) -> str:
    classes = verdict_classes(each.verdict for each in writeup.verdicts)
    keys = (_key(classes[each.verdict], f"{each.verdict} {units.count(sum(each.counts))}") for each in writeup.verdicts)
    return "".join(keys)


def _key(kind: str, text: str) -> str:
    return (
        f'<span class="key"><svg viewBox="0 0 10 10"><rect class="{kind}" width="10" height="10"/></svg>'
        f"{escape(text)}</span>"
    )


def _dot_key(part: EndpointPart) -> str:
    told = ["A dot is a result."]
    if any(each.p50_ns is not None for each in part.buckets):
        band = ", the band reaches to the p90" if any(each.p90_ns is not None for each in part.buckets) else ""
        told.append(f"The line is the p50{band}.")
    if part.usual_ns is not None:
        told.append(f"Dotted: the usual {units.duration(part.usual_ns)}.")
    if part.failed_at:
        told.append("Crosses: failures.")
    if left := part.dots_left_out + part.failed_left_out:
        told.append(f"{units.many(left, 'result')} without a dot or cross of their own, evenly chosen.")
    return escape(" ".join(told))


def _timeline(writeup: Writeup, times: WallTimes) -> str:
    return table(("time", "what", "text"), ("time", "what", ""), moment_rows(writeup, times))


def _samples(writeup: Writeup, times: WallTimes) -> str:
    return f'<div class="samples">{"".join(_sample(each, times) for each in writeup.evidence)}</div>'


def _sample(each: EvidenceResult, times: WallTimes) -> str:
    headers = [(name, text) for name, text in each.headers.items() if text]
    rows = definitions((*evidence_rows(each, times), *headers))
    return f'<div class="sample"><h3>{escape(evidence_title(each))}</h3>{rows}</div>\n'
