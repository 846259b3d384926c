"""Verdicts: what a probe turned out to be, what each one means, and what usually causes it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gwtui.model.enums import Outcome


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


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with its proof."""

    verdict: Verdict
    rule: str
    """The rule that decided it, as a stable id such as `anthropic.eof-before-message_stop`."""
    reason: str = ""
    """The rule in words, with the facts of this case."""
    event_number: int | None = None
    """Which event decided it, counted from 1; None when no event did."""


MEANINGS: dict[Verdict, tuple[str, str]] = {
    Verdict.COMPLETE: ("The whole answer arrived, with the API's end marker.", ""),
    Verdict.COMPLETE_UNTERMINATED: (
        "The answer ended by its own rules, but the API's end marker is missing.",
        "A proxy closes the stream as soon as it has seen the stop reason.",
    ),
    Verdict.PONG: ("The expected answer to a ping came in time.", ""),
    Verdict.TRUNCATED: (
        "The stream ended before it was complete.",
        "The upstream or a proxy cut it: look for a restart, a proxy timeout, a crash of the model server.",
    ),
    Verdict.ERROR_IN_STREAM: (
        "The stream began well and then carried an error.",
        "The upstream failed after the status line was sent; the error's type says how.",
    ),
    Verdict.EMPTY: (
        "A stream was promised, and no event or no content came.",
        "The gateway answered 200 before it asked its upstream, and the upstream failed.",
    ),
    Verdict.NOT_A_STREAM: (
        "A stream was asked for and something else came.",
        "A silent fallback to a single answer, an endpoint that does not stream by default, or a proxy's page.",
    ),
    Verdict.OUT_OF_ORDER: (
        "Events came in an order that the API forbids.",
        "Events were lost, repeated or merged between the model and here.",
    ),
    Verdict.STALLED: (
        "Events stopped coming although the connection stayed open.",
        "The upstream hangs, or a proxy holds the bytes back.",
    ),
    Verdict.DNS: ("The host name has no address.", "The name is wrong, or the resolver does not work."),
    Verdict.REFUSED: ("Nothing listens at that address and port.", "The gateway is not running, or the port is wrong."),
    Verdict.UNREACHABLE: ("There is no route to the host.", "A network or VPN is down."),
    Verdict.CONNECT_TIMEOUT: (
        "The connection was not accepted in time.",
        "A firewall drops the packets, or the gateway's accept queue is full.",
    ),
    Verdict.PROXY: (
        "A proxy on the way to the gateway failed or refused.",
        "The reason names it. It comes from `proxy`, or from the environment because of `use_proxies`.",
    ),
    Verdict.TLS: (
        "TLS failed, or was not used where it is needed.",
        "The certificate, the TLS version or the scheme of the URL; the reason names it.",
    ),
    Verdict.RESET: ("The connection was reset before an answer.", "The gateway or a proxy died or dropped it."),
    Verdict.NO_FIRST_BYTE: (
        "The request was sent and nothing came back in time.",
        "The gateway accepts but hangs, or a proxy buffers the whole answer.",
    ),
    Verdict.TIMEOUT: (
        "The probe's total time ran out.",
        "The answer arrives too slowly, or `total_s` is too short for it.",
    ),
    Verdict.NOT_HTTP: ("What came back is not HTTP.", "The wrong port, or TLS spoken to a plain port."),
    Verdict.TOO_LARGE: (
        "A header, line, event or body was over its limit.",
        "The answer does not end, or is far larger than usual.",
    ),
    Verdict.DECODE_ERROR: ("The body could not be decoded.", "A wrong or broken Content-Encoding."),
    Verdict.REDIRECT: (
        "The gateway redirects, and gwtui does not follow.",
        "The URL is not the final one: use the target that the reason names, if you trust it.",
    ),
    Verdict.BAD_REQUEST: ("The gateway refused the request as malformed.", "A field or the model is not valid for it."),
    Verdict.AUTH: (
        "The key or the client certificate was not accepted.",
        "It is wrong, expired or missing, or it lacks this permission.",
    ),
    Verdict.NOT_FOUND: ("There is no such path or model.", "Check `url`, `path` and `model`."),
    Verdict.RATE_LIMITED: ("Too many requests.", "A quota or a rate limit; the answer may say how long to wait."),
    Verdict.OVERLOADED: ("The upstream says it is overloaded.", "Load on the provider's side."),
    Verdict.UNAVAILABLE: ("The gateway says it cannot serve now.", "An open circuit breaker, a deploy, no upstream."),
    Verdict.BAD_GATEWAY: ("A proxy got no good answer from the gateway.", "The process behind the proxy is down."),
    Verdict.GATEWAY_TIMEOUT: ("A proxy waited too long for the gateway.", "The upstream is slower than the proxy."),
    Verdict.SERVER_ERROR: ("The gateway failed.", "An error on its side; its body or its log says which."),
    Verdict.WRONG_STATUS: ("The status is not the expected one.", "Check `expect_status` and `path`."),
    Verdict.WRONG_BODY: ("The body is not the expected one.", "Check `expect` and `path`."),
    Verdict.NO_PONG: ("No answer to the ping in time.", "The gateway or a proxy dropped or holds the connection."),
    Verdict.WRONG_PONG: ("An answer that is not the expected one.", "Check `expect`; another service may answer."),
    Verdict.CLOSED: ("The WebSocket was closed.", "The close code says why."),
    Verdict.NO_KEY: ("The key could not be read from where the profile says it is.", "Set the variable or the file."),
    Verdict.TLS_FILE: (
        "A file of the endpoint's `tls` settings cannot be used.",
        "It is missing, damaged or encrypted, or key and certificate do not belong together; the reason names it.",
    ),
    Verdict.CANCELLED: ("gwtui stopped it.", "A pause, an edit or the end of the session."),
    Verdict.LOCAL: (
        "This machine or gwtui itself was the cause.",
        "No file descriptors, ports or memory left, or a setting that cannot be sent; the reason names it.",
    ),
}
"""Per verdict: what it means, and its likely cause ("" where all is well)."""
