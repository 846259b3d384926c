"""Check results as text: sections, a shape and a word, the evidence, the cause and the remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gwtui.apis.headers import without_query
from gwtui.checks.check import Check
from gwtui.checks.planning import requests_of
from gwtui.checks.request_sets import CheckTarget
from gwtui.model.check_results import CheckOutcome, CheckResult
from gwtui.text import units
from gwtui.text.sanitize import clean
from gwtui.text.tables import LEAST_TEXT, TextStyle, cut, hanging

WORDS = {CheckOutcome.NOT_APPLICABLE: "n/a"}
"""Outcomes that are shortened in the table."""
COLOURS = {CheckOutcome.PASS: "green", CheckOutcome.WARN: "yellow", CheckOutcome.FAIL: "red"}
FAINT = "bright_black"
NAME_WIDTH = 18
INDENT = 2 + 1 + 1 + 4 + 2 + NAME_WIDTH + 2
"""Where the evidence begins: after mark, word and name."""
DETAIL_INDENT = 10


def head(target: CheckTarget, checks: Sequence[Check], style: TextStyle) -> list[str]:
    """What is going to happen: which endpoint, how many checks, how many requests at most."""
    endpoint = target.endpoint
    where = f"{endpoint.name}  {endpoint.api}  {clean(without_query(endpoint.url))}"
    return [where[: style.width], style.coloured(cost(target, checks), FAINT)]


def cost(target: CheckTarget, checks: Sequence[Check]) -> str:
    """The number of checks, and of the requests that they send at most."""
    most = units.many(sum(requests_of(checks, target)), "request")
    return f"{units.many(len(checks), 'check')}, up to {most}"


def lines_of(result: CheckResult, style: TextStyle, before: CheckResult | None = None) -> list[str]:
    """A result; `before` is the one above it, whose heading and words need not be said again."""
    lines = (
        []
        if before is not None and before.section == result.section
        else ["", style.coloured(result.section, "bright_white")]
    )
    quiet = FAINT if result.outcome is CheckOutcome.NOT_APPLICABLE else None
    colour = COLOURS.get(result.outcome, FAINT)
    word = style.coloured(f"{result.outcome.mark} {WORDS.get(result.outcome, result.outcome.value):<4}", colour)
    name = style.coloured(f"{result.name:<{NAME_WIDTH}}", quiet)
    same = before is not None and quiet is not None and before.evidence == result.evidence
    evidence = "as above" if same else result.evidence
    lines += hanging(f"  {word}  {name}  ", evidence, style, INDENT, quiet)
    for label, text in (("likely", result.cause), ("to do", result.remedy)):
        if text:
            begin = f"{' ' * INDENT}{style.coloured(f'{label:<6}', FAINT)}  "
            lines += hanging(begin, text, style, INDENT + 8)
    room = max(LEAST_TEXT, style.width - DETAIL_INDENT)
    lines += [" " * DETAIL_INDENT + style.coloured(cut(line, room), FAINT) for line in result.details]
    return lines


def pending(check: Check) -> str:
    """The line that stands where the next result will."""
    return f"  ○ ...   {check.name}"


def summary(results: Sequence[CheckResult], took_ns: int, style: TextStyle) -> str:
    """The number of each outcome, the number of requests, and the duration."""
    counts = Counter(result.outcome for result in results)
    told = "  ".join(
        style.coloured(
            f"{outcome.mark} {counts[outcome]} {WORDS.get(outcome, outcome.value)}", COLOURS.get(outcome, FAINT)
        )
        for outcome in CheckOutcome
        if counts[outcome]
    )
    requests = units.many(sum(result.requests for result in results), "request")
    return f"{told}    {style.coloured(f'{requests} in {units.duration(took_ns)}', FAINT)}"


def listing(target: CheckTarget, checks: Sequence[Check], style: TextStyle) -> list[str]:
    """Every check with its question and the requests that it adds to those before it."""
    counts = requests_of(checks, target)
    lines: list[str] = []
    section = ""
    for check, count in zip(checks, counts, strict=True):
        if check.section != section:
            lines += [*([""] if lines else []), style.coloured(check.section, "bright_white")]
            section = check.section
        lines += _listed(check.name, count, check.title, style)
    words = "requests at most; requests that several checks need are sent once"
    return [*lines, "", *_listed("total", sum(counts), words, style)]


def _listed(name: str, count: int, words: str, style: TextStyle) -> list[str]:
    begin = f"  {name:<{NAME_WIDTH}}  {count or '-':>8}  "
    return hanging(begin, words, style, len(begin))
