"""What of a shown request can be copied, each as text without any key: ids, curl, the stream, a row, a ticket. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo

from gwtui.apis.base import AskError
from gwtui.model.metrics import Basis
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request
from gwtui.model.stream_view import StreamLine, StreamView
from gwtui.model.view import View
from gwtui.probes.asked_request import AskedRequest, asked_request
from gwtui.report.curl import curl_command
from gwtui.report.writeup.markdown import code
from gwtui.report.writeup.wording import WallTimes
from gwtui.secrets.resolver import masked
from gwtui.text import units
from gwtui.text.sanitize import clean

UNDER_WAY = "it is under way"
MOST_EVENTS = 8
"""The last events of a stream in a ticket."""
EVENT_CHARACTERS = 300
FACT_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One thing to copy."""

    name: str
    """For the name of a file."""
    key: str
    """The letter that chooses it."""
    title: str
    text: str
    missing: str = ""
    """Why there is nothing to copy; empty where there is `text`."""
    suffix: str = "txt"
    about: str = ""
    """What is to be known of the text."""


def copies_of(view: View, zone: tzinfo | None) -> tuple[Copy, ...]:
    """All of them for the request or ping that a view shows, in the order of the menu; empty where it shows none.

    `zone`: the local time zone; None: this machine's.
    """
    stream, result = view.stream, view.stream.request if view.stream is not None else view.probed
    if stream is None and result is None:
        return ()
    asked, refusal = asked_of(view.selected, result)
    unfinished = "" if result is not None else UNDER_WAY
    trace_id = result.trace_id if result is not None else ""
    request_id = result.request_id if result is not None else ""
    found = (
        Copy(name="trace-id", key="t", title="trace id", text=trace_id, missing=unfinished or "it has none"),
        Copy(
            name="request-id",
            key="r",
            title="request id of the gateway",
            text=request_id,
            missing=unfinished or "the gateway gave none",
        ),
        Copy(
            name="curl",
            key="c",
            title="curl command",
            text=curl_command(asked) if asked is not None else "",
            missing=refusal,
            suffix="sh",
            about="; ".join(_about_curl(asked)) if asked is not None else "",
        ),
        _raw(stream),
        Copy(
            name="row",
            key="v",
            title="CSV row with heading",
            text=_row(result) if result is not None else "",
            missing=unfinished,
            suffix="csv",
        ),
        Copy(
            name="ticket",
            key="m",
            title="Markdown for the provider's ticket",
            text=_ticket(result, stream, asked, WallTimes(zone)) if result is not None else "",
            missing=unfinished,
            suffix="md",
        ),
    )
    return tuple(_masked(each) for each in found)


def _masked(copy: Copy) -> Copy:
    text = masked(copy.text)
    return replace(copy, text=text, missing="" if text else copy.missing, about=copy.about if text else "")


def asked_of(endpoint: Endpoint | None, result: Request | Ping | None) -> tuple[AskedRequest | None, str]:
    """The request, or why it cannot be made."""
    if endpoint is None:
        return None, "the endpoint is gone"
    try:
        return asked_request(endpoint, result), ""
    except AskError as error:
        return None, str(error)


def _about_curl(asked: AskedRequest) -> Iterator[str]:
    if asked.switches:
        yield "the WebSocket's handshake alone"
    else:
        yield from asked.notes


# The stream and the row


def _raw(stream: StreamView | None) -> Copy:
    lines = stream.lines if stream is not None else ()
    dropped = stream.lines_dropped if stream is not None else 0
    return Copy(
        name="stream",
        key="s",
        title="raw stream",
        text="".join(f"{line}\n" for line in _events(lines)),
        missing="no events of it are kept",
        about=f"{units.many(dropped, 'older event')} not kept" if dropped else "",
    )


def _events(lines: Iterable[StreamLine]) -> Iterator[str]:
    """`+0.388 s  content_block_delta  {...}`: since the send, the name, the data as received."""
    for line in lines:
        yield f"{units.offset(line.since_sent_ns)} s  {line.event.title}  {line.event.raw}".rstrip()


def _row(result: Request | Ping) -> str:
    from gwtui.codec.csv_schema import ping_row, request_row
    from gwtui.recorder.csvfile import csv_line  # with the recorder: not for a screen that only starts

    row = request_row(result) if isinstance(result, Request) else ping_row(result)
    return (csv_line(row.keys()) + csv_line(row.values())).decode()


# The ticket


def _ticket(result: Request | Ping, stream: StreamView | None, asked: AskedRequest | None, times: WallTimes) -> str:
    """One request, for those who look after the gateway or the model. Text from elsewhere is code, and so no markup."""
    headers = sorted(result.headers.items())
    excerpt = result.body_excerpt if isinstance(result, Request) else ""
    last = stream.lines[-MOST_EVENTS:] if stream is not None else ()
    events = [line if len(line) <= EVENT_CHARACTERS else f"{line[:EVENT_CHARACTERS]}…" for line in _events(last)]
    parts = [
        [f"## {_code(str(result.verdict))}: {_code(f'{result.endpoint} #{result.number}')}"],
        [f"- **{label}**: {text}" for label, text in _facts(result, asked, times) if text],
        ["### Timing", "", *_bullets(_timing(result))],
        ["### Headers of the answer", "", *_bullets(headers)] if headers else [],
        ["### The answer begins", "", *_block(excerpt.splitlines())] if excerpt else [],
        [f"### The last {units.many(len(events), 'event')}", "", *_block(events)] if events else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _facts(result: Request | Ping, asked: AskedRequest | None, times: WallTimes) -> Iterator[tuple[str, str]]:
    request = result if isinstance(result, Request) else None
    yield "What", f"{_code(str(result.verdict))}, {result.verdict.entry.meaning}"
    yield "Reason", _code(result.reason)
    utc, local = times.date(result.started_at), times.local(result.started_at)
    yield "When", f"{utc}, {local}; {units.timestamp(result.started_at)}"
    if asked is not None:
        yield "Request", _code(f"{asked.method} {asked.url}")
    if request is not None:
        yield "Model", _code(" served by ".join(dict.fromkeys(filter(None, (request.model, request.model_served)))))
    yield "Status", "" if result.status is None else str(result.status)
    yield "Trace id", _code(result.trace_id)
    yield "Request id", _code(result.request_id)
    if request is not None:
        yield "Sent x-request-id", _code(request.sent_request_id)
        yield "Id of the answer", _code(request.answer_id)
        yield "Provider", _code(request.provider)
    yield "Address", _code(result.address)
    number = f", decided by event {request.event_number}" if request and request.event_number is not None else ""
    yield "Rule", f"{_code(result.rule)}{number}"
    yield "Findings", "; ".join(f"{_code(each.name.value)} {_code(each.evidence)}".rstrip() for each in result.findings)


def _timing(result: Request | Ping) -> Iterator[tuple[str, str]]:
    if isinstance(result, Request):
        phases = result.phases
        steps = (
            ("DNS", phases.dns_ns),
            ("connect", phases.connect_ns),
            ("TLS", phases.tls_ns),
            ("send", phases.send_ns),
        )
        yield from ((name, units.duration(ns)) for name, ns in steps if ns is not None)
    for basis in Basis:
        yield from ((name, text) for name, text in units.metric_texts(result, basis) if text != units.MISSING)
    if isinstance(result, Request) and result.events:
        yield "events", f"{result.events} in {units.many(result.reads, 'read')}"
    if result.tainted:
        yield "in doubt", "gwtui itself was late"
    yield "clock", f"arrivals stamped by the {result.clock}"


def _bullets(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"- {_code(name)}: {_code(text)}" for name, text in pairs if text]


def _block(lines: Iterable[str]) -> list[str]:
    """The lines as they are: indented code, which nothing in them can end."""
    return [f"    {line}" for line in lines]


def _code(text: str) -> str:
    return code(clean(text, FACT_CHARACTERS))
