"""Random material: good things by the readers' own vocabulary, and ways to spoil them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import gwtui

BYTES = (
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\x1b]52;c;eA==\x07", b"\x9b", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80"),
    *(b"\xef\xbb\xbf", b"data:", b"event: ", b"id:\0", b"retry: 9999999999999999999", b": ", b"data: [DONE]\n\n"),
    *(
        b"{",
        b"[" * 2000,
        b'{"a":' * 2000,
        b"}",
        b"]",
        b'"',
        b"\\",
        b"\\ud800",
        b"\\u0000",
        b"null",
        b"NaN",
        b"-Infinity",
    ),
    *(b"1e999", b"-0", b"9" * 30, b"9" * 5000, b"0x", b"1_0", b"\xd9\xa3", b",", b";", b"=", b"%", b"'", b"#", b'"""'),
    *(b"2026-01-31T14:03:22.123Z", b"0000-00-00", b"99999-01-01T00:00:00Z", b"Fri, 20 Nov 2026 05:00:00 +9999"),
)
"""What readers stumble over, anywhere."""
TEXTS = (
    *("", " ", "\n", "\r\n", "\t", "\0", "\x1b]52;c;eA==\x07", "\x9b31m", "\u202e", "\u200b", "\ud800", "\u2028"),
    *("[/usr/bin]", "[@click=app.quit]x[/]", "=1+1", "٣", "²", "İ", "🙂", "x" * 300, "9" * 5000, "-1", "1e999", "nan"),
    *("http://[", "http://a:b@c:99999/?key=x#", "//", "env:X", "${env:X}", "file:/", "data: x\n\n", "{}", "[]", '"'),
    *("Fri, 20 Nov 2026 05:00:00 GMT", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-23:59", "12ms", "6m0s"),
)
NUMBERS = (0, 1, -1, 2, 7, 255, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308, 1e-308)
_WORD = re.compile(rb"[\w.+-]+")
VOCABULARY = ("apis", "verdict", "checks", "decode", "probes")
"""The rooms whose texts are the words that answers are made of."""


@cache
def vocabulary() -> tuple[str, ...]:
    """All short texts and field names in the code of the readers, so that a new one is covered at once."""
    words: set[str] = set()
    for room in VOCABULARY:
        for path in (Path(gwtui.__file__).parent / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    words.add(node.value)
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    words.add(node.target.id)
    return tuple(sorted(word for word in words if len(word) < 40 and " " not in word))


class Dice(Random):
    """A seeded source of it. The same seed gives the same things."""

    def one_in(self, n: int) -> bool:
        return self.randrange(n) == 0

    def few(self, most: int) -> int:
        """Mostly a small number, at least 1."""
        return 1 + min(int(self.expovariate(0.7)), most - 1)

    def text(self) -> str:
        """A text, mostly short."""
        kinds: tuple[Callable[[], str], ...] = (
            lambda: self.choice(TEXTS),
            lambda: self.choice(vocabulary()),
            lambda: "".join(chr(self.randrange(32, 127)) for _ in range(self.randrange(12))),
            lambda: "".join(chr(self.randrange(0x3000)) for _ in range(self.randrange(6))),
            lambda: self.text() + self.text(),
        )
        return self.choices(kinds, (4, 6, 3, 1, 1))[0]()

    def data(self, most: int = 200) -> bytes:
        """Bytes of any kind."""
        pieces = [self.choice(BYTES) if self.one_in(2) else self.randbytes(self.few(8)) for _ in range(self.few(12))]
        return b"".join(pieces)[:most]

    def value(self, depth: int = 0) -> Any:
        """A JSON value."""
        if depth > 4 or not self.one_in(3):
            return self.choice((None, True, False, self.choice(NUMBERS), self.text(), self.text()))
        if self.one_in(2):
            return [self.value(depth + 1) for _ in range(self.randrange(4))]
        return {self.choice(vocabulary()): self.value(depth + 1) for _ in range(self.randrange(5))}

    def spoiled_value(self, value: Any) -> Any:
        """The same JSON value with one thing in it changed, lost, doubled or added."""
        if isinstance(value, dict) and value and not self.one_in(8):
            changed = dict(value)
            key = self.choice(list(changed))
            match self.randrange(8):
                case 0:
                    del changed[key]
                case 1:
                    changed[self.choice(vocabulary())] = self.value()
                case _:
                    changed[key] = self.spoiled_value(changed[key])
            return changed
        if isinstance(value, list) and value and not self.one_in(8):
            changed_list = list(value)
            at = self.randrange(len(value))
            match self.randrange(8):
                case 0:
                    del changed_list[at]
                case 1:
                    changed_list.insert(at, changed_list[at])
                case _:
                    changed_list[at] = self.spoiled_value(value[at])
            return changed_list
        return self.value()

    def spoiled_json(self, text: str) -> str:
        """A text that is JSON, spoiled as JSON; any other is spoiled as a text."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return self.spoiled(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
        for _ in range(self.few(3)):
            value = self.spoiled_value(value)
        return json.dumps(value, ensure_ascii=self.one_in(2)).encode("utf-8", "replace").decode()

    def spoiled(self, data: bytes) -> bytes:
        """The same bytes with some changed, lost, doubled or added."""
        for _ in range(self.few(6)):
            at = self.randrange(len(data) + 1)
            upto = min(len(data), at + self.few(20))
            match self.randrange(8):
                case 0:
                    data = data[:at] + data[upto:]
                case 6 | 7 if words := list(_WORD.finditer(data)):
                    word = self.choice(words)
                    new = self.choice(BYTES) if self.one_in(2) else self.text().encode("utf-8", "replace")
                    data = data[: word.start()] + new + data[word.end() :]
                case 1:
                    data = data[:at] + self.choice(BYTES) + data[at:]
                case 2:
                    data = data[:at] + self.randbytes(1) + data[at + 1 :]
                case 3:
                    data = data[:upto] + data[at:upto] + data[upto:]
                case 4:
                    data = data[:at] + self.choice(vocabulary()).encode() + data[upto:]
                case _:
                    data = data[:at] if self.one_in(4) else data
        return data

    def shuffled_somewhat(self, items: Sequence[Any]) -> list[Any]:
        """The same items with a few lost, doubled or swapped; often all of them as they were."""
        changed = list(items)
        for _ in range(self.randrange(4)):
            if not changed:
                break
            at, other = self.randrange(len(changed)), self.randrange(len(changed))
            match self.randrange(3):
                case 0:
                    del changed[at]
                case 1:
                    changed.insert(other, changed[at])
                case _:
                    changed[at], changed[other] = changed[other], changed[at]
        return changed

    def cut(self, data: bytes) -> list[bytes]:
        """The same bytes in pieces, or one by one."""
        if len(data) < 500 and self.one_in(4):
            return [data[at : at + 1] for at in range(len(data))]
        places = sorted(self.randrange(len(data) + 1) for _ in range(self.few(12)))
        return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
