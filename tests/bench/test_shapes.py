"""The bounds of the bench of states, and the shapes that are drawn there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from .shapes import LOG_NORMAL, MONTH, SHAPES, TEMPO, Shape, failure_bound, gamma, mixture
from .watched import TTFT_NS, usual_latency


@pytest.mark.parametrize("factor", [1.5, 2, 3])
def test_the_bound_of_log_normal_values_is_the_textbooks(factor: float) -> None:
    shift = math.log(factor) / 0.4
    assert LOG_NORMAL.bound(factor) == pytest.approx(2 * math.log(MONTH) / shift**2, rel=1e-6)
    correlated = next(shape for shape in SHAPES if shape.correlation)
    assert correlated.bound(factor) == pytest.approx(3 * LOG_NORMAL.bound(factor), rel=1e-6)
    assert TEMPO.bound(100) == 1


def test_the_bound_of_gamma_values_is_the_textbooks() -> None:
    assert gamma("", 3, 2.674).bound(2) == pytest.approx(math.log(MONTH) / (3 * (1 - math.log(2))), rel=1e-6)


def test_the_bound_of_failures_is_fewer_where_they_are_rare() -> None:
    assert failure_bound(0.0005, 0.2) == pytest.approx(11.5, abs=0.1)
    assert failure_bound(0.005, 0.2) == pytest.approx(20.9, abs=0.1)


@pytest.mark.parametrize("shape", [*SHAPES, mixture("one", (1, 2, 0.1))], ids=lambda shape: shape.name)
def test_what_is_drawn_is_what_the_bound_is_of(shape: Shape) -> None:
    drawn = shape.draw(np.random.default_rng(1), 40_000)
    logs = np.linspace(-15, 15, 60_001)
    upto = np.cumsum(np.exp(shape.log_density(logs))) * (logs[1] - logs[0])
    assert upto[-1] == pytest.approx(1, rel=1e-6)
    for share in (0.1, 0.5, 0.9, 0.99):
        expected = float(np.exp(logs[np.searchsorted(upto, share)]))
        assert np.mean(drawn <= expected) == pytest.approx(share, abs=0.015)
    logs = np.log(drawn)
    assert np.corrcoef(logs[1:], logs[:-1])[0, 1] == pytest.approx(shape.correlation, abs=0.03)


def test_what_is_usual_is_learnt_as_in_the_program() -> None:
    shape = next(shape for shape in SHAPES if shape.correlation)
    drawn = shape.draw(np.random.default_rng(1), 4_000) * TTFT_NS
    usual = usual_latency(drawn)
    assert usual.n == sum(count for _, count in usual.values) == len(drawn)
    assert usual.p50_ns == pytest.approx(float(np.median(drawn)), rel=0.02)
    assert usual.correlation == pytest.approx(shape.correlation, abs=0.05)
