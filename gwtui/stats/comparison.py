"""Holding endpoints against each other: how large is the difference, and is it more than chance? Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from gwtui.model.metrics import COMPARED, Metric
from gwtui.stats.histogram import supported
from gwtui.stats.significance import (
    Difference,
    MannWhitney,
    Sample,
    difference,
    fisher_exact,
    hodges_lehmann,
    holm,
    mann_whitney,
    quantile,
)

EVIDENCE = 0.05
"""The p, corrected for the number of pairs, below which a difference counts as one."""
MULTIPLE = 10
"""How many times as long the slower one takes before that is said instead of a percentage."""


@dataclass(frozen=True, slots=True)
class ComparedSeries:
    """What is known of one endpoint: single results, or only the figures that a file has of them."""

    name: str
    samples: Mapping[Metric, Sample]
    ok: int
    total: int | None = None
    """None where failures were not kept."""
    is_ping: bool = False
    figures: Mapping[str, int] = field(default_factory=dict)
    """Figures of the whole latency by their names in a CSV file (`avg`, `median`, `p95`, ...), in ns."""

    @property
    def is_counted(self) -> bool:
        """Whether it is known of how many requests the figures are."""
        return self.total is not None or self.ok > 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two series in one latency. Differences are second minus first."""

    first: str
    second: str
    metric: Metric
    label: str
    n: tuple[int, int]
    p50_ns: tuple[int, int]
    p95_ns: tuple[int | None, int | None]
    median: Difference | None
    """None where there are too few values for an interval."""
    tail: Difference | None
    """The same of p95."""
    test: MannWhitney
    shift_ns: float
    """Hodges-Lehmann: the typical difference between a value of the second and one of the first."""
    p: float
    """Of the test, corrected for the number of pairs that are compared in this latency."""

    @property
    def tends(self) -> int | None:
        """Which one tends to be faster by the ranks of all values, 0 or 1, where that is more than chance."""
        return int(self.test.first_lower < 0.5) if self.p < EVIDENCE else None

    @property
    def faster(self) -> int | None:
        """Which one is faster, 0 or 1: the ranks say so, and the interval of the medians leaves no doubt."""
        if self.median is None or not self.median.is_clear:
            return None
        return self.tends if self.tends == int(self.median.high < 0) else None

    @property
    def share(self) -> float:
        """How much lower the lower median is, as a share of the higher one."""
        low, high = sorted(self.p50_ns)
        return (high - low) / high if high else 0.0


@dataclass(frozen=True, slots=True)
class FailureComparison:
    """Two series in how much of them failed."""

    first: str
    second: str
    failed: tuple[int, int]
    total: tuple[int, int]
    raw_p: float
    """Of Fisher's exact test, two-sided."""
    p: float
    """The same, corrected for the number of pairs that are compared."""

    @property
    def shares(self) -> tuple[float, float]:
        one, other = (failed / total for failed, total in zip(self.failed, self.total, strict=True))
        return one, other

    @property
    def is_clear(self) -> bool:
        """Whether the shares differ by more than chance."""
        return self.p < EVIDENCE


def compare_failures(pairs: Iterable[tuple[ComparedSeries, ComparedSeries]]) -> list[FailureComparison]:
    """Every pair of which it is known how many failed; the others are left out."""
    found = []
    for first, second in pairs:
        if first.total and second.total:
            failed, total = (first.total - first.ok, second.total - second.ok), (first.total, second.total)
            p = fisher_exact((failed[0], total[0]), (failed[1], total[1]))
            found.append(FailureComparison(first.name, second.name, failed, total, p, p))
    return [replace(each, p=p) for each, p in zip(found, holm([each.raw_p for each in found]), strict=True)]


def failure_sentence(found: FailureComparison) -> str:
    """How much failed of each, in words that can be pasted anywhere."""
    one, other = (
        f"{percent(share)} % ({failed:,} of {total:,})"
        for share, failed, total in zip(found.shares, found.failed, found.total, strict=True)
    )
    if not any(found.failed):
        return f"no failures: {found.first} 0 of {found.total[0]:,}, {found.second} 0 of {found.total[1]:,}"
    doubt = "" if found.is_clear else "no evidence of a difference, "
    return f"failures: {found.first} {one}, {found.second} {other}: {doubt}Fisher's exact p {p_text(found.p)}"


def compare(pairs: Iterable[tuple[ComparedSeries, ComparedSeries]]) -> list[Comparison]:
    """Every pair in every latency that both have, pair by pair; those that have none in common are left out."""
    found = [
        _comparison(first, second, metric)
        for first, second in pairs
        for metric in COMPARED
        if metric in first.samples and metric in second.samples
    ]
    by_metric: defaultdict[Metric, list[int]] = defaultdict(list)
    for index, each in enumerate(found):
        by_metric[each.metric].append(index)
    for indices in by_metric.values():
        for index, p in zip(indices, holm([found[index].test.p for index in indices]), strict=True):
            found[index] = replace(found[index], p=p)
    return found


def all_pairs(series: Sequence[ComparedSeries]) -> list[tuple[ComparedSeries, ComparedSeries]]:
    return list(combinations(series, 2))


def _comparison(first: ComparedSeries, second: ComparedSeries, metric: Metric) -> Comparison:
    one, other = first.samples[metric], second.samples[metric]
    n = len(one.values), len(other.values)
    test = mann_whitney(one.values, other.values)
    return Comparison(
        first=first.name,
        second=second.name,
        metric=metric,
        label=_label(metric, first, second),
        n=n,
        p50_ns=(quantile(one.values, 0.5), quantile(other.values, 0.5)),
        p95_ns=(_if_supported(one, 0.95), _if_supported(other, 0.95)),
        median=difference(one, other, 0.5) if supported(0.5, min(n)) else None,
        tail=difference(one, other, 0.95) if supported(0.95, min(n)) else None,
        test=test,
        shift_ns=hodges_lehmann(one.values, other.values),
        p=test.p,
    )


def _if_supported(sample: Sample, q: float) -> int | None:
    return quantile(sample.values, q) if supported(q, len(sample.values)) else None


def _label(metric: Metric, first: ComparedSeries, second: ComparedSeries) -> str:
    if metric is not Metric.E2E or not (first.is_ping or second.is_ping):
        return metric.label
    return "RTT" if first.is_ping and second.is_ping else "E2E/RTT"


def sentence(found: Comparison) -> str:
    """The comparison in words that can be pasted anywhere."""
    if found.median is None:
        return f"too few results to compare the {found.label} of {found.first} and {found.second} ({_counts(found.n)})"
    if found.faster is None:
        return _doubt(found, found.median)
    turn = -1 if found.faster == 1 else 1
    names, p50_ns, n = (found.first, found.second)[::turn], found.p50_ns[::turn], found.n[::turn]
    between = in_one_unit(*sorted((abs(found.median.low), abs(found.median.high))))
    return (
        f"{takes_more(names, p50_ns)}; {found.label} p50, "
        f"95 % interval of the difference {between[0]}-{between[1]}, {_counts(n)}"
    )


def change_sentence(label: str, failures: FailureComparison | None, found: Sequence[Comparison]) -> str:
    """What has changed from the first to the second of a pair, in one line: `LABEL: failures 12 % -> 0 % (Fisher's
    exact p <0.001), p50 TTFT -41 % (95 % interval -45 to -37 %)`."""
    parts = []
    if failures is not None:
        one, other = (f"{percent(share)} %" for share in failures.shares)
        p = f"Fisher's exact p {p_text(failures.p)}"
        parts.append(f"failures {one} -> {other} ({p})" if any(failures.failed) else "no failures before or after")
    headline = next((each for each in found if each.metric.about.headline), None)
    if headline is not None:
        parts.append(_p50_change(headline))
    return f"{label}: {', '.join(parts) or 'nothing to compare'}"


def _p50_change(found: Comparison) -> str:
    if found.median is None or not found.p50_ns[0]:
        return f"too few results for the p50 {found.label} ({_counts(found.n)})"
    change, low, high = (
        value * 100 / found.p50_ns[0] for value in (found.median.value, found.median.low, found.median.high)
    )
    doubt = "" if found.median.is_clear else ", no evidence of a difference"
    return f"p50 {found.label} {change:+z.0f} % (95 % interval {low:+z.0f} to {high:+z.0f} %{doubt})"


def takes_more(names: Sequence[str], values_ns: Sequence[int]) -> str:
    """Two durations, the shorter one first: `a 145 ms, b 180 ms: b takes 24 % more (a 19 % less)`.

    Both shares are named, because "24 % faster" may be read as either. A multiple from `MULTIPLE` on is named as one.
    """
    low_ns, high_ns = values_ns
    if low_ns and high_ns < MULTIPLE * low_ns:
        low, high = in_one_unit(low_ns, high_ns)
        more, less = percent((high_ns - low_ns) / low_ns), percent((high_ns - low_ns) / high_ns)
        unit = high.partition(" ")[2]
        return f"{names[0]} {low} {unit}, {names[1]} {high}: {names[1]} takes {more} % more ({names[0]} {less} % less)"
    pair = f"{names[0]} {in_one_unit(low_ns)[0]}, {names[1]} {in_one_unit(high_ns)[0]}"
    return f"{pair}: {names[1]} takes {high_ns / low_ns:,.0f} times as long" if low_ns else pair


def _doubt(found: Comparison, median: Difference) -> str:
    names = found.first, found.second
    what = f"no evidence of a difference between {names[0]} and {names[1]}"
    if found.tends is not None:
        what = f"{names[found.tends]} tends to be faster than {names[1 - found.tends]}, by how much is unclear"
    p50, between = in_one_unit(*found.p50_ns), in_one_unit(median.low, median.high)
    return (
        f"{what} ({found.label} p50 {p50[0]} vs {p50[1]}, 95 % interval {between[0]} to {between[1]}, "
        f"p {p_text(found.p)}, {_counts(found.n)})"
    )


def _counts(n: Sequence[int]) -> str:
    return f"n {n[0]} each" if n[0] == n[1] else f"n {n[0]} and {n[1]}"


def percent(share: float) -> str:
    """A share for a sentence: `24`, and where that would be nothing `0.4`."""
    return f"{share * 100:.0f}" if share >= 0.00995 or not share else f"{share * 100:.1g}"


def p_text(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def in_one_unit(*values_ns: float) -> tuple[str, ...]:
    """Durations to be compared by eye: three digits each, all in the same unit, which only the last one names."""
    largest = max(abs(value) for value in values_ns)
    divisor, unit = (1e9, "s") if largest >= 999.5e6 else (1e6, "ms") if largest >= 999.5e3 else (1e3, "us")
    texts = [_three_digits(value / divisor) for value in values_ns]
    return (*texts[:-1], f"{texts[-1]} {unit}")


def difference_text(found: Difference) -> str:
    """A difference with its interval: `+12.3 (8.10 to 17.0 ms)`."""
    value, low, high = in_one_unit(found.value, found.low, found.high)
    return f"{'+' if found.value > 0 else ''}{value} ({low} to {high})"


def _three_digits(value: float) -> str:
    decimals = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:z.{decimals}f}"
