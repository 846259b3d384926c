"""A recorded session before and since a mark or a time, and against what was usual."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from support.commanding import gwtui
from support.monitor_stage import MS, SECOND, START_AT, endpoint

from gwtui.bench.earlier.since import against_usual, before_and_after, since_of
from gwtui.codec.csv_rows import CSVError
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile
from gwtui.model.records import Record, Request, SessionStarted
from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.model.verdicts import Verdict
from gwtui.recorder import Recorder

PROFILE = Profile(name="prod", endpoints=(endpoint("claude"), endpoint("gpt")))
CHANGED_S = 250
"""When the mark was set, seconds after the start."""


def request(name: str, number: int, at_s: float, ttft_ms: float, *, good: bool = True) -> Request:
    return Request(
        endpoint=name,
        number=number,
        started_at=START_AT + at_s,
        now_ns=round(at_s * SECOND),
        api="anthropic-messages",
        verdict=Verdict.COMPLETE if good else Verdict.TRUNCATED,
        rule="anthropic.message_stop",
        stream=True,
        ttft_ns=round(ttft_ms * MS),
        duration_ns=round(ttft_ms * 3 * MS),
    )


def mark(at_s: float, text: str) -> LogEntry:
    return LogEntry(at=START_AT + at_s, now_ns=round(at_s * SECOND), kind="mark", text=text)


def usual(name: str, source: UsualSource, ms: int = 300) -> Usual:
    values = tuple(((ms + each) * MS, 3) for each in range(-50, 50))
    latency = UsualLatency(source=source, n=300, p50_ns=ms * MS, values=values)
    return Usual(endpoint=name, at=START_AT, now_ns=0, latencies={Metric.TTFT: latency}, good=298, failed=2)


def session(path: Path, *more: Record) -> Path:
    """100 requests of each endpoint, 50 of them before the mark: `claude` had failures, and became faster."""
    chance, path = Random(1), path / "session"
    path.mkdir()
    with Recorder(path, PROFILE, wall=lambda: START_AT) as recorder:
        recorder.put(SessionStarted(started_at=START_AT, now_ns=0, profile=PROFILE, session_dir=str(path)))
        for record in more:
            recorder.put(record)
        for number in range(100):
            at_s = number * 5
            was = at_s < CHANGED_S
            ttft_ms = chance.lognormvariate(0, 0.2) * (500 if was else 300)
            recorder.put(request("claude", number + 1, at_s, ttft_ms, good=not (was and number % 4 == 0)))
            recorder.put(request("gpt", number + 1, at_s, 400 + number % 7))
        recorder.put(mark(CHANGED_S - 1, "CHG-4711: new route"))
        recorder.put(mark(400, "lunch"))
    return path


def local(at_s: float, form: str) -> str:
    return datetime.fromtimestamp(START_AT + at_s).astimezone().strftime(form)


@pytest.mark.parametrize(
    ("text", "at_s"),
    [
        ("CHG-4711: new route", CHANGED_S - 1),
        (" lunch ", 400),
        ("LUNCH", 400),
        ("chg-4711", CHANGED_S - 1),
        (datetime.fromtimestamp(START_AT + 7, UTC).isoformat(), 7),
        (local(8, "%Y-%m-%d %H:%M:%S"), 8),
        (local(9, "%H:%M:%S"), 9),
        (local(-60, "%H:%M:%S"), 86_400 - 60),
    ],
)
def test_a_moment_is_a_mark_or_a_time(tmp_path: Path, text: str, at_s: float) -> None:
    assert since_of(text, session(tmp_path)).at == pytest.approx(START_AT + at_s, abs=0.5)


def test_of_a_mark_set_twice_the_last_one_counts_and_is_named(tmp_path: Path) -> None:
    since = since_of("lunch", session(tmp_path, mark(5, "lunch")))
    assert since.at == pytest.approx(START_AT + 400, abs=0.5)
    assert since.label.startswith("lunch, the last of 2, ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nope", "'nope' is no mark of it and no time: give a mark, 14:03, "),
        ("nope", "its marks: CHG-4711: new route, lunch"),
        ("n", "'n' is the text of several marks"),
        ("25:00", "'25:00' is no mark of it and no time"),
        ("2026-13-01 10:00", "is no mark of it and no time"),
        ("", "is no mark of it and no time"),
    ],
)
def test_what_is_neither_is_refused_with_what_there_is(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(CSVError) as caught:
        since_of(text, session(tmp_path))
    assert says in str(caught.value)


def test_rows_are_parted_by_when_they_started(tmp_path: Path) -> None:
    path = session(tmp_path)
    since = since_of("CHG", path)
    pairs = before_and_after(path, (), since, None, lambda _: None)
    assert [(one.name, one.total, other.name, other.total) for one, other in pairs] == [
        ("claude before", 50, "claude since", 50),
        ("gpt before", 50, "gpt since", 50),
    ]
    ((one, other),) = before_and_after(path, ("gpt",), since, 60.0, lambda _: None)
    assert (one.total, other.total) == (12, 12)


def test_an_endpoint_without_results_on_both_sides_is_refused(tmp_path: Path) -> None:
    path = session(tmp_path)
    for text, names, says in (
        (local(-3600, "%Y-%m-%d %H:%M"), (), "no endpoint has results before"),
        (local(7200, "%Y-%m-%d %H:%M"), (), "no endpoint has results since"),
        ("CHG", ("claud",), "no endpoint of claud has results"),
    ):
        with pytest.raises(CSVError, match=says):
            before_and_after(path, names, since_of(text, path), None, lambda _: None)


def test_the_command_says_what_has_changed_failures_first(tmp_path: Path) -> None:
    result = gwtui("compare", str(session(tmp_path)), "--since", "chg-4711")
    assert result.exit_code == 0
    first, *lines = result.stdout.splitlines()
    words = "claude since CHG-4711: new route: failures 26 % -> 0 % (Fisher's exact p <0.001), p50 TTFT -"
    assert first.startswith(words)
    assert first.endswith(" %); measured at different times: the time may be the cause")
    assert lines[0] == "claude before (37 of 50 good) against claude since (50 of 50 good)"
    assert any(
        line.startswith("gpt since CHG-4711: new route: no failures before or after, p50 TTFT ") for line in lines
    )
    found = json.loads(gwtui("compare", str(tmp_path / "session"), "--since", "lunch", "--json").stdout)
    assert [line.split(":")[0] for line in found["changes"]] == ["claude since lunch", "gpt since lunch"]
    assert [each["total_requests"] for each in found["failures"]] == [[80, 20], [80, 20]]


def test_an_endpoint_is_that_of_the_newest_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    refused = gwtui("compare", "claude", "--since", "CHG")
    assert (refused.exit_code, "there is no session yet" in refused.output) == (2, True)
    sessions = tmp_path / "state" / "gwtui" / "sessions"
    sessions.mkdir(parents=True)
    session(sessions)
    result = gwtui("compare", "gpt", "--since", "CHG")
    assert result.exit_code == 0
    assert "gpt since CHG-4711" in result.stdout
    assert "claude" not in result.stdout


def test_a_session_is_compared_with_what_was_usual_before_it(tmp_path: Path) -> None:
    path = session(tmp_path, usual("claude", UsualSource.HOUR), usual("gpt", UsualSource.SESSION))
    ((one, other),) = against_usual(path, (), lambda _: None)
    assert (one.name, one.ok, one.total, len(one.samples[Metric.TTFT].values)) == ("claude, usual", 298, 300, 300)
    assert (other.name, other.total) == ("claude", 100)
    lines = gwtui("compare", str(path), "--usual").stdout.splitlines()
    assert lines[0].startswith("claude against its usual: failures 0.7 % -> 13 % (Fisher's exact p <0.001), p50 TTFT +")
    assert "too short for data that lean on each other" in lines[0], "it changed in the middle of the session"
    with pytest.raises(CSVError, match="nothing from before this session says what is usual for an endpoint of gpt"):
        against_usual(path, ("gpt",), lambda _: None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--since", "x", "--usual"), "give one of them"),
        (("--usual", "--window", "5m"), "--window is for --since"),
        (("--window", "5m"), "--window is for --since"),
        (("--since", "x", "--csv", "out.csv"), "are for new measurements"),
    ],
)
def test_options_that_exclude_each_other_are_refused(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    result = gwtui("compare", str(session(tmp_path)), *arguments)
    assert (result.exit_code, says in result.output) == (2, True)
