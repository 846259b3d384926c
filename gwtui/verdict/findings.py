"""Findings that response headers give away: compression, hidden retries and fallbacks, another model, a clock off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from gwtui.apis.headers import Headers, header, http_date, joined_header
from gwtui.apis.models import model_differs
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.text.sanitize import clean

RESOLVED_MODEL = "x-cody-resolved-model"
"""Cody Gateway: the model that an alias resolved to."""
SECOND_TRIES = (
    (re.compile(r"(^|-)(retries|retry-count|retry-attempts?|retry-attempt-count)$"), FindingName.RETRIES, 1),
    (re.compile(r"(^|-)(attempts|attempt-count)$"), FindingName.RETRIES, 2),
    (re.compile(r"fallback|(^|-)aig-step$"), FindingName.FALLBACKS, 1),
)
"""Names of headers that count what a gateway tried, the finding, and the number from which it is one."""
NOTHING = frozenset({"", "false", "no", "none", "null", "off", "-", "disabled", "enabled"})
"""The value of a header about fallbacks without a fallback."""
LIMITS = re.compile(r"max|limit|remaining|should|allowed|enabled")
"""Headers whose names hold these count what might have been tried."""
PARTIAL_CONTENT = 206
CLOCK_SKEW_S = 2.0
DATE_GRAIN_S = 2.0
"""By how much a Date that is right may be behind."""


def header_findings(headers: Headers, asked: str = "", status: int | None = None) -> Iterator[Finding]:
    """What status and headers alone give away. `asked`: the model that was asked for, "" where none was."""
    if status == PARTIAL_CONTENT:
        yield Finding(
            name=FindingName.PARTIAL_CONTENT,
            evidence="HTTP 206, although no range was requested",
        )
    yield from _contradictions(headers)
    encoding = joined_header(headers, "content-encoding").strip()
    if encoding and encoding.lower() != "identity":
        yield Finding(
            name=FindingName.COMPRESSED,
            evidence=f"content-encoding: {clean(encoding, 40)}, although identity was requested",
        )
    told: set[FindingName] = set()
    for raw_name, value in headers:
        finding = _second_tries(raw_name, value)
        if finding and finding not in told:
            told.add(finding)
            yield Finding(name=finding, evidence=clean(f"{raw_name.lower()}: {value.strip()}"))
    yield from model_differs(asked, header(headers, RESOLVED_MODEL).strip())


def as_expected(findings: Iterable[Finding], endpoint: Endpoint, headers: Headers, served: str) -> tuple[Finding, ...]:
    """The findings, where `expect_model` says which model is right. `served`: the model that the answer names."""
    if endpoint.expect_model is None:
        return tuple(findings)
    others = (finding for finding in findings if finding.name is not FindingName.MODEL_DIFFERS)
    named = served or header(headers, RESOLVED_MODEL).strip()
    return (*others, *model_differs(endpoint.expect_model, named, "is expected"))


def _contradictions(headers: Headers) -> Iterator[Finding]:
    length, coding = header(headers, "content-length").strip(), header(headers, "transfer-encoding").strip()
    if length and coding:
        yield Finding(
            name=FindingName.TWO_LENGTHS,
            evidence=clean(
                f"content-length: {length} beside transfer-encoding: {coding}, which is the one that counts"
            ),
        )
    types = dict.fromkeys(value.strip().lower() for name, value in headers if name.lower() == "content-type")
    if len(types) > 1:
        yield Finding(
            name=FindingName.TWO_CONTENT_TYPES,
            evidence=clean(f"content-type: {' beside '.join(types)}; the first is the one that counts here"),
        )


def _second_tries(name: str, value: str) -> FindingName | None:
    """The finding, where the header says that there were retries or fallbacks; None where it does not."""
    counted = _counted(name)
    if counted is None:
        return None
    finding, least = counted
    value = value.strip().lower()
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    some = finding is FindingName.FALLBACKS and value not in NOTHING
    return finding if (some if number is None else number >= least) else None


@lru_cache(maxsize=512)
def _counted(name: str) -> tuple[FindingName, int] | None:
    """What a header of that name counts, and the number from which it is a finding; None where it counts nothing."""
    name = name.lower()
    if LIMITS.search(name):
        return None
    return next(((finding, least) for pattern, finding, least in SECOND_TRIES if pattern.search(name)), None)


def clock_skew(headers: Headers, began_at: float, ended_at: float) -> Finding | None:
    """Whether the gateway's `Date` cannot have been set between these wall times (UTC) of this machine.

    The header has whole seconds, and some servers write it once a second. What a cache kept is as old as it says.
    """
    at = http_date(header(headers, "date"))
    if at is None or not began_at or header(headers, "age").strip() not in ("", "0"):
        return None
    skew = at - ended_at if at > ended_at else min(at + DATE_GRAIN_S - began_at, 0.0)
    if abs(skew) <= CLOCK_SKEW_S:
        return None
    side = "ahead of" if skew > 0 else "behind"
    return Finding(
        name=FindingName.CLOCK_SKEW,
        evidence=f"the gateway's Date is {abs(skew):.0f} s {side} this machine's clock",
    )
