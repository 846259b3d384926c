"""What comparisons of two endpoints found, for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gwtui.stats.comparison import Comparison, FailureComparison
from gwtui.stats.paired import SignedRank
from gwtui.stats.sentences import failure_sentence, sentence
from gwtui.stats.significance import Difference
from gwtui.text.units import milliseconds


def failures_told(found: FailureComparison) -> dict[str, Any]:
    return {
        "first": found.first,
        "second": found.second,
        "failed": found.failed,
        "total_requests": found.total,
        "fail_share": found.shares,
        "fisher_exact": {"p": found.raw_p, "p_holm": found.p},
        "sentence": failure_sentence(found),
        "least_fail_share": found.least,
    }


def comparisons_told(found: Sequence[Comparison]) -> list[dict[str, Any]]:
    return [_comparison(each) for each in found]


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "first": found.first,
        "second": found.second,
        "metric": found.label.lower(),
        "n": found.n,
        "p50_ms": [milliseconds(value) for value in found.p50_ns],
        "p95_ms": [milliseconds(value) for value in found.p95_ns],
        "p50_difference": _difference(found.median),
        "p95_difference": _difference(found.tail),
        "hodges_lehmann_ms": round(found.shift_ns / 1e6, 3),
        "mann_whitney": {
            "u": found.test.u,
            "p": found.test.p,
            "p_holm": found.p if found.paired is None else None,
            "exact": found.test.exact,
            "first_lower_share": found.test.first_lower,
            "rank_biserial": found.test.rank_biserial,
        },
        "faster": None if found.faster is None else (found.first, found.second)[found.faster],
        "sentence": sentence(found),
        "independent_n": [round(size.independent, 1) for size in found.sizes],
        "too_short": found.too_short,
        "measured": found.timing.value,
        "least_difference_share": None if found.least is None else round(found.least, 6),
        "signed_rank": None if found.paired is None else _signed_rank(found.paired, found.p),
    }


def _signed_rank(found: SignedRank, p: float) -> dict[str, Any]:
    """`ratio`: of the second to the first, Hodges-Lehmann of the logarithms."""
    return {
        "pairs": found.n,
        "paired_by": found.by.value,
        "independent_pairs": round(found.size.independent, 1),
        "p": found.p,
        "p_holm": p,
        "exact": found.exact,
        "ratio": round(found.ratio, 6),
        "ratio_low": round(found.low, 6),
        "ratio_high": round(found.high, 6),
        "first_lower_share": found.first_lower,
        "rank_biserial": found.effect,
    }


def _difference(found: Difference | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "ms": milliseconds(found.value),
        "low_ms": milliseconds(found.low),
        "high_ms": milliseconds(found.high),
        "resampled": "pairs" if found.paired else "requests",
    }
