"""What every probe sends beside what its API asks for: fresh ids, and the endpoint's own headers."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from gwtui.text.sanitize import clean


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids that exist even when the gateway answers nothing. Fresh for every request that leaves."""

    trace_id: str
    span_id: str
    request_id: str

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """W3C Trace Context 3.2, and the de-facto request id."""
        return (("traceparent", f"00-{self.trace_id}-{self.span_id}-01"), ("x-request-id", self.request_id))


def fresh_ids() -> Ids:
    return Ids(secrets.token_hex(16), secrets.token_hex(8), str(uuid.uuid4()))


def overlaid(*layers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers of several layers, where a name of a later layer replaces the same name of all earlier ones."""
    headers: list[tuple[str, str]] = []
    for layer in layers:
        more = list(layer)
        names = {name.lower() for name, _ in more}
        headers = [(name, value) for name, value in headers if name.lower() not in names] + more
    return headers


def sent_ids(headers: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The trace id and the request id that these request headers carry, cleaned."""
    values = {name.lower(): value for name, value in headers}
    parts = values.get("traceparent", "").split("-")
    return clean(parts[1] if len(parts) > 1 else ""), clean(values.get("x-request-id", ""))
