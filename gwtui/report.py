"""What headless commands print: one probe or capture told whole, and the summary that a session leaves in the shell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gwtui import units
from gwtui.clean import clean
from gwtui.decode import Decoded
from gwtui.monitor.streams import stream_lines
from gwtui.profile import Endpoint
from gwtui.records import Finding, Ping, Request, StreamEvent, StreamRead
from gwtui.rows import ping_row, request_row
from gwtui.verdicts import MEANINGS, Verdict
from gwtui.view import StreamLine, View
from gwtui.words import Outcome

_MARKS = {Outcome.OK: "✔", Outcome.FAILED: "✖", Outcome.CANCELLED: "‖", Outcome.LOCAL: "▲"}


def probe_json(result: Request | Ping, reads: tuple[StreamRead, ...]) -> str:
    """One JSON object: the row's columns, and `findings`, `headers`, `phases`, `events_detail` in full."""
    told: dict[str, Any] = dict(request_row(result) if isinstance(result, Request) else ping_row(result))
    told["headers"] = result.headers
    if isinstance(result, Request):
        told["findings"] = [msgspec.to_builtins(finding) for finding in result.findings]
        told["phases"] = _phases(result)
        told["events_detail"] = [_event_detail(line) for line in stream_lines(reads)]
        told["body_excerpt"] = result.body_excerpt
        told["text"] = result.text
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _phases(result: Request) -> dict[str, float | str | bool | None]:
    phases = result.phases
    return {
        "dns_ms": units.milliseconds(phases.dns_ns),
        "connect_ms": units.milliseconds(phases.connect_ns),
        "tls_ms": units.milliseconds(phases.tls_ns),
        "send_ms": units.milliseconds(phases.send_ns),
        "ttfb_ms": units.milliseconds(result.ttfb_ns),
        "ttft_ms": units.milliseconds(result.ttft_ns),
        "duration_ms": units.milliseconds(result.duration_ns),
        "reused": phases.reused,
        "address": phases.address,
        "tls": phases.tls,
    }


def _event_detail(line: StreamLine) -> dict[str, Any]:
    times = {"since_sent_ms": units.milliseconds(line.since_sent_ns), "gap_ms": units.milliseconds(line.gap_ns)}
    return {"number": line.number, **times, **msgspec.structs.asdict(line.event)}


def probe_text(endpoint: Endpoint, result: Request | Ping, reads: tuple[StreamRead, ...]) -> str:
    """The probe for a person's eyes: verdict first, then times, answer, ids, and every event."""
    lines = [*_verdict_lines(endpoint, result)]
    if isinstance(result, Ping):
        lines += _table(
            ("rtt", units.duration(result.rtt_ns)),
            ("connect", units.duration(result.connect_ns)),
            ("trace id", result.trace_id),
        )
        return "\n".join(lines)
    lines += _table(
        ("phases", _phase_text(result)),
        ("peer", "  ".join(part for part in (result.phases.address, result.phases.tls) if part)),
        ("times", _time_text(result)),
        ("stream", _stream_text(result)),
        ("tokens", _token_text(result)),
        ("model", _model_text(result)),
        ("trace id", result.trace_id),
        ("request id", result.request_id),
        ("clock", result.clock.value),
    )
    lines += [f"  {name:<11} {value}" for name, value in sorted(result.headers.items())]
    lines += _finding_lines(result.findings)
    if result.body_excerpt:
        lines += ["", "  the answer begins:", f"  {result.body_excerpt}"]
    events = stream_lines(reads)
    if events:
        lines += ["", "    since send      gap  event"]
        lines += [_event_line(line) for line in events]
    return "\n".join(lines)


def _verdict_lines(endpoint: Endpoint, result: Request | Ping) -> list[str]:
    title = f"{endpoint.name}  {endpoint.api}  {endpoint.url}"
    return [title, *_judgement_lines(result.verdict, result.rule, result.reason)]


def _judgement_lines(verdict: Verdict, rule: str, reason: str) -> list[str]:
    meaning, cause = MEANINGS[verdict]
    lines = [f"{_MARKS[verdict.outcome]} {verdict}  {reason or meaning}", f"  rule {rule}"]
    return [*lines, f"  likely cause: {cause}"] if cause else lines


def _finding_lines(findings: Iterable[Finding]) -> list[str]:
    return [f"  ▲ {each.name}: {each.evidence}{f' ({each.cause})' if each.cause else ''}" for each in findings]


def _table(*rows: tuple[str, str]) -> list[str]:
    return [f"  {label:<11} {value}" for label, value in rows if value]


def _phase_text(result: Request) -> str:
    phases = result.phases
    if phases.reused:
        return f"kept connection, send {units.duration(phases.send_ns)}"
    named = (("dns", phases.dns_ns), ("connect", phases.connect_ns), ("tls", phases.tls_ns), ("send", phases.send_ns))
    return ", ".join(f"{name} {units.duration(value)}" for name, value in named if value is not None)


def _time_text(result: Request) -> str:
    named = (
        ("first byte", result.ttfb_ns),
        ("first token", result.ttft_ns),
        ("first visible", result.ttfo_ns if result.ttfo_ns != result.ttft_ns else None),
        ("end", result.duration_ns),
    )
    return ", ".join(f"{name} {units.duration(value)}" for name, value in named if value is not None)


def _stream_text(result: Request) -> str:
    if not result.events:
        return f"{result.bytes:,} bytes" if result.bytes else ""
    gaps = f", mean gap {units.duration(result.mean_icl_ns)}, longest {units.duration(result.max_gap_ns)}"
    return f"{result.events} events in {result.reads} reads, {result.bytes:,} bytes{gaps if result.max_gap_ns else ''}"


def _token_text(result: Request) -> str:
    if result.input_tokens is None and result.output_tokens is None:
        return ""
    counts = f"{_known(result.input_tokens)} in, {_known(result.output_tokens)} out"
    speed = f", {units.rate(result.tokens_per_s)} tok/s, TPOT {units.duration(result.tpot_ns)}"
    return counts + (speed if result.tokens_per_s is not None else "")


def _known(value: int | None) -> str:
    return "n/a" if value is None else str(value)


def _model_text(result: Request) -> str:
    if not result.model_served or result.model_served == result.model:
        return result.model
    return f"asked for {result.model}, served by {result.model_served}"


def _event_line(line: StreamLine) -> str:
    gap = units.short(line.gap_ns) if line.gap_ns is not None else "·"
    return f"  {line.number:>3} {units.offset(line.since_sent_ns):>9} {gap:>8}  {_event_text(line.event)}"


def _event_text(event: StreamEvent) -> str:
    shown = f'"{clean(event.text, 120)}"' if event.text else event.raw[:80]
    note = f"  ◀ {event.note}" if event.note else ""
    name = f"{event.name} {event.model}" if event.model else event.name
    return f"{name:<22} {shown}{note}"


def decode_json(decoded: Decoded) -> str:
    """One JSON object in the words of `probe_json`, without times: a capture has none."""
    judgement = decoded.judgement
    told: dict[str, Any] = {
        "api": decoded.api,
        "model_served": decoded.model_served,
        "status": decoded.status,
        "outcome": judgement.verdict.outcome.value,
        "verdict": judgement.verdict.value,
        "rule": judgement.rule,
        "reason": judgement.reason,
        "event_number": judgement.event_number,
        "events": len(decoded.events),
        "input_tokens": decoded.usage.input_tokens,
        "output_tokens": decoded.usage.output_tokens,
        "bytes": decoded.bytes,
        "findings": decoded.findings,
        "headers": decoded.headers,
        "events_detail": [
            {"number": number, **msgspec.structs.asdict(event)} for number, event in enumerate(decoded.events, 1)
        ],
        "body_excerpt": decoded.body_excerpt,
        "text": decoded.text,
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def decode_text(decoded: Decoded) -> str:
    """The capture for a person's eyes: verdict first, then what it holds, and every event."""
    judgement, usage = decoded.judgement, decoded.usage
    lines = _judgement_lines(judgement.verdict, judgement.rule, judgement.reason)
    counted = (usage.input_tokens, usage.output_tokens)
    lines += _table(
        ("api", decoded.api),
        ("status", "" if decoded.status is None else str(decoded.status)),
        ("stream", f"{len(decoded.events)} events, {decoded.bytes:,} bytes"),
        ("tokens", f"{_known(counted[0])} in, {_known(counted[1])} out" if counted != (None, None) else ""),
        ("model", decoded.model_served),
    )
    lines += [f"  {name:<11} {value}" for name, value in sorted(decoded.headers.items())]
    lines += _finding_lines(decoded.findings)
    if decoded.body_excerpt:
        lines += ["", "  the answer begins:", f"  {decoded.body_excerpt}"]
    if decoded.events:
        lines.append("")
    for number, event in enumerate(decoded.events, 1):
        mark = "▶" if number == judgement.event_number else " "
        lines.append(f" {mark}{number:>3}  {_event_text(event)}")
    return "\n".join(lines)


def summary(view: View) -> str:
    """What a session leaves in the shell: a line per endpoint over the view's window, and where the rows are."""
    header = view.header
    lines = [
        f"gwtui {header.profile}  {units.elapsed(header.elapsed_ns)}  "
        f"{units.count(header.requests)} requests, {units.count(header.failed)} failed"
    ]
    width = max((len(row.name) for row in view.endpoints), default=8)
    if view.endpoints:
        figures = " ".join(f"{heading:>7}" for heading in ("p50", "p95", "p99", "n"))
        lines.append(f"  {'endpoint':<{width}}  {'state':<8} {'':<4} {figures} {'fail%':>6}  last verdict")
    for row in view.endpoints:
        figures = " ".join(f"{units.quantile(each.value_ns, each.n):>7}" for each in (row.p50, row.p95, row.p99))
        lines.append(
            f"{row.state.mark} {row.name:<{width}}  {row.state:<8} {row.metric.label:<4} {figures} {row.n:>7} "
            f"{units.share(row.fail_share):>6}  {row.verdict}"
        )
    if header.session_dir:
        lines.append(f"rows: {header.session_dir}")
    if header.banner:
        lines.append(f"! {header.banner}")
    return "\n".join(lines)
