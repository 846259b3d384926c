r"""Escapes of JSON, programming languages, HTML, URLs and mail, undone so that a key is found behind them.

`\u0073`, `\u{73}`, `\x73`, `\163`, `&#115;`, `&#x73;`, `&amp;`, `%73`, `%2573`, `%u0073`, `=73`.
"""

from __future__ import annotations

import re
from html import unescape

_HEX = "[0-9A-Fa-f]"
ESCAPE = re.compile(
    rf"[\\&%=](?:(?<=\\)\\*(?:u(?P<high>[dD][89abAB]{_HEX}{{2}})\\+u(?P<low>[dD][c-fC-F]{_HEX}{{2}})"
    rf"|u\{{(?P<braced>{_HEX}{{1,6}})\}}?|x\{{(?P<perl>{_HEX}{{1,6}})\}}?"
    rf"|u(?P<four>{_HEX}{{4}})|U(?P<eight>{_HEX}{{8}})|U(?P<upper>{_HEX}{{4}})|[xX](?P<two>{_HEX}{{2}})"
    r"|(?P<octal>0[0-3][0-7]{2}|[0-3]?[0-7]{2})|(?P<letter>[abefnrtv0])|(?P<sign>[^A-Za-z0-9\s]))"
    r"|(?<=&)(?:amp;)*(?P<entity>#[0-9]{1,8};?|#[xX][0-9A-Fa-f]{1,8};?|[A-Za-z][A-Za-z0-9]{1,31};)"
    rf"|(?<=%)(?:25)*(?:u(?P<script>{_HEX}{{4}})|(?P<percent>{_HEX}{{2}}))"
    rf"|(?<==)(?:(?P<mail>{_HEX}{{2}})|(?P<soft>[ \t]*\r?\n)))"
)
"""One escaped character. Repeated backslashes, `amp;` and `25` are those of texts that were escaped several times.
A brace that is not closed is that of a text that was cut."""
FOREIGN = re.compile(
    rf"\\+u(?:0[4-9A-Fa-f]|1[0-9A-Ca-c]|3[014-9A-Fa-f]|[4-9]{_HEX}|[Aa][0-689A-Fa-f]|[BbCc]{_HEX}|[Dd][0-7]){_HEX}{{2}}"
)
"""Escapes of letters of other scripts, such as `\\u4f60`, which are no letters or signs of ASCII in another form."""
TAG = re.compile(r"<!--(?:(?!-->).){0,1000}-->|<[^<>]{0,1000}>|[\x1b\u241b]\[[0-9;:?]*[A-Za-z]", re.DOTALL)
"""A tag or a comment of HTML or XML, which a browser does not show, or a sequence that a terminal obeys."""

_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_MOST = 0x10FFFF


def may_be_escaped(text: str) -> bool:
    """Whether the text holds an escape, or what a tag begins and ends with."""
    return holds_escape(text) or may_be_tagged(text)


def holds_escape(text: str) -> bool:
    """Whether the text holds an escape."""
    # Each `in` searches at the speed of memory; a regular expression takes ten times as long.
    may = "\\" in text or "=" in text or "&" in text or "%" in text
    return may and ESCAPE.search(text) is not None


def may_be_tagged(text: str) -> bool:
    """Whether the text holds what a tag begins and ends with, or what a sequence of a terminal begins with."""
    return ("<" in text and ">" in text) or "\x1b" in text or "\u241b" in text


def character(match: re.Match[str]) -> str:
    """The character that an escape encodes."""
    kind = str(match.lastgroup)
    value = match[kind]
    if kind in ("letter", "sign", "soft"):
        return {"letter": _LETTERS.get(value, ""), "sign": value, "soft": ""}[kind]
    if kind == "entity":
        return unescape(f"&{value}")
    if kind == "low":
        return chr(0x10000 + (int(match["high"], 16) - 0xD800 << 10) + int(value, 16) - 0xDC00)
    code = int(value, 8 if kind == "octal" else 16)
    return chr(code) if code <= _MOST else match[0]
