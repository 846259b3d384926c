"""NDJSON against a second parser that is plainly right, however the bytes are cut; limits, and what is left."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.framing import PEEK_BYTES, framing_named, framing_of
from gwtui.framing.base import MAX_STRAY, FramedEvent, FramingLimitError
from gwtui.framing.ndjson import NDJSON, NDJSONParser
from gwtui.framing.sse import SSE
from gwtui.framing.whole import BEGINNING_BYTES, WHOLE, WholeParser

WORDS = [b'{"a":1}', b"{", b"}", b"\n", b"\r\n", b"\n\n", b" ", b"\t", b"[]", b"x"]
HALVES = [b"\xef\xbb\xbf", b"\xff", b"\xe2\x80"]
STREAMS = st.lists(st.sampled_from(WORDS + HALVES), max_size=30).map(b"".join)


def parse(chunks: Iterable[bytes]) -> tuple[list[str], int, int]:
    parser = NDJSONParser()
    return [event.data for chunk in chunks for event in parser.feed(chunk)], parser.comments, parser.unfinished


def plainly(stream: bytes) -> tuple[list[str], int, int]:
    """The whole at once."""
    *lines, rest = stream.split(b"\n")
    if lines:
        lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
    found = [line.strip(b" \t\r").decode("utf-8", "replace") for line in lines]
    return [line for line in found if line], found.count(""), len(rest.strip(b" \t\r"))


@given(STREAMS, st.lists(st.integers(0, 100)))
def test_any_cut_gives_what_the_plain_parser_gives(stream: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(stream)]
    assert parse(stream[a:b] for a, b in pairwise(places)) == plainly(stream)
    assert parse(stream[at : at + 1] for at in range(len(stream))) == plainly(stream)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_an_event_is_out_with_its_line_end_and_has_no_name(line_end: bytes) -> None:
    parser = NDJSONParser()
    assert parser.feed(b'{"a": 1}' + line_end[:-1]) == []
    assert parser.unended == FramedEvent("message", '{"a": 1}')
    assert parser.feed(b"\n") == [FramedEvent("message", '{"a": 1}')]
    assert (parser.unfinished, parser.stray, parser.comments) == (0, b"", 0)


def test_what_cannot_be_an_object_is_an_event_and_kept_as_stray_too() -> None:
    parser = NDJSONParser()
    lines = [event.data for event in parser.feed(b'{"a":1}\n{\n"error": {\n}\n}\n{"b"')]
    assert lines == ['{"a":1}', "{", '"error": {', "}", "}"]
    assert parser.stray == b'{\n"error": {\n}\n}\n{"b"'
    parser.feed(b": 1}")
    assert (parser.stray, parser.unended) == (b'{\n"error": {\n}\n}\n', FramedEvent("message", '{"b": 1}'))


def test_what_is_kept_as_stray_is_bounded() -> None:
    parser = NDJSONParser()
    for _ in range(100):
        parser.feed(b"x" * 1000 + b"\n")
    assert len(parser.stray) == MAX_STRAY


@given(st.integers(1, 12), STREAMS, st.integers(0, 100))
def test_the_limit_does_not_depend_on_the_cuts(max_line: int, stream: bytes, cut: int) -> None:
    def run(*chunks: bytes) -> tuple[list[FramedEvent], str]:
        parser = NDJSONParser(max_line=max_line)
        events: list[FramedEvent] = []
        for chunk in chunks:
            try:
                events += parser.feed(chunk)
            except FramingLimitError as error:
                return [*events, *error.events], str(error)
        return events, ""

    assert run(stream[:cut], stream[cut:]) == run(stream)


def test_after_the_limit_nothing_is_read_any_more() -> None:
    parser = NDJSONParser(max_line=10)
    for chunk in (b"x" * 11, b"\n", b"{}\n"):
        with pytest.raises(FramingLimitError, match="a line of the NDJSON stream is longer than 10 bytes"):
            parser.feed(chunk)


@pytest.mark.parametrize(
    ("beginning", "framing"),
    [
        (b"data: {}\n\n", SSE),
        (b"\xef\xbb\xbfevent: x\n", SSE),
        (b": ping\n\n", SSE),
        (b'{"a":1}\n{"b"', NDJSON),
        (b'{"a":1}\r\n\r\n{', NDJSON),
        (b'{"a":1}', None),
        (b'{"a":1}\n', None),
        (b'{\n  "a": 1\n}\n', None),
        (b"<html>", None),
        (b"pong", None),
        (b" " * PEEK_BYTES + b"data: {}\n\n", None),
        (b"", None),
    ],
)
def test_a_framing_is_known_by_its_first_bytes(beginning: bytes, framing: object) -> None:
    assert framing_of(beginning) is framing


@pytest.mark.parametrize(
    ("content_type", "framing"),
    [
        ("application/x-ndjson", NDJSON),
        ("Application/NDJSON ; charset=utf-8", NDJSON),
        ("text/event-stream", SSE),
        ("application/json", None),
        ("", None),
    ],
)
def test_a_framing_is_known_by_its_content_type(content_type: str, framing: object) -> None:
    assert framing_named(content_type) is framing


def test_a_whole_body_is_kept_up_to_its_limit_and_is_no_stream() -> None:
    parser = WholeParser(max_body=8)
    assert [parser.feed(chunk) for chunk in (b"abc", b"defgh")] == [[], []]
    assert (parser.body, parser.unfinished) == (b"abcdefgh", 8)
    for _ in range(2):
        with pytest.raises(FramingLimitError, match="longer than"):
            parser.feed(b"i")
    assert not WHOLE.is_type("text/event-stream")
    assert not WHOLE.is_type("")


def test_of_a_body_over_its_limit_the_beginning_is_left() -> None:
    parser = WholeParser(max_body=1 << 17)
    for _ in range(2):
        parser.feed(bytes(1 << 16))
    with pytest.raises(FramingLimitError):
        parser.feed(b"more")
    assert parser.body == bytes(BEGINNING_BYTES)
