"""How late the engine was is known, and what fails because it stood still is blamed on nobody."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gwtui.engine.loop_lag import LATE_NS, PERIOD_NS, STANDSTILL_NS, LoopLag, marked
from gwtui.model.enums import FindingName, Outcome
from gwtui.model.records import Finding, Ping, Request
from gwtui.model.verdicts import Verdict

MS = 1_000_000


def request(verdict: Verdict = Verdict.COMPLETE) -> Request:
    return Request(endpoint="a", number=1, started_at=0, now_ns=0, api="http", verdict=verdict, rule="x")


def test_lag_is_known_before_the_late_task_can_report_it() -> None:
    lag = LoopLag()
    assert lag.since(0, 10**12) == 0, "nothing is late before it began"
    lag.woke(0)
    assert lag.since(0, PERIOD_NS + LATE_NS) == 0
    assert lag.since(0, PERIOD_NS + LATE_NS + 1) == LATE_NS + 1
    assert lag.take(PERIOD_NS + 5 * MS) == 5 * MS


def test_lag_is_remembered_for_what_was_under_way_and_for_the_next_heartbeat() -> None:
    lag = LoopLag()
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
    ("verdict", "late_ns", "becomes"),
    [
        (Verdict.STALLED, 0, Verdict.STALLED),
        (Verdict.STALLED, STANDSTILL_NS - 1, Verdict.STALLED),
        (Verdict.STALLED, STANDSTILL_NS, Verdict.LOCAL),
        (Verdict.NO_FIRST_BYTE, 300 * STANDSTILL_NS, Verdict.LOCAL),
        (Verdict.RESET, STANDSTILL_NS, Verdict.LOCAL),
        (Verdict.COMPLETE, STANDSTILL_NS, Verdict.COMPLETE),
        (Verdict.UNAVAILABLE, STANDSTILL_NS, Verdict.UNAVAILABLE),
    ],
)
def test_what_fails_because_the_engine_stood_still_is_not_the_gateways_fault(
    verdict: Verdict, late_ns: int, becomes: Verdict
) -> None:
    result = marked(request(verdict), late_ns)
    assert result.verdict is becomes
    assert result.tainted is (becomes is Verdict.LOCAL)
    if becomes is not verdict:
        assert verdict in result.reason
        assert result.outcome is Outcome.LOCAL


@pytest.mark.parametrize(
    "result",
    [
        request(),
        Request(**{name: getattr(request(), name) for name in Request.__struct_fields__} | {"errors": {}}),
        Ping(endpoint="a", number=1, started_at=0, now_ns=0, verdict=Verdict.PONG, rule="x", error_ns=1),
    ],
)
def test_what_a_machine_slept_may_be_missing_from_every_latency(result: Request | Ping) -> None:
    slept = marked(result, 0, 30 * STANDSTILL_NS)
    assert (slept.tainted, slept.error_ns, slept.verdict) == (True, 30 * STANDSTILL_NS, result.verdict)
    assert isinstance(slept, Ping) or slept.errors is None


def test_what_a_machine_slept_takes_the_findings_that_are_seen_in_times() -> None:
    buffered = Finding(name=FindingName.BUFFERED, evidence="all 40 content events came in one read")
    damaged = Finding(name=FindingName.DAMAGED, evidence="x")
    result = replace(request(), findings=(buffered, damaged))
    assert marked(result, 0).findings == (buffered, damaged)
    assert marked(result, 0, STANDSTILL_NS).findings == (damaged,)
