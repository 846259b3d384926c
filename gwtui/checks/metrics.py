"""Checks of a gateway's counters, JSON or Prometheus text: whether they count the requests just sent. Pure."""

from __future__ import annotations

import re
from collections import defaultdict

from gwtui.checks.check import CheckAnswer, failed, not_applicable, passed, warned
from gwtui.checks.evidence import Document, Evidence, Probed
from gwtui.checks.health import problem_of
from gwtui.checks.request_sets import RequestSet
from gwtui.text import units

OWN_PATH = "/gateway/metrics"
PROMETHEUS_PATH = "/metrics"
METRICS_PATHS = (OWN_PATH, PROMETHEUS_PATH)
TOKENS = ("total_input_tokens", "total_output_tokens", "total_cache_write_tokens", "total_cache_read_tokens")
"""Figures of the summary that add up to all tokens."""
_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{.*\})?[ \t]+([0-9.eE+-]+)(?:[ \t]|$)", re.MULTILINE)
"""A line of the text format: a name, labels, a value. One without a number in it counts for nothing."""
_COUNTS_REQUESTS = re.compile(r"request.*_(?:total|count)$|_requests$")


def judge_metrics(evidence: Evidence) -> CheckAnswer:
    """Fails where counters of requests or tokens do not move by what was just sent."""
    before, after = evidence.document(RequestSet.METRICS_BEFORE), evidence.document(RequestSet.METRICS_AFTER)
    if before is None or after is None:
        return not_applicable("nothing was sent")
    if after.is_missing:
        return not_applicable(f"the gateway has none of {', '.join(METRICS_PATHS)} (HTTP {after.request.status})")
    prometheus = after.path == PROMETHEUS_PATH
    problem = problem_of(before, before.path or OWN_PATH) or problem_of(after, after.path or OWN_PATH)
    if problem is not None and not (prometheus and _samples(after)):
        return problem
    good = [each for need in (RequestSet.STREAM, RequestSet.ANSWER) for each in evidence.all(need) if each.ok]
    if not good:
        return not_applicable("no request was good, so none has to be counted")
    if prometheus:
        return _judge_counters(before, after, good)
    moved = {name: growth(before, after, name) for name in ("total_requests", "total_tokens", "total_cost_usd")}
    tokens = sum((each.request.input_tokens or 0) + (each.request.output_tokens or 0) for each in good)
    return _judge_moves(moved, len(good), tokens)


def _judge_moves(moved: dict[str, float | None], requests: int, tokens: int) -> CheckAnswer:
    """Against what was just sent. Others may use the gateway too, so more than that is no fault."""
    counts, spent, cost = moved.values()
    unknown = [name for name, value in moved.items() if value is None]
    words = (
        f"after {requests} requests with {units.count(tokens)} tokens: "
        f"requests {_signed(counts)}, tokens {_signed(spent)}, cost {_signed(cost)} USD"
    )
    facts = {name: value for name, value in moved.items() if value is not None}
    if counts is None:
        return failed(words, "`summary.total_requests` is missing.", "Add it to /gateway/metrics.", facts=facts)
    if counts < requests or (spent is not None and (spent < tokens or not spent)):
        return failed(
            words,
            "Requests of this kind (perhaps streams) are not counted, or only later.",
            "Let the gateway count every request when it ends, with the usage that its last events report.",
            facts=facts,
        )
    if unknown or not cost:
        cause = f"not reported: {', '.join(unknown)}" if unknown else "The gateway has no price for this model."
        return warned(words, cause, "Complete the gateway's metrics and price list.", facts=facts)
    return passed(words, facts=facts)


def requests_counted(before: Document, after: Document) -> float | None:
    """How many requests the gateway counted between the two; None where it does not tell."""
    if after.path == PROMETHEUS_PATH:
        return max(_grown(before, after).values(), default=None)
    return growth(before, after, "total_requests")


def _judge_counters(before: Document, after: Document, good: list[Probed]) -> CheckAnswer:
    """Against what was just sent. Names differ from gateway to gateway: one counter of requests must have moved."""
    grown = _grown(before, after)
    if not grown:
        remedy = "Let the gateway count its requests by model and status."
        return warned(f"{PROMETHEUS_PATH} has no counter of requests", remedy=remedy)
    name, count = max(grown.items(), key=lambda each: each[1])
    words = f"{PROMETHEUS_PATH}: {name} {_signed(count)} after {len(good)} requests"
    if count < len(good):
        return failed(
            words,
            "Requests of this kind (perhaps streams) are not counted, or only later.",
            "Let the gateway count every request when it ends.",
            facts={"requests": count},
        )
    return passed(words, facts={"requests": count})


def _grown(before: Document, after: Document) -> dict[str, float]:
    """By how much each counter of requests grew, over all its labels."""
    was, now = _samples(before), _samples(after)
    return {name: value - was.get(name, 0.0) for name, value in now.items() if _COUNTS_REQUESTS.search(name)}


def _samples(document: Document) -> dict[str, float]:
    """The samples of a document in Prometheus' text format, summed over their labels."""
    sums: defaultdict[str, float] = defaultdict(float)
    for name, value in _SAMPLE.findall(document.request.text):
        try:
            sums[name] += float(value)
        except ValueError:
            continue
    return dict(sums)


def growth(before: Document, after: Document, name: str) -> float | None:
    """By how much a figure of the summary grew; None where it is not told."""
    if name == "total_tokens":
        parts = [growth(before, after, part) for part in TOKENS]
        return sum(filter(None, parts)) if any(part is not None for part in parts) else None
    was, now = before.number("summary", name), after.number("summary", name)
    return None if was is None or now is None else now - was


def _signed(value: float | None) -> str:
    return "not reported" if value is None else f"{value:+,.6g}"
