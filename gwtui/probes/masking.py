"""Records without keys: all that a gateway said is masked once it is joined, decoded, cleaned and cut.

Names, numbers and rules of our own are left as they are, whatever a key looks like.
"""

from __future__ import annotations

from msgspec.structs import replace

from gwtui.judging.headers import CONSTANT_NAMES
from gwtui.keys import Redactor
from gwtui.records import Finding, Ping, Request

REQUEST_TEXTS = (
    "model_served",
    "reason",
    "trace_id",
    "request_id",
    "sent_request_id",
    "content_type",
    "body_excerpt",
    "text",
)
PING_TEXTS = ("reason", "close_reason", "trace_id", "request_id")
"""Fields whose text comes from a network, or was sent there."""


def masked_request(request: Request, redact: Redactor) -> Request:
    """The request without any key."""
    if not redact:
        return request
    return replace(
        request,
        **{name: redact(getattr(request, name)) for name in REQUEST_TEXTS},
        findings=tuple(_finding(finding, redact) for finding in request.findings),
        phases=replace(request.phases, tls=redact(request.phases.tls)),
        headers=_headers(request.headers, redact),
    )


def masked_ping(ping: Ping, redact: Redactor) -> Ping:
    """The ping without any key."""
    if not redact:
        return ping
    texts = {name: redact(getattr(ping, name)) for name in PING_TEXTS}
    return replace(ping, **texts, headers=_headers(ping.headers, redact))


def _finding(finding: Finding, redact: Redactor) -> Finding:
    return replace(finding, evidence=redact(finding.evidence), cause=redact(finding.cause))


def _headers(headers: dict[str, str], redact: Redactor) -> dict[str, str]:
    """Names that became the same hold their values one after the other."""
    masked: dict[str, str] = {}
    for name, value in headers.items():
        shown = name if name in CONSTANT_NAMES else redact(name)
        masked[shown] = redact(f"{masked[shown]}, {value}" if shown in masked else value)
    return masked
