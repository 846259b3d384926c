"""The sentence for what is wrong says what, where, how much of it, for how long, and what is fine."""

from __future__ import annotations

import pytest
from support.fleet import EU, NO_NAME, OVERLOADED, SLOW, TWO_GATEWAYS, Fleet, claude, gpt

from gwtui.health.sentence import event_facts, gateway_names, sentence
from gwtui.model.enums import State
from gwtui.model.incidents import Cause, CauseKind, IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint

EU_ALL = ("eu-claude", "eu-gpt", "eu-mini")


def said(fleet: Fleet, *, sick: tuple[str, ...] = ()) -> str:
    states = {each.name: State.DOWN if each.name in sick else State.UP for each in TWO_GATEWAYS}
    return sentence(fleet.log.incidents, states, TWO_GATEWAYS, fleet.now().at)


TWO_KEYS = (gpt("a", EU, key="env:ONE"), gpt("b", EU, key="env:ONE"), gpt("c", EU, key="env:TWO"))


def test_a_gateway_that_refuses_keys() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick(*EU_ALL)
    fleet.wait(67)
    assert said(fleet, sick=EU_ALL) == (
        "Keys refused by eu gateway (3 of 3 endpoints, 401) for 1m12s. us gateway is fine."
    )


def test_the_worst_comes_first_and_what_is_acknowledged_last() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("us-gpt", cause=SLOW, state=State.SLOW)
    fleet.sick("eu-gpt", cause=OVERLOADED)
    expected = [
        "Overloaded: eu-gpt (529) for 5s.",
        "Slow: us-gpt (TTFT 8x its usual 330 ms) for 10s.",
    ]
    assert said(fleet, sick=("us-gpt", "eu-gpt")) == " ".join(expected)
    fleet.acknowledge(2, "vendor knows")
    expected[0] = "Overloaded: eu-gpt (529) for 5s, acknowledged: vendor knows."
    assert said(fleet, sick=("us-gpt", "eu-gpt")) == " ".join(reversed(expected))


def test_this_machine() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", "eu-gpt", "us-gpt", cause=NO_NAME)
    assert said(fleet, sick=("eu-claude", "eu-gpt", "us-gpt")) == (
        "Not reachable: this machine or its network (3 of 5 endpoints, dns) for 5s."
    )


def test_a_key_that_is_refused() -> None:
    fleet = Fleet(*TWO_KEYS)
    fleet.well(times=4)
    for _ in range(3):
        fleet.sick("a", "b")
        fleet.well("c")
    text = sentence(fleet.log.open, {"a": State.DOWN, "b": State.DOWN}, TWO_KEYS, fleet.now().at)
    assert text.startswith("Key env:ONE refused (2 of 2 endpoints, 401) for")


def test_a_path_and_a_provider() -> None:
    fleet = Fleet(places=("", "fra"))
    fleet.well(times=4)
    for _ in range(3):
        fleet.sick(*(f"fra/{name}" for name in EU_ALL), cause=NO_NAME)
        fleet.well(*EU_ALL)
    assert said(fleet, sick=EU_ALL).startswith("Not reachable: eu gateway from fra (3 of 3 endpoints, dns)")
    fleet = Fleet()
    fleet.sick("eu-claude", "us-claude", cause=OVERLOADED)
    assert said(fleet, sick=EU_ALL).startswith("Overloaded: provider anthropic (2 of 2 endpoints, 529)")


def test_nothing_wrong_is_nothing_to_say() -> None:
    fleet = Fleet()
    fleet.sick("eu-gpt")
    fleet.well("eu-gpt")
    assert said(fleet) == ""


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        (TWO_GATEWAYS, ["eu gateway", "us gateway"]),
        ((gpt("gateway-a", EU), gpt("gateway-b", EU)), ["eu.example.com"]),
        (
            (gpt("prod-a", EU), gpt("prod-b", EU), gpt("prod-c", "http://10.0.0.1:8080")),
            ["eu.example.com", "10.0.0.1:8080"],
        ),
        ((gpt("a", EU), claude("b", "https://us.example.com")), ["eu.example.com", "us.example.com"]),
        ((Endpoint(name="x", api="websocket", url="wss://eu.example.com/ws"), gpt("y", EU)), ["eu.example.com"]),
    ],
)
def test_a_gateway_is_called_as_its_endpoints_are_or_by_its_host(
    endpoints: tuple[Endpoint, ...], expected: list[str]
) -> None:
    assert list(gateway_names(endpoints).values()) == expected


def facts(event: IncidentEvent, text: str, cause: str, scope: str = f"gateway {EU}") -> str:
    entry = LogEntry(
        at=0, now_ns=0, kind="incident", endpoint="eu-a", incident=1, event=event, text=text, scope=scope, cause=cause
    )
    return event_facts(entry, {EU: "eu gateway"})


def test_events_say_the_gateway_by_the_name_that_the_sentence_has() -> None:
    assert facts(IncidentEvent.CLOSED, "over after 59s", "buffered") == "eu gateway: buffered over after 59s"
    wider = facts(
        IncidentEvent.WIDER, f"eu-a too: 3 auth in a row; 2 of 5 endpoints: gateway {EU}", "keys refused (auth)"
    )
    assert wider == "eu-a too: 3 auth in a row; 2 of 5 endpoints: eu gateway"
    assert facts(IncidentEvent.CLOSED, "over after 9s", "slow (rtt)", f"path fra -> {EU}").startswith(
        "eu gateway from fra"
    )
    assert facts(IncidentEvent.CLOSED, "over after 9s", "slow (rtt)", "place here").startswith(
        "this machine or its net"
    )


def test_a_finding_is_said_once() -> None:
    buffered = "buffered: all 40 content events came in one read"
    assert facts(IncidentEvent.OPENED, f"eu-a: {buffered}", "buffered", "endpoint eu-a") == f"eu-a: {buffered}"
    changed = f"eu-a: {buffered}; before slow (ttft: 3x its usual 150 ms)"
    assert facts(IncidentEvent.CAUSE_CHANGED, changed, "buffered") == changed
    other = facts(IncidentEvent.CAUSE_CHANGED, "eu-a: 3 auth in a row; before buffered", "keys refused (auth)")
    assert other == "keys refused (auth); eu-a: 3 auth in a row; before buffered"


def test_a_finding_in_the_sentence() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-gpt", cause=Cause(CauseKind.FINDING, "buffered"), state=State.DEGRADED)
    assert said(fleet, sick=("eu-gpt",)).startswith("Buffered: eu-gpt for 5s.")
