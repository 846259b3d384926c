"""Readers of what a gateway answers: SSE, the streams and answers of every API, headers, encodings, framing."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import msgspec
from fuzz.dice import Dice
from fuzz.material import ANSWERS, HEADERS, RARE, REFUSALS, STREAMS
from fuzz.target import Target
from support.framed import WIRES, stream_type, wire_of
from support.script import Events
from support.scripted import chunk
from support.texts import texts_of

from gwtui.apis import SAVED_APIS
from gwtui.apis.damage import DamageWatch
from gwtui.apis.headers import header, http_date, pick_headers, request_id, retry_after, trace_id, without_query
from gwtui.codec.csv_schema import REQUEST_COLUMNS, request_row
from gwtui.codec.wire import decode, encode
from gwtui.framing import FRAMINGS, framing_named, framing_of
from gwtui.framing.base import FramedEvent, FrameParser, Framing, FramingError
from gwtui.model.enums import Clock, End, Trigger
from gwtui.model.profile import Endpoint
from gwtui.model.records import Request
from gwtui.probes.probe_result import Result, record_of
from gwtui.probes.response_reader import BodyIntake, Intake, StreamIntake
from gwtui.probes.stream_timing import Timing
from gwtui.recorder.csvfile import csv_line
from gwtui.secrets.redaction import Redactor
from gwtui.text.sanitize import clean, clean_text, excerpt, readable
from gwtui.transport.decoding import DecodeError, decoder_for
from gwtui.transport.dial import Dial
from gwtui.transport.errors import end_of
from gwtui.transport.http1 import Chunked, CutError, ResponseParser
from gwtui.transport.http1_head import HeadLimitError, NotHTTPError
from gwtui.transport.trace import Arrival, ConnectionTrace
from gwtui.verdict.findings import clock_skew, header_findings
from gwtui.verdict.http_status import judge_status

NOW = 1_795_150_800.0
"""A wall time."""
READ = Arrival(9, Clock.KERNEL, b"")


class Answered(NamedTuple):
    """One exchange, as a prober would have seen it."""

    api: str
    status: int
    headers: list[tuple[str, str]]
    pieces: list[bytes]
    end: End


def headers(dice: Dice) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for _ in range(dice.randrange(6)):
        name, value = dice.choice(HEADERS)
        if dice.one_in(2):
            value = dice.spoiled(value.encode("latin-1")).decode("latin-1")
        if dice.one_in(4):
            value = dice.text()
        if dice.one_in(8):
            name = dice.choice((name.title(), dice.text()))
        found.append((name, value))
    return found


def events(dice: Dice, api: str) -> Events:
    """A stream of that API, more or less."""
    usual = dice.choice(STREAMS[api])
    chosen: list[FramedEvent] = dice.shuffled_somewhat(usual)
    if dice.one_in(2):
        for _ in range(dice.few(4)):
            chosen.insert(dice.randrange(len(chosen) + 1), dice.choice(RARE[api] or usual))
    if dice.one_in(8):
        chosen.insert(dice.randrange(len(chosen) + 1), dice.choice(dice.choice(STREAMS[dice.choice(list(STREAMS))])))
    return tuple(_event(dice, event) if dice.one_in(3) else event for event in chosen)


def _event(dice: Dice, event: FramedEvent) -> FramedEvent:
    name = dice.choice((event.event, event.event, event.event, dice.text()))
    return FramedEvent(name.encode("utf-8", "replace").decode(), dice.spoiled_json(event.data))


def answered(api: str) -> Any:
    def make(dice: Dice) -> Answered:
        found = headers(dice)
        if dice.one_in(4):
            body = dice.choice(REFUSALS) if dice.one_in(2) else msgspec.json.encode(ANSWERS.get(api, {}))
            body = dice.spoiled_json(body.decode()).encode("utf-8", "replace") if dice.one_in(2) else dice.spoiled(body)
            status = dice.choice((200, 200, 204, 304, 307, 400, 401, 404, 429, 500, 502, 503, 520, 529, 599))
            return Answered(api, status, found, dice.cut(body), dice.choice(list(End)))
        body = wire_of(api).encode(events(dice, api), dice.choice(("\n", *wire_of(api).line_ends)))
        if dice.one_in(2):
            body = dice.spoiled(body)
        end = End.CLEAN if dice.one_in(2) else dice.choice(list(End))
        return Answered(api, 200, [("content-type", stream_type(api)), *found], dice.cut(body), end)

    return make


def read_answer(answered: Answered) -> Request:
    """All the way from bytes to a row: what a prober does with them."""
    api = SAVED_APIS[answered.api]
    endpoint = Endpoint(name="a", api=answered.api, url="http://a")
    result = Result(1, Trigger.TRIAL, 0, ConnectionTrace(last_write_ns=1, last_read_ns=9), record_text=True)
    result.status, result.headers = answered.status, answered.headers
    found: list[Any] = []
    intake: Intake = BodyIntake(1 << 16)
    if answered.status == 200 and api.framing.is_type(header(answered.headers, "content-type")):
        intake = StreamIntake(
            api.framing,
            DamageWatch(api, endpoint),
            Timing(0),
            Redactor(),
            lambda _, __, more: found.extend(more),
            keep_text=True,
            several_models=api.several_models,
        )
    result.intake = intake
    result.over(answered.end, "so it ended")
    try:
        for piece in answered.pieces:
            intake.feed(piece)
            intake.flush(READ)
    except FramingError as error:
        result.over(*end_of(error, ConnectionTrace()))
    record = record_of(result, endpoint, api, Dial(0), Redactor(), None)
    _holds(record, found)
    return record


def _holds(record: Request, expected: list[Any]) -> None:
    """Nothing hostile got in, and the row can be sent, kept and read again."""
    for text in texts_of(msgspec.to_builtins([record, expected])):
        assert text.replace("\n", "").isprintable(), text
    assert record.events == len(expected)
    for tokens in (record.input_tokens, record.output_tokens):
        assert tokens is None or tokens >= 0
    assert decode(encode(record)) == record
    row = request_row(record)
    assert list(row) == list(REQUEST_COLUMNS)
    (cells,) = csv.reader(io.StringIO(csv_line(row.values()).decode(), newline=""))
    assert len(cells) == len(REQUEST_COLUMNS)


def any_stream(dice: Dice, framing: Framing | None = None) -> list[bytes]:
    """Bytes of a stream in that framing, or in any."""
    wire = WIRES[(framing or dice.choice(FRAMINGS)).name]
    body = wire.encode(events(dice, dice.choice(list(STREAMS))), dice.choice(wire.line_ends))
    return dice.cut(dice.spoiled(body) if dice.one_in(2) else dice.data())


def read_events(framing: Framing) -> Callable[[list[bytes]], None]:
    """The events are the same however the bytes are cut."""
    small = WIRES[framing.name].small

    def read(pieces: list[bytes]) -> None:
        parts, whole = small(), small()
        (found, limit), (expected, whole_limit) = fed(parts, pieces), fed(whole, [b"".join(pieces)])
        assert (found, limit) == (expected, whole_limit)
        if not limit:
            assert (parts.comments, parts.stray, parts.unfinished) == (whole.comments, whole.stray, whole.unfinished)
            assert parts.unended == whole.unended

    return read


def fed(parser: FrameParser, pieces: list[bytes]) -> tuple[list[FramedEvent], str]:
    """The events, and the limit that was hit, if any."""
    found: list[FramedEvent] = []
    for piece in pieces:
        try:
            found += parser.feed(piece)
        except FramingError as error:
            return [*found, *error.events], str(error)
    return found, ""


def read_headers(found: list[tuple[str, str]]) -> None:
    for kept in (pick_headers(found), {"trace": trace_id(found), "request": request_id(found)}):
        for text in texts_of(kept):
            assert text.isprintable()
            assert len(text) <= 256
    wait = retry_after(found, NOW)
    assert wait is None or 0 <= wait <= 3600
    for finding in (*header_findings(found, "m"), clock_skew(found, NOW, NOW)):
        assert finding is None or finding.evidence.isprintable()
    for name, value in found:
        without_query(value)
        http_date(value)
        framing_named(value)
        judged = judge_status(429, [(name, value)], value.encode("utf-8", "replace"), lambda body: "", NOW)
        assert judged.reason.isprintable()


def a_text(dice: Dice) -> str:
    return "".join(dice.text() for _ in range(dice.few(9)))


def read_text(text: str) -> None:
    for limit in (1, 7, 256):
        cleaned = clean(text, limit)
        assert cleaned.isprintable()
        assert len(cleaned) <= limit
        assert clean_text(text, limit).replace("\n", "").isprintable()


def a_page(dice: Dice) -> bytes:
    return dice.spoiled(dice.choice(REFUSALS)) + (dice.data() if dice.one_in(2) else b"")


def read_page(page: bytes) -> None:
    for kind in ("", "text/html"):
        for quoted in (excerpt(page, kind), readable(page, kind)):
            assert quoted.isprintable()
            assert len(quoted) <= 200
    framing_of(page)
    for api in SAVED_APIS.values():
        assert api.error_reason(page).isprintable()


def a_chunked_body(dice: Dice) -> list[bytes]:
    body = b"".join(chunk(dice.data(40) or b"x") for _ in range(dice.few(6))) + b"0\r\n\r\n"
    return dice.cut(dice.spoiled(body) if dice.one_in(2) else body)


def read_chunked(pieces: list[bytes]) -> None:
    """The data are the same however the bytes are cut, up to where they stop making sense."""
    parts, whole = _unchunked(pieces), _unchunked([b"".join(pieces)])
    assert parts == whole


def _unchunked(pieces: list[bytes]) -> tuple[bytes, bytes, bool, bool]:
    chunked, data = Chunked(), b""
    for piece in pieces:
        data += chunked.feed(piece)
    return data, chunked.rest, chunked.fault is not None, chunked.is_over


def an_http_answer(dice: Dice) -> list[bytes]:
    lines = [b"HTTP/1.1 200 OK", *(f"{name}: {value}".encode("utf-8", "replace") for name, value in headers(dice))]
    lines.append(dice.choice((b"Content-Length: 9", b"Transfer-Encoding: chunked", b"X: y", b" folded")))
    answer = b"\r\n".join((*lines, b"", b"")) + b"".join(chunk(dice.data(40) or b"x") for _ in range(dice.few(4)))
    answer += b"0\r\nX: trailer\r\n\r\n"
    return dice.cut(dice.spoiled(answer) if dice.one_in(2) else answer)


def read_http(pieces: list[bytes]) -> None:
    """An answer means the same however the bytes are cut."""
    parts, whole = _answered(pieces), _answered([b"".join(pieces)])
    assert parts == whole


def _answered(pieces: list[bytes]) -> Any:
    parser, data, wrong = ResponseParser("POST"), b"", ""
    try:
        for piece in pieces:
            data += parser.feed(piece)
        parser.end()
    except (NotHTTPError, HeadLimitError, DecodeError, CutError) as error:
        wrong = type(error).__name__
    return parser.head, data, wrong, parser.fault is not None, parser.is_over, parser.rest


def an_encoded_body(dice: Dice) -> tuple[str, list[bytes]]:
    name = dice.choice(("gzip", "deflate", "x-gzip", "gzip, identity", "br", "", dice.text()))
    body = zlib.compress(dice.data(), wbits=dice.choice((31, 15, -15)))
    return name, dice.cut(dice.spoiled(body) if dice.one_in(2) else body)


def read_encoded(found: tuple[str, list[bytes]]) -> None:
    name, pieces = found
    decoder = decoder_for(name)
    for piece in pieces:
        for _ in decoder.feed(piece):
            pass
    decoder.end()


TARGETS: tuple[Target[Any], ...] = (
    *(Target(f"api {name}", answered(name), read_answer) for name in STREAMS),
    *(Target(each.name, partial(any_stream, framing=each), read_events(each)) for each in FRAMINGS),
    Target("headers", headers, read_headers),
    Target("clean", a_text, read_text),
    Target("page", a_page, read_page),
    Target("chunked", a_chunked_body, read_chunked),
    Target("http", an_http_answer, read_http),
    Target("encoding", an_encoded_body, read_encoded, (DecodeError,)),
)
