"""What a row on disk costs the engine, and what an installation takes."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from itertools import islice
from pathlib import Path

from gwtui.codec.csv_schema import request_row
from gwtui.model.profile import Profile
from gwtui.model.records import Request
from gwtui.recorder import Recorder

from .fiction import fiction, fiction_profile
from .figures import Figure, us

AT_ONCE = 1_000
"""Rows between two looks at how far the disk is."""


def run(short: bool) -> Iterator[Figure]:
    count = 1_000 if short else 30_000
    profile = fiction_profile(1)
    requests = list(islice((each for each in fiction(profile) if isinstance(each, Request)), count))
    plain = _plain_ns(requests)
    yield Figure("a row of requests.csv, CPU of the whole process", us(_row_ns(requests, profile)), "<= 20 us")
    yield Figure("  csv.writer and the same cells, with no guard and no file", us(plain))
    parts = installed("gwtui")
    if not parts:
        yield Figure("installed size", "gwtui is not installed here, it runs from a checkout")
        return
    largest = sorted(parts.items(), key=lambda part: -part[1])[:6]
    found = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in largest)
    total = sum(parts.values()) / 1e6
    yield Figure("installed size with all dependencies", f"{total:.0f} MB of {len(parts)} packages", "<= 60 MB")
    yield Figure("  the largest, MB", found)


def _plain_ns(requests: list[Request]) -> float:
    rows = [list(request_row(request).values()) for request in requests]
    began = time.process_time_ns()
    writer = csv.writer(io.StringIO())
    for row in rows:
        writer.writerow(row)
    return (time.process_time_ns() - began) / len(rows)


def _row_ns(requests: list[Request], profile: Profile) -> float:
    with tempfile.TemporaryDirectory() as place:
        began = time.process_time_ns()
        with Recorder(Path(place, "session"), profile) as recorder:
            for start in range(0, len(requests), AT_ONCE):
                for request in requests[start : start + AT_ONCE]:
                    recorder.put(request)
                while recorder.status().rows_waiting > AT_ONCE:
                    time.sleep(0.001)
        took = time.process_time_ns() - began
        assert recorder.status().rows_written == len(requests)
    return took / len(requests)


def installed(name: str) -> dict[str, int]:
    """Bytes of a distribution and of all it needs, without extras."""
    found: dict[str, int] = {}
    wanted = [name]
    while wanted:
        each = _normal(wanted.pop())
        if each in found:
            continue
        try:
            package = distribution(each)
        except PackageNotFoundError:
            continue
        found[each] = _size(package)
        wanted += [_normal(need) for need in package.requires or () if "extra ==" not in need]
    return found


def _normal(need: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", need.strip())[0].lower().replace("_", "-")


def _size(package: Distribution) -> int:
    """On disk, as far as its files are there: compiled ones count as well."""
    paths = (Path(str(package.locate_file(file))) for file in package.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file())
