"""What checks say of failing upstreams: breakers as they show in times, fallbacks, attempts, final errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.checked import MS, document, evidence, found, refused, request, target

from gwtui.checks.attempts import judge_attempts
from gwtui.checks.breaker import LONGEST_WAIT_S, MOST_FAILURES, MOST_PROBES, BreakerEvidence, find_breaker, next_wait_s
from gwtui.checks.fallback import judge_breaker, judge_fails_at_once, judge_provider_fallback
from gwtui.model.check_results import CheckOutcome
from gwtui.model.enums import FindingName
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.verdict.classify import JSON_ANSWER

PASS, WARN, FAIL, NA = CheckOutcome.PASS, CheckOutcome.WARN, CheckOutcome.FAIL, CheckOutcome.NOT_APPLICABLE
MODEL = "failing"
ERROR = {"type": "error", "error": {"type": "api_error", "message": "upstream said 500"}}


def at(second: float, result: Request) -> Request:
    """The same, ended that many seconds later than the first."""
    moved = {name: getattr(result, name) for name in result.__struct_fields__}
    return Request(
        **{**moved, "now_ns": result.now_ns + int(second * 1000 * MS), "started_at": result.started_at + second}
    )


def upstream(second: float, ms: float = 200) -> Request:
    return at(second, refused(500, ERROR, ms=ms, model=MODEL))


def open_(second: float, retry_after_s: float | None = 10.0) -> Request:
    """A refusal that says that it comes from a breaker."""
    rule = "http.503.breaker"
    return at(second, refused(503, ERROR, ms=2, rule=rule, retry_after_s=retry_after_s, model=MODEL))


def fast(second: float, ms: float = 3) -> Request:
    """A failure like the others, only fast."""
    return upstream(second, ms)


def turned(second: float, ms: float = 3) -> Request:
    """Another failure than before, that does not say why."""
    return at(second, refused(503, ERROR, ms=ms, model=MODEL))


def good(second: float) -> Request:
    return at(second, request(model=MODEL))


FIVE = [upstream(0.3 * number) for number in range(5)]


def seen(breaker: BreakerEvidence | None) -> tuple[Any, ...] | None:
    if breaker is None:
        return None
    open_s = round(breaker.open_s) if breaker.open_s is not None else None
    return breaker.failures, breaker.fast, open_s, breaker.test_ok, breaker.after_ok


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ([], None),
        (FIVE, None),
        ([*FIVE, good(2)], None),
        ([good(0), *FIVE, open_(2)], None),
        # it says so itself
        ([*FIVE, open_(2), open_(2.1)], (5, 2, None, None, None)),
        ([*FIVE, open_(2), open_(2.1), upstream(12)], (5, 2, 11, False, None)),
        ([*FIVE, open_(2), open_(2.1), upstream(12), open_(12.2)], (5, 2, 11, False, False)),
        ([*FIVE, open_(2), open_(2.1), upstream(12), upstream(12.4)], (5, 2, 11, False, True)),
        ([*FIVE, open_(2), good(12)], (5, 1, 11, True, None)),
        ([open_(0), open_(0.1)], (0, 2, None, None, None)),
        # it only turns fast
        ([*FIVE, fast(2), fast(2.1)], (5, 2, None, None, None)),
        ([*FIVE, fast(2), fast(2.1), upstream(12), fast(12.2)], (5, 2, 11, False, False)),
        ([upstream(0, 30), upstream(1, 30), fast(2, 1)], None),  # too short to decide from the time
        ([upstream(0), upstream(1), fast(2, 90)], None),  # not fast enough
        # it turns to another status, and fast, and does not say how long to wait
        ([*FIVE, turned(2), turned(2.1), upstream(5), turned(5.2)], (5, 2, 4, False, False)),
        ([upstream(0), turned(2, 150)], None),  # not fast
        # another status with a time to wait
        ([*FIVE, at(2, refused(503, ERROR, ms=150, retry_after_s=5.0))], (5, 1, None, None, None)),
    ],
)
def test_a_breaker_is_found_in_the_times(requests: Sequence[Request], expected: Any) -> None:
    assert seen(find_breaker(requests)) == expected


@pytest.mark.parametrize(
    ("requests", "wait_s"),
    [
        ([], 0.0),
        (FIVE, 0.0),
        ([upstream(number) for number in range(MOST_FAILURES)], None),
        ([good(0)], None),
        ([request(Verdict.REFUSED, status=None)], None),
        ([*FIVE, open_(2)], 0.0),  # once more, to be sure
        ([*FIVE, open_(2), open_(2.1)], 10.0),
        ([*FIVE, open_(2), open_(2.1, 7200)], None),  # too long to wait for
        ([*FIVE, open_(2), open_(2.1, None)], 1.0),
        ([*FIVE, open_(2), open_(2.1, None), open_(3.1, None)], 2.0),
        ([*FIVE, fast(2), fast(2.1), upstream(12)], 0.0),  # the test was seen; what follows it?
        ([*FIVE, fast(2), fast(2.1), upstream(12), fast(12.1)], None),
        ([*FIVE, open_(2), open_(2.1), good(12)], None),
    ],
)
def test_the_next_step_depends_on_what_was_seen(requests: Sequence[Request], wait_s: float | None) -> None:
    assert next_wait_s(requests) == wait_s


def test_a_breaker_that_never_opens_again_is_left_alone_in_the_end() -> None:
    requests, second = [*FIVE, open_(2, None)], 2.0
    while (wait := next_wait_s(requests)) is not None:
        second += wait + 0.01
        requests.append(open_(second, None))
    assert second <= 2 + LONGEST_WAIT_S + 1
    assert len(requests) <= MOST_PROBES


CHAIN = document({"status": "healthy", "routing": {"fallback_chain": ["one", "two"]}})
NO_CHAIN = document("", 404)
ANSWERED = request(
    model=MODEL, model_served="other", findings=found(FindingName.MODEL_DIFFERS, "failing asked, other answered")
)


WHOLE = request(Verdict.NOT_A_STREAM, rule=JSON_ANSWER, model=MODEL)
"""The whole answer of a fallback to not streaming."""
BROKEN = request(Verdict.TRUNCATED, model=MODEL, ttft_ns=80 * MS, reason="ended after event 5")
"""Some content, and then the connection broke."""


@pytest.mark.parametrize(
    ("provoked", "health", "outcome", "words"),
    [
        (ANSWERED, CHAIN, PASS, "answered by other"),
        (
            request(model=MODEL, findings=found(FindingName.FALLBACKS, "x-litellm-attempted-fallbacks: 1")),
            NO_CHAIN,
            PASS,
            "",
        ),
        (request(model=MODEL), CHAIN, WARN, "nothing indicates a fallback"),
        (request(Verdict.NOT_A_STREAM, rule="stream.json-answer"), CHAIN, PASS, "one JSON answer"),
        (upstream(0), CHAIN, FAIL, "one → two"),
        (upstream(0), NO_CHAIN, NA, "no fallback chain"),
        (refused(500, ERROR, headers={"x-gateway-attempts": "2"}), CHAIN, PASS, "followed to its end"),
        (refused(500, ERROR, reason="HTTP 500: fallback is disabled"), CHAIN, NA, "disabled"),
        (open_(0), CHAIN, NA, "open already"),
        (BROKEN, CHAIN, NA, "too late for a fallback"),
    ],
)
def test_provider_fallback(provoked: Request, health: Request, outcome: CheckOutcome, words: str) -> None:
    judged = judge_provider_fallback(evidence(health=health, provoked=provoked))
    assert (judged.outcome, words in judged.evidence) == (outcome, True), judged


def test_a_fallback_that_is_at_work_is_seen_without_provoking_it() -> None:
    quiet = judge_provider_fallback(evidence(health=CHAIN, stream=request()))
    assert (quiet.outcome, "one → two" in quiet.evidence, "--provoke" in quiet.remedy) == (NA, True, True)
    assert judge_provider_fallback(evidence(health=CHAIN, stream=ANSWERED)).outcome is WARN


ROUTES = document({"status": "healthy", "routing": {"default_provider": "anthropic"}})
BOTH = [{"provider": "anthropic", "status": 529}, {"provider": "openai", "status": 200}]


def noted(**fields: Any) -> Request:
    """The gateway's audit, with a note of the request."""
    return document({"entries": [{"id": "other", "provider": "google"}, {"id": "req-1", **fields}]})


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ({"provider": "openai"}, "openai answered, not anthropic, the gateway's default provider"),
        ({"provider": "openai", "attempts": BOTH}, "anthropic failed (529), openai answered"),
        ({"provider": "anthropic"}, ""),
        ({"provider": "openai", "id": "another"}, ""),
    ],
)
def test_a_provoked_fallback_is_proved_by_the_gateways_own_notes(note: dict[str, Any], words: str) -> None:
    judged = judge_provider_fallback(
        evidence(health=ROUTES, provoked=request(model=MODEL), provoked_audit=noted(**note))
    )
    assert (judged.outcome, words in judged.evidence) == (PASS if words else WARN, True), judged


@pytest.mark.parametrize(
    ("note", "outcome"),
    [
        ({"provider": "openai", "attempts": BOTH}, WARN),
        ({"provider": "openai", "attempts": 2}, WARN),
        ({"provider": "openai"}, NA),  # the model may be of that provider
        ({"provider": "anthropic", "attempts": 1}, NA),
    ],
)
def test_a_fallback_at_work_is_proved_by_its_attempts(note: dict[str, Any], outcome: CheckOutcome) -> None:
    for audit in ({"audit": noted(**note)}, {"metrics_after": document({"recent": [{"request_id": "req-1", **note}]})}):
        judged = judge_provider_fallback(evidence(health=ROUTES, stream=request(model="llama-3"), **audit))
        assert judged.outcome is outcome, judged


def test_a_model_of_another_provider_or_a_kind_of_agent_is_no_fallback() -> None:
    routed = {"audit": noted(provider="openai"), "health": ROUTES}
    assert judge_provider_fallback(evidence(stream=request(model="gpt-4o"), **routed)).outcome is NA
    assert judge_provider_fallback(evidence(stream=request(model="claude-3-haiku"), **routed)).outcome is WARN
    another = found(FindingName.MODEL_DIFFERS, "claude was requested, reviewer answered")
    agent = request(findings=(another,))
    assert judge_provider_fallback(evidence(health=ROUTES, stream=request(), agent=agent)).outcome is NA


def test_a_provoked_fallback_is_noted_in_the_metrics_where_there_is_no_audit() -> None:
    entry = {"request_id": "req-1", "provider": "openai"}
    judged = judge_provider_fallback(
        evidence(health=ROUTES, provoked=request(model=MODEL), provoked_metrics=document({"recent": [entry]}))
    )
    assert (judged.outcome, "openai answered" in judged.evidence) == (PASS, True), judged


def test_a_chain_that_was_followed_in_vain_is_proved_by_the_audit() -> None:
    failed = [{**each, "status": 500} for each in BOTH]
    for attempts, outcome in ((failed, PASS), (failed[:1], FAIL)):
        more = {"health": CHAIN, "provoked": refused(500, ERROR, model=MODEL)}
        assert judge_provider_fallback(evidence(**more, provoked_audit=noted(attempts=attempts))).outcome is outcome


def test_lists_of_attempts_are_counted() -> None:
    three = [*BOTH, {"provider": "google", "status": 200}]
    assert judge_attempts(evidence(provoked=request(), provoked_audit=noted(attempts=BOTH))).outcome is PASS
    judged = judge_attempts(evidence(provoked=request(), provoked_audit=noted(attempts=three)))
    assert (judged.outcome, judged.facts) == (FAIL, {"most_attempts": 3})


@pytest.mark.parametrize(
    ("provoked", "outcome", "words"),
    [
        (refused(500, ERROR, ms=30), PASS, "30.0 ms"),
        (refused(503, ERROR, ms=30), PASS, ""),
        (refused(500, ERROR, ms=2500), FAIL, "2.50 s"),
        (refused(500, "<html>oops</html>"), FAIL, "not JSON"),
        (request(Verdict.ERROR_IN_STREAM, reason="event 3 is an error"), FAIL, "HTTP 200 instead of a 5xx"),
        (refused(404, ERROR), FAIL, "HTTP 404 instead of a 5xx"),
        (request(Verdict.RESET, status=None, reason="reset"), FAIL, "reset"),
        (ANSWERED, NA, "a fallback answered"),
        (BROKEN, NA, "too late for a status"),
    ],
)
def test_fails_at_once(provoked: Request, outcome: CheckOutcome, words: str) -> None:
    answer = judge_fails_at_once(evidence(provoked=provoked))
    assert (answer.outcome, words in answer.evidence) == (outcome, True), answer


def with_header(name: str, value: str) -> Request:
    return refused(500, ERROR, headers={name: value})


@pytest.mark.parametrize(
    ("provoked", "audit", "outcome", "words"),
    [
        ([with_header("x-gateway-attempts", "2")], None, PASS, "at most 2"),
        ([with_header("x-gateway-attempts", "1"), with_header("x-gateway-attempts", "4")], None, FAIL, "up to 4"),
        ([with_header("x-envoy-attempt-count", "2")], None, PASS, "at most 2"),
        ([with_header("x-litellm-attempted-retries", "3")], None, FAIL, "up to 4"),
        ([with_header("x-gateway-attempts", "many")], None, WARN, "is not reported"),
        ([refused(500, ERROR)], [{"request_id": "req-1", "attempts": 2}], PASS, "at most 2"),
        ([refused(500, ERROR)], [{"request_id": "req-1", "attempts": 3}], FAIL, "up to 3"),
        ([refused(500, ERROR)], [{"request_id": "else", "attempts": 3}], WARN, ""),
        ([request(Verdict.NO_FIRST_BYTE, status=None, reason="no byte")], None, FAIL, "no final error"),
        ([with_header("x-gateway-attempts", "2")], None, PASS, "ended in a final error"),
        ([WHOLE], [{"request_id": "req-1", "attempts": 2}], PASS, "it was answered"),
        ([WHOLE], [{"request_id": "req-1", "attempts": [{"mode": "stream"}, {"mode": "whole"}]}], PASS, "at most 2"),
        ([], None, NA, ""),
    ],
)
def test_attempts(provoked: Sequence[Request], audit: Any, outcome: CheckOutcome, words: str) -> None:
    more = {} if audit is None else {"provoked_audit": document(audit)}
    answer = judge_attempts(evidence(target(provoke=MODEL), provoked=provoked, **more))
    assert (answer.outcome, words in answer.evidence) == (outcome, True), answer


@pytest.mark.parametrize(
    ("provoked", "outcome", "words"),
    [
        ([*FIVE, open_(2), open_(2.1), upstream(12), open_(12.2)], PASS, "opened after 5 failures, then 2 requests"),
        ([*FIVE, open_(2), open_(2.1), good(12)], PASS, "succeeded and closed it"),
        ([*(upstream(each, 1) for each in range(5)), open_(6), open_(7)], WARN, "failed at once (2.00 ms): "),
        ([*FIVE[:3], open_(2), open_(2.1), good(12)], PASS, "3 failures, 5 are usual"),
        ([*FIVE, open_(2), open_(2.1), upstream(12), upstream(12.2)], FAIL, "went through as well"),
        ([*FIVE, open_(2), open_(2.1), open_(63, None)], WARN, "still open"),
        ([*FIVE, open_(2, 600), open_(2.1, 600)], PASS, "it says 600 s"),
        ([open_(0), open_(0.1), good(9)], PASS, "open from the beginning"),
        ([upstream(number) for number in range(8)], WARN, "no breaker was detected"),
        ([upstream(number, 2) for number in range(8)], NA, "a breaker would not show"),
        ([request(Verdict.NO_FIRST_BYTE, status=None, reason="no byte")], NA, "too few failures"),
        ([ANSWERED], NA, "is answered, by a fallback"),
        ([WHOLE], NA, "is answered, by a fallback"),
    ],
)
def test_breaker(provoked: Sequence[Request], outcome: CheckOutcome, words: str) -> None:
    answer = judge_breaker(evidence(provoked=provoked))
    assert (answer.outcome, words in answer.evidence) == (outcome, True), answer


BREAKS = [
    *(at(0.3 * number, refused(500, ERROR, ms=200, model=MODEL, request_id=f"r{number}")) for number in range(5)),
    *(at(2 + number, refused(503, ERROR, ms=2, rule="http.503.breaker", request_id=f"o{number}")) for number in (0, 1)),
]
"""Five failures that open a breaker, and two requests that it refuses, each with an id of its own."""


@pytest.mark.parametrize(
    ("note", "outcome", "words"),
    [
        ({"attempts": 0, "breaker": {"state": "open"}}, PASS, "0 upstream attempts for a refused request; "),
        ({"attempts": 0, "breaker": {"state": "open"}}, PASS, "it notes the breaker as closed, open"),
        ({"attempts": [{"provider": "a", "error": "circuit breaker open"}]}, PASS, "0 upstream attempts"),
        ({"attempts": 1}, WARN, "1 upstream attempt for a refused request"),
        ({"circuit_state": "OPEN"}, PASS, "it notes the breaker as closed, OPEN"),
        ({}, PASS, "it notes the breaker as closed"),
    ],
)
def test_what_a_gateway_notes_of_its_breaker_is_evidence(
    note: dict[str, Any], outcome: CheckOutcome, words: str
) -> None:
    notes = [{"request_id": "r4", "attempts": 1, "breaker": "closed"}, {"request_id": "o1", **note}]
    judged = judge_breaker(evidence(provoked=[*BREAKS, good(12)], breaker_audit=document({"entries": notes})))
    assert (judged.outcome, words in judged.evidence) == (outcome, True), judged


@pytest.mark.parametrize(
    ("attempts", "outcome", "words"),
    [
        ([{"provider": "one", "error": "500"}, {"provider": "two", "error": "503"}], PASS, "one (500), two (503)"),
        ([{"provider": "one", "error": "500"}] * 10, FAIL, "and only one (500) was asked"),
    ],
)
def test_a_chain_is_followed_where_the_notes_list_its_providers(
    attempts: list[dict[str, str]], outcome: CheckOutcome, words: str
) -> None:
    judged = judge_provider_fallback(
        evidence(health=CHAIN, provoked=refused(500, ERROR), provoked_audit=noted(attempts=attempts))
    )
    assert (judged.outcome, words in judged.evidence) == (outcome, True), judged


def test_a_whole_answer_of_a_fallback_needs_no_second_request() -> None:
    assert next_wait_s([WHOLE]) is None
    assert next_wait_s([upstream(0)]) == 0.0
    assert seen(find_breaker([*FIVE, open_(2), open_(2.1), at(12, WHOLE)])) == (5, 2, 11, True, None)


def test_a_breaker_that_is_open_anyway_is_seen_without_provoking_it() -> None:
    assert judge_breaker(evidence(stream=open_(0))).outcome is WARN
    assert judge_breaker(evidence(stream=request())).outcome is NA
