"""Streams as evidence: which are kept, how many, and what becomes of them when the disk does not play along."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as changed
from support.recording import PROFILE, Flushes, request

from gwtui.codec.stream_file import STREAMS, StreamFile, read_stream_file, stream_name_of
from gwtui.model.enums import End, FindingName, Trigger
from gwtui.model.profile import Profile
from gwtui.model.records import Finding, Request
from gwtui.model.verdicts import Verdict
from gwtui.probes.stream_capture import StreamCapture
from gwtui.probes.stream_tape import HEAD_BYTES, READ_BYTES, TAIL_BYTES, Tape, TapeRoom
from gwtui.recorder import Recorder
from gwtui.recorder import stream_files as rooms
from gwtui.recorder.ownership import OwnedDirectory
from gwtui.recorder.stream_files import StreamFiles
from gwtui.secrets.redaction import Redactor

posix = pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX systems")
BUFFERED = (Finding(name=FindingName.BUFFERED, evidence="all at once"),)
STALE = (Finding(name=FindingName.STALE_CONNECTION, evidence="closed"),)
KEY = "made-up-0001112223334445"
ROOM = TapeRoom()


def of(mode: str = "bad", **more: Any) -> Profile:
    return changed(PROFILE, record_streams=mode, **more)


def capture(judged: Request, *data: bytes, **more: Any) -> StreamCapture:
    tape = Tape(ROOM)
    for at, each in enumerate(data or (b"data: {}\n\n",), 1):
        tape.add(1_000 * at, 0, each)
    made = StreamCapture(
        endpoint=PROFILE.endpoints[0],
        judged=judged,
        tape=tape,
        sent_ns=0,
        headers=(("content-type", "text/event-stream"), ("set-cookie", "session=abc")),
        end=End.CLEAN,
        redact=Redactor([KEY]),
    )
    return replace(made, **more)


def bad(number: int, **more: Any) -> Request:
    return request(number, verdict=Verdict.TRUNCATED, rule="openai.cut", status=200, **more)


class Kept:
    """Stream files under test, written at once."""

    def __init__(self, path: Path) -> None:
        self.owned = OwnedDirectory(path)
        self.owned.take()
        self.path = path / STREAMS
        self.notes: deque[str] = deque()
        self.files = StreamFiles(self.owned, self.notes)

    def put(self, result: Request, profile: Profile, *data: bytes, **more: Any) -> bool:
        self.files.hold(capture(result, *data, **more))
        taken = self.files.take(result, profile)
        self.files.write(profile, lambda: True)
        return taken

    @property
    def numbers(self) -> list[int]:
        found = (stream_name_of(path.name) for path in sorted(self.path.glob("*.jsonl")))
        return sorted(name.number for name in found if name is not None)

    def read(self, number: int) -> StreamFile:
        (path,) = self.path.glob(f"*_{number}_*.jsonl")
        return read_stream_file([path.read_bytes()])


@pytest.fixture
def kept(directory: Path) -> Iterator[Kept]:
    made = Kept(directory)
    yield made
    made.files.close()
    made.owned.release()


RESULTS = {
    1: request(1, status=200),
    2: bad(2),
    3: request(3, status=200, findings=BUFFERED),
    4: request(4, status=200, started_at=2.0),
    5: request(5, status=200, findings=BUFFERED, tainted=True),
    6: request(6, status=200, started_at=700.0),
    7: request(7, verdict=Verdict.CANCELLED, rule="x"),
    8: request(8, verdict=Verdict.LOCAL, rule="x"),
}


@pytest.mark.parametrize(
    ("profile", "numbers"),
    [
        (of("none"), []),
        (of("bad"), [2, 3]),
        (of("sample"), [1, 2, 3, 6]),
        (of("all"), [1, 2, 3, 4, 5, 6]),
        (of("bad", record_text=True), [1, 2, 3, 4, 5, 6]),
        (of("none", record_text=True), []),
    ],
)
def test_the_profile_says_which_streams_are_kept(kept: Kept, profile: Profile, numbers: list[int]) -> None:
    for result in RESULTS.values():
        kept.put(result, profile)
    assert kept.numbers == numbers


def test_what_is_wrong_with_the_connection_makes_no_stream_bad(kept: Kept) -> None:
    kept.put(request(1, status=200, findings=STALE), of(), told=STALE)
    kept.put(bad(2, findings=STALE), of(), told=STALE)
    assert kept.numbers == [2]
    assert kept.read(2).header.told == STALE


def test_an_answer_of_which_nothing_came_is_not_kept(kept: Kept) -> None:
    result = request(1, verdict=Verdict.REFUSED, rule="transport.refused")
    empty = replace(capture(result), tape=Tape(ROOM))
    kept.files.hold(empty)
    assert not kept.files.take(result, of("all"))


def test_a_file_holds_bytes_and_stamps_and_no_key(kept: Kept) -> None:
    result = bad(7, reason="cut", trace_id="abc", findings=BUFFERED)
    headers = (("x-key", KEY), ("set-cookie", "session=abc"), (KEY, "1"))
    kept.put(result, of(), b"data: {made-up-", b"000111222333", b"4445}\n\n", headers=headers, detail=f"not {KEY}")
    file = kept.read(7)
    assert b"".join(read.data for read in file.reads) == b"data: {" + b"x" * 24 + b"}\n\n"
    assert [read.ns for read in file.reads] == [1_000, 2_000, 3_000]
    header = file.header
    assert (header.verdict, header.trace_id, header.masked, header.detail) == ("truncated", "abc", 1, "not •••")
    assert header.headers == (("x-key", "•••"), ("set-cookie", "•••"), ("•••", "1"))
    assert ("Authorization", "Bearer ${env:GATEWAY_KEY}") in header.request_headers
    assert ("x-team", "token ${env:TEAM}") in header.request_headers
    assert header.later == ()


def test_what_was_found_after_the_answer_is_marked_so(kept: Kept) -> None:
    judged = bad(1)
    kept.files.hold(capture(judged))
    kept.files.take(changed(judged, findings=BUFFERED), of())
    kept.files.write(of(), lambda: True)
    assert kept.read(1).header.later == ("buffered",)


@posix
def test_files_are_private(kept: Kept) -> None:
    kept.put(bad(1), of())
    (path,) = kept.path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o700


def test_good_ones_go_first_then_those_with_findings_then_the_oldest(kept: Kept) -> None:
    profile = of("all", streams_mb=0.02)
    data = b"x" * 3_000
    found = request(1, status=200, findings=BUFFERED)
    kept.put(found, profile, data)
    kept.put(bad(2, started_at=2.0), profile, data)
    kept.put(request(3, status=200, started_at=3.0), profile, data)
    assert kept.numbers == [1, 2, 3]
    for number in range(4, 7):
        kept.put(bad(number, started_at=float(number)), profile, data)
    assert kept.numbers == [2, 4, 5, 6]
    kept.put(bad(7, started_at=7.0), profile, data)
    assert kept.numbers == [4, 5, 6, 7]
    assert [note for note in kept.notes if "limit" in note] == [
        "streams/ is at its limit of 0.02 MB (streams_mb): the oldest are removed"
    ]


def test_the_number_of_files_is_bounded(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MOST_FILES", 3)
    for number in range(1, 6):
        kept.put(bad(number, started_at=float(number)), of())
    assert kept.numbers == [3, 4, 5]


@posix
def test_what_others_put_there_stays_and_is_not_counted(kept: Kept, tmp_path: Path) -> None:
    kept.put(bad(1), of())
    name = next(kept.path.iterdir()).name
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (kept.path / name.replace("_1_", "_91_")).symlink_to(outside)
    os.mkfifo(kept.path / name.replace("_1_", "_92_"))
    (kept.path / f".{name.replace('_1_', '_93_')}.new").write_text("half")
    (kept.path / "notes.txt").write_text("mine" * 10_000)
    kept.files.close()
    kept.files = StreamFiles(kept.owned, kept.notes)
    for number in range(2, 5):
        kept.put(bad(number, started_at=float(number)), of(streams_mb=0.004))
    left = {path.name for path in kept.path.iterdir()}
    assert {name.replace("_1_", "_91_"), name.replace("_1_", "_92_"), "notes.txt"} < left
    assert not any(each.endswith(".new") for each in left)
    assert name not in left, "the oldest of ours went"
    assert outside.read_text() == "mine"


@posix
def test_a_name_that_is_taken_is_not_written_over(kept: Kept, tmp_path: Path) -> None:
    kept.put(bad(1), of())
    taken = next(kept.path.iterdir()).name.replace("_1_", "_2_")
    (kept.path / taken).symlink_to(tmp_path / "elsewhere")
    (kept.path / f".{taken.replace('_2_', '_3_')}.new").symlink_to(tmp_path / "elsewhere")
    for number in (2, 3, 4):
        kept.put(bad(number), of())
    assert not (tmp_path / "elsewhere").exists()
    assert kept.files.lost == 2
    assert any("_4_" in path.name for path in kept.path.iterdir())


@posix
@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_directory_that_is_none_is_not_followed(kept: Kept, tmp_path: Path, kind: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    kept.path.symlink_to(tmp_path / "elsewhere") if kind == "link" else kept.path.write_text("mine")
    kept.put(bad(1), of())
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert kept.files.lost == 1 or kept.files.error


def test_a_full_disk_loses_nothing_for_as_long_as_there_is_room(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def full(fd: int, data: Any) -> int:
        if len(data) < 100:
            return write(fd, data)
        written = write(fd, data[:50])
        if written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        for number in range(1, 4):
            kept.put(bad(number, started_at=float(number)), of())
        assert list(kept.path.iterdir()) == []
        assert "No space left" in kept.files.error
        assert kept.files.waiting == 3
        patched.setattr(rooms, "MAX_WAITING", 1)
        kept.put(bad(4, started_at=4.0), of())
    assert kept.files.lost == 1
    kept.files.write(of(), lambda: True)
    assert kept.numbers == [1, 2, 3]
    assert [note.partition(":")[0] for note in kept.notes] == [
        "streams cannot be kept",
        "streams are kept again; 1 were lost",
    ]


def test_a_directory_that_was_removed_is_made_again(kept: Kept) -> None:
    kept.put(bad(1), of())
    for path in kept.path.iterdir():
        path.unlink()
    kept.path.rmdir()
    kept.put(bad(2), of())
    assert kept.numbers == [2]


def test_a_recorder_writes_streams_beside_rows(directory: Path, flushes: Flushes) -> None:
    with Recorder(directory, of(), flush_s=0.0) as recorder:
        recorder.keep(capture(bad(1)))
        recorder.put(bad(1))
        recorder.keep(capture(request(2, status=200)))
        recorder.put(request(2, status=200))
        flushes.until(lambda: recorder.status().streams_kept == 1)
    assert len(list((directory / STREAMS).iterdir())) == 1
    with Recorder(directory, of()) as recorder:  # a session with streams may be gone on with
        recorder.put(request(3))
    assert recorder.status().error == ""


# Tapes


def test_a_tape_keeps_the_beginning_and_the_end_of_what_is_too_long() -> None:
    tape, piece = Tape(TapeRoom()), b"x" * 10_000
    for at in range(1_000):
        tape.add(at, 0, piece)
    assert tape.size <= HEAD_BYTES + TAIL_BYTES
    assert tape.head[0][0] == 0
    assert tape.tail[-1][0] == 999
    assert (len(tape.head) + len(tape.tail)) * len(piece) + tape.dropped == 1_000 * len(piece)


def test_tapes_of_many_streams_stay_within_their_room() -> None:
    room = TapeRoom(100_000)
    tapes = [Tape(room) for _ in range(1_000)]
    for tape in tapes:
        tape.add(1, 0, b"x" * 1_000)
    assert sum(tape.size for tape in tapes) <= 100_000
    assert all(tape for tape in tapes), "what was dropped is known"
    for tape in tapes[:500]:
        tape.clear()
    for tape in tapes[500:]:
        tape.written()
    assert room.take(100_000)
    assert not room.take(1)


def test_a_hole_is_written_with_its_place(kept: Kept) -> None:
    result = bad(1)
    made = capture(result, *[b"x" * (HEAD_BYTES // 4 - READ_BYTES)] * 4, *[b"y" * TAIL_BYTES] * 2)
    kept.files.hold(made)
    kept.files.take(result, of())
    kept.files.write(of(), lambda: True)
    header = kept.read(1).header
    assert (header.dropped_bytes, header.dropped_after) == (TAIL_BYTES, 4)


def test_a_trial_is_kept_as_any_other(kept: Kept) -> None:
    assert kept.put(bad(1, trigger=Trigger.TRIAL, started_at=time.time()), of())
