"""The embedded gateway's habits, seen live: who answered, what is counted, what it costs, and who is down."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from support.gateways import Gateway, serving
from support.probing import PATIENT
from support.running import Emitted, running

from gwtui.engine import Engine
from gwtui.health import gateway_ledger
from gwtui.model.commands import Burst
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint, Price, Profile
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict

PRICE = Price(input_per_million=0.25, output_per_million=1.25)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving("default = { tokens = 3 }") as gateway:
        yield gateway


async def watched(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, model: str, **fields: Any) -> list[Request]:
    """Metrics before, one request for that model, and metrics after."""
    monkeypatch.setattr(gateway_ledger, "SETTLE_NS", 0)
    of = Endpoint(
        name="claude",
        api="anthropic-messages",
        url=gateway.url,
        model=model,
        paused=True,
        deadlines=PATIENT,
        price=PRICE,
        metrics="gw",
        **fields,
    )
    metrics = Endpoint(name="gw", api="gateway-metrics", url=gateway.url, paused=True, deadlines=PATIENT)
    it = Emitted()
    engine = Engine(Profile(endpoints=(of, metrics)), it.emit, seed=1)
    async with running(engine):
        await it.until(lambda: engine.running)
        for name in ("gw", "claude", "gw"):
            ended = len(it.all(Request))
            engine.handle(Burst(endpoint=name, requests=1, concurrency=1))
            await it.until(partial(_more_than, it, ended))
    return it.all(Request)[1:]


def _more_than(it: Emitted, ended: int) -> bool:
    return len(it.all(Request)) > ended


def found(request: Request) -> set[FindingName]:
    return {finding.name for finding in request.findings}


async def test_a_good_gateway_counts_notes_and_charges_what_it_answers(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, metrics = await watched(gateway, monkeypatch, "claude-3-haiku-20240307")
    assert (row.verdict, row.provider, found(row)) == (Verdict.COMPLETE, "anthropic", set())
    comparison, grown = metrics.gateway.comparison, metrics.gateway.grown
    assert comparison is not None
    assert grown is not None
    assert (comparison.counted, comparison.own, grown.requests, found(metrics)) == (1, 1, 1, set())
    assert comparison.told_usd == pytest.approx(comparison.expected_usd)
    assert "anthropic" in {each.name for each in metrics.gateway.by_provider}


async def test_a_fallback_is_seen_in_the_gateways_own_notes(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    row, _ = await watched(gateway, monkeypatch, "fault:upstream-first")
    assert row.provider == "openai"
    (words,) = [each.evidence for each in row.findings if each.name is FindingName.PROVIDER_FALLBACK]
    assert words == "anthropic failed (500), openai answered"


async def test_metrics_that_stand_still(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    row, metrics = await watched(gateway, monkeypatch, "fault:uncounted")
    assert (row.provider, found(metrics)) == ("anthropic", {FindingName.METRICS_STAND_STILL})


async def test_a_cost_that_is_wrong(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    row, metrics = await watched(gateway, monkeypatch, "fault:wrong-cost")
    assert FindingName.COST_DIFFERS in found(row) & found(metrics)
