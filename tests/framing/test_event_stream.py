"""AWS event streams against botocore's parser, however the bytes are cut; checksums, limits, what is no frame."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.framed import event_frame, frame, header

from gwtui.framing import framing_named, framing_of
from gwtui.framing.base import (
    MAX_STRAY,
    FramedEvent,
    FramingError,
    FramingFaultError,
    FramingLimitError,
)
from gwtui.framing.event_stream import EVENT_STREAM, EventStreamParser, ExceptionFrame

CHUNK = FramedEvent("chunk", '{"bytes":"eyJ9"}')
WHOLE = event_frame(CHUNK)
EMPTY = frame(b"", b"")
THROTTLED = event_frame(FramedEvent("throttlingException", '{"message":"slow down"}'))
TYPED = (
    b"\x04true\x00\x05false\x01\x04byte\x02\x07\x05short\x03\x00\x07\x03int\x04\x00\x00\x00\x07"
    b"\x04long\x05" + bytes(8) + b"\x05bytes\x06\x00\x03abc\x04time\x08" + bytes(8) + b"\x04uuid\x09" + bytes(16)
)
"""A header with a value of each type but text."""


def parse(chunks: Iterable[bytes], max_frame: int = 4096) -> tuple[list[FramedEvent], str, bytes, int, int]:
    """All that a stream says, and why it cannot be read on."""
    parser = EventStreamParser(max_frame=max_frame)
    events: list[FramedEvent] = []
    for chunk in chunks:
        try:
            events += parser.feed(chunk)
        except FramingError as error:
            return [*events, *error.events], str(error), parser.stray, 0, parser.comments
    return events, "", parser.stray, parser.unfinished, parser.comments


NAMES = st.sampled_from(["chunk", "messageStart", "metadata", "throttlingException"])
EVENTS = st.lists(st.builds(FramedEvent, NAMES, st.text(max_size=20)), max_size=5)


@given(EVENTS, st.lists(st.integers(0, 400)))
def test_any_cut_gives_what_botocore_gives(events: list[FramedEvent], cuts: list[int]) -> None:
    their = pytest.importorskip("botocore.eventstream")
    stream = b"".join(map(event_frame, events)) + WHOLE[:30]
    buffer = their.EventStreamBuffer()
    buffer.add_data(stream)
    messages = [(message.headers, message.payload.decode()) for message in buffer]
    expected = [(told.get(":event-type", told.get(":exception-type")), data) for told, data in messages]
    places = [0, *sorted(cuts), len(stream)]
    parsed = parse(stream[a:b] for a, b in pairwise(places))
    assert [(event.event, event.data) for event in parsed[0]] == expected == [(e.event, e.data) for e in events]
    assert parsed[1:] == ("", b"", 30, 0)
    assert parse(stream[at : at + 1] for at in range(len(stream))) == parsed


def test_an_event_is_out_with_the_last_byte_of_its_frame() -> None:
    parser = EventStreamParser()
    assert parser.feed(WHOLE[:-1]) == []
    assert (parser.unfinished, parser.unended) == (len(WHOLE) - 1, None)
    assert parser.feed(WHOLE[-1:]) == [CHUNK]
    assert (parser.unfinished, parser.stray, parser.comments) == (0, b"", 0)


def test_exceptions_and_errors_are_named_and_have_their_words() -> None:
    code, words = header(":error-code", "InternalFailure"), header(":error-message", "try again")
    error = frame(code + words + header(":message-type", "error"), b"")
    assert EventStreamParser().feed(THROTTLED + error) == [
        ExceptionFrame("throttlingException", '{"message":"slow down"}'),
        ExceptionFrame("InternalFailure", '{"message": "try again"}'),
    ]


def test_values_of_every_type_are_passed_over() -> None:
    told = TYPED + header(":event-type", "chunk") + TYPED
    assert EventStreamParser().feed(frame(told, b"{}")) == [FramedEvent("chunk", "{}")]
    assert EventStreamParser().feed(frame(TYPED, b"{}")) == [FramedEvent("message", "{}")]


def test_an_empty_frame_is_a_sign_of_life() -> None:
    parser = EventStreamParser()
    assert parser.feed(EMPTY + WHOLE + EMPTY) == [CHUNK]
    assert parser.comments == 2


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(at: int, change: int) -> None:
    changed = bytearray(WHOLE)
    changed[at] ^= change
    events, problem, stray, unfinished, _ = parse([WHOLE, bytes(changed), WHOLE])
    assert events == [CHUNK]
    assert problem.startswith(f"frame 2, at byte {len(WHOLE)} of the stream: ") or stray or unfinished
    assert bool(stray) is (not problem)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (WHOLE[:8] + bytes(4), "the CRC of its prelude is 00000000, and "),
        (WHOLE[:-1] + bytes([WHOLE[-1] ^ 1]), "the CRC of its frame is "),
        (WHOLE[:40] + WHOLE[41:] + WHOLE, "the CRC of its frame is "),
        (frame(b"\x03abc\x0a", b""), "a header has a value of the unknown type 10"),
        (frame(b"\x03abc\x07\x00\x09xy", b"payload"), "a header is longer than all headers"),
        (frame(b"\x03abc", b""), "its last header is cut"),
        (frame(b"\x09abc", b""), "its last header is cut"),
        (b"\x80" + WHOLE, "the CRC of its prelude is "),
    ],
)
def test_what_is_damaged_is_told_with_its_place_and_nothing_is_read_any_more(bad: bytes, words: str) -> None:
    parser = EventStreamParser()
    with pytest.raises(FramingFaultError, match=f"frame 2, at byte {len(WHOLE)} of the stream: {words}") as caught:
        parser.feed(WHOLE + bad)
    assert caught.value.events == [CHUNK]
    with pytest.raises(FramingFaultError, match=words):
        parser.feed(WHOLE)


def prelude(total: int, headers: int) -> bytes:
    """The beginning of a frame that says so of itself."""
    lengths = struct.pack(">II", total, headers)
    return lengths + struct.pack(">I", zlib.crc32(lengths))


@pytest.mark.parametrize(("total", "headers"), [(1 << 31, 0), (1 << 20, 0), (1 << 18, (1 << 17) + 1)])
def test_a_frame_has_a_limit_which_its_first_bytes_show(total: int, headers: int) -> None:
    parser = EventStreamParser(max_frame=1000)
    for _ in range(2):
        with pytest.raises(FramingLimitError, match="a frame may have 1,000 bytes of payload and 131,072 of headers"):
            parser.feed(prelude(total, headers))


def test_lengths_that_contradict_each_other_are_a_fault() -> None:
    with pytest.raises(FramingFaultError, match="20 bytes cannot have 9 bytes of headers"):
        EventStreamParser().feed(prelude(20, 9))


def test_text_in_place_of_a_frame_is_stray_with_all_that_follows() -> None:
    parser = EventStreamParser()
    assert parser.feed(WHOLE + b'{"error":') == [CHUNK]
    assert parser.feed(b'"busy"}' + WHOLE) == []
    assert parser.stray == b'{"error":"busy"}' + WHOLE
    parser.feed(b"x" * MAX_STRAY)
    assert len(parser.stray) == MAX_STRAY


@pytest.mark.parametrize(
    ("beginning", "is_one"),
    [(WHOLE, True), (THROTTLED, True), (frame(TYPED + header(":event-type", "x"), b""), True), (EMPTY, False)],
)
def test_it_is_known_by_its_first_bytes(beginning: bytes, is_one: bool) -> None:
    assert (framing_of(beginning) is EVENT_STREAM) is is_one
    assert framing_named("application/vnd.amazon.eventstream") is EVENT_STREAM
