"""Findings about HTTP, WebSockets, addresses and TLS, below every API."""

from __future__ import annotations

from gwtui.model.enums import FindingName
from gwtui.model.findings.entries import FindingEntry, info, warning

_RENEW = "Renew the certificate and reload it; then check with `gwtui probe`."
CONNECTIONS: dict[FindingName, FindingEntry] = {
    FindingName.PARTIAL_CONTENT: warning(
        "The answer is HTTP 206, although no range was requested.",
        "A proxy or cache answers with a part of its content; clients may refuse it.",
        "Disable caching for this path.",
    ),
    FindingName.TWO_LENGTHS: warning(
        "The answer has both `content-length` and `transfer-encoding`.",
        "A proxy adds one and keeps the other: request smuggling exploits this disagreement.",
        "Let the proxy remove `content-length` from chunked answers.",
    ),
    FindingName.TWO_CONTENT_TYPES: warning(
        "The answer has two different values of `content-type`.",
        "A proxy adds its own and keeps the other: clients differ in which one they use.",
        "Remove the one added by the proxy.",
    ),
    FindingName.BYTES_AFTER_ANSWER: warning(
        "More bytes came after the end of the answer than `content-length`, the last chunk or the status allows.",
        "The length is wrong, or two answers were mixed: clients that keep connections misread the next one.",
        "Let the gateway recompute `content-length` when it changes a body, or send chunks.",
    ),
    FindingName.CLOCK_SKEW: warning(
        "The gateway's `Date` is more than 2 s off this machine's clock.",
        "One of the two clocks is wrong, and so are dates in Retry-After and in logs.",
        "Synchronise both clocks: `chronyc tracking` or `timedatectl` shows the offset.",
    ),
    FindingName.REDIRECTED: info(
        "The gateway redirected, and gwtui followed within the same origin.",
        "The gateway, or a proxy before it, serves this path elsewhere.",
        "Use the target as `path` or `url`: it saves a round trip per request.",
    ),
    FindingName.NO_SUBPROTOCOL: warning(
        "The gateway chose none of the offered WebSocket subprotocols.",
        "It speaks none of them, or a proxy drops Sec-WebSocket-Protocol. Browsers refuse such a connection.",
        "Offer a subprotocol that the gateway speaks, and let proxies pass on the header.",
    ),
    FindingName.ADDRESS_DOWN: warning(
        "One address of the name fails while others answer.",
        "One instance behind the name is down or unreachable.",
        "Restart that instance, or take its address out of the DNS name.",
    ),
    FindingName.ADDRESS_FALLBACK: warning(
        "Other addresses of the name failed before one answered.",
        "The name has addresses that do not answer, which delays every new connection.",
        "Take the dead addresses out of the DNS name, or repair IPv6 on the way.",
    ),
    FindingName.ADDRESS_CHANGED: info(
        "The name has another address now, so the kept connection was closed.",
        "The gateway moved or was scaled: clients that keep connections stay with the old address.",
        "If this was not planned, check who changed the DNS name.",
    ),
    FindingName.STALE_CONNECTION: warning(
        "A kept connection was dead, and the request was sent over a new one.",
        "The gateway, or a proxy, firewall or NAT before it, drops idle connections sooner than the probe's interval.",
        "Raise the idle timeout of the gateway or proxy above that of its clients, or let it close connections.",
    ),
    FindingName.CERTIFICATE_EXPIRES: warning(
        "The gateway's certificate expires soon, or has expired.",
        "It was not renewed, or the renewed one is not in use.",
        _RENEW,
    ),
    FindingName.CLIENT_CERTIFICATE_EXPIRES: warning(
        "The endpoint's client certificate expires soon, or has expired.",
        "It was not renewed, or the renewed one is not in use.",
        f"Check `tls.client_cert`. {_RENEW}",
    ),
    FindingName.TLS_FILES_NOT_RELOADED: warning(
        "Changed TLS files cannot be used; the previous ones stay in use.",
        "A renewal failed half-way. Until it is repaired, the previous files stay in use.",
        "Correct the file that the evidence names; `gwtui config check` checks it.",
    ),
}
