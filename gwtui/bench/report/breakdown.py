"""A benchmark in words: which endpoint is faster, what failed and how, and how late an open loop ran."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gwtui.bench.report.table import TableCell, grid
from gwtui.bench.results.measured import FIGURES, Failures, Measured, series_of
from gwtui.bench.results.values import Percentile
from gwtui.bench.work.plan import Plan
from gwtui.engine.load import PATIENCE
from gwtui.model.enums import Kind, Unsent
from gwtui.model.metrics import Metric
from gwtui.model.verdicts import Verdict
from gwtui.stats.comparison import ComparedSeries, Comparison, all_pairs, compare, compare_failures
from gwtui.stats.histogram import rank, supported
from gwtui.stats.sentences import TOO_SHORT, failure_sentence, fine_percent, sentence
from gwtui.text import units
from gwtui.text.tables import TextStyle

READ_ERRORS, TRUNCATED = "read errors", "truncated streams"
GROUPS = {
    "network timeouts": (
        Verdict.CONNECT_TIMEOUT,
        Verdict.NO_FIRST_BYTE,
        Verdict.TIMEOUT,
        Verdict.STALLED,
        Verdict.NO_PONG,
    ),
    "no connection": (Verdict.DNS, Verdict.REFUSED, Verdict.UNREACHABLE, Verdict.PROXY, Verdict.TLS),
    READ_ERRORS: (Verdict.RESET, Verdict.CLOSED, Verdict.DECODE_ERROR, Verdict.TOO_LARGE, Verdict.NOT_HTTP),
    TRUNCATED: (Verdict.TRUNCATED,),
    "errors inside a stream": (Verdict.ERROR_IN_STREAM,),
    "empty answers": (Verdict.EMPTY,),
    "streams out of order": (Verdict.OUT_OF_ORDER,),
    "answers that are not a stream": (Verdict.NOT_A_STREAM,),
    "own faults, not counted": (Verdict.LOCAL,),
}
"""Failures that are counted together. All other verdicts are grouped by the status of the answer, as are empty answers
and what is not a stream where the status is not 200."""
BODIES = (Verdict.EMPTY, Verdict.NOT_A_STREAM)
_GROUP_OF = {verdict: name for name, verdicts in GROUPS.items() for verdict in verdicts}
UNSENT = {
    Unsent.NO_ROOM: "no room in time",
    Unsent.GIVEN_UP: f"given up: no connection in time, or for some {PATIENCE}",
}
"""Why the endpoint kept requests from being sent."""
MOST_PAIRS = 10
"""More pairs than that are not told one by one."""
MOST_UNDECIDED = 2
"""More comparisons without a result than that are counted, not told one by one."""


def comparison_lines(measured: Sequence[Measured]) -> list[str]:
    """What the comparisons of the endpoints say: clear differences of failures first, then one statement for each pair
    and latency. Pings are not compared with completions."""
    lines = []
    for is_completion in (True, False):
        group = [each for each in measured if (each.kind is Kind.COMPLETION) == is_completion and each.total]
        if len(group) > 1:
            lines += _all_compared(sorted(group, key=lambda each: each.whole.mean_ns or math.inf))
    return lines


def _all_compared(group: Sequence[Measured]) -> list[str]:
    """All pairs, or where they are too many the fastest with each other one."""
    pairs = all_pairs([series_of(each) for each in group])
    found = compare(pairs if len(pairs) <= MOST_PAIRS else pairs[: len(group) - 1])
    failures = [failure_sentence(each) for each in compare_failures(pairs) if each.is_clear]
    return [*failures, *_short_sentences(found)]


def _short_sentences(found: Sequence[Comparison]) -> list[str]:
    """As `sentences`, with at most `MOST_UNDECIDED` of comparisons that decide nothing."""
    undecided = [each for each in found if each.metric.about.headline and each.tends is None]
    if len(undecided) <= MOST_UNDECIDED:
        return sentences(found)
    lines = sentences([each for each in found if each.tends is not None])
    return lines + undecided_lines(undecided, are_others=bool(lines))


def undecided_lines(undecided: Sequence[Comparison], *, are_others: bool) -> list[str]:
    """How many comparisons decide nothing, by the reason. `are_others`: some beside them decide something."""
    short = [each for each in undecided if each.too_short]
    few = [each for each in undecided if each.median is None and not each.too_short]
    alike = [each for each in undecided if each.median is not None]
    counts = (
        (f"no evidence of a difference{_least_of(alike)} in", len(alike)),
        (f"{TOO_SHORT}:", len(short)),
        ("too few results for", len(few)),
    )
    noun = "other comparison" if are_others else "comparison"
    return [f"{what} {units.many(number, noun)}" for what, number in counts if number]


def _least_of(found: Sequence[Comparison]) -> str:
    least = [each.least for each in found if each.least is not None]
    return f" ({fine_percent(max(least))} % or more would have been one)" if least else ""


def sentences(found: Sequence[Comparison]) -> list[str]:
    """The comparisons that are worth a sentence."""
    return [sentence(each) for each in found if each.metric.about.headline]


def pair_line(first: ComparedSeries, second: ComparedSeries) -> str:
    """What is compared: `gateway (200 of 200 good) against sourcegraph (187 of 200 good)`."""
    return f"{_good(first)} against {_good(second)}"


def _good(series: ComparedSeries) -> str:
    if not series.is_counted:
        return f"{series.name} (number of requests unknown)"
    if series.total is None:
        return f"{series.name} ({series.ok} good, failures unknown)"
    return f"{series.name} ({series.ok} of {series.total} good)"


def figures_of(series: ComparedSeries) -> dict[str, int]:
    """Average, median and so on of the whole latency, as a file of figures has them; those of the file if it is one."""
    sample = series.samples.get(Metric.E2E)
    if sample is None:
        return dict(series.figures)
    values, n = sorted(sample.values), len(sample.values)
    shares = {name: values[rank(q, n) - 1] for name, q in FIGURES.items()}
    return {"avg": round(sum(values) / n), **shares, "total": sum(values)}


def figure_lines(first: ComparedSeries, second: ComparedSeries, style: TextStyle) -> list[str]:
    """Two endpoints of which only figures are left, or none."""
    one, other = figures_of(first), figures_of(second)
    both = [name for name in one if name in other]
    missing = [each.name for each, figures in ((first, one), (second, other)) if not figures]
    if not both:
        return [f"nothing to compare: no successful result of {' and '.join(missing)}"]
    rows = [
        [
            TableCell(name),
            TableCell(units.duration(one[name])),
            TableCell(units.duration(other[name])),
            TableCell(_change(one, other, name)),
        ]
        for name in both
    ]
    return [
        *grid(("Figure", first.name, second.name, "change"), rows, style),
        "a file of figures has no single results: whether these differences are more than chance is unknown",
    ]


def _change(one: Mapping[str, int], other: Mapping[str, int], name: str) -> str:
    return f"{(other[name] - one[name]) / one[name] * 100:+z.1f} %" if one[name] else units.MISSING


def summary_lines(measured: Sequence[Measured]) -> list[str]:
    """Per endpoint how many requests there were, and how many of them succeeded and failed; of several endpoints the
    sum too. Then as `failure_lines`."""
    lines = [f"{each.endpoint}: {_counts(each.ok, each.failed)}" for each in measured]
    if len(measured) > 1:
        lines.append(f"total: {_counts(sum(each.ok for each in measured), sum(each.failed for each in measured))}")
    failures = failure_lines(measured)
    return [*lines, "", *failures] if failures else lines


def _counts(ok: int, failed: int) -> str:
    total = ok + failed
    if not total:
        return "no requests"
    good = f"{units.count(ok)} successful ({units.share(ok / total)} %)"
    return f"{units.many(total, 'request')}, {good}, {units.count(failed)} failed ({units.share(failed / total)} %)"


def failure_lines(measured: Sequence[Measured]) -> list[str]:
    """Per endpoint what failed, by kind, each with its first case, what was found, and what is in doubt; none where all
    went well."""
    lines = []
    for each in measured:
        if each.failed or each.local:
            lines += [_failure_heading(each), *_failure_groups(each)]
        if each.cancelled:
            lines.append(f"{each.endpoint}: {units.count(each.cancelled)} in flight when gwtui stopped, not counted")
        if each.findings:
            found = ", ".join(f"{name} {units.count(n)}" for name, n in each.findings.most_common())
            lines.append(f"{each.endpoint}: found {found}")
        if each.tainted:
            lines.append(f"{each.endpoint}: {units.count(each.tainted)} with times in doubt: gwtui was late (tainted)")
    return lines


def _failure_heading(measured: Measured) -> str:
    if not measured.ok:
        return f"{measured.endpoint}: all of {units.count(measured.total)} requests failed; there are no statistics"
    return (
        f"{measured.endpoint}: {units.count(measured.failed)} of {units.count(measured.total)} requests failed; "
        f"statistics calculated on {units.count(measured.whole.n)} successful requests only"
    )


def _failure_groups(measured: Measured) -> list[str]:
    groups: dict[str, list[Failures]] = {}
    for each in sorted(measured.failures.values(), key=lambda each: -each.count):
        groups.setdefault(_group(each, is_stream=Metric.TTFT in measured.metrics), []).append(each)
    lines = []
    for name, members in groups.items():
        lines.append(f"  {name}: {units.count(sum(each.count for each in members))}")
        lines += [f"    {_failure_line(each)}" for each in members]
    return lines + [
        f"  never sent: {units.count(number)} ({UNSENT[why]})"
        for why, number in measured.unsent.most_common()
        if why in UNSENT
    ]


def _group(failures: Failures, *, is_stream: bool) -> str:
    is_200 = failures.status in (None, 101, 200)
    by_status = "unexpected answers" if is_200 else "non-200 answers"
    name = _GROUP_OF.get(failures.verdict, by_status) if is_200 or failures.verdict not in BODIES else by_status
    return READ_ERRORS if name == TRUNCATED and not is_stream else name


def _failure_line(failures: Failures) -> str:
    status = f"{failures.status} " if failures.status is not None else ""
    trace = f" (trace {failures.trace_id})" if failures.trace_id else ""
    return (
        f"{status}{failures.verdict} {units.count(failures.count)}: first #{failures.number} {failures.reason}{trace}"
    )


def goodput_lines(measured: Sequence[Measured]) -> list[str]:
    """Per endpoint how many of the requests that were due keep the objectives, all of them and one by one."""
    return [_goodput_line(each) for each in measured if each.attainment is not None and each.total]


def goodput_told(measured: Measured) -> dict[str, Any]:
    """Requests that keep all objectives, as a share of those due; without objectives, good ones."""
    found, rates = measured.attainment, measured.rates
    return {
        "requests": measured.goodput,
        "share": measured.goodput_share,
        "per_s": None if rates is None else round(rates.per_s(measured.goodput) or 0.0, 3),
        "in_doubt": found.unknown if found is not None else 0,
        "slo": [
            {
                "objective": each.text,
                "metric": each.metric.value,
                "limit_ms": units.milliseconds(round(each.limit_ns)),
                "kept": kept,
                "in_doubt": unknown,
            }
            for each, kept, unknown in (found.rows() if found is not None else ())
        ],
    }


def _goodput_line(measured: Measured) -> str:
    found, rates, total = measured.attainment, measured.rates, measured.total
    if found is None or (share := measured.goodput_share) is None:
        return f"{measured.endpoint}: no request can be judged by the SLOs: gwtui itself was late"
    per_s = "" if rates is None else f"goodput {units.rate(rates.per_s(found.kept))}/s, "
    kept = [f"{each.limit_text} {units.share(n / max(1, total - unsure))} %" for each, n, unsure in found.rows()]
    doubt = f"; {units.count(found.unknown)} in doubt, left out" if found.unknown else ""
    parts = f": {', '.join(kept)}" if len(kept) > 1 else f" {found.objectives[0].limit_text}"
    slo = "all SLOs" if len(kept) > 1 else "the SLO"
    return (
        f"{measured.endpoint}: {per_s}{units.share(share)} % of {units.many(total, 'request')} keep {slo}{parts}{doubt}"
    )


def open_loop_lines(measured: Sequence[Measured], actual: Sequence[Measured], plan: Plan) -> list[str]:
    """What a closed loop would not have told: how the wait for room adds to the latency, and what gwtui itself was too
    slow for."""
    why = f", as {plan.concurrency_limit}" if plan.concurrency_limit else ""
    used_up = f"the maximum concurrency, {units.count(plan.concurrency)}{why}, was used up"
    lines = []
    for each, sent in zip(measured, actual, strict=True):
        parts = [
            f"{name} {_known(each.whole.percentile(q))} from the planned send, "
            f"{_known(sent.whole.percentile(q))} from the actual one"
            for name, q in (("p50", 0.5), ("p95", 0.95))
            if supported(q, sent.whole.n)
        ]
        parts.append(f"latest start {units.duration(each.max_lateness_ns)} after its planned time")
        if each.no_room:
            parts.append(f"{units.many(each.no_room, 'request')} waited for room: {used_up}")
        if unsent := each.unsent[Unsent.NO_ROOM]:
            parts.append(f"{units.count(unsent)} planned requests found no room in time and were never sent")
        lines += [f"{each.endpoint}: {'; '.join(parts)}", *_own_lateness(each)]
    return lines


def _known(found: Percentile) -> str:
    return units.duration(found.value_ns) if found.supported else units.quantile(None, found.n)


def _own_lateness(each: Measured) -> list[str]:
    """What was gwtui's own fault, which the endpoint is not charged with."""
    lines = []
    if each.own_late:
        of = f"{units.count(each.own_late)} of {units.many(each.flights.started, 'request')}"
        late = f"up to {units.duration(each.max_own_lateness_ns)} late"
        lines.append(f"{each.endpoint}: gwtui itself started {of} too late ({late}): they are out of the latencies")
    if unsent := each.unsent[Unsent.OWN_LATENESS]:
        lines.append(
            f"{each.endpoint}: {units.many(unsent, 'planned request')} never sent: gwtui itself was too slow, which is "
            "no failure of the endpoint"
        )
    return lines


def exactness_lines(measured: Sequence[Measured]) -> list[str]:
    """What was left out of the figures, and for which of them this machine was too slow."""
    lines = []
    kept = [(each, [metric for metric in each.metrics if each.values[metric].measured]) for each in measured]
    if any(each.values[metric].exact < each.values[metric].measured for each, found in kept for metric in found):
        lines.append("n of m: of m values n are exact within 1 ms; the others are left out")
    for each, found in kept:
        slow = [
            f"{metric.label} {units.count(values.exact)} of {units.count(values.measured)}"
            for metric in found
            if (values := each.values[metric]).too_slow
        ]
        if slow:
            lines.append(
                f"{each.endpoint}: this machine was too slow: exact within 1 ms are {', '.join(slow)}; "
                "figures are of those that are wrong by 1 ms or 5 % at most"
            )
    return lines
