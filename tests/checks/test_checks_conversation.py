"""Checks of an endpoint that probes conversations: they ask its first question alone."""

from __future__ import annotations

from support.gateways import serving
from support.probing import endpoint

from gwtui.checks.collector import Collected
from gwtui.checks.request_sets import CheckTarget, RequestSet
from gwtui.model.profile import Profile, Turn
from gwtui.model.verdicts import Verdict


async def test_checks_ask_the_first_question_of_a_conversation_alone() -> None:
    turns = (Turn(prompt="The weather in Paris?", tool="get_weather"), Turn(result="21 degrees"))
    with serving("") as gateway:
        target = CheckTarget(endpoint=endpoint("openai-chat", gateway.url, turns=turns), profile=Profile())
        collector = Collected(target)
        await collector.gather(RequestSet.STREAM)
    (row,) = collector.results()
    assert (row.verdict, row.rule) == (Verdict.COMPLETE, "openai.done")
    assert "get_weather" not in getattr(row, "text", "get_weather")
