"""The story that the demo tells: calm at first, then troubles that lead to their states and pass."""

from __future__ import annotations

from typing import Any

import pytest

from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.profile import demo_profile
from gwtui.gateway.scenario import Scenario, load_scenario
from gwtui.health.health import Health
from gwtui.history.usual_tracker import UsualTracker
from gwtui.model.enums import State
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.profile import Endpoint, Thresholds
from gwtui.model.records import Heartbeat, Ping, Record, Request, SessionStarted
from gwtui.model.verdicts import Verdict

S = 1_000_000_000
CHAT = "/v1/chat/completions"
SLOW_MS = 1200
"""No endpoint takes that long to its first token while all is well."""


STORY = [
    # endpoint, seconds since the start, what is wrong
    ("gateway-gpt", 12, {}),
    ("gateway-gpt", 25, {}),
    ("gateway-gpt", 30, {"slow": True}),
    ("gateway-gpt", 55, {}),
    ("sourcegraph-claude", 12, {}),
    ("sourcegraph-claude", 30, {"cut_after": 17}),
    ("sourcegraph-claude", 55, {}),
    ("gateway-starcoder", 12, {}),
    ("gateway-starcoder", 40, {"status": 503, "retry_after": 2}),
    ("gateway-starcoder", 55, {}),
    ("gateway-ws", 12, {}),
    ("gateway-ws", 28.5, {"drop": True}),
    ("gateway-ws", 55, {}),
    ("local-llama", 145, {"buffer": True}),
    ("local-llama", 170, {}),
]


@pytest.mark.parametrize("round_s", [0, 240, 2400])
@pytest.mark.parametrize(("name", "at_s", "wrong"), STORY)
def test_the_demo_repeats_its_story(name: str, at_s: float, wrong: dict[str, Any], round_s: int) -> None:
    behaviour = _demo_behaviour(load_scenario(), name, at_s + round_s)
    faults = ("status", "retry_after", "cut_after", "error_after", "buffer", "drop")
    found: dict[str, Any] = {fault: value for fault in faults if (value := getattr(behaviour, fault)) is not None}
    if behaviour.ttft_ms > SLOW_MS:
        found["slow"] = True
    assert found == wrong


def test_the_demo_is_calm_at_first_for_every_endpoint() -> None:
    scenario = load_scenario()
    for endpoint in demo_profile("http://127.0.0.1:1").endpoints:
        for nth in range(1, 15):
            calm = scenario.behaviour(endpoint.path or CHAT, endpoint.model or "", nth * 1.7, nth)
            assert calm.ttft_ms < SLOW_MS
            assert (calm.status, calm.cut_after, calm.drop, calm.buffer, calm.error_after) == (None,) * 5


def _demo_behaviour(scenario: Scenario, name: str, at_s: float) -> Behaviour:
    endpoint = demo_profile("http://127.0.0.1:1").endpoint(name)
    assert endpoint is not None
    return scenario.behaviour(endpoint.path or CHAT, endpoint.model or "", at_s, 2)


def test_each_of_the_demos_troubles_leads_to_its_state_within_the_first_minute_and_passes() -> None:
    entries = [(one.now_ns / S, one.endpoint, one.state) for one in _demo_entries(until_s=100) if one.kind == "state"]
    assert sorted((endpoint, state) for _, endpoint, state in entries) == [
        ("gateway-gpt", State.SLOW),
        ("gateway-gpt", State.UP),
        ("gateway-starcoder", State.DOWN),
        ("gateway-starcoder", State.UP),
        ("sourcegraph-claude", State.DEGRADED),
        ("sourcegraph-claude", State.UP),
    ]
    begins = {"gateway-gpt": 26, "sourcegraph-claude": 30, "gateway-starcoder": 37}
    for at_s, endpoint, state in entries:
        if state is not State.UP:
            assert begins[endpoint] < at_s < begins[endpoint] + 10


def test_the_demo_has_no_rules_of_its_own() -> None:
    profile = demo_profile("http://127.0.0.1:1")
    assert profile.thresholds == Thresholds()
    assert all(endpoint.thresholds is None for endpoint in profile.endpoints)


def _demo_entries(until_s: int) -> list[LogEntry]:
    """What is made of the demo's scenario: a probe per interval, its result as the script has it, and no history."""
    scenario, profile = load_scenario(), demo_profile("http://127.0.0.1:1")
    records: list[Record] = [Heartbeat(at=second, now_ns=second * S) for second in range(1, until_s)]
    for endpoint in profile.endpoints:
        for nth in range(1, int(until_s / profile.interval_of(endpoint))):
            at_s = nth * profile.interval_of(endpoint)
            behaviour = scenario.behaviour(endpoint.path or CHAT, endpoint.model or "", at_s, nth)
            records.append(_result(endpoint, nth, at_s, behaviour))
    records.sort(key=lambda record: getattr(record, "now_ns", 0))
    tracker, health = UsualTracker(remembers=False), Health(profile)
    entries: list[LogEntry] = []
    for record in (SessionStarted(started_at=0, now_ns=0, profile=profile), *records):
        usual = [each for each in tracker.apply(record) if isinstance(each, Usual)]
        news = [entry for each in (record, *usual) for entry in health.apply(each)]
        for entry in news:
            assert not tracker.apply(entry), "nothing that is learnt waits for an incident to end"
        entries += news
    return entries


def _result(endpoint: Endpoint, nth: int, at_s: float, behaviour: Behaviour) -> Record:
    """What a probe at that moment would find."""
    ttft_s, verdict = behaviour.ttft_ms / 1000, Verdict.COMPLETE
    if endpoint.api == "websocket":
        pong = Verdict.NO_PONG if behaviour.drop else Verdict.PONG
        rtt_ns = None if behaviour.drop else int(ttft_s * S)
        now_ns = int((at_s + (2 if behaviour.drop else ttft_s)) * S)
        return Ping(
            endpoint=endpoint.name, number=nth, started_at=0, now_ns=now_ns, verdict=pong, rule="", rtt_ns=rtt_ns
        )
    if behaviour.status is not None:
        verdict = Verdict.UNAVAILABLE
    elif behaviour.cut_after is not None:
        verdict = Verdict.TRUNCATED
    streams = endpoint.api != "http"
    return Request(
        endpoint=endpoint.name,
        number=nth,
        started_at=0,
        now_ns=int((at_s + ttft_s + streams) * S),
        api=endpoint.api,
        stream=streams,
        verdict=verdict,
        rule="",
        ttft_ns=int(ttft_s * S),
        duration_ns=int((ttft_s + streams) * S),
    )
