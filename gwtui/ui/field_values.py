"""What the endpoint form's fields hold: how a value becomes text, and a text its value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from gwtui.apis import kind_of
from gwtui.apis.expect import ExpectError, json_value, spelled_statuses
from gwtui.apis.json_values import unfolded
from gwtui.model.enums import Kind
from gwtui.model.profile import TLS, Endpoint, Profile
from gwtui.ui.fields import FIELDS, REQUIRED, TABLES, Field, FieldForm


class FieldError(ValueError):
    """A text that is not a value of its field. Says which field, and what is wanted."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def texts_of(endpoint: Endpoint, profile: Profile) -> dict[str, str]:
    """The texts that the form starts with. Tables show the values in force, the endpoint's own or the profile's."""
    tables = _tables_of(endpoint, profile)
    texts = {}
    for field in FIELDS:
        table, _, name = field.name.rpartition(".")
        texts[field.name] = _text(field, getattr(tables[table] if table else endpoint, name))
    return texts


def _tables_of(endpoint: Endpoint, profile: Profile) -> dict[str, msgspec.Struct]:
    """The tables in force."""
    return {table: getattr(endpoint, table) or _shared(table, profile) for table in TABLES}


def _shared(table: str, profile: Profile) -> msgspec.Struct:
    """What holds for endpoints without a table of their own."""
    shared: msgspec.Struct = getattr(profile, table, TLS())
    return shared


def _text(field: Field, value: Any) -> str:
    if value is None:
        return ""
    match field.form:
        case FieldForm.YES_NO:
            return "yes" if value else "no"
        case FieldForm.NUMBER:
            return repr(value).removesuffix(".0")
        case FieldForm.STATUS:
            return spelled_statuses(value)
        case FieldForm.HEADERS:
            return "\n".join(f"{name}: {each}" for name, each in value.items())
        case FieldForm.VALUES:
            return "\n".join(f"{path} = {json.dumps(each, ensure_ascii=False)}" for path, each in unfolded(value))
        case FieldForm.LIST:
            return ", ".join(value)
        case FieldForm.BODY if not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def endpoint_fields(texts: Mapping[str, str], base: Endpoint, profile: Profile) -> dict[str, Any]:
    """The endpoint's fields from the form's texts, for a check by `gwtui.config`. Raises `FieldError`.

    What was not touched keeps the value of `base`, whether the form shows it or not. A table is given only where
    `base` had one or it now differs from the profile's: an endpoint follows its profile until it has a value of its
    own.
    """
    kind = kind_of(texts["api"])
    same_kind = kind is kind_of(base.api)
    start = texts_of(base, profile)
    given: dict[str, Any] = msgspec.to_builtins(base)
    tables = {table: msgspec.structs.asdict(each) for table, each in _tables_of(base, profile).items()}
    touched = set()
    for field in FIELDS:
        table, _, name = field.name.rpartition(".")
        if kind not in field.kinds:
            if not same_kind and not table:
                given.pop(name, None)
        elif texts[field.name] != start[field.name] or (field.form is FieldForm.BODY and not same_kind):
            value = _value(field, texts[field.name], kind)
            if table:
                touched.add(table)
                tables[table][name] = getattr(_shared(table, profile), name) if value is None else value
            else:
                given[name] = value
    for table in touched:
        own = tables[table] != msgspec.structs.asdict(_shared(table, profile))
        given[table] = {name: value for name, value in tables[table].items() if value is not None} if own else None
    return given


def _value(field: Field, text: str, kind: Kind) -> Any:
    """The value that the text holds; None for the field's default. Raises `FieldError`."""
    text = text.strip()
    if not text:
        return "" if field.name in REQUIRED else None
    match field.form:
        case FieldForm.YES_NO:
            return text == "yes"
        case FieldForm.INTEGER | FieldForm.NUMBER:
            try:
                return int(text) if field.form is FieldForm.INTEGER else float(text)
            except ValueError:
                raise FieldError(field.name, f"{field.label}: {text[:40]!r} is not a number") from None
        case FieldForm.STATUS:
            return int(text) if text.isdecimal() and len(text) == 3 else text
        case FieldForm.HEADERS:
            return dict(_header(line) for line in text.splitlines() if line.strip())
        case FieldForm.VALUES:
            return dict(_expected(field, line.strip()) for line in text.splitlines() if line.strip())
        case FieldForm.LIST:
            return [part for each in text.split(",") if (part := each.strip())]
        case FieldForm.BODY if kind is Kind.COMPLETION:
            return _json_table(field, text)
    return text


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not (colon and name.strip()):
        raise FieldError("headers", "headers: write a line each, of the form Name: value")
    return name.strip(), value.strip()


def _expected(field: Field, line: str) -> tuple[str, Any]:
    try:
        return json_value(line)
    except ExpectError as error:
        raise FieldError(field.name, f"{field.label}: {line[:40]!r} {error}") from None


def _json_table(field: Field, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except RecursionError:
        raise FieldError(field.name, f"{field.label}: nested too deeply") from None
    except ValueError as error:
        raise FieldError(field.name, f"{field.label}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise FieldError(field.name, f'{field.label}: must be a JSON object, such as {{"temperature": 0}}')
    return value
