"""What an endpoint's values must be beyond their types: URLs, names, headers and where secrets may stand.

Works on the raw table, so that every fault of an endpoint is found at once. No message repeats a value that could be
a secret.
"""

from __future__ import annotations

import math
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import msgspec

from gwtui.apis import api_names, fields_sent, kind_of, url_for
from gwtui.apis.base import AskError
from gwtui.apis.gateway_metrics import GATEWAY_METRICS
from gwtui.apis.rules import TOLERATIONS
from gwtui.config.errors import KeyPath, Problem, did_you_mean
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.secrets.patterns import looks_secret, names_secret, tells_secret
from gwtui.secrets.references import (
    SCHEMES,
    begins_reference,
    is_reference,
    is_sendable,
    references_in,
    without_references,
)
from gwtui.text.untrusted_files import expanded
from gwtui.transport.connection_policy import host_and_port
from gwtui.transport.proxy_urls import DIRECT, ProxyURLError, parse_proxy

_Complaint: TypeAlias = tuple[str, str]
"""What is wrong and what to do."""

_NAMED_FIRST = re.compile(r"`([a-z_]+(?:\.\w+)*)`:? ")
"""How an API names the field that it has something against."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 5.6.2: what a method or a header name may be."""
_SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103
"""`sun_path` of the system, without its last zero: unix(7)."""
_SET_BY_GWTUI = frozenset(
    {
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
    }
)
_MISPLACED = ("holds a reference outside of its query", "references are allowed only in keys, headers and queries")
_USE_KEY = f"use key = {SCHEMES}"
_USE_REFERENCE = f"say where it is: {SCHEMES}, in a text ${{env:NAME}}"


def name_complaint(name: str) -> _Complaint | None:
    """Names are shown, filed and typed: nothing invisible in them."""
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name):
        return "holds control or invisible characters", "use letters, digits, spaces and signs"
    if name != name.strip():
        return "begins or ends with a space", ""
    return None


def endpoint_problems(table: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    """Everything wrong with the values of an endpoint's table; wrong types are `gwtui.schema`'s business."""
    yield from list(_value_problems(table, path)) or _asking_problems(table, path)


def _asking_problems(table: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    """What the endpoint's own API has against it."""
    try:
        yield from _omit_problems(msgspec.convert(table, Endpoint), path)
    except AskError as error:
        named = _NAMED_FIRST.match(str(error))
        key = named.group(1).split(".") if named is not None else []
        yield Problem((*path, *key), str(error)[named.end() if named is not None else 0 :])
    except (msgspec.ValidationError, KeyError):
        return


def _omit_problems(endpoint: Endpoint, path: KeyPath) -> Iterator[Problem]:
    """Fields to leave out that no request of the endpoint has. Raises `AskError` where it cannot be asked at all."""
    url_for(endpoint)
    known = fields_sent(endpoint) if endpoint.omit else frozenset()
    for index, name in enumerate(endpoint.omit):
        if name not in known:
            yield Problem((*path, "omit", index), "is not sent", did_you_mean(name, known))


def _value_problems(table: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    for key, check in _CHECKS.items():
        value = table.get(key)
        if isinstance(value, str) and (complaint := check(value)) is not None:
            yield Problem((*path, key), *complaint)
    headers = table.get("headers")
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        if isinstance(value, str) and (complaint := _header_complaint(name, value)) is not None:
            yield Problem((*path, "headers", name), *complaint)
    tls = table.get("tls")
    yield from _tls_problems(tls, (*path, "tls")) if isinstance(tls, Mapping) else ()
    for key in ("body", "messages"):
        if (message := _not_json(table.get(key))) is not None:
            yield Problem((*path, key), message)
    values = table.get("expect_json")
    yield from _expected_values(values, (*path, "expect_json")) if isinstance(values, Mapping) else ()
    if "expect_provider" in table and "metrics" not in table:
        hint = 'metrics = "NAME" of the endpoint with its gateway\'s metrics'
        yield Problem((*path, "expect_provider"), "needs metrics, where providers are looked up", hint)
    yield from _connection_problems(table, path)
    yield from _tolerate_problems(table.get("tolerate"), (*path, "tolerate"))
    if (api := table.get("api")) in api_names():
        yield from _kind_problems(table, kind_of(api), path)


def _expected_values(values: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _expected_values(value, (*path, name))
        elif not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
            yield Problem((*path, name), "must be text, a number, true or false", '"data[0].id" = 7 for a value in it')


def _tolerate_problems(tolerate: Any, path: KeyPath) -> Iterator[Problem]:
    for index, each in enumerate(tolerate if isinstance(tolerate, list | tuple) else ()):
        if isinstance(each, str) and each not in TOLERATIONS:
            near = did_you_mean(each, TOLERATIONS)
            hint = near if near.endswith("?") else "a finding, or the rule of a result: openai.done-without-finish"
            yield Problem((*path, index), "unknown rule or finding", hint)


def _tls_problems(tls: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    for key in ("client_key", "client_key_password"):
        if key in tls and "client_cert" not in tls:
            yield Problem((*path, key), "needs client_cert", 'client_cert = "me.pem"')
    password = tls.get("client_key_password")
    if isinstance(password, str) and not is_reference(password):
        yield Problem((*path, "client_key_password"), "must say where the password is, not what it is", SCHEMES)


def budget_problems(profile: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    """A budget that limits nothing is a mistake; so is one in dollars where nothing has a price."""
    budget, endpoints = profile.get("budget"), profile.get("endpoints")
    if not isinstance(budget, Mapping):
        return
    if not {"requests", "tokens", "usd"} & budget.keys():
        yield Problem((*path, "budget"), "sets no limit", "requests = 1000, tokens = 500000 or usd = 5.0")
    if "usd" in budget and not any(
        isinstance(endpoint, Mapping) and endpoint.get("price")
        for endpoint in (endpoints if isinstance(endpoints, list) else ())
    ):
        hint = "price = { input_per_million = 0.25, output_per_million = 1.25 } in an endpoint"
        yield Problem((*path, "budget", "usd"), "needs prices, and no endpoint has one", hint)


def metrics_problems(profile: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    """An endpoint that names the metrics of its gateway, which the profile does not have."""
    listed = profile.get("endpoints")
    endpoints = [each if isinstance(each, Mapping) else {} for each in listed] if isinstance(listed, list) else []
    known = [
        each["name"]
        for each in endpoints
        if each.get("api") == GATEWAY_METRICS.name and isinstance(each.get("name"), str)
    ]
    for index, endpoint in enumerate(endpoints):
        named = endpoint.get("metrics")
        if isinstance(named, str) and named not in known:
            hint = did_you_mean(named, known) or "gwtui config add gateway-metrics adds one"
            words = f"is not an endpoint of this profile with the API {GATEWAY_METRICS.name}"
            yield Problem((*path, "endpoints", index, "metrics"), words, hint)


def _kind_problems(table: Mapping[str, Any], kind: Kind, path: KeyPath) -> Iterator[Problem]:
    url, body = table.get("url"), table.get("body")
    if kind is not Kind.WEBSOCKET and isinstance(url, str) and url.lower().startswith(("ws:", "wss:")):
        yield Problem((*path, "url"), "ws and wss are for the API websocket", "use http or https")
    if kind is Kind.COMPLETION and isinstance(body, str):
        yield Problem((*path, "body"), "must be a table of request fields for this API", "body = { temperature = 0.2 }")
    if kind is Kind.COMPLETION and isinstance(body, Mapping) and "stream" in body:
        yield Problem((*path, "body", "stream"), "is a separate setting", "set `stream` of the endpoint")
    for key, (default, kinds, name) in _ONLY_FOR.items():
        if kind not in kinds and table.get(key, default) != default:
            yield Problem((*path, key), f"is for {name} only", "leave it out")
    subprotocols = table.get("subprotocols")
    for index, each in enumerate(subprotocols if isinstance(subprotocols, list | tuple) else ()):
        if isinstance(each, str) and (looks_secret(each) or references_in(each)):
            hint = 'headers = { Sec-WebSocket-Protocol = "realtime, key.${env:NAME}" }'
            yield Problem((*path, "subprotocols", index), "holds a secret or a reference", hint)
    if kind is Kind.WEBSOCKET and isinstance(body, Mapping):
        yield Problem((*path, "body"), "must be the text to send for this API", 'body = "ping"')


def _connection_problems(table: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    """Settings of the connection that exclude each other."""
    if "max_connection_s" in table and table.get("connection") == "fresh":
        yield Problem((*path, "max_connection_s"), 'has no effect with connection = "fresh"', "leave one of them out")
    if "unix" in table and table.get("addresses") == "each":
        yield Problem((*path, "addresses"), "has no effect with unix, which has no addresses", "leave it out")
    if "unix" in table and table.get("proxy", DIRECT) != DIRECT:
        yield Problem((*path, "proxy"), "has no effect with unix", "leave one of them out")


def _api_complaint(api: str) -> _Complaint | None:
    return None if api in api_names() else ("unknown API", did_you_mean(api, api_names()))


def _url_complaint(url: str) -> _Complaint | None:
    if references_in(url.partition("?")[0]):
        return _MISPLACED
    if _has_blanks(without_references(url)):
        return "holds spaces or control characters", "write them as %20 and the like"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "has an impossible host or port", "https://gateway.example.com:8443"
    if parts.scheme not in {"http", "https", "ws", "wss"}:
        return "must begin with http://, https://, ws:// or wss://", ""
    if not host:
        return "has no host", "https://gateway.example.com"
    if "@" in parts.netloc:
        return "holds a user name or password", _USE_KEY
    return _query_complaint(parts.query, parts.fragment)


def _path_complaint(path: str) -> _Complaint | None:
    if references_in(path.partition("?")[0]):
        return _MISPLACED
    if _has_blanks(without_references(path)):
        return "holds spaces or control characters", "write them as %20 and the like"
    if re.match(r"[A-Za-z]+://", path):
        return "is a whole URL", "put scheme and host into url"
    query, _, fragment = path.partition("?")[2].partition("#")
    return _query_complaint(query, fragment)


def _query_complaint(query: str, fragment: str) -> _Complaint | None:
    if fragment:
        return "has a fragment (#...), which is never sent", ""
    if begins_reference(without_references(query)):
        return "holds an unfinished reference", "write ${env:NAME} or ${file:PATH}"
    if any(tells_secret(name, value) for name, value in parse_qsl(query, keep_blank_values=True)):
        return "holds a key in its query", f"{_USE_KEY}, sent as a header, or ${{env:NAME}} in the query"
    return None


def _connect_to_complaint(text: str) -> _Complaint | None:
    try:
        host_and_port(text)
    except ValueError:
        return "must be HOST:PORT", "10.0.0.7:8443, gateway-2.internal:443 or [::1]:8443"
    return None


def _proxy_complaint(text: str) -> _Complaint | None:
    if text == DIRECT or is_reference(text):
        return _key_complaint(text) if text != DIRECT else None
    try:
        url = parse_proxy(text)
    except ProxyURLError as error:
        return str(error), "such as socks5h://${env:LOGIN}@proxy.example.com:1080, or direct"
    for part, is_secret in ((url.user, False), (url.password or "", True)):
        literal = without_references(part)
        if begins_reference(literal):
            return "holds an unfinished reference", "write ${env:NAME} or ${file:PATH}"
        if literal and (is_secret or looks_secret(literal)):
            return "holds a password", "say where it is: socks5h://me:${env:NAME}@proxy.example.com:1080"
    return None


def _unix_complaint(text: str) -> _Complaint | None:
    if not text.startswith(("/", "~/")):
        return "must be an absolute path", "begin with / or ~/"
    if "\0" in text:
        return "contains a character that paths cannot contain", ""
    if len(os.fsencode(expanded(text))) > _SOCKET_PATH_BYTES:
        return (
            f"is longer than a socket's path can be ({_SOCKET_PATH_BYTES} bytes)",
            "use a shorter path or a link",
        )
    return None


def _key_complaint(key: str) -> _Complaint | None:
    if key.startswith("cmd:") and looks_secret(key):
        return "looks like a secret written out in a command", "let the command find it"
    if is_reference(key):
        return None
    return "must say where the key is, not what it is", SCHEMES


def _method_complaint(method: str) -> _Complaint | None:
    return None if _TOKEN.fullmatch(method) else ("is not an HTTP method", "GET, POST, HEAD, ...")


def _header_complaint(name: str, value: str) -> _Complaint | None:
    if not _TOKEN.fullmatch(name):
        return "is not a header name", "letters, digits and -"
    if name.lower() in _SET_BY_GWTUI:
        return "is set by gwtui itself", "leave it out"
    held = references_in(value)
    literal = without_references(value)
    if begins_reference(literal):
        return "holds an unfinished reference", "write ${env:NAME} or ${file:PATH}"
    if not is_sendable(literal):
        return "holds line breaks or characters that no HTTP header can carry", ""
    if not held and value and (names_secret(name) or looks_secret(value)):
        return "looks like a secret written out", _USE_REFERENCE
    return None


def _has_blanks(text: str) -> bool:
    return any(char.isspace() or unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in text)


def _not_json(value: Any) -> str | None:
    """Why a value cannot be sent as JSON; None when it can."""
    if isinstance(value, Mapping):
        return next((why for item in value.values() if (why := _not_json(item)) is not None), None)
    if isinstance(value, list | tuple):
        return next((why for item in value if (why := _not_json(item)) is not None), None)
    if isinstance(value, date | time):
        return "holds a date or time, which JSON lacks: write it as text"
    if isinstance(value, float) and not math.isfinite(value):
        return "holds inf or nan, which JSON lacks"
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return "holds a whole number of more than 64 bits: write it as text"
    return None


_ONLY_FOR: dict[str, tuple[Any, tuple[Kind, ...], str]] = {
    "ping": ("text", (Kind.WEBSOCKET,), "the API websocket"),
    "subprotocols": ([], (Kind.WEBSOCKET,), "the API websocket"),
    "expect_json": ({}, (Kind.HTTP,), "the API http"),
    "metrics": (None, (Kind.COMPLETION,), "LLM APIs"),
    "expect_provider": (None, (Kind.COMPLETION,), "LLM APIs"),
    "omit": ([], (Kind.COMPLETION,), "LLM APIs"),
    "nonce": (False, (Kind.COMPLETION,), "LLM APIs"),
    "expect_model": (None, (Kind.COMPLETION,), "LLM APIs"),
}
"""Settings that others would ignore: their default, the kinds that have them, and what that is called."""
_CHECKS: dict[str, Callable[[str], _Complaint | None]] = {
    "name": name_complaint,
    "api": _api_complaint,
    "url": _url_complaint,
    "path": _path_complaint,
    "connect_to": _connect_to_complaint,
    "unix": _unix_complaint,
    "proxy": _proxy_complaint,
    "key": _key_complaint,
    "method": _method_complaint,
}
