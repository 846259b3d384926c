"""What was gathered about a gateway: the records of the requests that were sent for each need."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from gwtui.apis.gateway_documents import MAX_NUMBER
from gwtui.checks.request_sets import PROBES, CheckTarget, RequestSet
from gwtui.model.enums import FindingName, Outcome
from gwtui.model.records import Finding, Ping, Request, StreamEvent, StreamRead
from gwtui.verdict.gateway_entries import request_ids

_SIGN = re.compile(r"\\\\|\\(x[0-9a-f]{2}|U00(?:0[0-9a-f]|10)[0-9a-f]{4})")
"""What stands in the text of a record for characters that are not printable, where JSON has no such escape; and a
backslash that is escaped, behind which nothing is."""
DOCUMENT_CHARS = 1024 * 1024
"""How much of a document a probe keeps: `gwtui.probes.response_reader.TEXT_CHARS`."""
MISSING = frozenset({404, 405, 410, 501})
"""Statuses of a path that a gateway simply does not have."""


@dataclass(frozen=True, slots=True)
class Probed:
    """One request that was sent, and the reads of its stream."""

    result: Request | Ping
    reads: tuple[StreamRead, ...] = ()
    path: str = ""
    """Where it was sent, if that is not the endpoint's own path."""

    @property
    def request(self) -> Request:
        """The result of anything but a WebSocket ping."""
        if isinstance(self.result, Request):
            return self.result
        raise TypeError("a ping is not a request")

    @property
    def ok(self) -> bool:
        """Whether the request gave the user all they asked for."""
        return self.result.outcome is Outcome.OK

    @property
    def events(self) -> Iterator[StreamEvent]:
        """The events of its stream, in order; of a very long one its beginning and its end."""
        return (event for read in self.reads for event in read.events)


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document that the gateway was asked for."""

    request: Request
    value: Any = None
    """Its content; None if there is no document."""
    problem: str = ""
    """Why there is no document."""
    path: str = ""
    """Where it was found."""
    is_cut: bool = False
    """It is too long to be read."""

    @property
    def is_missing(self) -> bool:
        """The gateway has no such path."""
        return self.request.status in MISSING

    def at(self, *keys: str) -> Any:
        """What is found by these keys one after another; None where they lead nowhere."""
        value = self.value
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def number(self, *keys: str) -> float | None:
        """The finite number at these keys; None if it is missing or over `MAX_NUMBER`."""
        value = self.at(*keys)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if abs(value) < MAX_NUMBER else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known so far. A need that was not gathered is empty."""

    target: CheckTarget
    found: Mapping[RequestSet, tuple[Probed, ...]] = field(default_factory=dict)

    def all(self, need: RequestSet) -> tuple[Probed, ...]:
        """Every request of that set; empty where it was not sent."""
        return self.found.get(need, ())

    def one(self, need: RequestSet) -> Probed | None:
        """The only one, or the last of several."""
        return self.all(need)[-1] if self.all(need) else None

    def document(self, need: RequestSet) -> Document | None:
        """The document that was asked for last; None where none was."""
        probed = self.one(need)
        return None if probed is None else replace(_document_of(probed.request), path=probed.path)

    def everything(self) -> Iterator[Probed]:
        """Every request, in the order of needs."""
        return (probed for need in RequestSet for probed in self.all(need))

    def provoked(self) -> tuple[Probed, ...]:
        """Every request to the failing model so far, in the order in which they were sent."""
        return (*self.all(RequestSet.PROVOKED), *self.all(RequestSet.BREAKER))

    def probes(self) -> Iterator[Probed]:
        """Every request to the endpoint itself, in the order of needs."""
        return (probed for need in RequestSet if need in PROBES for probed in self.all(need))

    def streams(self) -> Iterator[Probed]:
        """Those of them that asked for a stream and should have got a good one."""
        ordinary = PROBES - {
            RequestSet.PING,
            RequestSet.INVALID_KEY,
            RequestSet.UNKNOWN_MODEL,
            RequestSet.STRANGER,
            RequestSet.PROVOKED,
            RequestSet.BREAKER,
        }
        return (
            probed
            for need in RequestSet
            if need in ordinary
            for probed in self.all(need)
            if isinstance(probed.result, Request) and probed.result.stream
        )


def _document_of(request: Request) -> Document:
    """The JSON document that an answer holds, or why it holds none. Its text was cleaned, which is undone here."""
    if request.status is None or not 200 <= request.status < 300:
        return Document(request, None, request.reason)
    try:
        return Document(request, msgspec.json.decode(_SIGN.sub(_as_json, request.text)))
    except (ValueError, RecursionError) as error:
        if len(request.text) >= DOCUMENT_CHARS:
            return Document(request, None, f"longer than the {DOCUMENT_CHARS:,} characters that are read", is_cut=True)
        return Document(request, None, f"HTTP {request.status} without JSON: {str(error)[:80]}")


def object_in(text: str) -> dict[str, Any] | None:
    """The JSON object that cleaned text holds; None where it holds none, or was cut."""
    try:
        value = msgspec.json.decode(_SIGN.sub(_as_json, text))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _as_json(sign: re.Match[str]) -> str:
    return sign[0] if sign[1] is None else json.dumps(chr(int(sign[1][1:], 16)))[1:-1]


def finding_of(request: Request, name: FindingName) -> Finding | None:
    """The first finding of that name; None without one."""
    return next((finding for finding in request.findings if finding.name == name), None)


def ids_of(probed: Iterable[Probed]) -> list[frozenset[str]]:
    """Per request, every id that a gateway may know it by."""
    return [request_ids(each.request) for each in probed]
