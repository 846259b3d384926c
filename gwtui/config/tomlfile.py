"""TOML files as text: reading with positions, finding where each key is written, and writing without risk.

`tomllib` says what a file means; this says where it says so. Only text that `tomllib` accepts is scanned, so the
scanner needs to know how a statement ends, and no more.
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwtui.config.errors import ConfigError, ConfigFault, KeyPath
from gwtui.text.untrusted_files import Directory

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64
"""Levels of brackets, and parts of a dotted key: what reads a configuration may use recursion."""
MAX_WORD = 1000
"""Characters of a number: Python refuses to turn longer ones into text and back."""

_DIGITS = frozenset("+-0123456789")
_TOKEN = re.compile(
    r'''
      (?P<string> """ (?: [^\\] | \\. )*? "{3,5} | \'\'\' .*? \'{3,5} | " (?: [^"\\\n] | \\. )* " | ' [^'\n]* ' )
    | (?P<comment> \#[^\n]* )
    | (?P<newline> \n )
    | (?P<open> [\[{] )
    | (?P<close> [\]}] )
    | (?P<equals> = )
    | (?P<word> [^\s"'\#\[\]{}=]+ )
    ''',
    re.DOTALL | re.VERBOSE,
)
_POSITION = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Statement:
    """A `[table]` or `[[table]]` header, or a `key = value` pair, and the piece of the text it takes."""

    path: KeyPath
    header: KeyPath
    """The table it stands under; a header's own path."""
    line: int
    start: int
    end: int
    """Where it ends; a comment behind it is not part of it."""
    value: int | None
    """Where a pair's value starts; None for a header."""


def read(path: Path, missing: str | None = None) -> str:
    """The file's text with its line ends as they are; `missing`, if given, for no file at all. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        if missing is not None and isinstance(error, FileNotFoundError):
            return missing
        raise ConfigError([ConfigFault(path, None, "", f"cannot be read: {error.strerror}")]) from error
    return _decoded(data, path)


def read_in(directory: Directory, name: str) -> str:
    """The same of a file that a stranger may have put into a directory. Raises ConfigError."""
    path = directory.path / name
    try:
        data = directory.read(name, MAX_BYTES)
    except OSError as error:
        raise ConfigError([ConfigFault(path, None, "", f"cannot be read: {error.strerror}")]) from error
    return _decoded(data, path)


def _decoded(data: bytes, path: Path) -> str:
    if len(data) > MAX_BYTES:
        raise ConfigError([ConfigFault(path, None, "", f"larger than {MAX_BYTES // 1024 // 1024} MiB")])
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([ConfigFault(path, line, "", "not UTF-8 text", "save it as UTF-8")]) from error


def parse(text: str, path: Path) -> dict[str, Any]:
    """What the text means. Raises ConfigError with line and column."""
    if (extreme := _extreme(text)) is not None:
        raise ConfigError([ConfigFault(path, text.count("\n", 0, extreme[0]) + 1, "", extreme[1])])
    try:
        return tomllib.loads(text)
    except ValueError as error:
        found = _POSITION.match(str(error))
        message, line, column = found.groups() if found else (str(error), None, None)
        where = f" at column {column}" if column else " at the end of the file" if found else ""
        at = int(line) if line else text.count("\n") + 1 if found else None
        raise ConfigError([ConfigFault(path, at, "", f"not valid TOML: {message}{where}")]) from error


def _extreme(text: str) -> tuple[int, str] | None:
    """Where a text, valid or not, goes beyond a limit, and what is wrong there."""
    depth = parts = 0
    for token in _TOKEN.finditer(text):
        kind, word = token.lastgroup, token[0]
        depth += (kind == "open") - (kind == "close")
        if kind == "word":
            _, comma, last = word.rpartition(",")
            parts = (0 if comma else parts) + last.count(".")
            if len(word) > MAX_WORD and any(len(each) > MAX_WORD and each[0] in _DIGITS for each in word.split(",")):
                return token.start(), f"a number of more than {MAX_WORD:,} characters"
        elif kind != "string":
            parts = 0
        if max(depth, parts) > MAX_DEPTH:
            return token.start(), f"nested too deeply: more than {MAX_DEPTH} levels"
    return None


def scan(text: str) -> Iterator[Statement]:
    """The statements of a valid TOML text, in order."""
    header: KeyPath = ()
    items: dict[KeyPath, int] = {}
    line, counted = 1, 0
    for start, equals, end in _spans(text):
        line, counted = line + text.count("\n", counted, start), start
        if equals is not None:
            path = (*header, *_keys(text[start:equals]))
            value = equals + 1 + len(text[equals + 1 : end]) - len(text[equals + 1 : end].lstrip())
            yield Statement(path, header, line, start, end, value)
        else:
            header = _header(text[start:end], items)
            yield Statement(header, header, line, start, end, None)


def holds_comment(text: str) -> bool:
    """Whether a piece of valid TOML has a comment in it."""
    return any(token.lastgroup == "comment" for token in _TOKEN.finditer(text))


def _spans(text: str) -> Iterator[tuple[int, int | None, int]]:
    """Start, the place of a pair's `=`, and end of each statement."""
    start: int | None = None
    equals: int | None = None
    end = depth = 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "comment":
            continue
        if kind == "newline":
            if start is not None and depth == 0:
                yield start, equals, end
                start = equals = None
            continue
        if start is None:
            start = token.start()
        depth += (kind == "open") - (kind == "close")
        if kind == "equals" and depth == 0 and equals is None:
            equals = token.start()
        end = token.end()
    if start is not None:
        yield start, equals, end


def _header(text: str, items: dict[KeyPath, int]) -> KeyPath:
    """The path a header names, array positions included; `items` counts the `[[...]]` seen."""
    keys = _keys(text.strip("[]"))
    is_item = text.startswith("[[")
    path: KeyPath = ()
    for depth, key in enumerate(keys, start=1):
        path = (*path, key)
        if is_item and depth == len(keys):
            items[path] = items.get(path, 0) + 1
        if path in items:
            path = (*path, items[path] - 1)
    return path


def _keys(text: str) -> tuple[str, ...]:
    """The keys of a dotted key."""
    if re.fullmatch(r"[A-Za-z0-9_.-]+", text.strip()):
        return tuple(text.strip().split("."))
    keys: list[str] = []
    table: Any = tomllib.loads(f"{text} = 0")
    while isinstance(table, dict):
        key, table = next(iter(table.items()))
        keys.append(key)
    return tuple(keys)


class Lines:
    """Where keys are written in a valid TOML text."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        statements = tuple(scan(text))
        for statement in statements:
            self._lines.setdefault(statement.path, statement.line)
        for statement in statements:
            for depth in range(1, len(statement.path)):
                self._lines.setdefault(statement.path[:depth], statement.line)

    def of(self, path: KeyPath) -> int | None:
        """The line on which the key, or the nearest table or pair that holds it, begins."""
        places = (self._lines.get(path[:depth]) for depth in range(len(path), 0, -1))
        return next((line for line in places if line is not None), None)


def write(path: Path, text: str) -> None:
    """Replace the file by this text in one step, or leave it as it is. Raises ConfigError.

    A new file is for its owner only, an old one keeps its mode, and a symbolic link stays one.
    """
    target = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o600
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
        temporary = None
    except OSError as error:
        fault = ConfigFault(path, None, "", f"cannot be written: {error.strerror}", "nothing was changed")
        raise ConfigError([fault]) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
