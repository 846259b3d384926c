"""A conversation over real sockets: a row per turn, the answer carried on, and one bad turn is the end of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.completions import answered
from support.gateways import Gateway, serving
from support.probing import Probing, endpoint
from support.scripted import Close, Receive, ScriptedServer

from gwtui.apis import APIS
from gwtui.model.conversation import is_between, turn_text
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint, Profile, Turn
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.probes.prober import probe_once, probe_turns

TURNS = (
    Turn(prompt="What is the weather in Paris?", tool="get_weather"),
    Turn(result="21 degrees"),
    Turn(prompt="And what should I wear?"),
)
SPEAKERS = [name for name, api in APIS.items() if api.dialogue is not None]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving("") as gateway:
        yield gateway


async def rows(endpoint: Endpoint) -> list[Request]:
    probed = await probe_turns(endpoint, Profile())
    return [row for row, _ in probed if isinstance(row, Request)]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("api", SPEAKERS)
async def test_each_turn_is_a_row_and_its_request_carries_those_before(
    gateway: Gateway, api: str, stream: bool
) -> None:
    found = await rows(endpoint(api, gateway.url, turns=TURNS, stream=stream))
    assert [(row.verdict, turn_text(row)) for row in found] == [
        (Verdict.COMPLETE, "1 of 3"),
        (Verdict.COMPLETE, "2 of 3"),
        (Verdict.COMPLETE, "3 of 3"),
    ]
    assert not [finding for row in found for finding in row.findings if finding.name in STOPS]
    tokens = [row.input_tokens or 0 for row in found]
    assert tokens == sorted(set(tokens))
    assert [row.phases.reused for row in found] == [False, True, True]
    assert [is_between(row) for row in found] == [True, True, False]


STOPS = (FindingName.NO_TOOL_CALL, FindingName.CONVERSATION_STOPPED)


@pytest.mark.parametrize(
    ("fault", "verdicts", "findings"),
    [
        ("second-turn", [Verdict.COMPLETE, Verdict.BAD_REQUEST], []),
        ("second-turn-truncated", [Verdict.COMPLETE, Verdict.TRUNCATED], []),
        ("tools-dropped", [Verdict.COMPLETE], [FindingName.NO_TOOL_CALL]),
        ("truncated", [Verdict.TRUNCATED], []),
    ],
)
async def test_the_first_bad_turn_ends_the_conversation(
    gateway: Gateway, fault: str, verdicts: list[Verdict], findings: list[FindingName]
) -> None:
    target = endpoint("openai-chat", gateway.url, model=f"fault:{fault}", turns=TURNS)
    found = await rows(target)
    assert [row.verdict for row in found] == verdicts
    assert [each.name for each in found[-1].findings if each.name in STOPS] == findings
    assert not is_between(found[-1])
    last, _ = await probe_once(target, Profile())
    assert isinstance(last, Request)
    assert (last.verdict, last.turn) == (verdicts[-1], len(verdicts))


async def test_a_missing_call_degrades_unless_it_is_tolerated(gateway: Gateway) -> None:
    for tolerate, degrades in ((), True), (("no_tool_call",), False):
        target = endpoint("openai-chat", gateway.url, model="fault:tools-dropped", turns=TURNS, tolerate=tolerate)
        (row,) = await rows(target)
        assert [each.degrades for each in row.findings if each.name is FindingName.NO_TOOL_CALL] == [degrades]
        assert "turn 2 of 3 was not sent" in row.findings[-1].evidence


async def test_the_next_probe_begins_anew_after_a_bad_turn_and_after_the_last(gateway: Gateway) -> None:
    probing = Probing(endpoint("openai-chat", gateway.url, model="fault:second-turn", turns=TURNS))
    async with probing.prober:
        turns = []
        for _ in range(4):
            turns.append((await probing.once()).turn)
            assert probing.prober.goes_on() is (turns[-1] == 1)
    assert turns == [1, 2, 1, 2]


_CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}


def _chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    chunk = {"id": "1", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


async def test_a_turn_that_met_a_closed_connection_is_sent_again() -> None:
    call = [_chunk({"role": "assistant", "tool_calls": [_CALL]}), _chunk({}, "tool_calls"), b"data: [DONE]\n\n"]
    said = [_chunk({"role": "assistant", "content": "Warm."}), _chunk({}, "stop"), b"data: [DONE]\n\n"]
    sse = "Content-Type: text/event-stream"
    first = [*answered("200 OK", sse, body=b"".join(call)), Receive(), Close()]
    async with ScriptedServer(first, answered("200 OK", sse, body=b"".join(said))) as server:
        found = await rows(endpoint("openai-chat", server.url, turns=TURNS[:2]))
    assert [(row.verdict, row.turn) for row in found] == [(Verdict.COMPLETE, 1), (Verdict.COMPLETE, 2)]
    assert FindingName.STALE_CONNECTION in [each.name for each in found[1].findings]
