"""A gateway's counters and what came of comparing them, in words: for the terminal and for the screen."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.model.gateway_figures import GatewayComparison, GatewayCounts, GatewayFigures
from gwtui.text.units import count, dollars, duration, many

MOST_SHOWN = 8
"""Providers, or models, that have a line."""


def figure_rows(figures: GatewayFigures) -> Iterator[tuple[str, str]]:
    """Names and values: the counters, what changed since the answer before, the comparison, providers and models."""
    yield "requests", _requests(figures, named=False)
    yield "cost", _cost(figures)
    yield "tokens", _tokens(figures, named=False)
    if figures.grown is not None and figures.grown_ns is not None:
        yield "new", f"{_grown(figures.grown)} in {duration(figures.grown_ns)}"
    if figures.restarted:
        yield "new", "the counters began anew"
    if figures.comparison is not None:
        yield "compared", comparison_text(figures.comparison)
    for kind, named in (("provider", figures.by_provider), ("model", figures.by_model)):
        for each in named[:MOST_SHOWN]:
            yield kind, f"{each.name}: {', '.join(filter(None, (_requests(each), _cost(each), _tokens(each))))}"
        if len(named) > MOST_SHOWN:
            yield kind, f"and {len(named) - MOST_SHOWN} more"


def comparison_text(comparison: GatewayComparison) -> str:
    """`8 counted in 30.0 s, gwtui sent 6 to 8`: some of its own may not be among them."""
    counted = "an unknown number" if comparison.counted is None else count(comparison.counted)
    words = f"{counted} counted in {duration(comparison.span_ns)}"
    if comparison.told_usd is not None and comparison.expected_usd is not None:
        costs = f"they cost {dollars(comparison.told_usd)}, by `price` {dollars(comparison.expected_usd)}"
        return f"{words}, all of them gwtui's; {costs}"
    doubt = f" to {count(comparison.own + comparison.doubtful)}" if comparison.doubtful else ""
    return f"{words}, gwtui sent {count(comparison.own)}{doubt}"


def _requests(counts: GatewayCounts, *, named: bool = True) -> str:
    """`55 requests, average latency 253 ms`; not `named`: what it counts is said already."""
    latency_ms, number = counts.avg_latency_ms, counts.requests
    parts = [many(number, "request") if named else count(number)] if number is not None else []
    parts += [f"average latency {duration(round(latency_ms * 1e6))}"] if latency_ms is not None else []
    return ", ".join(parts)


def _cost(counts: GatewayCounts) -> str:
    if counts.cost_usd is None:
        return ""
    price = counts.usd_per_1000_tokens
    return dollars(counts.cost_usd) + (f" ({dollars(price)} per 1,000 tokens)" if price is not None else "")


def _tokens(counts: GatewayCounts, *, named: bool = True) -> str:
    """`1,320 tokens in, 792 out`; those of caches where there are any."""
    noun = "tokens " if named else ""
    parts = (
        (f"{noun}in", counts.input_tokens),
        (f"{noun}out" if counts.input_tokens is None else "out", counts.output_tokens),
        ("written to cache", counts.cache_write_tokens or None),
        ("read from cache", counts.cache_read_tokens or None),
    )
    return ", ".join(f"{count(value)} {name}" for name, value in parts if value is not None)


def _grown(counts: GatewayCounts) -> str:
    parts = (
        f"{counts.requests:+,} requests" if counts.requests is not None else "",
        f"{counts.tokens:+,} tokens" if counts.tokens is not None else "",
        f"+{dollars(counts.cost_usd)}" if counts.cost_usd is not None else "",
    )
    return ", ".join(filter(None, parts)) or "nothing"
