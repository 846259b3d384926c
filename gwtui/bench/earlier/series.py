"""What was measured before, to be compared: bench sessions point by point, other sessions and CSV files."""

from __future__ import annotations

from pathlib import Path

from gwtui.bench.earlier.csv_in import read
from gwtui.bench.results.measured import series_of
from gwtui.bench.session.bench_recording import read_bench
from gwtui.codec.csv_rows import CSVError, Progress
from gwtui.recorder.ownership import RUN
from gwtui.recorder.session_reader import SessionError, UnreadRows
from gwtui.stats.comparison import ComparedSeries


def read_series(path: Path, progress: Progress = lambda _: None) -> list[ComparedSeries]:
    """What was measured before, to be compared: the points of a bench session, or the endpoints of another session or
    of a CSV file. Raises CSVError."""
    if not (path / RUN).is_file():
        return read(path, progress)
    try:
        found = [series_of(each) for each in read_bench(path).measured(UnreadRows()).values()]
    except (SessionError, OSError) as error:
        raise CSVError(f"{path}: {error}") from error
    if not found:
        raise CSVError(f"{path}: it contains no results")
    return found


def open_loops(path: Path) -> dict[str, bool]:
    """Whether each point of a bench session was an open loop; empty for what is no bench session. Raises CSVError."""
    if not (path / RUN).is_file():
        return {}
    try:
        return {point.name: point.plan.rate is not None for point in read_bench(path).run.points}
    except SessionError as error:
        raise CSVError(f"{path}: {error}") from error
