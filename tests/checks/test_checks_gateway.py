"""What checks say of a gateway's health, metrics and audit, from tables of what it answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace
from support.checked import document, evidence, refused, request, target

from gwtui.checks.evidence import DOCUMENT_CHARS, Probed
from gwtui.checks.gateway import judge_audit, judge_connection
from gwtui.checks.health import judge_health
from gwtui.checks.metrics import judge_metrics
from gwtui.model.check_results import CheckOutcome
from gwtui.model.profile import Price
from gwtui.model.verdicts import Verdict
from gwtui.probes.response_reader import TEXT_CHARS

PASS, WARN, FAIL, NA = CheckOutcome.PASS, CheckOutcome.WARN, CheckOutcome.FAIL, CheckOutcome.NOT_APPLICABLE


def health(**fields: Any) -> dict[str, Any]:
    return {"status": "healthy", "providers": {"anthropic": True}, **fields}


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (document(health()), PASS, "provider anthropic is true"),
        (document(health(status="degraded")), FAIL, "'degraded'"),
        (document(health(status="ok")), WARN, "'ok'"),
        (document({"state": "fine"}), FAIL, "/gateway/health: JSON without a `status`"),
        (
            document('{"status": "healthy", "more": "' + "x" * DOCUMENT_CHARS),
            WARN,
            "longer than the 1,048,576 characters",
        ),
        (document(health(providers={"anthropic": False})), FAIL, "anthropic is false"),
        (document(health(providers={"openai": True})), WARN, "no provider 'anthropic'"),
        (
            document(health(providers={"local": True}, routing={"default_provider": "local"})),
            PASS,
            "provider local is true",
        ),
        (document([1, 2]), FAIL, "JSON without a `status`"),
        (document("<html>hello</html>"), FAIL, "without JSON"),
        (
            document(json.dumps(health(note="-")).replace("-", r"\x9b\U000e0041\\x41")),
            PASS,
            "provider anthropic is true",
        ),
        (document("", 404), NA, "none of /gateway/health, /health/liveliness"),
        (document("", 503), FAIL, "unavailable"),
        (document(health(providers={"anthropic": {"up": 1}})), FAIL, "anthropic"),
    ],
)
def test_health(answer: Any, outcome: CheckOutcome, words: str) -> None:
    judged = judge_health(evidence(health=answer))
    assert (judged.outcome, words in judged.evidence) == (outcome, True), judged
    assert judged.outcome is not FAIL or (judged.cause and judged.remedy)


@pytest.mark.parametrize(
    ("path", "answer", "outcome", "words"),
    [
        ("/health/liveliness", document('"I\'m alive!"'), PASS, '/health/liveliness: HTTP 200, "I\'m alive!"'),
        ("/health", document(""), PASS, "/health: HTTP 200"),
        ("/health", document({"status": "ok", "version": 3}), PASS, "/health: HTTP 200, 'ok'"),
        ("/health", document({"status": "unhealthy"}), FAIL, "/health: HTTP 200, 'unhealthy'"),
        ("/health", document("", 503), FAIL, "unavailable"),
        ("/healthz", document("ok\n"), PASS, "/healthz: HTTP 200, 'ok'"),
        ("/v1/models", document({"object": "list", "data": [{"id": "a"}, {"id": "b"}]}), PASS, "lists 2 models"),
        ("/v1/models", document("hello"), WARN, "without JSON"),
        ("/health", replace(document("<html>"), content_type="text/html"), FAIL, "an HTML page"),
    ],
)
def test_health_of_other_makes(path: str, answer: Any, outcome: CheckOutcome, words: str) -> None:
    judged = judge_health(evidence(health=Probed(answer, path=path)))
    assert (judged.outcome, words in judged.evidence) == (outcome, True), judged
    assert judged.outcome is not FAIL or (judged.cause and judged.remedy)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (document(health()), PASS),
        (document("", 404), PASS),
        (request(Verdict.REFUSED, status=None, api="http", reason="h:80: Connection refused"), FAIL),
        (request(Verdict.TLS, status=None, api="http", reason="certificate has expired"), FAIL),
        (request(Verdict.LOCAL, status=None, api="http", reason="no file descriptors"), NA),
    ],
)
def test_connection(answer: Any, outcome: CheckOutcome) -> None:
    judged = judge_connection(evidence(health=answer))
    assert judged.outcome is outcome
    assert outcome is not FAIL or (answer.reason in judged.evidence and judged.cause and judged.remedy)


def metrics(requests: float, tokens: int = 0, cost: float | None = 0.0, **more: Any) -> dict[str, Any]:
    """All that `/gateway/metrics` has; the entries of `recent` are those of `GOOD`."""
    figures = {"requests": requests, "output_tokens": tokens}
    whole: dict[str, Any] = {
        "summary": {
            "total_requests": requests,
            "total_input_tokens": 0,
            "total_output_tokens": tokens,
            "total_cache_write_tokens": 0,
            "total_cache_read_tokens": 0,
            "total_cost_usd": cost,
            "avg_latency_ms": 90.5,
        },
        "by_provider": {"anthropic": figures},
        "by_model": {"claude-3-haiku": figures},
        "recent": [{"request_id": "req-1", "provider": "anthropic", "output_tokens": 10, "cost_usd": 0.001}],
    }
    summary = {name: more.pop(name, value) for name, value in whole["summary"].items()}
    whole |= {"summary": {name: value for name, value in summary.items() if value is not None}}
    return {name: value for name, value in (whole | more).items() if value is not None}


GOOD = request(output_tokens=10, input_tokens=5)
NOT_GOOD = refused(500)
ENTRY = {"request_id": "req-1", "output_tokens": 10, "cost_usd": 0.001}


@pytest.mark.parametrize(
    ("before", "after", "sent", "outcome", "words"),
    [
        (metrics(3, 100, 0.5), metrics(5, 130, 0.51), (GOOD, GOOD), PASS, "requests +2, tokens +30"),
        (metrics(3), metrics(9, 130, 0.1), (GOOD, GOOD), PASS, "requests +6"),
        (metrics(3), metrics(5, 30, 0.01), (GOOD, GOOD), PASS, "average latency 90.5 ms; recent[] has 2 of 2"),
        (metrics(3), metrics(3), (GOOD, GOOD), FAIL, "requests +0"),
        (metrics(3), metrics(4, 130, 0.1), (GOOD, GOOD), FAIL, "requests +1"),
        (metrics(3), metrics(5, 12, 0.01), (GOOD, GOOD), FAIL, "tokens +12"),
        (metrics(3), metrics(5, 15, 0.01, total_input_tokens=15), (GOOD, GOOD), FAIL, "in +15, out +15"),
        (metrics(3), metrics(5, 130), (GOOD, GOOD), WARN, "cost +0"),
        (metrics(3), metrics(5, 22, 0.01), (GOOD, GOOD), FAIL, "tokens +22"),
        (metrics(3), metrics(5, 22, 0.01, total_cache_read_tokens=8), (GOOD, GOOD), PASS, "cache read +8"),
        (metrics(3), metrics(5, 130, None), (GOOD, GOOD), WARN, "cost not reported"),
        (metrics(3), metrics(5, 130, 200.0), (GOOD, GOOD), WARN, "$1,538.46 per 1,000 tokens"),
        (metrics(9, 500), metrics(2, 30, 0.01), (GOOD, GOOD), FAIL, "lower after the requests"),
        (metrics(3), metrics(10**400), (GOOD, GOOD), FAIL, "requests not reported"),
        ({"requestCount": 3}, {"requestCount": 5}, (GOOD, GOOD), FAIL, "no counters in `summary`"),
        (metrics(3), metrics(4, 30, 0.01), (GOOD, NOT_GOOD), PASS, "after 1 request with"),
        (metrics(3), metrics(3), (NOT_GOOD, NOT_GOOD), NA, "no request was good"),
        (metrics(3), metrics(5, 30, 0.01, avg_latency_ms=0), (GOOD, GOOD), WARN, "avg_latency_ms is 0"),
        (metrics(3), metrics(5, 30, 0.01, avg_latency_ms=None), (GOOD, GOOD), WARN, "not reported: avg_latency_ms"),
        (metrics(3), metrics(5, 30, 0.01, by_model=None, recent=[]), (GOOD, GOOD), WARN, "reported: by_model, recent"),
        (metrics(3), metrics(5, 30, 0.01, by_model={"b": {"requests": 3}}), (GOOD, GOOD), FAIL, "by_model counts +0"),
        (metrics(3), metrics(5, 30, 0.01, recent=[{"request_id": "else"}]), (GOOD, GOOD), WARN, "recent[] has 1 entr"),
        (metrics(3), metrics(5, 30, 0.01, recent=[ENTRY | {"output_tokens": 2}]), (GOOD, GOOD), FAIL, "has 4 output"),
        (metrics(3), metrics(5, 30, 0.01, recent=[ENTRY | {"cost_usd": 0}]), (GOOD, GOOD), WARN, "have no cost"),
    ],
)
def test_metrics(before: Any, after: Any, sent: Any, outcome: CheckOutcome, words: str) -> None:
    judged = judge_metrics(
        evidence(metrics_before=document(before), stream=sent[0], answer=sent[1], metrics_after=document(after))
    )
    assert (judged.outcome, words in judged.evidence) == (outcome, True), judged


@pytest.mark.parametrize(("usd", "outcome"), [(0.000_06, PASS), (0.06, WARN)])
def test_a_cost_is_held_against_the_price(usd: float, outcome: CheckOutcome) -> None:
    of = target(price=Price(input_per_million=2.0, output_per_million=5.0))  # 2 x (5 in, 10 out): 0.00012 USD
    after = metrics(5, 30, usd * 2, recent=[ENTRY | {"cost_usd": usd}])
    judged = judge_metrics(
        evidence(of, metrics_before=document(metrics(3)), stream=GOOD, answer=GOOD, metrics_after=document(after))
    )
    assert (judged.outcome, "by `price`" in judged.evidence) == (outcome, outcome is WARN), judged
    assert judged.details == [
        "by_provider  anthropic: +2 requests, 30 tokens",
        "by_model  claude-3-haiku: +2 requests, 30 tokens",
    ]


def test_a_gateway_without_metrics_has_none_to_judge() -> None:
    judged = judge_metrics(
        evidence(metrics_before=document("", 404), stream=GOOD, answer=GOOD, metrics_after=document("", 404))
    )
    assert judged.outcome is NA


def prometheus(requests: int) -> Probed:
    text = (
        "# HELP litellm_proxy_total_requests_metric_total Requests\n"
        f'litellm_proxy_total_requests_metric_total{{model="a b",status="200"}} {requests}.0\n'
        f'litellm_proxy_total_requests_metric_total{{model="c"}} 1e2 1700000000\n'
        'http_request_duration_seconds_bucket{le="+Inf"} 9\n'
        "process_cpu_seconds_total NaN\nvllm:num_requests_running 1.0\n"
    )
    return Probed(document(text), path="/metrics")


@pytest.mark.parametrize(
    ("before", "after", "outcome", "words"),
    [
        (prometheus(5), prometheus(7), PASS, "litellm_proxy_total_requests_metric_total +2 after 2 requests"),
        (prometheus(5), prometheus(6), FAIL, "+1 after 2 requests"),
        (prometheus(5), prometheus(5), FAIL, "+0 after 2 requests"),
        (Probed(document("up 1\n"), path="/metrics"), Probed(document("up 1\n"), path="/metrics"), WARN, "no counter"),
        (Probed(document("<p>"), path="/metrics"), Probed(document("<p>"), path="/metrics"), FAIL, "without JSON"),
    ],
)
def test_counters_of_prometheus_move_by_the_requests(
    before: Probed, after: Probed, outcome: CheckOutcome, words: str
) -> None:
    judged = judge_metrics(evidence(metrics_before=before, stream=GOOD, answer=GOOD, metrics_after=after))
    assert (judged.outcome, words in judged.evidence) == (outcome, True), judged


FIRST = request(request_id="a", sent_request_id="b", trace_id="c")
SECOND = request(request_id="d", sent_request_id="e", trace_id="f")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (document({"entries": [{"request_id": "d"}, {"request_id": "a"}]}), PASS),
        (document([{"meta": {"trace": "f"}}, {"id": "b"}]), PASS),
        (document({"entries": [{"request_id": "d"}, {"request_id": "x"}]}), FAIL),
        (document({"entries": [{"model": "claude-3-haiku"}, {"model": "claude-3-haiku"}]}), WARN),
        (document({"entries": []}), FAIL),
        (document({}), FAIL),
        (document("", 404), NA),
        (document("no json"), FAIL),
    ],
)
def test_audit(answer: Any, outcome: CheckOutcome) -> None:
    judged = judge_audit(evidence(stream=FIRST, answer=SECOND, audit=answer))
    assert judged.outcome is outcome, judged


@pytest.mark.parametrize(("counted", "outcome"), [(2, FAIL), (5, FAIL), (6, WARN)])
def test_entries_of_others_may_have_taken_the_place_of_ours(counted: int, outcome: CheckOutcome) -> None:
    before, after = ({"summary": {"total_requests": number}} for number in (100, 100 + counted))
    theirs = document({"entries": [{"id": f"theirs-{number}"} for number in range(5)]})
    judged = judge_audit(
        evidence(
            metrics_before=document(before), stream=FIRST, answer=SECOND, metrics_after=document(after), audit=theirs
        )
    )
    assert judged.outcome is outcome, judged


def test_an_audit_that_is_switched_off_is_not_looked_into() -> None:
    off = document(health(audit={"enabled": False}))
    judged = judge_audit(evidence(health=off, stream=FIRST, answer=SECOND, audit=document({"entries": []})))
    assert judged.outcome is NA


def test_the_provider_that_is_wanted_is_the_one_of_the_api() -> None:
    answer = document(health(providers={"anthropic": True, "openai": False}))
    assert judge_health(evidence(health=answer)).outcome is PASS
    assert judge_health(evidence(target(api="openai-chat"), health=answer)).outcome is FAIL


@pytest.mark.parametrize(
    ("api", "provider"),
    [
        ("openai-completions", "openai"),
        ("openai-responses", "openai"),
        ("gemini", "google"),
        ("fireworks", "fireworks"),
        ("sourcegraph-stream", "anthropic"),
    ],
)
def test_every_api_has_its_provider_or_the_usual_one(api: str, provider: str) -> None:
    providers = dict.fromkeys(("anthropic", "openai", "google", "fireworks"), False) | {provider: True}
    judged = judge_health(evidence(target(api=api), health=document(health(providers=providers))))
    assert (judged.outcome, f"provider {provider} is true" in judged.evidence) == (PASS, True)


def test_a_document_is_cut_where_probes_cut_it() -> None:
    assert DOCUMENT_CHARS == TEXT_CHARS
