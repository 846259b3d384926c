"""An earlier measurement that a benchmark is compared with: `--baseline SESSION|FILE`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gwtui.bench.earlier.series import open_loops, read_series
from gwtui.bench.gates import ratio_gates
from gwtui.bench.gates.ratio_gates import GateAnswer, Pair, RatioGate
from gwtui.bench.results.measured import Measured, series_of
from gwtui.bench.work.targets import TargetError
from gwtui.codec.csv_rows import Progress
from gwtui.stats.comparison import ComparedSeries, compare, compare_failures
from gwtui.stats.sentences import change_sentence
from gwtui.text import units
from gwtui.text.sanitize import clean

_A = {"open": "an open", "closed": "a closed"}
JUST_NOW_S = 120
"""The age from which on it is said; what is known of it is the minute."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was measured before, for each endpoint that is measured now."""

    label: str
    """The name of the file or the session."""
    series: Mapping[str, ComparedSeries]
    """By the name of today's endpoint, under its own name and the label."""
    gates: Sequence[RatioGate]

    def pairs(self, measured: Sequence[Measured]) -> list[Pair]:
        return [(self.series[each.endpoint], series_of(each)) for each in measured]

    def judged(self, measured: Sequence[Measured]) -> list[GateAnswer]:
        """What became of each gate."""
        return ratio_gates.judge(self.gates, self.pairs(measured))

    def lines(self, measured: Sequence[Measured], answers: Sequence[GateAnswer], now: float) -> list[str]:
        """Per endpoint how old and how large the baseline is, what has changed, and what became of the gates. `now`:
        wall time."""
        pairs, lines = self.pairs(measured), []
        comparisons, failures = compare(pairs), {each.second: each for each in compare_failures(pairs)}
        for before, after in pairs:
            mine = [each for each in comparisons if each.second == after.name]
            lines.append(f"baseline of {after.name}: {before.name}, {_size(before)}, {_age(before, now)}")
            lines.append(change_sentence(f"{after.name} since then", failures.get(after.name), mine))
            lines += ratio_gates.lines(each for each in answers if each.endpoint == after.name)
        return lines

    def told(self, measured: Sequence[Measured], answers: Sequence[GateAnswer], now: float) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "baseline": [_told(before, after, now) for before, after in self.pairs(measured)],
            "ratios": [ratio_gates.told(each) for each in answers],
        }


def load(
    path: Path, wanted: Sequence[str], gates: Sequence[RatioGate], measured: Sequence[Measured], progress: Progress
) -> Baseline:
    """Read the baseline of each of these endpoints, and check that the gates can be judged by it. Raises CSVError,
    GateError and TargetError.

    `wanted`: names of endpoints in the baseline, as `OLD` for all or `NOW=OLD` for one. Without one it is the endpoint
    of the same name, or the only one that there is.
    """
    found = {each.name: each for each in read_series(path, progress)}
    label = clean(path.resolve().name, 100)
    old = _names(wanted, [each.endpoint for each in measured], list(found), label)
    _refuse_other_loop(path, old, measured, label)
    series = {name: replace(found[other], name=f"{other} in {label}") for name, other in old.items()}
    for gate in gates:
        asked = [each for name, each in series.items() if gate.expression.endpoint in (None, name)]
        ratio_gates.check_baseline(gate, asked, label)
    return Baseline(label, series, gates)


def _refuse_other_loop(path: Path, old: Mapping[str, str], measured: Sequence[Measured], label: str) -> None:
    """Raises TargetError where one counts from when requests were due and the other from when they were sent. A file
    does not say."""
    is_open = open_loops(path)
    for each in measured:
        name = old[each.endpoint]
        if name in is_open and is_open[name] != each.from_planned:
            this, that = ("open", "closed") if each.from_planned else ("closed", "open")
            why = "their latencies count from other moments"
            raise TargetError(f"{name} was measured in {_A[that]} loop in {label}, and this is {_A[this]} one: {why}")


def _names(wanted: Sequence[str], now: Sequence[str], there: Sequence[str], label: str) -> dict[str, str]:
    """The name in the baseline of each endpoint. Raises TargetError."""
    given: dict[str, str] = {}
    for text in wanted:
        name, equals, old = text.partition("=") if "=" in text and text not in there else (text, "", text)
        if old not in there:
            raise TargetError(f"--baseline-endpoint {text}: {label} has no endpoint {old!r}; it has: {_list(there)}")
        if equals and name not in now:
            raise TargetError(f"--baseline-endpoint {text}: there is no endpoint {name!r}; there are: {_list(now)}")
        given |= dict.fromkeys([name] if equals else now, old)
    for name in now:
        old = given.get(name) or (name if name in there else there[0] if len(there) == 1 else "")
        if not old:
            raise TargetError(
                f"{label} has no endpoint {name!r}; it has: {_list(there)}. Name one: --baseline-endpoint '{name}=OLD'"
            )
        given[name] = old
    return {name: given[name] for name in now}


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _size(series: ComparedSeries) -> str:
    if series.total is None:
        return f"n {units.count(series.ok)}, failures not kept"
    return f"n {units.count(series.ok)}, {units.count(series.total - series.ok)} failed"


def measured_at(series: ComparedSeries) -> float | None:
    """The wall time of its latest result; None where it was not kept."""
    at_ms = [max(sample.at_ms) for sample in series.samples.values() if sample.at_ms]
    return max(at_ms) / 1000 if at_ms else None


def _age(series: ComparedSeries, now: float) -> str:
    at = measured_at(series)
    if at is None:
        return "its age is unknown"
    age_s = now - at
    age = f"{units.brief(round(age_s * 1e9))} old" if age_s >= JUST_NOW_S else "just measured"
    return f"{age} ({units.timestamp(at)[:16]}Z)"


def _told(before: ComparedSeries, after: ComparedSeries, now: float) -> dict[str, Any]:
    at = measured_at(before)
    return {
        "endpoint": after.name,
        "baseline": before.name,
        "successful": before.ok,
        "total_requests": before.total,
        "measured_at": None if at is None else units.timestamp(at),
        "age_s": None if at is None else round(max(now - at, 0)),
    }
