"""Values, pairs and tables as TOML text, laid out for people: one key a line, small tables inline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from gwtui.config.errors import BARE_KEY

_LONG = 100
"""An inline table or array longer than this is laid out over several lines."""


class EditError(Exception):
    """The edit cannot be made, or not without losing something. The text says why."""


def key_text(key: str) -> str:
    """A key: bare where it may be, else quoted."""
    return key if BARE_KEY.fullmatch(key) else value_text(key)


def value_text(value: Any) -> str:
    """A value on one line. Raises EditError for what TOML cannot hold."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case int() | float():
            return repr(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            pairs = ", ".join(f"{key_text(key)} = {value_text(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case Sequence():
            return f"[{', '.join(map(value_text, value))}]"
    raise EditError("TOML has no null" if value is None else f"TOML has no spelling for {type(value).__name__}")


def pair_text(key: str, value: Any) -> str:
    """A `key = value` line. Texts of several lines and long arrays are laid out over several."""
    text = value_text(value)
    if isinstance(value, str) and "\n" in value.rstrip("\n") and "\r" not in value:
        text = '"""\n' + "\n".join(value_text(line)[1:-1] for line in value.split("\n")) + '"""'
    elif isinstance(value, list | tuple) and len(text) > _LONG:
        text = "[\n" + "".join(f"  {value_text(item)},\n" for item in value) + "]"
    return f"{key} = {text}\n"


def block_text(names: Sequence[str], table: Mapping[str, Any], *, is_item: bool) -> str:
    """A table under its `[header]`, or `[[header]]` for an item. Long tables inside it follow under their own."""
    header = ".".join(map(key_text, names))
    text = f"[[{header}]]\n" if is_item else f"[{header}]\n"
    text += "".join(pair_text(key_text(key), value) for key, value in table.items() if not is_long(value))
    inner = ((key, value) for key, value in table.items() if is_long(value))
    return text + "".join("\n" + block_text((*names, key), value, is_item=False) for key, value in inner)


def is_long(value: Any) -> bool:
    """A table that would not fit on a line."""
    return isinstance(value, Mapping) and len(value_text(value)) > _LONG
