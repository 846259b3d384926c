"""Gates that compare with a baseline: what they mean, when they are undecided, and what they refuse."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from support.benching import NOON, measured, request

from gwtui.bench.gates import baseline, ratio_gates, thresholds
from gwtui.bench.gates.gate_figures import GateError
from gwtui.bench.gates.ratio_gates import GateAnswer, GateOutcome, RatioGate
from gwtui.bench.results.csv_out import aggregate_lines, request_line, request_lines
from gwtui.bench.results.measured import Measured, series_of
from gwtui.bench.work.targets import TargetError
from gwtui.stats.comparison import all_pairs

PASSED, TRIPPED, UNDECIDED = GateOutcome


def latencies(times: float = 1.0, n: int = 200, seed: int = 1) -> list[float]:
    rng = Random(seed)
    return [times * 100 * rng.lognormvariate(0, 0.2) for _ in range(n)]


BEFORE = measured("before", latencies(), failed=2)


def gate(text: str) -> RatioGate:
    (found,) = ratio_gates.parse_all([text])[1]
    return found


def answers(text: str, *series: Measured) -> list[GateAnswer]:
    return ratio_gates.judge([gate(text)], all_pairs([series_of(each) for each in series]))


def answer(text: str, now: Measured, before: Measured = BEFORE) -> GateAnswer:
    (found,) = answers(text, before, now)
    return found


@pytest.mark.parametrize(
    ("text", "times", "outcome"),
    [
        ("p95_e2e>1.2x", 1.0, PASSED),
        ("p95_e2e>1.2x", 1.2, UNDECIDED),
        ("p95_e2e>1.2x", 1.6, TRIPPED),
        ("p50_e2e<0.9x", 0.7, TRIPPED),
        ("p50_e2e<0.9x", 1.0, PASSED),
        ("median_e2e >= 1.5X", 1.5, UNDECIDED),
        ("avg_e2e>1.2x", 1.4, TRIPPED),
        ("avg_e2e>1.2x", 1.2, UNDECIDED),
        ("avg_e2e>1.2x", 1.0, PASSED),
        ("slower", 1.3, TRIPPED),
        ("slower", 1.0, PASSED),
        ("slower", 0.7, PASSED),
    ],
)
def test_a_latency_is_judged_by_the_interval_of_its_ratio(text: str, times: float, outcome: GateOutcome) -> None:
    found = answer(text.lower(), measured("now", latencies(times, seed=2)))
    assert found.outcome is outcome
    if found.ratio is not None:
        assert found.ratio.low <= found.ratio.value <= found.ratio.high
        assert f"{found.ratio.value:.2f}x that of before" in found.reason


@pytest.mark.parametrize(
    ("text", "failed", "outcome"),
    [
        ("fail_rate>2x", 0, PASSED),
        ("fail_rate>2x", 3, UNDECIDED),
        ("fail_rate>2x", 40, TRIPPED),
        ("success<0.95x", 2, PASSED),
        ("success<0.95x", 40, TRIPPED),
        ("fails_more", 3, PASSED),
        ("fails_more", 40, TRIPPED),
    ],
)
def test_failures_are_judged_by_the_interval_of_their_share(text: str, failed: int, outcome: GateOutcome) -> None:
    assert answer(text, measured("now", latencies(n=200 - failed), failed)).outcome is outcome


def test_failures_where_there_were_none() -> None:
    clean = measured("before", latencies())
    found = answer("fail_rate>2x", measured("now", latencies(n=150), 50), clean)
    assert found.outcome is TRIPPED
    assert "more than none of before (95 % interval" in found.reason
    assert ratio_gates.told(found)["ratio"]["high"] is None
    assert answer("fail_rate>2x", measured("now", latencies(n=199), 1), clean).outcome is UNDECIDED


def streams(name: str, token_ms: float, n: int = 40) -> Measured:
    each = measured(name, [])
    for number in range(n):
        each.take(request(name, number, tpot_ms=token_ms + number / 1000, tokens_per_s=1000 / token_ms))
    return each


def test_tokens_per_second_are_the_reciprocal_of_the_time_per_token() -> None:
    found = answer("tokens_per_s<0.8x", streams("now", 20), streams("before", 10))
    assert found.outcome is TRIPPED
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(0.5, rel=0.01)
    assert answer("tokens_per_s<0.4x", streams("now", 20), streams("before", 10)).outcome is PASSED


@pytest.mark.parametrize(("text", "needed"), [("p95_e2e>2x", 59), ("p99_e2e>2x", 299), ("avg_e2e>2x", 30)])
def test_too_few_results_are_undecided(text: str, needed: int) -> None:
    found = answer(text, measured("now", latencies(n=needed - 1)), measured("before", latencies(n=400)))
    assert found.outcome is UNDECIDED
    assert f"takes {needed} results of each, and n is 400 and {needed - 1}" in found.reason
    assert answer("slower", measured("now", [1, 2])).outcome is UNDECIDED


def test_without_a_success_nothing_is_proved() -> None:
    dead = measured("now", [], failed=5)
    assert answer("p95_e2e>2x", dead).outcome is TRIPPED
    assert answer("p95_e2e>2x", measured("now", latencies()), dead).outcome is UNDECIDED


def test_the_first_of_several_is_the_baseline() -> None:
    three = [measured(name, latencies(times)) for name, times in (("a", 1), ("b", 2), ("c", 4))]
    found = answers("p50_e2e>1.1x", *three)
    assert [(each.baseline, each.endpoint) for each in found] == [("a", "b"), ("a", "c")]
    assert [each.endpoint for each in answers("c: p50_e2e>1.1x", *three)] == ["c"]
    twice = [series_of(each) for each in (BEFORE, BEFORE)]
    assert len(ratio_gates.judge([gate("slower")], all_pairs(twice))) == 1, "a file compared with itself"


def test_what_was_not_passed_is_said_like_any_gate() -> None:
    now = measured("now", latencies(1.2, seed=2))
    undecided, tripped = ratio_gates.tripped([answer("p95_e2e>1.2x", now), answer("p95_e2e>1x", now)])
    assert str(undecided).startswith("now: undecided: p95 E2E is 1.")
    assert str(undecided).endswith("n 200 and 200); the gate is p95_e2e>1.2x")
    assert str(tripped).endswith(", and the gate is p95_e2e>1x")
    assert ratio_gates.tripped([answer("p95_e2e>4x", now)]) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("max_e2e>2x", "has no interval"),
        ("throughput<0.9x", "depends on the load of each run: give a number, such as throughput<20"),
        ("goodput<0.9x", "depends on the load"),
        ("inexact_share>2x", "about this machine"),
        ("failed>2x", "use fail_rate"),
        ("truncated>2x", "use fail_rate"),
        ("speed>2x", "'speed' has no ratio"),
        ("p95_speed>2x", "'speed' is not a latency"),
        ("p0_e2e>2x", "between p0 and p100"),
        ("p95_e2e=1x", "use > or <"),
        ("p95_e2e==1x", "use > or <"),
        ("p95_e2e>0x", "no ratio is below 0"),
        ("slower>2", "has no limit"),
    ],
)
def test_a_ratio_that_cannot_be_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(GateError, match=re.escape(says)) as refusal:
        gate(text)
    assert repr(text) in str(refusal.value)


def test_a_ratio_needs_a_baseline_and_someone_to_answer() -> None:
    with pytest.raises(GateError, match="gwtui bench with --baseline"):
        thresholds.parse("p95_e2e>1.2x")
    with pytest.raises(GateError, match="no endpoint 'nobody'; there are: before"):
        ratio_gates.check([gate("nobody: p95_e2e>2x")], [BEFORE])
    with pytest.raises(GateError, match="has the latency RTT"):
        ratio_gates.check([gate("p95_rtt>2x")], [BEFORE])
    pairs = all_pairs([series_of(BEFORE), series_of(BEFORE)])
    with pytest.raises(GateError, match="with the latency RTT; there are: before"):
        ratio_gates.check_pairs([gate("p95_rtt>2x")], pairs)


def written(path: Path, *names: str, n: int = 80) -> Path:
    rows = [request(name, at, ms) for name in names for at, ms in enumerate(latencies(n=n), 1)]
    path.write_bytes(b"".join(request_lines([request_line(each) for each in rows])))
    return path


def loaded(path: Path, now: list[Measured], *wanted: str, gates: tuple[str, ...] = ()) -> baseline.Baseline:
    return baseline.load(path, wanted, [gate(each) for each in gates], now, lambda _: None)


@pytest.mark.parametrize(
    ("there", "wanted", "expected"),
    [
        (("a", "b"), (), {"a": "a in base.csv", "b": "b in base.csv"}),
        (("old",), (), {"a": "old in base.csv", "b": "old in base.csv"}),
        (("a", "x"), ("b=x",), {"a": "a in base.csv", "b": "x in base.csv"}),
        (("x", "y"), ("x",), {"a": "x in base.csv", "b": "x in base.csv"}),
    ],
)
def test_which_endpoint_of_the_baseline_is_meant(
    tmp_path: Path, there: tuple[str, ...], wanted: tuple[str, ...], expected: dict[str, str]
) -> None:
    now = [measured("a", latencies()), measured("b", latencies())]
    found = loaded(written(tmp_path / "base.csv", *there, n=2), now, *wanted)
    assert {name: each.name for name, each in found.series.items()} == expected


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ((), "has no endpoint 'a'; it has: x, y. Name one: --baseline-endpoint 'a=OLD'"),
        (("a=z",), "has no endpoint 'z'; it has: x, y"),
        (("z",), "has no endpoint 'z'"),
        (("c=x",), "there is no endpoint 'c'; there are: a"),
    ],
)
def test_a_baseline_without_that_endpoint_is_refused(tmp_path: Path, wanted: tuple[str, ...], says: str) -> None:
    with pytest.raises(TargetError, match=re.escape(says)):
        loaded(written(tmp_path / "base.csv", "x", "y", n=2), [measured("a", [1])], *wanted)


def test_a_baseline_that_cannot_decide_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    now = [measured("a", [])]
    with pytest.raises(GateError, match="has no TPOT of a"):
        loaded(written(tmp_path / "base.csv", "a"), now, gates=("p95_tpot>2x",))
    (tmp_path / "figures.csv").write_bytes(b"".join(aggregate_lines([measured("a", [1])])))
    with pytest.raises(GateError, match="no single results of a"):
        loaded(tmp_path / "figures.csv", now, gates=("p95_e2e>2x",))


def test_a_baseline_that_lacks_a_latency_of_one_endpoint_leaves_its_gate_undecided(tmp_path: Path) -> None:
    rows = ["endpoint,duration_ms,outcome", *(f"a,{100 + at},ok" for at in range(80)), "b,,failed", ""]
    (tmp_path / "base.csv").write_text("\n".join(rows))
    now = [measured(name, latencies(1.0, n=80)) for name in ("a", "b")]
    found = loaded(tmp_path / "base.csv", now, gates=("p50_e2e>100x",))
    assert [(each.endpoint, each.outcome) for each in found.judged(now)] == [
        ("a", GateOutcome.PASSED),
        ("b", GateOutcome.UNDECIDED),
    ]


def test_its_size_age_and_changes_are_said(tmp_path: Path) -> None:
    now = [measured("a", latencies(1.5, n=80))]
    found = loaded(written(tmp_path / "base.csv", "a"), now, gates=("p95_e2e>1.2x",))
    judged = found.judged(now)
    size, change, line = found.lines(now, judged, NOON + 3 * 86_400)
    assert size == "baseline of a: a in base.csv, n 80, 0 failed, 3d old (2025-12-31T12:00Z)"
    assert change.startswith("a since then: no failures before or after, p50 E2E +50 %")
    assert line.startswith("p95_e2e>1.2x: a tripped: p95 E2E is 1.50x that of a in base.csv (95 % interval ")
    told: dict[str, Any] = found.told(now, judged, NOON + 60)
    assert [(each["successful"], each["age_s"]) for each in told["baseline"]] == [(80, 60)]
    assert [(each["gate"], each["outcome"]) for each in told["ratios"]] == [("p95_e2e>1.2x", "tripped")]
