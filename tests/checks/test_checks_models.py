"""What checks say of models: of a list, by the kind of agent, and of many streams at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.checked import MS, SENT_NS, document, evidence, found, read, refused, request, streamed, target

from gwtui.checks.concurrency import judge_concurrency, judge_one_fails_alone
from gwtui.checks.evidence import Probed
from gwtui.checks.models import judge_agent, judge_models
from gwtui.checks.request_plans import UNKNOWN_MODEL, WORDS
from gwtui.checks.timelines import analyse_streams, labels
from gwtui.checks.together import judge_together
from gwtui.model.check_results import CheckOutcome
from gwtui.model.concurrency import Together
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import StreamEvent
from gwtui.model.verdicts import Verdict
from gwtui.stats.model_timelines import UNNAMED, ModelTimelines

PASS, WARN, FAIL, NA = CheckOutcome.PASS, CheckOutcome.WARN, CheckOutcome.FAIL, CheckOutcome.NOT_APPLICABLE


def test_each_model_of_the_list_is_reported() -> None:
    good, bad = request(model="a"), refused(404, model="b")
    assert judge_models(evidence()).outcome is NA
    assert judge_models(evidence(models=[good, good])).outcome is PASS
    answer = judge_models(evidence(models=[good, bad]))
    assert answer.outcome is FAIL
    assert "1 of 2 models" in answer.evidence
    assert len(answer.details) == 2


AGENT = request(request_id="id-7", model_served="other")
NO_AGENTS = refused(400, {"error": {"message": "unknown field agent_type"}})


@pytest.mark.parametrize(
    ("needs", "outcome"),
    [
        ({"agent": request(), "agent_audit": document([{"id": "req-1", "agent_type": "code-reviewer"}])}, PASS),
        ({"agent": request(), "agent_audit": document([{"id": "else", "agent_type": "code-reviewer"}])}, WARN),
        ({"agent": AGENT, "agent_audit": document("", 404)}, PASS),
        ({"agent": request(), "agent_audit": document("", 404)}, WARN),
        ({"agent": NO_AGENTS, "health": document("", 404)}, NA),
        ({"agent": NO_AGENTS, "health": document({"status": "healthy"})}, FAIL),
        ({"agent": refused(500)}, FAIL),
    ],
)
def test_agent_type(needs: Any, outcome: CheckOutcome) -> None:
    assert judge_agent(evidence(stream=request(), **needs)).outcome is outcome


def test_a_kind_of_agent_that_was_asked_for_has_to_be_known() -> None:
    answer = judge_agent(evidence(target(agent_type="tester"), stream=request(), agent=NO_AGENTS))
    assert answer.outcome is FAIL


def at_once(number: int, **fields: Any) -> list[Probed]:
    return [streamed(request(text=f"{WORDS[each]} " * 10, **fields), [(100, 1), (200, 1)]) for each in range(number)]


@pytest.mark.parametrize(
    ("odd", "outcome", "words"),
    [
        (streamed(request(text=WORDS[3]), [(100, 1)]), PASS, "all 4 concurrent streams"),
        (streamed(request(text="I will not."), [(100, 1)]), PASS, ""),
        (streamed(request(text=f"{WORDS[3]} {WORDS[0]}"), [(100, 1)]), FAIL, "stream 4 was to repeat the word"),
        (streamed(request(findings=found(FindingName.IDS_DIFFER, "chunk 3")), [(100, 1)]), FAIL, "chunk 3"),
        (Probed(refused(429)), WARN, "rate limited ×1"),
        (Probed(refused(500)), FAIL, "server error ×1"),
        (streamed(request(Verdict.TRUNCATED, reason="cut"), [(100, 1)]), FAIL, "truncated ×1"),
    ],
)
def test_streams_at_once(odd: Probed, outcome: CheckOutcome, words: str) -> None:
    answer = judge_together(evidence(together=[*at_once(3), odd]))
    assert (answer.outcome, words in answer.evidence) == (outcome, True), answer


def starting(begins: Sequence[float], length: float) -> list[Probed]:
    """Streams sent at once whose content begins at these ms and takes that many more."""
    return [
        streamed(request(text=f"{word} " * 10, ms=begin + length), [(begin, 1), (begin + length * 0.9, 1)])
        for word, begin in zip(WORDS, begins, strict=False)
    ]


@pytest.mark.parametrize(
    ("probed", "outcome", "words"),
    [
        (starting([20] * 10, 400), PASS, "10 repeat their own word"),
        (starting([20 + 4 * number for number in range(10)], 400), PASS, "start within 36.0 ms"),
        (starting([20 + 61 * number for number in range(10)], 60), FAIL, "one waits for the other"),
        (starting([20 + 60 * number for number in range(10)], 900), WARN, "one after another, in steps of 60.0 ms"),
        (starting([20, 75, 140, 201, 257, 322, 380, 445, 499, 560], 900), WARN, "in steps of"),
        (starting([20, 30, 31, 90, 300, 302, 303, 360, 361, 560], 900), PASS, "start within 540 ms"),
        (starting([20] * 5 + [90] * 5, 65), WARN, "5 of them begin only when another has ended"),
        (starting([20] * 9 + [90], 400), PASS, ""),
        (starting([300] * 10, 1), PASS, ""),
        (starting([2] * 10, 5), WARN, "too short to decide"),
        ([streamed(request(text="No."), [(100, 1), (200, 1)])] * 3, WARN, "none repeats the word"),
    ],
)
def test_streams_that_wait_for_one_another(probed: list[Probed], outcome: CheckOutcome, words: str) -> None:
    answer = judge_together(evidence(together=probed))
    assert (answer.outcome, words in answer.evidence) == (outcome, True), answer
    assert outcome is not FAIL or (answer.cause and answer.remedy)


def test_a_model_that_comes_more_than_once_is_told_apart() -> None:
    assert labels(["a", "b", "a"]) == ["a #1", "b", "a #2"]


def model_stream(model: str, first_ms: float, step_ms: float = 50, count: int = 5) -> Probed:
    reads = [(first_ms + step_ms * number, 1) for number in range(count)]
    return streamed(request(model=model, ms=reads[-1][0]), reads)


def test_streams_of_several_models_become_one_analysis() -> None:
    bad = Probed(refused(404, model="c"))
    found = analyse_streams([model_stream("a", 100), model_stream("b", 120), bad])
    assert [each.model for each in found.answered] == ["a", "b"]
    assert found.failed[0].error.startswith("not found")
    assert (found.start_spread_ns, found.turns) == (20 * MS, 8)
    assert found.models[0].sent_ns == SENT_NS


def compared(*events: tuple[float, str, EventKind], **fields: Any) -> Probed:
    """One stream of several models: (ms, model, what came)."""
    reads = tuple(
        read(at, number, StreamEvent(name="e", kind=kind, model=model, note="gone" if kind is EventKind.ERROR else ""))
        for number, (at, model, kind) in enumerate(events, 1)
    )
    timelines = ModelTimelines()
    for each in reads:
        timelines.add(each.since_sent_ns, each.events)
    concurrency = timelines.concurrency(("a", "b", "x"), "nothing came")
    own = {"model": "a,b,x", "api": "compare-stream", "concurrency": concurrency}
    return Probed(request(**{**own, **fields}), reads)


START, TEXT, STOP, ERROR = EventKind.START, EventKind.TEXT, EventKind.STOP, EventKind.ERROR


def test_one_stream_of_several_models_becomes_the_same_analysis() -> None:
    events = [(0.0, "a", START), (1.0, "b", START), (2.0, "x", ERROR), (90.0, "a", TEXT), (95.0, "b", TEXT)]
    ends = ((99.0, "a", TEXT), (110.0, "a", STOP), (120.0, "b", STOP))
    found = compared(*events, *ends).request.concurrency
    assert [(each.model, each.error) for each in found.models] == [("a", ""), ("b", ""), ("x", "gone")]
    assert (found.start_spread_ns, found.turns, found.verdict) == (MS, 1, Together.CONCURRENT)
    cut = compared(*events).request.concurrency
    assert [each.error for each in cut.models] == ["it did not end", "it did not end", "gone"]


@pytest.mark.parametrize(
    ("groups", "outcome", "words"),
    [
        ([model_stream("a", 100), model_stream("b", 110), model_stream("c", 120)], PASS, "CONCURRENT: 3 models"),
        ([model_stream("a", 100), model_stream("b", 800), model_stream("c", 1500)], FAIL, "SEQUENTIAL: 3 models"),
        ([model_stream("a", 100), model_stream("b", 110), Probed(refused(404, model="c"))], WARN, "1 of 3 models"),
        ([Probed(refused(404, model=m)) for m in "abc"], NA, "3 of 3 models failed"),
        ([model_stream("a", 100)], NA, "only one model"),
        ([streamed(request(model=m, ms=8), [(5, 1)]) for m in "abc"], WARN, "too short to decide"),
    ],
)
def test_concurrency(groups: Sequence[Probed], outcome: CheckOutcome, words: str) -> None:
    answer = judge_concurrency(evidence(target(models=("a", "b", "c")), compared=groups))
    assert (answer.outcome, words in answer.evidence) == (outcome, True), answer
    assert outcome is not FAIL or (answer.cause and answer.remedy)


def test_a_gateway_that_gains_nothing_by_asking_at_once_does_not_pass() -> None:
    """They take turns, each at a third of its speed."""
    of = target(models=("a", "b", "c"))
    single = [model_stream(model, 100) for model in "abc"]
    together = [model_stream(model, 100 + 20 * at, step_ms=225) for at, model in enumerate("abc")]
    answer = judge_concurrency(evidence(of, models=single, compared=together))
    assert (answer.outcome, answer.facts["verdict"]) == (FAIL, "CONCURRENT")
    assert "0.9 times as fast: concurrent requests take as long" in answer.evidence
    assert answer.cause


@pytest.mark.parametrize(
    ("firsts", "outcome", "words"),
    [
        ([100.0] * 10, PASS, "all 10 concurrent streams are complete"),
        ([100.0 + 200 * (each // 2) for each in range(10)], WARN, "some wait for others"),
        ([100.0 + 250 * each for each in range(10)], FAIL, "one waits for the other"),
    ],
)
def test_streams_at_once_that_queue(firsts: Sequence[float], outcome: CheckOutcome, words: str) -> None:
    probed = [
        streamed(request(text=WORDS[each], ms=first + 200), [(first + step, 1) for step in (0, 50, 100, 150, 200)])
        for each, first in enumerate(firsts)
    ]
    answer = judge_together(evidence(together=probed))
    assert (answer.outcome, words in answer.evidence) == (outcome, True), answer


def test_models_that_fail_only_together_are_a_failure() -> None:
    together = [Probed(refused(429, model=model)) for model in "abc"]
    of = target(models=("a", "b", "c"))
    answer = judge_concurrency(evidence(of, models=[request(model=model) for model in "abc"], compared=together))
    assert (answer.outcome, "sequential requests are answered" in answer.evidence) == (FAIL, True)


def test_a_final_event_that_miscounts_is_reported() -> None:
    events = [(0.0, "a", START), (1.0, "b", START), (90.0, "a", TEXT), (95.0, "b", TEXT), (99.0, "a", TEXT)]
    probed = compared(
        *events, (110.0, "a", STOP), (120.0, "b", STOP), findings=found(FindingName.COUNTS_DIFFER, "9 failed")
    )
    answer = judge_concurrency(evidence(target(api="compare-stream", models=("a", "b")), compared=probed))
    assert (answer.outcome, "9 failed" in answer.evidence) == (WARN, True)


def test_one_model_in_one_stream_is_not_judged() -> None:
    answer = judge_concurrency(evidence(target(api="compare-stream", model="a")))
    assert (answer.outcome, "--models A,B,C" in answer.remedy) == (NA, True)


def test_growing_numbers_of_models_are_compared() -> None:
    models = tuple("abcdefghi")
    streams = [model_stream(model, 100 + at) for size in (3, 6, 9) for at, model in enumerate(models[:size])]
    answer = judge_concurrency(evidence(target(models=models), compared=streams))
    assert answer.outcome is PASS
    assert [line.split()[0] for line in answer.details[1:4]] == ["3", "6", "9"]
    assert answer.facts["speed_up_3"] < answer.facts["speed_up_9"]  # type: ignore[operator]  # both are numbers


def test_the_model_that_does_not_exist_fails_alone() -> None:
    good, bad = Probed(request()), Probed(refused(404, model=UNKNOWN_MODEL))
    assert judge_one_fails_alone(evidence(stranger=[good, bad])).outcome is PASS
    assert judge_one_fails_alone(evidence(stranger=[Probed(refused(500)), bad])).outcome is FAIL
    assert judge_one_fails_alone(evidence(stranger=[good, good])).outcome is NA


@pytest.mark.parametrize(
    ("expected", "outcome"),
    [
        ([(0.0, "a", TEXT), (1.0, UNKNOWN_MODEL, ERROR), (2.0, "a", STOP), (2.0, "b", STOP), (3.0, "x", STOP)], PASS),
        ([(0.0, "a", TEXT), (1.0, UNKNOWN_MODEL, ERROR)], FAIL),
    ],
)
def test_within_one_stream_it_fails_alone_too(expected: Any, outcome: CheckOutcome) -> None:
    of = target(api="compare-stream", model="a,b")
    assert judge_one_fails_alone(evidence(of, stranger=compared(*expected))).outcome is outcome


def test_a_model_that_fails_anyway_was_not_taken_down_by_another() -> None:
    ends = [(2.0, "a", TEXT), (3.0, "a", STOP), (3.0, "b", STOP)]
    plain = compared((1.0, "x", ERROR), *ends)
    both = compared((1.0, "x", ERROR), (1.0, UNKNOWN_MODEL, ERROR), *ends)
    of = target(api="compare-stream", model="a,b,x")
    assert judge_one_fails_alone(evidence(of, stream=plain, stranger=both)).outcome is PASS
    assert judge_one_fails_alone(evidence(of, stream=compared(*ends, (3.0, "x", STOP)), stranger=both)).outcome is FAIL


def test_a_model_of_which_the_stream_says_nothing_did_not_fail_alone() -> None:
    timelines = ModelTimelines()
    timelines.add(MS, (StreamEvent(name="e", kind=TEXT, model="a"), StreamEvent(name="e", kind=STOP, model="a")))
    silent = request(api="compare-stream", concurrency=timelines.concurrency(("a", UNKNOWN_MODEL), UNNAMED))
    judged = judge_one_fails_alone(evidence(target(api="compare-stream", model="a"), stranger=silent))
    assert (judged.outcome, "nothing was said" in judged.evidence) == (WARN, True)
