"""What a session leaves on disk."""

from __future__ import annotations

import csv
import json
import stat
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.recording import PROFILE, Flushes, numbers, request, rotated_numbers

from gwtui import config
from gwtui.codec.csv_schema import INCIDENT_COLUMNS, PING_COLUMNS, SCHEMA
from gwtui.model.check_results import CheckOutcome, CheckResult
from gwtui.model.enums import EventKind, State, Trigger
from gwtui.model.judged import LogEntry
from gwtui.model.profile import TLS, Endpoint, Profile
from gwtui.model.records import Heartbeat, Notice, Ping, ProfileChanged, StreamEvent, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.recorder import Recorder, new_session_dir, parts, profile_toml

posix = pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX systems")
DAY_S = 86_400.0


def _then(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        first()
        second()

    return both


def test_a_session_has_a_row_per_request_ping_and_incident_and_its_profile(directory: Path) -> None:
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(request(1))
        recorder.put(request(2, verdict=Verdict.REFUSED, reason="a\nb", duration_ns=None))
        recorder.put(Ping(endpoint="ws", number=1, started_at=1.0, now_ns=1, verdict=Verdict.NO_PONG, rule="ws"))
        recorder.put(LogEntry(at=1.0, now_ns=1, kind="state", endpoint="ws", state=State.DOWN, text="lost"))
        recorder.put(Heartbeat(at=1.0, now_ns=1))
        recorder.put(Notice(now_ns=1, text="x"))
        event = StreamEvent(name="e", kind=EventKind.TEXT, text="secret")
        recorder.put(
            StreamRead(endpoint="gateway", number=1, now_ns=1, since_sent_ns=1, first_event=1, events=(event,))
        )
    status = recorder.status()
    assert (status.rows_written, status.rows_waiting, status.rows_lost, status.error) == (4, 0, 0, "")
    names = {entry.name for entry in directory.iterdir() if not entry.name.startswith(".")}
    assert names == {"requests.csv", "pings.csv", "incidents.csv", "profile.toml", "session.toml"}
    assert numbers(directory / "requests.csv") == [1, 2]
    assert (directory / "pings.csv").read_text().splitlines()[0] == ",".join(PING_COLUMNS)
    assert (directory / "incidents.csv").read_text().splitlines()[0] == ",".join(INCIDENT_COLUMNS)
    assert len((directory / "pings.csv").read_bytes().splitlines()) == 2
    assert len((directory / "incidents.csv").read_bytes().splitlines()) == 2


def test_what_checks_found_is_in_a_file_of_its_own_once_there_is_any(directory: Path, flushes: Flushes) -> None:
    found = CheckResult(
        endpoint="gateway",
        now_ns=1,
        name="invalid-key",
        title="An invalid key is refused",
        section="Errors",
        outcome=CheckOutcome.FAIL,
        evidence="HTTP 200",
        details=("a  b", "=1"),
        facts={"status": 200},
        duration_ns=5_000_000,
    )
    with Recorder(directory, PROFILE, flush_s=0.0) as recorder:
        recorder.put(request(1))
        flushes.until(lambda: recorder.status().rows_written == 1)
        assert not (directory / "checks.csv").exists()
        recorder.put(found)
    with (directory / "checks.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["check"], row["outcome"], row["duration_ms"]) == ("invalid-key", "fail", "5.0")
    assert (json.loads(row["details"]), json.loads(row["facts"])) == (["a  b", "=1"], {"status": 200})


@posix
def test_only_the_owner_can_read_a_session(directory: Path) -> None:
    with Recorder(directory, PROFILE):
        pass
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in directory.iterdir()} == {0o600}


def test_rows_are_on_disk_while_the_session_runs(directory: Path, recorder: Recorder, flushes: Flushes) -> None:
    recorder.put(request(1))
    flushes.until(lambda: recorder.status().rows_written == 1)
    assert numbers(directory / "requests.csv") == [1]
    recorder.put(request(2))
    flushes.until(lambda: recorder.status().rows_written == 2)
    assert numbers(directory / "requests.csv") == [1, 2]


def test_a_row_that_comes_during_the_last_write_is_written_too(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on, flush = threading.Event(), threading.Event(), Recorder._flush

    def slow(recorder: Recorder) -> None:
        flush(recorder)
        writing.set()
        assert go_on.wait(20)

    monkeypatch.setattr(Recorder, "_flush", slow)
    recorder = Recorder(directory, PROFILE)
    monkeypatch.setattr(recorder._closing, "set", _then(recorder._closing.set, go_on.set))
    with recorder:
        assert writing.wait(20)
        recorder.put(request(1))
    assert numbers(directory / "requests.csv") == [1]


def test_the_kept_profile_is_a_configuration_and_holds_references_only(directory: Path) -> None:
    with Recorder(directory, PROFILE):
        pass
    text = (directory / "profile.toml").read_text()
    kept = config.load(directory / "profile.toml").profile("prod")
    body = {"temperature": 0.5, "stop": ["a"]}
    gateway = replace(PROFILE.endpoints[0], body=body)
    assert kept == replace(PROFILE, endpoints=(gateway, PROFILE.endpoints[1]))
    assert "env:GATEWAY_KEY" in text


def test_the_kept_profile_follows_edits(directory: Path) -> None:
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(ProfileChanged(now_ns=1, profile=replace(PROFILE, interval_s=9.0)))
    assert tomllib.loads((directory / "profile.toml").read_text())["profiles"]["prod"]["interval_s"] == 9.0


SECRET = "sk-canary-0123456789abcdef"


def test_the_kept_profile_holds_no_secret_wherever_one_was_written_out(tmp_path: Path) -> None:
    bad = Endpoint(
        name="e",
        api="openai-chat",
        url=f"http://user:{SECRET}@127.0.0.1:9/v1?key=abc&version=2&x={SECRET}",
        path=f"/p?token={SECRET}",
        key=SECRET,
        headers={"Authorization": f"Bearer {SECRET}", "X-Odd": f"x {SECRET}", "B": "token ${env:B}", "C": "plain"},
        body={"api_key": "hunter2", "nested": {"password": "hunter2"}, "note": f"use {SECRET}", "stop": ["a"]},
        messages=({"role": "user", "content": f"what is {SECRET}?"},),
    )
    text = profile_toml(Profile(name="p", endpoints=(bad,)))
    assert SECRET not in text
    assert "hunter2" not in text
    path = tmp_path / "profile.toml"
    path.write_text(text)
    (kept,) = config.load(path).profile("p").endpoints
    assert (kept.url, kept.path, kept.key) == ("http://127.0.0.1:9/v1?version=2", "/p", "env:REDACTED")
    assert kept.headers == {
        "Authorization": "env:REDACTED",
        "X-Odd": "env:REDACTED",
        "B": "token ${env:B}",
        "C": "plain",
    }
    assert isinstance(kept.body, dict)
    assert kept.body["note"] == "use •••"
    assert kept.body["stop"] == ["a"]


def test_the_kept_profile_holds_no_command_with_a_secret_in_it() -> None:
    endpoints = [
        replace(PROFILE.endpoints[0], name="a", key=f"cmd:echo {SECRET}"),
        replace(PROFILE.endpoints[0], name="b", key="cmd:pass show gateway"),
    ]
    kept = tomllib.loads(profile_toml(Profile(name="p", endpoints=tuple(endpoints))))["profiles"]["p"]["endpoints"]
    assert [each["key"] for each in kept] == ["env:REDACTED", "cmd:pass show gateway"]


def test_the_kept_profile_refers_to_keys_of_queries_and_to_passwords_as_it_did(tmp_path: Path) -> None:
    tls = TLS(client_cert="/c", client_key="/k", client_key_password="env:P")
    endpoint = Endpoint(name="e", api="websocket", url="wss://h/ws?key=${env:A}&v=1", path="?token=x-${env:B}", tls=tls)
    altered = replace(endpoint, path=f"?token={SECRET}&key=${{env:A}}", tls=replace(tls, client_key_password=SECRET))
    path = tmp_path / "profile.toml"
    path.write_text(profile_toml(Profile(name="p", endpoints=(endpoint, replace(altered, name="altered")))))
    kept, guarded = config.load(path).profile("p").endpoints
    assert kept == endpoint
    assert (guarded.path, guarded.tls) == ("?key=${env:A}", replace(tls, client_key_password="env:REDACTED"))


def test_a_profile_of_any_name_is_valid_toml() -> None:
    name = 'a.b "c"\n\x1b'
    assert tomllib.loads(profile_toml(Profile(name=name)))["profiles"] == {name: {}}


def test_text_is_kept_only_when_the_profile_says_so(directory: Path) -> None:
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(request(1, text="tried", trigger=Trigger.TRIAL))
    assert not (directory / "texts.jsonl").exists()
    with Recorder(directory, replace(PROFILE, record_text=True)) as recorder:
        recorder.put(request(2, text="two\nlines \u2028 and half a sign \ud800"))
        recorder.put(request(3))
    [line] = (directory / "texts.jsonl").read_bytes().splitlines()
    kept = json.loads(line)
    assert (kept["endpoint"], kept["request_number"]) == ("gateway", 2)
    assert kept["text"] == "two\nlines \u2028 and half a sign \ud800"
    assert "two" not in (directory / "requests.csv").read_text()


def test_a_file_that_is_full_is_put_aside_and_begun_anew(directory: Path, flushes: Flushes) -> None:
    with Recorder(directory, replace(PROFILE, rotate_mb=0.002), flush_s=0.0) as recorder:
        for number in range(1, 101):
            recorder.put(request(number, reason="x" * 40))
            if number % 4 == 0:
                flushes.until(lambda: not recorder.status().rows_waiting)
    assert len(parts(directory / "requests.csv")) > 5
    assert all(part.stat().st_size <= 2000 for part in parts(directory / "requests.csv"))
    assert rotated_numbers(directory / "requests.csv") == list(range(1, 101))
    assert parts(directory / "pings.csv") == [directory / "pings.csv"], "what has no rows stays"


def test_a_new_day_puts_large_files_aside_and_small_ones_not(
    directory: Path, flushes: Flushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gwtui.recorder.session_writer.DAY_BYTES", 2000)
    now = [DAY_S * 20_000 + DAY_S - 1]
    with Recorder(directory, PROFILE, flush_s=0.0, retry_s=0.001, wall=lambda: now[0]) as recorder:

        def put(first: int, last: int) -> None:
            for number in range(first, last + 1):
                recorder.put(request(number, reason="x" * 100))
            flushes.until(lambda: recorder.status().rows_written == last)

        put(1, 30)
        now[0] += 2
        put(31, 32)
        now[0] -= 3600  # set back over midnight, and forward again: the same day
        put(33, 34)
        now[0] += 3600
        put(35, 60)
        now[0] += DAY_S
        put(61, 61)
    assert [numbers(part)[-1] for part in parts(directory / "requests.csv")] == [30, 60, 61]
    assert rotated_numbers(directory / "requests.csv") == list(range(1, 62))


def test_the_directory_says_by_which_schema_its_rows_are(directory: Path) -> None:
    with Recorder(directory, PROFILE, wall=lambda: 0.0) as recorder:
        recorder.put(request(1))
    found = tomllib.loads((directory / "session.toml").read_text())
    assert found == {"schema": SCHEMA, "started_at": "1970-01-01T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("expected", "aside"),
    [
        (f"schema = {SCHEMA}", False),
        ("schema = 999", True),
        ("not toml", False),
        pytest.param("[" * 5000, False, id="depth"),
        ("", False),
    ],
)
def test_rows_of_another_schema_are_put_aside(directory: Path, expected: str, aside: bool) -> None:
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(request(1))
    (directory / "session.toml").write_text(expected)
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(request(2))
    kept = [numbers(part) for part in parts(directory / "requests.csv")]
    assert kept == ([[1], [2]] if aside else [[1, 2]])
    assert tomllib.loads((directory / "session.toml").read_text())["schema"] == SCHEMA


def test_new_session_directories_have_names_that_sort_and_never_meet(tmp_path: Path) -> None:
    made = [made for _ in range(3) if (made := new_session_dir("prod", 1_795_183_402.9, tmp_path)) is not None]
    assert [directory.name for directory in made] == [
        "2026-11-20T14-03-22Z-prod",
        "2026-11-20T14-03-22Z-prod-2",
        "2026-11-20T14-03-22Z-prod-3",
    ]
    assert all(directory.is_dir() for directory in made)
    odd = new_session_dir("../../etc/ä b", 0.0, tmp_path)
    assert odd is not None
    assert odd.parent == tmp_path / "sessions"


def test_a_state_directory_that_cannot_be_made_is_left_to_the_recorder(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    directory = new_session_dir("prod", 0.0, blocker)
    assert directory is not None
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(request(1))
    assert (recorder.status().rows_lost, recorder.status().error) == (1, "Not a directory (1970-01-01T00-00-00Z-prod)")
