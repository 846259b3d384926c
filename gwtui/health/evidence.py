"""What proves a state: the result that began it, and counts of failures in words."""

from __future__ import annotations

from collections import Counter

import msgspec

from gwtui.apis.http import HTTP
from gwtui.model.incidents import Proof
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.text.units import share

SAID = frozenset({Verdict.WRONG_BODY, Verdict.UNAVAILABLE})
"""What a health document that is not the wanted one comes to: its reason names the values."""


class Onset(msgspec.Struct, frozen=True):
    """When a result came, and which it was."""

    now_ns: int
    at: float
    """Wall time."""
    proof: Proof

    @classmethod
    def of(cls, result: Request | Ping, at: float) -> Onset:
        """Of that result, which ended at the wall time `at`."""
        return cls(result.now_ns, at, Proof(result.endpoint, result.number, result.trace_id, result.vantage))


def said(result: Request | Ping) -> str:
    """Why a failure of a plain HTTP endpoint is one, in brackets, where its verdict does not say what of a health
    document is wrong; else nothing."""
    is_plain = isinstance(result, Request) and result.api == HTTP.name
    return f" ({result.reason})" if is_plain and result.verdict in SAID and result.reason else ""


def of_all(failures: Counter[Verdict], n: int) -> str:
    """`2 of 9 truncated (22.2 %)`, or `3 of 9 failed (33.3 %): 2 reset, 1 truncated`."""
    failed = failures.total()
    if not failed:
        return f"0 of {n} failed"
    percent = f"({share(failed / n)} %)"
    parts = [(times, verdict) for verdict, times in failures.most_common() if times]
    if len(parts) == 1:
        return f"{failed} of {n} {parts[0][1]} {percent}"
    return f"{failed} of {n} failed {percent}: {', '.join(f'{times} {verdict}' for times, verdict in parts)}"


def counted(failures: Counter[Verdict]) -> str:
    """`7 refused`, or `7 failed: 4 refused, 3 unavailable`."""
    parts = [f"{times} {verdict}" for verdict, times in failures.most_common()]
    return parts[0] if len(parts) == 1 else f"{failures.total()} failed: {', '.join(parts)}"


def in_a_row(failures: Counter[Verdict]) -> str:
    """`3 truncated in a row`, or `3 failed in a row: 2 reset, 1 truncated`."""
    failed, _, parts = counted(failures).partition(":")
    return f"{failed} in a row{':' * bool(parts)}{parts}"
