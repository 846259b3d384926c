"""How far what was measured may be from the truth, and from where on it is in doubt. Pure.

The error of a stamp is how long the bytes may have waited for gwtui; that of a latency is the sum of its two stamps'.
"""

from __future__ import annotations

from gwtui.model.enums import Metric
from gwtui.model.records import Ping, Request

DOUBT_NS = 1_000_000
DOUBT_SHARE = 0.05
"""A value is in doubt when it may be wrong by more than both of these."""

_ERRORS = {
    Metric.TTFB: "ttfb_ns",
    Metric.TTFT: "ttft_ns",
    Metric.TTFO: "ttfo_ns",
    Metric.TPOT: "tpot_ns",
    Metric.E2E: "duration_ns",
}


def in_doubt(value_ns: int | None, error_ns: int) -> bool:
    """Whether a value that may be that wrong is in doubt. One that was not measured is not."""
    return value_ns is not None and error_ns > DOUBT_NS and error_ns > DOUBT_SHARE * value_ns


def latency(result: Request | Ping, metric: Metric) -> int | None:
    """That latency of one result, in ns, as measured; None where it has none. Of ICL, which is many, the mean."""
    if isinstance(result, Ping):
        return result.rtt_ns if metric is Metric.RTT else None
    return {
        Metric.TTFB: result.ttfb_ns,
        Metric.TTFT: result.ttft_ns,
        Metric.TTFO: result.ttfo_ns,
        Metric.ICL: result.mean_icl_ns,
        Metric.TPOT: result.tpot_ns,
        Metric.E2E: result.duration_ns,
    }.get(metric)


def sure(result: Request | Ping, metric: Metric) -> int | None:
    """The same where it is not in doubt: what counts in states, percentiles and comparisons."""
    value_ns = latency(result, metric)
    return None if result.tainted and in_doubt(value_ns, _error_of(result, metric)) else value_ns


def _error_of(result: Request | Ping, metric: Metric) -> int:
    """How far that latency may be from the truth: its own error, or else the largest of the result."""
    if isinstance(result, Request):
        if metric is Metric.ICL:  # gaps in doubt were left out of it
            return 0
        if result.errors is not None and metric in _ERRORS:
            return int(getattr(result.errors, _ERRORS[metric]))
    return result.error_ns or 0
