"""Two endpoints compared: one statement, failures first, and never more than the values bear."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from random import Random

import pytest
from support.monitor_stage import MS
from support.reference import reference

from gwtui.bench.report import output
from gwtui.model.metrics import Metric
from gwtui.stats.comparison import ComparedSeries, compare, compare_failures
from gwtui.stats.sentences import sentence
from gwtui.stats.significance import Sample, fisher_exact
from gwtui.text.tables import TextStyle

PLAIN = TextStyle()


def row_of(lines: Sequence[str], row: str) -> dict[str, str]:
    """A row of a table by its headings."""
    headings = [text.strip() for text in lines[0].split("|")]
    line = next(line for line in lines if line.split("|")[0].strip() == row)
    return dict(zip(headings, (text.strip() for text in line.split("|")), strict=True))


def sentence_about(first: ComparedSeries, second: ComparedSeries) -> str:
    (found,) = compare([(first, second)])
    return sentence(found)


def counted(name: str, ok: int, total: int) -> ComparedSeries:
    return ComparedSeries(name, {}, ok, total)


def timed(
    name: str, ms: Sequence[float], *, failed: int = 0, begin_s: float = 0, turns: bool = False
) -> ComparedSeries:
    """Latencies in the order they came, one a second from `begin_s` on."""
    at_ms = [round((begin_s + at) * 1000) for at in range(len(ms))]
    sample = Sample([round(each * MS) for each in ms], at_ms, range(len(ms)) if turns else None)
    return ComparedSeries(name, {Metric.TTFT: sample}, len(ms), len(ms) + failed)


def by_chance(seed: int, n: int, centre_ms: float, spread: float = 0.1) -> list[float]:
    chance = Random(seed)
    return [centre_ms * chance.lognormvariate(0, spread) for _ in range(n)]


def drifting(ms: Sequence[float]) -> list[float]:
    return [each * math.exp(math.sin(at / 9)) for at, each in enumerate(ms)]


def test_what_is_measured_in_turns_is_told_by_the_ratio_in_a_turn() -> None:
    first, second = (
        timed(name, drifting(by_chance(seed, 100, centre_ms, 0.05)), turns=True)
        for name, seed, centre_ms in (("a", 1, 400), ("b", 2, 424))
    )
    words = sentence_about(first, second)
    assert words.startswith("b takes ")
    assert " % more than a (a " in words
    assert "; TTFT of 100 pairs by turn, 95 % interval " in words
    assert "the time" not in words
    turned = sentence_about(second, first)
    assert turned == words, "whichever is named first"
    text = output.compare_text([(first, second)], compare([(first, second)]), [], PLAIN)
    row = row_of(text.splitlines()[1:], "TTFT")
    assert row["in pairs (95 % interval)"].startswith("+")
    told = json.loads(output.compare_json([(first, second)], compare([(first, second)])))["comparisons"][0]
    assert (told["signed_rank"]["pairs"], told["signed_rank"]["paired_by"], told["faster"]) == (100, "turn", "a")
    assert 1.03 < told["signed_rank"]["ratio_low"] < 1.06 < told["signed_rank"]["ratio_high"] < 1.09


def test_without_evidence_pairs_say_what_they_would_have_shown() -> None:
    first, second = (
        timed(name, drifting(by_chance(seed, 100, 400, 0.05)), turns=True) for name, seed in (("a", 1), ("b", 2))
    )
    words = sentence_about(first, second)
    assert words.startswith("no evidence of a difference between a and b; this run would have shown one of ")
    assert float(words.split("shown one of ")[1].split(" %")[0]) < 5, "far less than the drift"


def test_at_different_times_the_time_may_be_the_cause() -> None:
    first, later = timed("a", by_chance(1, 60, 400)), timed("b", by_chance(2, 60, 600), begin_s=3600)
    assert sentence_about(first, later).endswith("; measured at different times: the time may be the cause")
    assert "the time" not in sentence_about(first, timed("b", by_chance(2, 60, 600), begin_s=20))
    unknown = ComparedSeries("b", {Metric.TTFT: Sample([900 * MS + at * 37 % 60 for at in range(60)])}, 60, 60)
    words = sentence_about(first, unknown)
    assert words.endswith("not known to be measured at the same time: the time may be the cause")
    equal = timed("b", by_chance(2, 60, 400), begin_s=3600)
    assert sentence_about(first, equal).endswith("; measured at different times, which may hide one")


def test_values_that_lean_on_each_other_are_told_to_be_too_few() -> None:
    chance, wander = Random(7), 0.0
    ms: dict[str, list[float]] = {}
    for name in "ab":
        ms[name] = []
        for _ in range(100):
            wander = 0.97 * wander + chance.gauss(0, 0.1)
            ms[name].append(400 * math.exp(wander))
    words = sentence_about(timed("a", ms["a"]), timed("b", ms["b"]))
    assert words.startswith("too short for data that lean on each other: the TTFT of a and b (p50 ")
    assert " n 100 each, worth " in words
    assert words.endswith(": measure for longer")


def test_a_small_drift_hides_no_large_difference() -> None:
    """Values that all rise are worth next to nothing, but they rise by far less than what is between them."""
    first, second = ([ms + at / 100 for at in range(60)] for ms in (100, 200))
    assert sentence_about(timed("a", first), timed("b", second)).startswith("a 100 ms, b 200 ms: b takes 100 % more")
    turns = [timed(name, ms, turns=True) for name, ms in (("a", first), ("b", second))]
    assert sentence_about(turns[0], turns[1]).startswith("b takes 100 % more than a")
    near = timed("b", [100.4 + at / 100 for at in range(60)])
    assert sentence_about(timed("a", first), near).startswith("too short for data that lean on each other")


def test_an_endpoint_that_fails_more_is_not_simply_called_faster() -> None:
    failing, slow = timed("a", by_chance(1, 90, 300), failed=10), timed("b", by_chance(2, 100, 600))
    (found,) = compare([(failing, slow)])
    assert (found.quicker, found.faster) == (0, None)
    assert sentence(found).startswith(
        "a fails more, 10 % (10 of 100) against 0 % (0 of 100) (Fisher's exact p 0.0015); of good results only: a 29"
    )
    told = json.loads(output.compare_json([(failing, slow)], [found]))["comparisons"][0]
    assert told["faster"] is None
    (found,) = compare([(timed("a", by_chance(1, 99, 300), failed=1), slow)])
    assert found.faster == 0
    assert sentence(found).startswith("a fails more, 1 % (1 of 100) against 0 % (0 of 100), which may be chance (")
    assert sentence_about(timed("a", by_chance(1, 99, 300)), timed("b", by_chance(2, 90, 600), failed=9)).startswith(
        "a 30"
    )


@pytest.mark.parametrize(("n", "failed"), [(100, 0), (100, 5), (1000, 20), (12, 0)])
def test_the_least_share_of_failures_is_found_four_times_out_of_five(n: int, failed: int) -> None:
    (found,) = compare_failures([(counted("a", n - failed, n), counted("b", n - failed, n))])
    assert found.least is not None
    shows = [k for k in range(failed, n + 1) if fisher_exact((failed, n), (k, n)) < 0.05]
    power = reference().binom.sf(shows[0] - 1, n, found.least)
    assert power == pytest.approx(0.8, abs=0.06)
    assert compare_failures([(counted("a", 2, 2), counted("b", 2, 2))])[0].least is None
