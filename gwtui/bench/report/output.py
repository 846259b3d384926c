"""The results of a benchmark or a comparison, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from gwtui.bench.gates import ratio_gates
from gwtui.bench.gates.ratio_gates import GateAnswer
from gwtui.bench.gates.thresholds import Tripped
from gwtui.bench.report import breakdown, table
from gwtui.bench.report.comparison_json import comparisons_told, failures_told
from gwtui.bench.results.measured import Failures, Measured, series_of
from gwtui.bench.results.rates import Rates
from gwtui.bench.results.steadiness import steadiness_of
from gwtui.bench.results.values import Percentile
from gwtui.model.enums import Unsent
from gwtui.model.metrics import Metric
from gwtui.stats.comparison import (
    ComparedSeries,
    Comparison,
    all_pairs,
    compare,
    compare_failures,
)
from gwtui.stats.sentences import change_sentence, failure_sentence
from gwtui.text import units
from gwtui.text.tables import TextStyle
from gwtui.text.units import milliseconds

if TYPE_CHECKING:
    from gwtui.bench.run.runner import BenchRun  # telling what was measured before needs no prober

SHARES = (0.05, 0.5, 0.75, 0.8, 0.9, 0.95, 0.99)


def bench_text(run: BenchRun, style: TextStyle, compared: Sequence[str] = (), *, doubtful: bool = False) -> str:
    """Everything that was measured, the table first, and the lines about a baseline; `doubtful`: with percentiles that
    n does not support."""
    measured = list(run.measured.values())
    blocks = [
        [_heading(run)],
        table.latencies(measured, style, doubtful=doubtful),
        breakdown.open_loop_lines(measured, list(run.actual.values()), run.plan) if run.plan.rate is not None else [],
        table.rates(measured, style),
        breakdown.goodput_lines(measured),
        [line for each in measured for line in steadiness_of(each).lines()],
        [*table.details(measured, style), *breakdown.exactness_lines(measured)],
        breakdown.comparison_lines(measured),
        breakdown.summary_lines(measured),
        compared,
    ]
    return joined(blocks)


def joined(blocks: Iterable[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _heading(run: BenchRun) -> str:
    ended = sum(each.total + each.local for each in run.measured.values())
    by = run.stopped_by.name if run.stopped_by else "--deadline" if run.ran_out else ""
    stopped = f"; stopped by {by}, results until then" if by else ""
    took = units.duration(round(run.seconds * 1e9))
    most = run.send_capacity
    able = f"; this machine can send about {units.count(round(most))}/s" if most is not None else ""
    return f"{units.many(ended, 'request')} in {took}; {run.workload.text(run.plan)}{able}{stopped}"


def bench_json(run: BenchRun, tripped: Sequence[Tripped], compared: Mapping[str, Any] = MappingProxyType({})) -> str:
    """One object: the plan, every endpoint, every pair of endpoints, the gates that were not passed, and what is said
    of a baseline."""
    plan = run.plan
    pairs = all_pairs([series_of(each) for each in run.measured.values()])
    told = {
        "plan": run.workload.told_with(plan),
        "seconds": round(run.seconds, 3),
        "stopped_by": run.stopped_by.name if run.stopped_by else "deadline" if run.ran_out else None,
        "send_capacity_per_s": _rounded(run.send_capacity),
        "counted_from": "planned send" if plan.rate is not None else "actual send",
        "endpoints": [endpoint_told(each) for each in run.measured.values()],
        "failures": [failures_told(each) for each in compare_failures(pairs)],
        "comparisons": comparisons_told(compare(pairs)),
        **gates_told(tripped),
        **compared,
    }
    if plan.rate is not None:
        told["from_actual_send"] = [endpoint_told(each) for each in run.actual.values()]
    return formatted(told)


def gates_told(tripped: Sequence[Tripped]) -> dict[str, Any]:
    """The gates that were not passed."""
    return {
        "tripped": [gate_told(each) for each in tripped if not each.undecided],
        "undecided": [gate_told(each) for each in tripped if each.undecided],
    }


def gate_told(tripped: Tripped) -> dict[str, str]:
    return {"gate": tripped.gate, "endpoint": tripped.endpoint, "reason": tripped.reason}


def formatted(told: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def endpoint_told(measured: Measured) -> dict[str, Any]:
    return {
        "endpoint": measured.endpoint,
        "successful": measured.ok,
        "failed": measured.failed,
        "total_requests": measured.total,
        "fail_share": measured.fail_share,
        "cancelled": measured.cancelled,
        "own_faults": measured.local,
        "tainted": measured.tainted,
        "never_sent": measured.missed,
        "never_sent_by": {why.value.replace(" ", "_"): measured.unsent[why] for why in Unsent},
        "no_room": measured.no_room,
        "own_late": measured.own_late,
        "rates": _rates(measured.rates),
        "goodput": breakdown.goodput_told(measured),
        "steadiness": steadiness_of(measured).as_json(),
        "latency": measured.main.value,
        "total_ms": milliseconds(measured.whole.total_ns) if measured.whole.n else None,
        "metrics": {metric.value: _metric(measured, metric) for metric in measured.metrics},
        "median_tokens_per_s": measured.median_tokens_per_s,
        "max_lateness_ms": milliseconds(measured.max_lateness_ns),
        "max_own_lateness_ms": milliseconds(measured.max_own_lateness_ns),
        "verdicts": {verdict.value: n for verdict, n in measured.verdicts.most_common()},
        "findings": {name.value: n for name, n in measured.findings.most_common()},
        "failures": [_failures(each) for each in measured.failures.values()],
        "total_cost_usd": measured.cost_usd,
    }


def _rates(found: Rates | None) -> dict[str, Any] | None:
    """From the first counted send to the last counted end; per user: per request in flight."""
    if found is None:
        return None
    counts = {name: getattr(found, name) for name in ("offered", "started", "completed", "good", "never_sent")}
    tokens = {name: getattr(found, name) for name in ("input_tokens", "output_tokens")}
    per_s = {f"{name}_per_s": _rounded(found.per_s(number)) for name, number in (counts | tokens).items()}
    return {
        "seconds": round(found.span_ns / 1e9, 6),
        **counts,
        **tokens,
        **per_s,
        "output_tokens_per_s_per_user": _rounded(found.output_tokens_per_user),
        "without_token_count": found.uncounted,
        "cached_tokens": found.cached_tokens,
        "cached_share": _rounded(found.cached_share),
        "mean_in_flight": round(found.mean_in_flight, 3),
        "max_in_flight": found.max_in_flight,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _metric(measured: Measured, metric: Metric) -> dict[str, Any]:
    percentiles = {f"p{q * 100:.0f}": measured.percentile(metric, q) for q in SHARES}
    told = {name: _percentile(each) for name, each in percentiles.items()}
    values = measured.values[metric]
    exactness = {"measured": values.measured, "exact": values.exact, "too_slow": values.too_slow}
    extremes = {
        "avg_ms": milliseconds(measured.mean_ns(metric)),
        **{
            f"{name}_ms": milliseconds(measured.percentile(metric, q).value_ns)
            for name, q in (("min", 0.0), ("max", 1.0))
        },
    }
    return {"n": percentiles["p50"].n, **exactness, **extremes, **told}


def _percentile(found: Percentile) -> dict[str, Any]:
    """`supported` says whether n is enough to believe it."""
    return {
        "ms": milliseconds(found.value_ns),
        "low_ms": milliseconds(found.low_ns),
        "high_ms": milliseconds(found.high_ns),
        "supported": found.supported,
    }


def _failures(failures: Failures) -> dict[str, Any]:
    return {
        "verdict": failures.verdict.value,
        "status": failures.status,
        "count": failures.count,
        "first_request": failures.number,
        "reason": failures.reason,
        "trace_id": failures.trace_id,
    }


def compare_text(
    pairs: Sequence[tuple[ComparedSeries, ComparedSeries]],
    found: Sequence[Comparison],
    measured: Sequence[Measured],
    style: TextStyle,
    label: str = "",
    gates: Sequence[str] = (),
) -> str:
    """Pair by pair the table and the sentences to paste; then what failed of what was measured just now, and the lines
    about gates.

    With a `label`, such as `since CHG-4711`, the first of each pair is earlier, and the change is said first.
    """
    failures = {(each.first, each.second): each for each in compare_failures(pairs)}
    blocks = []
    for first, second in pairs:
        names = first.name, second.name
        mine, failed = [each for each in found if (each.first, each.second) == names], failures.get(names)
        lines = [change_sentence(_change_label(second, label), failed, mine)] if label else []
        lines += [breakdown.pair_line(first, second)]
        if mine or failed is not None:
            lines += table.comparisons(names, failed, mine, style)
            lines += [failure_sentence(failed)] if failed is not None else []
            lines += breakdown.sentences(mine)
        if not mine:
            lines += breakdown.figure_lines(first, second, style)
        blocks.append(lines)
    return joined([*blocks, breakdown.failure_lines(measured), gates])


def _change_label(second: ComparedSeries, label: str) -> str:
    return f"{second.name.removesuffix(' since')} {label}"


def compare_json(
    pairs: Sequence[tuple[ComparedSeries, ComparedSeries]],
    found: Sequence[Comparison],
    label: str = "",
    answers: Sequence[GateAnswer] = (),
    tripped: Sequence[Tripped] = (),
) -> str:
    """One object: every series, every pair in what failed and in every latency, and the gates; with a `label` the
    changes."""
    series = {each.name: each for pair in pairs for each in pair}
    told = {
        "series": [
            {
                "name": each.name,
                "successful": each.ok if each.is_counted else None,
                "total_requests": each.total,
                **{f"{name}_ms": milliseconds(value) for name, value in breakdown.figures_of(each).items()},
            }
            for each in series.values()
        ],
        "failures": [failures_told(each) for each in compare_failures(pairs)],
        "comparisons": comparisons_told(found),
        **({"changes": _changes(pairs, found, label)} if label else {}),
        "ratios": [ratio_gates.told(each) for each in answers],
        **gates_told(tripped),
    }
    return formatted(told)


def _changes(
    pairs: Sequence[tuple[ComparedSeries, ComparedSeries]], found: Sequence[Comparison], label: str
) -> list[str]:
    failures = {(each.first, each.second): each for each in compare_failures(pairs)}
    return [
        change_sentence(
            _change_label(second, label),
            failures.get((first.name, second.name)),
            [each for each in found if (each.first, each.second) == (first.name, second.name)],
        )
        for first, second in pairs
    ]
