"""Results for a person's eyes: a section at a time, a shape and a word, the evidence, the cause and what to do."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import click

from gwtui.apis.headers import without_query
from gwtui.checks.check import Check
from gwtui.checks.planning import requests_of
from gwtui.checks.request_sets import CheckTarget
from gwtui.model.check_results import CheckOutcome, CheckResult
from gwtui.text import units
from gwtui.text.sanitize import clean

WORDS = {CheckOutcome.NOT_APPLICABLE: "n/a"}
"""Outcomes that are shortened in the table."""
COLOURS = {CheckOutcome.PASS: "green", CheckOutcome.WARN: "yellow", CheckOutcome.FAIL: "red"}
FAINT = "bright_black"
NAME_WIDTH = 18
INDENT = 2 + 1 + 1 + 4 + 2 + NAME_WIDTH + 2
"""Where the evidence begins: after mark, word and name."""
DETAIL_INDENT = 10
NARROWEST = 24
"""The least width that evidence is given."""


@dataclass(frozen=True, slots=True)
class TextStyle:
    """What is printed on."""

    width: int
    colour: bool = False

    def paint(self, text: str, colour: str | None) -> str:
        return click.style(text, fg=colour) if self.colour and colour and text else text


def head(target: CheckTarget, checks: Sequence[Check], style: TextStyle) -> list[str]:
    """What is going to happen: which endpoint, how many checks, how many requests at most."""
    endpoint = target.endpoint
    where = f"{endpoint.name}  {endpoint.api}  {clean(without_query(endpoint.url))}"
    most = sum(requests_of(checks, target))
    return [where[: style.width], style.paint(f"{len(checks)} checks, at most {most} requests", FAINT)]


def lines_of(result: CheckResult, style: TextStyle, before: CheckResult | None = None) -> list[str]:
    """A result; `before` is the one above it, whose heading and words need not be said again."""
    lines = (
        []
        if before is not None and before.section == result.section
        else ["", style.paint(result.section, "bright_white")]
    )
    quiet = FAINT if result.outcome is CheckOutcome.NOT_APPLICABLE else None
    colour = COLOURS.get(result.outcome, FAINT)
    word = style.paint(f"{result.outcome.mark} {WORDS.get(result.outcome, result.outcome.value):<4}", colour)
    name = style.paint(f"{result.name:<{NAME_WIDTH}}", quiet)
    room = max(NARROWEST, style.width - INDENT)
    same = before is not None and quiet is not None and before.evidence == result.evidence
    evidence = "as above" if same else result.evidence
    first, *more = _wrapped(evidence, room) or [""]
    lines.append(f"  {word}  {name}  {style.paint(first, quiet)}".rstrip())
    lines += [" " * INDENT + style.paint(line, quiet) for line in more]
    for label, text in (("likely", result.cause), ("to do", result.remedy)):
        lines += _labelled(label, text, room, style)
    detail_room = max(NARROWEST, style.width - DETAIL_INDENT)
    lines += [" " * DETAIL_INDENT + style.paint(_cut(line, detail_room), FAINT) for line in result.details]
    return lines


def pending(check: Check) -> str:
    """The line that stands where the next result will."""
    return f"  ○ ...   {check.name}"


def summary(results: Sequence[CheckResult], took_ns: int, style: TextStyle) -> str:
    """How many of each, how many requests that took, and how long."""
    counts = Counter(result.outcome for result in results)
    told = "  ".join(
        style.paint(
            f"{outcome.mark} {counts[outcome]} {WORDS.get(outcome, outcome.value)}", COLOURS.get(outcome, FAINT)
        )
        for outcome in CheckOutcome
        if counts[outcome]
    )
    requests = sum(result.requests for result in results)
    return f"{told}    {style.paint(f'{requests} requests in {units.duration(took_ns)}', FAINT)}"


def listing(target: CheckTarget, checks: Sequence[Check], style: TextStyle) -> list[str]:
    """Every check with its question and the requests that it adds to those before it."""
    counts = requests_of(checks, target)
    lines: list[str] = []
    section = ""
    for check, count in zip(checks, counts, strict=True):
        if check.section != section:
            lines += [*([""] if lines else []), style.paint(check.section, "bright_white")]
            section = check.section
        lines += _listed(check.name, count, check.title, style)
    words = "requests at most; what several checks need is sent once"
    return [*lines, "", *_listed("in all", sum(counts), words, style)]


def _listed(name: str, count: int, words: str, style: TextStyle) -> list[str]:
    margin = NAME_WIDTH + 14
    first, *more = _wrapped(words, max(NARROWEST, style.width - margin))
    return [f"  {name:<{NAME_WIDTH}}  {count or '-':>8}  {first}", *(" " * margin + line for line in more)]


def _labelled(label: str, text: str, room: int, style: TextStyle) -> list[str]:
    if not text:
        return []
    first, *more = _wrapped(text, room - 8)
    margin = " " * INDENT
    return [f"{margin}{style.paint(f'{label:<6}', FAINT)}  {first}", *(f"{margin}{' ' * 8}{line}" for line in more)]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
