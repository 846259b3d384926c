"""`--fail-if`: one expression per gate, such as `p95_ttft>800ms`, `fail_rate>1%` or `gateway: avg_e2e >= 2s`.

The name of a verdict or of a finding by itself means that no request may have it: `sequential` is `sequential>0`.

A gate on a latency that was never measured is tripped too: without a success nothing is proved. One on a figure that
the number of results does not support is undecided, which is no pass either.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gwtui.bench.measures import COUNTS, MEASURES, PER_S, SHARES
from gwtui.bench.rates import Rates
from gwtui.bench.results import Measured
from gwtui.bench.slo import ExpressionError, duration_ns, latency_named, near, share_of_percent
from gwtui.model.enums import FindingName, Kind
from gwtui.model.findings import FINDINGS
from gwtui.model.metrics import Metric
from gwtui.model.verdicts import Verdict
from gwtui.stats.histogram import least_n
from gwtui.text import units

_FORM = re.compile(
    r"(?:(?P<endpoint>.+?)\s*:\s*)?(?P<measure>[\w.]+)\s*(?P<sign>>=|<=|==|>|<|=)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>\D*)"
)
_NAME = re.compile(r"(?:(?P<endpoint>.+?)\s*:\s*)?(?P<measure>\w+)")
_LATENCY = re.compile(r"(?P<statistic>avg|median|min|max|p(?P<percent>\d{1,2}(?:\.\d+)?))_(?P<metric>[a-z][a-z0-9_]*)")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "==": operator.eq,
}
_EXAMPLES = "p95_ttft>800ms, avg_e2e>=2s, fail_rate>1%, success<99%, truncated, sequential>5% or goodput<20"


class GateError(ExpressionError):
    """An expression that means nothing. The text says what is wrong with it, on one line."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What an endpoint has to say to a gate."""

    value: float | None
    """None where nothing could be measured, or too little."""
    text: str
    undecided: bool = False
    """Too little was measured to rely on a value."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One expression, understood."""

    text: str
    endpoint: str | None
    metric: Metric | None
    """The latency it asks for, if it asks for one."""
    trips: Callable[[float], bool]
    read: Callable[[Measured], Figure]
    kind: Kind | None = None
    """The only kind of endpoint that has it, where not all have."""

    def applies_to(self, measured: Measured) -> bool:
        """Whether it is about this endpoint, and about something that can be measured there."""
        named = self.endpoint is None or self.endpoint == measured.endpoint
        has_it = self.metric is None or self.metric in measured.metrics
        return named and has_it and self.kind in (None, measured.kind)


@dataclass(frozen=True, slots=True)
class Tripped:
    """A gate that an endpoint did not pass."""

    gate: str
    endpoint: str
    reason: str
    undecided: bool = False
    """Whether it would be passed with more results is not known."""

    def __str__(self) -> str:
        if self.undecided:
            return f"{self.endpoint}: undecided: {self.reason}; the gate is {self.gate}"
        return f"{self.endpoint}: {self.reason}, and the gate is {self.gate}"


def parse_all(texts: Sequence[str], measured: Sequence[Measured]) -> list[Threshold]:
    """The gates for these endpoints. Raises GateError."""
    gates = [parse(text) for text in texts]
    check(gates, measured)
    return gates


def parse(text: str) -> Threshold:
    """Raises GateError."""
    if (named := _NAME.fullmatch(text.strip())) is not None:
        limit, metric, read, kind = _named(named["measure"].lower(), text)
        return Threshold(text.strip(), named["endpoint"], metric, lambda value: value > limit, read, kind)
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise GateError(f"--fail-if {text!r} is not an expression: write one like {_EXAMPLES}")
    number, unit = float(found["number"]), found["unit"].strip()
    compare = _OPERATORS[found["sign"]]
    measure = found["measure"].lower()
    try:
        limit, metric, read, kind = _measure(measure, number, unit)
    except ExpressionError as error:
        raise GateError(f"--fail-if {text!r}: {error}") from None
    return Threshold(text.strip(), found["endpoint"], metric, lambda value: compare(value, limit), read, kind)


def check(gates: Sequence[Threshold], measured: Sequence[Measured]) -> None:
    """Raises GateError for a gate that none of these endpoints can ever answer."""
    for gate in gates:
        if gate.endpoint is not None and gate.endpoint not in [each.endpoint for each in measured]:
            names = ", ".join(each.endpoint for each in measured)
            raise GateError(f"--fail-if {gate.text!r}: there is no endpoint {gate.endpoint!r}; there are: {names}")
        if (gate.metric or gate.kind) is not None and not any(gate.applies_to(each) for each in measured):
            lacks = f"has the latency {gate.metric.label}" if gate.metric is not None else "generates tokens"
            raise GateError(f"--fail-if {gate.text!r}: no endpoint here {lacks}")


def judge(gates: Sequence[Threshold], measured: Sequence[Measured]) -> list[Tripped]:
    """All gates that were not passed, endpoint by endpoint; undecided ones are among them."""
    tripped = []
    for each in measured:
        for gate in gates:
            if not gate.applies_to(each):
                continue
            figure = gate.read(each)
            if figure.undecided or figure.value is None or gate.trips(figure.value):
                tripped.append(Tripped(gate.text, each.endpoint, figure.text, figure.undecided))
    return tripped


class _Meaning(NamedTuple):
    limit: float
    """In the measure's own unit."""
    metric: Metric | None
    """The latency it is about."""
    read: Callable[[Measured], Figure]
    kind: Kind | None = None


def _measure(measure: str, number: float, unit: str) -> _Meaning:
    """What a measure with that limit means. Raises GateError."""
    if latency := _LATENCY.fullmatch(measure):
        return _latency(latency, number, unit)
    if measure in PER_S:
        return _per_second(measure, number, unit)
    if measure in SHARES:
        shares = {"fail_rate": _failed_share, "success": _good_share, "inexact_share": _inexact_share}
        return _Meaning(_share_limit(number, unit), None, shares[measure])
    if measure in COUNTS or measure in _names():
        return _count(measure, number, unit)
    raise GateError(f"{measure!r} is not a measured value{_near(measure)}: use {_EXAMPLES}")


def _named(measure: str, text: str) -> _Meaning:
    """What the name of a verdict or a finding by itself means. Raises GateError."""
    if measure == "never_sent" or measure in _names():
        return _count(measure, 0, "")
    if measure in MEASURES or _LATENCY.fullmatch(measure):
        raise GateError(f"--fail-if {text!r} has no limit: write one like {_EXAMPLES}")
    raise GateError(f"--fail-if {text!r}: there is no verdict or finding {measure!r}{_near(measure)}")


def _near(measure: str) -> str:
    return near(measure, (*_names(), *MEASURES))


def _latency(found: re.Match[str], number: float, unit: str) -> _Meaning:
    limit_ns, metric = duration_ns(number, unit), latency_named(found["metric"])
    q = {"median": 0.5, "min": 0.0, "max": 1.0}.get(found["statistic"])
    if found["percent"]:
        q = share_of_percent(found["percent"])

    def read(measured: Measured) -> Figure:
        if q is None:
            value, n = measured.mean_ns(metric), measured.percentile(metric, 0.5).n
        else:
            percentile = measured.percentile(metric, q)
            value, n = percentile.value_ns, percentile.n
            if value is not None and 0 < q < 1 and not percentile.supported:
                return _too_few(found["statistic"], q, metric, n)
        name = f"{found['statistic']} {metric.label}"
        if value is None:
            return Figure(None, f"{name} could not be measured in {measured.total} requests")
        return Figure(value, f"{name} is {units.duration(value)} (n {n})")

    return _Meaning(limit_ns, metric, read)


def _too_few(statistic: str, q: float, metric: Metric, n: int) -> Figure:
    needed = least_n(q)
    return Figure(None, f"{statistic} {metric.label} takes {units.count(needed)} results, and n is {n}", undecided=True)


def _per_second(measure: str, number: float, unit: str) -> _Meaning:
    if measure == "tokens_per_s":
        read, metric, kind = _token_rate, Metric.TPOT, None
    elif measure == "tokens_per_s_total":
        read, metric, kind = _all_tokens, None, Kind.COMPLETION
    else:
        read, metric, kind = _good_rate if measure == "goodput" else _completed_rate, None, None
    if unit not in ("", "/s"):
        raise GateError(f"{measure} is a number per second and has no unit {unit!r}")
    return _Meaning(number, metric, read, kind)


def _good_rate(measured: Measured) -> Figure:
    return _reached(measured, "good requests", lambda rates: rates.good)


def _completed_rate(measured: Measured) -> Figure:
    return _reached(measured, "completed requests", lambda rates: rates.completed)


def _all_tokens(measured: Measured) -> Figure:
    """Of answers without a count nothing is known, so their sum is undecided."""
    figure = _reached(measured, "output tokens", lambda rates: rates.output_tokens)
    uncounted = measured.flights.uncounted
    if figure.value is None or not uncounted:
        return figure
    return Figure(None, f"{units.many(uncounted, 'good answer')} did not count output tokens", undecided=True)


def _reached(measured: Measured, what: str, number: Callable[[Rates], int | None]) -> Figure:
    rates = measured.rates
    value = rates.per_s(number(rates)) if rates is not None else None
    if rates is None or value is None:
        return Figure(None, f"{what} per second could not be measured in {measured.total} requests")
    return Figure(value, f"{value:.2f} {what} per second (in {units.duration(rates.span_ns)})")


def _token_rate(measured: Measured) -> Figure:
    rate = measured.median_tokens_per_s
    if rate is None:
        return Figure(None, f"tokens per second could not be measured in {measured.total} requests")
    return Figure(rate, f"median tokens per second is {units.rate(rate)}")


def _share_limit(number: float, unit: str) -> float:
    if unit not in ("", "%"):
        raise GateError(f"a share is a percentage like 1% or a number like 0.01, not in {unit!r}")
    if not unit and number >= 1:
        raise GateError(f"is {number:g} a share or a percentage? Write {number:g}%")
    if number > 100:
        raise GateError(f"{number:g}% is more than 100%")
    return number / 100 if unit else number


def _failed_share(measured: Measured) -> Figure:
    if measured.fail_share is None:
        return Figure(None, "no request was judged")
    return Figure(measured.fail_share, f"{_percent(measured.failed, measured.total)} failed")


def _good_share(measured: Measured) -> Figure:
    if measured.fail_share is None:
        return Figure(None, "no request was judged")
    return Figure(measured.ok / measured.total, f"{_percent(measured.ok, measured.total)} succeeded")


def _inexact_share(measured: Measured) -> Figure:
    results = measured.verdicts.total()
    if not results:
        return Figure(None, "no request was judged")
    return Figure(measured.tainted / results, f"{_percent(measured.tainted, results)} had times in doubt")


def _percent(part: int, of: int) -> str:
    return f"{units.share(part / of)} % ({part} of {of})"


def _names() -> frozenset[str]:
    """Of verdicts and findings."""
    return frozenset({*(verdict.value for verdict in Verdict), *(name.value for name in FINDINGS)})


def _count(measure: str, number: float, unit: str) -> _Meaning:
    """How many requests failed, or had a verdict or a finding: a number, or with `%` a share of all."""
    if unit not in ("", "%"):
        raise GateError(f"a count is a number like 3 or a percentage like 1%, not in {unit!r}")

    def read(measured: Measured) -> Figure:
        counts = {"failed": measured.failed, "never_sent": measured.missed}
        found = counts[measure] if measure in counts else _found(measured, measure)
        value = found / measured.total * 100 if unit and measured.total else float(found)
        words = {"failed": "failed", "never_sent": "were never sent"}.get(measure, f"were {measure}")
        return Figure(value, f"{found} of {measured.total} requests {words}")

    return _Meaning(number, None, read)


def _found(measured: Measured, name: str) -> int:
    """How many results have the verdict or the finding of that name."""
    return sum(n for verdict, n in measured.verdicts.items() if verdict == name) + measured.findings[FindingName(name)]
