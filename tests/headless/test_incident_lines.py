"""Incidents without a screen: a line for each event, one for all endpoints that follow; JSON with all that is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from support.fleet import EU, SLOW, TWO_GATEWAYS, Fleet, gpt
from support.judged import START_AT, S

from gwtui.codec.csv_schema import INCIDENT_COLUMNS
from gwtui.headless import JSONLines, Printer, SpokenLines, TextLines
from gwtui.model.enums import FindingName, State
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.query import Query, Window
from gwtui.model.records import Heartbeat, Record, SessionStarted
from gwtui.monitor import Monitor

FIVE = tuple(gpt(f"eu-{name}", EU, key="env:EU") for name in "abcde")
NAMES = [endpoint.name for endpoint in FIVE]


def printed(printer: Printer, records: Sequence[Record], endpoints: Sequence[Endpoint]) -> None:
    """Print a session with an interval of 5 s."""
    monitor = Monitor()
    profile = Profile(name="prod", endpoints=tuple(endpoints))
    due_ns = 0
    for record in (SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=profile), *records):
        monitor.apply(record)
        printer.record(record)
        if monitor.now_ns >= due_ns:
            due_ns = monitor.now_ns + 5 * S
            printer.interval(monitor.view(Query(), 1))
    printer.end(monitor.view(Query(window=Window.ALL), 1, final=True))


def lines_of(fleet: Fleet, endpoints: Sequence[Endpoint], more: Sequence[Record] = ()) -> list[str]:
    """The lines about incidents, without those of the summary."""
    lines: list[str] = []
    printed(TextLines(lines.append, 160), [*fleet.records, *more], endpoints)
    return [line for line in lines[:-1] if "incident " in line or "endpoint" in line]


def told(fleet: Fleet, endpoints: Sequence[Endpoint]) -> list[dict[str, Any]]:
    lines: list[bytes] = []
    printed(JSONLines(lines.append), fleet.records, endpoints)
    return [json.loads(line) for line in lines]


def expired() -> Fleet:
    """Five endpoints of one gateway whose key expires, one after another, and is renewed."""
    fleet = Fleet(*FIVE)
    fleet.well(times=5)
    for name in NAMES:
        fleet.sick(name)
    fleet.sick(*NAMES)
    fleet.sick(*NAMES)
    fleet.wait(20)
    fleet.sick(*NAMES)
    return fleet


def test_five_expired_keys_are_two_lines() -> None:
    fleet = expired()
    assert sum(entry.event is IncidentEvent.WIDER for entry in fleet.entries) == 4
    _, opened, wider = lines_of(fleet, FIVE)
    assert opened == (
        "08:00:25Z  ✖ incident 1 opened: eu-a: keys refused (auth 401); 3 auth in a row  (trace trace-26)"
    )
    assert wider.startswith(
        "08:00:45Z  ✖ incident 1 wider: eu-b, eu-c, eu-d, eu-e too; gateway eu.example.com · 5 of 5 e"
    )


def test_details_that_the_text_has_too_are_said_once() -> None:
    entry = LogEntry(
        at=START_AT,
        now_ns=1000 * S,
        kind="incident",
        endpoint="eu-a",
        text="eu-a: p50 TTFT 2.70 s, 8x its usual 330 ms (this session)",
        incident=1,
        event=IncidentEvent.REOPENED,
        severity=State.SLOW,
        scope="endpoint eu-a",
        cause=str(SLOW),
    )
    lines: list[str] = []
    TextLines(lines.append, 160).record(entry)
    assert lines == [
        "08:00:00Z  ▲ incident 1 reopened: eu-a: slow; p50 TTFT 2.70 s, 8x its usual 330 ms (this session)"
    ]


def test_recovery_is_one_line_with_duration_failures_and_latencies() -> None:
    fleet = expired()
    for name in NAMES:
        fleet.well(name)
    closed = lines_of(fleet, FIVE)[-1]
    assert closed.startswith("08:01:45Z  ✔ incident 1 closed: gateway eu.example.com: keys refused over after 1m20")
    assert "before" in closed
    assert not any("narrower" in line for line in lines_of(fleet, FIVE))


def test_an_endpoint_that_stays_away_from_the_recovery_leaves_a_line_for_the_others() -> None:
    fleet = expired()
    fleet.well("eu-a")
    fleet.well("eu-b")
    fleet.wait(20)
    fleet.sick("eu-c")
    line = lines_of(fleet, FIVE)[-1]
    assert "incident 1 narrower: eu-a, eu-b out; gateway eu.example.com · 3 of 5 endpoints; 20 failed" in line


def test_states_within_an_incident_have_no_line_and_those_outside_have_one() -> None:
    fleet = expired()
    at, now_ns = fleet.now().at, fleet.now_ns
    state = LogEntry(at=at, now_ns=now_ns, kind="state", endpoint="eu-a", state=State.DOWN, text="within", incident=1)
    alone = LogEntry(at=at, now_ns=now_ns, kind="state", endpoint="eu-b", state=State.PAUSED, text="endpoint alone")
    finding = LogEntry(
        at=at, now_ns=now_ns, kind="finding", endpoint="eu-a", text="endpoint found", finding=FindingName.BUFFERED
    )
    lines = "\n".join(lines_of(fleet, FIVE, [state, alone, finding]))
    assert "within" not in lines
    assert "‖ eu-b paused: endpoint alone" in lines
    assert "▲ eu-a: endpoint found" in lines


def test_what_became_wider_is_printed_without_another_event_once_it_is_quiet() -> None:
    fleet = Fleet(*FIVE)
    fleet.well(times=5)
    fleet.sick("eu-a")
    fleet.sick("eu-b")
    beats = [Heartbeat(at=fleet.now().at + at_s, now_ns=fleet.now_ns + at_s * S) for at_s in range(20)]
    lines: list[str] = []
    printed(TextLines(lines.append, 160), [*fleet.records, *beats], FIVE)
    (at,) = [at for at, line in enumerate(lines) if "incident 1 wider" in line]
    assert at < len(lines) - 2
    assert "eu-b too: 3 auth in a row" in lines[at]


def test_incidents_end_the_summary_open_ones_first() -> None:
    fleet = Fleet()
    fleet.well(times=3)
    fleet.sick("us-gpt", cause=SLOW, state=State.SLOW)
    fleet.well("us-gpt")
    fleet.sick("eu-claude")
    fleet.acknowledge(2, "rotating")
    lines: list[str] = []
    printed(TextLines(lines.append, 160), fleet.records, TWO_GATEWAYS)
    summary = lines[-1].split("\n")
    assert summary[summary.index("incidents:") :] == [
        "incidents:",
        "✖ open 00:05  keys refused (auth 401)           endpoint eu-claude  since 08:00:25     1 failed"
        "  acknowledged: rotating (08:00)",
        "✔ 00:05       slow (ttft: 8x its usual 330 ms)  endpoint us-gpt     08:00:15-08:00:20",
    ]


EVENT_KEYS = {
    "open",
    "reported",
    "closed",
    "duration_s",
    "merged_into",
    "endpoints",
    "first",
    "last",
    "changes",
}


def test_an_event_in_json_has_the_columns_and_all_that_is_known_of_the_incident() -> None:
    fleet = expired()
    for name in NAMES:
        fleet.well(name)
    documents = told(fleet, FIVE)
    events = [each for each in documents if each["type"] == "incident"]
    assert [each["event"] for each in events] == [str(entry.event) for entry in fleet.entries]
    assert all(set(each) == {"type", *INCIDENT_COLUMNS, *EVENT_KEYS} for each in events)
    opened, closed = events[0], events[-1]
    assert (opened["open"], opened["closed"], opened["endpoints"][0]["until"]) == (True, None, None)
    assert opened["first"] == {"endpoint": "eu-a", "vantage": "", "request_number": 26, "trace_id": "trace-26"}
    assert (closed["open"], closed["failures"], closed["duration_s"]) == (False, 20, 80.0)
    assert [each["endpoint"] for each in closed["endpoints"]] == NAMES
    assert all(each["until"] for each in closed["endpoints"])
    assert [each["event"] for each in closed["changes"]] == [str(entry.event) for entry in fleet.entries]
    summary = documents[-1]
    assert summary["incidents"] == [{key: closed[key] for key in summary["incidents"][0]}]
    assert (summary["open_incidents"], summary["sentence"]) == ([], "")


def test_an_interval_in_json_says_what_is_wrong() -> None:
    documents = told(expired(), FIVE)
    interval = [each for each in documents if each["type"] == "interval"][-1]
    assert interval["open_incidents"] == [1]
    assert interval["sentence"].startswith("Keys refused by eu.example.com (5 of 5 endpoints, 401) for")


def found(name: str, at_s: float, text: str, finding: FindingName = FindingName.BUFFERED) -> LogEntry:
    return LogEntry(
        at=START_AT + at_s, now_ns=(1000 + int(at_s)) * S, kind="finding", endpoint=name, text=text, finding=finding
    )


def news_of(*records: Record) -> list[str]:
    lines: list[str] = []
    printed(TextLines(lines.append, 160), records, FIVE)
    return [line for line in lines[:-1] if "in one read" in line or "incident" in line]


def test_a_finding_that_becomes_an_incident_has_no_line_of_its_own() -> None:
    begun = [found(name, 1, "buffered: 9 in one read") for name in ("eu-a", "eu-b")]
    opened = LogEntry(
        at=START_AT + 11,
        now_ns=1011 * S,
        kind="incident",
        endpoint="eu-a",
        text="eu-a: buffered: 9 in one read",
        incident=1,
        event=IncidentEvent.OPENED,
        severity=State.DEGRADED,
        scope="endpoint eu-a",
        cause="buffered",
        since=START_AT + 1,
    )
    lines = news_of(*begun, opened)
    assert lines == [
        "08:00:11Z  ▲ incident 1 opened: eu-a: buffered: 9 in one read",
        "08:00:01Z  ▲ eu-b: buffered: 9 in one read",
    ]
    monitor = Monitor()
    monitor.apply(SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=Profile()))
    for entry in (*begun, opened):
        monitor.apply(entry)
    assert [(entry.kind, entry.endpoint) for entry in monitor.view(Query(), 1).log] == [
        ("incident", "eu-a"),
        ("finding", "eu-b"),
    ]


def test_a_finding_of_several_endpoints_is_one_line_and_one_without_weight_none() -> None:
    many = [found(name, 1, "buffered: 9 in one read") for name in NAMES]
    assert news_of(*many, found("eu-a", 2, "at_once: 9 in one read", FindingName.AT_ONCE)) == [
        "08:00:01Z  ▲ eu-a, eu-b, eu-c, eu-d and 1 more: buffered: 9 in one read"
    ]


def test_a_screen_reader_gets_lines_only_when_something_changes_and_no_signs() -> None:
    lines: list[str] = []
    fleet = expired()
    beats = [Heartbeat(at=START_AT + n, now_ns=(2000 + n) * S) for n in range(60)]
    printed(SpokenLines(lines.append), [*fleet.records, *beats], FIVE)
    spoken = lines[1:-1]
    assert len(set(spoken)) == len(spoken) < 12
    assert any("Keys refused by eu.example.com (5 of 5 endpoints, 401)" in line for line in spoken)
    assert any(line.partition("Z  ")[2].startswith("incident 1 opened: ") for line in spoken)
    assert any(line.endswith("No incident is open: 5 up.") for line in spoken)
    assert not set("".join(lines)) & set("●▲✖✔◆■◐○◌")
