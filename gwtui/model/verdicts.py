"""Verdicts: what a probe turned out to be, what each one means, and what usually causes it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gwtui.model.enums import Outcome
from gwtui.model.findings import FORMAT, UNBUFFER


class Verdict(StrEnum):
    """The single word for how a probe ended."""

    COMPLETE = "complete"
    COMPLETE_UNTERMINATED = "complete_unterminated"
    PONG = "pong"

    TRUNCATED = "truncated"
    ERROR_IN_STREAM = "error_in_stream"
    EMPTY = "empty"
    NOT_A_STREAM = "not_a_stream"
    OUT_OF_ORDER = "out_of_order"
    STALLED = "stalled"

    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    PROXY = "proxy"
    TLS = "tls"
    RESET = "reset"
    NO_FIRST_BYTE = "no_first_byte"
    TIMEOUT = "timeout"
    NOT_HTTP = "not_http"
    TOO_LARGE = "too_large"
    DECODE_ERROR = "decode_error"
    REDIRECT = "redirect"

    BAD_REQUEST = "bad_request"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    BAD_GATEWAY = "bad_gateway"
    GATEWAY_TIMEOUT = "gateway_timeout"
    SERVER_ERROR = "server_error"
    WRONG_STATUS = "wrong_status"
    WRONG_BODY = "wrong_body"

    NO_PONG = "no_pong"
    WRONG_PONG = "wrong_pong"
    CLOSED = "closed"

    NO_KEY = "no_key"
    TLS_FILE = "tls_file"
    CANCELLED = "cancelled"
    LOCAL = "local"

    @property
    def entry(self) -> VerdictEntry:
        return VERDICTS[self]

    @property
    def outcome(self) -> Outcome:
        if self in GOOD:
            return Outcome.OK
        if self is Verdict.CANCELLED:
            return Outcome.CANCELLED
        if self is Verdict.LOCAL:
            return Outcome.LOCAL
        return Outcome.FAILED


GOOD = frozenset({Verdict.COMPLETE, Verdict.COMPLETE_UNTERMINATED, Verdict.PONG})
"""Verdicts of probes that gave the user of the gateway all they asked for."""
UNREACHED = frozenset(
    {
        Verdict.DNS,
        Verdict.REFUSED,
        Verdict.UNREACHABLE,
        Verdict.CONNECT_TIMEOUT,
        Verdict.PROXY,
        Verdict.TLS,
        Verdict.NOT_HTTP,
        Verdict.NO_KEY,
        Verdict.TLS_FILE,
    }
)
"""Verdicts that every other request to the same gateway would get as well."""
HUNG = frozenset({Verdict.NO_FIRST_BYTE, Verdict.STALLED, Verdict.TIMEOUT})
"""Verdicts of requests that were sent and got no answer, or only a part of one, in time."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with its proof."""

    verdict: Verdict
    rule: str
    """The rule that decided it, as a stable id such as `anthropic.eof-before-message_stop`."""
    reason: str = ""
    """The rule in words, with the facts of this case."""
    event_number: int | None = None
    """Which event decided it, counted from 1; None when no event did."""


class VerdictEntry(msgspec.Struct, frozen=True):
    """What is known about every result with one verdict."""

    meaning: str
    """One sentence: what happened."""
    cause: str = ""
    """The likely cause; "" where all is well."""
    remedy: str = ""
    """What to do, in the imperative; "" where all is well."""


VERDICTS: dict[Verdict, VerdictEntry] = {
    Verdict.COMPLETE: VerdictEntry("The whole answer arrived, with the API's end marker."),
    Verdict.COMPLETE_UNTERMINATED: VerdictEntry(
        "The answer ended by its own rules, but the API's end marker is missing.",
        "A proxy closes the stream as soon as it has seen the stop reason.",
        "Let the proxy or gateway pass on the stream to its last event.",
    ),
    Verdict.PONG: VerdictEntry("The expected answer to a ping came in time."),
    Verdict.TRUNCATED: VerdictEntry(
        "The stream ended before it was complete.",
        "The upstream or a proxy cut it: look for a restart, a proxy timeout, a crash of the model server.",
        "Look for the trace id in the gateway's log at the time of the cut; raise proxy read timeouts.",
    ),
    Verdict.ERROR_IN_STREAM: VerdictEntry(
        "The stream began well and then carried an error.",
        "The upstream failed after the status line was sent; the error's type says how.",
        "Look up the error type in the provider's documents, and the trace id in the gateway's log.",
    ),
    Verdict.EMPTY: VerdictEntry(
        "A stream was promised, and no event or no content came.",
        "The gateway answered 200 before it asked its upstream, and the upstream failed.",
        "Check the gateway's log for its upstream's answer; let it fail before it answers 200.",
    ),
    Verdict.NOT_A_STREAM: VerdictEntry(
        "A stream was asked for and something else came.",
        "A silent fallback to a single answer, an endpoint that does not stream by default, or a proxy's page.",
        "Look for a fallback in the gateway's log; make sure that `stream` reaches the upstream.",
    ),
    Verdict.OUT_OF_ORDER: VerdictEntry(
        "Events came in an order that the API forbids.",
        "Events were lost, repeated or merged between the model and here.",
        FORMAT,
    ),
    Verdict.STALLED: VerdictEntry(
        "Events stopped coming although the connection stayed open.",
        "The upstream hangs, or a proxy holds the bytes back.",
        f"Check whether the upstream still sends; if it does, a proxy holds the bytes back: {UNBUFFER}",
    ),
    Verdict.DNS: VerdictEntry(
        "The host name has no address.",
        "The name is wrong, or the resolver does not work.",
        "Check the host name in `url`, and the resolver with `getent hosts NAME`.",
    ),
    Verdict.REFUSED: VerdictEntry(
        "Nothing listens at that address and port.",
        "The gateway is not running, or the port is wrong.",
        "Start the gateway, or correct host and port in `url`; `ss -ltn` there shows what listens.",
    ),
    Verdict.UNREACHABLE: VerdictEntry(
        "There is no route to the host.", "A network or VPN is down.", "Check the route and the VPN to that host."
    ),
    Verdict.CONNECT_TIMEOUT: VerdictEntry(
        "The connection was not accepted in time.",
        "A firewall drops the packets, or the gateway's accept queue is full.",
        "Check firewalls for that port, and whether the gateway still accepts.",
    ),
    Verdict.PROXY: VerdictEntry(
        "A proxy on the way to the gateway failed or refused.",
        "The reason names it. It comes from `proxy`, or from the environment because of `use_proxies`.",
        "Correct HTTPS_PROXY and the like, add the host to NO_PROXY, or leave `use_proxies` off.",
    ),
    Verdict.TLS: VerdictEntry(
        "TLS failed, or was not used where it is needed.",
        "The certificate, the TLS version or the scheme of the URL; the reason names it.",
        "Correct the certificate, or set how it is verified (`tls.ca_file`, `tls.server_name`).",
    ),
    Verdict.RESET: VerdictEntry(
        "The connection was reset before an answer.",
        "The gateway or a proxy died or dropped it.",
        "Check the logs of the gateway and of the proxies before it for a crash or a closed connection.",
    ),
    Verdict.NO_FIRST_BYTE: VerdictEntry(
        "The request was sent and nothing came back in time.",
        "The gateway accepts but hangs, or a proxy buffers the whole answer.",
        "Check whether the gateway waits for its upstream; give it a shorter timeout than yours.",
    ),
    Verdict.TIMEOUT: VerdictEntry(
        "The probe's total time ran out.",
        "The answer arrives too slowly, or `total_s` is too short for it.",
        "Find out why the answer is slow; raise `deadlines.total_s` if long answers are expected.",
    ),
    Verdict.NOT_HTTP: VerdictEntry(
        "What came back is not HTTP.",
        "The wrong port, or TLS spoken to a plain port.",
        "Check the port, and `http` against `https` in `url`.",
    ),
    Verdict.TOO_LARGE: VerdictEntry(
        "A header, line, event or body was over its limit.",
        "The answer does not end, or is far larger than usual.",
        "Look at the answer with `gwtui probe`: a part of it does not end.",
    ),
    Verdict.DECODE_ERROR: VerdictEntry(
        "The body, or content in one of its events, could not be decoded.",
        "A wrong or broken Content-Encoding; for a damaged event, something on the way that changes bytes.",
        "Let the proxy honour `Accept-Encoding: identity`; compare a damaged event with what the upstream sends.",
    ),
    Verdict.REDIRECT: VerdictEntry(
        "The gateway redirects, and gwtui does not follow.",
        "The URL is not the final one: use the target that the reason names, if you trust it.",
        "Use the target as `url`, if you trust it.",
    ),
    Verdict.BAD_REQUEST: VerdictEntry(
        "The gateway refused the request as malformed.",
        "A field, the model or the method is not valid for it.",
        "Correct what the gateway names: `model`, `max_tokens`, `body`, `method`.",
    ),
    Verdict.AUTH: VerdictEntry(
        "The key or the client certificate was not accepted.",
        "The key is wrong, expired or missing, or lacks this permission.",
        "Check `key`, `auth` and `tls.client_cert`: `gwtui probe` shows the gateway's answer.",
    ),
    Verdict.NOT_FOUND: VerdictEntry(
        "There is no such path or model.",
        "The URL has a wrong or a doubled path, or the gateway does not have the model.",
        "Check `url`, `path` and `model`.",
    ),
    Verdict.RATE_LIMITED: VerdictEntry(
        "Too many requests.",
        "A quota or a rate limit; the answer may say how long to wait.",
        "Wait as long as it says, or ask for a higher limit.",
    ),
    Verdict.QUOTA: VerdictEntry(
        "No credit or quota left.",
        "The account behind the key has used up its credit, or what it may spend.",
        "Add credit or raise the limit at the provider, or use another key; waiting does not help.",
    ),
    Verdict.OVERLOADED: VerdictEntry(
        "The upstream says it is overloaded.", "Load on the provider's side.", "Wait, or route to another provider."
    ),
    Verdict.UNAVAILABLE: VerdictEntry(
        "The gateway says it cannot serve now.",
        "An open circuit breaker, a deploy, no upstream.",
        "Look at the gateway's breakers and upstreams; wait as long as it says.",
    ),
    Verdict.BAD_GATEWAY: VerdictEntry(
        "A proxy got no good answer from the gateway.",
        "The process behind the proxy is down.",
        "Restart or repair the process behind the proxy.",
    ),
    Verdict.GATEWAY_TIMEOUT: VerdictEntry(
        "A proxy waited too long for the gateway.",
        "The upstream is slower than the proxy.",
        "Raise the proxy's timeout, or find out why the upstream is slow.",
    ),
    Verdict.SERVER_ERROR: VerdictEntry(
        "The gateway failed.",
        "An error on its side; its body or its log says which.",
        "Look for the trace id in the gateway's log.",
    ),
    Verdict.WRONG_STATUS: VerdictEntry(
        "The status is not the expected one.",
        "Check `expect_status` and `path`.",
        "Check `expect_status`, `method` and `path`.",
    ),
    Verdict.WRONG_BODY: VerdictEntry(
        "The body is not the expected one.",
        "Another service or a proxy answers at that path, or the API's answer was changed.",
        "Look at the answer with `gwtui probe`; check `path` and, for plain HTTP, `expect`.",
    ),
    Verdict.NO_PONG: VerdictEntry(
        "No answer to the ping in time.",
        "The gateway or a proxy dropped or holds the connection.",
        "Check whether a proxy lets WebSocket frames through in both directions.",
    ),
    Verdict.WRONG_PONG: VerdictEntry(
        "An answer that is not the expected one.",
        "Check `expect`; another service may answer.",
        "Check `path` and `expect`.",
    ),
    Verdict.CLOSED: VerdictEntry(
        "The WebSocket was closed.",
        "The close code says why.",
        "Look up the close code; check the gateway's log at that time.",
    ),
    Verdict.NO_KEY: VerdictEntry(
        "The key could not be read from where the profile says it is.",
        "Set the variable or the file.",
        "Set the variable or the file that `key` names.",
    ),
    Verdict.TLS_FILE: VerdictEntry(
        "A file of the endpoint's `tls` settings cannot be used.",
        "It is missing, damaged or encrypted, or key and certificate do not belong together; the reason names it.",
        "Correct the setting or the file that the reason names; `gwtui config check` checks them too.",
    ),
    Verdict.CANCELLED: VerdictEntry(
        "gwtui stopped it.", "A pause, an edit or the end of the session.", "Run the check again."
    ),
    Verdict.LOCAL: VerdictEntry(
        "This machine or gwtui itself was the cause.",
        "No file descriptors, ports or memory left, or a setting that cannot be sent; the reason names it.",
        "Check this machine: file descriptors, ports, memory.",
    ),
}
