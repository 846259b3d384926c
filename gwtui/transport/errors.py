"""How an exchange ended when it did not end well: an exception's own cause, told as one `End` and a detail in words."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator

import h11
import httpcore

from gwtui.framing.base import FramingLimitError
from gwtui.model.enums import End
from gwtui.transport.acknowledged import UnacknowledgedError
from gwtui.transport.bodies import HeadLimitError
from gwtui.transport.body_length import OTHER_CODING, short_body
from gwtui.transport.decoding import BodyLimitError, DecodeError
from gwtui.transport.dial import NoThreadError
from gwtui.transport.lean import httpx
from gwtui.transport.proxies import ProxyError
from gwtui.transport.tls_files import TLSFileError
from gwtui.transport.trace import Exchange, NotHTTPError

FAILURES = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    httpx.HTTPError,
    httpx.InvalidURL,
    OSError,
    BodyLimitError,
    DecodeError,
    HeadLimitError,
    NotHTTPError,
    FramingLimitError,
    TLSFileError,
    UnicodeError,
)
"""All that an exchange can end with."""
RESETS = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ESHUTDOWN, errno.ENOTCONN})
NO_ROUTES = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
OWN_FAULTS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.EADDRNOTAVAIL,
        errno.EADDRINUSE,
        errno.EACCES,
        errno.EPERM,
    }
)
"""No descriptors, memory or ports left, or forbidden here: no word about the gateway."""

_OWN_ERRORS: dict[type[BaseException], End] = {
    BodyLimitError: End.TOO_LARGE,
    HeadLimitError: End.TOO_LARGE,
    FramingLimitError: End.TOO_LARGE,
    NotHTTPError: End.NOT_HTTP,
    DecodeError: End.DECODE_ERROR,
    TLSFileError: End.TLS_FILE,
    ProxyError: End.PROXY,
    NoThreadError: End.LOCAL,
    UnacknowledgedError: End.RESET,
}
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})
_CLIENT_ALERTS = {
    "HANDSHAKE_FAILURE": "the gateway shares no cipher with gwtui, or wants a client certificate (`tls.client_cert`)",
    "CERTIFICATE_REQUIRED": "the gateway wants a client certificate (`tls.client_cert`)",
    "UNKNOWN_CA": "the gateway does not know the authority of the client's certificate",
    "BAD_CERTIFICATE": "the gateway wants a client certificate, or another one (`tls.client_cert`)",
    "UNSUPPORTED_CERTIFICATE": "the gateway does not take client certificates of this kind",
    "CERTIFICATE_REVOKED": "the gateway says that the client's certificate was revoked",
    "CERTIFICATE_EXPIRED": "the gateway says that the client's certificate has expired",
    "CERTIFICATE_UNKNOWN": "the gateway does not accept the client's certificate",
    "ACCESS_DENIED": "the gateway does not let the client's certificate in",
}
"""Alerts (RFC 8446 6.2) that a client gets for its own certificate, or for want of one."""
_TOO_LARGE = 431
_NOT_IMPLEMENTED = 501
"""What h11 hints a server should answer; for a client these tell two errors from all others."""
_SHORT = re.compile(r"received (\d+) bytes, expected (\d+)")
"""How h11 tells a body that is shorter than its `Content-Length`."""
_BYTES = re.compile(r"bytearray\((b'.*'|b\".*\")\)", re.DOTALL)
"""How h11 quotes what it does not understand."""


def end_of(error: BaseException, exchange: Exchange) -> tuple[End, str]:
    """What the error says about the exchange. The detail is as the system or a library put it, uncleaned."""
    for cause in _causes(error):
        if (known := _end_of(cause, exchange)) is not None:
            return known
    return End.LOCAL, f"{type(error).__name__}: {error}"


def _end_of(error: BaseException, exchange: Exchange) -> tuple[End, str] | None:
    if own := _OWN_ERRORS.get(type(error)):
        return own, str(error)
    if isinstance(error, (httpcore.LocalProtocolError, h11.LocalProtocolError)):
        # Its text quotes the header, which may be the key.
        return End.LOCAL, "the request cannot be sent: HTTP forbids a character in one of its headers"
    if isinstance(error, UnicodeError):
        return End.LOCAL, "the request cannot be sent: a header or the URL holds characters that HTTP cannot carry"
    if isinstance(error, ssl.SSLError):
        return _tls_end(error, exchange)
    if isinstance(error, socket.gaierror):
        return End.DNS, error.strerror or str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return _os_end(error, exchange)
    if isinstance(error, ConnectionError):  # asyncio's own, which no system call has given
        return _hung_up(exchange)
    if isinstance(error, h11.RemoteProtocolError):
        return _protocol_end(error, exchange)
    if isinstance(error, httpcore.RemoteProtocolError) and error.__cause__ is None:
        return End.RESET, "the connection was closed without an answer"
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error behind the error first: libraries wrap what the system said."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        wrapped = following.args[0] if following.args and isinstance(following.args[0], BaseException) else None
        following = following.__cause__ or wrapped
    return reversed(chain)


def _tls_end(error: ssl.SSLError, exchange: Exchange) -> tuple[End, str]:
    shaking = exchange.dial is not None and exchange.dial.stage == "tls"
    if isinstance(error, ssl.SSLCertVerificationError):
        return End.TLS, error.verify_message or str(error)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        if shaking:
            return _hung_up(exchange)
        ended = End.INCOMPLETE if exchange.reads else End.RESET
        return ended, "the connection was closed without TLS's close_notify"
    if error.reason in _NOT_TLS and shaking:
        return End.NOT_HTTP, "what listens there does not speak TLS; `http` may be right"
    text = (error.reason or str(error)).replace("_", " ").lower()
    if exchange.reads and not shaking:
        return End.RESET, f"TLS broke: {text}"
    return End.TLS, ": ".join(filter(None, (text, _of_alert(error.reason or ""))))


def _hung_up(exchange: Exchange) -> tuple[End, str]:
    """The peer closed the connection without a word, before it answered."""
    if exchange.dial is not None and exchange.dial.stage == "tls":
        return End.TLS, "the connection was closed during the TLS handshake"
    return End.RESET, "the connection was closed without an answer"


def _of_alert(reason: str) -> str:
    """What the peer has against the client's certificate, where that is what its alert says; else ""."""
    return next((words for alert, words in _CLIENT_ALERTS.items() if reason.endswith(f"ALERT_{alert}")), "")


def _os_end(error: OSError, exchange: Exchange) -> tuple[End, str]:
    code = error.errno
    dialling = exchange.dial is not None and exchange.dial.stage != "done"
    detail = os.strerror(code) if code is not None else str(error)
    if exchange.dial is not None and exchange.dial.refusals and dialling:
        detail = "; ".join(exchange.dial.refusals)
    if code in OWN_FAULTS:
        return End.LOCAL, detail
    if exchange.dial is not None and exchange.dial.stage == "tls":
        detail = f"{detail} during the TLS handshake"
    if code == errno.ECONNREFUSED or (dialling and code == errno.ENOENT):  # a Unix socket that is not there
        return End.REFUSED, detail
    if code in NO_ROUTES:
        return End.UNREACHABLE, detail
    if code in RESETS:
        return End.RESET, detail
    if not dialling:
        return End.RESET, detail
    return (End.CONNECT_TIMEOUT if code == errno.ETIMEDOUT else End.UNREACHABLE), detail


def _protocol_end(error: h11.RemoteProtocolError, exchange: Exchange) -> tuple[End, str]:
    text = str(error)
    if error.error_status_hint == _TOO_LARGE:
        return End.TOO_LARGE, "the trailers behind the body are longer than 100 KiB"
    if error.error_status_hint == _NOT_IMPLEMENTED:
        return End.DECODE_ERROR, OTHER_CODING
    if "peer closed connection" in text or "without sending" in text:
        return (End.INCOMPLETE, _cut(text)) if exchange.reads else (End.RESET, text)
    if "_SWITCH_" in text:
        return End.NOT_HTTP, "the answer switches to a protocol that was not asked for"
    return End.NOT_HTTP, _BYTES.sub(r"\1", text)


def _cut(text: str) -> str:
    if short := _SHORT.search(text):
        return short_body(int(short[1]), int(short[2]))
    return "the connection was closed before the last chunk"
