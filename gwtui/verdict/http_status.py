"""What an HTTP status that was not hoped for means, with the words of its body."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from gwtui.apis.base import LIMIT_FIELDS
from gwtui.apis.errors import is_about_money, refused_parameter, retry_delay_s
from gwtui.apis.headers import MAX_WAIT_S, Headers, header, retry_after, without_query
from gwtui.model.enums import FindingName
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clauses, clean, excerpt, readable

CLASSES: dict[int, Verdict] = {
    401: Verdict.AUTH,
    402: Verdict.QUOTA,
    403: Verdict.AUTH,
    404: Verdict.NOT_FOUND,
    407: Verdict.PROXY,
    408: Verdict.GATEWAY_TIMEOUT,
    410: Verdict.NOT_FOUND,
    429: Verdict.RATE_LIMITED,
    502: Verdict.BAD_GATEWAY,
    503: Verdict.UNAVAILABLE,
    504: Verdict.GATEWAY_TIMEOUT,
    529: Verdict.OVERLOADED,
}
CLOUDFLARE: dict[int, tuple[Verdict, str]] = {
    520: (Verdict.BAD_GATEWAY, "the origin's answer was empty or unknown"),
    521: (Verdict.BAD_GATEWAY, "the origin refused the connection"),
    522: (Verdict.GATEWAY_TIMEOUT, "the connection to the origin timed out"),
    523: (Verdict.BAD_GATEWAY, "the origin cannot be reached"),
    524: (Verdict.GATEWAY_TIMEOUT, "the origin did not answer in time"),
    525: (Verdict.BAD_GATEWAY, "the TLS handshake with the origin failed"),
    526: (Verdict.BAD_GATEWAY, "the origin's certificate is not valid"),
    527: (Verdict.BAD_GATEWAY, "the tunnel to the origin failed"),
    530: (Verdict.BAD_GATEWAY, "the origin's name does not resolve"),
}
"""Cloudflare's own statuses: believed only beside a `cf-ray`, because origins send such numbers too."""
CLIENT_CERTIFICATE = "client-certificate"
"""What ends the rule of a refusal for want of a good client certificate."""
CERTIFICATE_WORDS = ("no required ssl certificate was sent", "the ssl certificate error")
"""How nginx, and what is built on it, refuses a client's certificate: by a 400 (nginx's own 496 and 495)."""
PLAIN_WORDS = (
    "the plain http request was sent to https port",
    "client sent an http request to an https server",
    "speaking plain http to an ssl-enabled server port",
    "combination of host and port requires tls",
)
"""How nginx, Go, Apache and Tomcat answer by a 400 who speaks no TLS to a port for it."""
REMEDIES = {
    CLIENT_CERTIFICATE: "the gateway wants a client certificate that it accepts (`tls.client_cert`)",
    "plain-http": "the port speaks TLS, `https` is right",
}
"""What a refusal that is about TLS comes down to."""
BREAKER = "breaker"
"""What ends the rule of a refusal by an open circuit breaker."""
BREAKER_WORDS = ("circuit open", "circuit_open", "circuit-open", "circuitopen", "circuit is open")
"""How gateways call an open one that do not say `breaker`."""
NAMED = ("quota", BREAKER)
"""Reported beside the status: it alone does not show them."""
REFUSED = frozenset({400, 401, 403, 429})
"""Statuses that hide a want of credit, by their words."""
_UNWANTED = re.compile(
    r"not (permitted|allowed|supported|expected)|unsupported|unexpected|extra"
    r"|(unknown|unrecogni[sz]ed) (field|param|arg)"
)
_EXTRA = re.compile(r"extra|not permitted")
"""In the words of a refusal: the field itself is refused, not its value. Of models other words speak of the value."""
LINES = {
    "max_tokens": "max_tokens = 256",
    "max_completion_tokens": "max_tokens = 256",
    "max_output_tokens": "max_tokens = 256",
    "temperature": "body = { temperature = 1 }",
    "top_p": "body = { top_p = 1 }",
    "model": 'model = "..."',
    "prompt": 'prompt = "..."',
    "input": 'prompt = "..."',
    "messages": 'messages = [{ role = "user", content = "..." }]',
    "stream": "stream = false",
}
"""By a field that was refused, a line of the endpoint that may help."""


def judge_status(
    status: int, headers: Headers, body: bytes, error_reason: Callable[[bytes], str], now: float
) -> Judgement:
    """The verdict on a status that is not the expected one. `now`: wall time UTC, for `Retry-After` dates."""
    kind = header(headers, "content-type")
    error = error_reason(body)
    said = error or excerpt(body, kind)
    ray = header(headers, "cf-ray")
    if 300 <= status < 400 and status != 304:
        return _judgement(Verdict.REDIRECT, status, _target(headers))
    if status in CLOUDFLARE and ray:
        verdict, meaning = CLOUDFLARE[status]
        return _judgement(verdict, status, f"Cloudflare: {meaning} (cf-ray {clean(ray, 40)})", "cloudflare")
    wait = wait_s(headers, body, now)
    verdict, detail = _classified(status, (error or readable(body, kind)).lower(), can_wait=wait is not None)
    told = clean(header(headers, "retry-after"), 40)
    words = [said] if said else []
    if wait is not None:
        words.append(f"retry after {math.ceil(wait)} s" + (" or more" if wait >= MAX_WAIT_S else ""))
    elif told:
        words.append(f"retry-after says {told!r}")
    if verdict is Verdict.BAD_REQUEST and (field := refused_parameter(body)):
        words.append(_field_words(field, said))
    return _judgement(verdict, status, clauses(*words) if words else "", detail)


def _classified(status: int, said: str, *, can_wait: bool) -> tuple[Verdict, str]:
    """The verdict, and what more there is to the rule."""
    if (found := _of_tls(status, said)) is not None:
        return found
    if status in REFUSED and (is_about_money(said) or (status == 429 and not can_wait and "billing" in said)):
        return Verdict.QUOTA, "quota"
    if status in (500, 503) and "overloaded_error" in said:
        return Verdict.OVERLOADED, "overloaded"
    return CLASSES.get(status) or _by_hundred(status), BREAKER if _is_breaker(status, said) else ""


def _is_breaker(status: int, said: str) -> bool:
    """Whether an open circuit breaker refused the request. Beside a 503 it is enough that one is named."""
    if status == 503 and ("breaker" in said or "currently unavailable" in said):
        return True
    named = any(words in said for words in BREAKER_WORDS) or ("breaker" in said and "open" in said)
    return named and (status == 429 or status >= 500)


def breaker_open(judgement: Judgement) -> Iterator[Finding]:
    """The finding, where an open circuit breaker refused the request."""
    if judgement.rule.endswith(f".{BREAKER}"):
        yield Finding(name=FindingName.BREAKER_OPEN, evidence=judgement.reason)


def wait_s(headers: Headers, body: bytes, now: float) -> float | None:
    """How long a refusal asks to wait, 0 to one hour: by its headers (`apis.headers.retry_after`), else by its body."""
    wait = retry_after(headers, now)
    delay = retry_delay_s(body) if wait is None else None
    return min(delay, MAX_WAIT_S) if delay is not None else wait


def _field_words(field: str, said: str) -> str:
    line = LINES.get(field)
    if (_EXTRA if field == "model" else _UNWANTED).search(said.lower()):
        name = "max_tokens" if field in LIMIT_FIELDS else field
        line = f'omit = ["{clean(name, 60)}"]'
    return f"it names `{clean(field, 60)}`" + (f", try `{line}` in the endpoint" if line else "")


def _judgement(verdict: Verdict, status: int, words: str, detail: str = "") -> Judgement:
    rule = f"http.{status}.{detail}" if detail else f"http.{status}"
    said = f"HTTP {status} {detail}" if detail in NAMED else f"HTTP {status}"
    told = ": ".join(part for part in (said, REMEDIES.get(detail, ""), words) if part)
    return Judgement(verdict=verdict, rule=rule, reason=told)


def _of_tls(status: int, said: str) -> tuple[Verdict, str] | None:
    """The verdict on a refusal that is about TLS and not about the request; None for all others."""
    if status in (495, 496) or (status == 400 and any(words in said for words in CERTIFICATE_WORDS)):
        return Verdict.AUTH, CLIENT_CERTIFICATE
    if status == 497 or (status == 400 and any(words in said for words in PLAIN_WORDS)):
        return Verdict.TLS, "plain-http"
    return None


def _by_hundred(status: int) -> Verdict:
    if 400 <= status < 500:
        return Verdict.BAD_REQUEST
    return Verdict.SERVER_ERROR if 500 <= status < 600 else Verdict.WRONG_STATUS


def _target(headers: Headers) -> str:
    location = header(headers, "location").strip()
    if not location:
        return "a redirect without a Location"
    target = without_query(location)
    try:
        parts = urlsplit(target)
        host = parts.hostname or ("an unreadable address" if parts.scheme else "the same host")
    except ValueError:
        host = "an unreadable address"
    return f"redirects to {clean(host, 80)}: {clean(target, 160)}"
