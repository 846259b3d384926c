"""Ten short streams in a row that came at once are held back; one is not proof, and nor are nine."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec.structs import replace
from support.pacing import pace

from gwtui.model.content_pace import ContentPace
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.verdict.buffering import pace_finding
from gwtui.verdict.successive import PROOF, Bursts

ENDPOINT = Endpoint(name="e", api="openai-chat", url="http://h")
BURST = pace(5, 1, 5, 512, 512, 513)
STEADY = pace(5, 5, 1, 300, 500, 510)
ANSWER_OF_TWO = pace(2, 1, 2, 512, 512, 513)
LONG_BURST = pace(42, 1, 42, 1200, 1200, 1203)
AT_ONCE, BUFFERED = [FindingName.AT_ONCE], [FindingName.BUFFERED]


def streamed(seen: ContentPace | None, verdict: Verdict = Verdict.COMPLETE) -> Request:
    finding = pace_finding(seen) if seen is not None else None
    return Request(
        endpoint="e",
        number=1,
        started_at=0,
        now_ns=0,
        api="openai-chat",
        verdict=verdict,
        rule="x",
        pace=seen,
        findings=(finding,) if finding is not None else (),
    )


def found(results: Iterable[Request | Ping], *tolerate: str) -> list[list[FindingName]]:
    bursts = Bursts(replace(ENDPOINT, tolerate=tolerate))
    return [[finding.name for finding in bursts.judged(result).findings] for result in results]


def test_the_tenth_in_a_row_is_proof() -> None:
    assert found([streamed(BURST)] * (PROOF + 1)) == [AT_ONCE] * (PROOF - 1) + [BUFFERED] * 2


def test_proof_is_silent_where_it_is_tolerated() -> None:
    assert found([streamed(BURST)] * PROOF, "buffered") == [*[AT_ONCE] * (PROOF - 1), []]


def test_it_says_what_all_of_them_did() -> None:
    bursts = Bursts(ENDPOINT)
    (finding,) = [bursts.judged(streamed(BURST)) for _ in range(PROOF)][-1].findings
    assert finding.evidence.endswith("512 ms after the request, as did the 9 streams before")


def test_one_that_came_as_written_ends_the_row() -> None:
    results = [streamed(BURST)] * (PROOF - 1) + [streamed(STEADY)] + [streamed(BURST)] * PROOF
    assert found(results)[PROOF:] == [AT_ONCE] * (PROOF - 1) + [BUFFERED]


@pytest.mark.parametrize(
    "result",
    [
        streamed(None),
        streamed(ANSWER_OF_TWO),
        streamed(BURST, Verdict.TRUNCATED),
        Ping(endpoint="e", number=1, started_at=0, now_ns=0, verdict=Verdict.PONG, rule="x"),
    ],
    ids=["no stream", "too short", "failed", "a ping"],
)
def test_what_tells_nothing_counts_neither_way(result: Request | Ping) -> None:
    assert found([*[streamed(BURST)] * (PROOF - 1), result, streamed(BURST)])[-1] == BUFFERED


def test_a_long_one_is_proof_by_itself_and_counts() -> None:
    assert found([streamed(LONG_BURST), *[streamed(BURST)] * (PROOF - 1)]) == [
        BUFFERED,
        *[AT_ONCE] * (PROOF - 2),
        BUFFERED,
    ]
