"""Incidents of gateways as records, with default settings: each is one incident with its scope and cause, soon."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from support.fleet import EU, US, claude, gpt
from support.judged import START_AT
from support.playing import Change, Fault, Play, failing, finding, late, slower

from gwtui.model.enums import BAD, FindingName, State
from gwtui.model.incidents import Incident, IncidentEvent
from gwtui.model.profile import Endpoint, Maintenance, Profile
from gwtui.model.verdicts import Verdict

EU_NAMES = ("eu-claude", "eu-gpt", "eu-mini", "eu-haiku")
FLEET = Profile(
    endpoints=(
        claude("eu-claude", EU, key="env:EU"),
        gpt("eu-gpt", EU, key="env:EU"),
        gpt("eu-mini", EU, key="env:EU", model="gpt-mini"),
        claude("eu-haiku", EU, key="env:EU", model="claude-haiku"),
        claude("us-claude", US, key="env:US"),
        gpt("us-gpt", US, key="env:US"),
        gpt("us-mini", US, key="env:US", model="gpt-mini"),
        Endpoint(name="eu-ws", api="websocket", url="wss://eu.example.com/ws"),
    )
)
FROM_S, TO_S = 120, 300
OVERLOADED = failing(Verdict.OVERLOADED, 529)


def told_after(incident: Incident) -> float:
    """Seconds from the beginning of the fault until it was told."""
    return incident.told - START_AT - FROM_S


def ended_after(incident: Incident) -> float:
    assert incident.closed is not None
    return incident.closed - START_AT - TO_S


def by_flaps(at_s: float) -> list[Fault]:
    """A WebSocket that is closed for 20 s in each 40 s."""
    closed = failing(Verdict.CLOSED)
    return [Fault(at_s + begin, at_s + begin + 20, closed, ["eu-ws"]) for begin in range(0, 180, 40)]


@pytest.mark.parametrize(
    ("faults", "scope", "cause", "severity", "within_s"),
    [
        ([Fault(FROM_S, TO_S, slower(10), EU_NAMES)], f"gateway {EU}", "slow (ttft: ", State.SLOW, 20),
        ([Fault(FROM_S, TO_S, slower(10), ["us-gpt"])], "endpoint us-gpt", "slow (ttft: ", State.SLOW, 20),
        (
            [Fault(FROM_S, TO_S, failing(Verdict.TRUNCATED, 200, 0.25), EU_NAMES)],
            f"gateway {EU}",
            "answers cut (truncated",
            State.DOWN,
            100,
        ),
        (
            [Fault(FROM_S, TO_S, failing(Verdict.RATE_LIMITED, 429), EU_NAMES)],
            f"gateway {EU}",
            "rate limited (rate_limited 429)",
            State.DOWN,
            16,
        ),
        (
            [Fault(FROM_S, TO_S, finding(FindingName.BUFFERED), EU_NAMES)],
            f"gateway {EU}",
            "buffered",
            State.DEGRADED,
            26,
        ),
        (by_flaps(FROM_S), "endpoint eu-ws", "pings lost (closed)", State.DOWN, 16),
        (
            [Fault(FROM_S, TO_S, OVERLOADED, ["eu-claude", "eu-haiku", "us-claude"])],
            "provider anthropic",
            "overloaded (overloaded 529)",
            State.DOWN,
            16,
        ),
        (
            [Fault(FROM_S, TO_S, failing(Verdict.AUTH, 401), EU_NAMES)],
            f"gateway {EU}",
            "keys refused (auth 401)",
            State.DOWN,
            16,
        ),
        (
            [Fault(FROM_S, TO_S, failing(Verdict.DNS))],
            "place here",
            "not reachable (dns)",
            State.DOWN,
            16,
        ),
    ],
    ids=["slow", "slow-one", "cut", "429", "buffered", "flapping", "provider", "keys", "network"],
)
def test_an_incident_is_one_soon_and_says_where_and_why(
    faults: list[Fault], scope: str, cause: str, severity: State, within_s: float
) -> None:
    play = Play(FLEET, faults, seconds=700)
    [incident] = play.incidents
    assert incident.scope == scope
    assert max((entry.severity for entry in play.of("incident") if entry.severity), key=BAD.index) is severity
    assert incident.cause.startswith(cause)
    assert told_after(incident) <= within_s
    assert 0 <= incident.opened - START_AT - FROM_S <= within_s
    assert incident.closed is not None
    assert play.of("incident")[-1].event is IncidentEvent.CLOSED


def test_what_is_said_at_the_end() -> None:
    play = Play(FLEET, [Fault(FROM_S, TO_S, slower(10), ["us-gpt"])])
    closed = play.of("incident")[-1]
    took, _, figures = closed.text.partition("; p50 TTFT ")
    assert took.startswith("over after 3m")
    before, during, after = figures.split(", ")
    assert before.endswith(" ms before")
    assert during.endswith(" s during")
    assert after.endswith(" ms after")


def test_two_that_overlap_are_two() -> None:
    """On two gateways, and on one where the causes have nothing to do with each other."""
    us_slow = Fault(FROM_S + 30, TO_S + 30, slower(10), ["us-claude", "us-gpt", "us-mini"])
    two = Play(FLEET, [Fault(FROM_S, TO_S, failing(Verdict.AUTH, 401), EU_NAMES), us_slow])
    assert [incident.scope for incident in two.incidents] == [f"gateway {EU}", f"gateway {US}"]
    beside = Play(FLEET, [Fault(FROM_S, TO_S, failing(Verdict.TRUNCATED, 200), EU_NAMES), *by_flaps(FROM_S + 5)])
    assert [incident.scope for incident in beside.incidents] == [f"gateway {EU}", "endpoint eu-ws"]


@pytest.mark.parametrize(
    ("names", "places", "change", "scope"),
    [
        (None, ["fra"], failing(Verdict.CONNECT_TIMEOUT), "place fra"),
        ([*EU_NAMES, "eu-ws"], ["fra"], failing(Verdict.CONNECT_TIMEOUT), f"path fra -> {EU}"),
        (EU_NAMES, ["fra"], slower(8), f"path fra -> {EU}"),
        ([*EU_NAMES, "eu-ws"], None, failing(Verdict.CONNECT_TIMEOUT), f"gateway {EU}"),
        (["us-gpt"], None, OVERLOADED, "endpoint us-gpt"),
    ],
)
def test_from_several_places(names: list[str] | None, places: list[str] | None, change: Change, scope: str) -> None:
    play = Play(FLEET, [Fault(FROM_S, TO_S, change, names, places)], places=["", "fra", "iad"])
    [incident] = play.incidents
    assert incident.scope == scope
    assert not incident.is_open
    assert {member.vantage for member in incident.members} == set(places or ["", "fra", "iad"])


def overloaded(at_s: float) -> float:
    return 2.5 if FROM_S <= at_s < TO_S else 0.0


def test_own_overload_is_two_entries_and_no_incident_of_a_gateway() -> None:
    play = Play(FLEET, [Fault(FROM_S, TO_S, late)], lag_s=overloaded)
    assert play.incidents == ()
    lag, unjudged = play.entries
    assert (lag.kind, unjudged.kind) == ("engine", "engine")
    assert lag.text == "this machine delayed gwtui by 2.50 s: affected times are marked"
    assert unjudged.text.startswith("not judged: this machine was late for most results of ")


def test_a_real_incident_is_seen_while_this_machine_is_overloaded() -> None:
    refused = Fault(FROM_S + 30, TO_S - 30, failing(Verdict.AUTH, 401), EU_NAMES)
    play = Play(FLEET, [Fault(FROM_S, TO_S, late), refused], lag_s=overloaded)
    [incident] = play.incidents
    assert (incident.scope, incident.cause) == (f"gateway {EU}", "keys refused (auth 401)")
    assert told_after(incident) <= 30 + 16


def test_a_healthy_fleet_is_quiet_for_an_hour_under_changing_load_of_our_own() -> None:
    fleet = Profile(
        endpoints=tuple(
            make(f"{where}-{number}", f"https://{where}.example.com", key=f"env:{where.upper()}")
            for where in ("eu", "us", "ap")
            for number, make in enumerate((claude, gpt) * 10)
        ),
        interval_s=15,
    )
    busy = [Fault(begin, begin + 120, late) for begin in range(300, 3600, 600)]
    play = Play(fleet, busy, seconds=3600, lag_s=lambda at_s: 3.0 if 300 <= at_s % 600 < 420 else 0.0)
    assert len(play.incidents) <= 1
    assert all(incident.severity is State.SLOW for incident in play.incidents)
    assert play.of("finding") == []
    assert len(play.of("engine")) == 2 * len(busy), "late, and not judged"


def test_maintenance_opens_nothing() -> None:
    window = Maintenance(start="2027-01-15T08:00:00Z", end="2027-01-15T08:03:20Z", endpoints=EU_NAMES)
    profile = replace(FLEET, maintenance=(window,))
    begins_at = datetime(2027, 1, 15, 8, tzinfo=UTC).timestamp()
    assert begins_at == START_AT
    play = Play(profile, [Fault(FROM_S, 180, failing(Verdict.AUTH, 401), EU_NAMES)])
    assert play.incidents == ()
    assert {entry.state for entry in play.of("state")} == {State.DOWN, State.UP}
    longer = Play(profile, [Fault(FROM_S, TO_S, failing(Verdict.AUTH, 401), EU_NAMES)])
    [incident] = longer.incidents
    assert 200 <= incident.told - START_AT <= 206


def test_another_trouble_soon_after_one_is_over_as_soon() -> None:
    """Flapping is what comes again, not what a gateway refuses for another reason."""
    keys, busy = failing(Verdict.AUTH, 401), failing(Verdict.OVERLOADED, 529)
    play = Play(FLEET, [Fault(120, 180, keys, EU_NAMES), Fault(210, 270, busy, EU_NAMES)], seconds=400)
    first, second = play.incidents
    assert second.closed is not None
    assert second.closed - START_AT <= 270 + 16
    assert [each.cause for each in (first, second)] == ["keys refused (auth 401)", "overloaded (overloaded 529)"]


def test_a_finding_that_is_an_incident_says_so_and_its_end_too() -> None:
    play = Play(FLEET, [Fault(FROM_S, TO_S, finding(FindingName.DAMAGED), EU_NAMES)], seconds=700)
    rows = [entry for entry in play.of("finding") if entry.endpoint == "eu-gpt"]
    assert [entry.incident for entry in rows] == [None, 1]
    assert [entry.is_news for entry in rows] == [True, False]
    [widened] = [entry for entry in play.of("incident") if entry.endpoint == "eu-gpt" and entry.event == "wider"]
    assert widened.explains(rows[0])
