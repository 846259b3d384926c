"""`gwtui report`: which time of a session it is about, where it goes, and that no key is in it."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from support import reported
from support.reported import BEGAN, ENDPOINTS, request, write_session

from gwtui.cli.console import Refusal
from gwtui.cli.report import ReportOptions, command
from gwtui.cli.report import report as write_report
from gwtui.codec.stream_file import STREAMS, StreamName
from gwtui.model.incidents import IncidentEvent

KEY = 'made-up&<key>"0001112223334445'


@pytest.fixture(autouse=True)
def _nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GWTUI_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Half an hour with an incident of half a minute."""
    return write_session(tmp_path / "s", reported.results(900, 930, 1800), reported.incident(900, 930, 12))


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(command, [str(arg) for arg in args])


def told(*args: str | Path) -> dict[str, object]:
    result = run(*args, "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


def times(found: dict[str, object]) -> tuple[object, object]:
    return found["began_at"], found["ended_at"]


def test_the_last_incident_is_written_up_as_markdown(session: Path) -> None:
    result = run(session)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"## `Incident 1: keys refused (auth 401), gateway {reported.EU}`\n")
    assert "12 of 13 (92.3 %) of the requests to these endpoints" in result.stdout
    assert result.stdout.endswith("\n")


@pytest.mark.parametrize(
    ("name", "begins"), [("x.html", b"<!doctype html>"), ("x.md", b"## "), ("x.json", b"{"), ("x", b"## ")]
)
def test_the_name_of_the_file_is_its_format(session: Path, name: str, begins: bytes) -> None:
    result = run(session, "-o", name)
    assert (result.exit_code, result.output) == (0, "")
    assert Path(name).read_bytes().startswith(begins)


def test_a_time_is_written_up_with_the_incidents_in_it(session: Path) -> None:
    found = told(session, "--from", "12:14Z", "--to", "2026-11-30T13:20:00+01:00")
    assert times(found) == ("2026-11-30T12:14:00.000Z", "2026-11-30T12:20:00.000Z")
    assert found["incident"] is None
    assert [each["number"] for each in found["further"]] == [1]  # type: ignore[attr-defined] # it is JSON
    assert "| 12:15:10 | `incident 1 opened` |" in run(session, "--from", "12:14Z", "--to", "12:20Z").stdout
    assert times(told(session, "--to", "12:01:30Z")) == ("2026-11-30T12:00:00.000Z", "2026-11-30T12:01:30.000Z")


def test_without_an_incident_the_last_quarter_of_an_hour_is_written_up(tmp_path: Path) -> None:
    path = write_session(tmp_path / "calm", reported.results(9e9, 9e9, 1800), [])
    began, ended = times(told(path))
    assert (str(began)[:19], str(ended)[:19]) == ("2026-11-30T12:14:57", "2026-11-30T12:29:57")


def test_an_open_incident_goes_on_to_the_newest_row(tmp_path: Path) -> None:
    path = write_session(tmp_path / "open", reported.results(900, 9e9, 1800), reported.incident(900, None, 0))
    found = told(path)
    facts = found["incident"]
    assert isinstance(facts, dict)
    assert facts["closed_at"] is None
    assert facts["failures"] > 300
    assert str(found["ended_at"]) > "2026-11-30T12:29:5"


def test_a_merged_incident_is_not_the_last_one_but_can_be_named(tmp_path: Path) -> None:
    log = [
        *reported.incident(900, None, 0),
        reported.entry(1000, IncidentEvent.OPENED, "x", incident=2, endpoint="us-claude"),
        reported.entry(1001, IncidentEvent.MERGED, "part of incident 1", incident=2, endpoint="us-claude"),
    ]
    path = write_session(tmp_path / "merged", reported.results(900, 9e9, 1800), log)
    assert "Incident 1: " in str(told(path)["title"])
    assert "Incident 2: " in str(told(path, "--incident", "2")["title"])


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--incident", "7"), "there is no incident 7: the last ones are 1"),
        (("--incident", "1", "--from", "12:00"), "--incident and --from or --to exclude each other"),
        (("--from", "soon"), "--from: 'soon' is no time: write 14:05"),
        (("--to", "25:00"), "--to: '25:00' is no time"),
        (("--from", "12:20Z", "--to", "12:10Z"), "there is no period between"),
        (("--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02"), "that period is outside of it"),
        (("--format", "pdf"), "'pdf' is not one of"),
        (("-o", "no/such/place.md"), "cannot write no/such/place.md"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(session: Path, args: tuple[str, ...], says: str) -> None:
    result = run(session, *args)
    assert result.exit_code == 2
    assert says in result.output


def test_a_directory_without_a_session_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "is not a session directory" in result.output


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_no_key_is_in_it_however_the_format_escapes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("EU_KEY", KEY)
    bad = replace(request(ENDPOINTS[0], 1, 1000, None), reason=f"{KEY} is not known", headers={"server": KEY})
    path = write_session(tmp_path / KEY.replace("/", ""), [bad], [reported.mark(1000, f"rotated {KEY}")])
    result = run(path, "--format", form)
    assert result.exit_code == 0
    assert "is not known" in result.stdout
    assert "rotated" in result.stdout
    assert "0001112223334445" not in result.stdout


def test_unreadable_rows_are_noted_and_named(session: Path) -> None:
    with (session / "requests.csv").open("a") as file:
        file.write("torn,")
    result = run(session)
    assert result.exit_code == 0
    assert result.stdout.startswith("## ")


def test_clocks_are_of_the_zone_and_of_the_sessions_last_day(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ReportOptions(directory=session, begin="12:10", end="12:20:30", file_format="json")
    assert write_report(options, UTC, lambda: BEGAN) == 0
    assert times(json.loads(capsys.readouterr().out)) == ("2026-11-30T12:10:00.000Z", "2026-11-30T12:20:30.000Z")
    with pytest.raises(Refusal, match="outside"):
        write_report(ReportOptions(directory=session, begin="13:00", end="13:10"), UTC, lambda: BEGAN)


@pytest.mark.parametrize("year", ["0001-01-01", "9999-12-31"])
def test_a_session_of_any_year_is_written_up(session: Path, year: str) -> None:
    (session / "session.toml").write_text((session / "session.toml").read_text().replace("2026-11-30", year))
    for name in ("requests.csv", "incidents.csv"):
        (session / name).write_text((session / name).read_text().replace("2026-11-30", year))
    for form in ("md", "html", "json"):
        assert run(session, "--format", form).exit_code == 0


def test_the_kept_streams_of_its_evidence_are_named(session: Path) -> None:
    evidence = told(session)["evidence"]
    assert isinstance(evidence, list)
    first = evidence[0]
    name = str(StreamName.of(first["at"], first["endpoint"], first["number"], first["verdict"]))
    (session / STREAMS).mkdir()
    (session / STREAMS / name).write_text("{}")
    (session / STREAMS / "notes.txt").write_text("mine")
    named = told(session)["evidence"]
    assert isinstance(named, list)
    assert [each["file"] for each in named] == [f"{STREAMS}/{name}", *([""] * (len(named) - 1))]
    assert f"  - stream: `{STREAMS}/{name}`\n" in run(session).stdout
