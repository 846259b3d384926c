"""The chart's data: a dot per result until there are too many, and percentiles only where enough values bear them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.monitor_stage import MS, SECOND
from support.views import request

from gwtui.model.metrics import AnswerForm, Metric
from gwtui.model.profile import Thresholds
from gwtui.model.query import Window
from gwtui.model.verdicts import Verdict
from gwtui.monitor.kept_results import KeptResults
from gwtui.monitor.latency_chart import BEARS, ChartLines, LatencyChart, limit_ns


def kept(*results: tuple[float, int | None]) -> KeptResults:
    """Seconds, and TTFT in milliseconds; None failed."""
    made = KeptResults()
    for number, (second, ms) in enumerate(results, 1):
        verdict = Verdict.TRUNCATED if ms is None else Verdict.COMPLETE
        ttft_ns = None if ms is None else ms * MS
        made.add(request(number=number, now_ns=round(second * SECOND), verdict=verdict, ttft_ns=ttft_ns))
    return made


def lines(results: KeptResults, at_s: float, window: Window = Window.M2, columns: int = 24) -> ChartLines:
    return LatencyChart(results, 0).lines(Metric.TTFT, window, round(at_s * SECOND), columns)


def test_every_result_of_the_window_has_a_dot_at_its_time() -> None:
    made = lines(kept((1, 100), (121, 200), (122, None), (239, 300), (240, 400)), 239.5)
    assert [(dot.at_ns // SECOND, dot.value_ns and dot.value_ns // MS) for dot in made.dots] == [
        (121, 200),
        (122, None),
        (239, 300),
    ]
    assert (made.start_ns, made.end_ns) == (120 * SECOND, 240 * SECOND)


def test_a_percentile_is_of_as_few_of_the_latest_as_bear_it_and_no_line_without() -> None:
    made = lines(kept(*((5 * at, 100 + at) for at in range(24))), 119.9)
    first = 5  # the sixth result
    assert made.p50s[:first] == (None,) * first
    assert [value // MS for value in made.p50s[first:] if value] == [102 + at for at in range(24 - first)]
    assert made.p90s == (None,) * 24, "29 would be needed"


def test_an_empty_share_tears_no_line_but_a_pause_ends_it() -> None:
    made = lines(kept(*((at, 100) for at in range(30))), 119.9)
    known = [value is not None for value in made.p50s]
    assert known == [False, *[True] * 11, *[False] * 12], "over a third of the window from the sixth last result on"


def test_many_results_have_a_band() -> None:
    made = lines(kept(*((at / 10, 100 + at % 100) for at in range(1200))), 119.9)
    assert set(made.p50s[2:]) == {124 * MS, 174 * MS}
    assert all(p90 is not None and p50 is not None and p90 > p50 for p50, p90 in zip(made.p50s, made.p90s, strict=True))


def test_very_many_results_are_thinned_and_the_rare_ones_stay() -> None:
    results: list[tuple[float, int | None]] = [(at / 500, 100 + at % 7) for at in range(50_000)]
    results[10_000] = (20, 4000)
    results[20_000] = (40, None)
    made = lines(kept(*results), 99.9)
    values = [dot.value_ns for dot in made.dots]
    assert len(values) < 2500
    assert (4000 * MS in values, None in values) == (True, True)
    assert list(made.dots) == sorted(made.dots, key=lambda dot: dot.at_ns)
    assert made.p50s[4:] == (103 * MS,) * 20


def test_a_burst_in_a_share_with_many_counts_with_all_its_results() -> None:
    results: list[tuple[float, int | None]] = [(at / 50, 100) for at in range(6000)]
    results += [(112 + at / 2500, 900) for at in range(2000)]
    made = lines(kept(*sorted(results)), 119.9)
    assert [value // MS for value in made.p50s[-3:] if value] == [100, 900, 100]


def test_a_long_outage_at_a_high_rate_ends_the_line() -> None:
    results: list[tuple[float, int | None]] = [(at / 20, 100 if at < 200 else None) for at in range(1000)]
    made = lines(kept(*results), 49.9)
    known = [value is not None for value in made.p50s]
    assert known[14:] == [*[True] * 4, *[False] * 6]


@pytest.mark.parametrize(("at_s", "end_s"), [(10, 11), (23.9, 24), (24, 26), (1000, 1024)])
def test_a_whole_session_has_no_more_shares_than_columns(at_s: float, end_s: int) -> None:
    made = lines(kept((1, 100)), at_s, Window.ALL)
    assert (made.start_ns, made.end_ns) == (0, end_s * SECOND)
    assert len(made.p50s) <= 24
    assert len(made.dots) == 1


@settings(max_examples=30)
@given(
    gaps=st.lists(st.tuples(st.floats(0, 9), st.none() | st.integers(1, 9999)), max_size=60),
    window=st.sampled_from(Window),
    columns=st.integers(1, 40),
)
def test_one_that_follows_says_the_same_as_one_that_only_looks_now(
    gaps: list[tuple[float, int | None]], window: Window, columns: int
) -> None:
    results, second = KeptResults(), 0.0
    following = LatencyChart(results, 0)
    for number, (gap, ms) in enumerate(gaps, 1):
        second += gap
        verdict = Verdict.TRUNCATED if ms is None else Verdict.COMPLETE
        ttft_ns = None if ms is None else ms * MS
        results.add(request(number=number, now_ns=round(second * SECOND), verdict=verdict, ttft_ns=ttft_ns))
        for at_ns in (round(second * SECOND), round((second + 2) * SECOND)):
            seen = following.lines(Metric.TTFT, window, at_ns, columns)
            assert seen == LatencyChart(results, 0).lines(Metric.TTFT, window, at_ns, columns)


def test_what_bears_a_percentile_is_what_the_figures_ask_for() -> None:
    assert BEARS == {0.5: 6, 0.9: 29}
    assert math.isclose(1 - 0.9**29 - 0.1**29, 0.953, abs_tol=1e-3)


@pytest.mark.parametrize(
    ("thresholds", "metric", "expected"),
    [
        (Thresholds(), Metric.TTFT, None),
        (Thresholds(slow_over_ms=800), Metric.TTFT, 800 * MS),
        (Thresholds(slow_over_ms=800), Metric.E2E, None),
        (Thresholds(slow_over_ms=800, slow_metric=Metric.E2E), Metric.E2E, 800 * MS),
    ],
)
def test_the_limit_is_that_of_the_latency_it_was_set_for(
    thresholds: Thresholds, metric: Metric, expected: int | None
) -> None:
    assert limit_ns(thresholds, AnswerForm.STREAM, metric) == expected
