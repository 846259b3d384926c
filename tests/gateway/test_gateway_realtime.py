"""Sessions of OpenAI Realtime in the embedded gateway: strict about what it is asked, and good for the real prober."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.gateways import Gateway, serving
from support.probing import PATIENT, probed

from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

BETA = {"headers": {"OpenAI-Beta": "realtime=v1"}}
SCENARIO = """
[[rule]]
model = "five"
tokens = 5

[[rule]]
model = "cut-*"
tokens = 3
""" + "".join(f"[[rule]]\nmodel = 'cut-{after}'\ncut_after = {after}\n" for after in range(11))
SESSION_EVENTS = 4
"""What comes of the session before the response."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


def target(gateway: Gateway, **fields: Any) -> Endpoint:
    fields = {"model": "five", "deadlines": PATIENT, "prompt": "two words", **fields}
    return Endpoint(name="target", api="openai-realtime", url=gateway.url, **fields)


@pytest.mark.parametrize("fields", [{}, BETA], ids=["today", "preview"])
async def test_the_prober_finds_it_good_in_both_forms(gateway: Gateway, fields: dict[str, Any]) -> None:
    row = await probed(target(gateway, **fields))
    assert (row.verdict, row.rule) == (Verdict.COMPLETE, "realtime.completed")
    assert (row.output_tokens, row.input_tokens, row.model_served) == (5, 2, "five")
    assert row.headers["x-ratelimit-remaining-requests"] == "999"
    assert row.trace_id
    assert row.findings == ()


@pytest.mark.parametrize("fields", [{}, BETA], ids=["today", "preview"])
async def test_the_limit_cuts_the_answer(gateway: Gateway, fields: dict[str, Any]) -> None:
    row = await probed(target(gateway, max_tokens=3, **fields))
    assert (row.verdict, row.rule, row.output_tokens) == (Verdict.COMPLETE, "realtime.incomplete", 3)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({**BETA, "body": {"session": {"type": "realtime"}}}, "Unknown parameter: 'session.type'."),
        ({"omit": ("session.type",)}, "Missing required parameter: 'session.type'."),
        ({"body": {"session": {"output_modalities": ["audio"]}}}, "text alone"),
    ],
)
async def test_a_wrong_session_is_an_error_event(gateway: Gateway, fields: dict[str, Any], says: str) -> None:
    row = await probed(target(gateway, **fields))
    assert (row.verdict, row.rule) == (Verdict.BAD_REQUEST, "realtime.refused")
    assert says in row.reason


async def test_a_wrong_key_and_an_unknown_model_are_refused(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K", "invalid")
    rows = [await probed(target(gateway, **fields)) for fields in ({"key": "env:K"}, {"model": "no-such-model"})]
    assert [(row.verdict, row.status) for row in rows] == [(Verdict.AUTH, 101), (Verdict.NOT_FOUND, 101)]


@pytest.mark.parametrize("after", range(11))
async def test_a_cut_is_seen_wherever_it_is(gateway: Gateway, after: int) -> None:
    row = await probed(target(gateway, model=f"cut-{after}"))
    seen = (row.verdict, row.event_number, row.events)
    assert seen == (Verdict.TRUNCATED, SESSION_EVENTS + after, SESSION_EVENTS + after), row.reason


async def test_an_answer_is_in_the_audit_log(gateway: Gateway) -> None:
    row = await probed(target(gateway))
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client:
        entries = (await client.get("/gateway/audit")).json()
    assert row.request_id in str(entries)
