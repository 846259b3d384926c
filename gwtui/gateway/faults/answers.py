"""Answers that are not the stream that was asked for, and what the gateway does when its upstreams fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwtui.gateway.fault import HTML, answer_fault
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

HEALTH: Mapping[str, Any] = {
    "api": "http",
    "asks": {
        "path": "/gateway/health",
        "method": "GET",
        "expect_json": {"status": "healthy", "providers.anthropic": True},
    },
}
"""Fields of a fault that the gateway's health shows."""
PAGE = "<!doctype html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"

ANSWERS = (
    answer_fault(
        "json",
        "One JSON answer although a stream was requested",
        Verdict.NOT_A_STREAM,
        "silent fallback",
        no_stream=True,
    ),
    answer_fault(
        "html", "An HTML page with status 200", Verdict.NOT_A_STREAM, "Maintenance", status=200, headers=HTML, body=PAGE
    ),
    answer_fault("empty-200", "Status 200, and not a byte", Verdict.EMPTY, "empty body", status=200, body=""),
    answer_fault(
        "whole-no-finish",
        "A whole answer without a finish reason",
        Verdict.COMPLETE,
        status=200,
        body={"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}}]},
        asks={"stream": False},
        findings=(FindingName.NO_STOP_REASON,),
    ),
    answer_fault("204", "Status 204", Verdict.EMPTY, "http.204", status=204, body=""),
    answer_fault(
        "error-200",
        "Status 200, and a JSON error",
        Verdict.NOT_A_STREAM,
        "upstream went away",
        status=200,
        body={"error": {"type": "server_error", "message": "upstream went away"}},
    ),
    answer_fault(
        "wrong-type",
        "The stream has the content type text/plain",
        Verdict.NOT_A_STREAM,
        "text/plain",
        headers={"content-type": "text/plain"},
    ),
    answer_fault(
        "other-model",
        "A different model answers than the requested one",
        Verdict.COMPLETE,
        served_model="another-model",
        findings=(FindingName.MODEL_DIFFERS,),
    ),
    answer_fault(
        "retried",
        "A header says that the gateway tried three times",
        Verdict.COMPLETE,
        headers={"x-litellm-attempted-retries": "2"},
        findings=(FindingName.RETRIES,),
    ),
    answer_fault(
        "upstream-first",
        "The first provider fails, the next one in the chain answers",
        Verdict.COMPLETE,
        upstream_fails=1,
        findings=(FindingName.FALLBACKS, FindingName.MODEL_DIFFERS),
    ),
    answer_fault(
        "no-max-tokens",
        "The token limit is refused as max_tokens, and taken as max_completion_tokens",
        Verdict.COMPLETE,
        refuse_field="max_tokens",
        findings=(FindingName.LIMIT_RENAMED,),
    ),
    answer_fault(
        "wrong-path",
        "The path of the request leads nowhere",
        Verdict.NOT_FOUND,
        "likely right",
        asks={"path": "/chat/completions"},
    ),
    answer_fault(
        "cached",
        "A repeated prompt is answered by a cache",
        Verdict.COMPLETE,
        cache=True,
        probes=2,
        findings=(FindingName.CACHED_ANSWER,),
    ),
    answer_fault(
        "near-limit",
        "The rate limit is nearly reached, as headers tell",
        Verdict.COMPLETE,
        headers={
            "x-ratelimit-limit-requests": "60",
            "x-ratelimit-remaining-requests": "3",
            "x-ratelimit-reset-requests": "41s",
        },
        findings=(FindingName.NEAR_LIMIT,),
    ),
    answer_fault(
        "provider-down",
        "The health document says that a provider is down",
        Verdict.WRONG_BODY,
        "providers.anthropic is false, not true",
        provider_down="anthropic",
        **HEALTH,
    ),
    answer_fault(
        "uncounted", "A good answer that the gateway's metrics do not count", Verdict.COMPLETE, uncounted=True
    ),
    answer_fault(
        "wrong-cost", "A good answer that costs a thousand times too much", Verdict.COMPLETE, cost_factor=1000
    ),
    answer_fault(
        "upstream-all",
        "All providers fail; after five such failures the breakers open",
        Verdict.SERVER_ERROR,
        "all upstream attempts failed",
        upstream_fails=1000,
    ),
    answer_fault(
        "breaker",
        "The same, until the breaker is open and fails fast",
        Verdict.UNAVAILABLE,
        "breaker",
        upstream_fails=1000,
        probes=6,
        findings=(FindingName.BREAKER_OPEN,),
    ),
    answer_fault(
        "upstream-stream",
        "The upstream fails to stream; the gateway requests a whole answer instead",
        Verdict.NOT_A_STREAM,
        "silent fallback",
        upstream_fails=1000,
        upstream_failure="stream",
        findings=(FindingName.RETRIES,),
    ),
    answer_fault(
        "no-fallback",
        "The upstream fails to stream, and fallbacks are disabled: a 500 that says so",
        Verdict.SERVER_ERROR,
        "fallback is disabled",
        upstream_fails=1000,
        upstream_failure="stream",
        no_fallback=True,
    ),
    answer_fault(
        "upstream-timeout",
        "No provider answers within the gateway's timeout",
        Verdict.GATEWAY_TIMEOUT,
        "did not answer",
        upstream_fails=1000,
        upstream_failure="timeout",
    ),
)
