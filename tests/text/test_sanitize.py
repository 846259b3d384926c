"""What comes through the gate can neither steer a terminal nor hide, and stays as short as it was asked to be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.text.sanitize import clauses, clean, clean_text

CASES = [
    ("plain", "def bubble_sort(arr):", "def bubble_sort(arr):"),
    ("other scripts", "日本語 naïve 🙂 ❤️", "日本語 naïve 🙂 ❤️"),
    ("clipboard escape", "\x1b]52;c;cm0gLXJm\x07", "␛]52;c;cm0gLXJm␇"),
    ("C1 string terminator", "\x9b31m\x9c", "\\x9b31m\\x9c"),
    ("DEL and NUL", "a\x7fb\x00", "a␡b␀"),
    ("right-to-left override", "\u202egpj.exe", "\\u202egpj.exe"),
    ("zero width", "a\u200bb\u2060c\ufeff", "a\\u200bb\\u2060c\\ufeff"),
    ("invisible letters", "\u3164\u115f", "\\u3164\\u115f"),
    ("smuggled selectors and tags", "x\ufe01\U000e0101\U000e0041", "x\\ufe01\\U000e0101\\U000e0041"),
    ("a flood of marks", "Z" + "\u0301" * 6 + "!", "Z\u0301\u0301\u0301\u0301\\u0301\\u0301!"),
    (
        "marks of languages",
        "e\u0323\u0302 \u0e01\u0e35\u0e49 \u05e9\u05c1\u05bc\u05b8",
        "e\u0323\u0302 \u0e01\u0e35\u0e49 \u05e9\u05c1\u05bc\u05b8",
    ),
    ("a flood of selectors", "x" + "\ufe0f" * 5, "x" + "\ufe0f" * 4 + "\\ufe0f"),
    ("lone surrogate", "\ud83d!", "\\ud83d!"),
    ("newlines", "one\r\ntwo\nthree\rfour\u2028five", "one↵two↵three␍four\\u2028five"),
    ("spaces", "a\tb\u00a0c\u3000d", "a b c d"),
    ("markup is left to those who draw", "[/usr/bin] [@click=app.quit]", "[/usr/bin] [@click=app.quit]"),
]
HAZARDS = st.text(
    st.one_of(
        st.characters(), st.sampled_from("\x00\x07\x1b\x7f\x80\x9b\x9c\r\n\t\u2028\u200b\u202e\u3164\u0301\ufe0f\ud800")
    )
)


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_hazards_become_visible(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(HAZARDS, st.integers(1, 60))
def test_only_printable_characters_come_out_and_never_too_many(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert cleaned.isprintable()
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in cleaned)
    assert len(cleaned) <= limit


@given(HAZARDS)
def test_clean_text_changes_nothing_when_cleaned_again(text: str) -> None:
    cleaned = clean(text, 10_000)
    assert clean(cleaned, 10_000) == cleaned


@given(HAZARDS)
def test_lines_stay_lines(text: str) -> None:
    cleaned = clean_text(text, 10_000)
    assert cleaned.count("\n") == text.count("\n")
    assert all(line.isprintable() for line in cleaned.split("\n"))


def test_a_long_text_is_cut_and_says_so() -> None:
    assert clean("x" * 300, 256) == "x" * 255 + "…"
    assert clean_text("ab\ncd\nef", 6) == "ab\ncd…"
    assert clean("\x9b" * 3, 5) == "\\x9b…"
    assert clean("exactly", 7) == "exactly"


def test_parts_of_one_sentence_have_one_sign_between_them() -> None:
    assert clauses("The breaker is open.", "retry after 8 s") == "The breaker is open; retry after 8 s"
    assert clauses("Not found.") == "Not found."
