"""The one gate for text that came from a network, a file or the environment, before any sink.

Terminal escapes, control characters and lone surrogates become visible signs; so do characters that are
invisible or reorder their neighbours. What comes out holds printable characters only, so it can move no cursor,
end no line and hide nothing. It is still not markup: hand it to widgets as plain text.
"""

from __future__ import annotations

import re
from html import unescape

LIMIT = 256
MAX_PATH = 4096
"""A limit that cuts no path of the file system."""
ELLIPSIS = "…"
LINE_END = "↵"

_SUSPECT = re.compile(r"[^ -~]")
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0e\uffa0\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
"""Invisible characters that Unicode, and so `str.isprintable`, calls printable: fillers and variation selectors.
The emoji selector U+FE0F is left alone: it is common, and hides nothing."""
_MARK = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u06d6-\u06dc\u06df-\u06e4\u0e31\u0e34-\u0e3a"
    "\u0e47-\u0e4e\u1ab0-\u1ace\u1dc0-\u1dff\u20d0-\u20f0\u302a-\u302d\u3099\u309a\ufe0f\ufe20-\ufe2f]"
)
_FLOOD = re.compile(f"{_MARK}(?<={_MARK * 5})")
"""Marks over and under one letter, from the fifth on: no language needs them, and terminals draw them over the lines
above and below."""


def clean(text: str, limit: int = LIMIT) -> str:
    """The text on one line, at most `limit` characters, with a visible sign for every character that is not printable.

    Newlines become `↵`, tabs and exotic spaces a space, C0 controls their pictures (`␛`), all else `\\x9b`, `\\u202e`.
    """
    if len(text) <= limit and _is_safe(text):
        return text
    # One sign takes the place of at least one character, so what lies beyond the limit cannot matter.
    return _cut(_visible(text[: limit + 1].replace("\r\n", "\n").replace("\n", LINE_END)), limit, len(text) > limit)


def clauses(*parts: str) -> str:
    """One sentence of several parts. A full stop at the end of a part, as in a gateway's words, becomes a `;`."""
    *before, last = parts
    return "; ".join([*(part.removesuffix(".") for part in before), last])


def clean_text(text: str, limit: int) -> str:
    """The same for text of many lines: its newlines stay newlines."""
    if len(text) <= limit and _is_safe(text):
        return text
    lines = text[: limit + 1].replace("\r\n", "\n").split("\n")
    return _cut("\n".join(map(_visible, lines)), limit, len(text) > limit)


def _is_safe(text: str) -> bool:
    return text.isprintable() and (text.isascii() or not (_INVISIBLE.search(text) or _FLOOD.search(text)))


def _visible(text: str) -> str:
    return text if _is_safe(text) else _SUSPECT.sub(_sign, _FLOOD.sub(_escape, text))


def _cut(text: str, limit: int, was_longer: bool) -> str:
    if len(text) <= limit and not was_longer:
        return text
    return text[: limit - 1] + ELLIPSIS


def _sign(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if char == "\t" or (char.isspace() and code > 0x9F and code not in (0x2028, 0x2029)):
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if char.isprintable() and not _INVISIBLE.match(char):
        return char
    return _escape(match)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


EXCERPT = 200

_HIDDEN = re.compile(r"(?is)<(script|style|head)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)")
_TAG = re.compile(r"<[^>]*>?")


_TITLE = re.compile(r"(?is)<title\b[^>]*>(.*?)</title")
_CAUSE = re.compile(r"(?is)<(blockquote|strong)\b[^>]*>(.*?)</\1")
"""Where Squid and Apache say why they refuse."""
_SENTENCE = re.compile(r".{20,}?[.!?](?= )")


def excerpt(body: bytes, content_type: str = "") -> str:
    """The beginning of a body as one clean line; of HTML its title and the cause that it emphasises, or its first
    sentence where the title is a word or none."""
    page = _page(body, content_type)
    if page is None:
        return readable(body)
    title = _one_line(_TITLE, page)
    if " " in title:
        return clean(_joined(title, _one_line(_CAUSE, page)), EXCERPT)
    said = _joined(title, _visible_text(page))
    sentence = _SENTENCE.match(said)
    return clean(sentence.group() if sentence is not None else said, EXCERPT)


def readable(body: bytes, content_type: str = "") -> str:
    """The same, but of HTML its title and the text that is visible after it: to look for words in."""
    page = _page(body, content_type)
    if page is None:
        return clean(" ".join(_decoded(body).split()), EXCERPT)
    return clean(_joined(_one_line(_TITLE, page), _visible_text(page)), EXCERPT)


def _decoded(body: bytes) -> str:
    return body[: 64 << 10].decode("utf-8", "replace").lstrip("\ufeff")


def _page(body: bytes, content_type: str) -> str | None:
    """The body as HTML; None where it is something else."""
    text = _decoded(body)
    return text if "html" in content_type.lower() or text.lstrip()[:1] == "<" else None


def _one_line(pattern: re.Pattern[str], page: str) -> str:
    """The visible text of what the last group of the pattern finds first."""
    found = pattern.search(page)
    return _visible_text(found[found.lastindex or 0]) if found is not None else ""


def _visible_text(page: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", _HIDDEN.sub(" ", page))).split())


def _joined(title: str, text: str) -> str:
    """Title and text, without the one where the other has it."""
    return text if text.startswith(title) else ": ".join(filter(None, (title, text)))
