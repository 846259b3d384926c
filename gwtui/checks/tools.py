"""Earlier tools for gateways as lists of checks: what each one looked at, in its order and its words. Pure.

`gwtui check --tool NAME` runs such a list. The words become the headings above the results; the checks stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gwtui.checks.check import Check
from gwtui.checks.planning import checks_for
from gwtui.checks.request_sets import CheckTarget
from gwtui.config.templates import made_with, snippet
from gwtui.model.profile import Endpoint


@dataclass(frozen=True, slots=True)
class Step:
    """What a tool looked at, in its words, and the checks that answer it."""

    words: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One of those tools."""

    name: str
    title: str
    """What it was for."""
    api: str
    """Of an endpoint that only a URL describes."""
    steps: tuple[Step, ...]
    rows: tuple[tuple[str, str], ...] = ()
    """The names of its rows, each with the kind of ready-made endpoint behind it; empty: it asked one endpoint."""


CODY_STEPS = (
    Step("Connectivity: ping, pong", ("ping",)),
    Step("Completions: whole answer", ("answer",)),
    Step("Completions: stream", ("stream", "stream-headers", "event-format")),
    Step("Failures: time-outs, statuses, broken reads", ("timeouts", "whole-streams")),
)
TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            name="cody",
            title="src gateway benchmark and benchmark-stream, on a Cody Gateway",
            api="anthropic-messages",
            steps=CODY_STEPS,
            rows=(
                ("ws(s): gateway", "cody-gateway-ws"),
                ("http(s): gateway", "cody-gateway-http"),
                ("gateway: anthropic", "cody-gateway-anthropic"),
                ("gateway: fireworks", "cody-gateway-fireworks"),
            ),
        ),
        Tool(
            name="sourcegraph",
            title="src gateway benchmark and benchmark-stream, on a Sourcegraph instance",
            api="sourcegraph-stream",
            steps=CODY_STEPS,
            rows=(
                ("ws(s): sourcegraph", "sourcegraph-ws"),
                ("http(s): sourcegraph", "sourcegraph-http"),
                ("http(s): http-then-ws", "sourcegraph-http-then-ws"),
                ("sourcegraph: anthropic", "sourcegraph-stream"),
                ("sourcegraph: fireworks", "sourcegraph-code"),
            ),
        ),
        Tool(
            name="llm-gateway",
            title="the test suite of a local gateway with health, metrics and audit",
            api="anthropic-messages",
            steps=(
                Step("1 Health: healthy, and the provider is true", ("health",)),
                Step("2 Non-streaming request: JSON with content and usage", ("answer",)),
                Step("3 Streaming request: headers", ("stream-headers",)),
                Step("4 Events arrive incrementally", ("incremental", "steady")),
                Step("5 Event names, data and sequence", ("stream", "event-format")),
                Step("6 Metrics move", ("metrics",)),
                Step("7 Audit shows the requests", ("audit",)),
                Step("8 Invalid key: 401", ("invalid-key",)),
                Step("9 Unknown model: 4xx", ("unknown-model",)),
                Step("10 Each model", ("models",)),
                Step("11 Agent type routing", ("agent-type",)),
                Step("12 Concurrent streams, long streams, large answers",
                     ("concurrent-streams", "long-stream", "large-answer")),
                Step("13 Provider fallback chain", ("provider-fallback",)),
                Step("14 Connection refused, no events, buffering: causes",
                     ("connection", "silent-fallback", "whole-streams", "timeouts")),
            ),
        ),
        Tool(
            name="fallback",
            title="the twelve tests of streaming fallback and circuit breaker",
            api="openai-chat",
            steps=(
                Step("1 Streaming succeeds", ("stream", "stream-headers")),
                Step("2 Streaming falls back to non-streaming", ("silent-fallback", "provider-fallback")),
                Step("3 Fallback disabled: HTTP 500 at once", ("fails-at-once",)),
                Step("4 Circuit breaker", ("breaker",)),
                Step("5 Stream fails mid-response", ("whole-streams",)),
                Step("6 Time-out", ("timeouts",)),
                Step("7 Concurrent streams", ("concurrent-streams",)),
                Step("8 Event format", ("event-format",)),
                Step("9 Agent- or model-specific fallback", ("model-served",)),
                Step("10 Failures are fast", ("fast-failures",)),
                Step("11 No buffering between chunks", ("incremental", "steady")),
                Step("12 Fallback happens once", ("attempts",)),
            ),
        ),
        Tool(
            name="compare",
            title="the concurrency test of POST /compare-stream",
            api="compare-stream",
            steps=(
                Step("Connection", ("connection",)),
                Step("One request, several models", ("stream", "event-format")),
                Step("Concurrent or sequential: 3, 6 and 9 models", ("concurrency",)),
                Step("A model that does not exist", ("one-fails-alone",)),
                Step("Time-outs and broken streams", ("timeouts", "whole-streams")),
            ),
        ),
    )
}  # fmt: skip
"""By name, in the order of help."""


def checks_of(tool: Tool, target: CheckTarget, names: Sequence[str] = ()) -> tuple[Check, ...]:
    """The tool's checks that are asked of this kind of endpoint, under its headings; with names, only those."""
    asked = {check.name: check for check in checks_for(target, names)}
    return tuple(
        replace(asked[name], section=step.words) for step in tool.steps for name in step.checks if name in asked
    )


def endpoints_at(tool: Tool, url: str, key: str | None) -> tuple[Endpoint, ...]:
    """What the tool asked at a base URL, one endpoint per row. Those that send a key get it. Raises ConfigError."""
    return tuple(
        made_with({"name": name, "url": url, "key": key if snippet(kind).key is not None else None}, kind)
        for name, kind in tool.rows
    )
