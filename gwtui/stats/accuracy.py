"""How far what was measured may be from the truth, and from where on it is in doubt. Pure.

The error of a stamp is how long the bytes may have waited for gwtui; that of a latency is the sum of its two stamps'.
"""

from __future__ import annotations

from gwtui.model.metrics import AnswerForm, Basis, Metric
from gwtui.model.records import Finding, Ping, Request

DOUBT_NS = 1_000_000
DOUBT_SHARE = 0.05
"""A value is in doubt when it may be wrong by more than both of these."""


def is_exact(error_ns: int) -> bool:
    """Whether what may be that wrong is exact, which is to say within 1 ms."""
    return error_ns <= DOUBT_NS


def in_doubt(value_ns: int | None, error_ns: int) -> bool:
    """Whether a value that may be that wrong is in doubt. One that was not measured is not."""
    return value_ns is not None and error_ns > DOUBT_NS and error_ns > DOUBT_SHARE * value_ns


def latency(result: Request | Ping, metric: Metric) -> int | None:
    """That latency of one result, in ns, as measured; None where it has none. Of ICL, which is many, the mean."""
    value = metric.of(result) if metric.is_latency else None
    return None if value is None else int(value)


def sure(result: Request | Ping, metric: Metric) -> int | None:
    """The same where it is not in doubt: what counts in states, percentiles and comparisons."""
    return sure_value(latency(result, metric), metric, error_of(result, metric) if result.tainted else 0)


def at_least(result: Request | Ping, metric: Metric) -> int | None:
    """The least that latency can have been, whatever waited for gwtui: what states are judged by, so that own lateness
    makes nothing slow and hides nothing slow. None where it says too little: where half of it or more may be gwtui's
    own, and more than a slowdown must have."""
    value_ns = latency(result, metric)
    if value_ns is None or metric.about.basis is Basis.READS or not result.tainted:
        return value_ns
    error_ns = error_of(result, metric)
    return None if error_ns > max(value_ns // 2, metric.about.slow_floor_ns) else max(value_ns - error_ns, 0)


def sure_value(value_ns: int | None, metric: Metric, error_ns: int) -> int | None:
    """A value of that latency which may be that wrong; None where it is in doubt."""
    if metric.about.basis is Basis.READS:  # what was in doubt was left out of it
        return value_ns
    return None if in_doubt(value_ns, error_ns) else value_ns


def error_of(result: Request | Ping, metric: Metric) -> int:
    """How far that latency may be from the truth, in ns: its own error, or else the largest of the result. Nothing
    between reads: what was in doubt was left out of it."""
    if metric.about.basis is Basis.READS:
        return 0
    if isinstance(result, Request) and result.errors is not None and metric in result.errors:
        return result.errors[metric]
    return result.error_ns or 0


def own_lateness(result: Request | Ping) -> int:
    """How much later than planned gwtui began a request by its own fault, in ns: by how much a latency that is counted
    from the plan is too long."""
    return max(0, result.lateness_ns - result.room_wait_ns)


def sure_findings(result: Request | Ping) -> tuple[Finding, ...]:
    """The findings of one result, without those that are seen in times where its times are in doubt."""
    if not result.tainted:
        return result.findings
    return tuple(finding for finding in result.findings if not finding.entry.timed)


def form_of_result(result: Request | Ping) -> AnswerForm:
    """The form of the answer that a result is of."""
    if isinstance(result, Ping):
        return AnswerForm.PONG
    return AnswerForm.STREAM if result.stream else AnswerForm.WHOLE
