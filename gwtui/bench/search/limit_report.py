"""What a search for a rate limit has found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from gwtui.bench.report.table import TableCell, grid
from gwtui.bench.search.limit_search import Lifting, LimitPoint, LimitSearch, RateLimitRefusal, SearchPhase
from gwtui.text import units
from gwtui.text.tables import TextStyle
from gwtui.text.units import milliseconds

BAR = 20
"""Characters of a bar for all requests of a rate."""


def limit_text(searches: Sequence[LimitSearch], style: TextStyle, stopped_by: str = "") -> str:
    """Per endpoint what was found, then the rates in the order they were tried."""
    blocks = ["\n".join((*_sentences(each, stopped_by), "", *_curve(each, style))) for each in searches]
    return "\n\n".join(blocks)


def _sentences(search: LimitSearch, stopped_by: str) -> Iterator[str]:
    name, limited = search.endpoint.name, search.limited
    yield f"{name}: {units.many(search.used, 'request')} of a maximum of {units.count(search.most_requests)}"
    if limited is not None and limited.refusal is not None:
        yield from _of_refusal(limited, limited.refusal)
        yield _lifting_text(search.liftings[0] if search.liftings else None)
        yield _lasting_text(search)
    if search.stopped:
        yield search.stopped
    if stopped_by:
        yield f"stopped by {stopped_by}, results until then"


def _of_refusal(point: LimitPoint, refusal: RateLimitRefusal) -> Iterator[str]:
    yield (
        f"429 begins at {point.per_s:g}/s, {refusal.at_s:.1f} s after the first request: "
        f"{units.many(refusal.before, 'request')} {'was' if refusal.before == 1 else 'were'} answered before it, "
        f"{units.count(refusal.in_second)} in the last second, {units.count(refusal.in_minute)} in the last minute"
    )
    said = "no Retry-After" if refusal.retry_after_s is None else f"Retry-After {refusal.retry_after_s:g} s"
    yield "it says: " + ", ".join((said, *(f"{name} {value}" for name, value in sorted(refusal.headers.items()))))


def _lifting_text(lifting: Lifting | None) -> str:
    if lifting is None or not lifting.requests:
        return "when it lifts is not known: nothing was sent after it"
    found = f"{units.many(lifting.requests, 'request')} to find out"
    if lifting.lifted_s is None:
        return f"it lasts longer than {lifting.refused_s:.1f} s ({found})"
    if not lifting.refused_s:
        return f"it lifts within {lifting.lifted_s:.2f} s ({found})"
    return f"it lifts after {lifting.refused_s:.2f}-{lifting.lifted_s:.2f} s ({found})"


def _lasting_text(search: LimitSearch) -> str:
    if (lasting := search.lasting) is not None:
        held, refused = lasting
        return f"once it was reached, {held:.3g}/s is held and {refused:.3g}/s is refused"
    down = [point for point in search.points if point.phase is SearchPhase.DOWN]
    if any(point.refused for point in down):
        return f"once it was reached, {min(point.per_s for point in down):.3g}/s is refused; lower rates were not tried"
    if down:
        sent = sum(point.measured.total for point in down)
        return (
            f"once it had lifted, {units.count(sent)} requests at {down[0].per_s:.3g}/s were not refused: it may be a "
            "number of requests in a time, not a rate"
        )
    return "which rate lasts is not known"


def _curve(search: LimitSearch, style: TextStyle) -> list[str]:
    rows = [_row(point) for point in search.points if point.phase is not SearchPhase.LIFTING]
    headings = ("Rate/s", "Sent", "Good", "429", "Failed", "P50", "In flight (max)", "Answered")
    return grid(headings, rows, style) if rows else []


def _row(point: LimitPoint) -> list[TableCell]:
    measured, rates = point.measured, point.measured.rates
    share = measured.ok / measured.total if measured.total else 0.0
    flight = f"{rates.mean_in_flight:.1f} ({rates.max_in_flight})" if rates is not None else units.MISSING
    return [
        TableCell(f"{point.per_s:.3g}{'' if point.phase is SearchPhase.UP else ' after 429'}"),
        *(TableCell(units.count(n)) for n in (measured.total, measured.ok, point.refused, point.other_failures)),
        TableCell(units.duration(measured.percentile(measured.main, 0.5).value_ns)),
        TableCell(flight),
        TableCell(("█" * round(share * BAR)).ljust(BAR, "░")),
    ]


def limit_json(searches: Sequence[LimitSearch], stopped_by: str = "") -> str:
    """One object with a search per endpoint."""
    told = {"find_limit": [_search(each) for each in searches], "stopped_by": stopped_by or None}
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _search(search: LimitSearch) -> dict[str, Any]:
    limited, lasting = search.limited, search.lasting
    return {
        "endpoint": search.endpoint.name,
        "max_requests": search.most_requests,
        "requests_sent": search.used,
        "limited_at_per_s": limited.per_s if limited is not None else None,
        "refusal": _refusal(limited.refusal) if limited is not None and limited.refusal is not None else None,
        "lifting": [_lifting(each) for each in search.liftings],
        "held_per_s": None if lasting is None else round(lasting[0], 3),
        "refused_per_s": None if lasting is None else round(lasting[1], 3),
        "stopped": search.stopped or None,
        "points": [_point(each) for each in search.points],
    }


def _refusal(refusal: RateLimitRefusal) -> dict[str, Any]:
    return {
        "at_s": round(refusal.at_s, 3),
        "answered_before": refusal.before,
        "answered_in_last_second": refusal.in_second,
        "answered_in_last_minute": refusal.in_minute,
        "retry_after_s": refusal.retry_after_s,
        "headers": refusal.headers,
    }


def _lifting(lifting: Lifting) -> dict[str, Any]:
    return {
        "refused_until_s": round(lifting.refused_s, 3),
        "lifted_by_s": None if lifting.lifted_s is None else round(lifting.lifted_s, 3),
        "requests": lifting.requests,
    }


def _point(point: LimitPoint) -> dict[str, Any]:
    measured, rates = point.measured, point.measured.rates
    return {
        "phase": point.phase.value,
        "per_s": round(point.per_s, 3),
        "sent": measured.total,
        "good": measured.ok,
        "refused": point.refused,
        "failed": point.other_failures,
        "p50_ms": milliseconds(measured.percentile(measured.main, 0.5).value_ns),
        "mean_in_flight": None if rates is None else round(rates.mean_in_flight, 3),
        "max_in_flight": None if rates is None else rates.max_in_flight,
        "refusal": None if point.refusal is None else _refusal(point.refusal),
    }
