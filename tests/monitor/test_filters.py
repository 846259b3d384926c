"""What may be typed after `/`, and which endpoints it shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.viewrows import MS, fresh_row, quantile, row

from gwtui.model.enums import FindingName, State
from gwtui.model.metrics import Metric
from gwtui.monitor.filters import FIGURES, TEXTS, FilterError, Subject, parse

SICK = Subject(
    row=row(
        "Gateway-Claude",
        state=State.DOWN,
        metric=Metric.E2E,
        last_ns=None,
        p50=quantile(900),
        p95=quantile(1500),
        p99=quantile(None),
        tokens_per_s=31.5,
        fail_share=0.2,
        n=100,
        failed=20,
        verdict="truncated",
        in_flight=2,
        verdicts=(("complete", 41), ("truncated", 7), ("no_first_byte", 1)),
        findings=((FindingName.BUFFERED, 12),),
    ),
    model="claude-3-haiku",
    median={Metric.TTFT: 500 * MS, Metric.E2E: 900 * MS}.get,
)
NEW = Subject(
    row=fresh_row("b", api="http"),
    model="",
    median=lambda _: None,
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "-",
        "claude",
        "CLAUDE",
        "haiku trunc",
        "down",
        "state:down verdict:TRUNCATED api:anthropic model:haiku name:gateway",
        "name:",
        "-state:up",
        "--state:up",
        "-gemini",
        "ttft>499 ttft<501 ttft>=500 ttft<=500 ttft=500",
        "ttft>0.4s",
        "ttft<500001us",
        "ttft=.5s",
        "p50>=900ms p95<2s",
        "fail>1 fail>=20% fail<20.5",
        "failed>19 n=100 running=2 missed=0",
        "tokens>30",
        "-p99>1",
        "-ttft>500",
        "verdict:complete verdict:truncated verdict:first_byte",
        "finding:buffered",
        "buffer no_first",
        "-verdict:stalled -finding:combed",
    ],
)
def test_shows(text: str) -> None:
    assert parse(text)(SICK)


@pytest.mark.parametrize(
    "text",
    [
        "gemini",
        "claude gemini",
        "-claude",
        "state:up",
        "-state:down",
        "model:opus",
        "ttft>500",
        "ttft<500",
        "ttft>1s",
        "fail>20",
        "last>0",
        "last<99999",
        "p99>1",
        "icl>0",
        "model:3:haiku",
        "verdict:stalled",
        "-verdict:complete",
        "verdict:completetruncated",
        "finding:truncated",
        "verdict:buffered",
    ],
)
def test_hides(text: str) -> None:
    assert not parse(text)(SICK)


@pytest.mark.parametrize("figure", sorted(FIGURES.keys() - {"n", "failed", "running", "missed"}))
def test_what_an_endpoint_does_not_have_is_neither_above_nor_below(figure: str) -> None:
    assert not parse(f"{figure}>=0")(NEW)
    assert not parse(f"{figure}<=99999")(NEW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ttft>", "`ttft>` needs a number, such as `ttft>500`"),
        ("ttft>fast", "`ttft>fast` needs a number"),
        ("ttft>5x", "`ttft>5x` needs a number"),
        ("ttft>-5", "needs a number"),
        ("ttft>>5", "needs a number"),
        ("speed>5", "`speed>` is not a figure: use ttfb, ttft"),
        (">5", "`>` is not a figure"),
        ("llama3:8b", "`llama3:` is not known: use name:, api:, model:, state:, verdict:"),
        (":", "`:` is not known"),
        ("claude -verdikt:x", "`verdikt:` is not known"),
    ],
)
def test_what_is_wrong_is_named(text: str, expected: str) -> None:
    with pytest.raises(FilterError) as error:
        parse(text)
    assert expected in str(error.value)


words = st.sampled_from([*FIGURES, *TEXTS, ":", ">", "<=", "=", "-", " ", "5", "1.5s", "%", "é"])


@given(st.text(max_size=40) | st.lists(words, max_size=12).map("".join))
def test_any_text_is_a_filter_or_a_named_error(text: str) -> None:
    try:
        shows = parse(text)
    except FilterError:
        return
    assert shows(SICK) in (True, False)
    assert shows(NEW) in (True, False)


def test_a_very_long_text_is_no_harm() -> None:
    assert parse("-" * 100_000 + "up")(SICK)
    assert parse(f"ttft<{'9' * 10_000}")(SICK)
