"""How a key may be written, but for escapes, which are undone before it is looked for."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gwtui.secrets.grams import RUN
from gwtui.secrets.prefixes import public_prefix
from gwtui.secrets.references import is_sendable
from gwtui.secrets.views import folded, unescaped

WIDE_RUN = 16
"""Characters in a row by which forms are known in which `RUN` of them hold less than two of a key."""

_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_NOT_ALPHANUMERIC = bytes(byte for byte in range(256) if not (byte < 128 and chr(byte).isalnum()))
_CONTROLS = bytes(byte for byte in (*range(32), 127) if chr(byte) not in "\t\n\r")
_BASE64_BITS, _BASE32_BITS = 6, 5
_DECODERS = (("utf-8", "replace"), ("utf-8", "surrogateescape"), ("latin-1", "strict"))


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a key."""

    text: str
    public: int = 0
    """How many characters of its beginning come from the key's public prefix alone."""
    run: int = RUN
    """How many characters of it in a row it is known by."""

    def runs(self) -> Iterator[tuple[str, bool]]:
        """All such runs, and whether each lies within what is public."""
        for at in range(len(self.text) - self.run + 1):
            yield self.text[at : at + self.run], at + self.run <= self.public

    def stripped(self) -> Form:
        """The form without all that is no letter or digit."""
        return Form(_stripped(self.text), len(_stripped(self.text[: self.public])), self.run)


def as_bytes(text: str) -> bytes:
    """A text in UTF-8, folded unless it is ASCII."""
    return text.encode() if text.isascii() else folded(text).encode("utf-8", "replace")


def bare(text: str) -> bytes:
    """What is ASCII of a text, or of its letters without width, style and marks. It costs less than `as_bytes`."""
    return text.encode() if text.isascii() else unicodedata.normalize("NFKD", text).encode("ascii", "ignore")


def letters_of(data: bytes) -> bytes:
    """The letters and digits of ASCII, in lower case."""
    return data.translate(_LOWER, _NOT_ALPHANUMERIC)


def written(data: bytes) -> bytes:
    """All but control characters, letters of ASCII in lower case."""
    return data.translate(_LOWER, _CONTROLS)


def written_forms(key: str) -> list[Form]:
    """The key with all its characters, as it is and as it is read where one encoding is taken for another; folded."""
    public = len(folded(public_prefix(key)))
    readings = {data.decode(code, errors) for data in _encodings(key) for code, errors in _DECODERS}
    texts = {folded(each) for reading in readings for each in (reading, unescaped(reading))}
    return [Form(text, public) for text in sorted(texts)]


def encoded_forms(key: str) -> Iterator[Form]:
    """The key in base64, base32, hexadecimal digits and numbers of bytes, from any place in a longer text."""
    prefix = public_prefix(key)
    public = len(prefix)
    for text in {key, key.lower(), key.upper(), key.swapcase()}:
        for data in sorted(_encodings(text)):
            yield Form(data.hex(), 2 * public)
            yield from _numbers(data, public)
            yield from _base32(data, public)
            yield from _base64(data, public)
    for data in sorted(_encodings(key)):
        for inner in _base64(data, public):
            for variant in {inner.text, inner.text.translate(_URL_SAFE)}:
                yield from _base64(variant.encode(), inner.public)
    for code, width in (("utf-16-le", 2), ("utf-32-le", 4)):
        data, public = key.encode(code, "replace").rstrip(b"\0"), width * len(prefix)
        yield Form(data.hex(), 2 * public, WIDE_RUN)
        yield from (Form(form.text, form.public, (RUN - 1) * width // 2) for form in _base64(data, public))


_URL_SAFE = str.maketrans("+/", "-_")


def _encodings(key: str) -> set[bytes]:
    """As most texts are encoded, and as HTTP headers are."""
    codes = ("utf-8", "latin-1") if is_sendable(key) else ("utf-8",)
    return {key.encode(code, "replace") for code in codes}


def _stripped(text: str) -> str:
    return letters_of(unicodedata.normalize("NFKD", text).encode("utf-8", "replace")).decode()


def _numbers(data: bytes, public: int) -> Iterator[Form]:
    """`[115, 107]`, `0x73, 0x6b`, and `%2573%256b` whose `%` became another sign, without what stands between them."""
    for style in ("{}", "0x{:02x}", "25{:02x}", "2525{:02x}"):
        numbers = [style.format(byte) for byte in data]
        yield Form("".join(numbers), len("".join(numbers[:public])), WIDE_RUN)


def _base64(data: bytes, public: int) -> Iterator[Form]:
    return (_within(data, public, base64.b64encode, before, _BASE64_BITS) for before in range(3))


def _base32(data: bytes, public: int) -> Iterator[Form]:
    return (_within(data, public, base64.b32encode, before, _BASE32_BITS) for before in range(5))


def _within(data: bytes, public: int, encode: Callable[[bytes], bytes], before: int, bits: int) -> Form:
    """Its form after these bytes of a longer text. The characters at both ends also depend on their neighbours,
    so those between them are what can be known, and one less of them than is not to be seen."""
    first = -(-before * 8 // bits)
    last = (before + len(data)) * 8 // bits
    text = encode(b"\0" * before + data).decode()[first:last]
    return Form(text, max(0, (before + public) * 8 // bits - first), RUN - 1)
