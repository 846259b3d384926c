"""The results that are kept as columns: what is read back is what was told, as far as there is room."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from support.monitor_stage import MS, SECOND, MonitorStage, endpoint

from gwtui.model.enums import Outcome
from gwtui.model.metrics import Metric
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.monitor.kept_results import KeptResults, keep_within
from gwtui.stats.accuracy import latency, sure

METRICS = (Metric.TTFT, Metric.E2E, Metric.TTLT)
LATENCY = st.none() | st.integers(0, 2**40)


@st.composite
def results(draw: st.DrawFn) -> list[Request]:
    """Requests of one endpoint, in the order of their ends."""
    stage, at_ns, made = MonitorStage(endpoint("a")), 0, []
    template = stage.request("a")
    for number in range(1, draw(st.integers(1, 30)) + 1):
        at_ns += draw(st.integers(0, 3)) * SECOND
        made.append(
            msgspec.structs.replace(
                template,
                number=number,
                now_ns=at_ns,
                started_at=at_ns / SECOND,
                verdict=draw(st.sampled_from(Verdict)),
                ttft_ns=draw(LATENCY),
                duration_ns=draw(LATENCY),
                measured=draw(st.dictionaries(st.just(Metric.TTLT), st.integers(0, 2**33))),
                tainted=draw(st.booleans()),
                error_ns=draw(st.integers(0, 2**30)),
                trace_id=draw(st.text(max_size=8) | st.text("0123456789abcdefA", min_size=31, max_size=33)),
            )
        )
    return made


def kept_of(told: list[Request]) -> KeptResults:
    kept = KeptResults()
    for result in told:
        kept.add(result)
    return kept


@given(results(), st.integers(0, 40), st.sampled_from(METRICS), st.integers(0, 90))
def test_what_is_kept_reads_as_it_was_told(told: list[Request], gone: int, metric: Metric, end_s: int) -> None:
    kept = kept_of(told)
    kept.forget(gone)
    rest = told[gone:]
    assert len(kept) == len(rest)
    for at, result in enumerate(rest):
        assert (kept.number(at), kept.ended_ns(at), kept.verdict(at)) == (result.number, result.now_ns, result.verdict)
        assert (kept.outcome(at), kept.is_tainted(at)) == (result.outcome, result.tainted)
        assert (kept.latency(at, metric), kept.sure(at, metric)) == (latency(result, metric), sure(result, metric))
    rows = kept.rows(metric, end_s * SECOND, 10)
    upto = [result for result in rest if result.now_ns <= end_s * SECOND]
    assert [(row.number, row.trace_id, row.started_at) for row in rows] == [
        (result.number, result.trace_id, result.started_at) for result in reversed(upto[-10:])
    ]


@given(results(), st.integers(0, 90), st.integers(0, 90))
def test_dots_are_the_good_and_the_failed_results_of_a_time(told: list[Request], start_s: int, end_s: int) -> None:
    kept, start, end = kept_of(told), start_s * SECOND, end_s * SECOND
    within = [result for result in told if start <= result.now_ns <= end]
    assert [kept.number(at) for at in kept.between(start, end)] == [result.number for result in within]
    expected = [
        (result.now_ns, None if result.outcome is Outcome.FAILED else sure(result, Metric.TTFT))
        for result in within
        if result.outcome is Outcome.FAILED or (result.outcome is Outcome.OK and sure(result, Metric.TTFT) is not None)
    ]
    assert [(dot.at_ns, dot.value_ns) for dot in kept.dots(Metric.TTFT, kept.between(start, end))] == expected


@given(results(), st.integers(0, 90), st.integers(0, 90), st.sampled_from((Metric.TTFT, Metric.E2E)))
def test_what_the_chart_asks_of_a_time_is_what_each_result_says(
    told: list[Request], start_s: int, end_s: int, metric: Metric
) -> None:
    kept = kept_of(told)
    span = kept.between(start_s * SECOND, end_s * SECOND)
    sure_ones = {
        at: value for at in span if kept.outcome(at) is Outcome.OK and (value := kept.sure(at, metric)) is not None
    }
    assert kept.sure_values(metric, span) == list(sure_ones.values())
    slowest = kept.slowest(metric, span)
    assert (None if slowest is None else sure_ones[slowest]) == max(sure_ones.values(), default=None)
    failed = [at for at in span if kept.outcome(at) is Outcome.FAILED]
    assert kept.first_failed(span) == (failed[0] if failed else None)


def test_a_result_that_is_told_late_counts_as_of_the_newest() -> None:
    stage = MonitorStage(endpoint("a"))
    kept = kept_of([stage.request("a", 5), stage.request("a", 3)])
    assert kept.ended_ns(1) == kept.ended_ns(0)


def test_where_there_is_no_room_the_endpoint_with_the_most_gives_its_oldest() -> None:
    stage = MonitorStage(endpoint("a"))
    many = kept_of([stage.request("a", at_s) for at_s in range(100)])
    few = kept_of([stage.request("b", at_s, 100 * MS) for at_s in range(20)])
    keep_within(90, (many, few))
    assert len(few) == 20
    assert 60 <= len(many) <= 70
    assert many.number(len(many) - 1) == 100
    keep_within(0, (many, few))
    assert (len(many), len(few)) == (0, 0)


def test_a_note_belongs_to_its_result_when_numbers_begin_anew() -> None:
    stage, kept = MonitorStage(endpoint("a")), KeptResults()
    for at_s, note in enumerate(("refused", "", "cut", "")):
        kept.add(stage.request("a", at_s, number=at_s % 2 + 1), note=note)
    assert [kept.note(at) for at in range(len(kept))] == ["refused", "", "cut", ""]
    kept.forget(1)
    assert [kept.note(at) for at in range(len(kept))] == ["", "cut", ""]
