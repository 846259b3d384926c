"""Checks of a gateway's counters, JSON or Prometheus text: whether they count the requests just sent. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from gwtui.apis.gateway_documents import (
    MOST_NAMES,
    DocumentError,
    GatewayEntry,
    MetricsDocument,
    find_raw,
    read_metrics,
)
from gwtui.apis.gateway_metrics import counts_text, dear
from gwtui.checks.check import CheckAnswer, Facts, failed, not_applicable, passed, warned
from gwtui.checks.evidence import Document, Evidence, Probed, ids_of
from gwtui.checks.health import problem_of
from gwtui.checks.request_sets import RequestSet
from gwtui.health.gateway_ledger import growth
from gwtui.model.gateway_figures import COUNT_FIELDS, GatewayCounts
from gwtui.model.profile import Endpoint
from gwtui.model.records import Request
from gwtui.text import units
from gwtui.verdict.gateway_entries import cost_differs, cost_of

OWN_PATH = "/gateway/metrics"
PROMETHEUS_PATH = "/metrics"
METRICS_PATHS = (OWN_PATH, PROMETHEUS_PATH)
_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{.*\})?[ \t]+([0-9.eE+-]+)(?:[ \t]|$)", re.MULTILINE)
"""A line of the text format: a name, labels, a value. One without a number in it counts for nothing."""
_NOTHING = GatewayCounts(**dict.fromkeys(COUNT_FIELDS, 0))
_COUNTS_REQUESTS = re.compile(r"request.*_(?:total|count)$|_requests$")


class _Trouble(NamedTuple):
    """What is wrong, or in doubt."""

    words: str
    """For the end of the evidence."""
    cause: str
    remedy: str


def judge_metrics(evidence: Evidence) -> CheckAnswer:
    """Fails where counters, of all or of providers and models, do not move by what was just sent; warns on costs that
    cannot be, and on what is not reported."""
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
    was, now = _read(before), _read(after)
    if was is None or now is None:
        return failed(
            "there are no counters in `summary`", "Another service answers.", "Add `summary` with its totals."
        )
    return _judge_figures(was, now, good, evidence.target.endpoint)


def _judge_figures(
    before: MetricsDocument, after: MetricsDocument, good: Sequence[Probed], endpoint: Endpoint
) -> CheckAnswer:
    """Against what was just sent. Others may use the gateway too, so more than that is no fault."""
    sent = [each.request for each in good]
    tokens = _tokens(sent)
    grown = growth(before.figures, after.figures)
    if grown is None:
        cause = "The gateway restarted meanwhile, or several processes answer, each with counters of its own."
        remedy = "Check again; let all processes share their counters."
        return failed("a counter of the summary is lower after the requests than before", cause, remedy)
    noted = [entry for ids in ids_of(good) if (entry := find_raw(after.recent, ids)) is not None]
    words = _told(grown, after, len(sent), tokens, len(noted))
    facts: Facts = {
        name: value
        for name, value in (
            ("total_requests", grown.requests),
            ("total_tokens", grown.tokens),
            ("total_cost_usd", grown.cost_usd),
            ("avg_latency_ms", after.figures.avg_latency_ms),
        )
        if value is not None
    }
    details = _details(before, after)
    if (fault := _fault(before, after, grown, sent, noted)) is not None:
        return failed(f"{words}{fault.words}", fault.cause, fault.remedy, details=details, facts=facts)
    if (doubt := _doubt(after, grown, sent, noted, endpoint)) is not None:
        return warned(f"{words}{doubt.words}", doubt.cause, doubt.remedy, details=details, facts=facts)
    return passed(words, details=details, facts=facts)


def _fault(
    before: MetricsDocument,
    after: MetricsDocument,
    grown: GatewayCounts,
    sent: Sequence[Request],
    noted: Sequence[GatewayEntry],
) -> _Trouble | None:
    """What is wrong with the document beside what was sent; None for nothing."""
    if grown.requests is None:
        return _Trouble("", "`summary.total_requests` is missing.", "Add it to /gateway/metrics.")
    tokens, output = _tokens(sent), sum(each.output_tokens or 0 for each in sent)
    uncounted = grown.tokens is not None and (grown.tokens < tokens or not grown.tokens)
    if grown.requests < len(sent) or uncounted or (grown.output_tokens is not None and grown.output_tokens < output):
        return _Trouble(
            "",
            "Requests of this kind (perhaps streams) are not counted, or only later.",
            "Let the gateway count every request when it ends, with the usage that its last events report.",
        )
    for name in ("by_provider", "by_model"):
        was, now = (_requests_of(getattr(each.figures, name)) for each in (before, after))
        told = len(getattr(after.figures, name)) < MOST_NAMES
        if told and now is not None and now - (was or 0) < len(sent):
            return _Trouble(
                f"; but {name} counts {now - (was or 0):+,} requests",
                f"Requests are counted in the summary and not, or elsewhere, in `{name}`.",
                f"Let the gateway count each request in `{name}` too.",
            )
    own = [entry for entry in noted if entry.output_tokens is not None]
    if len(noted) == len(sent) and own and sum(entry.output_tokens or 0 for entry in own) < output:
        counted = sum(entry.output_tokens or 0 for entry in own)
        return _Trouble(
            f"; but recent[] has {counted:,} output tokens for answers that report {output:,}",
            "An entry is written before the usage of its answer is known, as with streams.",
            "Write each entry when its answer has ended.",
        )
    return None


def _doubt(
    after: MetricsDocument,
    grown: GatewayCounts,
    sent: Sequence[Request],
    noted: Sequence[GatewayEntry],
    endpoint: Endpoint,
) -> _Trouble | None:
    """What needs attention; None for nothing."""
    if not grown.cost_usd:
        cause = (
            "Not reported: total_cost_usd." if grown.cost_usd is None else "The gateway has no price for this model."
        )
        return _Trouble("", cause, "Complete the gateway's metrics and price list.")
    costs = [cost_of(request, endpoint.price) for request in sent]
    told = sum(entry.cost_usd or 0 for entry in noted) if len(noted) == len(sent) else grown.cost_usd
    known = len(noted) == len(sent) or grown.requests == len(sent)
    found = dear(grown, "meanwhile")
    if known and None not in costs and (differs := cost_differs(told, sum(filter(None, costs)), len(sent))) is not None:
        found = (differs,)
    if found:
        return _Trouble(f"; {found[0].evidence}", found[0].likely_cause, found[0].entry.remedy)
    missing = [name for name in COUNT_FIELDS if getattr(after.figures, name) is None]
    missing += [name for name in ("by_provider", "by_model") if not getattr(after.figures, name)]
    missing += [] if after.recent_count else ["recent"]
    if missing:
        return _Trouble(
            f"; not reported: {', '.join(missing)}", "The gateway does not count them.", "Complete /gateway/metrics."
        )
    if not after.figures.avg_latency_ms:
        return _Trouble("; avg_latency_ms is 0", "The gateway does not measure its answers.", "Let it measure them.")
    if len(noted) < len(sent):
        return _Trouble(
            f"; recent[] has {after.recent_count} entries",
            "The gateway notes other ids than those it was sent and answers with, or others' requests displaced ours.",
            "Let the gateway note its own and the client's `x-request-id`; check again when it is quiet.",
        )
    if not all(entry.cost_usd for entry in noted):
        return _Trouble("; entries of recent[] have no cost", "Entries are written without a price.", "Add `cost_usd`.")
    return None


def _told(grown: GatewayCounts, after: MetricsDocument, sent: int, tokens: int, noted: int) -> str:
    """What moved, in words."""
    parts = (
        ("in", grown.input_tokens),
        ("out", grown.output_tokens),
        ("cache write", grown.cache_write_tokens),
        ("cache read", grown.cache_read_tokens),
    )
    kinds = ", ".join(f"{name} {_signed(value)}" for name, value in parts if value is not None)
    latency = after.figures.avg_latency_ms
    told = (
        f"after {units.many(sent, 'request')} with {units.count(tokens)} tokens: requests {_signed(grown.requests)}, "
        f"tokens {_signed(grown.tokens)}" + (f" ({kinds})" if kinds else "") + f", cost {_signed(grown.cost_usd)} USD"
    )
    told += f", average latency {latency:,.1f} ms" if latency is not None else ""
    return f"{told}; recent[] has {noted} of {sent}" if after.recent_count else told


def _details(before: MetricsDocument, after: MetricsDocument) -> list[str]:
    """What moved of each provider and model."""
    lines = []
    for name in ("by_provider", "by_model"):
        known = {each.name: each for each in getattr(before.figures, name)}
        for each in getattr(after.figures, name):
            moved = growth(known.get(each.name, _NOTHING), each)
            if moved is not None and (moved.requests or moved.tokens):
                lines.append(f"{name}  {each.name}: +{counts_text(moved)}")
    return lines


def _requests_of(counts: Sequence[GatewayCounts]) -> int | None:
    """All requests of these; None where none says."""
    known = [each.requests for each in counts if each.requests is not None]
    return sum(known) if known else None


def _tokens(sent: Sequence[Request]) -> int:
    return sum((each.input_tokens or 0) + (each.output_tokens or 0) for each in sent)


def _read(document: Document) -> MetricsDocument | None:
    """The document's figures; None where it has none."""
    try:
        return read_metrics(msgspec.json.encode(document.value))
    except DocumentError:
        return None


def requests_counted(before: Document, after: Document) -> float | None:
    """How many requests the gateway counted between the two; None where it does not tell."""
    if after.path == PROMETHEUS_PATH:
        return max(_grown(before, after).values(), default=None)
    was, now = _read(before), _read(after)
    grown = growth(was.figures, now.figures) if was is not None and now is not None else None
    return None if grown is None else grown.requests


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


def _signed(value: float | None) -> str:
    return "not reported" if value is None else f"{value:+,.6g}"
