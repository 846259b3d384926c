"""Edits of a TOML text that a person wrote: what is not edited stays as it is, byte by byte.

Every function takes a valid text and returns the edited one. An edit replaces, removes or inserts whole statements and
touches nothing else; a value that holds comments of its own is never rewritten.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from gwtui.config.errors import KeyPath, dotted
from gwtui.config.tomlfile import Statement, holds_comment, scan
from gwtui.config.tomltext import EditError, block_text, is_long, key_text, pair_text

_MISSING: Any = object()


def put(text: str, path: KeyPath, value: Any) -> str:
    """Give a key, or every key of a table, this value. Keys of the table that `value` lacks are removed."""
    old = _lookup(tomllib.loads(text), path)
    if same(old, value):
        return text
    if (pair := _covering(tuple(scan(text)), path)) is not None:
        return _rewrite(text, pair, path, value)
    if isinstance(old, dict) and isinstance(value, Mapping) and value:
        for key in old.keys() - value.keys():
            text = remove(text, (*path, key))
        for key, item in value.items():
            text = put(text, (*path, key), item)
        return text
    if old is not _MISSING:
        text = remove(text, path)
    return _insert(text, path, value)


def remove(text: str, path: KeyPath) -> str:
    """Remove a key, a table or an item of an array, with the comments inside it. Comments above it stay."""
    if not has(text, path):
        return text
    statements = tuple(scan(text))
    pair = _covering(statements, path)
    if pair is not None and pair.path != path:
        return _rewrite(text, pair, path, _MISSING)
    runs: list[list[Statement]] = []
    follows = False
    for statement in statements:
        if _under(statement.path, path):
            runs = [*runs[:-1], [*runs[-1], statement]] if follows else [*runs, [statement]]
        follows = _under(statement.path, path)
    for run in reversed(runs):
        end = _line_end(text, run[-1].end)
        while run[0].value is None and (next_end := _line_end(text, end)) > end and not text[end:next_end].strip():
            end = next_end
        text = text[: _line_start(text, run[0].start)] + text[end:]
    return text


COMMENT_WIDTH = 117
"""Characters of a line of a comment, without its sign."""


def append(text: str, path: KeyPath, table: Mapping[str, Any], comment: str = "") -> str:
    """Add a table to the array of tables at `path`, which need not exist, with a comment above it if there is room."""
    old = _lookup(tomllib.loads(text), path)
    if old == []:
        text = remove(text, path)
    statements = tuple(scan(text))
    if (pair := _covering(statements, path)) is not None:
        return _rewrite(text, pair, path, [*([] if old is _MISSING else old), dict(table)])
    return _insert_block(text, statements, path, table, is_item=True, comment=comment)


def has(text: str, path: KeyPath) -> bool:
    """Whether the text gives the key or table any meaning."""
    return _lookup(tomllib.loads(text), path) is not _MISSING


def same(one: Any, other: Any) -> bool:
    """Equal in value and in TOML type: `1`, `1.0` and `true` are three things."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def _insert(text: str, path: KeyPath, value: Any) -> str:
    """Write a key that is not there yet, as near to its table's other keys as TOML allows."""
    table, key = path[:-1], path[-1]
    if isinstance(key, int):
        raise EditError(f"{dotted(path)} is an item of an array: it cannot be rewritten")
    statements = tuple(scan(text))
    in_item = any(isinstance(part, int) for part in table)
    if isinstance(value, Mapping) and (is_long(value) or not in_item):
        return _insert_block(text, statements, path, value, is_item=False)
    own = [statement for statement in statements if statement.header == table]
    around = own or [s for s in statements if _under(s.path, table) and _under(table, s.header)]
    if around:
        last = around[-1]
        start = _line_start(text, last.start)
        indent = text[start : last.start]
        name = ".".join(key_text(str(part)) for part in path[len(last.header) :])
        return _splice(text, _line_end(text, last.end), indent + pair_text(name, value))
    if table:
        return _insert_block(text, statements, table, {key: value}, is_item=False)
    pair = pair_text(key_text(key), value)
    if not statements:
        return _splice(text, len(text), pair)
    return _splice(text, _comments_above(text, statements[0].start), pair + "\n")


def _insert_block(
    text: str,
    statements: Sequence[Statement],
    path: KeyPath,
    table: Mapping[str, Any],
    *,
    is_item: bool,
    comment: str = "",
) -> str:
    """Write a table with a header of its own: behind its fellows, else behind its parent, else at the end."""
    holders = (path[:depth] for depth in range(len(path), 0, -1))
    near = next((s for holder in holders for s in reversed(statements) if _under(s.path, holder)), None)
    at = len(text) if near is None else _block_end(text, statements, near)
    names = [part for part in path if isinstance(part, str)]
    before = text[:at].replace("\r\n", "\n")
    gap = "\n" if before and not before.endswith("\n\n") else ""
    behind = "\n" if text[at:].lstrip("\r\n") and not text[at:].startswith(("\n", "\r")) else ""
    above = "".join(f"# {line}\n" for line in wrap(comment, COMMENT_WIDTH))
    return _splice(text, at, gap + above + block_text(names, table, is_item=is_item) + behind)


def _rewrite(text: str, pair: Statement, path: KeyPath, value: Any) -> str:
    """Write a pair's value anew, with `value` at `path` inside it."""
    written = text[pair.value : pair.end]
    if holds_comment(written):
        raise EditError(f"{dotted(pair.path)} on line {pair.line} holds comments that would be lost: edit it by hand")
    holder = tomllib.loads(f"value = {written}")
    _set(holder, ("value", *path[len(pair.path) :]), value)
    new = pair_text("k", holder["value"]).removeprefix("k = ").removesuffix("\n")
    return text[: pair.value] + new.replace("\n", _line_break(text)) + text[pair.end :]


def _set(holder: Any, path: KeyPath, value: Any) -> None:
    *above, last = path
    for part in above:
        holder = holder.setdefault(part, {}) if isinstance(holder, dict) else holder[part]
    if value is _MISSING:
        del holder[last]
    else:
        holder[last] = value


def _splice(text: str, at: int, new: str) -> str:
    """Insert whole lines."""
    if at and not text[:at].endswith("\n"):
        new = "\n" + new
    return text[:at] + new.replace("\n", _line_break(text)) + text[at:]


def _lookup(data: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return data


def _under(path: KeyPath, prefix: KeyPath) -> bool:
    return path[: len(prefix)] == prefix


def _covering(statements: Sequence[Statement], path: KeyPath) -> Statement | None:
    """The pair whose value holds what is, or would be, at `path`."""
    return next((s for s in statements if s.value is not None and _under(path, s.path)), None)


def _block_end(text: str, statements: Sequence[Statement], near: Statement) -> int:
    """Where the block of a statement ends: behind its last pair, and behind comments that hang on to that one."""
    last = [statement for statement in statements if statement.header == near.header][-1]
    end = at = _line_end(text, last.end)
    while text[at : _line_end(text, at)].lstrip().startswith("#"):
        at = _line_end(text, at)
    ends_so = at == len(text) or not text[at : _line_end(text, at)].strip()
    return at if ends_so else end


def _comments_above(text: str, at: int) -> int:
    """The start of the line at `at`, or of the comments directly above it."""
    at = _line_start(text, at)
    while at and text[_line_start(text, at - 1) : at].lstrip().startswith("#"):
        at = _line_start(text, at - 1)
    return at


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Behind the line break that ends the line at `at`."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _line_break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
