"""What is wrong with a configuration: where, what, and what to do about it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and array positions from the top of the file: `("profiles", "prod", "endpoints", 2, "url")`."""

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
"""A TOML key that needs no quotes."""


_SHOWN = 60
"""Characters of a name or value that are quoted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a table, before it is known which file and line it came from."""

    path: KeyPath
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One thing that is wrong with a file. Holds no value that could be a secret."""

    file: Path | None
    """None for an endpoint that is in no file yet."""
    line: int | None
    """Counted from 1; None where it is not known."""
    key: str
    """Such as `profiles.prod.endpoints[2].interval_s`; "" for the whole file."""
    message: str
    hint: str = ""
    """What to do about it; "" when the message says it all."""

    def __str__(self) -> str:
        place = "" if self.file is None else str(self.file) + ("" if self.line is None else f":{self.line}")
        text = ": ".join(part for part in (place, self.key, self.message) if part)
        return f"{text} ({self.hint})" if self.hint else text


class ConfigError(Exception):
    """A configuration cannot be used; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: Iterable[ConfigFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def dotted(path: KeyPath) -> str:
    """A key path as a person writes it: `profiles.prod.endpoints[2].url`. Odd keys are quoted, with visible escapes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if len(part) <= _SHOWN and BARE_KEY.fullmatch(part) else shown(part)
            text += f".{key}" if text else key
    return text


def shown(text: str) -> str:
    """A quoted short text of the user's own, in which nothing can act on a terminal."""
    cut = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    quoted = json.dumps(cut, ensure_ascii=False)
    return quoted if quoted.isprintable() else json.dumps(cut)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known word, or all of them where none is near."""
    words = sorted(known)
    near = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"known: {', '.join(words)}" if words else ""
