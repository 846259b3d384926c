"""Objectives: what they mean, which requests keep them, and what that makes of a benchmark."""

from __future__ import annotations

from typing import Any

import pytest
from support.benching import request
from support.monitor_stage import MS

from gwtui.bench.slo import Attainment, SLOError, check_slo, parse_slo
from gwtui.model.metrics import Metric
from gwtui.model.records import Request


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ttft<500ms", ["p95 TTFT < 500 ms"]),
        (" TTFT < 500 , e2e<=5s,", ["p95 TTFT < 500 ms", "p95 E2E <= 5.00 s"]),
        ("p99_ttft<0.5s,tpot<50ms", ["p99 TTFT < 500 ms", "p95 TPOT < 50.0 ms"]),
        ("p99.9_e2e<1m", ["p99.9 E2E < 60.0 s"]),
    ],
)
def test_objectives(text: str, told: list[str]) -> None:
    assert list(map(str, parse_slo(text))) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no objective"),
        ("ttft", "'ttft' is not an objective: write one like ttft<500ms"),
        ("tfft<500ms", "did you mean ttft?"),
        ("cost<5", "'cost' is not a latency"),
        ("ttft<500h", "'h' is not a unit of time"),
        ("ttft>500ms", "an objective is an upper limit: write ttft<500ms"),
        ("ttft<0", "write a limit above 0"),
        ("ttft<1s,e2e<5s,ttft<2s", "two limits for TTFT"),
        ("p00_ttft<1s", "between p0 and p100"),
    ],
)
def test_what_means_nothing_says_what_to_write(text: str, told: str) -> None:
    with pytest.raises(SLOError) as error:
        parse_slo(text)
    assert told in str(error.value)


def test_an_objective_that_no_endpoint_can_answer_is_refused() -> None:
    check_slo(parse_slo("e2e<5s"), (Metric.TTFB, Metric.E2E))
    with pytest.raises(SLOError, match="no endpoint here has the latency TTFT; there are: ttfb, e2e"):
        check_slo(parse_slo("ttft<5s"), (Metric.TTFB, Metric.E2E))


def attained(text: str, *results: Request, waited_ms: int = 0) -> Attainment:
    found = Attainment(parse_slo(text))
    for each in results:
        found.take(each, waited_ms * MS)
    return found


def test_a_request_has_to_keep_all_of_them() -> None:
    results = [request(e2e_ms=e2e_ms, ttft_ms=ttft_ms) for ttft_ms, e2e_ms in ((100, 900), (600, 900), (100, 1100))]
    found = attained("ttft<500ms,e2e<1s", *results)
    assert (found.kept, found.kept_each, found.unknown) == (1, [2, 2], 0)
    assert found.share(total=4) == 0.25


@pytest.mark.parametrize(("text", "kept"), [("e2e<100ms", 0), ("e2e<=100ms", 1), ("e2e<100.001ms", 1)])
def test_the_limit_itself(text: str, kept: int) -> None:
    assert attained(text, request(e2e_ms=100)).kept == kept


def test_what_a_request_does_not_have_it_does_not_break() -> None:
    assert attained("tpot<50ms", request()).kept == 1


def test_the_wait_before_the_send_counts_for_what_is_counted_from_it() -> None:
    found = attained("e2e<200ms,tpot<50ms", request(e2e_ms=150, tpot_ms=40), waited_ms=60)
    assert found.kept_each == [0, 1]


@pytest.mark.parametrize(
    ("e2e_ms", "error_ms", "kept", "unknown"),
    [(90, 80, 1, 0), (150, 30, 0, 0), (150, 60, 0, 1), (150, 100, 0, 1)],
    ids=["surely kept", "surely broken", "perhaps kept", "says nothing"],
)
def test_what_own_lateness_leaves_open_is_unknown(e2e_ms: int, error_ms: int, kept: int, unknown: int) -> None:
    late: dict[str, Any] = {"tainted": True, "error_ns": error_ms * MS}
    found = attained("e2e<100ms", request(e2e_ms=e2e_ms, **late))
    assert (found.kept, found.unknown) == (kept, unknown)
    assert found.share(total=1) == (None if unknown else kept)
