"""A kept stream as its file: what is said of it, and no key in any of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from gwtui import installed_version
from gwtui.apis.base import AskError
from gwtui.codec.stream_file import FORMAT, KeptRead, StreamHeader, stream_file
from gwtui.model.records import Ping, Request
from gwtui.probes.asked_request import asked_request
from gwtui.probes.masking import masked_finding
from gwtui.probes.stream_capture import StreamCapture
from gwtui.recorder.session_metadata import endpoint_table
from gwtui.secrets.bodies import masked_body
from gwtui.secrets.patterns import names_secret, public_address
from gwtui.secrets.redaction import MASK, Redactor
from gwtui.text.units import timestamp

BEHIND_BYTES = 4096
"""The maximum number of bytes that are kept of what came behind an answer."""
_WORDS = frozenset({"name", "api", "auth", "ping", "connection", "addresses"})
"""Settings that are words of ours, whatever a key looks like."""


def evidence_file(capture: StreamCapture, result: Request | Ping) -> bytes:
    """The whole file. `result`: the record as it became in the end."""
    redact = capture.redact
    tape = capture.tape
    taped = (*tape.head, *tape.tail)
    body, places = masked_body(b"".join(data for *_, data in taped), redact)
    reads, at = [], 0
    for stamp_ns, error_ns, data in taped:
        reads.append(KeptRead(stamp_ns - capture.sent_ns, body[at : at + len(data)], error_ns))
        at += len(data)
    return stream_file(_header(capture, result, places), reads)


def _header(capture: StreamCapture, result: Request | Ping, places: int) -> StreamHeader:
    redact, tape, sent_ns = capture.redact, capture.tape, capture.sent_ns
    request = result if isinstance(result, Request) else None
    behind, more = masked_body(capture.behind[:BEHIND_BYTES], redact)
    payload, _ = masked_body(capture.payload, redact)
    judged = {finding.name for finding in capture.judged.findings}
    method, url, headers, body = _asked(capture, result)
    return StreamHeader(
        gwtui_stream=FORMAT,
        gwtui=_version(),
        endpoint=result.endpoint,
        number=result.number,
        started_at=timestamp(result.started_at),
        ended_at=timestamp(capture.ended_at),
        verdict=result.verdict.value,
        rule=result.rule,
        reason=result.reason,
        event_number=request.event_number if request is not None else None,
        findings=result.findings,
        api=capture.endpoint.api,
        model=request.model if request is not None else "",
        stream=request.stream if request is not None else False,
        trace_id=result.trace_id,
        request_id=result.request_id,
        method=method,
        url=url,
        request_headers=headers,
        request_body=body,
        status=result.status,
        headers=tuple((redact(name), _header_value(name, value, redact)) for name, value in capture.headers),
        end=capture.end,
        detail=redact(capture.detail),
        ended_ns=capture.ended_ns - sent_ns,
        ended_error_ns=capture.ended_error_ns,
        first_byte_ns=None if capture.first_read_ns is None else capture.first_read_ns - sent_ns,
        first_byte_error_ns=capture.first_read_error_ns,
        write_error_ns=capture.write_error_ns,
        clock=capture.clock,
        behind=behind,
        payload=payload,
        told=tuple(masked_finding(finding, redact) for finding in capture.told),
        later=tuple(str(found.name) for found in result.findings if found.name not in judged),
        masked=places + more,
        dropped_bytes=tape.dropped,
        dropped_after=len(tape.head) if tape.dropped else None,
        settings=_masked_texts(endpoint_table(capture.endpoint), redact),
    )


def _header_value(name: str, value: str, redact: Redactor) -> str:
    """A header of the answer as received, without keys and without what logs in, as cookies do."""
    return MASK if names_secret(name) else redact(value)


def _asked(capture: StreamCapture, result: Request | Ping) -> tuple[str, str, tuple[tuple[str, str], ...], str]:
    """Method, URL, headers and body of the request, with references in place of keys."""
    try:
        asked = asked_request(capture.endpoint, result, capture.redact)
    except AskError:
        return "", public_address(capture.redact(capture.endpoint.url)), (), ""
    return asked.method, asked.url, asked.headers, asked.body.decode("utf-8", "replace")


def _masked_texts(table: dict[str, Any], redact: Redactor) -> dict[str, Any]:
    return {name: value if name in _WORDS else _masked_in(value, redact) for name, value in table.items()}


def _masked_in(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _masked_in(item, redact) for name, item in value.items()}
    return [_masked_in(item, redact) for item in value] if isinstance(value, list | tuple) else value


_version = cache(installed_version)
