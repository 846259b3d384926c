"""Incidents as objects are the same from a live session's entries and from the rows of its file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.fleet import LOST, NO_NAME, OVERLOADED, REFUSED, SLOW, TWO_GATEWAYS, Fleet

from gwtui.codec.csv_schema import incident_of, incident_row
from gwtui.health import incident_log
from gwtui.health.incident_log import IncidentLog
from gwtui.model.enums import State
from gwtui.model.incidents import Cause, IncidentEvent, Scope
from gwtui.model.judged import LogEntry

NAMES = [endpoint.name for endpoint in TWO_GATEWAYS]
CAUSES = (REFUSED, OVERLOADED, NO_NAME, LOST, SLOW)

steps = st.lists(
    st.tuples(
        st.sampled_from(["well", "sick", "sick", "failing", "wait", "acknowledge", "leave"]),
        st.sampled_from(NAMES),
        st.sampled_from(CAUSES),
        st.sampled_from([State.SLOW, State.DEGRADED, State.DOWN]),
    ),
    max_size=60,
)


def played(doings: list[tuple[str, str, Cause, State]]) -> Fleet:
    fleet = Fleet()
    fleet.well(times=2)
    for doing, name, cause, state in doings:
        match doing:
            case "sick":
                fleet.sick(name, cause=cause, state=state)
            case "wait":
                fleet.wait(30)
            case "acknowledge":
                fleet.acknowledge(1, "known")
            case "leave":
                fleet.leave(name, "paused")
            case _:
                getattr(fleet, doing)(name)
    return fleet


def reread(entry: LogEntry) -> LogEntry:
    return incident_of({name: "" if cell is None else str(cell) for name, cell in incident_row(entry).items()})


@settings(deadline=None)
@given(steps)
def test_incidents_read_back_from_the_file_are_those_of_the_live_session(
    doings: list[tuple[str, str, Cause, State]],
) -> None:
    fleet = played(doings)
    log = IncidentLog()
    for record in fleet.records:
        log.apply(reread(record) if isinstance(record, LogEntry) else record)
    assert log.incidents == fleet.log.incidents


@settings(deadline=None)
@given(steps)
def test_every_incident_has_one_story(doings: list[tuple[str, str, Cause, State]]) -> None:
    """It is opened once, ends at most once more often than it is opened again, and its words are read back."""
    fleet = played(doings)
    numbers = [entry.incident for entry in fleet.entries if entry.event == "opened"]
    assert numbers == list(range(1, len(numbers) + 1))
    for incident in fleet.log.incidents:
        events = [change.event for change in incident.changes]
        ends = sum(event in ("closed", "merged") for event in events)
        assert events[0] == "opened"
        assert ends - events.count(IncidentEvent.REOPENED) == (0 if incident.is_open else 1)
        assert str(Scope.parse(incident.scope)) == incident.scope
        assert str(Cause.parse(incident.cause)) == incident.cause
        assert incident.opened <= incident.told
        assert incident.is_open is any(member.until is None for member in incident.members)
    sick = {key for key, peer in fleet.incidents._peers.items() if peer.sickness is not None}
    in_one = [member for incident in fleet.log.open for member in incident.members if member.until is None]
    assert sorted((member.vantage, member.endpoint) for member in in_one) == sorted(sick)


def test_incidents_that_are_over_are_forgotten_before_open_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_log, "MOST", 3)
    monkeypatch.setattr(incident_log, "SPARE", 0)
    fleet = Fleet()
    fleet.sick("us-gpt", cause=SLOW)
    for _ in range(6):
        fleet.sick("eu-claude", cause=LOST)
        fleet.well("eu-claude", times=30)
    assert [incident.number for incident in fleet.log.incidents] == [1, 6, 7]


def test_a_file_of_nothing_but_open_incidents_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_log, "MOST", 3)
    monkeypatch.setattr(incident_log, "SPARE", 2)
    fleet = Fleet()
    fleet.sick("us-gpt", cause=SLOW)
    (opened,) = [entry for entry in fleet.entries if entry.kind == "incident"]
    log = incident_log.IncidentLog()
    for number in range(1, 60):
        log.apply(replace(opened, incident=number, endpoint=f"e{number}"))
        assert len(log.incidents) <= 5
    assert [incident.number for incident in log.incidents][-3:] == [57, 58, 59]
