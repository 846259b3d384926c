"""A bench session read back: what was to be done, what came of it, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.session.resume import Stretches
from gwtui.bench.session.run_file import RunFile, RunFileError
from gwtui.bench.session.session_rows import MAX_POINT, SESSION_FILES, result_of
from gwtui.codec.cells import MILLISECONDS, wall_time
from gwtui.codec.csv_schema import RowError
from gwtui.model.enums import Unsent
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request
from gwtui.recorder.ownership import NEVER_SENT, RUN, SUMMARY
from gwtui.recorder.session_reader import SessionError, UnreadRows, read_session, rows_of
from gwtui.text.sanitize import clean
from gwtui.text.untrusted_files import Directory

if TYPE_CHECKING:
    from gwtui.bench.run.runner import BenchRun

MAX_RUN_BYTES = 64 << 20
"""Length limit of `run.json` and `summary.json`."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A due request that was never sent."""

    point: str
    reason: Unsent
    due_ns: int
    """On the line of the results' stamps."""


@dataclass(frozen=True, slots=True)
class BenchRecording:
    """A bench session that was recorded, whole or in part."""

    directory: Path
    started_at: float
    profile: Profile
    run: RunFile

    def results(self, unread: UnreadRows) -> Iterator[tuple[str, Request | Ping]]:
        """Every result with its point, requests before pings, each in the order of their ends. Stamps count from the
        beginning of the session. Raises OSError."""
        with Directory.held(self.directory) as directory:
            for name in SESSION_FILES:
                yield from rows_of(directory, name, result_of, unread)

    def misses(self, unread: UnreadRows) -> Iterator[Missed]:
        """Raises OSError."""
        with Directory.held(self.directory) as directory:
            yield from rows_of(directory, NEVER_SENT, _missed, unread)

    def into(self, run: BenchRun, resumed_at: Iterable[str], unread: UnreadRows) -> Stretches:
        """Count everything as results of a run whose points are its endpoints. `resumed_at`: when stretches began.
        Raises OSError."""
        stretches = Stretches([round((wall_time(at) - self.started_at) * 1e9) for at in resumed_at])
        for point, result in self.results(unread):
            if result.endpoint in run.measured:
                run.count(result, paused=stretches.take(point, result))
        for missed in self.misses(unread):
            if missed.point in run.measured:
                stretches.miss(missed.point)
                run.count_miss(missed.point, missed.reason)
        run.seconds = stretches.seconds
        return stretches

    def measured(self, unread: UnreadRows) -> dict[str, Measured]:
        """What came of each point, counted as it was when it was measured. Raises OSError."""
        endpoints = {each.name: each for each in self.profile.endpoints}
        found: dict[str, Measured] = {}
        for point in self.run.points:
            if (endpoint := endpoints.get(point.endpoint)) is not None:
                found |= empty([structs.replace(endpoint, name=point.name)], from_planned=point.plan.rate is not None)
        for name, result in self.results(unread):
            if name in found:
                found[name].take(result)
        for missed in self.misses(unread):
            if missed.point in found:
                found[missed.point].miss(missed.reason)
        return found

    def summary(self) -> bytes | None:
        """`summary.json`; None where the benchmark did not come to its end. Raises OSError."""
        with Directory.held(self.directory) as directory:
            return directory.read(SUMMARY, MAX_RUN_BYTES) if directory.has(SUMMARY) else None


def read_bench(path: Path) -> BenchRecording:
    """The bench session in the directory, which is untrusted. Raises SessionError."""
    session = read_session(path)
    try:
        with Directory.held(path) as directory:
            run = RunFile.parse(directory.read(RUN, MAX_RUN_BYTES))
    except OSError as error:
        raise SessionError(f"{path} is not a bench session: {RUN}: {error.strerror}") from error
    except RunFileError as error:
        raise SessionError(f"{path / RUN} cannot be read: {error}") from error
    return BenchRecording(path, session.started_at, session.profile, run)


def _missed(cells: Mapping[str, str]) -> Missed:
    """Raises RowError."""
    try:
        due_ns, reason = int(MILLISECONDS.read(cells["due_ms"])), Unsent(cells["reason"])
    except (KeyError, ValueError, OverflowError) as error:
        raise RowError("it does not say when, or why") from error
    return Missed(clean(cells.get("point", ""), MAX_POINT), reason, due_ns)
