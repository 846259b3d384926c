"""One endpoint is judged by what is usual for it: slowness, failures, findings, causes, and times in doubt."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.health.states import LATE, EndpointJudge, Standing
from gwtui.model.enums import BAD, FindingName, Outcome, State, Trigger
from gwtui.model.incidents import Cause, CauseKind
from gwtui.model.judged import Usual
from gwtui.model.metrics import BY_NAME, Metric
from gwtui.model.profile import Thresholds
from gwtui.model.records import Finding, Ping, Request
from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.model.verdicts import Verdict
from gwtui.stats.histogram import compress

MS = 1_000_000
S = 1_000_000_000
BUFFERED = Finding(name=FindingName.BUFFERED, evidence="all 40 content events came in one read")


def around(p50_ms: float, n: int = 600, seed: int = 1) -> UsualLatency:
    """A usual of that median, log-normal with a spread of 0.3."""
    rng = random.Random(seed)
    values = sorted(int(p50_ms * MS * rng.lognormvariate(0, 0.3)) for _ in range(n))
    return UsualLatency(source=UsualSource.HOUR, n=n, p50_ns=values[n // 2], values=compress(values))


class Watched:
    """An endpoint that is judged, with a result every 5 s."""

    def __init__(self, seed: int = 7, **thresholds: Any) -> None:
        self.judge = EndpointJudge(msgspec.convert(thresholds, Thresholds))
        self.now_ns = 1000 * S
        self.number = 0
        self.news: list[Standing] = []
        self._rng = random.Random(seed)

    def state(self) -> State:
        return self.judge.standing.state

    def learn(self, why: str = "learnt", good: int = 1990, failed: int = 10, **p50_ms: float) -> None:
        latencies = {BY_NAME[name]: around(each) for name, each in p50_ms.items()}
        usual = Usual(
            endpoint="a", at=self.at, now_ns=self.now_ns, latencies=latencies, good=good, failed=failed, why=why
        )
        self._note(self.judge.learn(usual))

    @property
    def at(self) -> float:
        return self.now_ns / S + 1_800_000_000

    def request(self, verdict: Verdict = Verdict.COMPLETE, ttft_ms: float = 300, **changes: Any) -> None:
        self.now_ns += 5 * S
        self.number += 1
        ttft_ns = int(ttft_ms * MS * self._rng.lognormvariate(0, 0.3))
        good = verdict.outcome is Outcome.OK
        request = Request(
            endpoint="a",
            number=self.number,
            started_at=0,
            now_ns=self.now_ns,
            api="openai-chat",
            verdict=verdict,
            rule="x",
            ttft_ns=ttft_ns if good else None,
            duration_ns=ttft_ns * 3 if good else None,
            trace_id=f"trace-{self.number}",
        )
        self._note(self.judge.add(msgspec.structs.replace(request, **changes), self.at))

    def requests(self, n: int, **changes: Any) -> None:
        for _ in range(n):
            self.request(**changes)

    def fails(self, verdicts: Iterable[Verdict | None], **changes: Any) -> None:
        """A failure for each verdict, a good result for None."""
        for verdict in verdicts:
            self.request(verdict or Verdict.COMPLETE, **(changes if verdict else {}))

    def until(self, state: State, most: int, **changes: Any) -> int:
        """Requests until it is in that state: their number."""
        for n in range(1, most + 1):
            self.request(**changes)
            if self.state() is state:
                return n
        raise AssertionError(f"still {self.state()} after {most}")

    def _note(self, standing: Standing) -> None:
        if not self.news or standing is not self.news[-1]:
            self.news.append(standing)


def test_a_tenfold_time_to_first_token_is_slow_and_says_so() -> None:
    watched = Watched()
    watched.learn(ttft=300)
    watched.requests(100)
    assert watched.state() is State.UP
    first_bad = watched.number + 1
    assert watched.until(State.SLOW, 6, ttft_ms=3000) <= 4
    slow = watched.judge.standing
    assert slow.text.startswith("p50 TTFT ")
    assert slow.text.endswith("x its usual 299 ms (this hour over 7 days)")
    assert slow.cause is not None
    assert slow.cause.kind is CauseKind.SLOW
    assert slow.onset is not None
    assert slow.onset.proof.number == first_bad, "it began with the first slow one"
    assert slow.onset.at == watched.at - 5 * (watched.number - first_bad)
    assert slow.proof is not None
    assert slow.proof.number == watched.number
    watched.until(State.UP, 12)
    assert watched.judge.standing.text.startswith("up again after 00:0")
    assert watched.judge.standing.text.endswith("usual 299 ms")


def test_a_threefold_time_per_token_is_slow_although_the_first_token_is_not() -> None:
    watched = Watched()
    watched.learn(ttft=300, tpot=20)
    watched.requests(50, tpot_ns=20 * MS)
    watched.until(State.SLOW, 6, tpot_ns=60 * MS)
    cause = watched.judge.standing.cause
    assert cause is not None
    assert cause.name == "tpot"


def test_one_latency_can_be_the_only_one_that_counts() -> None:
    watched = Watched(slow_metric="ttft")
    watched.learn(ttft=300, tpot=20)
    watched.requests(50, tpot_ns=90 * MS)
    assert watched.state() is State.UP


@pytest.mark.parametrize(("rtt_ms", "state"), [(12, State.UP), (14, State.UP), (60, State.SLOW)])
def test_pings_have_a_usual_too_and_a_few_milliseconds_more_are_nothing(rtt_ms: int, state: State) -> None:
    judge = EndpointJudge(Thresholds())
    usual = UsualLatency(source=UsualSource.DAY, n=600, p50_ns=12 * MS, values=((12 * MS, 600),))
    judge.learn(Usual(endpoint="a", at=0, now_ns=0, latencies={Metric.RTT: usual}, good=600))
    for number in range(1, 30):
        ping = Ping(
            endpoint="a",
            number=number,
            started_at=0,
            now_ns=number * S,
            verdict=Verdict.PONG,
            rule="x",
            rtt_ns=rtt_ms * MS,
        )
        judge.add(ping, number)
    assert judge.standing.state is state


def test_without_a_usual_nothing_is_slow() -> None:
    watched = Watched()
    watched.requests(50)
    watched.requests(50, ttft_ms=9000)
    assert watched.state() is State.UP


def test_a_burst_is_not_slow_against_what_is_usual_for_single_requests() -> None:
    watched = Watched()
    watched.learn(ttft=300)
    watched.requests(30)
    watched.requests(30, ttft_ms=3000, trigger=Trigger.BURST)
    assert watched.state() is State.UP
    watched.until(State.SLOW, 6, ttft_ms=3000)


def test_a_usual_that_comes_while_it_is_slow_does_not_end_that_but_an_accepted_one_does() -> None:
    watched = Watched()
    watched.learn(ttft=300)
    watched.requests(30)
    watched.until(State.SLOW, 6, ttft_ms=3000)
    watched.learn("another hour", ttft=3000)
    watched.requests(20, ttft_ms=3000)
    assert watched.state() is State.SLOW
    watched.learn("accepted", ttft=3000)
    assert watched.state() is State.UP
    watched.requests(50, ttft_ms=3000)
    assert watched.state() is State.UP


def test_another_usual_does_not_hide_what_has_begun() -> None:
    steady, renewed = Watched(), Watched()
    for watched in (steady, renewed):
        watched.learn(ttft=300)
        watched.requests(30)
    needed = steady.until(State.SLOW, 80, ttft_ms=480)
    for _ in range(needed):
        renewed.learn(f"n {renewed.number}", ttft=300)
        renewed.request(ttft_ms=480)
    assert renewed.state() is State.SLOW


def shares(n: int, failing: float, verdict: Verdict = Verdict.TRUNCATED, seed: int = 3) -> list[Verdict | None]:
    rng = random.Random(seed)
    return [verdict if rng.random() < failing else None for _ in range(n)]


@pytest.mark.parametrize(("good", "failed", "within"), [(19_990, 10, 15), (1990, 10, 30)])
def test_a_fifth_cut_is_degraded_soon(good: int, failed: int, within: int) -> None:
    needed = []
    for seed in range(61):
        watched = Watched(down_after=1000)
        watched.learn(good=good, failed=failed)
        for n, verdict in enumerate(shares(200, 0.2, seed=seed), 1):
            watched.request(verdict or Verdict.COMPLETE)
            if watched.state() is State.DEGRADED:
                needed.append(n)
                break
    assert sorted(needed)[len(needed) // 2] <= within
    assert len(needed) == 61


def test_degraded_says_how_many_fail_and_what_is_usual() -> None:
    watched = Watched()
    watched.learn(good=1990, failed=10)
    watched.requests(20)
    watched.fails([Verdict.TRUNCATED, None, Verdict.TRUNCATED, None, Verdict.TRUNCATED])
    degraded = watched.judge.standing
    assert degraded.state is State.DEGRADED
    assert degraded.text == "3 of 5 truncated (60.0 %), usually 0.5 %"
    assert degraded.cause == Cause(CauseKind.CUT, "truncated")
    assert degraded.onset is not None
    assert degraded.onset.proof.number == 21


def test_where_nothing_fails_usually_that_is_said() -> None:
    watched = Watched()
    watched.learn(good=600, failed=0)
    watched.fails([Verdict.TRUNCATED, None] * 3)
    assert watched.judge.standing.text == "3 of 5 truncated (60.0 %), usually none"


def test_another_usual_share_of_failures_counts_once_it_is_well() -> None:
    watched = Watched(down_after=1000)
    watched.learn(good=1990, failed=10)
    watched.fails(shares(60, 0.4))
    assert watched.state() is State.DEGRADED
    watched.learn("another hour", good=1500, failed=500)
    assert watched.state() is State.DEGRADED
    watched.requests(60)
    watched.fails(shares(300, 0.25))
    assert watched.state() is State.UP


@pytest.mark.parametrize("why", ["accepted", "relearnt"])
def test_a_share_of_failures_that_is_accepted_is_usual_at_once(why: str) -> None:
    watched = Watched(down_after=1000)
    watched.learn(good=1990, failed=10)
    watched.fails(shares(60, 0.4))
    watched.learn(why, good=60, failed=40)
    assert watched.state() is State.UP


def test_the_usual_share_of_failures_is_not_degraded() -> None:
    watched = Watched(down_after=1000)
    watched.learn(good=1800, failed=200)
    watched.fails(shares(2000, 0.1))
    assert [each.state for each in watched.news if each.state in BAD] == []


@pytest.mark.parametrize(
    "pattern",
    ["ttt..", "ttt....", "tttttt......", "tt..", "t.", "t..", "tttt............", "t......", "tt.t...ttt.."],
)
def test_bursts_and_flapping_are_one_sickness(pattern: str) -> None:
    watched = Watched()
    watched.learn(good=1990, failed=10)
    watched.requests(50)
    for letter in pattern * 40:
        watched.request(Verdict.TRUNCATED if letter == "t" else Verdict.COMPLETE)
    states = [each.state for each in watched.news]
    assert states.count(State.UP) <= 3, "at first, and after the first two outages"
    assert watched.state() in BAD


def test_one_outage_does_not_make_the_time_after_it_degraded() -> None:
    watched = Watched()
    watched.learn(good=1990, failed=10)
    watched.requests(50)
    watched.fails([Verdict.REFUSED] * 30 + [None] * 30)
    assert [each.state for each in watched.news[1:]] == [State.UP, State.DOWN, State.UP]


@pytest.mark.parametrize("apart", [2, 6, 12, 19, 30])
def test_the_end_of_a_second_outage_is_told_as_soon_as_that_of_the_first(apart: int) -> None:
    watched = Watched()
    watched.learn(good=1990, failed=10)
    watched.requests(50)
    watched.fails([*[Verdict.REFUSED] * 12, *[None] * apart, *[Verdict.REFUSED] * 12, None, None])
    assert [each.state for each in watched.news[2:]] == [State.DOWN, State.UP] * 2


@pytest.mark.parametrize(("least", "state"), [(None, State.DEGRADED), (9, State.UP)])
def test_the_least_number_of_failures_holds_beside_what_is_usual(least: int | None, state: State) -> None:
    watched = Watched(**({} if least is None else {"degraded_min_failures": least}))
    watched.learn(good=1990, failed=10)
    watched.fails([Verdict.TRUNCATED, None] * 6)
    assert watched.state() is state


def test_a_share_that_the_user_set_decides_alone() -> None:
    watched = Watched(degraded_fail_share=0.6)
    watched.learn(good=1990, failed=10)
    watched.requests(20)
    watched.fails([Verdict.TRUNCATED, None] * 20)
    assert watched.state() is State.UP


def test_a_cause_has_the_status_that_came_with_it() -> None:
    watched = Watched()
    watched.fails([Verdict.AUTH] * 3, status=401)
    assert str(watched.judge.standing.cause) == "keys refused (auth 401)"


def test_another_class_of_causes_is_news_at_once_while_it_is_down() -> None:
    watched = Watched()
    watched.fails([Verdict.REFUSED] * 4 + [Verdict.CONNECT_TIMEOUT] * 4 + [Verdict.OVERLOADED] * 2)
    assert len(watched.news) == 2, "refused and connect_timeout are of one class"
    watched.fails([Verdict.OVERLOADED], status=529)
    changed = watched.judge.standing
    assert changed.state is State.DOWN
    assert changed.cause == Cause(CauseKind.OVERLOADED, "overloaded", "529")
    assert changed.text == "still down, now 3 overloaded in a row; before 8 failed: 4 refused, 4 connect_timeout"
    assert changed.onset is not None
    assert changed.onset.proof.number == 9


def test_another_class_of_causes_is_news_at_once_while_it_is_degraded() -> None:
    watched = Watched()
    watched.learn(good=1990, failed=10)
    watched.fails([Verdict.TRUNCATED, None, None] * 6)
    assert watched.state() is State.DEGRADED
    count = len(watched.news)
    watched.fails([Verdict.RATE_LIMITED, None, None] * 8, status=429)
    assert len(watched.news) == count + 1
    changed = watched.judge.standing
    assert changed.cause == Cause(CauseKind.RATE_LIMITED, "rate_limited", "429")
    assert changed.text.startswith("still degraded, now ")


@pytest.mark.parametrize("degrading", [BUFFERED, Finding(name=FindingName.DAMAGED, evidence="x")])
def test_a_finding_in_three_of_five_streams_degrades_until_five_are_without(degrading: Finding) -> None:
    watched = Watched()
    for has_it in (1, 0, 0, 1, 0, 1):
        watched.request(findings=(degrading,) if has_it else ())
        assert watched.state() is State.UP
    watched.request(findings=(degrading,))
    standing = watched.judge.standing
    assert standing.state is State.DEGRADED
    assert standing.cause == Cause(CauseKind.FINDING, str(degrading.name))
    assert standing.text == f"{degrading.name}: {degrading.evidence}"
    assert standing.onset is not None
    assert standing.onset.proof.number == 4
    watched.requests(4)
    assert watched.state() is State.DEGRADED
    watched.request()
    assert watched.judge.standing.text == f"up again after 00:00:40, {degrading.name}: not found any more"


def test_only_the_findings_of_the_profile_degrade_and_those_that_say_so() -> None:
    watched = Watched(findings_degrade=["model_differs"])
    watched.requests(20, findings=(BUFFERED,))
    assert watched.state() is State.UP
    watched.request(findings=(Finding(name=FindingName.NO_TOOL_CALL, evidence="x", degrades=True),))
    assert watched.state() is State.DEGRADED


def test_findings_of_times_in_doubt_do_not_count() -> None:
    watched = Watched()
    watched.requests(20, findings=(BUFFERED,), tainted=True, error_ns=S)
    assert watched.state() is State.UP
    damaged = Finding(name=FindingName.DAMAGED, evidence="x")
    watched.requests(3, findings=(damaged,), tainted=True, error_ns=S)
    assert watched.state() is State.DEGRADED, "this one is not seen in times"


def test_results_that_were_late_here_are_left_out_and_that_is_said() -> None:
    watched = Watched()
    watched.learn(ttft=300)
    watched.requests(20)
    watched.requests(30, ttft_ms=3000, tainted=True, error_ns=3 * S)
    assert watched.state() is State.UP
    assert (watched.judge.standing.text, watched.judge.standing.judged) == (LATE, False)
    watched.requests(30)
    assert (watched.state(), watched.judge.standing.text, watched.judge.standing.judged) == (State.UP, "", True)
    assert len(watched.news) == 4


def test_a_late_machine_does_not_hide_what_is_sure() -> None:
    watched = Watched()
    watched.learn(ttft=300)
    watched.requests(20)
    watched.until(State.SLOW, 8, ttft_ms=3000, tainted=True, error_ns=20 * MS)
    assert watched.judge.standing.judged


def test_a_pause_forgets_results_but_not_what_is_usual() -> None:
    watched = Watched()
    watched.learn(ttft=300)
    watched.requests(10)
    watched.judge.pause(paused=True)
    watched.requests(10, ttft_ms=3000)
    assert watched.state() is State.PAUSED
    watched.judge.pause(paused=False)
    assert watched.state() is State.UNKNOWN
    watched.until(State.SLOW, 6, ttft_ms=3000)


@settings(deadline=None, max_examples=60)
@given(
    letters=st.text(alphabet="......trasSb", max_size=200),
    learnt=st.integers(0, 100),
)
def test_news_are_changes_with_words_and_a_sick_one_has_cause_and_onset(letters: str, learnt: int) -> None:
    verdicts = {"t": Verdict.TRUNCATED, "r": Verdict.RATE_LIMITED, "a": Verdict.AUTH}
    watched = Watched()
    for n, letter in enumerate(letters):
        if n == learnt:
            watched.learn(ttft=300)
        findings = (BUFFERED,) if letter == "b" else ()
        ttft_ms = {"s": 1000, "S": 9000}.get(letter, 300)
        watched.request(verdicts.get(letter, Verdict.COMPLETE), ttft_ms=ttft_ms, findings=findings)
        standing = watched.judge.standing
        assert (standing.state in BAD) is (standing.cause is not None) is (standing.onset is not None)
        assert standing.state not in BAD or standing.text
        assert standing.onset is None or standing.onset.now_ns <= watched.now_ns
    assert all(one is not other and other.is_news(one) for one, other in pairwise(watched.news))
