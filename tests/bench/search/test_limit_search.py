"""The search for a rate limit, at gateways in a time of their own that know the truth, and count what they are sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from support.answering import answering
from support.benching import World, request
from support.monitor_stage import MS, endpoint

from gwtui.bench.search.limit_report import limit_json, limit_text
from gwtui.bench.search.limit_search import LONGEST_WAIT_S, LimitSearch, SearchPhase, lifting_waits_s, times_sent
from gwtui.cli import bench
from gwtui.model.enums import FindingName
from gwtui.model.profile import Profile
from gwtui.model.records import Finding, Request
from gwtui.model.verdicts import Verdict
from gwtui.text.tables import TextStyle

STALE = Finding(name=FindingName.STALE_CONNECTION, evidence="closed")
HEADERS = {"x-ratelimit-limit-requests": "10", "server": "truth"}


class Limited(World):
    """`wait_s` says how long the request at that time, in s, has to wait; 0: it is answered."""

    def __init__(self, wait_s: Callable[[float], float], *, says: bool = True, stale: bool = False) -> None:
        super().__init__()
        self._wait_s, self._says, self._stale = wait_s, says, stale
        self.sent = 0

    async def serve(self, name: str, number: int, planned_ns: int) -> Request:
        began_ns, self.sent = self.now_ns, self.sent + 1 + self._stale
        wait_s = self._wait_s(began_ns / 1e9)
        await self.sleep(0.01)
        lateness_ns = began_ns - planned_ns
        fields: dict[str, Any] = {"planned_ns": planned_ns, "lateness_ns": lateness_ns, "now_ns": self.now_ns}
        fields["findings"] = (STALE,) if self._stale else ()
        if wait_s:
            fields |= {"verdict": Verdict.RATE_LIMITED, "status": 429, "headers": HEADERS}
            fields["retry_after_s"] = wait_s if self._says else None
        return request(name, number, (self.now_ns - began_ns) / MS, **fields)


def bucket(per_s: float, burst: float) -> Callable[[float], float]:
    level, at_s = burst, 0.0

    def wait_s(now_s: float) -> float:
        nonlocal level, at_s
        level, at_s = min(burst, level + (now_s - at_s) * per_s), now_s
        if level < 1:
            return (1 - level) / per_s
        level -= 1
        return 0.0

    return wait_s


def window(number: int, seconds: float) -> Callable[[float], float]:
    seen: dict[int, int] = {}

    def wait_s(now_s: float) -> float:
        which = int(now_s // seconds)
        seen[which] = seen.get(which, 0) + 1
        return (which + 1) * seconds - now_s if seen[which] > number else 0.0

    return wait_s


async def searched(world: World, most: int = 300, **fields: Any) -> LimitSearch:
    search = LimitSearch(endpoint("a"), Profile(), most, deps=world.deps, **fields)
    await world.run(search.run())
    return search


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize(("per_s", "burst"), [(5, 10), (2, 1), (12, 40), (0.7, 3)])
async def test_a_bucket_is_found_with_its_lasting_rate(per_s: float, burst: float, says: bool) -> None:
    world = Limited(bucket(per_s, burst), says=says)
    search = await searched(world)
    assert search.limited is not None
    assert search.limited.refusal is not None
    assert search.limited.refusal.before >= burst, "the burst was used up"
    assert search.lasting is not None, search.stopped
    held, refused = search.lasting
    assert held * 0.93 <= per_s <= refused
    assert refused / held == pytest.approx(1.25)
    first = search.liftings[0]
    assert first.lifted_s is not None
    assert first.refused_s <= 1 / per_s
    assert search.used == world.sent <= 300


async def test_a_number_of_requests_in_a_time_is_no_rate() -> None:
    world = Limited(window(60, 60))
    search = await searched(world)
    refusal = search.limited.refusal if search.limited is not None else None
    assert refusal is not None
    assert (refusal.before, refusal.in_minute) == (60, 60)
    assert refusal.headers == {"x-ratelimit-limit-requests": "10"}
    lifting = search.liftings[0]
    assert lifting.lifted_s is not None
    assert lifting.refused_s < (refusal.retry_after_s or 0) == pytest.approx(lifting.lifted_s, abs=0.05)
    assert search.lasting is None
    text = limit_text([search], TextStyle())
    assert "60 requests were answered before it" in text
    assert "it may be a number of requests in a time, not a rate" in text


@settings(max_examples=8)
@given(
    most=st.integers(10, 200),
    per_s=st.floats(0.2, 40),
    burst=st.integers(1, 60),
    stale=st.booleans(),
    start=st.sampled_from([0.5, 1.0, 30.0]),
)
async def test_never_more_than_the_maximum_is_sent(
    most: int, per_s: float, burst: int, stale: bool, start: float
) -> None:
    world = Limited(bucket(per_s, burst), stale=stale)
    search = await searched(world, most, start_per_s=start)
    assert search.used == world.sent <= most
    assert sum(point.measured.total for point in search.points) * (2 if stale else 1) == world.sent
    assert limit_text([search], TextStyle())
    assert json.loads(limit_json([search]))["find_limit"][0]["requests_sent"] == world.sent


async def test_the_first_refusal_ends_the_sending() -> None:
    world = Limited(bucket(1, 20))
    search = await searched(world)
    assert search.limited is not None
    assert search.limited.refused == 1, "answers are faster than requests, so none was under way"


async def test_a_limit_that_does_not_lift_is_left_alone() -> None:
    began: list[float] = []

    def wait_s(now_s: float) -> float:
        began.append(now_s)
        return 7200.0 if len(began) > 20 else 0.0

    search = await searched(Limited(wait_s))
    assert f"did not lift within {LONGEST_WAIT_S:g} s" in search.stopped
    assert search.liftings[0].lifted_s is None
    assert 200 < search.liftings[0].refused_s <= LONGEST_WAIT_S
    assert search.liftings[0].requests < 20
    assert "it lasts longer than" in limit_text([search], TextStyle())


async def test_without_a_limit_it_says_how_far_it_went() -> None:
    world = Limited(lambda _: 0.0)
    search = await searched(world, 100)
    assert search.stopped == "there was no 429 within the maximum of 100 requests"
    assert search.limited is None
    assert world.sent <= 100
    assert {point.phase for point in search.points} == {SearchPhase.UP}


async def test_other_failures_are_no_limit() -> None:
    world = World()
    world.result = {"verdict": Verdict.SERVER_ERROR, "status": 500}
    search = await searched(world)
    assert search.stopped == "1 of 1 failed at 1/s, and not by a rate limit"
    assert search.used == 1


def test_a_request_that_goes_out_twice_counts_twice() -> None:
    renamed = "the limit is sent as b: a was refused (HTTP 400); times are those of the second request"
    taught = Finding(name=FindingName.LIMIT_RENAMED, evidence=renamed)
    known = Finding(
        name=FindingName.LIMIT_RENAMED, evidence="the limit is sent as b: a was refused by an earlier request"
    )
    assert [times_sent(request(findings=found)) for found in ((), (STALE,), (taught,), (known,), (STALE, taught))] == [
        1, 2, 2, 1, 3,
    ]  # fmt: skip


def test_waits_for_a_limit_to_lift() -> None:
    assert list(islice(lifting_waits_s(8.0, 1), 7)) == [0.5, 2, 4, 6, 8, pytest.approx(11.2), pytest.approx(15.68)]
    assert list(islice(lifting_waits_s(1.0, 2), 4)) == [0.25, 0.5, 0.75, 1.0]
    assert list(islice(lifting_waits_s(None, 20), 4)) == [0.1, 0.6, 1.1, pytest.approx(1.6)]
    assert list(lifting_waits_s(7200.0, 9)) == list(lifting_waits_s(None, 9)), "an hour is not waited for"
    assert max(lifting_waits_s(250.0, 1)) <= LONGEST_WAIT_S


ANSWER = json.dumps({"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}]}).encode()


def run(url: str, *line: str) -> Any:
    return CliRunner().invoke(bench.command, ["--api", "openai-chat", "--url", url, "--no-stream", *line])


def test_the_command_finds_it_and_the_gateway_counts_the_same() -> None:
    with answering() as gateway:
        gateway.answer = lambda _: (429, b"{}") if len(gateway.asked) == 20 else (200, ANSWER)
        result = run(gateway.url, "--find-limit", "--rate", "100", "--max-requests", "60", "--json")
        sent = len(gateway.asked)
    assert result.exit_code == 0, result.output
    (told,) = json.loads(result.stdout)["find_limit"]
    assert told["requests_sent"] == sent <= 60
    assert told["refusal"]["answered_before"] in (18, 19)
    assert [each["requests"] for each in told["lifting"]] == [1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--requests", "5"], "leave --requests out"),
        (["--for", "5s"], "leave --for out"),
        (["--arrivals", "poisson 5"], "leave --arrivals out"),
        (["--fail-if", "truncated"], "leave --fail-if out"),
        (["--junit", "gates.xml"], "leave --junit out"),
        (["--max-requests", "9"], "is not in the range"),
    ],
)
def test_what_a_search_chooses_itself_is_refused(line: list[str], said: str) -> None:
    result = run("http://127.0.0.1:9", "--find-limit", *line)
    assert (result.exit_code, said in result.output) == (2, True), result.output
