"""A key is masked in whatever form it comes back, whole, cut or in pieces; what is no key is left as it is."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.keys import MASK, Redactor, RunningRedactor

SECRET = "sk-canary-0123456789abcdef"
ODD = "p?ss/w rd+é\"'x1%41<&>"
TELLING = 8
"""So much of a key may be seen before it is known for one, less one character."""


@pytest.mark.parametrize("secret", [SECRET, ODD])
@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("behind", ["", "x", "xy", "xyz"])
def test_every_form_of_a_secret_is_masked(secret: str, before: str, behind: str) -> None:
    whole = f"{before}{secret}{behind}"
    assert Redactor([secret])(whole) == f"{before}{MASK}{behind}"
    assert secret not in Redactor([secret])(f"{whole} {whole}")
    for encoded in (quote(whole), quote(whole, safe=""), quote_plus(whole)):
        assert MASK in Redactor([secret])(encoded)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert MASK in Redactor([secret])(encode(whole.encode()).decode())


ESCAPED: dict[str, Callable[[str], str]] = {
    "JSON": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "JSON, upper case": lambda text: "".join(f"\\u{ord(char):04X}" for char in text),
    "JSON, one character": lambda text: f"\\u{ord(text[0]):04x}" + json.dumps(text[1:], ensure_ascii=False)[1:-1],
    "JSON within JSON": lambda text: json.dumps("".join(f"\\u{ord(char):04x}" for char in text))[1:-1],
    "JSON with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "Python": lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
    "HTML, decimal": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x0{ord(char):x};" for char in text),
    "HTML within HTML": lambda text: "".join(f"&amp;#{ord(char)};" for char in text),
    "HTML within JSON": lambda text: "".join(f"\\u0026#{ord(char)};" for char in text),
    "URL": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "URL, lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "URL within URL": lambda text: quote("".join(f"%{byte:02x}" for byte in text.encode())),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "UTF-8 read as Latin-1": lambda text: text.encode().decode("latin-1"),
    "Latin-1 read as UTF-8": lambda text: text.encode("latin-1").decode("utf-8", "replace"),
}


@pytest.mark.parametrize("escaped", ESCAPED.values(), ids=ESCAPED)
@pytest.mark.parametrize("secret", [SECRET, "qL+9/aXk2mZtR8vNé=="])
def test_a_secret_is_found_behind_escapes(escaped: Callable[[str], str], secret: str) -> None:
    assert Redactor([secret])(f'{{"a": "{escaped(secret)}"}}') == f'{{"a": "{MASK}"}}'


def test_what_is_escaped_and_no_secret_stays_as_it_is() -> None:
    text = '{"a": "\\u0073k-other \\"%73k\\" &#115;k \\n"}'
    assert Redactor([SECRET])(text) == text


@pytest.mark.parametrize("encode", [str.encode, lambda text: text.encode("latin-1")], ids=["UTF-8", "Latin-1"])
def test_bytes_are_masked_in_either_encoding(encode: Callable[[str], bytes]) -> None:
    body = b"\xff" + encode(ODD) + b"\xfe"
    assert Redactor([ODD]).in_bytes(body) == b"\xff" + MASK.encode() + b"\xfe"


def test_a_secret_across_the_end_of_what_is_quoted_is_masked_whole() -> None:
    body = b"." * ((1 << 20) - 5) + SECRET.encode() + b"." * (1 << 20)
    masked = Redactor([SECRET]).in_bytes(body)
    assert masked == body.replace(SECRET.encode(), MASK.encode())


@settings(deadline=None)
@given(st.text(max_size=40), st.text("ABCDEFabcdef0123456789-_", min_size=8, max_size=40), st.text(max_size=40))
def test_no_text_shows_a_secret(before: str, secret: str, behind: str) -> None:
    assert secret not in Redactor([secret])(f"{before}{secret}{behind}")


@pytest.mark.parametrize("seen", range(TELLING, len(SECRET)))
def test_a_secret_that_was_cut_is_masked(seen: int) -> None:
    assert Redactor([SECRET])(f"key {SECRET[:seen]}") == f"key {MASK}"
    assert Redactor([SECRET])(f"key {SECRET[:seen]}…") == f"key {MASK}…"


def test_the_first_half_of_a_secret_is_masked_wherever_it_stands() -> None:
    assert Redactor([SECRET])(f"keys like {SECRET[:13]}, again") == f"keys like {MASK}, again"
    assert Redactor([SECRET])("keys begin with sk-canary-0 here") == "keys begin with sk-canary-0 here"


def test_the_beginning_of_a_short_secret_is_a_word_like_any_other() -> None:
    assert Redactor(["test-key"])("this is a test") == "this is a test"
    assert Redactor(["test-key"])("this is a test-key") == f"this is a {MASK}"
    assert in_pieces("a test, and a test-key", 4, "test-key") == f"a test, and a test-k{MASK}"


def test_secrets_that_hold_one_another_are_masked_as_one() -> None:
    assert Redactor([SECRET[3:], SECRET])(f"a {SECRET} b {SECRET[3:]} c") == f"a {MASK} b {MASK} c"
    assert Redactor([SECRET])(f"{SECRET}{SECRET}") == MASK


def test_without_secrets_nothing_is_masked() -> None:
    assert Redactor([])("as it is") == "as it is"
    assert Redactor(["a"])("a short one would mask it all") == "a short one would mask it all"


def in_pieces(text: str, size: int, secret: str = SECRET) -> str:
    redact = RunningRedactor(Redactor([secret]))
    return "".join(redact(text[at : at + size]) for at in range(0, len(text), size))


@pytest.mark.parametrize("size", range(1, len(SECRET) + 2))
def test_a_secret_in_pieces_is_masked_from_where_it_is_known(size: int) -> None:
    shown = in_pieces(f"The key is {SECRET}. Again: {SECRET}", size)
    assert not any(SECRET[at : at + TELLING] in shown for at in range(len(SECRET) - TELLING + 1))
    assert shown.startswith("The key is ")
    assert ". Again: " in shown


@pytest.mark.parametrize("encoded", [base64.b64encode(SECRET.encode()).decode(), SECRET.encode().hex()])
def test_pieces_of_what_is_encoded_are_masked(encoded: str) -> None:
    shown = in_pieces(f"{encoded}.", 3)
    assert shown.replace(MASK, "").removesuffix(".") == encoded[:6], "as much as is not known for a key yet"


@given(st.lists(st.text(max_size=6), max_size=30))
def test_what_is_no_secret_passes_in_pieces(pieces: list[str]) -> None:
    redact = RunningRedactor(Redactor([SECRET]))
    assert [redact(piece) for piece in pieces] == pieces
