"""The list in the manual of forms in which a key is not recognised is true: each of them shows what it says."""

from __future__ import annotations

import base64
import codecs
import hashlib
import re
import zlib
from collections.abc import Callable

import pytest

from gwtui.secrets.redaction import Redactor
from gwtui.text.manual import page_of

KEY = "sgp_q7Zxa2W9vB3kTpL0mYc8HdRfN2uJs5EaP1oK"


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


_CYRILLIC = str.maketrans("aecxopHTKBMEPdNJsuyvzZqWg", "аесхорНТКВМЕРԁΝЈѕυуνᴢΖԛԜɡ")
UNRECOGNISED: dict[str, Callable[[str], str]] = {
    "reversed": lambda key: key[::-1],
    "with other letters or digits between its characters": lambda key: "x1".join(key),
    "with a word between its characters": " and ".join,
    "in letters of another alphabet that look alike": lambda key: key.translate(_CYRILLIC),
    "in ROT13 or another cipher": lambda key: codecs.encode(key, "rot13"),
    "encrypted": lambda key: "".join(chr(33 + (ord(char) * 7 + at * 31) % 90) for at, char in enumerate(key)),
    "hashed": lambda key: hashlib.sha256(key.encode()).hexdigest(),
    "compressed": lambda key: _encoded(zlib.compress(b"{}" + key.encode())),
    "in base85": lambda key: base64.b85encode(key.encode()).decode(),
    "in binary or octal numbers": lambda key: " ".join(f"{byte:o}" for byte in key.encode()),
    "in base64 or hexadecimal digits of escapes": lambda key: (
        _encoded("".join(f"\\u{ord(char):04x}" for char in key).encode())
        + " "
        + "".join(f"%{byte:02x}" for byte in key.encode()).encode().hex()
    ),
    "in base64 of hexadecimal digits": lambda key: _encoded(key.encode().hex().encode()),
    "in hexadecimal digits of base64": lambda key: _encoded(key.encode()).encode().hex(),
    "in base64 three times": lambda key: _encoded(_encoded(_encoded(key.encode()).encode()).encode()),
    "in EBCDIC": lambda key: key.encode("cp500").hex(),
}


def listed() -> list[str]:
    """The items of the list in the manual."""
    text = page_of("security").text
    section = text[text.index("A key is not recognised") :]
    return [" ".join(item.split()).rstrip(";.") for item in re.findall(r"(?ms)^  - (.*?)(?=^  - |^- |^$)", section)]


def test_the_list_is_the_list() -> None:
    assert listed() == list(UNRECOGNISED)


@pytest.mark.parametrize("form", UNRECOGNISED.values(), ids=UNRECOGNISED)
def test_a_key_is_shown_in_that_form(form: Callable[[str], str]) -> None:
    assert Redactor([KEY])(f"~{form(KEY)}~") == f"~{form(KEY)}~"
