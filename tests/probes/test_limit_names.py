"""A name of the token limit that is refused: the other one is tried once, remembered, and said, all in one row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.answering import Answering, Asked, answering
from support.probing import endpoint, probed

from gwtui.model.enums import FindingName, Outcome
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict

OLD, NEW = "max_tokens", "max_completion_tokens"
WHOLE = {
    "id": "c",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1},
}


class Strict:
    """Refuses these fields, by a status, with the words of a provider."""

    def __init__(self, *refused: str, status: int = 400) -> None:
        self.refused = refused
        self.status = status

    def __call__(self, asked: Asked) -> tuple[int, bytes]:
        for name in self.refused:
            if name in asked.json:
                said = {"message": f"Unsupported parameter: '{name}'.", "param": name, "code": "unsupported_parameter"}
                return self.status, json.dumps({"error": said}).encode()
        return 200, json.dumps(WHOLE).encode()


async def asked(gateway: Answering, **fields: Any) -> Request:
    return await probed(endpoint("openai-chat", gateway.url, stream=False, model="m", max_tokens=7, **fields))


def limits(gateway: Answering) -> list[dict[str, int]]:
    return [{name: each.json[name] for name in (OLD, NEW) if name in each.json} for each in gateway.asked]


def renamed(row: Request) -> list[str]:
    return [each.evidence for each in row.findings if each.name is FindingName.LIMIT_RENAMED]


@pytest.mark.parametrize("status", [400, 422])
async def test_the_other_name_is_tried_once_and_remembered(status: int) -> None:
    with answering() as gateway:
        gateway.answer = Strict(OLD, status=status)
        first, second = await asked(gateway), await asked(gateway)
        assert limits(gateway) == [{OLD: 7}, {NEW: 7}, {NEW: 7}]
    assert [first.outcome, second.outcome] == [Outcome.OK, Outcome.OK]
    assert "times are those of the second request" in renamed(first)[0]
    assert f"HTTP {status}" in renamed(first)[0]
    assert renamed(second) == [f"the limit is sent as {NEW}: {OLD} was refused by an earlier request"]


async def test_where_both_are_refused_it_is_not_tried_again() -> None:
    with answering() as gateway:
        gateway.answer = Strict(OLD, NEW)
        first, second = await asked(gateway), await asked(gateway)
        assert limits(gateway) == [{OLD: 7}, {NEW: 7}, {OLD: 7}]
        without = await asked(gateway, omit=(OLD,))
    assert (first.verdict, second.verdict) == (Verdict.BAD_REQUEST, Verdict.BAD_REQUEST)
    assert f'omit = ["{OLD}"]' in second.reason
    assert (without.outcome, renamed(without)) == (Outcome.OK, [])


async def test_a_name_of_the_body_is_renamed_with_its_value() -> None:
    with answering() as gateway:
        gateway.answer = Strict(NEW)
        row = await asked(gateway, body={NEW: 2000, "temperature": 0})
        assert limits(gateway) == [{NEW: 2000}, {OLD: 2000}]
    assert row.outcome is Outcome.OK


async def test_what_one_model_refuses_says_nothing_of_another() -> None:
    with answering() as gateway:
        gateway.answer = Strict(OLD)
        await asked(gateway)
        await probed(endpoint("openai-chat", gateway.url, stream=False, model="another"))
        assert [set(each) for each in limits(gateway)] == [{OLD}, {NEW}, {OLD}, {NEW}]


async def test_other_refusals_are_not_repeated() -> None:
    with answering() as gateway:
        gateway.answer = Strict("model")
        row = await asked(gateway)
        assert len(gateway.asked) == 1
    assert (row.verdict, renamed(row)) == (Verdict.BAD_REQUEST, [])
