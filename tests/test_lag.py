"""How late the engine was is known, and what was measured meanwhile is marked and blamed on nobody."""

from __future__ import annotations

import pytest

from gwtui.engine.lag import BURST_NS, PERIOD_NS, STANDSTILL_NS, TAINT_NS, Lag, marked
from gwtui.records import Finding, Request
from gwtui.verdicts import Verdict
from gwtui.words import Outcome

MS = 1_000_000


def test_lag_is_known_before_the_late_task_can_tell_it() -> None:
    lag = Lag()
    assert lag.since(0, 10**12) == 0, "nothing is late before it began"
    lag.woke(0)
    assert lag.since(0, PERIOD_NS + TAINT_NS) == 0
    assert lag.since(0, PERIOD_NS + TAINT_NS + 1) == TAINT_NS + 1
    assert lag.take(PERIOD_NS + 5 * MS) == 5 * MS


def test_lag_is_remembered_for_what_was_under_way_and_for_the_next_heartbeat() -> None:
    lag = Lag()
    lag.woke(0)
    first_ns = PERIOD_NS + 90 * MS
    lag.woke(first_ns)
    late_ns = first_ns + PERIOD_NS + 30 * MS
    lag.woke(late_ns)
    assert lag.since(first_ns - 1, late_ns + MS) == 90 * MS
    assert lag.since(first_ns + 1, late_ns + MS) == 30 * MS
    assert lag.since(late_ns + 1, late_ns + MS) == 0
    assert lag.take(late_ns + MS) == 90 * MS
    assert lag.take(late_ns + MS) == 0


@pytest.mark.parametrize(
    ("verdict", "late_ns", "becomes", "tainted"),
    [
        (Verdict.STALLED, 0, Verdict.STALLED, False),
        (Verdict.STALLED, 30 * MS, Verdict.STALLED, True),
        (Verdict.STALLED, STANDSTILL_NS, Verdict.LOCAL, True),
        (Verdict.NO_FIRST_BYTE, 300 * STANDSTILL_NS, Verdict.LOCAL, True),
        (Verdict.RESET, STANDSTILL_NS, Verdict.LOCAL, True),
        (Verdict.COMPLETE, STANDSTILL_NS, Verdict.COMPLETE, True),
        (Verdict.UNAVAILABLE, STANDSTILL_NS, Verdict.UNAVAILABLE, True),
    ],
)
def test_what_fails_because_the_engine_stood_still_is_not_the_gateways_fault(
    verdict: Verdict, late_ns: int, becomes: Verdict, tainted: bool
) -> None:
    request = Request(endpoint="a", number=1, started_at=0, now_ns=0, api="http", verdict=verdict, rule="x")
    result = marked(request, late_ns)
    assert (result.verdict, result.tainted) == (becomes, tainted)
    if becomes is not verdict:
        assert verdict in result.reason
        assert result.outcome is Outcome.LOCAL


@pytest.mark.parametrize(("late_ns", "found"), [(BURST_NS - 1, ["buffered", "retries"]), (BURST_NS, ["retries"])])
def test_a_burst_that_the_engine_made_itself_is_no_finding(late_ns: int, found: list[str]) -> None:
    findings = tuple(Finding(name=name, evidence="x") for name in ("buffered", "retries"))
    request = Request(
        endpoint="a",
        number=1,
        started_at=0,
        now_ns=0,
        api="http",
        verdict=Verdict.COMPLETE,
        rule="x",
        findings=findings,
    )
    result = marked(request, late_ns)
    assert isinstance(result, Request)
    assert [finding.name for finding in result.findings] == found
