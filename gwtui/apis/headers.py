"""Response headers: which are worth keeping, which name the request, and how long `Retry-After` says to wait.

Headers come in as the raw list of (name, value), because joining loses information; names match in any case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias
from urllib.parse import urlsplit

from gwtui.text.sanitize import clean

Headers: TypeAlias = Sequence[tuple[str, str]]

TRACE_IDS = ("x-trace", "x-trace-id", "traceresponse", "traceparent", "x-b3-traceid", "x-cloud-trace-context")
"""Headers that may hold the trace id, best first."""
REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "x-litellm-call-id",
    "apim-request-id",
    "x-ms-request-id",
    "x-generation-id",
    "x-correlation-id",
    "cf-ray",
)
"""Headers that may hold the gateway's id for the request, best first."""

TIER1 = frozenset(
    {*TRACE_IDS, *REQUEST_IDS, "x-trace-span", "x-amzn-trace-id", "server-timing", "retry-after", "content-type"}
)
"""What an incident is followed up with."""
TIER2 = frozenset(
    {
        "age",
        "alt-svc",
        "cache-control",
        "cache-status",
        "cf-aig-cache-status",
        "cf-cache-status",
        "content-encoding",
        "date",
        "fireworks-cached-prompt-tokens",
        "fireworks-server-time-to-first-token",
        "helicone-cache",
        "location",
        "openai-processing-ms",
        "openai-version",
        "retry-after-ms",
        "sec-websocket-protocol",
        "server",
        "transfer-encoding",
        "via",
        "x-accel-buffering",
        "x-amzn-bedrock-invocation-latency",
        "x-amzn-errortype",
        "x-cache",
        "x-cache-hits",
        "x-cache-status",
        "x-cody-resolved-model",
        "x-envoy-attempt-count",
        "x-envoy-upstream-service-time",
        "x-gateway-attempts",
        "x-inference-time",
        "x-litellm-attempted-fallbacks",
        "x-litellm-attempted-retries",
        "x-litellm-cache-key",
        "x-litellm-model-id",
        "x-litellm-overhead-duration-ms",
        "x-litellm-response-duration-ms",
        "x-litellm-version",
        "x-ms-region",
        "x-openrouter-cache-status",
        "x-portkey-cache-status",
        "x-portkey-retry-attempt-count",
        "x-proxy-cache",
        "x-queue-time",
        "x-served-by",
        "x-should-retry",
        "x-time-per-token",
        "x-validation-time",
        "x-vercel-cache",
    }
)
"""What explains times, routes and limits."""
CACHED_TOKENS = "fireworks-cached-prompt-tokens"
CONSTANT_NAMES = TIER1 | TIER2
RATE_LIMITS = ("anthropic-ratelimit-", "x-ratelimit-", "ratelimit")
"""All headers that start so belong to the second tier."""
MAX_KEPT = 64
MAX_WAIT_S = 3600.0
"""The longest wait that a `Retry-After` is believed for."""

QUARTER_S = 900.0
"""All zones of the world are whole quarters of an hour apart."""

_SECONDS = re.compile(r"(\d{1,40}(\.\d{0,20})?|\.\d{1,20})(e\+?\d{1,3})?", re.IGNORECASE)
_COUNT = re.compile(r"\d{1,12}", re.ASCII)
_HOURS = re.compile(r" ([+-]\d\d)$")
_FOREIGN = re.compile(r" (?!(UTC?|GMT|Z|[AECMP][SD]T)$)[A-Z]{1,5}$", re.IGNORECASE)
"""The end of a date with a zone that RFC 5322 gives no meaning to: `CET`, but also `IST`, which is one of three."""
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def header(headers: Headers, name: str) -> str:
    """The first value of that name, as it came; "" without one."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return ""


def joined_header(headers: Headers, name: str) -> str:
    """All values of that name as one list, which they are by RFC 9110 5.3; "" without one."""
    return ", ".join([value for key, value in headers if key.lower() == name])


def pick_headers(headers: Headers) -> dict[str, str]:
    """The headers worth keeping, names in lower case, values cleaned and cut; repeated ones are joined by `, `."""
    picked: dict[str, str] = {}
    for raw_name, value in headers:
        name = raw_name.lower()
        if not (name in TIER1 or name in TIER2 or name.startswith(RATE_LIMITS)):
            continue
        name = clean(name, 64)
        if name == "location":
            value = without_query(value)
        if name in picked:
            picked[name] = clean(f"{picked[name]}, {value}")
        elif len(picked) < MAX_KEPT:
            picked[name] = clean(value)
    return picked


def without_query(url: str) -> str:
    """The URL without user, password, query and fragment, where secrets travel."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return url.partition("?")[0].rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def trace_id(headers: Headers) -> str:
    """The gateway's trace id, cleaned; "" where it gave none."""
    firsts = _first_values(headers)
    for name in TRACE_IDS:
        if value := firsts.get(name, "").strip():
            parent = _TRACEPARENT.fullmatch(value.lower())
            return clean(parent.group(1) if parent else value.partition("/")[0])
    return _amazon_root(firsts.get("x-amzn-trace-id", ""))


def _first_values(headers: Headers) -> dict[str, str]:
    """The first value of each name, in lower case."""
    return {name.lower(): value for name, value in reversed(headers)}


def _amazon_root(value: str) -> str:
    """`Root=1-67891233-abcdef;Self=...` -> its root."""
    if not value:
        return ""
    fields = dict(field.strip().partition("=")[::2] for field in value.split(";"))
    return clean(fields.get("Root", value).strip())


def request_id(headers: Headers) -> str:
    """The gateway's id for the request, cleaned; "" where it gave none."""
    firsts = _first_values(headers)
    return next((clean(value) for name in REQUEST_IDS if (value := firsts.get(name, "").strip())), "")


def retry_after(headers: Headers, now: float) -> float | None:
    """Seconds to wait, 0 to one hour, at the wall time `now` (UTC); None where nothing (sensible) is said.

    Understands `retry-after-ms`, whole and decimal seconds, and dates of RFC 9110 10.2.3, RFC 1123 with any zone
    and RFC 3339. A negative number is nonsense; a date that has passed means now. If the zone is an ambiguous name,
    the wait is the shortest of all zones.
    """
    if (milliseconds := _number(header(headers, "retry-after-ms"))) is not None:
        return min(milliseconds / 1000, MAX_WAIT_S)
    value = header(headers, "retry-after").strip()
    if (seconds := _number(value)) is not None:
        return min(seconds, MAX_WAIT_S)
    at = http_date(value)
    if at is None:
        return None
    return (at - now) % QUARTER_S if _FOREIGN.search(value) else min(max(at - now, 0.0), MAX_WAIT_S)


def _number(value: str) -> float | None:
    value = value.strip()
    return float(value) if value and value.isascii() and _SECONDS.fullmatch(value) else None


def header_cached_tokens(headers: Headers) -> int | None:
    """How many tokens of the prompt came from a cache, as Fireworks tells it; None where no header does."""
    value = header(headers, CACHED_TOKENS).strip()
    return int(value) if _COUNT.fullmatch(value) else None


def http_date(value: str) -> float | None:
    """The wall time (UTC) of a date of RFC 9110 5.6.7, RFC 1123 with any zone, or RFC 3339; None for anything else."""
    return _date(value.strip()[:64]) if value else None


def _date(value: str) -> float | None:
    read = datetime.fromisoformat if value[:4].isdigit() else parsedate_to_datetime
    try:
        at = read(_HOURS.sub(r" \g<1>00", value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
