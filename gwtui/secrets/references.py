"""How a reference to a key is written. Header values may be one, or hold some: `token ${env:SRC_ACCESS_TOKEN}`."""

from __future__ import annotations

import re

SCHEMES = "env:NAME, file:PATH, cmd:COMMAND, keyring:SERVICE/USER or aws:PROFILE"
"""What a reference may be, for messages."""
SCHEME_NAMES = ("env", "file", "cmd", "keyring", "aws")

_ANYTHING = r"[^\0\r\n]+"
_WITHIN_BRACES = r"[^\0\r\n}]+"


def _forms(text: str) -> str:
    return rf"env:[A-Za-z_][A-Za-z0-9_]*|file:{text}|cmd:{text}|keyring:{text}/{text}"


_AWS = r"aws:[^\0\r\n/]*(?:/[a-z0-9-]+)?"
"""A profile of AWS and a region, each of which may be left out. It signs requests, so no text can hold it."""
_REFERENCE = re.compile(rf"{_forms(_ANYTHING)}|{_AWS}")
_IN_TEXT = re.compile(rf"\$\{{({_forms(_WITHIN_BRACES)})\}}")
_SENDABLE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""RFC 9110 5.5: a field value is visible characters, spaces and tabs; more than Latin-1 has no bytes on the wire."""


_HELD: dict[str, str] = {}
"""Keys that the command line held itself, by their references in this process."""


class KeyReferenceError(ValueError):
    """A reference cannot be resolved. The text names the place and the remedy, never a value."""


class NoRoomError(KeyReferenceError):
    """This machine has no descriptors, processes or threads left to look with: no word about the reference."""


def is_reference(text: str) -> bool:
    """Whether the whole text is a reference."""
    return _REFERENCE.fullmatch(text) is not None or text in _HELD


def hold(option: str, value: str) -> str:
    """A reference to a key that an option of the command line held. It is valid only in this process, so no file can
    hold it."""
    reference = f"option:{option}"
    _HELD[reference] = value
    return reference


def held(option: str) -> str:
    """The key that the option held."""
    return _HELD[f"option:{option}"]


def references_in(text: str) -> tuple[str, ...]:
    """The references that a header value is or holds."""
    return (text,) if is_reference(text) else tuple(_IN_TEXT.findall(text))


def without_references(text: str) -> str:
    """What a header value holds besides its references."""
    return "" if is_reference(text) else _IN_TEXT.sub("", text)


def begins_reference(text: str) -> bool:
    """Whether the text, which holds no reference, begins one that does not end well."""
    return any(f"${{{scheme}:" in text for scheme in SCHEME_NAMES)


def is_sendable(text: str) -> bool:
    """Whether a header value can carry the text."""
    return _SENDABLE.fullmatch(text) is not None


def split(reference: str) -> tuple[str, str]:
    """Its scheme and its place."""
    scheme, _, place = reference.partition(":")
    return scheme, place


def filled_in(text: str, value_of: dict[str, str]) -> str:
    """A header value with every reference replaced by its value."""
    return value_of[text] if is_reference(text) else _IN_TEXT.sub(lambda found: value_of[found[1]], text)
