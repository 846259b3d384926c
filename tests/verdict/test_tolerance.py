"""A gateway that is known to be odd: what its endpoint tolerates is no failure, and what it knows is not reported."""

from __future__ import annotations

import pytest
from support.completions import DONE, HELLO, LAST_CHUNK, ROLE, STOP, openai, streamed
from support.probing import endpoint, probed
from support.scripted import ScriptedServer, Send, Step

from gwtui.model.enums import FindingName
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict

WITHOUT_FINISH = (ROLE, HELLO, DONE)
AGAIN = (ROLE, openai('{"role":"assistant","content":"hello"}'), STOP, STOP, DONE)


async def tolerating(parts: tuple[bytes, ...], *tolerate: str) -> Request:
    script: list[Step] = [*streamed(*parts), Send(LAST_CHUNK)]
    async with ScriptedServer(script) as server:
        return await probed(endpoint("openai-chat", server.url, model="gpt-4o-mini", tolerate=tolerate))


def found(row: Request) -> set[FindingName]:
    return {finding.name for finding in row.findings}


@pytest.mark.parametrize("name", ["openai.done-without-finish", "done-without-finish"])
async def test_a_tolerated_rule_is_a_finding_that_quotes_it(name: str) -> None:
    row = await tolerating(WITHOUT_FINISH, name)
    assert (row.verdict, row.rule) == (Verdict.COMPLETE, "openai.done-without-finish")
    assert "tolerated" in row.reason
    (told,) = row.findings
    assert told.name is FindingName.TOLERATED
    assert "openai.done-without-finish" in told.evidence


async def test_other_failures_stay_what_they_are() -> None:
    row = await tolerating(WITHOUT_FINISH, "openai.second-finish")
    assert (row.verdict, found(row)) == (Verdict.TRUNCATED, set())


async def test_a_named_finding_is_not_made() -> None:
    assert found(await tolerating(AGAIN)) == {FindingName.FINISH_REPEATED, FindingName.ROLE_REPEATED}
    assert found(await tolerating(AGAIN, "role_repeated")) == {FindingName.FINISH_REPEATED}
    assert found(await tolerating(WITHOUT_FINISH, "done-without-finish", "tolerated")) == set()
