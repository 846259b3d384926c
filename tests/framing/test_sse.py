"""The parser against the standard: known cases cut in every way, and a second parser that is slow and plainly right."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.framing.base import MAX_STRAY, FramedEvent, FramingLimitError
from gwtui.framing.sse import ServerSentEvent, SSEParser

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "data" / "sse_cases.json").read_text())
MORE = [
    ("the type is not kept", b"event: a\n\ndata: x\n\n", [("message", "x", "", None)]),
    ("the last event field wins", b"event: a\nevent: b\ndata: x\n\n", [("b", "x", "", None)]),
    ("event after data", b"data: x\nevent: b\n\n", [("b", "x", "", None)]),
    ("an id without data counts", b"id: 7\n\ndata: x\n\n", [("message", "x", "7", None)]),
    ("an id stays", b"id: 7\ndata: x\n\nevent: e\ndata: y\n\n", [("message", "x", "7", None), ("e", "y", "7", None)]),
    ("names are case sensitive", b"Data: x\nDATA: x\ndata: y\n\n", [("message", "y", "", None)]),
    ("a space before the colon is part of the name", b"data : x\ndata: y\n\n", [("message", "y", "", None)]),
    ("one space is taken", b"event:  e\ndata:  x\n\n", [(" e", " x", "", None)]),
    ("an empty event field", b"event: \ndata: x\n\n", [("message", "x", "", None)]),
    ("a line of spaces is not blank", b"data: x\n \ndata: y\n\n", [("message", "x\ny", "", None)]),
    ("retry is of its own block", b"retry: 5\n\ndata: x\n\n", [("message", "x", "", None)]),
    ("retry with a sign", b"retry: +5\ndata: x\n\n", [("message", "x", "", None)]),
    ("retry with a space", b"retry: 5 \ndata: x\n\n", [("message", "x", "", None)]),
    ("retry in other digits", "retry: ٣\ndata: x\n\n".encode(), [("message", "x", "", None)]),
    ("retry with an underscore", b"retry: 1_0\ndata: x\n\n", [("message", "x", "", None)]),
    ("retry of five thousand digits", b"retry: " + b"9" * 5000 + b"\ndata: x\n\n", [("message", "x", "", None)]),
    ("retry with leading zeros", b"retry: " + b"0" * 5000 + b"7\ndata: x\n\n", [("message", "x", "", 7)]),
    ("retry zero", b"retry: 00\ndata: x\n\n", [("message", "x", "", 0)]),
    (
        "no line ends but three",
        "data: a\v\f\x1c\x85\u2028b\n\n".encode(),
        [("message", "a\v\f\x1c\x85\u2028b", "", None)],
    ),
    (
        "a cut character before the line end",
        b"data: a\xe2\x80\ndata: b\xf0\r\r",
        [("message", "a\ufffd\nb\ufffd", "", None)],
    ),
    ("surrogates in UTF-8", b"data: \xed\xa0\x80\n\n", [("message", "\ufffd" * 3, "", None)]),
    ("a second BOM is data", b"\xef\xbb\xbfdata: \xef\xbb\xbfx\n\n", [("message", "\ufeffx", "", None)]),
    ("half a BOM is a line", b"\xef\xbbdata: x\ndata: y\n\n", [("message", "y", "", None)]),
    ("mixed line ends", b"data: a\r\ndata: b\rdata: c\n\r\n", [("message", "a\nb\nc", "", None)]),
    ("CR LF CR is two lines", b"data: a\r\n\rdata: b\n\n", [("message", "a", "", None), ("message", "b", "", None)]),
    ("many blank lines", b"\n\n\n\ndata: x\n\n\n\n\n", [("message", "x", "", None)]),
    ("data without its blank line", b"event: e\ndata: x\n", []),
]
WORDS = ["data", "event", "id", "retry", ":", ": ", " ", "x", "{}", "\0", "7", "data: y\n\n", "event: e\ndata: {}\n\n"]
ENDS = [b"\r", b"\n", b"\r\n", b"\n\n"]
HALVES = [b"\xef\xbb\xbf", b"\xef", b"\xe2\x80", b"\xa6", b"\xff"]
STREAMS = st.lists(st.sampled_from([word.encode() for word in WORDS] + ENDS + HALVES), max_size=40).map(b"".join)


def plainly(stream: bytes) -> list[ServerSentEvent]:
    """The standard's text as code, over the whole stream at once."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    events, kind, data, pending_id, retry = [], "", "", "", None
    for line in text.split("\n")[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                events.append(ServerSentEvent(kind or "message", data.removesuffix("\n"), pending_id, retry))
            kind, data, retry = "", "", None
        elif field == "event":
            kind = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            pending_id = value
        elif field == "retry" and value and all(char in "0123456789" for char in value):
            retry = int(value)
    return events


def parse(chunks: Iterable[bytes]) -> list[ServerSentEvent]:
    parser = SSEParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def one_by_one(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


def cut_at(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_known_cases_however_they_are_cut(case: dict[str, Any]) -> None:
    stream = base64.b64decode(case["input_b64"])
    expected = [ServerSentEvent(e["event"], e["data"], e["id"], e.get("retry")) for e in case["expected"]]
    assert parse([stream]) == expected
    assert parse(one_by_one(stream)) == expected
    for at in range(len(stream) + 1):
        assert parse([stream[:at], b"", stream[at:]]) == expected, f"cut at {at}"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_known_cases_leave_the_parser_as_they_should(case: dict[str, Any]) -> None:
    parser = SSEParser()
    parser.feed(base64.b64decode(case["input_b64"]))
    assert parser.last_event_id == case["final_id"]
    assert parser.retry == case.get("final_retry")
    assert parser.comments == case["comments"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_an_event_is_out_as_soon_as_its_last_byte_is_in(case: dict[str, Any]) -> None:
    stream = base64.b64decode(case["input_b64"])
    parser, out_at = SSEParser(), []
    for at, byte in enumerate(one_by_one(stream), 1):
        out_at += [at] * len(parser.feed(byte))
    assert len(out_at) == len(case["emit_by"])
    assert all(out <= due for out, due in zip(out_at, case["emit_by"], strict=True))


@pytest.mark.parametrize(("stream", "expected"), [case[1:] for case in MORE], ids=[case[0] for case in MORE])
def test_more_cases(stream: bytes, expected: list[tuple[str, str, str, int | None]]) -> None:
    events = [ServerSentEvent(*fields) for fields in expected]
    assert parse([stream]) == events
    assert parse(one_by_one(stream)) == events


@given(STREAMS, st.lists(st.integers(0, 200)))
def test_any_cut_gives_what_the_plain_parser_gives(stream: bytes, cuts: list[int]) -> None:
    assert parse(cut_at(stream, cuts)) == plainly(stream)


@given(st.binary(max_size=300))
def test_any_bytes_at_all(stream: bytes) -> None:
    assert parse(one_by_one(stream)) == parse([stream]) == plainly(stream)


@given(STREAMS, st.integers(1, 12), st.integers(1, 12), st.lists(st.integers(0, 200)))
def test_limits_do_not_depend_on_the_cuts(stream: bytes, max_line: int, max_event: int, cuts: list[int]) -> None:
    def run(chunks: Iterable[bytes]) -> tuple[list[FramedEvent], str]:
        parser = SSEParser(max_line=max_line, max_event=max_event)
        events: list[FramedEvent] = []
        for chunk in chunks:
            try:
                events += parser.feed(chunk)
            except FramingLimitError as error:
                return [*events, *error.events], str(error)
        return events, ""

    assert run(cut_at(stream, cuts)) == run([stream])


def test_an_endless_line_ends_at_the_limit() -> None:
    parser = SSEParser(max_line=1000)
    for _ in range(10):
        parser.feed(b"data: " + b"x" * 94)
    for chunk in (b"x", b"\n\n"):
        with pytest.raises(FramingLimitError, match="longer than 1,000 bytes"):
            parser.feed(chunk)


def test_an_endless_event_ends_at_the_limit_and_the_events_before_it_are_kept() -> None:
    parser = SSEParser(max_event=1000)
    with pytest.raises(FramingLimitError, match="data are longer than 1,000 bytes") as caught:
        parser.feed(b"data: first\n\n" + b"data\n" * 1001)
    assert caught.value.events == [ServerSentEvent("message", "first")]


class HeldLine(bytearray):
    """Counts the bytes of it that are looked at again."""

    looked_at = 0

    def _look(self, *_: object) -> Any:
        HeldLine.looked_at += len(self)
        return memoryview(self).tobytes()

    __bytes__ = __getitem__ = __iter__ = __contains__ = find = index = split = partition = decode = _look  # type: ignore[assignment]  # all of them count


def test_an_unfinished_line_is_looked_at_once_however_small_the_chunks() -> None:
    parser = SSEParser()
    parser._line = HeldLine()
    parser.feed(b"data: ")
    for _ in range(5000):
        parser.feed(b"x")
    assert HeldLine.looked_at == 0
    assert parser.feed(b"\n\n") == [ServerSentEvent("message", "x" * 5000)]
    assert HeldLine.looked_at <= 5006


def test_stray_lines_are_kept_for_bare_errors() -> None:
    parser = SSEParser()
    parser.feed(b'data: {"a":1}\n\n{\r\n  "error": {\r\n    "code": 503,\r\n')
    parser.feed(b'    "message": "overloaded"\r\n  }\r\n}')
    assert json.loads(parser.stray) == {"error": {"code": 503, "message": "overloaded"}}


def test_stray_lines_are_bounded_and_fields_are_not_among_them() -> None:
    parser = SSEParser()
    parser.feed(b": comment\nid: 1\nretry: x\nevent: e\n\ndat")
    assert parser.stray == b""
    for _ in range(100):
        parser.feed(b"<" * 1000 + b"\n")
    assert len(parser.stray) == MAX_STRAY


def test_what_the_end_would_discard_is_counted() -> None:
    parser = SSEParser()
    parser.feed(b"data: whole\n\n")
    assert parser.unfinished == 0
    parser.feed(b"data: half\nda")
    assert parser.unfinished == len(b"half\nda")


@pytest.mark.parametrize(
    ("rest", "unended"),
    [
        (b"", None),
        (b"event: done\n", None),
        (b"event: done\ndata: {}", ("done", "{}")),
        (b"event: done\ndata: {}\n", ("done", "{}")),
        (b"data:a\r\ndata: b\r", ("message", "a\nb")),
        (b"data: a\nevent: x", ("message", "a")),
        (b"data: a\n: comment", ("message", "a")),
        (b"data: a\n\n", None),
    ],
)
def test_the_event_that_lacks_its_blank_line(rest: bytes, unended: tuple[str, str] | None) -> None:
    parser = SSEParser()
    parser.feed(b"event: first\ndata: whole\n\n" + rest)
    assert (parser.unended and (parser.unended.event, parser.unended.data)) == unended
