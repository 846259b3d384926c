"""Holding endpoints against each other: how large is the difference, and is it more than chance? Pure.

`sentences` puts it into words.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import combinations
from statistics import NormalDist

from gwtui.model.metrics import COMPARED, Metric
from gwtui.stats.autocorrelation import EffectiveSize, far_apart, of_ranks
from gwtui.stats.histogram import CONFIDENCE, supported
from gwtui.stats.paired import SignedRank, pairs_of, signed_rank
from gwtui.stats.significance import (
    Difference,
    MannWhitney,
    Pairs,
    Sample,
    difference,
    fisher_exact,
    hodges_lehmann,
    holm,
    mann_whitney,
    quantile,
    worth,
)

EVIDENCE = 0.05
"""The p, corrected for the number of pairs, below which a difference counts as one."""
POWER = 0.8
"""The least difference that a run could have shown is found in this share of such runs."""
_TOGETHER = 0.5
"""Two series are measured at the same time if this share of the shorter one's time is the other's too."""


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


class Timing(Enum):
    """When two series were measured."""

    TOGETHER = "together"
    APART = "apart"
    """At different times, so whatever changed between them may be the cause of a difference."""
    UNKNOWN = "unknown"


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
    tests: int = 1
    """That number."""

    @property
    def shares(self) -> tuple[float, float]:
        one, other = (failed / total for failed, total in zip(self.failed, self.total, strict=True))
        return one, other

    @property
    def is_clear(self) -> bool:
        """Whether the shares differ by more than chance."""
        return self.p < EVIDENCE

    @property
    def least(self) -> float | None:
        """The least share of failures of the second, beside what failed of the first, that would have been found in
        `POWER` of such runs; None where even if all fail that is no evidence."""
        (k, _), (n, m) = self.failed, self.total
        evidence, low, high = EVIDENCE / self.tests, round(k / n * m), m
        if fisher_exact((k, n), (high, m)) >= evidence:
            return None
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if fisher_exact((k, n), (middle, m)) < evidence else (middle + 1, high)
        z = _NORMAL.inv_cdf(POWER)
        share = low / m
        for _ in range(4):  # the share of which z standard deviations below the mean are still enough
            share = min(1.0, (low - 0.5 + z * math.sqrt(m * share * (1 - share))) / m)
        return share


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
    """None where there are too few values for an interval, or they lean on each other too much."""
    tail: Difference | None
    """The same of p95."""
    test: MannWhitney
    """Of all values; what they lean on each other is taken out of its p."""
    shift_ns: float
    """Hodges-Lehmann: the typical difference between a value of the second and one of the first."""
    p: float
    """Of the test that decides, corrected for the number of pairs that are compared in this latency."""
    sizes: tuple[EffectiveSize, EffectiveSize]
    """What the values of each are worth."""
    paired: SignedRank | None = None
    """Decides where both were measured in turns, or in the same minutes."""
    timing: Timing = Timing.TOGETHER
    failures: FailureComparison | None = None
    """Of all requests of the two, where that is known."""
    tests: int = 1
    """The number of pairs that p is corrected for."""

    @property
    def raw_p(self) -> float:
        """Of the test that decides, uncorrected."""
        return self.test.p if self.paired is None else self.paired.p

    @property
    def worth(self) -> tuple[float, float]:
        """The number of independent values that would say as much, of each; of pairs the number of such pairs."""
        if self.paired is not None:
            return self.paired.size.independent, self.paired.size.independent
        return self.sizes[0].independent, self.sizes[1].independent

    @property
    def least_worth(self) -> int:
        """The lower one of the two, as a whole number."""
        return int(min(*self.n, *self.worth))

    @property
    def too_short(self) -> bool:
        """Whether there are enough values, but not for values that lean on each other as these do."""
        return supported(0.5, min(self.n)) and not supported(0.5, int(min(self.worth)))

    @property
    def first_lower(self) -> float:
        """The share of pairs in which the first is the lower one: of those that were measured, or of all values."""
        return self.test.first_lower if self.paired is None else self.paired.first_lower

    @property
    def effect(self) -> float:
        """The rank-biserial correlation: 1 where the first is always lower, -1 where it is always higher."""
        return self.test.rank_biserial if self.paired is None else self.paired.effect

    @property
    def tends(self) -> int | None:
        """Which one tends to be faster by ranks, 0 or 1, where that is more than chance."""
        return int(self.effect < 0) if self.p < EVIDENCE and not self.too_short else None

    @property
    def quicker(self) -> int | None:
        """Which one's good results are faster, 0 or 1: the ranks say so, and the interval leaves no doubt."""
        if self.median is None or not (self.median.is_clear if self.paired is None else self.paired.is_clear):
            return None
        lower = int(self.median.high < 0) if self.paired is None else int(self.paired.high < 1)
        return self.tends if self.tends == lower else None

    @property
    def fails_more(self) -> bool:
        """Whether more fails of the one whose good results are faster, so that it is not simply called faster."""
        if self.failures is None or self.quicker is None:
            return False
        return self.failures.shares[self.quicker] > self.failures.shares[1 - self.quicker]

    @property
    def faster(self) -> int | None:
        """As `quicker`, unless it is clear that more of it fails."""
        return None if self.fails_more and self.failures is not None and self.failures.is_clear else self.quicker

    @property
    def more(self) -> float:
        """How much longer the slower one takes, as a share of the faster one's time: by pairs, or by the medians."""
        if self.paired is not None:
            return max(self.paired.ratio, 1 / self.paired.ratio) - 1
        low, high = sorted(self.p50_ns)
        return (high - low) / low if low else 0.0

    @property
    def share(self) -> float:
        """How much less the faster one takes, as a share of the slower one's time."""
        if self.paired is not None:
            return 1 - 1 / (1 + self.more)
        low, high = sorted(self.p50_ns)
        return (high - low) / high if high else 0.0

    @property
    def least(self) -> float | None:
        """The least difference that would have been found in `POWER` of such runs, as a share of the lower one."""
        reach = (_NORMAL.inv_cdf(1 - EVIDENCE / self.tests / 2) + _NORMAL.inv_cdf(POWER)) / _NORMAL.inv_cdf(
            (1 + CONFIDENCE) / 2
        )
        if self.median is None:
            return None
        if self.paired is not None:
            return math.expm1(min(reach * math.log(self.paired.high / self.paired.low) / 2, 700.0))
        low = min(self.p50_ns)
        return reach * (self.median.high - self.median.low) / 2 / low if low else None


_NORMAL = NormalDist()


def compare_failures(pairs: Iterable[tuple[ComparedSeries, ComparedSeries]]) -> list[FailureComparison]:
    """Every pair of which it is known how many failed; the others are left out."""
    found = []
    for first, second in pairs:
        if first.total and second.total:
            failed, total = (first.total - first.ok, second.total - second.ok), (first.total, second.total)
            p = fisher_exact((failed[0], total[0]), (failed[1], total[1]))
            found.append(FailureComparison(first.name, second.name, failed, total, p, p))
    adjusted = holm([each.raw_p for each in found])
    return [replace(each, p=p, tests=len(found)) for each, p in zip(found, adjusted, strict=True)]


def compare(pairs: Iterable[tuple[ComparedSeries, ComparedSeries]]) -> list[Comparison]:
    """Every pair in every latency that both have, pair by pair; those that have none in common are left out."""
    pairs = list(pairs)
    failures = {(each.first, each.second): each for each in compare_failures(pairs)}
    found = [
        replace(_comparison(first, second, metric), failures=failures.get((first.name, second.name)))
        for first, second in pairs
        for metric in COMPARED
        if metric in first.samples and metric in second.samples
    ]
    by_metric: defaultdict[Metric, list[int]] = defaultdict(list)
    for index, each in enumerate(found):
        by_metric[each.metric].append(index)
    for indices in by_metric.values():
        for index, p in zip(indices, holm([found[index].raw_p for index in indices]), strict=True):
            found[index] = replace(found[index], p=p, tests=len(indices))
    return found


def all_pairs(series: Sequence[ComparedSeries]) -> list[tuple[ComparedSeries, ComparedSeries]]:
    return list(combinations(series, 2))


def _comparison(first: ComparedSeries, second: ComparedSeries, metric: Metric) -> Comparison:
    samples = one, other = first.samples[metric], second.samples[metric]
    n = len(one.values), len(other.values)
    sizes = _sizes(one, other)
    pairs = pairs_of(one, other)
    paired = None if pairs is None else signed_rank(pairs)
    test = mann_whitney(one.values, other.values, sizes)
    found = Comparison(
        first=first.name,
        second=second.name,
        metric=metric,
        label=_label(metric, first, second),
        n=n,
        p50_ns=(quantile(one.values, 0.5), quantile(other.values, 0.5)),
        p95_ns=(_if_supported(one, 0.95), _if_supported(other, 0.95)),
        median=None,
        tail=None,
        test=test,
        shift_ns=hodges_lehmann(one.values, other.values),
        p=1.0,
        sizes=sizes,
        paired=paired,
        timing=_timing(one, other),
    )
    enough = supported(0.5, int(min(found.worth)))
    return replace(found, median=difference(one, other, 0.5, pairs) if enough else None, tail=_tail(samples, pairs))


def _sizes(first: Sample, second: Sample) -> tuple[EffectiveSize, EffectiveSize]:
    """What the values are worth. Where one's are all lower by far more than anything varies, it does not matter what
    they lean on each other."""
    if far_apart(first.values, second.values):
        return EffectiveSize(len(first.values)), EffectiveSize(len(second.values))
    return of_ranks(first.values, first.correlation), of_ranks(second.values, second.correlation)


def _tail(samples: tuple[Sample, Sample], pairs: Pairs | None) -> Difference | None:
    """The difference of p95, where the values are enough for it although they lean on each other."""
    values = [_if_supported(sample, 0.95) for sample in samples]
    for sample, value in zip(samples, values, strict=True):
        if value is None or (pairs is None and not supported(0.95, worth(sample, value))):
            return None
    return difference(*samples, 0.95, pairs)


def _timing(first: Sample, second: Sample) -> Timing:
    if not first.at_ms or not second.at_ms:
        return Timing.UNKNOWN
    spans = [(min(at_ms), max(at_ms)) for at_ms in (first.at_ms, second.at_ms)]
    begin, end = max(low for low, _ in spans), min(high for _, high in spans)
    together = end >= begin and end - begin >= _TOGETHER * min(high - low for low, high in spans)
    return Timing.TOGETHER if together else Timing.APART


def _if_supported(sample: Sample, q: float) -> int | None:
    return quantile(sample.values, q) if supported(q, len(sample.values)) else None


def _label(metric: Metric, first: ComparedSeries, second: ComparedSeries) -> str:
    if metric is not Metric.E2E or not (first.is_ping or second.is_ping):
        return metric.label
    return "RTT" if first.is_ping and second.is_ping else "E2E/RTT"
