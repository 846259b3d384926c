"""Which usual is in force, live: learnt, with each hour, frozen while sick, accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.remembering import MS

from gwtui.history.batch import Batch
from gwtui.history.sums import LatencySums
from gwtui.history.usual import Acceptance, Past
from gwtui.history.usual_tracker import UsualTracker
from gwtui.model.enums import State, Trigger
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint, Profile, Thresholds
from gwtui.model.records import Ping, ProfileChanged, Record, Request, SessionStarted
from gwtui.model.usual import UsualSource
from gwtui.model.verdicts import Verdict

START_AT = 1_800_000_000.0
A = Endpoint(name="a", api="openai-chat", url="http://127.0.0.1:1")
PROFILE = Profile(name="prod", endpoints=(A,), thresholds=Thresholds(relearn_after="1h"))


@dataclass
class Course:
    """A session at one result every five seconds."""

    tracker: UsualTracker = field(default_factory=UsualTracker)
    told: list[Usual] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)
    now_s: int = 0
    number: int = 0

    def __post_init__(self) -> None:
        self.apply(SessionStarted(started_at=START_AT, now_ns=0, profile=PROFILE))

    def apply(self, record: Record) -> None:
        self.take(self.tracker.apply(record))

    def take(self, records: tuple[Usual | LogEntry, ...]) -> None:
        for record in records:
            (self.told if isinstance(record, Usual) else self.log).append(record)  # type: ignore[arg-type]  # by its type

    def results(self, n: int, ms: int = 100, verdict: Verdict = Verdict.COMPLETE, **more: Any) -> None:
        for _ in range(n):
            self.now_s += 5
            self.number += 1
            good = verdict is Verdict.COMPLETE
            request = Request(
                endpoint="a",
                number=self.number,
                started_at=0,
                now_ns=self.now_s * 1000 * MS,
                api="openai-chat",
                verdict=verdict,
                rule="x",
                duration_ns=ms * 4 * MS if good else None,
                ttft_ns=ms * MS if good else None,
                tpot_ns=ms * MS // 50 if good else None,
            )
            self.apply(replace(request, **more))

    def state(self, state: State, since_s: float | None = None) -> None:
        since = None if since_s is None else START_AT + since_s
        at = START_AT + self.now_s
        self.apply(
            LogEntry(
                at=at, now_ns=self.now_s * 1000 * MS, kind="state", endpoint="a", state=state, text="x", since=since
            )
        )

    def ttft(self) -> list[tuple[int, int]]:
        """Of all that was told: n and p50."""
        found = [usual.latencies[Metric.TTFT] for usual in self.told]
        return [(each.n, each.p50_ns // MS) for each in found]

    def know(self, n: int, ms: int, source: UsualSource = UsualSource.HOUR) -> None:
        sums = LatencySums()
        sums.histogram.record(ms * MS, n)
        past = Past({Metric.TTFT: sums.usual(source)}, n, 0)
        self.take(self.tracker.know(("", "a"), self.tracker.identities["", "a"], past))


def counts(batch: Batch) -> dict[tuple[bool, str], int]:
    """The results of a batch by whether they teach, and their verdict."""
    found: dict[tuple[bool, str], int] = {}
    for key, sums in batch.hours.items():
        for verdict, n in sums.outcomes.items():
            found[key.teaches, verdict] = found.get((key.teaches, verdict), 0) + n
    return found


def test_it_is_learnt_from_twenty_results_and_again_as_they_double() -> None:
    course = Course()
    course.results(19)
    assert not course.told
    course.results(700)
    assert [n for n, _ in course.ttft()] == [20, 40, 80, 160, 320, 640]
    first = course.told[0]
    assert (first.why, first.good, first.failed, first.at) == ("learnt", 20, 0, START_AT + 100)
    assert {metric: each.source for metric, each in first.latencies.items()} == {
        Metric.TTFT: UsualSource.SESSION,
        Metric.TPOT: UsualSource.SESSION,
    }


def test_the_newest_results_do_not_teach_yet() -> None:
    course = Course()
    course.results(20)
    course.results(19)
    course.results(10, 900)
    assert [n for n, _ in course.ttft()] == [20]
    course.results(1, 900)
    assert course.told[-1].latencies[Metric.TTFT].values == ((100 * MS, 39), (900 * MS, 1))


def test_nothing_within_an_incident_teaches_not_even_what_came_before_it_was_told() -> None:
    course = Course()
    course.results(36)
    course.results(3, 5000)
    course.state(State.SLOW, since_s=36 * 5 + 1)
    course.results(100, 5000)
    course.state(State.UP)
    course.results(60)
    assert set(course.ttft()) == {(20, 100), (40, 100), (80, 100)}
    assert counts(course.tracker.taken()) == {(True, "complete"): 96, (False, "complete"): 103}


def test_of_failures_the_usual_share_is_learnt() -> None:
    course = Course()
    course.results(15)
    course.results(1, verdict=Verdict.TRUNCATED)
    course.results(5)
    assert (course.told[0].good, course.told[0].failed) == (20, 1)


@pytest.mark.parametrize(
    "more",
    [{"trigger": Trigger.BURST}, {"trigger": Trigger.TRIAL}, {"verdict": Verdict.CANCELLED}, {"turn": 1, "turns": 2}],
)
def test_what_is_no_result_of_the_schedule_teaches_nothing(more: dict[str, Any]) -> None:
    course = Course()
    course.results(40, **more)
    assert not course.told
    assert not course.tracker.taken()


def test_a_latency_in_doubt_does_not_teach() -> None:
    course = Course()
    course.results(20)
    course.results(10, 900, tainted=True, error_ns=800 * MS)
    course.results(20)
    assert course.told[-1].latencies[Metric.TTFT].values == ((100 * MS, 30),)


def test_a_latency_that_was_in_doubt_at_first_is_known_as_soon_as_it_has_enough_values() -> None:
    course = Course()
    course.results(10, tainted=True, error_ns=80 * MS)
    course.results(10)
    assert [set(usual.latencies) for usual in course.told] == [set()]
    course.results(30)
    assert course.told[1].latencies[Metric.TTFT].n == 20
    assert [usual.good for usual in course.told] == [20, 30, 40], "and as the results double, with the newest held back"


def test_what_the_history_says_comes_first_and_is_told_once() -> None:
    course = Course()
    course.know(300, 70)
    course.know(300, 70)
    course.results(50)
    assert [(usual.why, usual.latencies[Metric.TTFT].p50_ns // MS) for usual in course.told] == [
        ("start", 70),
        ("learnt", 70),  # of the time per token the history knew nothing
        ("learnt", 70),
    ]
    course.know(310, 75)
    assert course.told[-1].why == "another hour"


def test_it_is_frozen_while_the_endpoint_is_sick_and_told_when_it_is_well() -> None:
    course = Course()
    course.know(300, 70)
    course.state(State.DOWN)
    course.know(300, 90)
    assert len(course.told) == 1
    course.state(State.DEGRADED)
    assert len(course.told) == 1
    course.state(State.UP)
    assert course.ttft() == [(300, 70), (300, 90)]


def test_a_change_that_lasts_becomes_what_is_usual_and_says_so() -> None:
    course = Course()
    course.results(40)
    course.state(State.SLOW)
    course.results(719, 900)
    assert len(course.told) == 1
    course.results(2, 900)
    assert course.told[-1].why == "relearnt"
    assert course.ttft()[-1][1] == 900
    assert [entry.text for entry in course.log] == [
        "the change is taken over because it lasts: usual from now on: p50 TTFT 900 ms (was 100 ms),"
        " p50 TPOT 18.0 ms (was 2.00 ms)"
    ]
    (acceptance,) = course.tracker.taken().accepted.values()
    assert acceptance.since == START_AT + 200


@pytest.mark.parametrize("state", [State.DOWN, State.DEGRADED])
def test_failing_never_becomes_usual_by_itself(state: State) -> None:
    course = Course()
    course.results(40)
    course.state(state)
    course.results(1500, 900)
    assert len(course.told) == 1
    assert not course.log


def test_a_person_accepts_a_change_at_once() -> None:
    course = Course()
    course.results(40)
    course.results(3, 900)
    course.state(State.SLOW, since_s=201)
    course.results(30, 900)
    course.take(course.tracker.accept(("", "a")))
    assert course.told[-1].why == "accepted"
    assert course.told[-1].latencies[Metric.TTFT].values == ((900 * MS, 33),)
    course.state(State.UP)
    course.results(60, 900)
    assert course.ttft()[-1] == (80, 900)


def test_accepted_elsewhere_within_an_incident_it_counts_from_when_that_began() -> None:
    course = Course()
    course.results(30)
    course.results(3, 900)
    course.state(State.SLOW, since_s=151)
    course.results(27, 900)
    course.take(course.tracker.accept(("", "a"), Acceptance(START_AT + 290, START_AT + 290)))
    assert course.told[-1].latencies[Metric.TTFT].values == ((900 * MS, 30),)
    assert list(course.tracker.taken().accepted.values()) == [Acceptance(START_AT + 151, START_AT + 290)]


def test_accepted_elsewhere_it_is_not_written_again() -> None:
    course = Course()
    course.results(40)
    course.take(course.tracker.accept(("", "a"), Acceptance(START_AT, START_AT)))
    assert course.told[-1].latencies == {}
    assert not course.tracker.taken().accepted
    course.results(20, 300)
    latency = course.told[-1].latencies[Metric.TTFT]
    assert (latency.n, latency.p50_ns) == (20, 300 * MS)


def test_an_endpoint_that_asks_for_something_else_is_learnt_anew() -> None:
    course = Course()
    course.results(25)
    other = replace(PROFILE, endpoints=(replace(A, model="other", interval_s=1.0),))
    course.apply(ProfileChanged(now_ns=course.now_s * 1000 * MS, profile=other))
    course.results(19, 300)
    assert course.ttft() == [(20, 100)]
    course.results(1, 300)
    assert course.ttft() == [(20, 100), (20, 300)]
    assert {key.identity.model: sum(sums.outcomes.values()) for key, sums in course.tracker.taken().hours.items()} == {
        "": 25,
        "other": 20,
    }


def test_the_incident_of_an_endpoint_that_is_gone_goes_on_no_more() -> None:
    course = Course()
    course.state(State.DOWN)
    course.apply(ProfileChanged(now_ns=0, profile=replace(PROFILE, endpoints=())))
    assert [episode.goes_on for episode in course.tracker.taken().episodes.values()] == [False]


def test_an_edit_of_its_rules_ends_an_incident_and_one_of_its_interval_does_not() -> None:
    course = Course()
    course.results(20)
    course.state(State.DOWN)
    other = replace(PROFILE, endpoints=(replace(A, interval_s=1.0),))
    course.apply(ProfileChanged(now_ns=0, profile=other))
    course.results(60)
    assert len(course.told) == 1
    course.apply(ProfileChanged(now_ns=0, profile=replace(other, thresholds=Thresholds(down_after=7))))
    course.results(30)
    assert course.ttft() == [(20, 100), (40, 100)]


def test_an_edit_of_the_interval_loses_nothing() -> None:
    course = Course()
    course.results(15)
    other = replace(PROFILE, endpoints=(replace(A, interval_s=1.0),))
    course.apply(ProfileChanged(now_ns=course.now_s * 1000 * MS, profile=other))
    course.results(5)
    assert course.ttft() == [(20, 100)]


def test_each_place_has_its_own_usual() -> None:
    course = Course()
    for _ in range(20):
        course.results(1, 100)
        course.results(1, 300, vantage="eu")
    assert [(usual.vantage, usual.latencies[Metric.TTFT].p50_ns // MS) for usual in course.told] == [
        ("", 100),
        ("eu", 300),
    ]
    assert {identity.vantage for identity in course.tracker.identities.values()} == {"", "eu"}


def test_pings_and_whole_answers_have_their_own_latency() -> None:
    endpoints = (
        Endpoint(name="ws", api="websocket", url="ws://127.0.0.1:1"),
        Endpoint(name="h", api="http", url="http://127.0.0.1:1"),
    )
    course = Course()
    course.apply(ProfileChanged(now_ns=0, profile=replace(PROFILE, endpoints=endpoints)))
    for number in range(20):
        course.results(1, endpoint="h")
        ping = Ping(endpoint="ws", number=number, started_at=0, now_ns=0, verdict=Verdict.PONG, rule="x", rtt_ns=9 * MS)
        course.apply(ping)
    assert {usual.endpoint: set(usual.latencies) for usual in course.told} == {"h": {Metric.E2E}, "ws": {Metric.RTT}}


def test_an_incident_is_an_episode_of_the_history() -> None:
    course = Course()
    course.results(10)
    course.state(State.SLOW, since_s=40)
    course.results(10)
    (going_on,) = course.tracker.taken().episodes.values()
    course.state(State.DOWN)
    course.results(10)
    course.state(State.UP)
    (over,) = course.tracker.taken().episodes.values()
    assert (going_on.began, going_on.until, going_on.goes_on, going_on.state) == (
        START_AT + 40,
        START_AT + 100,
        True,
        "slow",
    )
    assert (over.began, over.until, over.goes_on, over.state) == (START_AT + 40, START_AT + 150, False, "down")


def test_at_the_end_of_the_session_no_incident_goes_on() -> None:
    course = Course()
    course.state(State.DOWN)
    assert [episode.goes_on for episode in course.tracker.ended().episodes.values()] == [False]


def test_without_a_history_nothing_is_kept_for_it() -> None:
    course = Course(UsualTracker(remembers=False))
    course.results(100)
    assert course.ttft()[0] == (20, 100)
    assert not course.tracker.taken().hours


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 5000), st.sampled_from([*State])), max_size=12), st.data())
def test_what_is_taken_is_the_same_however_often_it_is_taken(
    parts: list[tuple[int, int, State]], data: st.DataObject
) -> None:
    """Unless an incident turns out to have begun before results that were taken already."""
    once, often, pieces = Course(), Course(), Batch()
    for n, ms, state in parts:
        for course in (once, often):
            course.results(n, ms)
            course.state(state)
        if data.draw(st.booleans()):
            pieces.merge(often.tracker.taken())
    pieces.merge(often.tracker.taken())
    assert once.told == often.told
    whole = once.tracker.taken()
    assert counts(whole) == counts(pieces)
    assert {key: {m: each.packed() for m, each in sums.latencies.items()} for key, sums in whole.hours.items()} == {
        key: {m: each.packed() for m, each in sums.latencies.items()} for key, sums in pieces.hours.items()
    }
