"""Comparisons in words that can be pasted anywhere. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.stats.comparison import Comparison, FailureComparison, Timing
from gwtui.stats.paired import PairedBy, SignedRank
from gwtui.stats.significance import Difference

MULTIPLE = 10
"""How many times as long the slower one takes before that is said instead of a percentage."""
TOO_SHORT = "too short for data that lean on each other"
_WORTH_SAYING = 0.7
"""What values are worth is said where it is less than this share of their number."""
_CAUSES = {
    Timing.APART: "measured at different times: the time may be the cause",
    Timing.UNKNOWN: "not known to be measured at the same time: the time may be the cause",
}
_HIDES = {
    Timing.APART: "measured at different times, which may hide one",
    Timing.UNKNOWN: "not known to be measured at the same time, which may hide one",
}
_UNITS = {PairedBy.TURN: "pairs by turn", PairedBy.MINUTE: "common minutes"}


def failure_sentence(found: FailureComparison) -> str:
    """How much failed of each."""
    if not any(found.failed):
        return f"no failures: {found.first} 0 of {found.total[0]:,}, {found.second} 0 of {found.total[1]:,}"
    one, other = (f"{name} {text}" for name, text in zip((found.first, found.second), _failed(found), strict=True))
    doubt = "" if found.is_clear else f"no evidence of a difference{_least_failures(found)}, "
    return f"failures: {one}, {other}: {doubt}Fisher's exact p {p_text(found.p)}"


def _failed(found: FailureComparison) -> tuple[str, str]:
    one, other = (
        f"{percent(share)} % ({failed:,} of {total:,})"
        for share, failed, total in zip(found.shares, found.failed, found.total, strict=True)
    )
    return one, other


def _least_failures(found: FailureComparison) -> str:
    least = found.least
    if least is None:
        return " (too few requests to show one)"
    return f" (this run would have shown one if {percent(least)} % of {found.second} failed)"


def sentence(found: Comparison) -> str:
    """The comparison in one sentence: failures first, and the time last where it may be the cause."""
    names = f"the {found.label} of {found.first} and {found.second}"
    if found.too_short:
        p50 = in_one_unit(*found.p50_ns)
        what = f"{names} (p50 {p50[0]} vs {p50[1]}, {counts(found)})"
        return f"{TOO_SHORT}: {what}: measure for longer"
    if found.median is None:
        return f"too few results to compare {names} ({counts(found)})"
    if found.quicker is None:
        return _doubt(found, found.median)
    told = _paired(found, found.paired) if found.paired is not None else _unpaired(found, found.median)
    return f"{_failures_before(found)}{told}{_because(found, _CAUSES)}"


def _because(found: Comparison, reasons: dict[Timing, str]) -> str:
    return f"; {reasons[found.timing]}" if found.timing in reasons else ""


def _failures_before(found: Comparison) -> str:
    """What is said first of an endpoint whose good results are faster and of which more fails."""
    failures, quicker = found.failures, found.quicker
    if failures is None or quicker is None or not found.fails_more:
        return ""
    shares = _failed(failures)
    doubt = "" if failures.is_clear else ", which may be chance"
    names = found.first, found.second
    return (
        f"{names[quicker]} fails more, {shares[quicker]} against {shares[1 - quicker]}{doubt} "
        f"(Fisher's exact p {p_text(failures.p)}); of good results only: "
    )


def _unpaired(found: Comparison, median: Difference) -> str:
    turn = -1 if found.quicker == 1 else 1
    names, p50_ns = (found.first, found.second)[::turn], found.p50_ns[::turn]
    between = in_one_unit(*sorted((abs(median.low), abs(median.high))))
    return (
        f"{takes_more(names, p50_ns)}; {found.label} p50, "
        f"95 % interval of the difference {between[0]}-{between[1]}, {counts(found, turn)}"
    )


def _paired(found: Comparison, paired: SignedRank) -> str:
    """Of pairs the ratio is what was measured: medians may have moved with the time."""
    turn = -1 if found.quicker == 1 else 1
    fast, slow = (found.first, found.second)[::turn]
    low, high = sorted((1 / paired.low, 1 / paired.high) if turn < 0 else (paired.low, paired.high))
    p50 = in_one_unit(*found.p50_ns[::turn])
    if found.more + 1 >= MULTIPLE:
        much = f"{found.more + 1:,.0f} times as long as {fast}"
        between = f"{low:,.0f}-{high:,.0f} times"
    else:
        much = f"{fine_percent(found.more)} % more than {fast} ({fast} {fine_percent(found.share)} % less)"
        between = f"{fine_percent(low - 1)}-{fine_percent(high - 1)} %"
    return (
        f"{slow} takes {much}; {found.label} of {counts(found, turn)}, 95 % interval {between}, "
        f"p50 {p50[0]} and {p50[1]}"
    )


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
    if found.tends is not None:
        what = f"{names[found.tends]} tends to be faster than {names[1 - found.tends]}, by how much is unclear"
        reasons = _CAUSES
    else:
        what, reasons = f"no evidence of a difference between {names[0]} and {names[1]}{least_text(found)}", _HIDES
    p50 = in_one_unit(*found.p50_ns)
    return (
        f"{_failures_before(found)}{what} ({found.label} p50 {p50[0]} vs {p50[1]}, {_interval(found, median)}, "
        f"p {p_text(found.p)}, {counts(found)}){_because(found, reasons)}"
    )


def _interval(found: Comparison, median: Difference) -> str:
    if found.paired is None:
        between = in_one_unit(median.low, median.high)
        return f"95 % interval {between[0]} to {between[1]}"
    low, high = (signed_percent(ratio - 1) for ratio in (found.paired.low, found.paired.high))
    return f"95 % interval {low} to {high} %"


def least_text(found: Comparison) -> str:
    """The least difference that such a run shows, four times out of five."""
    least = found.least
    return "" if least is None else f"; this run would have shown one of {fine_percent(least)} % or more"


def change_sentence(label: str, failures: FailureComparison | None, found: Sequence[Comparison]) -> str:
    """What has changed from the first to the second of a pair, in one line: `LABEL: failures 12 % -> 0 % (Fisher's
    exact p <0.001), p50 TTFT -41 % (95 % interval -45 to -37 %)`."""
    parts = []
    if failures is not None:
        one, other = (f"{percent(share)} %" for share in failures.shares)
        doubt = "" if failures.is_clear else f"; no evidence of a difference{_least_failures(failures)}"
        p = f"Fisher's exact p {p_text(failures.p)}{doubt}"
        parts.append(f"failures {one} -> {other} ({p})" if any(failures.failed) else "no failures before or after")
    headline = next((each for each in found if each.metric.about.headline), None)
    if headline is not None:
        parts.append(f"{_p50_change(headline)}{_because(headline, _CAUSES)}")
    return f"{label}: {', '.join(parts) or 'nothing to compare'}"


def _p50_change(found: Comparison) -> str:
    if found.too_short:
        change = (found.p50_ns[1] - found.p50_ns[0]) * 100 / found.p50_ns[0] if found.p50_ns[0] else 0.0
        return f"p50 {found.label} {change:+z.0f} %, but {TOO_SHORT} ({counts(found)})"
    if found.median is None or not found.p50_ns[0]:
        return f"too few results for the p50 {found.label} ({counts(found)})"
    change, low, high = (
        value * 100 / found.p50_ns[0] for value in (found.median.value, found.median.low, found.median.high)
    )
    doubt = f"; no evidence of a difference{least_text(found)}"
    if found.tends is not None:
        doubt = f"; {('lower', 'higher')[found.tends == 0]} by ranks, by how much is unclear"
    told = "" if found.quicker is not None else doubt
    return f"p50 {found.label} {change:+z.0f} % (95 % interval {low:+z.0f} to {high:+z.0f} %{told})"


def counts(found: Comparison, turn: int = 1) -> str:
    """How many values, and what they are worth where that is clearly less."""
    if found.paired is not None:
        text, worth = f"{found.paired.n:,} {_UNITS[found.paired.by]}", [found.worth[0]]
        clearly = worth[0] < _WORTH_SAYING * found.paired.n
    else:
        n, worth = found.n[::turn], [*found.worth[::turn]]
        text = f"n {n[0]} each" if n[0] == n[1] else f"n {n[0]} and {n[1]}"
        clearly = any(each < _WORTH_SAYING * of for each, of in zip(worth, n, strict=True))
    if not clearly:
        return text
    whole = [f"{max(1, int(each)):,}" for each in worth]
    if found.paired is None and whole[0] == whole[1]:
        return f"{text}, worth {whole[0]} independent each"
    return f"{text}, worth {' and '.join(whole)} independent"


def percent(share: float) -> str:
    """A share for a sentence: `24`, and where that would be nothing `0.4`."""
    return f"{share * 100:.0f}" if share >= 0.00995 or not share else f"{share * 100:.1g}"


def fine_percent(share: float) -> str:
    """The same with a digit more below 10 %: `5.1`."""
    return percent(share) if abs(share) >= 0.0995 else f"{share * 100:z.1f}"


def signed_percent(share: float) -> str:
    return f"{share * 100:+z.{0 if abs(share) >= 0.0995 else 1}f}"


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
