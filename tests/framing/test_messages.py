"""Messages of a WebSocket: taken apart wherever the bytes are cut, bounded, and answered as the protocol wants it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pinging import BINARY, PING, TEXT, close, frame

from gwtui.framing.base import FramingFaultError, FramingLimitError
from gwtui.framing.messages import MessageParser

WIRE = (
    frame(TEXT, b'{"n": 1}')
    + frame(PING, b"alive")
    + frame(TEXT, b'{"n": ', final=False)
    + frame(PING, b"")
    + frame(0, "2, \u00fc}".encode())
    + frame(BINARY, b"three")
    + frame(TEXT, b"x" * 70_000)
)
DATA = ['{"n": 1}', '{"n": 2, \u00fc}', "three", "x" * 70_000]


@given(st.lists(st.integers(0, 160), max_size=6))
def test_the_bytes_may_be_cut_anywhere(cuts: list[int]) -> None:
    parser = MessageParser()
    at = [0, *sorted(cuts), len(WIRE)]
    events = [event for begin, end in pairwise(at) for event in parser.feed(WIRE[begin:end])]
    assert [event.data for event in events] == DATA
    assert {event.event for event in events} == {"message"}
    assert parser.comments == 2
    assert parser.unfinished == 0


def test_a_message_that_has_begun_is_unfinished() -> None:
    parser = MessageParser()
    assert parser.feed(frame(TEXT, b"half", final=False)) == []
    assert parser.unfinished == 4


def test_pings_are_answered_in_masked_frames() -> None:
    parser = MessageParser()
    parser.feed(frame(PING, b"alive"))
    pong = parser.replies()
    assert (pong[0], pong[1]) == (0x8A, 0x80 | 5)
    assert bytes(byte ^ pong[2 + at % 4] for at, byte in enumerate(pong[6:])) == b"alive"
    assert parser.replies() == b""


def test_a_message_over_the_limit_ends_it_and_those_before_are_kept() -> None:
    parser = MessageParser(max_message=1 << 20)
    with pytest.raises(FramingLimitError, match="1 MiB") as caught:
        parser.feed(frame(TEXT, b"good") + frame(TEXT, b"x" * (1 << 20), final=False) + frame(0, b"x"))
    assert [event.data for event in caught.value.events] == ["good"]
    with pytest.raises(FramingLimitError):
        parser.feed(frame(TEXT, b"more"))


@pytest.mark.parametrize(
    "wrong", [frame(0, b"no beginning"), b"\xc1\x00", b"\x81\x80aaaa", frame(0x3, b""), frame(PING, b"x" * 126)]
)
def test_frames_that_break_the_protocol_are_a_fault(wrong: bytes) -> None:
    with pytest.raises(FramingFaultError):
        MessageParser().feed(wrong)


def test_what_is_not_utf8_is_replaced_and_told() -> None:
    parser = MessageParser()
    assert [event.data for event in parser.feed(frame(TEXT, b"a\xffb"))] == ["a\ufffdb"]
    assert parser.mangled == [(1, "a\\xffb")]


@pytest.mark.parametrize(("sent", "told"), [(close(1011, b"bye"), "1011 bye"), (close(1000), "1000")])
def test_a_close_is_told_and_answered(sent: bytes, told: str) -> None:
    parser = MessageParser()
    assert [event.data for event in parser.feed(frame(TEXT, b"a") + sent)] == ["a"]
    assert parser.closed == told
    assert parser.replies()[0] == 0x88
    assert parser.hang_up() == b""


def test_what_is_said_is_masked_text_and_hanging_up_is_a_close() -> None:
    parser = MessageParser()
    said = parser.say([b"one", b"two"])
    assert said.count(b"\x81\x83") == 2
    assert b"one" not in said
    assert parser.hang_up()[0] == 0x88
