"""Old sessions are removed, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.recording import PROFILE, request

from gwtui.codec.stream_file import STREAMS, StreamName
from gwtui.model.judged import LogEntry
from gwtui.recorder import Recorder
from gwtui.recorder.pruning import GB, Pruned, prune_sessions, word_of

NOW = 1_800_000_000.0
DAY = 86_400.0


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    path = tmp_path / "sessions"
    path.mkdir()
    return path


def session(sessions: Path, name: str, days_old: float, mark: str = "") -> Path:
    """A session that ended so many days ago."""
    directory = sessions / name
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(request(1))
        if mark:
            recorder.put(LogEntry(at=1.0, now_ns=1, kind="mark", text=mark))
        recorder.put(LogEntry(at=1.0, now_ns=1, kind="engine", text="no mark, though it says so"))
    age(directory, days_old)
    return directory


def age(directory: Path, days_old: float) -> None:
    for file in directory.iterdir():
        os.utime(file, (NOW - days_old * DAY, NOW - days_old * DAY))


def left(sessions: Path) -> set[str]:
    return {path.name for path in sessions.iterdir()}


def test_without_a_limit_all_stay(sessions: Path) -> None:
    session(sessions, "a", 1000)
    pruned = prune_sessions(sessions, now=NOW)
    assert left(sessions) == {"a"}
    assert (pruned.removed, pruned.removed_bytes) == (0, 0)
    assert pruned.kept_bytes == sum(file.stat().st_size for file in (sessions / "a").iterdir())


def test_what_is_older_is_removed(sessions: Path) -> None:
    for days_old in (1, 29, 31, 400):
        session(sessions, f"d{days_old}", days_old)
    assert prune_sessions(sessions, now=NOW, keep_days=30).removed == 2
    assert left(sessions) == {"d1", "d29"}


def test_the_oldest_are_removed_until_the_rest_is_small_enough(sessions: Path) -> None:
    size = 0
    for days_old in (3, 1, 2, 4):
        directory = session(sessions, f"d{days_old}", days_old)
        size = sum(file.stat().st_size for file in directory.iterdir())
    assert prune_sessions(sessions, now=NOW, keep_gb=2.5 * size / GB).removed == 2
    assert left(sessions) == {"d1", "d2"}


def test_a_session_with_a_mark_stays(sessions: Path) -> None:
    session(sessions, "marked", 400, mark="rolled back")
    session(sessions, "plain", 400)
    assert prune_sessions(sessions, now=NOW, keep_days=30).removed == 1
    assert left(sessions) == {"marked"}


def test_a_session_that_is_being_recorded_stays(sessions: Path) -> None:
    session(sessions, "running", 400)
    with Recorder(sessions / "running", PROFILE) as recorder:
        recorder.put(request(2))
        recorder.close()
        recorder._directory.take()
        age(sessions / "running", 400)
        try:
            assert prune_sessions(sessions, now=NOW, keep_days=30).removed == 0
        finally:
            recorder._directory.release()
    assert left(sessions) == {"running"}


def test_the_session_that_begins_stays(sessions: Path) -> None:
    session(sessions, "mine", 400)
    assert prune_sessions(sessions, now=NOW, keep_days=30, but="mine").removed == 0


def test_what_is_no_session_stays_as_it_is(sessions: Path, tmp_path: Path) -> None:
    outside = session(tmp_path, "outside", 400)
    (sessions / "link").symlink_to(outside)
    (sessions / "file").write_text("mine")
    (sessions / "empty").mkdir()
    foreign = session(sessions, "foreign", 400)
    (foreign / "notes.txt").write_text("mine")
    age(foreign, 400)
    linked = session(sessions, "linked", 400)
    (linked / "texts.jsonl").symlink_to(outside / "requests.csv")
    before = left(sessions)
    assert prune_sessions(sessions, now=NOW, keep_days=30).removed == 0
    assert left(sessions) == before
    assert (outside / "requests.csv").exists()


def test_a_removal_that_was_cut_short_is_finished_by_the_next(sessions: Path) -> None:
    directory = session(sessions, "half", 400)
    (directory / "requests.csv").unlink()
    (directory / "profile.toml").unlink()
    assert prune_sessions(sessions, now=NOW, keep_days=30).removed == 1
    assert left(sessions) == set()


def test_once_it_is_stopped_no_more_are_removed(sessions: Path) -> None:
    session(sessions, "a", 400)
    assert prune_sessions(sessions, now=NOW, keep_days=30, stopped=lambda: True).removed == 0


def test_what_was_done_is_said_in_one_line_and_what_to_do_where_there_is_much() -> None:
    where = Path("/sessions")
    assert word_of(Pruned(kept_bytes=GB), where, limited=False) == ""
    much = Pruned(kept_bytes=3 * GB)
    assert word_of(much, where, limited=True) == ""
    assert word_of(much, where, limited=False) == (
        "the sessions in /sessions take 3.0 GB: keep_days or keep_gb in the table [sessions] of the configuration"
        " removes old ones"
    )
    done = Pruned(kept_bytes=GB, removed=2, removed_bytes=GB // 2)
    assert word_of(done, where, limited=True) == "2 old sessions removed (500.0 MB; 1.0 GB stay)"


def streams(directory: Path) -> Path:
    """A session's kept streams: a whole one of 5,000 bytes, and one that a kill has left."""
    path = directory / STREAMS
    path.mkdir()
    name = str(StreamName.of("2026-11-30T14:02:11.482Z", "gateway", 1, "truncated"))
    (path / name).write_bytes(b"x" * 5_000)
    (path / f".{name.replace('_1_', '_2_')}.new").write_bytes(b"x" * 500)
    return path


def test_kept_streams_count_and_go_with_their_session(sessions: Path) -> None:
    session(sessions, "old", 40)
    before = prune_sessions(sessions, now=NOW).kept_bytes
    streams(sessions / "old")
    assert prune_sessions(sessions, now=NOW).kept_bytes == before + 5_500
    assert prune_sessions(sessions, now=NOW, keep_days=30).removed == 1
    assert left(sessions) == set()


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_a_session_stays_whole_with_what_others_put_among_its_streams(
    sessions: Path, tmp_path: Path, kind: str
) -> None:
    session(sessions, "old", 40)
    path = streams(sessions / "old")
    name = next(path.glob("*.jsonl")).name.replace("_1_", "_3_")
    if kind == "file":
        (path / "notes.txt").write_text("mine")
    elif kind == "link":
        (path / name).symlink_to(tmp_path / "elsewhere")
    else:
        (path / name).mkdir()
    files = sorted(path.iterdir())
    assert prune_sessions(sessions, now=NOW, keep_days=30).removed == 0
    assert sorted(path.iterdir()) == files
