"""What an endpoint's values must be beyond their types: URLs, names, headers and where secrets may stand.

Works on the raw table, so that every fault of an endpoint is found at once. No message repeats a value that could be
a secret.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any

import msgspec

from gwtui.apis import SOCKET_APIS, api_names, fields_sent, kind_of, url_for
from gwtui.apis.base import AskError
from gwtui.apis.gateway_metrics import GATEWAY_METRICS
from gwtui.apis.rules import TOLERATIONS
from gwtui.config.complaints import COMPLAINTS, header_complaint
from gwtui.config.errors import KeyPath, Problem, did_you_mean
from gwtui.model.durations import seconds_of
from gwtui.model.enums import Kind
from gwtui.model.findings import FINDINGS
from gwtui.model.maintenance import window_errors
from gwtui.model.profile import Endpoint, Maintenance
from gwtui.secrets.patterns import looks_secret
from gwtui.secrets.references import (
    SCHEMES,
    is_reference,
    references_in,
)
from gwtui.transport.proxy_urls import DIRECT

_FINDINGS = frozenset(name.value for name in FINDINGS)
_NAMED_FIRST = re.compile(r"`([a-z_]+(?:\.\w+)*)`:? ")
"""How an API names the field that it has something against."""


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
    for key, check in COMPLAINTS.items():
        value = table.get(key)
        if isinstance(value, str) and (complaint := check(value)) is not None:
            yield Problem((*path, key), *complaint)
    headers = table.get("headers")
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        if isinstance(value, str) and (complaint := header_complaint(name, value)) is not None:
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
    yield from threshold_problems(table, path)
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
        hint = "price = { input_per_million = 0.10, output_per_million = 0.50 } in an endpoint"
        yield Problem((*path, "budget", "usd"), "needs prices, and no endpoint has one", hint)


def threshold_problems(table: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    """What is wrong with the texts among the thresholds of a profile or an endpoint."""
    thresholds = table.get("thresholds")
    if not isinstance(thresholds, Mapping):
        return
    where: KeyPath = (*path, "thresholds")
    names = thresholds.get("findings_degrade")
    for index, name in enumerate(names if isinstance(names, list | tuple) else ()):
        if isinstance(name, str) and name not in _FINDINGS:
            near = did_you_mean(name, _FINDINGS)
            hint = near if near.endswith("?") else "such as buffered or combed; the README lists them"
            yield Problem((*where, "findings_degrade", index), "unknown finding", hint)
    lasts = thresholds.get("relearn_after")
    if isinstance(lasts, str):
        try:
            seconds_of(lasts)
        except ValueError as error:
            yield Problem((*where, "relearn_after"), str(error))


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


def maintenance_problems(profile: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    """Windows that cannot be meant, or that are for endpoints which the profile does not have."""
    listed, windows = profile.get("endpoints"), profile.get("maintenance")
    known = [each.get("name") for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    for index, table in enumerate(windows if isinstance(windows, list) else ()):
        where: KeyPath = (*path, "maintenance", index)
        try:
            window = msgspec.convert(table, Maintenance)
        except msgspec.ValidationError:
            continue
        for error in window_errors(window):
            yield Problem((*where, error.setting) if error.setting else where, error.problem, error.hint)
        for at, name in enumerate(window.endpoints):
            if name not in known:
                hint = did_you_mean(name, [each for each in known if isinstance(each, str)])
                yield Problem((*where, "endpoints", at), "is not an endpoint of this profile", hint)


def _kind_problems(table: Mapping[str, Any], kind: Kind, path: KeyPath) -> Iterator[Problem]:
    url, body = table.get("url"), table.get("body")
    over_socket = kind is Kind.WEBSOCKET or table.get("api") in SOCKET_APIS
    if not over_socket and isinstance(url, str) and url.lower().startswith(("ws:", "wss:")):
        words = f"ws and wss are for the APIs websocket and {', '.join(SOCKET_APIS)}"
        yield Problem((*path, "url"), words, "use http or https")
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
