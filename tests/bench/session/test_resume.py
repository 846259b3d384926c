"""What is left to do of an interrupted benchmark, and how its parts add up."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st
from support.benching import request
from support.monitor_stage import MS, SECOND, endpoint

from gwtui.bench.session.resume import Done, Stretches, rest, steps
from gwtui.bench.work.arrivals import arrivals_of
from gwtui.bench.work.plan import Order, Plan
from gwtui.model.verdicts import Verdict

A, B, C = endpoint("a"), endpoint("b"), endpoint("c")


def nobody(_name: str) -> bool:
    return False


def test_a_plan_that_was_not_begun_is_left_whole() -> None:
    plan = Plan(requests=10, for_s=3.0)
    assert rest(plan, Done()) == plan


def test_requests_and_time_that_are_there_are_not_asked_for_again() -> None:
    plan = Plan(requests=10, for_s=3.0)
    assert rest(plan, Done(sent=4, spans={0: (0, SECOND)})) == replace(plan, requests=6, for_s=2.0, already=4)
    assert rest(plan, Done(sent=10)) is None
    assert rest(plan, Done(sent=4, spans={0: (0, SECOND), 1: (9 * SECOND, 11 * SECOND)})) is None


def test_a_changing_rate_goes_on_where_it_stopped() -> None:
    plan = Plan(requests=30, rate=20.0, arrivals=arrivals_of("5..20 over 2s"))
    whole = list(islice(plan.due_ns(2) or (), 60))
    left = rest(plan, Done(sent=10))
    assert left is not None
    assert list(islice(left.due_ns(2) or (), 40)) == [due_ns - whole[20] for due_ns in whole[20:]]


def test_one_by_one_each_gets_its_rest() -> None:
    done = {"a": Done(sent=10), "b": Done(sent=3)}
    plan = Plan(requests=10)
    assert list(steps([A, B, C], plan, done, nobody)) == [([B], replace(plan, requests=7, already=3)), ([C], plan)]


def test_what_ended_by_its_time_is_not_begun_again() -> None:
    plan = Plan(requests=None, for_s=5.0)
    done = {"a": Done(sent=3, spans={0: (0, 4 * SECOND)})}
    assert list(steps([A], plan, done, lambda name: name == "a")) == []


@given(
    st.lists(st.integers(0, 12), min_size=3, max_size=3),
    st.sampled_from([Order.TOGETHER, Order.INTERLEAVED]),
)
def test_at_the_same_time_each_gets_its_rest_with_as_many_beside_it_as_there_are(sent: list[int], order: Order) -> None:
    plan = Plan(requests=10, order=order)
    done = {name: Done(sent=number) for name, number in zip("abc", sent, strict=True)}
    got = dict.fromkeys("abc", 0)
    for members, each in steps([A, B, C], plan, done, nobody):
        for member in members:
            got[member.name] += each.requests or 0
    assert got == {name: max(0, 10 - number) for name, number in zip("abc", sent, strict=True)}


def test_stretches_add_up_without_the_time_between_them() -> None:
    stretches = Stretches([10 * SECOND])
    first = request("a", 7, now_ns=SECOND, planned_ns=0)
    cancelled = request("a", 8, now_ns=SECOND, planned_ns=0, verdict=Verdict.CANCELLED)
    later = request("a", 9, now_ns=12 * SECOND, planned_ns=11 * SECOND)
    assert [stretches.take("a", each) for each in (first, cancelled, later, later)] == [False, False, True, False]
    stretches.miss("a")
    done = stretches.done["a"]
    assert (done.sent, done.last_number, done.elapsed_s, stretches.seconds) == (4, 9, 2.0, 2.0)
    assert rest(Plan(requests=5), done) == Plan(requests=1, already=4)


def test_the_stretches_of_several_points_take_as_long_as_all_of_them_together() -> None:
    stretches = Stretches([])
    stretches.take("a", request("a", now_ns=SECOND, planned_ns=0))
    stretches.take("b", request("b", now_ns=SECOND + 500 * MS, planned_ns=500 * MS))
    assert stretches.seconds == 1.5
