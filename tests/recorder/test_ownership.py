"""Whose directory a session may be recorded into, and what becomes of it when it is swapped while one is."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commanding import gwtui, profiles, written
from support.recording import PROFILE, Flushes, numbers, request
from support.scripted import free_port

from gwtui.recorder import Recorder, new_session_dir, refusal_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners and links of POSIX systems")


def record(directory: Path) -> Recorder:
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(request(1))
    return recorder


FOREIGN: dict[str, Callable[[Path], object]] = {
    "notes": lambda directory: (directory / "notes.txt").write_text("mine"),
    "a configuration": lambda directory: (directory / "profile.toml").write_text("[profiles.mine]\n"),
    "rows": lambda directory: (directory / "requests.csv").write_text("endpoint,p95\n"),
    "a session.toml of something else": lambda directory: (directory / "session.toml").write_text("schema = 'x'\n"),
    "a hidden file": lambda directory: (directory / ".gitignore").write_text("*"),
    "a directory": lambda directory: (directory / "requests.csv").mkdir(),
    "a link": lambda directory: (directory / "requests.csv").symlink_to("/etc/passwd"),
    "a pipe": lambda directory: os.mkfifo(directory / "pings.csv"),
}


def refused_untouched(directory: Path) -> None:
    before = {path.name: path.lstat() for path in directory.iterdir()}
    assert refusal_of(directory)
    recorder = record(directory)
    assert {path.name: path.lstat() for path in directory.iterdir()} == before
    assert (recorder.status().rows_written, recorder.status().rows_lost) == (0, 1)
    assert recorder.status().error


@pytest.mark.parametrize("put", FOREIGN.values(), ids=FOREIGN)
def test_a_directory_with_anything_else_in_it_is_refused_and_left_as_it_is(
    directory: Path, put: Callable[[Path], object]
) -> None:
    directory.mkdir()
    put(directory)
    refused_untouched(directory)


@pytest.mark.parametrize("name", ["notes", "a hidden file", "a directory", "a link", "a pipe"])
def test_so_is_a_session_with_anything_else_in_it(directory: Path, name: str) -> None:
    record(directory)
    for file in ("requests.csv", "pings.csv"):
        (directory / file).unlink()
    FOREIGN[name](directory)
    refused_untouched(directory)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives directories away")
def test_the_directory_of_another_user_is_refused(directory: Path) -> None:
    directory.mkdir()
    os.chown(directory, 65534, 65534)
    assert "another user" in refusal_of(directory)
    assert record(directory).status().rows_written == 0
    assert list(directory.iterdir()) == []


def test_an_empty_directory_of_ones_own_is_made_private(directory: Path) -> None:
    directory.mkdir()
    directory.chmod(0o777)
    assert not refusal_of(directory)
    record(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert not refusal_of(directory), "it is a session of gwtui now"
    assert record(directory).status().rows_written == 1


def test_a_directory_that_is_named_by_a_link_is_taken(directory: Path, tmp_path: Path) -> None:
    directory.mkdir()
    (tmp_path / "link").symlink_to(directory)
    record(tmp_path / "link")
    assert numbers(directory / "requests.csv") == [1]


@pytest.mark.parametrize("umask", [0, 0o777])
def test_what_is_made_for_sessions_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        made = new_session_dir("prod", 0.0, tmp_path / "state" / "gwtui")
    finally:
        os.umask(before)
    assert made is not None
    for path in (made, made.parent, made.parent.parent, made.parent.parent.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_where_sessions_are_kept_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "gwtui" / "sessions").mkdir(parents=True)
    for path in (tmp_path / "gwtui", tmp_path / "gwtui" / "sessions"):
        path.chmod(0o755)
    made = new_session_dir("prod", 0.0, tmp_path / "gwtui")
    assert made is not None
    assert stat.S_IMODE(made.parent.stat().st_mode) == stat.S_IMODE(made.parent.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("rotated", [False, True])
def test_a_directory_that_is_swapped_for_a_link_is_not_followed(
    directory: Path, tmp_path: Path, recorder: Recorder, flushes: Flushes, rotated: bool
) -> None:
    recorder.put(request(1))
    flushes.until(lambda: recorder.status().rows_written == 1)
    victim, moved = tmp_path / "victim", tmp_path / "moved"
    victim.mkdir()
    (victim / "requests.csv").write_text("precious\n")
    directory.rename(moved)
    directory.symlink_to(victim)
    if rotated:
        (moved / "requests.csv").rename(moved / "requests.csv.1")
    recorder.put(request(2))
    flushes.until(lambda: recorder.status().error != "")
    recorder.close()
    assert "symbolic link" in recorder.status().error
    assert {path.name: path.read_text() for path in victim.iterdir()} == {"requests.csv": "precious\n"}
    assert numbers(moved / "requests.csv") == ([2] if rotated else [1, 2]), "rows go where those before went"
    assert recorder.status().rows_lost == 0


def test_the_command_refuses_a_directory_with_ones_own_configuration(tmp_path: Path) -> None:
    config = written(tmp_path, profiles(f"http://127.0.0.1:{free_port()}"))
    before = Path(config).read_bytes()
    (tmp_path / "profile.toml").write_bytes(before)
    result = gwtui("watch", "-p", "prod", "--config", config, "--for", "0.3s", "--session-dir", str(tmp_path))
    assert result.exit_code == 2
    assert "gwtui.toml" in result.output
    assert (tmp_path / "profile.toml").read_bytes() == before
