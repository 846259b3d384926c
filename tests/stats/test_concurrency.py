"""Whether models that were asked together answer concurrently: the verdict, and when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gwtui.apis.base import Reading
from gwtui.model.concurrency import MAX_MODELS, Alone, ModelTimeline, Together
from gwtui.model.enums import EventKind
from gwtui.stats.concurrency import analyse
from gwtui.stats.model_timelines import MAX_ORDER, ModelTimelines

MS = 1_000_000


def timeline(model: str, start: float, first: float, end: float, alone: Alone | None = None) -> ModelTimeline:
    """Times in ms after the send."""
    start_ns, first_ns, end_ns = (int(ms * MS) for ms in (start, first, end))
    return ModelTimeline(
        model=model, sent_ns=0, start_ns=start_ns, first_ns=first_ns, end_ns=end_ns, chunks=10, alone=alone
    )


def alone(start: float, duration: float) -> Alone:
    return Alone(start_ns=int(start * MS), duration_ns=int(duration * MS))


TURNS = list("abcabcabc")
ROWS = list("aaabbbccc")


@pytest.mark.parametrize(
    ("timelines", "speakers", "verdict", "signs"),
    [
        # at once, taking turns
        ([timeline(m, 100, 110, 500) for m in "abc"], TURNS, Together.CONCURRENT, (True, True, True)),
        # one after another, seconds apart
        (
            [timeline("a", 100, 110, 900), timeline("b", 1000, 1010, 1900), timeline("c", 2000, 2010, 2900)],
            ROWS,
            Together.SEQUENTIAL,
            (False, False, False),
        ),
        # one after another, but so fast that all starts are near
        (
            [timeline("a", 10, 11, 60), timeline("b", 62, 63, 110), timeline("c", 112, 113, 160)],
            ROWS,
            Together.SEQUENTIAL,
            (False, False, False),
        ),
        # all begin at once, but each speaks only when the one before has ended
        (
            [timeline(m, 1, at, at + 90) for m, at in zip("abc", (10, 110, 210), strict=True)],
            ROWS,
            Together.SEQUENTIAL,
            (True, False, False),
        ),
        # each in one piece, one after another, with the first one's time between
        (
            [timeline(m, at, at, at) for m, at in zip("abc", (300, 600, 900), strict=True)],
            list("abc"),
            Together.SEQUENTIAL,
            (False, False, False),
        ),
        # each in one piece, and nearly at once
        (
            [timeline(m, at, at, at) for m, at in zip("abc", (300, 330, 390), strict=True)],
            list("abc"),
            Together.CONCURRENT,
            (True, False, True),
        ),
        # at once, each in one piece
        ([timeline(m, 100, 499, 500) for m in "abc"], ROWS, Together.CONCURRENT, (True, True, True)),
        # at once, and one of them thinks for long before it speaks
        (
            [timeline("a", 100, 110, 500), timeline("b", 2000, 2010, 2500)],
            list("aaaabbbb"),
            Together.SEQUENTIAL,
            (False, False, False),
        ),
        # the same, where it is known to think as long when it is alone
        (
            [
                timeline("a", 100, 110, 500, alone=alone(90, 490)),
                timeline("b", 2000, 2010, 2500, alone=alone(2000, 2450)),
            ],
            list("aaaabbbb"),
            Together.CONCURRENT,
            (True, False, True),
        ),
        # the second waits for the first, as its time alone shows
        (
            [
                timeline("a", 100, 110, 1500, alone=alone(90, 1490)),
                timeline("b", 1600, 1610, 3000, alone=alone(90, 1490)),
            ],
            list("aaaabbbb"),
            Together.SEQUENTIAL,
            (False, False, False),
        ),
        # over before anything can be told
        ([timeline(m, 1, 2, 9) for m in "abc"], TURNS, None, (True, True, True)),
        # alone
        ([timeline("a", 100, 110, 500), ModelTimeline(model="b", sent_ns=0, error="404")], list("aaaa"), None, None),
        ([], [], None, None),
    ],
)
def test_at_once_or_one_after_another(
    timelines: Sequence[ModelTimeline], speakers: Sequence[str], verdict: Together | None, signs: Any
) -> None:
    concurrency = analyse(timelines, speakers)
    assert concurrency.verdict is verdict
    if signs is not None:
        seen = (concurrency.starts_together, concurrency.speaks_together, concurrency.saves_time)
        assert seen == signs


@pytest.mark.parametrize(
    ("starts", "queues"),
    [
        ((100, 110, 120, 130, 140, 150), False),
        ((100, 100, 500, 500, 900, 900), True),  # two at a time
        ((100, 100, 100, 500, 500, 500), True),
        ((100, 500, 900, 1300, 1700, 2100), True),
    ],
)
def test_some_wait_for_others(starts: Sequence[float], queues: bool) -> None:
    timelines = [timeline(f"m{at}", start, start + 10, start + 400, alone(100, 400)) for at, start in enumerate(starts)]
    assert analyse(timelines, []).queues is queues


def test_turns_are_counted_within_the_first_events_only() -> None:
    timelines = [timeline("a", 0, 1, 300), timeline("b", 0, 290, 600)]
    late = analyse(timelines, ["a"] * 20 + ["b", "a"] * 10)
    assert (late.turns, late.models_in_first_chunks, late.first_chunks) == (0, 1, 20)
    early = analyse(timelines, ["a", "b", "a", "b"])
    assert (early.turns, early.models_in_first_chunks, early.first_chunks) == (2, 2, 4)


def test_the_speed_up_is_the_sum_over_the_whole_time() -> None:
    concurrency = analyse([timeline(m, 100, 110, 500) for m in "abcd"], TURNS)
    assert (concurrency.wall_ns, concurrency.slowest_ns, concurrency.sum_ns) == (390 * MS, 390 * MS, 1560 * MS)
    assert concurrency.speed_up == 4


def test_content_without_a_model_is_nobodys() -> None:
    assert analyse([timeline("a", 0, 1, 100)], [""]).models_in_first_chunks == 0


A_300 = timeline("a", 300, 300, 400)


@pytest.mark.parametrize(
    ("timelines", "why"),
    [
        ([A_300], "only one model was asked"),
        ([A_300, ModelTimeline(model="b", error="gone")], "1 of 2 models answered"),
        ([timeline(m, 5, 5, at) for m, at in (("a", 20), ("b", 40))], "too short to decide"),
        ([timeline(m, 900, 901, 902) for m in "abc"], "one burst"),
        # the second is slower by what models differ anyway
        ([A_300, timeline("b", 450, 450, 550)], "differ in the time"),
        ([timeline("a", 1, 300, 400), timeline("b", 1, 450, 550)], "differ in the time"),
        ([A_300, timeline("b", 800, 800, 900)], "differ in the time"),
        # both are asked at once, and the second thinks for long
        ([timeline("a", 1, 300, 1500), timeline("b", 1, 3000, 4000)], "differ in the time"),
    ],
)
def test_what_is_too_little_evidence_gets_no_verdict(timelines: Sequence[ModelTimeline], why: str) -> None:
    speakers = [each.model for each in timelines for _ in range(3)]
    found = analyse(timelines, speakers, one_stream=True)
    assert (found.verdict, why in found.undecided) == (None, True), found


@pytest.mark.parametrize(
    "timelines",
    [
        [timeline("a", 1, 300, 400), timeline("b", 401, 420, 520)],  # its start comes with the end of the other
        [timeline("a", 1, 300, 400), timeline("b", 1, 700, 800), timeline("c", 1, 1100, 1200)],
        [timeline("a", 1, 300, 400), timeline("b", 1600, 2000, 2100)],  # more than a second apart
    ],
)
def test_short_answers_that_wait_for_each_other_are_sequential(timelines: Sequence[ModelTimeline]) -> None:
    speakers = [each.model for each in timelines for _ in range(3)]
    assert analyse(timelines, speakers).verdict is Together.SEQUENTIAL


def test_a_burst_whose_models_take_turns_shows_that_they_were_asked_together() -> None:
    burst = [timeline(m, 900, 901, 902) for m in "abc"]
    assert analyse(burst, TURNS, one_stream=True).verdict is Together.CONCURRENT
    assert analyse(burst, ROWS).verdict is Together.CONCURRENT  # in streams of their own there is no order to hide


def reading(kind: EventKind, model: str, note: str = "") -> Reading:
    return Reading(kind, "e", "x" if kind is EventKind.TEXT else "", note, model)


def test_a_stream_becomes_timelines_event_by_event() -> None:
    followed = ModelTimelines()
    followed.add(5, [reading(EventKind.START, "a"), reading(EventKind.START, "b"), reading(EventKind.TEXT, "")])
    followed.add(20, [reading(EventKind.TEXT, "a"), reading(EventKind.ERROR, "b", "b failed: no such model")])
    followed.add(30, [reading(EventKind.TEXT, "a"), reading(EventKind.STOP, "a"), reading(EventKind.TEXT, "c")])
    found = {each.model: each for each in followed.concurrency(("a", "b", "d"), "nothing came").models}
    a = found["a"]
    assert (a.start_ns, a.first_ns, a.end_ns, a.chunks, a.first_own_ns, a.took_ns) == (5, 20, 30, 2, 15, 25)
    errors = {name: each.error for name, each in found.items()}
    assert errors == {"a": "", "b": "no such model", "c": "it did not end", "d": "nothing came"}


def test_what_is_kept_of_a_stream_does_not_grow() -> None:
    followed = ModelTimelines()
    followed.add(1, [reading(EventKind.TEXT, f"m{at}") for at in range(3 * MAX_MODELS)])
    followed.add(2, [reading(EventKind.TEXT, "m1") for _ in range(3 * MAX_ORDER)])
    models = followed.timelines(())
    assert (len(models), models[1].chunks) == (MAX_MODELS, 3 * MAX_ORDER + 1)


@pytest.mark.parametrize(
    ("timelines", "expected"),
    [
        # wall, slowest, sum and speed-up from each model's own start, its first chunk or not
        ([timeline(m, 10, 160, 510) for m in "ab"], (500, 500, 1000, 2.0)),
        ([timeline("a", 10, 160, 510), timeline("b", 510, 660, 1010)], (1000, 500, 1000, 1.0)),
        # started all at once and then answered one by one: from the first chunk
        ([timeline("a", 10, 60, 510), timeline("b", 10, 560, 1010)], (950, 450, 900, 900 / 950)),
    ],
)
def test_the_figures_of_one_stream_count_from_each_models_own_start(
    timelines: Sequence[ModelTimeline], expected: tuple[float, ...]
) -> None:
    found = analyse(timelines, [each.model for each in timelines for _ in range(9)], one_stream=True)
    in_ms = (found.wall_ns / MS, found.slowest_ns / MS, found.sum_ns / MS)
    assert (*in_ms, found.speed_up) == pytest.approx(expected)
