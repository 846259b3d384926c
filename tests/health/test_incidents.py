"""Sick endpoints become incidents: which of them are one, under which scope, and what is said of it."""

from __future__ import annotations

import pytest
from support.fleet import EU, LOST, NO_NAME, OVERLOADED, REFUSED, SLOW, TWO_GATEWAYS, US, Fleet, claude, gpt
from support.judged import S

from gwtui.model.enums import State
from gwtui.model.incidents import Cause, CauseKind, IncidentEvent
from gwtui.model.profile import Endpoint

EU_ALL = ("eu-claude", "eu-gpt", "eu-mini")
ALL = (*EU_ALL, "us-claude", "us-gpt")


def test_one_sick_endpoint_is_one_incident_at_once_and_its_end_says_how_it_went() -> None:
    fleet = Fleet()
    fleet.well(times=10)
    fleet.failing("eu-gpt")
    fleet.failing("eu-gpt")
    fleet.well("eu-claude", "eu-mini")
    fleet.sick("eu-gpt")
    fleet.sick("eu-gpt")
    fleet.well("eu-gpt")
    opened, closed = fleet.entries
    assert (opened.event, opened.scope, opened.cause) == ("opened", "endpoint eu-gpt", "keys refused (auth 401)")
    assert (opened.since, opened.failures, opened.severity) == (opened.at - 15, 3, State.DOWN)
    assert opened.text == "eu-gpt: 3 auth in a row"
    assert (closed.event, closed.failures) == (IncidentEvent.CLOSED, 4)
    assert closed.text == "over after 25s: 4 failed; p50 TTFT 100 ms before, 100 ms after"


def test_all_of_a_gateway_are_one_incident_with_its_name() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    for names in (EU_ALL[:1], EU_ALL[:2], EU_ALL):
        fleet.sick(*names, cause=OVERLOADED)
        fleet.well("us-claude", "us-gpt")
    assert fleet.events() == ["1 opened endpoint eu-claude", f"1 wider gateway {EU}", f"1 wider gateway {EU}"]
    assert fleet.entries[-1].text.endswith(f"; 3 of 3 endpoints: gateway {EU}")
    fleet.well("eu-claude")
    fleet.well("eu-gpt")
    fleet.well("eu-mini")
    assert [entry.event for entry in fleet.entries[-3:]] == ["narrower", "narrower", "closed"]
    [incident] = fleet.log.incidents
    assert [member.until is not None for member in incident.members] == [True] * 3


def test_the_last_sick_endpoint_of_a_gateway_does_not_make_its_incident_smaller() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick(*EU_ALL, cause=OVERLOADED)
    fleet.well("eu-claude", "eu-gpt")
    for _ in range(10):
        fleet.sick("eu-mini", cause=OVERLOADED)
        fleet.well("eu-claude", "eu-gpt", "us-claude", "us-gpt")
    assert [entry.event for entry in fleet.entries][-2:] == ["narrower", "narrower"]
    assert {entry.scope for entry in fleet.entries[2:]} == {f"gateway {EU}"}


def test_refused_keys_are_the_keys_where_its_gateway_takes_another_one() -> None:
    fleet = Fleet(*TWO_GATEWAYS, gpt("eu-own", EU, key="env:OWN"))
    fleet.well(times=4)
    for _ in range(4):
        fleet.sick(*EU_ALL)
        fleet.well("eu-own", "us-claude", "us-gpt")
    assert fleet.entries[-1].scope == "key env:EU"
    assert {entry.incident for entry in fleet.entries} == {1}


def test_refused_keys_of_a_whole_gateway_are_the_gateways() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick(*EU_ALL)
    assert fleet.entries[-1].scope == f"gateway {EU}"


def test_a_provider_behind_two_gateways_is_one_incident() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    for names in (("eu-claude",), ("eu-claude", "us-claude"), ("eu-claude", "us-claude")):
        fleet.sick(*names, cause=OVERLOADED)
        fleet.well("eu-gpt", "eu-mini", "us-gpt", times=2)
    assert fleet.events() == ["1 opened endpoint eu-claude", "1 wider provider anthropic"]


def test_a_model_is_the_cause_where_others_of_its_provider_work() -> None:
    old = [claude(f"{where}-old", url, model="claude-old") for where, url in (("eu", EU), ("us", US))]
    fleet = Fleet(*TWO_GATEWAYS, *old)
    fleet.well(times=4)
    for _ in range(3):
        fleet.sick("eu-old", "us-old", cause=OVERLOADED)
        fleet.well(*ALL, times=2)
    assert {entry.incident for entry in fleet.entries} == {1}
    assert fleet.entries[-1].scope == "model claude-old"


def test_a_scope_that_a_healthy_endpoint_contradicts_later_gets_narrower() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-gpt", "eu-mini", cause=OVERLOADED)
    fleet.sick("eu-gpt", "eu-mini", cause=OVERLOADED)
    assert fleet.entries[-1].scope == f"gateway {EU}"
    fleet.well("eu-claude", times=9)
    assert fleet.events()[-1] == "1 narrower provider openai"
    assert "eu-claude is well" in fleet.entries[-1].text


def test_most_of_what_is_asked_from_here_is_this_machine_or_its_network() -> None:
    """Open incidents that turn out to be one are merged, and the first keeps its number."""
    fleet = Fleet()
    fleet.well(times=4)
    for place in (("eu-claude",), ("eu-claude", "us-gpt")):
        fleet.sick(*place, cause=NO_NAME)
    fleet.sick("eu-gpt", cause=LOST)
    assert (
        fleet.events()
        == [
            "1 opened endpoint eu-claude",
            "2 opened endpoint us-gpt",
            "3 opened endpoint eu-gpt",
            "3 merged endpoint eu-gpt",
            "1 wider place here",
            "2 merged endpoint us-gpt",
            "1 wider place here",
        ]
        or fleet.events()[-1] == "1 wider place here"
    )
    assert "this machine or its network" in fleet.entries[-1].text
    assert [incident.number for incident in fleet.log.open] == [1]
    [one] = fleet.log.open
    assert {member.endpoint for member in one.members} == {"eu-claude", "us-gpt", "eu-gpt"}
    assert {each.merged_into for each in fleet.log.incidents} == {None, 1}


def test_what_was_sick_alone_long_before_does_not_date_back_what_takes_all() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("us-gpt", cause=OVERLOADED)
    for _ in range(15):
        fleet.well("eu-claude", "eu-gpt", "eu-mini", "us-claude")
        fleet.sick("us-gpt", cause=OVERLOADED)
    before = fleet.entries[-1].at
    fleet.sick("eu-claude", "eu-gpt", "eu-mini", "us-claude", cause=NO_NAME)
    fleet.sick("us-gpt", cause=NO_NAME)
    own, whole = fleet.log.incidents[0], fleet.log.open[0]
    assert (own.cause, own.closed is not None, len(fleet.log.open)) == (str(OVERLOADED), True, 1)
    assert (whole.scope, len(whole.members)) == ("place here", 5)
    assert whole.opened > before


def test_what_only_one_place_cannot_reach_is_the_path() -> None:
    fleet = Fleet(places=("", "fra"))
    fleet.well(times=4)
    for _ in range(4):
        fleet.sick(*(f"fra/{name}" for name in EU_ALL), cause=NO_NAME)
        fleet.well(*ALL, "fra/us-claude", "fra/us-gpt")
    assert {entry.incident for entry in fleet.entries} == {1}
    assert fleet.entries[-1].scope == f"path fra -> {EU}"


def test_from_every_place_it_is_the_gateway() -> None:
    fleet = Fleet(places=("", "fra"))
    fleet.well(times=4)
    for _ in range(3):
        fleet.sick(*EU_ALL, *(f"fra/{name}" for name in EU_ALL), cause=NO_NAME)
        fleet.well("us-claude", "us-gpt", "fra/us-claude", "fra/us-gpt")
    assert fleet.entries[-1].scope == f"gateway {EU}"
    assert {entry.incident for entry in fleet.entries} == {1}


def test_different_causes_at_one_time_are_two_incidents() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", cause=REFUSED)
    fleet.sick("eu-gpt", cause=OVERLOADED)
    assert [incident.cause for incident in fleet.log.open] == ["keys refused (auth 401)", "overloaded (overloaded 529)"]


def test_what_began_long_after_is_another_incident() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", cause=OVERLOADED)
    fleet.well("eu-gpt", times=30)
    fleet.sick("eu-gpt", cause=OVERLOADED)
    assert len(fleet.log.open) == 2


def test_a_health_check_without_a_key_contradicts_no_refused_keys() -> None:
    fleet = Fleet(*TWO_GATEWAYS, Endpoint(name="eu-health", api="http", url=EU, path="/healthz"))
    fleet.well(times=4)
    for _ in range(6):
        fleet.sick(*EU_ALL)
        fleet.well("eu-health", times=3)
    assert fleet.entries[-1].scope == f"gateway {EU}"


def test_a_member_that_is_sick_in_another_way_changes_the_incident() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", cause=NO_NAME)
    fleet.sick("eu-claude", cause=OVERLOADED)
    assert fleet.events()[-1] == "1 cause changed endpoint eu-claude"
    assert fleet.entries[-1].cause == "overloaded (overloaded 529)"
    assert "before not reachable (dns)" in fleet.entries[-1].text


def test_a_member_whose_new_cause_fits_another_incident_moves_there() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", "eu-gpt", cause=REFUSED)
    fleet.sick("us-gpt", cause=OVERLOADED)
    fleet.sick("eu-gpt", cause=OVERLOADED)
    moved = fleet.entries[-2:]
    assert [(entry.incident, entry.event) for entry in moved] == [(1, "narrower"), (2, "wider")]
    assert (moved[0].endpoint, moved[1].scope) == ("eu-gpt", "provider openai")
    first, second = fleet.log.incidents
    assert [(member.endpoint, member.until is None) for member in first.members] == [
        ("eu-claude", True),
        ("eu-gpt", False),
    ]
    assert {member.endpoint for member in second.members if member.until is None} == {"us-gpt", "eu-gpt"}


def test_worse_and_better_are_told_of_the_worst_endpoint() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", cause=SLOW, state=State.SLOW)
    fleet.sick("eu-claude", cause=SLOW, state=State.SLOW)
    fleet.sick("eu-claude", cause=OVERLOADED, state=State.DEGRADED)
    fleet.sick("eu-claude", cause=OVERLOADED, state=State.DOWN)
    fleet.sick("eu-claude", cause=OVERLOADED, state=State.DEGRADED)
    assert [entry.event for entry in fleet.entries] == ["opened", "cause changed", "worse", "better"]
    assert [entry.severity for entry in fleet.entries] == [State.SLOW, State.DEGRADED, State.DOWN, State.DEGRADED]


def test_the_same_again_soon_opens_the_incident_again() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    for _ in range(3):
        fleet.sick("eu-claude", cause=LOST)
        fleet.well("eu-claude", times=10)
    assert [entry.event for entry in fleet.entries] == ["opened", "closed", "reopened", "closed", "reopened", "closed"]
    assert {entry.incident for entry in fleet.entries} == {1}
    assert fleet.entries[-2].text == "eu-claude: 3 reset in a row; 3rd time in 2 min"
    [incident] = fleet.log.incidents
    assert (incident.is_open, len(incident.changes)) == (False, 6)


def test_the_same_again_after_a_long_one_is_the_second_time() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    for _ in range(130):
        fleet.sick("eu-claude", cause=LOST)
    fleet.well("eu-claude")
    fleet.sick("eu-claude", cause=LOST)
    assert fleet.entries[-1].event is IncidentEvent.REOPENED
    assert fleet.entries[-1].text.endswith("; 2nd time in 11 min")


def test_the_same_again_much_later_is_another_incident() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", cause=LOST)
    fleet.well("eu-claude", times=26)
    fleet.sick("eu-claude", cause=LOST)
    assert [entry.incident for entry in fleet.entries] == [1, 1, 2]


def test_acknowledged_stays_with_its_note() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude")
    fleet.acknowledge(1, "rotating")
    fleet.acknowledge(7, "of nothing")
    fleet.well("eu-claude")
    assert [entry.acknowledged for entry in fleet.entries] == ["", "rotating", "rotating"]
    assert fleet.log.incidents[0].acknowledged == "rotating"


def test_an_acknowledgement_without_words_is_one() -> None:
    fleet = Fleet()
    fleet.sick("eu-claude")
    fleet.acknowledge(1)
    assert fleet.log.incidents[0].acknowledged == "acknowledged"


def test_maintenance_opens_nothing_and_its_end_does() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", excused=True)
    fleet.sick("eu-claude", excused=True)
    assert fleet.entries == []
    fleet.sick("eu-claude")
    assert fleet.events() == ["1 opened endpoint eu-claude"]
    assert fleet.entries[0].failures == 3


def test_a_paused_endpoint_leaves_and_the_last_one_closes() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", "eu-gpt", cause=OVERLOADED)
    fleet.leave("eu-claude", "paused")
    assert (fleet.entries[-1].event, fleet.entries[-1].text[:16]) == (IncidentEvent.NARROWER, "eu-claude paused")
    fleet.leave("eu-gpt", "paused")
    assert fleet.entries[-1].event is IncidentEvent.CLOSED
    assert fleet.log.open == ()


def test_the_end_of_a_slowdown_says_how_slow_it_was() -> None:
    fleet = Fleet()
    fleet.well(times=10)
    for _ in range(10):
        fleet.sick("eu-gpt", cause=SLOW, state=State.SLOW)
    fleet.well("eu-gpt", times=3)
    # Closed at the first result that is judged as well: the two before it were still slow.
    assert "p50 TTFT 100 ms before, 400 ms during" in fleet.entries[-1].text


@pytest.mark.parametrize(
    "text", ["keys refused (auth 401)", "slow (ttft: 8x its usual 330 ms)", "buffered", "answers cut (reset)"]
)
def test_a_cause_is_read_back_from_its_words(text: str) -> None:
    assert str(Cause.parse(text)) == text


@pytest.mark.parametrize("text", ["", "keys refused", "tired (of it)", "keys refused (auth"])
def test_other_words_are_no_cause(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Cause.parse(text)


def test_failures_are_counted_from_results_between_entries() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.failing("eu-claude")
    for _ in range(5):
        fleet.sick("eu-claude")
    [incident] = fleet.log.open
    assert len(fleet.entries) == 1
    assert (incident.failures, incident.last and incident.last.number) == (6, fleet.number)
    assert incident.opened == fleet.entries[0].at - 5
    assert CauseKind.KEYS_REFUSED in incident.cause
    assert fleet.now_ns > 1000 * S


def test_one_endpoint_does_not_open_what_a_whole_place_had() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-claude", "eu-gpt", "us-gpt", "us-claude", cause=NO_NAME)
    fleet.well("eu-claude", "eu-gpt", "us-gpt", "us-claude", times=6)
    fleet.sick("us-gpt", cause=LOST)
    assert fleet.events()[-1] == "2 opened endpoint us-gpt"
    fleet.well("us-gpt", times=6)
    fleet.sick("us-claude", cause=NO_NAME)
    assert fleet.events()[-1] == "1 reopened endpoint us-claude"


def test_an_incident_is_remembered_by_the_worst_of_it() -> None:
    fleet = Fleet()
    fleet.well(times=4)
    fleet.sick("eu-gpt", cause=LOST)
    fleet.sick("eu-gpt", cause=SLOW, state=State.SLOW)
    fleet.well("eu-gpt")
    [incident] = fleet.log.incidents
    assert (incident.cause, incident.severity, incident.is_open) == (str(LOST), State.DOWN, False)
