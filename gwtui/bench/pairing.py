"""What to compare with what, once it was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from gwtui.bench.csv_in import CSVError
from gwtui.stats.comparison import ComparedSeries
from gwtui.text.sanitize import clean


def places(paths: Sequence[Path]) -> list[str]:
    """What to call these files: by their names, and by their whole paths where two have the same."""
    names = [path.resolve().name if not (path.is_fifo() or path.is_char_device()) else str(path) for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def pairs(sources: Sequence[tuple[str, Sequence[ComparedSeries]]]) -> list[tuple[ComparedSeries, ComparedSeries]]:
    """What to compare. Of one source its endpoints with each other; of several each endpoint with its namesakes.

    Sources that hold one endpoint each are compared whatever it is called. Raises CSVError.
    """
    if len(sources) == 1:
        (place, series), *_ = sources
        if len(series) < 2:
            raise CSVError(f"{place}: it has one endpoint, {series[0].name}: name a second file to compare it with")
        return list(combinations(series, 2))
    if all(len(series) == 1 for _, series in sources):
        return list(combinations([_in(series[0], place) for place, series in sources], 2))
    named = {name: None for _, series in sources for name in (each.name for each in series)}
    found = [
        pair
        for name in named
        for pair in combinations(
            [_in(each, place) for place, series in sources for each in series if each.name == name], 2
        )
    ]
    if not found:
        names = "; ".join(f"{place} has {', '.join(each.name for each in series)}" for place, series in sources)
        raise CSVError(f"these files have no endpoint in common: {names}")
    return found


def _in(series: ComparedSeries, place: str) -> ComparedSeries:
    return replace(series, name=f"{series.name} in {clean(place)}")
