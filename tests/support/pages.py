"""What the pages over the monitor show: a run of checks as records, and endpoints to compare with each other."""

from __future__ import annotations

import random
from functools import cache

from gwtui.model.check_results import CheckOutcome, CheckResult, CheckRun, PlannedCheck
from gwtui.model.metrics import Metric
from gwtui.stats.comparison import ComparedSeries, compare
from gwtui.stats.significance import Sample
from gwtui.ui.panels.compare import Picture

from .monitor_stage import START_AT, START_NS

MS = 1_000_000

PLANNED = (
    PlannedCheck("health", "The gateway and its provider are healthy", "Gateway"),
    PlannedCheck("metrics", "The metrics count the requests just sent", "Gateway"),
    PlannedCheck("stream", "A streaming request gets a complete stream", "Answers"),
    PlannedCheck("steady", "Events are not held back", "Answers"),
    PlannedCheck("models", "Each listed model works", "Models"),
    PlannedCheck("breaker", "The circuit breaker opens, fails fast, tests and closes", "Upstreams"),
)
_OUTCOMES = (
    (CheckOutcome.PASS, "status is 'healthy', provider anthropic is true", "", "", ()),
    (
        CheckOutcome.WARN,
        "after 2 requests with 126 tokens: requests +12, tokens +735, cost +0 USD",
        "The gateway has no price for this model.",
        "Complete the gateway's metrics and price list.",
        (),
    ),
    (
        CheckOutcome.FAIL,
        "truncated: the stream ended after event 31 without message_stop (trace 4bf92f3577b34da6a3ce929d0e0e4736)",
        "The upstream or a proxy cut it: look for a restart, a proxy timeout, a crash of the model server.",
        "Look the trace up in the gateway's log, and compare the proxy's timeouts with the stream's length.",
        ("request    events  verdict", "streaming      31  truncated"),
    ),
    (CheckOutcome.PASS, "75 content events in 75 reads over 1.01 s; longest gap 19.6 ms", "", "", ()),
    (CheckOutcome.NOT_APPLICABLE, "no list of models was given", "", "Name them.", ()),
    (CheckOutcome.PASS, "opened after 5 failures, open for 10.0 s, closed again", "", "", ()),
)


def checks_begun(endpoint: str, **fields: object) -> CheckRun:
    own = {"endpoint": endpoint, "now_ns": START_NS, "started_at": START_AT, "planned": PLANNED, "most_requests": 33}
    return CheckRun(**{**own, **fields})  # type: ignore[arg-type]  # fields by name, checked at run time


def checks_ended(endpoint: str, count: int = len(PLANNED)) -> list[CheckResult]:
    """The results of the first `count` checks."""
    return [
        CheckResult(
            endpoint=endpoint,
            now_ns=START_NS,
            name=check.name,
            title=check.title,
            section=check.section,
            outcome=outcome,
            evidence=evidence,
            cause=cause,
            remedy=remedy,
            details=details,
            requests=2,
        )
        for check, (outcome, evidence, cause, remedy, details) in list(zip(PLANNED, _OUTCOMES, strict=True))[:count]
    ]


def series(name: str, ttft_ms: float, n: int = 200, *, failed: int = 0, seed: int = 1) -> ComparedSeries:
    """Latencies with a long tail around a median."""
    chance = random.Random(seed)
    at_ms = [at * 1000 for at in range(n)]
    values = {
        metric: Sample([round(of * MS * chance.lognormvariate(0, 0.3)) for _ in range(n)], at_ms)
        for metric, of in ((Metric.TTFT, ttft_ms), (Metric.E2E, 3 * ttft_ms), (Metric.TPOT, 20.0))
        if n
    }
    return ComparedSeries(name, values, n, n + failed)


CLAUDE = series("gateway-claude", 388)
OTHERS = (
    series("gateway-gpt", 511, seed=2, failed=3),
    series("gateway-claude-eu", 391, 41, seed=3),
    series("sourcegraph-claude", 402, 4, seed=4, failed=12),
    series("staging", 0, 0),
)


@cache
def picture(*chosen: str, cursor: str = "gateway-gpt", working: bool = False) -> Picture:
    """`CLAUDE` compared with these."""
    pairs = [(CLAUDE, other) for other in OTHERS if other.name in chosen]
    found = () if working else tuple(compare(pairs))
    return Picture(CLAUDE, OTHERS, frozenset(chosen), cursor, found, working)
