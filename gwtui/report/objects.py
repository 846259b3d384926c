"""Results as JSON objects. Their keys are the column names of the session's files, with what a file has no room for."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.codec.cells import concurrency_object
from gwtui.codec.csv_schema import ping_row, request_row
from gwtui.model.gateway_figures import GatewayFigures
from gwtui.model.incidents import Incident, Proof
from gwtui.model.metrics import AnswerForm, Basis, metrics_of
from gwtui.model.records import Finding, Ping, Request, StreamRead
from gwtui.model.stream_view import StreamLine
from gwtui.monitor.stream_store import stream_lines
from gwtui.stats.accuracy import latency
from gwtui.text import units


def request_object(request: Request) -> dict[str, Any]:
    """The row of requests.csv, with `findings`, `headers` and `models` unfolded, and with `gateway`: all that a
    gateway's metrics tell."""
    models = concurrency_object(request.concurrency) if request.concurrency.models else None
    gateway = _gateway(request.gateway) if request.gateway.is_told else None
    more = {"findings": _findings(request), "headers": request.headers, "models": models, "gateway": gateway}
    return request_row(request) | more


def _gateway(figures: GatewayFigures) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(figures)
    for table, name in ((told, "grown"), (told.get("comparison", {}), "span")):
        if (ns := table.pop(f"{name}_ns", None)) is not None:
            table[f"{name}_s"] = round(ns / 1e9, 3)
    return told


def ping_object(ping: Ping) -> dict[str, Any]:
    """The row of pings.csv, with `findings` and `headers` unfolded."""
    return {**ping_row(ping), "findings": _findings(ping), "headers": ping.headers}


def incident_object(incident: Incident) -> dict[str, Any]:
    """An incident, as far as it is known. Keys that are columns of incidents.csv mean the same."""
    closed = incident.closed
    return {
        "incident": incident.number,
        "open": incident.is_open,
        "severity": incident.severity.value,
        "scope": incident.scope,
        "cause": incident.cause,
        "since": units.timestamp(incident.opened),
        "reported": units.timestamp(incident.told),
        "closed": _timestamp(closed),
        "duration_s": None if closed is None else round(closed - incident.opened, 3),
        "failures": incident.failures,
        "acknowledged": incident.acknowledged,
        "merged_into": incident.merged_into,
        "endpoints": [
            {
                "endpoint": member.endpoint,
                "vantage": member.vantage,
                "state": member.state.value,
                "since": units.timestamp(member.since),
                "until": _timestamp(member.until),
            }
            for member in incident.members
        ],
        "first": _proof(incident.first),
        "last": _proof(incident.last),
        "changes": [
            {"at": units.timestamp(change.at), "event": change.event.value, "text": change.text}
            for change in incident.changes
        ],
    }


def incident_json(incident: Incident) -> bytes:
    """An incident as one line of JSON."""
    return msgspec.json.encode(incident_object(incident))


def _timestamp(at: float | None) -> str | None:
    return None if at is None else units.timestamp(at)


def _proof(proof: Proof | None) -> dict[str, Any] | None:
    if proof is None:
        return None
    return {
        "endpoint": proof.endpoint,
        "vantage": proof.vantage,
        "request_number": proof.number,
        "trace_id": proof.trace_id,
    }


def probe_json(result: Request | Ping, reads: tuple[StreamRead, ...]) -> bytes:
    """One JSON object, see `probe_object`."""
    return msgspec.json.format(msgspec.json.encode(probe_object(result, reads)), indent=2)


def probe_object(result: Request | Ping, reads: tuple[StreamRead, ...]) -> dict[str, Any]:
    """The result's keys, `phases` and `events_detail`; of a request also `body_excerpt` and `text`."""
    told = request_object(result) if isinstance(result, Request) else ping_object(result)
    told |= {"phases": _phases(result), "events_detail": [_event(line) for line in stream_lines(reads)]}
    if isinstance(result, Request):
        told |= {"body_excerpt": result.body_excerpt, "text": result.text}
    return told


def _findings(result: Request | Ping) -> list[Any]:
    return [finding_object(finding) for finding in result.findings]


def finding_object(finding: Finding) -> dict[str, Any]:
    """A finding, with what is known about all of its name."""
    told: dict[str, Any] = msgspec.to_builtins(finding)
    entry = finding.entry
    return {**told, "cause": finding.likely_cause, "severity": entry.severity.value, "remedy": entry.remedy}


def _phases(result: Request | Ping) -> dict[str, float | str | bool | None]:
    if isinstance(result, Ping):
        return {"connect_ms": units.milliseconds(result.connect_ns), **_times(result)}
    phases = result.phases
    return {
        "dns_ms": units.milliseconds(phases.dns_ns),
        "connect_ms": units.milliseconds(phases.connect_ns),
        "tls_ms": units.milliseconds(phases.tls_ns),
        "send_ms": units.milliseconds(phases.send_ns),
        **_times(result),
        "reused": phases.reused,
        "address": phases.address,
        "tls": phases.tls,
    }


def _times(result: Request | Ping) -> dict[str, float | None]:
    """What counts from the send, by the names of the columns."""
    forms = (AnswerForm.PONG,) if isinstance(result, Ping) else (AnswerForm.STREAM, AnswerForm.WHOLE)
    found = (metric for metric in metrics_of(*forms) if metric.about.basis is Basis.SENT)
    return {metric.about.column: units.milliseconds(latency(result, metric)) for metric in found}


def _event(line: StreamLine) -> dict[str, Any]:
    event = line.event
    return {
        "number": line.number,
        "since_sent_ms": units.milliseconds(line.since_sent_ns),
        "gap_ms": units.milliseconds(line.gap_ns),
        "name": event.name,
        "kind": event.kind.value,
        "text": event.text,
        "raw": event.raw,
        "note": event.note,
        "model": event.model,
    }
