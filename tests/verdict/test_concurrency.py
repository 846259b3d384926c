"""What the analysis of several models comes to: the finding, and its words."""

from __future__ import annotations

from msgspec.structs import replace
from support.judged import Story

from gwtui.model.concurrency import Alone, Concurrency, ModelTimeline, Together
from gwtui.model.enums import FindingName, State
from gwtui.model.verdicts import Verdict
from gwtui.stats.concurrency import analyse
from gwtui.verdict.concurrency import in_words, models_table, sequential

MS = 1_000_000


def answers(*begins_ms: int, took_ms: int = 400) -> Concurrency:
    """Models a, b, ... that start at these times and take that long."""
    timelines = [
        ModelTimeline(model=name, start_ns=at * MS, first_ns=(at + 5) * MS, end_ns=(at + took_ms) * MS, chunks=9)
        for name, at in zip("abcdef", begins_ms, strict=False)
    ]
    return analyse(timelines, [each.model for each in timelines for _ in range(9)])


def test_one_model_after_another_is_a_finding_that_degrades() -> None:
    (finding,) = sequential(answers(10, 410, 810))
    assert (finding.name, finding.degrades) == (FindingName.SEQUENTIAL, True)
    for words in (
        "3 models start 800 ms apart (beyond 198 ms)",
        "do not alternate",
        "slowest 395 ms, sum 1.19 s (each model from its first chunk)",
        "1.0 times as fast",
    ):
        assert words in finding.evidence
    assert "workers" in finding.entry.cause + finding.entry.remedy


def test_in_one_stream_the_times_count_from_the_models_start() -> None:
    models = answers(10, 410, 810).models
    found = analyse(models, [each.model for each in models for _ in range(9)], one_stream=True)
    assert "slowest 400 ms, sum 1.20 s (each model from its start)" in in_words(found)


def test_where_times_come_from_other_requests_that_is_said() -> None:
    alone = Alone(start_ns=5 * MS, duration_ns=300 * MS)
    models = [replace(each, alone=alone) for each in answers(10, 20).models]
    words = in_words(analyse(models, [each.model for each in models]))
    assert "slowest 300 ms, sum 600 ms (each model asked alone)" in words
    at_once = [replace(each, first_ns=each.end_ns) for each in answers(10, 20).models]
    words = in_words(analyse(at_once, [each.model for each in at_once]))
    assert "slowest 410 ms, sum 820 ms (each model as fast as the first to answer)" in words


def test_models_at_the_same_time_are_none_and_neither_is_one_alone() -> None:
    together = answers(10, 20, 30)
    assert (together.verdict, list(sequential(together))) == (Together.CONCURRENT, [])
    alone = answers(10)
    assert (list(sequential(alone)), in_words(alone)) == ([], "not applicable: only one model was asked")
    assert in_words(Concurrency()) == ""


def test_a_line_per_model_has_its_times_from_the_request_and_from_its_own_start() -> None:
    failed = ModelTimeline(model="x", error="no such model")
    found = analyse([*answers(10, 20).models, failed], [])
    lines = [line.split() for line in models_table(found)]
    assert lines[1] == ["a", "+0.010", "+0.015", "5.00", "ms", "+0.410", "400", "ms", "9"]
    assert " ".join(lines[3]) == "x ✖ no such model"


def test_a_narrow_table_cuts_names_of_models_and_no_figure() -> None:
    failed = ModelTimeline(model="a-model-with-a-very-long-name-20240307", error="no such model")
    found = analyse([*answers(10, 20).models, failed], [])
    lines = models_table(found, width=74)
    assert (len(lines[0]), lines[0].split()[-1], lines[1].split()[-1]) == (74, "chunks", "9")
    assert lines[3].startswith("a-model-with")
    assert "…" in lines[3]
    assert "no such model" in lines[3]


def test_a_gateway_that_answers_one_model_after_another_is_not_up() -> None:
    story = Story()
    story.results("..")
    story.request(Verdict.COMPLETE, findings=tuple(sequential(answers(10, 410, 810))))
    ((state, text),) = story.reports()
    assert (state, text.startswith("sequential: 3 models start 800 ms apart")) == (State.DEGRADED, True)
    story.results(".....")
    assert story.state() is State.UP
