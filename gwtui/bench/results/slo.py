"""Service level objectives, such as `ttft<500ms,e2e<5s,tpot<50ms`, and how many requests keep them.

Each objective is a limit on one latency that a single request keeps or breaks. *Goodput* is the requests that keep
all of them, as a share of the requests that were due and as a rate. A percentile, as in `p99_ttft<500ms`, is how many
of the requests have to keep it where a whole load is judged: 95 % unless it is given.

The units and names of latencies are those of `--fail-if`, and both read them here.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gwtui.model.metrics import BY_NAME, LATENCIES, SINCE_SENT, Metric
from gwtui.model.records import Ping, Request
from gwtui.stats.accuracy import at_least, latency
from gwtui.text import units

USUAL_Q = 0.95
"""The share of requests that has to keep an objective without a percentile of its own."""
EXAMPLE = "ttft<500ms,e2e<5s,tpot<50ms"
DURATIONS = {"": 1e6, "ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9}
"""A bare number is milliseconds, as in the filter of the screen."""
_FORM = re.compile(
    r"(?:p(?P<percent>\d{1,2}(?:\.\d+)?)_)?(?P<metric>[a-z]\w*)\s*(?P<sign>[<>=]=?)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>\D*)"
)


class ExpressionError(ValueError):
    """A gate or an objective that means nothing. The text says what is wrong with it, on one line."""


class SLOError(ExpressionError):
    """An objective that means nothing."""


def latency_named(name: str) -> Metric:
    """The latency of that name. Raises ExpressionError."""
    metric = BY_NAME.get(name)
    if metric in LATENCIES:
        return metric
    raise ExpressionError(f"{name!r} is not a latency{near(name, LATENCIES)}: use one of {', '.join(LATENCIES)}")


def duration_ns(number: float, unit: str) -> float:
    """That time in ns. Raises ExpressionError."""
    if unit not in DURATIONS:
        raise ExpressionError(f"{unit!r} is not a unit of time: use us, ms, s or m")
    return number * DURATIONS[unit]


def share_of_percent(percent: str) -> float:
    """The q of `p95`. Raises ExpressionError."""
    if not 0 < float(percent) < 100:
        raise ExpressionError("a percentile is between p0 and p100")
    return float(percent) / 100


def near(name: str, names: Sequence[str]) -> str:
    """` (did you mean ttft?)` for a name that is close to one of these, else ""."""
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f" (did you mean {found[0]}?)" if found else ""


@dataclass(frozen=True, slots=True)
class Objective:
    """One limit, understood."""

    text: str
    """As it was written."""
    metric: Metric
    limit_ns: float
    inclusive: bool
    """The limit itself keeps it."""
    q: float = USUAL_Q
    """The share of requests that has to keep it where a whole load is judged."""

    def __str__(self) -> str:
        return f"p{self.q * 100:g} {self.limit_text}"

    @property
    def limit_text(self) -> str:
        """`TTFT < 500 ms`."""
        return f"{self.metric.label} {'<=' if self.inclusive else '<'} {units.duration(round(self.limit_ns))}"

    def keeps(self, value_ns: float) -> bool:
        return value_ns <= self.limit_ns if self.inclusive else value_ns < self.limit_ns

    def kept_by(self, result: Request | Ping, waited_ns: int = 0, own_ns: int = 0) -> bool | None:
        """Whether a good result keeps it, with the time that it waited before it was sent, of which `own_ns` for gwtui
        itself; None where that is in doubt.

        What it does not have, as an answer of one token has no TPOT, it does not break.
        """
        value_ns = latency(result, self.metric)
        if value_ns is None:
            return True
        before_ns, mine_ns = (waited_ns, own_ns) if self.metric in SINCE_SENT else (0, 0)
        if self.keeps(value_ns + before_ns):
            return True
        least_ns = at_least(result, self.metric)
        return None if least_ns is None or self.keeps(least_ns + before_ns - mine_ns) else False


def parse_slo(text: str) -> tuple[Objective, ...]:
    """The objectives of a text such as `ttft<500ms,e2e<5s`. Raises SLOError."""
    found = [_objective(part) for part in map(str.strip, text.split(",")) if part]
    if not found:
        raise SLOError(f"there is no objective in {text!r}: write {EXAMPLE}")
    if twice := [metric for metric, number in Counter(each.metric for each in found).items() if number > 1]:
        raise SLOError(f"{text!r} has two limits for {twice[0].label}: keep one")
    return tuple(found)


def _objective(text: str) -> Objective:
    found = _FORM.fullmatch(text.lower())
    if found is None:
        raise SLOError(f"{text!r} is not an objective: write one like {EXAMPLE.partition(',')[0]}")
    try:
        metric = latency_named(found["metric"])
        limit_ns = duration_ns(float(found["number"]), found["unit"].strip())
        q = USUAL_Q if found["percent"] is None else share_of_percent(found["percent"])
    except ExpressionError as error:
        raise SLOError(f"{text!r}: {error}") from None
    if found["sign"] not in ("<", "<="):
        raise SLOError(f"{text!r}: an objective is an upper limit: write {metric}<{found['number']}{found['unit']}")
    if not limit_ns:
        raise SLOError(f"{text!r}: nothing takes no time at all: write a limit above 0")
    return Objective(text, metric, limit_ns, found["sign"] == "<=", q)


def check_slo(objectives: Sequence[Objective], metrics: Sequence[Metric]) -> None:
    """Raises SLOError for an objective about a latency that is not among those that can be measured."""
    for each in objectives:
        if each.metric not in metrics:
            can = ", ".join(metric for metric in LATENCIES if metric in metrics)
            raise SLOError(f"{each.text!r}: no endpoint here has the latency {each.metric.label}; there are: {can}")


@dataclass(slots=True)
class Attainment:
    """How many of an endpoint's good requests keep the objectives, added up as they come."""

    objectives: tuple[Objective, ...]
    kept: int = 0
    """Those that keep all objectives."""
    unknown: int = 0
    """Those that may have kept them: gwtui itself was late."""
    kept_each: list[int] = field(default_factory=list)
    """Those that keep each objective, in the order of these."""
    unknown_each: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept_each = self.kept_each or [0] * len(self.objectives)
        self.unknown_each = self.unknown_each or [0] * len(self.objectives)

    def take(self, result: Request | Ping, waited_ns: int = 0, own_ns: int = 0) -> None:
        """Count a good result, which waited that long before it was sent, `own_ns` of it for gwtui itself."""
        found = [each.kept_by(result, waited_ns, own_ns) for each in self.objectives]
        for at, kept in enumerate(found):
            self.kept_each[at] += kept is True
            self.unknown_each[at] += kept is None
        broken = False in found
        self.kept += not broken and None not in found
        self.unknown += not broken and None in found

    def rows(self) -> Iterator[tuple[Objective, int, int]]:
        """Each objective, with how many keep it and of how many that is in doubt."""
        return zip(self.objectives, self.kept_each, self.unknown_each, strict=True)

    def share(self, total: int) -> float | None:
        """The share that keeps all of them, of `total` requests that were due; None where none can be judged."""
        judged = total - self.unknown
        return self.kept / judged if judged > 0 else None
