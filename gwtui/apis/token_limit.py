"""The token limit of a request: under which name a model takes it, and fields that are left out of a body."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from gwtui.apis.base import API, LIMIT_FIELDS
from gwtui.apis.errors import refused_parameter
from gwtui.model.profile import Endpoint

SETTING = "max_tokens"
"""The endpoint's setting, which goes into whichever field the model takes."""
LIMIT_TABLES = (
    ("generationConfig", "maxOutputTokens"),
    ("inferenceConfig", "maxTokens"),
    ("options", "num_predict"),
    ("parameters", "max_new_tokens"),
    ("response", "max_output_tokens"),
    ("session", "max_response_output_tokens"),
    ("textGenerationConfig", "maxTokenCount"),
)
"""Tables of a body that have the limit in them."""
CHAT_LIMITS = ("max_tokens", "max_completion_tokens")
"""Names of the limit in chat completions; the API refuses both at once."""
_THINKS = re.compile(r"(?:.*/)?(?:o[1-9]|gpt-(?:[5-9]|\d\d))(?![a-z0-9])")
"""OpenAI's models that take the newer name alone: o1 and its successors, and from GPT-5 on."""
_VALUE = re.compile(
    r"too (large|small|high|low|big)|at (most|least)|less than|greater than|maximum (of|is|allowed)|exceeds?\b|between"
)
"""A refusal of the number, which another name does not help."""


def chat_limit(model: str) -> str:
    """The name of the limit that this model takes in chat completions."""
    return CHAT_LIMITS[bool(_THINKS.match(model.lower()))]


def limited(fields: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """The fields of a body with every token limit in them replaced, also those of nested settings."""
    return {
        name: limit
        if name in LIMIT_FIELDS and isinstance(value, int)
        else limited(value, limit)
        if isinstance(value, dict)
        else value
        for name, value in fields.items()
    }


def limits_in(fields: Mapping[str, Any]) -> Iterator[int]:
    """The token limits in a body, also those of nested settings."""
    for name, value in fields.items():
        if name in LIMIT_FIELDS and isinstance(value, int):
            yield value
        elif isinstance(value, dict):
            yield from limits_in(value)


def with_limit_in(endpoint: Endpoint, fields: Iterable[str], name: str) -> Endpoint:
    """The endpoint with its limit under that name and under no other of these fields."""
    body = dict(endpoint.body) if isinstance(endpoint.body, dict) else {}
    own = [body.pop(field) for field in fields if field in body]
    return msgspec.structs.replace(endpoint, body={**body, name: own[0] if own else endpoint.max_tokens})


def refused_limit(api: API, status: int | None, asked: bytes, answer: bytes) -> str:
    """The name of the limit that this refusal is about, where the API knows another; else "".

    `asked`: the request's body. A refusal of the number is not one of the name.
    """
    if status not in (400, 422) or len(api.limit_fields) < 2:
        return ""
    said = answer.decode("utf-8", "replace")
    sent = next((name for name in api.limit_fields if name in msgspec.json.decode(asked)), "")
    is_named = refused_parameter(answer) in api.limit_fields and re.search(rf"\b{sent}\b", said)
    return sent if sent and is_named and not _VALUE.search(said.lower()) else ""


def without_omitted(body: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """The body without what the endpoint omits: fields, fields of tables (`a.b`), and by `max_tokens` any limit."""
    for name in endpoint.omit:
        if name == SETTING:
            names = (*LIMIT_FIELDS, endpoint.fields.get(SETTING, SETTING))
            for path in (*((each,) for each in names), *LIMIT_TABLES):
                body = _without(body, path)
        else:
            body = _without(body, name.split("."))
    return body


def _without(body: dict[str, Any], path: Iterable[str]) -> dict[str, Any]:
    """The table without what stands at the path, and without a table that is empty then."""
    name, *rest = path
    if not rest:
        return {key: value for key, value in body.items() if key != name}
    table = body.get(name)
    if not isinstance(table, dict):
        return body
    left = _without(table, rest)
    return {**body, name: left} if left else _without(body, (name,))


def names_in(body: bytes) -> set[str]:
    """The fields of a request's body in JSON, and those of tables in it as `a.b`."""
    try:
        fields = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return set()
    if not isinstance(fields, dict):
        return set()
    tables = ((name, value) for name, value in fields.items() if isinstance(value, dict))
    return {*fields, *(f"{name}.{inner}" for name, table in tables for inner in table)}
