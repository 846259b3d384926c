"""The endpoint form as a table: each field's label and hint, how its value becomes text, and text its value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from gwtui.profile import Endpoint, Profile
from gwtui.words import Kind


class Widget(Enum):
    """What a field is edited with."""

    LINE = "line"
    AREA = "area"
    CHOICE = "choice"
    SWITCH = "switch"


class Form(Enum):
    """What a field's text stands for."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    HEADERS = "headers"
    BODY = "body"


class FieldError(ValueError):
    """A text that is not a value of its field. Says which field and what is wanted."""


class Field(NamedTuple):
    name: str
    """The endpoint's field; `deadlines.idle_s` is a field of its table."""
    label: str
    hint: str
    group: str
    form: Form = Form.TEXT
    widget: Widget = Widget.LINE
    kinds: tuple[Kind, ...] = tuple(Kind)
    """The kinds of API that have it."""


_COMPLETION = (Kind.COMPLETION,)
_HTTP = (Kind.HTTP,)
_ASKED = (Kind.COMPLETION, Kind.HTTP)
_PINGED = (Kind.HTTP, Kind.WEBSOCKET)

FIELDS: tuple[Field, ...] = (
    Field("name", "name", "unique in the profile", "what"),
    Field("api", "API", "how to ask and how to read the answer", "what", widget=Widget.CHOICE),
    Field("url", "URL", "the base URL: http, https, ws or wss", "what"),
    Field("path", "path", "after the base URL; empty: the API's own", "what"),
    Field("method", "method", "GET, POST, ...", "what", kinds=_HTTP),
    Field("model", "model", "empty: the API's example model", "what", kinds=_COMPLETION),
    Field("prompt", "prompt", "one user message; empty: the API's own", "what", widget=Widget.AREA, kinds=_COMPLETION),
    Field("max_tokens", "max tokens", "limit of the answer", "what", Form.INTEGER, kinds=_COMPLETION),
    Field("stream", "stream", "ask for events instead of one answer", "what", widget=Widget.SWITCH, kinds=_COMPLETION),
    Field("body", "body", "text to send, or further fields as JSON", "what", Form.BODY, Widget.AREA),
    Field("expect", "expect", "the answer that is right; empty: any, or pong", "what", kinds=_PINGED),
    Field("expect_status", "status", "the HTTP status that is right", "what", Form.INTEGER, kinds=_HTTP),
    Field("key", "key", "where it is: env:NAME or file:PATH, never the key itself", "access"),
    Field("auth", "auth", "how the key is sent; empty: the API's way", "access", widget=Widget.CHOICE),
    Field("headers", "headers", "a line each: Name: value, or Name: ${env:NAME}", "access", Form.HEADERS, Widget.AREA),
    Field("interval_s", "interval", "seconds between probes; empty: the profile's", "pace", Form.NUMBER),
    Field("overlap", "overlap", "probes under way at once", "pace", Form.INTEGER),
    Field("deadlines.connect_s", "connect", "seconds to connect, TLS included", "pace", Form.NUMBER),
    Field("deadlines.first_byte_s", "first byte", "seconds to the first byte", "pace", Form.NUMBER, kinds=_ASKED),
    Field("deadlines.first_token_s", "first token", "seconds to content", "pace", Form.NUMBER, kinds=_COMPLETION),
    Field("deadlines.idle_s", "silence", "seconds between two reads", "pace", Form.NUMBER),
    Field("deadlines.total_s", "total", "seconds for all of it", "pace", Form.NUMBER),
    Field("thresholds.down_after", "down after", "failures in a row", "state", Form.INTEGER),
    Field("thresholds.up_after", "up after", "good ones in a row", "state", Form.INTEGER),
    Field("thresholds.degraded_fail_share", "degraded at", "failed share, 0 to 1", "state", Form.NUMBER),
    Field("thresholds.slow_over_ms", "slow over", "milliseconds", "state", Form.NUMBER),
    Field("thresholds.slow_percentile", "slow pct", "which percentile is watched", "state", Form.NUMBER),
    Field("thresholds.slow_for_s", "slow for", "seconds over the limit", "state", Form.NUMBER),
)


def texts_of(endpoint: Endpoint, profile: Profile) -> dict[str, str]:
    """The texts that the form starts with. Tables show the values in force, the endpoint's own or the profile's."""
    tables = {"deadlines": profile.deadlines_of(endpoint), "thresholds": profile.thresholds_of(endpoint)}
    texts = {}
    for field in FIELDS:
        table, _, name = field.name.rpartition(".")
        texts[field.name] = _text(getattr(tables[table] if table else endpoint, name))
    return texts


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case dict() if all(isinstance(each, str) for each in value.values()) and value:
            return "\n".join(f"{name}: {each}" for name, each in value.items())
        case dict():
            return json.dumps(value, ensure_ascii=False) if value else ""
    return str(value)


def endpoint_fields(texts: Mapping[str, str], kind: Kind, base: Endpoint, profile: Profile) -> dict[str, Any]:
    """The endpoint's fields from the form's texts, for a check by `gwtui.config`. Raises `FieldError`.

    Fields that the form does not show keep the values of `base`. A table is given only where it differs from the
    profile's, so that an endpoint follows its profile until it is told otherwise.
    """
    given: dict[str, Any] = {
        name: value
        for name, value in msgspec.to_builtins(base).items()
        if name not in {field.name for field in FIELDS} | {"deadlines", "thresholds"}
    }
    tables: dict[str, dict[str, Any]] = {"deadlines": {}, "thresholds": {}}
    for table in tables:
        tables[table] = msgspec.to_builtins(getattr(profile, f"{table}_of")(base))
    for field in FIELDS:
        if kind not in field.kinds:
            continue
        value = _value(field, texts.get(field.name, ""), kind)
        table, _, name = field.name.rpartition(".")
        if value is not None:
            (tables[table] if table else given)[name] = value
    own = {name: values for name, values in tables.items() if values != msgspec.to_builtins(getattr(profile, name))}
    return given | own


def _value(field: Field, text: str, kind: Kind) -> Any:
    text = text.strip()
    if field.widget is Widget.SWITCH:
        return text == "yes"
    if not text:
        return None
    match field.form:
        case Form.INTEGER | Form.NUMBER:
            try:
                return int(text) if field.form is Form.INTEGER else float(text)
            except ValueError:
                raise FieldError(f"{field.label}: {text!r} is not a number") from None
        case Form.HEADERS:
            return dict(_header(line) for line in text.splitlines() if line.strip())
        case Form.BODY if kind is Kind.COMPLETION:
            return _json_table(field, text)
    return text


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not (colon and name.strip()):
        raise FieldError(f"headers: {line!r} is not of the form Name: value")
    return name.strip(), value.strip()


def _json_table(field: Field, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise FieldError(f"{field.label}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise FieldError(f'{field.label}: a JSON object is wanted, such as {{"temperature": 0}}')
    return value


def new_endpoint(profile: Profile) -> Endpoint:
    """What the form for a new endpoint starts with."""
    return Endpoint(name=free_name("new", profile), api="anthropic-messages", url="http://127.0.0.1:54548")


def duplicate(endpoint: Endpoint, profile: Profile) -> Endpoint:
    """A copy under a name that is still free."""
    return msgspec.structs.replace(endpoint, name=free_name(f"{endpoint.name}-copy", profile))


def free_name(wanted: str, profile: Profile) -> str:
    """The wanted name, or with a number behind it where it is taken."""
    taken = {endpoint.name for endpoint in profile.endpoints}
    candidates = [wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in candidates if name not in taken)
