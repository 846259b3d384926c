"""`--fail-if`: one expression per gate, such as `p95_ttft>800ms`, `fail_rate>1%` or `gateway: avg_e2e >= 2s`.

The name of a verdict or of a finding by itself means that no request may have it: `sequential` is `sequential>0`.

A gate on a latency that was never measured is tripped too: without a success nothing is proved.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gwtui.bench.results import Measured
from gwtui.model.enums import FindingName
from gwtui.model.findings import FINDINGS
from gwtui.model.metrics import BY_NAME, LATENCIES, Metric
from gwtui.model.verdicts import Verdict
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
_DURATIONS = {"": 1e6, "ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9}
"""A bare number is milliseconds, as in the filter of the screen."""
_EXAMPLES = "p95_ttft>800ms, avg_e2e>=2s, fail_rate>1%, success<99%, truncated, sequential>5% or tokens_per_s<20"
_MEASURES = ("failed", "fail_rate", "success", "tokens_per_s")


class GateError(ValueError):
    """An expression that means nothing. The text says what is wrong with it, on one line."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What an endpoint has to say to a gate."""

    value: float | None
    """None where nothing could be measured."""
    text: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """One expression, understood."""

    text: str
    endpoint: str | None
    metric: Metric | None
    """The latency it asks for, if it asks for one."""
    trips: Callable[[float], bool]
    read: Callable[[Measured], Figure]

    def applies_to(self, measured: Measured) -> bool:
        """Whether it is about this endpoint, and about something that can be measured there."""
        named = self.endpoint is None or self.endpoint == measured.endpoint
        return named and (self.metric is None or self.metric in measured.metrics)


@dataclass(frozen=True, slots=True)
class Tripped:
    """A gate that an endpoint did not pass."""

    gate: str
    endpoint: str
    reason: str

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.reason}, and the gate is {self.gate}"


def parse_all(texts: Sequence[str], measured: Sequence[Measured]) -> list[Threshold]:
    """The gates for these endpoints. Raises GateError."""
    gates = [parse(text) for text in texts]
    check(gates, measured)
    return gates


def parse(text: str) -> Threshold:
    """Raises GateError."""
    if (named := _NAME.fullmatch(text.strip())) is not None:
        limit, metric, read = _named(named["measure"].lower(), text)
        return Threshold(text.strip(), named["endpoint"], metric, lambda value: value > limit, read)
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise GateError(f"--fail-if {text!r} is not an expression: write one like {_EXAMPLES}")
    number, unit = float(found["number"]), found["unit"].strip()
    compare = _OPERATORS[found["sign"]]
    measure = found["measure"].lower()
    try:
        limit, metric, read = _measure(measure, number, unit)
    except GateError as error:
        raise GateError(f"--fail-if {text!r}: {error}") from None
    return Threshold(text.strip(), found["endpoint"], metric, lambda value: compare(value, limit), read)


def check(gates: Sequence[Threshold], measured: Sequence[Measured]) -> None:
    """Raises GateError for a gate that none of these endpoints can ever answer."""
    for gate in gates:
        if gate.endpoint is not None and gate.endpoint not in [each.endpoint for each in measured]:
            names = ", ".join(each.endpoint for each in measured)
            raise GateError(f"--fail-if {gate.text!r}: there is no endpoint {gate.endpoint!r}; there are: {names}")
        if gate.metric is not None and not any(gate.applies_to(each) for each in measured):
            raise GateError(f"--fail-if {gate.text!r}: no endpoint here has the latency {gate.metric.label}")


def judge(gates: Sequence[Threshold], measured: Sequence[Measured]) -> list[Tripped]:
    """All gates that were not passed, endpoint by endpoint."""
    tripped = []
    for each in measured:
        for gate in gates:
            if not gate.applies_to(each):
                continue
            figure = gate.read(each)
            if figure.value is None or gate.trips(figure.value):
                tripped.append(Tripped(gate.text, each.endpoint, figure.text))
    return tripped


_Meaning = tuple[float, Metric | None, Callable[[Measured], Figure]]


def _measure(measure: str, number: float, unit: str) -> _Meaning:
    """The limit in the measure's own unit, the latency it is about, and how to read it."""
    if latency := _LATENCY.fullmatch(measure):
        return _latency(latency, number, unit)
    if measure == "tokens_per_s":
        if unit:
            raise GateError(f"tokens per second have no unit {unit!r}")
        return number, Metric.TPOT, _token_rate
    if measure in ("fail_rate", "success"):
        return _share_limit(number, unit), None, _failed_share if measure == "fail_rate" else _good_share
    if measure == "failed" or measure in _names():
        return _count(measure, number, unit)
    raise GateError(f"{measure!r} is not a measured value{_near(measure)}: use {_EXAMPLES}")


def _named(measure: str, text: str) -> _Meaning:
    """What the name of a verdict or a finding by itself means. Raises GateError."""
    if measure in _names():
        return _count(measure, 0, "")
    if measure in _MEASURES or _LATENCY.fullmatch(measure):
        raise GateError(f"--fail-if {text!r} has no limit: write one like {_EXAMPLES}")
    raise GateError(f"--fail-if {text!r}: there is no verdict or finding {measure!r}{_near(measure)}")


def _near(measure: str) -> str:
    near = difflib.get_close_matches(measure, (*_names(), *_MEASURES), n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""


def _latency(found: re.Match[str], number: float, unit: str) -> _Meaning:
    if unit not in _DURATIONS:
        raise GateError(f"{unit!r} is not a unit of time: use us, ms, s or m")
    metric = BY_NAME.get(found["metric"])
    if metric not in LATENCIES:
        raise GateError(f"{found['metric']!r} is not a latency: use one of {', '.join(LATENCIES)}")
    percent = {"median": 50.0, "min": 0.0, "max": 100.0}.get(found["statistic"])
    if found["percent"]:
        percent = float(found["percent"])
        if not 0 < percent < 100:
            raise GateError("a percentile is between p0 and p100")

    def read(measured: Measured) -> Figure:
        if percent is None:
            value, n = measured.mean_ns(metric), measured.percentile(metric, 0.5).n
        else:
            percentile = measured.percentile(metric, percent / 100)
            value, n = percentile.value_ns, percentile.n
        name = f"{found['statistic']} {metric.label}"
        if value is None:
            return Figure(None, f"{name} could not be measured in {measured.total} requests")
        return Figure(value, f"{name} is {units.duration(value)} (n {n})")

    return number * _DURATIONS[unit], metric, read


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
        found = measured.failed if measure == "failed" else _found(measured, measure)
        value = found / measured.total * 100 if unit and measured.total else float(found)
        return Figure(value, f"{found} of {measured.total} requests {'' if measure == 'failed' else 'were '}{measure}")

    return number, None, read


def _found(measured: Measured, name: str) -> int:
    """How many results have the verdict or the finding of that name."""
    return sum(n for verdict, n in measured.verdicts.items() if verdict == name) + measured.findings[FindingName(name)]
