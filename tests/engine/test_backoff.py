"""A monitor must not be the incident: it waits when asked to, slows down when refused, and keeps to its budget."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gwtui.engine.backoff import AFTER_FAILURES, AFTER_REFUSALS, CALM_NS, LONGEST_ASKED_S, Politeness
from gwtui.engine.budget import HOUR_NS, BudgetTracker, most_tokens
from gwtui.engine.schedule import Schedule
from gwtui.model.hold import Hold
from gwtui.model.profile import Budget, Endpoint, Price
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict

SECOND = 1_000_000_000


def result(
    verdict: Verdict = Verdict.REFUSED, retry_after_s: float | None = None, status: int | None = None
) -> Request:
    return Request(
        endpoint="a",
        number=1,
        started_at=0.0,
        now_ns=0,
        api="http",
        verdict=verdict,
        rule="",
        status=status,
        retry_after_s=retry_after_s,
    )


def hold_after(*results: Request | Ping, interval_s: float = 5.0) -> Hold | None:
    """The hold after these results, all of the moment 0."""
    politeness = Politeness()
    for each in results:
        politeness.take(each, int(interval_s * SECOND), 0)
    return politeness.hold(0)


# Retry-After


@pytest.mark.parametrize(
    ("status", "asked_s", "held_s"),
    [
        (429, 7.0, 7.0),
        (503, 0.25, 0.25),
        (529, 30.0, 30.0),
        (413, 30.0, 30.0),
        (429, 3600.0, 300.0),
        (429, 0.0, None),
        (429, None, None),
        (200, 7.0, None),
        (307, 7.0, None),
        (None, 7.0, None),
    ],
)
def test_a_refusal_that_says_how_long_is_obeyed_up_to_a_limit(
    status: int | None, asked_s: float | None, held_s: float | None
) -> None:
    verdict = Verdict.COMPLETE if status == 200 else Verdict.RATE_LIMITED
    hold = hold_after(result(verdict, asked_s, status))
    assert hold == (None if held_s is None else Hold(until_ns=int(held_s * SECOND), why="by Retry-After"))


def test_what_was_asked_for_outlasts_a_good_result_and_a_shorter_wish() -> None:
    asked = result(Verdict.RATE_LIMITED, 30.0, 429)
    shorter = result(Verdict.RATE_LIMITED, 1.0, 429)
    hold = hold_after(asked, result(Verdict.COMPLETE), shorter)
    assert hold is not None
    assert hold.until_ns == 30 * SECOND


def test_a_handshake_can_ask_for_it_too() -> None:
    ping = Ping(
        endpoint="a",
        number=1,
        started_at=0.0,
        now_ns=0,
        verdict=Verdict.UNAVAILABLE,
        rule="",
        status=503,
        retry_after_s=9.0,
    )
    assert hold_after(ping) == Hold(until_ns=9 * SECOND, why="by Retry-After")


# Failures in a row


@pytest.mark.parametrize(
    ("verdict", "times", "is_held"),
    [
        (Verdict.REFUSED, AFTER_FAILURES - 1, False),
        (Verdict.REFUSED, AFTER_FAILURES, True),
        (Verdict.REFUSED, AFTER_FAILURES + 500, True),
        (Verdict.TRUNCATED, AFTER_FAILURES, True),
        (Verdict.AUTH, AFTER_REFUSALS - 1, False),
        (Verdict.AUTH, AFTER_REFUSALS, True),
        (Verdict.AUTH, AFTER_REFUSALS + 500, True),
        (Verdict.RATE_LIMITED, AFTER_REFUSALS, True),
        (Verdict.QUOTA, AFTER_REFUSALS, True),
        (Verdict.LOCAL, 500, False),
        (Verdict.CANCELLED, 500, False),
        (Verdict.COMPLETE, 500, False),
    ],
)
def test_after_failures_in_a_row_a_tick_is_left_out(verdict: Verdict, times: int, is_held: bool) -> None:
    hold = hold_after(*[result(verdict)] * times)
    assert (hold is not None) is is_held
    if hold is not None:
        assert Schedule(0, 5 * SECOND).tick_from(hold.until_ns) == 10 * SECOND
        assert hold.why == f"after {times} failures in a row"


def test_the_first_good_result_ends_it_and_the_count() -> None:
    many = [result()] * 50
    assert hold_after(*many) is not None
    assert hold_after(*many, result(Verdict.COMPLETE)) is None
    assert hold_after(*many, result(Verdict.COMPLETE), *[result()] * (AFTER_FAILURES - 1)) is None


def test_other_failures_end_a_row_of_refusals() -> None:
    assert hold_after(result(Verdict.AUTH), result(Verdict.AUTH), result(Verdict.RESET), result(Verdict.AUTH)) is None


def test_a_long_interval_is_not_made_longer() -> None:
    assert hold_after(*[result(Verdict.AUTH)] * 50, interval_s=60.0) is None
    assert hold_after(*[result()] * 50, interval_s=3600.0) is None
    assert hold_after(*[result()] * 50, interval_s=CALM_NS / SECOND - 1) is not None


@pytest.mark.parametrize(("asked_s", "held_s"), [(0.0, 0.0), (0.5, 0.5), (15.0, 5.0)])
def test_a_pause_before_the_next_dial_is_an_interval_at_most(asked_s: float, held_s: float) -> None:
    politeness = Politeness()
    politeness.dial_in(int(asked_s * SECOND), 5 * SECOND, 7)
    hold = politeness.hold(7)
    assert (hold.until_ns - 7 if hold is not None else 0) == held_s * SECOND


def test_it_begins_anew_when_the_user_says_so() -> None:
    politeness = Politeness()
    for _ in range(50):
        politeness.take(result(Verdict.RATE_LIMITED, 100.0, 429), SECOND, 0)
    politeness.forget()
    assert politeness.hold(0) is None
    politeness.take(result(Verdict.AUTH), SECOND, 0)
    assert politeness.hold(0) is None


verdicts = st.sampled_from([Verdict.COMPLETE, Verdict.REFUSED, Verdict.AUTH, Verdict.RATE_LIMITED, Verdict.LOCAL])
asked = st.none() | st.floats(allow_nan=False) | st.floats(0, 4000)


@given(st.lists(st.tuples(verdicts, asked, st.sampled_from([None, 200, 401, 429, 503]))), st.floats(0.001, 86_400))
def test_no_answers_hold_an_endpoint_for_longer_than_the_limits(
    answers: list[tuple[Verdict, float | None, int | None]], interval_s: float
) -> None:
    politeness, now_ns = Politeness(), 0
    for verdict, retry_after_s, status in answers:
        politeness.take(result(verdict, retry_after_s, status), int(interval_s * SECOND), now_ns)
        hold = politeness.hold(now_ns)
        if hold is not None:
            assert now_ns < hold.until_ns <= now_ns + LONGEST_ASKED_S * SECOND
            assert politeness.hold(hold.until_ns) is None
        now_ns += SECOND


@given(
    interval_s=st.floats(0.05, 300),
    verdict=st.sampled_from([Verdict.REFUSED, Verdict.AUTH, Verdict.RATE_LIMITED, Verdict.TRUNCATED]),
    share=st.floats(0, 1),
    failures=st.integers(1, 60),
)
def test_an_endpoint_that_is_back_is_asked_within_two_intervals_and_twice_within_three(
    interval_s: float, verdict: Verdict, share: float, failures: int
) -> None:
    """On the schedule's own ticks; each answer takes that share of an interval. It is well again right after it failed
    for the last time."""
    interval_ns = int(interval_s * SECOND)
    schedule, politeness, takes_ns = Schedule(0, interval_ns), Politeness(), int(share * interval_ns)
    asked: list[int] = []
    now_ns = 0
    while len(asked) < failures + 2:
        due = schedule.take(now_ns, room=True)
        if politeness.hold(now_ns) is None:
            assert due.planned_ns is not None
            asked.append(due.planned_ns)
            good = len(asked) > failures
            politeness.take(result(Verdict.COMPLETE if good else verdict), interval_ns, now_ns + takes_ns)
        now_ns = schedule.next_ns or 0
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    last_failure_ns, first_good_ns, second_good_ns = asked[-3] + takes_ns, asked[-2], asked[-1]
    assert first_good_ns <= last_failure_ns + 2 * interval_ns
    assert second_good_ns == first_good_ns + interval_ns
    assert second_good_ns <= last_failure_ns + 3 * interval_ns
    free = AFTER_FAILURES if verdict in (Verdict.REFUSED, Verdict.TRUNCATED) else AFTER_REFUSALS
    assert gaps[: min(failures, free - 1)] == [interval_ns] * min(failures, free - 1)
    if failures >= free and interval_ns < CALM_NS:
        assert gaps[failures - 1] > interval_ns, "it grows"


# Budgets


def answered(tokens_in: int | None = None, tokens_out: int | None = None) -> Request:
    return replace(result(Verdict.COMPLETE), duration_ns=1, input_tokens=tokens_in, output_tokens=tokens_out)


@pytest.mark.parametrize(
    ("budget", "answers", "limit"),
    [
        (None, [answered(10**9, 10**9)] * 3, None),
        (Budget(requests=3), [answered()] * 2, None),
        (Budget(requests=3), [answered()] * 3, "3 requests"),
        (Budget(requests=3), [result(Verdict.NO_KEY), result(Verdict.REFUSED)] * 50, None),
        (Budget(requests=3), [result(Verdict.NO_KEY), *[answered()] * 3], "3 requests"),
        (Budget(tokens=1000), [answered(400, 599)], None),
        (Budget(tokens=1000), [answered(400, 600)], "1,000 tokens"),
        (Budget(tokens=1000), [answered(None, None)] * 50, None),
        (Budget(tokens=1000), [answered(None, 500)] * 2, "1,000 tokens"),
        (Budget(usd=0.5), [answered(1_000_000, 19_999)], None),
        (Budget(usd=0.5), [answered(1_000_000, 20_000)], "$0.50"),
        (Budget(requests=9, usd=0.5), [answered(2_000_000, 0)], "$0.50"),
    ],
)
@pytest.mark.parametrize("per", ["hour", "session"])
def test_a_budget_is_spent_by_the_usage_in_answers(
    budget: Budget | None, answers: list[Request], limit: str | None, per: str
) -> None:
    budget_tracker = BudgetTracker(budget and replace(budget, per=per), 0)
    for answer in answers:
        assert budget_tracker.take(1)
        budget_tracker.charge(answer, Price(input_per_million=0.25, output_per_million=12.5))
    spent = budget_tracker.spent(SECOND)
    assert budget_tracker.take(SECOND) is (limit is None)
    if limit is None:
        assert spent == ""
    elif per == "hour":
        assert spent == f"this hour's budget of {limit} is spent, the next begins in 00:59:59"
    else:
        assert spent == f"the session's budget of {limit} is spent"


def test_an_hours_budget_is_new_every_hour_and_a_sessions_never() -> None:
    hourly, once = BudgetTracker(Budget(requests=1), 5), BudgetTracker(Budget(requests=1, per="session"), 5)
    assert hourly.take(5)
    assert once.take(5)
    assert not hourly.take(5 + HOUR_NS - 1)
    assert hourly.take(5 + HOUR_NS)
    assert not hourly.take(5 + HOUR_NS)
    assert hourly.take(5 + 7 * HOUR_NS + 1)
    assert not hourly.take(5 + 8 * HOUR_NS - 1), "hours are counted from the start"
    assert not once.take(5 + 100 * HOUR_NS)


@pytest.mark.parametrize(
    ("fields", "most"),
    [
        ({}, 256),
        ({"max_tokens": 9}, 9),
        ({"body": {"max_completion_tokens": 70}}, 70),
        ({"api": "gemini", "body": {"generationConfig": {"maxOutputTokens": 80}}}, 80),
        ({"api": "ollama-chat", "body": {"options": {"num_predict": -1}}}, 256),
        ({"api": "compare-stream", "model": "a, b,c", "max_tokens": 5}, 15),
        ({"api": "http"}, 0),
        ({"api": "websocket"}, 0),
    ],
)
def test_how_long_an_answer_may_be(fields: dict[str, Any], most: int) -> None:
    assert most_tokens(Endpoint(**{"name": "e", "api": "openai-chat", "url": "http://h"} | fields)) == most


def test_an_answer_without_usage_counts_as_long_as_it_may_be() -> None:
    price = Price(input_per_million=1.0, output_per_million=1000.0)
    tokens, dollars = BudgetTracker(Budget(tokens=600, per="session"), 0), BudgetTracker(Budget(usd=0.5), 0)
    for _ in range(2):
        assert tokens.charge(answered(), price, 300)
        assert dollars.charge(answered(), price, 300)
    assert not tokens.charge(answered(1, 2), price, 300)
    assert not tokens.charge(result(Verdict.AUTH), price, 300), "a refusal took nothing"
    told = "(2 answers without usage counted as max_tokens)"
    assert tokens.spent(1) == f"the session's budget of 600 tokens {told} is spent"
    assert f"$0.50 {told}" in dollars.spent(1)
    assert not BudgetTracker(Budget(requests=1), 0).charge(answered(), price, 300), "nothing to say"


def test_what_has_no_price_costs_nothing() -> None:
    budget_tracker = BudgetTracker(Budget(usd=0.01), 0)
    budget_tracker.charge(answered(10**9, 10**9), None)
    assert budget_tracker.take(0)
