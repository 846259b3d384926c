"""Who answered is looked up after the request: found, shared, bounded, and never in the way of a row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest
from msgspec.structs import replace
from support.answering import Answering, Asked, answering
from support.probing import PATIENT
from support.running import Emitted, running

from gwtui.engine import Engine, provider_lookup
from gwtui.engine.provider_lookup import MISSES, ProviderLookup
from gwtui.model.commands import Burst, PutEndpoint
from gwtui.model.enums import FindingName
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint, Price, Profile
from gwtui.model.records import Notice, Request
from gwtui.model.verdicts import Verdict
from gwtui.session.record_pipeline import RecordPipeline

CLAUDE = "claude-3-haiku-20240307"
MESSAGE = {
    "type": "message",
    "role": "assistant",
    "model": CLAUDE,
    "content": [{"type": "text", "text": "sorted"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 20, "output_tokens": 12},
}


class Gateway:
    """Answers messages, and notes each in its documents."""

    def __init__(self, server: Answering) -> None:
        self.server = server
        self.provider = "anthropic"
        self.default = "anthropic"
        self.attempts: Any = None
        self.in_recent = self.in_audit = True
        self.refuses = False
        self.cost = 0.00002
        self.missing: set[str] = set()
        self.noted: list[dict[str, Any]] = []
        server.answer = self.answer

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        path = asked.path.partition("?")[0]
        if path in self.missing:
            return 404, b"{}"
        said = getattr(self, path.rpartition("/")[2])()
        if self.refuses and path == "/v1/messages":
            self.noted[-1]["request_id"] = asked.headers["x-request-id"]
            return 500, b'{"type": "error", "error": {"type": "api_error", "message": "all providers failed"}}'
        return 200, json.dumps(said).encode()

    def messages(self) -> dict[str, Any]:
        entry = {"request_id": f"msg_{len(self.noted)}", "provider": self.provider, "cost_usd": self.cost}
        self.noted.append(entry | ({} if self.attempts is None else {"attempts": self.attempts}))
        return {"id": entry["request_id"], **MESSAGE}

    def health(self) -> dict[str, Any]:
        return {"status": "healthy", "routing": {"default_provider": self.default}}

    def metrics(self) -> dict[str, Any]:
        recent = [{name: value for name, value in each.items() if name != "attempts"} for each in self.noted]
        return {"summary": {"total_requests": len(self.noted)}, "recent": recent if self.in_recent else []}

    def audit(self) -> dict[str, Any]:
        return {"entries": self.noted if self.in_audit else []}

    def asked(self, name: str) -> int:
        return sum(name in each.path for each in self.server.asked)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(provider_lookup, "AGAIN_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(provider_lookup, "_DEADLINES", PATIENT)
    monkeypatch.setattr(provider_lookup, "WAIT_S", 20.0)
    with answering() as server:
        yield Gateway(server)


def profile_of(gateway: Gateway, interval_s: float = 3600.0, **fields: Any) -> Profile:
    url = gateway.server.url
    claude = Endpoint(
        name="claude",
        api="anthropic-messages",
        url=url,
        stream=False,
        metrics="gw",
        deadlines=PATIENT,
        **{"model": CLAUDE, "overlap": 8, **fields},
    )
    metrics = Endpoint(name="gw", api="gateway-metrics", url=url, paused=True)
    return Profile(endpoints=(claude, metrics), interval_s=interval_s)


async def looked_up(gateway: Gateway, count: int = 1, **fields: Any) -> list[Request]:
    """The rows of a burst."""
    it = Emitted()
    engine = Engine(replace(profile_of(gateway), endpoints=_paused(profile_of(gateway, **fields))), it.emit, seed=1)
    async with running(engine):
        await it.until(lambda: engine.running)
        engine.handle(Burst(endpoint="claude", requests=count, concurrency=8))
        await it.until(lambda: len(it.all(Request)) == count)
    return it.all(Request)


def _paused(profile: Profile) -> tuple[Endpoint, ...]:
    return tuple(replace(endpoint, paused=True) for endpoint in profile.endpoints)


def names(request: Request) -> list[FindingName]:
    return [finding.name for finding in request.findings]


def fell_back(request: Request) -> bool:
    return FindingName.PROVIDER_FALLBACK in names(request)


async def test_the_row_names_the_provider(gateway: Gateway) -> None:
    (row,) = await looked_up(gateway)
    assert (row.verdict, row.provider, row.answer_id, names(row)) == (Verdict.COMPLETE, "anthropic", "msg_0", [])
    assert (gateway.asked("metrics"), gateway.asked("audit"), gateway.asked("health")) == (1, 0, 1)


async def test_another_provider_than_the_default_one_is_a_finding(gateway: Gateway) -> None:
    gateway.provider = "openai"
    (row,) = await looked_up(gateway)
    assert (row.provider, names(row)) == ("openai", [FindingName.PROVIDER_FALLBACK])
    assert row.findings[0].evidence.startswith("openai answered, not anthropic, the gateway's default provider")


async def test_a_model_of_another_provider_is_no_finding(gateway: Gateway) -> None:
    gateway.provider = "openai"
    rows = await looked_up(gateway, count=3, model="gpt-4o-mini")
    assert [(row.provider, fell_back(row)) for row in rows] == [("openai", False)] * 3


async def test_who_answered_before_is_remembered_until_the_endpoint_is_edited(gateway: Gateway) -> None:
    profile = profile_of(gateway)
    llama = replace(profile.endpoints[0], model="llama-3")
    (row,) = await looked_up(gateway, model="llama-3")
    async with aclosing(ProviderLookup()) as lookup:
        assert not fell_back(await lookup.look_up(row, llama, profile))
        gateway.noted[0]["provider"] = "openai"
        later = replace(row, now_ns=row.now_ns * 2)
        assert fell_back(await lookup.look_up(later, llama, profile))
        edited = replace(llama, prompt="else")
        assert not fell_back(await lookup.look_up(later, edited, profile))


async def test_the_audit_tells_which_attempt_failed(gateway: Gateway) -> None:
    gateway.provider = "openai"
    gateway.attempts = [{"provider": "anthropic", "status": 529}, {"provider": "openai", "status": 200}]
    (row,) = await looked_up(gateway)
    assert row.findings[0].evidence == "anthropic failed (529), openai answered"
    assert gateway.asked("audit") == 1


async def test_what_is_not_among_the_latest_requests_is_in_the_audit(gateway: Gateway) -> None:
    gateway.in_recent, gateway.provider = False, "openai"
    (row,) = await looked_up(gateway)
    assert (row.provider, names(row)) == ("openai", [FindingName.PROVIDER_FALLBACK])


async def test_the_expected_provider_may_be_named(gateway: Gateway) -> None:
    gateway.provider = "openai"
    (row,) = await looked_up(gateway, expect_provider="openai")
    assert (names(row), gateway.asked("health")) == ([], 0)
    (row,) = await looked_up(gateway, expect_provider="google")
    assert row.findings[0].evidence == "openai answered, not google, which `expect_provider` names"


async def test_a_cost_that_is_not_the_price_is_a_finding_of_the_request(gateway: Gateway) -> None:
    price = Price(input_per_million=0.25, output_per_million=1.25)
    (row,) = await looked_up(gateway, price=price)
    assert names(row) == []
    gateway.cost = 0.02
    (row,) = await looked_up(gateway, price=price)
    assert names(row) == [FindingName.COST_DIFFERS]


async def test_what_is_not_found_is_a_row_all_the_same_and_asked_for_less(gateway: Gateway) -> None:
    gateway.in_recent = gateway.in_audit = False
    async with aclosing(ProviderLookup()) as lookup:
        profile = profile_of(gateway)
        (row,) = await looked_up(gateway)
        for _ in range(MISSES + 3):
            assert await lookup.look_up(row, profile.endpoints[0], profile) == row
        before = gateway.asked("audit")
        await lookup.look_up(replace(row, now_ns=row.now_ns * 2), profile.endpoints[0], profile)
        assert gateway.asked("audit") == before + 1, "one look"


async def test_a_document_that_does_not_exist_is_not_asked_for_again(gateway: Gateway) -> None:
    gateway.missing = {"/gateway/metrics", "/gateway/audit"}
    rows = await looked_up(gateway, count=10)
    assert [row.provider for row in rows] == [""] * 10
    assert (gateway.asked("metrics"), gateway.asked("audit")) == (1, 1)


async def test_many_requests_share_what_is_asked(gateway: Gateway) -> None:
    profile = profile_of(gateway)
    (row,) = await looked_up(gateway)
    async with aclosing(ProviderLookup()) as lookup:
        found = await asyncio.gather(*(lookup.look_up(row, profile.endpoints[0], profile) for _ in range(50)))
    assert {each.provider for each in found} == {"anthropic"}
    assert (gateway.asked("metrics"), gateway.asked("health")) == (2, 2), "once for the row, once for all the others"


async def test_the_audit_tells_what_a_refused_request_was_tried_on(gateway: Gateway) -> None:
    gateway.refuses = True
    gateway.attempts = [{"provider": "anthropic", "status": 529}, {"provider": "openai", "status": 503}]
    (row,) = await looked_up(gateway)
    assert (row.verdict, row.provider) == (Verdict.SERVER_ERROR, "")
    assert [(each.name, each.evidence) for each in row.findings] == [
        (FindingName.RETRIES, "2 attempts: anthropic (529), openai (503)")
    ]
    assert gateway.asked("audit") == 1


async def test_what_the_endpoint_tolerates_is_no_finding(gateway: Gateway) -> None:
    gateway.provider, gateway.cost = "openai", 0.02
    price = Price(input_per_million=0.25, output_per_million=1.25)
    (row,) = await looked_up(gateway, price=price)
    assert names(row) == [FindingName.PROVIDER_FALLBACK, FindingName.COST_DIFFERS]
    (row,) = await looked_up(gateway, price=price, tolerate=("provider_fallback", "cost_differs"))
    assert (row.provider, names(row)) == ("openai", [])
    gateway.refuses, gateway.attempts = True, [{"provider": "anthropic"}, {"provider": "openai"}]
    (row,) = await looked_up(gateway, tolerate=("retries",))
    assert (row.verdict, names(row)) == (Verdict.SERVER_ERROR, [])


async def test_a_request_that_the_gateway_has_no_part_in_is_not_looked_up(gateway: Gateway) -> None:
    gateway.missing = {"/v1/messages"}
    (row,) = await looked_up(gateway)
    assert (row.verdict, gateway.asked("gateway")) == (Verdict.NOT_FOUND, 0)


async def test_a_gateway_that_says_nothing_delays_no_row_for_long(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(provider_lookup, "WAIT_S", 0.01)
    monkeypatch.setattr(provider_lookup._Source, "since", never)
    (row,) = await looked_up(gateway)
    assert (row.verdict, row.provider) == (Verdict.COMPLETE, "")


async def test_the_end_of_a_session_loses_no_row(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = asyncio.Event()

    async def never(*_: object) -> None:
        waits.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(provider_lookup._Source, "since", never)
    it = Emitted()
    engine = Engine(profile_of(gateway, interval_s=0.05, overlap=1), it.emit, seed=1)
    async with running(engine):
        await asyncio.wait_for(waits.wait(), 20)
    assert it.all(Request)[0].verdict is Verdict.COMPLETE


async def test_a_live_session_reports_the_fallback_once(gateway: Gateway) -> None:
    gateway.provider = "openai"
    it = Emitted()
    profile = profile_of(gateway, interval_s=0.05)
    engine = Engine(profile, RecordPipeline(profile, it.emit).put, seed=1)
    async with running(engine):
        await it.until(lambda: len(it.all(Request)) >= 3)
    incidents = [each for each in it.all(LogEntry) if each.kind == "finding"]
    assert [each.text.partition(", ")[0] for each in incidents] == ["provider_fallback: openai answered"]


async def test_an_endpoint_cannot_name_metrics_that_do_not_exist(gateway: Gateway) -> None:
    it = Emitted()
    engine = Engine(Profile(endpoints=_paused(profile_of(gateway))), it.emit, seed=1)
    async with running(engine):
        await it.until(lambda: engine.running)
        engine.handle(PutEndpoint(endpoint=Endpoint(name="b", api="openai-chat", url="http://h", metrics="claude")))
    assert [each.text for each in it.all(Notice)] == ["b: there is no endpoint claude with the API gateway-metrics"]


async def test_a_key_in_a_gateways_documents_is_masked(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKUP_KEY", "canary-0123456789abcdef")
    gateway.provider = "openai canary-0123456789abcdef"
    (row,) = await looked_up(gateway, key="env:LOOKUP_KEY")
    assert "canary-0123456789" not in str(row)
    assert "canary-0123456789" not in row.findings[0].evidence
