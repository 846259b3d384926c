"""A recorded session compared with itself: before against since a mark or a time, or all against what was usual."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path

from gwtui.bench.earlier.csv_in import read
from gwtui.codec.csv_rows import CSVError, Progress
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.usual import UsualSource
from gwtui.recorder.session_reader import Session, SessionError, read_session
from gwtui.stats.comparison import ComparedSeries
from gwtui.stats.significance import Sample
from gwtui.text.sanitize import clean
from gwtui.text.units import timestamp

MAX_LABEL = 60
MAX_MARKS = 5
MOST_RESULTS = 1_000_000
"""Of what is usual; more are thinned out."""
FORMS = "a mark, 14:03, 2026-11-30 14:03 or 2026-11-30T14:03:22Z"
_CLOCK = re.compile(r"[0-2]?\d:[0-5]\d(:[0-5]\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Since:
    """The moment that parts before and after."""

    at: float
    """Wall time."""
    label: str
    """The mark's text, or the time, as the user wrote it."""


def since_of(text: str, path: Path) -> Since:
    """The moment that a text means in this session or file. Raises CSVError."""
    session = _session(path) if path.is_dir() else None
    try:
        marks = session.marks() if session is not None else []
    except OSError as error:
        raise CSVError(f"{path}: cannot be read: {error.strerror or error}") from error
    wanted, label = text.strip().casefold(), clean(text.strip(), MAX_LABEL)
    equal = [mark for mark in marks if mark.text.casefold() == wanted]
    if equal:
        last, *others = reversed(equal)
        which = f", the last of {len(equal)}, {timestamp(last.at)[:19]}Z" if others else ""
        return Since(last.at, f"{clean(last.text, MAX_LABEL)}{which}")
    if (at := _time_of(text.strip(), session)) is not None:
        return Since(at, label)
    like = [mark for mark in marks if wanted and wanted in mark.text.casefold()]
    if len(like) == 1:
        return Since(like[0].at, clean(like[0].text, MAX_LABEL))
    raise CSVError(f"{path}: {label!r} is {'the text of several marks' if like else _unknown(marks)}")


def _unknown(marks: Sequence[LogEntry]) -> str:
    names = ", ".join(clean(mark.text, MAX_LABEL) for mark in marks[-MAX_MARKS:])
    return f"no mark of it and no time: give {FORMS}; {f'its marks: {names}' if names else 'it has no marks'}"


def _time_of(text: str, session: Session | None) -> float | None:
    """A wall time in this machine's zone unless it has an offset; a clock time is the first one in the session."""
    try:
        if _CLOCK.fullmatch(text) and session is not None:
            begun = datetime.fromtimestamp(session.started_at)  # noqa: DTZ006 - this machine's time is meant
            found = datetime.combine(begun, time.fromisoformat(text.zfill(5) if len(text) < 6 else text.zfill(8)))
            return (found if found >= begun.replace(microsecond=0) else found + timedelta(days=1)).timestamp()
        return datetime.fromisoformat(text).timestamp() if len(text) > len("2026-11-30") else None
    except (ValueError, OverflowError, OSError):
        return None


def before_and_after(
    path: Path, names: Iterable[str], since: Since, window_s: float | None, progress: Progress
) -> list[tuple[ComparedSeries, ComparedSeries]]:
    """Each endpoint, or those named, for `window_s` before and since that moment. Raises CSVError."""
    low, high = (since.at - window_s, since.at + window_s) if window_s is not None else (-math.inf, math.inf)
    before, after = (read(path, progress, within) for within in ((low, since.at), (since.at, high)))
    wanted = list(names)
    later = {series.name: series for series in after}
    pairs = [
        (replace(each, name=f"{each.name} before"), replace(later[each.name], name=f"{each.name} since"))
        for each in before
        if each.name in later and (not wanted or each.name in wanted)
    ]
    if not pairs:
        when = "before" if later else "since"
        raise CSVError(f"{path}: no endpoint{_named(wanted)} has results {when} {since.label} to compare")
    return pairs


def against_usual(path: Path, names: Iterable[str], progress: Progress) -> list[tuple[ComparedSeries, ComparedSeries]]:
    """Each endpoint of a session against what was usual for it when the session began. Raises CSVError."""
    wanted = list(names)
    usual: dict[str, Usual] = {}
    for each in _usuals(path):
        if not each.vantage and any(one.source is not UsualSource.SESSION for one in each.latencies.values()):
            usual.setdefault(each.endpoint, each)
    series = [each for each in read(path, progress) if not wanted or each.name in wanted]
    pairs = [(_as_series(usual[each.name]), each) for each in series if each.name in usual]
    if not pairs:
        raise CSVError(f"{path}: nothing from before this session says what is usual for an endpoint{_named(wanted)}")
    return pairs


def _as_series(usual: Usual) -> ComparedSeries:
    """What was usual, as if it had been measured."""
    found = {
        metric: [value for value, count in each.values for _ in range(_fewer(count, each.n))]
        for metric, each in usual.latencies.items()
        if each.source is not UsualSource.SESSION
    }
    is_ping = Metric.RTT in found
    samples: dict[Metric, Sample] = {}
    for metric, values in found.items():
        correlation = usual.latencies[metric].correlation
        samples[Metric.E2E if metric is Metric.RTT else metric] = Sample(values, correlation=correlation)
    total = usual.good + usual.failed
    return ComparedSeries(f"{usual.endpoint}, usual", samples, usual.good, total or None, is_ping)


def _fewer(count: int, n: int) -> int:
    """How many of these results to compare, where all `n` are too many."""
    return count if n <= MOST_RESULTS else max(1, count * MOST_RESULTS // n)


def _usuals(path: Path) -> list[Usual]:
    try:
        return _session(path).usuals()
    except OSError as error:
        raise CSVError(f"{path}: cannot be read: {error.strerror or error}") from error


def _session(path: Path) -> Session:
    try:
        return read_session(path)
    except SessionError as error:
        raise CSVError(str(error)) from error


def _named(names: Sequence[str]) -> str:
    return f" of {', '.join(names)}" if names else ""
