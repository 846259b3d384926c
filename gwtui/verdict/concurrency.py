"""What the analysis of models that were asked together comes to: a finding, its evidence in words, its table."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from gwtui.model.concurrency import Concurrency, ModelTimeline, Together
from gwtui.model.enums import FindingName
from gwtui.model.records import Finding
from gwtui.text import units
from gwtui.text.tables import Row, TextColumn, cells, cut, table

_HEADINGS: Row = ("model", "start", "first", "own first", "end", "duration", "chunks")
LEAST_NAME = 12
"""Columns that a model's name keeps, however narrow the table is."""
_COLUMNS = (TextColumn(most=40), *[TextColumn(7, right=True)] * 5, TextColumn(6, right=True))


def sequential(found: Concurrency) -> Iterator[Finding]:
    """The finding where one model waits for the other. Users wait several times as long, so the endpoint is
    degraded."""
    if found.verdict is Together.SEQUENTIAL:
        yield Finding(name=FindingName.SEQUENTIAL, evidence=evidence_of(found), degrades=True)


def evidence_of(found: Concurrency) -> str:
    """The three pieces of evidence; where there is no verdict, why."""
    if found.verdict is None:
        return f"{'not applicable' if len(found.models) < 2 else 'no verdict'}: {found.undecided}"
    within = "within" if found.starts_together else "beyond"
    turns = f"alternate ({found.turns} times)" if found.turns else "do not alternate"
    turns += ", but overlap later" if found.speaks_together and not found.turns else ""
    times = [units.duration(ns) for ns in (found.wall_ns, found.slowest_ns, found.sum_ns)]
    limit = units.duration(found.spread_limit_ns)
    early = found.models_in_first_chunks
    answer = "answers" if early == 1 else "answer"
    apart = f"{units.duration(found.start_spread_ns)} apart" if found.start_spread_ns else "in the same read"
    return (
        f"{len(found.answered)} models start {apart} ({within} {limit}); "
        f"{early} of them {answer} within the first {found.first_chunks} chunks and {turns}; "
        f"{times[0]} in total; slowest {times[1]}, sum {times[2]}{_counted_from(found)}, "
        f"{found.speed_up:.1f} times as fast"
    )


def _counted_from(found: Concurrency) -> str:
    """What the times of the slowest model and of the sum are counted from, as in `stats.concurrency`."""
    ended = [(each, each.end_ns) for each in found.answered if each.end_ns is not None]
    spans = {
        "start": [end_ns - (each.start_ns or 0) for each, end_ns in ended],
        "first chunk": [end_ns - (each.begin_ns or 0) for each, end_ns in ended],
    }
    for begin, took_ns in spans.items():
        if (max(took_ns, default=0), sum(took_ns)) == (found.slowest_ns, found.sum_ns):
            return f" (each model from its {begin})"
    if all(each.alone is not None for each in found.answered):
        return " (each model asked alone)"
    return " (each model as fast as the first to answer)"


def in_words(found: Concurrency) -> str:
    """The verdict with its evidence on one line; "" where several models were not asked together."""
    if not found.models:
        return ""
    return f"{found.verdict}: {evidence_of(found)}" if found.verdict is not None else evidence_of(found)


def models_table(found: Concurrency, begin_ns: int = 0, *, width: int = sys.maxsize) -> list[str]:
    """A line per model, under headings; one that failed has its error. Start, first chunk and end count from
    `begin_ns`; `own first` and `duration` from the model's own start. Names of models
    are cut where the table is wider than `width` columns."""
    rows = [_HEADINGS, *(_timeline_row(each, begin_ns) for each in found.models)]
    lines = table(rows, _COLUMNS)
    if (excess := len(lines[0]) - width) <= 0:
        return lines
    widest = max(LEAST_NAME, max(cells(each.model) for each in found.models) - excess)
    return table([(cut(str(name), widest), *others) for name, *others in rows], _COLUMNS)


def _timeline_row(timeline: ModelTimeline, begin_ns: int) -> Row:
    if timeline.error:
        return timeline.model, f"✖ {timeline.error}"
    start, first, end = (
        units.offset(ns - begin_ns if ns is not None else None)
        for ns in (timeline.start_ns, timeline.first_ns, timeline.end_ns)
    )
    own_first, took = units.duration(timeline.first_own_ns), units.duration(timeline.took_ns)
    return timeline.model, start, first, own_first, end, took, str(timeline.chunks)
