"""What a gate can be about: how its limit is written, and what an endpoint has to say to it.

A new figure is a function from `Measured` to `Figure`, a line in one of the tables below, and its name in `measures`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gwtui.bench.gates.measures import COMPARING, COUNTS, MEASURES
from gwtui.bench.results.measured import Measured
from gwtui.bench.results.rates import Rates
from gwtui.bench.results.slo import ExpressionError, duration_ns, latency_named, near, share_of_percent
from gwtui.bench.results.steadiness import steadiness_of
from gwtui.model.enums import FindingName, Kind, Unsent
from gwtui.model.findings import FINDINGS
from gwtui.model.metrics import Metric
from gwtui.model.verdicts import Verdict
from gwtui.stats.histogram import least_n
from gwtui.text import units

EXAMPLES = "p95_ttft>800ms, avg_e2e>=2s, fail_rate>1%, success<99%, truncated, sequential>5% or goodput<20"
MOST_UNSENT = 0.01
"""The share of due requests that may be missing before shares of the others say nothing."""
_STATISTIC = re.compile(r"(?P<name>avg|median|min|max|p(?P<percent>\d{1,2}(?:\.\d+)?))_(?P<metric>[a-z][a-z0-9_]*)")
_SHARES = {"median": 0.5, "min": 0.0, "max": 1.0}


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


Read = Callable[[Measured], Figure]


class Meaning(NamedTuple):
    """What a measure and its limit mean."""

    limit: float
    """In the measure's own unit."""
    read: Read
    metric: Metric | None = None
    """The latency it is about."""
    kind: Kind | None = None
    """The only kind of endpoint that has it, where not all have."""


class Statistic(NamedTuple):
    """A figure of a latency, such as p95 TTFT."""

    name: str
    """`avg`, `median`, `min`, `max` or `p95`."""
    metric: Metric
    q: float | None
    """The percentile as a share; None: the mean."""

    def __str__(self) -> str:
        return f"{self.name} {self.metric.label}"

    @property
    def is_percentile(self) -> bool:
        """Whether it takes a number of results to rely on it; least and greatest value are what they are."""
        return self.q is not None and 0 < self.q < 1


def statistic_of(measure: str) -> Statistic | None:
    """`p95_ttft` and the like; None for what is no figure of a latency. Raises ExpressionError."""
    found = _STATISTIC.fullmatch(measure)
    if found is None:
        return None
    metric = latency_named(found["metric"])
    q = share_of_percent(found["percent"]) if found["percent"] else _SHARES.get(found["name"])
    return Statistic(found["name"], metric, q)


def meaning(measure: str, number: float, unit: str) -> Meaning:
    """What a measure with that limit means. Raises ExpressionError."""
    if (statistic := statistic_of(measure)) is not None:
        return _latency(statistic, number, unit)
    if measure == "goodput" and unit == "%":
        return Meaning(_share_limit(number, unit), _goodput_share)
    if measure in _PER_S:
        if unit not in ("", "/s"):
            raise GateError(f"{measure} is a number per second and has no unit {unit!r}")
        return _PER_S[measure]._replace(limit=number)
    if measure in _SHARE_OF_ALL:
        return Meaning(_share_limit(number, unit), _SHARE_OF_ALL[measure])
    if measure in COUNTS or measure in names_of_results():
        return _count(measure, number, unit)
    if measure == "not_steady":
        return Meaning(number, _unsteady)
    raise GateError(f"{measure!r} is not a measured value{_near(measure)}: use {EXAMPLES}")


def meaning_of_name(measure: str) -> Meaning:
    """What a name without a limit means: `not_steady`, or a verdict, a finding or `never_sent`, which no request may
    have. Raises GateError."""
    if measure == "not_steady":
        return Meaning(0, _unsteady)
    if measure == "never_sent" or measure in names_of_results():
        return _count(measure, 0, "")
    if measure in MEASURES or _STATISTIC.fullmatch(measure):
        raise GateError(f"it has no limit: write one like {EXAMPLES}")
    raise GateError(f"there is no verdict or finding {measure!r}{_near(measure)}")


def _near(measure: str) -> str:
    return near(measure, (*names_of_results(), *MEASURES, *COMPARING))


def names_of_results() -> frozenset[str]:
    """Of verdicts and findings."""
    return frozenset({*(verdict.value for verdict in Verdict), *(name.value for name in FINDINGS)})


def _latency(statistic: Statistic, number: float, unit: str) -> Meaning:
    limit_ns, metric, q = duration_ns(number, unit), statistic.metric, statistic.q

    def read(measured: Measured) -> Figure:
        if q is None:
            value, n = measured.mean_ns(metric), measured.percentile(metric, 0.5).n
        else:
            percentile = measured.percentile(metric, q)
            value, n = percentile.value_ns, percentile.n
            if value is not None and statistic.is_percentile and not percentile.supported:
                return Figure(None, _too_few(measured, statistic, least_n(q), n), undecided=True)
        if value is None:
            return Figure(None, f"{statistic} could not be measured in {measured.total} requests")
        return Figure(value, f"{statistic} is {units.duration(value)} (n {n})")

    return Meaning(limit_ns, read, metric)


def _too_few(measured: Measured, statistic: Statistic, needed: int, n: int) -> str:
    """What a percentile takes; where values were left out because they are not exact, that too."""
    told = f"{statistic} takes {units.count(needed)} results, and n is {n}"
    inexact = measured.values[statistic.metric].measured - n
    return f"{told} ({units.count(inexact)} more are not exact: this machine was too slow)" if inexact else told


def _good_rate(measured: Measured) -> Figure:
    """Of requests that keep the service level objectives, where there are some."""
    what = "good requests" if measured.attainment is None else "requests that keep the SLOs"
    return _reached(measured, what, lambda _: measured.goodput)


def _goodput_share(measured: Measured) -> Figure:
    """Those that gwtui itself was too late to judge are left out."""
    if measured.attainment is None:
        return _good_share(measured)
    return _share(measured.goodput, measured.total - measured.attainment.unknown, "keep the SLOs")


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


def _unsteady(measured: Measured) -> Figure:
    """1 of a load that grew or fell, 0 of a steady one."""
    found = steadiness_of(measured)
    return Figure(float(found.is_steady is False), found.sentence, undecided=found.is_steady is None)


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
    return _too_few_sent(measured) or _share(measured.failed, measured.total, "failed")


def _good_share(measured: Measured) -> Figure:
    return _too_few_sent(measured) or _share(measured.ok, measured.total, "succeeded")


def _too_few_sent(measured: Measured) -> Figure | None:
    """What became of requests that gwtui itself was too slow to send is not known."""
    unsent = measured.unsent[Unsent.OWN_LATENESS]
    if unsent <= MOST_UNSENT * measured.offered:
        return None
    of = units.many(measured.offered, "planned request")
    return Figure(None, f"gwtui itself was too slow to send {units.count(unsent)} of {of}", undecided=True)


def _inexact_share(measured: Measured) -> Figure:
    values = measured.whole
    what = f"{measured.main.label} values are not exact within 1 ms"
    return _share(values.measured - values.exact, values.measured, what)


def _share(part: int, of: int, what: str) -> Figure:
    if not of:
        return Figure(None, "no request was judged")
    return Figure(part / of, f"{units.share(part / of)} % ({part} of {of}) {what}")


_GENERATION = Meaning(0, _token_rate, Metric.TPOT)
_PER_S: Mapping[str, Meaning] = {
    "goodput": Meaning(0, _good_rate),
    "throughput": Meaning(0, _completed_rate),
    "tokens_per_s": _GENERATION,
    "tokens_per_s_total": Meaning(0, _all_tokens, kind=Kind.COMPLETION),
}
_SHARE_OF_ALL: Mapping[str, Read] = {
    "fail_rate": _failed_share,
    "success": _good_share,
    "inexact_share": _inexact_share,
}


def _count(measure: str, number: float, unit: str) -> Meaning:
    """How many requests failed, or had a verdict or a finding: a number, or with `%` a share of all."""
    if unit not in ("", "%"):
        raise GateError(f"a count is a number like 3 or a percentage like 1%, not in {unit!r}")

    def read(measured: Measured) -> Figure:
        counts = {"failed": measured.failed, "never_sent": measured.missed}
        found = counts[measure] if measure in counts else _found(measured, measure)
        of = measured.offered if measure == "never_sent" else measured.total
        value = found / of * 100 if unit and of else float(found)
        words = {"failed": "failed", "never_sent": "were never sent"}.get(measure, f"were {measure}")
        return Figure(value, f"{found} of {of} requests {words}")

    return Meaning(number, read)


def _found(measured: Measured, name: str) -> int:
    """How many results have the verdict or the finding of that name."""
    return sum(n for verdict, n in measured.verdicts.items() if verdict == name) + measured.findings[FindingName(name)]
