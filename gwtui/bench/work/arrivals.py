"""When the requests of an open loop are due: a law of the gaps, and a rate that may change with time. Pure.

Gaps are drawn for a rate of one, and time is stretched so that they come at the rate of the moment: what is due by a
time t is the integral of the rate until t (a renewal process in operational time). So every law goes with every rate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

MOST_PER_S = 10_000.0
LEAST_PER_S = 1e-6
"""One in eleven days; the times of much lower rates are beyond any clock."""
MOST_STEPS = 1000
DEFAULT_SHAPE = 0.25
"""Of a gamma law: the gaps' standard deviation is twice their mean."""
EXAMPLES = "poisson 20, bursty:0.25 20, 10..100 over 1m, or poisson 10,20,40 every 30s"


class ArrivalsError(ValueError):
    """A description of arrivals that means nothing. The text says what is wrong, and how it is written."""


class Law(StrEnum):
    """How the gaps between requests are distributed, whose mean is one over the rate."""

    CONSTANT = "constant"
    POISSON = "poisson"
    BURSTY = "bursty"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time with a rate that goes evenly from one value to another."""

    from_per_s: float
    to_per_s: float
    seconds: float

    @property
    def area(self) -> float:
        """How many requests are due in it."""
        return (self.from_per_s + self.to_per_s) / 2 * self.seconds

    def when_s(self, area: float) -> float:
        """Seconds from its beginning until that many requests, at most `area`, are due."""
        if area <= 0:
            return 0.0
        slope = (self.to_per_s - self.from_per_s) / self.seconds
        root = math.sqrt(max(0.0, self.from_per_s**2 + 2 * slope * area))
        return 2 * area / (self.from_per_s + root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The requests of an open loop to one endpoint."""

    stretches: tuple[Stretch, ...] = ()
    """Changes of the rate, one after another."""
    last_per_s: float
    """The rate from then on, in 1/s."""
    law: Law = Law.CONSTANT
    shape: float = DEFAULT_SHAPE
    """Of the gamma law of `BURSTY` alone: below 1 requests come in bursts, 1 is Poisson, above 1 they are even."""
    seed: int = 0

    @property
    def length_s(self) -> float | None:
        """When the rate has made its last change and was there for its time; None for a rate that stays."""
        return sum(each.seconds for each in self.stretches) or None

    @property
    def peak_per_s(self) -> float:
        """The highest rate."""
        rates = [rate for each in self.stretches for rate in (each.from_per_s, each.to_per_s)]
        return max(rates, default=self.last_per_s)

    @property
    def first_second(self) -> int:
        """How many requests are due in the first second, on average, rounded up."""
        left_s, due = 1.0, 0.0
        for each in self.stretches:
            seconds = min(left_s, each.seconds)
            end_per_s = each.from_per_s + (each.to_per_s - each.from_per_s) * seconds / each.seconds
            due += (each.from_per_s + end_per_s) / 2 * seconds
            left_s -= seconds
        return max(1, math.ceil(due + left_s * self.last_per_s))

    def offsets_ns(self, members: int = 1) -> Iterator[int]:
        """When each request is due, in ns from the start, without end. `members`: endpoints that take turns, each at
        this rate. The same seed gives the same times."""
        stretches, begun_s, done = list(reversed(self.stretches)), 0.0, 0.0
        for due in _sums(self.law, self.shape, self.seed):
            area = due / members
            while stretches and area - done > stretches[-1].area:
                over = stretches.pop()
                begun_s, done = begun_s + over.seconds, done + over.area
            inside_s = stretches[-1].when_s(area - done) if stretches else (area - done) / self.last_per_s
            yield round((begun_s + inside_s) * 1e9)

    def __str__(self) -> str:
        """As it is written, without what is the default."""
        law = "" if self.law is Law.CONSTANT else f"{self.law} "
        if self.law is Law.BURSTY:
            law = f"{self.law}:{self.shape:g} "
        return f"{law}{self._rates()}"

    def _rates(self) -> str:
        if not self.stretches:
            return f"{self.last_per_s:g}/s"
        first = self.stretches[0]
        if len(self.stretches) == 1 and first.from_per_s != first.to_per_s:
            return f"{first.from_per_s:g}..{first.to_per_s:g}/s over {_seconds_text(first.seconds)}"
        rates = ",".join(f"{each.from_per_s:g}" for each in self.stretches)
        return f"{rates}/s every {_seconds_text(first.seconds)}"


def _sums(law: Law, shape: float, seed: int) -> Iterator[float]:
    """The sums of gaps with the mean 1. Evenly spaced requests begin at once."""
    rng, total = Random(seed), 0.0  # noqa: S311 - no secret: the same seed has to give the same times
    while True:
        if law is Law.CONSTANT:
            yield total
            total += 1.0
        else:
            total += rng.expovariate(1.0) if law is Law.POISSON else rng.gammavariate(shape, 1 / shape)
            yield total


_NUMBER = r"\d+(?:\.\d+)?"
_PER_S = r"(?:\s*/\s*s)?"
_FORM = re.compile(
    rf"(?:(?P<law>constant|poisson|bursty)(?:\s*:\s*(?P<shape>{_NUMBER}))?)?\s*"
    rf"(?:(?P<from>{_NUMBER})\s*\.\.\s*(?P<to>{_NUMBER}){_PER_S}\s+over\s+(?P<over>\S+)"
    rf"|(?P<steps>{_NUMBER}(?:\s*,\s*{_NUMBER})+){_PER_S}\s+every\s+(?P<every>\S+)"
    rf"|(?P<rate>{_NUMBER}){_PER_S})?",
    re.ASCII,
)
_DURATION = re.compile(rf"({_NUMBER})(ms|s|m|h)?", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def arrivals_of(text: str, per_s: float | None = None, seed: int = 0) -> Arrivals:
    """Arrivals as they are written: `LAW RATE`, where either may be left out. Raises ArrivalsError.

    LAW is `constant`, `poisson`, or `bursty:SHAPE`; RATE is `20`, `10..100 over 1m` or `10,20,40 every 30s`, in
    requests per second. `per_s`: the rate where the text has none.
    """
    found = _FORM.fullmatch(text.strip().lower())
    if found is None or not text.strip():
        raise ArrivalsError(f"{text!r} is not a law of arrivals: write {EXAMPLES}")
    law = Law(found["law"] or "constant")
    if found["shape"] and law is not Law.BURSTY:
        raise ArrivalsError(f"{text!r}: only bursty has a shape, as bursty:0.25")
    shape = float(found["shape"] or DEFAULT_SHAPE)
    if not 0.01 <= shape <= 100:
        raise ArrivalsError(f"{text!r}: the shape of bursty is 0.01 to 100; below 1 requests come in bursts")
    if found["from"]:
        ramp = Stretch(_rate(text, found["from"]), _rate(text, found["to"]), _seconds(text, found["over"]))
        if ramp.area <= 0:
            raise ArrivalsError(f"{text!r}: a ramp goes to or from a rate above 0")
        return Arrivals(stretches=(ramp,), last_per_s=ramp.to_per_s or ramp.from_per_s, law=law, shape=shape, seed=seed)
    if found["steps"]:
        stretches = _steps(text, found["steps"].split(","), _seconds(text, found["every"]))
        return Arrivals(stretches=stretches, last_per_s=stretches[-1].to_per_s, law=law, shape=shape, seed=seed)
    if found["rate"] is None and per_s is None:
        raise ArrivalsError(f"{text!r} has no rate: write {law} 20, or add --rate 20")
    if found["rate"] and per_s is not None:
        raise ArrivalsError(f"{text!r} has a rate, and --rate is another: leave one of them out")
    rate = per_s if per_s is not None else _rate(text, found["rate"])
    if not rate:
        raise ArrivalsError(f"{text!r}: the rate is above 0")
    return Arrivals(last_per_s=rate, law=law, shape=shape, seed=seed)


def _steps(text: str, rates: Sequence[str], seconds: float) -> tuple[Stretch, ...]:
    if len(rates) > MOST_STEPS:
        raise ArrivalsError(f"{text[:40]!r}...: a maximum of {MOST_STEPS:,} steps")
    steps = tuple(Stretch(rate, rate, seconds) for rate in (_rate(text, each) for each in rates))
    if not all(each.area for each in steps):
        raise ArrivalsError(f"{text!r}: the rate of each step is above 0")
    return steps


def _rate(text: str, number: str) -> float:
    if (rate := float(number)) > MOST_PER_S:
        raise ArrivalsError(f"{text!r}: a maximum of {MOST_PER_S:,.0f} requests per second")
    if 0 < rate < LEAST_PER_S:
        raise ArrivalsError(f"{text!r}: a minimum of {LEAST_PER_S:f} requests per second")
    return rate


def _seconds(text: str, duration: str) -> float:
    found = _DURATION.fullmatch(duration)
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    if not 0 < seconds <= 86_400:
        raise ArrivalsError(f"{text!r}: {duration!r} is not a duration up to 24h: write 30s, 5m or 1h")
    return seconds


def _seconds_text(seconds: float) -> str:
    return f"{seconds / 60:g}m" if seconds >= 60 and not seconds % 60 else f"{seconds:g}s"
