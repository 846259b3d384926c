"""A gateway's counters and what came of comparing them, in words: for the terminal and for the screen."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.model.gateway_figures import GatewayComparison, GatewayCounts, GatewayFigures
from gwtui.text.units import count, duration, many, usd

MOST_SHOWN = 8
"""Providers, or models, that have a line."""


def figure_rows(figures: GatewayFigures) -> Iterator[tuple[str, str]]:
    """Names and values: the counters, what changed since the answer before, the comparison, providers and models."""
    yield from (("gateway", text) for text in _totals(figures))
    if figures.grown is not None and figures.grown_ns is not None:
        yield "since then", f"{_grown(figures.grown)} in {duration(figures.grown_ns)}"
    if figures.restarted:
        yield "since then", "the counters began anew"
    if figures.comparison is not None:
        yield "compared", comparison_text(figures.comparison)
    for kind, named in (("provider", figures.by_provider), ("model", figures.by_model)):
        for each in named[:MOST_SHOWN]:
            yield kind, f"{each.name}: {'; '.join(_totals(each))}"
        if len(named) > MOST_SHOWN:
            yield kind, f"and {len(named) - MOST_SHOWN} more"


def comparison_text(comparison: GatewayComparison) -> str:
    """`8 counted in 30.0 s, 6 of them sent by gwtui, 2 more perhaps`."""
    counted = "an unknown number" if comparison.counted is None else count(comparison.counted)
    doubt = f", {count(comparison.doubtful)} more perhaps" if comparison.doubtful else ""
    words = f"{counted} counted in {duration(comparison.span_ns)}, gwtui sent {count(comparison.own)}{doubt}"
    if comparison.told_usd is None or comparison.expected_usd is None:
        return words
    return f"{words}; cost {usd(comparison.told_usd)}, by price {usd(comparison.expected_usd)}"


def _totals(counts: GatewayCounts) -> Iterator[str]:
    """The counters as one or two texts."""
    tokens = (
        ("in", counts.input_tokens),
        ("out", counts.output_tokens),
        ("written to cache", counts.cache_write_tokens or None),
        ("read from cache", counts.cache_read_tokens or None),
    )
    parts = [many(counts.requests, "request")] if counts.requests is not None else []
    parts += [usd(counts.cost_usd)] if counts.cost_usd is not None else []
    price = counts.usd_per_1000_tokens
    parts += [f"{usd(price)} per 1,000 tokens"] if price is not None else []
    latency_ms = counts.avg_latency_ms
    parts += [f"average latency {duration(round(latency_ms * 1e6))}"] if latency_ms is not None else []
    known = [f"{count(value)} {name}" for name, value in tokens if value is not None]
    yield ", ".join(parts)
    if known:
        yield f"tokens {', '.join(known)}"


def _grown(counts: GatewayCounts) -> str:
    parts = (
        f"{counts.requests:+,} requests" if counts.requests is not None else "",
        f"{counts.tokens:+,} tokens" if counts.tokens is not None else "",
        f"+{usd(counts.cost_usd)}" if counts.cost_usd is not None else "",
    )
    return ", ".join(filter(None, parts)) or "nothing"
