"""`gwtui history`, as it is typed."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn
from unittest.mock import Mock

import pytest
from msgspec.structs import replace
from support.commanding import gwtui, profiles, written
from support.remembering import IDENTITY, batch_of

from gwtui import session
from gwtui.gateway import process
from gwtui.history.batch import Episode
from gwtui.history.store import HISTORY, Store
from gwtui.history.usual import hour_of
from gwtui.model.commands import Start, Upkeep

NOW = 1_800_000_000.0
HOUR = hour_of(NOW)
OTHER = replace(IDENTITY, profile="lab")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state directory, at a time that stands still."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(time, "time", lambda: NOW)
    return tmp_path / "gwtui"


@pytest.fixture
def history(state: Path) -> Path:
    path = state / HISTORY
    with Store(path) as store:
        store.add(batch_of(HOUR - 24, 300, 400))
        store.add(batch_of(HOUR, 97, 412))
        store.add(batch_of(HOUR, 2, verdict="truncated", teaches=False))
        store.add(batch_of(HOUR, 1, verdict="overloaded"))
        store.add(batch_of(HOUR - 24 * 9, 10, 9000))
        bad = batch_of(HOUR, 5, verdict="cancelled")
        for began, until, goes_on, text in (
            (NOW - 90_000, NOW - 89_940, False, "p50 TTFT 3.2 s, 8x its usual 400 ms"),
            (NOW - 89_960, NOW - 89_900, False, "seen by another session, too"),
            (NOW - 300, NOW - 20, True, "2 truncated in a row"),
        ):
            bad.tell(Episode(IDENTITY, began, until, goes_on, "slow" if began < NOW - 400 else "down", text))
        store.add(bad)
    return path


def test_without_a_history_it_says_how_one_begins(state: Path) -> None:
    for words in ([], ["accept", "a"], ["prune", "--days", "1"]):
        result = gwtui("history", *words)
        assert (result.exit_code, "gwtui watch begins one" in result.output) == (2, True)
    assert not state.exists()


def test_a_line_per_endpoint(history: Path) -> None:
    assert gwtui("history").output.splitlines() == [
        "prod  the last 7 days",
        "  endpoint  avail%        n  failed           p50     p95           p50     p95  incidents  failures",
        "  a          99.25      400       3  TTFT     400     412                                2"
        "  truncated 2, overloaded 1",
        "",
        "Times are UTC, latencies in ms. -(n): n results are too few for that percentile.",
    ]


def test_an_endpoint_by_day_with_its_incidents(history: Path) -> None:
    lines = gwtui("history", "a").output.splitlines()
    assert lines[2] == "  a  openai-chat · https://gateway.example.com"
    assert [line.split()[:4] for line in lines[4:7]] == [
        ["2027-01-14", "100", "300", "0"],
        ["2027-01-15", "97.00", "100", "3"],
        ["all", "99.25", "400", "3"],
    ]
    assert lines[8:10] == [
        "  ▲  2027-01-14T07:00:00Z     1m40s  slow      p50 TTFT 3.2 s, 8x its usual 400 ms",
        "  ✖  2027-01-15T07:55:00Z     4m40s  down      2 truncated in a row (goes on)",
    ]


def test_by_hour_and_for_other_days(history: Path) -> None:
    lines = gwtui("history", "--by", "hour", "--days", "10").output.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("  2027")] == ["08:00", "08:00", "08:00"]


def test_the_same_as_json(history: Path) -> None:
    (endpoint,) = json.loads(gwtui("history", "a", "--json").output)["endpoints"]
    assert (endpoint["profile"], endpoint["endpoint"], endpoint["results"]) == ("prod", "a", 400)
    assert endpoint["availability"] == 0.9925
    assert endpoint["failures"] == {"truncated": 2, "overloaded": 1}
    assert endpoint["latencies"]["ttft"] == {"n": 397, "p50_ms": 400.0, "p95_ms": 412.0}
    assert [day["from"] for day in endpoint["days"]] == ["2027-01-14T00:00:00Z", "2027-01-15T00:00:00Z"]
    assert [(each["open"], each["until"]) for each in endpoint["incidents"]] == [
        (False, "2027-01-14T07:01:40.000Z"),
        (True, None),
    ]


def test_of_an_endpoint_that_was_changed_both_are_shown_with_what_differs(history: Path) -> None:
    with Store(history) as store:
        store.add(batch_of(HOUR, 10, identity=replace(IDENTITY, model="m-2")))
        store.add(batch_of(HOUR, 10, identity=OTHER))
    output = gwtui("history", "-p", "prod").output
    assert "a (model of the API)" in output
    assert "a (model m-2)" in output
    assert "lab" not in output


def test_an_unknown_endpoint_is_refused_with_the_known_ones(history: Path) -> None:
    for words in (["nope"], ["accept", "nope"]):
        result = gwtui("history", *words)
        assert result.exit_code == 2
        assert "there is no nope in the history" in result.output
        assert "there are: a" in result.output


def test_what_goes_on_is_accepted_as_usual(history: Path) -> None:
    result = gwtui("history", "accept", "a")
    assert result.output == (
        "a: usual is what it does since 2027-01-15T07:55:00Z. Running sessions notice within a minute.\n"
    )
    with Store(history) as store:
        number = store.find(IDENTITY)
        assert number is not None
        acceptance = store.acceptance(number)
    assert acceptance is not None
    assert (acceptance.since, acceptance.at) == (NOW - 300, NOW)


def test_without_an_incident_it_is_usual_from_now_on(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW + 3600)
    assert gwtui("history", "accept", "a").output.startswith("a: usual is what it does from now on.")


def test_where_several_profiles_have_it_one_is_to_be_chosen(history: Path) -> None:
    with Store(history) as store:
        store.add(batch_of(HOUR, 10, identity=OTHER))
    result = gwtui("history", "accept", "a")
    assert (result.exit_code, "choose one with -p: lab, prod" in result.output) == (2, True)
    assert gwtui("history", "accept", "a", "-p", "lab").exit_code == 0


def test_pruning_forgets_what_the_configuration_says_or_the_option(history: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "[history]\nkeep_days = 8\n")
    assert gwtui("history", "prune", "--config", file).output.startswith("1 hour of endpoints forgotten; ")
    assert gwtui("history", "prune", "--days", "0.5").output.startswith("1 hour of endpoints forgotten; ")
    assert "300" not in gwtui("history", "a").output


def test_pruning_that_would_forget_nothing_says_so(history: Path, tmp_path: Path) -> None:
    result = gwtui("history", "prune", "--config", written(tmp_path, "[history]\nkeep_days = 0\n"))
    assert (result.exit_code, "--days" in result.output) == (2, True)


def test_a_damaged_history_is_a_fault_of_its_own(state: Path) -> None:
    state.mkdir()
    (state / HISTORY).write_bytes(b"this is no database, and is long enough to look like one " * 99)
    result = gwtui("history")
    assert (result.exit_code, "is damaged: move it away" in result.output) == (3, True)
    assert (state / HISTORY).exists()


def test_what_is_no_file_is_named_and_not_taken_for_a_missing_one(state: Path) -> None:
    state.mkdir()
    (state / HISTORY).symlink_to(state / "nowhere")
    result = gwtui("history")
    assert (result.exit_code, "symbolic link" in result.output, "move it away" in result.output) == (3, True, True)


class AskedForError(Exception):
    """Ends a command where it would have begun a session."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Start]:
    """The sessions that commands begin."""
    starts: list[Start] = []

    def hosted(start: Start, *_: object) -> NoReturn:
        starts.append(start)
        raise AskedForError

    monkeypatch.setattr(session, "hosted", hosted)
    return starts


def test_a_session_is_remembered_where_and_as_long_as_the_configuration_says(
    state: Path, tmp_path: Path, asked: list[Start]
) -> None:
    limits = "[history]\nkeep_days = 9\n[sessions]\nkeep_days = 8\nkeep_gb = 7.5\n"
    file = written(tmp_path, limits + profiles("http://127.0.0.1:9"))
    with pytest.raises(AskedForError):
        gwtui("watch", "-p", "prod", "--headless", "--config", file)
    assert asked[0].upkeep == Upkeep(state=str(state), history_days=9, sessions_days=8, sessions_gb=7.5)


def test_a_demo_is_not_remembered(state: Path, asked: list[Start], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "spawn_gateway", lambda: nullcontext(Mock(url="http://127.0.0.1:9")))
    with pytest.raises(AskedForError):
        gwtui("demo", "--headless")
    assert asked[0].upkeep is None
