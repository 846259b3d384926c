"""An engine that only pretends: `python -m tests.bench.soaking RECORDS PROGRESS` in the place of `gwtui engine`.

Its records are fiction; what becomes of them is real: they are judged for the endpoints' health, recorded, and written
to standard output as lines. Every tenth of them it notes in a file how many there were, and its memory.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import gwtui.session  # noqa: F401 - whatever an engine loads takes its memory here too
from gwtui.codec.wire import decode_command, encode
from gwtui.health.health import Health
from gwtui.model.commands import Start
from gwtui.recorder import Recorder

from .fiction import fiction

LINES = 256
"""In one write."""
NOTES = 10
ROOM = 5_000
"""Rows that may wait for the disk."""


def main(records: int, progress: Path) -> None:
    start = decode_command(sys.stdin.buffer.readline())
    assert isinstance(start, Start)
    assert start.session_dir is not None
    health = Health(start.profile)
    lines: list[bytes] = []
    with Recorder(Path(start.session_dir), start.profile) as recorder, progress.open("w", buffering=1) as notes:
        for count, record in enumerate(fiction(start.profile, start.session_dir), 1):
            for each in (record, *health.apply(record)):
                recorder.put(each)
                lines.append(encode(each))
            if len(lines) >= LINES or count >= records:
                sys.stdout.buffer.write(b"".join(lines))
                sys.stdout.buffer.flush()
                lines.clear()
                while recorder.status().rows_waiting > ROOM:
                    time.sleep(0.01)
            if count % max(records // NOTES, 1) == 0:
                notes.write(f"{count} {rss_kib(os.getpid())}\n")
            if count >= records:
                break
        sys.stdin.buffer.read()  # as an engine it runs until its stdin ends


def rss_kib(pid: int) -> int:
    """Resident memory of a process; 0 where that is not known."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
