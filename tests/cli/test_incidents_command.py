"""`gwtui incidents`: what it lists, with which exit code, and that a session in files tells what it told live."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from support.fleet import SLOW, TWO_GATEWAYS, Fleet
from support.judged import START_AT, S
from support.oswords import MISSING

from gwtui.cli import gwtui
from gwtui.headless import TextLines
from gwtui.model.enums import State
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Record, Request, SessionStarted
from gwtui.recorder import Recorder

PROFILE = Profile(name="prod", endpoints=TWO_GATEWAYS)
NAMES = ("eu-claude", "eu-gpt", "eu-mini")


def recorded(directory: Path, records: Iterable[Record]) -> Path:
    with Recorder(directory, PROFILE, wall=lambda: START_AT) as recorder:
        for record in records:
            recorder.put(_ended_when_it_came(record))
    return directory


def _ended_when_it_came(record: Record) -> Record:
    """The stage does not say when a request began."""
    if isinstance(record, Request | Ping):
        ended_at = START_AT + (record.now_ns - 1000 * S) / S
        return replace(record, started_at=ended_at - 1) if isinstance(record, Request) else record
    return record


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(gwtui, ["incidents", *map(str, args)])


def two() -> Fleet:
    """One that is over, and one that is open and taken care of."""
    fleet = Fleet()
    fleet.well(times=5)
    fleet.sick("us-gpt", cause=SLOW, state=State.SLOW)
    fleet.well("us-gpt")
    for name in NAMES:
        fleet.sick(name)
    fleet.acknowledge(2, "rotating")
    fleet.wait(1)
    fleet.sick(*NAMES)
    return fleet


def test_open_ones_come_first_with_their_scope_time_and_failures(tmp_path: Path) -> None:
    result = run(recorded(tmp_path / "s", two().records))
    assert result.output.splitlines() == [
        "✖ open 00:16  keys refused (auth 401)           eu gateway · 3 of 3 endpoints  since 08:00:35     6 failed"
        "  acknowledged: rotating (08:00)",
        "✔ 00:05       slow (ttft: 8x its usual 330 ms)  endpoint us-gpt                08:00:25-08:00:30",
    ]
    assert result.exit_code == 1


def test_only_those_that_are_open(tmp_path: Path) -> None:
    fleet = two()
    result = run("--open", recorded(tmp_path / "s", fleet.records))
    assert (result.output.count("\n"), result.exit_code) == (1, 1)
    for name in NAMES:
        fleet.well(name)
    directory = recorded(tmp_path / "t", fleet.records)
    result = run("--open", directory)
    assert (result.output, result.exit_code) == ("No incident is open.\n", 0)
    result = run(directory)
    assert (result.output.count("✔"), result.exit_code) == (2, 0)


def test_what_the_files_tell_is_what_was_told_live(tmp_path: Path) -> None:
    fleet = two()
    result = run("--json", recorded(tmp_path / "s", fleet.records))
    read = [json.loads(line) for line in result.output.splitlines()]
    assert result.exit_code == 1
    live = fleet.log.incidents
    assert [each["incident"] for each in read] == [incident.number for incident in live]
    for found, incident in zip(read, live, strict=True):
        assert (found["scope"], found["cause"], found["severity"]) == (
            incident.scope,
            incident.cause,
            incident.severity,
        )
        assert (found["failures"], found["open"], found["acknowledged"]) == (
            incident.failures,
            incident.is_open,
            incident.acknowledged,
        )
        assert [each["endpoint"] for each in found["endpoints"]] == [each.endpoint for each in incident.members]
        assert [(each["event"], each["text"]) for each in found["changes"]] == [
            (each.event, each.text) for each in incident.changes
        ]
        for key, proof in (("first", incident.first), ("last", incident.last)):
            assert proof is not None
            assert (found[key]["request_number"], found[key]["trace_id"]) == (proof.number, proof.trace_id)


def test_a_replay_prints_the_lines_that_were_printed_live(tmp_path: Path) -> None:
    fleet = two()
    for name in NAMES:
        fleet.well(name)
    live: list[str] = []
    printer, started = (
        TextLines(live.append, 160),
        SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=PROFILE),
    )
    for record in (started, *fleet.records):
        printer.record(record)
    directory = recorded(tmp_path / "s", fleet.records)
    replayed = CliRunner().invoke(gwtui, ["replay", str(directory), "--headless"]).output.splitlines()
    told = [line for line in live if " incident " in line]
    assert [line.split()[3:5] for line in told] == [
        ["1", "opened:"],
        ["1", "closed:"],
        ["2", "opened:"],
        ["2", "wider:"],
        ["2", "acknowledged:"],
        ["2", "closed:"],
    ]
    assert [line for line in replayed if " incident " in line] == told


def test_a_session_without_incidents_says_so(tmp_path: Path) -> None:
    fleet = Fleet()
    fleet.well(times=3)
    result = run(recorded(tmp_path / "s", fleet.records))
    assert (result.output, result.exit_code) == ("No incident in this session.\n", 0)


def test_an_earlier_session_names_where_its_states_are_to_be_seen(tmp_path: Path) -> None:
    directory = recorded(
        tmp_path / "s",
        [
            LogEntry(
                at=START_AT + at_s, now_ns=at_s * S, kind="state", endpoint="eu-gpt", state=state, text="3 in a row"
            )
            for at_s, state in ((1, State.DOWN), (2, State.UP), (3, State.DOWN))
        ],
    )
    path = directory / "incidents.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(f"{','.join(row.split(',')[:9])}\n" for row in rows), encoding="utf-8")
    assert "incident," not in path.read_text(encoding="utf-8")
    result = run(directory)
    assert result.output == (
        "No incident in this session. 2 changes to a bad state outside of incidents: gwtui replay shows them.\n"
    )
    replayed = CliRunner().invoke(gwtui, ["replay", str(directory), "--headless"]).output
    assert replayed.count("eu-gpt down: 3 in a row") == 2
    assert "incidents:" not in replayed


def test_rows_that_nobody_wrote_are_reported_and_the_others_are_listed(tmp_path: Path) -> None:
    directory = recorded(tmp_path / "s", two().records)
    path = directory / "incidents.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text
        + "2027-01-15T08:01:00.000Z,incident,eu-gpt,,,x,,,,9,opened,down,galaxy far,keys refused (auth),,,,\n"
        + "2027-01-15T08:01:00.000Z,incident,eu-gpt,,,x,,,,10,opened,down,endpoint \x1b[31m,broken,,,,\n"
        + "2027-01-15T08:01:00.000Z,state,eu-gpt,up,,x,,,,11,,,,,,,,\n"
        + "2027-01-15T08:01:00.000Z,incident,eu-gpt,,,x\x1b[2J,,,,12,opened,,,,,,,\n",
        encoding="utf-8",
    )
    result = run(directory)
    assert result.output.count("open") >= 2
    assert "\x1b" not in result.output
    assert "scope is 'galaxy far'" in result.output
    assert result.exit_code == 1
    replayed = CliRunner().invoke(gwtui, ["replay", str(directory), "--headless"])
    assert replayed.exception is None or isinstance(replayed.exception, SystemExit)
    assert "incidents:" in replayed.output


@pytest.mark.parametrize("args", [[], ["--open"], ["--json"]])
def test_without_a_session_of_that_name_it_is_refused(args: list[str], tmp_path: Path) -> None:
    result = run(*args, tmp_path / "none")
    assert (result.exit_code, result.exception is not None) == (2, True)
    assert MISSING in result.output
