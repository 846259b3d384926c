"""A gateway's own documents: read whatever they lack, never believed, and never longer than is good."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.generated import json_values

from gwtui.apis.answer_ids import answer_id_in
from gwtui.apis.base import AskError
from gwtui.apis.gateway_documents import (
    DOCUMENT_BYTES,
    MOST_NAMES,
    Attempt,
    DocumentError,
    GatewayEntry,
    entry_of,
    find_entry,
    find_raw,
    health_of,
    read_audit,
    read_health,
    read_metrics,
)
from gwtui.apis.gateway_metrics import GATEWAY_METRICS
from gwtui.model.enums import FindingName
from gwtui.model.gateway_figures import NamedCounts
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

SUMMARY = {
    "total_requests": 12,
    "total_cost_usd": 0.25,
    "total_input_tokens": 1000,
    "total_output_tokens": 500,
    "total_cache_write_tokens": 3,
    "total_cache_read_tokens": 4,
    "avg_latency_ms": 412.5,
}
ENTRY = {
    "request_id": "msg_1",
    "timestamp": "2026-01-01T00:00:00Z",
    "provider": "anthropic",
    "model": "claude",
    "input_tokens": 20,
    "output_tokens": 12,
    "cost_usd": 0.00002,
    "latency_ms": 250.0,
}


def body(**parts: Any) -> bytes:
    return json.dumps({"summary": SUMMARY, **parts}).encode()


def test_all_of_a_document_is_read() -> None:
    document = read_metrics(
        body(
            by_provider={"anthropic": {"requests": 12, "cost_usd": 0.25}, "openai": {"requests": 30}},
            by_model=[{"model": "claude", "total_requests": 12}],
            recent=[ENTRY],
        )
    )
    figures = document.figures
    assert (figures.requests, figures.cost_usd, figures.tokens, figures.avg_latency_ms) == (12, 0.25, 1507, 412.5)
    assert figures.by_provider == (
        NamedCounts(name="openai", requests=30),
        NamedCounts(name="anthropic", requests=12, cost_usd=0.25),
    )
    assert figures.by_model == (NamedCounts(name="claude", requests=12),)
    assert find_raw(document.recent, {"x", "msg_1"}) == GatewayEntry(
        provider="anthropic", model="claude", input_tokens=20, output_tokens=12, cost_usd=0.00002
    )
    assert find_raw(document.recent, {"msg_", ""}) is None


@pytest.mark.parametrize("value", [None, True, "12", -1, 1e16, [], {}, 10**400])
def test_a_number_that_cannot_be_is_not_told_and_spoils_nothing(value: object) -> None:
    figures = read_metrics(body(summary={**SUMMARY, "total_requests": value})).figures
    assert (figures.requests, figures.input_tokens) == (None, 1000)


def test_parts_of_another_form_are_left_out() -> None:
    document = read_metrics(body(by_provider="none", by_model=[1, 2], recent={"a": 1}))
    assert (document.figures.by_provider, document.figures.by_model) == ((), ())
    assert find_raw(document.recent, {"a"}) is None


def test_names_are_few_clean_and_short() -> None:
    many = {f"\x1b]0;{number}\x07{'x' * 500}": {"requests": number} for number in range(100)}
    named = read_metrics(body(by_provider=many)).figures.by_provider
    assert [each.requests for each in named] == list(range(99, 99 - MOST_NAMES, -1))
    assert all(each.name.isprintable() and len(each.name) <= 60 for each in named)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"summary": {"total_requests": \xff}}', "not JSON"),
        (b"[1]", "not an object"),
        (b"{}", "no `summary`"),
        (b'{"summary": {}}', "no `summary`"),
        (b"[" * 100_000, "not an object"),
        (b'{"other": ' + b"[" * 100_000, "nested too deep"),
        (b'{"summary": "' + b"x" * DOCUMENT_BYTES + b'"}', "longer than 2 MiB"),
    ],
)
def test_what_is_no_such_document(sent: bytes, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        read_metrics(sent)
    judgement = GATEWAY_METRICS.answer(Endpoint(name="e", api="gateway-metrics", url="http://h"), 200, sent).judgement
    assert (judgement.verdict, judgement.rule) == (Verdict.WRONG_BODY, "metrics.document")
    assert says in judgement.reason


def test_an_audit_is_a_list_or_has_one() -> None:
    for document in ([ENTRY], {"entries": [ENTRY]}, {"total": 7, "empty": [], "items": [ENTRY]}):
        entry = find_raw(read_audit(json.dumps(document).encode()), {"msg_1"})
        assert entry is not None
        assert entry.provider == "anthropic"
    for empty in (b'{"total": 0}', b"[]", b'{"entries": [ ]}', b'"msg_1"', b'["msg_1", {"entries": "msg_1"}]'):
        assert find_raw(read_audit(empty), {"msg_1"}) in (None, GatewayEntry())


def test_an_id_is_found_wherever_an_entry_keeps_it() -> None:
    entry = {"response": {"ids": ["other", "req-7"]}, "provider": "openai"}
    assert find_entry([1, ENTRY, entry], {"req-7"}) == GatewayEntry(provider="openai")
    assert find_entry([ENTRY, entry], set()) is None


@pytest.mark.parametrize(
    ("given", "attempts"),
    [
        (
            [{"provider": "anthropic", "status": 529}, {"provider": "openai", "status": 200}],
            (Attempt("anthropic", True, "529"), Attempt("openai", False, "200")),
        ),
        (
            [{"name": "anthropic", "success": False, "error": "overloaded"}, {"upstream": "openai", "ok": True}],
            (Attempt("anthropic", True, "overloaded"), Attempt("openai")),
        ),
        (
            [{"provider": "a", "outcome": "timeout"}, {"provider": "b", "outcome": "success"}],
            (Attempt("a", True, "timeout"), Attempt("b", False, "success")),
        ),
        (["anthropic: 500", "openai"], (Attempt("anthropic", True, "500"), Attempt("openai"))),
        ([None, 7, {}, {"provider": ["x"]}], ()),
    ],
)
def test_lists_of_attempts(given: list[Any], attempts: tuple[Attempt, ...]) -> None:
    entry = entry_of({"attempts": given})
    assert entry.attempts == attempts
    answered = [each.provider for each in attempts if not each.failed]
    assert entry.provider == (answered[-1] if answered else "")
    assert entry_of({"provider": "z", "attempts": given}).provider == "z"


def test_attempts_that_name_no_provider_count_and_those_that_a_breaker_refused_do_not() -> None:
    assert entry_of({"attempts": [{"mode": "stream", "error": "reset"}, {"mode": "whole"}]}).attempt_count == 2
    assert entry_of({"attempts": [{"provider": "a", "status": 500}] * 50}).attempt_count == 50
    assert entry_of({"attempts": [{"provider": "a", "error": "circuit open"}, {"provider": "b"}]}).attempt_count == 1
    assert entry_of({"attempts": ["a: skipped"]}).attempt_count == 0
    assert entry_of({"attempts": [None, 7], "attempt_count": 3}).attempt_count == 3


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        ({"breaker": "open"}, "open"),
        ({"circuit_breaker": {"state": "half-open", "failures": 5}}, "half-open"),
        ({"circuitState": "CLOSED"}, "CLOSED"),
        ({"breaker": {"failures": 5}}, ""),
        ({"breaker": ["open"]}, ""),
        ({}, ""),
    ],
)
def test_the_state_of_a_breaker(entry: dict[str, Any], state: str) -> None:
    assert entry_of(entry).breaker == state


def test_a_number_of_attempts() -> None:
    assert entry_of({"attempts": 2}).attempt_count == 2
    assert entry_of({"attempt_count": 3}).attempt_count == 3
    assert entry_of({"attempts": True}).attempt_count is None


def test_routes() -> None:
    health = {"routing": {"default_provider": "anthropic", "fallback_chain": ["anthropic", None, "openai"]}}
    assert read_health(json.dumps(health).encode()).default_provider == "anthropic"
    assert health_of(health).fallback_chain == ("anthropic", "openai")
    assert health_of({"routing": "none"}).default_provider == health_of(None).default_provider == ""


@given(json_values)
def test_any_json_is_read_without_an_error(value: Any) -> None:
    sent = json.dumps({"summary": value, "by_provider": value, "by_model": value, "recent": value}).encode()
    with suppress(DocumentError):
        read_metrics(sent)
    health_of(value)
    find_raw(read_audit(json.dumps({"entries": [value, {"id": "x", "attempts": value}]}).encode()), {"x"})


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(sent: bytes) -> None:
    for read in (read_metrics, read_health, read_audit):
        with suppress(DocumentError):
            read(sent)


def test_metrics_are_asked_for_by_get() -> None:
    ask = GATEWAY_METRICS.ask(Endpoint(name="e", api="gateway-metrics", url="http://h:1", auth="x-api-key"), "k")
    assert (ask.method, ask.url, ask.headers, ask.body) == (
        "GET",
        "http://h:1/gateway/metrics",
        (("x-api-key", "k"),),
        b"",
    )


@pytest.mark.parametrize("fields", [{"body": "x"}, {"expect": "x"}, {"expect_json": {"a": 1}}])
def test_settings_that_metrics_do_not_have(fields: dict[str, Any]) -> None:
    with pytest.raises(AskError, match="leave it out"):
        GATEWAY_METRICS.ask(Endpoint(name="e", api="gateway-metrics", url="http://h:1", **fields), None)


@pytest.mark.parametrize(("cost", "found"), [(1.5, []), (1.6, [FindingName.COST_DIFFERS])])
def test_tokens_that_cost_more_than_any_are_a_finding(cost: float, found: list[FindingName]) -> None:
    sent = body(summary={**SUMMARY, "total_cost_usd": cost})
    answer = GATEWAY_METRICS.answer(Endpoint(name="e", api="gateway-metrics", url="http://h"), 200, sent)
    assert answer.judgement.verdict is Verdict.COMPLETE
    assert answer.judgement.reason == f"HTTP 200: 12 requests, 1,507 tokens, ${cost:.2f}"
    assert [finding.name for finding in answer.findings] == found


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ('{"id": "chatcmpl-1", "choices": []}', "chatcmpl-1"),
        ('{"type": "message_start", "message": {"id": "msg_1", "content": [{"id": "toolu_1"}]}}', "msg_1"),
        ('{"type": "response.created", "response": {"id": "resp_1"}}', "resp_1"),
        ('{"responseId": "g1"}', "g1"),
        ('{"content": [{"id": "toolu_1"}], "id": "msg_2"}', "msg_2"),
        ('{"message": "text"}', ""),
        ('{"id": 7}', ""),
        ("[DONE]", ""),
        ("", ""),
        ("[" * 100_000, ""),
        ('{"id": "a\\u001b]0;x\\u0007"}', "a␛]0;x␇"),
    ],
)
def test_the_id_of_an_answer(payload: str, found: str) -> None:
    assert answer_id_in(payload) == found
