"""Hand-made rows of the endpoints table: calm ones, one in every state, and such that have no result yet."""

from __future__ import annotations

import dataclasses
import math
import random

from gwtui.model.enums import FindingName, Kind, State
from gwtui.model.metrics import Metric
from gwtui.model.query import Window
from gwtui.model.view import Cell, EndpointRow, Quantile

MS = 1_000_000


def quantile(ms: float | None, n: int = 1204) -> Quantile:
    return Quantile(None if ms is None else round(ms * MS), n)


def cells(
    middle_ms: float, count: int = 60, *, seed: int = 1, noise: float = 0.12, bad: tuple[int, ...] = ()
) -> tuple[Cell, ...]:
    """A window of noisy medians, with failures at some places."""
    chance = random.Random(seed)
    return tuple(
        Cell(None, 1) if index in bad else Cell(round(middle_ms * MS * math.exp(chance.gauss(0, noise))))
        for index in range(count)
    )


def rising(low_ms: float, high_ms: float, count: int = 60) -> tuple[Cell, ...]:
    """A window in which the second half became slow."""
    chance = random.Random(7)
    half = count // 2
    return tuple(
        Cell(round((low_ms + (high_ms - low_ms) * max(0, index - half) / half) * MS * math.exp(chance.gauss(0, 0.15))))
        for index in range(count)
    )


def row(name: str, api: str = "anthropic-messages", state: State = State.UP, **changes: object) -> EndpointRow:
    """An endpoint that is well, but for the changes."""
    whole = EndpointRow(
        name=name,
        api=api,
        kind=Kind.COMPLETION,
        state=state,
        metric=Metric.TTFT,
        last_ns=412 * MS,
        p50=quantile(388),
        p95=quantile(620),
        p99=quantile(1204),
        tokens_per_s=84.2,
        fail_share=0.0,
        n=1204,
        failed=0,
        verdict="complete",
        verdict_run=1204,
        note="",
        in_flight=0,
        missed=0,
        insecure=False,
        sparkline=cells(400),
        verdicts=(("complete", 1204),),
        mean_ns=402 * MS,
        total_ns=402 * 1204 * MS,
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]  # fields by name, checked at run time


def fresh_row(name: str, **changes: object) -> EndpointRow:
    """An endpoint that has no result yet, but for the changes."""
    fresh = row(
        name,
        state=State.UNKNOWN,
        last_ns=None,
        p50=quantile(None, 0),
        p95=quantile(None, 0),
        p99=quantile(None, 0),
        tokens_per_s=None,
        fail_share=None,
        n=0,
        verdict="",
        verdict_run=0,
        verdicts=(),
        mean_ns=None,
        total_ns=None,
        sparkline=(Cell(),) * 60,
    )
    return dataclasses.replace(fresh, **changes)  # type: ignore[arg-type]  # fields by name, checked at run time


def calm_rows() -> tuple[EndpointRow, ...]:
    return (
        row("gateway-claude"),
        row(
            "gateway-gpt",
            "openai-chat",
            last_ns=291 * MS,
            p50=quantile(287),
            p95=quantile(402),
            p99=quantile(551),
            tokens_per_s=121.4,
            sparkline=cells(290, seed=2),
        ),
        row(
            "gateway-health",
            "http",
            kind=Kind.HTTP,
            metric=Metric.E2E,
            last_ns=4_210_000,
            p50=quantile(4.1),
            p95=quantile(7.3),
            p99=quantile(12.4),
            tokens_per_s=None,
            sparkline=cells(4.2, seed=3),
        ),
        row(
            "gateway-ws",
            "websocket",
            kind=Kind.WEBSOCKET,
            metric=Metric.RTT,
            last_ns=12_100_000,
            p50=quantile(11.8),
            p95=quantile(18.2),
            p99=quantile(None, 41),
            tokens_per_s=None,
            verdict="pong",
            verdicts=(("pong", 41),),
            n=41,
            sparkline=cells(12, seed=4),
        ),
    )


def sick_rows() -> tuple[EndpointRow, ...]:
    """The calm ones, and one in every other state."""
    return (
        *calm_rows(),
        _slow_row(),
        _down_row(),
        _degraded_row(),
        fresh_row("staging-claude", state=State.PAUSED),
        fresh_row("new-endpoint", in_flight=1),
    )


def _slow_row() -> EndpointRow:
    return row(
        "gateway-starcoder",
        "openai-chat",
        State.SLOW,
        last_ns=1892 * MS,
        p50=quantile(910),
        p95=quantile(1904),
        p99=quantile(2412),
        tokens_per_s=31.0,
        fail_share=0.012,
        failed=3,
        verdicts=(("complete", 1201), ("stalled", 3)),
        findings=((FindingName.BUFFERED, 41),),
        note="buffered: 42 events in one read",
        why="slow 2.2x",
        usual_ns=410 * MS,
        ratio=910 / 410,
        is_slower=True,
        sparkline=rising(410, 1900),
    )


def _down_row() -> EndpointRow:
    return row(
        "sourcegraph-claude",
        state=State.DOWN,
        last_ns=None,
        p50=quantile(402, 41),
        p95=quantile(633, 205),
        p95_window=Window.M10,
        p99=quantile(None, 205),
        tokens_per_s=None,
        fail_share=0.38,
        n=41,
        failed=16,
        verdict="truncated",
        verdict_run=5,
        verdicts=(("complete", 25), ("truncated", 14), ("no_first_byte", 2)),
        note="the stream ended after event 31 without message_stop",
        why="truncated 14/41",
        sparkline=cells(420, seed=5, bad=(20, 22, 23, 40, 44, 52, 53, 56, 57, 58, 59)),
    )


def _degraded_row() -> EndpointRow:
    return row(
        "azure-eu-west",
        "openai-chat",
        State.DEGRADED,
        last_ns=602 * MS,
        p50=quantile(598, 210),
        p95=quantile(799, 210),
        p99=quantile(1302, 210),
        tokens_per_s=60.1,
        fail_share=0.12,
        n=210,
        failed=25,
        verdict="error_in_stream",
        verdict_run=2,
        verdicts=(("complete", 185), ("error_in_stream", 25)),
        note="overloaded_error after 12 events",
        why="error_in_stream 25/210",
        sparkline=cells(600, seed=6, bad=(7, 30, 31, 48)),
        insecure=True,
        missed=3,
    )
