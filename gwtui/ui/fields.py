"""The endpoint form as a table: each field with its label and hint, and what it is edited with."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec

from gwtui.model.enums import Kind
from gwtui.model.metrics import LATENCIES
from gwtui.model.profile import Endpoint, Profile


class Widget(Enum):
    """What a field is edited with."""

    LINE = "line"
    AREA = "area"
    CHOICE = "choice"
    SWITCH = "switch"


class FieldForm(Enum):
    """The type of value that a field's text holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    STATUS = "status"
    HEADERS = "headers"
    VALUES = "values"
    LIST = "list"
    BODY = "body"
    YES_NO = "yes or no"


class Field(NamedTuple):
    name: str
    """The endpoint's field; `deadlines.idle_s` is a field of its table."""
    label: str
    hint: str
    group: str
    form: FieldForm = FieldForm.TEXT
    widget: Widget = Widget.LINE
    kinds: tuple[Kind, ...] = tuple(Kind)
    """The kinds of API that have it."""


_COMPLETION = (Kind.COMPLETION,)
_HTTP = (Kind.HTTP,)
_ASKED = (Kind.COMPLETION, Kind.HTTP)
_WEBSOCKET = (Kind.WEBSOCKET,)
_PINGED = (Kind.HTTP, Kind.WEBSOCKET)

FIELDS: tuple[Field, ...] = (
    Field("name", "name", "unique in the profile", "what"),
    Field("api", "API", "the protocol of the endpoint", "what", widget=Widget.CHOICE),
    Field("url", "URL", "such as https://gateway.example.com", "what"),
    Field("path", "path", "after the base URL; empty: the API's own", "what"),
    Field("method", "method", "GET, POST, ...", "what", kinds=_HTTP),
    Field("model", "model", "empty: the API's example model", "what", kinds=_COMPLETION),
    Field("expect_model", "expect model", "who has to answer, if not that model", "what", kinds=_COMPLETION),
    Field("prompt", "prompt", "one user message; empty: the API's own", "what", widget=Widget.AREA, kinds=_COMPLETION),
    Field(
        "nonce",
        "nonce",
        "a fresh number in every prompt, so that no cache answers",
        "what",
        FieldForm.YES_NO,
        Widget.SWITCH,
        _COMPLETION,
    ),
    Field(
        "max_tokens",
        "max tokens",
        "maximum number of tokens in the answer",
        "what",
        FieldForm.INTEGER,
        kinds=_COMPLETION,
    ),
    Field(
        "stream",
        "stream",
        "a stream of events, or one whole answer",
        "what",
        FieldForm.YES_NO,
        Widget.SWITCH,
        _COMPLETION,
    ),
    Field("body", "body", "text to send; for LLM APIs additional fields as JSON", "what", FieldForm.BODY, Widget.AREA),
    Field("omit", "omit", "comma-separated fields not to send", "what", FieldForm.LIST, kinds=_COMPLETION),
    Field("expect", "expect", "text, re:…, json:…, any; empty: any, or pong", "what", kinds=_PINGED),
    Field(
        "expect_json",
        "expect JSON",
        "one per line: status = healthy, providers.anthropic = true",
        "what",
        FieldForm.VALUES,
        Widget.AREA,
        _HTTP,
    ),
    Field("expect_status", "status", "expected HTTP status: 204, 2xx, 200-299", "what", FieldForm.STATUS, kinds=_HTTP),
    Field("ping", "ping", "a text message, or a protocol ping frame", "what", widget=Widget.CHOICE, kinds=_WEBSOCKET),
    Field("subprotocols", "subprotocols", "comma-separated, best first", "what", FieldForm.LIST, kinds=_WEBSOCKET),
    Field("metrics", "metrics", "endpoint with its gateway's metrics", "what", kinds=_COMPLETION),
    Field("expect_provider", "provider", "who has to answer; empty: anyone", "what", kinds=_COMPLETION),
    Field("tolerate", "tolerate", "comma-separated rules, findings that are fine", "what", FieldForm.LIST),
    Field("provider", "made by", "who makes answers; empty: by API and model", "what", kinds=_COMPLETION),
    Field("tags", "tags", "comma-separated, to group by", "what", FieldForm.LIST),
    Field("key", "key", "env:NAME, file:PATH, cmd:…, keyring:…, aws:…", "access"),
    Field("auth", "auth", "how the key is sent", "access", widget=Widget.CHOICE),
    Field(
        "headers", "headers", "one per line: Name: value, Name: ${env:NAME}", "access", FieldForm.HEADERS, Widget.AREA
    ),
    Field("connection", "connection", "kept between probes, or new for each", "way", widget=Widget.CHOICE),
    Field("max_connection_s", "kept for", "maximum age in seconds; empty: no limit", "way", FieldForm.NUMBER),
    Field("addresses", "addresses", "the first that answers, or each in turn", "way", widget=Widget.CHOICE),
    Field("connect_to", "connect to", "host:port instead of the URL's", "way"),
    Field("proxy", "proxy", "socks5h://proxy:1080, http://…, or direct", "way"),
    Field("unix", "Unix socket", "its path, instead of the URL's host and port", "way"),
    Field(
        "follow_redirects",
        "redirects",
        "follow those to the same server",
        "way",
        FieldForm.YES_NO,
        Widget.SWITCH,
        _ASKED,
    ),
    Field("tls.ca_file", "CA file", "PEM file: trust these, not the system's", "tls"),
    Field("tls.client_cert", "client cert", "PEM file, with or without its key", "tls"),
    Field("tls.client_key", "client key", "PEM file, if the client cert has no key", "tls"),
    Field("tls.client_key_password", "key password", "of an encrypted key: env:NAME, file:PATH, …", "tls"),
    Field("tls.server_name", "server name", "name to verify, if not the URL's host", "tls"),
    Field("tls.insecure", "insecure", "do not verify certificates", "tls", FieldForm.YES_NO, Widget.SWITCH),
    Field("cert_warn_days", "warn before", "days before it expires; empty: the profile's", "tls", FieldForm.NUMBER),
    Field("interval_s", "interval", "seconds between probes; empty: the profile's", "pace", FieldForm.NUMBER),
    Field("overlap", "overlap", "maximum concurrent scheduled probes", "pace", FieldForm.INTEGER),
    Field("deadlines.connect_s", "connect", "seconds to connect, TLS included", "pace", FieldForm.NUMBER),
    Field(
        "deadlines.first_byte_s", "first byte", "seconds to the first byte, or to the pong", "pace", FieldForm.NUMBER
    ),
    Field(
        "deadlines.first_event_s",
        "first event",
        "seconds to the first event",
        "pace",
        FieldForm.NUMBER,
        kinds=_COMPLETION,
    ),
    Field(
        "deadlines.first_token_s",
        "first token",
        "seconds to the first content",
        "pace",
        FieldForm.NUMBER,
        kinds=_COMPLETION,
    ),
    Field(
        "deadlines.event_gap_s",
        "event gap",
        "seconds between steps",
        "pace",
        FieldForm.NUMBER,
        kinds=_COMPLETION,
    ),
    Field("deadlines.idle_s", "silence", "seconds between two reads", "pace", FieldForm.NUMBER, kinds=_ASKED),
    Field("deadlines.total_s", "total", "seconds for the whole probe", "pace", FieldForm.NUMBER),
    Field("thresholds.down_after", "down after", "failures in a row", "state", FieldForm.INTEGER),
    Field("thresholds.up_after", "up after", "good results in a row that end `down`", "state", FieldForm.INTEGER),
    Field(
        "thresholds.degraded_fail_share",
        "degraded at",
        "share of failures; empty: more than usual",
        "state",
        FieldForm.NUMBER,
    ),
    Field(
        "thresholds.degraded_min_failures",
        "at least",
        "minimum number of failures in the window",
        "state",
        FieldForm.INTEGER,
    ),
    Field("thresholds.slow_metric", "slow by", "the latency to watch", "state", widget=Widget.CHOICE),
    Field("thresholds.slow_percentile", "percentile", "percentile with a limit", "state", FieldForm.NUMBER),
    Field("thresholds.slow_over_ms", "over", "milliseconds; empty: only as usual", "state", FieldForm.NUMBER),
    Field("thresholds.slow_for_s", "for", "seconds that it stays over the limit", "state", FieldForm.NUMBER),
    Field("thresholds.findings_degrade", "degraded by", "comma-separated findings", "state", FieldForm.LIST),
    Field("thresholds.relearn_after", "relearn", "when a change is usual: 30m, 24h, 7d", "state"),
    Field("thresholds.window_s", "window", "seconds that these rules cover", "state", FieldForm.NUMBER),
)

CHOICES: dict[str, tuple[str, ...]] = {
    "connection": ("keep", "fresh"),
    "addresses": ("first", "each"),
    "ping": ("text", "frame"),
    "auth": ("bearer", "token", "x-api-key", "api-key", "x-goog-api-key"),
    "thresholds.slow_metric": tuple(metric.value for metric in LATENCIES),
}
API_DECIDES = frozenset({"auth", "thresholds.slow_metric"})
"""Choices that may be left to the API."""

GROUPS = {
    "what": "Request",
    "access": "Access",
    "way": "Connection",
    "tls": "TLS",
    "pace": "Interval and deadlines",
    "state": "State thresholds",
}
TABLES = ("deadlines", "thresholds", "tls")
REQUIRED = ("name", "api", "url")


def field_of(key: str) -> Field | None:
    """The field that a fault's key speaks of: `headers` for `headers.X-Team`. None for one the form does not show."""
    return next(
        (field for field in FIELDS if key == field.name or key.startswith((f"{field.name}.", f"{field.name}["))), None
    )


def new_endpoint(profile: Profile) -> Endpoint:
    """What the form for a new endpoint starts with; its URL is for the user to give."""
    return Endpoint(name=free_name("new", profile), api="anthropic-messages", url="", nonce=True)


def duplicate(endpoint: Endpoint, profile: Profile) -> Endpoint:
    """A copy under a name that is still free."""
    return renamed(msgspec.structs.replace(endpoint, name=f"{endpoint.name}-copy"), profile)


def renamed(endpoint: Endpoint, profile: Profile) -> Endpoint:
    """The endpoint, under another name where its own is taken."""
    return msgspec.structs.replace(endpoint, name=free_name(endpoint.name, profile))


def free_name(wanted: str, profile: Profile) -> str:
    """The wanted name, or with a number behind it where it is taken."""
    taken = {endpoint.name for endpoint in profile.endpoints}
    candidates = [wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in candidates if name not in taken)
