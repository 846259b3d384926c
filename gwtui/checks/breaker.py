"""Circuit breakers, as they show from outside: failures that turn fast together, an open time, a test after it. Pure.

A gateway behind a breaker fails a few times at the pace of its upstream, then at once for a while, and then lets one
request through as a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from gwtui.model.enums import Outcome
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.verdict.classify import JSON_ANSWER
from gwtui.verdict.http_status import BREAKER

MOST_FAILURES = 8
"""Failures in a row after which a breaker would have opened, if there was one."""
MOST_PROBES = 16
"""Requests to the failing model in all: the failures that open a breaker, those it refuses, and the looks at it."""
LONGEST_WAIT_S = 60.0
"""How long an open breaker is waited for."""
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 29.0)
"""How long to wait before each look at a breaker that does not say how long it stays open; `LONGEST_WAIT_S` in sum."""
FAST_SHARE = 0.2
"""A failure that takes less than this share of the usual one was not upstream."""
SLOW_NS = 50_000_000
"""... where the usual one took this long at least: a shorter time proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerEvidence:
    """What a run of requests to a failing model shows of a breaker that opened."""

    failures: int
    """Failures before it opened."""
    usual_ns: int
    """How long those took, typically."""
    fast: int
    """Requests that it failed at once."""
    fast_ns: int
    """How long those took, typically."""
    says: str
    """How the first of them was refused."""
    announced_s: float | None = None
    """How long it is to stay open, as it said."""
    open_s: float | None = None
    """From its opening to the first request that went through again; None: none did."""
    shut_s: float = 0.0
    """From its opening to the last request that it failed before that."""
    test_ok: bool | None = None
    """Whether that one succeeded."""
    after_ok: bool | None = None
    """Whether the request after a failed test passed again: a breaker that works opens at once."""


def find_breaker(requests: Sequence[Request]) -> BreakerEvidence | None:
    """The breaker that opened during these requests, sent one after another; None where none was seen to."""
    opened = next((at for at in range(len(requests)) if _turned(requests[:at], requests[at])), None)
    if opened is None:
        return None
    before, first = requests[:opened], requests[opened]
    usual_ns = _typical(before)
    passed = next((at for at in range(opened + 1, len(requests)) if not _is_like(first, requests[at], usual_ns)), None)
    shut = requests[opened:passed]
    begin = before[-1].now_ns if before else _began_ns(first)
    test = requests[passed] if passed is not None else None
    after = requests[passed + 1] if passed is not None and passed + 1 < len(requests) else None
    return BreakerEvidence(
        failures=len(before),
        usual_ns=usual_ns,
        fast=len(shut),
        fast_ns=_typical(shut),
        says=shut[0].reason or shut[0].verdict,
        announced_s=shut[0].retry_after_s,
        open_s=(_began_ns(test) - begin) / 1e9 if test is not None else None,
        shut_s=(_began_ns(shut[-1]) - begin) / 1e9,
        test_ok=is_answered(test) if test is not None else None,
        after_ok=not _is_like(first, after, usual_ns) if after is not None else None,
    )


def next_wait_s(requests: Sequence[Request]) -> float | None:
    """How long to wait before the next request to a failing model; None: enough was seen."""
    if len(requests) >= MOST_PROBES or (requests and requests[-1].status is None):
        return None
    breaker = find_breaker(requests)
    if breaker is None:
        answered = any(map(is_answered, requests))
        return None if answered or len(requests) >= MOST_FAILURES else 0.0
    if breaker.open_s is not None:
        return None if breaker.test_ok or breaker.after_ok is not None else 0.0
    if breaker.fast < 2:
        return 0.0
    told = requests[-1].retry_after_s
    wait = told if told is not None else PAUSES_S[min(breaker.fast - 2, len(PAUSES_S) - 1)]
    return wait if breaker.shut_s + wait <= LONGEST_WAIT_S else None


def is_answered(request: Request) -> bool:
    """Whether the request was answered, by a stream or by the whole answer of a fallback."""
    return request.outcome is Outcome.OK or request.rule == JSON_ANSWER


def failed_upstream(request: Request) -> bool:
    """Whether nothing answered the request. What was cancelled did not fail."""
    return request.outcome is Outcome.FAILED and not is_answered(request)


def broke_midway(request: Request) -> bool:
    """Whether the answer broke when some of its content had come: too late for another status or a fallback."""
    return (
        failed_upstream(request)
        and request.ttft_ns is not None
        and request.verdict not in (Verdict.STALLED, Verdict.TIMEOUT)
    )


def is_refused_by_one(request: Request) -> bool:
    """Whether the gateway said that a breaker refused the request."""
    return request.rule.endswith(f".{BREAKER}")


def _turned(before: Sequence[Request], request: Request) -> bool:
    """Whether this failure, after those, came from a breaker and not from upstream."""
    if not all(map(failed_upstream, (*before, request))):
        return False
    if is_refused_by_one(request):
        return True
    turned_unavailable = request.verdict is Verdict.UNAVAILABLE and before and before[-1].verdict is not request.verdict
    if turned_unavailable and request.retry_after_s is not None:
        return True
    usual_ns = _typical(before)
    return len(before) > 1 and usual_ns >= SLOW_NS and _is_fast(request, usual_ns)


def _is_like(first: Request, request: Request, usual_ns: int) -> bool:
    """Whether the request was failed by the breaker as the first one was."""
    if not failed_upstream(request) or request.rule != first.rule:
        return False
    if is_refused_by_one(request) or (first.retry_after_s is not None and request.retry_after_s is not None):
        return True
    return _is_fast(request, usual_ns)


def _is_fast(request: Request, usual_ns: int) -> bool:
    return (request.duration_ns or 0) <= usual_ns * FAST_SHARE


def _typical(requests: Sequence[Request]) -> int:
    return round(median(request.duration_ns or 0 for request in requests)) if requests else 0


def _began_ns(request: Request) -> int:
    return request.now_ns - (request.duration_ns or 0)
