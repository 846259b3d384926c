"""What goes through the pipe comes out as it went in, one line each; anything else is refused by name."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.generated import COMMAND_TYPES, RECORD_TYPES, structs

from gwtui.codec.wire import WireError, decode, decode_command, encode, encode_command
from gwtui.model.commands import Mark, Pause
from gwtui.model.profile import Profile
from gwtui.model.records import Notice, SessionStarted

GENERATED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", RECORD_TYPES, ids=lambda kind: kind.__name__)
@GENERATED
@given(data=st.data())
def test_every_record_comes_back_equal_from_one_line(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(structs(kind))
    line = encode(record)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == record
    assert decode(line.removesuffix(b"\n")) == record


@pytest.mark.parametrize("kind", COMMAND_TYPES, ids=lambda kind: kind.__name__)
@GENERATED
@given(data=st.data())
def test_every_command_comes_back_equal_from_one_line(kind: type[Any], data: st.DataObject) -> None:
    command = data.draw(structs(kind))
    line = encode_command(command)
    assert line.count(b"\n") == 1
    assert decode_command(line) == command


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", ""),
        (b"\n", ""),
        (b"hello\n", ""),
        (b'{"record":"notice","now_ns":1,"text":"a"', ""),
        (b'{"record":"notice","now_ns":1,"text":"a"}x', ""),
        (b'{"record":"notice","now_ns":1,\n"text":"a"}\n', "newline"),
        (b'{"record":"notice","now_ns":1,"text":"a"}\n\n', "newline"),
        (b'{"record":"notice","now_ns":"1","text":"a"}', "now_ns"),
        (b'{"record":"notice","now_ns":1.5,"text":"a"}', "now_ns"),
        (b'{"record":"notice","text":"a"}', "now_ns"),
        (b'{"record":"nothing","now_ns":1}', "nothing"),
        (b'{"command":"pause"}', ""),
        (b'{"record":"notice","now_ns":1,"text":"\xff"}', ""),
        (b'{"record":"notice","new":' + b"[" * 200_000, ""),
    ],
)
def test_a_line_that_is_no_record_is_refused_and_the_fault_named(line: bytes, expected: str) -> None:
    with pytest.raises(WireError, match=r"^not (a|one) record: .") as caught:
        decode(line)
    assert expected in str(caught.value)


def test_a_record_is_not_taken_for_a_command() -> None:
    with pytest.raises(WireError, match="not a command"):
        decode_command(encode(Notice(now_ns=1, text="x")))


def test_a_command_out_of_bounds_is_refused() -> None:
    line = encode_command(Pause()).replace(b"}", b',"endpoint":5}')
    with pytest.raises(WireError, match="endpoint"):
        decode_command(line)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_a_wire_error(line: bytes) -> None:
    with suppress(WireError):
        encode(decode(line))


def test_text_that_is_not_unicode_is_refused_when_written() -> None:
    with pytest.raises(WireError, match="SessionStarted"):
        encode(SessionStarted(started_at=0.0, now_ns=0, profile=Profile(), session_dir="/tmp/\udcff"))
    with pytest.raises(WireError, match="Mark"):
        encode_command(Mark(text="\ud800"))
