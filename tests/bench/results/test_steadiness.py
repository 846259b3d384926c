"""A benchmark claims no steady state that was not there, and tells an endpoint that stood still from gwtui that did."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable

import pytest
from support.benching import request
from support.monitor_stage import MS, SECOND, endpoint

from gwtui.bench.gates.thresholds import judge, parse
from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.results.steadiness import steadiness_of
from gwtui.engine.loop_lag import STOP_NS, LoopLag


def loaded(per_s: float, seconds: float, workers: int = 8, takes_ms: int = 80) -> Measured:
    """An open loop to a server with that many workers."""
    each, free = empty([endpoint()], from_planned=True)["gateway"], [0] * workers
    for number in range(round(per_s * seconds)):
        due_ns = round(number / per_s * SECOND)
        end_ns = max(due_ns, heapq.heappop(free)) + takes_ms * MS
        heapq.heappush(free, end_ns)
        took_ms = (end_ns - due_ns) / MS
        each.take(request("gateway", number, took_ms, ttft_ms=took_ms - 30, planned_ns=due_ns, sent_ns=due_ns))
    return each


def one_by_one(ends_ms: Iterable[int], stops_ms: Iterable[tuple[int, int]] = ()) -> Measured:
    """A closed loop whose requests end at these times; each begins when the one before has ended."""
    each, begin_ms = empty([endpoint()])["gateway"], 0
    for number, end_ms in enumerate(ends_ms):
        each.take(request("gateway", number, end_ms - begin_ms, planned_ms=begin_ms, sent_ms=begin_ms))
        begin_ms = end_ms
    each.flights.course.stops += [(begin * MS, end * MS) for begin, end in stops_ms]
    return each


@pytest.mark.parametrize("seconds", [3, 6])
def test_an_overloaded_endpoint_is_not_steady(seconds: float) -> None:
    each = loaded(200, seconds)
    found = steadiness_of(each)
    assert re.fullmatch(
        r"not steady: TTFT grows 1.00 s/s, in flight grows 100/s; the endpoint sustains about (99|100)/s",
        found.sentence,
    )
    assert found.lines() == [f"gateway: {found.sentence}"]
    told = found.as_json()
    assert told["steady"] is False
    assert told["sustained_per_s"] == pytest.approx(100, rel=0.02)
    assert told["in_flight_growth_per_s"] == pytest.approx(100, rel=0.02)
    (tripped,) = judge([parse("not_steady")], [each])
    assert "the endpoint sustains about" in str(tripped)


def test_a_steady_one_gets_no_line() -> None:
    found = steadiness_of(loaded(95, 3))
    assert (found.is_steady, found.lines(), found.sustained_per_s) == (True, [], None)
    assert not judge([parse("not_steady")], [loaded(95, 3)])


def test_a_short_run_is_undecided() -> None:
    each = loaded(5, 3)
    assert steadiness_of(each).as_json()["steady"] is None
    (found,) = judge([parse("not_steady")], [each])
    assert found.undecided
    assert "takes 30 good requests" in str(found)
    assert steadiness_of(empty([endpoint()])["gateway"]).is_steady is None


def test_a_closed_loop_that_slows_down_sustains_nothing_in_particular() -> None:
    ends_ms, at_ms = [], 0
    for number in range(100):
        at_ms += 10 + number
        ends_ms.append(at_ms)
    found = steadiness_of(one_by_one(ends_ms))
    assert found.is_steady is False
    assert "sustains" not in found.sentence
    assert "E2E grows" in found.sentence


HUNDRED_PER_S = range(10, 1010, 10)
AFTER_A_STOP = range(3010, 4010, 10)


def test_a_standstill_says_what_was_not_sent() -> None:
    found = steadiness_of(one_by_one([*HUNDRED_PER_S, *AFTER_A_STOP]))
    assert found.lines() == [
        "gateway: 2.01 s in which nothing ended, 1.00 s after the first send: "
        "about 201 requests at this pace were not sent"
    ]
    (told,) = found.as_json()["standstills"]
    assert told == {"after_s": 1.0, "seconds": 2.01, "in_flight": 1, "requests_at_this_pace": 201}


def test_own_standstills_are_no_fault_of_the_endpoint() -> None:
    found = steadiness_of(one_by_one([*HUNDRED_PER_S, *AFTER_A_STOP], [(1100, 2900), (9000, 9500)]))
    assert found.lines() == [
        "gateway: gwtui itself stood still for 1.80 s 1.10 s after the first send: no fault of the endpoint"
    ]
    assert found.as_json()["own_standstills"] == [{"after_s": 1.1, "seconds": 1.8}]


def test_the_event_loop_knows_when_it_stood_still() -> None:
    stops: list[tuple[int, int]] = []
    lag = LoopLag(lambda begin_ns, end_ns: stops.append((begin_ns, end_ns)))
    lag.woke(0)
    lag.woke(STOP_NS)
    lag.woke(STOP_NS + 10 * MS)
    lag.woke(2 * SECOND)
    assert stops == [(STOP_NS + 20 * MS, 2 * SECOND)]


def test_the_time_between_two_blocks_is_neither_a_standstill_nor_a_trend() -> None:
    each = empty([endpoint()], from_planned=True)["gateway"]
    for number in range(600):
        if number == 300:
            each.flights.pause()
        due_ns = number * 10 * MS + (60 * SECOND if number >= 300 else 0)
        each.take(request("gateway", number, 80, ttft_ms=50, planned_ns=due_ns, sent_ns=due_ns))
    found = steadiness_of(each)
    assert (found.is_steady, found.lines()) == (True, [])
    assert found.due_per_s == pytest.approx(100, rel=0.02)
    assert each.flights.pauses == [(2990 * MS + 80 * MS, 63_000 * MS)]
