"""A key is masked in whatever form it comes back, whole, cut or in pieces; what is no key is left as it is."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.secrets.encodings import FOREIGN
from gwtui.secrets.forms import bare
from gwtui.secrets.prefixes import PUBLIC_PREFIXES
from gwtui.secrets.redaction import MASK, Redactor
from gwtui.secrets.streams import RunningRedactor

SECRET = "sk-canary-0123456789abcdef"
ODD = "p?ss/w rd+é\"'x1%41<&>"
RANDOM = "sk-ant-api03-q7Zx-W9_vB3kTpL0mYc8HdRfN2uJs5EaP1oKzQ4gXbVn"
RUN = 8
"""So many characters of a key are not to be seen in a row."""


def runs(text: str) -> Iterator[str]:
    return (text[at : at + RUN] for at in range(len(text) - RUN + 1))


def shown(key: str, text: str) -> list[str]:
    """The runs of the key that the text shows, whatever their case."""
    return [run for run in runs(key.lower()) if run in text.lower()]


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
    "JavaScript": lambda text: "".join(f"\\u{{{ord(char):x}}}" for char in text),
    "Python": lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
    "Python, long": lambda text: "".join(f"\\U{ord(char):08x}" for char in text),
    "Perl": lambda text: "".join(f"\\x{{{ord(char):x}}}" for char in text),
    "octal": lambda text: "".join(f"\\{ord(char):03o}" for char in text),
    "octal of a shell": lambda text: "".join(f"\\0{ord(char):03o}" for char in text),
    "Markdown": lambda text: re.sub(r"([^A-Za-z0-9\s])", r"\\\1", text),
    "HTML": escape,
    "HTML, decimal": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x0{ord(char):x};" for char in text),
    "HTML within HTML": lambda text: "".join(f"&amp;#{ord(char)};" for char in text),
    "HTML within JSON": lambda text: "".join(f"\\u0026#{ord(char)};" for char in text),
    "URL": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "URL, lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "URL within URL": lambda text: quote("".join(f"%{byte:02x}" for byte in text.encode())),
    "URL, six times": lambda text: "".join(f"%{'25' * 5}{byte:02x}" for byte in text.encode()),
    "URL of a script": lambda text: "".join(f"%u{ord(char):04x}" for char in text),
    "quoted-printable": lambda text: "".join(f"={byte:02X}" for byte in text.encode()),
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
    text = '{"a": "\\u0073k-other \\"%73k\\" &#115;k \\n"} <b>=73k</b>'
    assert Redactor([SECRET])(text) == text


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _lines(text: str, width: int) -> str:
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


DISGUISED: dict[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "lower case": str.lower,
    "swapped case": str.swapcase,
    "full width": lambda text: "".join(chr(ord(char) + 0xFEE0) for char in text),
    "accents": lambda text: "\u0301".join(text),
    "zero-width characters": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "zero-width characters in a header": lambda text: "\u200b".join(text).encode().decode("latin-1"),
    "word joiners in a header": lambda text: "\u2060".join(text).encode().decode("latin-1").replace("\xa0", " "),
    "accents in a header in lower case": lambda text: "\u0301".join(text).encode().decode("latin-1").lower(),
    "soft hyphens in a URL": lambda text: "%C2%AD".join(text),
    "full width in a header": lambda text: "".join(chr(ord(char) + 0xFEE0) for char in text).encode().decode("latin-1"),
    "null characters": "\0".join,
    "cleaned null characters": "␀".join,
    "cleaned zero-width characters": "\\u200b".join,
    "spaces": " ".join,
    "hyphens": "-".join,
    "commas": ", ".join,
    "dots": ".".join,
    "no signs": lambda text: re.sub("[^A-Za-z0-9]", "", text),
    "underscores": lambda text: re.sub("[^A-Za-z0-9]", "_", text),
    "tags": lambda text: "".join(f"<b class='x'>{char}</b>" for char in text),
    "colours of a terminal": "\x1b[31m".join,
    "cleaned colours of a terminal": "␛[1;31m".join,
    "comments": lambda text: "<!-- > x -->".join(text),
    "wrapped": lambda text: _lines(text, 5),
    "wrapped, quoted-printable": lambda text: _lines(text, 5).replace("\n", "=\r\n"),
    "UTF-16": lambda text: text.encode("utf-16").decode("latin-1"),
    "UTF-16, big end": lambda text: text.encode("utf-16-be").decode("utf-8", "replace"),
    "UTF-32": lambda text: text.encode("utf-32").decode("utf-8", "replace"),
    "base64": lambda text: _base64(text.encode()),
    "base64, offset": lambda text: _base64(b"xy" + text.encode()),
    "base64, lower case": lambda text: _base64(text.encode()).lower(),
    "base64, wrapped": lambda text: _lines(_base64(text.encode()), 9),
    "base64 in a URL": lambda text: quote(_base64(text.encode()), safe=""),
    "base64 of UTF-16": lambda text: _base64(text.encode("utf-16-le")),
    "base64 of UTF-16, big end": lambda text: _base64(text.encode("utf-16-be")),
    "base64 of UTF-32": lambda text: _base64(text.encode("utf-32-le")),
    "base64 of base64": lambda text: _base64(_base64(text.encode()).encode()),
    "base64 of base64, offset": lambda text: _base64(b"x" + _base64(b"xy" + text.encode()).encode()),
    "base64 of base64 for URLs": lambda text: _base64(base64.urlsafe_b64encode(text.encode())),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base32, offset": lambda text: base64.b32encode(b"abc" + text.encode()).decode().lower(),
    "hexadecimal with colons": lambda text: text.encode().hex(":"),
    "hexadecimal with spaces": lambda text: text.encode().hex(" ").upper(),
    "hexadecimal of UTF-16": lambda text: text.encode("utf-16-be").hex(),
    "hexadecimal of UTF-32": lambda text: text.encode("utf-32-le").hex(),
    "numbers of bytes": lambda text: str(list(text.encode())),
    "hexadecimal numbers": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "encoded twice for URLs, without percent signs": lambda text: "".join(f"-25{byte:02X}" for byte in text.encode()),
    "encoded three times for URLs, without percent signs": lambda text: "".join(
        f"_2525{byte:02x}" for byte in text.encode()
    ),
    "octal without zeros": lambda text: "".join(f"\\{ord(char):o}" for char in text),
    "base64 of upper case": lambda text: _base64(text.upper().encode()),
    "base64 of lower case, offset": lambda text: _base64(b"x" + text.lower().encode()),
    "base32 of lower case": lambda text: base64.b32encode(text.lower().encode()).decode(),
    "hexadecimal of swapped case": lambda text: text.swapcase().encode().hex(" "),
    "zero-width characters, twice read as Latin-1": lambda text: (
        "\u200b".join(text).encode().decode("latin-1").encode().decode("latin-1")
    ),
    "tags of Unicode in a header": lambda text: "\U000e0041".join(text).encode().decode("latin-1").replace("\xa0", " "),
    "CSS": lambda text: "".join(f"\\{ord(char):x} " for char in text),
    "mathematical letters in JSON": lambda text: json.dumps(
        "".join(chr(0x1D5BA + ord(char) - 97) if "a" <= char <= "z" else char for char in text)
    ),
}
EDGES = 6
"""Characters at the ends of what is encoded that a key shares with its neighbours."""


@pytest.mark.parametrize("disguised", DISGUISED.values(), ids=DISGUISED)
@pytest.mark.parametrize("secret", [SECRET, RANDOM])
def test_a_disguised_secret_is_masked(disguised: Callable[[str], str], secret: str) -> None:
    text = Redactor([secret])(f"~{disguised(secret)}~")
    assert text.count(MASK) == 1, text
    left = re.sub("[^A-Za-z0-9]", "", re.sub("<[^>]*>|.\\[[0-9;]+m", "", text))
    assert len(left) <= 2 * EDGES, text


@pytest.mark.parametrize("prefix", PUBLIC_PREFIXES)
def test_any_run_of_a_key_is_masked_in_any_case_and_its_public_prefix_by_itself_is_not(prefix: str) -> None:
    key = f"{prefix}q7Zx-W9_vB3kTpL0mYc8HdRf"
    redact = Redactor([key])
    for run in runs(key):
        for text in (run, run.swapcase()):
            assert redact(f"~{text}~") == f"~{text if run in prefix else MASK}~"
    assert redact(f"keys begin with {prefix}, or so") == f"keys begin with {prefix}, or so"
    assert redact(f"~{key}~") == f"~{MASK}~"


def test_seven_characters_of_a_key_are_no_key() -> None:
    for at in range(len(RANDOM) - RUN):
        text = f"~{RANDOM[at : at + RUN - 1]}~"
        assert Redactor([RANDOM])(text) == text


@settings(deadline=None)
@given(st.text(max_size=40), st.text("ABCDEFabcdef0123456789-_", min_size=8, max_size=40), st.text(max_size=40))
def test_no_text_shows_a_secret(before: str, secret: str, behind: str) -> None:
    assert secret not in Redactor([secret])(f"{before}{secret}{behind}")


@settings(deadline=None)
@given(st.data())
def test_no_text_shows_a_run_of_a_key(data: st.DataObject) -> None:
    alphabet = st.text("abcABC0123456789-_/+=%&\\<; é", min_size=12, max_size=40)
    key = data.draw(alphabet.filter(lambda text: text.strip() == text))
    start = data.draw(st.integers(0, len(key) - RUN))
    text = data.draw(st.text(max_size=9)) + key[start:] + data.draw(st.text(max_size=9))
    assert shown(key[start:], Redactor([key])(text)) == []


@pytest.mark.parametrize("seen", range(RUN, len(SECRET)))
def test_a_secret_that_was_cut_is_masked(seen: int) -> None:
    assert Redactor([SECRET])(f"key {SECRET[:seen]}") == f"key {MASK}"
    assert Redactor([SECRET])(f"key {SECRET[:seen]}…") == f"key {MASK}…"


@pytest.mark.parametrize("seen", range(5, 20))
def test_what_is_left_of_an_encoded_secret_where_a_text_was_cut_is_masked(seen: int) -> None:
    encoded = _base64(SECRET[3:].encode())
    assert Redactor([SECRET])(f"key {encoded[:seen]}…~") == f"key {MASK}…~"


def test_the_last_half_of_a_secret_is_masked_wherever_it_stands() -> None:
    assert Redactor([SECRET])(f"keys like {SECRET[13:]}, again") == f"keys like {MASK}, again"
    assert Redactor([SECRET])(f"https://{SECRET[4:].upper()}.example/") == f"https://{MASK}.example/"


def test_a_short_secret_is_a_word_like_any_other_unless_all_of_it_is_there() -> None:
    assert Redactor(["test-key"])("this is a test") == "this is a test"
    assert Redactor(["test-key"])("this is a Test-Key") == f"this is a {MASK}"
    assert Redactor(["test-key"])("the latest keys") == "the latest keys"
    assert Redactor(["ollama"])("roll on, oll korrekt, ollam a") == "roll on, oll korrekt, ollam a"
    assert Redactor(["ollama"])("Ollama, %6fllama, b2xsYW1h, &#111;llama") == f"{MASK}, {MASK}, {MASK}, {MASK}"
    assert in_pieces("a test, and a test-key", 4, "test-key") == f"a test, and a test-k{MASK}"


def test_a_short_secret_that_was_cut_is_masked() -> None:
    assert Redactor(["password123"])("a wrong password…") == f"a wrong {MASK}…"
    assert Redactor(["password123"])("a wrong password") == "a wrong password"
    assert in_pieces("it is password123", 2, "password123") == f"it is passwo{3 * MASK}"


@pytest.mark.parametrize("between", [" ", "\n", "*", "\u200b", "<b>", '", "'])
def test_a_short_secret_of_eight_letters_is_masked_whatever_stands_between_them(between: str) -> None:
    for text in (between.join("password123"), between.join(b"password123".hex())):
        assert Redactor(["password123"])(f"~{text}~") == f"~{MASK}~"


def test_an_escape_that_was_cut_counts() -> None:
    escaped = "".join(f"\\u{{{ord(char):04x}}}" for char in RANDOM[20:28])
    assert Redactor([RANDOM])(f"~{escaped[:-1]}…") == f"~{MASK}…"


@pytest.mark.parametrize("escape", ["%", "%2", "%25", "%252", "\\", "\\x2", "\\u002", "&#", "&#x2", "&am"])
def test_a_few_characters_before_an_escape_that_was_cut_are_masked(escape: str) -> None:
    assert Redactor([RANDOM])(f"key {RANDOM[13:20]}{escape}…") == f"key {MASK}…"


def test_secrets_that_hold_one_another_are_masked_as_one() -> None:
    assert Redactor([SECRET[3:], SECRET])(f"a {SECRET} b {SECRET[3:]} c") == f"a {MASK} b {MASK} c"
    assert Redactor([SECRET])(f"{SECRET}{SECRET}") == MASK


def test_without_secrets_nothing_is_masked() -> None:
    assert Redactor([])("as it is") == "as it is"
    assert Redactor(["a"])("a short one would mask it all") == "a short one would mask it all"


def test_a_long_text_is_masked_wherever_it_was_parted() -> None:
    for at in range((16 << 10) - len(SECRET), 16 << 10, 5):
        text = "." * at + SECRET + "." * (20 << 10)
        assert Redactor([SECRET])(text) == text.replace(SECRET, MASK)


@pytest.mark.parametrize(
    ("piece", "masked"),
    [
        ("z", "z"),
        (SECRET, MASK),
        ("%73" + SECRET[1:], MASK),
        ("&amp;", "&amp;"),
        ("\\", "\\"),
        ("%25", "%25"),
        ("<", "<"),
    ],
    ids=["a word", "keys", "keys in a URL", "entities", "backslashes", "percent signs", "tags"],
)
def test_a_long_text_takes_time_that_grows_with_its_length(piece: str, masked: str) -> None:
    """As any square of its length would take longer than a test may."""
    text = piece * (200_000 // len(piece))
    assert Redactor([SECRET])(f"{text}…") == f"{masked if masked == MASK else text}…"


def test_escapes_that_are_passed_over_stand_for_nothing_that_a_key_of_ascii_is_made_of() -> None:
    passed = [code for code in range(0x10000) if FOREIGN.fullmatch(f"\\u{code:04x}")]
    assert [f"{code:04x}" for code in passed if bare(chr(code)).strip()] == []
    assert {0x4F60, 0x3042, 0xAC00, 0x0416} <= set(passed)


ENGLISH = """
Deltas are merged by index; a finish reason of tool_calls, length or content_filter ends the choice. See
https://example.com/v1/chat/completions?stream=true&n=2 for the default of 1.5% (=0A). {"id": "chatcmpl-9f8e7d6c5b4a",
"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "usage": {"total_tokens": 1712345678}}
"""


@pytest.mark.parametrize("key", [RANDOM, ODD, "ollama", "gsk_W9vB3kTpL0mYc8HdRfN2uJs5EaP1", "0f8e6d4c2b1a99aa"])
def test_what_is_no_key_is_left_as_it_is(key: str) -> None:
    assert Redactor([key])(ENGLISH) == ENGLISH


def in_pieces(text: str, size: int, secret: str = SECRET) -> str:
    redact = RunningRedactor(Redactor([secret]))
    return "".join(redact(text[at : at + size]) for at in range(0, len(text), size))


@pytest.mark.parametrize("size", range(1, len(SECRET) + 2))
def test_a_secret_in_pieces_is_masked_from_where_it_is_known(size: int) -> None:
    text = in_pieces(f"The key is {SECRET}. Again: {SECRET}", size)
    assert shown(SECRET, text) == []
    assert text.startswith("The key is ")
    assert ". Again: " in text


@pytest.mark.parametrize("encoded", [_base64(SECRET.encode()), SECRET.encode().hex(), SECRET.upper()])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_pieces_of_what_is_encoded_are_masked(encoded: str, size: int) -> None:
    text = in_pieces(f"{encoded}.", size)
    assert shown(encoded, text) == []
    assert len(text.replace(MASK, "")) <= RUN + EDGES + 1


@pytest.mark.parametrize("between", ["\u200b", "<wbr>", "\n\n", " - ", "\u0301\u00ad", "\xe2\x80\x8b"])
def test_pieces_with_something_between_them_are_masked(between: str) -> None:
    text = in_pieces(between.join(SECRET), 5)
    assert len(re.sub("[^a-z0-9]", "", re.sub("<[^>]*>", "", text.replace(MASK, "")))) < RUN, text


def test_texts_in_turns_are_masked_each_and_as_they_follow_one_another() -> None:
    redact = RunningRedactor(Redactor([SECRET]))
    own = [redact(piece, "a") + redact("other text ", "b") for piece in re.findall("..?.?", SECRET)]
    assert shown(SECRET, "".join(own).replace("other text ", "")) == []
    redact = RunningRedactor(Redactor([SECRET]))
    assert shown(SECRET, "".join(redact(char, at) for at, char in enumerate(SECRET * 4))) == []


@given(st.lists(st.text(max_size=6), max_size=30))
def test_what_is_no_secret_passes_in_pieces(pieces: list[str]) -> None:
    redact = RunningRedactor(Redactor([SECRET]))
    assert [redact(piece) for piece in pieces] == pieces
