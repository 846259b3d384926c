"""`--fail-if`: one expression per gate, such as `p95_ttft>800ms`, `fail_rate>1%` or `gateway: avg_e2e >= 2s`.

The name of a verdict or of a finding by itself means that no request may have it: `sequential` is `sequential>0`.
`p95_ttft>1.2x` compares with a baseline, and `ratio_gates` judges it.

A gate on a latency that was never measured is tripped too: without a success nothing is proved. One on a figure that
the number of results does not support is undecided, which is no pass either.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gwtui.bench.gates.gate_figures import EXAMPLES, GateError, Meaning, meaning, meaning_of_name
from gwtui.bench.gates.measures import COMPARING
from gwtui.bench.results.measured import Measured
from gwtui.bench.results.slo import ExpressionError

_ENDPOINT = r"(?:(?P<endpoint>.+?)\s*:\s*)?"
_LIMIT = re.compile(
    _ENDPOINT + r"(?P<measure>[\w.]+)\s*(?P<sign>>=|<=|==|>|<|=)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>\D*)"
)
RATIO = "x"
"""The unit of a ratio: 1.2x."""
_NAME = re.compile(_ENDPOINT + r"(?P<measure>\w+)")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Expression:
    """The parts of an expression, as they were written."""

    text: str
    endpoint: str | None
    measure: str
    sign: str = ""
    """Empty for a name without a limit."""
    number: float = 0.0
    unit: str = ""

    @property
    def compares(self) -> bool:
        """Whether it is about a baseline too: a ratio, or a name such as `slower`."""
        return self.unit == RATIO or self.measure in COMPARING

    def trips(self, value: float, limit: float) -> bool:
        """Whether a value is beyond the limit; a name alone is `>`."""
        return _OPERATORS[self.sign or ">"](value, limit)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One expression, understood."""

    expression: Expression
    meaning: Meaning

    def applies_to(self, measured: Measured) -> bool:
        """Whether it is about this endpoint, and about something that can be measured there."""
        named = self.expression.endpoint in (None, measured.endpoint)
        has_it = self.meaning.metric is None or self.meaning.metric in measured.metrics
        return named and has_it and self.meaning.kind in (None, measured.kind)


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


def expression(text: str) -> Expression:
    """Take an expression apart. Raises GateError."""
    stripped = text.strip()
    if (named := _NAME.fullmatch(stripped)) is not None:
        return Expression(stripped, named["endpoint"], named["measure"].lower())
    found = _LIMIT.fullmatch(stripped)
    if found is None:
        raise GateError(f"--fail-if {text!r} is not an expression: write one like {EXAMPLES}")
    number, unit = float(found["number"]), found["unit"].strip()
    return Expression(stripped, found["endpoint"], found["measure"].lower(), found["sign"], number, unit)


def parse_all(texts: Sequence[str], measured: Sequence[Measured]) -> list[Threshold]:
    """The gates for these endpoints. Raises GateError."""
    gates = [parse(text) for text in texts]
    check(gates, measured)
    return gates


def parse(text: str) -> Threshold:
    """Raises GateError."""
    found = expression(text)
    if found.compares:
        raise GateError(f"--fail-if {text!r} compares: it is for gwtui compare, and for gwtui bench with --baseline")
    try:
        if found.sign:
            return Threshold(found, meaning(found.measure, found.number, found.unit))
        return Threshold(found, meaning_of_name(found.measure))
    except ExpressionError as error:
        raise GateError(f"--fail-if {text!r}: {error}") from None


def check(gates: Sequence[Threshold], measured: Sequence[Measured]) -> None:
    """Raises GateError for a gate that none of these endpoints can ever answer."""
    for gate in gates:
        text, endpoint, metric = gate.expression.text, gate.expression.endpoint, gate.meaning.metric
        if endpoint is not None and endpoint not in [each.endpoint for each in measured]:
            names = ", ".join(each.endpoint for each in measured)
            raise GateError(f"--fail-if {text!r}: there is no endpoint {endpoint!r}; there are: {names}")
        if not any(gate.applies_to(each) for each in measured):
            lacks = f"has the latency {metric.label}" if metric is not None else "generates tokens"
            raise GateError(f"--fail-if {text!r}: no endpoint here {lacks}")


def judge(gates: Sequence[Threshold], measured: Sequence[Measured]) -> list[Tripped]:
    """All gates that were not passed, endpoint by endpoint; undecided ones are among them."""
    tripped = []
    for each in measured:
        for gate in gates:
            if not gate.applies_to(each):
                continue
            figure = gate.meaning.read(each)
            if figure.undecided or figure.value is None or gate.expression.trips(figure.value, gate.meaning.limit):
                tripped.append(Tripped(gate.expression.text, each.endpoint, figure.text, figure.undecided))
    return tripped
