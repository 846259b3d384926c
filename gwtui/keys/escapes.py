r"""Escapes of JSON, HTML and URLs, undone so that a secret is found behind them: `\u0073`, `&#115;`, `%73`.

Only escapes of the characters that somebody looks for are undone; what was escaped twice over is undone as well.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import TypeAlias

Escape: TypeAlias = re.Pattern[str]

LONGEST_ESCAPE = 6
"""Characters of an escape such as `\\u0073`, when it is not escaped itself."""

_CHARACTERS: dict[str | None, Callable[[str], str]] = {
    "hex": lambda digits: chr(int(digits, 16)),
    "decimal": lambda digits: chr(int(digits)),
    "name": {"quot": '"', "apos": "'", "amp": "&", "lt": "<", "gt": ">"}.__getitem__,
    "sign": str,
}
"""What the groups of an escape stand for."""


def escapes_of(characters: Iterable[str]) -> tuple[Escape, ...]:
    """The escapes of these characters, one pattern for each language. Characters beyond Latin-1 have none."""
    codes = sorted({ord(character) for character in characters if ord(character) <= 0xFF})
    if not codes:
        return ()
    two_digits = "|".join(f"{code:02x}" for code in codes)
    digits = "|".join(f"{code:x}" for code in codes)
    decimals = "|".join(map(str, codes))
    return tuple(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            rf"\\\\{{0,3}}(?:(?:u00|x)(?P<hex>{two_digits})|(?P<sign>[\"'/]))",
            rf"&(?:amp;){{0,2}}(?:#0*(?P<decimal>{decimals})|#x0*(?P<hex>{digits})|(?P<name>quot|apos|amp|lt|gt));",
            rf"%(?:25){{0,2}}(?P<hex>{two_digits})",
        )
    )


def undone(text: str, escape: Escape) -> tuple[str, Callable[[int], int]]:
    """The text without these escapes, and for a place in it the place in the text that it was made of."""
    found = list(escape.finditer(text))
    gone = list(accumulate((len(match[0]) - 1 for match in found), initial=0))
    places = [match.start() - before for match, before in zip(found, gone, strict=False)]
    return escape.sub(_character, text), lambda place: place + gone[bisect_left(places, place)]


def _character(match: re.Match[str]) -> str:
    return _CHARACTERS[match.lastgroup](match[str(match.lastgroup)].lower())
