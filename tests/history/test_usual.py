"""Which results tell what is usual."""

from __future__ import annotations

import pytest

from gwtui.history.sums import LatencySums
from gwtui.history.usual import Acceptance, LatencyRow, OutcomeRow, better, first_hour, past_of
from gwtui.model.metrics import Metric
from gwtui.model.usual import UsualSource

NOW = 500_000
MS = 1_000_000


def sums(n: int, ms: int) -> LatencySums:
    found = LatencySums()
    found.histogram.record(ms * MS, n)
    return found


def row(hour: int, n: int, ms: int = 100, *, teaches: bool = True, metric: str = "ttft") -> LatencyRow:
    return LatencyRow(hour, teaches, metric, n, sums(n, ms).packed())


def usual(*rows: LatencyRow, acceptance: Acceptance | None = None) -> tuple[UsualSource, int, int] | None:
    found = past_of([], rows, NOW, acceptance).latencies.get(Metric.TTFT)
    return (found.source, found.n, found.p50_ns // MS) if found else None


def test_the_same_hour_of_the_days_before_comes_first() -> None:
    same = [row(NOW - 24 * day + apart, 10, 300) for day in range(1, 8) for apart in (-1, 0, 1)]
    assert usual(*same, row(NOW - 2, 1000, 50)) == (UsualSource.HOUR, 210, 300)


@pytest.mark.parametrize("hour", [NOW - 26, NOW - 22, NOW - 24 * 8, NOW, NOW + 24])
def test_no_other_hour_counts_as_the_same(hour: int) -> None:
    found = usual(row(hour, 200))
    assert found is None or found[0] is UsualSource.DAY


def test_the_earliest_hour_that_is_read_is_the_earliest_that_counts() -> None:
    assert usual(row(first_hour(NOW), 200)) == (UsualSource.HOUR, 200, 100)
    assert usual(row(first_hour(NOW) - 1, 200)) is None


def test_where_it_has_too_few_results_the_last_24_hours_count() -> None:
    assert usual(row(NOW - 48, 199, 300), row(NOW - 3, 50)) == (UsualSource.DAY, 50, 100)
    assert usual(row(NOW - 48, 199), row(NOW - 3, 49)) is None


def test_each_metric_has_its_own_source() -> None:
    rows = [row(NOW - 24, 200), row(NOW - 1, 60, 9, metric="tpot"), row(NOW - 24, 200, metric="of another version")]
    found = past_of([], rows, NOW).latencies
    assert {metric: each.source for metric, each in found.items()} == {
        Metric.TTFT: UsualSource.HOUR,
        Metric.TPOT: UsualSource.DAY,
    }


def test_results_within_incidents_teach_nothing() -> None:
    assert usual(row(NOW - 24, 200), row(NOW - 24, 900, 5000, teaches=False)) == (UsualSource.HOUR, 200, 100)


def test_after_an_accepted_change_only_its_results_count() -> None:
    accepted = Acceptance(since=(NOW - 10) * 3600 + 60, at=(NOW - 4) * 3600 + 60)
    rows = [
        row(NOW - 11, 500, 100),
        row(NOW - 10, 500, 100),
        row(NOW - 10, 30, 900, teaches=False),
        row(NOW - 4, 30, 900, teaches=False),
        row(NOW - 3, 30, 900),
        row(NOW - 2, 30, 7000, teaches=False),
    ]
    assert usual(*rows, acceptance=accepted) == (UsualSource.DAY, 90, 900)


def test_accepted_without_an_incident_it_begins_anew_with_the_next_hour() -> None:
    accepted = Acceptance(since=(NOW - 4) * 3600.0, at=(NOW - 4) * 3600.0)
    rows = [row(NOW - 4, 500, 100), row(NOW - 4, 500, 100, teaches=False), row(NOW - 3, 60, 900)]
    assert usual(*rows, acceptance=accepted) == (UsualSource.DAY, 60, 900)


def test_damaged_rows_are_left_out() -> None:
    damaged = LatencyRow(NOW - 24, True, "ttft", 200, b"\xff")
    assert usual(damaged, row(NOW - 1, 60)) == (UsualSource.DAY, 60, 100)


def test_the_usual_share_of_failures_has_its_own_source_too() -> None:
    outcomes = [
        OutcomeRow(NOW - 1, True, "complete", 60),
        OutcomeRow(NOW - 1, True, "truncated", 1),
        OutcomeRow(NOW - 1, True, "cancelled", 500),
        OutcomeRow(NOW - 1, True, "of another version", 500),
        OutcomeRow(NOW - 1, False, "truncated", 50),
    ]
    past = past_of(outcomes, [], NOW)
    assert (past.good, past.failed) == (60, 1)
    past = past_of([*outcomes, OutcomeRow(NOW - 25, True, "complete", 200)], [], NOW)
    assert (past.good, past.failed) == (200, 0)


def test_without_history_twenty_results_of_this_session_will_do() -> None:
    past = sums(50, 100).usual(UsualSource.DAY)
    assert better(past, sums(1000, 5)) == past
    assert better(None, sums(19, 5)) is None
    found = better(None, sums(20, 5))
    assert found is not None
    assert (found.source, found.n) == (UsualSource.SESSION, 20)
