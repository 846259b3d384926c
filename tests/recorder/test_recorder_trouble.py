"""What becomes of rows when the disk does not play along, when two write, and when a writer is killed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.recording import PROFILE, Flushes, numbers, request, rotated_numbers

from gwtui.model.profile import Profile
from gwtui.model.records import Ping, ProfileChanged
from gwtui.model.verdicts import Verdict
from gwtui.recorder import Recorder
from gwtui.recorder.disk import LineFile

posix = pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX systems")


def test_a_second_session_in_the_same_directory_goes_on_below_a_repaired_line(directory: Path) -> None:
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(request(1))
    with (directory / "requests.csv").open("ab") as file:
        file.write(b"gateway,2,5.0,")
    with Recorder(directory, PROFILE) as recorder:
        recorder.put(request(3))
    assert recorder.status().torn_lines == 1
    assert numbers(directory / "requests.csv") == [1, 3]


@posix
def test_rows_outlive_a_removed_directory(directory: Path, recorder: Recorder, flushes: Flushes) -> None:
    recorder.put(request(1))
    flushes.until(lambda: recorder.status().rows_written == 1)
    shutil.rmtree(directory)
    recorder.put(request(2))
    flushes.until(lambda: recorder.status().rows_written == 2)
    recorder.close()
    assert numbers(directory / "requests.csv") == [2]
    assert (directory / "profile.toml").exists()
    assert recorder.status().error == ""


@posix
def test_rows_go_on_in_a_fresh_file_after_a_rotation(directory: Path, recorder: Recorder, flushes: Flushes) -> None:
    recorder.put(request(1))
    flushes.until(lambda: recorder.status().rows_written == 1)
    rotated = (directory / "requests.csv").rename(directory / "requests.csv.1")
    recorder.put(request(2))
    recorder.close()
    assert numbers(rotated) == [1]
    assert numbers(directory / "requests.csv") == [2]


def test_without_a_place_to_write_rows_wait_up_to_a_limit_and_the_rest_is_counted(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    with Recorder(blocker / "session", PROFILE, max_waiting=3, retry_s=0.001) as recorder:
        for number in range(1, 6):
            recorder.put(request(number))
        during = recorder.status()
    assert (during.rows_written, during.rows_waiting, during.rows_lost) == (0, 3, 2)
    after = recorder.status()
    assert (after.rows_written, after.rows_waiting, after.rows_lost) == (0, 0, 5)
    assert "Not a directory" in after.error


def test_one_file_that_cannot_be_written_does_not_stop_the_others(
    directory: Path, recorder: Recorder, flushes: Flushes
) -> None:
    flushes.until((directory / "incidents.csv").exists)
    for name in ("pings.csv", "profile.toml"):
        (directory / name).unlink()
        (directory / name).mkdir()
    recorder.put(ProfileChanged(now_ns=1, profile=Profile(name="other")))
    recorder.put(request(1))
    recorder.put(Ping(endpoint="ws", number=1, started_at=1.0, now_ns=1, verdict=Verdict.PONG, rule="ws"))
    recorder.close()
    status = recorder.status()
    assert numbers(directory / "requests.csv") == [1]
    assert (status.rows_written, status.rows_lost) == (1, 1)
    assert status.error


@posix
def test_of_two_programs_in_one_directory_the_second_waits_for_the_first(directory: Path, flushes: Flushes) -> None:
    first = Recorder(directory, PROFILE, retry_s=0.001)
    with Recorder(directory, PROFILE, retry_s=0.001) as second:
        flushes.until(lambda: second.status().error == "" and (directory / "incidents.csv").exists())
        with first:
            first.put(request(1))
            second.put(request(2))
            first.close()
        flushes.until(lambda: second.status().rows_written == 1)
    assert "another gwtui" in first.status().error
    assert numbers(directory / "requests.csv") == [2]


def test_a_disk_that_hangs_is_reported_and_holds_up_no_end(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, answers, now_s = threading.Event(), threading.Event(), [100.0]
    append = LineFile.append

    def hanging(self: LineFile, lines: bytes) -> None:
        if lines:
            hangs.set()
            assert answers.wait(20)
        append(self, lines)

    monkeypatch.setattr(LineFile, "append", hanging)
    with Recorder(directory, PROFILE, close_s=0.0, clock_s=lambda: now_s[0]) as recorder:
        recorder.put(request(1))
        assert hangs.wait(20)
        recorder.put(request(2))
        assert recorder.status().error == "", "it may be slow"
        now_s[0] += 30
        during = recorder.status()
        assert (during.error, during.rows_waiting, during.rows_lost) == ("the disk has not answered for 30 s", 2, 0)
        recorder.close()
        after = recorder.status()
        assert (after.rows_written, after.rows_waiting, after.rows_lost) == (0, 0, 2)
        answers.set()
        recorder.close(20)
    status = recorder.status()
    assert (status.rows_written, status.rows_lost) == (1, 1), "what the disk took in the end is not lost"
    assert numbers(directory / "requests.csv") == [1]


FULL = """
import resource, sys, threading
from pathlib import Path
from gwtui.model.profile import Profile
from gwtui.recorder import Recorder
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict

directory = Path(sys.argv[1])
tried, flush = threading.Condition(), Recorder._flush

def flush_and_notify(recorder):
    flush(recorder)
    with tried:
        tried.notify_all()

Recorder._flush = flush_and_notify

def until(done):
    with tried:
        assert tried.wait_for(done, timeout=20), recorder.status()

def request(number):
    return Request(endpoint="e", number=number, started_at=1.0, now_ns=1, api="http", verdict=Verdict.COMPLETE, rule="")

with Recorder(directory, Profile(), flush_s=0.0, retry_s=0.001) as recorder:
    recorder.put(request(1))
    until(lambda: recorder.status().rows_written == 1)
    size = (directory / "requests.csv").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
    recorder.put(request(2))
    recorder.put(request(3))
    until(lambda: recorder.status().error)
    print(recorder.status().error, recorder.status().rows_waiting)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: recorder.status().rows_written == 3 and not recorder.status().error)
print(recorder.status())
"""


@posix
def test_rows_that_met_a_full_disk_are_written_when_it_has_room_again(directory: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(directory)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found, status = done.stdout.splitlines()
    assert found == "File too large (requests.csv) 2"
    assert "rows_written=3, rows_waiting=0, rows_lost=0, error=''" in status
    assert numbers(directory / "requests.csv") == [1, 2, 3]


ENDLESS = """
import sys
from pathlib import Path
from gwtui.model.profile import Profile
from gwtui.recorder import Recorder
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict

first, printed = int(sys.argv[2]), False
with Recorder(Path(sys.argv[1]), Profile(rotate_mb=float(sys.argv[3])), flush_s=0.0) as recorder:
    for number in range(first, first + 100_000):
        recorder.put(Request(endpoint="e", number=number, started_at=1.0, now_ns=1, api="http",
                             verdict=Verdict.COMPLETE, rule="", reason="x" * (number % 700)))
        while recorder.status().rows_waiting > 100:
            pass
        if not printed and recorder.status().rows_written >= 500:
            print("go", flush=True)
            printed = True
"""


@pytest.mark.parametrize("rotate_mb", [100.0, 0.02])
def test_a_kill_in_the_middle_leaves_whole_rows_in_their_order(directory: Path, rotate_mb: float) -> None:
    seen: list[int] = []
    for _ in range(4):
        first = seen[-1] + 1 if seen else 1
        with subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(directory), str(first), str(rotate_mb)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == b"go\n"
            writer.kill()
        with Recorder(directory, Profile()):
            pass
        seen = rotated_numbers(directory / "requests.csv")
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) >= first + 499
