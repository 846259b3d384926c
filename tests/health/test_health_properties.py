"""What holds of states whatever results come: no flapping, and the shares and percentiles of a window are exact."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.judged import S, Story

from gwtui.health.windows import LEAST, MOST, Outcomes, WindowPercentile
from gwtui.model.enums import State
from gwtui.model.verdicts import Verdict

REASONS = (Verdict.TRUNCATED, Verdict.RESET)


@pytest.mark.parametrize("pair", ["t.", ".t"])
def test_good_and_bad_in_turn_is_one_incident_not_one_per_result(pair: str) -> None:
    """Nor is it more in any shorter story, as what was reported stays."""
    story = Story().results(pair * 400)
    assert len(story.reports()) <= 1


@settings(deadline=None)
@given(
    letters=st.text(alphabet="..tlc", max_size=300),
    down_after=st.integers(1, 6),
    up_after=st.integers(1, 6),
    every_s=st.sampled_from([0.5, 5.0, 45.0]),
)
def test_no_results_move_an_endpoint_in_and_out_of_down_faster_than_its_thresholds(
    letters: str, down_after: int, up_after: int, every_s: float
) -> None:
    story = Story(every_s=every_s, down_after=down_after, up_after=up_after)
    downs = [State.UNKNOWN]
    runs = []
    good = bad = 0
    for letter in letters:
        story.results(letter)
        good, bad = (good + 1, 0) if letter == "." else (0, bad + 1) if letter == "t" else (good, bad)
        if (story.state() is State.DOWN) is not (downs[-1] is State.DOWN):
            runs.append((story.state() is State.DOWN, bad if story.state() is State.DOWN else good))
        downs.append(story.state())
    assert all(run == (down_after if is_down else up_after) for is_down, run in runs)
    counted = sum(letter in ".t" for letter in letters)
    assert len(runs) <= 2 * (counted // (down_after + up_after) + 1)


@settings(deadline=None)
@given(letters=st.text(alphabet=".......t", max_size=400), every_s=st.sampled_from([0.5, 5.0, 45.0]))
def test_degraded_follows_the_share_of_the_window_between_its_two_limits(letters: str, every_s: float) -> None:
    story = Story(every_s=every_s, down_after=1000, degraded_fail_share=0.1)
    seen: list[tuple[int, str]] = []
    for letter in letters:
        story.results(letter)
        seen.append((story.now_ns, letter))
        window = [x for at, x in seen if at >= story.now_ns - 60 * S]
        window = window if len(window) >= LEAST else [x for _, x in seen[-LEAST:]]
        failed = window.count("t")
        if len(window) >= LEAST and failed >= 2 and failed * 10 >= len(window):
            assert story.state() is State.DEGRADED
        elif failed * 20 < len(window) or failed == 0:
            assert story.state() in (State.UP, State.UNKNOWN)
    states = [state for state, _ in story.reports()]
    assert all(one is not other for one, other in pairwise(states)), "each entry is a change"


@settings(deadline=None)
@given(
    samples=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 50)), max_size=120),
    percent=st.floats(0.1, 97.0),
)
def test_a_window_holds_the_values_of_its_span_but_not_too_few(samples: list[tuple[int, int]], percent: float) -> None:
    window, least = WindowPercentile(100, percent), max(LEAST, int(100 / (100 - percent)) + 1)
    kept: list[tuple[int, int]] = []
    now_ns = 0
    for step_ns, value in samples:
        now_ns += step_ns
        window.add(now_ns, value)
        kept.append((now_ns, value))
        span = [sample for sample in kept if sample[0] >= now_ns - 100]
        kept = span if len(span) >= least else kept[-least:]
        values = sorted(value for _, value in kept)
        assert len(window) == len(values)
        if window.value is None:
            assert len(values) < least
        else:
            assert sum(value <= window.value for value in values) >= percent / 100 * len(values) - 1e-6
            assert sum(value < window.value for value in values) < percent / 100 * len(values) + 1e-6


@settings(deadline=None)
@given(results=st.lists(st.tuples(st.integers(0, 40), st.sampled_from([None, *REASONS])), max_size=120))
def test_a_window_counts_the_failures_of_its_span(results: list[tuple[int, Verdict | None]]) -> None:
    window = Outcomes(100)
    kept: list[tuple[int, Verdict | None]] = []
    now_ns = 0
    for step_ns, failure in results:
        now_ns += step_ns
        window.add(now_ns, failure)
        kept.append((now_ns, failure))
        span = [result for result in kept if result[0] >= now_ns - 100]
        kept = span if len(span) >= LEAST else kept[-LEAST:]
        assert len(window) == len(kept)
        assert window.failures == Counter(failure for _, failure in kept if failure is not None)


def test_a_burst_does_not_grow_a_window_without_bound() -> None:
    outcomes, percentile = Outcomes(60 * S), WindowPercentile(60 * S, 50.0)
    for now_ns in range(3 * MOST):
        outcomes.add(now_ns, None)
        percentile.add(now_ns, 1)
    assert len(outcomes) == len(percentile) == MOST
