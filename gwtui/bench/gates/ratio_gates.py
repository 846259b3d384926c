"""Gates that compare: `p95_ttft>1.2x`, `fail_rate>2x`, `slower` and `fails_more`, against a baseline.

Of a pair the first is the baseline. A ratio is judged by its 95 % interval: a gate is tripped where the whole interval
is beyond the limit, passed where none of it is, and undecided where the limit lies within it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias

from gwtui.bench.gates.gate_figures import GateError, names_of_results, statistic_of
from gwtui.bench.gates.measures import COMPARING, MEASURES
from gwtui.bench.gates.thresholds import Expression, Tripped, expression
from gwtui.bench.results.measured import Measured
from gwtui.bench.results.slo import ExpressionError
from gwtui.model.metrics import COMPARED, WHOLE, Metric
from gwtui.stats import ratios
from gwtui.stats.comparison import ComparedSeries, Comparison, FailureComparison, compare, compare_failures
from gwtui.stats.histogram import least_n
from gwtui.stats.ratios import Ratio
from gwtui.stats.sentences import failure_sentence, sentence
from gwtui.text import units

Pair: TypeAlias = tuple[ComparedSeries, ComparedSeries]
EXAMPLES = "p95_ttft>1.2x, avg_e2e>1.1x, fail_rate>2x, tokens_per_s<0.8x, slower or fails_more"
_SHARES = ("fail_rate", "success")
_GENERATION = Metric.TPOT
"""Tokens per second are the reciprocal of the time per token."""


class GateOutcome(StrEnum):
    """What became of a gate."""

    PASSED = "passed"
    TRIPPED = "tripped"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class PairFigure:
    """What a pair has to say to a gate."""

    text: str
    ratio: Ratio | None = None
    outcome: GateOutcome | None = None
    """None where the ratio and the limit decide."""


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """One gate at one pair."""

    gate: str
    baseline: str
    endpoint: str
    outcome: GateOutcome
    reason: str
    ratio: Ratio | None


@dataclass(frozen=True, slots=True)
class RatioGate:
    """One expression, understood."""

    expression: Expression
    read: Callable[[Pair, Sequence[Comparison], Sequence[FailureComparison]], PairFigure]
    metric: Metric | None = None
    """The latency it asks for, if it asks for one."""

    def applies_to(self, pair: Pair) -> bool:
        """Whether it is about the second of the pair, and about something that one of them has."""
        name, asked = self.expression.endpoint, pair[1].name
        named = name is None or asked == name or asked.startswith((f"{name} in ", f"{name} since"))
        return named and (self.metric is None or any(_has(each, self.metric) for each in pair))

    def outcome_of(self, found: PairFigure) -> GateOutcome:
        if found.outcome is not None or found.ratio is None:
            return found.outcome or GateOutcome.UNDECIDED
        limit = self.expression.number
        beyond = {self.expression.trips(bound, limit) for bound in (found.ratio.low, found.ratio.high)}
        return (
            GateOutcome.UNDECIDED
            if len(beyond) > 1
            else GateOutcome.TRIPPED
            if beyond == {True}
            else GateOutcome.PASSED
        )


def parse_all(texts: Iterable[str]) -> tuple[list[str], list[RatioGate]]:
    """The expressions that are limits, as they are, and the gates that compare. Raises GateError."""
    limits, gates = [], []
    for text in texts:
        found = expression(text)
        if found.compares:
            gates.append(_parse(found, text))
        else:
            limits.append(text)
    return limits, gates


def _parse(found: Expression, text: str) -> RatioGate:
    try:
        if found.measure in COMPARING:
            if found.sign:
                raise GateError(f"{found.measure} has no limit")
            return RatioGate(found, _slower if found.measure == "slower" else _fails_more)
        return _ratio_gate(found)
    except ExpressionError as error:
        raise GateError(f"--fail-if {text!r}: {error}") from None


def _ratio_gate(found: Expression) -> RatioGate:
    if "=" in (found.sign, found.sign[:1]):
        raise GateError("a ratio is hardly ever equal to a number: use > or <")
    if not found.number:
        raise GateError("no ratio is below 0: write one like 1.2x")
    if found.measure in _SHARES:
        return RatioGate(found, partial(_share, good=found.measure == "success"))
    if found.measure == "tokens_per_s":
        return RatioGate(found, _generation, _GENERATION)
    statistic = statistic_of(found.measure)
    if statistic is None:
        raise GateError(_why_not(found.measure))
    if statistic.q in (0, 1):
        raise GateError(f"a {statistic.name} has no interval, so its ratio proves nothing: use avg or a percentile")
    if _key(statistic.metric) not in COMPARED:
        raise GateError(f"{statistic.metric} is not compared; use one of {', '.join(COMPARED)}")
    return RatioGate(
        found, partial(_latency, name=statistic.name, metric=statistic.metric, q=statistic.q), statistic.metric
    )


def _why_not(measure: str) -> str:
    """Why there is no ratio of it."""
    if measure in ("goodput", "throughput", "tokens_per_s_total"):
        return f"{measure} depends on the load of each run: give a number, such as {measure}<20"
    if measure == "inexact_share":
        return "inexact_share is about this machine, not about the endpoint: give a percentage, such as 10%"
    if measure in MEASURES or measure in names_of_results():
        return f"{measure} depends on the number of requests: use fail_rate"
    return f"{measure!r} has no ratio: use {EXAMPLES}"


def check(gates: Sequence[RatioGate], measured: Sequence[Measured]) -> None:
    """Raises GateError for a gate that none of these endpoints can ever answer."""
    names = [each.endpoint for each in measured]
    for gate in gates:
        wanted = gate.expression.endpoint
        if wanted is not None and wanted not in names:
            there = ", ".join(names)
            raise GateError(f"--fail-if {gate.expression.text!r}: there is no endpoint {wanted!r}; there are: {there}")
        asked = [each for each in measured if wanted in (None, each.endpoint)]
        if gate.metric is not None and not any(gate.metric in each.metrics for each in asked):
            raise GateError(f"--fail-if {gate.expression.text!r}: no endpoint here has the latency {gate.metric.label}")


def check_pairs(gates: Sequence[RatioGate], pairs: Sequence[Pair]) -> None:
    """Raises GateError for a gate that none of these recorded pairs can answer."""
    for gate in gates:
        if not any(gate.applies_to(pair) for pair in pairs):
            names = ", ".join(second.name for _, second in pairs)
            lacks = f" with the latency {gate.metric.label}" if gate.metric is not None else ""
            raise GateError(f"--fail-if {gate.expression.text!r}: no endpoint to judge{lacks}; there are: {names}")


def check_baseline(gate: RatioGate, baselines: Sequence[ComparedSeries], label: str) -> None:
    """Raises GateError for a gate on what these baselines did not keep. A latency that only some of them lack, as where
    all values of a point were in doubt, leaves the gate undecided there."""
    text = gate.expression.text
    names = ", ".join(each.name for each in baselines)
    if not any(each.samples for each in baselines):
        raise GateError(f"{label}: it has no single results of {names}: use a session or a --request-csv file")
    if gate.expression.measure in (*_SHARES, "fails_more") and not all(each.total for each in baselines):
        raise GateError(f"--fail-if {text!r}: {label} did not keep failures")
    if gate.metric is not None and not any(_has(each, gate.metric) for each in baselines):
        raise GateError(f"--fail-if {text!r}: {label} has no {gate.metric.label} of {names}")


def judge(
    gates: Sequence[RatioGate], pairs: Sequence[Pair], found: Sequence[Comparison] | None = None
) -> list[GateAnswer]:
    """What became of each gate, pair by pair. `found`: the comparisons of these pairs, where they are known."""
    if not gates:
        return []
    comparisons = compare(pairs) if found is None else found
    failures = compare_failures(pairs)
    answers = []
    for pair in against_first(pairs):
        first, second = names = pair[0].name, pair[1].name
        mine = [each for each in comparisons if (each.first, each.second) == names]
        failed = [each for each in failures if (each.first, each.second) == names]
        for gate in gates:
            if gate.applies_to(pair):
                finding = gate.read(pair, mine, failed)
                outcome = gate.outcome_of(finding)
                answers.append(GateAnswer(gate.expression.text, first, second, outcome, finding.text, finding.ratio))
    return answers


def against_first(pairs: Sequence[Pair]) -> list[Pair]:
    """Those with a baseline: a series that is never the second one. Of A, B and C these are A with B and A with C."""
    seconds = {id(second) for _, second in pairs}
    return [(first, second) for first, second in pairs if id(first) not in seconds]


def tripped(answers: Iterable[GateAnswer]) -> list[Tripped]:
    """The gates that were not passed."""
    return [
        Tripped(each.gate, each.endpoint, each.reason, each.outcome is GateOutcome.UNDECIDED)
        for each in answers
        if each.outcome is not GateOutcome.PASSED
    ]


def lines(answers: Iterable[GateAnswer]) -> list[str]:
    """What became of each gate, in words."""
    return [f"{each.gate}: {each.endpoint} {each.outcome}: {each.reason}" for each in answers]


def told(each: GateAnswer) -> dict[str, Any]:
    """A gate that compares, for JSON."""
    return {
        "gate": each.gate,
        "baseline": each.baseline,
        "endpoint": each.endpoint,
        "outcome": each.outcome.value,
        "reason": each.reason,
        "ratio": None if each.ratio is None else _ratio(each.ratio),
    }


def _ratio(found: Ratio) -> dict[str, float | None]:
    """None: without an upper bound."""
    return {name: _number(getattr(found, name)) for name in ("value", "low", "high")}


def _number(value: float) -> float | None:
    return round(value, 4) if value < float("inf") else None


def _key(metric: Metric) -> Metric:
    """Under which latency a series keeps it."""
    return Metric.E2E if metric is Metric.RTT else metric


def _has(series: ComparedSeries, metric: Metric) -> bool:
    is_one = metric not in WHOLE or (metric is Metric.RTT) == series.is_ping
    return is_one and _key(metric) in series.samples


def _latency(
    pair: Pair, _: Sequence[Comparison], __: Sequence[FailureComparison], *, name: str, metric: Metric, q: float | None
) -> PairFigure:
    what = f"{name} {metric.label}"
    for each, outcome in ((pair[1], GateOutcome.TRIPPED), (pair[0], GateOutcome.UNDECIDED)):
        if not _has(each, metric):
            return PairFigure(f"{what} of {each.name} could not be measured", None, outcome)
    first, second = (each.samples[_key(metric)] for each in pair)
    n = len(first.values), len(second.values)
    needed = ratios.FEWEST_FOR_MEAN if q is None else least_n(q)
    if min(n) < needed:
        return PairFigure(f"{what} takes {units.count(needed)} results of each, and n is {n[0]} and {n[1]}")
    found = ratios.of_means(first, second) if q is None else ratios.of_percentiles(first, second, q)
    if found is None:
        return PairFigure(f"{what} of {pair[0].name} is 0")
    return PairFigure(f"{what} is {_ratio_text(found, pair[0])}, n {n[0]} and {n[1]})", found)


def _generation(pair: Pair, found: Sequence[Comparison], failed: Sequence[FailureComparison]) -> PairFigure:
    per_token = _latency(pair, found, failed, name="median", metric=_GENERATION, q=0.5)
    if per_token.ratio is None:
        return per_token
    ratio = per_token.ratio.inverse
    n = [len(each.samples[_GENERATION].values) for each in pair]
    return PairFigure(f"median tokens per second are {_ratio_text(ratio, pair[0])}, n {n[0]} and {n[1]})", ratio)


def _share(pair: Pair, _: Sequence[Comparison], __: Sequence[FailureComparison], *, good: bool) -> PairFigure:
    first, second = pair
    if not first.total or not second.total:
        return PairFigure("it is not known how many requests failed")
    counts = [(each.ok if good else (each.total or 0) - each.ok, each.total or 0) for each in pair]
    what = "success" if good else "fail rate"
    numbers = f"{counts[1][0]} of {counts[1][1]} against {counts[0][0]} of {counts[0][1]}"
    if not counts[1][0] and not good:
        return PairFigure(f"{what} is 0 ({numbers})", Ratio(0.0, 0.0, 0.0))
    if not counts[0][0] and good:
        return PairFigure(f"{first.name} had no success ({numbers})")
    ratio = ratios.of_shares(*counts)
    return PairFigure(f"{what} is {_ratio_text(ratio, first)}; {numbers})", ratio)


def _ratio_text(found: Ratio, baseline: ComparedSeries) -> str:
    value = "more than none" if math.isinf(found.value) else f"{found.value:.2f}x that"
    interval = f"{found.low:.2f}x and more" if math.isinf(found.high) else f"{found.low:.2f} to {found.high:.2f}x"
    return f"{value} of {baseline.name} (95 % interval {interval}"


def _slower(_: Pair, found: Sequence[Comparison], __: Sequence[FailureComparison]) -> PairFigure:
    """By the most telling latency that both have."""
    headline = next((each for each in found if each.metric.about.headline), None)
    if headline is None:
        return PairFigure("no latency to compare")
    if headline.median is None:
        return PairFigure(sentence(headline))
    return PairFigure(sentence(headline), None, GateOutcome.TRIPPED if headline.quicker == 0 else GateOutcome.PASSED)


def _fails_more(_: Pair, __: Sequence[Comparison], failed: Sequence[FailureComparison]) -> PairFigure:
    if not failed:
        return PairFigure("it is not known how many requests failed")
    (found,) = failed
    one, other = found.shares
    return PairFigure(
        failure_sentence(found), None, GateOutcome.TRIPPED if found.is_clear and other > one else GateOutcome.PASSED
    )
