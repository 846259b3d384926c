"""What a terminal sends: keys are keys however they come, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser

from gwtui.ui.driver import _messages
from gwtui.ui.keyboard import ALONE_S, LARGEST_SCREEN, MAX_PASTE, PASTE_S, STRING_S, Keyboard, Pasted

LATER_S = PASTE_S + STRING_S + ALONE_S


def pressed(*reads: bytes) -> list[str]:
    """The keys in what was read, one go after the other and then nothing; other messages by their names."""
    keyboard, parser = Keyboard(ANSI_SEQUENCES_KEYS), XTermParser()
    units = [unit for data in reads for unit in keyboard.feed(data, 0.0)]
    units += keyboard.tick(LATER_S)
    assert not keyboard.waits
    return [_name(message) for unit in units for message in _messages(unit, parser)]


def _name(message: object) -> str:
    match message:
        case events.Key(key=key):
            return key
        case events.Paste(text=text):
            return f"paste {text}"
        case events.MouseEvent():
            return f"{type(message).__name__} {message.button} {message.x:.0f},{message.y:.0f}"
    return type(message).__name__


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"ab", ["a", "b"]),
        ("é".encode(), ["é"]),
        (b"\x03", ["ctrl+c"]),
        (b"\x1b", ["escape"]),
        (b"\x1b\x1b[A", ["escape", "up"]),
        (b"\x1b[A\x1b[1;5C\x1bOP\x1b[[A\x1b[3$", ["up", "ctrl+right", "f1", "f1", "shift+delete"]),
        (b"\x1bx", ["alt+x"]),
        (b"\x1b]", ["right_square_bracket"]),
        (b"\x1b[97;5u\x1b[13u", ["ctrl+a", "enter"]),
        (b"\x1b[Ia\x1b[O", ["AppFocus", "a", "AppBlur"]),
        (b"\x1b[?2026;2$y", ["TerminalSupportsSynchronizedOutput"]),
    ],
)
def test_keys_are_keys(data: bytes, keys: list[str]) -> None:
    assert pressed(data) == keys


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\xfc\xdf",
        b"\xf0\x9f",
        b"\xc2\x9b",
        b"\x1b]11;rgb:0000/1111/2222\x1b\\",
        b"\x1b]10;rgb:ffff/ffff/ffff\x07",
        b"\x1bP>|terminal(370)\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
        b"\x1b[?62;22c",
        b"\x1b[>0;276;0c",
        b"\x1b[12;40R",
        b"\x1b[?1u",
        b"\x1b[8;40;140t",
        b"\x1b[99999999999u",
        b"\x1b[55296u",
        b"\x1b[48;0;0;0;0t",
        f"\x1b[48;{LARGEST_SCREEN + 1};10;1;1t".encode(),
        b"\x1b[1;5",
        b"\x1b[" + b"1" * 200 + b"\xff",
        b"\x1bOz",
        b"\x1b[M\xff",
    ],
)
def test_what_is_no_key_is_none_and_the_next_key_is(data: bytes) -> None:
    assert pressed(data) == []
    keyboard = Keyboard(ANSI_SEQUENCES_KEYS)
    assert [*keyboard.feed(data, 0.0), *keyboard.tick(LATER_S), *keyboard.feed(b"x", LATER_S)] == ["x"]


def test_a_string_without_its_end_swallows_no_interrupt() -> None:
    assert pressed(b"\x1b]11;rgb:00\x03x") == ["ctrl+c", "x"]
    assert pressed(b"\x1b[200~text", b"\x03") == ["paste text", "ctrl+c"]


@pytest.mark.parametrize(
    ("data", "paste"),
    [
        (b"one\r\ntwo\t", "one\r\ntwo\t"),
        (b"q\x1bq\x1b[Aq\x1b]0;x\x07", "qq[Aq]0;x"),
        ("é\xff".encode("latin-1") + "é".encode(), "é"),
        (b"\x1b[200~\x1b[20", "[200~[20"),
        (b"x" * (MAX_PASTE + 5), "x" * MAX_PASTE),
    ],
)
def test_a_paste_is_text_whatever_is_in_it(data: bytes, paste: str) -> None:
    assert pressed(b"\x1b[200~" + data + b"\x1b[201~", b"k") == [f"paste {paste}", "k"]


def test_a_paste_without_its_end_ends_after_a_while() -> None:
    assert pressed(b"\x1b[200~abc") == ["paste abc"]


@pytest.mark.parametrize(
    ("data", "reports"),
    [
        (b"\x1b[<0;11;6M\x1b[<0;11;6m", ["MouseDown 1 10,5", "MouseUp 1 10,5"]),
        (b"\x1b[M +&", ["MouseDown 1 10,5"]),
        (b"\x1b[M#+&", ["MouseMove 0 10,5"]),
        (b"\x1b[M \xe9\xff", ["MouseDown 1 200,222"]),
        (b"\x1b[32;11;6M", ["MouseDown 1 10,5"]),
    ],
)
def test_mouse_reports_of_every_form(data: bytes, reports: list[str]) -> None:
    assert pressed(data) == reports


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"\x1b",
                b"\x1b[",
                b"\x1b]",
                b"\x1b[200~",
                b"\x1b[201~",
                b"\x1b[M",
                b"\x1b[<0;1;",
                b"M",
                b";",
                b"9999999",
                b"u",
            ]
        ),
        st.binary(max_size=4),
    )
).map(b"".join)


@given(TEXTS, TEXTS)
def test_after_anything_at_all_a_key_works(one: bytes, two: bytes) -> None:
    keyboard, parser = Keyboard(ANSI_SEQUENCES_KEYS), XTermParser()
    for unit in (*keyboard.feed(one, 0.0), *keyboard.feed(two, 0.0), *keyboard.tick(LATER_S)):
        assert all(isinstance(message, object) for message in _messages(unit, parser))
    assert [_name(each) for unit in keyboard.feed(b"x", LATER_S) for each in _messages(unit, parser)] == ["x"]


@given(TEXTS, st.integers(min_value=0))
def test_it_does_not_matter_where_the_reads_are_cut(data: bytes, where: int) -> None:
    cut = where % (len(data) + 1)
    if b"\x03" not in (data[:cut], data[cut:], data):
        assert _joined(data) == _joined(data[:cut], data[cut:])


def _joined(*reads: bytes) -> list[str | Pasted]:
    """Units, with characters that came one after the other as one."""
    keyboard = Keyboard(ANSI_SEQUENCES_KEYS)
    units: list[str | Pasted] = []
    for unit in [*(unit for data in reads if data for unit in keyboard.feed(data, 0.0)), *keyboard.tick(LATER_S)]:
        if units and isinstance(unit, str) and isinstance(units[-1], str) and "\x1b" not in unit + units[-1]:
            units[-1] += unit
        else:
            units.append(unit)
    return units
