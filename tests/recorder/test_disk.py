"""Files of whole lines stay files of whole lines: torn, rotated, deleted, replaced, on a full disk."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.oswords import NO_SPACE

from gwtui.recorder.disk import LineFile, parts, replace_file
from gwtui.recorder.ownership import OwnedDirectory
from gwtui.text.untrusted_files import Directory

HEADER = b"name,number\n"
ROWS = b"a,1\nbb,22\nccc,333\n"

posix = pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX systems")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with Directory.held(tmp_path) as directory:
        yield directory


@pytest.fixture
def file(directory: Directory, path: Path) -> Iterator[LineFile]:
    file = LineFile(directory, path.name, HEADER)
    yield file
    file.close()


def test_the_header_is_written_once_whoever_opens_the_file(directory: Directory, path: Path, file: LineFile) -> None:
    file.append(b"")
    file.append(b"a,1\n")
    again = LineFile(directory, path.name, HEADER)
    again.append(b"")
    again.append(b"b,2\n")
    again.close()
    assert path.read_bytes() == HEADER + b"a,1\nb,2\n"


@pytest.mark.parametrize("cut", range(len(HEADER + ROWS) + 1))
def test_a_last_line_torn_at_any_byte_is_cut_off_and_nothing_else_is(path: Path, file: LineFile, cut: int) -> None:
    whole = (HEADER + ROWS)[:cut]
    path.write_bytes(whole)
    file.append(b"new,4\n")
    kept = whole[: whole.rfind(b"\n") + 1] or HEADER
    assert path.read_bytes() == kept + b"new,4\n"
    assert file.torn_lines == (0 if whole in (b"", kept) else 1)


def test_a_torn_line_of_any_length_is_cut_off(path: Path, file: LineFile) -> None:
    path.write_bytes(HEADER + ROWS + b"x" * 300_000)
    file.append(b"new,4\n")
    assert path.read_bytes() == HEADER + ROWS + b"new,4\n"


@posix
def test_a_file_that_was_rotated_away_is_begun_anew(path: Path, file: LineFile) -> None:
    file.append(b"a,1\n")
    rotated = path.rename(path.with_suffix(".1"))
    file.append(b"b,2\n")
    assert (rotated.read_bytes(), path.read_bytes()) == (HEADER + b"a,1\n", HEADER + b"b,2\n")


@posix
def test_a_file_that_was_deleted_is_begun_anew(path: Path, file: LineFile) -> None:
    file.append(b"a,1\n")
    path.unlink()
    file.append(b"b,2\n")
    assert path.read_bytes() == HEADER + b"b,2\n"


def test_a_file_that_was_emptied_in_place_gets_its_header_again(path: Path, file: LineFile) -> None:
    file.append(b"a,1\n")
    path.write_bytes(b"")
    file.append(b"b,2\n")
    assert path.read_bytes() == HEADER + b"b,2\n"


def test_a_file_of_other_columns_is_set_aside_untouched(path: Path, file: LineFile) -> None:
    first, second = b"other\n1\ntorn", b"third\n"
    path.write_bytes(first)
    file.append(b"a,1\n")
    file.close()
    path.write_bytes(second)
    file.append(b"b,2\n")
    assert path.with_name("rows.1.csv").read_bytes() == first
    assert path.with_name("rows.2.csv").read_bytes() == second
    assert path.read_bytes() == HEADER + b"b,2\n"


def test_a_file_that_would_grow_beyond_its_limit_is_put_aside_whole(directory: Directory, path: Path) -> None:
    file = LineFile(directory, path.name, HEADER, limit=len(HEADER) + 10)
    for number in range(1, 24):
        file.append(f"r,{number}\n".encode())
    file.append(b"far longer than the limit,24\n")
    file.close()
    kept = [part.read_bytes() for part in parts(path)]
    assert [part.name for part in parts(path)] == [*(f"rows.{n}.csv" for n in range(1, len(kept))), "rows.csv"]
    assert len(kept) > 10
    assert all(part.startswith(HEADER) and part.endswith(b"\n") for part in kept)
    assert all(len(part) <= len(HEADER) + 10 for part in kept[:-1])
    rows = [line for part in kept for line in part.removeprefix(HEADER).splitlines()]
    assert [int(row.split(b",")[1]) for row in rows] == list(range(1, 25))


def test_a_part_that_was_taken_away_gives_its_number_to_no_other(directory: Directory, path: Path) -> None:
    file = LineFile(directory, path.name, HEADER, limit=1)
    for row in (b"a,1\n", b"b,2\n", b"c,3\n"):
        file.append(row)
    path.with_name("rows.1.csv").unlink()
    path.with_name("rows.old.csv").touch()
    file.append(b"d,4\n")
    file.close()
    assert [part.name for part in parts(path)] == ["rows.2.csv", "rows.3.csv", "rows.csv"]


def test_a_file_without_rows_or_shorter_than_asked_for_stays(path: Path, file: LineFile) -> None:
    file.append(b"")
    file.rotate()
    file.append(b"a,1\n")
    file.rotate(len(HEADER) + 4)
    assert parts(path) == [path]
    file.rotate(len(HEADER) + 3)
    file.append(b"b,2\n")
    assert [part.read_bytes() for part in parts(path)] == [HEADER + b"a,1\n", HEADER + b"b,2\n"]


def test_a_file_that_cannot_be_put_aside_is_still_used_and_that_is_reported_once(
    directory: Directory, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Directory, "rename", refuse)
    file = LineFile(directory, path.name, HEADER, limit=1)
    for row in (b"a,1\n", b"b,2\n", b"c,3\n"):
        file.append(row)
    file.close()
    assert path.read_bytes() == HEADER + b"a,1\nb,2\nc,3\n"
    assert [record.getMessage() for record in caplog.records] == [
        "rows.csv cannot be rotated and keeps growing: [Errno 13] Permission denied"
    ]


@posix
def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        owned = OwnedDirectory(tmp_path / "session")
        owned.take()
        file = LineFile(owned, "rows.csv", HEADER)
        file.append(b"")
        replace_file(owned, "profile.toml", b"x")
    finally:
        os.umask(before)
    file.close()
    owned.release()
    assert stat.S_IMODE(owned.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in owned.path.iterdir()} == {0o600}


@posix
def test_a_symlink_in_the_place_of_the_file_is_not_followed(path: Path, file: LineFile) -> None:
    target = path.with_name("target")
    target.write_bytes(b"precious\n")
    path.symlink_to(target)
    with pytest.raises(OSError, match=r"rows\.csv"):
        file.append(b"a,1\n")
    assert target.read_bytes() == b"precious\n"


@posix
def test_a_pipe_in_the_place_of_the_file_is_refused_at_once(path: Path, file: LineFile) -> None:
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"):
        file.append(b"a,1\n")
    assert path.is_fifo()


def test_a_directory_in_the_place_of_the_file_is_refused(path: Path, file: LineFile) -> None:
    path.mkdir()
    with pytest.raises(OSError, match=r"rows\.csv"):
        file.append(b"a,1\n")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="a device that is always full")
def test_a_full_disk_is_reported_each_time_and_leaks_no_descriptor(
    path: Path, file: LineFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.append(b"a,1\n")
    write = os.write
    with Path("/dev/full").open("wb", buffering=0) as full, monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda _, data: write(full.fileno(), data))
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(20):
            with pytest.raises(OSError, match=NO_SPACE):
                file.append(b"b,2\n")
        assert len(list(Path("/proc/self/fd").iterdir())) <= before
    file.append(b"c,3\n")
    assert path.read_bytes() == HEADER + b"a,1\nc,3\n"


LIMITED = """
import resource, sys
from pathlib import Path
from gwtui.text.untrusted_files import Directory
from gwtui.recorder.disk import LineFile

path, header, limit = Path(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
file = LineFile(Directory.held(path.parent), path.name, header)
file.append(b"first,1\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    file.append(b"second,2\\n" * 5)
except OSError as error:
    print(error.strerror)
print(path.read_bytes() == header + b"first,1\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.append(b"third,3\\n")
print(path.read_bytes() == header + b"first,1\\nthird,3\\n")
"""


@posix
@pytest.mark.parametrize("room", [0, 1, 8, 9, 44])
def test_lines_that_fit_only_in_part_leave_no_part_behind(path: Path, room: int) -> None:
    limit = len(HEADER) + len(b"first,1\n") + room
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), HEADER.decode(), str(limit)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["File too large", "True", "True"]


@posix
def test_a_directory_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first, second = OwnedDirectory(tmp_path), OwnedDirectory(tmp_path)
    assert first.take()
    assert not first.take()
    with pytest.raises(OSError, match="another gwtui"):
        second.take()
    first.release()
    assert second.take()
    second.release()


def test_a_replaced_file_is_the_old_one_or_the_new_one(directory: Directory, tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    replace_file(directory, path.name, b"old " * 100)
    replace_file(directory, path.name, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["profile.toml"]
