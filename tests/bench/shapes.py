"""Shapes of latencies with known truth, and how soon any test at all could see a change of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MONTH = 520_000
"""Results of an endpoint in a month of 30 days, one every 5 s (518,400)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A distribution of latencies, in units of about its median."""

    name: str
    draw: Callable[[np.random.Generator, int], Floats]
    """That many values, one after the other."""
    log_density: Callable[[Floats], Floats]
    """The logarithm of the density of a value's logarithm."""
    correlation: float = 0.0
    """Of the logarithms of two values in a row."""

    def bound(self, factor: float, false_alarms: float = 1.0) -> float:
        """The results that it takes on average to see a step by a factor, at that number of false alarms a month:
        ln(A) over the Kullback-Leibler divergence (Lorden 1971); of log-normal values 2 ln(A) / d^2. At least 1."""
        logs = np.linspace(-15, 15, 60_001)
        changed, usual = self.log_density(logs - math.log(factor)), self.log_density(logs)
        divergence = float(np.sum(np.exp(changed) * (changed - usual)) * (logs[1] - logs[0]))
        divergence *= (1 - self.correlation) / (1 + self.correlation)
        return max(math.log(MONTH / false_alarms) / divergence, 1.0)


def mixture(name: str, *parts: tuple[float, float, float]) -> Shape:
    """Log-normal values of several kinds: (share, median, spread of the logarithm) of each."""
    shares, medians, spreads = (np.array(each) for each in zip(*parts, strict=True))

    def draw(chance: np.random.Generator, n: int) -> Floats:
        kind = chance.choice(len(parts), n, p=shares)
        drawn: Floats = medians[kind] * np.exp(spreads[kind] * chance.standard_normal(n))
        return drawn

    def log_density(logs: Floats) -> Floats:
        total = np.full_like(logs, -np.inf)
        for share, median, spread in parts:
            steps = (logs - math.log(median)) / spread
            total = np.logaddexp(total, math.log(share / spread / math.sqrt(2 * math.pi)) - steps**2 / 2)
        return total

    return Shape(name, draw, log_density)


def gamma(name: str, order: float, median: float) -> Shape:
    """Gamma-distributed values of that order, which have that median at a scale of 1."""

    def draw(chance: np.random.Generator, n: int) -> Floats:
        return chance.gamma(order, 1 / median, n)

    def log_density(logs: Floats) -> Floats:
        scaled = logs + math.log(median)
        density: Floats = order * scaled - np.exp(np.minimum(scaled, 600)) - math.lgamma(order)
        return density

    return Shape(name, draw, log_density)


def following(name: str, spread: float, correlation: float) -> Shape:
    """Log-normal values, each of which follows the one before."""
    alone = mixture(name, (1, 1, spread))
    own = math.sqrt(1 - correlation**2)

    def draw(chance: np.random.Generator, n: int) -> Floats:
        logs = chance.standard_normal(n)
        logs[1:] *= own
        last, steps = 0.0, logs.tolist()
        for at, step in enumerate(steps):
            steps[at] = last = correlation * last + step
        return np.exp(spread * np.array(steps))

    return Shape(name, draw, alone.log_density, correlation)


LOG_NORMAL = mixture("log-normal 0.4", (1, 1, 0.4))
SHAPES = (
    LOG_NORMAL,
    mixture("log-normal 0.2", (1, 1, 0.2)),
    mixture("log-normal 0.8", (1, 1, 0.8)),
    gamma("gamma 3", 3, 2.674),
    mixture("bimodal 1 : 4, 80 %", (0.8, 1, 0.2), (0.2, 4, 0.2)),
    mixture("heavy: 1 % stalls of 20x", (0.99, 1, 0.4), (0.01, 20, 0.4)),
    following("correlated 0.5", 0.4, 0.5),
)
TEMPO = mixture("tempo", (1, 1, 0.2))
"""Of a stream's tokens."""


def failure_bound(usual: float, bad: float, false_alarms: float = 4.0) -> float:
    """The results that it takes on average to see a share of failures against the usual one."""
    divergence = bad * math.log(bad / usual) + (1 - bad) * math.log((1 - bad) / (1 - usual))
    return max(math.log(MONTH / false_alarms) / divergence, 1.0)
